// SPDX-License-Identifier: BSL-1.0
// Objectives: what a teacher is asked for, sums of terms, and the corners of the terms.
#include <tenon/distillation.hpp>
#include <tenon/parallel/thread_pool.hpp>
#include <tenon/tenon.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <vector>

using namespace tenon;
using namespace tenon::distillation;

namespace {

using Teacher = Network<Input<6>, Dense<20>, ReLU, Dropout<Rate<1, 2>>, Dense<3>, Softmax>;
using Student = Network<Input<6>, Dense<5>, ReLU, Dense<3>>;
using Samples = data::TensorDataset<Shape<6>, data::Label>;

std::vector<float> numbers(std::size_t count, std::uint64_t stream, float scale = 1)
{
    Random random{Seed{4}, stream};
    std::vector<float> values(count);
    for (float& value : values) value = scale * static_cast<float>(random.normal());
    return values;
}

Samples dataset(std::size_t rows)
{
    Random random{Seed{5}, 0};
    std::vector<std::int32_t> labels(rows);
    for (auto& label : labels) label = static_cast<std::int32_t>(random.below(3));
    return {numbers(6 * rows, 1), labels, 3};
}

template <std::size_t C, class Term, class T>
double value(const Term& term, std::size_t rows, const std::vector<T>& y, const std::vector<T>& teacher,
             std::vector<T>& dy)
{
    const std::vector<std::int32_t> labels(rows, 0);
    dy.assign(y.size(), T(7));
    return term.template operator()<Shape<C>>(rows, y.data(), teacher.data(), labels.data(), dy.data(), T(1));
}

template <class Loss>
std::vector<float> trained(const Loss& loss, const Samples& rows, int threads)
{
    Model<Student> student{Seed{2}};
    Trainer{student, loss, Adam{}}.fit(
        rows, {.epochs = 2, .batch_size = 65, .threads = threads, .progress = Progress::silent});
    const auto& parameters = student.parameters();
    return {parameters.data(), parameters.data() + parameters.size()};
}

}  // namespace

TEST_CASE("nothing to learn where student and teacher agree")
{
    for (const float scale : {1.0f, 100.0f}) {
        const std::vector<float> z = numbers(4 * 5, 2, scale);
        const auto nothing = [&](const auto& term) {
            std::vector<float> dy;
            CHECK(std::abs(value<5>(term, 4, z, z, dy)) < 1e-5);
            for (const float g : dy) CHECK(std::abs(g) < 1e-6f);
        };
        nothing(SoftTargets{.temperature = 1});
        nothing(SoftTargets{});
        nothing(SoftTargets{.temperature = 20});
        nothing(BinarySoftTargets{});
        nothing(distillation::MeanSquaredError{});
        nothing(LogitMeanSquaredError{});
        nothing(MatchOutputs{Huber{}});
        nothing(Decoupled{});
        nothing(Standardized{SoftTargets{}});
    }
    // Correlations are 1 up to epsilon.
    std::vector<double> z(20), dy;
    for (std::size_t i = 0; i < z.size(); ++i) z[i] = static_cast<double>(numbers(20, 2)[i]);
    CHECK(std::abs(value<5>(Dist{}, 4, z, z, dy)) < 1e-4);
    for (const double g : dy) CHECK(std::abs(g) < 1e-4);
}

TEST_CASE("one class")
{
    const std::vector<float> y{1, -2, 3}, teacher{4, 5, -6};
    const auto nothing = [&](const auto& term) {
        std::vector<float> dy;
        CHECK(value<1>(term, 3, y, teacher, dy) == doctest::Approx(0.0));
        for (const float g : dy) CHECK(g == 0.0f);
    };
    nothing(SoftTargets{});
    nothing(distillation::MeanSquaredError{});
    nothing(Decoupled{});
    nothing(Standardized{SoftTargets{}});
    nothing(Standardized{Decoupled{}});
    std::vector<float> dy;
    CHECK(std::isfinite(value<1>(Dist{}, 3, y, teacher, dy)));
    for (const float g : dy) CHECK(g == 0.0f);
}

TEST_CASE("a label out of range is an error that names term, row and label")
{
    const std::vector<float> y(6, 1.0f);
    const std::int32_t labels[] = {2, 3};
    CHECK_THROWS_WITH_AS(
        Decoupled{}.operator()<Shape<3>>(2, y.data(), y.data(), labels, static_cast<float*>(nullptr), 1.0f),
        "tenon: Decoupled: row 1 of the batch: expected a label from 0 to 2, found 3", Error);
}

