// SPDX-License-Identifier: BSL-1.0
// Callbacks that write a run down for other programs: a table of epochs, a line of JSON for each event; and one that keeps
// the learning rate of each step.
//
// A run that is resumed from a checkpoint goes on with its log where the checkpoint was written: lines of epochs that are
// trained again are cut off.
#pragma once

#if !__has_include(<unistd.h>)
#    error "tenon: tenon/training/logs.hpp needs a POSIX system (truncate)."
#endif

#include <tenon/training/callbacks.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::inline TENON_ISA {

namespace detail {

// The shortest digits that read back to the same number; `missing` for what is not one.
inline std::string number_text(double number, const char* missing)
{
    if (!std::isfinite(number)) return missing;
    char text[40];
    const std::to_chars_result end = std::to_chars(text, text + sizeof text, number);
    return {text, end.ptr};
}

inline std::string json_text(std::string_view text)
{
    std::string result = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20) {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\u%04x", unsigned{byte});
            result += escaped;
        } else {
            if (c == '"' || c == '\\') result += '\\';
            result += c;
        }
    }
    return result + '"';
}

// A file that grows by whole lines, and knows how long it was at a checkpoint.
class LogFile {
public:
    explicit LogFile(std::string path) : path_{std::move(path)} {}

    // Whether anything was written, by this run or before it was resumed.
    bool begun() const { return bytes_ != 0; }

    // Throws Error where the file cannot be written.
    void line(std::string text)
    {
        if (file_ == nullptr) {
            if (bytes_ != 0) cut();
            file_.reset(std::fopen(path_.c_str(), bytes_ == 0 ? "wb" : "ab"));
            if (file_ == nullptr) fail();
        }
        text += '\n';
        if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() || std::fflush(file_.get()) != 0)
            fail();
        bytes_ += text.size();
    }

    void state(State& state, const std::string& name)
    {
        state.value(name + "bytes", bytes_);
        if (state.reads()) file_.reset();
    }
    // A new run begins a new file.
    void begin()
    {
        bytes_ = 0;
        file_.reset();
    }

private:
    // A machine that lost its power may have kept the checkpoint and not the last lines.
    void cut()
    {
        struct stat there {};
        if (::stat(path_.c_str(), &there) != 0) fail();
        if (static_cast<std::uint64_t>(there.st_size) < bytes_)
            bytes_ = static_cast<std::uint64_t>(there.st_size);
        else if (::truncate(path_.c_str(), static_cast<off_t>(bytes_)) != 0)
            fail();
    }

    [[noreturn]] void fail() const { throw Error(path_ + ": cannot write the log (" + std::strerror(errno) + ")"); }

    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };

    std::string path_;
    std::unique_ptr<std::FILE, Close> file_;
    std::uint64_t bytes_ = 0;
};

}  // namespace detail

namespace callbacks {

// One line per epoch, with a head: epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds,samples_per_second.
// What was not measured is an empty field. learning_rate is that of the epoch's last step. Each fit begins a new file.
class CsvLog {
public:
    static constexpr bool first_rank_only = true;

    explicit CsvLog(std::string path) : file_{std::move(path)} {}

    void step(const StepInfo& info) { learning_rate_ = info.learning_rate; }
    void operator()(const Epoch& epoch)
    {
        if (!file_.begun())
            file_.line("epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds,samples_per_second");
        std::string line = std::to_string(epoch.number);
        for (const double value : {epoch.training.loss, epoch.training.accuracy, epoch.validation.loss,
                                   epoch.validation.accuracy, learning_rate_, epoch.seconds, epoch.samples_per_second})
            line += ',' + detail::number_text(value, "");
        file_.line(std::move(line));
    }
    void begin(Run& run)
    {
        if (run.epoch() == 1 && run.between_epochs()) file_.begin();
    }
    void state(State& state, const std::string& name) { file_.state(state, name); }

private:
    detail::LogFile file_;
    double learning_rate_ = std::numeric_limits<double>::quiet_NaN();
};

// One JSON object per line:
//     {"event":"run","hyperparameters":{"optimizer":"Adam","optimizer.learning_rate":"0.001",…}}
//     {"event":"step","step":100,"epoch":1,"rows":32,"loss":0.71,"learning_rate":0.001,"gradient_norm":null}
//     {"event":"epoch","epoch":1,"loss":…,"accuracy":…,"val_loss":…,"val_accuracy":…,"seconds":…,"samples_per_second":…}
// every_steps: 0 leaves the steps out. What was not measured is null. Each fit begins a new file.
class JsonLog {
public:
    static constexpr bool first_rank_only = true;

    explicit JsonLog(std::string path, std::uint64_t every_steps = 0)
        : file_{std::move(path)}, every_steps_{every_steps}
    {}

    void begin(Run& run)
    {
        if (run.epoch() == 1 && run.between_epochs()) file_.begin();
        head_ = "{\"event\":\"run\",\"hyperparameters\":{";
        bool first = true;
        for (const auto& [name, value] : run.hyperparameters()) {
            head_ += (first ? "" : ",") + detail::json_text(name) + ':' + detail::json_text(value);
            first = false;
        }
        head_ += "}}";
    }
    void step(const StepInfo& info)
    {
        if (every_steps_ == 0 || info.number % every_steps_ != 0) return;
        write("{\"event\":\"step\",\"step\":" + std::to_string(info.number) + ",\"epoch\":" +
              std::to_string(info.epoch) + ",\"rows\":" + std::to_string(info.rows) + field("loss", info.loss) +
              field("learning_rate", info.learning_rate) + field("gradient_norm", info.gradient_norm) + '}');
    }
    void operator()(const Epoch& epoch)
    {
        write("{\"event\":\"epoch\",\"epoch\":" + std::to_string(epoch.number) + field("loss", epoch.training.loss) +
              field("accuracy", epoch.training.accuracy) + field("val_loss", epoch.validation.loss) +
              field("val_accuracy", epoch.validation.accuracy) + field("seconds", epoch.seconds) +
              field("samples_per_second", epoch.samples_per_second) + '}');
    }
    void state(State& state, const std::string& name) { file_.state(state, name); }

private:
    static std::string field(const char* name, double value)
    {
        return std::string(",\"") + name + "\":" + detail::number_text(value, "null");
    }
    void write(std::string line)
    {
        if (!file_.begun()) file_.line(head_);
        file_.line(std::move(line));
    }

    detail::LogFile file_;
    std::uint64_t every_steps_;
    std::string head_;
};

// The learning rate of every so many steps, in their order: schedule and callbacks included.
struct LearningRateLog {
    std::uint64_t every_steps = 1;
    std::vector<double> rates = {};

    void step(const StepInfo& info)
    {
        if (every_steps != 0 && info.number % every_steps == 0) rates.push_back(info.learning_rate);
    }
    void state(State& state, const std::string& name) { state.list(name + "rates", rates); }
};

}  // namespace callbacks
}  // namespace tenon
