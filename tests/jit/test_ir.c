/* SPDX-License-Identifier: MIT */
/* The intermediate form: its text, and which flags are needed where. */
#include "cpu/isa.h"
#include "tests/jit/ir_text.h"

/* --- text --- */

/* Some value of every field that @op has; @n chooses. */
static void fill(struct ir_insn *in, unsigned n)
{
    static const ir_val value[] = {IR_REG, IR_REG + 15, IR_HIGH + 3, IR_TEMP, IR_TEMP + 159};
    static const i64 number[] = {0, 1, -1, 0x7fffffff, -0x80000000ll, INT64_MAX, INT64_MIN};
    enum ir_op op = (enum ir_op)in->op;
    ir_val v = value[n % ARRAY_LEN(value)];

    in->d = ir_has(op, 'D') ? v : IR_NONE;
    in->a = ir_has(op, 'A') ? v : IR_NONE;
    in->b = ir_has(op, 'B') ? v : IR_NONE;
    if (strchr(ir_op_info[op].shape, 'b') && n % 2)
        in->b = IR_CONST;
    if (ir_has(op, 'I') || in->b == IR_CONST)
        in->imm = number[n % ARRAY_LEN(number)];
    if (ir_has(op, 'X'))
        in->cc = (u8)(n % 2);
    in->def = (u8)(ir_op_info[op].def & (n * 9));
    in->use = (u8)(ir_op_info[op].use & ~(n * 5));
    in->live = n & IRF_ALL;
    in->seen = (u8)(~n & IRF_ALL);
    in->order = n % 3 == 0;
}

static void assert_round_trip(const struct ir_block *b)
{
    static char text[65536], again[65536];
    static struct ir_block parsed;
    unsigned line;

    assert_true(ir_print(b, text, sizeof(text)) < sizeof(text));
    if (!ir_parse(text, &parsed, &line))
        fail_msg("line %u of\n%s", line, text);
    ir_print(&parsed, again, sizeof(again));
    assert_string_equal(text, again);
    assert_int_equal(parsed.count, b->count);
    assert_int_equal(parsed.temps, b->temps);
    assert_int_equal(parsed.guests, b->guests);
    assert_int_equal(parsed.eip, b->eip);
    assert_int_equal(parsed.fall, b->fall);
    assert_memory_equal(parsed.at, b->at, (b->guests + 1u) * sizeof(b->at[0]));
    for (unsigned i = 0; i < b->count; i++) {
        const struct ir_insn *x = &b->insn[i], *y = &parsed.insn[i];
        char one[256];
        ir_print_insn(x, one, sizeof(one));
        if (x->op != y->op || x->w != y->w || x->cc != y->cc || x->order != y->order ||
            x->d != y->d || x->a != y->a || x->b != y->b || x->g != y->g || x->def != y->def ||
            x->use != y->use || x->live != y->live || x->seen != y->seen || x->imm != y->imm)
            fail_msg("not the same again: %s", one);
    }
}

static void every_operation_is_the_same_after_printing_and_parsing(void **state)
{
    static struct ir_block b;

    (void)state;
    for (unsigned n = 0; n < 120; n++) {
        ir_init(&b, 0x12345678 + n);
        b.fall = 0xfffffff0 - n;
        b.temps = IR_TEMPS;
        b.guests = 3;
        for (unsigned i = 0; i <= 3; i++)
            b.at[i] = 0x1000 + 3 * i;
        for (unsigned op = 0; op < IR__COUNT; op++)
            fill(ir_add(&b, (enum ir_op)op, (enum width)(n % 4), op * 3 / IR__COUNT), n);
        assert_round_trip(&b);
    }
}

static void guest_instructions_without_operations_are_kept(void **state)
{
    static struct ir_block b;

    (void)state;
    ir_init(&b, 0);
    b.guests = 5;
    for (unsigned i = 0; i <= 5; i++)
        b.at[i] = i;
    ir_add(&b, IR_CMC, W8, 1);
    ir_add(&b, IR_JMP, W8, 3);
    assert_round_trip(&b);
}

