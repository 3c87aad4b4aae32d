// SPDX-License-Identifier: BSL-1.0
// CSV (RFC 4180) into a TensorDataset: numbers from chosen columns as inputs, further ones as float targets or labels.
//   const auto houses = data::load_csv<Shape<13>, Shape<1>>("houses.csv", {.targets = {"price"}});
//   const auto iris = data::load_csv<Shape<4>, data::Label>("iris.csv", {.targets = {"species"}});
#pragma once

#include <tenon/data/byte_source.hpp>
#include <tenon/data/dataset.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

namespace tenon::inline TENON_ISA::data {

// A column by its name in the header line or by its index from 0.
class CsvColumn {
public:
    CsvColumn(const char* name) : name_{name} {}
    CsvColumn(std::string name) : name_{std::move(name)} {}
    template <std::integral Index>
    CsvColumn(Index index) : index_{static_cast<std::uint64_t>(index)}, by_index_{true}
    {}

    bool by_index() const { return by_index_; }
    std::uint64_t index() const { return index_; }
    const std::string& name() const { return name_; }

private:
    std::string name_;
    std::uint64_t index_ = 0;
    bool by_index_ = false;
};

// How a CSV file is to be read.
struct CsvOptions {
    bool header = true;  // the first line holds the names
    char separator = ',';
    std::vector<CsvColumn> inputs = {};   // empty: all columns but the targets, in order
    std::vector<CsvColumn> targets = {};  // empty: the last column, or the last Shape::size ones
    // Labels only: the classes by their text, in order. Empty: labels that are all whole numbers count as class indices;
    // other text is sorted and numbered.
    std::vector<std::string> classes = {};
};

// A dataset with the names that its file gave.
template <AnyShape S, class Target>
struct CsvDataset {
    TensorDataset<S, Target> rows;
    std::vector<std::string> inputs;  // column names; empty without a header line
    std::vector<std::string> targets;
    std::vector<std::string> classes;  // text of each class; empty for numbered ones
};

namespace detail {

// Cuts a text into records and fields. Fields may be quoted ("" stands for a quote, line ends count as text); records end
// with LF or CRLF; blank lines are skipped. Whitespace around an unquoted field does not count.
class CsvScanner {
public:
    CsvScanner(std::string_view text, char separator, const std::string& file)
        : text_{text}, separator_{separator}, file_{&file}
    {
        if (text_.substr(0, 3) == "\xef\xbb\xbf") at_ = 3;
    }

    // Goes to the next record; false at the end of the text.
    bool next_record()
    {
        for (;;) {
            if (at_ >= text_.size()) return false;
            ++line_;
            std::size_t end = at_;
            while (end < text_.size() && (text_[end] == ' ' || text_[end] == '\t') && text_[end] != separator_) ++end;
            if (end < text_.size() && text_[end] == '\r') ++end;
            if (end < text_.size() && text_[end] != '\n') break;
            at_ = end < text_.size() ? end + 1 : end;
            if (at_ >= text_.size()) return false;
        }
        record_line_ = line_;
        column_ = 0;
        more_ = true;
        return true;
    }

    bool more_fields() const { return more_; }

    // The record's next field. The view is into the text, or into `unquoted` where quotes had to be resolved; it ends with
    // the next call.
    Status next_field(std::string_view& field)
    {
        ++column_;
        while (at_ < text_.size() && blank(text_[at_])) ++at_;
        if (at_ < text_.size() && text_[at_] == '"') return quoted_field(field);
        const std::size_t start = at_;
        while (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n') {
            if (text_[at_] == '"') return fail("a quoted field to start with its quote", "a quote inside a field");
            ++at_;
        }
        std::size_t end = at_;
        if (end > start && (at_ >= text_.size() || text_[at_] == '\n') && text_[end - 1] == '\r') --end;
        while (end > start && blank(text_[end - 1])) --end;
        finish_field();
        field = text_.substr(start, end - start);
        return {};
    }

    // "file: line 3, column 2": 1-based, the line where the record starts.
    Message place() const { return Message{*file_} << ": line " << record_line_ << ", column " << column_; }
    std::uint64_t line() const { return record_line_; }
    std::uint64_t column() const { return column_; }

private:
    bool blank(char c) const { return (c == ' ' || c == '\t') && c != separator_; }

