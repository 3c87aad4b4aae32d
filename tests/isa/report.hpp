// SPDX-License-Identifier: BSL-1.0
// What one build of the library says of itself: plain types, which all builds share.
#pragma once

#include <cstdint>

struct Report {
    const char* build;
    // The same bits in every build.
    std::uint64_t topology, weights, fine_weights, orthogonal, order, mask;
    // The same but for the last bits.
    double probabilities[10], trained_loss, trained_accuracy;
};

#define TENON_TEST_BUILDS(X) X(scalar) X(sse2) X(avx) X(avx2) X(avx512)
#define TENON_TEST_DECLARE(name) Report report_of_##name();
TENON_TEST_BUILDS(TENON_TEST_DECLARE)
#undef TENON_TEST_DECLARE
