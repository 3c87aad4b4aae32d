// SPDX-License-Identifier: BSL-1.0
// What a program costs on a board under QEMU with -icount: instructions, and bytes of stack.
#pragma once

#include <cstddef>
#include <cstdint>

namespace firmware {

// The counter that the emulated processor's instructions move: with -icount shift=6 an instruction is 64 ns.
#if defined(__arm__)
// Timer 0 of the MPS2 boards at 25 MHz (Cortex-M System Design Kit, APB timer: CTRL, VALUE, RELOAD), which counts down.
inline volatile std::uint32_t* const timer = reinterpret_cast<volatile std::uint32_t*>(0x40000000);
inline void start_counter()
{
    timer[2] = 0xffffffff;
    timer[1] = 0xffffffff;
    timer[0] = 1;
}
inline std::uint64_t nanoseconds() { return std::uint64_t{0xffffffff - timer[1]} * 40; }
#else
// The counter of retired instructions, which QEMU counts in nanoseconds as well.
inline void start_counter() {}
inline std::uint64_t nanoseconds()
{
    std::uint32_t low, high, again;
    do
        asm volatile(
            ".option push\n\t.option arch, +zicsr\n\t"
            "csrr %0, minstreth\n\tcsrr %1, minstret\n\tcsrr %2, minstreth\n\t.option pop"
            : "=r"(high), "=r"(low), "=r"(again));
    while (high != again);
    return std::uint64_t{high} << 32 | low;
}
#endif
inline std::uint32_t instructions(std::uint64_t nanoseconds) { return static_cast<std::uint32_t>(nanoseconds / 64); }

// Paints the stack below the caller, and says how much of it has been used since.
class StackPaint {
public:
    [[gnu::always_inline]] StackPaint()
    {
        for (volatile std::uint32_t* word = lowest(); word < top_; ++word) *word = colour;
    }
    std::size_t used() const
    {
        const volatile std::uint32_t* word = lowest();
        while (word < top_ && *word == colour) ++word;
        return static_cast<std::size_t>(top_ - word) * sizeof(std::uint32_t);
    }

private:
    static constexpr std::uint32_t colour = 0xc0105eed;
    static constexpr std::size_t painted = 32 * 1024;

    volatile std::uint32_t* lowest() const { return top_ - painted / sizeof(std::uint32_t); }

    static volatile std::uint32_t* stack_pointer()
    {
        volatile std::uint32_t* pointer;
#if defined(__arm__)
        asm volatile("mov %0, sp" : "=r"(pointer));
#else
        asm volatile("mv %0, sp" : "=r"(pointer));
#endif
        return pointer;
    }

    volatile std::uint32_t* top_ = stack_pointer();
};

// Text to the debugger (SYS_WRITE0).
[[gnu::noinline]] inline void print(const char* text)
{
#if defined(__arm__)
    register std::uint32_t operation asm("r0") = 4;
    register const char* argument asm("r1") = text;
    asm volatile("bkpt 0xab" : "+r"(operation) : "r"(argument) : "memory");
#else
    register std::uint32_t operation asm("a0") = 4;
    register const char* argument asm("a1") = text;
    asm volatile(
        ".balign 16\n\t.option push\n\t.option norvc\n\tslli x0, x0, 0x1f\n\tebreak\n\tsrai x0, x0, 7\n\t.option pop"
        : "+r"(operation)
        : "r"(argument)
        : "memory");
#endif
}
inline void print(const char* name, std::uint32_t value)
{
    char digits[12];
    char* text = digits + 11;
    *text = '\0';
    do {
        *--text = static_cast<char>('0' + value % 10);
        value /= 10;
    } while (value != 0);
    print(name);
    print(" ");
    print(text);
    print("\n");
}

}  // namespace firmware
