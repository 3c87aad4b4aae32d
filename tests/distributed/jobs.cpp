// SPDX-License-Identifier: BSL-1.0
// Training with mpirun: the same result as one process, the same bits on all ranks and for any number of them, and an
// end with a clear message when a rank dies.
#include <doctest/doctest.h>

#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

struct Outcome {
    int status;        // of mpirun
    std::string text;  // everything that was printed
    double seconds;
};

// ranks 0: without mpirun.
Outcome job(int ranks, const std::string& arguments)
{
    // For Open MPI; others do not know them. A core may be shared, and tests may run as root, in a container.
    const char* const environment =
        "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 "
        "PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe ASAN_OPTIONS=detect_leaks=0 ";
    std::string command = environment;
    if (ranks > 0) command += "timeout 120 " TENON_MPIEXEC " -n " + std::to_string(ranks) + ' ';
    command += TENON_MPI_JOB " " + arguments + " 2>&1";
    const auto start = std::chrono::steady_clock::now();
    std::FILE* pipe = ::popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    Outcome outcome{};
    char part[512];
    while (const std::size_t count = std::fread(part, 1, sizeof part, pipe)) outcome.text.append(part, count);
    outcome.status = ::pclose(pipe);
    outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return outcome;
}

// What a job that has to succeed printed.
std::string output(int ranks, const std::string& arguments)
{
    const Outcome outcome = job(ranks, arguments);
    CAPTURE(ranks);
    CAPTURE(arguments);
    CAPTURE(outcome.text);
    REQUIRE(outcome.status == 0);
    return outcome.text;
}

std::string after(const std::string& text, const std::string& word)
{
    const std::size_t at = text.find(word + ' ');
    CAPTURE(text);
    REQUIRE(at != std::string::npos);
    const std::size_t begin = at + word.size() + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
}

std::size_t occurrences(const std::string& text, const std::string& word)
{
    std::size_t count = 0;
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
    return count;
}

struct Folder {
    std::filesystem::path path = std::filesystem::current_path() / "distributed_jobs";

    Folder()
    {
        std::filesystem::remove_all(path);
        std::filesystem::create_directory(path);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string operator/(const char* name) const { return (path / name).string(); }
};

// The largest difference between the weights of two jobs, relative to the larger of 1 and the weight.
double difference(const std::string& first, const std::string& second)
{
    std::ifstream a{first}, b{second};
    double x = 0, y = 0, worst = 0;
    std::size_t count = 0;
    for (; (a >> x) && (b >> y); ++count) worst = std::max(worst, std::fabs(x - y) / std::max(1.0, std::fabs(x)));
    REQUIRE(count > 400);
    REQUIRE((b >> y).fail());
    return worst;
}

}  // namespace

TEST_CASE("any number of ranks learns what one process learns with the same global batch")
{
    const Folder folder;
    for (const std::string more : {"", " rows=97 batch=1000", " batch=3 epochs=1 rows=31", " optimizer=adam epochs=1"})
    {
        const std::string alone = output(0, "alone=1 weights=" + (folder / "alone") + more);
        for (const int ranks : {2, 4}) {
            CAPTURE(ranks);
            CAPTURE(more);
            const std::string together = output(ranks, "weights=" + (folder / "together") + more);
            CHECK(difference(folder / "alone", folder / "together") < 1e-5);
            CHECK(after(together, "steps") == after(alone, "steps"));
            double losses[2][4];
            for (int i = 0; i < 2; ++i)
                REQUIRE(std::sscanf(after(i == 0 ? alone : together, "epoch").c_str(), "%*d %lf %lf %lf %lf",
                                    &losses[i][0], &losses[i][1], &losses[i][2], &losses[i][3]) == 4);
            for (int i = 0; i < 4; ++i) CHECK(losses[0][i] == doctest::Approx(losses[1][i]).epsilon(1e-5));
            // Rank 0 alone prints, once an epoch.
            CHECK(occurrences(together, "once\n") == occurrences(together, "epoch "));
        }
    }
}

