// SPDX-License-Identifier: BSL-1.0
// Integer products with the DSP instructions of Cortex-M4, M7, M33 and M55 (Armv7E-M, Armv8-M).
//
// SMLAD adds both products of two pairs of 16-bit numbers. Weights are bytes, and taking them apart would cost an instruction per
// pair. So a word holds two inputs' weights of two channels, as [a b a' b'] with the first channel's stored plus 128. The bytes
// under a mask (UXTB16) are the first channel's pair, u = a + 128. The word itself is, as two 16-bit numbers, 256 · b + u:
//   SMLAD(x, word) sums 256 · Σ x·b + Σ x·u, and less Σ x·u, shifted by 8, that is Σ x·b, exact while it has 24 bits;
//   Σ x·a = Σ x·u - 128 · Σ x, and Σ x is the same for all channels.
// One instruction takes apart what would need two.
#pragma once

#include <tenon/simd/int8.hpp>

#if defined(TENON_DETAIL_INT8_DSP)

namespace tenon::inline TENON_ISA::simd::int8 {

// Groups of four inputs whose products with a channel fit 24 bits: 4 · 127 · 128 · 128 < 2^23.
inline constexpr std::size_t most_groups = 127;

// Bytes 0 and 2, 1 and 3, as pairs of 16-bit numbers.
TENON_ALWAYS_INLINE std::int32_t even_bytes(std::int32_t word)
{
    std::int32_t pair;
    asm("sxtb16 %0, %1" : "=r"(pair) : "r"(word));
    return pair;
}
TENON_ALWAYS_INLINE std::int32_t odd_bytes(std::int32_t word)
{
    std::int32_t pair;
    asm("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
    return pair;
}
// sum + the products of both low and of both high halves.
TENON_ALWAYS_INLINE void add_products(std::int32_t& sum, std::int32_t a, std::int32_t b)
{
    asm("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
}
// sum + x · the low or the high half of a pair.
TENON_ALWAYS_INLINE void add_low_product(std::int32_t& sum, std::int32_t x, std::int32_t pair)
{
    asm("smlabb %0, %1, %2, %0" : "+r"(sum) : "r"(x), "r"(pair));
}
TENON_ALWAYS_INLINE void add_high_product(std::int32_t& sum, std::int32_t x, std::int32_t pair)
{
    asm("smlabt %0, %1, %2, %0" : "+r"(sum) : "r"(x), "r"(pair));
}
// x plus the first or the third byte of a word, unsigned.
TENON_ALWAYS_INLINE void advance_by_first(const std::int8_t*& x, std::int32_t word)
{
    asm("uxtab %0, %0, %1" : "+r"(x) : "r"(word));
}
TENON_ALWAYS_INLINE void advance_by_third(const std::int8_t*& x, std::int32_t word)
{
    asm("uxtab %0, %0, %1, ror #16" : "+r"(x) : "r"(word));
}
// Unaligned addresses are fine.
TENON_ALWAYS_INLINE std::int32_t load_word(const std::int8_t* x)
{
    std::int32_t word;
    std::memcpy(&word, x, 4);
    return word;
}
// The first `count` bytes of a word, zeros behind them.
inline std::int32_t load_part(const std::int8_t* x, std::size_t count)
{
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < count; ++i)
        word |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(x[i])) << 8 * i;
    return static_cast<std::int32_t>(word);
}

// What a layer's sums become, four at a time: q = max(ssat8(round(sum · multiplier / 2^31 / 2^right) + zero), lowest).
//   round(sum · multiplier / 2^31) is the high word of 2 · sum · multiplier, rounded; a doubled sum that saturates is one that is
//   clamped in the end, as long as right <= 20: 2^29 / 2^20 is beyond 255.
//   Halves away from zero are halves upwards of what is one less below zero; the last bit of a shift by right - 1 rounds.
struct Rounding {
    std::int32_t twice;   // 2 · zero + 1
    std::int32_t lowest;  // four times the byte

