// SPDX-License-Identifier: BSL-1.0
//
// From reset to main on QEMU's RISC-V board "virt" without an operating system: stack, traps, data, zeros, constructors; then
// main, whose result goes to QEMU as the exit status by semihosting. A trap ends the program with status 128.
#include <cstdint>

extern "C" {

extern std::uint32_t data_source, data_begin, data_end, bss_begin, bss_end;
extern void (*init_begin[])();
extern void (*init_end[])();

// ISO C++ forbids calling main by its name.
int program() asm("main");

[[noreturn]] void leave(int status)
{
    // SYS_EXIT_EXTENDED (0x20) with {ADP_Stopped_ApplicationExit, status}; the three instructions are the call ("RISC-V
    // Semihosting").
    const std::uint32_t block[2] = {0x20026, static_cast<std::uint32_t>(status)};
    register std::uint32_t operation asm("a0") = 0x20;
    register const std::uint32_t* argument asm("a1") = block;
    for (;;)
        asm volatile(
            ".balign 16\n\t.option push\n\t.option norvc\n\tslli x0, x0, 0x1f\n\tebreak\n\tsrai x0, x0, 7\n\t.option "
            "pop"
            : "+r"(operation)
            : "r"(argument)
            : "memory");
}

[[noreturn, gnu::aligned(4)]] void fault() { leave(128); }

[[noreturn, gnu::used]] void start()
{
    asm volatile(".option push\n\t.option arch, +zicsr\n\tcsrw mtvec, %0\n\t.option pop" ::"r"(&fault));
    const std::uint32_t* source = &data_source;
    for (std::uint32_t* to = &data_begin; to != &data_end;) *to++ = *source++;
    for (std::uint32_t* to = &bss_begin; to != &bss_end;) *to++ = 0;
    for (void (**initialise)() = init_begin; initialise != init_end; ++initialise) (*initialise)();
    leave(program());
}

[[noreturn, gnu::naked, gnu::section(".vectors"), gnu::used]] void reset() { asm("la sp, stack_top\n\tj start"); }

}  // extern "C"
