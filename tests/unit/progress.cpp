// SPDX-License-Identifier: BSL-1.0
// What is written, character by character, with a clock of the test's own.
#include <tenon/training/progress.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>

using namespace tenon;

namespace {

double time_now = 0;
double test_clock() { return time_now; }

// What `run` writes to the stream that it is given.
template <class Run>
std::string written(Run run)
{
    std::FILE* file = std::tmpfile();
    REQUIRE(file != nullptr);
    time_now = 100;
    run(file);
    std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
    std::rewind(file);
    REQUIRE(std::fread(text.data(), 1, text.size(), file) == text.size());
    std::fclose(file);
    return text;
}

Epoch epoch(int number)
{
    Epoch result;
    result.number = number;
    result.training = {.loss = 0.5, .accuracy = 0.75};
    result.validation = {.loss = 0.25, .accuracy = 0.875};
    result.seconds = 2.5;
    result.samples_per_second = 24000;
    return result;
}

}  // namespace

TEST_CASE("silent writes nothing")
{
    CHECK(written([](std::FILE* file) {
              ProgressReporter reporter{Progress::silent, 5, 1000, file, test_clock};
              reporter.begin_epoch(1);
              reporter.update(500, 0.5, 0.5);
              reporter.end_epoch(epoch(1), true);
          }).empty());
}

TEST_CASE("lines: one for each epoch, and one each half minute of a long one")
{
    CHECK(written([](std::FILE* file) {
              ProgressReporter reporter{Progress::lines, 12, 1000, file, test_clock};
              reporter.begin_epoch(3);
              time_now += 29;
              reporter.update(240, 0.625, 0.5);
              time_now += 1;
              reporter.update(250, 0.625, 0.5);
              reporter.update(260, 0.625, 0.5);
              reporter.end_epoch(epoch(3), true);
              reporter.begin_epoch(12);
              reporter.end_epoch(epoch(12), false);
          }) ==
          "epoch  3/12  25%, loss 0.6250, accuracy 0.5000, 1:30 left\n"
          "epoch  3/12 2.5 s, 24 k samples/s, loss 0.5000, accuracy 0.7500, val_loss 0.2500, val_accuracy 0.8750\n"
          "epoch 12/12 2.5 s, 24 k samples/s, loss 0.5000, accuracy 0.7500\n");
}

TEST_CASE("bar: drawn over itself ten times a second, wiped by the epoch's line")
{
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(written([&](std::FILE* file) {
              ProgressReporter reporter{Progress::bar, 2, 1000, file, test_clock};
              reporter.begin_epoch(1);
              time_now += 1;
              reporter.update(50, 2.5e-4, nan);
              reporter.update(60, 2.5, nan);  // too soon
              time_now += 9;
              reporter.update(1000, 2.5, nan);
              Epoch regression = epoch(1);
              regression.training.accuracy = nan;
              regression.samples_per_second = 240;
              reporter.end_epoch(regression, false);
          }) ==
          "\repoch 1/2 [=>                  ]   5%, loss 2.500e-04, 0:19 left"
          "\repoch 1/2 [====================] 100%, loss 2.5000, 0:00 left   "
          "\repoch 1/2 2.5 s, 240 samples/s, loss 0.5000                  \n");
}

TEST_CASE("an epoch that is cut short leaves a whole line")
{
    CHECK(written([](std::FILE* file) {
              ProgressReporter reporter{Progress::bar, 1, 0, file, test_clock};
              reporter.begin_epoch(1);
              time_now += 1;
              reporter.update(0, 1e6, 0.5);
          }) == "\repoch 1/1 [====================] 100%, loss 1.000e+06, accuracy 0.5000, 0:00 left\n");
}

TEST_CASE("automatic is lines where the stream is no terminal")
{
    CHECK(written([](std::FILE* file) {
              ProgressReporter reporter{Progress::automatic, 1, 100, file, test_clock};
              reporter.begin_epoch(1);
              time_now += 1;
              reporter.update(50, 1, 0.5);
              reporter.end_epoch(epoch(1), false);
          }) == "epoch 1/1 2.5 s, 24 k samples/s, loss 0.5000, accuracy 0.7500\n");
}
