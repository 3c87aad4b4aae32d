// SPDX-License-Identifier: BSL-1.0
// A sketch as Arduino's tools hand it to the compiler; main returns what they never do.
#include <Arduino.h>

#include <tenon.h>

using namespace tenon;

using Xor = Network<Input<2>, Dense<2>, ReLU, Dense<1>>;
constexpr float values[] = {1.0f, 1.0f, 1.0f, 1.0f, 0.0f, -1.0f, 1.0f, -2.0f, 0.0f};
constexpr auto weights = freeze<Xor>(values);

#if !defined(F) || !defined(PI) || !defined(abs)
#    error "tenon.h takes Arduino's macros away"
#endif
static_assert(max(bit(2), 3UL) == 4 && constrain(7, 0, 5) == 5);

namespace {

int wrong = 0;

void setup() {}

void loop()
{
    for (int a = LOW; a <= HIGH; ++a)
        for (int b = LOW; b <= HIGH; ++b) {
            const Tensor<float, Shape<2>> input{static_cast<float>(a), static_cast<float>(b)};
            const float output = predict<Xor>(weights, input)[0];
            wrong += abs(output - static_cast<float>(a ^ b)) > 0;
        }
}

}  // namespace

int main()
{
    setup();
    loop();
    return wrong;
}
