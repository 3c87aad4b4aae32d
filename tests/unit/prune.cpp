// SPDX-License-Identifier: BSL-1.0
// Pruned weights: how many, which, and that nothing moves them again.
#include <tenon/compression/gradual_pruning.hpp>
#include <tenon/compression/n_of_m.hpp>
#include <tenon/optimizers/lamb.hpp>
#include <tenon/optimizers/lion.hpp>
#include <tenon/optimizers/nadam.hpp>
#include <tenon/tenon.hpp>
#include <tenon/training/checkpoint.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <support/files.hpp>

using namespace tenon;

namespace {

using Net = Network<Input<7, 7, 3>, Conv2D<10, Kernel<3>>, BatchNorm, ReLU, DepthwiseConv2D<Kernel<3>>, Flatten,
                    Dense<17>, ReLU, Dense<5>, Softmax>;
using Small = Network<Input<37>, Dense<17>, ReLU, Dense<5>, Softmax>;
using Points = data::TensorDataset<Shape<37>, data::Label>;

Points points(std::size_t count)
{
    Random random{Seed{5}};
    std::vector<float> x(count * 37);
    std::vector<std::int32_t> labels(count);
    for (float& value : x) value = static_cast<float>(random.normal());
    for (auto& label : labels) label = static_cast<std::int32_t>(random.below(5));
    return {x, labels, 5};
}

template <class N, class P>
std::vector<std::size_t> pruned_places(const Model<N, P>& model)
{
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < model.parameters().size(); ++i)
        if (is_pruned(model.parameters().data()[i])) places.push_back(i);
    return places;
}

template <class N, class P>
bool same_bits(const Model<N, P>& a, const Model<N, P>& b)
{
    return std::memcmp(a.parameters().data(), b.parameters().data(),
                       a.parameters().size() * sizeof(typename P::scalar)) == 0;
}

// What is outside all logical values, and whatever is no kernel, stays unmarked.
template <class P>
std::size_t marks_in_kernels(const Model<Net, P>& model)
{
    std::size_t count = 0;
    for (const SlotInfo& slot : model.parameters().slots())
        for (std::size_t i = 0; i < slot.size; ++i)
            count += std::string(slot.slot) == "kernel" && is_pruned(model.parameters().logical(slot, i)) ? 1 : 0;
    return count;
}

template <class N, class P>
double padding(const Model<N, P>& model)
{
    double all = 0, used = 0;
    for (std::size_t i = 0; i < model.parameters().size(); ++i)
        all += std::abs(static_cast<double>(model.parameters().data()[i]));
    for (const SlotInfo& slot : model.parameters().slots())
        for (std::size_t i = 0; i < slot.size; ++i)
            used += std::abs(static_cast<double>(model.parameters().logical(slot, i)));
    return all - used;
}

