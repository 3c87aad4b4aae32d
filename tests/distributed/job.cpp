// SPDX-License-Identifier: BSL-1.0
// The program that mpirun starts in these tests: trains a small network as its arguments (name=value) say, and rank 0
// prints what came out. "alone=1" trains with a plain Trainer, without MPI's part in it.
#include <tenon/distributed/mpi.hpp>
#include <tenon/tenon.hpp>
#include <tenon/training/checkpoint.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

using namespace tenon;
using distributed::DataParallel;
using distributed::Mpi;

namespace {

using Mlp = Network<Input<20>, Dense<33>, Tanh, Dropout<Rate<1, 4>>, Residual<Dense<33>, ReLU>,
                    Concat<Dense<5>, Sequential<Dense<7>, ELU>>, Dense<5>, Softmax>;
using Cnn = Network<Input<8, 8, 2>, Conv2D<6, Kernel<3>>, BatchNorm, ReLU, MaxPool2D<2>, Dropout<Rate<1, 4>>, Flatten,
                    Dense<5>, Softmax>;

// Without anything that depends on a row's place in its batch.
using Plain = Network<Input<20>, Dense<33>, Tanh, Dense<5>, Softmax>;

struct Arguments {
    int count;
    char** values;

    std::string text(const std::string& name, const std::string& otherwise) const
    {
        for (int i = 1; i < count; ++i) {
            const std::string argument = values[i];
            if (argument.compare(0, name.size() + 1, name + "=") == 0) return argument.substr(name.size() + 1);
        }
        return otherwise;
    }
    long number(const std::string& name, long otherwise) const
    {
        return std::stol(text(name, std::to_string(otherwise)));
    }
    std::size_t size(const std::string& name, long otherwise) const
    {
        return static_cast<std::size_t>(number(name, otherwise));
    }
};

template <class Net>
using Points = data::TensorDataset<typename Net::input_shape, data::Label>;

// Rows [first, first + rows) of an endless dataset.
template <class Net>
Points<Net> points(std::size_t first, std::size_t rows)
{
    std::vector<float> inputs;
    std::vector<std::int32_t> labels;
    for (std::size_t row = first; row < first + rows; ++row) {
        Random random{Seed{11}, row};
        labels.push_back(static_cast<std::int32_t>(random.below(5)));
        for (std::size_t i = 0; i < Net::input_shape::size; ++i)
            inputs.push_back(static_cast<float>(random.normal()) +
                             (static_cast<std::int32_t>(i % 5) == labels.back() ? 1.0f : 0.0f));
    }
    return {inputs, labels, 5};
}

// What goes wrong on purpose, on one rank.
struct Trouble {
    const Mpi& mpi;
    Arguments arguments;

    bool here() const { return mpi.rank() == arguments.size("on_rank", 1); }

