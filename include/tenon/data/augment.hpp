// SPDX-License-Identifier: BSL-1.0
// Augmentation: images that are a little different in each epoch, put together from steps:
//     const data::Augment vary{data::Shift{0.1}, data::Rotate{10}, data::FlipHorizontal{}, data::Cutout{8}};
//     trainer.fit(vary(dataset.train), {.validation = &test});     // test = vary(dataset.test): never varied
// What happens to a row depends on (seed, epoch, index) alone: on no thread, no batch and no other row. A Trainer gathers
// with the epoch; everybody else (evaluation, input(i)) gets the rows as they are, but for Normalize.
//
// Steps that move pixels (Shift, Rotate, Scale, Shear, Flip…) and follow each other are one resampling, bilinear, so that an
// image is blurred once at most. Sizes are fractions of the image's, angles degrees. Coordinates: x to the right, y
// down, (0, 0) the image's middle.
//
// A step is a struct with either of
//     void move(Affine& map, Random& random) const;      draws, and changes where pixels come from
//     template <class S> void change(float* image, float* scratch, Random& random, const Border& border) const;
//         draws, and changes the image (S: height, width, channels; scratch: three images more)
// and `static constexpr bool always = true` where it belongs to evaluation as well.
#pragma once

#include <tenon/core/random.hpp>
#include <tenon/data/dataset.hpp>
#include <tenon/simd/pack.hpp>

#include <cmath>
#include <tuple>
#include <vector>

namespace tenon::inline TENON_ISA::data {

// Where a resampled pixel comes from: (x, y) of the old image for one of the new, a·x + b·y + c and d·x + e·y + f, in pixels
// from the middle.
struct Affine {
    double a = 1, b = 0, c = 0, d = 0, e = 1, f = 0;
    double width = 0, height = 0;  // of the image, in pixels

    // This map after (x, y) -> (p·x + q·y, r·x + s·y) and then a shift: steps given later act on what earlier ones made.
    void then(double p, double q, double r, double s, double right = 0, double down = 0)
    {
        const Affine old = *this;
        a = old.a * p + old.b * r;
        b = old.a * q + old.b * s;
        c = old.a * right + old.b * down + old.c;
        d = old.d * p + old.e * r;
        e = old.d * q + old.e * s;
        f = old.d * right + old.e * down + old.f;
    }
    bool is_identity() const { return a == 1 && b == 0 && c == 0 && d == 0 && e == 1 && f == 0; }
};

// What lies outside an image: one value, the nearest pixel, or the image in a mirror (its border pixels twice). As a step,
// for those that follow; without it, 0.
struct Border {
    enum class Kind : std::uint8_t { value, edge, mirror };

