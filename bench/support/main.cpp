// SPDX-License-Identifier: BSL-1.0
// The main program of every contest: runs case by case, alternates the contestants' slices, prints one line per case.
//
//   <program> [--filter=REGEX] [--only=REGEX] [--json=FILE] [--list] [Google Benchmark flags]
//
// --filter chooses cases, --only contestants (for a profiler).
// A line reads: case, then each contestant's median (best) over all slices, then the ratio of tenon to the fastest
// peer by median, and by best. Times are CPU time of the only thread, so that other work on the machine distorts less.
#include "contest.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <regex>
#include <sstream>
#include <utility>
#include <vector>

#if defined(__linux__)
#    include <malloc.h>
#    include <unistd.h>
#endif

#ifndef CONTEST_FLAGS
#    define CONTEST_FLAGS "unknown"
#endif

namespace contest {
namespace {

struct Registry {
    std::vector<Entry> entries;
    std::vector<std::pair<std::string, std::string>> descriptions;
};

// A function-local static: registration happens during static initialisation of other translation units.
Registry& registry()
{
    static Registry instance;
    return instance;
}

struct Result {
    Entry entry;
    std::vector<double> seconds;  // per iteration, one value per slice
    std::vector<double> rates;    // items per second, empty when the contestant reports none
    std::string error;

    double median() const { return quantile(seconds); }
    double best() const { return *std::min_element(seconds.begin(), seconds.end()); }
    double median_rate() const { return rates.empty() ? 0 : quantile(rates); }
    double best_rate() const { return rates.empty() ? 0 : *std::max_element(rates.begin(), rates.end()); }

private:
    static double quantile(std::vector<double> values)
    {
        const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
        std::nth_element(values.begin(), middle, values.end());
        return *middle;
    }
};

// Collects raw slices instead of printing them.
class Collector : public benchmark::BenchmarkReporter {
public:
    bool ReportContext(const Context&) override { return true; }

    void ReportRuns(const std::vector<Run>& runs) override
    {
        for (const Run& run : runs) {
            if (run.run_type != Run::RT_Iteration) continue;
            Result& result = results_[run.run_name.function_name];
            if (run.error_occurred) {
                result.error = run.error_message;
                continue;
            }
            result.seconds.push_back(seconds_of(run) / static_cast<double>(run.iterations));
            const auto rate = run.counters.find("items_per_second");
            if (rate != run.counters.end()) result.rates.push_back(rate->second.value);
        }
    }

    Result take(const Entry& entry)
    {
        Result result = std::move(results_[entry.group_and_case + "/" + entry.contestant]);
        result.entry = entry;
        return result;
    }

private:
    // The body says which clock it runs by (UseRealTime); its name then ends in "/real_time".
    static double seconds_of(const Run& run)
    {
        return run.run_name.time_type.empty() ? run.cpu_accumulated_time : run.real_accumulated_time;
    }

    std::map<std::string, Result> results_;
};

std::string format(const char* pattern, double a)
{
    char text[64];
    std::snprintf(text, sizeof text, pattern, a);
    return text;
}

std::string in_engineering_units(double seconds)
{
    if (seconds < 1e-6) return format("%.1f ns", seconds * 1e9);
    if (seconds < 1e-3) return format("%.2f us", seconds * 1e6);
    return format("%.2f ms", seconds * 1e3);
}

std::string cell(const Result& result)
{
    const std::string name = result.entry.contestant + " ";
    if (!result.error.empty()) return name + "FAILED (" + result.error + ")";
    switch (result.entry.show) {
        case Show::samples:
            return name + format("%.1f k/s", result.median_rate() * 1e-3) +
                   format(" (%.1f)", result.best_rate() * 1e-3);
        case Show::flops:
            return name + format("%.1f", result.median_rate() * 1e-9) +
                   format(" (%.1f) GF/s", result.best_rate() * 1e-9);
        case Show::time: break;
    }
    return name + in_engineering_units(result.median()) + " (" + in_engineering_units(result.best()) + ")";
}

// One finished case with its verdict.
struct Verdict {
    std::string name;
    std::vector<Result> results;
    std::string best_peer;
    double ratio = 0;       // median of the fastest peer / median of tenon
    double best_ratio = 0;  // best of the peer that is fastest by its best / best of tenon
    double of_limit = 0;    // tenon's median rate / the limit's median rate

