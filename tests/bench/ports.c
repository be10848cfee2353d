/* SPDX-License-Identifier: MIT */
/* Workloads in C: ports, and the interrupt flag. */
#include "kernel.h"

enum { CONSOLE = 0xe9, POST = 0x80, PIC1_MASK = 0x21, PIC2_MASK = 0xa1, CMOS = 0x70 };
enum { CMOS_SPARE = 0x40 }; /* a byte of the clock chip's RAM that no firmware here uses */

u32 w_ports(u32 n)
{
    u32 sum = 0;
    for (; n; n--) {
        outb(POST, (u8)n);
        (void)inb(POST);                 /* boards differ in what they answer */
        sum = fold(sum, inb(CONSOLE));   /* E9h: there is a debug port */
        outb(PIC2_MASK, (u8)(n | 0x80)); /* IF is clear, so nothing comes of it */
        sum = fold(sum, inb(PIC2_MASK));
        sum = fold(sum, inb(PIC1_MASK));
        if (n % 4 == 0) {
            outb(CMOS, CMOS_SPARE);
            outb(CMOS + 1, (u8)sum);
            outb(CMOS, CMOS_SPARE);
            sum += inb(CMOS + 1);
        }
        if (n % 64 == 0)
            outb(CONSOLE, '\n'); /* an empty line, which the reader skips */
    }
    outb(PIC2_MASK, 0xff);
    return sum;
}

static u32 flags_save_and_cli(void)
{
    u32 flags;
    __asm__ volatile("pushfl; popl %0; cli" : "=r"(flags) : : "memory");
    return flags;
}

static void flags_restore(u32 flags)
{
    __asm__ volatile("pushl %0; popfl" : : "r"(flags) : "memory", "cc");
}

u32 w_clisti(u32 n)
{
    enum { IF = 1 << 9 };
    u32 sum = 0;
    u32 volatile shared = 0;
    for (; n; n--) {
        if (n & 1)
            __asm__ volatile("sti" : : : "memory");
        u32 flags = flags_save_and_cli();
        shared = shared + n;
        u32 inner = flags_save_and_cli();
        shared = shared ^ (inner & IF);
        flags_restore(inner);
        flags_restore(flags);
        sum = fold(sum, shared + (flags & IF));
        __asm__ volatile("cli" : : : "memory");
    }
    return sum;
}
