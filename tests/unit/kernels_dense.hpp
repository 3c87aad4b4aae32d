// SPDX-License-Identifier: BSL-1.0
// The products of the Dense layer against sums in a wider type, for every size from 1 to 65 and a few awkward ones. Sizes
// are run-time values below the faces, so a sweep compiles each tile once.
#pragma once

#include <tenon/kernels/dense.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <type_traits>
#include <vector>

namespace dense_test {

using namespace tenon;
using namespace tenon::kernels;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool under_asan = true;
#elif defined(__has_feature)
constexpr bool under_asan = __has_feature(address_sanitizer);
#else
constexpr bool under_asan = false;
#endif

struct Sizes {
    std::size_t rows, K, N;
};

// A heap block of `size` scalars between canaries, not aligned beyond a scalar. Under ASan the block has exactly that
// size, so that reads outside of it are found as well.
template <class T>
class Guarded {
public:
    explicit Guarded(std::size_t size) : size_(size), block_(new T[size + 2 * guard])
    {
        for (std::size_t i = 0; i < size + 2 * guard; ++i) block_[i] = canary;
    }
    T* data() { return block_.get() + guard; }
    const T* data() const { return block_.get() + guard; }
    T& operator[](std::size_t i) { return data()[i]; }
    const T& operator[](std::size_t i) const { return data()[i]; }
    std::size_t size() const { return size_; }
    bool intact() const
    {
        for (std::size_t i = 0; i < guard; ++i)
            if (block_[i] != canary || block_[guard + size_ + i] != canary) return false;
        return true;
    }

private:
    static constexpr std::size_t guard = under_asan ? 0 : 67;
    static constexpr T canary = T(-12345);
    std::size_t size_;
    std::unique_ptr<T[]> block_;
};

// Small pseudo-random numbers; the same everywhere.
class Numbers {
public:
    explicit Numbers(std::uint64_t seed) : state_(seed * 2 + 1) {}
    template <class T>
    T next()
    {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<T>(static_cast<double>(state_ >> 33) / 1073741824.0 - 1.0);
    }
    std::size_t below(std::size_t n)
    {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<std::size_t>(state_ >> 33) % n;
    }

private:
    std::uint64_t state_;
};

// Calls f with the width of the last panel as a constant.
template <class T, class F>
void with_last_width(std::size_t width, F f)
{
    constexpr std::size_t W = simd::width<T>;
    bool done = false;
    const auto attempt = [&](auto candidate) {
        if (!done && width == decltype(candidate)::value) {
            f(candidate);
            done = true;
        }
    };
    attempt(std::integral_constant<std::size_t, 0>{});
    if constexpr (W > 1) {
        if constexpr (simd::has_width<T, W / 4> && W / 4 > 1) attempt(std::integral_constant<std::size_t, W / 4>{});
        if constexpr (simd::has_width<T, W / 2> && W / 2 > 1) attempt(std::integral_constant<std::size_t, W / 2>{});
        attempt(std::integral_constant<std::size_t, W>{});
        attempt(std::integral_constant<std::size_t, 2 * W>{});
        if constexpr (simd::panel_registers == 4) {
            attempt(std::integral_constant<std::size_t, 3 * W>{});
            attempt(std::integral_constant<std::size_t, 4 * W>{});
        }
    }
    REQUIRE(done);
}

template <class T>
struct Problem {
    using Wide = std::conditional_t<std::is_same_v<T, float>, double, long double>;

    Sizes sizes;
    simd::PanelLayout<T> layout;
    Guarded<T> x, w, bias, dy;

    explicit Problem(Sizes s)
        : sizes(s), layout{s.K, s.N}, x(s.rows * s.K), w(layout.size()), bias(layout.columns()), dy(s.rows * s.N)
    {
        Numbers numbers(s.rows * 10007 + s.K * 101 + s.N);
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = numbers.next<T>();
        for (std::size_t i = 0; i < dy.size(); ++i) dy[i] = numbers.next<T>();
        // Padding may hold anything finite.
        for (std::size_t i = 0; i < w.size(); ++i) w[i] = T(1000);
        for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = T(-1000);
        for (std::size_t k = 0; k < s.K; ++k)
            for (std::size_t n = 0; n < s.N; ++n) w[layout.index(k, n)] = numbers.next<T>();
        for (std::size_t n = 0; n < s.N; ++n) bias[n] = numbers.next<T>();
    }

