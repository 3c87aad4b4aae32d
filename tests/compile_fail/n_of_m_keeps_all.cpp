// SPDX-License-Identifier: BSL-1.0
//
// Four of four.
// error: tenon: keep_n_of_m<N, M> keeps N of each M weights: N must be positive and below M.
#include <tenon/compression/n_of_m.hpp>

using namespace tenon;

int main()
{
    Model<Network<Input<8>, Dense<2>>> model{Seed{1}};
#ifdef TENON_TWIN
    keep_n_of_m<2, 4>(model);
#else
    keep_n_of_m<4, 4>(model);
#endif
    return 0;
}
