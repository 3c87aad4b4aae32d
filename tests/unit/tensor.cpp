// SPDX-License-Identifier: BSL-1.0
// Tensors and views: row-major, last axis contiguous, by flat index or one index per axis.
#include <tenon/core/tensor.hpp>

#include <doctest/doctest.h>

#include <numeric>

using namespace tenon;

TEST_CASE("a tensor is row-major, the last axis contiguous")
{
    Tensor<float, Shape<2, 3, 4>> t{};
    std::iota(t.begin(), t.end(), 0.0f);
    CHECK(t.size() == 24);
    for (std::size_t i = 0; i < 2; ++i)
        for (std::size_t j = 0; j < 3; ++j)
            for (std::size_t k = 0; k < 4; ++k) {
                CHECK(t(i, j, k) == static_cast<float>(i * 12 + j * 4 + k));
                CHECK(&t(i, j, k) == t.data() + i * 12 + j * 4 + k);
            }
    t(1, 2, 3) = -1.0f;
    CHECK(t[23] == -1.0f);
    t[0] = 5.0f;
    const auto& c = t;
    CHECK(c(0, 0, 0) == 5.0f);
    CHECK(c.end() - c.begin() == 24);
    CHECK(t(1, 0u, short{2}) == 14.0f);  // any integers
}

TEST_CASE("tensors are values")
{
    const Tensor<int, Shape<3>> a{1, 2, 3};
    Tensor<int, Shape<3>> b = a;
    CHECK(a == b);
    b[1] = 7;
    CHECK(a != b);
    CHECK(a[1] == 2);
    CHECK((Tensor<int, Shape<3>>{1}) == (Tensor<int, Shape<3>>{1, 0, 0}));
}

TEST_CASE("a view writes through to memory that it does not own")
{
    float memory[6] = {0, 1, 2, 3, 4, 5};
    const TensorView<float, Shape<2, 3>> view{memory};
    CHECK(view(1, 0) == 3.0f);
    view(1, 0) = 9.0f;
    CHECK(memory[3] == 9.0f);
    view[5] = 8.0f;
    CHECK(memory[5] == 8.0f);
    CHECK(view.size() == 6);
    CHECK(view.data() == memory);
    CHECK(view.end() - view.begin() == 6);
    const TensorView<const float, Shape<6>> constant{memory};
    CHECK(constant[3] == 9.0f);
}

TEST_CASE("argmax is the first of the largest")
{
    CHECK(argmax(Tensor<float, Shape<4>>{1, 3, 3, 2}) == 1);
    CHECK(argmax(Tensor<float, Shape<1>>{-5}) == 0);
    CHECK(argmax(Tensor<float, Shape<2, 2>>{-5, -4, -3, -9}) == 2);
    const int values[] = {4, 5, 6, 1};
    CHECK(argmax(values, 4) == 2);
    CHECK(argmax(values, 1) == 0);
}
