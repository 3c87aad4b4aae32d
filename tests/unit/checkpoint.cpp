// SPDX-License-Identifier: BSL-1.0
// Checkpoints: a run that is killed anywhere, be it at any system call of a write, goes on to the bits of a run that was
// not; damaged files are passed over; what belongs to another run is refused.
#include <tenon/data/transforms.hpp>
#include <tenon/tenon.hpp>
#include <tenon/training/checkpoint.hpp>

#include <support/files.hpp>

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <thread>
#include <utility>

using namespace tenon;
using callbacks::Checkpoint;

namespace {

using Points = data::TensorDataset<Shape<6>, data::Label>;
// Dropout draws by step, BatchNorm has statistics besides its weights.
using Net = Network<Input<6>, Dense<17>, BatchNorm, ReLU, Dropout<Rate<1, 4>>, Dense<5>, Softmax>;

Points points(std::size_t count = 83, std::uint64_t seed = 3)
{
    Random random{Seed{seed}};
    std::vector<float> inputs(count * 6);
    std::vector<std::int32_t> labels(count);
    for (float& value : inputs) value = static_cast<float>(random.normal());
    for (std::int32_t& label : labels) label = static_cast<std::int32_t>(random.below(5));
    return {inputs, labels, 5};
}

FitOptions<Points> how_to(const Points& validation, int epochs = 4)
{
    return {.epochs = epochs,
            .batch_size = 8,
            .validation = &validation,
            .schedule = schedules::cosine(44, {.warmup_steps = 5}),
            .progress = Progress::silent,
            .seed = Seed{21}};
}

// Everything by which two runs could differ, but for their seconds.
struct Outcome {
    std::uint64_t weights = 0, steps = 0;
    std::vector<double> history;

