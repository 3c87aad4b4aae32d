// SPDX-License-Identifier: BSL-1.0
// One network, made smaller in three ways one after the other: nine weights of ten pruned while it trains on; the units that
// are left weakest taken out, which gives a smaller type that learns from the first network; and that in int8. Prints, and
// writes into one HTML file, accuracy, bytes and the time of one image at each stage.
//   13_compression <folder with the IDX files> <training images> <epochs of each stage> [report.html]
#include <tenon/compression/gradual_pruning.hpp>
#include <tenon/compression/quantize.hpp>
#include <tenon/compression/shrink.hpp>
#include <tenon/compression/skip_zeros.hpp>
#include <tenon/data/idx.hpp>
#include <tenon/data/transforms.hpp>
#include <tenon/distillation.hpp>
#include <tenon/tenon.hpp>
#include <tenon/training/report.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>

using namespace tenon;

using Large = Network<Input<28, 28, 1>, Flatten, Dense<256>, ReLU, Dense<128>, ReLU, Dense<10>, Softmax>;
// A quarter of the units of both hidden layers.
using Small = shrink<Large, KeepShare<1, 1, 4>, KeepShare<3, 1, 4>>;
static_assert(
    std::is_same_v<Small, Network<Input<28, 28, 1>, Flatten, Dense<64>, ReLU, Dense<32>, ReLU, Dense<10>, Softmax>>);

namespace {

struct Stage {
    std::string name;
    double accuracy, kilobytes, microseconds;
};

// The fastest of many times for one image.
template <class F>
double microseconds(F&& run)
{
    double best = 1e9;
    for (int i = 0; i < 200; ++i) {
        const auto start = std::chrono::steady_clock::now();
        for (int k = 0; k < 20; ++k) run();
        best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / 20);
    }
    return 1e6 * best;
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc < 4) {
        std::fprintf(stderr, "usage: %s <folder> <training images> <epochs of each stage> [report.html]\n", argv[0]);
        return 2;
    }
    const auto dataset = data::load_idx<Shape<28, 28, 1>>(argv[1]);
    std::vector<std::uint32_t> chosen(std::min(static_cast<std::size_t>(std::atoll(argv[2])), dataset.train.size()));
    std::iota(chosen.begin(), chosen.end(), std::uint32_t{0});
    const data::Subset rows{dataset.train, chosen};
    const int epochs = std::atoi(argv[3]);
    const std::uint64_t steps = static_cast<std::uint64_t>(epochs) * ((rows.size() + 63) / 64);
    const FitOptions<data::Subset<std::remove_cvref_t<decltype(dataset.train)>>> options{
        .epochs = epochs, .batch_size = 64, .schedule = schedules::cosine(steps)};

    std::vector<Stage> stages;
    const auto note = [&](const char* name, double accuracy, std::size_t bytes, double time) {
        stages.push_back({name, 100 * accuracy, static_cast<double>(bytes) / 1024, time});
        std::printf("%-32s %6.2f %%  %8.1f KiB  %7.3f us\n", name, stages.back().accuracy, stages.back().kilobytes,
                    time);
    };
    Tensor<float, Shape<28, 28, 1>> image{};
    for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<float>(i % 97) / 97;
    Tensor<float, Shape<10>> output{};
    const auto keep = [&] { asm volatile("" : : "r"(&output) : "memory"); };

    Model<Large> model{Seed{1}};
    Trainer{model, CrossEntropy{}, Adam{}}.fit(rows, options);
    Session<Large> large{model.parameters()};
    note("trained", evaluate(model, dataset.test, CrossEntropy{}).accuracy, Large::parameter_bytes<Float32>,
         microseconds([&] {
             large.run_rows(1, image.data(), output.data());
             keep();
         }));

    // Pruned for two thirds of the steps, tuned for the last one.
    Model<Large> pruned = model;
    Trainer{pruned, CrossEntropy{}, Adam{},
            GradualPruning{.final_sparsity = 0.9,
                           .end = std::max<std::uint64_t>(1, steps * 2 / 3),
                           .every = std::max<std::uint64_t>(1, steps / 50)}}
        .fit(rows, options);
    const SparseModel<Large> sparse = skip_zeros(pruned);
    SparseSession<SparseModel<Large>> without_zeros{sparse};
    // The tables stand for the two hidden layers; the last layer is as it was.
    constexpr std::size_t last_layer = Network<Input<128>, Dense<10>>::parameter_bytes<Float32>;
    note("90 % of the weights pruned", evaluate(pruned, dataset.test, CrossEntropy{}).accuracy,
         sparse.table_bytes() + last_layer, microseconds([&] {
             without_zeros.run_rows(1, image.data(), output.data());
             keep();
         }));

    // What pruning has left least of goes; the first network teaches what remains.
    Model<Small> student = keep_strongest<KeepShare<1, 1, 4>, KeepShare<3, 1, 4>>(pruned);
    const distillation::Recorded teacher{model, rows};
    Trainer{student,
            distillation::Objective{teacher, 0.5 * CrossEntropy{}, 0.5 * distillation::SoftTargets{.temperature = 2}},
            Adam{}}
        .fit(rows, options);
    Session<Small> small{student.parameters()};
    note("a quarter of the units, distilled", evaluate(student, dataset.test, CrossEntropy{}).accuracy,
         Small::parameter_bytes<Float32>, microseconds([&] {
             small.run_rows(1, image.data(), output.data());
             keep();
         }));

    const Model<Small, Int8> integers = quantize(student, rows);
    Session<Small, Rows<1>, Int8> int8{integers.parameters()};
    Tensor<std::int8_t, Shape<28, 28, 1>> bytes{};
    Tensor<std::int8_t, Shape<10>> classes{};
    note("int8", accuracy(integers, dataset.test), cost<Small, Int8>::flash, microseconds([&] {
             int8.run_rows(1, bytes.data(), classes.data());
             asm volatile("" : : "r"(&classes) : "memory");
         }));

    if (argc > 4) {
        const auto text = [](const char* format, double value) {
            char buffer[32];
            std::snprintf(buffer, sizeof buffer, format, value);
            return std::string(buffer);
        };
        std::vector<std::string> names;
        std::vector<ComparisonRow> table;
        Curve right{"Test accuracy, %", {}}, size{"Weights, KiB", {}}, time{"One image, µs", {}};
        for (const Stage& stage : stages) {
            names.push_back(std::to_string(names.size() + 1));
            right.values.push_back(stage.accuracy);
            size.values.push_back(stage.kilobytes);
            time.values.push_back(stage.microseconds);
            table.push_back({names.back() + ": " + stage.name,
                             {text("%.2f %%", stage.accuracy), text("%.1f KiB", stage.kilobytes),
                              text("%.3f µs", stage.microseconds)}});
        }
        Report report{"Compression in stages", std::to_string(rows.size()) + " images of Fashion-MNIST, " +
                                                   std::to_string(epochs) + " epochs for each stage"};
        report
            .figures({{"fewer bytes", text("%.0f ×", stages.front().kilobytes / stages.back().kilobytes)},
                      {"less time", text("%.0f ×", stages.front().microseconds / stages.back().microseconds)},
                      {"accuracy", text("%+.2f points", stages.back().accuracy - stages.front().accuracy)}})
            .comparison("Stages", {"test accuracy", "weights", "one image"}, table)
            .lines("From stage to stage", "stage", names, {right, size, time})
            .text("Before", summary<Large>())
            .text("After", summary<Small, Int8>());
        write_report(argv[4], report);
    }
    return 0;
}