    void run_forward(std::size_t begin, std::size_t end, const T* b, T* y, T floor = detail::no_floor<T>) const
    {
        with_last_width<T>(layout.last_width(), [&](auto last) {
            detail::forward<T, decltype(last)::value>(end - begin, layout, x.data() + begin * sizes.K, w.data(), b,
                                                      y + begin * sizes.N, floor);
        });
    }
    void run_input_gradient(std::size_t begin, std::size_t end, T* dx) const
    {
        constexpr std::size_t W = simd::width<T>;
        const std::size_t last = (sizes.K % simd::panel_width<T> + W - 1) / W;
        const auto attempt = [&](auto registers) {
            if (decltype(registers)::value == last)
                detail::input_gradient<T, decltype(registers)::value>(end - begin, layout, dy.data() + begin * sizes.N,
                                                                      w.data(), dx + begin * sizes.K);
        };
        attempt(std::integral_constant<std::size_t, 0>{});
        attempt(std::integral_constant<std::size_t, 1>{});
        attempt(std::integral_constant<std::size_t, 2>{});
        if constexpr (simd::panel_registers == 4) {
            attempt(std::integral_constant<std::size_t, 3>{});
            attempt(std::integral_constant<std::size_t, 4>{});
        }
    }
    template <class Sink>
    void run_weight_gradient(Sink sink, std::size_t k_begin, std::size_t k_end) const
    {
        with_last_width<T>(layout.last_width(), [&](auto last) {
            constexpr std::size_t width = decltype(last)::value;
            if (layout.rest() == width)
                detail::weight_gradient<T, width, false>(sizes.rows, layout, x.data(), dy.data(), sink, k_begin, k_end);
            else
                detail::weight_gradient<T, width, true>(sizes.rows, layout, x.data(), dy.data(), sink, k_begin, k_end);
        });
    }
    template <class Sink>
    void run_bias_gradient(Sink sink) const
    {
        with_last_width<T>(layout.last_width(), [&](auto last) {
            detail::bias_gradient<T, decltype(last)::value>(sizes.rows, layout, dy.data(), sink);
        });
    }

    // Whether |found - Σ a·b| <= 4 · terms · eps · Σ |a·b|.
    struct Sum {
        Wide sum = 0, magnitude = 0;
        std::size_t terms = 0;

        void add(T a, T b)
        {
            sum += Wide(a) * Wide(b);
            magnitude += std::abs(Wide(a) * Wide(b));
            ++terms;
        }
        bool near(T found) const
        {
            return std::abs(Wide(found) - sum) <=
                   Wide(4) * Wide(terms) * Wide(std::numeric_limits<T>::epsilon()) * magnitude;
        }
    };

