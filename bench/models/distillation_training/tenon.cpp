// SPDX-License-Identifier: BSL-1.0
// tenon: Trainer::fit on the dataset, with the teacher alive, recorded, or without one.
#include "../mlp_tenon.hpp"
#include "distillation.hpp"

#include <tenon/distillation.hpp>
#include <tenon/tenon.hpp>

namespace contest::with_tenon {

template <class Problem>
struct Networks {
    using Student = typename TenonNetwork<typename Problem::Student>::type;
    using Teacher = typename TenonNetwork<typename Problem::Teacher>::type;
    using Rows = tenon::data::TensorDataset<tenon::Shape<Problem::inputs>, tenon::data::Label>;

    explicit Networks(const Problem& problem)
        : student{tenon_model<typename Problem::Student>(problem.student)},
          teacher{tenon_model<typename Problem::Teacher>(problem.teacher)},
          rows{{problem.x.begin(), problem.x.end()}, problem.labels, Problem::classes}
    {}

    tenon::Model<Student> student;
    tenon::Model<Teacher> teacher;
    Rows rows;
};

template <class Problem, class Trainer, class Rows>
double epoch_of(Trainer& trainer, const Rows& rows)
{
    return trainer
        .fit(rows, {.epochs = 1, .batch_size = Problem::rows, .progress = tenon::Progress::silent, .shuffle = false})
        .back()
        .training.loss;
}

template <class Problem>
auto objective(const auto& teacher)
{
    return tenon::distillation::Objective{
        teacher, Problem::hard * tenon::CrossEntropy{},
        Problem::soft * tenon::distillation::SoftTargets{.temperature = Problem::temperature}};
}
constexpr tenon::Adam adam{.epsilon = tenon::pytorch_epsilon};

template <class Problem>
class Live {
public:
    explicit Live(const Problem& problem) : networks_{problem} {}
    double epoch() { return epoch_of<Problem>(trainer_, networks_.rows); }

private:
    Networks<Problem> networks_;
    using Objective = decltype(objective<Problem>(networks_.teacher));
    tenon::Trainer<typename Networks<Problem>::Student, tenon::Float32, Objective, tenon::Adam> trainer_{
        networks_.student, objective<Problem>(networks_.teacher), adam};
};

template <class Problem>
class Recorded {
public:
    explicit Recorded(const Problem& problem) : networks_{problem} {}
    double epoch() { return epoch_of<Problem>(trainer_, networks_.rows); }

private:
    Networks<Problem> networks_;
    using Outputs = decltype(tenon::distillation::Recorded{networks_.teacher, networks_.rows});
    Outputs outputs_{networks_.teacher, networks_.rows};
    using Objective = decltype(objective<Problem>(outputs_));
    tenon::Trainer<typename Networks<Problem>::Student, tenon::Float32, Objective, tenon::Adam> trainer_{
        networks_.student, objective<Problem>(outputs_), adam};
};

template <class Problem>
class Plain {
public:
    explicit Plain(const Problem& problem) : networks_{problem} {}
    double epoch() { return epoch_of<Problem>(trainer_, networks_.rows); }

private:
    Networks<Problem> networks_;
    tenon::Trainer<typename Networks<Problem>::Student, tenon::Float32, tenon::CrossEntropy, tenon::Adam> trainer_{
        networks_.student, tenon::CrossEntropy{}, adam};
};

template <class Problem>
class Teacher {
public:
    explicit Teacher(const Problem& problem) : problem_{&problem}, networks_{problem} {}
    double epoch()
    {
        for (std::size_t batch = 0; batch < Problem::batches; ++batch)
            session_.run_rows(Problem::rows, problem_->x.data() + batch * Problem::rows * Problem::inputs,
                              outputs_.data());
        return static_cast<double>(outputs_[0]);
    }

private:
    const Problem* problem_;
    Networks<Problem> networks_;
    tenon::Session<typename Networks<Problem>::Teacher, tenon::Rows<Problem::rows>> session_{
        networks_.teacher.parameters()};
    Buffer outputs_ = Buffer(Problem::rows * Problem::classes);
};

const bool enlisted = enlist_distillation<Live, 24, 128>("tenon", Role::tenon, Checked::taught) &&
                      enlist_distillation<Recorded, 24, 128>("tenon_recorded", Role::raw, Checked::taught) &&
                      enlist_distillation<Plain, 24, 128>("tenon_plain", Role::raw, Checked::plain) &&
                      enlist_distillation<Teacher, 24, 128>("tenon_teacher", Role::raw, Checked::not_at_all);

}  // namespace contest::with_tenon