template <class F>
std::string refused(F&& f)
{
    try {
        f();
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

// Ten steps over a block, some of whose weights are pruned when their moments are under way.
template <class Optimizer>
void check_updates(Optimizer optimizer)
{
    constexpr std::size_t count = 67, most = 4;
    std::vector<float> weights[2], moments[2][most];
    Random random{Seed{11}};
    for (int kind = 0; kind < 2; ++kind) {
        weights[kind].resize(count);
        for (auto& moment : moments[kind]) moment.resize(count);
    }
    for (std::size_t i = 0; i < count; ++i) weights[0][i] = weights[1][i] = static_cast<float>(random.normal());
    std::vector<float> start;
    for (std::uint64_t t = 1; t <= 10; ++t) {
        std::vector<float> g(count);
        for (float& value : g) value = static_cast<float>(random.normal());
        const auto update = [&](int kind, const auto& step) {
            UpdateBlocks<float, Optimizer::moments> blocks{weights[kind].data(), {}};
            for (std::size_t m = 0; m < Optimizer::moments; ++m) blocks.moments[m] = moments[kind][m].data();
            apply_update(step, count, blocks, g.data());
        };
        update(0, optimizer_step<float>(optimizer, t));
        update(1, optimizer_step<float>(PrunedOptimizer<Optimizer>{optimizer}, t));
        if (t == 4) {
            for (std::size_t i = 0; i < count; i += 3) weights[1][i] = pruned_weight<float>;
            start = weights[1];
        }
    }
    std::size_t moved = 0;  // Lion's steps of one length may take one back
    for (std::size_t i = 0; i < count; ++i) {
        if (i % 3 == 0) {
            CHECK(is_pruned(weights[1][i]));
        } else {
            CHECK(weights[1][i] == weights[0][i]);
            moved += weights[1][i] != start[i] ? 1 : 0;
        }
    }
    CHECK(moved > 35);  // of 44
}

// Steps with and without a modifier that stores gradients: pruned weights stay, all others move.
template <class Optimizer, class... More>
void check_stays(Optimizer optimizer, More... more)
{
    Model<Small> model{Seed{1}};
    prune(model, {.sparsity = 0.75});
    const auto before = pruned_places(model);
    const Parameters<Small> start = model.parameters();
    Random random{Seed{5}};
    std::vector<float> x(24 * 37);
    std::vector<std::int32_t> labels(24);
    for (float& value : x) value = static_cast<float>(random.normal());
    for (auto& label : labels) label = static_cast<std::int32_t>(random.below(5));
    Trainer trainer{model, CrossEntropy{}, optimizer, more..., KeepPruned{}};
    for (int i = 0; i < 6; ++i) trainer.step(24, x.data(), labels.data());
    CHECK(pruned_places(model) == before);
    CHECK(padding(model) == doctest::Approx(0).epsilon(1e-12));
    std::size_t moved = 0, free = 0;
    for (const SlotInfo& slot : start.slots())
        if (std::string(slot.slot) == "kernel")
            for (std::size_t i = 0; i < slot.size; ++i) {
                if (is_pruned(start.logical(slot, i))) continue;
                ++free;
                moved += start.logical(slot, i) != model.parameters().logical(slot, i) ? 1 : 0;
            }
    CHECK(free == sparsity(model).values - before.size());
    CHECK(moved * 3 > free * 2);
}

}  // namespace

TEST_CASE("prune takes the smallest of each kernel, exactly as many as asked")
{
    const auto check = [](auto precision) {
        using P = decltype(precision);
        for (const double share : {0.0, 0.1, 1.0 / 3, 0.5, 0.9, 0.99, 1.0}) {
            CAPTURE(share);
            Model<Net, P> model{Seed{1}};
            const Parameters<Net, P> start = model.parameters();
            prune(model, {.sparsity = share});
            for (const SlotInfo& slot : start.slots()) {
                std::size_t pruned = 0;
                double largest_pruned = 0, smallest_kept = 1e30;
                for (std::size_t i = 0; i < slot.size; ++i) {
                    const double size = std::abs(static_cast<double>(start.logical(slot, i)));
                    if (is_pruned(model.parameters().logical(slot, i))) {
                        ++pruned;
                        largest_pruned = std::max(largest_pruned, size);
                    } else {
                        CHECK(model.parameters().logical(slot, i) == start.logical(slot, i));
                        smallest_kept = std::min(smallest_kept, size);
                    }
                }
                const bool kernel = std::string(slot.slot) == "kernel";
                CHECK(pruned ==
                      (kernel ? static_cast<std::size_t>(std::lround(share * static_cast<double>(slot.size))) : 0));
                CHECK(largest_pruned <= smallest_kept);
            }
            CHECK(pruned_places(model).size() == marks_in_kernels(model));
        }
    };
    check(Float32{});
    check(Float64{});
}

TEST_CASE("prune over the whole network compares all kernels, and may be asked for some layers")
{
    Model<Net> model{Seed{1}};
    const Parameters<Net> start = model.parameters();
    prune(model, {.sparsity = 0.6, .scope = PruneScope::network});
    const Sparsity all = sparsity(model);
    CHECK(all.zeros == static_cast<std::size_t>(std::lround(0.6 * static_cast<double>(all.values))));
    CHECK(all.share() == doctest::Approx(0.6).epsilon(1e-3));
    double largest_pruned = 0, smallest_kept = 1e30;
    for (const SlotInfo& slot : start.slots())
        if (std::string(slot.slot) == "kernel")
            for (std::size_t i = 0; i < slot.size; ++i) {
                const double size = std::abs(static_cast<double>(start.logical(slot, i)));
                if (is_pruned(model.parameters().logical(slot, i)))
                    largest_pruned = std::max(largest_pruned, size);
                else
                    smallest_kept = std::min(smallest_kept, size);
            }
    CHECK(largest_pruned <= smallest_kept);

    Model<Net> other{Seed{1}};
    prune(other, {.sparsity = 0.5, .layers = {"dense_1", "conv2d"}});
    CHECK(sparsity(other, {"dense_1"}).zeros == 17 * 90 / 2);
    CHECK(sparsity(other, {"conv2d_1"}).zeros == 135);
    CHECK(sparsity(other, {"dense_2", "depthwise_conv2d"}).zeros == 0);

    // More of the same: what is pruned stays, and less does not bring it back.
    const auto before = pruned_places(other);
    prune(other, {.sparsity = 0.2});
    CHECK(sparsity(other, {"dense_1"}).zeros == 17 * 90 / 2);
    CHECK(sparsity(other, {"dense_2"}).zeros == 17);
    const auto after = pruned_places(other);
    CHECK(std::includes(after.begin(), after.end(), before.begin(), before.end()));
}

TEST_CASE("prune says what it cannot do")
{
    Model<Net> model{Seed{1}};
    CHECK(refused([&] { prune(model, {.sparsity = 90}); }).find("the sparsity is 90") != std::string::npos);
    CHECK(
        refused([&] { prune(model, {.layers = {"dense_7"}}); }) ==
        "tenon: prune: the network has no layer 'dense_7' with a kernel; it has conv2d_1, depthwise_conv2d_1, dense_1, "
        "dense_2");
    CHECK(refused([&] {
              prune(model, {.layers = {"batch_normalization_1"}});
          }).find("no layer 'batch_normalization_1' with a kernel; it has conv2d_1, depth") != std::string::npos);
    CHECK(refused([&] {
              Trainer t{model, CrossEntropy{}, Adam{}, GradualPruning{.begin = 9, .end = 5}};
          }) == "tenon: GradualPruning: expected 1 <= begin <= end and every >= 1, found begin 9, end 5 and every 100");
    CHECK(refused([&] { Trainer t{model, CrossEntropy{}, Adam{}, GradualPruning{.final_sparsity = 1.5}}; }) != "");
}

TEST_CASE("zeros of others are kept once they are marked")
{
    Model<Net> model{Seed{1}};
    model.parameters().layer<5>().kernel(3, 4) = 0;
    CHECK(pruned_places(model).empty());
    CHECK(sparsity(model).zeros == 1);
    keep_zeros(model);
    CHECK(pruned_places(model).size() == 1);
    CHECK(is_pruned(model.parameters().layer<5>().kernel(3, 4)));
}

TEST_CASE("pruned weights stay at zero under every optimiser, and the others move as without them")
{
    check_updates(SGD{.learning_rate = 0.1});
    check_updates(SGD{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = 0.01});
    check_updates(Adam{});
    check_updates(AdamW{.weight_decay = 0.1});
    check_updates(RMSProp{});
    check_updates(Adagrad{});
    check_updates(Adadelta{});
    check_updates(NAdam{});
    check_updates(Lion{.weight_decay = 0.1});
}

TEST_CASE("pruned weights stay at zero in a trainer, padding too: fused steps, whole slots, stored gradients")
{
    check_stays(AdamW{.weight_decay = 0.1}, AverageWeights{}, ClipValue{0.01});
    check_stays(LAMB{});
    check_stays(Muon{});
    check_stays(Adam{}, ClipNorm{0.1}, L1{1e-3}, L2{1e-3});
}

TEST_CASE("a step moves the weights that are left as if the others did not exist")
{
    // Momentum that points away from zero when a weight is pruned, and the norm of what is left.
    Model<Small, Float64> model{Seed{1}}, plain{Seed{1}};
    const auto step = [](auto& trainer, std::uint64_t seed) {
        Random random{Seed{seed}};
        std::vector<double> x(8 * 37);
        for (double& value : x) value = random.normal();
        const std::vector<std::int32_t> labels{0, 1, 2, 3, 4, 0, 1, 2};
        trainer.step(8, x.data(), labels.data());
    };
    Trainer trainer{model, CrossEntropy{}, SGD{.learning_rate = 0.1, .momentum = 0.9}, KeepPruned{}};
    Trainer measured{plain, CrossEntropy{}, SGD{.learning_rate = 0.1, .momentum = 0.9},
                     ClipNorm{std::numeric_limits<double>::infinity()}, KeepPruned{}};
    step(trainer, 1);
    step(measured, 1);
    prune(model, {.sparsity = 0.5});
    prune(plain, {.sparsity = 0.5});
    const Parameters<Small, Float64> before = plain.parameters();
    step(trainer, 2);
    step(measured, 2);
    CHECK(same_bits(model, plain));

    // The norm, against a step of plain SGD from the same weights.
    Model<Small, Float64> again{Parameters<Small, Float64>{before}};
    Trainer reference{again, CrossEntropy{}, SGD{.learning_rate = 1}};
    step(reference, 2);
    double squares = 0;
    for (std::size_t i = 0; i < before.size(); ++i)
        if (i < Parameters<Small, Float64>::learned && !is_pruned(before.data()[i])) {
            const double g = before.data()[i] - again.parameters().data()[i];
            squares += g * g;
        }
    CHECK(measured.gradient_norm() == doctest::Approx(std::sqrt(squares)).epsilon(1e-9));
}

TEST_CASE("the schedule is Zhu and Gupta's")
{
    const GradualPruning pruning{.final_sparsity = 0.8, .initial_sparsity = 0.2, .begin = 10, .end = 50, .every = 10};
    CHECK(pruning.sparsity(10) == doctest::Approx(0.2));
    CHECK(pruning.sparsity(20) == doctest::Approx(0.8 - 0.6 * 0.75 * 0.75 * 0.75));
    CHECK(pruning.sparsity(30) == doctest::Approx(0.8 - 0.6 / 8));
    CHECK(pruning.sparsity(50) == 0.8);
    CHECK(GradualPruning{.final_sparsity = 0.7, .begin = 3, .end = 3}.sparsity(3) == 0.7);
}

TEST_CASE("gradual pruning: the counts of the schedule, the same bits with two threads and from a checkpoint")
{
    const Points rows = points(96);
    const auto quiet = [](int epochs, int threads) {
        return FitOptions<Points>{.epochs = epochs, .batch_size = 16, .threads = threads, .progress = Progress::silent};
    };
    const GradualPruning pruning{.final_sparsity = 0.9, .begin = 2, .end = 16, .every = 3};
    Model<Small> model{Seed{1}};
    std::vector<std::size_t> counts;
    struct Count {
        std::vector<std::size_t>* counts;
        void step(const StepInfo&, Model<Small>& m) { counts->push_back(sparsity(m, {"dense_1"}).zeros); }
    };
    Trainer trainer{model, CrossEntropy{}, Adam{}, AverageWeights{}, pruning};
    trainer.fit(rows, quiet(3, 1), Count{&counts});
    REQUIRE(counts.size() == 18);
    double expected = 0;
    for (std::size_t t = 1; t <= counts.size(); ++t) {
        if (t >= 2 && t <= 16 && ((t - 2) % 3 == 0 || t == 16)) expected = pruning.sparsity(t);
        CHECK(counts[t - 1] == static_cast<std::size_t>(std::lround(expected * 37 * 17)));
    }
    CHECK(sparsity(model).zeros == pruned_places(model).size());
    CHECK(pruned_places(trainer.average()) == pruned_places(model));

    Model<Small> threaded{Seed{1}};
    Trainer{threaded, CrossEntropy{}, Adam{}, AverageWeights{}, pruning}.fit(rows, quiet(3, 2));
    CHECK(same_bits(threaded, model));

    // Stopped after one epoch, and taken up again by another trainer.
    const support::Folder folder;
    const std::string path = folder / "run.safetensors";
    Model<Small> first{Seed{1}}, second{Seed{9}};
    Trainer{first, CrossEntropy{}, Adam{}, AverageWeights{}, pruning}.fit(rows, quiet(1, 1),
                                                                          callbacks::Checkpoint{path});
    CHECK(!same_bits(first, model));
    Trainer{second, CrossEntropy{}, Adam{}, AverageWeights{}, pruning}.fit(rows, quiet(3, 1),
                                                                           callbacks::Checkpoint{path});
    CHECK(same_bits(second, model));
}

TEST_CASE("N:M: of each group of inputs the largest stay")
{
    const auto check = [](auto precision) {
        using P = decltype(precision);
        Model<Net, P> model{Seed{1}};
        const Parameters<Net, P> start = model.parameters();
        CHECK(!is_n_of_m<2, 4>(model));
        keep_n_of_m<2, 4>(model);
        CHECK(is_n_of_m<2, 4>(model));
        // dense_1: (90, 17), in groups of four along the inputs; the last one has two.
        const auto weights = model.parameters().template layer<5>();
        const auto whole = start.template layer<5>();
        for (std::size_t n = 0; n < 17; ++n)
            for (std::size_t k = 0; k < 90; k += 4) {
                std::size_t left = 0;
                double smallest_kept = 1e30, largest_pruned = 0;
                for (std::size_t i = k; i < k + 4 && i < 90; ++i) {
                    const double size = std::abs(static_cast<double>(whole.kernel(i, n)));
                    if (weights.kernel(i, n) != 0) {
                        ++left;
                        smallest_kept = std::min(smallest_kept, size);
                    } else {
                        CHECK(is_pruned(weights.kernel(i, n)));
                        largest_pruned = std::max(largest_pruned, size);
                    }
                }
                CHECK(left == 2);
                CHECK(largest_pruned <= smallest_kept);
            }
        // conv2d_1: (3, 3, 3, 10), three channels: two of them stay. Depthwise: all.
        for (std::size_t a = 0; a < 3; ++a)
            for (std::size_t b = 0; b < 3; ++b)
                for (std::size_t f = 0; f < 10; ++f) {
                    std::size_t left = 0;
                    for (std::size_t c = 0; c < 3; ++c)
                        left += model.parameters().template layer<0>().kernel(a, b, c, f) != 0 ? 1 : 0;
                    CHECK(left == 2);
                }
        CHECK(sparsity(model, {"depthwise_conv2d_1"}).zeros == 0);
        const auto once = pruned_places(model);
        keep_n_of_m<2, 4>(model);
        CHECK(pruned_places(model) == once);
    };
    check(Float32{});
    check(Float64{});
}

TEST_CASE("N:M: weights that are no numbers count as the largest")
{
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    using Column = Network<Input<4>, Dense<1, NoBias>>;
    for (const std::size_t place : {0u, 1u, 3u}) {
        Model<Column> model{uninitialized};
        for (std::size_t k = 0; k < 4; ++k)
            model.parameters().layer<0>().kernel(k, 0) = k == place ? nan : static_cast<float>(k + 1);
        keep_n_of_m<2, 4>(model);
        CHECK(is_n_of_m<2, 4>(model));
        const float kept = model.parameters().layer<0>().kernel(place, 0);
        CHECK(std::isnan(kept));
        CHECK(model.parameters().layer<0>().kernel(place == 3 ? 2 : 3, 0) == (place == 3 ? 3.0f : 4.0f));
    }
}
