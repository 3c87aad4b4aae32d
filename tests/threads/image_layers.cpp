// SPDX-License-Identifier: BSL-1.0
// The layers that make images larger, normalise groups of channels and drop whole channels: the same bits for any number of
// threads, forward, backward and through training.
#include <tenon/tenon.hpp>

#include <doctest/doctest.h>

#include <vector>

using namespace tenon;

namespace {

// Output, input gradient and parameter gradients of one training pass.
template <class Net>
std::vector<float> pass(std::size_t rows, const Team& team)
{
    using C = rewritten_chain<Purpose::training, typename Net::chain>;
    const Model<Net> model{Seed{3}};
    Tape<C, float> tape{rows, team};
    Random random{Seed{5}};
    std::vector<float> x(rows * Net::input_shape::size), dx(x.size());
    for (float& value : x) value = static_cast<float>(random.normal());
    const auto context = tape.context(Seed{7}, 11);
    train_forward<C>(rows, model.parameters().data(), x.data(), tape, context);
    std::vector<float> result(tape.output(), tape.output() + rows * Net::output_shape::size);
    for (std::size_t i = 0; i < result.size(); ++i) tape.output_gradient()[i] = static_cast<float>(random.normal());
    Parameters<Net> gradients;
    train_backward<C>(rows, model.parameters().data(), StoreGradients<float>{gradients.data()}, x.data(), tape, context,
                      dx.data());
    result.insert(result.end(), dx.begin(), dx.end());
    result.insert(result.end(), gradients.data(), gradients.data() + gradients.size());
    return result;
}

template <class Net>
void same_for_all_threads()
{
    for (const std::size_t rows : {std::size_t(1), std::size_t(2), std::size_t(25)}) {
        const std::vector<float> alone = pass<Net>(rows, Team{});
        CAPTURE(rows);
        for (const std::size_t threads : {std::size_t(2), std::size_t(3), std::size_t(5)}) {
            CAPTURE(threads);
            ThreadPool pool{threads};
            CHECK(pass<Net>(rows, pool.team()) == alone);
        }
    }
}

}  // namespace

TEST_CASE("each layer alone")
{
    same_for_all_threads<Network<Input<5, 4, 3>, ZeroPadding2D<Padding<1, 2>>>>();
    same_for_all_threads<Network<Input<5, 4, 3>, Upsample2D<2>>>();
    same_for_all_threads<Network<Input<5, 4, 3>, Upsample2D<3, Interpolation<Bilinear>>>>();
    same_for_all_threads<Network<Input<5, 4, 9>, SpatialDropout<Rate<1, 3>>>>();
    same_for_all_threads<Network<Input<5, 4, 6>, GroupNorm<Groups<3>>>>();
    same_for_all_threads<Network<Input<2, 2, 600>, GroupNorm<Groups<4>>>>();
    same_for_all_threads<Network<Input<5, 4, 3>, Conv2DTranspose<7, Kernel<3>, Stride<2>, Padding<Same>>>>();
    same_for_all_threads<Network<Input<3, 4, 17>, Conv2DTranspose<5, Kernel<4, 3>, Stride<3, 1>>, ReLU>>();
}

TEST_CASE("in training")
{
    using Net = Network<Input<8, 8, 2>, ZeroPadding2D<Padding<0, 1, 0, 1>>, Conv2D<6, Kernel<3>, Stride<2>>,
                        GroupNorm<Groups<3>>, ReLU, SpatialDropout<Rate<1, 4>>,
                        Conv2DTranspose<5, Kernel<3>, Stride<2>, Padding<Same>>, ReLU,
                        Upsample2D<2, Interpolation<Bilinear>>, GlobalAveragePool2D, Dense<4>, Softmax>;
    std::vector<float> inputs(60 * Net::input_shape::size);
    std::vector<std::int32_t> labels(60);
    Random random{Seed{9}};
    for (float& value : inputs) value = static_cast<float>(random.normal());
    for (std::int32_t& label : labels) label = static_cast<std::int32_t>(random.below(4));
    const data::TensorDataset<Net::input_shape, data::Label> dataset{inputs, labels, 4};
    std::uint64_t fingerprint = 0;
    for (const int threads : {1, 2, 3}) {
        Model<Net> model{Seed{4}};
        Trainer{model, CrossEntropy{}, Adam{}}.fit(
            dataset, {.epochs = 2, .batch_size = 25, .threads = threads, .progress = Progress::silent});
        if (threads == 1) fingerprint = model.parameters().fingerprint();
        CHECK(model.parameters().fingerprint() == fingerprint);
    }
}
