// SPDX-License-Identifier: BSL-1.0
// What a running fit shows: a bar that is drawn over and over on a terminal, one line per epoch elsewhere, or nothing.
#pragma once

#include <tenon/training/history.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#if defined(_WIN32)
#    include <io.h>
#elif defined(__unix__) || defined(__APPLE__)
#    include <unistd.h>
#endif

namespace tenon::inline TENON_ISA {

// automatic: a bar where standard error is a terminal, lines elsewhere.
enum class Progress : unsigned char { silent, lines, bar, automatic };

namespace detail {

// Whether a line on the stream can be drawn again.
inline bool is_terminal(std::FILE* stream)
{
#if defined(_WIN32)
    return _isatty(_fileno(stream)) != 0;
#elif defined(__unix__) || defined(__APPLE__)
    const char* kind = std::getenv("TERM");
    return isatty(fileno(stream)) != 0 && kind != nullptr && std::string(kind) != "dumb";
#else
    return false;
#endif
}

inline double seconds_now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace detail

// Writes to standard error, so that a program's own output can be piped. Not thread-safe: one thread reports.
class ProgressReporter {
public:
    // samples: rows of an epoch. clock: seconds from any start.
    ProgressReporter(Progress progress, int epochs, std::size_t samples, std::FILE* stream = stderr,
                     double (*clock)() = detail::seconds_now)
        : progress_{progress != Progress::automatic ? progress
                    : detail::is_terminal(stream)   ? Progress::bar
                                                    : Progress::lines},
          epochs_{epochs},
          samples_{samples},
          stream_{stream},
          clock_{clock}
    {}
    ProgressReporter(const ProgressReporter&) = delete;
    ProgressReporter& operator=(const ProgressReporter&) = delete;

    // An epoch that ended early (by an exception) leaves its last state on a line of its own.
    ~ProgressReporter()
    {
        if (drawn_ != 0) std::fputc('\n', stream_);
    }

    void begin_epoch(int number)
    {
        number_ = number;
        if (progress_ == Progress::silent) return;
        started_ = clock_();
        next_ = started_ + (progress_ == Progress::bar ? bar_interval : line_interval);
    }

    // After each batch: rows seen in this epoch, and their mean loss and accuracy (NaN: not shown). Draws ten times a second
    // at most; in between it costs a look at the clock.
    void update(std::size_t seen, double loss, double accuracy)
    {
        update(seen, loss, accuracy, [] { return std::vector<LossPart>{}; });
    }
    // The same with the loss's parts: a function, called when something is drawn.
    template <class Parts>
    void update(std::size_t seen, double loss, double accuracy, Parts&& parts)
    {
        if (progress_ == Progress::silent) return;
        const double now = clock_();
        if (now < next_) return;
        const double done = samples_ == 0 ? 1.0 : static_cast<double>(seen) / static_cast<double>(samples_);
        const double left = seen == 0 ? 0.0 : (now - started_) * (1.0 - done) / done;
        if (progress_ == Progress::bar) {
            next_ = now + bar_interval;
            draw(head() + bar(done) + percent(done) + results(loss, accuracy, "", parts()) + ", " + duration(left) +
                 " left");
        } else {
            next_ = now + line_interval;
            line(head() + percent(done) + results(loss, accuracy, "", parts()) + ", " + duration(left) + " left");
        }
    }

    void end_epoch(const Epoch& epoch, bool validated)
    {
        if (progress_ == Progress::silent) return;
        char speed[48];
        const bool thousands = epoch.samples_per_second >= 1e4;
        std::snprintf(speed, sizeof speed, "%.1f s, %.0f%s samples/s", epoch.seconds,
                      epoch.samples_per_second / (thousands ? 1e3 : 1.0), thousands ? " k" : "");
        std::string text = head() + speed + results(epoch.training.loss, epoch.training.accuracy, "", epoch.parts);
        if (validated) text += results(epoch.validation.loss, epoch.validation.accuracy, "val_");
        if (progress_ == Progress::bar)
            draw(text);
        else
            std::fputs(text.c_str(), stream_);
        std::fputc('\n', stream_);
        std::fflush(stream_);
        drawn_ = 0;
    }

private:
    static constexpr double bar_interval = 0.1, line_interval = 30.0;
    static constexpr int cells = 20;

    // "epoch  3/12 "
    std::string head() const
    {
        const std::string last = std::to_string(epochs_);
        std::string number = std::to_string(number_);
        if (number.size() < last.size()) number.insert(0, last.size() - number.size(), ' ');
        return "epoch " + number + '/' + last + ' ';
    }
    // "[=======>            ] "
    static std::string bar(double done)
    {
        const int full = static_cast<int>(done * cells);
        std::string text = "[";
        for (int i = 0; i < cells; ++i) text += i < full ? '=' : i == full ? '>' : ' ';
        return text + "] ";
    }
    static std::string percent(double done)
    {
        char text[16];
        std::snprintf(text, sizeof text, "%3d%%", static_cast<int>(100 * done));
        return text;
    }
    // ", loss 0.4513 (CrossEntropy 0.4000, SoftTargets 0.0513), accuracy 0.8391"
    static std::string results(double loss, double accuracy, const char* prefix,
                               const std::vector<LossPart>& parts = {})
    {
        char text[48];
        const bool plain = std::abs(loss) >= 1e-3 && std::abs(loss) < 1e5;
        std::snprintf(text, sizeof text, plain ? ", %sloss %.4f" : ", %sloss %.3e", prefix, loss);
        std::string out = text;
        for (std::size_t i = 0; i < parts.size() && parts.size() > 1; ++i) {
            std::snprintf(text, sizeof text, std::abs(parts[i].value) < 1e5 ? " %.4f" : " %.3e", parts[i].value);
            out += (i == 0 ? " (" : ", ") + parts[i].name + text + (i + 1 == parts.size() ? ")" : "");
        }
        if (!std::isnan(accuracy)) {
            std::snprintf(text, sizeof text, ", %saccuracy %.4f", prefix, accuracy);
            out += text;
        }
        return out;
    }
    // "0:07", "12:30", "3:00:00"
    static std::string duration(double seconds)
    {
        if (!(seconds < 359999.0)) return "-:--";
        const int whole = static_cast<int>(seconds + 0.5);
        char text[32];
        if (whole < 3600)
            std::snprintf(text, sizeof text, "%d:%02d", whole / 60, whole % 60);
        else
            std::snprintf(text, sizeof text, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
        return text;
    }

    // Over what stands on the line; spaces wipe the rest of it, which every terminal understands.
    void draw(const std::string& text)
    {
        std::string out = '\r' + text;
        if (text.size() < drawn_) out.append(drawn_ - text.size(), ' ');
        std::fputs(out.c_str(), stream_);
        std::fflush(stream_);
        drawn_ = text.size();
    }
    void line(const std::string& text)
    {
        std::fputs((text + '\n').c_str(), stream_);
        std::fflush(stream_);
    }

    Progress progress_;
    int epochs_;
    std::size_t samples_;
    std::FILE* stream_;
    double (*clock_)();
    int number_ = 0;
    double started_ = 0, next_ = 0;
    std::size_t drawn_ = 0;  // characters on the current line
};

}  // namespace tenon
