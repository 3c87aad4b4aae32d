// SPDX-License-Identifier: BSL-1.0
// dlib: its own layers over the BLAS it was built with; forward of a tensor that exists already.
#include "inference.hpp"

#include <dlib/dnn.h>
#include <dlib/revision.h>

namespace contest::with_dlib {

// Layers L, L - 1, ..., 0 around dlib's input.
template <class Case, std::size_t L>
struct Net {
    using below = typename Net<Case, L - 1>::type;
    using activated = std::conditional_t<Case::activation == Activation::relu, dlib::relu<below>, dlib::htan<below>>;
    using type = dlib::fc<Case::widths[L + 1], activated>;
};
template <class Case>
struct Net<Case, 0> {
    using type = dlib::fc<Case::widths[1], dlib::input<dlib::matrix<float>>>;
};

template <class Case>
class Contestant {
public:
    explicit Contestant(const Weights& weights)
    {
        const std::vector<dlib::matrix<float>> samples(Case::rows, dlib::zeros_matrix<float>(Case::inputs, 1));
        net_.to_tensor(samples.begin(), samples.end(), x_);
        net_.forward(x_);
        set<Case::layers - 1>(weights);
    }

    void run(const float* x, float* y)
    {
        std::copy(x, x + Case::rows * Case::inputs, x_.host_write_only());
        const float* const result = net_.forward(x_).host();
        std::copy(result, result + Case::rows * Case::outputs, y);
    }

private:
    // Layers count from the output, with the activations between: layer<0> is the last fc, layer<2> the one before.
    // Parameters of fc: (inputs + 1, outputs) row-major, the bias last.
    template <std::size_t L>
    void set(const Weights& weights)
    {
        dlib::tensor& parameters = dlib::layer<2 * (Case::layers - 1 - L)>(net_).layer_details().get_layer_params();
        float* const end = std::copy(weights.kernel[L].begin(), weights.kernel[L].end(), parameters.host());
        std::copy(weights.bias[L].begin(), weights.bias[L].end(), end);
        if constexpr (L > 0) set<L - 1>(weights);
    }

    typename Net<Case, Case::layers - 1>::type net_;
    dlib::resizable_tensor x_;
};

const bool enlisted = enlist_inference<Contestant>("dlib", Role::peer, InferenceCases{});
const bool described = describe("dlib", std::to_string(DLIB_MAJOR_VERSION) + "." + std::to_string(DLIB_MINOR_VERSION) +
                                            ", packaged library with BLAS");

}  // namespace contest::with_dlib
