// SPDX-License-Identifier: BSL-1.0
//
// From reset to main on a Cortex-M: vector table, floating-point unit, data, zeros, constructors; then main, whose result
// goes to the debugger (or QEMU) as the exit status by semihosting. A fault ends the program with status 128.
#include <cstdint>

extern "C" {

extern std::uint32_t stack_top, data_source, data_begin, data_end, bss_begin, bss_end;
extern void (*init_begin[])();
extern void (*init_end[])();

// ISO C++ forbids calling main by its name.
int program() asm("main");

[[noreturn]] void leave(int status)
{
    // SYS_EXIT_EXTENDED (0x20) with {ADP_Stopped_ApplicationExit, status}: "Semihosting for AArch32 and AArch64", Arm.
    const std::uint32_t block[2] = {0x20026, static_cast<std::uint32_t>(status)};
    register std::uint32_t operation asm("r0") = 0x20;
    register const std::uint32_t* argument asm("r1") = block;
    for (;;) asm volatile("bkpt 0xab" : "+r"(operation) : "r"(argument) : "memory");
}

[[noreturn]] void fault() { leave(128); }

[[noreturn]] void reset()
{
    // Full access to coprocessors 10 and 11, the floating-point unit (CPACR, Armv7-M Architecture Reference Manual B3.2.20).
    auto* const cpacr = reinterpret_cast<volatile std::uint32_t*>(0xE000ED88);
    *cpacr = *cpacr | (0xFu << 20);
    asm volatile("dsb\n isb" ::: "memory");

    const std::uint32_t* source = &data_source;
    for (std::uint32_t* to = &data_begin; to != &data_end;) *to++ = *source++;
    for (std::uint32_t* to = &bss_begin; to != &bss_end;) *to++ = 0;
    for (void (**initialise)() = init_begin; initialise != init_end; ++initialise) (*initialise)();
    leave(program());
}

// Initial stack pointer, reset, NMI and the faults; interrupts stay disabled.
[[gnu::section(".vectors"), gnu::used]] const void* const vectors[16] = {
    &stack_top,
    reinterpret_cast<const void*>(&reset),
    reinterpret_cast<const void*>(&fault),
    reinterpret_cast<const void*>(&fault),
    reinterpret_cast<const void*>(&fault),
    reinterpret_cast<const void*>(&fault),
    reinterpret_cast<const void*>(&fault),
};

}  // extern "C"
