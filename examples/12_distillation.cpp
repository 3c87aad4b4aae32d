// SPDX-License-Identifier: BSL-1.0
// A convolutional network teaches a perceptron that is more than twenty times cheaper: the student alone, then with every term
// of distillation beside the cross-entropy, each with several seeds. Writes one HTML file with a table and a plot.
// The teacher has seen more images than the student, as teachers have; the student takes its time, as students should.
//   12_distillation <folder with the IDX files> <the teacher's images> <epochs> <the student's> <epochs> <seeds> [report.html]
// The numbers in docs/guide/distillation.md: 60000 10 3000 60 5, and 60000 10 15000 30 5.
#include <tenon/data/idx.hpp>
#include <tenon/data/transforms.hpp>
#include <tenon/distillation.hpp>
#include <tenon/tenon.hpp>
#include <tenon/training/report.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>

using namespace tenon;
using namespace tenon::distillation;

// The numbers are what taps name: At<10> is what lies behind the last ReLU.
using Teacher = Network<Input<28, 28, 1>,             //
                        Conv2D<32, Kernel<3>>, ReLU,  // 0, 1
                        MaxPool2D<2>,                 // 2
                        Conv2D<64, Kernel<3>>, ReLU,  // 3, 4
                        MaxPool2D<2>,                 // 5: (5, 5, 64)
                        Conv2D<64, Kernel<3>>, ReLU,  // 6, 7
                        Flatten,                      // 8
                        Dense<64>, ReLU,              // 9, 10
                        Dense<10>, Softmax>;
// The first hidden layer is 4 × 4 places of 8 channels for those terms that compare maps: Reshape costs nothing.
using Student = Network<Input<28, 28, 1>, Flatten,                    // 0
                        Dense<128>, ReLU, Reshape<4, 4, 8>, Flatten,  // 1, 2, 3, 4
                        Dense<64>, ReLU,                              // 5, 6
                        Dense<10>, Softmax>;
static_assert(Student::macs * 20 <= Teacher::macs);

