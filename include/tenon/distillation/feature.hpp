// SPDX-License-Identifier: BSL-1.0
// What a term of features is: one that compares what lies behind a layer of the student with what lies behind a layer of the
// teacher.
//
// A term of features is a struct with its options and
//     static constexpr bool takes_features = true;
//     using student_tap = …;  using teacher_tap = …;    At<place> or Of<layer>
// and either, where the two are compared value by value, `using adapter = …` (Automatic or Adapter<layers…>) and
//     template <class F, class T>
//     double operator()(std::size_t rows, const T* s, const T* t, T* ds, T scale) const;
//   s, t: (rows, F), the student's features, behind the adapter, and the teacher's;
// or, where shapes may differ,
//     template <class S, class F, class T>
//     double operator()(std::size_t rows, const T* s, const T* t, T* ds, T scale) const;
//   returns Σ over the rows;  ds: overwritten with scale · d(sum)/ds, or null.
// `template <class S, class F> struct takes_shapes` may refuse shapes, as a loss's `takes` does. A term with values of its own to
// learn names a class for them: `template <class S, class F, class P> using learner`, with the members of DirectLearner.
#pragma once

#include <tenon/distillation/learned.hpp>
#include <tenon/distillation/tap.hpp>
#include <tenon/distillation/term.hpp>
#include <tenon/training/loss_state.hpp>

namespace tenon::inline TENON_ISA::distillation {

namespace detail {

// Nothing to learn.
template <class S, class F, class P>
struct DirectLearner {
    using T = typename P::scalar;

    explicit DirectLearner(Seed) {}

    // s: (rows, S), t: (rows, F), ds: (rows, S), overwritten.
    template <class Term>
    double loss(const Term& term, const LossRows<T>& rows, const T* s, const T* t, T* ds, T scale)
    {
        return term.template operator()<S, F>(rows.rows, s, t, ds, scale);
    }
    template <class Optimizer>
    void update(const Team&, const Optimizer&, std::uint64_t, double)
    {}
    void state(State&, const std::string&) {}
    template <class Visit>
    void each(const std::string&, Visit&&)
    {}
};

// A network between the student's features and the term.
template <class Net, class S, class F, class P>
class AdapterLearner {
    using T = typename P::scalar;

public:
    explicit AdapterLearner(Seed seed) : network_{seed} {}

    template <class Term>
    double loss(const Term& term, const LossRows<T>& rows, const T* s, const T* t, T* ds, T scale)
    {
        const T* adapted = network_.forward(rows.rows, s, rows.team);
        const double sum = term.template operator()<F>(rows.rows, adapted, t, network_.output_gradient(), scale);
        network_.backward(rows.rows, s, ds, rows.first);
        return sum;
    }
    template <class Optimizer>
    void update(const Team& team, const Optimizer& optimizer, std::uint64_t t, double factor)
    {
        network_.update(team, optimizer, t, factor);
    }
    void state(State& state, const std::string& name) { network_.state(state, name); }
    template <class Visit>
    void each(const std::string& name, Visit&& visit)
    {
        network_.each(name, visit);
    }

private:
    Learned<Net, P> network_;
};

// Features of one shape, compared as they are.
template <class F, class P>
struct PlainLearner : DirectLearner<F, F, P> {
    using DirectLearner<F, F, P>::DirectLearner;
    using T = typename P::scalar;

    template <class Term>
    double loss(const Term& term, const LossRows<T>& rows, const T* s, const T* t, T* ds, T scale)
    {
        return term.template operator()<F>(rows.rows, s, t, ds, scale);
    }
};

template <class Term, class S, class F, class P>
constexpr auto choose_learner()
{
    if constexpr (requires { typename Term::template learner<S, F, P>; }) {
        return std::type_identity<typename Term::template learner<S, F, P>>{};
    } else if constexpr (requires { typename Term::adapter; }) {
        using Net = typename AdapterFor<typename Term::adapter, S, F>::type;
        if constexpr (std::is_same_v<Net, void>)
            return std::type_identity<PlainLearner<F, P>>{};
        else
            return std::type_identity<AdapterLearner<Net, S, F, P>>{};
    } else {
        return std::type_identity<DirectLearner<S, F, P>>{};
    }
}

// One term's place in two networks; `value` says whether it has one. Asked one after the other: one mistake is one error.
// C, D: the student's and the teacher's layers, up to what the objective takes.
template <class Term, class C, class D, class P>
struct FeaturePlace {
    using student_tap = typename Term::student_tap;
    using teacher_tap = typename Term::teacher_tap;

    static constexpr bool value = [] {
        if constexpr (checked<TapExists<student_tap, StudentHas<typename LayersOf<C>::type>, C>>::value)
            if constexpr (checked<TapExists<teacher_tap, TeacherHas<typename LayersOf<D>::type>, D>>::value) {
                using S = shape_at<student_tap, C>;
                using F = shape_at<teacher_tap, D>;
                constexpr bool fits = [] {
                    if constexpr (requires { typename Term::adapter; })
                        return checked<AdapterFits<typename Term::adapter, StudentGives<S>, TeacherGives<F>>>::value;
                    else
                        return true;
                }();
                if constexpr (fits) {
                    if constexpr (requires { typename Term::template takes_shapes<S, F>; })
                        return checked<typename Term::template takes_shapes<S, F>>::value;
                    else
                        return true;
                }
            }
        return false;
    }();
};

}  // namespace detail

}  // namespace tenon::inline TENON_ISA::distillation
