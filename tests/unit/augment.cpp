// SPDX-License-Identifier: BSL-1.0
// Augmentation: what each step does to images whose result is known, on what it depends, and when it happens.
#include <tenon/data/augment.hpp>
#include <tenon/data/transforms.hpp>
#include <tenon/tenon.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <set>
#include <vector>

using namespace tenon;
using data::EpochDraw;

namespace {

constexpr std::size_t height = 14, width = 18;
using Image = Shape<height, width, 2>;
using Images = data::TensorDataset<Image, data::Label>;

Images images(std::size_t rows, float (*value)(std::size_t row, double y, double x, std::size_t c))
{
    std::vector<float> inputs;
    std::vector<std::int32_t> labels;
    for (std::size_t r = 0; r < rows; ++r) {
        labels.push_back(static_cast<std::int32_t>(r % 4));
        for (std::size_t y = 0; y < height; ++y)
            for (std::size_t x = 0; x < width; ++x)
                for (std::size_t c = 0; c < 2; ++c)
                    inputs.push_back(value(r, static_cast<double>(y) - 0.5 * (height - 1),
                                           static_cast<double>(x) - 0.5 * (width - 1), c));
    }
    return {inputs, labels, 4};
}

Images random_images(std::size_t rows)
{
    return images(rows, [](std::size_t r, double y, double x, std::size_t c) {
        Random random{Seed{r}, static_cast<std::uint64_t>(1000 + 100 * y + 2 * x + static_cast<double>(c))};
        return static_cast<float>(random.uniform() + 0.1);
    });
}

// Linear images, on which bilinear resampling is exact: 3 + 0.5 x - 0.25 y, and its negative.
Images planes(std::size_t rows)
{
    return images(rows, [](std::size_t, double y, double x, std::size_t c) {
        return static_cast<float>((c == 0 ? 1 : -1) * (3 + 0.5 * x - 0.25 * y));
    });
}

// The plane through an image's middle: constant, by x, by y; and that all pixels nearby lie on it.
std::array<double, 3> plane_of(const Tensor<float, Image>& image)
{
    const std::size_t y = height / 2, x = width / 2;
    const double at = static_cast<double>(image(y, x, 0));
    const double by_x = static_cast<double>(image(y, x + 1, 0)) - at,
                 by_y = static_cast<double>(image(y + 1, x, 0)) - at;
    for (std::size_t dy = 0; dy < 3; ++dy)
        for (std::size_t dx = 0; dx < 3; ++dx) {
            const double expected = at + by_x * (static_cast<double>(dx) - 1) + by_y * (static_cast<double>(dy) - 1);
            CHECK(static_cast<double>(image(y + dy - 1, x + dx - 1, 0)) == doctest::Approx(expected).epsilon(1e-5));
            CHECK(image(y + dy - 1, x + dx - 1, 1) == doctest::Approx(-expected).epsilon(1e-5));
        }
    return {at - 0.5 * by_x - 0.5 * by_y, by_x, by_y};
}

template <class Check, class... Steps>
void each_plane(Check check, Steps... steps)
{
    const auto varied = data::Augment{steps...}(planes(40));
    for (std::size_t i = 0; i < 40; ++i) check(plane_of(varied.input(i, EpochDraw{Seed{1}, 1})));
}

std::vector<float> gathered(const auto& dataset, std::vector<std::uint32_t> rows, const EpochDraw& draw)
{
    std::vector<float> inputs(rows.size() * Image::size);
    std::vector<std::int32_t> labels(rows.size());
    dataset.gather(rows, inputs.data(), labels.data(), draw);
    for (std::size_t i = 0; i < rows.size(); ++i) CHECK(labels[i] == static_cast<std::int32_t>(rows[i] % 4));
    return inputs;
}

bool same(const Tensor<float, Image>& a, const Tensor<float, Image>& b)
{
    return std::equal(a.begin(), a.end(), b.begin());
}

struct Row {
    std::vector<float> inputs, targets;
};
template <class D>
Row row_of(const D& dataset, std::uint32_t i, const EpochDraw* draw)
{
    Row row{std::vector<float>(D::input_shape::size), std::vector<float>(D::target_size)};
    const std::uint32_t index[] = {i};
    data::gather_rows(dataset, std::span<const std::uint32_t>(index), row.inputs.data(), row.targets.data(), draw);
    return row;
}

// A dataset that notes down for which epochs it was gathered.
struct Spy {
    using input_shape = Shape<2>;
    using target_type = std::int32_t;
    static constexpr std::size_t target_size = 1;

