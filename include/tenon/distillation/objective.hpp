// SPDX-License-Identifier: BSL-1.0
// Objective: a teacher and a sum of weighted terms, in the place of a loss.
#pragma once

#include <tenon/distillation/cache.hpp>
#include <tenon/distillation/feature.hpp>
#include <tenon/distillation/mutual.hpp>
#include <tenon/distillation/recorded.hpp>
#include <tenon/distillation/teacher.hpp>

namespace tenon::inline TENON_ISA::distillation {

namespace detail {

// A term as it was given: with a weight, or without.
template <class Given>
struct TermOf {
    using type = Given;
    static constexpr Weighted<Given> weighted(Given term) { return {1.0, term}; }
};
template <class Term>
struct TermOf<Weighted<Term>> {
    using type = Term;
    static constexpr Weighted<Term> weighted(Weighted<Term> term) { return term; }
};

template <class Teacher, class Student>
struct SameOutput;
template <class Teacher, class Student>
struct SameOutput<TeacherHas<Teacher>, StudentHas<Student>> {
    static constexpr bool value = std::is_same_v<Teacher, Student>;
    static_assert(std::is_same_v<Teacher, Student>, "tenon: teacher and student must have the same output shape.");
};

template <class Teacher, class Student>
struct SameInput;
template <class Teacher, class Student>
struct SameInput<TeacherHas<Teacher>, StudentHas<Student>> {
    static constexpr bool value = std::is_same_v<Teacher, Student>;
    static_assert(std::is_same_v<Teacher, Student>, "tenon: teacher and student must have the same input shape.");
};

template <class Teacher, class Student>
struct SamePrecision {
    static constexpr bool value = std::is_same_v<Teacher, Student>;
    static_assert(std::is_same_v<Teacher, Student>, "tenon: teacher and student must have the same precision.");
};

// The teachers whose inner layers can be seen.
template <class Teacher, class Loss>
struct ShowsFeatures {
    static constexpr bool value = requires { typename Teacher::template layers<Loss>; };
    static_assert(
        requires { typename Teacher::template layers<Loss>; },
        "tenon: terms of features need one Model as the teacher: a Cache or an Ensemble has outputs only.");
};

// A tuple of one type for each term: of those that compare features their learner, of others nothing.
struct NoLearner {
    explicit NoLearner(Seed) {}
    void state(State&, const std::string&) {}
};
template <class Term, class C, class D, class P>
struct LearnerOf {
    using type = NoLearner;
};
template <class Term, class C, class D, class P>
    requires(takes_features<Term>())
struct LearnerOf<Term, C, D, P> {
    using type = typename decltype(choose_learner<Term, shape_at<typename Term::student_tap, C>,
                                                  shape_at<typename Term::teacher_tap, D>, P>())::type;
};

template <class... Sequences>
struct Joined;
template <>
struct Joined<> {
    using type = std::index_sequence<>;
};
template <std::size_t... I>
struct Joined<std::index_sequence<I...>> {
    using type = std::index_sequence<I...>;
};
template <std::size_t... I, std::size_t... J, class... Rest>
struct Joined<std::index_sequence<I...>, std::index_sequence<J...>, Rest...>
    : Joined<std::index_sequence<I..., J...>, Rest...> {};

template <class Term, class C>
constexpr auto student_taps()
{
    if constexpr (takes_features<Term>())
        return std::index_sequence<Place<typename Term::student_tap, C>::value>{};
    else
        return std::index_sequence<>{};
}
template <class Term, class D>
constexpr auto teacher_taps()
{
    if constexpr (takes_features<Term>())
        return std::index_sequence<Place<typename Term::teacher_tap, D>::value>{};
    else
        return std::index_sequence<>{};
}

// f.operator()<I>() for each I of a sequence.
template <std::size_t... I, class F>
void each_of(std::index_sequence<I...>, F&& f)
{
    (f.template operator()<I>(), ...);
}

}  // namespace detail

// Objective{teacher, 0.1 * CrossEntropy{}, 0.9 * SoftTargets{}}: the loss Σ weight · term, of a term that compares with the
// teacher's outputs or features for the same inputs, or of a hard-label loss. Goes to Trainer and to evaluate in the place of a
// loss; evaluate leaves out terms of features, which exist in training only.
// The teacher is a Model, an Ensemble, a Cache or a Recorded, and must outlive the objective; it runs as at inference and is
// never changed. Teacher and student have the same output shape. A final layer that any term absorbs (Softmax for SoftTargets)
// is left out on both sides, for all terms: they see logits.
// What terms learn themselves (adapters) belongs to the trainer: two trainers with one objective share nothing of it. The first
// values are the same each time.
template <class Teacher, class... Terms>
class Objective {
    // Whether teacher and student go together; one mistake at a time.
    template <class Input, class Output, class T>
    static constexpr bool goes_together()
    {
        if constexpr (takes_output<Objective, Output>())
            if constexpr (checked<detail::SamePrecision<typename Teacher::scalar, T>>::value)
                return checked<detail::SameInput<detail::TeacherHas<typename Teacher::input_shape>,
                                                 detail::StudentHas<Input>>>::value;
        return false;
    }

public:
    static_assert(sizeof...(Terms) > 0, "tenon: an Objective needs a term, such as distillation::SoftTargets{}.");

