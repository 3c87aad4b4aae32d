// SPDX-License-Identifier: BSL-1.0
// Run-time failures of hosted code: Error is thrown; Result carries the same sentence where exceptions are off.
#pragma once

#include <tenon/config.hpp>

#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace tenon::inline TENON_ISA {

namespace detail {

inline void append_part(std::string& text, const std::string& part) { text += part; }
inline void append_part(std::string& text, const char* part) { text += part; }
template <class Number>
    requires std::is_arithmetic_v<Number>
void append_part(std::string& text, Number part) { text += std::to_string(part); }

}  // namespace detail

// One sentence from its parts: words and numbers. (A chain of + is slower, and g++ 12 warns of overlaps that are not there.)
template <class... Parts>
std::string sentence(const Parts&... parts)
{
    std::string text;
    (detail::append_part(text, parts), ...);
    return text;
}

// What went wrong, in one sentence that names the file, the place, what was expected and what was found.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// A failure's sentence, to be returned where a Result is expected: return Failure{"…"};
struct Failure {
    std::string message;
};

// A value or the sentence that says why there is none.
template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_{std::in_place_index<0>, std::move(value)} {}
    Result(Failure failure) : state_{std::in_place_index<1>, std::move(failure.message)} {}

    explicit operator bool() const { return state_.index() == 0; }
    T& value() & { return *std::get_if<0>(&state_); }
    const T& value() const& { return *std::get_if<0>(&state_); }
    T&& value() && { return std::move(*std::get_if<0>(&state_)); }
    const std::string& error() const { return *std::get_if<1>(&state_); }
    Failure failure() const { return Failure{error()}; }

#if TENON_EXCEPTIONS
    // The value, or an Error thrown with the sentence.
    T value_or_throw() &&
    {
        if (!*this) throw Error(error());
        return std::move(*this).value();
    }
#endif

private:
    std::variant<T, std::string> state_;
};

// Success without a value.
struct Done {};

}  // namespace tenon
