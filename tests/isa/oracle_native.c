/* SPDX-License-Identifier: MIT */
/*
 * One instruction on the host's processor, in a 32-bit or 16-bit code segment. Two ways there:
 *
 * The kernel does the switching: a signal handler replaces the register set in its frame by that
 * of the case, with the selectors of its segments, and returns into the instruction. TF or INT3
 * stops it after one instruction, an exception before; either is a signal, whose handler runs as
 * 64-bit code again, copies the registers out, and puts the first frame's register set back.
 *
 * Twenty times faster, for instructions in flat segments that go straight on: far jumps in and out.
 */
#if defined(__linux__) && defined(__x86_64__)

#define _GNU_SOURCE
#include <asm/ldt.h>
#include <cpuid.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/bits.h"
#include "cpu/isa.h"
#include "tests/isa/oracle.h"

enum { PAGE = 4096, SIGNAL_STACK = 64 * 1024, TRAP_SINGLE_STEP = 1, TRAP_INT3 = 3, TRAP_PF = 14 };
/* Of 64-bit code; bit 1 of EFLAGS. */
enum { HOST_CS = 0x33, HOST_SS = 0x2b, FL_RESERVED = 2 };

/* Far jumps in and out; the data below is theirs. RESUME is the way back after a signal. */
extern u32 native_regs[8];
extern u64 native_flags, native_host_rsp;
extern u8 native_target[6]; /* offset, selector */
u32 native_regs[8];
u64 native_flags, native_host_rsp;
u8 native_target[6];
/* Loaded before, stored after, if native_uses_fx. */
extern u8 native_fx[512];
extern u32 native_uses_fx, native_ss, native_mxcsr;
_Alignas(16) u8 native_fx[512];
u32 native_uses_fx, native_ss, native_mxcsr = 0x1f80;
extern void native_enter(void);
extern const u8 native_leave[], native_resume[];

// clang-format off
__asm__(".text\n"
        "native_enter:\n"
        "    pushq %rbx\n    pushq %rbp\n"
        "    pushq %r12\n    pushq %r13\n    pushq %r14\n    pushq %r15\n"
        "    movq %rsp, native_host_rsp(%rip)\n"
        "    cmpl $0, native_uses_fx(%rip)\n"
        "    je 1f\n"
        "    fxrstor native_fx(%rip)\n"
        "1:\n"
        "    pushq native_flags(%rip)\n"
        "    popfq\n"
        "    movl native_ss(%rip), %eax\n"
        "    movl %eax, %ss\n"
        "    movl native_regs(%rip), %eax\n"
        "    movl native_regs+4(%rip), %ecx\n"
        "    movl native_regs+8(%rip), %edx\n"
        "    movl native_regs+12(%rip), %ebx\n"
        "    movl native_regs+16(%rip), %esp\n"
        "    movl native_regs+20(%rip), %ebp\n"
        "    movl native_regs+24(%rip), %esi\n"
        "    movl native_regs+28(%rip), %edi\n"
        "    ljmpl *native_target(%rip)\n"
        "native_leave:\n"
        "    movl %eax, native_regs(%rip)\n"
        "    movl %ecx, native_regs+4(%rip)\n"
        "    movl %edx, native_regs+8(%rip)\n"
        "    movl %ebx, native_regs+12(%rip)\n"
        "    movl %esp, native_regs+16(%rip)\n"
        "    movl %ebp, native_regs+20(%rip)\n"
        "    movl %esi, native_regs+24(%rip)\n"
        "    movl %edi, native_regs+28(%rip)\n"
        "    movq native_host_rsp(%rip), %rsp\n"
        "    pushfq\n"
        "    popq native_flags(%rip)\n"
        "    movl $0x2b, %eax\n"
        "    movl %eax, %ss\n"
        "    cmpl $0, native_uses_fx(%rip)\n"
        "    je native_resume\n"
        "    fxsave native_fx(%rip)\n"
        "    fninit\n"
        "    ldmxcsr native_mxcsr(%rip)\n"
        "native_resume:\n"
        "    cld\n"
        "    popq %r15\n    popq %r14\n    popq %r13\n    popq %r12\n"
        "    popq %rbp\n    popq %rbx\n"
        "    ret\n");
// clang-format on

/* A handler has no argument of ours. */
static struct {
    const struct oracle_case *c;
    struct oracle_result *out;
    gregset_t home; /* the 64-bit side's registers */
    unsigned steps;
    bool away;
    struct sigaction old[NSIG];
    stack_t old_stack;
    u8 stack[SIGNAL_STACK];
    u8 *arena;
} native;

static const int native_signals[] = {SIGUSR1, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
static const int native_greg[8] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX,
                                   REG_RSP, REG_RBP, REG_RSI, REG_RDI};

