// SPDX-License-Identifier: BSL-1.0
// threads/…_training: samples per second of fit with one and with two threads: the ratio is the gain. The weights are the
// same bits in both.
#include "../../support/contest.hpp"

#include <tenon/tenon.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace contest::with_tenon {

using Mlp = tenon::Network<tenon::Input<28, 28, 1>, tenon::Flatten, tenon::Dense<128>, tenon::ReLU, tenon::Dense<10>>;
using Cnn = tenon::Network<tenon::Input<28, 28, 1>,                                                //
                           tenon::Conv2D<32, tenon::Kernel<3>>, tenon::ReLU, tenon::MaxPool2D<2>,  //
                           tenon::Conv2D<64, tenon::Kernel<3>>, tenon::ReLU, tenon::MaxPool2D<2>,  //
                           tenon::Conv2D<64, tenon::Kernel<3>>, tenon::ReLU, tenon::Flatten,       //
                           tenon::Dense<64>, tenon::ReLU, tenon::Dense<10>>;

// Bytes as pixels, labels at random.
template <std::size_t Count>
const auto& images()
{
    static const auto dataset = [] {
        tenon::Random random{tenon::Seed{5}};
        std::vector<std::uint8_t> pixels(Count * 784);
        std::vector<std::uint8_t> labels(Count);
        for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random.below(256));
        for (std::uint8_t& label : labels) label = static_cast<std::uint8_t>(random.below(10));
        return tenon::data::LabelledImages<tenon::Shape<28, 28, 1>>::make(std::move(pixels), std::move(labels), 10)
            .value_or_throw();
    }();
    return dataset;
}

template <class Net, std::size_t Count>
void train(benchmark::State& state, int batch, int threads)
{
    const auto& dataset = images<Count>();
    tenon::Model<Net> model{tenon::Seed{1}};
    tenon::Trainer trainer{model, tenon::CrossEntropy{}, tenon::Adam{}};
    for ([[maybe_unused]] auto _ : state)
        trainer.fit(dataset, {.batch_size = batch, .threads = threads, .progress = tenon::Progress::silent});
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(Count));
}

template <class Net, std::size_t Count>
bool enlist(const std::string& name, std::initializer_list<int> batches)
{
    for (const int batch : batches)
        for (const int threads : {2, 1})
            add({"threads/" + name + "_training/batch:" + std::to_string(batch),
                 threads == 2 ? "2-threads" : "1-thread", threads == 2 ? Role::tenon : Role::peer, Show::samples,
                 Clock::wall},
                [batch, threads](benchmark::State& state) { train<Net, Count>(state, batch, threads); });
    return true;
}

const bool enlisted = enlist<Mlp, 8192>("mlp", {32, 128}) && enlist<Cnn, 512>("cnn", {32, 64});

}  // namespace contest::with_tenon