    Kind kind = Kind::value;
    float value = 0;
};
// The nearest pixel.
inline constexpr Border border_edge{Border::Kind::edge, 0};
// The image in a mirror.
inline constexpr Border border_mirror{Border::Kind::mirror, 0};

namespace detail {

inline double between(Random& random, double least, double most) { return least + (most - least) * random.uniform(); }

inline double radians(double degrees) { return degrees * (3.14159265358979323846 / 180); }

// The place of pixel i in [0, size), or -1.
inline std::ptrdiff_t inside(std::ptrdiff_t i, std::ptrdiff_t size, const Border& border)
{
    if (i >= 0 && i < size) return i;
    switch (border.kind) {
        case Border::Kind::edge: return i < 0 ? 0 : size - 1;
        case Border::Kind::mirror: {
            std::ptrdiff_t turn = i % (2 * size);
            if (turn < 0) turn += 2 * size;
            return turn < size ? turn : 2 * size - 1 - turn;
        }
        default: return -1;
    }
}

// out[p] = the value at (y, x) of the image, in pixels from its first one, bilinear. image: (height, width, channels).
template <class S>
void sample(const float* image, double y, double x, const Border& border, float* out)
{
    constexpr std::size_t channels = S::last;
    constexpr auto height = static_cast<std::ptrdiff_t>(S::extents[0]);
    constexpr auto width = static_cast<std::ptrdiff_t>(S::extents[1]);
    // Far outside all is border, and a cast would overflow.
    const auto bounded = [](double v) { return v < -1e6 ? -1e6 : v > 1e6 ? 1e6 : v; };
    const double top = std::floor(bounded(y)), left = std::floor(bounded(x));
    const auto down = static_cast<float>(bounded(y) - top), right = static_cast<float>(bounded(x) - left);
    const auto row = static_cast<std::ptrdiff_t>(top), column = static_cast<std::ptrdiff_t>(left);
    using One = simd::Pack<float, 1>;
    const One up_left = (1 - down) * (1 - right), up_right = (1 - down) * right;
    const One down_left = down * (1 - right), down_right = down * right;
    const auto mix = [&](float a, float b, float c, float d) TENON_LAMBDA_INLINE {
        return fma(down_right, One(d), fma(down_left, One(c), fma(up_right, One(b), up_left * One(a)))).lanes;
    };
    if (row >= 0 && row + 1 < height && column >= 0 && column + 1 < width) {
        const float* above = image + static_cast<std::size_t>(row * width + column) * channels;
        const float* below = above + S::extents[1] * channels;
        for (std::size_t c = 0; c < channels; ++c)
            out[c] = mix(above[c], above[c + channels], below[c], below[c + channels]);
        return;
    }
    const float* corners[4];
    for (std::ptrdiff_t i = 0; i < 4; ++i) {
        const std::ptrdiff_t at_row = inside(row + i / 2, height, border), at = inside(column + i % 2, width, border);
        corners[i] = at_row < 0 || at < 0 ? nullptr : image + static_cast<std::size_t>(at_row * width + at) * channels;
    }
    for (std::size_t c = 0; c < channels; ++c) {
        const auto value = [&](const float* corner) { return corner == nullptr ? border.value : corner[c]; };
        out[c] = mix(value(corners[0]), value(corners[1]), value(corners[2]), value(corners[3]));
    }
}

// The image under a map, through scratch (an image).
template <class S>
void resample(float* image, float* scratch, const Affine& map, const Border& border)
{
    constexpr std::size_t height = S::extents[0], width = S::extents[1], channels = S::last;
    copy_row(image, scratch, S::size);
    const double middle_y = (static_cast<double>(height) - 1) / 2, middle_x = (static_cast<double>(width) - 1) / 2;
    for (std::size_t row = 0; row < height; ++row)
        for (std::size_t column = 0; column < width; ++column) {
            const double x = static_cast<double>(column) - middle_x, y = static_cast<double>(row) - middle_y;
            sample<S>(scratch, map.d * x + map.e * y + map.f + middle_y, map.a * x + map.b * y + map.c + middle_x,
                      border, image + (row * width + column) * channels);
        }
}

// to[i] += weight · from[i]
inline void add_scaled(std::size_t count, float weight, const float* from, float* to)
{
    using V = simd::Pack<float, simd::width<float>>;
    std::size_t i = 0;
    for (; i + V::size <= count; i += V::size) fma(V(weight), V::load(from + i), V::load(to + i)).store(to + i);
    if (const std::size_t rest = count - i; rest != 0)
        fma(V(weight), V::load_partial(from + i, rest), V::load_partial(to + i, rest)).store_partial(to + i, rest);
}

// plane: (Height, Width), blurred by a Gaussian of that deviation, cut at three of it; what lies outside counts 0.
template <std::size_t Height, std::size_t Width>
void blur(float* plane, float* scratch, double deviation)
{
    const auto reach = static_cast<std::size_t>(std::ceil(3 * deviation));
    if (reach == 0) return;
    std::vector<double> weights(reach + 1);
    double total = 0;
    for (std::size_t i = 0; i <= reach; ++i) {
        weights[i] = std::exp(-0.5 * static_cast<double>(i * i) / (deviation * deviation));
        total += i == 0 ? weights[i] : 2 * weights[i];
    }
    const auto weight = [&](std::size_t i) { return static_cast<float>(weights[i] / total); };
    for (std::size_t i = 0; i < Height * Width; ++i) scratch[i] = weight(0) * plane[i];
    for (std::size_t k = 1; k <= reach; ++k)
        for (std::size_t row = 0; row < Height; ++row) {
            float* to = scratch + row * Width;
            const float* from = plane + row * Width;
            if (k >= Width) continue;
            add_scaled(Width - k, weight(k), from + k, to);
            add_scaled(Width - k, weight(k), from, to + k);
        }
    for (std::size_t i = 0; i < Height * Width; ++i) plane[i] = weight(0) * scratch[i];
    for (std::size_t k = 1; k <= reach && k < Height; ++k) {
        add_scaled((Height - k) * Width, weight(k), scratch + k * Width, plane);
        add_scaled((Height - k) * Width, weight(k), scratch, plane + k * Width);
    }
}

}  // namespace detail

// Moves the image by up to that share of its width and height, in either direction. whole_pixels: without blurring it.
struct Shift {
    double most;
    bool whole_pixels = false;

