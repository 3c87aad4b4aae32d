// SPDX-License-Identifier: BSL-1.0
#include <fuzz/targets.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    static_cast<void>(fuzz::csv({bytes, size}));
    return 0;
}
