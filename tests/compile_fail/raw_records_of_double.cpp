// SPDX-License-Identifier: BSL-1.0
//
// Values that raw records do not have.
// error: tenon: raw records hold inputs of float or of std::uint8_t.
#include <tenon/data/raw.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Value = float;
#else
using Value = double;
#endif

int main()
{
    const auto rows = data::map_raw<Shape<2>, Shape<1>, Value>({});
    return static_cast<int>(rows.size());
}
