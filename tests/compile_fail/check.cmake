# SPDX-License-Identifier: BSL-1.0
#
# cmake -DCASE=<file.cpp> -DCOMPILER=<path> -DFLAGS=<list> -P check.cmake
#
# A case is one program with a mistake, and the same program without it under `#ifdef TENON_TWIN`. Comment lines say what
# the compiler must print:
#   // error: <text>     stands in the only line with "error:", which starts with "tenon: " (after the compiler's words)
#   // note: <text>      stands somewhere in the output (any number of these lines)
# The output has at most 40 lines, not counting those that say through which headers the place was reached.
# Texts are plain, not patterns. Before the comparison the namespaces tenon:: and tenon::isa_...:: are taken away, which
# g++ prints and clang does not, the space in > > and the suffix of integers (12ul).
cmake_minimum_required(VERSION 3.22)

set(line_limit 40)

execute_process(COMMAND "${COMPILER}" ${FLAGS} -DTENON_TWIN -fsyntax-only "${CASE}"
                RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT result EQUAL 0)
    message(NOTICE "${output}")
    message(FATAL_ERROR "The twin without the mistake does not compile.")
endif()

execute_process(COMMAND "${COMPILER}" ${FLAGS} -fsyntax-only "${CASE}"
                RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(result EQUAL 0)
    message(FATAL_ERROR "The mistake compiles.")
endif()

set(problems "")
string(REGEX REPLACE "(tenon::)?isa_[a-z0-9_]+::" "" text "${output}")
string(REGEX REPLACE "tenon::" "" text "${text}")
string(REPLACE "> >" ">>" text "${text}")
string(REPLACE "> >" ">>" text "${text}")
string(REGEX REPLACE "([^A-Za-z0-9_][0-9]+)(ul|UL|lu|u)([^A-Za-z0-9_])" "\\1\\3" text "${text}")

# Line by line without lists: texts have semicolons and lone brackets.
set(errors 0)
set(lines 0)
set(error_line "")
set(rest "${text}")
while(NOT rest STREQUAL "")
    string(FIND "${rest}" "\n" end)
    if(end EQUAL -1)
        set(line "${rest}")
        set(rest "")
    else()
        string(SUBSTRING "${rest}" 0 ${end} line)
        math(EXPR end "${end} + 1")
        string(SUBSTRING "${rest}" ${end} -1 rest)
    endif()
    if(NOT line MATCHES "^(In file included)? +from .*[:,]$")
        math(EXPR lines "${lines} + 1")
    endif()
    if(line MATCHES ": (fatal )?error: ")
        math(EXPR errors "${errors} + 1")
        set(error_line "${line}")
    endif()
endwhile()
if(NOT errors EQUAL 1)
    string(APPEND problems "- ${errors} errors instead of one\n")
endif()
if(lines GREATER line_limit)
    string(APPEND problems "- ${lines} lines of output, more than ${line_limit}\n")
endif()

# g++ and clang 19: "error: static assertion failed[ due to requirement '...']: tenon: ..."
# clang 14:         "error: static_assert failed[ due to requirement '...'] \"tenon: ...\""
if(NOT error_line MATCHES "error: static assertion failed( due to requirement '.*')?: tenon: "
   AND NOT error_line MATCHES "error: static_assert failed( due to requirement '.*')? \"tenon: ")
    string(APPEND problems "- the error does not start with our sentence\n")
endif()

set(expected_errors 0)
file(READ "${CASE}" rest)
while(rest MATCHES "(^|\n)// (error|note): ([^\n]*)\n")
    set(kind "${CMAKE_MATCH_2}")
    set(expected "${CMAKE_MATCH_3}")
    string(FIND "${rest}" "// ${kind}: ${expected}\n" start)
    string(LENGTH "// ${kind}: ${expected}" length)
    math(EXPR start "${start} + ${length}")
    string(SUBSTRING "${rest}" ${start} -1 rest)
    if(kind STREQUAL "error")
        math(EXPR expected_errors "${expected_errors} + 1")
        string(FIND "${error_line}" "${expected}" found)
    else()
        string(FIND "${text}" "${expected}" found)
    endif()
    if(found EQUAL -1)
        string(APPEND problems "- ${kind} expected: ${expected}\n")
    endif()
endwhile()
if(NOT expected_errors EQUAL 1)
    string(APPEND problems "- the case states ${expected_errors} errors instead of one\n")
endif()

if(problems)
    message(NOTICE "${output}")
    message(NOTICE "${problems}")
    message(FATAL_ERROR "The error is not as the case states it.")
endif()
