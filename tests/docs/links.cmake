# SPDX-License-Identifier: BSL-1.0
#
# cmake -DROOT=<repository> -P links.cmake
# Every [text](file) of the pages that is not a web address must name a file or folder; #anchors are not checked.
cmake_minimum_required(VERSION 3.22)

file(GLOB_RECURSE pages RELATIVE "${ROOT}" "${ROOT}/docs/*.md" "${ROOT}/examples/*.md")
list(APPEND pages README.md CONTRIBUTING.md CHANGELOG.md)
set(broken "")
set(count 0)
foreach(page IN LISTS pages)
    file(READ "${ROOT}/${page}" text)
    # Semicolons and brackets mean something to CMake.
    string(REPLACE ";" " " text "${text}")
    string(REPLACE "](" "@@(" text "${text}")
    string(REPLACE "[" " " text "${text}")
    string(REPLACE "]" " " text "${text}")
    string(REGEX MATCHALL "@@\\([^)]*\\)" links "${text}")
    cmake_path(GET page PARENT_PATH folder)
    foreach(link IN LISTS links)
        string(REGEX REPLACE "^@@\\(([^)#]*).*$" "\\1" target "${link}")
        # The parameters of a lambda look like a link, but not like a file.
        if(NOT target MATCHES "^[A-Za-z0-9_./-]+[./][A-Za-z0-9_-]*$")
            continue()
        endif()
        math(EXPR count "${count} + 1")
        if(NOT EXISTS "${ROOT}/${folder}/${target}")
            string(APPEND broken "${page}: ${target}\n")
        endif()
    endforeach()
endforeach()
if(broken)
    message(NOTICE "${broken}")
    message(FATAL_ERROR "Links that lead nowhere.")
endif()
message(STATUS "${count} links lead somewhere")
