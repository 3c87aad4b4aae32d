// SPDX-License-Identifier: BSL-1.0
//
// error: tenon: export_header writes weights of Int8, Float32, Float16 and BFloat16: boards do not compute in double.
#include <tenon/io/export_header.hpp>

using namespace tenon;

using Net = Network<Input<2>, Dense<2>>;

#ifdef TENON_TWIN
using Precision = Float32;
#else
using Precision = Float64;
#endif

int main() { return try_export_header(Model<Net, Precision>{uninitialized}, "weights.hpp") ? 0 : 1; }
