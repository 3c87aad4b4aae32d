// SPDX-License-Identifier: BSL-1.0
// One mistake, one error: what keeps compilers from printing more than our own sentence.
#pragma once

#include <tenon/config.hpp>

namespace tenon::inline TENON_ISA {

namespace detail {

template <class T, bool = requires { sizeof(T); }
> struct Checked {
    using type = T;
};

}  // namespace detail

// T itself, instantiated where a failure harms nobody else. Clang makes a class with a failed static_assert invalid, leaves
// out what follows the assertion, and lets the lookup fail that made it instantiate the class; g++ goes on. So whoever looks
// into a class that asserts something goes through checked<…>, and such a class asserts last: then every later lookup finds
// its members, and the assertion stays the only error. (A member `char[sizeof(T)]` instead of the requirement costs a line
// less per level of the message, but makes Checked itself invalid.)
template <class T>
using checked = typename detail::Checked<T>::type;

}  // namespace tenon