    explicit Verdict(std::string case_name, std::vector<Result> all)
        : name(std::move(case_name)), results(std::move(all))
    {
        const Result* ours = nullptr;
        const Result* limit = nullptr;
        double peer_median = std::numeric_limits<double>::infinity(), peer_best = peer_median;
        for (const Result& result : results) {
            if (!result.error.empty() || result.seconds.empty()) continue;
            if (result.entry.role == Role::tenon) ours = &result;
            if (result.entry.role == Role::limit) limit = &result;
            if (result.entry.role != Role::peer) continue;
            if (result.median() < peer_median) {
                peer_median = result.median();
                best_peer = result.entry.contestant;
            }
            peer_best = std::min(peer_best, result.best());
        }
        if (ours != nullptr && !best_peer.empty()) {
            ratio = peer_median / ours->median();
            best_ratio = peer_best / ours->best();
        }
        if (ours != nullptr && limit != nullptr) of_limit = ours->median_rate() / limit->median_rate();
    }

    std::string line() const
    {
        std::string text = name;
        text.resize(std::max<std::size_t>(text.size(), 36), ' ');
        for (const Result& result : results) text += " | " + cell(result);
        if (ratio > 0) text += " => " + format("%.2fx ", ratio) + best_peer + format(" (best %.2fx)", best_ratio);
        if (of_limit > 0) text += format(", %.0f %% of the limit", of_limit * 100);
        return text;
    }
};

std::string quoted(const std::string& text)
{
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return out + '"';
}

void write_json(const std::string& path, const std::vector<std::pair<std::string, std::string>>& context,
                const std::vector<Verdict>& verdicts)
{
    std::ostringstream out;
    out.precision(9);
    out << "{\n  \"context\": {";
    for (std::size_t i = 0; i < context.size(); ++i)
        out << (i ? ",\n    " : "\n    ") << quoted(context[i].first) << ": " << quoted(context[i].second);
    out << "\n  },\n  \"cases\": [";
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        const Verdict& verdict = verdicts[i];
        out << (i ? ",\n    " : "\n    ") << "{\"case\": " << quoted(verdict.name)
            << ", \"best_peer\": " << quoted(verdict.best_peer) << ", \"ratio_median\": " << verdict.ratio
            << ", \"ratio_best\": " << verdict.best_ratio << ", \"of_limit\": " << verdict.of_limit
            << ", \"contestants\": [";
        bool first = true;
        for (const Result& result : verdict.results) {
            out << (first ? "\n      " : ",\n      ") << "{\"name\": " << quoted(result.entry.contestant);
            first = false;
            if (result.seconds.empty() || !result.error.empty())
                out << ", \"error\": " << quoted(result.error);
            else
                out << ", \"median_seconds\": " << result.median() << ", \"best_seconds\": " << result.best()
                    << ", \"median_items_per_second\": " << result.median_rate()
                    << ", \"slices\": " << result.seconds.size();
            out << "}";
        }
        out << "]}";
    }
    out << "\n  ]\n}\n";
    std::ofstream file(path);
    file << out.str();
    if (!file.flush()) {
        std::fprintf(stderr, "cannot write %s\n", path.c_str());
        std::exit(2);
    }
}

std::string cpu_name()
{
    std::ifstream info("/proc/cpuinfo");
    std::string name = "unknown", width;
    for (std::string line; std::getline(info, line);) {
        if (line.rfind("model name", 0) == 0) name = line.substr(line.find(':') + 2);
        if (line.rfind("flags", 0) == 0) {
            for (const char* feature : {" avx2 ", " fma ", " avx512f "})
                if ((line + " ").find(feature) != std::string::npos) width += feature;
            break;
        }
    }
    return name + (width.empty() ? "" : "," + width);
}

// One thread for every library of the process. They read these variables when they are loaded, so the program starts
// itself again when they are missing.
void insist_on_one_thread([[maybe_unused]] char** argv)
{
#if defined(__linux__)
    if (std::getenv("CONTEST_RESTARTED") != nullptr) return;
    setenv("CONTEST_RESTARTED", "1", 1);
    for (const char* variable : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"})
        setenv(variable, "1", 1);
    execv("/proc/self/exe", argv);
#endif
}

// Keeps freed blocks in the process. Without it glibc maps and unmaps every large tensor and LibTorch trains at less
// than half of its speed.
void tune_malloc()
{
#if defined(__GLIBC__)
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_TOP_PAD, 64 << 20);
#endif
}

}  // namespace

