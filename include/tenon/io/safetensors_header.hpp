// SPDX-License-Identifier: BSL-1.0
// The header of a safetensors file: 8 bytes of length (little-endian), a JSON object of that length that names each
// tensor's dtype, shape and byte range, then the tensors' bytes without gaps.
// Format and rules: https://github.com/huggingface/safetensors, README and safetensors/src/tensor.rs.
//
// The JSON is read by a parser for this one grammar rather than a general JSON library. It refuses what the format
// refuses where general parsers are lenient or differ (duplicate keys, 1.0 for 1, text after a NUL), names the byte of a mistake, holds at
// most 4 × the header's bytes whatever it contains, and saves a second of compile time in each file that saves a model.
// Tests compare it with a general parser.
#pragma once

#include <tenon/data/byte_source.hpp>
#include <tenon/io/dtype.hpp>

namespace tenon::inline TENON_ISA::io {

// One tensor of a file: a view into the header that gave it.
struct TensorInfo {
    std::string_view name;
    Dtype dtype{};
    std::span<const std::uint64_t> shape;
    std::uint64_t begin = 0;  // byte range, from the end of the header
    std::uint64_t end = 0;
};

// The reference implementation's limits, and one of ours: NumPy and PyTorch stop at rank 64 and below.
inline constexpr std::uint64_t most_header_bytes = 100'000'000;
inline constexpr std::size_t most_axes = 32;

// A checked header: names are unique, ranges cover the data without hole or overlap, each as long as its shape needs.
class SafetensorsHeader {
public:
    static constexpr std::size_t none = ~std::size_t{0};

    // Tensors in the order of their bytes.
    std::size_t size() const { return tensors_.size(); }
    TensorInfo operator[](std::size_t i) const
    {
        const Tensor& tensor = tensors_[by_offset_[i]];
        return {text(tensor.name),
                tensor.dtype,
                {extents_.data() + tensor.first_extent, tensor.rank},
                tensor.begin,
                tensor.end};
    }

    // The index of the tensor of that name, or none.
    std::size_t find(std::string_view name) const
    {
        const std::size_t found = search(Order::name, name);
        return found == none ? none : tensors_[by_name_[found]].rank_by_offset;
    }

    // __metadata__, in the order of the keys.
    std::size_t metadata_size() const { return metadata_.size(); }
    std::string_view metadata_key(std::size_t i) const { return text(metadata_[by_key_[i]].key); }
    std::string_view metadata_value(std::size_t i) const { return text(metadata_[by_key_[i]].value); }
    // The index of a key, or none.
    std::size_t find_metadata(std::string_view key) const { return search(Order::key, key); }

    // Bytes of the data that the ranges cover.
    std::uint64_t data_size() const { return data_size_; }

    // Parses and checks the JSON `header`, which starts at byte 8 of `file`; `data_size` bytes follow it there. Once per
    // object.
    Status parse(std::string_view header, std::uint64_t data_size, const std::string& file);

private:
    // Strings lie end to end in text_.
    struct Text {
        std::uint32_t at = 0;
        std::uint32_t size = 0;
    };
    struct Tensor {
        Text name;
        std::uint32_t first_extent = 0;
        std::uint32_t rank_by_offset = 0;
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
        std::uint8_t rank = 0;
        Dtype dtype{};
    };
    struct Entry {
        Text key;
        Text value;
    };
    enum class Order { offset, name, key };
    class Parser;

    std::string_view text(Text part) const { return {text_.data() + part.at, part.size}; }

    std::string_view name_at(Order order, std::uint32_t i) const
    {
        return order == Order::key ? text(metadata_[i].key) : text(tensors_[i].name);
    }

    TENON_NOINLINE bool less(Order order, std::uint32_t a, std::uint32_t b) const
    {
        if (order != Order::offset) return name_at(order, a) < name_at(order, b);
        const Tensor& first = tensors_[a];
        const Tensor& second = tensors_[b];
        return first.begin != second.begin ? first.begin < second.begin : first.end < second.end;
    }

    // Heap sort (Williams 1964): n log n for every input, and one function for all three orders. std::sort and
    // <algorithm> would cost each program a third of a second of compile time here.
    TENON_NOINLINE void sort(std::vector<std::uint32_t>& indices, std::size_t count, Order order) const
    {
        indices.resize(count);
        for (std::size_t i = 0; i < count; ++i) indices[i] = static_cast<std::uint32_t>(i);
        for (std::size_t i = count / 2; i-- > 0;) sift(indices.data(), i, count, order);
        for (std::size_t last = count; last-- > 1;) {
            std::swap(indices[0], indices[last]);
            sift(indices.data(), 0, last, order);
        }
    }