/* The part of a signal frame's state that is not the kernel's. */
enum { FRAME_FX = 416, FX_TAGS = 4, FX_MXCSR = 24, FX_MXCSR_MASK = 28 };

/* The frame gets the case's state, or returns it and gets that of C code. */
static void put_fpu(const ucontext_t *uc)
{
    u8 *fx = (u8 *)uc->uc_mcontext.fpregs;
    u32 mask = load32(fx + FX_MXCSR_MASK);

    if (!native.c->fpu)
        return;
    memcpy(fx, native.c->fx, FRAME_FX);
    store32(fx + FX_MXCSR_MASK, mask);
}

static void get_fpu(const ucontext_t *uc)
{
    u8 *fx = (u8 *)uc->uc_mcontext.fpregs;

    if (!native.c->fpu)
        return;
    memcpy(native.out->fx, fx, FRAME_FX);
    store32(fx, 0x37f); /* and status */
    fx[FX_TAGS] = 0;
    store32(fx + FX_MXCSR, native_mxcsr);
}

static void depart(ucontext_t *uc)
{
    greg_t *g = uc->uc_mcontext.gregs;
    const struct oracle_regs *in = &native.c->in;

    memcpy(native.home, g, sizeof(native.home));
    for (unsigned i = 0; i < 8; i++)
        g[native_greg[i]] = in->gpr[i];
    g[REG_RIP] = in->eip;
    g[REG_EFL] = in->eflags | (native.c->stop == STOP_TRAP ? FL_T : 0);
    const struct oracle_segment *seg = oracle_segments[native.c->mode];
    g[REG_CSGSFS] = (greg_t)((u64)seg[SEG_SS].selector << 48 | seg[SEG_CS].selector);
    put_fpu(uc);
    native.steps = 0;
    native.away = true;
}

static void store_data_selectors(u16 *selector)
{
    u32 ds, es, gs;

    __asm__ volatile("movl %%ds, %0\n\tmovl %%es, %1\n\tmovl %%gs, %2"
                     : "=r"(ds), "=r"(es), "=r"(gs));
    selector[SEG_DS] = (u16)ds;
    selector[SEG_ES] = (u16)es;
    selector[SEG_GS] = (u16)gs;
}

static void arrive(ucontext_t *uc)
{
    greg_t *g = uc->uc_mcontext.gregs;
    struct oracle_result *out = native.out;
    unsigned vector = (unsigned)g[REG_TRAPNO];

    if (vector == TRAP_SINGLE_STEP && native.c->rep && g[REG_RIP] == native.c->in.eip &&
        ++native.steps < ORACLE_MAX_STEPS)
        return; /* the trap comes after every iteration */
    for (unsigned i = 0; i < 8; i++)
        out->regs.gpr[i] = (u32)g[native_greg[i]];
    out->regs.eip = (u32)g[REG_RIP];
    out->regs.eflags = (u32)g[REG_EFL];
    out->vector = (u8)vector;
    out->fault = vector != TRAP_SINGLE_STEP;
    if (vector == TRAP_INT3 && native.c->stop == STOP_INT3) {
        out->fault = false;
        out->regs.eip--;
    }
    out->error = oracle_has_error(vector) ? (u32)g[REG_ERR] : 0;
    out->selector[SEG_CS] = (u16)g[REG_CSGSFS];
    out->selector[SEG_SS] = (u16)((u64)g[REG_CSGSFS] >> 48);
    store_data_selectors(out->selector);
    out->cr2 = vector == TRAP_PF ? (u32)g[REG_CR2] : 0;
    get_fpu(uc);
    native.away = false;
    if (native.c->stop != STOP_JUMP) {
        memcpy(g, native.home, sizeof(native.home));
        return;
    }
    g[REG_RIP] = (greg_t)(uintptr_t)native_resume;
    g[REG_RSP] = (greg_t)native_host_rsp;
    g[REG_EFL] = FL_I | FL_RESERVED;
    g[REG_CSGSFS] = (greg_t)((u64)HOST_SS << 48 | HOST_CS);
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
    (void)info;
    if (sig == SIGUSR1 && !native.away) {
        depart(context);
    } else if (native.away) {
        arrive(context);
    } else { /* a fault of the test program itself: as if we had never been here */
        sigaction(sig, &native.old[sig], NULL);
    }
}

/* 64-bit code does not look at these three; FS stays null, it addresses the host's threads. */
static void load_data_segments(enum oracle_mode mode)
{
    const struct oracle_segment *seg = oracle_segments[mode];

    __asm__ volatile("movl %0, %%ds\n\tmovl %1, %%es\n\tmovl %2, %%gs"
                     :
                     : "r"((u32)seg[SEG_DS].selector), "r"((u32)seg[SEG_ES].selector),
                       "r"((u32)seg[SEG_GS].selector));
}