    struct Seen {
        std::mutex lock;
        std::multiset<std::pair<std::uint64_t, std::uint64_t>> epochs;
        std::size_t plain = 0;
    };
    Seen* seen;

    std::size_t size() const { return 20; }
    void gather(std::span<const std::uint32_t> indices, float* inputs, std::int32_t* targets) const
    {
        const std::scoped_lock guard{seen->lock};
        fill(indices, inputs, targets);
        seen->plain += indices.size();
    }
    void gather(std::span<const std::uint32_t> indices, float* inputs, std::int32_t* targets,
                const EpochDraw& draw) const
    {
        const std::scoped_lock guard{seen->lock};
        fill(indices, inputs, targets);
        for (std::size_t i = 0; i < indices.size(); ++i) seen->epochs.emplace(draw.seed.value, draw.epoch);
    }

private:
    static void fill(std::span<const std::uint32_t> indices, float* inputs, std::int32_t* targets)
    {
        for (std::size_t i = 0; i < indices.size(); ++i) {
            inputs[2 * i] = inputs[2 * i + 1] = static_cast<float>(indices[i]);
            targets[i] = static_cast<std::int32_t>(indices[i] % 2);
        }
    }
};

}  // namespace

TEST_CASE("an image depends on seed, epoch and index alone")
{
    const data::Augment vary{data::Shift{0.2},       data::Rotate{20}, data::Elastic{3, 2},
                             data::FlipHorizontal{}, data::Cutout{4},  data::Noise{0.1}};
    const Images plain = random_images(9);
    const auto varied = vary(plain);
    const EpochDraw first{Seed{1}, 1};
    const std::vector<float> all = gathered(varied, {0, 1, 2, 3, 4, 5, 6, 7, 8}, first);
    const std::vector<float> turned = gathered(varied, {8, 7, 6, 5, 4, 3, 2, 1, 0}, first);
    for (std::uint32_t i = 0; i < 9; ++i) {
        const std::vector<float> alone = gathered(varied, {i}, first);
        CHECK(std::equal(alone.begin(), alone.end(), all.begin() + i * Image::size));
        CHECK(std::equal(alone.begin(), alone.end(), turned.begin() + (8 - i) * Image::size));
        const auto image = varied.input(i, first);
        CHECK(std::equal(image.begin(), image.end(), alone.begin()));
        CHECK(gathered(varied, {i}, {Seed{1}, 2}) != alone);
        CHECK(gathered(varied, {i}, {Seed{2}, 1}) != alone);
    }
    // Equal images at other places are varied otherwise.
    const auto twins = vary(data::subset(plain, {3, 3}));
    CHECK(!same(twins.input(0, first), twins.input(1, first)));
    // Without an epoch nothing happens, and views pass the epoch on.
    for (std::uint32_t i = 0; i < 9; ++i) CHECK(same(varied.input(i), plain.input(i)));
    std::vector<float> inputs(Image::size);
    std::int32_t label = 0;
    const std::uint32_t index[] = {1};
    varied.gather(index, inputs.data(), &label);
    CHECK(std::equal(inputs.begin(), inputs.end(), plain.input(1).begin()));
    const auto chosen = data::subset(varied, {5, 2});
    static_assert(data::VariesByEpoch<decltype(chosen)>);
    static_assert(!data::VariesByEpoch<decltype(data::subset(plain, {1}))>);
    chosen.gather(index, inputs.data(), &label, first);
    CHECK(std::equal(inputs.begin(), inputs.end(), all.begin() + 2 * Image::size));
    const auto hot = data::one_hot<4>(varied);
    CHECK(row_of(hot, 2, &first).inputs == inputs);
    const auto standard = data::Standardise{plain, data::Over::sample};
    CHECK(row_of(standard(hot), 2, &first).inputs != row_of(standard(hot), 2, nullptr).inputs);
}

