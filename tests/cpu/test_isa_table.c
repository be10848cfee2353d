/* SPDX-License-Identifier: MIT */
/* The rows of cpu/isa.def against the rules of cpu/isa.h. */
#include "cpu/decode_table.h"
#include "tests/cpu/decode_only.h"
#include "tests/support/check.h"

static bool is_rm(u8 op)
{
    return (op >= OPND_Eb && op <= OPND_Mf80) || (op >= OPND_Rv && op <= OPND_Ry) ||
           (op >= OPND_Qq && op <= OPND_Nq) || (op >= OPND_Wx && op <= OPND_Eb_d);
}

static bool is_reg(u8 op)
{
    return (op >= OPND_Gb && op <= OPND_Td) || op == OPND_Pq || op == OPND_Vx;
}

static bool is_memory_only(u8 op)
{
    return op >= OPND_M && op <= OPND_Mf80;
}

static bool is_z(u8 op)
{
    return op == OPND_Zb || op == OPND_Zv;
}

static void operands_fit_the_form(void **state)
{
    (void)state;
    for (unsigned i = 0; i < INSN__COUNT; i++) {
        const struct insn_def *d = &insn_def[i];

        for (unsigned o = 0; o < 3; o++) {
            u8 op = d->op[o];

            if ((is_rm(op) || is_reg(op)) != 0 && !(d->form & FORM_HAS))
                fail_msg("%s: operand %u needs ModR/M", d->id, o + 1);
            if (is_z(op) && (d->form & FORM_HAS))
                fail_msg("%s: Z operand beside ModR/M", d->id);
            if (is_memory_only(op) && !(d->form & FORM_MEM))
                fail_msg("%s: operand %u is memory only, the form is not", d->id, o + 1);
            if (is_reg(op) && (d->form >> 8 & 0x38))
                fail_msg("%s: operand %u is in the reg field, which extends the opcode", d->id,
                         o + 1);
            if (o && op != OPND_None && d->op[o - 1] == OPND_None)
                fail_msg("%s: gap before operand %u", d->id, o + 1);
        }
    }
}

static void attributes_agree_with_operands(void **state)
{
    (void)state;
    for (unsigned i = 0; i < INSN__COUNT; i++) {
        const struct insn_def *d = &insn_def[i];

        if ((d->attr & ATTR_Lock) && !is_rm(d->op[0]))
            fail_msg("%s: LOCK without a memory destination", d->id);
        if ((d->attr & ATTR_I64) && (d->attr & ATTR_O64))
            fail_msg("%s: in no mode at all", d->id);
        if (d->pfx == 0 || d->pfx > PFX_ANY)
            fail_msg("%s: no mandatory prefix selects it", d->id);
        assert_in_range(d->feat, 0, FEAT__COUNT - 1);
        assert_in_range(d->map, 0, MAP__COUNT - 1);
        assert_true(d->text[0]);
    }
}

/* A row that no encoding reaches is a mistake in its form. */
static void every_row_is_reached(void **state)
{
    static bool seen[INSN__COUNT];
    struct decode_table *t;

    (void)state;
    assert_int_equal(decode_table_create(&t, DECODE_ALL_FEATURES), STATUS_OK);
    for (unsigned map = 0; map < MAP__COUNT; map++)
        for (unsigned op = 0; op < 256; op++)
            for (unsigned pfx = 0; pfx < PFX__COUNT; pfx++)
                for (unsigned modrm = 0; modrm < 256; modrm++) {
                    u16 row = decode_table_row(t, map, (u8)op, pfx, (u8)modrm);

                    if (row != NO_ROW)
                        seen[row] = true;
                }
    decode_table_destroy(t);
    for (unsigned i = 0; i < INSN__COUNT; i++)
        if (!seen[i])
            fail_msg("%s: no encoding reaches it", insn_def[i].id);
}

static void features_gate_rows(void **state)
{
    struct decode_table *t;

    (void)state;
    assert_int_equal(decode_table_create(&t, BIT64(FEAT_8086) | BIT64(FEAT_486)), STATUS_OK);
    assert_int_equal(decode_table_row(t, MAP_0F, 0xc8, PFX_IX_NP, 0), INSN_BSWAP);
    assert_int_equal(decode_table_row(t, MAP_0F, 0xa2, PFX_IX_NP, 0), NO_ROW);
    assert_true(decode_table_has_modrm(t, MAP_0F, 0x40)); /* CMOV: absent, but has ModR/M */
    decode_table_destroy(t);
    decode_table_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operands_fit_the_form),
        cmocka_unit_test(attributes_agree_with_operands),
        cmocka_unit_test(every_row_is_reached),
        cmocka_unit_test(features_gate_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
