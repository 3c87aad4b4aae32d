// SPDX-License-Identifier: BSL-1.0
#include "kernels_dense.hpp"

TEST_CASE("Dense kernels, float: sizes 1 to 65 and awkward ones") { dense_test::sweep<float>(); }

TEST_CASE("Dense kernels, float: the same bits however the rows are split") { dense_test::check_splits<float>(); }
