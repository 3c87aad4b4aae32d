// SPDX-License-Identifier: BSL-1.0
//
// The demo: trains 784-128-10, then the small convolutional network, on Fashion-MNIST (or MNIST). Each is validated after
// each epoch, saved, read back, evaluated and timed; one HTML report has all of it. The last line printed is its path.
//    tenon_demo <folder with the four IDX files> <report.html> [--only mlp|cnn] [--epochs N] [--threads N] …
#include "networks.hpp"
#include "train.hpp"

#include <tenon/data/idx.hpp>

#include <CLI/CLI.hpp>

using namespace tenon;

int run(const Options& options)
{
    const auto dataset = data::load_idx<Shape<28, 28, 1>>(options.data);
    const ClassNames names = class_names(options.data);
    std::printf("%s: %zu training and %zu test images\n\n", options.data.c_str(), dataset.train.size(),
                dataset.test.size());
    std::vector<Outcome> outcomes;
    if (options.only != "cnn") outcomes.push_back(train<Mlp>("784-128-10", "mlp.safetensors", dataset, names, options));
    if (options.only != "mlp")
        outcomes.push_back(train<Cnn>("Convolutional network", "cnn.safetensors", dataset, names, options));

    Report report{"Networks on " + names.title,
                  grouped(dataset.train.size()) + " training and " + grouped(dataset.test.size()) + " test images, " +
                      std::to_string(options.epochs) + (options.epochs == 1 ? " epoch" : " epochs") +
                      ", Adam, batches of " + std::to_string(options.batch_size) + "; " + build_and_machine()};
    std::vector<std::string> columns;
    std::vector<ComparisonRow> rows{{"test accuracy", {}},
                                    {"among the best three", {}},
                                    {"test loss", {}},
                                    {"parameters", {}},
                                    {"multiply-adds for one image", {}},
                                    {"training, samples per second", {}},
                                    {"prediction, one image at a time", {}},
                                    {"prediction, 64 images at a time, each", {}}};
    std::vector<Fact> figures;
    for (const Outcome& outcome : outcomes) {
        columns.push_back(outcome.name);
        figures.push_back({"test accuracy, " + outcome.name, format("%.2f %%", 100 * outcome.test.accuracy)});
        std::size_t row = 0;
        for (const std::string& value :
             {format("%.2f %%", 100 * outcome.test.accuracy), format("%.2f %%", 100 * outcome.best_three),
              format("%.4f", outcome.test.loss), grouped(outcome.parameters), grouped(outcome.macs),
              grouped(outcome.samples_per_second), format("%.2f µs", 1e6 * outcome.one_row),
              format("%.2f µs", 1e6 * outcome.many_rows)})
            rows[row++].values.push_back(value);
    }
    report.figures(figures).comparison("Side by side", columns, rows);
    for (const Outcome& outcome : outcomes) {
        std::printf("%-22s test accuracy %.4f, %.0f samples/s in training, %.2f us for one image\n",
                    outcome.name.c_str(), outcome.test.accuracy, outcome.samples_per_second, 1e6 * outcome.one_row);
        add_chapter(report, outcome, dataset, names, options);
    }
    write_report(options.report, report);
    std::printf("%s\n", options.report.c_str());
    return 0;
}

int main(int argc, char** argv)
{
    Options options;
    CLI::App app{"Trains two networks on Fashion-MNIST or MNIST and writes a report."};
    app.add_option("data", options.data, "folder with the four IDX files, plain or .gz")->required();
    app.add_option("report", options.report, "HTML file to write")->required();
    app.add_option("--only", options.only, "mlp or cnn (default: both)")->check(CLI::IsMember({"mlp", "cnn"}));
    app.add_option("--weights", options.weights, "folder for the safetensors files (default: the report's)");
    app.add_option("--epochs", options.epochs, "passes over the training images")
        ->capture_default_str()
        ->check(CLI::Range(1, 10000));
    app.add_option("--batch-size", options.batch_size, "images per step")
        ->capture_default_str()
        ->check(CLI::Range(1, 60000));
    app.add_option("--threads", options.threads, "in training; 0: all cores. Any number gives the same bits")
        ->capture_default_str()
        ->check(CLI::Range(0, 1024));
    app.add_option("--learning-rate", options.learning_rate, "Adam's learning rate")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--seed", options.seed, "of the first weights and of the order of the images")
        ->capture_default_str();
    app.add_flag("--quiet", options.quiet, "show no progress");
    CLI11_PARSE(app, argc, argv);
    if (options.weights.empty()) {
        const std::size_t slash = options.report.find_last_of('/');
        if (slash != std::string::npos) options.weights = options.report.substr(0, slash + 1);
    } else if (options.weights.back() != '/') {
        options.weights += '/';
    }
    try {
        return run(options);
    } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
