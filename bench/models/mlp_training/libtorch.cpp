// SPDX-License-Identifier: BSL-1.0
// LibTorch: nn::Sequential, autograd, optim::Adam, as its documentation shows them. The main program tunes malloc.
#include "training.hpp"

#include <torch/torch.h>

namespace contest::with_libtorch {

template <class Case>
class Contestant {
public:
    explicit Contestant(const Weights& weights)
    {
        at::set_num_threads(1);
        const torch::NoGradGuard guard;
        for (std::size_t l = 0; l < Case::layers; ++l) {
            const auto in = static_cast<std::int64_t>(Case::widths[l]),
                       out = static_cast<std::int64_t>(Case::widths[l + 1]);
            torch::nn::Linear linear(in, out);
            linear->weight.copy_(torch::from_blob(const_cast<float*>(weights.kernel[l].data()), {in, out}).t());
            linear->bias.copy_(torch::from_blob(const_cast<float*>(weights.bias[l].data()), {out}));
            net_->push_back(linear);
            if (l + 1 < Case::layers) net_->push_back(torch::nn::ReLU(torch::nn::ReLUOptions(true)));
        }
        optimizer_ = std::make_unique<torch::optim::Adam>(
            net_->parameters(), torch::optim::AdamOptions(AdamOptions::learning_rate).eps(AdamOptions::epsilon));
    }

    double step(const float* x, const std::int32_t* labels)
    {
        constexpr auto rows = static_cast<std::int64_t>(Case::rows);
        const at::Tensor input = torch::from_blob(const_cast<float*>(x),
                                                  {rows, static_cast<std::int64_t>(Case::inputs)});
        const at::Tensor target =
            torch::from_blob(const_cast<std::int32_t*>(labels), {rows}, torch::kInt).to(torch::kLong);
        // Dropping the gradients is faster than zero_grad(), which keeps and clears them.
        for (at::Tensor& parameter : optimizer_->param_groups().front().params()) parameter.mutable_grad().reset();
        const at::Tensor loss = torch::cross_entropy_loss(net_->forward(input), target);
        loss.backward();
        optimizer_->step();
        return static_cast<double>(loss.item<float>());
    }

private:
    torch::nn::Sequential net_;
    std::unique_ptr<torch::optim::Adam> optimizer_;
};

const bool enlisted = enlist_training<Contestant>("libtorch", Role::peer, TrainingCases{});
const bool described = describe("libtorch",
                                std::string(TORCH_VERSION) + ", one thread, glibc malloc keeps freed blocks");

}  // namespace contest::with_libtorch
