// SPDX-License-Identifier: BSL-1.0
// Muon gives the same bits for any number of threads, and after a run was killed and went on.
#include <tenon/tenon.hpp>
#include <tenon/training/checkpoint.hpp>

#include <support/files.hpp>

#include <doctest/doctest.h>

#include <vector>

using namespace tenon;

namespace {

// Products large enough for several threads: a kernel with more inputs than outputs, and one with fewer.
using Net = Network<Input<130>, Dense<128>, BatchNorm, ReLU, Dropout<Rate<1, 4>>, Dense<192>, ReLU, Dense<5>, Softmax>;

struct Killed {};
struct KillIn {
    std::uint64_t number;
    void step(const StepInfo& info) const
    {
        if (info.number == number) throw Killed{};
    }
};

}  // namespace

TEST_CASE("Muon: the same bits for any number of threads, and after restarts")
{
    Random random{Seed{3}};
    std::vector<float> inputs(83 * Net::input_shape::size);
    std::vector<std::int32_t> labels(83);
    for (float& value : inputs) value = static_cast<float>(random.normal());
    for (std::int32_t& label : labels) label = static_cast<std::int32_t>(random.below(5));
    const data::TensorDataset<Shape<130>, data::Label> points{inputs, labels, 5};
    const auto fingerprints = [&](int threads, const std::string& checkpoint, std::uint64_t killed) {
        Model<Net> model{Seed{2}};
        Trainer trainer{model, CrossEntropy{}, Muon{}, Accumulate{2}, ClipNorm{1}, AverageWeights{}};
        FitOptions<data::TensorDataset<Shape<130>, data::Label>> how{.epochs = 2, .batch_size = 8};
        how.threads = threads;
        how.schedule = schedules::cosine(12);
        how.progress = Progress::silent;
        trainer.fit(points, how, KillIn{killed}, callbacks::Checkpoint{checkpoint, {.every_steps = 2}});
        return std::pair{model.parameters().fingerprint(), trainer.average().parameters().fingerprint()};
    };
    support::Folder folder;
    const auto whole = fingerprints(1, folder / "1", 0);
    for (const int threads : {2, 3, 4, 8}) {
        CAPTURE(threads);
        CHECK(fingerprints(threads, folder / std::to_string(threads), 0) == whole);
    }
    for (const std::uint64_t step : {3u, 6u, 11u}) CHECK_THROWS_AS(fingerprints(1, folder / "killed", step), Killed);
    CHECK(fingerprints(2, folder / "killed", 0) == whole);
}
