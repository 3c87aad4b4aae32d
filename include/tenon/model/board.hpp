// SPDX-License-Identifier: BSL-1.0
// Boards as types: flash and RAM that a network is checked against while compiling.
#pragma once

#include <tenon/model/int8.hpp>

namespace tenon::inline TENON_ISA {

// Bytes of flash and of RAM.
template <std::size_t Flash, std::size_t Ram>
struct Board {
    static constexpr std::size_t flash = Flash, ram = Ram;
};

// Sizes as their makers' data sheets have them.
namespace boards {
using MicrobitV1 = Board<256 * 1024, 16 * 1024>;          // nRF51822, Cortex-M0
using RaspberryPiPico = Board<2048 * 1024, 264 * 1024>;   // RP2040, Cortex-M0+
using NucleoF411RE = Board<512 * 1024, 128 * 1024>;       // STM32F411RE, Cortex-M4F
using ArduinoNano33Ble = Board<1024 * 1024, 256 * 1024>;  // nRF52840, Cortex-M4F
using NucleoL4R5ZI = Board<2048 * 1024, 640 * 1024>;      // STM32L4R5ZI, Cortex-M4F: MLPerf Tiny's reference
using NucleoF746ZG = Board<1024 * 1024, 320 * 1024>;      // STM32F746ZG, Cortex-M7
using Esp32C3DevKitM1 = Board<4096 * 1024, 400 * 1024>;   // ESP32-C3, RV32IMC
}  // namespace boards

// What the rest of the program takes: its code and that of the network, its data and the stack.
template <std::size_t Flash = 0, std::size_t Ram = 0>
struct Beside {
    static constexpr std::size_t flash = Flash, ram = Ram;
};

template <std::size_t Bytes>
struct Needs;
template <std::size_t Bytes>
struct BoardHas;
template <std::size_t Bytes>
struct TooMany;

namespace detail {

constexpr std::size_t too_many(std::size_t needed, std::size_t there) { return needed > there ? needed - there : 0; }

}  // namespace detail

template <class Needed, class There, class Over>
struct CheckFlash;
// Whether flash suffices: the one mistake's sentence, with the numbers in the type's name.
template <std::size_t Needed, std::size_t There, std::size_t Over>
struct CheckFlash<Needs<Needed>, BoardHas<There>, TooMany<Over>> {
    static constexpr bool value = true;
    static_assert(Over == 0,
                  "tenon: the board has less flash than the network's weights and what is beside them: bytes as "
                  "CheckFlash<Needs<...>, BoardHas<...>, TooMany<...>> says.");
};
template <class Needed, class There, class Over>
struct CheckRam;
// The same of RAM.
template <std::size_t Needed, std::size_t There, std::size_t Over>
struct CheckRam<Needs<Needed>, BoardHas<There>, TooMany<Over>> {
    static constexpr bool value = true;
    static_assert(
        Over == 0,
        "tenon: the board has less RAM than the network's input, output and workspace and what is beside them: "
        "bytes as CheckRam<Needs<...>, BoardHas<...>, TooMany<...>> says.");
};

// Whether a network in a precision has room on a board.
template <class Net, class P, class B, class Rest = Beside<>>
inline constexpr bool has_room = cost<Net, P>::flash + Rest::flash <= B::flash&& cost<Net, P>::ram + Rest::ram <=
                                 B::ram;

// As a contract: static_assert(check_board<Net, Int8, boards::MicrobitV1, Beside<24_KiB, 4_KiB>>());
// Where something does not fit the compiler says what, and by how many bytes. One error: flash is looked at first.
template <class Net, class P, class B, class Rest = Beside<>>
consteval bool check_board()
{
    constexpr std::size_t flash = cost<Net, P>::flash + Rest::flash, ram = cost<Net, P>::ram + Rest::ram;
    if constexpr (flash > B::flash)
        return checked<CheckFlash<Needs<flash>, BoardHas<B::flash>, TooMany<detail::too_many(flash, B::flash)>>>::value;
    else
        return checked<CheckRam<Needs<ram>, BoardHas<B::ram>, TooMany<detail::too_many(ram, B::ram)>>>::value;
}

}  // namespace tenon