TEST_CASE("equal logits have a finite gradient where the deviation has none")
{
    const std::vector<float> y(4, 0.5f), teacher{1, 2, 3, 4};
    std::vector<float> dy;
    CHECK(std::isfinite(value<4>(Standardized{SoftTargets{.temperature = 2}}, 1, y, teacher, dy)));
    for (const float g : dy) CHECK(std::isfinite(g));
}

TEST_CASE("a term over several positions is their mean")
{
    const std::vector<float> y = numbers(2 * 3 * 4, 6), teacher = numbers(2 * 3 * 4, 7);
    std::vector<float> dy(y.size()), flat(y.size());
    const std::int32_t* none = nullptr;
    const auto same = [&](const auto& term) {
        const double mean = term.template operator()<Shape<3, 4>>(2, y.data(), teacher.data(), none, dy.data(), 3.0f);
        const double sum = term.template operator()<Shape<4>>(6, y.data(), teacher.data(), none, flat.data(), 1.0f);
        CHECK(mean == doctest::Approx(sum / 3));
        for (std::size_t i = 0; i < dy.size(); ++i) CHECK(dy[i] == doctest::Approx(flat[i]));
    };
    same(SoftTargets{});
    same(distillation::MeanSquaredError{});
    same(Standardized{SoftTargets{}});

    // Correlations over the batch are over all its positions.
    const double mean = Dist{}.operator()<Shape<3, 4>>(2, y.data(), teacher.data(), none, dy.data(), 3.0f);
    CHECK(mean == Dist{}.operator()<Shape<4>>(6, y.data(), teacher.data(), none, flat.data(), 1.0f) / 3);
    CHECK(dy == flat);
}

TEST_CASE("an objective is the sum of its weighted terms, on the teacher's logits")
{
    constexpr std::size_t rows = 70;
    const Model<Teacher> teacher{Seed{1}};
    const std::vector<float> x = numbers(6 * rows, 1), y = numbers(3 * rows, 2);
    const std::vector<std::int32_t> labels(rows, 1);

    // The same weights without the last layer.
    Model<Network<Input<6>, Dense<20>, ReLU, Dense<3>>> bare{uninitialized};
    std::memcpy(bare.parameters().data(), teacher.parameters().data(), bare.parameters().size() * sizeof(float));
    std::vector<float> wanted;
    for (std::size_t r = 0; r < rows; ++r) {
        const auto z = bare.predict(TensorView<const float, Shape<6>>{x.data() + 6 * r});
        wanted.insert(wanted.end(), z.begin(), z.end());
    }

    std::vector<float> soft(3 * rows), hard(3 * rows), all(3 * rows);
    const double a = SoftTargets{}.operator()<Shape<3>>(rows, y.data(), wanted.data(), labels.data(), soft.data(),
                                                        0.9f);
    const double b = loss_sum<Shape<3>>(CrossEntropy{}, rows, y.data(), labels.data(), hard.data(), 0.25f);
    const Objective objective{teacher, 0.25 * CrossEntropy{}, weighted(0.9, SoftTargets{})};
    const double sum = loss_sum_with_inputs<Shape<6>, Shape<3>>(objective, rows, x.data(), y.data(), labels.data(),
                                                                all.data(), 1.0f, Team{});
    CHECK(sum == doctest::Approx(0.9 * a + 0.25 * b));
    for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i] == doctest::Approx(soft[i] + hard[i]).epsilon(1e-4));
    CHECK(loss_sum_with_inputs<Shape<6>, Shape<3>>(objective, rows, x.data(), y.data(), labels.data(),
                                                   static_cast<float*>(nullptr), 1.0f, Team{}) == sum);
}

