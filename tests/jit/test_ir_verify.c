/* SPDX-License-Identifier: MIT */
/* The verifier: for every rule a block that breaks it, and neighbours that do not. */
#include "tests/jit/ir_text.h"

/* What is wrong with this block of one guest instruction; NULL: nothing. */
static const char *verify_lines(const char *lines, unsigned *at)
{
    static struct ir_block b;

    ir_text_parse(&b, lines);
    return ir_verify(&b, at);
}

static void assert_good(const char *const *blocks, unsigned n)
{
    unsigned at;

    for (unsigned i = 0; i < n; i++) {
        const char *wrong = verify_lines(blocks[i], &at);
        if (wrong)
            fail_msg("operation %u: %s, in\n%s", at, wrong, blocks[i]);
    }
}

/* Begins of blocks: one or two guest instructions. */
#define G0 "@0 0x1000\n"
#define G1 "\n@1 0x1002\n"
#define J  "\njmp 0x1010"

static const struct {
    const char *wrong, *lines;
    unsigned at;
} broken[] = {
    {"the operation has no such width", G0 "shld.16 r0, r0, r1, 0x1" J, 0},
    {"the operation has no such width", G0 "shrd.64 r0, r0, r1, 0x1" J, 0},
    {"the operation has no such width", G0 "bswap.16 r0, r0" J, 0},
    {"the operation has no such width", G0 "imul.8 r0, r0, r1" J, 0},
    {"the operation has no such width", G0 "bt.8 r0, r1" J, 0},
    {"the operation has no such width", G0 "bsf.8 r0, r0, r1" J, 0},
    {"the operation has no such width", G0 "cmov.8 r0, r0, r1, e ; use Z" J, 0},
    {"the operation has no such width", G0 "addr.8 r0, r1, -, 0, 0x0" J, 0},
    {"the operation has no such width", G0 "seglin.16 t0, r0, ds, 0x1" J, 0},
    {"the operation has no such width", G0 "step.16 t0, 1" J, 0},
    {"a destination is missing or too many", G0 "add.32 -, r0, r1" J, 0},
    {"operand A is missing or too many", G0 "add.32 r0, -, r1" J, 0},
    {"operand B is missing or too many", G0 "add.32 r0, r0, -" J, 0},
    {"operand B is missing or too many", G0 "st.32 [r0], -" J, 0},
    {"a constant can be only operand B, where the shape has b", G0 "add.32 r0, 0x1, r0" J, 0},
    {"a constant can be only operand B, where the shape has b", G0 "ld.32 r0, [0x10]" J, 0},
    {"a constant can be only operand B, where the shape has b", G0 "bsf.32 r0, r1, 0x2" J, 0},
    {"a constant can be only operand B, where the shape has b", G0 "addr.32 r0, r1, 0x2, 0, 0x0" J,
     0},
    {"cc is not one that the operation has", G0 "zext.32 r0, r1, 64" J, 0},
    {"cc is not one that the operation has", G0 "sext.16 r0, r1, 32" J, 0},
    {"a shift is by 1 to 31", G0 "shl.32 r0, r0, 0x0" J, 0},
    {"a shift is by 1 to 31", G0 "rcr.32 r0, r0, 0x20" J, 0},
    {"a shift is by 1 to 31", G0 "sar.32 r0, r0, r1" J, 0},
    {"a shift is by 1 to 31", G0 "shld.32 r0, r0, r1, 0x0" J, 0},
    {"a flag is 0 or 1", G0 "setc 0x2" J, 0},
    {"a flag is 0 or 1", G0 "df -0x1" J, 0},
    {"no such access", G0 "fpm [r0], 0x3" J, 0},
    {"no such access", G0 "fpm [r0], 0x50" J, 0},
    {"no such access", G0 "fpmg.32 r1, [r0], 0x20" J, 0},
    {"the operation has no such width", G0 "fpr.16 r0" J, 0},
    {"the operation has no such width", G0 "fpg.8 r0" J, 0},
    {"no such access", G0 "seglin.32 t0, r0, ds, 0x84" J, 0},
    {"the displacement does not fit", G0 "addr.32 r0, r0, -, 0, 0x100000000" J, 0},
    {"the target is not a 32-bit address", G0 "jmp 0x100000000", 0},
    {"the target is not a 32-bit address", G0 "brz.32 r1, 1, -0x1", 0},
    {"the constant does not fit", G0 "add.8 r0, r0, 0x100" J, 0},
    {"the constant does not fit", G0 "mov.16 r0, -0x8001" J, 0},
    {"the constant does not fit", G0 "st.32 [r0], 0x100000000" J, 0},
    {"only memory operations are ordered", G0 "mov.32 r0, r1 ; atomic" J, 0},
    {"it cannot define these flags", G0 "inc.32 r0, r0 ; def C" J, 0},
    {"it cannot define these flags", G0 "mov.32 r0, r1 ; def Z" J, 0},
    {"it cannot use these flags", G0 "adc.32 r0, r0, r1 ; use CZ" J, 0},
    {"it uses flags that use does not name", G0 "adc.32 r0, r0, r1 ; use -" J, 0},
    {"it uses flags that use does not name", G0 "br a, 0x2000 ; use C", 0},
    {"it uses flags that use does not name", G0 "set.8 r0, l ; use S" J, 0},
    {"it uses flags that use does not name", G0 "cmov.32 r0, r0, r1, e ; use -" J, 0},
    {"live and seen are part of def", G0 "add.32 r0, r0, r1 ; def Z live C" J, 0},
    {"live and seen are part of def", G0 "add.32 r0, r0, r1 ; def Z seen ZO" J, 0},
    {"flags are needed that it leaves undefined", G0 "shlv.32 r0, r0 ; use - live Z" J, 0},
    {"flags are needed that it leaves undefined", G0 "rorv.32 r0, r0 ; seen C" J, 0},
    {"AH, CH, DH and BH are 8 bits wide", G0 "add.16 r0, r0, h1" J, 0},
    {"AH, CH, DH and BH are 8 bits wide", G0 "mov.32 h1, r0" J, 0},
    {"AH, CH, DH and BH are 8 bits wide", G0 "zext.32 r0, h1, 16" J, 0},
    {"AH, CH, DH and BH are 8 bits wide", G0 "ld.8 r0, [h0]" J, 0},
    {"AH, CH, DH and BH are 8 bits wide", G0 "jmpr h0, jump", 0},
    {"a temporary is used before it is assigned", G0 "mov.32 r0, t0" J, 0},
    {"a temporary is used before it is assigned", G0 "add.32 t0, t0, 0x1" J, 0},
    {"a temporary is used before it is assigned", G0 "mov.32 r0, t9" J, 0},
    {"a temporary is used by another guest instruction", G0 "mov.32 t0, 0x1" G1 "mov.32 r0, t0" J,
     1},
    {"a temporary is read wider than it was assigned", G0 "ld.8 t0, [r1]\nmov.32 r0, t0" J, 1},
    {"a temporary is read wider than it was assigned", G0 "ld.16 t0, [r1]\njmpr t0, ret", 1},
    {"a temporary is assigned twice", G0 "mov.32 t0, 0x1\nmov.32 t0, 0x2" J, 1},
    {"a temporary is assigned twice", G0 "mov.32 t0, 0x1" G1 "mov.32 t0, 0x2" J, 1},
    {"the block has no such temporary", G0 "mov.32 t8, 0x1" J, 0},
    {"an LDW has no STW", G0 "ldw.32 t0, [r1]" G1 "mov.32 r0, r1" J, 1},
    {"an LDW has no STW", G0 "ldw.32 t0, [r1]" J, 1},
    {"an exit is not the last operation", G0 "jmp 0x1000" J, 0},
    {"an exit is not the last operation", G0 "br e, 0x1000 ; use Z" J, 0},
    {"the last operation is no exit", G0 "mov.32 r0, r1", 0},
    {"EXEC is not alone in its guest instruction", G0 "mov.32 t0, r1\nexec" J, 1},
    {"EXEC is not alone in its guest instruction", G0 "exec\nmov.32 r0, r1" J, 1},
    {"EXEC is not alone in its guest instruction", G0 "exec\nexec" J, 1},
    {"LEAVE does not follow an EXEC", G0 "mov.32 r0, r1\nleave", 1},
    {"LEAVE does not follow an EXEC", G0 "exec" G1 "leave", 1},
    {"an STW has no LDW", G0 "stw.32 r0" J, 0},
    {"an STW has no LDW", G0 "ld.32 t0, [r1]\nstw.32 t0" J, 1},
    {"an STW has no LDW", G0 "ldw.32 t0, [r1]\nstw.32 t0\nstw.32 t0" J, 2},
    {"STW and LDW differ in width", G0 "ldw.32 t0, [r1]\nstw.16 t0" J, 1},
    {"another memory operation is between LDW and STW",
     G0 "ldw.32 t0, [r1]\nld.32 t1, [r2]\nstw.32 t1" J, 1},
    {"another memory operation is between LDW and STW", G0 "ldw.32 t0, [r1]\nst.32 [r2], t0" J, 1},
    {"it may give up after its guest instruction wrote something",
     G0 "mov.32 r0, r1\nld.32 r2, [r3]" J, 1},
    {"it may give up after its guest instruction wrote something",
     G0 "mov.8 h0, r1\nseglin.32 t0, r3, ds, 0x1" J, 1},
    {"it may give up after its guest instruction wrote something", G0 "cmc\nld.32 r2, [r3]" J, 1},
    {"it may give up after its guest instruction wrote something", G0 "df 0x1\nst.32 [r3], r2" J,
     1},
    {"it may give up after its guest instruction wrote something",
     G0 "mulu.32 r1\nst.32 [r3], r2" J, 1},
    {"it may give up after its guest instruction wrote something",
     G0 "st.32 [r1], r2\nst.32 [r3], r2" J, 1},
    {"it may give up after its guest instruction wrote something",
     G0 "st.32 [r1], r2\nld.32 r0, [r3]" J, 1},
    {"it may give up after its guest instruction wrote something",
     G0 "ldw.32 t0, [r1]\nstw.32 t0\nst.32 [r3], r2" J, 2},
    {"it may give up after its guest instruction wrote something", G0 "divu.32 r1\ndivu.32 r1" J,
     1},
};

