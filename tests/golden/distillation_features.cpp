// SPDX-License-Identifier: BSL-1.0
// Every term of features, its value and gradient, against PyTorch: small and large features, one row, and what terms learn.
#include "data/distillation_features.hpp"
#include "sequence.hpp"

#include <tenon/distillation.hpp>
#include <tenon/optimizers/sgd.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace tenon;
using namespace tenon::distillation;
namespace expected = golden::distillation_features;

namespace {

// The largest difference relative to the largest of the expected.
template <class T>
void near(const T* found, const double* wanted, std::size_t count, double tolerance)
{
    double worst = 0, largest = 1e-6;
    for (std::size_t i = 0; i < count; ++i) {
        largest = std::max(largest, std::abs(wanted[i]));
        worst = std::max(worst, std::abs(static_cast<double>(found[i]) - wanted[i]));
    }
    CHECK(worst <= tolerance * largest);
}

template <class T, class S, class F, class Term>
double run(const Term& term, std::size_t rows, const T* s, const T* t, T* ds, T scale)
{
    if constexpr (requires { typename Term::adapter; })
        return term.template operator()<S>(rows, s, t, ds, scale);
    else
        return term.template operator()<S, F>(rows, s, t, ds, scale);
}

template <class T, class S, class F, std::uint64_t First, class Term>
void compare(const Term& term, double size, std::size_t rows, double value, const double* gradient, double tolerance)
{
    const std::vector<T> s = golden::draws<T>(First, rows * S::size, size),
                         t = golden::draws<T>(First + 1, rows * F::size, size);
    std::vector<T> ds(rows * S::size, T(7)), half(rows * S::size, T(7));
    const double own = run<T, S, F>(term, rows, s.data(), t.data(), ds.data(), T(1));
    CHECK(std::abs(own - value) <= tolerance * std::max(1e-3, std::abs(value)));
    near(ds.data(), gradient, ds.size(), tolerance);
    CHECK(run<T, S, F>(term, rows, s.data(), t.data(), static_cast<T*>(nullptr), T(1)) == own);
    run<T, S, F>(term, rows, s.data(), t.data(), half.data(), T(0.5));
    for (std::size_t i = 0; i < ds.size(); ++i)
        CHECK(std::abs(static_cast<double>(half[i]) - 0.5 * static_cast<double>(ds[i])) <=
              tolerance * (1e-6 + std::abs(static_cast<double>(ds[i]))));
    // A student with the teacher's features has nothing to learn.
    if constexpr (std::is_same_v<S, F>) {
        CHECK(std::abs(run<T, S, F>(term, rows, s.data(), s.data(), ds.data(), T(1))) <= 1e-9);
        for (const T g : ds) CHECK(g == T(0));
    }
}

template <class S, class F, std::uint64_t First, class Term, std::size_t N>
void check(const char* name, const Term& term, double size, const double (&value)[1], const double (&gradient)[N])
{
    CAPTURE(name);
    CAPTURE(size);
    compare<double, S, F, First>(term, size, N / S::size, value[0], gradient, 1e-9);
    compare<float, S, F, First>(term, size, N / S::size, value[0], gradient, 1e-5);
}

}  // namespace

