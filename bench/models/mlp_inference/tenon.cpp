// SPDX-License-Identifier: BSL-1.0
// tenon: a Session over a model's parameters, as a control loop holds it; and, for comparison, with weights of 16 bits.
#include "../mlp_tenon.hpp"
#include "inference.hpp"

#include <tenon/model/stored.hpp>

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

template <class Case, class P>
class Stored {
    using Net = typename TenonNetwork<Case>::type;

public:
    // The unit of 16 bits, of sums of products about as large as their result.
    static constexpr double tolerance = std::is_same_v<P, tenon::Float16> ? 0x1p-9 : 0x1p-6;

    explicit Stored(const Weights& weights)
        : model_(tenon::store_as<P>(tenon_model<Case>(weights))), session_(model_.parameters())
    {}

    void run(const float* x, float* y) { session_.run_rows(Case::rows, x, y); }

private:
    tenon::Model<Net, P> model_;
    tenon::Session<Net, tenon::Rows<Case::rows>, P> session_;
};
template <class Case>
using InFp16 = Stored<Case, tenon::Float16>;
template <class Case>
using InBf16 = Stored<Case, tenon::BFloat16>;

using Keras = CaseList<Mlp<Activation::relu, 1, 784, 128, 10>, Mlp<Activation::relu, 32, 784, 128, 10>>;

const bool enlisted = enlist_inference<Contestant>("tenon", Role::tenon, InferenceCases{}) &&
                      enlist_inference<InFp16>("tenon-fp16", Role::raw, Keras{}) &&
                      enlist_inference<InBf16>("tenon-bf16", Role::raw, Keras{});

}  // namespace contest::with_tenon