TEST_CASE("an ensemble's outputs are the weighted mean")
{
    constexpr std::size_t rows = 5;
    using Net = Network<Input<6>, Dense<3>>;
    const Model<Net> a{Seed{1}}, b{Seed{2}};
    const std::vector<float> x = numbers(6 * rows, 1);
    const auto of = [&](const auto& teacher) {
        std::vector<float> y(3 * rows);
        teacher.template outputs<SoftTargets>(rows, x.data(), y.data(), Team{});
        return y;
    };
    const auto first = of(ModelTeacher{a}), second = of(ModelTeacher{b});
    const auto even = of(Ensemble{a, b}), uneven = of(Ensemble{a, b}.weights({0.75, 0.25}));
    for (std::size_t i = 0; i < first.size(); ++i) {
        CHECK(even[i] == doctest::Approx(0.5f * first[i] + 0.5f * second[i]).epsilon(1e-5));
        CHECK(uneven[i] == doctest::Approx(0.75f * first[i] + 0.25f * second[i]).epsilon(1e-5));
    }
}

TEST_CASE("training with a teacher: the teacher stays as it is, threads change no bit, the student learns")
{
    const Model<Teacher> teacher{Seed{1}};
    const Model<Teacher> before = teacher;
    const Samples rows = dataset(200);
    const Objective objective{teacher, 0.1f * CrossEntropy{}, 0.9f * SoftTargets{}, 2 * Dist{}};
    const std::vector<float> alone = trained(objective, rows, 1);
    CHECK(alone == trained(objective, rows, 2));
    CHECK(alone == trained(objective, rows, 3));
    CHECK(std::memcmp(before.parameters().data(), teacher.parameters().data(),
                      before.parameters().size() * sizeof(float)) == 0);

    Model<Student> student{Seed{2}};
    Trainer trainer{student, Objective{teacher, SoftTargets{}}, Adam{.learning_rate = 0.01}};
    const History history = trainer.fit(
        rows, {.epochs = 30, .batch_size = 20, .validation = &rows, .progress = Progress::silent});
    CHECK(history.back().validation.loss < 0.2 * history.front().training.loss);
}

TEST_CASE("a cache gives the teacher's outputs, once computed, whatever the batch")
{
    constexpr std::size_t rows = 70;
    const Model<Teacher> teacher{Seed{1}};
    const std::vector<float> x = numbers(6 * rows, 1);
    const auto of = [&](const auto& any, std::size_t first, std::size_t count, auto loss) {
        std::vector<float> y(3 * count);
        any.template outputs<decltype(loss)>(count, x.data() + 6 * first, y.data(), Team{});
        return y;
    };
    const auto wanted = of(ModelTeacher{teacher}, 0, rows, SoftTargets{});
    Cache cache{teacher}, small{teacher, 8};
    CHECK(of(cache, 0, 1, SoftTargets{}) == std::vector<float>(wanted.begin(), wanted.begin() + 3));
    CHECK(cache.size() == 1);
    for (int i = 0; i < 2; ++i) {
        CHECK(of(cache, 0, rows, SoftTargets{}) == wanted);
        CHECK(of(small, 0, rows, SoftTargets{}) == wanted);
    }
    CHECK(of(cache, 69, 1, SoftTargets{}) == std::vector<float>(wanted.end() - 3, wanted.end()));
    CHECK(cache.size() == rows);
    CHECK(small.size() == 8);
    // Probabilities are not taken for logits.
    CHECK(of(cache, 0, rows, MatchOutputs{Huber{}}) != wanted);
    CHECK(cache.size() == 2 * rows);
    cache.clear();
    CHECK(cache.size() == 0);
}