    bool operator==(const Outcome&) const = default;
};

template <class Trainer, class... Callbacks>
Outcome outcome(Trainer& trainer, const Points& train, const FitOptions<Points>& how, Callbacks&&... callbacks)
{
    const History history = trainer.fit(train, how, callbacks...);
    Outcome result{trainer.model().parameters().fingerprint(), trainer.steps(), {}};
    for (const Epoch& epoch : history)
        result.history.insert(result.history.end(), {double(epoch.number), epoch.training.loss, epoch.training.accuracy,
                                                     epoch.validation.loss, epoch.validation.accuracy});
    return result;
}

struct Killed {};

// Ends a run in a given step, with its process or by an exception.
struct KillIn {
    std::uint64_t number;
    void step(const StepInfo& info) const
    {
        if (info.number == number) throw Killed{};
    }
};

// A whole run, in one piece or from a checkpoint: as a program that is started again.
template <class Optimizer, class... Callbacks>
Outcome program_on(const Points& train, const Optimizer& optimizer, const FitOptions<Points>& how,
                   Callbacks&&... callbacks)
{
    Model<Net> model{Seed{2}};
    Trainer trainer{model, CrossEntropy{}, optimizer};
    return outcome(trainer, train, how, callbacks...);
}
template <class Optimizer, class... Callbacks>
Outcome program(const Optimizer& optimizer, const FitOptions<Points>& how, Callbacks&&... callbacks)
{
    return program_on(points(), optimizer, how, callbacks...);
}

// Counts system calls, and ends the process at one of them, before or after the call.
struct DyingSystem : io::PosixSystem {
    inline static long countdown = -1;
    template <class Call>
    static auto count(Call call)
    {
        if (countdown-- == 0) _exit(9);
        const auto result = call();
        if (countdown-- == 0) _exit(9);
        return result;
    }
    static int open(const char* path, int flags, mode_t mode)
    {
        return count([&] { return PosixSystem::open(path, flags, mode); });
    }
    static ssize_t write(int file, const void* bytes, std::size_t size)
    {
        // In two halves, so that a process can die between them.
        const std::size_t half = size > 1 ? size / 2 : size;
        return count([&] { return PosixSystem::write(file, bytes, half); });
    }
    static int fsync(int file)
    {
        return count([&] { return PosixSystem::fsync(file); });
    }
    static int close(int file)
    {
        return count([&] { return PosixSystem::close(file); });
    }
    static int rename(const char* from, const char* to)
    {
        return count([&] { return PosixSystem::rename(from, to); });
    }
    static int link(const char* from, const char* to)
    {
        return count([&] { return PosixSystem::link(from, to); });
    }
    static int unlink(const char* path)
    {
        return count([&] { return PosixSystem::unlink(path); });
    }
};

// Steps that the checkpoint at `path` has taken; throws where there is none that is whole.
std::uint64_t steps_of(const std::string& path)
{
    io::SafetensorsFile file;
    if (Status status = detail::ReadState::open(path, file); !status) throw Error(status.error());
    return file.values<std::uint64_t>("training/steps")[0];
}

// The exit status of a child that runs f.
template <class F>
int in_child(F&& f)
{
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        try {
            f();
        } catch (...) {
            _exit(3);
        }
        _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

TEST_CASE("killed in any step, a run ends with the bits of one that was not")
{
    const Points test = points(20, 4);
    const auto how = how_to(test);
    const auto tried = [&](const auto& optimizer) {
        const Outcome whole = program(optimizer, how);
        CHECK(whole.steps == 44);
        for (std::uint64_t step = 1; step <= 44; step += 6) {
            CAPTURE(step);
            support::Folder folder;
            // The checkpoint of the step before: every second step is written down.
            const CheckpointOptions often{.every_steps = 2};
            Checkpoint first{folder / "run.safetensors", often};
            CHECK_THROWS_AS(program(optimizer, how, KillIn{step}, first), Killed);
            CHECK(first.resumed_from().empty());
            Checkpoint second{folder / "run.safetensors", often};
            CHECK(program(optimizer, how, KillIn{0}, second) == whole);
            CHECK(second.resumed_from().empty() == (step <= 2));
        }
    };
    tried(Adam{.learning_rate = 0.01});
    tried(SGD{.learning_rate = 0.1, .momentum = 0.9});
}

TEST_CASE("killed and resumed again and again, by epochs alone, and when all is over")
{
    const Points test = points(20, 4);
    const auto how = how_to(test);
    const Outcome whole = program(AdamW{}, how);
    support::Folder folder;
    for (const std::uint64_t step : {15u, 16u, 30u, 43u}) {
        Checkpoint checkpoint{folder / "run.safetensors"};
        CHECK_THROWS_AS(program(AdamW{}, how, KillIn{step}, checkpoint), Killed);
    }
    CHECK(steps_of(folder / "run.safetensors") == 33);
    CHECK(steps_of(folder / "run.safetensors.1") == 22);
    const auto again = [&] {
        Checkpoint checkpoint{folder / "run.safetensors"};
        return program(AdamW{}, how, KillIn{0}, checkpoint);
    };
    CHECK(again() == whole);
    CHECK(steps_of(folder / "run.safetensors") == 44);
    CHECK(again() == whole);  // nothing was left to do
    CHECK(folder.entries() == 2);
    // Two epochs more: the orders and steps of a run of six.
    auto longer = how;
    longer.epochs = 6;
    Checkpoint checkpoint{folder / "run.safetensors"};
    const Outcome six = program(AdamW{}, longer, KillIn{0}, checkpoint);
    CHECK(six == program(AdamW{}, longer));
    CHECK(six.history.size() == 6 * 5);
}

TEST_CASE("what callbacks keep comes back: early stopping, a reduced rate")
{
    const Points test = points(20, 4);
    auto how = how_to(test, 30);
    how.schedule = {};
    const auto with = [&](std::uint64_t killed, auto&&... more) {
        callbacks::EarlyStopping early{.patience = 9};
        callbacks::ReduceOnPlateau plateau{.factor = 0.5, .patience = 1};
        return program(Adam{.learning_rate = 0.05}, how, early, plateau, KillIn{killed}, more...);
    };
    const Outcome whole = with(0);
    const std::uint64_t last = whole.steps;
    REQUIRE(last < 30 * 11);  // stopped early
    for (const std::uint64_t step : {last - 1, last - 10, last - 12, last - 35, last - 60}) {
        CAPTURE(step);
        support::Folder folder;
        Checkpoint first{folder / "run", {.every_steps = 4}};
        CHECK_THROWS_AS(with(step, first), Killed);
        Checkpoint second{folder / "run", {.every_steps = 4}};
        CHECK(with(0, second) == whole);
        CHECK(!second.resumed_from().empty());
        // The run was stopped: nothing is trained, and the best weights come back.
        Checkpoint third{folder / "run", {.every_steps = 4}};
        CHECK(with(0, third) == whole);
    }
}

TEST_CASE("with modifiers: accumulated steps, the average of the weights, moments of more than one kind")
{
    const Points test = points(20, 4), train = points();
    const auto how = how_to(test);
    const auto with = [&](std::uint64_t killed, auto&&... more) {
        Model<Net> model{Seed{2}};
        Trainer trainer{model,         CrossEntropy{},   RMSProp{.momentum = 0.5}, Accumulate{3}, AverageWeights{},
                        ClipNorm{0.5}, freeze("dense_2")};
        const Outcome result = outcome(trainer, train, how, KillIn{killed}, more...);
        return std::pair{result, trainer.average().parameters().fingerprint()};
    };
    const auto whole = with(0);
    CHECK(whole.first.steps == 16);
    for (const std::uint64_t step : {3u, 4u, 5u, 6u, 14u}) {
        CAPTURE(step);
        support::Folder folder;
        CHECK_THROWS_AS(with(step, Checkpoint{folder / "run", {.every_steps = 2}}), Killed);
        CHECK(with(0, Checkpoint{folder / "run", {.every_steps = 2}}) == whole);
    }
}

TEST_CASE("SIGKILL at fifty random moments: no checkpoint is torn or lost, and the parameters are the same")
{
    using clock = std::chrono::steady_clock;
    const Points test = points(20, 4), train = points(2000);
    auto how = how_to(test, 4);
    how.schedule = schedules::cosine(1000);
    const Outcome whole = program_on(train, Adam{}, how);
    support::Folder folder;
    const std::string path = folder / "run.safetensors";
    // Written by the child, read here: the step of the last checkpoint that write() has come back from, how many of them
    // this child has written, and what the last step took it, however slow the machine.
    struct Shared {
        std::atomic<std::uint64_t> step{0}, count{0}, microseconds{5000};
    };
    void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    auto* shared = new (memory) Shared;
    struct Report {
        Shared* shared;
        clock::time_point before = clock::now();
        void checkpoint(Run& run)
        {
            const auto took = std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - before);
            before = clock::now();
            shared->microseconds = static_cast<std::uint64_t>(took.count()) + 1;
            shared->step = run.steps();
            ++shared->count;
        }
    };
    Random random{Seed{50}};
    std::uint64_t kept = 0;
    int killed = 0, in_a_write = 0;
    for (int i = 0; i < 50; ++i) {
        shared->count = 0;
        const pid_t child = fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            Checkpoint checkpoint{path, {.every_steps = 1, .keep = 2}};
            program_on(train, Adam{}, how, checkpoint, Report{shared});
            _exit(0);
        }
        // After none to three checkpoints, anywhere in the two steps that follow.
        const std::uint64_t count = random.below(4);
        for (const auto limit = clock::now() + std::chrono::seconds(60); shared->count < count && clock::now() < limit;)
            std::this_thread::yield();
        std::this_thread::sleep_for(std::chrono::microseconds(random.below(2 * shared->microseconds)));
        kill(child, SIGKILL);
        int status = 0;
        REQUIRE(waitpid(child, &status, 0) == child);
        killed += WIFSIGNALED(status);
        in_a_write += std::filesystem::exists(path + ".partial");
        if (shared->step == 0) continue;
        const std::uint64_t steps = steps_of(path);
        CHECK(steps >= shared->step);
        CHECK(steps <= std::max(shared->step.load(), kept) + 1);
        CHECK(steps >= kept);
        kept = steps;
        CHECK(folder.entries() <= 4);  // what died in a write is cleared away by the next
    }
    CHECK(killed == 50);
    MESSAGE("killed in a write: ", in_a_write, " times; steps by then: ", kept);
    CHECK(in_a_write > 0);
    CHECK(kept > 0);
    CHECK(kept < whole.steps);
    Checkpoint last{path, {.every_epochs = 40}};
    CHECK(program_on(train, Adam{}, how, last) == whole);
    CHECK(!last.resumed_from().empty());
    munmap(memory, sizeof(Shared));
}

