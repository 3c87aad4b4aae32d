// SPDX-License-Identifier: BSL-1.0
//
// schedules.svg: what the schedules of tenon give, step by step.
//    schedules FILE             writes it
//    schedules --check FILE     says whether FILE is what it would write, up to the last digit of a place
#include <tenon/schedules/schedules.hpp>
#include <tenon/training/callbacks.hpp>

#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

using namespace tenon;

namespace {

constexpr int steps = 1000, every = 5;
constexpr double width = 250, height = 110, gap_x = 20, gap_y = 44, left = 34, top = 30;
constexpr int columns = 3;

struct Plot {
    std::string name;
    std::function<double(std::uint64_t)> factor;
};

// The validation loss of a run that stalls twice, for the schedule that looks at it: an epoch has 50 steps.
std::function<double(std::uint64_t)> on_plateau()
{
    callbacks::ReduceOnPlateau reduce{.factor = 0.3, .patience = 3};
    std::vector<double> factors;
    for (int epoch = 0; epoch <= steps / 50; ++epoch) {
        factors.push_back(reduce.rate_factor());
        Epoch info;
        info.validation.loss = epoch < 6 ? 1.0 - 0.1 * epoch : epoch < 12 ? 0.4 : 0.3;
        reduce(info);
    }
    return [factors](std::uint64_t step) { return factors[step / 50]; };
}

std::string number(double value)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}

// Points on a straight line are left out.
std::string path(const Plot& plot, double x0, double y0)
{
    struct Point {
        double x, y;
    };
    std::vector<Point> points;
    for (int step = 0; step <= steps; step += every) {
        const double factor = plot.factor(static_cast<std::uint64_t>(step));
        points.push_back({x0 + width * step / steps, y0 + height * (1 - factor)});
    }
    std::string text;
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (i > 0 && i + 1 < points.size() && std::fabs(points[i + 1].y - 2 * points[i].y + points[i - 1].y) < 1e-6)
            continue;
        text += (i == 0 ? "M" : " L") + number(points[i].x) + ' ' + number(points[i].y);
    }
    return text;
}

std::string svg()
{
    using namespace schedules;
    const std::vector<Plot> plots{
        {"constant()", constant()},
        {"step(250, 0.5)", step(250, 0.5)},
        {"multi_step({400, 700, 900}, 0.4)", multi_step({400, 700, 900}, 0.4)},
        {"exponential(0.997)", exponential(0.997)},
        {"polynomial(1000, 2, 0.05)", polynomial(1000, 2, 0.05)},
        {"cosine(1000, {.warmup_steps = 100})", cosine(1000, {.warmup_steps = 100})},
        {"cosine(1000, {.minimum = 0.1, .restarts = 3})", cosine(1000, {.minimum = 0.1, .restarts = 3})},
        {"one_cycle(1000)", one_cycle(1000)},
        {"warm_up(200, polynomial(800))", warm_up(200, polynomial(800))},
        {"sequence(400, constant(), exponential(0.995))", sequence(400, constant(), exponential(0.995))},
        {"warm_up(100, sequence(500, step(250, 0.6), cosine(400)))",
         warm_up(100, sequence(500, schedules::step(250, 0.6), cosine(400)))},
        {"ReduceOnPlateau{.factor = 0.3, .patience = 3}", on_plateau()},
    };
    const int rows = (static_cast<int>(plots.size()) + columns - 1) / columns;
    const double whole_width = left + columns * (width + gap_x), whole_height = top + rows * (height + gap_y);
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(whole_width) + ' ' +
                      number(whole_height) +
                      "\" font-family=\"ui-monospace,Menlo,Consolas,monospace\" font-size=\"7.5\">\n"
                      "<title>Factor of the learning rate over 1000 steps</title>\n"
                      "<style>text{fill:#59636e}path{fill:none;stroke:#2563eb;stroke-width:2;stroke-linejoin:round}"
                      "line{stroke:#8b949e;stroke-opacity:.4}"
                      "@media(prefers-color-scheme:dark){text{fill:#9aa3af}path{stroke:#7aa7ff}}</style>\n";
    for (std::size_t i = 0; i < plots.size(); ++i) {
        const double x = left + static_cast<double>(i % columns) * (width + gap_x);
        const double y = top + static_cast<double>(i / columns) * (height + gap_y);
        out += "<text x=\"" + number(x) + "\" y=\"" + number(y - 9) + "\">" + plots[i].name + "</text>\n";
        for (const double factor : {0.0, 0.5, 1.0}) {
            const std::string at = number(y + height * (1 - factor));
            out += "<line x1=\"" + number(x) + "\" x2=\"" + number(x + width) + "\" y1=\"" + at + "\" y2=\"" + at +
                   "\"/>";
            if (i % columns == 0)
                out += "<text x=\"" + number(x - 6) + "\" y=\"" + number(y + height * (1 - factor) + 3) +
                       "\" text-anchor=\"end\">" + number(factor) + "</text>";
        }
        for (const int step : {0, 500, 1000})
            out += "<text x=\"" + number(x + width * step / steps) + "\" y=\"" + number(y + height + 13) +
                   "\" text-anchor=\"" +
                   (step == 0     ? "start"
                    : step == 500 ? "middle"
                                  : "end") +
                   "\">" + std::to_string(step) + "</text>";
        out += "\n<path d=\"" + path(plots[i], x, y) + "\"/>\n";
    }
    return out + "</svg>\n";
}

// Compilers round the last bit of a cosine differently, and so the last digit of a place.
bool same(const std::string& a, const std::string& b)
{
    const auto digit = [](const std::string& text, std::size_t i) {
        return i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0;
    };
    std::size_t i = 0, j = 0;
    while (i < a.size() && j < b.size()) {
        if (digit(a, i) && digit(b, j)) {
            char *end_a = nullptr, *end_b = nullptr;
            if (std::fabs(std::strtod(&a[i], &end_a) - std::strtod(&b[j], &end_b)) > 0.1001) return false;
            i = static_cast<std::size_t>(end_a - a.data());
            j = static_cast<std::size_t>(end_b - b.data());
        } else if (a[i++] != b[j++]) {
            return false;
        }
    }
    return i == a.size() && j == b.size();
}

}  // namespace

int main(int argc, char** argv)
{
    const bool check = argc == 3 && std::string(argv[1]) == "--check";
    if (argc != (check ? 3 : 2)) return std::fprintf(stderr, "usage: schedules [--check] FILE\n"), 2;
    const char* name = argv[argc - 1];
    if (!check) {
        std::ofstream file{name, std::ios::binary};
        file << svg();
        return file.flush() ? 0 : 1;
    }
    std::ifstream file{name, std::ios::binary};
    const std::string found{std::istreambuf_iterator<char>{file}, {}};
    if (same(found, svg())) return 0;
    std::fprintf(stderr,
                 "%s is not what the schedules give: build tenon_schedules_figure, and let it write the file anew\n",
                 name);
    return 1;
}