TEST_CASE("keys of rows see every bit, and their length")
{
    std::vector<unsigned char> row(131);
    std::vector<distillation::detail::RowKey> keys;
    for (std::size_t bit = 0; bit < 8 * row.size(); ++bit) {
        row[bit / 8] = static_cast<unsigned char>(1u << bit % 8);
        keys.push_back(distillation::detail::key_of_row(row.data(), row.size(), 0));
        row[bit / 8] = 0;
    }
    for (std::size_t n = 0; n <= row.size(); ++n) keys.push_back(distillation::detail::key_of_row(row.data(), n, 0));
    keys.push_back(distillation::detail::key_of_row(row.data(), row.size(), 1));
    for (std::size_t i = 0; i < keys.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (keys[i].first == keys[j].first || keys[i].second == keys[j].second) FAIL_CHECK(i << " and " << j);
}

TEST_CASE("training with a cache is training without")
{
    const Model<Teacher> teacher{Seed{1}};
    const Cache cache{teacher};
    const Samples rows = dataset(200);
    const std::vector<float> live = trained(Objective{teacher, CrossEntropy{}, SoftTargets{}}, rows, 1);
    CHECK(live == trained(Objective{cache, CrossEntropy{}, SoftTargets{}}, rows, 1));
    CHECK(live == trained(Objective{cache, CrossEntropy{}, SoftTargets{}}, rows, 3));
    CHECK(cache.size() == 200);
}

namespace {

struct Jittered {  // other values each time, as an augmentation
    using input_shape = Shape<6>;
    using target_type = std::int32_t;
    static constexpr std::size_t target_size = 1;

    std::size_t size() const { return rows.size(); }
    void gather(std::span<const std::uint32_t> indices, float* inputs, std::int32_t* targets) const
    {
        rows.gather(indices, inputs, targets);
        if (jitters) inputs[0] += 1e-3f * static_cast<float>(++calls);
    }

    Samples rows;
    bool jitters = true;
    mutable int calls = 0;
};

}  // namespace

TEST_CASE("training with a recording is training without, and no row runs the teacher again")
{
    const Model<Teacher> teacher{Seed{1}};
    const Samples rows = dataset(201), others = dataset(70);
    const Recorded recorded{teacher, rows};
    CHECK(recorded.size() == 201);
    const std::vector<float> live = trained(Objective{teacher, CrossEntropy{}, SoftTargets{}}, rows, 1);
    CHECK(live == trained(Objective{recorded, CrossEntropy{}, SoftTargets{}}, rows, 1));
    CHECK(live == trained(Objective{recorded, CrossEntropy{}, SoftTargets{}}, rows, 3));
    // Of another dataset nothing is recorded.
    CHECK(trained(Objective{teacher, SoftTargets{}}, others, 1) ==
          trained(Objective{recorded, SoftTargets{}}, others, 1));

    // A teacher that has been changed since shows where its outputs come from.
    Model<Teacher> changing = teacher;
    const Recorded before{changing, rows};
    for (std::size_t i = 0; i < changing.parameters().size(); ++i) changing.parameters().data()[i] *= 2;
    CHECK(live == trained(Objective{before, CrossEntropy{}, SoftTargets{}}, rows, 1));
    CHECK(live != trained(Objective{changing, CrossEntropy{}, SoftTargets{}}, rows, 1));
}

TEST_CASE("a recording of several teachers")
{
    const Model<Teacher> first{Seed{1}}, second{Seed{9}};
    const Samples rows = dataset(100);
    const auto both = Ensemble{first, second}.weights({0.75, 0.5});
    const Recorded recorded{both, rows};
    CHECK(trained(Objective{both, SoftTargets{}}, rows, 1) == trained(Objective{recorded, SoftTargets{}}, rows, 1));
}

TEST_CASE("rows that come with other values are refused, at once or in training")
{
    const Model<Teacher> teacher{Seed{1}};
    const auto message = [](auto&& f) {
        try {
            f();
        } catch (const Error& error) {
            return std::string{error.what()};
        }
        return std::string{};
    };
    Jittered jittered{dataset(64)};
    CHECK(message([&] {
              const Recorded recorded{teacher, jittered};
          }).find("tenon: Recorded: row 0 of the dataset has other values than when it was recorded") == 0);
    jittered.jitters = false;
    const Recorded recorded{teacher, jittered};
    Model<Student> student{Seed{2}};
    Trainer trainer{student, Objective{recorded, SoftTargets{}}, Adam{}};
    trainer.fit(jittered, {.epochs = 1, .batch_size = 1, .progress = Progress::silent});
    jittered.jitters = true;
    CHECK(message([&] {
              trainer.fit(jittered, {.epochs = 1, .batch_size = 1, .progress = Progress::silent});
          }).find("has other values") != std::string::npos);
}

TEST_CASE("a recording in a file: made once, for one teacher and one dataset")
{
    const std::string path = "distillation_recording.bin";
    std::remove(path.c_str());
    const Model<Teacher> teacher{Seed{1}}, other{Seed{3}};
    const Samples rows = dataset(100);
    const Recorded memory{teacher, rows};
    const auto same = [&](const auto& file) {
        for (std::size_t r = 0; r < rows.size(); ++r)
            if (std::memcmp(file[r], memory[r], 3 * sizeof(float)) != 0) return false;
        return true;
    };
    {
        const Recorded made{teacher, rows, path};
        CHECK(same(made));
    }
    std::FILE* file = std::fopen(path.c_str(), "r+b");
    REQUIRE(file != nullptr);
    std::fseek(file, 64, SEEK_SET);
    const float marked = 1234.5f;
    std::fwrite(&marked, sizeof marked, 1, file);
    std::fclose(file);
    {
        const Recorded read{teacher, rows, path};  // it is read, not computed
        CHECK(read[0][0] == marked);
        CHECK(std::memcmp(read[1], memory[1], 3 * sizeof(float)) == 0);
        CHECK(trained(Objective{read, SoftTargets{}}, rows, 1) != trained(Objective{memory, SoftTargets{}}, rows, 1));
    }
    {
        const Recorded anew{other, rows, path};
        CHECK(!same(anew));
    }
    {
        const Recorded anew{teacher, rows, path};
        CHECK(same(anew));
    }
    {
        const Recorded anew{teacher, dataset(99), path};
        CHECK(anew.size() == 99);
    }
    std::remove(path.c_str());

    file = std::fopen(path.c_str(), "wb");
    std::fputs("a letter to somebody", file);
    std::fclose(file);
    CHECK_THROWS_WITH_AS((Recorded{teacher, rows, path}),
                         "tenon: Recorded: distillation_recording.bin is there and is no recording: it was left alone",
                         Error);
    std::remove(path.c_str());
}

TEST_CASE("a history has the mean of each term, and the progress line too")
{
    const Model<Teacher> teacher{Seed{1}};
    const Samples rows = dataset(130);
    Model<Student> student{Seed{2}};
    Trainer trainer{student, Objective{teacher, 0.5 * CrossEntropy{}, 2 * SoftTargets{}, SoftTargets{.temperature = 1}},
                    Adam{}};
    const History history = trainer.fit(rows, {.epochs = 2, .batch_size = 50, .progress = Progress::silent});
    for (const Epoch& epoch : history) {
        REQUIRE(epoch.parts.size() == 3);
        CHECK(epoch.parts[0].name == "CrossEntropy");
        CHECK(epoch.parts[1].name == "SoftTargets");
        CHECK(epoch.parts[2].name == "SoftTargets 2");
        double sum = 0;
        for (const LossPart& part : epoch.parts) sum += part.value;
        CHECK(sum == doctest::Approx(epoch.training.loss));
        CHECK(epoch.parts[1].value > 0);
    }
    CHECK(Trainer{student, CrossEntropy{}, Adam{}}
              .fit(rows, {.epochs = 1, .progress = Progress::silent})[0]
              .parts.empty());
}

TEST_CASE("weights of rows and classes: each row's terms are weighed, what relates rows is refused")
{
    const Model<Teacher> teacher{Seed{1}};
    const Samples rows = dataset(40);
    std::vector<float> ones(40, 1.0f), zeros(40, 0.0f);
    const auto after = [&](const auto& objective, std::span<const float> weights) {
        Model<Student> student{Seed{2}};
        Trainer{student, objective, SGD{}}.fit(
            rows, {.epochs = 1, .batch_size = 20, .progress = Progress::silent, .sample_weights = weights});
        return std::vector<float>(student.parameters().data(),
                                  student.parameters().data() + student.parameters().size());
    };
    const Objective objective{teacher, CrossEntropy{}, SoftTargets{}};
    CHECK(after(objective, zeros) == after(objective, zeros));
    CHECK(after(objective, ones) != after(objective, zeros));
    const Model<Student> start{Seed{2}};
    CHECK(after(objective, zeros) ==
          std::vector<float>(start.parameters().data(), start.parameters().data() + start.parameters().size()));
    const Objective dist{teacher, Dist{}};
    CHECK_THROWS_AS(after(dist, ones), Error);
    const Objective features{teacher, Hint<At<1>, At<1>>{}};
    CHECK_THROWS_AS(after(features, ones), Error);
}

TEST_CASE("a memory bank: what it needs, what it learns, and that threads change no bit")
{
    using Bank = ContrastiveBank<At<1>, At<1>, 8>;
    static_assert(Bank{.rows = 60000}.bank_bytes() == 2 * 60000 * 8 * sizeof(float));
    const Model<Teacher> teacher{Seed{1}};
    const Samples rows = dataset(200);
    const auto objective = [&](std::size_t count) { return Objective{teacher, Bank{.rows = count, .negatives = 50}}; };
    const std::vector<float> alone = trained(objective(200), rows, 1);
    CHECK(alone == trained(objective(200), rows, 3));
    CHECK_THROWS_WITH_AS(
        trained(objective(0), rows, 1),
        "tenon: ContrastiveBank: rows: expected the number of rows of the dataset, at least 2, found 0", Error);
    CHECK_THROWS_AS(trained(objective(199), rows, 1), Error);
    Model<Student> student{Seed{2}};
    Trainer trainer{student, objective(200), Adam{.learning_rate = 0.01}};
    const std::int32_t label = 0;
    CHECK_THROWS_WITH_AS(
        trainer.step(1, rows.input(0).data(), &label),
        "tenon: ContrastiveBank remembers each row of a dataset by its number, and these rows have none: "
        "train with fit(), or use Contrastive",
        Error);
    const History history = trainer.fit(rows, {.epochs = 60, .batch_size = 20, .progress = Progress::silent});
    CHECK(history.back().training.loss < 0.8 * history.front().training.loss);
}

TEST_CASE("the gradient of a memory bank agrees with finite differences")
{
    using Bank = ContrastiveBank<At<1>, At<1>, 4>;
    const Bank bank{.rows = 40, .negatives = 12, .temperature = 0.3};
    Bank::learner<Shape<5>, Shape<3>, Float64> learner{Seed{1}};
    std::vector<double> s, t, ds(4 * 5);
    for (const float value : numbers(4 * 5, 1)) s.push_back(static_cast<double>(value));
    for (const float value : numbers(4 * 3, 2)) t.push_back(static_cast<double>(value));
    const std::uint32_t rows[] = {3, 39, 0, 20};
    const auto loss = [&](double* to) {
        return learner.loss(bank, LossRows<double>{.rows = 4, .inputs = nullptr, .outputs = nullptr, .numbers = rows},
                            s.data(), t.data(), to, 1.0);
    };
    loss(ds.data());  // fixes Z
    const auto slope = [&](double& at) {
        std::vector<double> unused(ds.size());
        const double before = at, step = 1e-5;
        at = before + step;
        const double above = loss(unused.data());
        at = before - step;
        const double below = loss(unused.data());
        at = before;
        return (above - below) / (2 * step);
    };
    for (std::size_t i = 0; i < s.size(); ++i) CHECK(slope(s[i]) == doctest::Approx(ds[i]).epsilon(1e-6));
    std::vector<double*> places;
    std::vector<double> wanted;
    loss(ds.data());
    learner.each("", [&](const std::string&, double& value, double gradient) {
        places.push_back(&value);
        wanted.push_back(gradient);
    });
    CHECK(places.size() == 5 * 4 + 4 + 3 * 4 + 4);
    for (std::size_t i = 0; i < places.size(); ++i)
        CHECK(slope(*places[i]) == doctest::Approx(wanted[i]).epsilon(1e-6));
}

TEST_CASE("terms of features: adapters learn, trainers share nothing, threads change no bit")
{
    const Model<Teacher> teacher{Seed{1}};
    const Samples rows = dataset(200);
    const Objective objective{teacher, Hint<At<1>, At<1>>{}, 10 * SimilarityPreserving<At<0>, At<0>>{},
                              Variational<At<1>, At<1>>{}};
    const std::vector<float> alone = trained(objective, rows, 1);
    CHECK(alone == trained(objective, rows, 1));
    CHECK(alone == trained(objective, rows, 3));

    Model<Student> student{Seed{2}};
    const Objective hint{teacher, Hint<At<1>, At<1>>{}};
    Trainer trainer{student, hint, Adam{.learning_rate = 0.01}};
    const History history = trainer.fit(rows, {.epochs = 60, .batch_size = 20, .progress = Progress::silent});
    CHECK(history.back().training.loss < 0.35 * history.front().training.loss);
    // Several batches to a step are one batch, for the adapter as well.
    const auto step = [&](int batch, auto... modifiers) {
        Model<Student> model{Seed{2}};
        Trainer{model, hint, SGD{.learning_rate = 0.1}, modifiers...}.fit(
            rows, {.epochs = 2, .batch_size = batch, .progress = Progress::silent});
        return std::vector<float>(model.parameters().data(), model.parameters().data() + model.parameters().size());
    };
    const auto whole = step(40), parts = step(20, Accumulate{2});
    for (std::size_t i = 0; i < whole.size(); ++i) CHECK(whole[i] == doctest::Approx(parts[i]).epsilon(1e-4));
}
