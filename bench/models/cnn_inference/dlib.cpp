// SPDX-License-Identifier: BSL-1.0
// dlib: its own layers over the BLAS it was built with; forward of a tensor that exists already.
#include "cases.hpp"

#include "../cnn_dlib.hpp"

namespace contest::with_dlib {

template <class Case>
class Contestant {
public:
    Contestant(const Graph& graph, const GraphWeights& weights) : inputs_(graph.input.size()), outputs_(graph.outputs())
    {
        const std::vector<dlib::matrix<float>> samples(Case::rows, dlib::zeros_matrix<float>(28, 28));
        net_.to_tensor(samples.begin(), samples.end(), x_);
        net_.forward(x_);
        set_weights<0>(net_, graph, weights);
    }

    void run(const float* x, float* y)
    {
        std::copy(x, x + Case::rows * inputs_, x_.host_write_only());
        const float* const result = net_.forward(x_).host();
        std::copy(result, result + Case::rows * outputs_, y);
    }

private:
    std::size_t inputs_, outputs_;
    CnnLayers net_;
    dlib::resizable_tensor x_;
};

const bool enlisted = enlist_graphs<Contestant>("cnn_inference", "dlib", Role::peer, CnnCases{});
const bool described = describe("dlib", std::to_string(DLIB_MAJOR_VERSION) + "." + std::to_string(DLIB_MINOR_VERSION) +
                                            ", packaged library with BLAS");

}  // namespace contest::with_dlib
