// SPDX-License-Identifier: BSL-1.0
// LibTorch: nn::Sequential, autograd, optim::Adam, kl_div of softened outputs, the teacher without gradients. The main program
// tunes malloc.
#include "distillation.hpp"

#include <torch/torch.h>

namespace contest::with_libtorch {

template <class Case>
torch::nn::Sequential network(const Weights& weights)
{
    const torch::NoGradGuard guard;
    torch::nn::Sequential net;
    for (std::size_t l = 0; l < Case::layers; ++l) {
        const auto in = static_cast<std::int64_t>(Case::widths[l]),
                   out = static_cast<std::int64_t>(Case::widths[l + 1]);
        torch::nn::Linear linear(in, out);
        linear->weight.copy_(torch::from_blob(const_cast<float*>(weights.kernel[l].data()), {in, out}).t());
        linear->bias.copy_(torch::from_blob(const_cast<float*>(weights.bias[l].data()), {out}));
        net->push_back(linear);
        if (l + 1 < Case::layers) net->push_back(torch::nn::ReLU(torch::nn::ReLUOptions(true)));
    }
    return net;
}

template <class Problem>
class Contestant {
public:
    explicit Contestant(const Problem& problem)
        : problem_(problem),
          student_(network<typename Problem::Student>(problem.student)),
          teacher_(network<typename Problem::Teacher>(problem.teacher)),
          optimizer_(student_->parameters(), torch::optim::AdamOptions(Problem::learning_rate).eps(Problem::epsilon))
    {
        at::set_num_threads(1);
    }

    double epoch()
    {
        constexpr auto rows = static_cast<std::int64_t>(Problem::rows);
        double total = 0;
        for (std::size_t batch = 0; batch < Problem::batches; ++batch) {
            const at::Tensor input = torch::from_blob(
                const_cast<float*>(problem_.x.data() + batch * Problem::rows * Problem::inputs),
                {rows, static_cast<std::int64_t>(Problem::inputs)});
            const at::Tensor target = torch::from_blob(
                                          const_cast<std::int32_t*>(problem_.labels.data() + batch * Problem::rows),
                                          {rows}, torch::kInt)
                                          .to(torch::kLong);
            for (at::Tensor& parameter : optimizer_.param_groups().front().params()) parameter.mutable_grad().reset();
            at::Tensor wanted;
            {
                const torch::NoGradGuard guard;
                wanted = torch::softmax(teacher_->forward(input) / Problem::temperature, 1);
            }
            const at::Tensor logits = student_->forward(input);
            const at::Tensor soft = torch::kl_div(torch::log_softmax(logits / Problem::temperature, 1), wanted,
                                                  at::Reduction::Sum);
            const at::Tensor loss = Problem::hard * torch::cross_entropy_loss(logits, target) +
                                    Problem::soft * Problem::temperature * Problem::temperature / Problem::rows * soft;
            loss.backward();
            optimizer_.step();
            total += static_cast<double>(loss.template item<float>());
        }
        return total / Problem::batches;
    }

private:
    const Problem& problem_;
    torch::nn::Sequential student_, teacher_;
    torch::optim::Adam optimizer_;
};

const bool enlisted = enlist_distillation<Contestant, 24, 128>("libtorch", Role::peer, Checked::taught);
const bool described = describe("libtorch",
                                std::string(TORCH_VERSION) + ", one thread, glibc malloc keeps freed blocks");

}  // namespace contest::with_libtorch
