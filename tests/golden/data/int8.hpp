// SPDX-License-Identifier: BSL-1.0
// Outputs of TensorFlow Lite Micro's reference kernels (github.com/tensorflow/tflite-micro 90b983c2b3f1, with gemmlowp 16e8662c3491:
// FullyConnectedPerChannel, AddElementwise, Softmax<int8, int8>) for random inputs.
#pragma once

#include <cstdint>

namespace golden {

inline constexpr std::int8_t dense_x[] = {12, 40, 28, 71, 72, -39, -1, 59, -41, -108, 39, 65, 112, -71, -18, -43, -102, 61, -12, 40, 79, -93};
inline constexpr std::int8_t dense_w[] = {64, 84, 14, 125, -85, 126, -43, -103, -112, -99, -49, -111, -123, -52, 41, 95, -53, 37, 99, 120, 83, -66, 117, 27, -96, -14, -44, 75, 93, -77, 83, -9, 108, -40, -64, 88, 43, -11, 95, -122, 16, 57, 89, -57, 107, 15, -80, -19, -41, 10, -2, 123, 18, -48, 102};
inline constexpr std::int32_t dense_bias[] = {-1914, 1357, 1001, 1082, -112};
inline constexpr std::int32_t dense_multiplier[] = {1300990253, 1560997324, 2086607100, 1260411932, 1975120861};
inline constexpr std::int32_t dense_shift[] = {-8, -8, -9, -8, -9};
inline constexpr std::int32_t dense_zeros[] = {-58, 0, -7, -128};
inline constexpr std::int8_t dense_y[] = {106, -11, 15, 34, -38, 114, -19, 2, -33, -54};
inline constexpr std::int8_t add_a[] = {56, -30, 47, -63, 68, 40, 32, -110, -64, 86, 103, 85, -108, 102, 21, -92, -128, -110, -23, 82, 5, -39, -23, 82, 7, -86, -2, -5, -79, -100, 61, -15, 90, 100, 56, -13, 85, -46, 16, -88};
inline constexpr std::int8_t add_b[] = {-2, 59, 62, 8, 2, -110, 99, -16, 42, -125, 68, 114, 61, -91, -13, -101, -14, -121, 63, -101, -42, -103, -59, -109, 66, 4, 74, 111, -57, -30, -65, 122, -61, 125, -42, 56, -15, -43, -10, -120};
inline constexpr float add_scales[] = {0x1.18155ap-2f, 0x1.ebc37ep-3f, 0x1.c635f4p-3f};
inline constexpr std::int32_t add_zeros[] = {-92, -49, 9};
inline constexpr std::int8_t add_y[] = {127, 127, 127, 106, 127, 106, 127, 23, 127, 127, 127, 127, 108, 127, 127, -47, 2, -91, 127, 127, 127, 16, 83, 127, 127, 74, 127, 127, 16, 20, 127, 127, 127, 127, 127, 127, 127, 72, 127, -63};
inline constexpr std::int8_t softmax_x[] = {119, -31, 47, 48, -42, 116, 19, 71, -6, 30, 98, -28};
inline constexpr std::int8_t softmax_y[] = {12, -128, -128, -128, -128, -27, -128, -127, -128, -128, -114, -128};

}  // namespace golden
