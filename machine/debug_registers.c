/* SPDX-License-Identifier: MIT */
/* The registers as gdb counts and calls them: its i386 features, and one of ours for the system's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "cpu/flags.h"
#include "cpu/segment.h"
#include "machine/board.h"
#include "machine/debug.h"

enum {
    N_GPR = 0,
    N_EIP = 8,
    N_EFLAGS = 9,
    N_SEG = 10,
    N_ST = 16,
    N_FPU = 24,
    N_XMM = 32,
    N_MXCSR = 40,
    N_BASE = 41,
    N_SYSTEM = 47,
    N_END = N_SYSTEM + 10,
};

/* gdb's order of the segment registers. */
static const u8 seg_of[6] = {SEG_CS, SEG_SS, SEG_DS, SEG_ES, SEG_FS, SEG_GS};

struct reg {
    const char *name, *type;
    u8 bits;
    const char *feature; /* the first one of it; NULL: of the same as the one before */
};

// clang-format off
static const struct reg regs[N_END] = {
    {"eax", "int32", 32, "org.gnu.gdb.i386.core"},
    {"ecx", "int32", 32, NULL}, {"edx", "int32", 32, NULL}, {"ebx", "int32", 32, NULL},
    {"esp", "data_ptr", 32, NULL}, {"ebp", "data_ptr", 32, NULL},
    {"esi", "int32", 32, NULL}, {"edi", "int32", 32, NULL},
    {"eip", "code_ptr", 32, NULL}, {"eflags", "i386_eflags", 32, NULL},
    {"cs", "int32", 32, NULL}, {"ss", "int32", 32, NULL}, {"ds", "int32", 32, NULL},
    {"es", "int32", 32, NULL}, {"fs", "int32", 32, NULL}, {"gs", "int32", 32, NULL},
    {"st0", "i387_ext", 80, NULL}, {"st1", "i387_ext", 80, NULL}, {"st2", "i387_ext", 80, NULL},
    {"st3", "i387_ext", 80, NULL}, {"st4", "i387_ext", 80, NULL}, {"st5", "i387_ext", 80, NULL},
    {"st6", "i387_ext", 80, NULL}, {"st7", "i387_ext", 80, NULL},
    {"fctrl", "int32", 32, NULL}, {"fstat", "int32", 32, NULL}, {"ftag", "int32", 32, NULL},
    {"fiseg", "int32", 32, NULL}, {"fioff", "int32", 32, NULL}, {"foseg", "int32", 32, NULL},
    {"fooff", "int32", 32, NULL}, {"fop", "int32", 32, NULL},
    {"xmm0", "vec128", 128, "org.gnu.gdb.i386.sse"},
    {"xmm1", "vec128", 128, NULL}, {"xmm2", "vec128", 128, NULL}, {"xmm3", "vec128", 128, NULL},
    {"xmm4", "vec128", 128, NULL}, {"xmm5", "vec128", 128, NULL}, {"xmm6", "vec128", 128, NULL},
    {"xmm7", "vec128", 128, NULL}, {"mxcsr", "int32", 32, NULL},
    {"cs_base", "data_ptr", 32, "org.turbo86.system"},
    {"ss_base", "data_ptr", 32, NULL}, {"ds_base", "data_ptr", 32, NULL},
    {"es_base", "data_ptr", 32, NULL}, {"fs_base", "data_ptr", 32, NULL},
    {"gs_base", "data_ptr", 32, NULL}, {"eip_offset", "data_ptr", 32, NULL},
    {"cr0", "int32", 32, NULL}, {"cr2", "data_ptr", 32, NULL}, {"cr3", "int32", 32, NULL},
    {"cr4", "int32", 32, NULL}, {"gdtr_base", "data_ptr", 32, NULL},
    {"idtr_base", "data_ptr", 32, NULL}, {"ldtr", "int32", 32, NULL}, {"tr", "int32", 32, NULL},
    {"cpl", "int32", 32, NULL},
};

static const struct {
    const char *name;
    unsigned bit;
} eflags[] = {
    {"CF", 0}, {"PF", 2}, {"AF", 4}, {"ZF", 6}, {"SF", 7}, {"TF", 8}, {"IF", 9}, {"DF", 10},
    {"OF", 11}, {"NT", 14}, {"RF", 16}, {"VM", 17}, {"AC", 18}, {"VIF", 19}, {"VIP", 20},
    {"ID", 21},
};
// clang-format on

static const char vec128[] = "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
                             "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
                             "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
                             "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
                             "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>"
                             "<field name=\"v2_double\" type=\"v2d\"/>"
                             "<field name=\"v16_int8\" type=\"v16i8\"/>"
                             "<field name=\"v4_int32\" type=\"v4i32\"/>"
                             "<field name=\"uint128\" type=\"uint128\"/></union>";