    template <class Model>
    void step(const StepInfo& info, Model& model)
    {
        if (!here() || info.number != arguments.size("at_step", 5)) return;
        const std::string what = arguments.text("trouble", "");
        if (what == "kill") std::raise(SIGKILL);
        if (what == "exit") std::exit(0);
        if (what == "throw") throw Error("the disk is full");
        if (what == "corrupt") model.parameters().data()[0] += 1e-6f;
    }
    After operator()(const Epoch& epoch)
    {
        return arguments.text("trouble", "") == "stop" && here() && epoch.number == 2 ? After::stop : After::proceed;
    }
};

template <class Net, class Trainer>
void report(const Arguments& arguments, const Trainer& trainer, const Model<Net>& model)
{
    std::printf("steps %llu\nfingerprint %016llx\n", static_cast<unsigned long long>(trainer.steps()),
                static_cast<unsigned long long>(model.parameters().fingerprint()));
    if (const std::string path = arguments.text("weights", ""); !path.empty()) {
        std::ofstream file{path};
        file.precision(9);
        for (const SlotInfo& slot : model.parameters().slots())
            for (std::size_t i = 0; i < slot.size; ++i) file << model.parameters().logical(slot, i) << '\n';
    }
}

template <class Net, class Trainer, class... Callbacks>
void fit(const Arguments& arguments, bool first, Trainer& trainer, Model<Net>& model, const Points<Net>& dataset,
         const Points<Net>& validation, Callbacks&&... callbacks)
{
    const History history = trainer.fit(dataset,
                                        {.epochs = static_cast<int>(arguments.number("epochs", 3)),
                                         .batch_size = static_cast<int>(arguments.number("batch", 24)),
                                         .validation = &validation,
                                         .threads = static_cast<int>(arguments.number("threads", 1)),
                                         .progress = Progress::silent},
                                        callbacks...);
    if (!first) return;
    for (const Epoch& epoch : history)
        std::printf("epoch %d %a %a %a %a\n", epoch.number, epoch.training.loss, epoch.training.accuracy,
                    epoch.validation.loss, epoch.validation.accuracy);
    report(arguments, trainer, model);
}

// The rows of an epoch one after the other, in a loop without fit.
template <class Net, class Trainer>
void loop(const Arguments& arguments, std::size_t rank, std::size_t ranks, Trainer& trainer, Model<Net>& model)
{
    constexpr std::size_t rows = 96, batch = 12, size = Net::input_shape::size;
    const Points<Net> dataset = points<Net>(0, rows);
    std::vector<float> inputs(batch * size);
    std::vector<std::int32_t> labels(batch);
    std::vector<std::uint32_t> numbers(batch);
    double sum = 0.0;
    std::size_t correct = 0;
    for (std::size_t first = 0; first < rows; first += batch) {
        for (std::size_t i = 0; i < batch; ++i) numbers[i] = static_cast<std::uint32_t>(first + i);
        dataset.gather(numbers, inputs.data(), labels.data());
        // The last rank gets fewer rows, or none.
        const std::size_t share = batch / ranks + 1, begin = std::min(share * rank, batch);
        const std::size_t end = std::min(begin + share, batch);
        sum += trainer.step(end - begin, inputs.data() + begin * size, labels.data() + begin, &correct);
    }
    if (rank == 0) {
        std::printf("loop %a %zu\n", sum, correct);
        report(arguments, trainer, model);
    }
}

template <class Net, class... Exchange>
int run(const Arguments& arguments, const Mpi& mpi, const Exchange&... exchange)
{
    // Other first weights on each rank: those of the first one count.
    Model<Net> model{Seed{sizeof...(Exchange) == 0 ? 3 : 3 + mpi.rank()}};
    if (arguments.number("loop", 0) != 0) {
        Model<Net> same{Seed{3}};
        Trainer trainer{same, CrossEntropy{}, SGD{.learning_rate = 0.05}, Accumulate{1}, exchange...};
        loop(arguments, mpi.rank(), mpi.ranks(), trainer, same);
        return 0;
    }
    const std::size_t rows = arguments.size("rows", 101);
    const bool own = arguments.number("own", 0) != 0;
    // Own rows: parts of unequal size, one behind the other.
    const std::size_t first = own ? rows * mpi.rank() * mpi.rank() / (mpi.ranks() * mpi.ranks()) : 0;
    const std::size_t end = own ? rows * (mpi.rank() + 1) * (mpi.rank() + 1) / (mpi.ranks() * mpi.ranks()) : rows;
    const std::size_t missing = arguments.text("trouble", "") == "rows" && mpi.rank() == 1 ? 1 : 0;
    const Points<Net> dataset = points<Net>(first, end - first - missing);
    const Points<Net> validation = points<Net>(1000 + first, end - first);

    const auto with = [&](auto& trainer) {
        if (const std::string path = arguments.text("checkpoint", ""); !path.empty()) {
            callbacks::Checkpoint checkpoint{path, {.every_steps = 2}};
            fit(arguments, mpi.rank() == 0, trainer, model, dataset, validation, checkpoint, Trouble{mpi, arguments});
        } else {
            fit(arguments, mpi.rank() == 0, trainer, model, dataset, validation, Trouble{mpi, arguments},
                distributed::on_first_rank([](const Epoch&) { std::printf("once\n"); }));
        }
    };
    if (arguments.text("optimizer", "sgd") == "adam") {
        Trainer trainer{model,    CrossEntropy{}, Adam{.learning_rate = 0.01}, Accumulate{2}, ClipNorm{0.5},
                        L2{1e-3}, exchange...};
        with(trainer);
    } else if (arguments.text("optimizer", "sgd") == "frozen") {
        Trainer trainer{model, CrossEntropy{}, SGD{.learning_rate = 0.05}, freeze("dense_1"), exchange...};
        with(trainer);
    } else {
        Trainer trainer{model, CrossEntropy{}, SGD{.learning_rate = 0.05, .momentum = 0.9}, exchange...};
        with(trainer);
    }
    return 0;
}

template <class Net>
int run_exchange(const Arguments& arguments, const Mpi& mpi)
{
    if (arguments.number("alone", 0) != 0) return run<Net>(arguments, mpi);
    return run<Net>(arguments, mpi,
                    DataParallel{mpi,
                                 {.fixed_shares = arguments.size("shares", 0),
                                  .own_rows = arguments.number("own", 0) != 0,
                                  .overlap_bytes = arguments.size("overlap", 0)}});
}

}  // namespace

int main(int argc, char** argv)
{
    return distributed::run(argc, argv, [&](const Mpi& mpi) {
        const Arguments arguments{argc, argv};
        if (arguments.text("trouble", "") == "before" && mpi.rank() == 1) throw Error("no such file");
        const std::string net = arguments.text("net", "mlp");
        return net == "cnn"     ? run_exchange<Cnn>(arguments, mpi)
               : net == "plain" ? run_exchange<Plain>(arguments, mpi)
                                : run_exchange<Mlp>(arguments, mpi);
    });
}
