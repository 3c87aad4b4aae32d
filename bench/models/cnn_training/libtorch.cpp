// SPDX-License-Identifier: BSL-1.0
// LibTorch: nn::Sequential channels last, autograd, optim::Adam, as its documentation shows them. The main program tunes
// malloc.
#include "training.hpp"

#include <torch/torch.h>

namespace contest::with_libtorch {

class LayoutsRows : public torch::nn::Module {
public:
    // Rows in Keras's order (h, w, c), which channels last makes a view.
    at::Tensor forward(const at::Tensor& x) { return x.permute({0, 2, 3, 1}).reshape({x.size(0), -1}); }
};

template <class Case>
class Contestant {
public:
    Contestant(const Graph& graph, const GraphWeights& weights)
    {
        at::set_num_threads(1);
        const torch::NoGradGuard guard;
        bool flat = false;
        for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
            const Node& node = graph.nodes[n];
            const auto in = static_cast<std::int64_t>(node.in.channels),
                       out = static_cast<std::int64_t>(node.out.channels);
            const at::Tensor kernel = torch::from_blob(const_cast<float*>(weights.kernel[n].data()),
                                                       {static_cast<std::int64_t>(weights.kernel[n].size())});
            const at::Tensor bias = torch::from_blob(const_cast<float*>(weights.bias[n].data()),
                                                     {static_cast<std::int64_t>(weights.bias[n].size())});
            if (node.kind == Kind::max_pool) {
                net_->push_back(torch::nn::MaxPool2d(torch::nn::MaxPool2dOptions(2)));
                continue;
            }
            if (node.kind == Kind::conv) {
                torch::nn::Conv2d conv(torch::nn::Conv2dOptions(in, out, 3));
                conv->weight.copy_(kernel.reshape({3, 3, in, out}).permute({3, 2, 0, 1}));
                conv->weight.set_data(conv->weight.contiguous(at::MemoryFormat::ChannelsLast));
                conv->bias.copy_(bias);
                net_->push_back(conv);
            } else {
                if (!flat) net_->push_back(LayoutsRows());
                flat = true;
                const auto inputs = static_cast<std::int64_t>(node.in.size());
                torch::nn::Linear linear(inputs, out);
                linear->weight.copy_(kernel.reshape({inputs, out}).t());
                linear->bias.copy_(bias);
                net_->push_back(linear);
            }
            if (node.relu) net_->push_back(torch::nn::ReLU(torch::nn::ReLUOptions(true)));
        }
        optimizer_ = std::make_unique<torch::optim::Adam>(
            net_->parameters(), torch::optim::AdamOptions(AdamOptions::learning_rate).eps(AdamOptions::epsilon));
    }

    double step(const float* x, const std::int32_t* labels)
    {
        constexpr auto rows = static_cast<std::int64_t>(Case::rows);
        const at::Tensor input = torch::from_blob(const_cast<float*>(x), {rows, 28, 28, 1}).permute({0, 3, 1, 2});
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
const bool described = describe(
    "libtorch", std::string(TORCH_VERSION) + ", channels last, one thread, glibc malloc keeps freed blocks");

}  // namespace contest::with_libtorch
