// SPDX-License-Identifier: BSL-1.0
// Counts of right answers: accuracy, top-k, the confusion matrix with its text; the area under the receiver operating
// characteristic; errors of a regression.
#pragma once

#include <tenon/core/tensor.hpp>
#include <tenon/layers/activation.hpp>
#include <tenon/losses/loss.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace tenon::inline TENON_ISA {

// What counts as right for a network trained on a loss.
enum class Accuracy : unsigned char {
    none,      // a regression
    classes,   // the largest output is the target's class
    decisions  // every output is on the target's side of the threshold: one yes-or-no answer, or several at once
};

// Decisions where the loss absorbs a Sigmoid, or where labels meet a single output; classes where targets are labels, or
// where the loss takes probability rows; none otherwise.
template <class Loss, class Output, class Target>
constexpr Accuracy accuracy_kind()
{
    constexpr bool labels = std::is_integral_v<Target>;
    if (absorbs<Loss, Sigmoid>() || (labels && Output::size == 1)) return Accuracy::decisions;
    return labels || absorbs<Loss, Softmax>() ? Accuracy::classes : Accuracy::none;
}

// Position of the label's score among a row's scores, from 0: how many scores are larger, or as large and further left. A
// NaN at the label is last; elsewhere it counts as larger, so that a network gone to NaN is never right.
template <class T>
constexpr std::size_t rank_of(const T* scores, std::size_t classes, std::size_t label)
{
    std::size_t ahead = 0;
    const T own = scores[label];
    for (std::size_t i = 0; i < label; ++i) ahead += !(scores[i] < own);
    for (std::size_t i = label + 1; i < classes; ++i) ahead += !(scores[i] <= own);
    return ahead;
}

// Rows whose label is among the k largest outputs. y: (rows, classes), labels: (rows). k = 1: the accuracy's numerator.
template <class T>
constexpr std::size_t count_in_top(std::size_t k, std::size_t rows, std::size_t classes, const T* y,
                                   const std::int32_t* labels)
{
    std::size_t count = 0;
    for (std::size_t r = 0; r < rows; ++r)
        if (labels[r] >= 0 && static_cast<std::size_t>(labels[r]) < classes)
            count += rank_of(y + r * classes, classes, static_cast<std::size_t>(labels[r])) < k;
    return count;
}

// Rows that are right, as accuracy_kind says. y: (rows, Output), what the loss takes; targets: as the loss takes them.
template <class Loss, class Output, class T, class Target>
std::size_t count_correct(std::size_t rows, const T* y, const Target* targets)
{
    constexpr Accuracy kind = accuracy_kind<Loss, Output, Target>();
    constexpr std::size_t size = Output::size;
    std::size_t count = 0;
    if constexpr (kind == Accuracy::classes && std::is_integral_v<Target>) {
        count = count_in_top(1, rows, size, y, targets);
    } else if constexpr (kind == Accuracy::classes) {
        for (std::size_t r = 0; r < rows; ++r)
            count += rank_of(y + r * size, size, argmax(targets + r * size, size)) == 0;
    } else if constexpr (kind == Accuracy::decisions) {
        // A logit of 0 is a probability of one half.
        constexpr T threshold = absorbs<Loss, Sigmoid>() ? T(0) : T(0.5);
        for (std::size_t r = 0; r < rows; ++r) {
            bool right = true;
            for (std::size_t i = r * size; i < (r + 1) * size; ++i) {
                const bool yes = static_cast<T>(targets[i]) > T(0.5);
                right = right && (yes ? y[i] > threshold : y[i] <= threshold);
            }
            count += right;
        }
    }
    return count;
}

// count_correct's sum as a fraction; NaN where accuracy means nothing, or without rows.
template <class Loss, class Output, class Target>
constexpr double accuracy_of(std::size_t correct, std::size_t rows)
{
    if (rows == 0 || accuracy_kind<Loss, Output, Target>() == Accuracy::none)
        return std::numeric_limits<double>::quiet_NaN();
    return static_cast<double>(correct) / static_cast<double>(rows);
}

