# SPDX-License-Identifier: BSL-1.0
#
# cmake -DCOMPILER=… -DNAME="GNU 12" -DINCLUDES=… -DAWK=… -DROOT=… -P printed.cmake
# Compiles the mistake of docs/guide/errors.md and compares what the compiler prints with what the pages say it does.
cmake_minimum_required(VERSION 3.22)

file(READ "${ROOT}/docs/guide/errors.md" text)
string(FIND "${text}" "<!-- the mistake -->\n```text\n" begin)
if(begin EQUAL -1)
    message(FATAL_ERROR "docs/guide/errors.md has no block marked <!-- the mistake -->")
endif()
string(LENGTH "<!-- the mistake -->\n```text\n" marker)
math(EXPR begin "${begin} + ${marker}")
string(SUBSTRING "${text}" ${begin} -1 text)
string(FIND "${text}" "```" end)
string(SUBSTRING "${text}" 0 ${end} program)
file(WRITE error.cpp "${program}")

list(TRANSFORM INCLUDES PREPEND "-I")
execute_process(
    COMMAND "${CMAKE_COMMAND}" -E env LC_ALL=C.UTF-8 "${COMPILER}" -std=c++20 -fsyntax-only -fno-diagnostics-color
            ${INCLUDES} error.cpp
    RESULT_VARIABLE status
    ERROR_FILE printed.txt)
if(status EQUAL 0)
    message(FATAL_ERROR "The mistake compiles.")
endif()
foreach(page IN ITEMS README.md docs/guide/errors.md)
    execute_process(COMMAND "${AWK}" -v "compiler=${NAME}" -f "${CMAKE_CURRENT_LIST_DIR}/printed.awk" "${ROOT}/${page}"
                            printed.txt RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "${page} does not show what ${NAME} prints: see printed.txt")
    endif()
endforeach()