static void every_broken_rule_is_named(void **state)
{
    unsigned at;

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(broken); i++) {
        const char *wrong = verify_lines(broken[i].lines, &at);
        if (!wrong || strcmp(wrong, broken[i].wrong) != 0 || at != broken[i].at)
            fail_msg("operation %u: %s, not %u: %s, in\n%s", at, wrong ? wrong : "(nothing)",
                     broken[i].at, broken[i].wrong, broken[i].lines);
    }
}

static void what_keeps_the_rules_is_accepted(void **state)
{
    static const char *const good[] = {
        G0 "addr.32 t0, r0, r1, 2, 0x10\nseglin.32 t1, t0, ds, 0x4\nld.32 t2, [t1]\n"
           "add.32 r3, r3, t2" G1 "st.32 [r3], 0xffffffff\nmov.32 r4, r5" J,
        G0 "ldw.16 t0, [r1] ; atomic\nadd.16 t1, t0, r2\nstw.16 t1\nmov.16 r2, t0" J,
        G0 "ld.32 t0, [r6]\nst.32 [r7], t0\nstep.32 t1, 2\naddr.32 r6, r6, t1, 0, 0x0\n"
           "addr.32 r7, r7, t1, 0, 0x0" J,
        G0 "addr.16 t0, r3, -, 0, 0x10\nld.8 h0, [t0]" J,
        G0 "addr.32 t0, -, -, 0, 0xfffffff0\nld.32 t1, [t0]\njmpr t1, ret",
        G0 "sext.16 r0, r1, 16\nzext.8 r0, h1, 8" J,
        G0 "zext.32 t0, h3, 8\nsext.16 t1, t0, 8\nmov.8 r0, t1" J,
        G0 "mov.8 r0, -0x80\nmov.8 r1, 0xff\nmov.16 r2, -0x8000\nmov.32 r3, 0xffffffff" J,
        G0 "add.32 t0, r0, r1 ; def -\nld.32 r2, [t0]" G1 "cmp.8 h0, h1\nbr g, 0x2000 ; use ZSO",
        G0 "shlv.32 r0, r0 ; use -" G1 "exec\nleave",
        G0 "sarv.32 r0, r0 ; seen CPAZSO" J,
        G0 "exec" G1 "exec\nleave",
        G0 "exec" G1 "inc.32 r0, r0" J,
        G0 "exec" J,
        G0 "brz.16 r1, 1, 0xffffffff",
        G0 "seglin.32 t0, r0, ds, 0x10\nfpm [t0], 0x30" G1 "fp ; def CPAZSO use -" J,
        G0 "fpmg.32 r1, [r0], 0x8" G1 "fpg.16 r0" J,
        G0 "fpm [r3], 0xa ; def -" G1 "fpr.32 r1" J,
    };

    (void)state;
    assert_good(good, ARRAY_LEN(good));
}