static void an_operation_prints_as_documented(void **state)
{
    struct ir_insn in = {.op = IR_ADD, .w = W32, .d = IR_REG, .a = IR_REG, .b = IR_TEMP + 1};
    char text[128];

    (void)state;
    in.def = IRF_ALL;
    in.live = IRF_Z;
    ir_print_insn(&in, text, sizeof(text));
    assert_string_equal(text, "add.32 r0, r0, t1 ; def CPAZSO live Z");
    in = (struct ir_insn){.op = IR_SEGLIN, .w = W32, .d = IR_TEMP, .a = IR_REG + 3, .cc = 2};
    in.imm = 4 | IR_ACCESS_WRITE;
    ir_print_insn(&in, text, sizeof(text));
    assert_string_equal(text, "seglin.32 t0, r3, ss, 0x14");
    in = (struct ir_insn){.op = IR_LD, .w = W16, .d = IR_HIGH, .a = IR_TEMP, .order = 1};
    ir_print_insn(&in, text, sizeof(text));
    assert_string_equal(text, "ld.16 h0, [t0] ; atomic");
    in = (struct ir_insn){.op = IR_BR, .cc = 5, .imm = 0x1234, .use = IRF_Z};
    ir_print_insn(&in, text, sizeof(text));
    assert_string_equal(text, "br ne, 0x1234 ; use Z");
}

/* From its first "block" line to the "end" line. */
static void the_example_of_the_documentation_is_true(void **state)
{
    static struct ir_block b;
    static char doc[65536], printed[4096];
    FILE *f = fopen("docs/IR.md", "r");
    unsigned line;

    (void)state;
    assert_non_null(f);
    doc[fread(doc, 1, sizeof(doc) - 1, f)] = '\0';
    fclose(f);
    char *begin = strstr(doc, "\nblock 0x") + 1;
    strchr(strstr(begin, "\nend 0x") + 1, '\n')[1] = '\0';
    if (!ir_parse(begin, &b, &line))
        fail_msg("line %u of\n%s", line, begin);
    assert_null(ir_verify(&b, &line));
    ir_liveness(&b, IRF_ALL);
    ir_print(&b, printed, sizeof(printed));
    assert_string_equal(begin, printed);
}

static void what_does_not_fit_is_cut_and_counted(void **state)
{
    static struct ir_block b;
    char all[1024], part[20];

    (void)state;
    ir_text_one(&b, "add.32 r0, r1, 0x10");
    size_t n = ir_print(&b, all, sizeof(all));
    assert_int_equal(n, strlen(all));
    assert_int_equal(ir_print(&b, part, sizeof(part)), n);
    assert_int_equal(strlen(part), sizeof(part) - 1);
    assert_memory_equal(part, all, sizeof(part) - 1);
    assert_int_equal(ir_print(&b, NULL, 0), n);
    memset(part, 'x', sizeof(part));
    ir_print_insn(&b.insn[0], part, 4);
    assert_string_equal(part, "add");
}

static void the_parser_names_the_first_bad_line(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
    } bad[] = {
        {"", 1},
        {"blok 0x0 fall 0x0 temps 0\n", 1},
        {"block 0x0 fall 0x0 temps 161\n", 1},
        {"block 0x0 fall 0x0 temps 0 more\n", 1},
        {"block 0x0 fall 0x0 temps 0\n", 2},
        {"block 0x0 fall 0x0 temps 0\n    cmc\nend 0x0\n", 2},
        {"block 0x0 fall 0x0 temps 0\n@1 0x0\n", 2},
        {"block 0x0 fall 0x0 temps 0\n@0 0x100000000\n", 2},
        {"block 0x0 fall 0x0 temps 0\n@0 0x0\n    frob.32 r0\n", 3},
        {"block 0x0 fall 0x0 temps 0\n@0 0x0\n    add.33 r0, r0, r1\n", 3},
        {"block 0x0 fall 0x0 temps 0\n@0 0x0\n    add.32 r0, r0\n", 3},
        {"block 0x0 fall 0x0 temps 0\n@0 0x0\n    add.32 r0, r0, r16\n", 3},
        {"block 0x0 fall 0x0 temps 0\n@0 0x0\n    add.32 r0, r0, t160\n", 3},
        {"block 0x0 fall 0x0 temps 0\n@0 0x0\n    add.32 r0, r0, r1, r2\n", 3},
        {"block 0x0 fall 0x0 temps 0\n@0 0x0\n    ld.32 r0, r1\n", 3},
        {"block 0x0 fall 0x0 temps 0\n@0 0x0\n    br xx, 0x10\n", 3},
        {"block 0x0 fall 0x0 temps 0\n@0 0x0\n    cmc ; def Q\n", 3},
        {"block 0x0 fall 0x0 temps 0\n@0 0x0\n    cmc ; what C\n", 3},
        {"block 0x0 fall 0x0 temps 0\n@0 0x0\n    cmc\nend 0x0\n    cmc\n", 5},
    };
    static struct ir_block b;
    unsigned line;

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        if (ir_parse(bad[i].text, &b, &line))
            fail_msg("accepted:\n%s", bad[i].text);
        if (line != bad[i].line)
            fail_msg("line %u, not %u, of\n%s", line, bad[i].line, bad[i].text);
    }
}

