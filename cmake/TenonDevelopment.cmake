# SPDX-License-Identifier: BSL-1.0
#
# What tenon's own tests, examples and benchmarks are compiled with. Nothing of it reaches a consumer.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
endif()
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(TENON_CCACHE ccache)
mark_as_advanced(TENON_CCACHE)
if(TENON_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # Every checkout and worktree shares what any of them has compiled.
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1
                                    "${TENON_CCACHE}")
endif()

add_library(tenon_development INTERFACE)
target_link_libraries(tenon_development INTERFACE tenon::tenon)
target_compile_options(tenon_development INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                                                   $<$<BOOL:${TENON_WERROR}>:-Werror>
                                                   $<$<BOOL:${TENON_NATIVE}>:-march=native>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_compile_options(tenon_development INTERFACE -fcolor-diagnostics)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(tenon_development INTERFACE -fdiagnostics-color=auto)
endif()
if(TENON_SANITIZE)
    target_compile_options(tenon_development INTERFACE -fsanitize=${TENON_SANITIZE} -fno-sanitize-recover=all
                                                       -fno-omit-frame-pointer)
    target_link_options(tenon_development INTERFACE -fsanitize=${TENON_SANITIZE})
endif()
