// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/distillation/feature.hpp>
#include <tenon/layers/activation.hpp>

#include <cmath>
#include <vector>

namespace tenon::inline TENON_ISA::distillation {

template <class StudentTap, class TeacherTap, class Adapt = Automatic>
struct Variational;

namespace detail {

// Three layers with a kernel of 1, as wide as the teacher's features, with ReLU between, as the authors' μ.
template <class A, class S, class F>
struct MeanNetwork : AdapterFor<A, S, F> {};
template <class S, class F>
struct MeanNetwork<Automatic, S, F> {
    using linear = AdapterFor<Automatic, S, F>;
    static constexpr auto chosen = [] {
        using In = typename InputOf<S>::type;
        constexpr std::size_t C = F::last;
        if constexpr (!linear::same_places)
            return std::type_identity<NoAdapter>{};
        else if constexpr (S::rank == 1)
            return std::type_identity<Network<In, Dense<C, NoBias>, ReLU, Dense<C, NoBias>, ReLU, Dense<C, NoBias>>>{};
        else if constexpr (S::rank == 2)
            return std::type_identity<Network<In, Conv1D<C, Kernel<1>, NoBias>, ReLU, Conv1D<C, Kernel<1>, NoBias>,
                                              ReLU, Conv1D<C, Kernel<1>, NoBias>>>{};
        else if constexpr (S::rank == 3)
            return std::type_identity<Network<In, Conv2D<C, Kernel<1>, NoBias>, ReLU, Conv2D<C, Kernel<1>, NoBias>,
                                              ReLU, Conv2D<C, Kernel<1>, NoBias>>>{};
        else
            return std::type_identity<NoAdapter>{};
    }();
    using type = typename std::remove_const_t<decltype(chosen)>::type;
};

// μ, and a_c of each channel.
template <class Net, class S, class F, class P>
class VariationalLearner {
    using T = typename P::scalar;
    static constexpr std::size_t C = F::last;

public:
    explicit VariationalLearner(Seed seed) : mean_{seed}, a_{T(0)} {}

    template <class Term>
    double loss(const Term& term, const LossRows<T>& rows, const T* s, const T* t, T* ds, T scale)
    {
        if (!started_) {
            const T first = static_cast<T>(std::log(std::expm1(term.initial_variance - term.epsilon)));
            for (std::size_t c = 0; c < C; ++c) a_.data()[c] = first;
            started_ = true;
        }
        std::vector<double> inverse(C), slope(C);
        double constant = 0;
        for (std::size_t c = 0; c < C; ++c) {
            const double a = static_cast<double>(a_.data()[c]);
            const double variance = (a > 30 ? a : std::log1p(std::exp(a))) + term.epsilon;
            inverse[c] = 1 / variance;
            constant += std::log(variance);
        }
        const T* mean = mean_.forward(rows.rows, s, rows.team);
        T* dmean = mean_.output_gradient();
        double total = 0;
        const double factor = static_cast<double>(scale) / static_cast<double>(F::size);
        for (std::size_t i = 0; i < rows.rows * F::size; i += C)
            for (std::size_t c = 0; c < C; ++c) {
                const double e = static_cast<double>(mean[i + c]) - static_cast<double>(t[i + c]);
                const double squared = e * e * inverse[c];
                total += squared;
                slope[c] += 0.5 * (inverse[c] - squared * inverse[c]);
                dmean[i + c] = static_cast<T>(factor * e * inverse[c]);
            }
        mean_.backward(rows.rows, s, ds, rows.first);
        T* da = a_.gradients();
        for (std::size_t c = 0; c < C; ++c) {
            const double steep = 1 / (1 + std::exp(-static_cast<double>(a_.data()[c])));
            const T own = static_cast<T>(factor * slope[c] * steep);
            da[c] = rows.first ? own : da[c] + own;
        }
        const auto count = static_cast<double>(rows.rows);
        return 0.5 * (total / static_cast<double>(F::size) + count * constant / static_cast<double>(C));
    }
    template <class Optimizer>
    void update(const Team& team, const Optimizer& optimizer, std::uint64_t t, double factor)
    {
        mean_.update(team, optimizer, t, factor);
        a_.update(team, optimizer, t, factor);
    }
    void state(State& state, const std::string& name)
    {
        mean_.state(state, name + "mean/");
        a_.state(state, name + "variance/");
        state.value(name + "started", started_);
    }
    template <class Visit>
    void each(const std::string& name, Visit&& visit)
    {
        mean_.each(name + "mean/", visit);
        a_.each(name + "variance/", visit);
    }
    auto& mean_network() { return mean_.parameters(); }

private:
    Learned<Net, P> mean_;
    LearnedValues<C, T> a_;
    bool started_ = false;
};

}  // namespace detail

// Variational information distillation (Ahn et al. 2019, equations 4 to 6): the student's features should predict the teacher's
// as the mean of a Gaussian, with a variance for each channel c. Per row, over the n values of the teacher's features:
//   1/n Σ ½ [(μ(f_s) - f_t)² / σ_c² + log σ_c²];   σ_c² = log(1 + exp a_c) + epsilon
//   gradient at μ: (μ - f_t) / (n σ²);   at a_c: Σ ½ [1/σ² - (μ - f_t)² / σ⁴] / n · sigmoid(a_c)
// μ: three layers with a kernel of 1 and as many channels as the teacher's features have, ReLU between them, or what Adapter
// names. μ and a learn along (in mdistiller a is no parameter of the optimiser and stays at its first value). Usual weight: 1.
template <class StudentTap, class TeacherTap, class Adapt>
struct Variational {
    double initial_variance = 5;
    double epsilon = 1e-5;

    static constexpr bool takes_features = true;
    using student_tap = StudentTap;
    using teacher_tap = TeacherTap;
    using adapter = Adapt;

    template <class S, class F, class P>
    using learner = detail::VariationalLearner<typename detail::MeanNetwork<Adapt, S, F>::type, S, F, P>;
};

}  // namespace tenon::inline TENON_ISA::distillation
