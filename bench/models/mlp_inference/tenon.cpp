// SPDX-License-Identifier: BSL-1.0
// tenon: a Session over a model's parameters, as a control loop holds it.
#include "../mlp_tenon.hpp"
#include "inference.hpp"

namespace contest::with_tenon {

template <class Case>
class Contestant {
    using Net = typename TenonNetwork<Case>::type;

public:
    explicit Contestant(const Weights& weights) : model_(tenon_model<Case>(weights)), session_(model_.parameters()) {}

    void run(const float* x, float* y) { session_.run_rows(Case::rows, x, y); }

private:
    tenon::Model<Net> model_;
    tenon::Session<Net, tenon::Rows<Case::rows>> session_;
};

const bool enlisted = enlist_inference<Contestant>("tenon", Role::tenon, InferenceCases{});

}  // namespace contest::with_tenon
