// SPDX-License-Identifier: BSL-1.0
// Teachers that learn: networks that teach one another, and a student's own moving average.
#pragma once

#include <tenon/core/error.hpp>
#include <tenon/data/dataset.hpp>
#include <tenon/distillation/teacher.hpp>

#include <functional>
#include <numeric>
#include <span>
#include <vector>

namespace tenon::inline TENON_ISA::distillation {

// How fit_together runs; as in FitOptions.
struct TogetherOptions {
    int epochs = 1;
    int batch_size = 32;
    std::function<double(std::uint64_t)> schedule = {};
    bool shuffle = true;
    Seed seed{0x5eed};
};

// Deep mutual learning (Zhang et al. 2018, algorithm 1): trainers whose objectives have one another's models as teachers take turns
// at each batch, each step seeing what the others have learned from it:
//     Trainer first{a, Objective{b, CrossEntropy{}, SoftTargets{.temperature = 1}}, Adam{}};
//     Trainer second{b, Objective{a, CrossEntropy{}, SoftTargets{.temperature = 1}}, Adam{}};
//     fit_together(dataset.train, {.epochs = 5}, first, second);
// For more than two, an Ensemble of the others each. Returns each trainer's mean loss, epoch by epoch. On one thread.
template <data::Dataset D, class... Trainers>
std::vector<std::vector<double>> fit_together(const D& dataset, const TogetherOptions& options, Trainers&... trainers)
{
    if (dataset.size() == 0) throw Error("tenon: fit_together: the dataset is empty");
    if (options.batch_size < 1)
        throw Error(sentence("tenon: fit_together: batch_size is ", options.batch_size, ", expected 1 or more"));
    const std::size_t batch = static_cast<std::size_t>(options.batch_size) < dataset.size()
                                  ? static_cast<std::size_t>(options.batch_size)
                                  : dataset.size();
    std::vector<float> inputs(batch * D::input_shape::size);
    std::vector<typename D::target_type> targets(batch * D::target_size);
    std::vector<std::uint32_t> order(dataset.size());
    std::vector<std::vector<double>> losses;
    std::uint64_t step = 0;
    for (int epoch = 0; epoch < options.epochs; ++epoch) {
        std::iota(order.begin(), order.end(), std::uint32_t{0});
        if (options.shuffle)
            Random{options.seed, static_cast<std::uint64_t>(epoch) + 1}.shuffle(order.data(), order.size());
        std::vector<double> sums(sizeof...(Trainers));
        for (std::size_t first = 0; first < order.size(); first += batch, ++step) {
            const std::size_t rows = order.size() - first < batch ? order.size() - first : batch;
            dataset.gather(std::span<const std::uint32_t>(order.data() + first, rows), inputs.data(), targets.data());
            const double factor = options.schedule ? options.schedule(step) : 1.0;
            std::size_t i = 0;
            ((sums[i++] += static_cast<double>(rows) *
                           trainers.step(rows, static_cast<const float*>(inputs.data()),
                                         static_cast<const typename D::target_type*>(targets.data()), nullptr, factor)),
             ...);
        }
        for (double& sum : sums) sum /= static_cast<double>(dataset.size());
        losses.push_back(sums);
    }
    return losses;
}

// A student's moving average as its teacher (Tarvainen & Valpola 2017): θ' ← α θ' + (1 - α) θ after each step, with
// α = min(decay, 1 - 1 / (t + 1)) at step t, so that the average forgets the first weights. Running statistics are the student's.
//     const MovingTeacher average{student};
//     Trainer{student, Objective{average, CrossEntropy{}, SoftTargets{}}, Adam{}}.fit(…);
// It follows while an objective with it trains, must outlive that, and is read by average.model(). For one training at a time.
template <class Net, class P>
class MovingTeacher {
public:
    using scalar = typename P::scalar;
    using input_shape = typename Net::input_shape;
    using output_shape = typename Net::output_shape;
    static constexpr bool valid = Net::valid;

    explicit MovingTeacher(const Model<Net, P>& student, double decay = 0.999)
        : student_{&student}, decay_{decay}, average_{student}
    {
        if (!(decay >= 0 && decay < 1))
            throw Error(sentence("tenon: MovingTeacher: decay is ", decay, ", expected 0 or more and less than 1"));
    }
    MovingTeacher(const MovingTeacher&) = delete;
    MovingTeacher& operator=(const MovingTeacher&) = delete;

    const Model<Net, P>& model() const { return average_; }

    // What the student has become by its last step is taken in. Called by the objective before each step.
    void follow() const
    {
        const double warm = 1 - 1 / static_cast<double>(++steps_);
        const auto keep = static_cast<scalar>(warm < decay_ ? warm : decay_);
        constexpr std::size_t learned = Parameters<Net, P>::learned, all = Parameters<Net, P>::storage;
        const scalar* from = student_->parameters().data();
        scalar* to = average_.parameters().data();
        kernels::combine(learned, from, static_cast<const scalar*>(to), to,
                         [keep]<class V>(V own, V old) TENON_LAMBDA_INLINE { return fma(V(keep), old - own, own); });
        kernels::copy(all - learned, from + learned, to + learned);
    }

private:
    const Model<Net, P>* student_;
    double decay_;
    mutable Model<Net, P> average_;
    mutable std::uint64_t steps_ = 0;
};

// A moving average as an objective holds it.
template <class Net, class P>
class FollowingTeacher : public ModelTeacher<Net, P> {
public:
    // NOLINTNEXTLINE(google-explicit-constructor): a moving average is a teacher
    FollowingTeacher(const MovingTeacher<Net, P>& average) : ModelTeacher<Net, P>{average.model()}, average_{&average}
    {}
    FollowingTeacher(const MovingTeacher<Net, P>&&) = delete;

    void follow() const { average_->follow(); }

private:
    const MovingTeacher<Net, P>* average_;
};

}  // namespace tenon::inline TENON_ISA::distillation