TEST_CASE("fixed shares: the same bits for any number of ranks and threads")
{
    // Dropout, BatchNorm, several batches to a step, clipping, a last step with fewer rows than shares.
    for (const std::string arguments : {"shares=4", "shares=5 rows=99 batch=24 epochs=2",
                                        "net=cnn optimizer=adam shares=4 epochs=2 rows=51 batch=12"})
    {
        CAPTURE(arguments);
        const std::string one = output(0, arguments);
        for (const int ranks : {2, 3, 4}) {
            CAPTURE(ranks);
            CHECK(output(ranks, arguments) == one);
        }
        CHECK(output(2, arguments + " threads=2") == one);
        // The first of two equal names counts.
        CHECK(output(2, "shares=7 " + arguments) != one);
    }
}

TEST_CASE("ranks that read their own rows")
{
    // All rows in one batch: their order matters to rounding only, so that one process with all rows is the same.
    const Folder folder;
    const std::string all = "net=plain rows=120 batch=500 epochs=5 ";
    const std::string alone = output(0, all + "alone=1 weights=" + (folder / "alone"));
    const std::string together = output(3, all + "own=1 weights=" + (folder / "together"));
    CHECK(difference(folder / "alone", folder / "together") < 1e-5);
    double losses[2][4];
    for (int i = 0; i < 2; ++i)
        REQUIRE(std::sscanf(after(i == 0 ? alone : together, "epoch 5").c_str(), "%lf %lf %lf %lf", &losses[i][0],
                            &losses[i][1], &losses[i][2], &losses[i][3]) == 4);
    for (int i = 0; i < 4; ++i) CHECK(losses[0][i] == doctest::Approx(losses[1][i]).epsilon(1e-5));

    const std::string first = output(3, "own=1 rows=120 batch=24");
    CHECK(output(3, "own=1 rows=120 batch=24") == first);
    CHECK(after(first, "steps") == "15");
    double loss_first = 0, loss_last = 0;
    REQUIRE(std::sscanf(after(first, "epoch 1").c_str(), "%lf", &loss_first) == 1);
    REQUIRE(std::sscanf(after(first, "epoch 3").c_str(), "%lf", &loss_last) == 1);
    CHECK(loss_last < 0.8 * loss_first);
    // With another modifier, more batches to a step, and ranks of 1, 3, 5 rows.
    output(3, "own=1 rows=9 batch=4 optimizer=adam");
    output(4, "own=1 rows=120 batch=24 net=cnn");

    // Killed between two epochs, with three ranks; the next job's two have other parts, and make as many steps.
    const std::string checkpoint = "checkpoint=" + (folder / "run");
    CHECK(job(3, "own=1 rows=120 batch=24 at_step=11 trouble=kill " + checkpoint).status != 0);
    const std::string resumed = output(2, "own=1 rows=120 batch=24 " + checkpoint);
    CHECK(after(resumed, "steps") == "15");
    CHECK(after(resumed, "epoch 2") == after(first, "epoch 2"));
    REQUIRE(std::sscanf(after(resumed, "epoch 3").c_str(), "%lf", &loss_last) == 1);
    CHECK(loss_last < 0.8 * loss_first);
}

TEST_CASE("gradients that are sent while others are computed")
{
    const Folder folder;
    for (const std::string net : {"mlp", "cnn"}) {
        output(4, "net=" + net + " rows=99 batch=25 weights=" + (folder / "at_once"));
        for (const char* const bytes : {"1", "2000", "1000000"}) {
            output(4, "net=" + net + " rows=99 batch=25 overlap=" + bytes + " weights=" + (folder / "overlapped"));
            CHECK(difference(folder / "at_once", folder / "overlapped") < 1e-5);
        }
    }
    // Nothing is computed, and nothing sent, for layers below the first one that learns.
    output(0, "alone=1 optimizer=frozen weights=" + (folder / "alone"));
    for (const char* const how : {"overlap=0", "overlap=1", "shares=5"}) {
        output(4, std::string(how) + " optimizer=frozen weights=" + (folder / "overlapped"));
        CHECK(difference(folder / "alone", folder / "overlapped") < 1e-5);
    }
}