TEST_CASE("whole pixels move as they are; what comes in is the border")
{
    const Images plain = random_images(30);
    const auto check = [&](const data::Border& border, auto expected) {
        const auto varied = data::Augment{border, data::Shift{0.25, true}}(plain);
        std::set<std::pair<int, int>> shifts;
        for (std::size_t i = 0; i < 30; ++i) {
            const auto before = plain.input(i), after = varied.input(i, EpochDraw{Seed{3}, 1});
            // Which of the possible shifts was it?
            int matches = 0;
            for (int dy = -4; dy <= 4; ++dy)
                for (int dx = -5; dx <= 5; ++dx) {
                    bool same = true;
                    for (int y = 0; y < static_cast<int>(height); ++y)
                        for (int x = 0; x < static_cast<int>(width); ++x)
                            for (std::size_t c = 0; c < 2; ++c)
                                same = same && after(static_cast<std::size_t>(y), static_cast<std::size_t>(x), c) ==
                                                   expected(before, y - dy, x - dx, c);
                    if (same) shifts.emplace(dy, dx);
                    matches += same;
                }
            CHECK(matches == 1);
        }
        CHECK(shifts.size() > 15);
    };
    const auto pixel = [](const auto& image, int y, int x, std::size_t c) {
        return image(static_cast<std::size_t>(y), static_cast<std::size_t>(x), c);
    };
    const int h = static_cast<int>(height), w = static_cast<int>(width);
    check({data::Border::Kind::value, 0.75f}, [&](const auto& image, int y, int x, std::size_t c) {
        return y < 0 || y >= h || x < 0 || x >= w ? 0.75f : pixel(image, y, x, c);
    });
    check(data::border_edge, [&](const auto& image, int y, int x, std::size_t c) {
        return pixel(image, std::clamp(y, 0, h - 1), std::clamp(x, 0, w - 1), c);
    });
    check(data::border_mirror, [&](const auto& image, int y, int x, std::size_t c) {
        const auto mirrored = [](int i, int n) { return i < 0 ? -1 - i : i >= n ? 2 * n - 1 - i : i; };
        return pixel(image, mirrored(y, h), mirrored(x, w), c);
    });
}

TEST_CASE("flips are exact, as often as they should be, and twice is nothing")
{
    const Images plain = random_images(200);
    const EpochDraw draw{Seed{5}, 7};
    const auto across = data::Augment{data::FlipHorizontal{1.0}}(plain);
    const auto down = data::Augment{data::FlipVertical{1.0}}(plain);
    const auto twice = data::Augment{data::FlipHorizontal{1.0}, data::FlipVertical{1.0}, data::FlipHorizontal{1.0},
                                     data::FlipVertical{1.0}}(plain);
    const auto sometimes = data::Augment{data::FlipHorizontal{0.25}}(plain);
    int flipped = 0;
    for (std::size_t i = 0; i < 200; ++i) {
        const auto image = plain.input(i), left = across.input(i, draw), upside = down.input(i, draw);
        bool right = true;
        for (std::size_t y = 0; y < height; ++y)
            for (std::size_t x = 0; x < width; ++x)
                for (std::size_t c = 0; c < 2; ++c)
                    right = right && left(y, x, c) == image(y, width - 1 - x, c) &&
                            upside(y, x, c) == image(height - 1 - y, x, c);
        CHECK(right);
        CHECK(same(twice.input(i, draw), image));
        const auto once = sometimes.input(i, draw);
        CHECK((same(once, image) || same(once, left)));
        flipped += !same(once, image);
    }
    CHECK(flipped > 25);
    CHECK(flipped < 80);
}

