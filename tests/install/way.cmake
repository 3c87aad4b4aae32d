# SPDX-License-Identifier: BSL-1.0
#
# cmake -DWAY=<find_package|add_subdirectory|fetch_source_dir|fetch_git> -DSOURCE=<tenon> -DWORK=<folder>
#       -DVERSION=<version> -DGENERATOR=<name> -DCOMPILER=<path> [-DGIT=<path>] -P way.cmake
# Makes the consumer project from nothing and runs it.
cmake_minimum_required(VERSION 3.22)

function(run)
    execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT result EQUAL 0)
        message(NOTICE "${output}")
        string(REPLACE ";" " " command "${ARGV}")
        message(FATAL_ERROR "failed: ${command}")
    endif()
endfunction()

file(REMOVE_RECURSE "${WORK}")
file(COPY "${CMAKE_CURRENT_LIST_DIR}/consumer" DESTINATION "${WORK}")
set(common -G "${GENERATOR}" "-DCMAKE_CXX_COMPILER=${COMPILER}")
set(arguments "-DWAY=${WAY}")

if(WAY STREQUAL "find_package")
    run("${CMAKE_COMMAND}" -S "${SOURCE}" -B "${WORK}/tenon" ${common} -DTENON_BUILD_TESTS=OFF -DTENON_BUILD_EXAMPLES=OFF
        "-DCMAKE_INSTALL_PREFIX=${WORK}/first")
    run("${CMAKE_COMMAND}" --install "${WORK}/tenon")
    # An installation may be moved.
    file(RENAME "${WORK}/first" "${WORK}/prefix")
    foreach(file IN ITEMS include/tenon/tenon.hpp include/tenon/version.hpp share/doc/tenon/LICENSE)
        if(NOT EXISTS "${WORK}/prefix/${file}")
            message(FATAL_ERROR "not installed: ${file}")
        endif()
    endforeach()
    file(REMOVE_RECURSE "${WORK}/tenon")
    list(APPEND arguments "-DCMAKE_PREFIX_PATH=${WORK}/prefix" "-DTENON_VERSION=${VERSION}")
elseif(WAY STREQUAL "fetch_git")
    # The working tree as a repository of its own: what is committed in the original is not what is tested.
    file(MAKE_DIRECTORY "${WORK}/repository")
    foreach(part IN ITEMS CMakeLists.txt cmake include LICENSE)
        file(COPY "${SOURCE}/${part}" DESTINATION "${WORK}/repository")
    endforeach()
    run("${GIT}" -C "${WORK}/repository" init -q)
    run("${GIT}" -C "${WORK}/repository" add .)
    run("${GIT}" -C "${WORK}/repository" -c user.name=tenon -c user.email=tenon@example.invalid commit -q -m snapshot)
    execute_process(COMMAND "${GIT}" -C "${WORK}/repository" rev-parse HEAD OUTPUT_VARIABLE commit
                    OUTPUT_STRIP_TRAILING_WHITESPACE)
    list(APPEND arguments "-DTENON_REPOSITORY=${WORK}/repository" "-DTENON_COMMIT=${commit}")
else()
    list(APPEND arguments "-DTENON_SOURCE=${SOURCE}")
endif()

run("${CMAKE_COMMAND}" -S "${WORK}/consumer" -B "${WORK}/build" ${common} ${arguments})
run("${CMAKE_COMMAND}" --build "${WORK}/build")
run("${CMAKE_CTEST_COMMAND}" --test-dir "${WORK}/build" --output-on-failure --no-tests=error)
