// SPDX-License-Identifier: BSL-1.0
// dlib: its network, its loss and its Adam, driven without dnn_trainer, whose worker threads would blur the picture.
#include "training.hpp"

#include "../cnn_dlib.hpp"

namespace contest::with_dlib {

template <class Case>
class Contestant {
    using Net = dlib::loss_multiclass_log<CnnLayers>;

public:
    Contestant(const Graph& graph, const GraphWeights& weights) : inputs_(graph.input.size())
    {
        const std::vector<dlib::matrix<float>> samples(Case::rows, dlib::zeros_matrix<float>(28, 28));
        net_.to_tensor(samples.begin(), samples.end(), x_);
        net_.subnet().forward(x_);
        set_weights<1>(net_, graph, weights);  // layer<0> is the loss
    }

    double step(const float* x, const std::int32_t* labels)
    {
        std::copy(x, x + Case::rows * inputs_, x_.host_write_only());
        std::copy(labels, labels + Case::rows, labels_.begin());
        const double loss = net_.compute_parameter_gradients(x_, labels_.begin());
        net_.update_parameters(solvers_, AdamOptions::learning_rate);
        return loss;
    }

private:
    std::size_t inputs_;
    Net net_;
    dlib::resizable_tensor x_;
    std::vector<unsigned long> labels_ = std::vector<unsigned long>(Case::rows);
    std::vector<dlib::adam> solvers_ = std::vector<dlib::adam>(
        Net::num_computational_layers,
        dlib::adam(0, static_cast<float>(AdamOptions::beta1), static_cast<float>(AdamOptions::beta2)));
};

const bool enlisted = enlist_training<Contestant>("dlib", Role::peer, TrainingCases{});
const bool described = describe("dlib", std::to_string(DLIB_MAJOR_VERSION) + "." + std::to_string(DLIB_MINOR_VERSION) +
                                            ", packaged library with BLAS, no trainer threads");

}  // namespace contest::with_dlib