    template <class... Given>
    explicit Objective(Teacher teacher, Given... terms)
        : teacher_{teacher}, terms_{detail::TermOf<Given>::weighted(terms)...}
    {}

    static constexpr bool accepts_logits = true;
    template <class Layer>
    static constexpr bool absorbs = (tenon::absorbs<Terms, Layer>() || ...);
    static constexpr bool takes_labels = (detail::takes_labels<Terms>() || ...);
    static constexpr bool takes_features = (detail::takes_features<Terms>() || ...);

    template <class Output>
    struct takes {
        static constexpr bool value = [] {
            if constexpr (Teacher::valid && !std::is_same_v<Output, InvalidShape>) {
                using Wanted = detail::TeacherHas<typename Teacher::output_shape>;
                if constexpr (checked<detail::SameOutput<Wanted, detail::StudentHas<Output>>>::value)
                    return (takes_output<Terms, Output>() && ...);
            }
            return false;
        }();
    };

    // inputs: (rows, Input), y: (rows, Output), the student's outputs for them; otherwise as every loss. The teacher's
    // rows are shared by the team.
    template <class Input, class Output, class T, class Target>
    double with_inputs(std::size_t rows, const T* inputs, const T* y, const Target* target, T* dy, T scale,
                       const Team& team) const
    {
        if constexpr (goes_together<Input, Output, T>()) {
            detail::Scratch<T> wanted{rows * Output::size};
            const LossRows<T> batch{.rows = rows, .inputs = inputs, .outputs = y, .team = team};
            ask<T>(batch, wanted.data());
            return of_outputs<Output>(batch, static_cast<const T*>(wanted.data()), target, dy, scale, nullptr,
                                      at_the_end);
        } else {
            return 0;
        }
    }

    // What training/loss_state.hpp asks for. C: the student's layers.
    template <class C>
    using taps = typename detail::Joined<decltype(detail::student_taps<Terms, C>())...>::type;

    // Whether all terms find their taps, with one sentence where not.
    template <class C, class P>
    struct fits {
        template <class Term>
        static constexpr bool has_place()
        {
            if constexpr (detail::takes_features<Term>()) {
                if constexpr (checked<detail::ShowsFeatures<Teacher, Objective>>::value)
                    return checked<
                        detail::FeaturePlace<Term, C, typename Teacher::template layers<Objective>, P>>::value;
                else
                    return false;
            } else {
                return true;
            }
        }
        static constexpr bool value = [] {
            if constexpr (goes_together<typename C::input, typename C::output, typename P::scalar>())
                return (has_place<Terms>() && ...);
            return false;
        }();
    };