int main(int argc, char** argv)
{
    if (argc < 7) {
        std::fprintf(
            stderr,
            "usage: %s <folder> <the teacher's images> <epochs> <the student's> <epochs> <seeds> [report.html]\n",
            argv[0]);
        return 2;
    }
    const auto dataset = data::load_idx<Shape<28, 28, 1>>(argv[1]);
    const auto first = [&](const char* count) {
        std::vector<std::uint32_t> chosen(std::min(static_cast<std::size_t>(std::atoll(count)), dataset.train.size()));
        std::iota(chosen.begin(), chosen.end(), std::uint32_t{0});
        return data::Subset{dataset.train, chosen};
    };
    const auto many = first(argv[2]), rows = first(argv[4]);
    const int taught_epochs = std::atoi(argv[3]), epochs = std::atoi(argv[5]), seeds = std::atoi(argv[6]);
    const auto schedule = [](std::size_t count, int times) {
        return schedules::cosine(static_cast<std::uint64_t>(times) * ((count + 63) / 64));
    };

    Model<Teacher> teacher{Seed{1}};
    Trainer{teacher, CrossEntropy{}, Adam{}}.fit(
        many, {.epochs = taught_epochs, .batch_size = 64, .schedule = schedule(many.size(), taught_epochs)});
    const double taught = evaluate(teacher, dataset.test, CrossEntropy{}).accuracy;
    std::printf("%-44s %.2f\n", "teacher", 100 * taught);

    // Weights are a twentieth of the usual ones where those, made for deep networks and long trainings, drown the labels here.
    // Terms of outputs ask for the teacher's once and for all; terms of features run it.
    const Recorded recorded{teacher, rows};

    std::vector<Curve> results;
    std::vector<double> seconds;
    const auto run = [&](const char* name, const auto& objective) {
        results.push_back({name, {}});
        seconds.push_back(0);
        std::printf("%-44s", name);
        for (int seed = 2; seed < 2 + seeds; ++seed) {
            Model<Student> student{Seed{static_cast<std::uint64_t>(seed)}};
            const History history = Trainer{student, objective, Adam{}}.fit(
                rows, {.epochs = epochs,
                       .batch_size = 64,
                       .schedule = schedule(rows.size(), epochs),
                       .progress = Progress::silent,
                       .seed = Seed{static_cast<std::uint64_t>(seed)}});
            for (const Epoch& epoch : history) seconds.back() += epoch.seconds / static_cast<double>(seeds);
            results.back().values.push_back(evaluate(student, dataset.test, CrossEntropy{}).accuracy);
            std::printf(" %.2f", 100 * results.back().values.back());
            std::fflush(stdout);
        }
        std::printf("\n");
    };
    const CrossEntropy hard{};
    run("student alone", hard);
    run("label smoothing 0.1, no teacher", CrossEntropy{.label_smoothing = 0.1});
    run("0.1 CE + 0.9 SoftTargets, T = 4", Objective{recorded, 0.1 * hard, 0.9 * SoftTargets{}});
    run("0.1 CE + 0.9 SoftTargets, T = 2", Objective{recorded, 0.1 * hard, 0.9 * SoftTargets{.temperature = 2}});
    run("0.5 CE + 0.5 SoftTargets, T = 2", Objective{recorded, 0.5 * hard, 0.5 * SoftTargets{.temperature = 2}});
    run("CE + 0.1 MeanSquaredError", Objective{recorded, hard, 0.1 * distillation::MeanSquaredError{}});
    run("CE + 0.1 LogitMeanSquaredError", Objective{recorded, hard, 0.1 * LogitMeanSquaredError{}});
    run("CE + 0.1 Decoupled", Objective{recorded, hard, 0.1 * Decoupled{}});
    run("CE + 2 Dist", Objective{recorded, hard, 2 * Dist{}});
    run("CE + 2 Dist, T = 2", Objective{recorded, hard, 2 * Dist{.temperature = 2}});
    run("0.1 CE + 9 Standardized SoftTargets, T = 2",
        Objective{recorded, 0.1 * hard, 9 * Standardized{SoftTargets{.temperature = 2}}});

    run("CE + Hint", Objective{teacher, hard, Hint<At<6>, At<10>, Adapter<Dense<64>>>{}});
    run("CE + 50 AttentionTransfer", Objective{teacher, hard, 50 * AttentionTransfer<At<3>, At<5>>{}});
    run("CE + 0.05 Relational", Objective{teacher, hard, 0.05 * Relational<At<6>, At<10>>{.most_rows = 32}});
    run("CE + 150 SimilarityPreserving", Objective{teacher, hard, 150 * SimilarityPreserving<At<6>, At<10>>{}});
    run("CE + Variational", Objective{teacher, hard, Variational<At<6>, At<10>>{}});
    run("CE + 2.5 NeuronSelectivity", Objective{teacher, hard, 2.5 * NeuronSelectivity<At<3>, At<5>>{}});
    run("CE + 1500 ProbabilisticTransfer", Objective{teacher, hard, 1500 * ProbabilisticTransfer<At<6>, At<10>>{}});
    run("CE + 0.02 CorrelationCongruence",
        Objective{teacher, hard, 0.02 * CorrelationCongruence<At<6>, At<10>, Adapter<Dense<64>>>{}});
    run("CE + 10 FactorTransfer", Objective{teacher, hard, 10 * FactorTransfer<At<6>, At<10>, Adapter<Dense<64>>>{}});
    run("CE + 0.05 Contrastive", Objective{teacher, hard, 0.05 * Contrastive<At<6>, At<10>>{}});
    run("CE + 0.05 ContrastiveBank",
        Objective{teacher, hard, 0.05 * ContrastiveBank<At<6>, At<10>>{.rows = rows.size(), .negatives = 1024}});

    if (argc > 7) {
        const auto mean = [](const Curve& row) {
            double sum = 0;
            for (const double value : row.values) sum += value;
            return sum / static_cast<double>(row.values.size());
        };
        const auto text = [](const char* format, double value) {
            char buffer[32];
            std::snprintf(buffer, sizeof buffer, format, value);
            return std::string(buffer);
        };
        std::vector<ComparisonRow> table;
        std::size_t best = 0;
        for (std::size_t i = 0; i < results.size(); ++i) {
            const auto [low, high] = std::minmax_element(results[i].values.begin(), results[i].values.end());
            table.push_back(
                {results[i].name,
                 {text("%.2f %%", 100 * mean(results[i])), text("%+.2f", 100 * (mean(results[i]) - mean(results[0]))),
                  text("%.2f", 100 * (*high - *low)), text("%.1f s", seconds[i])}});
            if (mean(results[i]) > mean(results[best])) best = i;
        }
        Report report{"Distillation: a CNN teaches an MLP", std::to_string(rows.size()) + " images of Fashion-MNIST, " +
                                                                std::to_string(epochs) + " epochs, " +
                                                                std::to_string(seeds) + " seeds, test accuracy"};
        report
            .figures({{"teacher", text("%.2f %%", 100 * taught)},
                      {"student alone, mean", text("%.2f %%", 100 * mean(results[0]))},
                      {results[best].name, text("%.2f %%", 100 * mean(results[best]))},
                      {"fewer multiplications",
                       text("%.1f ×", static_cast<double>(Teacher::macs) / static_cast<double>(Student::macs))}})
            .comparison("Objectives", {"mean", "against alone", "largest − smallest", "training"}, table)
            .spread("Each seed", results)
            .text("Teacher", summary<Teacher>())
            .text("Student", summary<Student>());
        write_report(argv[7], report);
    }
    return 0;
}
