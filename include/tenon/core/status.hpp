// SPDX-License-Identifier: BSL-1.0
// Status and Message: how readers and writers report failures inside, where a Result at every call would be most of the
// code. Public functions turn a Status into a Result or an Error.
#pragma once

#include <tenon/core/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace tenon::inline TENON_ISA {

// Success, or the sentence that says what failed. One pointer, null on success: passing it on costs a register.
class [[nodiscard]] Status {
public:
    Status() = default;
    Status(Failure failure) : message_{new std::string{std::move(failure.message)}} {}
    Status(Status&& other) noexcept : message_{std::exchange(other.message_, nullptr)} {}
    Status& operator=(Status&& other) noexcept
    {
        std::swap(message_, other.message_);
        return *this;
    }
    ~Status()
    {
        if (message_ != nullptr) destroy();
    }

    explicit operator bool() const { return message_ == nullptr; }
    const std::string& error() const { return *message_; }

    // The sentence as a Failure, to be returned where a Result is expected. Only after a failure.
    TENON_NOINLINE Failure failure() { return Failure{std::move(*message_)}; }

    TENON_NOINLINE Result<Done> result()
    {
        if (message_ != nullptr) return failure();
        return Done{};
    }

private:
    TENON_NOINLINE void destroy() { delete message_; }

    std::string* message_ = nullptr;
};

// Puts a sentence together: return Message{file} << ": byte " << 8 << ": expected …". Out of line throughout: one call per
// part, where sums of strings would be a page of code each.
class Message {
public:
    TENON_NOINLINE explicit Message(std::string_view start) : text_{start} {}

    TENON_NOINLINE Message& operator<<(std::string_view text)
    {
        text_.append(text);
        return *this;
    }

    template <class Number>
    requires std::is_integral_v<Number> Message& operator<<(Number number)
    {
        const auto wide = static_cast<std::uint64_t>(number);
        return number < 0 ? decimal(~wide + 1, true) : decimal(wide, false);
    }

    // Bytes from outside: in quotes, control and non-ASCII bytes as \xNN, cut after 40.
    TENON_NOINLINE Message& quote(std::string_view text)
    {
        static constexpr std::size_t longest = 40;
        static constexpr char digits[] = "0123456789abcdef";
        *this << "'";
        for (std::size_t i = 0; i < text.size() && i < longest; ++i) {
            const auto byte = static_cast<unsigned char>(text[i]);
            const char escaped[] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
            if (byte >= 0x20 && byte < 0x7f)
                *this << text.substr(i, 1);
            else
                *this << std::string_view{escaped, 4};
        }
        return *this << (text.size() > longest ? "…'" : "'");
    }

    // Extents as "(784, 128)"; more than 32 are cut.
    template <class Extent>
    TENON_NOINLINE Message& shape(const Extent* extents, std::size_t rank)
    {
        *this << "(";
        for (std::size_t i = 0; i < rank && i < 32; ++i) *this << (i == 0 ? "" : ", ") << extents[i];
        return *this << (rank > 32 ? ", …)" : ")");
    }

    const std::string& text() const { return text_; }

    TENON_NOINLINE operator Status() { return Failure{std::move(text_)}; }
    TENON_NOINLINE operator Failure() { return Failure{std::move(text_)}; }
    template <class T>
    operator Result<T>()
    {
        return Failure{std::move(text_)};
    }

private:
    TENON_NOINLINE Message& decimal(std::uint64_t magnitude, bool negative)
    {
        char digits[21];
        std::size_t first = sizeof digits;
        do digits[--first] = static_cast<char>('0' + magnitude % 10);
        while ((magnitude /= 10) != 0);
        if (negative) digits[--first] = '-';
        text_.append(digits + first, sizeof digits - first);
        return *this;
    }

    std::string text_;
};

}  // namespace tenon::inline TENON_ISA