    void move(Affine& map, Random& random) const
    {
        double right = map.width * detail::between(random, -most, most);
        double down = map.height * detail::between(random, -most, most);
        if (whole_pixels) {
            right = std::nearbyint(right);
            down = std::nearbyint(down);
        }
        map.then(1, 0, 0, 1, -right, -down);
    }
};

// Turns it about its middle by up to so many degrees, in either direction.
struct Rotate {
    double degrees;

    void move(Affine& map, Random& random) const
    {
        const double angle = detail::radians(detail::between(random, -degrees, degrees));
        map.then(std::cos(angle), std::sin(angle), -std::sin(angle), std::cos(angle));
    }
};

// Makes it `least` to `most` times as large, in both directions alike.
struct Scale {
    double least, most;

    void move(Affine& map, Random& random) const
    {
        const double factor = detail::between(random, least, most);
        map.then(1 / factor, 0, 0, 1 / factor);
    }
};

// Slants it by up to so many degrees: rows move sideways, the more the farther they are from the middle.
struct Shear {
    double degrees;

    void move(Affine& map, Random& random) const
    {
        map.then(1, std::tan(detail::radians(detail::between(random, -degrees, degrees))), 0, 1);
    }
};

// Left becomes right.
struct FlipHorizontal {
    double probability = 0.5;

    void move(Affine& map, Random& random) const
    {
        if (random.uniform() < probability) map.then(-1, 0, 0, 1);
    }
};
// Top becomes bottom.
struct FlipVertical {
    double probability = 0.5;

    void move(Affine& map, Random& random) const
    {
        if (random.uniform() < probability) map.then(1, 0, 0, -1);
    }
};

// Bends it: each pixel comes from elsewhere, by a field of random displacements that is smoothed by a Gaussian of `smoothness`
// pixels and then multiplied with `strength` (Simard, Steinkraus & Platt 2003: 34 and 4 for digits of 28 x 28).
struct Elastic {
    double strength;
    double smoothness;

    template <class S>
    void change(float* image, float* scratch, Random& random, const Border& border) const
    {
        constexpr std::size_t height = S::extents[0], width = S::extents[1], pixels = height * width;
        std::vector<float> field(3 * pixels);
        float *across = field.data(), *down = across + pixels, *memory = down + pixels;
        for (float* plane : {across, down}) {
            for (std::size_t i = 0; i < pixels; ++i) plane[i] = static_cast<float>(detail::between(random, -1, 1));
            detail::blur<height, width>(plane, memory, smoothness);
        }
        detail::copy_row(image, scratch, S::size);
        for (std::size_t row = 0; row < height; ++row)
            for (std::size_t column = 0; column < width; ++column) {
                const std::size_t at = row * width + column;
                detail::sample<S>(scratch, static_cast<double>(row) + strength * static_cast<double>(down[at]),
                                  static_cast<double>(column) + strength * static_cast<double>(across[at]), border,
                                  image + at * S::last);
            }
    }
};

// Sets `count` squares of `size` pixels to `value`; their middles are anywhere in the image, so parts may lie outside (DeVries &
// Taylor 2017).
struct Cutout {
    std::size_t size;
    std::size_t count = 1;
    float value = 0;