    Status fail(const char* expected, std::string_view found) const
    {
        return place() << ": expected " << expected << ", found " << found;
    }

    Status quoted_field(std::string_view& field)
    {
        unquoted_.clear();
        for (++at_;; ++at_) {
            if (at_ >= text_.size()) return fail("a closing quote", "the end of the file");
            if (text_[at_] == '"') {
                if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') break;
                ++at_;
            }
            if (text_[at_] == '\n') ++line_;
            unquoted_ += text_[at_];
        }
        ++at_;
        while (at_ < text_.size() && blank(text_[at_])) ++at_;
        if (at_ < text_.size() && text_[at_] == '\r' && (at_ + 1 == text_.size() || text_[at_ + 1] == '\n')) ++at_;
        if (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n')
            return (place() << ": expected a separator or the end of the line after a closing quote, found ")
                .quote(text_.substr(at_, 1));
        finish_field();
        field = unquoted_;
        return {};
    }

    void finish_field()
    {
        more_ = at_ < text_.size() && text_[at_] == separator_;
        if (at_ < text_.size()) ++at_;
    }

    std::string_view text_;
    char separator_;
    const std::string* file_;
    std::string unquoted_;
    std::size_t at_ = 0;
    std::uint64_t line_ = 0, record_line_ = 0, column_ = 0;
    bool more_ = false;
};

inline std::string_view without_plus(std::string_view text)
{
    // from_chars takes no leading plus.
    return text.size() > 1 && text[0] == '+' && text[1] != '-' ? text.substr(1) : text;
}

// A finite number that fills the whole field.
inline bool parse_number(std::string_view text, float& value)
{
    text = without_plus(text);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end != text.data() + text.size() || text.empty()) return false;
    if (error == std::errc::result_out_of_range) {
        // Too small rounds to zero as everywhere; too large is no number of ours.
        double wide = 0;
        const auto again = std::from_chars(text.data(), text.data() + text.size(), wide);
        if (again.ec != std::errc{} || std::fabs(wide) > 1) return false;
        value = static_cast<float>(wide);
        return true;
    }
    return error == std::errc{} && std::isfinite(value);
}

// A class index: a whole number from 0 that fits 32 bits.
inline bool parse_class(std::string_view text, std::int32_t& value)
{
    text = without_plus(text);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() && value >= 0;
}

// What each column of the file is used for.
struct CsvPlan {
    std::size_t columns = 0;
    std::vector<std::string> names;    // empty without a header line
    std::vector<std::size_t> inputs;   // column of each input value
    std::vector<std::size_t> targets;  // column of each target value