static void describe_types(FILE *out, unsigned n)
{
    if (n == N_XMM)
        fprintf(out, "%s", vec128);
    if (n != N_GPR)
        return;
    fprintf(out, "<flags id=\"i386_eflags\" size=\"4\">");
    for (unsigned i = 0; i < ARRAY_LEN(eflags); i++)
        fprintf(out, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>", eflags[i].name, eflags[i].bit,
                eflags[i].bit);
    fprintf(out, "</flags>");
}

char *pc_debug_description(const struct pc *pc)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    fprintf(out,
            "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
            "<target version=\"1.0\"><architecture>%s</architecture>",
            cpu_code32(pc->cpu[0]) ? "i386" : "i8086");
    for (unsigned i = 0; i < N_END; i++) {
        const struct reg *r = &regs[i];
        if (r->feature) {
            fprintf(out, "%s<feature name=\"%s\">", i ? "</feature>" : "", r->feature);
            describe_types(out, i);
        }
        fprintf(out, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"/>", r->name, r->bits, r->type);
    }
    fprintf(out, "</feature></target>");
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

unsigned pc_debug_registers(void)
{
    return N_END;
}

unsigned pc_debug_register_size(unsigned n)
{
    return regs[n].bits / 8u;
}

/* fctrl, fstat, ftag, fiseg, fioff, foseg, fooff, fop. */
static u32 fpu_register(const struct x87_state *x, unsigned n)
{
    const u32 value[8] = {x->control, x87_status_word(x), x87_tag_word(x), x->cs, (u32)x->ip,
                          x->ds,      (u32)x->dp,         x->opcode};

    return value[n];
}

static u32 system_register(const struct cpu *cpu, unsigned n)
{
    const u32 value[10] = {
        (u32)cpu->rip,       (u32)cpu->cr0,
        (u32)cpu->cr2,       (u32)cpu->cr3,
        (u32)cpu->cr4,       (u32)cpu->gdtr.base,
        (u32)cpu->idtr.base, cpu->ldtr.selector,
        cpu->tr.selector,    cpu->cpl,
    };

    return value[n];
}

static u32 simple_register(const struct cpu *cpu, unsigned n)
{
    if (n < N_EIP)
        return (u32)cpu->gpr[n - N_GPR];
    if (n == N_EIP)
        return (u32)(cpu->seg[SEG_CS].base + cpu->rip);
    if (n == N_EFLAGS)
        return flags_get(cpu);
    if (n < N_ST)
        return cpu->seg[seg_of[n - N_SEG]].selector;
    if (n < N_XMM)
        return fpu_register(&cpu->x87, n - N_FPU);
    if (n == N_MXCSR)
        return cpu->sse.mxcsr;
    if (n < N_SYSTEM)
        return (u32)cpu->seg[seg_of[n - N_BASE]].base;
    return system_register(cpu, n - N_SYSTEM);
}

void pc_debug_get(const struct pc *pc, unsigned n, u8 *to)
{
    const struct cpu *cpu = pc->cpu[0];

    if (n >= N_ST && n < N_FPU) {
        const struct f80 *f = &cpu->x87.r[(cpu->x87.top + n - N_ST) & 7];
        store_le(to, f->mant, 8);
        store_le(to + 8, f->sign_exp, 2);
    } else if (n >= N_XMM && n < N_MXCSR) {
        memcpy(to, cpu->sse.v[n - N_XMM].b, 16);
    } else {
        store_le(to, simple_register(cpu, n), 4);
    }
}

/* A segment register of real and virtual-8086 mode; in protected mode a descriptor is needed. */
static void set_segment(struct cpu *cpu, unsigned seg, u32 val)
{
    if (!cpu_is_8086(cpu) || val > 0xffff)
        return;
    cpu->seg[seg].selector = (u16)val;
    cpu->seg[seg].base = val << 4;
    segment_derive_all(cpu);
}

void pc_debug_set(struct pc *pc, unsigned n, const u8 *from)
{
    enum { SETTABLE = FL_OSZAPC | FL_T | FL_I | FL_D };
    struct cpu *cpu = pc->cpu[0];

    if (n >= N_ST && n < N_FPU) {
        struct f80 *f = &cpu->x87.r[(cpu->x87.top + n - N_ST) & 7];
        f->mant = load_le(from, 8);
        f->sign_exp = (u16)load_le(from + 8, 2);
    } else if (n >= N_XMM && n < N_MXCSR) {
        memcpy(cpu->sse.v[n - N_XMM].b, from, 16);
    } else if (n < N_EIP) {
        cpu->gpr[n - N_GPR] = (u32)load_le(from, 4);
    } else if (n == N_EIP) {
        cpu->rip = (u32)(load_le(from, 4) - cpu->seg[SEG_CS].base);
    } else if (n == N_EFLAGS) {
        u32 now = flags_get(cpu);
        flags_put(cpu, (now & ~(u32)SETTABLE) | ((u32)load_le(from, 4) & SETTABLE));
        cpu_flags_changed(cpu);
    } else if (n < N_ST) {
        set_segment(cpu, seg_of[n - N_SEG], (u32)load_le(from, 4));
    }
}
