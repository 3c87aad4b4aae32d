// SPDX-License-Identifier: BSL-1.0
//
// Weights of 16 bits.
// error: tenon: weights are pruned, narrowed and skipped in float or double: do it to the Model<Net>, and then store_as<Float16> or quantize what is left.
// note: CheckPrunable<
#include <tenon/model/sparse.hpp>

using namespace tenon;

using Net = Network<Input<64>, Dense<4>>;

struct Values {
    float at[64 * 4 + 4];
};
constexpr Values some()
{
    Values values{};
    for (int i = 0; i < 64 * 4; i += 16) values.at[i] = 1;
    return values;
}
constexpr Values values = some();
#ifdef TENON_TWIN
constexpr auto weights = freeze<Net>(values.at);
#else
constexpr auto weights = freeze<Net, Float16>(values.at);
#endif

int main()
{
    const SkipZeros<weights> owner{};
    SparseSession<SkipZeros<weights>> session{owner};
    return session.run(Tensor<float, Shape<64>>{})[0] == 0.0f ? 0 : 1;
}
