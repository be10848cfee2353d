/* SPDX-License-Identifier: MIT */
/*
 * x87_plain() against the executors: every instruction that it knows, from random states of the
 * unit. What it refuses has to leave the state alone.
 */
#include "cpu/isa.h"
#include "cpu/x87_plain.h"
#include "tests/support/hostfpu.h"
#include "tests/support/x87_same.h"

enum { EIP = 0x1234, ROUNDS = 3000 };

static const struct {
    exec_fn *exec;
    u32 form;
    u16 id;
    u8 opcode;
} rows[] = {
#define INSN(id, map, opc, pfx, form, text, o1, o2, o3, attr, feat, rd, wr, un, x, xlate)          \
    {exec_##x, FORM_##form, INSN_##id, opc},
#include "cpu/isa_x87.def"
#undef INSN
};

/* Often what the mantissa and the exponent of a number at some border are. */
static struct f80 any_f80(struct fpgen *g)
{
    u64 a = fpgen_next(g), mant = fpgen_next(g);
    u16 exp = (u16)(0x3FFF - 40 + a % 80), sign = (u16)(a >> 20 & 0x8000);

    switch (a >> 40 & 15) {
    case 0:
        return (struct f80){0, sign};
    case 1:
        return (struct f80){mant, (u16)(a >> 8)};
    case 2:
        return (struct f80){BIT64(63) | (a & 64 ? mant >> 2 : 0), sign | 0x7FFF};
    case 3:
        return (struct f80){BIT64(63) | mant, sign | (u16)(a % 4)};
    case 4:
        return (struct f80){BIT64(63) | mant, sign | (u16)(0x7FFE - a % 3)};
    case 5:
        return (struct f80){~(u64)0 << (a % 64), sign | exp};
    case 6:
        return (struct f80){BIT64(63) | mant, sign | (u16)(0x3FFF - 1026 + a % 8)};
    case 7:
        return (struct f80){BIT64(63) | mant, sign | (u16)(0x3FFF + 1020 + a % 8)};
    default:
        return (struct f80){BIT64(63) | mant, sign | exp};
    }
}

static void any_state(struct bench *b, struct fpgen *g)
{
    struct x87_state *f = &b->cpu.x87;
    u64 r = fpgen_next(g), numbers[2];

    f->control = 0x37F;
    if (r % 4 == 0)
        f->control = (u16)(0x7F | (r >> 8 & 0xF00));
    if (r % 8 == 1) /* what x87_plain() leaves to the executors must not have been done */
        f->control &= (u16)(r >> 48 | ~(u64)X87_CW_MASKS | X87_SW_PE);
    f->status = (u16)(r >> 16) & (u16) ~(X87_SW_TOP | X87_SW_B | X87_SW_ES);
    f->status &= (u16) ~(~f->control & X87_CW_MASKS); /* nothing is pending */
    f->top = r >> 32 & 7;
    f->empty = r >> 36 & 1 ? (u8)(r >> 40) : (u8)(0xF0 << f->top | 0xF0 >> (8 - f->top));
    for (unsigned i = 0; i < 8; i++)
        f->r[i] = any_f80(g);
    struct fp_env e = fp_env_x87(0x37F);
    numbers[0] = fpgen_next(g) % 4 ? f80_to_f64(&e, any_f80(g)) : fpgen_next(g);
    numbers[1] = fpgen_next(g);
    if (fpgen_next(g) % 2)
        numbers[0] = f80_to_f32(&e, any_f80(g));
    memcpy(physmem_ram(b->pm) + BENCH_AT, numbers, sizeof(numbers));
}

/* @in by x87_plain(); the memory operand is at @mem. */
static u32 plain(struct cpu *cpu, const struct insn *in, u8 *mem)
{
    u32 what = (in->opcode & 7u) << 8 | in->modrm;

    return x87_plain(cpu, in->mem ? what | (u32)in->seg << X87_WHAT_SEG : what, EIP,
                     in->mem ? mem : NULL, BENCH_AT);
}

/* True: it was done, and both did the same. */
static bool check(struct bench *b, const struct insn *in, struct fpgen *g)
{
    u8 *mem = physmem_ram(b->pm) + BENCH_AT, before[16], after[16];
    struct cpu *cpu = &b->cpu;

    any_state(b, g);
    memcpy(before, mem, sizeof(before));
    cpu->rip = EIP;
    const struct x87_state start = cpu->x87;
    u32 done = plain(cpu, in, mem);
    const struct x87_state end = cpu->x87;
    memcpy(after, mem, sizeof(after));
    if (!done) {
        assert_true(x87_same(&start, &end));
        assert_memory_equal(before, after, sizeof(after));
        return false;
    }
    cpu->x87 = start;
    memcpy(mem, before, sizeof(before));
    flags_set(cpu, FL_OSZAPC, 0);
    assert_true(in->exec(cpu, in));
    if (!x87_same(&cpu->x87, &end))
        fail_msg("opcode %x %x", in->opcode, in->modrm);
    assert_memory_equal(mem, after, sizeof(after));
    if (in->id == INSN_FNSTSW_AX)
        assert_int_equal((u16)cpu->gpr[REG_AX], (u16)done);
    if (insn_def[in->id].written)
        assert_int_equal(flags_arith(cpu), done & 0xFFFF);
    return true;
}

static bool takes(u32 form, u8 modrm)
{
    bool mem = modrm < 0xC0;

    return (modrm & (u8)(form >> 8)) == (u8)form && !(mem ? form & FORM_REG : form & FORM_MEM);
}

static void what_it_does_the_executors_do(void **state)
{
    struct bench *b = bench_create();
    unsigned known = 0, done = 0;
    struct fpgen g = {1};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        for (unsigned modrm = 0; modrm < 256; modrm++) {
            struct insn in = bench_insn(rows[i].exec, rows[i].opcode, (u8)modrm, 0, 0);
            in.id = rows[i].id;
            if (!takes(rows[i].form, (u8)modrm) || (in.mem && (modrm & 0xC7) != 7) ||
                !x87_plain_knows(&in))
                continue;
            known++;
            for (unsigned round = 0; round < ROUNDS; round++)
                done += check(b, &in, &g);
        }
    }
    assert_true(known > 200);
    assert_true(done > known * ROUNDS / 3);
    bench_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_does_the_executors_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