    // Lets the index at `parent` sink in the heap of the first `count`.
    TENON_NOINLINE void sift(std::uint32_t* indices, std::size_t parent, std::size_t count, Order order) const
    {
        for (std::size_t child; (child = 2 * parent + 1) < count; parent = child) {
            if (child + 1 < count && less(order, indices[child], indices[child + 1])) ++child;
            if (!less(order, indices[parent], indices[child])) return;
            std::swap(indices[parent], indices[child]);
        }
    }

    TENON_NOINLINE std::size_t search(Order order, std::string_view name) const
    {
        const std::vector<std::uint32_t>& indices = order == Order::key ? by_key_ : by_name_;
        std::size_t first = 0, last = indices.size();
        while (first < last) {
            const std::size_t middle = first + (last - first) / 2;
            const int comparison = name_at(order, indices[middle]).compare(name);
            if (comparison == 0) return middle;
            if (comparison < 0)
                first = middle + 1;
            else
                last = middle;
        }
        return none;
    }

    Status check_ranges(std::uint64_t data_size, const std::string& file);
    Status check_names(Order order, const std::vector<std::uint32_t>& indices, const std::string& file) const;

    std::string text_;
    std::vector<Tensor> tensors_;
    std::vector<Entry> metadata_;
    std::vector<std::uint64_t> extents_;
    std::vector<std::uint32_t> by_offset_, by_name_, by_key_;
    std::uint64_t data_size_ = 0;
};

// Recursive descent over the grammar, which nests three deep and no more. Runs twice: the first run checks and counts, the
// second stores into blocks of just that size, so that no growing vector holds old and new contents at once.
class SafetensorsHeader::Parser {
public:
    Parser(std::string_view json, const std::string& file) : json_{json}, file_{file} {}

    Status run(SafetensorsHeader& out)
    {
        if (peek() != '{') return fail("'{' as the first byte"), std::move(status_);
        if (!whole()) return std::move(status_);
        store_ = &out;
        out.text_.reserve(text_bytes_);
        out.tensors_.reserve(tensor_count_);
        out.extents_.reserve(extent_count_);
        out.metadata_.reserve(metadata_count_);
        at_ = 0;
        whole();
        return std::move(status_);
    }

private:
    // Where in the nesting an object stands, and the names that mean something there.
    enum class Level { header, metadata, tensor };
    enum Name { other, dtype, shape, data_offsets, metadata };
    static constexpr std::string_view names[] = {"", "dtype", "shape", "data_offsets", "__metadata__"};

    // The whole text: one object, and spaces after it.
    bool whole()
    {
        seen_ = 0;
        if (!object(Level::header)) return false;
        skip_space();
        return at_ == json_.size() || fail("spaces only after the header's object");
    }

    // '{' (string ':' value (',' string ':' value)*)? '}'.
    TENON_NOINLINE bool object(Level level)
    {
        if (!take('{', "'{'")) return false;
        skip_space();
        if (peek() == '}') return ++at_, true;
        for (;;) {
            skip_space();
            const std::size_t start = at_;
            Text key;
            Name name{};
            if (!string(key, name, level != Level::tensor)) return false;
            skip_space();
            if (!take(':', "':'")) return false;
            skip_space();
            if (!(level == Level::header     ? header_member(key, name, start)
                  : level == Level::metadata ? metadata_member(key)
                                             : tensor_member(name, start)))
                return false;
            skip_space();
            if (peek() == '}') return ++at_, true;
            if (!take(',', "',' or '}'")) return false;
        }
    }

    // A value of the outermost object: __metadata__, or a tensor with each of its three fields once, in any order.
    bool header_member(Text key, Name name, std::size_t start)
    {
        if (name == metadata) return once(name, start) && object(Level::metadata);
        const unsigned outer = std::exchange(seen_, 0);
        tensor_ = {};
        tensor_.name = key;
        const std::size_t value = at_;
        if (!object(Level::tensor)) return false;
        for (const Name field : {dtype, shape, data_offsets})
            if ((seen_ >> field & 1) == 0) {
                at_ = value;
                status_ = here() << "a tensor with dtype, shape and data_offsets, found one without " << names[field];
                return false;
            }
        seen_ = outer;
        if (store_ == nullptr)
            ++tensor_count_;
        else
            store_->tensors_.push_back(tensor_);
        return true;
    }

