// SPDX-License-Identifier: BSL-1.0
// What a term of a distillation objective is, and what terms share.
//
// A term is a struct with its options and
//     static constexpr bool takes_teacher = true;
//     template <class Output, class T, class Target>
//     double operator()(std::size_t rows, const T* y, const T* teacher, const Target* target, T* dy, T scale) const;
//   y, teacher: (rows, Output), what student and teacher gave;  target: the data's targets, which most terms leave alone;
//   returns Σ over the rows of each row's loss;  dy: (rows, Output), overwritten with scale · d(sum)/dy, or null.
// `absorbs` and `takes` are those of losses (losses/loss.hpp). A hard-label loss is a term too, as it stands.
#pragma once

#include <tenon/core/storage.hpp>
#include <tenon/kernels/softmax.hpp>
#include <tenon/layers/activation.hpp>
#include <tenon/losses/loss.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <type_traits>

namespace tenon::inline TENON_ISA::distillation {

namespace detail {

template <class Term>
constexpr bool takes_teacher()
{
    if constexpr (requires { Term::takes_teacher; })
        return Term::takes_teacher;
    else
        return false;
}

// Whether a term compares features (distillation/feature.hpp), outputs otherwise.
template <class Term>
constexpr bool takes_features()
{
    if constexpr (requires { Term::takes_features; })
        return Term::takes_features;
    else
        return false;
}

// Whether a row's loss depends on the other rows.
template <class Term>
constexpr bool relates_rows()
{
    if constexpr (requires { Term::relates_rows; })
        return Term::relates_rows;
    else
        return false;
}

// As check_gradients asks.
template <class Term>
constexpr bool takes_labels()
{
    if constexpr (requires { Term::takes_labels; })
        return Term::takes_labels;
    else
        return false;
}

template <class Loss, class Target>
concept TakesTargets = requires(const Loss& loss, const float* y, const Target* target, float* dy)
{
    {
        loss.template operator()<Shape<2>>(std::size_t{}, y, target, dy, 1.0f)
        } -> std::same_as<double>;
};

}  // namespace detail

// A term that compares with the teacher, or a hard-label loss.
template <class Term>
concept AnyTerm = std::is_class_v<Term> &&
    (detail::takes_teacher<Term>() || detail::takes_features<Term>() || detail::TakesTargets<Term, std::int32_t> ||
     detail::TakesTargets<Term, float>);

// weight · term. Written as a product: 0.9 * SoftTargets{.temperature = 4}.
template <class Term>
struct Weighted {
    double weight;
    Term term;
};

// For losses of tenon, which it is found for by their namespace.
template <class Number, AnyTerm Term>
    requires std::is_arithmetic_v<Number>
constexpr Weighted<Term> operator*(Number weight, Term term) { return {static_cast<double>(weight), term}; }

// The same for losses that the operator is not found for: those in a namespace of their own.
template <AnyTerm Term>
constexpr Weighted<Term> weighted(double weight, Term term)
{
    return {weight, term};
}

// The final layers that terms of class probabilities absorb: they see logits.
template <class Layer>
inline constexpr bool gives_probabilities = std::is_same_v<Layer, Softmax> || std::is_same_v<Layer, LogSoftmax>;

namespace detail {

// Memory of one call: aligned as workspaces are, and not cleared.
template <class T>
class Scratch {
public:
    explicit Scratch(std::size_t size)
        : data_{static_cast<T*>(::operator new ((size + 1) * sizeof(T), std::align_val_t{cache_line}))}
    {}
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() { ::operator delete (data_, std::align_val_t{cache_line}); }

    T* data() { return data_; }

private:
    T* data_;
};

// p = softmax(z / T) of one row of C logits, with the logarithms. memory: (2, C)
template <std::size_t C, class T>
class SoftRow {
public:
    using R = tenon::detail::LossRow<T, C>;
    using V = typename R::P;

    SoftRow(const T* logits, T inverse_temperature, T* memory) : scaled_{memory}, probabilities_{memory + C}
    {
        const V factor = inverse_temperature;
        R::each([&](std::size_t i, auto lanes)
                    TENON_LAMBDA_INLINE { R::store(memory + i, factor * R::load(logits + i, lanes), lanes); });
        finish(memory);
    }

    // Without class `left_out`, whose probability is exactly 0. At least one other class.
    SoftRow(const T* logits, T inverse_temperature, T* memory, std::size_t left_out)
        : scaled_{memory}, probabilities_{memory + C}
    {
        for (std::size_t i = 0; i < C; ++i) memory[i] = inverse_temperature * logits[i];
        memory[left_out] = -std::numeric_limits<T>::infinity();
        finish(memory);
    }

    const kernels::LogSumExp<T>& sum() const { return sum_; }
    template <class Lanes>
    TENON_ALWAYS_INLINE V probability(std::size_t i, Lanes lanes) const
    {
        return R::load(probabilities_ + i, lanes);
    }
    template <class Lanes>
    TENON_ALWAYS_INLINE V log_probability(std::size_t i, Lanes lanes) const
    {
        return (R::load(scaled_ + i, lanes) - V(sum_.maximum)) - V(sum_.log_sum);
    }

private:
    void finish(T* memory) { sum_ = kernels::log_sum_exp<C>(scaled_, memory + C); }

    const T* scaled_;
    const T* probabilities_;
    kernels::LogSumExp<T> sum_{};
};

// KL(teacher ‖ student) = Σ p_t (log p_t - log p_s); a class that the teacher rules out adds nothing.
template <std::size_t C, class T>
double divergence(const SoftRow<C, T>& teacher, const SoftRow<C, T>& student)
{
    using R = typename SoftRow<C, T>::R;
    using V = typename R::P;
    V sum = T(0);
    const V zero = T(0);
    R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE {
        const V p = teacher.probability(i, lanes);
        const V each = p * (teacher.log_probability(i, lanes) - student.log_probability(i, lanes));
        sum += R::inside(select(p == zero, zero, each), T(0), lanes);
    });
    return static_cast<double>(reduce_add(sum));
}

// a · b + c, rounded alike wherever it is inlined.
inline double multiply_add(double a, double b, double c)
{
    using V = simd::Pack<double, 1>;
    return fma(V(a), V(b), V(c)).lanes;
}

}  // namespace detail
}  // namespace tenon::inline TENON_ISA::distillation

namespace tenon::inline TENON_ISA {
using distillation::operator*;  // 0.1 * CrossEntropy{}
}  // namespace tenon
