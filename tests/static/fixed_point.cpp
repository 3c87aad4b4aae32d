// SPDX-License-Identifier: BSL-1.0
//
// gemmlowp's roundings, evaluated by the compiler. The expected values follow from the definitions by hand.
#include <tenon/core/fixed_point.hpp>

using namespace tenon;

// round(a · b / 2^31), halves upwards.
static_assert(doubling_high_product(1 << 30, 1 << 30) == 1 << 29);
static_assert(doubling_high_product(1 << 30, 1) == 1);    //  0.5
static_assert(doubling_high_product(1 << 30, -1) == 0);   // -0.5
static_assert(doubling_high_product(1 << 30, -3) == -1);  // -1.5
static_assert(doubling_high_product(INT32_MIN, INT32_MIN) == INT32_MAX);
static_assert(doubling_high_product(INT32_MIN, INT32_MAX) == -INT32_MAX);

// Halves away from zero.
static_assert(rounding_shift_right(5, 1) == 3 && rounding_shift_right(-5, 1) == -3);
static_assert(rounding_shift_right(6, 2) == 2 && rounding_shift_right(-6, 2) == -2);
static_assert(rounding_shift_right(7, 0) == 7 && rounding_shift_right(-7, 0) == -7);
static_assert(rounding_shift_right(INT32_MAX, 31) == 1 && rounding_shift_right(INT32_MIN, 31) == -1);
static_assert(rounding_shift_right(1 << 29, 30) == 1 && rounding_shift_right((1 << 29) - 1, 30) == 0);

// The two roundings one after the other are not one: 2.75 · 2^-3 … 11/32 of 4: 1.375 → 1; and 0.4375 · 8 = 3.5.
static_assert(multiply_fixed(8, fixed_point(0.4375)) == 4 && multiply_fixed(-8, fixed_point(0.4375)) == -4);
// 1.25 · 2^-2 of 1: the first rounding makes 0.625 · 1 → 1, the second 1 / 2 → 1; rounded once it would be 0.3125 → 0.
static_assert(multiply_fixed(1, fixed_point(0.3125)) == 1);
static_assert(multiply_fixed(100, fixed_point(3.0)) == 300);

// multiplier · 2^(shift - 31).
static_assert(fixed_point(0.5) == FixedPoint{1 << 30, 0});
static_assert(fixed_point(1.0) == FixedPoint{1 << 30, 1});
static_assert(fixed_point(0.75) == FixedPoint{3 << 29, 0});
static_assert(fixed_point(0.0) == FixedPoint{0, 0} && fixed_point(-1.0) == FixedPoint{0, 0});
static_assert(fixed_point(0x1p-32) == FixedPoint{1 << 30, -31} && fixed_point(0x1p-33) == FixedPoint{0, 0});
// Rounded up to the next power of two.
static_assert(fixed_point(1.0 - 0x1p-40) == FixedPoint{1 << 30, 1});
static_assert(fixed_point(0x1p31) == FixedPoint{INT32_MAX, 30});

static_assert(saturating_shift_left(1 << 30, 1) == INT32_MAX && saturating_shift_left(-(1 << 30), 2) == INT32_MIN);
static_assert(saturating_shift_left(-3, 4) == -48);

static_assert(quantize_value(0.25f, {0.5f, 3}) == 4 && quantize_value(-0.25f, {0.5f, 3}) == 2);
static_assert(quantize_value(0.24f, {0.5f, 3}) == 3 && quantize_value(1e30f, {0.5f, 3}) == 127);
static_assert(quantize_value(-1e30f, {0.5f, 3}) == -128 && dequantize_value(5, {0.5f, 3}) == 1.0f);