static void flags_not_written_are_those_of_the_table(void **state)
{
    static struct ir_block b;

    (void)state;
    ir_text_one(&b, "adc.8 r0, r0, 0x1\nadd.8 r1, r1, r1 ; def -");
    assert_int_equal(b.insn[0].def, IRF_ALL);
    assert_int_equal(b.insn[0].use, IRF_C);
    assert_int_equal(b.insn[1].def, 0);
}

/* --- liveness --- */

/* Lines of one guest instruction each. */
static void live_block(struct ir_block *b, const char *const *op, unsigned n, u8 out)
{
    char lines[2048];
    size_t len = 0;

    for (unsigned i = 0; i < n; i++)
        len += (size_t)snprintf(lines + len, sizeof(lines) - len, "@%u 0x%x\n%s\n", i, 0x1000 + i,
                                op[i]);
    ir_text_parse(b, lines);
    ir_liveness(b, out);
}

static void a_flag_is_live_where_a_later_operation_reads_it(void **state)
{
    static const char *const op[] = {"cmp.32 r0, r1", "br e, 0x1234 ; use Z"};
    static struct ir_block b;

    (void)state;
    live_block(&b, op, 2, 0);
    assert_int_equal(b.insn[0].live, IRF_Z);
    assert_int_equal(b.insn[0].seen, 0);
}

static void what_is_overwritten_unread_is_neither_live_nor_seen(void **state)
{
    static const char *const op[] = {"add.32 r0, r0, r1", "add.32 r2, r2, r3", "jmp 0x1010"};
    static struct ir_block b;

    (void)state;
    live_block(&b, op, 3, IRF_ALL);
    assert_int_equal(b.insn[0].live | b.insn[0].seen, 0);
    assert_int_equal(b.insn[1].live, 0);
    assert_int_equal(b.insn[1].seen, IRF_ALL);
}

static void inc_keeps_the_carry_of_an_earlier_addition(void **state)
{
    static const char *const op[] = {"add.32 r0, r0, r1", "inc.32 r2, r2", "adc.32 r3, r3, r3",
                                     "jmp 0x1010"};
    static struct ir_block b;

    (void)state;
    live_block(&b, op, 4, 0);
    assert_int_equal(b.insn[0].live, IRF_C);
    assert_int_equal(b.insn[1].live, 0);
}

static void flags_can_be_seen_where_memory_may_fault(void **state)
{
    static const char *const op[] = {"add.32 r0, r0, r1", "ld.32 r2, [r3]", "add.32 r0, r0, r1",
                                     "jmp 0x1010"};
    static struct ir_block b;

    (void)state;
    live_block(&b, op, 4, 0);
    assert_int_equal(b.insn[0].seen, IRF_ALL);
    assert_int_equal(b.insn[0].live, 0);
    assert_int_equal(b.insn[2].seen, 0);
}

static void flags_can_be_seen_around_x87_instructions_that_may_raise(void **state)
{
    static const char *const op[] = {"add.32 r0, r0, r1", "fp ; def - use -", "add.32 r0, r0, r1",
                                     "fp ; use -", "jmp 0x1010"};
    static struct ir_block b;
    u8 need[IR_MAX_INSNS];

    (void)state;
    live_block(&b, op, 5, 0);
    assert_int_equal(b.insn[0].seen, 0);
    b.raises = true;
    ir_liveness(&b, 0);
    ir_needs(&b, 0, need);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(b.insn[i].seen, b.insn[i].def);
        assert_int_equal(need[i], IRF_ALL);
    }
}

static void flags_can_be_seen_before_x87_instructions_that_may_give_up(void **state)
{
    static const char *const op[] = {"neg.32 r0, r0", "fp ; def - use -", "dec.32 r1, r1",
                                     "jmp 0x1010"};
    static struct ir_block b;
    u8 need[IR_MAX_INSNS];

    (void)state;
    live_block(&b, op, 4, 0);
    assert_int_equal(b.insn[0].seen, 0);
    b.refuses = true;
    ir_liveness(&b, 0);
    ir_needs(&b, 0, need);
    assert_int_equal(b.insn[0].seen, b.insn[0].def);
    assert_int_equal(b.insn[2].seen, 0);
    assert_int_equal(need[0], IRF_ALL);
}

