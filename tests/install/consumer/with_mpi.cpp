// SPDX-License-Identifier: BSL-1.0
#include <tenon/distributed/mpi.hpp>
#include <tenon/tenon.hpp>

using namespace tenon;

// One rank, without mpirun.
int main(int argc, char** argv)
{
    return distributed::run(argc, argv, [](const distributed::Mpi& mpi) {
        const data::TensorDataset<Shape<2>, Shape<1>> dataset{{0.0f, 0.0f, 1.0f, 1.0f}, {0.0f, 1.0f}};
        Model<Network<Input<2>, Dense<1>>> model{Seed{1}};
        Trainer trainer{model, MeanSquaredError{}, SGD{}, distributed::DataParallel{mpi}};
        return trainer.fit(dataset, {.progress = Progress::silent}).size() == 1 && mpi.ranks() == 1 ? 0 : 1;
    });
}
