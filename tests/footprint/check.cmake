# SPDX-License-Identifier: BSL-1.0
#
# cmake -DPROGRAM=<file> -DSTRIP=<tool> -DNM=<tool> -DLIMIT=<bytes> -P check.cmake
cmake_minimum_required(VERSION 3.22)

execute_process(COMMAND "${PROGRAM}" RESULT_VARIABLE result)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "The program fails: ${result}")
endif()
execute_process(COMMAND "${STRIP}" -o "${PROGRAM}.stripped" "${PROGRAM}" COMMAND_ERROR_IS_FATAL ANY)
file(SIZE "${PROGRAM}.stripped" size)
message(STATUS "stripped: ${size} bytes")
if(size GREATER LIMIT)
    message(FATAL_ERROR "more than ${LIMIT} bytes")
endif()
execute_process(COMMAND "${NM}" -C "${PROGRAM}" OUTPUT_VARIABLE names COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCH "[^\n]* (malloc|operator new[^\n]*|__cxa_throw|std::ios_base[^\n]*|pthread_create)[^\n]*" forbidden "${names}")
if(forbidden)
    message(FATAL_ERROR "The program contains ${forbidden}")
endif()
