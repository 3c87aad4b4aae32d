// SPDX-License-Identifier: BSL-1.0
// LibTorch: the same layers by at::addmm under InferenceMode with results allocated once; faster on these sizes than
// nn::Sequential.
#include "inference.hpp"

#include <torch/torch.h>

namespace contest::with_libtorch {

template <class Case>
class Contestant {
public:
    explicit Contestant(const Weights& weights)
    {
        at::set_num_threads(1);
        const c10::InferenceMode guard;
        for (std::size_t l = 0; l < Case::layers; ++l) {
            const auto in = static_cast<std::int64_t>(Case::widths[l]),
                       out = static_cast<std::int64_t>(Case::widths[l + 1]);
            kernel_.push_back(torch::from_blob(const_cast<float*>(weights.kernel[l].data()), {in, out}).clone());
            bias_.push_back(torch::from_blob(const_cast<float*>(weights.bias[l].data()), {out}).clone());
            hidden_.push_back(torch::empty({static_cast<std::int64_t>(Case::rows), out}));
        }
    }

    void run(const float* x, float* y)
    {
        const c10::InferenceMode guard;
        const at::Tensor input = torch::from_blob(
            const_cast<float*>(x), {static_cast<std::int64_t>(Case::rows), static_cast<std::int64_t>(Case::inputs)});
        for (std::size_t l = 0; l < Case::layers; ++l) {
            at::addmm_out(hidden_[l], bias_[l], l == 0 ? input : hidden_[l - 1], kernel_[l]);
            if (l + 1 < Case::layers) Case::activation == Activation::relu ? hidden_[l].relu_() : hidden_[l].tanh_();
        }
        const float* const result = hidden_.back().template data_ptr<float>();
        std::copy(result, result + Case::rows * Case::outputs, y);
    }

private:
    std::vector<at::Tensor> kernel_, bias_, hidden_;
};

const bool enlisted = enlist_inference<Contestant>("libtorch", Role::peer, InferenceCases{});
const bool described = describe("libtorch",
                                std::string(TORCH_VERSION) + ", InferenceMode, preallocated results, one thread");

}  // namespace contest::with_libtorch