#define CHECK_VECTORS(name, width, ...)                                                                             \
    check<Shape<10>, Shape<width>, 60>(#name, __VA_ARGS__, 1.0, expected::name##_value, expected::name##_gradient); \
    check<Shape<10>, Shape<width>, 60>(#name, __VA_ARGS__, 100.0, expected::name##_100_value,                       \
                                       expected::name##_100_gradient);                                              \
    check<Shape<10>, Shape<width>, 60>(#name, __VA_ARGS__, 1.0, expected::name##_row_value,                         \
                                       expected::name##_row_gradient)
#define CHECK_MAPS(name, shape, ...)                                                                              \
    check<Shape<6, 6, 4>, shape, 62>(#name, __VA_ARGS__, 1.0, expected::name##_value, expected::name##_gradient); \
    check<Shape<6, 6, 4>, shape, 62>(#name, __VA_ARGS__, 1.0, expected::name##_row_value, expected::name##_row_gradient)

using A = At<0>;
using Small = Shape<4, 4, 5>;
using Uneven = Shape<9, 5, 3>;
using SameSize = Shape<6, 6, 3>;

TEST_CASE("terms that compare value by value follow the formulas")
{
    CHECK_VECTORS(hint, 10, Hint<A, A>{});
    CHECK_VECTORS(congruence, 10, CorrelationCongruence<A, A>{});
    CHECK_VECTORS(factor, 10, FactorTransfer<A, A>{});
}

TEST_CASE("terms that relate the rows of a batch follow the formulas")
{
    CHECK_VECTORS(relational, 14, Relational<A, A>{});
    CHECK_VECTORS(distances, 14, Relational<A, A>{.distance = 1, .angle = 0});
    CHECK_VECTORS(angles, 14, Relational<A, A>{.distance = 0, .angle = 1});
    CHECK_VECTORS(similarity, 14, SimilarityPreserving<A, A>{});
    CHECK_VECTORS(probabilistic, 14, ProbabilisticTransfer<A, A>{});
}

TEST_CASE("terms of maps follow the formulas")
{
    CHECK_MAPS(attention, Small, AttentionTransfer<A, A>{});
    CHECK_MAPS(attention_paper, Small, AttentionTransfer<A, A>{.form = Form::paper});
    CHECK_MAPS(attention_1, Small, AttentionTransfer<A, A>{.power = 1});
    CHECK_MAPS(attention_uneven, Uneven, AttentionTransfer<A, A>{});
    CHECK_MAPS(selectivity, Small, NeuronSelectivity<A, A>{});
    CHECK_MAPS(selectivity_same, SameSize, NeuronSelectivity<A, A>{});
}

TEST_CASE("nothing to learn from oneself")
{
    const std::vector<double> f = golden::draws<double>(60, 6 * 36 * 4);
    std::vector<double> df(f.size());
    const auto nothing = [&]<class S, class Term>(std::type_identity<S>, const Term& term, double most = 1e-15) {
        CHECK(std::abs(run<double, S, S>(term, 6, f.data(), f.data(), df.data(), 1.0)) < 1e-12);
        for (std::size_t i = 0; i < 6 * S::size; ++i) CHECK(std::abs(df[i]) <= most);
    };
    const std::type_identity<Shape<10>> vector;
    const std::type_identity<Shape<6, 6, 4>> map;
    nothing(vector, Relational<A, A>{});
    nothing(vector, SimilarityPreserving<A, A>{});
    nothing(map, AttentionTransfer<A, A>{});
    nothing(map, AttentionTransfer<A, A>{.form = Form::paper});
    nothing(map, NeuronSelectivity<A, A>{});
    nothing(vector, ProbabilisticTransfer<A, A>{}, 1e-7);  // p / (p + ε) is not quite 1
}

TEST_CASE("rows that coincide and rows of zeros give finite gradients")
{
    std::vector<double> f = golden::draws<double>(60, 5 * 36 * 4), t = golden::draws<double>(61, 5 * 36 * 4);
    std::vector<double> df(f.size());
    const auto finite = [&]<class S, class Term>(std::type_identity<S>, const Term& term) {
        for (std::size_t i = 0; i < S::size; ++i) f[S::size + i] = f[i], f[2 * S::size + i] = 0, t[i] = 0;
        CHECK(std::isfinite(run<double, S, S>(term, 5, f.data(), t.data(), df.data(), 1.0)));
        for (std::size_t i = 0; i < 5 * S::size; ++i) CHECK(std::isfinite(df[i]));
    };
    const std::type_identity<Shape<10>> vector;
    const std::type_identity<Shape<6, 6, 4>> map;
    finite(vector, Relational<A, A>{});
    finite(vector, SimilarityPreserving<A, A>{});
    finite(vector, ProbabilisticTransfer<A, A>{});
    finite(vector, FactorTransfer<A, A>{});
    finite(map, AttentionTransfer<A, A>{});
    finite(map, NeuronSelectivity<A, A>{});
}

TEST_CASE("angles are taken among the first rows only")
{
    const std::vector<double> s = golden::draws<double>(60, 60), t = golden::draws<double>(61, 60);
    std::vector<double> all(60), first(60);
    const Relational<A, A> capped{.distance = 0, .angle = 1, .most_rows = 4}, whole{.distance = 0, .angle = 1};
    const double value = run<double, Shape<10>, Shape<10>>(capped, 6, s.data(), t.data(), all.data(), 1.0);
    CHECK(value ==
          doctest::Approx(1.5 * run<double, Shape<10>, Shape<10>>(whole, 4, s.data(), t.data(), first.data(), 1.0)));
    for (std::size_t i = 0; i < 60; ++i) CHECK(all[i] == doctest::Approx(1.5 * first[i]));
}

// What learners are given: a Dense layer's kernel in the place of their own first values.
template <class T, class Parameters>
void set_kernel(Parameters& parameters, std::uint64_t stream)
{
    const SlotInfo& slot = *parameters.slots().begin();
    const std::vector<T> values = golden::draws<T>(stream, slot.size);
    for (std::size_t i = 0; i < slot.size; ++i) parameters.logical(slot, i) = values[i];
}

template <class P>
void check_variational(double tolerance)
{
    using T = typename P::scalar;
    using Term = Variational<A, A, Adapter<Dense<14, NoBias>>>;
    typename Term::template learner<Shape<10>, Shape<14>, P> learner{Seed{1}};
    set_kernel<T>(learner.mean_network(), 64);
    const std::vector<T> s = golden::draws<T>(60, 60), t = golden::draws<T>(61, 84);
    std::vector<T> ds(60);
    const LossRows<T> rows{.rows = 6, .inputs = nullptr, .outputs = nullptr};
    const double value = learner.loss(Term{}, rows, s.data(), t.data(), ds.data(), T(1));
    CHECK(std::abs(value - expected::variational_value[0]) <= tolerance * std::abs(value));
    near(ds.data(), expected::variational_gradient, 60, tolerance);
    std::vector<T> kernel, a;
    learner.each("", [&](const std::string& name, T&, T gradient) {
        (name.find("kernel") != std::string::npos ? kernel : a).push_back(gradient);
    });
    REQUIRE(kernel.size() == 140);
    REQUIRE(a.size() == 14);
    near(kernel.data(), expected::variational_kernel, 140, tolerance);
    near(a.data(), expected::variational_a, 14, tolerance);
}

template <class P>
void check_contrastive(double tolerance)
{
    using T = typename P::scalar;
    using Term = Contrastive<A, A, 8>;
    typename Term::template learner<Shape<10>, Shape<14>, P> learner{Seed{1}};
    set_kernel<T>(learner.student_network(), 64);
    set_kernel<T>(learner.teacher_network(), 65);
    const std::vector<T> s = golden::draws<T>(60, 60), t = golden::draws<T>(61, 84);
    std::vector<T> ds(60);
    const LossRows<T> rows{.rows = 6, .inputs = nullptr, .outputs = nullptr};
    const double value = learner.loss(Term{}, rows, s.data(), t.data(), ds.data(), T(1));
    CHECK(std::abs(value - expected::contrastive_value[0]) <= tolerance * std::abs(value));
    near(ds.data(), expected::contrastive_gradient, 60, tolerance);
    std::vector<T> own, other;
    learner.each("", [&](const std::string& name, T&, T gradient) {
        if (name.find("kernel") != std::string::npos)
            (name.find("student") != std::string::npos ? own : other).push_back(gradient);
    });
    near(own.data(), expected::contrastive_student, 80, tolerance);
    near(other.data(), expected::contrastive_teacher, 112, tolerance);
}

template <class P>
void check_contrastive_bank(double tolerance)
{
    using T = typename P::scalar;
    using Term = ContrastiveBank<A, A, 8>;
    const Term term{.rows = 9, .negatives = 5};
    CHECK(term.bank_bytes<P>() == 2 * 9 * 8 * sizeof(T));
    typename Term::template learner<Shape<10>, Shape<14>, P> learner{Seed{1}};
    set_kernel<T>(learner.student_network(), 64);
    set_kernel<T>(learner.teacher_network(), 65);
    const std::vector<T> s = golden::draws<T>(60, 60), t = golden::draws<T>(61, 84), other = golden::draws<T>(67, 60);
    const std::uint32_t numbers[] = {4, 0, 7, 2, 8, 5};
    std::vector<std::uint32_t> drawn;
    for (const std::uint32_t number : numbers)
        for (std::uint32_t k = 1; k <= 5; ++k) drawn.push_back((number + k) % 9);
    learner.reserve(term, 6);
    std::vector<T> bank = golden::draws<T>(66, 2 * 9 * 8);
    for (std::size_t i = 0; i < bank.size(); i += 8) {
        double squares = 0;
        for (std::size_t c = 0; c < 8; ++c)
            squares += static_cast<double>(bank[i + c]) * static_cast<double>(bank[i + c]);
        for (std::size_t c = 0; c < 8; ++c)
            learner.bank_of_student()[i + c] = static_cast<T>(static_cast<double>(bank[i + c]) / std::sqrt(squares));
    }
    const LossRows<T> rows{.rows = 6, .inputs = nullptr, .outputs = nullptr, .numbers = numbers};
    std::vector<T> ds(60);
    // Twice the same, the second time for half the gradient.
    const double value = learner.contrast(term, rows, drawn.data(), s.data(), t.data(), ds.data(), T(1));
    CHECK(learner.contrast(term, rows, drawn.data(), s.data(), t.data(), ds.data(), T(0.5)) == value);
    CHECK(std::abs(value - expected::contrastive_bank_value[0]) <= tolerance * std::abs(value));
    for (T& each : ds) each *= T(2);
    near(ds.data(), expected::contrastive_bank_gradient, 60, tolerance);
    std::vector<T> own, of_teacher;
    learner.each("", [&](const std::string& name, T&, T gradient) {
        if (name.find("kernel") != std::string::npos)
            (name.find("student") != std::string::npos ? own : of_teacher).push_back(T(2) * gradient);
    });
    near(own.data(), expected::contrastive_bank_student, 80, tolerance);
    near(of_teacher.data(), expected::contrastive_bank_teacher, 112, tolerance);

    learner.update(Team{}, SGD{}, 1, 0);
    near(learner.bank_of_student(), expected::contrastive_bank_after, bank.size(), tolerance);
    const double next = learner.contrast(term, rows, drawn.data(), other.data(), t.data(), ds.data(), T(1));
    CHECK(std::abs(next - expected::contrastive_bank_next_value[0]) <= tolerance * std::abs(next));
}

TEST_CASE("terms that learn follow the formulas, in what they learn too")
{
    check_variational<Float64>(1e-9);
    check_variational<Float32>(1e-5);
    check_contrastive<Float64>(1e-9);
    check_contrastive<Float32>(1e-5);
    check_contrastive_bank<Float64>(1e-9);
    check_contrastive_bank<Float32>(1e-5);
}
