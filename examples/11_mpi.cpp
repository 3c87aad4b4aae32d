// SPDX-License-Identifier: BSL-1.0
//
// 11. Many processes, on one machine or on many, train one model:
//         mpirun -n 4 ./11_mpi <folder with the IDX files> [epochs]
#include <tenon/data/idx.hpp>
#include <tenon/distributed/mpi.hpp>
#include <tenon/tenon.hpp>
#include <tenon/training/checkpoint.hpp>

#include <cstdio>
#include <cstdlib>

using namespace tenon;

using Mlp = Network<Input<28, 28, 1>, Flatten, Dense<128>, ReLU, Dropout<Rate<1, 10>>, Dense<10>, Softmax>;

int main(int argc, char** argv)
{
    // run() starts MPI, and says why a rank failed, where one does: the others end with it.
    return distributed::run(argc, argv, [&](const distributed::Mpi& mpi) {
        if (argc < 2) throw Error("usage: mpirun -n 4 11_mpi <folder with the IDX files> [epochs]");
        const int epochs = argc > 2 ? std::atoi(argv[2]) : 5;

        // Every rank sees all rows here, and takes its share of each batch. With {.own_rows = true} each reads files of
        // its own.
        const auto dataset = data::load_idx<Shape<28, 28, 1>>(argv[1]);
        Model<Mlp> model{Seed{42}};

        // One more argument. Eight shares to a batch, whoever computes them: the same bits with 1 to 8 ranks. Without
        // fixed_shares each rank takes one, and the result depends on their number by rounding.
        Trainer trainer{model, CrossEntropy{}, Adam{}, distributed::DataParallel{mpi, {.fixed_shares = 8}}};

        // Written by rank 0. A job that was killed goes on from here, with any number of ranks.
        callbacks::Checkpoint checkpoint{"11_mpi.safetensors"};
        const History history = trainer.fit(dataset.train,
                                            {.epochs = epochs,
                                             .batch_size = 256,  // rows of all ranks together
                                             .validation = &dataset.test,
                                             .threads = mpi.threads()},
                                            checkpoint);

        if (mpi.rank() == 0)
            std::printf("%zu ranks, test accuracy %.4f, fingerprint %016llx\n", mpi.ranks(),
                        history.empty() ? 0.0 : history.back().validation.accuracy,
                        static_cast<unsigned long long>(model.parameters().fingerprint()));
    });
}
