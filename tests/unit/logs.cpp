// SPDX-License-Identifier: BSL-1.0
// Logs of a run, read back; and what becomes of them when the run is killed and resumed.
#include <tenon/tenon.hpp>
#include <tenon/training/checkpoint.hpp>
#include <tenon/training/logs.hpp>

#include <support/files.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <sstream>

using namespace tenon;
using nlohmann::json;

namespace {

using Points = data::TensorDataset<Shape<4>, data::Label>;
using Net = Network<Input<4>, Dense<8>, ReLU, Dense<3>, Softmax>;

Points points()
{
    Random random{Seed{3}};
    std::vector<float> inputs(50 * 4);
    std::vector<std::int32_t> labels(50);
    for (float& value : inputs) value = static_cast<float>(random.normal());
    for (std::int32_t& label : labels) label = static_cast<std::int32_t>(random.below(3));
    return {inputs, labels, 3};
}

struct Killed {};
struct KillIn {
    std::uint64_t number;
    void step(const StepInfo& info) const
    {
        if (info.number == number) throw Killed{};
    }
};

template <class... Callbacks>
History run(const Points* validation, Callbacks&&... callbacks)
{
    const Points data = points();
    Model<Net> model{Seed{1}};
    Trainer trainer{model, CrossEntropy{}, Adam{.learning_rate = 0.02}, ClipNorm{0.5}};
    return trainer.fit(data,
                       {.epochs = 3,
                        .batch_size = 16,
                        .validation = validation,
                        .schedule = schedules::exponential(0.5),
                        .progress = Progress::silent},
                       callbacks...);
}

std::vector<std::string> lines(const std::string& path)
{
    const support::Bytes bytes = support::read_bytes(path);
    REQUIRE(!bytes.empty());
    CHECK(bytes.back() == '\n');
    std::istringstream text{std::string(bytes.begin(), bytes.end())};
    std::vector<std::string> result;
    for (std::string line; std::getline(text, line);) result.push_back(line);
    return result;
}

std::vector<std::string> fields(const std::string& line)
{
    std::vector<std::string> result(1);
    for (const char c : line)
        if (c == ',')
            result.emplace_back();
        else
            result.back() += c;
    return result;
}

}  // namespace

TEST_CASE("a table of epochs: every digit of what the history has")
{
    support::Folder folder;
    const Points data = points();
    const History history = run(&data, callbacks::CsvLog{folder / "log.csv"});
    const auto text = lines(folder / "log.csv");
    REQUIRE(text.size() == 4);
    CHECK(text[0] == "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds,samples_per_second");
    for (std::size_t e = 0; e < 3; ++e) {
        const auto values = fields(text[e + 1]);
        REQUIRE(values.size() == 8);
        CHECK(values[0] == std::to_string(e + 1));
        CHECK(std::stod(values[1]) == history[e].training.loss);
        CHECK(std::stod(values[2]) == history[e].training.accuracy);
        CHECK(std::stod(values[3]) == history[e].validation.loss);
        CHECK(std::stod(values[4]) == history[e].validation.accuracy);
        CHECK(std::stod(values[5]) == 0.02 * std::pow(0.5, 4.0 * static_cast<double>(e) + 3));
        CHECK(std::stod(values[6]) == history[e].seconds);
        CHECK(std::stod(values[7]) == history[e].samples_per_second);
    }
    // What was not measured is empty, and a new run begins anew.
    run(nullptr, callbacks::CsvLog{folder / "log.csv"});
    REQUIRE(lines(folder / "log.csv").size() == 4);
    CHECK(fields(lines(folder / "log.csv")[1])[3].empty());
    CHECK_THROWS_WITH_AS(run(nullptr, callbacks::CsvLog{folder / "none/log.csv"}),
                         (folder / "none/log.csv: cannot write the log (No such file or directory)").c_str(), Error);
}