    template <class C, class P>
    class state;

private:
    // The teacher's outputs; a teacher that knows the rows by their numbers is told them.
    template <class T>
    void ask(const LossRows<T>& batch, T* wanted) const
    {
        if constexpr (requires { teacher_.template outputs_of<Objective>(batch, wanted); })
            teacher_.template outputs_of<Objective>(batch, wanted);
        else
            teacher_.template outputs<Objective>(batch.rows, batch.inputs, wanted, batch.team);
    }

    // Σ of the terms of outputs, and dy. sums: where each term's own is added, or null.
    template <class Output, class T, class Target>
    double of_outputs(const LossRows<T>& batch, const T* wanted, const Target* target, T* dy, T scale, double* sums,
                      std::uint64_t step) const
    {
        const std::size_t rows = batch.rows, count = rows * Output::size;
        constexpr std::size_t writers = (std::size_t{0} + ... + (detail::takes_features<Terms>() ? 0 : 1));
        detail::Scratch<T> memory{writers > 1 ? count : 0};
        T* other = memory.data();
        double total = 0;
        bool first = true;
        std::size_t number = 0;
        const auto add = [&]<class Term>(const Weighted<Term>& each) {
            if constexpr (!detail::takes_features<Term>()) {
                T* own = dy == nullptr || first ? dy : other;
                const double value = each.weight *
                                     of_rows<Output>(term_at(each.term, step), batch, wanted, target, own,
                                                     static_cast<T>(static_cast<double>(scale) * each.weight));
                total += value;
                if (sums != nullptr) sums[number] += value;
                if (dy != nullptr && own == other) kernels::add(count, static_cast<const T*>(other), dy);
                first = false;
            }
            ++number;
        };
        std::apply([&](const auto&... each) { (add(each), ...); }, terms_);
        if (first && dy != nullptr) kernels::fill(count, T(0), dy);
        return total;
    }

    // A term whose options change with the steps, as it is at one of them.
    static constexpr std::uint64_t at_the_end = ~std::uint64_t{0};
    template <class Term>
    static auto term_at(const Term& term, [[maybe_unused]] std::uint64_t step)
    {
        if constexpr (requires { term.at(step); })
            return term.at(step);
        else
            return term;
    }

    // One term, over all rows, or row by row where each has a weight of its own.
    template <class Output, class Term, class T, class Target>
    double of_rows(const Term& term, const LossRows<T>& batch, const T* wanted, const Target* target, T* dy,
                   T scale) const
    {
        const auto of = [&](std::size_t first, std::size_t count, T factor) {
            T* own = dy == nullptr ? nullptr : dy + first * Output::size;
            const T* y = batch.outputs + first * Output::size;
            const Target* wants = target + first * batch.target_stride;
            if constexpr (detail::takes_teacher<Term>())
                return term.template operator()<Output>(count, y, wanted + first * Output::size, wants, own, factor);
            else
                return loss_sum<Output>(term, count, y, wants, own, factor);
        };
        if (batch.weights == nullptr) return of(0, batch.rows, scale);
        if (detail::relates_rows<Term>()) no_weights();
        double total = 0;
        for (std::size_t r = 0; r < batch.rows; ++r)
            total += static_cast<double>(batch.weights[r]) * of(r, 1, scale * static_cast<T>(batch.weights[r]));
        return total;
    }

    [[noreturn]] static void no_weights()
    {
        throw Error(
            "tenon: class_weights and sample_weights: this objective has terms that compare rows with one another, or "
            "features, and no row has a loss of its own there");
    }

    Teacher teacher_;
    std::tuple<Weighted<Terms>...> terms_;
};

// What one trainer keeps of an objective: what the terms learn, the gradients at the student's taps, the terms' sums.
template <class Teacher, class... Terms>
template <class C, class P>
class Objective<Teacher, Terms...>::state {
    using T = typename P::scalar;
    using Output = typename C::output;
    static constexpr std::size_t terms = sizeof...(Terms);

