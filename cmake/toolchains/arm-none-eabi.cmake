# SPDX-License-Identifier: BSL-1.0
#
# Cortex-M without an operating system, by the GNU Arm embedded toolchain:
#
#   cmake -B build --toolchain <tenon>/cmake/toolchains/arm-none-eabi.cmake -DTENON_CPU=cortex-m7
#
#   TENON_CPU            cortex-m0, m0plus, m1, m3, m4 (as the default), m7, m23, m33, m55
#   TENON_FPU            -mfpu of the core, or "none" for one without a floating-point unit; the usual unit by default
#   TENON_TOOLCHAIN_DIR  the folder of arm-none-eabi-g++, where it is not in PATH
#
# Start-up code and linker script are the board's. newlib-nano, no exceptions, no run-time type information, unused sections
# dropped: as flags of the whole project, which its own CMAKE_CXX_FLAGS are added to.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
# Trial programs have no start-up code to link.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TENON_CPU TENON_FPU TENON_TOOLCHAIN_DIR)

set(TENON_CPU cortex-m4 CACHE STRING "The core: cortex-m0plus, cortex-m4, cortex-m7 …")
set(TENON_FPU "" CACHE STRING "-mfpu of the core, none, or empty for its usual unit")
set(TENON_TOOLCHAIN_DIR "" CACHE PATH "The folder of arm-none-eabi-g++, where it is not in PATH")
mark_as_advanced(TENON_TOOLCHAIN_DIR)

if(NOT TENON_CPU MATCHES "^cortex-m(0|0plus|1|3|4|7|23|33|55)$")
    message(FATAL_ERROR "TENON_CPU is '${TENON_CPU}': expected cortex-m0, m0plus, m1, m3, m4, m7, m23, m33 or m55.")
endif()
set(tenon_fpu "${TENON_FPU}")
if(tenon_fpu STREQUAL "")
    if(TENON_CPU STREQUAL "cortex-m4")
        set(tenon_fpu fpv4-sp-d16)
    elseif(TENON_CPU STREQUAL "cortex-m7")
        set(tenon_fpu fpv5-d16)
    elseif(TENON_CPU STREQUAL "cortex-m33")
        set(tenon_fpu fpv5-sp-d16)
    elseif(TENON_CPU STREQUAL "cortex-m55")
        set(tenon_fpu auto)
    else()
        set(tenon_fpu none)
    endif()
endif()
set(tenon_core "-mcpu=${TENON_CPU} -mthumb")
if(tenon_fpu STREQUAL "none")
    string(APPEND tenon_core " -mfloat-abi=soft")
else()
    string(APPEND tenon_core " -mfloat-abi=hard -mfpu=${tenon_fpu}")
endif()

set(tenon_prefix arm-none-eabi-)
if(TENON_TOOLCHAIN_DIR)
    set(tenon_prefix "${TENON_TOOLCHAIN_DIR}/arm-none-eabi-")
endif()
set(CMAKE_C_COMPILER "${tenon_prefix}gcc")
set(CMAKE_CXX_COMPILER "${tenon_prefix}g++")
set(CMAKE_ASM_COMPILER "${tenon_prefix}gcc")

set(CMAKE_ASM_FLAGS_INIT "${tenon_core}")
set(CMAKE_C_FLAGS_INIT "${tenon_core} -ffunction-sections -fdata-sections")
set(CMAKE_CXX_FLAGS_INIT
    "${tenon_core} -ffunction-sections -fdata-sections -fno-exceptions -fno-rtti -fno-threadsafe-statics")
set(CMAKE_EXE_LINKER_FLAGS_INIT "--specs=nano.specs --specs=nosys.specs -Wl,--gc-sections")
set(CMAKE_EXECUTABLE_SUFFIX_C .elf)
set(CMAKE_EXECUTABLE_SUFFIX_CXX .elf)

# Programs are this machine's, everything else the board's.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