bool add(Entry entry, std::function<void(benchmark::State&)> body)
{
    auto* registered = benchmark::RegisterBenchmark((entry.group_and_case + "/" + entry.contestant).c_str(),
                                                    std::move(body));
    if (entry.clock == Clock::wall) registered->UseRealTime();
    registry().entries.push_back(std::move(entry));
    return true;
}

bool describe(const std::string& contestant, const std::string& version_and_settings)
{
    registry().descriptions.emplace_back(contestant, version_and_settings);
    return true;
}

double worst_error(const float* got, const double* expected, std::size_t n)
{
    double worst = 0;
    for (std::size_t i = 0; i < n; ++i) {
        if (!std::isfinite(got[i])) return std::numeric_limits<double>::infinity();
        worst = std::max(worst,
                         std::abs(static_cast<double>(got[i]) - expected[i]) / std::max(1.0, std::abs(expected[i])));
    }
    return worst;
}

bool check(benchmark::State& state, const float* got, const double* expected, std::size_t n, double tolerance)
{
    const double worst = worst_error(got, expected, n);
    if (worst <= tolerance) return true;
    state.SkipWithError(("wrong result, error " + format("%.1e", worst)).c_str());
    return false;
}

}  // namespace contest

int main(int argc, char** argv)
{
    using namespace contest;
    insist_on_one_thread(argv);
    tune_malloc();

    // Short slices in random order: what disturbs the machine for a second hits all contestants alike.
    std::vector<std::string> words{argv[0], "--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=41",
                                   "--benchmark_min_time=0.005"};
    std::string filter = ".*", only = ".*", json;
    bool list = false;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word.rfind("--filter=", 0) == 0)
            filter = word.substr(9);
        else if (word.rfind("--only=", 0) == 0)
            only = word.substr(7);
        else if (word.rfind("--json=", 0) == 0)
            json = word.substr(7);
        else if (word == "--list")
            list = true;
        else
            words.push_back(word);
    }
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;

    // Entries arrive in link order: group them into cases, ours first.
    auto& entries = registry().entries;
    std::erase_if(entries,
                  [chosen = std::regex(only)](const Entry& e) { return !std::regex_match(e.contestant, chosen); });
    std::vector<Entry> in_order;
    for (const Role role : {Role::tenon, Role::peer, Role::raw, Role::limit})
        std::copy_if(entries.begin(), entries.end(), std::back_inserter(in_order),
                     [role](const Entry& entry) { return entry.role == role; });
    entries = std::move(in_order);
    std::vector<std::string> cases;
    const std::regex wanted(filter);
    for (const Entry& entry : entries)
        if (std::regex_search(entry.group_and_case + "/" + entry.contestant, wanted) &&
            std::find(cases.begin(), cases.end(), entry.group_and_case) == cases.end())
            cases.push_back(entry.group_and_case);
    if (list) {
        for (const std::string& name : cases) std::puts(name.c_str());
        return 0;
    }
    if (cases.empty()) return 0;

    std::vector<std::pair<std::string, std::string>> context{
        {"cpu", cpu_name()}, {"compiler", CONTEST_COMPILER}, {"flags", CONTEST_FLAGS}};
    std::sort(registry().descriptions.begin(), registry().descriptions.end());
    for (const auto& line : registry().descriptions) context.push_back(line);
    for (const auto& [key, value] : context) std::printf("# %s: %s\n", key.c_str(), value.c_str());
    std::printf("# median (best) over alternating slices%s\n",
                std::any_of(entries.begin(), entries.end(), [](const Entry& e) { return e.clock == Clock::wall; })
                    ? ", time that passes"
                    : ", CPU time, one thread");

    bool failed = false;
    std::vector<Verdict> verdicts;
    for (const std::string& name : cases) {
        std::string contestants;
        for (const Entry& entry : entries)
            if (entry.group_and_case == name)
                contestants.append(contestants.empty() ? "" : "|").append(entry.contestant);
        Collector collector;
        benchmark::RunSpecifiedBenchmarks(&collector, "^" + name + "/(" + contestants + ")(/real_time)?$");
        std::vector<Result> results;
        for (const Entry& entry : entries) {
            if (entry.group_and_case != name) continue;
            results.push_back(collector.take(entry));
            failed |= !results.back().error.empty();
        }
        verdicts.emplace_back(name, std::move(results));
        std::puts(verdicts.back().line().c_str());
        std::fflush(stdout);
    }
    if (!json.empty()) write_json(json, context, verdicts);
    return failed ? 1 : 0;
}
