// SPDX-License-Identifier: BSL-1.0
// Slots and layers by the names that summary() prints: "dense_1/kernel", "dense_1", or "dense" for all of a kind.
#pragma once

#include <tenon/network/slot_table.hpp>

#include <span>
#include <string>
#include <string_view>

namespace tenon::inline TENON_ISA::detail {

// "dense_1", "dense_1/kernel"
inline std::string layer_label(const SlotInfo& slot)
{
    return std::string(slot.layer.data, slot.layer.size) + '_' + std::to_string(slot.ordinal);
}
inline std::string slot_name(const SlotInfo& slot) { return layer_label(slot) + '/' + slot.slot; }

inline bool is_kernel(const SlotInfo& slot) { return std::string_view{slot.slot} == "kernel"; }

// "dense_1" is that layer, "dense" every layer of the kind.
inline bool layer_is(const SlotInfo& slot, std::string_view name)
{
    return layer_label(slot) == name || std::string_view{slot.layer.data, slot.layer.size} == name;
}

// The sentence about a name that no layer has.
inline std::string no_layer_sentence(const std::string& name, std::span<const SlotInfo> slots,
                                     const char* with = "parameters")
{
    std::string text = "tenon: the network has no layer '" + name + "' with " + with + "; it has ", last;
    for (const SlotInfo& slot : slots)
        if (const std::string label = layer_label(slot); label != last) {
            text += (last.empty() ? "" : ", ") + label;
            last = label;
        }
    return text + (last.empty() ? "none" : "");
}

}  // namespace tenon::detail