TEST_CASE("a process that dies at any system call of a write leaves a whole checkpoint")
{
    const Points test = points(20, 4), train = points(80);
    const auto how = how_to(test, 1);
    const Outcome whole = program_on(train, Adam{}, how);
    CHECK(whole.steps == 10);
    using Dying = callbacks::BasicCheckpoint<DyingSystem>;
    for (const int keep : {0, 1, 3}) {
        CAPTURE(keep);
        const CheckpointOptions often{.every_steps = 4, .keep = keep};
        support::Folder begun;
        {
            Checkpoint checkpoint{begun / "run", often};
            CHECK_THROWS_AS(program_on(train, Adam{}, how, KillIn{5}, checkpoint), Killed);
        }
        CHECK(steps_of(begun / "run") == 4);
        long calls = 0;
        for (;; ++calls) {
            // Behind that checkpoint a second one, in step 8, with the death in it.
            support::Folder folder;
            const std::string path = folder / "run";
            std::filesystem::copy(begun.path(), folder.path(), std::filesystem::copy_options::recursive);
            const int status = in_child([&] {
                DyingSystem::countdown = calls;
                Dying checkpoint{path, often};
                try {
                    program_on(train, Adam{}, how, KillIn{9}, checkpoint);
                } catch (const Killed&) {
                    _exit(0);
                }
            });
            if (status == 0) break;
            REQUIRE(status == 9);
            CAPTURE(calls);
            const std::uint64_t steps = steps_of(path);
            CHECK((steps == 4 || steps == 8));
            Checkpoint checkpoint{path, often};
            CHECK(program_on(train, Adam{}, how, checkpoint) == whole);
            CHECK(checkpoint.resumed_from() == path);
            CHECK(folder.entries() <= static_cast<std::size_t>(keep) + 1);
        }
        CHECK(calls > 20);  // open, writes, fsync, link, close, rename, the folder: before and after
    }
}