    void check_forward() const
    {
        const auto [rows, K, N] = sizes;
        Guarded<T> y(rows * N), plain(rows * N), positive(rows * N);
        run_forward(0, rows, bias.data(), y.data());
        run_forward(0, rows, nullptr, plain.data());
        run_forward(0, rows, bias.data(), positive.data(), T(0));
        std::size_t wrong = 0;
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t n = 0; n < N; ++n) {
                Sum sum;
                for (std::size_t k = 0; k < K; ++k) sum.add(x[r * K + k], w[layout.index(k, n)]);
                wrong += !sum.near(plain[r * N + n]);
                sum.add(bias[n], T(1));
                wrong += !sum.near(y[r * N + n]);
                wrong += positive[r * N + n] != (y[r * N + n] > T(0) ? y[r * N + n] : T(0));
            }
        CHECK(wrong == 0);
        CHECK(y.intact());
        CHECK(plain.intact());
        CHECK(positive.intact());
    }
    void check_input_gradient() const
    {
        const auto [rows, K, N] = sizes;
        Guarded<T> dx(rows * K);
        run_input_gradient(0, rows, dx.data());
        std::size_t wrong = 0;
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t k = 0; k < K; ++k) {
                Sum sum;
                for (std::size_t n = 0; n < N; ++n) sum.add(dy[r * N + n], w[layout.index(k, n)]);
                wrong += !sum.near(dx[r * K + k]);
            }
        CHECK(wrong == 0);
        CHECK(dx.intact());
    }
    void check_weight_gradient() const
    {
        const auto [rows, K, N] = sizes;
        Guarded<T> dw(layout.size()), twice(layout.size()), db(layout.columns());
        run_weight_gradient(Store<T>{dw.data()}, 0, K);
        run_bias_gradient(Store<T>{db.data()});
        for (std::size_t i = 0; i < twice.size(); ++i) twice[i] = dw[i];
        run_weight_gradient(Accumulate<T>{twice.data()}, 0, K);
        std::size_t wrong = 0;
        std::vector<bool> logical(layout.size());
        for (std::size_t k = 0; k < K; ++k)
            for (std::size_t n = 0; n < N; ++n) {
                Sum sum;
                for (std::size_t r = 0; r < rows; ++r) sum.add(x[r * K + k], dy[r * N + n]);
                const std::size_t at = layout.index(k, n);
                wrong += !sum.near(dw[at]);
                logical[at] = true;
            }
        for (std::size_t n = 0; n < N; ++n) {
            Sum sum;
            for (std::size_t r = 0; r < rows; ++r) sum.add(T(1), dy[r * N + n]);
            wrong += !sum.near(db[n]);
        }
        for (std::size_t i = 0; i < layout.size(); ++i) {
            wrong += !logical[i] && dw[i] != T(0);  // padding
            wrong += twice[i] != T(2) * dw[i];
        }
        for (std::size_t n = N; n < layout.columns(); ++n) wrong += db[n] != T(0);
        CHECK(wrong == 0);
        CHECK(dw.intact());
        CHECK(twice.intact());
        CHECK(db.intact());
    }
    void check_all() const
    {
        CAPTURE(sizes.rows);
        CAPTURE(sizes.K);
        CAPTURE(sizes.N);
        check_forward();
        check_input_gradient();
        check_weight_gradient();
        CHECK((x.intact() && w.intact() && bias.intact() && dy.intact()));
    }

    // The same bits however the rows, or the rows of the kernel's gradient, are split.
    void check_splits() const
    {
        CAPTURE(sizes.rows);
        CAPTURE(sizes.K);
        CAPTURE(sizes.N);
        const auto [rows, K, N] = sizes;
        Guarded<T> y(rows * N), parts_y(rows * N), dx(rows * K), parts_dx(rows * K);
        Guarded<T> dw(layout.size()), parts_dw(layout.size());
        run_forward(0, rows, bias.data(), y.data());
        run_input_gradient(0, rows, dx.data());
        run_weight_gradient(Store<T>{dw.data()}, 0, K);
        Numbers numbers(rows + K + N);
        for (int trial = 0; trial < 4; ++trial) {
            const std::size_t largest = trial == 0 ? 1 : 9;
            for (std::size_t r = 0, end = 0; r < rows; r = end) {
                end = r + 1 + numbers.below(largest);
                if (end > rows) end = rows;
                run_forward(r, end, bias.data(), parts_y.data());
                run_input_gradient(r, end, parts_dx.data());
            }
            for (std::size_t k = 0, end = 0; k < K; k = end) {
                end = k + 1 + numbers.below(largest);
                if (end > K) end = K;
                run_weight_gradient(Store<T>{parts_dw.data()}, k, end);
            }
            CHECK(std::memcmp(y.data(), parts_y.data(), sizeof(T) * y.size()) == 0);
            CHECK(std::memcmp(dx.data(), parts_dx.data(), sizeof(T) * dx.size()) == 0);
            CHECK(std::memcmp(dw.data(), parts_dw.data(), sizeof(T) * dw.size()) == 0);
        }
    }
};

template <class T>
void sweep()
{
    // Each extent alone from 1 to 65, others held; then all three at random.
    for (std::size_t i = 1; i <= 65; ++i) {
        Problem<T>({i, 9, 21}).check_all();
        Problem<T>({7, i, 19}).check_all();
        Problem<T>({7, 11, i}).check_all();
        Problem<T>({i, i, i}).check_all();
    }
    Numbers numbers(1);
    for (int i = 0; i < 150; ++i)
        Problem<T>({1 + numbers.below(65), 1 + numbers.below(65), 1 + numbers.below(65)}).check_all();
    for (std::size_t awkward : {std::size_t(783), std::size_t(785)}) {
        Problem<T>({5, awkward, 10}).check_all();
        Problem<T>({4, 12, awkward}).check_all();
        Problem<T>({awkward, 7, 9}).check_all();
    }
    Problem<T>({33, 785, 129}).check_all();
    Problem<T>({13, 129, 785}).check_all();
    Problem<T>({5, 65, 783}).check_all();
}

template <class T>
void check_splits()
{
    for (Sizes sizes : {Sizes{65, 40, 70}, Sizes{250, 783, 10}, Sizes{31, 17, 5}, Sizes{12, 70, 300}})
        Problem<T>(sizes).check_splits();
}

}  // namespace dense_test
