/* SPDX-License-Identifier: MIT */
/*
 * The bench kernel's main program: a multiboot image [MULTIBOOT] that runs the workloads named on
 * its command line, "only=NAME,NAME scale=N", and says through port E9h
 *
 *     @B name              it begins
 *     @E name checksum     it has ended
 *     @S name              it is left out: the CPU lacks what it needs
 *     @F text              the kernel has failed
 *     @D                   all are done
 *
 * Whoever reads that port takes the times. It ends through port F4h: 10h, or 11h for a failure.
 */
#include "kernel.h"

enum { EXIT_PORT = 0xf4, EXIT_DONE = 0x10, EXIT_FAILED = 0x11, CONSOLE_PORT = 0xe9 };
enum { MULTIBOOT_BOOTED = 0x2badb002, MULTIBOOT_HAS_CMDLINE = 1 << 2 };

struct multiboot_info {
    u32 flags, mem_lower, mem_upper, boot_device, cmdline;
};

static const struct workload {
    const char *name;
    u32 (*run)(u32 n);
    u32 count, needs;
} workloads[] = {
#define WORKLOAD(name, count, needs, about) {#name, w_##name, count, needs},
#include "workloads.def"
#undef WORKLOAD
};

void say(const char *text)
{
    for (; *text; text++)
        outb(CONSOLE_PORT, (u8)*text);
}

static void say_hex(u32 value)
{
    for (int shift = 28; shift >= 0; shift -= 4)
        outb(CONSOLE_PORT, (u8) "0123456789abcdef"[value >> shift & 15]);
}

static void leave(u8 value)
{
    outb(EXIT_PORT, value);
    for (;;)
        __asm__ volatile("cli; hlt");
}

/* From entry.asm, for vectors 0 to 31. Returning restarts what faulted. */
void kernel_fault(struct frame *f);

enum { VECTOR_GP = 13, VECTOR_PF = 14, EFLAGS_VM = 1 << 17, OUT_IMM8_AL = 0xe6 };

/* The monitor of V86 code: an OUT to a port that the task may not use is skipped. */
static bool emulate_v86(struct frame *f)
{
    const u8 *code = (const u8 *)((f->cs << 4) + f->eip);
    if (*code != OUT_IMM8_AL)
        return false;
    f->eip += 2;
    f->ebx += f->eax & 0xff; /* the "device" */
    return true;
}

void kernel_fault(struct frame *f)
{
    u32 cr2;
    __asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
    if (f->vector == VECTOR_PF && paging_fault(cr2))
        return;
    if (f->vector == VECTOR_GP && (f->eflags & EFLAGS_VM) && emulate_v86(f))
        return;
    say("@F vector ");
    say_hex(f->vector);
    say(" error ");
    say_hex(f->error);
    say(" eip ");
    say_hex(f->eip);
    say(" cr2 ");
    say_hex(cr2);
    say("\n");
    leave(EXIT_FAILED);
}

/* If @text begins with @start, what follows; else NULL. */
static const char *after(const char *text, const char *start)
{
    for (; *start; text++, start++) {
        if (*text != *start)
            return NULL;
    }
    return text;
}

/* The text behind the last @key of the command line, or NULL. */
static const char *argument(const char *line, const char *key)
{
    const char *found = NULL;
    for (bool start = true; *line; line++) {
        const char *value = start ? after(line, key) : NULL;
        if (value)
            found = value;
        start = *line == ' ';
    }
    return found;
}

/* Is @name in the comma-separated @list, which ends at a space or a zero? No list has all. */
static bool listed(const char *list, const char *name)
{
    while (list) {
        const char *rest = after(list, name);
        if (rest && (*rest == ',' || *rest == ' ' || *rest == 0))
            return true;
        while (*list && *list != ',' && *list != ' ')
            list++;
        if (*list++ != ',')
            return false;
    }
    return true;
}

static u32 number(const char *text)
{
    u32 n = 0;
    for (; text && *text >= '0' && *text <= '9'; text++)
        n = n * 10 + (u32)(*text - '0');
    return n;
}

static void run(const struct workload *w, u32 scale, u32 features)
{
    if ((features & w->needs) != w->needs) {
        say("@S ");
        say(w->name);
        say("\n");
        return;
    }
    say("@B ");
    say(w->name);
    say("\n");
    u32 sum = w->run(w->count * scale);
    say("@E ");
    say(w->name);
    say(" ");
    say_hex(sum);
    say("\n");
}

static u32 cpu_features(void)
{
    u32 a = 1, b, c, d;
    __asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    return d;
}

/* From entry.asm, with what the loader left in EAX and EBX. */
void kernel_main(u32 magic, const struct multiboot_info *info);

void kernel_main(u32 magic, const struct multiboot_info *info)
{
    static char line[1024]; /* the loader's copy may lie where a workload writes */
    if (magic == MULTIBOOT_BOOTED && (info->flags & MULTIBOOT_HAS_CMDLINE)) {
        const char *given = (const char *)info->cmdline;
        for (size_t i = 0; i < sizeof line - 1 && given[i]; i++)
            line[i] = given[i];
    }
    outb(0x21, 0xff); /* no interrupts, whatever IF says */
    outb(0xa1, 0xff);
    u32 features = cpu_features();
    tables_init(features);
    paging_init();
    u32 scale = number(argument(line, "scale="));
    const char *only = argument(line, "only=");
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++) {
        if (listed(only, workloads[i].name))
            run(&workloads[i], scale ? scale : 100, features);
    }
    say("@D\n");
    leave(EXIT_DONE);
}
