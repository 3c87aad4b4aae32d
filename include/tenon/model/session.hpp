// SPDX-License-Identifier: BSL-1.0
// Inference without allocation: predict for one sample, Session for many rows. Both only read the parameters, so any number
// of threads may share them.
#pragma once

#include <tenon/core/tensor.hpp>
#include <tenon/model/frozen.hpp>

namespace tenon::inline TENON_ISA {

// A shape error of an input reads: Takes<InputHasShape<783>, TheNetworkTakes<784>>.
template <class Given>
struct InputHas;
template <class Wanted>
struct TheNetworkTakes;

// Asserts that an input fits a network.
template <class Given, class Wanted>
struct CheckInput;
template <class Given, class Wanted>
struct CheckInput<InputHas<Given>, TheNetworkTakes<Wanted>> {
    static constexpr bool value = std::is_same_v<Given, Wanted>;
    static_assert(
        std::is_same_v<Given, Wanted>,
        "tenon: the input has shape InputHas<...>, the network takes TheNetworkTakes<...>, as this error says.");
};

namespace detail {

template <class T>
inline constexpr std::size_t workspace_alignment = simd::width<T> == 1 ? alignof(T) : 64;

template <class T, std::size_t Bytes>
struct Workspace {
    alignas(workspace_alignment<T>) T values[Bytes == 0 ? 1 : Bytes / sizeof(T)];
};

}  // namespace detail

// Rows<N>: how many rows a Session works on at a time.
template <std::size_t N>
struct Rows {
    static constexpr std::size_t value = N;
    static_assert(N > 0, "tenon: Rows<count>: the count must be positive.");
};

// y = network(x) for one sample. `weights`: Parameters or FrozenWeights of Net. Usable in constant expressions.
// The workspace, Net::workspace_bytes, is on the stack.
template <class Net, class Weights, class Sample>
constexpr auto predict(const Weights& weights, const Sample& input)
{
    using T = typename Weights::scalar;
    using P = typename Weights::precision;
    Tensor<T, typename Net::output_shape> output{};
    if constexpr (checked<WeightsBelongTo<typename Weights::network, Net>>::value && Net::valid) {
        if constexpr (checked<CheckInput<InputHas<typename Sample::shape>,
                                         TheNetworkTakes<typename Net::input_shape>>>::value) {
            if (std::is_constant_evaluated()) {
                detail::Workspace<T, Net::template workspace_bytes<P>> workspace{};
                infer<Net, 1>(1, weights.data(), input.data(), output.data(), workspace.values);
            } else {
                detail::Workspace<T, Net::template workspace_bytes<P>> workspace;
                infer<Net, 1>(1, weights.data(), input.data(), output.data(), workspace.values);
            }
        }
    }
    return output;
}

// A network ready to run: the caller's weights and a workspace inside, so its size is a constant and nothing is allocated.
// One Session per thread; the weights must outlive it.
template <class Net, class R = Rows<1>, class P = Float32>
class Session {
public:
    using scalar = typename P::scalar;
    using input_type = Tensor<scalar, typename Net::input_shape>;
    using output_type = Tensor<scalar, typename Net::output_shape>;

    template <class Weights>
    explicit Session(const Weights& weights) : parameters_{weights.data()}
    {
        [[maybe_unused]] constexpr bool asked = checked<WeightsBelongTo<typename Weights::network, Net>>::value;
        static_assert(std::is_same_v<typename Weights::precision, P>,
                      "tenon: a Session computes in the precision of its weights.");
    }

    // One sample: a Tensor, a TensorView or anything with ::shape and data().
    template <class Sample>
        requires requires { typename Sample::shape; }
    output_type run(const Sample& input)
    {
        output_type output;
        if constexpr (checked<CheckInput<InputHas<typename Sample::shape>,
                                         TheNetworkTakes<typename Net::input_shape>>>::value)
            run_rows(1, input.data(), output.data());
        return output;
    }

    // Any number of rows: inputs (rows, input_shape::size) and outputs (rows, output_shape::size), contiguous ranges.
    // The number of rows is what both have room for.
    template <class Inputs, class Outputs>
    void run(const Inputs& inputs, Outputs&& outputs)
    {
        const std::size_t given = inputs.size() / Net::input_shape::size;
        const std::size_t room = outputs.size() / Net::output_shape::size;
        run_rows(given < room ? given : room, inputs.data(), outputs.data());
    }

    // The same by pointers: real-time code that counts its rows itself.
    void run_rows(std::size_t rows, const scalar* inputs, scalar* outputs)
    {
        constexpr std::size_t in = Net::input_shape::size, out = Net::output_shape::size;
        if constexpr (R::value == 1) {
            for (std::size_t r = 0; r < rows; ++r)
                infer<Net, 1>(1, parameters_, inputs + r * in, outputs + r * out, workspace_.values);
        } else {
            for (std::size_t r = 0; r < rows; r += R::value) {
                const std::size_t chunk = rows - r < R::value ? rows - r : R::value;
                infer<Net, R::value>(chunk, parameters_, inputs + r * in, outputs + r * out, workspace_.values);
            }
        }
    }

private:
    const stored_t<P>* parameters_;
    detail::Workspace<scalar, Net::template workspace_bytes<P, R::value>> workspace_;
};

}  // namespace tenon
