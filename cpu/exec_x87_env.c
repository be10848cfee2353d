/* SPDX-License-Identifier: MIT */
/* x87: control and status words, environment, FSAVE and FRSTOR, WAIT  [SDM 1 §8.1.10, §8.3.11]. */
#include "cpu/x87_exec.h"

enum {
    ENV_WORDS = 7,
    SAVE_REGS = 80, /* bytes of ST0..ST7 */
};

static void set_control(struct cpu *cpu, u16 cw)
{
    struct x87_state *f = &cpu->x87;

    f->control = (cw & X87_CW_WRITABLE) | X87_CW_ONES;
    f->status &= (u16)~X87_SW_ES;
    if (f->status & ~f->control & X87_CW_MASKS)
        f->status |= X87_SW_ES;
    x87_update_ferr(cpu);
}

bool exec_x87_fldcw(struct cpu *cpu, const struct insn *in)
{
    u64 v;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (!mem_read(cpu, in->seg, insn_ea(cpu, in), W16, &v))
        return false;
    set_control(cpu, (u16)v);
    return true;
}

bool exec_x87_fnstcw(struct cpu *cpu, const struct insn *in)
{
    if (!x87_enter_nowait(cpu))
        return x87_refused(cpu);
    return mem_write(cpu, in->seg, insn_ea(cpu, in), W16, cpu->x87.control);
}

bool exec_x87_fnstsw(struct cpu *cpu, const struct insn *in)
{
    u16 sw = x87_status_word(&cpu->x87);

    if (!x87_enter_nowait(cpu))
        return x87_refused(cpu);
    if (in->mem)
        return mem_write(cpu, in->seg, insn_ea(cpu, in), W16, sw);
    reg_set(cpu, REG_AX, W16, sw);
    return true;
}

bool exec_x87_fnclex(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    if (!x87_enter_nowait(cpu))
        return x87_refused(cpu);
    cpu->x87.status &= (u16) ~(X87_CW_MASKS | X87_SW_SF | X87_SW_ES);
    x87_update_ferr(cpu);
    return true;
}

static void initialize(struct cpu *cpu)
{
    bool ferr = cpu->x87.ferr;

    x87_init(&cpu->x87);
    cpu->x87.ferr = ferr;
    x87_update_ferr(cpu);
}

bool exec_x87_fninit(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    if (!x87_enter_nowait(cpu))
        return x87_refused(cpu);
    initialize(cpu);
    return true;
}

/* FENI, FDISI, FSETPM: for the 8087 and the 80287; later units ignore them. */
bool exec_x87_control_nop(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    if (!x87_enter_nowait(cpu))
        return x87_refused(cpu);
    return true;
}

/* WAIT: #NM only if both MP and TS are set  [SDM 3A Table 2-2]. */
bool exec_fwait(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    if ((cpu->cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS))
        return fault_nm(cpu);
    if ((cpu->x87.status & X87_SW_ES) && (cpu->cr0 & CR0_NE))
        return fault_mf(cpu);
    return true;
}

/* The environment in its seven words, each of 2 or 4 bytes  [SDM 1 Figures 8-9 to 8-12]. */
static unsigned put_environment(const struct cpu *cpu, const struct insn *in, u8 *out)
{
    const struct x87_state *f = &cpu->x87;
    u32 ip = (u32)f->ip, dp = (u32)f->dp, word[ENV_WORDS];
    bool wide = in->opsize != W16;

    word[0] = 0xFFFF0000u | f->control;
    word[1] = 0xFFFF0000u | x87_status_word(f);
    word[2] = 0xFFFF0000u | x87_tag_word(f);
    if (!cpu_is_8086(cpu)) {
        word[3] = ip;
        word[4] = f->cs | (wide ? (u32)f->opcode << 16 : 0);
        word[5] = dp;
        word[6] = 0xFFFF0000u | f->ds;
    } else { /* linear addresses */
        ip += (u32)f->cs << 4;
        dp += (u32)f->ds << 4;
        word[3] = 0xFFFF0000u | (u16)ip;
        word[4] = (ip >> 16 << 12) | f->opcode;
        word[5] = 0xFFFF0000u | (u16)dp;
        word[6] = dp >> 16 << 12;
    }
    for (unsigned i = 0; i < ENV_WORDS; i++)
        store_le(out + i * (wide ? 4u : 2u), word[i], wide ? 4 : 2);
    return wide ? 28 : 14;
}

