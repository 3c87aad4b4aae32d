# SPDX-License-Identifier: BSL-1.0
#
# cmake -DWARNINGS=<Doxygen's warnings> -P warnings.cmake: fails for any but those of members without a comment.
cmake_minimum_required(VERSION 3.22)

file(STRINGS "${WARNINGS}" lines)
list(FILTER lines EXCLUDE REGEX "Member .* of (class|struct|union) .* is not documented")
list(REMOVE_DUPLICATES lines)
if(lines)
    list(JOIN lines "\n" text)
    message(NOTICE "${text}")
    message(FATAL_ERROR "The reference has warnings.")
endif()
