# SPDX-License-Identifier: BSL-1.0
#
# The targets that users link, and their installation. They carry include directories and the language standard, nothing
# else: optimisation and instruction set are the consumer's choice.
include(CMakePackageConfigHelpers)

tenon_find_core()
if(tenon_core_missing)
    message(FATAL_ERROR "${tenon_core_missing}")
endif()

# tenon::tenon: everything that needs no library besides the headers of Boost.Hana and xsimd.
add_library(tenon INTERFACE)
add_library(tenon::tenon ALIAS tenon)
target_compile_features(tenon INTERFACE cxx_std_20)
target_include_directories(tenon INTERFACE "$<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>"
                                           "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
target_link_libraries(tenon INTERFACE tenon::hana tenon::xsimd)
set(tenon_installed tenon)

# tenon::io: <tenon/data/idx.hpp> (gzip) and <tenon/io/...>.
tenon_find_io()
if(tenon_io_missing)
    message(STATUS "tenon::io is left out. ${tenon_io_missing}")
else()
    add_library(tenon_io INTERFACE)
    add_library(tenon::io ALIAS tenon_io)
    set_target_properties(tenon_io PROPERTIES EXPORT_NAME io)
    target_link_libraries(tenon_io INTERFACE tenon ZLIB::ZLIB)
    list(APPEND tenon_installed tenon_io)
endif()

# tenon::threads: <tenon/parallel/...> and training on more than one thread.
tenon_find_threads()
if(tenon_threads_missing)
    message(STATUS "tenon::threads is left out. ${tenon_threads_missing}")
else()
    add_library(tenon_threads INTERFACE)
    add_library(tenon::threads ALIAS tenon_threads)
    set_target_properties(tenon_threads PROPERTIES EXPORT_NAME threads)
    target_link_libraries(tenon_threads INTERFACE tenon Threads::Threads)
    list(APPEND tenon_installed tenon_threads)
endif()

# tenon::mpi: <tenon/distributed/...>, training in many processes.
tenon_find_mpi()
if(tenon_mpi_missing)
    message(STATUS "tenon::mpi is left out. ${tenon_mpi_missing}")
else()
    add_library(tenon_mpi INTERFACE)
    add_library(tenon::mpi ALIAS tenon_mpi)
    set_target_properties(tenon_mpi PROPERTIES EXPORT_NAME mpi)
    target_link_libraries(tenon_mpi INTERFACE tenon MPI::MPI_CXX)
    list(APPEND tenon_installed tenon_mpi)
endif()

# tenon::prometheus: <tenon/monitoring/...>, a run that can be watched.
tenon_find_prometheus()
if(tenon_prometheus_missing)
    message(STATUS "tenon::prometheus is left out. ${tenon_prometheus_missing}")
else()
    add_library(tenon_prometheus INTERFACE)
    add_library(tenon::prometheus ALIAS tenon_prometheus)
    set_target_properties(tenon_prometheus PROPERTIES EXPORT_NAME prometheus)
    target_link_libraries(tenon_prometheus INTERFACE tenon tenon::prometheus_cpp)
    list(APPEND tenon_installed tenon_prometheus)
endif()

# An add_subdirectory() or FetchContent parent installs its own things only.
if(PROJECT_IS_TOP_LEVEL)
    set(tenon_package_folder "${CMAKE_INSTALL_DATADIR}/cmake/tenon")
    # Each component has its own file of targets: one that the user does not ask for may lack its libraries.
    foreach(target IN LISTS tenon_installed)
        install(TARGETS ${target} EXPORT ${target}Targets)
        install(EXPORT ${target}Targets NAMESPACE tenon:: DESTINATION "${tenon_package_folder}")
    endforeach()
    install(DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/include/tenon" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
            FILES_MATCHING PATTERN "*.hpp")
    configure_package_config_file("${CMAKE_CURRENT_SOURCE_DIR}/cmake/tenonConfig.cmake.in"
                                  "${CMAKE_CURRENT_BINARY_DIR}/tenonConfig.cmake"
                                  INSTALL_DESTINATION "${tenon_package_folder}")
    write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/tenonConfigVersion.cmake"
                                     COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
    install(FILES "${CMAKE_CURRENT_BINARY_DIR}/tenonConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/tenonConfigVersion.cmake"
                  "${CMAKE_CURRENT_SOURCE_DIR}/cmake/TenonDependencies.cmake" DESTINATION "${tenon_package_folder}")
    install(FILES "${CMAKE_CURRENT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/tenon")
endif()
