// SPDX-License-Identifier: BSL-1.0
// Report: what a training run gave, as one HTML file that needs nothing else. Hosted and opt-in: no umbrella includes it.
//   Report report{"Fashion-MNIST"};
//   report.figures({{"test accuracy", "88.1 %"}}).curves(history).pace(pace).confusion(matrix, names).text("Network", summary<Net>());
//   write_report("report.html", report);
#pragma once

#include <tenon/core/error.hpp>
#include <tenon/training/history.hpp>
#include <tenon/training/metrics.hpp>
#include <tenon/training/report_chart.hpp>
#include <tenon/training/report_image.hpp>
#include <tenon/training/report_pace.hpp>
#include <tenon/version.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::inline TENON_ISA {

// A label and its value.
struct Fact {
    std::string label;
    std::string value;
};

// One quantity of a comparison, with a value for each column.
struct ComparisonRow {
    std::string label;
    std::vector<std::string> values;
};

// What compiled and runs this program: "g++ 12.2.0 · avx2_fma · AMD EPYC". The processor's name is known on Linux only.
inline std::string build_and_machine()
{
#if defined(__clang__)
    std::string text = "clang++ " + std::to_string(__clang_major__) + '.' + std::to_string(__clang_minor__) + '.' +
                       std::to_string(__clang_patchlevel__);
#elif defined(__GNUC__)
    std::string text = "g++ " + std::to_string(__GNUC__) + '.' + std::to_string(__GNUC_MINOR__) + '.' +
                       std::to_string(__GNUC_PATCHLEVEL__);
#else
    std::string text = "unknown compiler";
#endif
#if defined(__GNUC__) && !defined(__OPTIMIZE__)
    text += " without optimisation";
#endif
#define TENON_DETAIL_TEXT(x) #x
#define TENON_DETAIL_EXPANDED_TEXT(x) TENON_DETAIL_TEXT(x)
    text += " · ";
    text += &(TENON_DETAIL_EXPANDED_TEXT(TENON_ISA))[sizeof("isa")];  // without "isa_"
#undef TENON_DETAIL_EXPANDED_TEXT
#undef TENON_DETAIL_TEXT
    if (std::FILE* file = std::fopen("/proc/cpuinfo", "r")) {
        char line[256];
        while (std::fgets(line, sizeof line, file) != nullptr) {
            const std::string_view whole = line;
            if (whole.substr(0, 10) != "model name") continue;
            const std::size_t colon = whole.find(": ");
            if (colon != std::string_view::npos)
                text += " · " + std::string(whole.substr(colon + 2, whole.find('\n') - colon - 2));
            break;
        }
        std::fclose(file);
    }
    return text;
}

class Report {
public:
    explicit Report(std::string title, std::string subtitle = {})
        : title_{std::move(title)}, subtitle_{std::move(subtitle)}
    {}

    // Starts a part of a report about several things.
    Report& chapter(const std::string& heading, const std::string& note = {})
    {
        body_ += "<header class=\"chapter\"><h1>" + detail::escaped(heading) + "</h1>";
        if (!note.empty()) body_ += "<p>" + detail::escaped(note) + "</p>";
        body_ += "</header>\n";
        return *this;
    }

    // The figures that a reader looks for first, in large print.
    Report& figures(const std::vector<Fact>& facts)
    {
        body_ += "<section class=\"figures\">";
        for (const Fact& fact : facts)
            body_ += "<div><b>" + detail::escaped(fact.value) + "</b><span>" + detail::escaped(fact.label) +
                     "</span></div>";
        body_ += "</section>\n";
        return *this;
    }

    // Loss and accuracy by epoch, training and validation.
    Report& curves(const History& history)
    {
        Curve loss[2] = {{"training", {}}, {"validation", {}}}, accuracy[2] = {{"training", {}}, {"validation", {}}};
        for (const Epoch& epoch : history) {
            loss[0].values.push_back(epoch.training.loss);
            loss[1].values.push_back(epoch.validation.loss);
            accuracy[0].values.push_back(epoch.training.accuracy);
            accuracy[1].values.push_back(epoch.validation.accuracy);
        }
        open("Learning curves");
        body_ += "<div class=\"charts\">";
        for (const detail::LineChart& chart :
             {detail::LineChart{"Loss", {loss[0], loss[1]}, {}},
              detail::LineChart{"Accuracy", {accuracy[0], accuracy[1]}, {.percent = true}}})
            if (!chart.empty()) body_ += chart.svg();
        body_ +=
            "</div><p class=\"quiet\">Training values were measured while the weights moved, validation values with "
            "the weights at the end of each epoch.</p>";
        return close();
    }