TEST_CASE("turned, scaled, slanted, shifted: planes stay planes")
{
    const double gx = 0.5, gy = -0.25, slope = std::hypot(gx, gy);
    double least = 1e9, most = -1e9;
    const auto range = [&](double value) {
        least = std::min(least, value);
        most = std::max(most, value);
    };
    // The middle stays, the slope's length too; its direction turns by up to 30 degrees.
    each_plane(
        [&](const std::array<double, 3>& plane) {
            CHECK(plane[0] == doctest::Approx(3).epsilon(1e-5));
            CHECK(std::hypot(plane[1], plane[2]) == doctest::Approx(slope).epsilon(1e-5));
            range(std::atan2(plane[1] * gy - plane[2] * gx, plane[1] * gx + plane[2] * gy));
        },
        data::Rotate{30});
    const double limit = 30 * 3.14159265358979 / 180;
    CHECK(least > -limit - 1e-5);
    CHECK(least < -0.7 * limit);
    CHECK(most < limit + 1e-5);
    CHECK(most > 0.7 * limit);

    least = 1e9, most = -1e9;
    each_plane(
        [&](const std::array<double, 3>& plane) {
            CHECK(plane[0] == doctest::Approx(3).epsilon(1e-5));
            CHECK(plane[1] / gx == doctest::Approx(plane[2] / gy).epsilon(1e-4));
            range(gx / plane[1]);
        },
        data::Scale{0.8, 1.5});
    CHECK(least > 0.8 - 1e-4);
    CHECK(least < 0.9);
    CHECK(most < 1.5 + 1e-4);
    CHECK(most > 1.4);

    least = 1e9, most = -1e9;
    each_plane(
        [&](const std::array<double, 3>& plane) {
            CHECK(plane[0] == doctest::Approx(3).epsilon(1e-5));
            CHECK(plane[1] == doctest::Approx(gx).epsilon(1e-4));
            range((plane[2] - gy) / gx);
        },
        data::Shear{20});
    CHECK(most < std::tan(20 * 3.14159265358979 / 180) + 1e-4);
    CHECK(most > 0.25);
    CHECK(least < -0.25);

    each_plane(
        [&](const std::array<double, 3>& plane) {
            CHECK(plane[1] == doctest::Approx(gx).epsilon(1e-4));
            CHECK(plane[2] == doctest::Approx(gy).epsilon(1e-4));
            CHECK(std::abs(plane[0] - 3) <= 0.1 * (gx * width - gy * height) + 1e-4);
            CHECK(plane[0] != 3);
        },
        data::Shift{0.1});
    // All at once is still one resampling; a step between does not change what the others do.
    each_plane([](const std::array<double, 3>&) {}, data::Rotate{10}, data::Shift{0.05}, data::Scale{0.9, 1.1},
               data::Shear{5});
    // Larger by 2 after a shift by a quarter: the shift is scaled as well.
    data::Affine map;
    map.width = map.height = 10;
    map.then(1, 0, 0, 1, -2.5, 0);
    map.then(0.5, 0, 0, 0.5);
    CHECK(map.a * 4 + map.c == 4 * 0.5 - 2.5);
}