    template <class S>
    void change(float* image, float*, Random& random, const Border&) const
    {
        constexpr std::size_t height = S::extents[0], width = S::extents[1];
        for (std::size_t i = 0; i < count; ++i) {
            const auto middle_row = static_cast<std::size_t>(random.below(height));
            const auto middle_column = static_cast<std::size_t>(random.below(width));
            for (std::size_t row = 0; row < height; ++row)
                for (std::size_t column = 0; column < width; ++column)
                    if (row + size / 2 >= middle_row && row + size / 2 < middle_row + size &&
                        column + size / 2 >= middle_column && column + size / 2 < middle_column + size)
                        for (std::size_t c = 0; c < S::last; ++c) image[(row * width + column) * S::last + c] = value;
        }
    }
};

// Adds a normal draw of that deviation to each value.
struct Noise {
    double deviation;

    template <class S>
    void change(float* image, float*, Random& random, const Border&) const
    {
        for (std::size_t i = 0; i < S::size; ++i) image[i] += static_cast<float>(deviation * random.normal());
    }
};

// (value - mean) / deviation by channel, in evaluation too: data::Normalize<3>{{0.49f, 0.48f, 0.45f}, {0.2f, 0.2f, 0.2f}}.
template <std::size_t Channels>
struct Normalize {
    float mean[Channels];
    float deviation[Channels];

    static constexpr bool always = true;

    template <class S>
    void change(float* image, float*, Random&, const Border&) const
    {
        static_assert(S::last == Channels, "tenon: Normalize has another number of channels than the images.");
        for (std::size_t i = 0; i < S::size; ++i) image[i] = (image[i] - mean[i % Channels]) / deviation[i % Channels];
    }
};

// A dataset whose rows are augmented where they are gathered for an epoch; made by Augment.
template <Dataset D, class... Steps>
class Augmented {
public:
    using input_shape = typename D::input_shape;
    using target_type = typename D::target_type;
    static constexpr std::size_t target_size = D::target_size;

    Augmented(D dataset, std::tuple<Steps...> steps) : dataset_{std::move(dataset)}, steps_{std::move(steps)} {}

    std::size_t size() const { return dataset_.size(); }
    const D& dataset() const { return dataset_; }

    // As the trainer's epoch has them: inputs (indices, input_shape), targets (indices, target_size).
    void gather(std::span<const std::uint32_t> indices, float* inputs, target_type* targets,
                const EpochDraw& draw) const
    {
        gather_rows(dataset_, indices, inputs, targets, &draw);
        vary(indices, inputs, &draw);
    }
    // As they are.
    void gather(std::span<const std::uint32_t> indices, float* inputs, target_type* targets) const
    {
        dataset_.gather(indices, inputs, targets);
        vary(indices, inputs, nullptr);
    }

    auto input(std::size_t i) const requires requires(const D& d) { d.input(i); }
    {
        auto image = dataset_.input(i);
        const std::uint32_t index[] = {static_cast<std::uint32_t>(i)};
        vary(index, image.data(), nullptr);
        return image;
    }
    // As they are in one epoch.
    auto input(std::size_t i, const EpochDraw& draw) const requires requires(const D& d) { d.input(i); }
    {
        auto image = dataset_.input(i);
        const std::uint32_t index[] = {static_cast<std::uint32_t>(i)};
        vary(index, image.data(), &draw);
        return image;
    }
    auto label(std::size_t i) const requires requires(const D& d) { d.label(i); }
    {
        return dataset_.label(i);
    }
    auto target(std::size_t i) const requires requires(const D& d) { d.target(i); }
    {
        return dataset_.target(i);
    }
    std::size_t classes() const requires requires(const D& d) { d.classes(); }
    {
        return dataset_.classes();
    }

private:
    template <class Step>
    static constexpr bool always()
    {
        if constexpr (requires { Step::always; })
            return Step::always;
        else
            return false;
    }

