// SPDX-License-Identifier: BSL-1.0
// Teachers: what an objective asks for outputs. One model, or several as a weighted ensemble; never changed, never copied.
#pragma once

#include <tenon/distillation/term.hpp>
#include <tenon/kernels/elementwise.hpp>
#include <tenon/model/model.hpp>
#include <tenon/parallel/team.hpp>
#include <tenon/passes/inference.hpp>
#include <tenon/training/training_chain.hpp>

#include <array>
#include <cstring>
#include <tuple>

namespace tenon::inline TENON_ISA::distillation {

// A trained model as the teacher: held by reference, run as at inference (no dropout, the running statistics of batch
// normalisation), without a final layer that the objective absorbs.
template <class Net, class P>
class ModelTeacher {
public:
    using scalar = typename P::scalar;
    using input_shape = typename Net::input_shape;
    using output_shape = typename Net::output_shape;
    static constexpr bool valid = Net::valid;

    // NOLINTNEXTLINE(google-explicit-constructor): a model is a teacher
    ModelTeacher(const Model<Net, P>& model) : model_{&model} {}
    ModelTeacher(const Model<Net, P>&&) = delete;  // the objective would outlive it

    // The layers up to what a loss takes.
    template <class Loss>
    using layers = loss_input_chain<Loss, typename Net::chain>;

    // y = teacher(inputs).   inputs: (rows, input_shape), y: (rows, output_shape).   The rows are shared by the team.
    // Taps = std::index_sequence<…>: features[I] becomes what lies behind layer I, (rows, shape there).
    template <class Loss, class Taps = std::index_sequence<>>
    void outputs(std::size_t rows, const scalar* inputs, scalar* y, const Team& team,
                 [[maybe_unused]] scalar* const* features = nullptr) const
    {
        using Written = layers<Loss>;
        using C = rewritten_chain<Purpose::inference, tapped_chain<Written, Taps>>;
        constexpr std::size_t most = 64;  // rows at once, as evaluate
        team.split(rows, least_rows, 1, [&](std::size_t begin, std::size_t end) {
            detail::Scratch<scalar> workspace{chain_workspace<scalar, C, most>()};
            // Blocks of nearly one size: a block of a single row may sum in another order.
            const std::size_t count = end - begin, blocks = (count + most - 1) / most;
            for (std::size_t i = 0; i < blocks; ++i) {
                const std::size_t first = begin + count * i / blocks, last = begin + count * (i + 1) / blocks;
                infer_chain<C, most>(last - first, blocks_of<C>(model_->parameters().data()),
                                     inputs + first * input_shape::size, y + first * output_shape::size,
                                     workspace.data(), [&]<std::size_t I>(const scalar* values) {
                                         constexpr std::size_t size = Written::template bound<I>::output::size;
                                         kernels::copy((last - first) * size, values, features[I] + first * size);
                                     });
            }
        });
    }

    // A hash of the weights.
    std::uint64_t fingerprint() const { return model_->parameters().fingerprint(); }

private:
    const Model<Net, P>* model_;
};

// The weighted mean of several teachers' outputs: Ensemble{a, b}, or Ensemble{a, b}.weights({0.7, 0.3}). Of classifiers the
// mean of the logits, which is the geometric mean of their probabilities (Hinton et al. 2015, section 1).
template <class First, class... Rest>
class Ensemble {
public:
    using scalar = typename First::scalar;
    using input_shape = typename First::input_shape;
    using output_shape = typename First::output_shape;
    static constexpr std::size_t size = 1 + sizeof...(Rest);
    static constexpr bool valid = First::valid && (Rest::valid && ...);
    static_assert(
        (std::is_same_v<scalar, typename Rest::scalar> && ...) &&
            (std::is_same_v<input_shape, typename Rest::input_shape> && ...) &&
            (std::is_same_v<output_shape, typename Rest::output_shape> && ...),
        "tenon: the teachers of an ensemble must have the same input and output shapes, in the same precision.");

    template <class Net, class P, class... Nets, class... Ps>
    explicit Ensemble(const Model<Net, P>& first, const Model<Nets, Ps>&... rest) : teachers_{first, rest...}
    {
        weights_.fill(1.0 / size);
    }

    // As they are, whatever their sum.
    Ensemble weights(const std::array<double, size>& values) const
    {
        Ensemble result = *this;
        result.weights_ = values;
        return result;
    }

    template <class Loss>
    void outputs(std::size_t rows, const scalar* inputs, scalar* y, const Team& team) const
    {
        const std::size_t count = rows * output_shape::size;
        detail::Scratch<scalar> other{count};
        std::apply(
            [&](const First& first, const Rest&... rest) {
                first.template outputs<Loss>(rows, inputs, y, team);
                kernels::scale(count, static_cast<scalar>(weights_[0]), y);
                std::size_t i = 0;
                const auto add = [&](const auto& teacher) {
                    teacher.template outputs<Loss>(rows, inputs, other.data(), team);
                    kernels::axpy(count, static_cast<scalar>(weights_[++i]), other.data(), y);
                };
                (add(rest), ...);
            },
            teachers_);
    }

    std::uint64_t fingerprint() const
    {
        std::uint64_t hash = size;
        std::size_t i = 0;
        const auto add = [&](std::uint64_t own, double weight) {
            std::uint64_t bits = 0;
            std::memcpy(&bits, &weight, sizeof bits);
            hash = mix_bits(hash ^ own) + mix_bits(bits ^ own);
        };
        std::apply([&](const auto&... each) { (add(each.fingerprint(), weights_[i++]), ...); }, teachers_);
        return hash;
    }

private:
    std::tuple<First, Rest...> teachers_;
    std::array<double, size> weights_{};
};
template <class... Nets, class... Ps>
Ensemble(const Model<Nets, Ps>&...) -> Ensemble<ModelTeacher<Nets, Ps>...>;

}  // namespace tenon::inline TENON_ISA::distillation