TEST_CASE("elastic: displacements are smooth and bounded")
{
    const auto moved = [](double strength, double smoothness) {
        // f = x: what is read is where it was read from.
        const auto across = images(8, [](std::size_t, double, double x, std::size_t) { return static_cast<float>(x); });
        const auto varied = data::Augment{data::border_edge, data::Elastic{strength, smoothness}}(across);
        double largest = 0, rough = 0, sum = 0;
        for (std::size_t i = 0; i < 8; ++i) {
            const auto before = across.input(i), after = varied.input(i, EpochDraw{Seed{2}, 1});
            for (std::size_t y = 2; y + 2 < height; ++y)
                for (std::size_t x = 4; x + 4 < width; ++x) {
                    const auto by = [&](std::size_t column) {
                        return static_cast<double>(after(y, column, 0) - before(y, column, 0));
                    };
                    largest = std::max(largest, std::abs(by(x)));
                    rough += std::abs(by(x + 1) - by(x));
                    sum += std::abs(by(x));
                }
        }
        return std::array{largest, rough / sum};
    };
    CHECK(moved(0, 2)[0] < 1e-6);
    CHECK(moved(3, 0)[0] <= 3 + 1e-5);  // not smoothed: the draws themselves
    CHECK(moved(3, 0)[0] > 2.7);
    CHECK(moved(3, 2)[0] < 1.5);
    CHECK(moved(3, 2)[0] > 0.1);
    CHECK(moved(3, 0)[1] > 2.5 * moved(3, 2)[1]);
    // The blur, against its formula.
    std::vector<float> plane(5 * 19), scratch(plane.size());
    Random random{Seed{3}};
    for (float& value : plane) value = static_cast<float>(random.normal());
    for (const double deviation : {0.4, 1.5, 8.0}) {
        std::vector<float> blurred = plane;
        data::detail::blur<5, 19>(blurred.data(), scratch.data(), deviation);
        const int reach = static_cast<int>(std::ceil(3 * deviation));
        const auto gauss = [&](int i) { return std::exp(-0.5 * i * i / (deviation * deviation)); };
        double total = 0;
        for (int i = -reach; i <= reach; ++i) total += gauss(i);
        for (int y = 0; y < 5; ++y)
            for (int x = 0; x < 19; ++x) {
                double sum = 0;
                for (int v = std::max(0, y - reach); v <= std::min(4, y + reach); ++v)
                    for (int u = std::max(0, x - reach); u <= std::min(18, x + reach); ++u)
                        sum += gauss(v - y) * gauss(u - x) *
                               static_cast<double>(plane[static_cast<std::size_t>(v * 19 + u)]);
                CHECK(static_cast<double>(blurred[static_cast<std::size_t>(y * 19 + x)]) ==
                      doctest::Approx(sum / (total * total)).epsilon(1e-5));
            }
    }
    const auto flat = images(2, [](std::size_t, double, double, std::size_t) { return 0.5f; });
    const auto bent = data::Augment{data::border_edge, data::Elastic{20, 3}}(flat);
    for (const float value : bent.input(1, EpochDraw{Seed{1}, 1})) CHECK(value == doctest::Approx(0.5).epsilon(1e-6));
}

TEST_CASE("cutout: squares, whole where they fit")
{
    const auto ones = images(300, [](std::size_t, double, double, std::size_t) { return 1.0f; });
    for (const std::size_t size : {1u, 4u, 5u}) {
        const auto cut = data::Augment{data::Cutout{size, 1, -2.0f}}(ones);
        std::size_t whole = 0;
        std::set<std::size_t> corners;
        for (std::size_t i = 0; i < 300; ++i) {
            const auto image = cut.input(i, EpochDraw{Seed{4}, 1});
            std::size_t top = height, bottom = 0, left = width, right = 0, count = 0;
            for (std::size_t y = 0; y < height; ++y)
                for (std::size_t x = 0; x < width; ++x) {
                    CHECK(image(y, x, 0) == image(y, x, 1));
                    if (image(y, x, 0) == 1.0f) continue;
                    CHECK(image(y, x, 0) == -2.0f);
                    top = std::min(top, y);
                    bottom = std::max(bottom, y + 1);
                    left = std::min(left, x);
                    right = std::max(right, x + 1);
                    ++count;
                }
            REQUIRE(count > 0);
            CHECK(count == (bottom - top) * (right - left));
            CHECK(bottom - top <= size);
            CHECK(right - left <= size);
            whole += count == size * size;
            corners.insert(top * width + left);
        }
        CHECK(whole > 120);
        CHECK(corners.size() > 60);
    }
    const auto twice = data::Augment{data::Cutout{2, 3}}(ones);
    const auto image = twice.input(0, EpochDraw{Seed{4}, 1});
    CHECK(std::count(image.begin(), image.end(), 0.0f) > 2 * 4);
}