TEST_CASE("lines of JSON: hyper-parameters, steps, epochs")
{
    support::Folder folder;
    const History history = run(nullptr, callbacks::JsonLog{folder / "log.jsonl", 2});
    const auto text = lines(folder / "log.jsonl");
    REQUIRE(text.size() == 1 + 3 * 3);
    const json head = json::parse(text[0]);
    CHECK(head["event"] == "run");
    CHECK(head["hyperparameters"]["optimizer"] == "Adam");
    CHECK(head["hyperparameters"]["optimizer.learning_rate"] == "0.02");
    CHECK(head["hyperparameters"]["optimizer.beta_2"] == "0.999");
    CHECK(head["hyperparameters"]["modifiers"] == "ClipNorm");
    CHECK(head["hyperparameters"]["loss"] == "CrossEntropy");
    CHECK(head["hyperparameters"]["parameters"] == std::to_string(Net::parameter_count));
    CHECK(head["hyperparameters"]["dataset_rows"] == "50");
    CHECK(head["hyperparameters"]["seed"] == std::to_string(0x5eed));
    for (std::size_t i = 1, step = 2, epoch = 0; i < text.size(); ++i) {
        const json line = json::parse(text[i]);
        if (i % 3 == 0) {
            CHECK(line["event"] == "epoch");
            CHECK(line["epoch"] == epoch + 1);
            CHECK(line["loss"].get<double>() == history[epoch].training.loss);
            CHECK(line["val_loss"].is_null());
            ++epoch;
        } else {
            CHECK(line["event"] == "step");
            CHECK(line["step"] == step);
            CHECK(line["epoch"] == (step + 3) / 4);
            CHECK(line["rows"] == (step % 4 == 0 ? 2 : 16));
            CHECK(line["loss"].get<double>() > 0);
            CHECK(line["learning_rate"].get<double>() == 0.02 * std::pow(0.5, static_cast<double>(step) - 1));
            CHECK(line["gradient_norm"].get<double>() > 0);
            step += 2;
        }
    }
    CHECK(json::parse(detail::json_text("a\"b\\c\n\x01")) == "a\"b\\c\n\x01");
}

TEST_CASE("a run that is killed and resumed leaves the log of one that was not, but for its seconds")
{
    const auto with = [&](const std::string& folder, std::uint64_t killed, bool log_first) {
        callbacks::Checkpoint checkpoint{folder + "/run", {.every_steps = 3}};
        callbacks::CsvLog csv{folder + "/log.csv"};
        callbacks::JsonLog jsonl{folder + "/log.jsonl", 1};
        callbacks::LearningRateLog rates{.every_steps = 2};
        if (log_first)
            run(nullptr, csv, jsonl, rates, checkpoint, KillIn{killed});
        else
            run(nullptr, checkpoint, csv, jsonl, rates, KillIn{killed});
        return rates.rates;
    };
    const auto without_seconds = [](const std::string& folder) {
        std::vector<std::string> result;
        for (const std::string& line : lines(folder + "/log.csv")) {
            const auto values = fields(line);
            for (std::size_t i = 0; i < 6; ++i) result.push_back(values[i]);
        }
        for (const std::string& line : lines(folder + "/log.jsonl")) {
            json values = json::parse(line);
            values.erase("seconds");
            values.erase("samples_per_second");
            result.push_back(values.dump());
        }
        return result;
    };
    for (const bool log_first : {true, false}) {
        support::Folder whole;
        const auto rates = with(whole.path().string(), 0, log_first);
        CHECK(rates.size() == 6);
        for (std::uint64_t step = 1; step <= 12; ++step) {
            CAPTURE(step);
            support::Folder folder;
            CHECK_THROWS_AS(with(folder.path().string(), step, log_first), Killed);
            CHECK(with(folder.path().string(), 0, log_first) == rates);
            CHECK(without_seconds(folder.path().string()) == without_seconds(whole.path().string()));
        }
    }
}
