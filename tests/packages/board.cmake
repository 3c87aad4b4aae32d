# SPDX-License-Identifier: BSL-1.0
#
# cmake -DROOT=<tenon> -DWAY=<add_subdirectory|find_package|zephyr|single_header|arduino> -DCORE=<TENON_CPU> -DMACHINE=<board>
#       -DWORK=<folder> -DGENERATOR=<name> -DHOST_COMPILER=<path> -DVERSION=<version> -DQEMU=<path> -P board.cmake
# Configures and builds board/ with the toolchain file, and runs it where there is a machine.
cmake_minimum_required(VERSION 3.22)

function(run)
    execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output TIMEOUT 120)
    if(NOT result EQUAL 0)
        message(NOTICE "${output}")
        string(REPLACE ";" " " command "${ARGV}")
        message(FATAL_ERROR "failed (${result}): ${command}")
    endif()
endfunction()

file(REMOVE_RECURSE "${WORK}")
set(arguments "")
if(WAY STREQUAL "find_package")
    # Installed by this machine's compiler, used by the board's.
    run("${CMAKE_COMMAND}" -S "${ROOT}" -B "${WORK}/tenon" -G "${GENERATOR}" "-DCMAKE_CXX_COMPILER=${HOST_COMPILER}"
        -DTENON_BUILD_TESTS=OFF -DTENON_BUILD_EXAMPLES=OFF "-DCMAKE_INSTALL_PREFIX=${WORK}/prefix")
    run("${CMAKE_COMMAND}" --install "${WORK}/tenon")
    set(arguments "-DCMAKE_PREFIX_PATH=${WORK}/prefix" "-DTENON_VERSION=${VERSION}")
elseif(WAY STREQUAL "single_header")
    run("${ROOT}/script/amalgamate" --inference -o "${WORK}/header/tenon/inference.hpp")
elseif(WAY STREQUAL "arduino")
    run("${ROOT}/script/amalgamate" --arduino -o "${WORK}/tenon")
    foreach(file IN ITEMS library.properties LICENSE src/tenon.h src/tenon_inference.hpp)
        if(NOT EXISTS "${WORK}/tenon/${file}")
            message(FATAL_ERROR "the Arduino library has no ${file}")
        endif()
    endforeach()
endif()

run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/board" -B "${WORK}/build" -G "${GENERATOR}" --toolchain
    "${ROOT}/cmake/toolchains/arm-none-eabi.cmake" "-DTENON_CPU=${CORE}" -DCMAKE_BUILD_TYPE=Release "-DTENON_SOURCE=${ROOT}"
    "-DWAY=${WAY}" "-DWORK=${WORK}" ${arguments})
run("${CMAKE_COMMAND}" --build "${WORK}/build")
if(MACHINE)
    run("${QEMU}" -M ${MACHINE} -nographic -semihosting-config enable=on,target=native -kernel "${WORK}/build/firmware.elf")
endif()