static unsigned environment_size(const struct insn *in)
{
    return in->opsize == W16 ? 14 : 28;
}

static void get_environment(struct cpu *cpu, const struct insn *in, const u8 *bytes)
{
    struct x87_state *f = &cpu->x87;
    bool wide = in->opsize != W16;
    u32 word[ENV_WORDS];

    for (unsigned i = 0; i < ENV_WORDS; i++)
        word[i] = (u32)load_le(bytes + i * (wide ? 4u : 2u), wide ? 4 : 2);
    if (!cpu_is_8086(cpu)) {
        f->ip = word[3];
        f->cs = (u16)word[4];
        if (wide)
            f->opcode = word[4] >> 16 & 0x7FF;
        f->dp = word[5];
        f->ds = (u16)word[6];
    } else {
        f->ip = (u16)word[3] | (word[4] >> 12 << 16);
        f->opcode = word[4] & 0x7FF;
        f->dp = (u16)word[5] | (word[6] >> 12 << 16);
        f->cs = f->ds = 0;
    }
    f->empty = 0;
    for (unsigned i = 0; i < 8; i++)
        if ((word[2] >> 2 * i & 3) == 3)
            f->empty |= (u8)(1u << i);
    f->control = (word[0] & X87_CW_WRITABLE) | X87_CW_ONES;
    x87_set_status_word(f, (u16)word[1]);
    x87_update_ferr(cpu);
}

bool exec_x87_fnstenv(struct cpu *cpu, const struct insn *in)
{
    u8 bytes[28];
    unsigned n;

    if (!x87_enter_nowait(cpu))
        return x87_refused(cpu);
    n = put_environment(cpu, in, bytes);
    if (!mem_write_bytes(cpu, in->seg, insn_ea(cpu, in), bytes, n))
        return false;
    set_control(cpu, cpu->x87.control | X87_CW_MASKS);
    return true;
}

bool exec_x87_fldenv(struct cpu *cpu, const struct insn *in)
{
    u8 bytes[28];

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (!mem_read_bytes(cpu, in->seg, insn_ea(cpu, in), bytes, environment_size(in)))
        return false;
    get_environment(cpu, in, bytes);
    return true;
}

bool exec_x87_fnsave(struct cpu *cpu, const struct insn *in)
{
    u8 bytes[28 + SAVE_REGS];
    unsigned n;

    if (!x87_enter_nowait(cpu))
        return x87_refused(cpu);
    n = put_environment(cpu, in, bytes);
    for (unsigned i = 0; i < 8; i++, n += 10) {
        const struct f80 *st = x87_st(&cpu->x87, i);

        store_le(bytes + n, st->mant, 8);
        store_le(bytes + n + 8, st->sign_exp, 2);
    }
    if (!mem_write_bytes(cpu, in->seg, insn_ea(cpu, in), bytes, n))
        return false;
    initialize(cpu);
    return true;
}

bool exec_x87_frstor(struct cpu *cpu, const struct insn *in)
{
    unsigned n = environment_size(in);
    u8 bytes[28 + SAVE_REGS];

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (!mem_read_bytes(cpu, in->seg, insn_ea(cpu, in), bytes, n + SAVE_REGS))
        return false;
    get_environment(cpu, in, bytes);
    for (unsigned i = 0; i < 8; i++, n += 10) {
        struct f80 *st = x87_st(&cpu->x87, i);

        st->mant = load_le(bytes + n, 8);
        st->sign_exp = (u16)load_le(bytes + n + 8, 2);
    }
    return true;
}