// How often each class was taken for each other: counts of (actual, predicted) pairs.
template <std::size_t Classes>
class ConfusionMatrix {
public:
    static constexpr std::size_t classes = Classes;

    void add(std::size_t actual, std::size_t predicted) { ++counts_[actual][predicted]; }

    // y: (rows, Classes) logits or probabilities, labels: (rows), each in [0, Classes).
    template <class T>
    void add(std::size_t rows, const T* y, const std::int32_t* labels)
    {
        for (std::size_t r = 0; r < rows; ++r)
            add(static_cast<std::size_t>(labels[r]), argmax(y + r * Classes, Classes));
    }

    std::uint64_t operator()(std::size_t actual, std::size_t predicted) const { return counts_[actual][predicted]; }

    // Rows of that class, predictions of that class, and all rows.
    std::uint64_t actual(std::size_t c) const
    {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < Classes; ++i) sum += counts_[c][i];
        return sum;
    }
    std::uint64_t predicted(std::size_t c) const
    {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < Classes; ++i) sum += counts_[i][c];
        return sum;
    }
    std::uint64_t total() const
    {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < Classes; ++i) sum += actual(i);
        return sum;
    }

    // Fractions; NaN where there is nothing to divide by.
    double accuracy() const
    {
        std::uint64_t right = 0;
        for (std::size_t i = 0; i < Classes; ++i) right += counts_[i][i];
        return fraction(right, total());
    }
    double precision(std::size_t c) const { return fraction(counts_[c][c], predicted(c)); }
    double recall(std::size_t c) const { return fraction(counts_[c][c], actual(c)); }
    // Harmonic mean of precision and recall.
    double f1(std::size_t c) const { return fraction(2 * counts_[c][c], actual(c) + predicted(c)); }

    // Their plain means over the classes that occur, as actual or as predicted ones; what has nothing to divide by counts
    // as 0 (scikit-learn's average="macro").
    double macro_precision() const
    {
        return macro([this](std::size_t c) { return precision(c); });
    }
    double macro_recall() const
    {
        return macro([this](std::size_t c) { return recall(c); });
    }
    double macro_f1() const
    {
        return macro([this](std::size_t c) { return f1(c); });
    }

    // One line per actual class, one column per predicted class, the recall behind each line and the precision below each
    // column, in percent. names: empty, or one for each class.
    std::string text(std::span<const std::string_view> names = {}) const
    {
        const auto name = [&](std::size_t c) { return c < names.size() ? std::string(names[c]) : std::to_string(c); };
        std::size_t label = 9, cell = 4;  // "precision", "100%"
        for (std::size_t i = 0; i < Classes; ++i) {
            label = larger(label, name(i).size());
            cell = larger(cell, names.empty() ? name(i).size() : larger(4, name(i).size() < 8 ? name(i).size() : 8));
            for (std::size_t j = 0; j < Classes; ++j) cell = larger(cell, std::to_string(counts_[i][j]).size());
        }
        std::string out = left("actual", label);
        for (std::size_t i = 0; i < Classes; ++i) out += right(name(i).substr(0, cell), cell + 1);
        out += right("recall", 8) + '\n';
        for (std::size_t i = 0; i < Classes; ++i) {
            out += left(name(i), label);
            for (std::size_t j = 0; j < Classes; ++j) out += right(std::to_string(counts_[i][j]), cell + 1);
            out += right(percent(recall(i)), 8) + '\n';
        }
        out += left("precision", label);
        for (std::size_t i = 0; i < Classes; ++i) out += right(percent(precision(i)), cell + 1);
        return out + right(percent(accuracy()), 8) + '\n';
    }

