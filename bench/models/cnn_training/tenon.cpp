// SPDX-License-Identifier: BSL-1.0
// tenon: Trainer::step.
#include "training.hpp"

#include <tenon/tenon.hpp>

namespace contest::with_tenon {

template <class Case>
class Contestant {
    using Net = tenon::Network<tenon::Input<28, 28, 1>,  //
                               tenon::Conv2D<32, tenon::Kernel<3>>, tenon::ReLU, tenon::MaxPool2D<2>,
                               tenon::Conv2D<64, tenon::Kernel<3>>, tenon::ReLU, tenon::MaxPool2D<2>,
                               tenon::Conv2D<64, tenon::Kernel<3>>, tenon::ReLU, tenon::Flatten,  //
                               tenon::Dense<64>, tenon::ReLU, tenon::Dense<10>>;

public:
    Contestant(const Graph& graph, const GraphWeights& weights)
    {
        std::size_t next = 0;
        const auto set = [&](const Buffer& values) {
            const tenon::SlotInfo& slot = model_.parameters().slots()[next++];
            for (std::size_t i = 0; i < slot.size; ++i) model_.parameters().logical(slot, i) = values.at(i);
        };
        for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
            if (!graph.nodes[n].has_weights()) continue;
            set(weights.kernel[n]);
            set(weights.bias[n]);
        }
    }

    double step(const float* x, const std::int32_t* labels) { return trainer_.step(Case::rows, x, labels); }

private:
    tenon::Model<Net> model_{tenon::uninitialized};
    tenon::Trainer<Net, tenon::Float32, tenon::CrossEntropy, tenon::Adam> trainer_{
        model_, tenon::CrossEntropy{}, tenon::Adam{.epsilon = tenon::pytorch_epsilon}};
};

const bool enlisted = enlist_training<Contestant>("tenon", Role::tenon, TrainingCases{});

}  // namespace contest::with_tenon
