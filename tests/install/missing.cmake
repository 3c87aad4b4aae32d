# SPDX-License-Identifier: BSL-1.0
#
# cmake -DSOURCE=<tenon> -DWORK=<folder> -DGENERATOR=<name> -DCOMPILER=<path> -P missing.cmake
# What the user reads when a dependency is not there: one sentence with the package's name, from the source tree and from
# an installation alike.
cmake_minimum_required(VERSION 3.22)

file(REMOVE_RECURSE "${WORK}")
set(common -G "${GENERATOR}" "-DCMAKE_CXX_COMPILER=${COMPILER}")
set(project "cmake_minimum_required(VERSION 3.22)\nproject(consumer LANGUAGES CXX)\n")
file(WRITE "${WORK}/core/CMakeLists.txt" "${project}find_package(tenon CONFIG REQUIRED)\n")
file(WRITE "${WORK}/io/CMakeLists.txt" "${project}find_package(tenon CONFIG REQUIRED COMPONENTS io)\n")
file(WRITE "${WORK}/optional/CMakeLists.txt"
     "${project}find_package(tenon CONFIG REQUIRED)\nif(TARGET tenon::io)\nmessage(FATAL_ERROR \"io without zlib\")\nendif()\n")
foreach(component IN ITEMS mpi prometheus)
    file(WRITE "${WORK}/${component}/CMakeLists.txt"
         "${project}find_package(tenon CONFIG REQUIRED COMPONENTS ${component})\n")
endforeach()
file(WRITE "${WORK}/unknown/CMakeLists.txt" "${project}find_package(tenon CONFIG REQUIRED COMPONENTS cellar)\n")
file(WRITE "${WORK}/newer/CMakeLists.txt" "${project}find_package(tenon 99 CONFIG REQUIRED)\n")

execute_process(COMMAND "${CMAKE_COMMAND}" -S "${SOURCE}" -B "${WORK}/tenon" ${common} -DTENON_BUILD_TESTS=OFF
                        -DTENON_BUILD_EXAMPLES=OFF "-DCMAKE_INSTALL_PREFIX=${WORK}/prefix"
                COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${WORK}/tenon" COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)

# expect(<source folder> <sentence, or "" for success> <arguments...>)
function(expect folder sentence)
    file(REMOVE_RECURSE "${WORK}/build")
    execute_process(COMMAND "${CMAKE_COMMAND}" -S "${folder}" -B "${WORK}/build" ${common}
                            "-DCMAKE_PREFIX_PATH=${WORK}/prefix" ${ARGN}
                    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
    string(REGEX REPLACE "[ \n]+" " " flat "${output}")
    if(sentence STREQUAL "")
        if(NOT result EQUAL 0)
            message(NOTICE "${output}")
            message(FATAL_ERROR "failed: ${folder} ${ARGN}")
        endif()
        return()
    endif()
    string(FIND "${flat}" "${sentence}" found)
    string(REGEX MATCHALL "CMake Error" errors "${output}")
    list(LENGTH errors errors)
    if(result EQUAL 0 OR found EQUAL -1 OR NOT errors EQUAL 1)
        message(NOTICE "${output}")
        message(FATAL_ERROR "expected one error, '${sentence}': ${folder} ${ARGN}")
    endif()
endfunction()

set(no_hana -DTENON_HANA_INCLUDE_DIR=TENON_HANA_INCLUDE_DIR-NOTFOUND -DCMAKE_IGNORE_PATH=/usr/include)
set(no_zlib -DCMAKE_DISABLE_FIND_PACKAGE_ZLIB=ON)
expect("${WORK}/core" "")
expect("${WORK}/io" "")
expect("${WORK}/core" "tenon needs the Boost headers (Boost.Hana): install libboost-dev" ${no_hana})
expect("${SOURCE}" "tenon needs the Boost headers (Boost.Hana): install libboost-dev" ${no_hana})
expect("${WORK}/core" "tenon needs xsimd 8.1 or later: install libxsimd-dev" ${no_hana})
expect("${WORK}/io" "tenon::io needs zlib: install zlib1g-dev" ${no_zlib})
expect("${WORK}/optional" "" ${no_zlib})
expect("${SOURCE}" "The examples use tenon::io. tenon::io needs zlib: install zlib1g-dev" ${no_zlib})
set(no_mpi -DCMAKE_DISABLE_FIND_PACKAGE_MPI=ON)
set(no_prometheus -DCMAKE_DISABLE_FIND_PACKAGE_prometheus-cpp=ON -DTENON_PROMETHEUS_PULL_LIBRARY=OFF)
foreach(component IN ITEMS mpi prometheus)
    # An installation made where the library was not there says so.
    if(EXISTS "${WORK}/prefix/share/cmake/tenon/tenon_${component}Targets.cmake")
        expect("${WORK}/${component}" "")
    else()
        expect("${WORK}/${component}" "this installation of tenon was made without tenon::${component}")
    endif()
endforeach()
if(EXISTS "${WORK}/prefix/share/cmake/tenon/tenon_mpiTargets.cmake")
    expect("${WORK}/mpi" "tenon::mpi needs an MPI library: install libopenmpi-dev" ${no_mpi})
endif()
if(EXISTS "${WORK}/prefix/share/cmake/tenon/tenon_prometheusTargets.cmake")
    expect("${WORK}/prometheus" "tenon::prometheus needs prometheus-cpp: install prometheus-cpp-dev" ${no_prometheus})
endif()
expect("${WORK}/unknown" "tenon has no component 'cellar': the components are io, threads, mpi and prometheus.")
expect("${WORK}/newer" "Could not find a configuration file for package \"tenon\" that is compatible with requested version \"99\"")