    template <bool Features>
    static constexpr auto teacher_layers()
    {
        if constexpr (Features)
            return std::type_identity<typename Teacher::template layers<Objective>>{};
        else
            return std::type_identity<void>{};
    }
    using D = typename decltype(teacher_layers<takes_features>())::type;
    using StudentTaps = taps<C>;
    using TeacherTaps = typename detail::Joined<decltype(detail::teacher_taps<Terms, D>())...>::type;

public:
    static constexpr bool learns = takes_features;

    state() : learners_{make(std::make_index_sequence<terms>{})} {}

    template <class Target>
    double loss(const Objective& objective, const LossRows<T>& batch, const Target* target, T* dy, T scale)
    {
        seen_ += batch.rows;
        if constexpr (requires { objective.teacher_.follow(); })
            if (batch.first) objective.teacher_.follow();
        const auto finish = [&](const T* wanted) {
            return objective.template of_outputs<Output>(batch, wanted, target, dy, scale, sums_, steps_);
        };
        if constexpr (!takes_features) {
            detail::Scratch<T> wanted{batch.rows * Output::size};
            objective.template ask<T>(batch, wanted.data());
            return finish(wanted.data());
        } else {
            if (batch.weights != nullptr) no_weights();
            reserve(batch.rows);
            T* at = features_.data();
            T* features[D::count] = {};
            detail::each_of(TeacherTaps{}, [&]<std::size_t I>() {
                if (features[I] != nullptr) return;
                features[I] = at;
                at += batch.rows * D::template bound<I>::output::size;
            });
            objective.teacher_.template outputs<Objective, TeacherTaps>(batch.rows, batch.inputs, at, batch.team,
                                                                        features);
            double total = finish(at);
            bool written[C::count] = {};
            std::size_t number = 0;
            const auto add = [&]<class Term>(const Weighted<Term>& each, auto& learner) {
                if constexpr (detail::takes_features<Term>()) {
                    constexpr std::size_t I = detail::Place<typename Term::student_tap, C>::value;
                    constexpr std::size_t J = detail::Place<typename Term::teacher_tap, D>::value;
                    T* own = written[I] ? other_.data() : gradients_[I];
                    const double value = each.weight *
                                         learner.loss(each.term, batch, batch.tapped[I],
                                                      static_cast<const T*>(features[J]), own,
                                                      static_cast<T>(static_cast<double>(scale) * each.weight));
                    total += value;
                    sums_[number] += value;
                    if (written[I])
                        kernels::add(batch.rows * C::template bound<I>::output::size, static_cast<const T*>(own),
                                     gradients_[I]);
                    written[I] = true;
                }
                ++number;
            };
            [&]<std::size_t... K>(std::index_sequence<K...>)
            {
                (add(std::get<K>(objective.terms_), std::get<K>(learners_)), ...);
            }
            (std::make_index_sequence<terms>{});
            return total;
        }
    }

    T* const* gradients() const { return takes_features ? gradients_ : nullptr; }

    template <class Optimizer>
    void update([[maybe_unused]] const Team& team, [[maybe_unused]] const Optimizer& optimizer, std::uint64_t t,
                [[maybe_unused]] double factor)
    {
        steps_ = t;
        std::apply(
            [&](auto&... each) {
                const auto move = [&]<class L>(L& learner) {
                    if constexpr (!std::is_same_v<L, detail::NoLearner>) learner.update(team, optimizer, t, factor);
                };
                (move(each), ...);
            },
            learners_);
    }

    // f(name, value, gradient) for each value that terms learn.
    template <class F>
    void each_learned(F&& f)
    {
        std::size_t number = 0;
        const auto visit = [&]<class L>(L& learner) {
            ++number;
            if constexpr (!std::is_same_v<L, detail::NoLearner>)
                learner.each("term_" + std::to_string(number) + '/', f);
        };
        std::apply([&](auto&... each) { (visit(each), ...); }, learners_);
    }