TEST_CASE("noise has its deviation; Normalize is for evaluation too")
{
    const auto zeros = images(100, [](std::size_t, double, double, std::size_t) { return 0.0f; });
    const auto noisy = data::Augment{data::Noise{0.3}}(zeros);
    double sum = 0, squares = 0, count = 0;
    for (std::size_t i = 0; i < 100; ++i)
        for (const float value : noisy.input(i, EpochDraw{Seed{4}, 1})) {
            sum += static_cast<double>(value);
            squares += static_cast<double>(value * value);
            ++count;
        }
    CHECK(std::abs(sum / count) < 0.01);
    CHECK(std::sqrt(squares / count) == doctest::Approx(0.3).epsilon(0.02));

    const Images plain = random_images(3);
    const auto normal = data::Augment{data::Noise{0.0}, data::Normalize<2>{{0.5f, 0.25f}, {2.0f, 0.5f}}}(plain);
    for (const bool evaluation : {true, false}) {
        const auto image = evaluation ? normal.input(2) : normal.input(2, EpochDraw{Seed{1}, 1});
        for (std::size_t i = 0; i < Image::size; ++i)
            CHECK(image[i] == (plain.input(2)[i] - (i % 2 == 0 ? 0.5f : 0.25f)) / (i % 2 == 0 ? 2.0f : 0.5f));
    }
}

TEST_CASE("mixup: inputs and targets by the same share, drawn from the beta distribution")
{
    // Row i is filled with i, its target is at i % 4.
    const auto filled = images(400, [](std::size_t r, double, double, std::size_t) { return static_cast<float>(r); });
    const auto hot = data::one_hot<4>(filled);
    for (const double alpha : {0.2, 1.0, 3.0}) {
        CAPTURE(alpha);
        const auto mixture = data::mixed(hot, data::Mixup{alpha});
        double sum = 0, squares = 0, count = 0;
        for (std::uint32_t i = 0; i < 400; ++i)
            for (const std::uint64_t epoch : {1u, 2u, 3u, 4u}) {
                const EpochDraw draw{Seed{8}, epoch};
                const Row row = row_of(mixture, i, &draw);
                CHECK(row.inputs.front() == row.inputs.back());
                float total = 0;
                for (const float target : row.targets) total += target;
                CHECK(total == doctest::Approx(1).epsilon(1e-5));
                // Where the other row has another label, its share is the rest.
                const auto share = static_cast<double>(row.targets[i % 4]);
                if (share > 0.9999) continue;
                const double other = (static_cast<double>(row.inputs[0]) - share * i) / (1 - share);
                if (share < 0.99) {
                    CHECK(std::abs(other - std::round(other)) < 0.05);
                    CHECK(row.targets[static_cast<std::size_t>(std::lround(other)) % 4] > 0);
                }
                sum += share;
                squares += share * share;
                ++count;
            }
        REQUIRE(count > 700);
        // Shares near 1 were passed over for small alpha, and their like near 0 were not.
        if (alpha >= 1.0) {
            CHECK(sum / count == doctest::Approx(0.5).epsilon(0.05));
            CHECK(squares / count - sum / count * sum / count ==
                  doctest::Approx(1 / (4 * (2 * alpha + 1))).epsilon(0.1));
        }
    }
    for (const double alpha : {0.2, 0.5, 1.0, 2.0, 8.0}) {
        Random random{Seed{11}};
        double sum = 0, squares = 0;
        for (int i = 0; i < 20000; ++i) {
            const double share = data::detail::symmetric_beta(random, alpha);
            CHECK(share >= 0);
            CHECK(share <= 1);
            sum += share;
            squares += share * share;
        }
        CHECK(sum / 20000 == doctest::Approx(0.5).epsilon(0.02));
        CHECK(squares / 20000 - 0.25 == doctest::Approx(1 / (4 * (2 * alpha + 1))).epsilon(0.04));
    }
    // Without an epoch, and with a probability of nothing, rows are what they were.
    const EpochDraw draw{Seed{8}, 1};
    CHECK(row_of(data::mixed(hot, data::Mixup{}), 7, nullptr).targets == std::vector<float>{0, 0, 0, 1});
    CHECK(row_of(data::mixed(hot, data::Mixup{}, 0.0), 7, &draw).inputs[0] == 7.0f);
    int changed = 0;
    for (std::uint32_t i = 0; i < 400; ++i)
        changed += row_of(data::mixed(hot, data::Mixup{1.0}, 0.25), i, &draw).inputs[0] != static_cast<float>(i);
    CHECK(changed > 60);
    CHECK(changed < 140);
}

