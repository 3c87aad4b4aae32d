// SPDX-License-Identifier: BSL-1.0
#include <tenon/version.hpp>

#include <doctest/doctest.h>

TEST_CASE("the version is one ordered number")
{
    static_assert(TENON_VERSION == TENON_VERSION_MAJOR * 10000 + TENON_VERSION_MINOR * 100 + TENON_VERSION_PATCH);
    CHECK(TENON_VERSION >= 100);
}