    // A value of __metadata__: a text.
    bool metadata_member(Text key)
    {
        Text value;
        Name ignored{};
        if (!string(value, ignored, true)) return false;
        if (store_ == nullptr)
            ++metadata_count_;
        else
            store_->metadata_.push_back({key, value});
        return true;
    }

    // A field of a tensor. What the values mean together is checked once all tensors are known (check_ranges).
    bool tensor_member(Name name, std::size_t start)
    {
        if (name != dtype && name != shape && name != data_offsets) {
            at_ = start;
            return fail("'dtype', 'shape' or 'data_offsets'");
        }
        if (!once(name, start)) return false;
        if (name == dtype) return read_dtype();
        const std::size_t value = at_;
        if (!numbers()) return false;
        if (name == shape) {
            tensor_.rank = static_cast<std::uint8_t>(number_count_);
            extent_count_ += number_count_;
            if (store_ == nullptr) return true;
            tensor_.first_extent = static_cast<std::uint32_t>(store_->extents_.size());
            for (std::size_t i = 0; i < number_count_; ++i) store_->extents_.push_back(numbers_[i]);
            return true;
        }
        if (number_count_ != 2 || numbers_[0] > numbers_[1]) {
            at_ = value;
            return fail("[begin, end] with begin <= end");
        }
        tensor_.begin = numbers_[0];
        tensor_.end = numbers_[1];
        return true;
    }

    // Notes a reserved name as seen; fails where it was.
    bool once(Name name, std::size_t start)
    {
        if ((seen_ >> name & 1) != 0) {
            at_ = start;
            return fail("each name once");
        }
        seen_ |= 1u << name;
        return true;
    }

    // A dtype's name, which needs no escapes: none are resolved.
    bool read_dtype()
    {
        if (peek() == '"')
            for (std::size_t i = 0; i < std::size(detail::dtypes); ++i) {
                const std::string_view name = detail::dtypes[i].name, rest = json_.substr(at_ + 1);
                if (rest.substr(0, name.size()) != name || rest.substr(name.size(), 1) != "\"") continue;
                tensor_.dtype = static_cast<Dtype>(i);
                at_ += name.size() + 2;
                return true;
            }
        return fail("a dtype of the format, such as \"F32\"");
    }

    // '[' (number (',' number)*)? ']' into numbers_.
    bool numbers()
    {
        number_count_ = 0;
        if (!take('[', "'['")) return false;
        skip_space();
        if (peek() == ']') return ++at_, true;
        for (;;) {
            skip_space();
            if (number_count_ == most_axes) return fail("at most 32 numbers");
            if (!number(numbers_[number_count_++])) return false;
            skip_space();
            if (peek() == ']') return ++at_, true;
            if (!take(',', "',' or ']'")) return false;
        }
    }

    // JSON's integers without sign: 0 or a digit 1-9 and more digits. NaN, Infinity, -1, 1.0 and 1e3 are refused.
    bool number(std::uint64_t& value)
    {
        const std::size_t start = at_;
        bool whole_number = peek() >= '0' && peek() <= '9';
        value = 0;
        for (; whole_number && peek() >= '0' && peek() <= '9'; ++at_) {
            const auto digit = static_cast<std::uint64_t>(peek() - '0');
            whole_number = (at_ == start || json_[start] != '0') && data::multiply_checked(value, 10) &&
                           value <= ~digit;
            value += digit;
        }
        if (whole_number && peek() != '.' && peek() != 'e' && peek() != 'E') return true;
        at_ = start;
        return fail("a whole number from 0 to 18446744073709551615");
    }

    // A string with its escapes resolved, stored where `keep`, and which of the reserved names it is. UTF-8 is checked
    // (RFC 3629), unpaired surrogates are refused.
    TENON_NOINLINE bool string(Text& stored, Name& name, bool keep)
    {
        keep_ = keep;
        stored.at = store_ == nullptr ? 0 : static_cast<std::uint32_t>(store_->text_.size());
        decoded_size_ = 0;
        const std::size_t start = at_;
        if (peek() != '"') return fail("a quoted text");
        for (++at_; peek() != '"';) {
            const int c = peek();
            if (c < 0) {
                at_ = start;
                return fail("a text with its closing quote");
            }
            if (c < 0x20) return fail("no control character in a text");
            if (c == '\\' ? !escape() : !utf8()) return false;
        }
        ++at_;
        stored.size = static_cast<std::uint32_t>(decoded_size_);
        name = other;
        for (const Name reserved : {dtype, shape, data_offsets, metadata})
            if (decoded_size_ == names[reserved].size() && std::string_view{decoded_, decoded_size_} == names[reserved])
                name = reserved;
        return true;
    }

