// SPDX-License-Identifier: BSL-1.0
// dlib: its network, its loss and its Adam, driven without dnn_trainer, whose worker threads would blur the picture.
#include "training.hpp"

#include <dlib/dnn.h>
#include <dlib/revision.h>

namespace contest::with_dlib {

template <class Case>
class Contestant {
    static_assert(Case::layers == 2);
    using Net = dlib::loss_multiclass_log<
        dlib::fc<Case::widths[2], dlib::relu<dlib::fc<Case::widths[1], dlib::input<dlib::matrix<float>>>>>>;

public:
    explicit Contestant(const Weights& weights)
    {
        const std::vector<dlib::matrix<float>> samples(Case::rows, dlib::zeros_matrix<float>(Case::inputs, 1));
        net_.to_tensor(samples.begin(), samples.end(), x_);
        net_.subnet().forward(x_);
        // Parameters of fc: (inputs + 1, outputs) row-major, the bias last. layer<0> is the loss.
        set(dlib::layer<3>(net_).layer_details().get_layer_params(), weights, 0);
        set(dlib::layer<1>(net_).layer_details().get_layer_params(), weights, 1);
    }

    double step(const float* x, const std::int32_t* labels)
    {
        std::copy(x, x + Case::rows * Case::inputs, x_.host_write_only());
        std::copy(labels, labels + Case::rows, labels_.begin());
        const double loss = net_.compute_parameter_gradients(x_, labels_.begin());
        net_.update_parameters(solvers_, AdamOptions::learning_rate);
        return loss;
    }

private:
    static void set(dlib::tensor& parameters, const Weights& weights, std::size_t l)
    {
        float* const end = std::copy(weights.kernel[l].begin(), weights.kernel[l].end(), parameters.host());
        std::copy(weights.bias[l].begin(), weights.bias[l].end(), end);
    }

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