    void vary(std::span<const std::uint32_t> indices, float* inputs, const EpochDraw* draw) const
    {
        if (draw == nullptr && !(always<Steps>() || ...)) return;
        std::vector<float> scratch(3 * input_shape::size);
        for (std::size_t row = 0; row < indices.size(); ++row) {
            float* image = inputs + row * input_shape::size;
            Random random = draw == nullptr ? Random{Seed{0}} : draw->random(indices[row], 0x6175676d);
            Affine map = still();
            Border border;
            const auto settle = [&] {
                if (!map.is_identity()) detail::resample<input_shape>(image, scratch.data(), map, border);
                map = still();
            };
            const auto take = [&]<class Step>(const Step& step) {
                if (draw == nullptr && !always<Step>()) return;
                if constexpr (std::is_same_v<Step, Border>) {
                    settle();
                    border = step;
                } else if constexpr (requires { step.move(map, random); }) {
                    step.move(map, random);
                } else {
                    settle();
                    step.template change<input_shape>(image, scratch.data(), random, border);
                }
            };
            std::apply([&](const auto&... each) { (take(each), ...); }, steps_);
            settle();
        }
    }

    static Affine still()
    {
        Affine map;
        map.height = static_cast<double>(input_shape::extents[0]);
        map.width = static_cast<double>(input_shape::extents[1]);
        return map;
    }

    D dataset_;
    std::tuple<Steps...> steps_;

    static_assert(input_shape::rank == 3, "tenon: augmentation takes images: (height, width, channels).");
};

// Steps, to be applied to datasets: const data::Augment vary{data::Shift{0.1}}; vary(dataset.train)
template <class... Steps>
class Augment {
public:
    explicit Augment(Steps... steps) : steps_{std::move(steps)...} {}

    template <Dataset D>
    Augmented<D, Steps...> operator()(D dataset) const
    {
        return {std::move(dataset), steps_};
    }

private:
    std::tuple<Steps...> steps_;
};

namespace detail {

// A draw of the beta distribution with both parameters a: Johnk 1964 up to 1, Cheng's BB 1978 beyond.
inline double symmetric_beta(Random& random, double a)
{
    if (a <= 1) {
        for (;;) {
            const double u = std::pow(1 - random.uniform(), 1 / a), v = std::pow(1 - random.uniform(), 1 / a);
            if (u + v <= 1 && u + v > 0) return u / (u + v);
        }
    }
    const double alpha = 2 * a, beta = std::sqrt((alpha - 2) / (2 * a * a - alpha)), gamma = a + 1 / beta;
    for (;;) {
        const double u1 = 1 - random.uniform(), u2 = 1 - random.uniform();
        const double v = beta * std::log(u1 / (1 - u1)), w = a * std::exp(v), z = u1 * u1 * u2;
        const double r = gamma * v - 1.3862943611198906, s = a + r - w;
        if (s + 2.6094379124341003 >= 5 * z || s >= std::log(z) || r + alpha * std::log(alpha / (a + w)) >= std::log(z))
            return w / (a + w);
    }
}

}  // namespace detail

// Mixes each row with another one, inputs and targets alike: l · own + (1 - l) · other, l from Beta(alpha, alpha) (Zhang et al.
// 2018).
struct Mixup {
    double alpha = 0.2;