    // Learning rate and throughput by step, as the callback saw them.
    Report& pace(const callbacks::Pace& pace)
    {
        const auto each = static_cast<double>(pace.steps_per_point());
        const detail::ChartStyle rates{.format = "%.3g", .counts = "step", .each = each, .from_zero = true};
        detail::ChartStyle whole = rates;
        whole.format = "%.0f";
        open("Learning rate and throughput");
        body_ += "<div class=\"charts\">";
        for (const detail::LineChart& chart :
             {detail::LineChart{"Learning rate", {{"last", pace.learning_rates()}}, rates},
              detail::LineChart{"Samples per second", {{"last", pace.samples_per_second()}}, whole}})
            if (!chart.empty()) body_ += chart.svg();
        body_ += "</div>";
        if (each > 1)
            body_ += "<p class=\"quiet\">Each point stands for " + std::to_string(pace.steps_per_point()) +
                     " steps: the learning rate of the last of them, and their mean throughput.</p>";
        return close();
    }

    // Quantities over the same named places, such as the stages of a pipeline: a chart of its own for each.
    Report& lines(const std::string& heading, const std::string& axis, const std::vector<std::string>& places,
                  const std::vector<Curve>& quantities)
    {
        const std::string shown = detail::escaped(axis);
        open(heading);
        body_ += "<div class=\"charts\">";
        for (const Curve& quantity : quantities)
            if (const detail::LineChart chart{
                    quantity.name, {quantity}, {.format = "%.5g", .counts = shown.c_str(), .places = places}};
                !chart.empty())
                body_ += chart.svg();
        body_ += "</div>";
        return close();
    }

    // One row per actual class. Names: empty, or one for each class.
    template <std::size_t Classes>
    Report& confusion(const ConfusionMatrix<Classes>& matrix, std::span<const std::string_view> names = {})
    {
        const auto name = [&](std::size_t c) {
            return detail::escaped(c < names.size() ? std::string(names[c]) : std::to_string(c));
        };
        open("Confusion matrix");
        body_ +=
            "<div class=\"wide\"><table class=\"confusion\"><thead><tr><th class=\"corner\">actual \\ predicted</th>";
        for (std::size_t c = 0; c < Classes; ++c) body_ += "<th><span>" + name(c) + "</span></th>";
        body_ += "<th class=\"side\"><span>recall</span></th></tr></thead><tbody>";
        for (std::size_t a = 0; a < Classes; ++a) {
            body_ += "<tr><th>" + name(a) + "</th>";
            const double whole = static_cast<double>(matrix.actual(a));
            for (std::size_t p = 0; p < Classes; ++p) body_ += cell(matrix(a, p), whole, a == p, name(a), name(p));
            body_ += "<td class=\"side\">" + percent(matrix.recall(a)) + "</td></tr>";
        }
        body_ += "</tbody><tfoot><tr><th>precision</th>";
        for (std::size_t c = 0; c < Classes; ++c) body_ += "<td>" + percent(matrix.precision(c)) + "</td>";
        body_ += "<td class=\"side\"><b>" + percent(matrix.accuracy()) + "</b></td></tr></tfoot></table></div>";
        return close();
    }

    // Pictures side by side, made by picture().
    Report& pictures(const std::string& heading, const std::vector<Picture>& pictures)
    {
        open(heading);
        body_ += "<div class=\"pictures\">";
        for (const Picture& picture : pictures)
            body_ += std::string("<figure") + (picture.right ? "" : " class=\"wrong\"") + "><img alt=\"\" src=\"" +
                     picture.url + "\"><figcaption><b>" + detail::escaped(picture.caption) + "</b><span>" +
                     detail::escaped(picture.note) + "</span></figcaption></figure>";
        body_ += "</div>";
        return close();
    }

    // Two columns.
    Report& table(const std::string& heading, const std::vector<Fact>& rows)
    {
        open(heading);
        body_ += "<table class=\"facts\">";
        for (const Fact& row : rows)
            body_ += "<tr><th>" + detail::escaped(row.label) + "</th><td>" + detail::escaped(row.value) + "</td></tr>";
        body_ += "</table>";
        return close();
    }