TEST_CASE("damage is seen: another bit anywhere, or a shorter file; the one before is taken")
{
    const Points test = points(20, 4);
    const auto how = how_to(test, 2);
    support::Folder folder;
    const std::string path = folder / "run";
    {
        Checkpoint checkpoint{path, {.every_steps = 5}};
        CHECK_THROWS_AS(program(Adam{}, how, KillIn{13}, checkpoint), Killed);
    }
    const support::Bytes good = support::read_bytes(path);
    std::size_t refused = 0, damaged_files = 0;
    const std::string copy = folder / "copy";
    const auto look = [&](const support::Bytes& damaged) {
        support::write_bytes(copy, damaged);
        io::SafetensorsFile file;
        refused += !detail::ReadState::open(copy, file);
        ++damaged_files;
    };
    for (std::size_t size = 0; size < good.size(); size += 97)
        look({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)});
    Random random{Seed{1}};
    for (int i = 0; i < 400; ++i) {
        support::Bytes damaged = good;
        const std::size_t bit = static_cast<std::size_t>(random.below(good.size() * 8));
        damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1u << bit % 8));
        look(damaged);
    }
    look(support::operator+(good, support::Bytes(1, 0)));
    CHECK(refused == damaged_files);

    const Outcome whole = program(Adam{}, how);
    support::Bytes damaged = good;
    damaged[good.size() / 2] ^= 1;
    support::write_bytes(path, damaged);
    Checkpoint checkpoint{path, {.every_steps = 5}};
    CHECK(program(Adam{}, how, KillIn{0}, checkpoint) == whole);
    CHECK(checkpoint.resumed_from() == path + ".1");

    // None that is whole: said, not begun anew.
    support::write_bytes(path, damaged);
    support::write_bytes(path + ".1", damaged);
    Checkpoint none{path};
    std::string message;
    try {
        program(Adam{}, how, KillIn{0}, none);
    } catch (const Error& error) {
        message = error.what();
    }
    CHECK(message == path + ": checksum: the file is damaged, or is not a checkpoint; " + path +
                         ".1: checksum: the file is damaged, or is not a checkpoint");
    Checkpoint anew{path, {.resume = false}};
    CHECK(program(Adam{}, how, KillIn{0}, anew) == whole);
}