private:
    template <class F>
    double macro(F of_class) const
    {
        double sum = 0;
        std::size_t count = 0;
        for (std::size_t c = 0; c < Classes; ++c) {
            if (actual(c) + predicted(c) == 0) continue;
            const double value = of_class(c);
            sum += value >= 0 ? value : 0.0;
            ++count;
        }
        return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(count);
    }
    static double fraction(std::uint64_t part, std::uint64_t whole)
    {
        return whole == 0 ? std::numeric_limits<double>::quiet_NaN()
                          : static_cast<double>(part) / static_cast<double>(whole);
    }
    static constexpr std::size_t larger(std::size_t a, std::size_t b) { return a > b ? a : b; }
    static std::string left(std::string text, std::size_t width)
    {
        if (text.size() < width) text.resize(width, ' ');
        return text;
    }
    static std::string right(const std::string& text, std::size_t width)
    {
        return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
    }
    static std::string percent(double value)
    {
        if (!(value >= 0)) return "-";
        return std::to_string(static_cast<int>(100 * value + 0.5)) + '%';
    }

    std::uint64_t counts_[Classes][Classes] = {};
};

// The probability that a positive's score is above a negative's, ties counting one half: the area under the receiver
// operating characteristic (Hanley & McNeil 1982). NaN without positives or negatives, or where a score is NaN.
// In O(n log n). positive[i] != 0: row i is one.
template <class T>
double area_under_roc(std::span<const T> scores, std::span<const std::uint8_t> positive)
{
    std::vector<std::size_t> order(scores.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        order[i] = i;
        if (scores[i] != scores[i]) return std::numeric_limits<double>::quiet_NaN();
    }
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
    // Twice the pairs that are right: whole numbers, so exact.
    std::uint64_t negatives = 0, positives = 0, twice = 0;
    for (std::size_t i = 0; i < order.size();) {
        std::uint64_t tied[2] = {0, 0};
        for (const T score = scores[order[i]]; i < order.size() && scores[order[i]] == score; ++i)
            ++tied[positive[order[i]] != 0];
        twice += tied[1] * (2 * negatives + tied[0]);
        negatives += tied[0];
        positives += tied[1];
    }
    if (negatives == 0 || positives == 0) return std::numeric_limits<double>::quiet_NaN();
    return static_cast<double>(twice) / (2.0 * static_cast<double>(negatives) * static_cast<double>(positives));
}

// Errors of a regression, summed over rows as they come: values are the means over all rows and outputs.
template <std::size_t Outputs>
class RegressionErrors {
public:
    // y, targets: (rows, Outputs).
    template <class T, class Target>
    void add(std::size_t rows, const T* y, const Target* targets)
    {
        for (std::size_t r = 0; r < rows; ++r, ++rows_)
            for (std::size_t i = 0; i < Outputs; ++i) {
                const auto target = static_cast<double>(targets[r * Outputs + i]);
                const double error = static_cast<double>(y[r * Outputs + i]) - target;
                Sums& own = sums_[i];
                own.absolute += error < 0 ? -error : error;
                own.squared += error * error;
                // Welford 1962: no difference of large numbers.
                const double before = target - own.mean;
                own.mean += before / static_cast<double>(rows_ + 1);
                own.spread += before * (target - own.mean);
            }
    }

    std::uint64_t rows() const { return rows_; }
    double mean_absolute_error() const
    {
        return mean([](const Sums& own) { return own.absolute; });
    }
    double mean_squared_error() const
    {
        return mean([](const Sums& own) { return own.squared; });
    }
    // 1 - Σ (y - t)² / Σ (t - mean t)² of each output, their mean (scikit-learn's r2_score): 1 is perfect, 0 no better than
    // the mean. An output whose target never changes counts 1 where it is met exactly, else 0.
    double r_squared() const
    {
        double sum = 0;
        for (const Sums& own : sums_)
            sum += own.spread > 0 ? 1 - own.squared / own.spread : own.squared > 0 ? 0.0 : 1.0;
        return rows_ == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(Outputs);
    }

private:
    struct Sums {
        double absolute = 0, squared = 0, mean = 0, spread = 0;
    };

    template <class F>
    double mean(F of_output) const
    {
        double sum = 0;
        for (const Sums& own : sums_) sum += of_output(own);
        return rows_ == 0 ? std::numeric_limits<double>::quiet_NaN()
                          : sum / (static_cast<double>(rows_) * static_cast<double>(Outputs));
    }

    Sums sums_[Outputs];
    std::uint64_t rows_ = 0;
};

}  // namespace tenon
