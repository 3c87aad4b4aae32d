// SPDX-License-Identifier: BSL-1.0
// summary: the table that Keras prints for a model, made from the type alone.
#pragma once

#include <tenon/core/error.hpp>
#include <tenon/network/slot_table.hpp>

#include <string>
#include <vector>

namespace tenon::inline TENON_ISA {

namespace detail {

inline std::string shape_text(std::size_t rank, const std::size_t* extents)
{
    std::string text = "(";
    for (std::size_t i = 0; i < rank; ++i) {
        if (i > 0) text += ", ";
        text += std::to_string(extents[i]);
    }
    text += ')';
    return text;
}

// 101770 → "101,770"
inline std::string grouped(std::size_t number)
{
    std::string digits = std::to_string(number);
    for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ',');
    return digits;
}

struct SummaryRow {
    std::string cells[4];
};

// Layers inside blocks are indented below their block, whose own row carries the totals.
template <class C>
void summary_rows(std::vector<SummaryRow>& rows, std::vector<std::pair<std::string, std::size_t>>& seen, std::size_t depth)
{
    C::for_each([&]<std::size_t I>() {
        using B = typename C::template bound<I>;
        const NamePart part = layer_name<typename B::layer>();
        const NamePart type = type_identifier<typename B::layer>();
        const std::string kind(part.data, part.size);
        std::size_t ordinal = 1;
        bool known = false;
        for (auto& [name, count] : seen)
            if (name == kind) {
                ordinal = ++count;
                known = true;
            }
        if (!known) seen.emplace_back(kind, 1);
        std::string title = sentence(std::string(2 * depth, ' '), kind, "_", ordinal, " (");
        title.append(type.data, type.size);
        // LeakyReLUWith<Slope<1, 5>> is a LeakyReLU.
        if (title.ends_with("With")) title.resize(title.size() - 4);
        title += ')';
        rows.push_back({{title, shape_text(B::output::rank, B::output::extents), grouped(layer_parameter_count<B>()),
                         grouped(macs_of<B>())}});
        if constexpr (HasBranches<B>)
            for_each_index<0, B::rule::branches::size>([&]<std::size_t J>() {
                summary_rows<typename B::rule::branches::template at<J>>(rows, seen, depth + 1);
            });
    });
}

}  // namespace detail

// One line per layer: name and type, output shape of one sample, parameters, multiply-adds of one row; below it the totals,
// the bytes of the weights (with the kernels' padding) and of the workspace for one row.
template <class Net, class P = Float32>
std::string summary()
{
    std::vector<detail::SummaryRow> rows{{{"Layer (type)", "Output shape", "Parameters", "MACs"}}};
    rows.push_back({{"input (Input)", detail::shape_text(Net::input_shape::rank, Net::input_shape::extents), "0", "0"}});
    std::vector<std::pair<std::string, std::size_t>> seen;
    detail::summary_rows<typename Net::chain>(rows, seen, 0);

    std::size_t widths[4] = {};
    for (const auto& row : rows)
        for (std::size_t c = 0; c < 4; ++c)
            if (row.cells[c].size() > widths[c]) widths[c] = row.cells[c].size();
    const std::size_t total = widths[0] + widths[1] + widths[2] + widths[3] + 6;

    std::string text;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        for (std::size_t c = 0; c < 4; ++c) {
            const std::string padding(widths[c] - rows[r].cells[c].size(), ' ');
            if (c > 0) text += "  ";
            // Numbers to the right, words to the left.
            text += c >= 2 ? padding + rows[r].cells[c] : rows[r].cells[c] + padding;
        }
        while (text.back() == ' ') text.pop_back();
        text += '\n';
        if (r == 0 || r + 1 == rows.size()) {
            text.append(total, r == 0 ? '=' : '-');
            text += '\n';
        }
    }
    text += sentence("Parameters: ", detail::grouped(Net::parameter_count), "\n");
    text += sentence("MACs per row: ", detail::grouped(Net::macs), "\n");
    text += sentence("Weights: ", detail::grouped(Net::template parameter_bytes<P>), " bytes\n");
    text += sentence("Workspace: ", detail::grouped(Net::template workspace_bytes<P>), " bytes for one row\n");
    return text;
}

}  // namespace tenon