    // ": expected …" for a field of that column.
    Message& expected(Message& place, std::size_t column, const char* what) const
    {
        if (!names.empty()) (place << " (").quote(names[column]) << ")";
        return place << ": expected " << what << ", found ";
    }
};

// The index of a column by name or index; fails where there is none, or several of that name.
inline Status find_column(const CsvColumn& column, const CsvPlan& plan, const std::string& file, std::size_t& found)
{
    Message message{file};
    message << ": line 1: expected ";
    if (column.by_index()) {
        found = static_cast<std::size_t>(column.index());
        if (column.index() < plan.columns) return {};
        return message << "a column with index " << column.index() << ", found " << plan.columns << " columns";
    }
    found = plan.columns;
    for (std::size_t i = 0; i < plan.names.size(); ++i) {
        if (plan.names[i] != column.name()) continue;
        if (found != plan.columns)
            return (message << "one column named ").quote(column.name()) << ", found several of them";
        found = i;
    }
    if (found != plan.columns) return {};
    if (plan.names.empty())
        return (message << "a header line with a column named ").quote(column.name())
               << ", found no header line, by the options";
    (message << "a column named ").quote(column.name()) << ", found ";
    for (std::size_t i = 0; i < plan.names.size() && i < 20; ++i)
        (message << (i == 0 ? "" : ", ")).quote(plan.names[i]);
    return message << (plan.names.size() > 20 ? ", …" : "");
}

// Reads the first record and decides what each column is for; fails where the columns do not fill the shapes.
inline Status plan_columns(CsvScanner& scanner, std::size_t input_count, std::size_t target_count,
                           const CsvOptions& options, const std::string& file, CsvPlan& plan)
{
    if (!scanner.next_record()) return Message{file} << ": line 1: expected a line of values, found an empty file";
    while (scanner.more_fields()) {
        std::string_view field;
        if (Status status = scanner.next_field(field); !status) return status;
        if (options.header) plan.names.emplace_back(field);
        ++plan.columns;
    }
    std::vector<bool> used(plan.columns);
    for (const bool target : {true, false})
        for (const CsvColumn& column : target ? options.targets : options.inputs) {
            std::size_t index = 0;
            if (Status status = find_column(column, plan, file, index); !status) return status;
            (target ? plan.targets : plan.inputs).push_back(index);
            used[index] = true;
        }
    if (options.targets.empty())
        for (std::size_t i = plan.columns; i > 0 && plan.targets.size() < target_count; --i)
            if (!used[i - 1]) {
                plan.targets.insert(plan.targets.begin(), i - 1);
                used[i - 1] = true;
            }
    if (options.inputs.empty())
        for (std::size_t i = 0; i < plan.columns; ++i)
            if (!used[i]) plan.inputs.push_back(i);
    if (plan.inputs.size() != input_count || plan.targets.size() != target_count)
        return Message{file} << ": line 1: expected " << input_count << " input and " << target_count
                             << " target columns, found " << plan.inputs.size() << " and " << plan.targets.size()
                             << " of " << plan.columns << " columns";
    return {};
}

// Calls visit(column, field), which returns a Status, for every field of every data record, and counts these.
template <class Visit>
Status each_record(CsvScanner& scanner, const CsvPlan& plan, const std::string& file, std::size_t& records, Visit visit)
{
    for (records = 0; scanner.next_record(); ++records) {
        std::size_t column = 0;
        for (; scanner.more_fields(); ++column) {
            std::string_view field;
            if (Status status = scanner.next_field(field); !status) return status;
            if (column >= plan.columns) continue;
            if (Status status = visit(column, field); !status) return status;
        }
        if (column != plan.columns)
            return Message{file} << ": line " << scanner.line() << ": expected " << plan.columns
                                 << " fields, as in the first line, found " << column;
    }
    return {};
}

// The distinct texts of a label column, sorted; none where all of them are whole numbers.
inline Status collect_classes(CsvScanner scanner, const CsvPlan& plan, std::size_t column, const std::string& file,
                              std::vector<std::string>& classes)
{
    static constexpr std::size_t most = 16384;
    bool numbered = true;
    std::size_t records = 0;
    Status status = each_record(scanner, plan, file, records, [&](std::size_t at, std::string_view field) -> Status {
        if (at != column) return {};
        std::int32_t value = 0;
        numbered = numbered && parse_class(field, value);
        const auto place = std::lower_bound(classes.begin(), classes.end(), field);
        if (place != classes.end() && *place == field) return {};
        if (!numbered || classes.size() < most) classes.emplace(place, field);
        if (!numbered && classes.size() > most)
            return scanner.place() << ": expected at most 16384 classes, found more";
        return {};
    });
    if (numbered) classes.clear();
    return status;
}

}  // namespace detail

// Parses a text; `file` is its name in messages. Inputs: (records, S), in the order of options.inputs; targets: (records,
// Target), or one class index per record. Two passes: one counts the records, so that values are allocated once; numbers
// are read by std::from_chars and rounded to the nearest float. NaN and infinities are refused.
template <AnyShape S, class Target>
Result<CsvDataset<S, Target>> try_parse_csv(std::string_view text, const std::string& file,
                                            const CsvOptions& options = {})
{
    using Rows = TensorDataset<S, Target>;
    using target_type = typename Rows::target_type;
    static constexpr bool labelled = std::is_same_v<Target, Label>;
    detail::CsvScanner scanner{text, options.separator, file};
    detail::CsvPlan plan;
    if (Status status = detail::plan_columns(scanner, S::size, Rows::target_size, options, file, plan); !status)
        return status.failure();
    if (!options.header) scanner = detail::CsvScanner{text, options.separator, file};

    CsvDataset<S, Target> result;
    if constexpr (labelled) {
        result.classes = options.classes;
        if (result.classes.empty())
            if (Status status = detail::collect_classes(scanner, plan, plan.targets[0], file, result.classes); !status)
                return status.failure();
    }

    detail::CsvScanner counting = scanner;
    std::size_t records = 0;
    if (Status status = detail::each_record(counting, plan, file, records,
                                            [](std::size_t, std::string_view) { return Status{}; });
        !status)
        return status.failure();
    std::vector<float> inputs(records * S::size);
    std::vector<target_type> targets(records * Rows::target_size);

    std::vector<std::pair<std::string_view, std::int32_t>> class_of;  // sorted by text
    for (std::size_t i = 0; i < result.classes.size(); ++i)
        class_of.emplace_back(result.classes[i], static_cast<std::int32_t>(i));
    std::sort(class_of.begin(), class_of.end());

    std::vector<std::vector<std::size_t>> input_places(plan.columns), target_places(plan.columns);
    for (std::size_t i = 0; i < plan.inputs.size(); ++i) input_places[plan.inputs[i]].push_back(i);
    for (std::size_t i = 0; i < plan.targets.size(); ++i) target_places[plan.targets[i]].push_back(i);

    const auto refuse = [&](std::size_t column, const char* what, std::string_view field) -> Status {
        Message message = scanner.place();
        return plan.expected(message, column, what).quote(field);
    };
    std::size_t row = 0;
    Status status = detail::each_record(
        scanner, plan, file, records, [&](std::size_t column, std::string_view field) -> Status {
            float value = 0;
            const bool is_input = !input_places[column].empty();
            const bool is_target = !target_places[column].empty();
            if ((is_input || (is_target && !labelled)) && !detail::parse_number(field, value))
                return refuse(column, "a finite number", field);
            for (const std::size_t place : input_places[column]) inputs[row * S::size + place] = value;
            for (const std::size_t place : target_places[column]) {
                if constexpr (!labelled) {
                    targets[row * Rows::target_size + place] = value;
                } else if (result.classes.empty()) {
                    if (!detail::parse_class(field, targets[row]))
                        return refuse(column, "a class index (a whole number from 0)", field);
                } else {
                    const auto found = std::lower_bound(class_of.begin(), class_of.end(), std::pair{field, 0});
                    if (found == class_of.end() || found->first != field)
                        return refuse(column, "one of the given classes", field);
                    targets[row] = found->second;
                }
            }
            if (column + 1 == plan.columns) ++row;
            return {};
        });
    if (!status) return status.failure();

    auto rows = Rows::make(std::move(inputs), std::move(targets), result.classes.size());
    if (!rows) return Message{file} << ": " << rows.error();
    result.rows = std::move(rows).value();
    if (!plan.names.empty()) {
        for (const std::size_t column : plan.inputs) result.inputs.push_back(plan.names[column]);
        for (const std::size_t column : plan.targets) result.targets.push_back(plan.names[column]);
    }
    return result;
}

// Reads a file. Fails, naming file, line and column, where a field is no number, a line has another number of fields
// than the first, a quote is not closed, or the columns do not fill the shapes.
template <AnyShape S, class Target>
Result<CsvDataset<S, Target>> try_load_csv(const std::string& path, const CsvOptions& options = {})
{
    std::unique_ptr<ByteSource> source;
    if (Status status = FileSource::open(path, source); !status) return status.failure();
    std::string text;
    text.reserve(static_cast<std::size_t>(source->trusted_size()));
    std::uint8_t block[16 * 1024];
    for (std::size_t got = 1; got != 0;) {
        if (Status status = source->read(block, sizeof block, got); !status) return status.failure();
        text.append(reinterpret_cast<const char*>(block), got);
    }
    return try_parse_csv<S, Target>(text, path, options);
}

#if TENON_EXCEPTIONS
// As their try_ twins, throwing tenon::Error.
template <AnyShape S, class Target>
CsvDataset<S, Target> parse_csv(std::string_view text, const std::string& file, const CsvOptions& options = {})
{
    return try_parse_csv<S, Target>(text, file, options).value_or_throw();
}

template <AnyShape S, class Target>
CsvDataset<S, Target> load_csv(const std::string& path, const CsvOptions& options = {})
{
    return try_load_csv<S, Target>(path, options).value_or_throw();
}
#endif

}  // namespace tenon::inline TENON_ISA::data