    explicit Rounding(const Requantize& r)
        : twice{2 * r.zero + 1},
          lowest{static_cast<std::int32_t>((static_cast<std::uint32_t>(r.lowest) & 0xff) * 0x01010101u)}
    {}
    static bool takes(std::int32_t shift, const Requantize& r) { return shift < 0 && shift >= -20 && r.highest == 127; }
};
TENON_ALWAYS_INLINE std::int32_t requantize_small(std::int32_t sum, std::int32_t multiplier, std::int32_t shift,
                                                  const Rounding& r)
{
    std::int32_t q;
    asm("qadd %0, %1, %1\n\tsmmulr %0, %0, %2\n\tadd %0, %0, %0, asr #31\n\tasr %0, %0, %3\n\t"
        "add %0, %0, %4\n\tssat %0, #8, %0, asr #1"
        : "=&r"(q)
        : "r"(sum), "r"(multiplier), "r"(~shift), "r"(r.twice));
    return q;
}
// round(a · b / 2^32), halves upwards.
TENON_ALWAYS_INLINE std::int32_t high_product(std::int32_t a, std::int32_t b)
{
    std::int32_t product;
    asm("smmulr %0, %1, %2" : "=r"(product) : "r"(a), "r"(b));
    return product;
}
// Four requantised sums in a word.
TENON_ALWAYS_INLINE std::int32_t four_bytes(std::int32_t a, std::int32_t b, std::int32_t c, std::int32_t d,
                                            const Rounding& r)
{
    asm("bfi %0, %1, #8, #8\n\tbfi %0, %2, #16, #8\n\tbfi %0, %3, #24, #8\n\t"
        "ssub8 %1, %0, %4\n\tsel %0, %0, %4"
        : "+r"(a), "+r"(b)
        : "r"(c), "r"(d), "r"(r.lowest)
        : "cc");
    return a;
}

// Four inputs of a row by four channels of a panel, `groups` times. x: int8, not necessarily aligned; w: Layout's pairs.
// sums: Σ x·u and Σ x·b of each pair of channels. 16 instructions for 16 products, and 2 in 64 for the loop.
// Written out, because compilers spill sums; naked, because all registers are used.
#    define TENON_DETAIL_ROW_GROUP                                            \
        "ldr r9, [r1], #4\n\tldm r2!, {r10, r11, r12, lr}\n\t"                \
        "sxtb16 r8, r9\n\tsxtb16 r9, r9, ror #8\n\t"                          \
        "uxtb16 r0, r10\n\tsmlad r4, r8, r0, r4\n\tsmlad r5, r8, r10, r5\n\t" \
        "uxtb16 r0, r11\n\tsmlad r4, r9, r0, r4\n\tsmlad r5, r9, r11, r5\n\t" \
        "uxtb16 r0, r12\n\tsmlad r6, r8, r0, r6\n\tsmlad r7, r8, r12, r7\n\t" \
        "uxtb16 r0, lr\n\tsmlad r6, r9, r0, r6\n\tsmlad r7, r9, lr, r7\n\t"
// whole: x behind the last four whole groups; end: x behind the last group.
[[gnu::naked, gnu::noinline]] inline void dot_row(std::int32_t* /*sums*/, const std::int8_t* /*x*/,
                                                  const std::int8_t* /*w*/, const std::int8_t* /*whole*/,
                                                  const std::int8_t* /*end*/)
{
    asm("push {r0, r4-r11, lr}\n\t"
        "movs r4, #0\n\tmovs r5, #0\n\tmovs r6, #0\n\tmovs r7, #0\n\t"
        "cmp r1, r3\n\tbeq 2f\n"
        "1:\n\t" TENON_DETAIL_ROW_GROUP TENON_DETAIL_ROW_GROUP TENON_DETAIL_ROW_GROUP TENON_DETAIL_ROW_GROUP
        "cmp r1, r3\n\tbne 1b\n"
        "2:\n\t"
        "ldr r3, [sp, #40]\n\tcmp r1, r3\n\tbeq 4f\n"
        "3:\n\t" TENON_DETAIL_ROW_GROUP
        "cmp r1, r3\n\tbne 3b\n"
        "4:\n\t"
        "subs r5, r5, r4\n\tasrs r5, r5, #8\n\tsubs r7, r7, r6\n\tasrs r7, r7, #8\n\t"
        "ldr r0, [sp]\n\tstm r0, {r4, r5, r6, r7}\n\t"
        "pop {r0, r4-r11, pc}");
}
#    undef TENON_DETAIL_ROW_GROUP

// Four columns of inputs by two channels of a panel. x: groups of four inputs as Columns lays them; w: the first word of the two
// channels. sums: Σ x·u and Σ x·b of each column. 24 instructions for 32 products, and 3 in 128 for the loop.
#    define TENON_DETAIL_COLUMNS_HALF(step)                                                                  \
        "ldr r3, [r2], #" step                                                                               \
        "\n\tldrd r0, lr, [r1], #8\n\tuxtb16 r12, r3\n\t"                                                    \
        "smlad r4, r0, r12, r4\n\tsmlad r5, r0, r3, r5\n\tsmlad r6, lr, r12, r6\n\tsmlad r7, lr, r3, r7\n\t" \
        "ldrd r0, lr, [r1], #8\n\t"                                                                          \
        "smlad r8, r0, r12, r8\n\tsmlad r9, r0, r3, r9\n\tsmlad r10, lr, r12, r10\n\tsmlad r11, lr, r3, r11\n\t"
#    define TENON_DETAIL_COLUMNS_GROUP TENON_DETAIL_COLUMNS_HALF("4") TENON_DETAIL_COLUMNS_HALF("12")
[[gnu::naked, gnu::noinline]] inline void dot_columns(std::int32_t* /*sums*/, const std::int32_t* /*x*/,
                                                      const std::int8_t* /*w*/, const std::int32_t* /*whole*/,
                                                      const std::int32_t* /*end*/)
{
    asm("push {r0, r3-r11, lr}\n\t"
        "movs r4, #0\n\tmovs r5, #0\n\tmovs r6, #0\n\tmovs r7, #0\n\t"
        "mov r8, r4\n\tmov r9, r4\n\tmov r10, r4\n\tmov r11, r4\n\t"
        "cmp r1, r3\n\tbeq 2f\n"
        "1:\n\t" TENON_DETAIL_COLUMNS_GROUP TENON_DETAIL_COLUMNS_GROUP TENON_DETAIL_COLUMNS_GROUP
            TENON_DETAIL_COLUMNS_GROUP
        "ldr r0, [sp, #4]\n\tcmp r1, r0\n\tbne 1b\n"
        "2:\n\t"
        "ldr r0, [sp, #44]\n\tcmp r1, r0\n\tbeq 4f\n"
        "3:\n\t" TENON_DETAIL_COLUMNS_GROUP
        "ldr r0, [sp, #44]\n\tcmp r1, r0\n\tbne 3b\n"
        "4:\n\t"
        "subs r5, r5, r4\n\tasrs r5, r5, #8\n\tsubs r7, r7, r6\n\tasrs r7, r7, #8\n\t"
        "sub r9, r9, r8\n\tasr r9, r9, #8\n\tsub r11, r11, r10\n\tasr r11, r11, #8\n\t"
        "ldr r0, [sp]\n\tstm r0, {r4-r11}\n\t"
        "pop {r0, r3-r11, pc}");
}
#    undef TENON_DETAIL_COLUMNS_GROUP
#    undef TENON_DETAIL_COLUMNS_HALF

// The taps of a depthwise window by four channels side by side: sums[n] += Σ (x - zero) · w, for weights without a zero point.
struct Taps {
    std::size_t x_step, w_step;  // bytes from tap to tap
    std::int32_t less;           // -zero in both halves
    std::size_t across, down;    // taps, at least one
    std::size_t x_line, w_line;  // bytes from behind a row of taps to the next one
};
[[gnu::naked, gnu::noinline]] inline void dot_taps(std::int32_t* /*sums*/, const std::int8_t* /*x*/,
                                                   const std::int8_t* /*w*/, const Taps* /*taps*/)
{
    asm("push {r0, r3, r4-r11, lr}\n\t"
        "ldm r0, {r4, r5, r6, r7}\n\t"
        "ldm r3, {r8, r9, r10, r11}\n\tldr r0, [r3, #16]\n\tpush {r0, r11}\n"
        // r11: taps left in this row; [sp]: rows left, [sp, #4]: taps of a row, [sp, #12]: taps.
        "1:\n\t"
        "ldr r0, [r1]\n\tldr r3, [r2]\n\tadd r1, r8\n\tadd r2, r9\n\t"
        "sxtab16 lr, r10, r0\n\tsxtb16 r12, r3\n\tsmlabb r4, lr, r12, r4\n\tsmlatt r6, lr, r12, r6\n\t"
        "sxtab16 lr, r10, r0, ror #8\n\tsxtb16 r12, r3, ror #8\n\tsmlabb r5, lr, r12, r5\n\tsmlatt r7, lr, r12, r7\n\t"
        "subs r11, #1\n\tbne 1b\n\t"
        "ldrd r0, r11, [sp]\n\tsubs r0, #1\n\tbeq 2f\n\t"
        "str r0, [sp]\n\tldr r3, [sp, #12]\n\tldrd r0, r3, [r3, #20]\n\tadd r1, r0\n\tadd r2, r3\n\tb 1b\n"
        "2:\n\t"
        "ldr r0, [sp, #8]\n\tstm r0, {r4, r5, r6, r7}\n\tadd sp, #16\n\t"
        "pop {r4-r11, pc}");
}

// Four columns of 16-bit inputs: of each four inputs the pairs 0 and 2 of all columns, then the pairs 1 and 3.
inline constexpr std::size_t columns = 4, column_words = 2 * columns;  // of a group

// Groups of four inputs as one column's words; returns the inputs' sum. whole: x behind the last four whole groups; end: behind
// the last group.
#    define TENON_DETAIL_FILL_GROUP                                       \
        "ldr r4, [r1], #4\n\tsxtb16 r12, r4\n\tsxtb16 r4, r4, ror #8\n\t" \
        "smlad r5, r12, r6, r5\n\tsmlad r5, r4, r6, r5\n\t"               \
        "str r4, [r0, #16]\n\tstr r12, [r0], #32\n\t"
[[gnu::naked, gnu::noinline]] inline std::int32_t fill_groups(std::int32_t* /*to*/, const std::int8_t* /*x*/,
                                                              const std::int8_t* /*whole*/, const std::int8_t* /*end*/)
{
    asm("push {r4-r6, lr}\n\tmovs r5, #0\n\tmov r6, #0x00010001\n\t"
        "cmp r1, r2\n\tbeq 2f\n"
        "1:\n\t" TENON_DETAIL_FILL_GROUP TENON_DETAIL_FILL_GROUP TENON_DETAIL_FILL_GROUP TENON_DETAIL_FILL_GROUP
        "cmp r1, r2\n\tbne 1b\n"
        "2:\n\t"
        "cmp r1, r3\n\tbeq 4f\n"
        "3:\n\t" TENON_DETAIL_FILL_GROUP
        "cmp r1, r3\n\tbne 3b\n"
        "4:\n\t"
        "mov r0, r5\n\tpop {r4-r6, pc}");
}
#    undef TENON_DETAIL_FILL_GROUP

// n inputs of one column, filled up to whole groups with zeros; returns their sum. to: that column's first word.
TENON_ALWAYS_INLINE std::int32_t fill_column(std::int32_t* to, const std::int8_t* x, std::size_t n)
{
    const std::size_t groups = n / 4;
    std::int32_t sum = fill_groups(to, x, x + groups / 4 * 16, x + groups * 4);
    if (n % 4 != 0) {
        const std::int32_t word = load_part(x + groups * 4, n % 4);
        to[groups * column_words] = even_bytes(word);
        to[groups * column_words + columns] = odd_bytes(word);
        add_products(sum, even_bytes(word), 0x00010001);
        add_products(sum, odd_bytes(word), 0x00010001);
    }
    return sum;
}

// Σ x.
inline std::int32_t sum_of(const std::int8_t* x, std::size_t n)
{
    constexpr std::int32_t ones = 0x00010001;
    std::int32_t sum = 0;
    const std::int8_t* const whole = x + n / 4 * 4;
    for (; x != whole; x += 4) {
        const std::int32_t word = load_word(x);
        add_products(sum, even_bytes(word), ones);
        add_products(sum, odd_bytes(word), ones);
    }
    for (std::size_t i = 0; i < n % 4; ++i) sum += x[i];
    return sum;
}

}  // namespace tenon::inline TENON_ISA::simd::int8

#endif
