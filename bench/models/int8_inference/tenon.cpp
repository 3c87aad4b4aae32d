// SPDX-License-Identifier: BSL-1.0
// tenon: a Session of int8, as a control loop holds it; and, for comparison, the same network in float.
#include "problem.hpp"

#include <tenon/model/int8_model.hpp>

namespace contest::with_tenon {

using namespace tenon;

using Mlp = Network<Input<784>, Dense<128>, ReLU, Dense<10>>;
using Cnn = Network<Input<28, 28, 1>, Conv2D<32, Kernel<3>>, ReLU, MaxPool2D<2>, Conv2D<64, Kernel<3>>, ReLU,
                    MaxPool2D<2>, Conv2D<64, Kernel<3>>, ReLU, Flatten, Dense<64>, ReLU, Dense<10>>;

// Unsigned bytes are int8 with the zero point -128, once their highest bit is turned: the caller's bytes could be the other
// kind as well, so it is done beforehand.
template <class Net, std::size_t R>
class Integers {
public:
    explicit Integers(const Int8Problem& problem) : model_{description(problem)}, session_{model_.parameters()}
    {
        for (const std::uint8_t value : problem.x) x_.push_back(static_cast<std::int8_t>(value - 128));
    }

    void run(const std::uint8_t*, std::int8_t* y) { session_.run_rows(R, x_.data(), y); }

private:
    static Int8Description description(const Int8Problem& problem)
    {
        Int8Description result;
        result.input = {problem.scale[0], -128};
        for (std::size_t n = 0; n < problem.kernel.size(); ++n) {
            result.layers.push_back({problem.kernel[n], problem.bias[n], problem.kernel_scale[n], 0});
            result.values.push_back({problem.scale[n + 1], n + 1 == problem.kernel.size() ? 0 : -128});
        }
        return result;
    }

    Model<Net, Int8> model_;
    Session<Net, Rows<R>, Int8> session_;
    std::vector<std::int8_t, AlignedAllocator<std::int8_t>> x_;
};

template <class Net, std::size_t R>
class Floats {
public:
    explicit Floats(const Int8Problem& problem) : model_{uninitialized}, session_{model_.parameters()}
    {
        std::size_t n = 0;
        for (const SlotInfo& slot : model_.parameters().slots()) {
            const std::size_t filters = slot.extents[slot.rank - 1];
            const bool bias = slot.rank == 1;
            for (std::size_t i = 0; i < slot.size; ++i)
                model_.parameters().logical(slot, i) = problem.kernel_scale[n][i % filters] *
                                                       (bias ? problem.scale[n] * static_cast<float>(problem.bias[n][i])
                                                             : problem.kernel[n][i]);
            n += bias ? 1 : 0;
        }
        for (const std::uint8_t value : problem.x) x_.push_back(static_cast<float>(value) * problem.scale[0]);
        y_.resize(R * Net::output_shape::size);
        step_ = problem.scale.back();
    }

    void run(const std::uint8_t*, std::int8_t* y)
    {
        session_.run_rows(R, x_.data(), y_.data());
        for (std::size_t i = 0; i < y_.size(); ++i) y[i] = static_cast<std::int8_t>(std::lrint(y_[i] / step_));
    }

private:
    Model<Net> model_;
    Session<Net, Rows<R>> session_;
    Buffer x_, y_;
    float step_ = 1.0f;
};

const bool enlisted = enlist_int8<Integers<Mlp, 1>>("tenon", Role::tenon, mlp_case(1)) &&
                      enlist_int8<Floats<Mlp, 1>>("tenon-float", Role::raw, mlp_case(1)) &&
                      enlist_int8<Integers<Mlp, 32>>("tenon", Role::tenon, mlp_case(32)) &&
                      enlist_int8<Floats<Mlp, 32>>("tenon-float", Role::raw, mlp_case(32)) &&
                      enlist_int8<Integers<Cnn, 1>>("tenon", Role::tenon, cnn_case()) &&
                      enlist_int8<Floats<Cnn, 1>>("tenon-float", Role::raw, cnn_case());

}  // namespace contest::with_tenon