static void flags_can_be_seen_by_executors_and_divisions(void **state)
{
    static const char *const op[] = {"add.32 r0, r0, r1",         "exec",
                                     "shl.32 r0, r0, 0x1",        "divu.32 r3",
                                     "seglin.32 t0, r1, ds, 0x4", "jmp 0x1010"};
    static struct ir_block b;

    (void)state;
    live_block(&b, op, 6, 0);
    assert_int_equal(b.insn[0].live, IRF_ALL); /* executors read any */
    assert_int_equal(b.insn[0].seen, IRF_ALL);
    assert_int_equal(b.insn[2].seen, IRF_ALL);
}

static void liveness_follows_the_narrower_def_of_an_operation(void **state)
{
    static const char *const op[] = {"add.32 r0, r0, r1", "sub.32 r2, r2, r3 ; def ZS",
                                     "jmp 0x1010"};
    static struct ir_block b;

    (void)state;
    live_block(&b, op, 3, IRF_ALL);
    assert_int_equal(b.insn[0].seen, IRF_ALL & ~(IRF_Z | IRF_S));
    assert_int_equal(b.insn[1].seen, IRF_Z | IRF_S);
}

static void conditions_read_the_flags_of_the_manual(void **state)
{
    (void)state;
    for (unsigned cc = 0; cc < 16; cc += 2)
        assert_int_equal(ir_cond_flags(cc), ir_cond_flags(cc + 1));
    assert_int_equal(ir_cond_flags(6), IRF_C | IRF_Z);
    assert_int_equal(ir_cond_flags(14), IRF_Z | IRF_S | IRF_O);
}

static void packing_flags_and_unpacking_them_are_inverse(void **state)
{
    (void)state;
    for (unsigned f = 0; f <= IRF_ALL; f++)
        assert_int_equal(ir_pack_flags(ir_unpack_flags((u8)f)), f);
    assert_int_equal(ir_unpack_flags(IRF_ALL), FL_OSZAPC);
    assert_int_equal(ir_pack_flags(~(u32)FL_OSZAPC), 0);
}

/* --- building --- */

static void a_block_that_is_too_long_says_so(void **state)
{
    static struct ir_block b;

    (void)state;
    ir_init(&b, 0);
    for (unsigned i = 0; i < IR_MAX_INSNS; i++)
        ir_add(&b, IR_CMC, W8, 0);
    assert_false(b.full);
    assert_non_null(ir_add(&b, IR_CMC, W8, 0));
    assert_true(b.full);
    assert_int_equal(b.count, IR_MAX_INSNS);
    ir_init(&b, 0);
    for (unsigned i = 0; i < IR_TEMPS; i++)
        assert_int_equal(ir_temp(&b), IR_TEMP + i);
    assert_false(b.full);
    assert_true(ir_is_temp(ir_temp(&b)));
    assert_true(b.full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_is_the_same_after_printing_and_parsing),
        cmocka_unit_test(guest_instructions_without_operations_are_kept),
        cmocka_unit_test(an_operation_prints_as_documented),
        cmocka_unit_test(the_example_of_the_documentation_is_true),
        cmocka_unit_test(what_does_not_fit_is_cut_and_counted),
        cmocka_unit_test(the_parser_names_the_first_bad_line),
        cmocka_unit_test(flags_not_written_are_those_of_the_table),
        cmocka_unit_test(a_flag_is_live_where_a_later_operation_reads_it),
        cmocka_unit_test(what_is_overwritten_unread_is_neither_live_nor_seen),
        cmocka_unit_test(inc_keeps_the_carry_of_an_earlier_addition),
        cmocka_unit_test(flags_can_be_seen_where_memory_may_fault),
        cmocka_unit_test(flags_can_be_seen_around_x87_instructions_that_may_raise),
        cmocka_unit_test(flags_can_be_seen_before_x87_instructions_that_may_give_up),
        cmocka_unit_test(flags_can_be_seen_by_executors_and_divisions),
        cmocka_unit_test(liveness_follows_the_narrower_def_of_an_operation),
        cmocka_unit_test(conditions_read_the_flags_of_the_manual),
        cmocka_unit_test(packing_flags_and_unpacking_them_are_inverse),
        cmocka_unit_test(a_block_that_is_too_long_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