/* What text cannot say. */
static void fields_out_of_range_are_named(void **state)
{
    static struct ir_block b;
    unsigned at;

    (void)state;
#define WRONG_IF(change, wrong)                                                                    \
    do {                                                                                           \
        ir_text_parse(&b, G0 "addr.32 r0, r1, r2, 0, 0x0" G1 "jmp 0x1010");                        \
        assert_null(ir_verify(&b, &at));                                                           \
        change;                                                                                    \
        assert_non_null(ir_verify(&b, &at));                                                       \
        assert_string_equal(ir_verify(&b, &at), wrong);                                            \
    } while (0)
    WRONG_IF(b.full = true, "something did not fit");
    WRONG_IF(b.count = 0, "the number of operations is not possible");
    WRONG_IF(b.count = IR_MAX_INSNS + 1, "the number of operations is not possible");
    WRONG_IF(b.guests = IR_MAX_GUEST + 1,
             "the number of guest instructions or temporaries is not possible");
    WRONG_IF(b.temps = IR_TEMPS + 1,
             "the number of guest instructions or temporaries is not possible");
    WRONG_IF(b.guests = 1, "the block has no such guest instruction");
    WRONG_IF(b.insn[0].g = 2, "the block has no such guest instruction");
    WRONG_IF((b.insn[0].g = 1, b.insn[1].g = 0), "guest instructions are not in order");
    WRONG_IF(b.insn[0].op = IR__COUNT, "no such operation");
    WRONG_IF(b.insn[0].w = W64 + 1, "the operation has no such width");
    WRONG_IF(b.insn[0].cc = 4, "cc is not one that the operation has");
    WRONG_IF(b.insn[0].order = 2, "no such order");
    WRONG_IF(b.insn[0].a = IR_CONST + 1, "no such value");
    WRONG_IF(b.insn[0].b = IR_TEMP + IR_TEMPS, "no such value");
    WRONG_IF(b.insn[0].d = IR_CONST + 1, "no such value");
    WRONG_IF(b.insn[1].cc = 1, "cc is set, which the operation does not have");
    WRONG_IF(b.insn[1].a = IR_REG, "operand A is missing or too many");
    WRONG_IF(b.insn[1].b = IR_REG, "operand B is missing or too many");
    WRONG_IF(b.insn[1].d = IR_REG, "a destination is missing or too many");
    WRONG_IF((b.insn[0].op = IR_MOV, b.insn[0].a = IR_NONE, b.insn[0].imm = 1),
             "imm is set, which the operation does not have");
    WRONG_IF((b.insn[0].op = IR_SEGLIN, b.insn[0].b = IR_NONE, b.insn[0].imm = 1, b.insn[0].cc = 6),
             "cc is not one that the operation has");
    WRONG_IF((b.insn[1].op = IR_JMPR, b.insn[1].a = IR_REG, b.insn[1].imm = 0, b.insn[1].cc = 3),
             "cc is not one that the operation has");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_broken_rule_is_named),
        cmocka_unit_test(what_keeps_the_rules_is_accepted),
        cmocka_unit_test(fields_out_of_range_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
