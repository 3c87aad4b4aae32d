// SPDX-License-Identifier: BSL-1.0
// Tensor: values of one sample with their shape in the type; TensorView: the same over somebody else's memory.
#pragma once

#include <tenon/core/shape.hpp>

namespace tenon::inline TENON_ISA {

namespace detail {

// Row-major position of (i, j, …) in a shape.
template <AnyShape S, class... Index>
constexpr std::size_t flat_index(Index... index)
{
    static_assert(sizeof...(Index) == S::rank, "tenon: a tensor takes one index per axis of its shape.");
    std::size_t flat = 0, axis = 0;
    ((flat = flat * S::extents[axis++] + static_cast<std::size_t>(index)), ...);
    return flat;
}

}  // namespace detail

// An aggregate of Shape::size values, row-major, last axis contiguous: Tensor<float, Shape<2>>{1.0f, 0.0f}.
template <class T, AnyShape S>
struct Tensor {
    using value_type = T;
    using shape = S;

    T values[S::size];

    static constexpr std::size_t size() { return S::size; }
    constexpr T* data() { return values; }
    constexpr const T* data() const { return values; }
    constexpr T* begin() { return values; }
    constexpr const T* begin() const { return values; }
    constexpr T* end() { return values + S::size; }
    constexpr const T* end() const { return values + S::size; }

    // Flat access, unchecked as in std::array.
    constexpr T& operator[](std::size_t i) { return values[i]; }
    constexpr const T& operator[](std::size_t i) const { return values[i]; }

    // Access by one index per axis.
    template <class... Index>
    constexpr T& operator()(Index... index)
    {
        return values[detail::flat_index<S>(index...)];
    }
    template <class... Index>
    constexpr const T& operator()(Index... index) const
    {
        return values[detail::flat_index<S>(index...)];
    }

    friend constexpr bool operator==(const Tensor&, const Tensor&) = default;
};

// A non-owning tensor: pointer with a shape. T may be const.
template <class T, AnyShape S>
class TensorView {
public:
    using value_type = T;
    using shape = S;

    constexpr explicit TensorView(T* data) : data_{data} {}

    static constexpr std::size_t size() { return S::size; }
    constexpr T* data() const { return data_; }
    constexpr T* begin() const { return data_; }
    constexpr T* end() const { return data_ + S::size; }
    constexpr T& operator[](std::size_t i) const { return data_[i]; }
    template <class... Index>
    constexpr T& operator()(Index... index) const
    {
        return data_[detail::flat_index<S>(index...)];
    }

private:
    T* data_;
};

// Position of the first largest value: the predicted class of a row of logits or probabilities.
template <class T>
constexpr std::size_t argmax(const T* values, std::size_t count)
{
    std::size_t best = 0;
    for (std::size_t i = 1; i < count; ++i)
        if (values[i] > values[best]) best = i;
    return best;
}

// The flat position in a tensor.
template <class T, AnyShape S>
constexpr std::size_t argmax(const Tensor<T, S>& tensor)
{
    return argmax(tensor.data(), S::size);
}

}  // namespace tenon