    void keep(State& to)
    {
        std::size_t number = 0;
        std::apply([&](auto&... each) { (each.state(to, "objective/term_" + std::to_string(++number) + '/'), ...); },
                   learners_);
        std::vector<double> sums(sums_, sums_ + terms);
        sums.push_back(static_cast<double>(seen_));
        to.value("objective/steps", steps_);
        to.list("objective/sums", sums);
        if (sums.size() == terms + 1) {
            for (std::size_t i = 0; i < terms; ++i) sums_[i] = sums[i];
            seen_ = static_cast<std::size_t>(sums[terms]);
        }
    }

    std::vector<LossPart> parts(bool restart)
    {
        std::vector<LossPart> result;
        const auto add = [&](tenon::detail::NamePart name) {
            std::string text{name.data, name.size};
            std::size_t same = 1;
            for (const LossPart& part : result)
                if (part.name.substr(0, part.name.find(' ')) == text) ++same;
            if (same > 1) text += ' ' + std::to_string(same);
            result.push_back({text, sums_[result.size()] / static_cast<double>(seen_ == 0 ? 1 : seen_)});
        };
        (add(tenon::detail::type_identifier<Terms>()), ...);
        if (restart) {
            for (double& sum : sums_) sum = 0;
            seen_ = 0;
        }
        return result;
    }

private:
    using Learners = std::tuple<typename detail::LearnerOf<Terms, C, D, P>::type...>;

    // A seed for each.
    template <std::size_t... I>
    static Learners make(std::index_sequence<I...>)
    {
        return Learners{Seed{0x6164617074 + I}...};
    }

    // Memory for one call: the gradients at the student's taps, the teacher's features and outputs.
    void reserve(std::size_t rows)
    {
        std::size_t own = 0, widest = 0, others = Output::size;
        bool counted[C::count + D::count] = {};
        detail::each_of(StudentTaps{}, [&]<std::size_t I>() {
            constexpr std::size_t size = C::template bound<I>::output::size;
            if (!counted[I]) own += size;
            counted[I] = true;
            if (size > widest) widest = size;
        });
        detail::each_of(TeacherTaps{}, [&]<std::size_t I>() {
            if (!counted[C::count + I]) others += D::template bound<I>::output::size;
            counted[C::count + I] = true;
        });
        if (own_.size() < rows * own) {
            own_ = AlignedBuffer<T>{rows * own};
            other_ = AlignedBuffer<T>{rows * widest};
            features_ = AlignedBuffer<T>{rows * others};
        }
        T* at = own_.data();
        detail::each_of(StudentTaps{}, [&]<std::size_t I>() {
            if (!counted[I]) return;
            counted[I] = false;
            gradients_[I] = at;
            at += rows * C::template bound<I>::output::size;
        });
    }

    Learners learners_;
    double sums_[terms] = {};
    std::size_t seen_ = 0;
    std::uint64_t steps_ = 0;
    T* gradients_[C::count + 1] = {};
    AlignedBuffer<T> own_, other_, features_;
};

template <class Net, class P, class... Given>
Objective(const Model<Net, P>&, Given...) -> Objective<ModelTeacher<Net, P>, typename detail::TermOf<Given>::type...>;
// A cache of a teacher's outputs stands in for the teacher.
template <class Teacher, class... Given>
Objective(const Cache<Teacher>&, Given...)
    -> Objective<CachedTeacher<Teacher>, typename detail::TermOf<Given>::type...>;
template <class Teacher, class D, class... Given>
Objective(const Recorded<Teacher, D>&, Given...)
    -> Objective<RecordedTeacher<Teacher, D>, typename detail::TermOf<Given>::type...>;
template <class Net, class P, class... Given>
Objective(const MovingTeacher<Net, P>&, Given...)
    -> Objective<FollowingTeacher<Net, P>, typename detail::TermOf<Given>::type...>;
template <class... Teachers, class... Given>
Objective(Ensemble<Teachers...>, Given...) -> Objective<Ensemble<Teachers...>, typename detail::TermOf<Given>::type...>;

}  // namespace tenon::inline TENON_ISA::distillation