    // What is compared stands in columns, one row for each quantity: rows[i].values[j] belongs to columns[j].
    Report& comparison(const std::string& heading, const std::vector<std::string>& columns,
                       const std::vector<ComparisonRow>& rows)
    {
        open(heading);
        body_ += "<div class=\"wide\"><table class=\"comparison\"><thead><tr><th></th>";
        for (const std::string& column : columns) body_ += "<th>" + detail::escaped(column) + "</th>";
        body_ += "</tr></thead><tbody>";
        for (const ComparisonRow& row : rows) {
            body_ += "<tr><th>" + detail::escaped(row.label) + "</th>";
            for (std::size_t i = 0; i < columns.size(); ++i)
                body_ += "<td>" + (i < row.values.size() ? detail::escaped(row.values[i]) : std::string("–")) + "</td>";
            body_ += "</tr>";
        }
        body_ += "</tbody></table></div>";
        return close();
    }

    // What several runs of each of several things gave, as dots on one scale (fractions, shown as percent). The first row is the
    // one that the others are compared with.
    Report& spread(const std::string& heading, const std::vector<Curve>& rows)
    {
        open(heading);
        if (const detail::SpreadChart chart{heading, rows}; !chart.empty()) body_ += chart.svg();
        return close();
    }

    // Text as it is, in one width per character: a summary, for instance.
    Report& text(const std::string& heading, const std::string& text)
    {
        open(heading);
        body_ += "<pre>" + detail::escaped(text) + "</pre>";
        return close();
    }

    // The whole page.
    std::string html() const
    {
        std::string page =
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>";
        page += detail::escaped(title_);
        page += "</title><style>";
        page += style;
        page += "</style></head><body><main>\n<header><h1>" + detail::escaped(title_) + "</h1>";
        if (!subtitle_.empty()) page += "<p>" + detail::escaped(subtitle_) + "</p>";
        page += "</header>\n" + body_ + "<footer>" + detail::escaped(build_and_machine()) + "<br>tenon " +
                std::to_string(TENON_VERSION_MAJOR) + '.' + std::to_string(TENON_VERSION_MINOR) + '.' +
                std::to_string(TENON_VERSION_PATCH) + ", " + now() + "</footer></main></body></html>\n";
        return page;
    }

private:
    void open(const std::string& heading) { body_ += "<section><h2>" + detail::escaped(heading) + "</h2>"; }
    Report& close()
    {
        body_ += "</section>\n";
        return *this;
    }

    static std::string percent(double fraction)
    {
        return fraction >= 0.0 ? detail::formatted("%.1f %%", 100.0 * fraction) : std::string("–");
    }

    // Shaded by the share of the row; errors by its square root, or nobody would see them.
    static std::string cell(std::uint64_t count, double whole, bool right, const std::string& actual,
                            const std::string& predicted)
    {
        if (count == 0) return "<td class=\"none\">·</td>";
        const double share = static_cast<double>(count) / whole;
        const double shade = right ? 0.15 + 0.75 * share : 0.08 + 0.72 * std::sqrt(share);
        return std::string("<td class=\"") + (right ? "hit" : "miss") + (shade > 0.55 ? " strong" : "") +
               "\" style=\"--shade:" + detail::formatted("%.2f", shade) + "\" title=\"" + actual + " taken for " +
               predicted + ": " + percent(share) + "\">" + std::to_string(count) + "</td>";
    }

    static std::string now()
    {
        const std::time_t seconds = std::time(nullptr);
        const std::tm* parts = std::gmtime(&seconds);
        char text[40];
        return parts != nullptr && std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", parts) != 0 ? text : "";
    }

