# SPDX-License-Identifier: BSL-1.0
#
# cmake -DCOMMAND=<compiler and arguments> -DPROGRAM=<file> -DRUN=<emulator and arguments> [-DSYMBOLS=<nm>]
#       -DEXPECTED=<exit status> -P check.cmake
# Compiles, looks for what firmware must not contain, runs. With -DNETWORK=<name> -DSIZES=<size> also compares what
# inference.cpp and the linker say with -DCODE=<bytes> -DSTACK=<bytes> -DPER_MAC=<instructions per 1000 multiply-adds>.
cmake_minimum_required(VERSION 3.22)

execute_process(COMMAND ${COMMAND} -o "${PROGRAM}" RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT result EQUAL 0)
    message(NOTICE "${output}")
    message(FATAL_ERROR "The program does not compile.")
endif()

if(SYMBOLS)
    execute_process(COMMAND "${SYMBOLS}" -C --defined-only "${PROGRAM}" OUTPUT_VARIABLE names RESULT_VARIABLE result)
    if(NOT result EQUAL 0 OR NOT names MATCHES " main\n")
        message(FATAL_ERROR "The program's symbols cannot be read.")
    endif()
    # Heap, exceptions, run-time type information, streams, start-up guards.
    string(REGEX MATCH "[^\n]* (_?malloc(_r)?|_sbrk|operator new[^\n]*|__cxa_[a-z_]+|typeinfo [^\n]*|std::ios_base[^\n]*|__gxx_personality[^\n]*)\n"
           forbidden "${names}")
    if(forbidden)
        message(FATAL_ERROR "The program contains ${forbidden}")
    endif()
endif()

execute_process(COMMAND ${RUN} "${PROGRAM}" RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output TIMEOUT 1500)
if(NOT result EQUAL EXPECTED)
    message(NOTICE "${output}")
    message(FATAL_ERROR "Exit status ${result} instead of ${EXPECTED}.")
endif()

if(NETWORK)
    include("${CMAKE_CURRENT_LIST_DIR}/sizes.cmake")
    measure_sizes("${SYMBOLS}" "${SIZES}" "${PROGRAM}" ${NETWORK})
    foreach(name IN ITEMS instructions macs stack)
        if(NOT output MATCHES "${name} ([0-9]+)")
            message(FATAL_ERROR "The program has not said its ${name}: ${output}")
        endif()
        set(${name} ${CMAKE_MATCH_1})
    endforeach()
    math(EXPR per_mac "${instructions} * 1000 / ${macs}")
    message(STATUS "${code_size} bytes of code, ${stack} of stack, ${per_mac} instructions per 1000 multiply-adds")
    if(code_size GREATER CODE OR stack GREATER STACK OR stack EQUAL 0 OR per_mac GREATER PER_MAC OR per_mac LESS 300)
        message(FATAL_ERROR "Allowed: ${CODE} bytes of code, ${STACK} of stack, ${PER_MAC} instructions.")
    endif()
endif()