    template <class S>
    double mix(float* own, const float* other, Random& random) const
    {
        const double share = detail::symmetric_beta(random, alpha);
        for (std::size_t i = 0; i < S::size; ++i)
            own[i] = static_cast<float>(share * static_cast<double>(own[i]) +
                                        (1 - share) * static_cast<double>(other[i]));
        return share;
    }
};

// Puts a box of the other row's pixels into each, of 1 - l of the area, l from Beta(alpha, alpha), anywhere; targets are mixed
// by the area that is left (Yun et al. 2019).
struct CutMix {
    double alpha = 1.0;

    template <class S>
    double mix(float* own, const float* other, Random& random) const
    {
        static_assert(S::rank == 3, "tenon: CutMix takes images: (height, width, channels).");
        constexpr std::size_t height = S::extents[0], width = S::extents[1];
        const double side = std::sqrt(1 - detail::symmetric_beta(random, alpha));
        const auto range = [&](std::size_t size, std::size_t& begin, std::size_t& end) {
            const auto middle = static_cast<double>(random.below(size));
            const double half = 0.5 * side * static_cast<double>(size);
            const double first = std::floor(middle - half), last = std::floor(middle + half);
            begin = first < 0 ? 0 : static_cast<std::size_t>(first);
            end = last < 0 ? 0 : last > static_cast<double>(size) ? size : static_cast<std::size_t>(last);
        };
        std::size_t top = 0, bottom = 0, left = 0, right = 0;
        range(height, top, bottom);
        range(width, left, right);
        for (std::size_t row = top; row < bottom; ++row)
            for (std::size_t i = (row * width + left) * S::last; i < (row * width + right) * S::last; ++i)
                own[i] = other[i];
        return 1 - static_cast<double>((bottom - top) * (right - left)) / static_cast<double>(height * width);
    }
};

// A dataset whose rows are mixed with others where they are gathered for an epoch; made by mixed(). The other row is drawn from
// the whole dataset, so what a row becomes does not depend on its batch.
template <Dataset D, class Mix>
    requires std::same_as<typename D::target_type, float>
class Mixed {
public:
    using input_shape = typename D::input_shape;
    using target_type = float;
    static constexpr std::size_t target_size = D::target_size;

    Mixed(D dataset, Mix mix, double probability) : dataset_{std::move(dataset)}, mix_{mix}, probability_{probability}
    {}

    std::size_t size() const { return dataset_.size(); }
    const D& dataset() const { return dataset_; }

    void gather(std::span<const std::uint32_t> indices, float* inputs, float* targets, const EpochDraw& draw) const
    {
        gather_rows(dataset_, indices, inputs, targets, &draw);
        std::vector<float> other(input_shape::size + target_size);
        for (std::size_t row = 0; row < indices.size(); ++row) {
            Random random = draw.random(indices[row], 0x6d6978);
            if (random.uniform() >= probability_) continue;
            const std::uint32_t partner[] = {static_cast<std::uint32_t>(random.below(dataset_.size()))};
            float* other_target = other.data() + input_shape::size;
            gather_rows(dataset_, std::span<const std::uint32_t>(partner), other.data(), other_target, &draw);
            const double share = mix_.template mix<input_shape>(inputs + row * input_shape::size, other.data(), random);
            for (std::size_t i = 0; i < target_size; ++i) {
                float& target = targets[row * target_size + i];
                target = static_cast<float>(share * static_cast<double>(target) +
                                            (1 - share) * static_cast<double>(other_target[i]));
            }
        }
    }
    void gather(std::span<const std::uint32_t> indices, float* inputs, float* targets) const
    {
        dataset_.gather(indices, inputs, targets);
    }

private:
    D dataset_;
    Mix mix_;
    double probability_;
};

// mixed(one_hot<10>(vary(train)), Mixup{}): each row with a probability, another one each epoch. Targets are rows of numbers:
// labels become probabilities by one_hot.
template <Dataset D, class Mix>
Mixed<D, Mix> mixed(D dataset, Mix mix, double probability = 1.0)
{
    return {std::move(dataset), mix, probability};
}

}  // namespace tenon::inline TENON_ISA::data