TEST_CASE("another run's checkpoint is refused, and the run left as it was")
{
    const Points test = points(20, 4), train = points();
    const auto how = how_to(test, 1);
    support::Folder folder;
    const std::string path = folder / "run";
    {
        Checkpoint checkpoint{path};
        program(Adam{}, how, checkpoint);
    }
    const auto refused = [&](auto& trainer, const Points& on, const FitOptions<Points>& with, auto&&... before) {
        const std::uint64_t weights = trainer.model().parameters().fingerprint();
        std::string message;
        try {
            trainer.fit(on, with, before..., Checkpoint{path});
        } catch (const Error& error) {
            message = error.what();
        }
        CHECK(trainer.model().parameters().fingerprint() == weights);
        CHECK(trainer.steps() == 0);
        return message;
    };
    Model<Net> model{Seed{9}};
    Trainer adam{model, CrossEntropy{}, Adam{}};
    auto other = how;
    other.batch_size = 16;
    CHECK(refused(adam, train, other) == path + ": rows of a batch: the checkpoint has 8, this run 16");
    other = how;
    other.seed = Seed{1};
    CHECK(refused(adam, train, other) == path + ": the seed: the checkpoint has 21, this run 1");
    other = how;
    other.shuffle = false;
    CHECK(refused(adam, train, other) == path + ": shuffle (1: yes): the checkpoint has 1, this run 0");
    CHECK(refused(adam, test, how) == path + ": rows of the dataset: the checkpoint has 83, this run 20");
    CHECK(
        refused(adam, train, how, callbacks::EarlyStopping{}).find("expected a tensor 'callback_1/best', found none") !=
        std::string::npos);
    Trainer sgd{model, CrossEntropy{}, SGD{}};
    CHECK(refused(sgd, train, how) == path + ": moments of the optimiser: the checkpoint has 2, this run 1");
    Model<Network<Input<6>, Dense<5>, Softmax>> small{Seed{1}};
    Trainer trainer{small, CrossEntropy{}, Adam{}};
    CHECK(refused(trainer, train, how).find("the checkpoint belongs to another network (topology ") !=
          std::string::npos);
    save(model, path);
    CHECK(refused(adam, train, how).find("checksum: the file is damaged, or is not a checkpoint") != std::string::npos);
}

TEST_CASE("load takes a checkpoint's weights; the metadata say how they were made")
{
    const Points test = points(20, 4), train = points();
    support::Folder folder;
    const std::string path = folder / "run";
    Model<Net> model{Seed{2}}, loaded{uninitialized};
    Trainer trainer{model, CrossEntropy{}, Adam{.learning_rate = 0.004}};
    trainer.fit(train, how_to(test, 2), Checkpoint{path});
    load(loaded, path);
    CHECK(loaded.parameters().fingerprint() == model.parameters().fingerprint());
    io::SafetensorsFile file{path};
    const auto metadata = [&](const char* key) {
        const std::size_t at = file.header().find_metadata(key);
        return at == io::SafetensorsHeader::none ? std::string("none") : std::string(file.header().metadata_value(at));
    };
    CHECK(metadata("tenon.run.optimizer") == "Adam");
    CHECK(metadata("tenon.run.optimizer.learning_rate") == "0.004");
    CHECK(metadata("tenon.run.loss") == "CrossEntropy");
    CHECK(metadata("tenon.run.batch_size") == "8");
    CHECK(metadata("tenon.run.seed") == "21");
}

TEST_CASE("a write that fails says so, and leaves what was there")
{
    struct FullDisk : io::PosixSystem {
        static int fsync(int)
        {
            errno = ENOSPC;
            return -1;
        }
    };
    const Points test = points(20, 4);
    const auto how = how_to(test, 1);
    support::Folder folder;
    const std::string path = folder / "run";
    {
        Checkpoint checkpoint{path, {.every_steps = 3}};
        CHECK_THROWS_AS(program(Adam{}, how, KillIn{7}, checkpoint), Killed);
    }
    callbacks::BasicCheckpoint<FullDisk> full{path};
    CHECK_THROWS_WITH_AS(program(Adam{}, how, full), doctest::Contains("cannot flush it to the disk"), Error);
    CHECK(steps_of(path) == 6);
    CHECK(steps_of(path + ".1") == 3);  // nothing was moved on either
    CHECK(folder.entries() == 2);
    CHECK_THROWS_WITH_AS(program(Adam{}, how, Checkpoint{folder / "none/run"}), doctest::Contains("cannot"), Error);
    CHECK_THROWS_WITH_AS((Checkpoint{path, {.keep = -1}}), "tenon: Checkpoint: keep is -1, expected 0 or more", Error);
}
