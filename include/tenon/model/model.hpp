// SPDX-License-Identifier: BSL-1.0
// Model: a network with its parameters on the heap; the owner that training, files and prediction work with.
#pragma once

#include <tenon/model/initialize.hpp>
#include <tenon/model/parameters.hpp>
#include <tenon/model/session.hpp>

namespace tenon::inline TENON_ISA {

// Model<Net>{uninitialized}: all parameters zero, to be loaded.
struct Uninitialized {};
inline constexpr Uninitialized uninitialized{};

template <class Net, class P = Float32>
class Model {
public:
    using network = Net;
    using precision = P;
    using scalar = typename P::scalar;

    // Each slot filled by its layer's initialiser; the same seed gives the same weights everywhere.
    explicit Model(Seed seed)
    {
        constexpr bool trains = std::is_same_v<stored_t<P>, scalar>;
        static_assert(trains,
                      "tenon: parameters of 16 bits are for inference: train a Model<Net> and convert it, with "
                      "store_as<Float16>(model).");
        if constexpr (trains) tenon::initialize(parameters_, seed);
    }
    explicit Model(Uninitialized) {}
    explicit Model(Parameters<Net, P> parameters) : parameters_{static_cast<Parameters<Net, P>&&>(parameters)} {}
    // A copy of constant weights, to train on.
    explicit Model(const FrozenWeights<Net, P>& frozen)
    {
        for (std::size_t i = 0; i < Parameters<Net, P>::storage; ++i) parameters_.data()[i] = frozen.values[i];
    }
    template <class Other>
        requires(!std::is_same_v<Other, Net>)
    explicit Model(const FrozenWeights<Other, P>&)
    {
        [[maybe_unused]] constexpr bool asked = checked<WeightsBelongTo<Other, Net>>::value;
    }

    Parameters<Net, P>& parameters() { return parameters_; }
    const Parameters<Net, P>& parameters() const { return parameters_; }

    // One sample: a Tensor, a TensorView or anything with ::shape and data(). Any number of threads may predict at a time.
    // The workspace is on the stack up to 64 KiB, on the heap beyond.
    template <class Sample>
        requires requires { typename Sample::shape; }
    auto predict(const Sample& input) const
    {
        if constexpr (Net::template workspace_bytes<P> <= 64 * 1024) {
            return tenon::predict<Net>(parameters_, input);
        } else {
            Tensor<scalar, typename Net::output_shape> output;
            if constexpr (checked<CheckInput<InputHas<typename Sample::shape>,
                                             TheNetworkTakes<typename Net::input_shape>>>::value) {
                AlignedBuffer<scalar> workspace{Net::template workspace_bytes<P> / sizeof(scalar)};
                infer<Net, 1>(1, parameters_.data(), input.data(), output.data(), workspace.data());
            }
            return output;
        }
    }

private:
    Parameters<Net, P> parameters_;
};

}  // namespace tenon