/* Behind the instruction, a far jump to ARENA_EXIT. A fault comes back through the handler. */
static void run_by_jumps(const struct oracle_case *c, u32 code, struct oracle_result *out)
{
    const struct oracle_segment *segments = oracle_segments[c->mode];
    u8 jump[8] = {0x66, 0xea};
    unsigned skip = segments[SEG_CS].big; /* offsets are of 32 bits anyway */

    store32(jump + 2, ARENA_EXIT);
    store16(jump + 6, HOST_CS);
    memcpy((void *)(uintptr_t)(code + c->len), jump + skip, sizeof(jump) - skip);
    native_ss = segments[SEG_SS].selector;
    native_uses_fx = c->fpu;
    if (c->fpu)
        memcpy(native_fx, c->fx, sizeof(native_fx));
    store32(native_target, c->in.eip);
    store16(native_target + 4, oracle_segments[c->mode][SEG_CS].selector);
    memcpy(native_regs, c->in.gpr, sizeof(native_regs));
    native_flags = c->in.eflags;
    native.away = true;
    native_enter();
    if (!native.away) /* the handler was here */
        return;
    native.away = false;
    memcpy(out->regs.gpr, native_regs, sizeof(native_regs));
    out->regs.eip = c->in.eip + c->len;
    out->regs.eflags = (u32)native_flags;
    if (c->fpu)
        memcpy(out->fx, native_fx, sizeof(native_fx));
    for (unsigned seg = 0; seg < SEG__COUNT; seg++)
        out->selector[seg] = oracle_segments[c->mode][seg].selector;
}

void native_run(const struct oracle_case *c, struct oracle_result *out)
{
    u32 code = oracle_segments[c->mode][SEG_CS].base + c->in.eip;

    memset((void *)(uintptr_t)ARENA_CODE, 0xcc, PAGE); /* the last case may have written there */
    memcpy((void *)(uintptr_t)code, c->bytes, c->len);
    memset(out, 0, sizeof(*out));
    native.c = c;
    native.out = out;
    load_data_segments(c->mode);
    if (c->stop == STOP_JUMP)
        run_by_jumps(c, code, out);
    else
        raise(SIGUSR1);
}

bool native_has(enum cpu_feature feat)
{
    /* Leaf 1: ECX, EDX [SDM 2A CPUID]. */
    static const struct {
        u8 feat, edx, bit;
    } bits[] = {{FEAT_MMX, 1, 23},   {FEAT_FXSR, 1, 24},   {FEAT_SSE, 1, 25},   {FEAT_SSE2, 1, 26},
                {FEAT_CLFSH, 1, 19}, {FEAT_SSE3, 0, 0},    {FEAT_SSSE3, 0, 9},  {FEAT_SSE41, 0, 19},
                {FEAT_SSE42, 0, 20}, {FEAT_POPCNT, 0, 23}, {FEAT_MOVBE, 0, 22}, {FEAT_AES, 0, 25},
                {FEAT_PCLMUL, 0, 1}};
    unsigned a, b, c, d;

    for (size_t i = 0; i < ARRAY_LEN(bits); i++)
        if (bits[i].feat == feat)
            return __get_cpuid(1, &a, &b, &c, &d) && (bits[i].edx ? d : c) >> bits[i].bit & 1;
    return true;
}

