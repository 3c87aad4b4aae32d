// SPDX-License-Identifier: BSL-1.0
//
// A range whose samples have another number of values than the stream.
// error: tenon: data::stream takes a function that returns a range of data::Sample<S, Target>.
#include <tenon/data/stream.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Row = data::Sample<Shape<4>, data::Label>;
#else
using Row = data::Sample<Shape<3>, data::Label>;
#endif

int main()
{
    const auto rows = data::stream<Shape<4>, data::Label>(2, [] { return std::vector<Row>(2); });
    return static_cast<int>(rows.size());
}
