// SPDX-License-Identifier: BSL-1.0
// What the demo calls the ten classes, and how it prints numbers.
#pragma once

#include <tenon/training/progress.hpp>

#include <array>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

struct ClassNames {
    std::string title;
    std::array<std::string_view, 10> names;

    std::string_view operator[](std::size_t i) const { return names[i]; }
    operator std::span<const std::string_view>() const { return names; }
};

// By the folder's name: Fashion-MNIST has ten kinds of clothes, everything else is taken for digits.
inline ClassNames class_names(const std::string& folder)
{
    if (folder.find("fashion") != std::string::npos)
        return {
            "Fashion-MNIST",
            {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}};
    return {"MNIST", {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}};
}

inline std::string format(const char* pattern, double value)
{
    char text[64];
    std::snprintf(text, sizeof text, pattern, value);
    return text;
}

inline std::string percent(float probability) { return format("%.1f %%", 100.0 * static_cast<double>(probability)); }

// 60,000.
inline std::string grouped(std::size_t value) { return tenon::detail::grouped(value); }
inline std::string grouped(double value) { return grouped(static_cast<std::size_t>(value + 0.5)); }
