// SPDX-License-Identifier: BSL-1.0
// One network's part of the demo: train, save, read back, evaluate, predict, measure; and its chapter of the report.
#pragma once

#include "names.hpp"
#include "timing.hpp"

#include <tenon/io/safetensors.hpp>
#include <tenon/tenon.hpp>
#include <tenon/training/report.hpp>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

struct Options {
    std::string data;
    std::string report;
    std::string weights;  // folder
    std::string only;     // "mlp", "cnn" or both
    int epochs = 5;
    int batch_size = 32;
    int threads = 0;
    double learning_rate = 1e-3;
    std::uint64_t seed = 42;
    bool quiet = false;
};

// What the network says of one test image.
struct Answer {
    std::uint32_t image;
    std::size_t predicted;
    float probability;
};

// What a run of one network gave.
struct Outcome {
    std::string name;
    std::string summary;
    std::string weights;  // file
    std::size_t parameters;
    std::size_t macs;
    tenon::History history;
    tenon::callbacks::Pace pace;
    tenon::Evaluation test;
    tenon::ConfusionMatrix<10> confusion;
    double best_three;
    double samples_per_second;
    double one_row, many_rows;  // seconds per image, one at a time and 64 at a time
    std::vector<Answer> answers;
};

template <class Net, class D>
std::vector<Answer> answer_all(const tenon::Model<Net>& model, const D& dataset)
{
    constexpr std::size_t classes = Net::output_shape::size;
    const std::vector<float> probabilities = tenon::predict(model, dataset);
    std::vector<Answer> answers;
    for (std::size_t i = 0; i < dataset.size(); ++i) {
        const float* row = probabilities.data() + i * classes;
        const std::size_t best = tenon::argmax(row, classes);
        answers.push_back({static_cast<std::uint32_t>(i), best, row[best]});
    }
    return answers;
}

template <class Net, class Data>
Outcome train(const std::string& name, const std::string& file, const Data& dataset, const ClassNames& names,
              const Options& options)
{
    using namespace tenon;
    std::printf("== %s\n\n%s\n", name.c_str(), summary<Net>().c_str());
    std::fflush(stdout);
    Outcome outcome{};
    outcome.name = name;
    outcome.summary = summary<Net>();
    outcome.weights = options.weights + file;
    outcome.parameters = Net::parameter_count;
    outcome.macs = Net::macs;

    Model<Net> model{Seed{options.seed}};
    Trainer trainer{model, CrossEntropy{}, Adam{.learning_rate = options.learning_rate}};
    outcome.history = trainer.fit(dataset.train,
                                  {.epochs = options.epochs,
                                   .batch_size = options.batch_size,
                                   .validation = &dataset.test,
                                   .threads = options.threads,
                                   .progress = options.quiet ? Progress::silent : Progress::automatic,
                                   .seed = Seed{options.seed}},
                                  outcome.pace);

    // Saved, and read into a model that has never seen an image: the same weights, bit by bit.
    save(model, outcome.weights);
    Model<Net> restored{uninitialized};
    load(restored, outcome.weights);
    if (restored.parameters().fingerprint() != model.parameters().fingerprint())
        throw Error(outcome.weights + ": the weights that were read are not those that were written");
    outcome.test = evaluate(restored, dataset.test, CrossEntropy{});
    std::printf("\ntest loss %.4f, test accuracy %.4f (with the weights read back from %s)\n", outcome.test.loss,
                outcome.test.accuracy, outcome.weights.c_str());

    outcome.confusion = confusion_matrix(restored, dataset.test);
    std::printf("\n%s\n", outcome.confusion.text(names).c_str());

    double seconds = 0;
    for (const Epoch& epoch : outcome.history) seconds += epoch.seconds;
    outcome.samples_per_second = static_cast<double>(outcome.history.size() * dataset.train.size()) / seconds;
    outcome.one_row = seconds_per_row<Session<Net>, 1>(restored, dataset.test);
    outcome.many_rows = seconds_per_row<Session<Net, Rows<64>>, 64>(restored, dataset.test);
    std::printf("training %.0f samples/s; prediction of one image %.2f us, of 64 images %.2f us each\n\n",
                outcome.samples_per_second, 1e6 * outcome.one_row, 1e6 * outcome.many_rows);
    std::fflush(stdout);
    outcome.best_three = top_k_accuracy(restored, dataset.test, 3);
    outcome.answers = answer_all(restored, dataset.test);
    return outcome;
}

template <class Data>
void add_chapter(tenon::Report& report, const Outcome& outcome, const Data& dataset, const ClassNames& names,
                 const Options& options)
{
    using namespace tenon;
    // The first right answer of each class, and the mistakes that the network is surest of.
    const auto label_of = [&](const Answer& answer) {
        return static_cast<std::size_t>(dataset.test.label(answer.image));
    };
    std::vector<Picture> right, wrong;
    for (std::size_t c = 0; c < 10; ++c) {
        const auto first = std::find_if(outcome.answers.begin(), outcome.answers.end(), [&](const Answer& answer) {
            return answer.predicted == c && label_of(answer) == c;
        });
        if (first != outcome.answers.end())
            right.push_back(
                picture(dataset.test.input(first->image), std::string{names[c]}, percent(first->probability)));
    }
    std::vector<Answer> mistakes;
    for (const Answer& answer : outcome.answers)
        if (answer.predicted != label_of(answer)) mistakes.push_back(answer);
    std::sort(mistakes.begin(), mistakes.end(), [](const Answer& a, const Answer& b) {
        return a.probability != b.probability ? a.probability > b.probability : a.image < b.image;
    });
    for (std::size_t i = 0; i < std::min<std::size_t>(mistakes.size(), 20); ++i) {
        const Answer& answer = mistakes[i];
        wrong.push_back(picture(dataset.test.input(answer.image), std::string{names[answer.predicted]},
                                percent(answer.probability) + ", is " + std::string{names[label_of(answer)]}, false));
    }

    report.chapter(outcome.name)
        .curves(outcome.history)
        .pace(outcome.pace)
        .confusion(outcome.confusion, names)
        .pictures("Right answers, one of each class", right)
        .pictures("Wrong answers, the surest first", wrong)
        .text("Network", outcome.summary);
    std::vector<Fact> timings;
    for (const Epoch& epoch : outcome.history)
        timings.push_back({"epoch " + std::to_string(epoch.number),
                           format("%.2f s", epoch.seconds) + ", " + grouped(epoch.samples_per_second) + " samples/s"});
    timings.push_back({"prediction, one image at a time", format("%.2f µs", 1e6 * outcome.one_row) + " per image"});
    timings.push_back({"prediction, 64 images at a time", format("%.2f µs", 1e6 * outcome.many_rows) + " per image"});
    timings.push_back({"threads in training", options.threads == 0 ? "all cores" : std::to_string(options.threads)});
    timings.push_back({"weights", outcome.weights});
    report.table("Timings", timings);
}