TEST_CASE("loops without fit")
{
    const Folder folder;
    const std::string alone = output(0, "alone=1 loop=1 weights=" + (folder / "alone"));
    for (const std::string exchange : {"", " shares=9"})
        for (const int ranks : {1, 2, 4}) {
            const std::string together = output(ranks, "loop=1 weights=" + (folder / "together") + exchange);
            CHECK(difference(folder / "alone", folder / "together") < 1e-5);
            double losses[2];
            std::size_t correct[2];
            for (int i = 0; i < 2; ++i)
                REQUIRE(std::sscanf(after(i == 0 ? alone : together, "loop").c_str(), "%lf %zu", &losses[i],
                                    &correct[i]) == 2);
            CHECK(losses[0] == doctest::Approx(losses[1]).epsilon(1e-5));
            CHECK(correct[0] == correct[1]);
        }
}

TEST_CASE("a rank that dies ends the job, and its checkpoint goes on with another number of ranks")
{
    const Folder folder;
    const std::string arguments = "shares=4 net=cnn optimizer=adam rows=90 batch=12 ";
    const std::string whole = output(0, arguments);
    for (const char* const trouble : {"kill", "exit"}) {
        const std::string path = folder / trouble;
        const Outcome killed = job(4, arguments + "checkpoint=" + path + " at_step=7 on_rank=2 trouble=" + trouble);
        CAPTURE(killed.text);
        CHECK(killed.status != 0);
        CHECK(killed.seconds < 60);
        CHECK(occurrences(killed.text, "fingerprint") == 0);
        CHECK(occurrences(killed.text, trouble == std::string("kill") ? "signal 9" : "rank 2") > 0);
        REQUIRE(std::filesystem::exists(path));
        // Every two steps, so four are done.
        const std::string resumed = output(2, arguments + "checkpoint=" + path);
        CHECK(after(resumed, "fingerprint") == after(whole, "fingerprint"));
        CHECK(after(resumed, "epoch 3") == after(whole, "epoch 3"));
        // It has ended: nothing more is trained, by any number of ranks.
        CHECK(after(output(3, arguments + "checkpoint=" + path), "fingerprint") == after(whole, "fingerprint"));
    }
}

TEST_CASE("a rank that fails says why, and the others do not wait for it")
{
    const Outcome thrown = job(4, "trouble=throw on_rank=3");
    CAPTURE(thrown.text);
    CHECK(thrown.status != 0);
    CHECK(thrown.seconds < 60);
    CHECK(occurrences(thrown.text, "rank 3 of 4") == 1);
    CHECK(occurrences(thrown.text, "ends the job: the disk is full") == 1);

    const auto fails = [](int ranks, const std::string& arguments, const std::string& why) {
        const Outcome outcome = job(ranks, arguments);
        CAPTURE(outcome.text);
        CHECK(outcome.status != 0);
        CHECK(outcome.seconds < 60);
        CHECK(occurrences(outcome.text, why) > 0);
    };
    fails(2, "trouble=before", "rank 1 of 2");
    fails(2, "trouble=before", "no such file");
    fails(2, "trouble=rows", "rows of the dataset: rank 0 has 101, rank 1 100");
    fails(2, "trouble=corrupt", "rank 1 differs from rank 0 in the weights' fingerprint");
    fails(4, "shares=3", "fixed_shares is 3, expected at least one for each of the 4 ranks");
    fails(2, "shares=4 own=1", "fixed_shares cuts one order of rows");
    fails(2, "shares=4 overlap=8", "overlap_bytes lets MPI order the sums");
}

TEST_CASE("one rank's callback stops all of them")
{
    const std::string stopped = output(3, "trouble=stop on_rank=2 epochs=5");
    CHECK(after(stopped, "steps") == "10");
    CHECK(occurrences(stopped, "epoch ") == 2);
}