    // Two palettes, by the reader's preference; system fonts; nothing is fetched.
    static constexpr const char* style = R"css(
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--line:#e3e6ea;--text:#17191c;--quiet:#5d6570;--a:#2563eb;
--b:#c2570c;--hit:37,99,235;--miss:220,60,40;--wrong:#c8321f}
@media(prefers-color-scheme:dark){:root{--page:#101216;--card:#191c22;--line:#2c313a;--text:#e9ebee;--quiet:#9aa3af;
--a:#7aa7ff;--b:#fba34b;--hit:70,130,255;--miss:240,90,65;--wrong:#ff7a66}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue","DejaVu Sans",sans-serif}
main{max-width:1080px;margin:0 auto;padding:32px 20px 40px}
h1{font-size:28px;line-height:1.2;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:16px;margin:0 0 14px}
header p,.quiet,footer{color:var(--quiet);margin:0}
header{margin-bottom:24px}
.chapter{margin:44px 0 18px}
.chapter h1{font-size:22px}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:18px 20px;margin:0 0 18px}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:1px;padding:0;overflow:hidden}
.figures div{box-shadow:0 0 0 1px var(--line);padding:14px 18px}
.figures b{display:block;font-size:24px;line-height:1.25;font-weight:600;font-variant-numeric:tabular-nums}
.figures span{color:var(--quiet);font-size:13px}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:12px 28px}
.chart{margin:0}
.chart figcaption{display:flex;flex-wrap:wrap;justify-content:space-between;gap:4px 16px;font-weight:600;margin-bottom:6px}
.legend{display:flex;gap:16px;font-weight:400;font-size:13px}
.legend span::before{content:"";display:inline-block;width:10px;height:10px;border-radius:5px;margin-right:6px}
.legend .a::before{background:var(--a)}.legend .b::before{background:var(--b)}
.legend b{font-variant-numeric:tabular-nums}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--quiet);font-size:12px;font-variant-numeric:tabular-nums}
svg .grid{stroke:var(--line)}
svg path{fill:none;stroke-width:2.25;stroke-linejoin:round;stroke-linecap:round}
svg circle{stroke:var(--card);stroke-width:1.5}
svg .a path{stroke:var(--a)}svg .a circle{fill:var(--a)}
svg .b path{stroke:var(--b)}svg .b circle{fill:var(--b)}
.charts+.quiet{font-size:13px;margin-top:8px}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
.confusion{font-size:14px;margin:0 auto;border-spacing:2px;border-collapse:separate}
.confusion th{font-weight:500;text-align:right;padding:0 10px 0 0;white-space:nowrap}
.confusion thead th{height:96px;vertical-align:bottom;padding:0 0 6px;text-align:center}
.confusion thead th span{writing-mode:vertical-rl;transform:rotate(180deg);display:inline-block}
.confusion thead .corner{color:var(--quiet);font-weight:400;font-size:13px;padding-right:10px;text-align:right}
.confusion td{text-align:right;padding:5px 8px;min-width:52px;border-radius:4px;white-space:nowrap}
.confusion .hit{background:rgba(var(--hit),var(--shade))}
.confusion .miss{background:rgba(var(--miss),var(--shade))}
.confusion .strong{color:#fff}
.confusion .none{color:var(--quiet);opacity:.5}
.confusion .side,.confusion tfoot td,.confusion tfoot th{color:var(--quiet)}
.confusion tfoot td,.confusion td.side{font-size:13px}
.confusion tfoot b{color:var(--text)}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(86px,1fr));gap:16px 12px}
.pictures figure{margin:0;min-width:0}
.pictures img{width:100%;aspect-ratio:1;object-fit:contain;image-rendering:pixelated;border-radius:6px;background:#000;
display:block}
.pictures .wrong img{outline:3px solid var(--wrong);outline-offset:-3px}
.pictures figcaption{font-size:13px;line-height:1.35;margin-top:6px}
.pictures figcaption b{display:block;font-weight:600}
.pictures .wrong b{color:var(--wrong)}
.pictures figcaption span{color:var(--quiet)}
.facts th{font-weight:400;color:var(--quiet);text-align:left;padding:4px 28px 4px 0;vertical-align:top}
.facts td{padding:4px 0}
.comparison th{font-weight:400;color:var(--quiet);text-align:left;padding:6px 28px 6px 0}
.comparison td,.comparison thead th{text-align:right;padding:6px 0 6px 28px}
.comparison thead th{font-weight:600;color:var(--text)}
.comparison tbody tr{border-top:1px solid var(--line)}
pre{margin:0;overflow-x:auto;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
footer{font-size:13px;padding:6px 2px}
)css";

    std::string title_, subtitle_, body_;
};

// Writes the page: to a temporary file beside it, which is then renamed, so that a failure leaves an old report whole.
inline Result<Done> try_write_report(const std::string& path, const Report& report)
{
    const auto failure = [&](const char* what) { return Failure{path + ": " + what + ": " + std::strerror(errno)}; };
    const std::string page = report.html(), temporary = path + ".tmp";
    std::FILE* file = std::fopen(temporary.c_str(), "wb");
    if (file == nullptr) return failure("cannot create a temporary file beside the report");
    const bool written = std::fwrite(page.data(), 1, page.size(), file) == page.size() && std::fflush(file) == 0;
    const int reason = errno;
    const bool closed = std::fclose(file) == 0;
    if (!written || !closed) {
        if (!written) errno = reason;
        Failure message = failure("cannot write the report");
        std::remove(temporary.c_str());
        return message;
    }
    if (std::rename(temporary.c_str(), path.c_str()) != 0) {
        Failure message = failure("cannot rename the temporary file to the report");
        std::remove(temporary.c_str());
        return message;
    }
    return Done{};
}

#if TENON_EXCEPTIONS
// As its try_ twin, throwing tenon::Error.
inline void write_report(const std::string& path, const Report& report)
{
    static_cast<void>(try_write_report(path, report).value_or_throw());
}
#endif

}  // namespace tenon