static bool map_arena(void)
{
    void *want = (void *)(uintptr_t)ARENA_BASE;

    native.arena =
        mmap(want, ARENA_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    return native.arena == want && mprotect(want, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0 &&
           mprotect((void *)(uintptr_t)ARENA_EXIT, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0 &&
           mprotect((void *)(uintptr_t)ARENA_DATA, ARENA_WINDOW, PROT_READ | PROT_WRITE) == 0 &&
           mprotect((void *)(uintptr_t)ARENA_STACK, ARENA_WINDOW, PROT_READ | PROT_WRITE) == 0;
}

/* 64-bit code: jmp *0(%rip), and where to. */
static bool make_exit(void)
{
    static const u8 jmp[] = {0xff, 0x25, 0, 0, 0, 0};
    u8 *at = (u8 *)(uintptr_t)ARENA_EXIT;

    memcpy(at, jmp, sizeof(jmp));
    store64(at + sizeof(jmp), (u64)(uintptr_t)native_leave);
    return mprotect(at, PAGE, PROT_READ | PROT_EXEC) == 0; /* cases may get at it */
}

static void install_handlers(void)
{
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t ss = {.ss_sp = native.stack, .ss_size = sizeof(native.stack)};

    sigaltstack(&ss, &native.old_stack);
    for (size_t i = 0; i < sizeof(native_signals) / sizeof(native_signals[0]); i++)
        sigaction(native_signals[i], &sa, &native.old[native_signals[i]]);
}

/* A NOP must come back as one single step of code in that segment. */
static bool works(enum oracle_mode mode)
{
    struct oracle_case c = {.mode = mode, .bytes = {0x90}, .len = 1, .stop = STOP_TRAP};
    struct oracle_result out;

    c.in.eip = ARENA_CODE + 0x100 - oracle_segments[mode][SEG_CS].base;
    c.in.eflags = FL_I | 2;
    c.in.gpr[REG_AX] = c.in.gpr[REG_SP] = 0x12345678;
    native_run(&c, &out);
    return !out.fault && out.regs.eip == c.in.eip + 1 && out.regs.gpr[REG_AX] == 0x12345678 &&
           out.regs.gpr[REG_SP] == 0x12345678;
}

const char *native_open(struct oracle_memory *mem)
{
    if (!map_arena())
        return "the addresses of the arena are taken";
    memset(native.arena, 0xcc, PAGE);
    install_handlers();
    if (!make_exit())
        return "no page can be made executable";
    mem->data = (u8 *)(uintptr_t)ARENA_DATA;
    mem->stack = (u8 *)(uintptr_t)ARENA_STACK;
    return NULL;
}

/* An entry of the LDT. False: the kernel refuses. Those of the GDT are there already. */
static bool make_segment(const struct oracle_segment *seg)
{
    enum { CONTENTS_DATA, CONTENTS_DOWN, CONTENTS_CODE, TI = 4, MAX_BYTE_LIMIT = 0xfffff };
    static const u8 contents[] = {
        [ORACLE_DATA] = CONTENTS_DATA,        [ORACLE_DATA_DOWN] = CONTENTS_DOWN,
        [ORACLE_CODE] = CONTENTS_CODE,        [ORACLE_DATA_RO] = CONTENTS_DATA,
        [ORACLE_CODE_XO] = CONTENTS_CODE,     [ORACLE_DATA_ABSENT] = CONTENTS_DATA,
        [ORACLE_CODE_ABSENT] = CONTENTS_CODE,
    };
    struct user_desc d = {
        .entry_number = seg->selector >> 3,
        .base_addr = seg->base,
        .limit = seg->limit > MAX_BYTE_LIMIT ? seg->limit >> 12 : seg->limit,
        .limit_in_pages = seg->limit > MAX_BYTE_LIMIT,
        .seg_32bit = seg->big,
        .contents = contents[seg->kind],
        .read_exec_only = seg->kind == ORACLE_DATA_RO || seg->kind == ORACLE_CODE_XO,
        .seg_not_present = seg->kind == ORACLE_DATA_ABSENT || seg->kind == ORACLE_CODE_ABSENT,
        .useable = 1,
    };

    return !(seg->selector & TI) || syscall(SYS_modify_ldt, 1, &d, sizeof(d)) == 0;
}

/* Those of another mode go: an entry like this one is none. */
static bool clear_segment(unsigned entry)
{
    struct user_desc d = {.entry_number = entry, .read_exec_only = 1, .seg_not_present = 1};

    return syscall(SYS_modify_ldt, 1, &d, sizeof(d)) == 0;
}

const char *native_enable(enum oracle_mode mode)
{
    bool ok = true;

    for (unsigned i = 0; i < ORACLE_LDT_ENTRIES; i++)
        ok = ok && clear_segment(i);
    for (unsigned i = 0; i < SEG__COUNT; i++)
        ok = ok && make_segment(&oracle_segments[mode][i]);
    for (unsigned i = 0; i < ORACLE_OTHERS; i++)
        ok = ok && make_segment(&oracle_others[i]);
    if (!ok)
        return "the kernel has no modify_ldt";
    return works(mode) ? NULL : "the kernel does not run such code segments";
}

void native_close(void)
{
    for (size_t i = 0; i < sizeof(native_signals) / sizeof(native_signals[0]); i++)
        sigaction(native_signals[i], &native.old[native_signals[i]], NULL);
    sigaltstack(&native.old_stack, NULL);
    munmap(native.arena, ARENA_SIZE);
}

#else

#include "tests/isa/oracle.h"

const char *native_open(struct oracle_memory *mem)
{
    (void)mem;
    return "the host is not x86-64 Linux";
}

const char *native_enable(enum oracle_mode mode)
{
    (void)mode;
    return "the host is not x86-64 Linux";
}

bool native_has(enum cpu_feature feat)
{
    (void)feat;
    return false;
}

void native_run(const struct oracle_case *c, struct oracle_result *out)
{
    (void)c;
    (void)out;
}

void native_close(void)
{
}

#endif
