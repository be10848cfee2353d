/* SPDX-License-Identifier: MIT */
/* The two sides of a case beside each other: what differs that may not, and a report of it. */
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "cpu/disasm.h"
#include "cpu/fault.h"
#include "cpu/x87.h"
#include "tests/isa/oracle.h"

static const char *const reg_name[8] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};

/** The flags in which results may differ by the manual are left out of the comparison. */
static u32 compared_flags(const struct oracle_case *c, const struct insn *in, bool undefined)
{
    return undefined ? IMAGE_FLAGS : IMAGE_FLAGS & ~oracle_undefined_flags(c, in);
}

static bool same_memory(const struct oracle_sides *s)
{
    return memcmp(s->native.data, s->ours.data, ARENA_WINDOW) == 0 &&
           memcmp(s->native.stack, s->ours.stack, ARENA_WINDOW) == 0;
}

/** Take the upper half of the slot that was pushed to from the host. */
static void copy_high_slot(const struct oracle_sides *s, enum oracle_mode mode, u32 esp)
{
    const struct oracle_segment *ss = &oracle_segments[mode][SEG_SS];
    u32 off = (ss->big ? esp : (u16)esp) + ss->base + 2 - ARENA_STACK;

    if (off <= ARENA_WINDOW - 2)
        memcpy(s->ours.stack + off, s->native.stack + off, 2);
}

/** What the x87 and SSE units show, by the rules. */
static bool same_fpu(const struct oracle_sides *s, const struct oracle_case *c,
                     const struct insn *in, const struct oracle_result *n,
                     const struct oracle_result *o, u32 rules)
{
    const u32 operand = oracle_operand(c, in), size = oracle_fpu_operand_size(c->row);
    u8 *from = oracle_bytes(&s->native, operand, size);
    u8 *to = oracle_bytes(&s->ours, operand, size);

    if (rules & RULE_POINTERS && !n->fault && from && to)
        oracle_copy_pointers(c, in, to, from);
    if (!n->fault && !in->mem)
        rules &= ~(u32)RULE_ENTRY;
    return !oracle_fpu_difference(n->fx, o->fx, rules);
}

/** Is the MXCSR that the instruction loads one of which makers think differently? */
static bool loads_mm_bit(const struct oracle_sides *s, const struct oracle_case *c,
                         const struct insn *in)
{
    enum { FX_MXCSR = 24, MXCSR_MM = BIT(17) };
    u32 at = oracle_operand(c, in) + (c->row == INSN_FXRSTOR ? FX_MXCSR : 0);
    const u8 *bytes = oracle_bytes(&s->before, at, 4);

    return bytes && load32(bytes) & MXCSR_MM;
}

bool oracle_same(const struct oracle_sides *s, const struct oracle_case *c, const struct insn *in,
                 const struct oracle_result *n, const struct oracle_result *o, bool undefined)
{
    u32 rules = undefined ? 0 : oracle_rules(c, in);
    bool exit_page = o->fault && o->vector == VEC_PF && (o->cr2 & ~0xfffu) == ARENA_EXIT;
    u32 flags = n->fault ? IMAGE_FLAGS : compared_flags(c, in, undefined);

    if (exit_page) /* the host's way back is there, and may be read: it says nothing */
        return true;
    if (rules & RULE_WAIT && in->mem && load16(c->fx + 2) & X87_SW_ES)
        return true;
    if (rules & RULE_MXCSR && loads_mm_bit(s, c, in))
        return true;
    if (n->fault != o->fault || n->regs.eip != o->regs.eip)
        return false;
    if (n->fault && !(rules & RULE_ORDER) &&
        (n->vector != o->vector || n->error != o->error || n->cr2 != o->cr2))
        return false;
    if (rules & RULE_COMI && load16(o->fx + 2) & X87_SW_ES)
        flags &= ~(u32)FL_OSZAPC;
    if ((n->regs.eflags ^ o->regs.eflags) & flags)
        return false;
    if (c->fpu && !same_fpu(s, c, in, n, o, rules))
        return false;
    for (unsigned seg = 0; seg < SEG__COUNT; seg++) {
        /* A return from the kernel clears the RPL of null selectors [SDM 2A, IRET]. */
        bool null = n->selector[seg] < 4 && o->selector[seg] < 4;
        if (!null && n->selector[seg] != o->selector[seg])
            return false;
    }
    if (n->fault ? rules & RULE_PARTIAL : rules & RULE_RESULT)
        return true;
    if (rules & RULE_HIGH_SLOT && !n->fault)
        copy_high_slot(s, c->mode, n->regs.gpr[REG_SP]);
    return memcmp(n->regs.gpr, o->regs.gpr, sizeof(n->regs.gpr)) == 0 && same_memory(s);
}

