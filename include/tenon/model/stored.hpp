// SPDX-License-Identifier: BSL-1.0
// store_as: a model's parameters in another type of the same layout: store_as<Float16>(model) for inference on half the bytes.
#pragma once

#include <tenon/core/error.hpp>
#include <tenon/model/model.hpp>

namespace tenon::inline TENON_ISA {

// Model<Net, Float16>, BFloat16 or back to Float32, each value rounded to the nearest (ties to even). Fails where a finite
// value is too large: for 16 bits of IEEE from 65520 on, for BFloat16, which has the range of float, only at its very end.
template <class P, class Net, class From>
Result<Model<Net, P>> try_store_as(const Model<Net, From>& model)
{
    static_assert(std::is_same_v<typename P::scalar, float> && std::is_same_v<typename From::scalar, float>,
                  "tenon: store_as converts between Float32, Float16 and BFloat16.");
    constexpr bool narrow = std::is_same_v<stored_t<P>, Fp16>;
    Parameters<Net, P> result;
    for (const SlotInfo& slot : Parameters<Net, P>::slots())
        for (std::size_t i = 0; i < slot.size; ++i) {
            const float value = model.parameters().logical(slot, i);
            result.logical(slot, i) = stored_t<P>(value);
            const float rounded = result.logical(slot, i);
            if (rounded - rounded != 0.0f && value - value == 0.0f)
                return Failure{sentence("store_as: ", std::string(slot.layer.data, slot.layer.size), "_", slot.ordinal,
                                        "/", slot.slot, ", value ", i, ": expected at most ",
                                        narrow ? "65504" : "3.39e38", " in size, found ", value,
                                        narrow ? "; BFloat16 has the range of float" : "")};
        }
    return Model<Net, P>{std::move(result)};
}

#if TENON_EXCEPTIONS
// As try_store_as, throwing tenon::Error.
template <class P, class Net, class From>
Model<Net, P> store_as(const Model<Net, From>& model)
{
    return try_store_as<P>(model).value_or_throw();
}
#endif

}  // namespace tenon
