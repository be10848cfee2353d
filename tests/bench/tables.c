/* SPDX-License-Identifier: MIT */
/* GDT, IDT, TSS [SDM 3A §3.4.5, §6.11, §7.2.1]; the selectors are in bench.inc. */
#include "kernel.h"

enum { CPUID_FXSR = 1 << 24, CPUID_SSE = 1 << 25 };
enum { CR0_MP = 1 << 1, CR0_EM = 1 << 2, CR0_TS = 1 << 3, CR0_NE = 1 << 5 };
enum { CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10 };
enum { MSR_SYSENTER_CS = 0x174, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP };
enum { SEL_CODE = 0x08, SEL_DATA = 0x10, SEL_TSS = 0x28 };

/* From the assembly files. */
extern u8 trap_stack_top[], seg16_code[], seg16_data[], windows[];
extern void (*const vector_stubs[32])(void);
void int80_entry(void);
void sysenter_entry(void);

struct table_pointer {
    u16 limit;
    u32 base;
} __attribute__((packed));

static u64 gdt[10];
static u64 idt[0x81];
static u32 tss[26];

enum {
    ACCESS_CODE = 0x9a,
    ACCESS_DATA = 0x92,
    ACCESS_TSS = 0x89,
    ACCESS_RING3 = 0x60,
    FLAGS_FLAT = 0xc, /* 4 KiB granularity, 32-bit */
    FLAGS_32 = 0x4,
    FLAGS_16 = 0x0,
};

static u64 descriptor(u32 base, u32 limit, u32 access, u32 flags)
{
    u32 low = (limit & 0xffff) | base << 16;
    u32 high =
        (base >> 16 & 0xff) | access << 8 | (limit & 0xf0000) | flags << 20 | (base & 0xff000000);
    return low | (u64)high << 32;
}

static u64 interrupt_gate(void (*entry)(void), u32 dpl)
{
    u32 at = (u32)entry;
    return (SEL_CODE << 16 | (at & 0xffff)) | (u64)((at & 0xffff0000) | 0x8e00 | dpl << 13) << 32;
}

static void gdt_init(void)
{
    gdt[1] = descriptor(0, 0xfffff, ACCESS_CODE, FLAGS_FLAT);
    gdt[2] = descriptor(0, 0xfffff, ACCESS_DATA, FLAGS_FLAT);
    gdt[3] = descriptor(0, 0xfffff, ACCESS_CODE | ACCESS_RING3, FLAGS_FLAT);
    gdt[4] = descriptor(0, 0xfffff, ACCESS_DATA | ACCESS_RING3, FLAGS_FLAT);
    gdt[5] = descriptor((u32)tss, sizeof tss - 1, ACCESS_TSS, FLAGS_16);
    gdt[6] = descriptor((u32)seg16_code, 0xffff, ACCESS_CODE, FLAGS_16);
    gdt[7] = descriptor((u32)seg16_data, 0xffff, ACCESS_DATA, FLAGS_16);
    gdt[8] = descriptor((u32)windows, 0xfff, ACCESS_DATA, FLAGS_32);
    gdt[9] = descriptor((u32)windows + PAGE, 0xfff, ACCESS_DATA, FLAGS_32);
    struct table_pointer p = {sizeof gdt - 1, (u32)gdt};
    __asm__ volatile("lgdt %0\n\t"
                     "ljmp %1, $1f\n"
                     "1:\tmov %2, %%ds\n\t"
                     "mov %2, %%es\n\t"
                     "mov %2, %%ss\n\t"
                     "mov %3, %%fs\n\t"
                     "mov %3, %%gs\n\t"
                     "ltr %w4"
                     :
                     : "m"(p), "i"(SEL_CODE), "r"(SEL_DATA), "r"(0), "r"(SEL_TSS)
                     : "memory");
}

static void idt_init(void)
{
    for (u32 i = 0; i < 32; i++)
        idt[i] = interrupt_gate(vector_stubs[i], 0);
    idt[0x80] = interrupt_gate(int80_entry, 3);
    struct table_pointer p = {sizeof idt - 1, (u32)idt};
    __asm__ volatile("lidt %0" : : "m"(p) : "memory");
}

static void msr_write(u32 msr, u32 value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"(value), "d"(0));
}

static void fpu_init(u32 features)
{
    u32 cr0, cr4;
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    cr0 = (cr0 & ~(u32)(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE;
    __asm__ volatile("mov %0, %%cr0; fninit" : : "r"(cr0));
    if (features & CPUID_FXSR) {
        __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
        cr4 |= CR4_OSFXSR | (features & CPUID_SSE ? CR4_OSXMMEXCPT : 0);
        __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
    }
}

void tables_init(u32 features)
{
    tss[1] = (u32)trap_stack_top; /* ESP0 */
    tss[2] = SEL_DATA;            /* SS0 */
    tss[25] = sizeof tss << 16;   /* no I/O map: it would begin behind the limit */
    gdt_init();
    idt_init();
    if (features & NEEDS_FPU)
        fpu_init(features);
    if (features & NEEDS_SEP) {
        msr_write(MSR_SYSENTER_CS, SEL_CODE);
        msr_write(MSR_SYSENTER_ESP, (u32)trap_stack_top);
        msr_write(MSR_SYSENTER_EIP, (u32)sysenter_entry);
    }
}
