// SPDX-License-Identifier: BSL-1.0
// Owners and results: aligned memory that is zero, copied deeply and moved by pointer; values or sentences.
#include <tenon/core/error.hpp>
#include <tenon/core/storage.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

using namespace tenon;

TEST_CASE("AlignedBuffer: a cache line's boundary, and zeros")
{
    for (std::size_t size : {std::size_t(1), std::size_t(3), std::size_t(16), std::size_t(1001)}) {
        const AlignedBuffer<float> buffer{size};
        CHECK(buffer.size() == size);
        CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64 == 0);
        for (std::size_t i = 0; i < size; ++i) CHECK(buffer[i] == 0.0f);
    }
    const AlignedBuffer<double> empty{0}, none;
    CHECK(empty.size() == 0);
    CHECK(none.size() == 0);
    CHECK(none.data() == nullptr);
}

TEST_CASE("AlignedBuffer: copies are deep, moves take the memory along")
{
    AlignedBuffer<double> a{5};
    for (std::size_t i = 0; i < 5; ++i) a[i] = static_cast<double>(i);
    AlignedBuffer<double> b{a};
    b[0] = 9;
    CHECK(a[0] == 0);
    CHECK(b[4] == 4);
    const double* memory = b.data();
    AlignedBuffer<double> c{std::move(b)};
    CHECK(c.data() == memory);
    CHECK(c.size() == 5);
    CHECK(b.data() == nullptr);
    CHECK(b.size() == 0);
    a = c;
    CHECK(a[0] == 9);
    CHECK(a.data() != c.data());
    a = std::move(c);
    CHECK(a.data() == memory);
    AlignedBuffer<double>& self = a;
    a = self;
    CHECK(a[0] == 9);
    CHECK(a.size() == 5);
    a.clear();
    for (std::size_t i = 0; i < 5; ++i) CHECK(a[i] == 0);
    AlignedBuffer<double> empty;
    a = empty;
    CHECK(a.size() == 0);
    empty.clear();
}

TEST_CASE("Result: a value or a sentence")
{
    Result<int> five{5};
    REQUIRE(five);
    CHECK(five.value() == 5);
    five.value() = 6;
    CHECK(std::as_const(five).value() == 6);
    const Result<int> failed{Failure{"the reason"}};
    REQUIRE(!failed);
    CHECK(failed.error() == "the reason");
    CHECK(failed.failure().message == "the reason");

    // A value that is a sentence is still a value.
    const Result<std::string> text{std::string("fine")};
    CHECK(text);
    CHECK(text.value() == "fine");

    Result<std::unique_ptr<int>> owner{std::make_unique<int>(3)};
    const std::unique_ptr<int> taken = std::move(owner).value();
    CHECK(*taken == 3);
    CHECK((Result<Done>{Done{}}));

    CHECK(Result<int>{7}.value_or_throw() == 7);
    CHECK_THROWS_WITH_AS(Result<int>{Failure{"no file"}}.value_or_throw(), "no file", Error);
    CHECK_THROWS_AS(throw Error("x"), std::runtime_error);
}