TEST_CASE("cutmix: a box of another row, targets by the area")
{
    const auto filled = images(200, [](std::size_t r, double, double, std::size_t) { return static_cast<float>(r); });
    const auto mixture = data::mixed(data::one_hot<4>(filled), data::CutMix{});
    const EpochDraw draw{Seed{8}, 1};
    std::size_t boxes = 0, large = 0;
    for (std::uint32_t i = 0; i < 200; ++i) {
        const Row row = row_of(mixture, i, &draw);
        std::size_t top = height, bottom = 0, left = width, right = 0, count = 0;
        float other = static_cast<float>(i);
        for (std::size_t at = 0; at < Image::size; at += 2) {
            CHECK(row.inputs[at] == row.inputs[at + 1]);
            if (row.inputs[at] == static_cast<float>(i)) continue;
            if (other != static_cast<float>(i)) CHECK(row.inputs[at] == other);
            other = row.inputs[at];
            const std::size_t y = at / 2 / width, x = at / 2 % width;
            top = std::min(top, y);
            bottom = std::max(bottom, y + 1);
            left = std::min(left, x);
            right = std::max(right, x + 1);
            ++count;
        }
        if (count == 0) continue;
        ++boxes;
        large += count > height * width / 2;
        CHECK(count == (bottom - top) * (right - left));
        const float own = 1 - static_cast<float>(count) / static_cast<float>(height * width);
        if (static_cast<std::uint32_t>(other) % 4 != i % 4) {
            CHECK(row.targets[i % 4] == doctest::Approx(own).epsilon(1e-5));
            CHECK(row.targets[static_cast<std::size_t>(other) % 4] == doctest::Approx(1 - own).epsilon(1e-5));
        } else {
            CHECK(row.targets[i % 4] == doctest::Approx(1).epsilon(1e-5));
        }
    }
    CHECK(boxes > 150);
    CHECK(large > 10);
}

TEST_CASE("a trainer gathers by epoch, evaluation without")
{
    Spy::Seen seen;
    const Spy spy{&seen};
    Model<Network<Input<2>, Dense<2>>> model{Seed{1}};
    Trainer trainer{model, CrossEntropy{}, SGD{.learning_rate = 1e-3}};
    FitOptions<Spy> options{
        .epochs = 2, .batch_size = 8, .validation = &spy, .progress = Progress::silent, .seed = Seed{9}};
    trainer.fit(spy, options);
    CHECK(seen.plain == 2 * 20);
    CHECK(seen.epochs.size() == 2 * 20);
    CHECK(seen.epochs.count({9, 1}) == 20);
    CHECK(seen.epochs.count({9, 2}) == 20);
    // A second fit goes on counting, in order or not.
    options.shuffle = false;
    trainer.fit(spy, options);
    CHECK(seen.epochs.count({9, 3}) == 20);
    CHECK(seen.epochs.count({9, 4}) == 20);
}
