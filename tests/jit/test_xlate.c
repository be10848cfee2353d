/* SPDX-License-Identifier: MIT */
/*
 * What the translators make of random guest code keeps the rules of the intermediate form, and has
 * a text that says all of it. That it means the same is test_jit_fuzz's.
 */
#include "cpu/decode.h"
#include "jit/xlate.h"
#include "tests/jit/gen_program.h"
#include "tests/jit/ir_text.h"

enum { PROGRAMS = 1500, BLOCK = 32 };

/* As the JIT does: what needs flags that the operations cannot give is left to the executor. */
static void translate(struct ir_block *b, const struct insn *insn, unsigned n, u32 mode)
{
    const struct xlate_env env = {.mode = mode, .cs_limit = 0xffff};
    u64 by_exec = 0, before;

    do {
        before = by_exec;
        xlate_block(b, insn, n, 0x1000, &env, by_exec);
        by_exec |= ir_shifts_by_cl(b, IRF_ALL);
    } while (by_exec != before);
}

static void check_block(const struct insn *insn, unsigned n, u32 mode)
{
    static struct ir_block b, again;
    static char text[65536];
    unsigned at, line;

    translate(&b, insn, n, mode);
    if (b.full)
        return;
    assert_true(ir_print(&b, text, sizeof(text)) < sizeof(text));
    const char *wrong = ir_verify(&b, &at);
    if (wrong)
        fail_msg("mode %x, operation %u (%s): %s, in\n%s", mode, at, insn_def[insn[0].id].id, wrong,
                 text);
    if (!ir_parse(text, &again, &line))
        fail_msg("line %u of\n%s", line, text);
    assert_int_equal(again.count, b.count);
    for (unsigned i = 0; i < b.count; i++)
        assert_memory_equal(&again.insn[i], &b.insn[i], sizeof(b.insn[i]));
    ir_optimise(&b);
    wrong = ir_verify(&b, &at);
    if (wrong)
        fail_msg("operation %u: %s, after the passes, in\n%s", at, wrong, text);
}

/* The items of a program in a row, as the decoder of blocks takes them. */
static void check_program(const struct decode_table *t, const struct gen_program *p, u32 mode)
{
    struct insn insn[BLOCK];
    unsigned n = 0;

    for (unsigned i = 0; i < p->count; i++) {
        const struct gen_item *it = &p->item[i];
        if (decode(t, it->bytes, it->len, mode & JIT_MODE_CS32 ? MODE_CS32 : 0, &insn[n]) !=
            DECODE_OK)
            continue;
        if (++n == BLOCK || (insn_def[insn[n - 1].id].attr & ATTR_Ends)) {
            check_block(insn, n, mode);
            n = 0;
        }
    }
}

static void translations_keep_the_rules(void **state)
{
    static struct gen_program p;
    struct decode_table *t;

    (void)state;
    assert_int_equal(decode_table_create(&t, DECODE_ALL_FEATURES), STATUS_OK);
    for (u64 n = 0; n < PROGRAMS; n++) {
        struct fuzz f = {.state = n * 0xd1342543de82ef95u};
        u32 segments = (u32)(fuzz_u64(&f) & 0xfff) << JIT_MODE_SEG_SHIFT;
        gen_program(&f, &p, GEN__SHAPES, false);
        check_program(
            t, &p, segments | (p.code32 ? JIT_MODE_CS32 : 0u) | (p.stack32 ? JIT_MODE_SS32 : 0u));
    }
    decode_table_destroy(t);
}

/* Rows that programs have on purpose are not many; the others come by themselves, unless a list of
 * gen_insn.c grew too long. */
static void programs_have_every_integer_row(void **state)
{
    static const char *const without[] = {"RETF_Iw",  "CALL_Mp", "JMP_Mp",
                                          "SYSENTER", "SYSEXIT", "LSS"};
    static struct gen_program p;
    static bool seen[INSN__COUNT];
    struct decode_table *t;
    struct insn in;

    (void)state;
    assert_int_equal(decode_table_create(&t, DECODE_ALL_FEATURES), STATUS_OK);
    for (u64 n = 0; n < PROGRAMS; n++) {
        struct fuzz f = {.state = n * 0xd1342543de82ef95u};
        gen_program(&f, &p, GEN__SHAPES, false);
        for (unsigned i = 0; i < p.count; i++) {
            const struct gen_item *it = &p.item[i];
            if (decode(t, it->bytes, it->len, p.code32 ? MODE_CS32 : 0, &in) == DECODE_OK)
                seen[in.id] = true;
        }
    }
    for (unsigned i = 0; i < ARRAY_LEN(without); i++) {
        for (unsigned row = 0; row < INSN__COUNT; row++)
            seen[row] |= strcmp(insn_def[row].id, without[i]) == 0;
    }
    for (unsigned row = 0; row < INSN__COUNT; row++) {
        const struct insn_def *d = &insn_def[row];
        if (!seen[row] && d->map <= MAP_0F && !(d->attr & (ATTR_O64 | ATTR_Fpu | ATTR_Align)))
            fail_msg("%s", d->id);
    }
    decode_table_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(translations_keep_the_rules),
        cmocka_unit_test(programs_have_every_integer_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
