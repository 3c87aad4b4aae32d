// SPDX-License-Identifier: BSL-1.0
// tenon: Trainer::step.
#include "../mlp_tenon.hpp"
#include "training.hpp"

#include <tenon/tenon.hpp>

namespace contest::with_tenon {

template <class Case>
class Contestant {
    using Net = typename TenonNetwork<Case>::type;

public:
    explicit Contestant(const Weights& weights) : model_(tenon_model<Case>(weights)) {}

    double step(const float* x, const std::int32_t* labels) { return trainer_.step(Case::rows, x, labels); }

private:
    tenon::Model<Net> model_;
    tenon::Trainer<Net, tenon::Float32, tenon::CrossEntropy, tenon::Adam> trainer_{
        model_, tenon::CrossEntropy{}, tenon::Adam{.epsilon = tenon::pytorch_epsilon}};
};

const bool enlisted = enlist_training<Contestant>("tenon", Role::tenon, TrainingCases{});

}  // namespace contest::with_tenon
