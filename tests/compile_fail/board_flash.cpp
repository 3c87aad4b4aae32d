// SPDX-License-Identifier: BSL-1.0
//
// A network with more weights than a board has flash.
// error: the board has less flash
// note: CheckFlash<
// note: TooMany<
#include <tenon/model/board.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<784>, Dense<32>, ReLU, Dense<10>>;
#else
using Net = Network<Input<784>, Dense<400>>;
#endif

static_assert(check_board<Net, Int8, boards::MicrobitV1, Beside<16 * 1024, 8 * 1024>>());

int main() {}
