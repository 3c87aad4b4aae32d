// SPDX-License-Identifier: BSL-1.0
// Line charts inside a report, as SVG elements of the page: they scale, and take the page's colours.
#pragma once

#include <tenon/config.hpp>

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace tenon::inline TENON_ISA {

// A curve: one value per epoch, from epoch 1, or whatever else a chart counts; NaN leaves a gap.
struct Curve {
    std::string name;
    std::vector<double> values;
};

namespace detail {

inline std::string formatted(const char* format, double value)
{
    char text[64];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

// Text between tags or inside quotes.
inline std::string escaped(const std::string& text)
{
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            default: out += c;
        }
    }
    return out;
}

// The largest of 1, 2, 5 times a power of ten that cuts a range into at least `pieces` pieces.
inline double tick_step(double range, double pieces)
{
    const double rough = range / pieces;
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    const double digit = rough / power;
    return power * (digit >= 5.0 ? 5.0 : digit >= 2.0 ? 2.0 : 1.0);
}

struct ChartStyle {
    bool percent = false;          // values in [0, 1] are shown as percent
    const char* format = "%.4f";   // of a value, where it is not percent
    const char* counts = "epoch";  // what the values are in order of
    double each = 1;               // so many of them for each value
    bool from_zero = false;
    std::vector<std::string> places = {};  // the values' names, where they have some
};

// The first curve gets the class "a", the second "b". Empty where no curve has a finite value.
class LineChart {
public:
    LineChart(std::string title, std::vector<Curve> curves, ChartStyle style)
        : title_{std::move(title)}, curves_{std::move(curves)}, style_{std::move(style)}
    {
        for (const Curve& curve : curves_) {
            if (curve.values.size() > epochs_) epochs_ = curve.values.size();
            for (const double value : curve.values) {
                if (!std::isfinite(value)) continue;
                low_ = any_ && low_ < value ? low_ : value;
                high_ = any_ && high_ > value ? high_ : value;
                any_ = true;
            }
        }
        if (style_.from_zero && low_ > 0) low_ = 0;
        const double range = high_ > low_ ? high_ - low_ : high_ == 0.0 ? 1.0 : std::fabs(high_) * 0.1;
        step_ = tick_step(range, 4.0);
        low_ = std::floor(low_ / step_) * step_;
        high_ = std::ceil(high_ / step_) * step_;
        if (!(high_ > low_)) high_ = low_ + step_;
    }

    bool empty() const { return !any_; }

    std::string svg() const
    {
        std::string out = "<figure class=\"chart\"><figcaption>" + escaped(title_) + "<span class=\"legend\">";
        for (std::size_t c = 0; c < curves_.size(); ++c)
            if (const std::size_t last = last_finite(curves_[c]); last != none)
                out += "<span class=\"" + key(c) + "\">" + escaped(curves_[c].name) + " <b>" +
                       shown(curves_[c].values[last]) + "</b></span>";
        out += "</span></figcaption><svg viewBox=\"0 0 520 260\" role=\"img\" aria-label=\"" + escaped(title_) + "\">";

        for (int i = 0; low_ + i * step_ <= high_ + 0.5 * step_; ++i) {
            const double value = low_ + i * step_;
            out += "<line class=\"grid\" x1=\"" + pixels(left) + "\" x2=\"" + pixels(right) + "\" y1=\"" +
                   pixels(y(value)) + "\" y2=\"" + pixels(y(value)) + "\"/><text x=\"" + pixels(left - 8) + "\" y=\"" +
                   pixels(y(value) + 4) + "\" text-anchor=\"end\">" + tick(value) + "</text>";
        }
        const double whole = style_.each * static_cast<double>(epochs_);
        const double every = whole <= 12 ? 1 : tick_step(whole, 5.0);
        for (double count = every; count <= whole; count += every)
            out += "<text x=\"" + pixels(x(count / style_.each)) + "\" y=\"" + pixels(bottom + 18) +
                   "\" text-anchor=\"middle\">" + place(count) + "</text>";
        out += "<text x=\"" + pixels(right) + "\" y=\"" + pixels(bottom + 34) + "\" text-anchor=\"end\">" +
               style_.counts + "</text>";

        for (std::size_t c = 0; c < curves_.size(); ++c) {
            std::string path, dots;
            bool drawing = false;
            for (std::size_t e = 1; e <= curves_[c].values.size(); ++e) {
                const double value = curves_[c].values[e - 1];
                if (!std::isfinite(value)) {
                    drawing = false;
                    continue;
                }
                path += (drawing ? " L" : " M") + pixels(x(static_cast<double>(e))) + ' ' + pixels(y(value));
                drawing = true;
                if (epochs_ > 100) continue;
                dots += "<circle cx=\"" + pixels(x(static_cast<double>(e))) + "\" cy=\"" + pixels(y(value)) +
                        "\" r=\"" + (epochs_ <= 40 ? "4" : "2") + "\"><title>" + escaped(curves_[c].name) + ", " +
                        style_.counts + ' ' + place(style_.each * static_cast<double>(e)) + ": " + shown(value) +
                        "</title></circle>";
            }
            out += "<g class=\"" + key(c) + "\"><path d=\"" + path + "\"/>" + dots + "</g>";
        }
        return out + "</svg></figure>\n";
    }

private:
    static constexpr double left = 56, right = 504, top = 12, bottom = 216;
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    static std::string key(std::size_t curve) { return curve == 0 ? "a" : "b"; }
    static std::string pixels(double value) { return formatted("%.1f", value); }

    std::string place(double count) const
    {
        const auto number = static_cast<std::size_t>(count);
        return number >= 1 && number <= style_.places.size() ? escaped(style_.places[number - 1])
                                                             : formatted("%.0f", count);
    }

    static std::size_t last_finite(const Curve& curve)
    {
        for (std::size_t i = curve.values.size(); i > 0; --i)
            if (std::isfinite(curve.values[i - 1])) return i - 1;
        return none;
    }

    double x(double epoch) const
    {
        const double inset = 12.0;
        if (epochs_ < 2) return (left + right) / 2;
        return left + inset + (right - left - 2 * inset) * (epoch - 1) / static_cast<double>(epochs_ - 1);
    }
    double y(double value) const { return bottom - (bottom - top) * (value - low_) / (high_ - low_); }

    std::string shown(double value) const
    {
        return style_.percent ? formatted("%.2f %%", 100.0 * value) : formatted(style_.format, value);
    }
    std::string tick(double value) const
    {
        const double step = style_.percent ? 100.0 * step_ : step_;
        const int digits = step >= 0.999 ? 0 : static_cast<int>(std::ceil(-std::log10(step) - 1e-9));
        if (digits > 4) return formatted("%.3g", value);
        char text[48];
        std::snprintf(text, sizeof text, style_.percent ? "%.*f %%" : "%.*f", digits,
                      style_.percent ? 100.0 * value : value);
        return text;
    }

    std::string title_;
    std::vector<Curve> curves_;
    ChartStyle style_;
    std::size_t epochs_ = 0;
    double low_ = 0.0, high_ = 0.0, step_ = 1.0;
    bool any_ = false;
};

// Rows of dots on one scale: what several runs of each of several things gave. The first row's mean is drawn through all rows, as
// what the others are compared with; its dots have the class "b", all others "a".
class SpreadChart {
public:
    SpreadChart(std::string title, std::vector<Curve> rows) : title_{std::move(title)}, rows_{std::move(rows)}
    {
        for (const Curve& row : rows_)
            for (const double value : row.values) {
                if (!std::isfinite(value)) continue;
                low_ = any_ && low_ < value ? low_ : value;
                high_ = any_ && high_ > value ? high_ : value;
                any_ = true;
            }
        const double range = high_ > low_ ? high_ - low_ : high_ == 0.0 ? 1.0 : std::fabs(high_) * 0.1;
        step_ = tick_step(range, 5.0);
        low_ = std::floor(low_ / step_) * step_;
        high_ = std::ceil(high_ / step_) * step_;
        if (!(high_ > low_)) high_ = low_ + step_;
    }

    bool empty() const { return !any_; }

    // Values are fractions, shown as percent.
    std::string svg() const
    {
        const double bottom = top + row_height * static_cast<double>(rows_.size());
        std::string out = "<figure class=\"chart\"><figcaption>" + escaped(title_) +
                          "</figcaption><svg viewBox=\"0 0 760 " + formatted("%.0f", bottom + 26) +
                          "\" role=\"img\" aria-label=\"" + escaped(title_) + "\">";
        for (int i = 0; low_ + i * step_ <= high_ + 0.5 * step_; ++i) {
            const double value = low_ + i * step_;
            out += "<line class=\"grid\" x1=\"" + at(x(value)) + "\" x2=\"" + at(x(value)) + "\" y1=\"" + at(top) +
                   "\" y2=\"" + at(bottom) + "\"/><text x=\"" + at(x(value)) + "\" y=\"" + at(bottom + 18) +
                   "\" text-anchor=\"middle\">" + formatted("%.1f %%", 100 * value) + "</text>";
        }
        if (!rows_.empty())
            if (const double mean = mean_of(rows_[0]); std::isfinite(mean))
                out += "<g class=\"b\"><path d=\"M" + at(x(mean)) + ' ' + at(top) + " L" + at(x(mean)) + ' ' +
                       at(bottom) + "\" stroke-dasharray=\"4 4\"/></g>";
        for (std::size_t r = 0; r < rows_.size(); ++r) {
            const double y = top + row_height * (static_cast<double>(r) + 0.5);
            out += "<text x=\"" + at(left - 10) + "\" y=\"" + at(y + 4) + "\" text-anchor=\"end\">" +
                   escaped(rows_[r].name) + "</text><g class=\"" + (r == 0 ? "b" : "a") + "\">";
            for (const double value : rows_[r].values)
                if (std::isfinite(value))
                    out += "<circle cx=\"" + at(x(value)) + "\" cy=\"" + at(y) + "\" r=\"4.5\"><title>" +
                           escaped(rows_[r].name) + ": " + formatted("%.2f %%", 100 * value) + "</title></circle>";
            out += "</g>";
        }
        return out + "</svg></figure>";
    }

private:
    static constexpr double left = 280, right = 740, top = 6, row_height = 24;

    double x(double value) const { return left + (right - left) * (value - low_) / (high_ - low_); }
    static std::string at(double place) { return formatted("%.1f", place); }
    static double mean_of(const Curve& row)
    {
        double sum = 0;
        for (const double value : row.values) sum += value;
        return sum / static_cast<double>(row.values.size());
    }

    std::string title_;
    std::vector<Curve> rows_;
    double low_ = 0, high_ = 0, step_ = 1;
    bool any_ = false;
};

}  // namespace detail
}  // namespace tenon