    // One decoded byte; the first few are kept for the comparison with reserved names.
    TENON_NOINLINE void put(unsigned byte)
    {
        const char c = static_cast<char>(byte);
        if (decoded_size_ < sizeof decoded_) decoded_[decoded_size_] = c;
        ++decoded_size_;
        if (!keep_) return;
        if (store_ == nullptr)
            ++text_bytes_;
        else
            store_->text_ += c;
    }

    // A code point as UTF-8 (RFC 3629, section 3).
    void put_code_point(std::uint32_t point)
    {
        if (point < 0x80) return put(point);
        if (point < 0x800) {
            put(0xc0 | point >> 6);
        } else {
            if (point < 0x10000) {
                put(0xe0 | point >> 12);
            } else {
                put(0xf0 | point >> 18);
                put(0x80 | (point >> 12 & 0x3f));
            }
            put(0x80 | (point >> 6 & 0x3f));
        }
        put(0x80 | (point & 0x3f));
    }

    // \" \\ \/ \b \f \n \r \t, \uXXXX and surrogate pairs (RFC 8259, section 7).
    TENON_NOINLINE bool escape()
    {
        static constexpr std::string_view from = "\"\\/bfnrt", to = "\"\\/\b\f\n\r\t";
        const std::size_t start = at_++;
        if (peek() != 'u') {
            const std::size_t which = peek() < 0 ? from.npos : from.find(static_cast<char>(peek()));
            if (which != from.npos) {
                put(static_cast<unsigned char>(to[which]));
                return ++at_, true;
            }
            at_ = start;
            return fail("an escape of JSON");
        }
        std::uint32_t point = hex();
        if (point >= 0xd800 && point < 0xdc00 && json_.substr(at_, 2) == "\\u") {
            ++at_;
            const std::uint32_t low = hex();
            if (low >= 0xdc00 && low < 0xe000) {
                put_code_point(0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00));
                return true;
            }
        }
        if (point < 0xd800 || (point >= 0xe000 && point < 0x10000)) {
            put_code_point(point);
            return true;
        }
        at_ = start;
        return fail("\\u with four hexadecimal digits, surrogates in pairs");
    }

    // Four digits after the 'u' at hand; a number beyond 16 bits where there are fewer.
    std::uint32_t hex()
    {
        std::uint32_t value = 0;
        for (int i = 0; i < 4; ++i) {
            ++at_;
            const int c = peek(), lower = c | 0x20;
            const int digit = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
            if (digit < 0) return 0x10000;
            value = value << 4 | static_cast<std::uint32_t>(digit);
        }
        ++at_;
        return value;
    }

    // One well-formed UTF-8 sequence (RFC 3629, section 4).
    bool utf8()
    {
        const unsigned first = byte(0), second = byte(1);
        const std::size_t length = first < 0x80                    ? 1
                                   : first >= 0xc2 && first < 0xe0 ? 2
                                   : first >= 0xe0 && first < 0xf0 ? 3
                                   : first >= 0xf0 && first < 0xf5 ? 4
                                                                   : 0;
        bool legal = length != 0;
        for (std::size_t i = 1; i < length; ++i) legal = legal && (byte(i) & 0xc0) == 0x80;
        // Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte.
        if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
            (first == 0xf4 && second > 0x8f))
            legal = false;
        if (!legal) return fail("UTF-8");
        for (std::size_t i = 0; i < length; ++i) put(byte(i));
        at_ += length;
        return true;
    }

    // The i-th byte from here, 0 beyond the end.
    unsigned byte(std::size_t i) const
    {
        return at_ + i < json_.size() ? static_cast<unsigned char>(json_[at_ + i]) : 0u;
    }

    // The byte at hand, or -1 at the end.
    int peek() const { return at_ < json_.size() ? static_cast<unsigned char>(json_[at_]) : -1; }

    TENON_NOINLINE void skip_space()
    {
        while (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t') ++at_;
    }

    // Goes past `c`, or fails.
    bool take(char c, const char* wanted)
    {
        if (peek() != c) return fail(wanted);
        ++at_;
        return true;
    }

    Message here() const { return Message{file_} << ": byte " << 8 + at_ << " (header): expected "; }

    // Fails with the word at hand, or the one character, as what was found.
    TENON_NOINLINE bool fail(const char* wanted)
    {
        static constexpr std::string_view ends = " \t\r\n,:{}[]";
        const std::string_view rest = json_.substr(at_ < json_.size() ? at_ : json_.size(), 60);
        Message message = here();
        message << wanted << ", found ";
        if (rest.empty())
            message << "the end of the header";
        else
            message.quote(rest.substr(0, ends.find(rest[0]) < ends.size() ? 1 : rest.find_first_of(ends, 1)));
        status_ = message;
        return false;
    }

    std::string_view json_;
    const std::string& file_;
    std::size_t at_ = 0;
    Status status_;
    SafetensorsHeader* store_ = nullptr;  // null while counting
    std::size_t text_bytes_ = 0, tensor_count_ = 0, extent_count_ = 0, metadata_count_ = 0;

    unsigned seen_ = 0;  // one bit per reserved name in the object at hand
    Tensor tensor_;
    std::uint64_t numbers_[most_axes] = {};
    std::size_t number_count_ = 0;

    // The string read last.
    char decoded_[16] = {};
    std::size_t decoded_size_ = 0;
    bool keep_ = true;
};

