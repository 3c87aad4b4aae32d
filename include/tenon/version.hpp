// SPDX-License-Identifier: BSL-1.0
//
// The version of tenon. CMakeLists.txt reads it from here; it is stated nowhere else.
#pragma once

#define TENON_VERSION_MAJOR 0
#define TENON_VERSION_MINOR 1
#define TENON_VERSION_PATCH 0

// One number for comparisons: 10000 * major + 100 * minor + patch.
#define TENON_VERSION (TENON_VERSION_MAJOR * 10000 + TENON_VERSION_MINOR * 100 + TENON_VERSION_PATCH)