void oracle_print_regs(const char *what, const struct oracle_regs *regs)
{
    static const char letters[] = "C.P.A.ZSTIDO";

    printf("  %-7s", what);
    for (unsigned i = 0; i < 8; i++)
        printf(" %s %08x", reg_name[i], regs->gpr[i]);
    printf(" eip %08x ", regs->eip);
    for (unsigned i = 12; i-- > 0;)
        if (letters[i] != '.')
            putchar(regs->eflags >> i & 1 ? letters[i] : '-');
    putchar('\n');
}

/** All of @fx, or what of it is not as in @same. */
static void print_fpu(const u8 *fx, const u8 *same)
{
    printf("          control %04x status %04x tags %02x mxcsr %04x\n", load16(fx), load16(fx + 2),
           fx[4], load32(fx + 24));
    for (unsigned i = 0; i < 16; i++) {
        const u8 *r = fx + 32 + 16 * i;
        if (!same || memcmp(r, same + 32 + 16 * i, 16) != 0)
            printf("          %s%u %016llx:%016llx\n", i < 8 ? "st" : "xmm", i & 7,
                   (unsigned long long)load64(r + 8), (unsigned long long)load64(r));
    }
}

static void print_result(const char *what, const struct oracle_result *r)
{
    oracle_print_regs(what, &r->regs);
    printf("          es %04x cs %04x ss %04x ds %04x fs %04x gs %04x\n", r->selector[SEG_ES],
           r->selector[SEG_CS], r->selector[SEG_SS], r->selector[SEG_DS], r->selector[SEG_FS],
           r->selector[SEG_GS]);
    if (r->fault)
        printf("          fault %u, error %x, cr2 %08x\n", r->vector, r->error, r->cr2);
}

static void print_memory(u32 base, const u8 *before, const u8 *native, const u8 *ours)
{
    for (u32 i = 0; i < ARENA_WINDOW; i++)
        if (native[i] != ours[i] || before[i] != native[i])
            printf("    [%08x] before %02x native %02x ours %02x%s\n", base + i, before[i],
                   native[i], ours[i], native[i] == ours[i] ? "" : "  <--");
}

void oracle_report(const struct oracle_sides *s, const struct oracle_case *c, const struct insn *in,
                   const struct oracle_result *n, const struct oracle_result *o)
{
    char text[128];

    disasm(in, c->in.eip, text, sizeof(text));
    printf("%s: %s\n  bytes  ", insn_def[c->row].id, text);
    for (unsigned i = 0; i < c->len; i++)
        printf(" %02x", c->bytes[i]);
    putchar('\n');
    oracle_print_regs("in", &c->in);
    print_result("native", n);
    print_result("ours", o);
    if ((n->regs.eflags ^ o->regs.eflags) & IMAGE_FLAGS)
        printf("    flags differ in %03x, undefined are %03x\n",
               (n->regs.eflags ^ o->regs.eflags) & IMAGE_FLAGS, oracle_undefined_flags(c, in));
    if (c->fpu) {
        const char *what = oracle_fpu_difference(n->fx, o->fx, oracle_rules(c, in));
        printf("    %s: in, native, ours\n", what ? what : "no difference of x87 or SSE");
        print_fpu(c->fx, NULL);
        print_fpu(n->fx, c->fx);
        print_fpu(o->fx, n->fx);
    }
    print_memory(ARENA_DATA, s->before.data, s->native.data, s->ours.data);
    print_memory(ARENA_STACK, s->before.stack, s->native.stack, s->ours.stack);
}