// Tensors in the order of their bytes: each as long as dtype and shape say, each where the one before it ends, the last
// where the data end. A product of extents that leaves 64 bits is an error, unless a zero among them makes it 0.
inline Status SafetensorsHeader::check_ranges(std::uint64_t data_size, const std::string& file)
{
    std::uint64_t next = 0;
    for (std::size_t i = 0; i < by_offset_.size(); ++i) {
        Tensor& tensor = tensors_[by_offset_[i]];
        tensor.rank_by_offset = static_cast<std::uint32_t>(i);
        const std::uint64_t* extents = extents_.data() + tensor.first_extent;
        bool empty = false;
        for (std::size_t axis = 0; axis < tensor.rank; ++axis) empty = empty || extents[axis] == 0;
        std::uint64_t bits = empty ? 0 : bits_of(tensor.dtype);
        bool countable = true;
        for (std::size_t axis = 0; axis < tensor.rank; ++axis)
            countable = countable && data::multiply_checked(bits, extents[axis]);
        const bool right_size = countable && bits % 8 == 0 && tensor.end - tensor.begin == bits / 8;
        if (right_size && tensor.begin == next) {
            next = tensor.end;
            continue;
        }

        Message message{file};
        (message << ": tensor ").quote(text(tensor.name)) << ": expected ";
        if (!countable)
            return (message << "extents whose bits can be counted in 64, found ").shape(extents, tensor.rank);
        if (bits % 8 != 0) return message << "a whole number of bytes, found " << bits << " bits";
        if (!right_size)
            (message << bits / 8 << " bytes for " << name_of(tensor.dtype) << " ").shape(extents, tensor.rank);
        else
            message << "data_offsets that start at " << next << ", the end of the tensor before it";
        return message << ", found data_offsets [" << tensor.begin << ", " << tensor.end << "]"
                       << (!right_size           ? ""
                           : tensor.begin < next ? ", an overlap"
                                                 : ", a hole");
    }
    if (next != data_size)
        return Message{file} << ": data: expected " << next << " bytes after the header, as the tensors need, found "
                             << data_size;
    data_size_ = data_size;
    return {};
}

// Sorted names that are equal stand side by side.
inline Status SafetensorsHeader::check_names(Order order, const std::vector<std::uint32_t>& indices,
                                             const std::string& file) const
{
    for (std::size_t i = 1; i < indices.size(); ++i)
        if (name_at(order, indices[i]) == name_at(order, indices[i - 1]))
            return (Message{file} << ": header: expected each name once, found ").quote(name_at(order, indices[i]))
                   << " twice";
    return {};
}

inline Status SafetensorsHeader::parse(std::string_view header, std::uint64_t data_size, const std::string& file)
{
    if (header.size() > most_header_bytes)
        return Message{file} << ": byte 0: expected a header of at most 100000000 bytes, found " << header.size();
    if (Status status = Parser{header, file}.run(*this); !status) return status;
    sort(by_offset_, tensors_.size(), Order::offset);
    if (Status status = check_ranges(data_size, file); !status) return status;
    sort(by_name_, tensors_.size(), Order::name);
    if (Status status = check_names(Order::name, by_name_, file); !status) return status;
    sort(by_key_, metadata_.size(), Order::key);
    return check_names(Order::key, by_key_, file);
}

}  // namespace tenon::inline TENON_ISA::io
