// SPDX-License-Identifier: BSL-1.0
// Pools against PyTorch: windows that overlap, that leave values out, and that reach over the image's edge.
#include "data/pools.hpp"
#include "images.hpp"

using namespace tenon;
using golden::compare;
namespace data = golden::pools;

namespace {

// Same for the largest value and the mean.
#define TENON_COMPARE_POOLS(pool, kind)                                                                            \
    compare < Network < Input<6, 4, 3>, pool##2D < 2 >>> ("2", data::kind##_2);                                    \
    compare < Network < Input<7, 5, 1>, pool##2D < 2 >>> ("2_odd", data::kind##_2_odd);                            \
    compare < Network < Input<5, 7, 2>, pool##2D < 2, Padding < Same >>>> ("2_odd_same", data::kind##_2_odd_same); \
    compare < Network < Input<4, 5, 2>, pool##2D < 3, Stride<1>,                                                   \
        Padding < Same >>>> ("3_stride_1_same", data::kind##_3_stride_1_same);                                     \
    compare < Network < Input<4, 5, 2>, pool##2D < 2, Stride<1>,                                                   \
        Padding < Same >>>> ("2_stride_1_same", data::kind##_2_stride_1_same);                                     \
    compare < Network < Input<6, 8, 2>, pool##2D < 3, Stride<2>,                                                   \
        Padding < Same >>>> ("3_stride_2_same_even", data::kind##_3_stride_2_same_even);                           \
    compare < Network < Input<7, 5, 2>, pool##2D < 3, Stride<2>,                                                   \
        Padding < Same >>>> ("3_stride_2_same_odd", data::kind##_3_stride_2_same_odd);                             \
    compare < Network < Input<7, 6, 2>, pool##2D < 3, Stride < 2 >>>> ("3_stride_2", data::kind##_3_stride_2);     \
    compare < Network < Input<8, 7, 2>, pool##2D < 2, Stride < 3 >>>> ("2_stride_3", data::kind##_2_stride_3);     \
    compare < Network < Input<7, 8, 2>, pool##2D < 2, Stride<3>,                                                   \
        Padding < Same >>>> ("2_stride_3_same", data::kind##_2_stride_3_same);                                     \
    compare < Network < Input<5, 6, 2>, pool##2D < 3, Stride < 1,                                                  \
        2 >>>> ("3_stride_1_by_2", data::kind##_3_stride_1_by_2);                                                  \
    compare < Network < Input<6, 7, 2>, pool##2D < 3, Stride<2>,                                                   \
        Padding < 1 >>>> ("3_padding_1_stride_2", data::kind##_3_padding_1_stride_2);                              \
    compare < Network < Input<5, 4, 2>, pool##2D < 3, Stride<2>, Padding < 2, 1, 0,                                \
        2 >>>> ("3_padding_each", data::kind##_3_padding_each);                                                    \
    compare < Network < Input<2, 3, 2>, pool##2D < 4,                                                              \
        Padding < Same >>>> ("4_same_larger_than_image", data::kind##_4_same_larger_than_image);                   \
    compare < Network < Input<5, 4, 17>, pool##2D < 2, Padding < Same >>>> ("17", data::kind##_17);                \
    compare < Network < Input<9, 3>, pool##1D < 2 >>> ("sequence_2", data::kind##_sequence_2);                     \
    compare < Network < Input<9, 3>, pool##1D < 2,                                                                 \
        Padding < Same >>>> ("sequence_2_same", data::kind##_sequence_2_same);                                     \
    compare < Network < Input<8, 2>, pool##1D < 3, Stride<2>,                                                      \
        Padding < Same >>>> ("sequence_3_stride_2_same", data::kind##_sequence_3_stride_2_same);                   \
    compare < Network < Input<6, 2>, pool##1D < 3, Stride<1>,                                                      \
        Padding < 1 >>>> ("sequence_3_stride_1_padding_1", data::kind##_sequence_3_stride_1_padding_1)

}  // namespace

TEST_CASE("maximum pools follow PyTorch, and Keras's rule for Same") { TENON_COMPARE_POOLS(MaxPool, max); }

TEST_CASE("mean pools follow PyTorch, and Keras's rule for Same: cells outside the image do not count")
{
    TENON_COMPARE_POOLS(AveragePool, average);
}

TEST_CASE("of equal values the first in a window takes the gradient, as in PyTorch")
{
    compare<Network<Input<5, 6, 3>, MaxPool2D<3, Stride<2>, Padding<Same>>>>(
        "max_ties", data::max_ties, [](double value) { return std::nearbyint(value * 1.5); });
}

TEST_CASE("global pools follow PyTorch")
{
    compare<Network<Input<4, 5, 6>, GlobalAveragePool2D>>("global_average", data::global_average);
    compare<Network<Input<3, 3, 17>, GlobalAveragePool2D>>("global_average_17", data::global_average_17);
    compare<Network<Input<4, 5, 6>, GlobalMaxPool2D>>("global_max", data::global_max);
    compare<Network<Input<3, 3, 17>, GlobalMaxPool2D>>("global_max_17", data::global_max_17);
}
