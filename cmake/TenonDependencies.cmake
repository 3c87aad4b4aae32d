# SPDX-License-Identifier: BSL-1.0
#
# Finds what tenon's components stand on and gives each an imported target. Used by the build tree and, installed beside
# tenonConfig.cmake, by find_package(tenon): both say the same sentence when something is missing.
#
#   tenon_find_core()     tenon::hana  tenon::xsimd      sets tenon_core_missing  ("" when all is there)
#   tenon_find_io()       ZLIB::ZLIB                 sets tenon_io_missing
#   tenon_find_threads()  Threads::Threads           sets tenon_threads_missing
#   tenon_find_mpi()      MPI::MPI_CXX               sets tenon_mpi_missing
#   tenon_find_prometheus()  tenon::prometheus_cpp   sets tenon_prometheus_missing
include_guard()

# A header-only dependency by one of its headers. Packages are not asked for their own CMake files: Boost's moved between
# module and config mode, and xsimd 8.1 as Debian packages it links a library that the package does not contain.
function(tenon_find_headers target header include_variable)
    if(TARGET ${target})
        return()
    endif()
    foreach(candidate IN LISTS ARGN)  # a target that the parent project has already
        if(TARGET ${candidate})
            get_target_property(directories ${candidate} INTERFACE_INCLUDE_DIRECTORIES)
            if(directories)
                add_library(${target} INTERFACE IMPORTED GLOBAL)
                set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${directories}")
                return()
            endif()
        endif()
    endforeach()
    find_path(${include_variable} ${header})
    mark_as_advanced(${include_variable})
    if(${include_variable})
        add_library(${target} INTERFACE IMPORTED GLOBAL)
        set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${${include_variable}}")
    endif()
endfunction()

macro(tenon_find_core)
    set(tenon_core_missing "")
    if(CMAKE_SYSTEM_NAME STREQUAL "Generic")
        # A board has no SIMD that xsimd knows, and Net::layers is left out without Hana. This machine's folder of headers
        # holds its C library too, which must not reach a cross compiler: what is wanted is named.
        foreach(tenon_optional IN ITEMS hana xsimd)
            if(NOT TARGET tenon::${tenon_optional})
                string(TOUPPER "TENON_${tenon_optional}_INCLUDE_DIR" tenon_named)
                add_library(tenon::${tenon_optional} INTERFACE IMPORTED GLOBAL)
                if(${tenon_named})
                    set_target_properties(tenon::${tenon_optional} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES
                                                                              "${${tenon_named}}")
                endif()
            endif()
        endforeach()
    else()
        tenon_find_headers(tenon::hana boost/hana/version.hpp TENON_HANA_INCLUDE_DIR Boost::hana Boost::headers)
        if(NOT TARGET tenon::hana)
            set(tenon_core_missing
                "tenon needs the Boost headers (Boost.Hana): install libboost-dev (Debian, Ubuntu), boost-devel (Fedora) or boost (Homebrew, vcpkg).")
        endif()
        tenon_find_headers(tenon::xsimd xsimd/xsimd.hpp TENON_XSIMD_INCLUDE_DIR xsimd)
        if(NOT TARGET tenon::xsimd)
            string(APPEND tenon_core_missing
                   "tenon needs xsimd 8.1 or later: install libxsimd-dev (Debian, Ubuntu), xsimd-devel (Fedora) or xsimd (Homebrew, vcpkg).")
        endif()
    endif()
endmacro()

# What needs an operating system is not looked for without one: what were found would be this machine's.
macro(tenon_find_io)
    set(tenon_io_missing "")
    if(NOT CMAKE_SYSTEM_NAME STREQUAL "Generic")
        find_package(ZLIB QUIET)
    endif()
    if(NOT TARGET ZLIB::ZLIB)
        set(tenon_io_missing
            "tenon::io needs zlib: install zlib1g-dev (Debian, Ubuntu), zlib-devel (Fedora) or zlib (Homebrew, vcpkg).")
    endif()
endmacro()

macro(tenon_find_threads)
    set(tenon_threads_missing "")
    set(THREADS_PREFER_PTHREAD_FLAG ON)
    if(NOT CMAKE_SYSTEM_NAME STREQUAL "Generic")
        find_package(Threads QUIET)
    endif()
    if(NOT TARGET Threads::Threads)
        set(tenon_threads_missing "tenon::threads needs a thread library: none was found for this compiler.")
    endif()
endmacro()

# Any MPI of the version 3 or later.
macro(tenon_find_mpi)
    set(tenon_mpi_missing "")
    set(MPI_CXX_SKIP_MPICXX ON)  # the C interface alone
    if(NOT CMAKE_SYSTEM_NAME STREQUAL "Generic")
        find_package(MPI 3.0 QUIET COMPONENTS CXX)
    endif()
    if(NOT TARGET MPI::MPI_CXX)
        set(tenon_mpi_missing
            "tenon::mpi needs an MPI library: install libopenmpi-dev and openmpi-bin (Debian, Ubuntu), openmpi-devel (Fedora) or open-mpi (Homebrew).")
    endif()
endmacro()

# prometheus-cpp's own package asks for curl as well, which serving needs not: where it fails its libraries are looked for.
macro(tenon_find_prometheus)
    set(tenon_prometheus_missing "")
    if(NOT TARGET tenon::prometheus_cpp AND NOT CMAKE_SYSTEM_NAME STREQUAL "Generic")
        find_package(prometheus-cpp QUIET CONFIG)
        if(NOT TARGET prometheus-cpp::pull)
            find_path(TENON_PROMETHEUS_INCLUDE_DIR prometheus/exposer.h)
            find_library(TENON_PROMETHEUS_PULL_LIBRARY prometheus-cpp-pull)
            find_library(TENON_PROMETHEUS_CORE_LIBRARY prometheus-cpp-core)
            mark_as_advanced(TENON_PROMETHEUS_INCLUDE_DIR TENON_PROMETHEUS_PULL_LIBRARY TENON_PROMETHEUS_CORE_LIBRARY)
        endif()
        if(TARGET prometheus-cpp::pull)
            add_library(tenon::prometheus_cpp INTERFACE IMPORTED GLOBAL)
            target_link_libraries(tenon::prometheus_cpp INTERFACE prometheus-cpp::pull)
        elseif(TENON_PROMETHEUS_INCLUDE_DIR AND TENON_PROMETHEUS_PULL_LIBRARY AND TENON_PROMETHEUS_CORE_LIBRARY)
            add_library(tenon::prometheus_cpp INTERFACE IMPORTED GLOBAL)
            target_include_directories(tenon::prometheus_cpp INTERFACE "${TENON_PROMETHEUS_INCLUDE_DIR}")
            target_link_libraries(tenon::prometheus_cpp INTERFACE "${TENON_PROMETHEUS_PULL_LIBRARY}"
                                                                  "${TENON_PROMETHEUS_CORE_LIBRARY}")
        else()
            set(tenon_prometheus_missing
                "tenon::prometheus needs prometheus-cpp: install prometheus-cpp-dev (Debian, Ubuntu) or prometheus-cpp (Homebrew, vcpkg).")
        endif()
    endif()
endmacro()
