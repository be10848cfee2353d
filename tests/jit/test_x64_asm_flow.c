/* SPDX-License-Identifier: MIT */
/*
 * The x86-64 assembler against capstone: stack, branches and their patching, all addresses; how
 * long what it puts is, and what it does at the end of the buffer.
 */
#include "tests/jit/x64_operands.h"

/* --- the stack, branches, and what has no operands --- */

static void instructions_without_operands_are_themselves(void **state)
{
    static const struct {
        void (*put)(struct codebuf *c);
        const char *text;
    } rows[] = {
        {x64_cdq, "cdq"},    {x64_cqo, "cqo"},
        {x64_cwde, "cwde"},  {x64_cbw, "cbw"},
        {x64_lahf, "lahf"},  {x64_sahf, "sahf"},
        {x64_clc, "clc"},    {x64_stc, "stc"},
        {x64_cmc, "cmc"},    {x64_pushf, "pushfq"},
        {x64_popf, "popfq"}, {x64_ret, "ret"},
        {x64_ud2, "ud2"},    {x64_rep_movsb, "rep movsb byte ptr [rdi], byte ptr [rsi]"},
    };
    struct asm_check *k = *state;

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        rows[i].put(&k->c);
        expect(k, "%s", rows[i].text);
    }
}

/* Bits that the processor ignores, and so does capstone: the bytes that GNU as gives. */
static void ignored_bits_are_as_usual(void **state)
{
    struct asm_check *k = *state;
    struct codebuf *c = &k->c;

#define BYTES(text, call) (call, look(k), assert_memory_equal(k->bytes, text, sizeof(text) - 1))
    BYTES("\xf7\xc1\x00\x01\x00\x00", x64_test_ri(c, W32, RCX, 0x100));
    BYTES("\xf7\x03\x00\x01\x00\x00", x64_test_mi(c, W32, x64_at(RBX, 0), 0x100));
    BYTES("\xf6\xc5\x05", x64_legacy_test8_ri(c, X64_CH, 5));
    BYTES("\x0f\x94\xc4", x64_legacy_setcc(c, X64_E, X64_AH));
    BYTES("\x0f\x94\xc1", x64_setcc_r(c, X64_E, RCX));
    BYTES("\x0f\x94\x03", x64_setcc_m(c, X64_E, x64_at(RBX, 0)));
    BYTES("\xc4\xe2\x6b\xf7\xc1", x64_shrx(c, W32, RAX, RCX, RDX));
    BYTES("\xc4\x42\xb3\xf7\xc2", x64_shrx(c, W64, R8, R10, R9));
#undef BYTES
}

/* The manual's recommended forms. [SDM 2B Table 4-12] */
static void no_operations_have_any_length(void **state)
{
    static const u8 *const forms[] = {
        (const u8 *)"\x90",
        (const u8 *)"\x66\x90",
        (const u8 *)"\x0f\x1f\x00",
        (const u8 *)"\x0f\x1f\x40\x00",
        (const u8 *)"\x0f\x1f\x44\x00\x00",
        (const u8 *)"\x66\x0f\x1f\x44\x00\x00",
        (const u8 *)"\x0f\x1f\x80\x00\x00\x00\x00",
        (const u8 *)"\x0f\x1f\x84\x00\x00\x00\x00\x00",
        (const u8 *)"\x66\x0f\x1f\x84\x00\x00\x00\x00\x00",
    };
    struct asm_check *k = *state;

    for (unsigned n = 1; n <= 9; n++) {
        x64_nop(&k->c, n);
        look(k);
        assert_int_equal(k->length, n);
        assert_memory_equal(k->bytes, forms[n - 1], n);
    }
    x64_nop(&k->c, 31);
    assert_int_equal(codebuf_off(&k->c), 31);
    assert_memory_equal(k->bytes + 18, forms[8], 9);
    assert_memory_equal(k->bytes + 27, forms[3], 4);
    x64_nop(&k->c, 0);
    assert_int_equal(codebuf_off(&k->c), 31);
}

static void the_stack_takes_registers_memory_and_immediates(void **state)
{
    struct asm_check *k = *state;

    for (struct with_mem it = with_mems(W64, W64); it.w <= it.last; next_mem(&it)) {
        x64_push_r(&k->c, it.r);
        expect(k, "push %s", reg(W64, it.r));
        x64_pop_r(&k->c, it.r);
        expect(k, "pop %s", reg(W64, it.r));
        x64_push_m(&k->c, it.m);
        expect(k, "push %s", it.text);
        x64_pop_m(&k->c, it.m);
        expect(k, "pop %s", it.text);
    }
    for (unsigned i = 0; i < ARRAY_LEN(imms); i++) {
        x64_push_i(&k->c, imms[i]);
        expect_number(k, (u64)imms[i], 32, "push ");
    }
}

static void jumps_and_calls_take_registers_and_memory(void **state)
{
    struct asm_check *k = *state;

    for (struct with_mem it = with_mems(W64, W64); it.w <= it.last; next_mem(&it)) {
        x64_jmp_r(&k->c, it.r);
        expect(k, "jmp %s", reg(W64, it.r));
        x64_call_r(&k->c, it.r);
        expect(k, "call %s", reg(W64, it.r));
        x64_jmp_m(&k->c, it.m);
        expect(k, "jmp %s", it.text);
        x64_call_m(&k->c, it.m);
        expect(k, "call %s", it.text);
    }
}

/* The three branches with a 32-bit displacement; the row says which. */
static u8 *put_branch(struct asm_check *k, unsigned row, const u8 *target)
{
    if (row == 0)
        return x64_jmp(&k->c, target);
    if (row == 1)
        return x64_call(&k->c, target);
    return x64_jcc(&k->c, row - 2, target);
}

static void expect_branch(struct asm_check *k, unsigned row, i64 target)
{
    u64 address = (u64)(CODE_ADDRESS + target);

    if (row < 2)
        expect_number(k, address, 64, "%s ", row == 0 ? "jmp" : "call");
    else
        expect_number(k, address, 64, "j%s ", cc_names[row - 2]);
}

static void branches_go_where_they_are_patched_to(void **state)
{
    static const i64 far[] = {0, 1, 127, 128, -1, -129, 0x7fff0000, -0x7fff0000};
    struct asm_check *k = *state;

    for (unsigned row = 0; row < 18; row++) {
        for (unsigned i = 0; i < ARRAY_LEN(far); i++) {
            const u8 *target = (const u8 *)((uintptr_t)k->bytes + (uintptr_t)far[i]);

            u8 *place = put_branch(k, row, NULL);
            assert_ptr_equal(place + 4, k->c.at);
            x64_patch32(place, target);
            expect_branch(k, row, far[i]);
            place = put_branch(k, row, target);
            assert_ptr_equal(place + 4, k->c.at);
            expect_branch(k, row, far[i]);
            /* Once more: code that is linked to one block and then to another. */
            place = put_branch(k, row, target);
            x64_patch32(place, k->bytes);
            expect_branch(k, row, 0);
        }
    }
}

static void short_branches_reach_128_bytes(void **state)
{
    static const int near[] = {2, 0, 1, 3, 129, -126};
    struct asm_check *k = *state;

    for (unsigned row = 0; row < 17; row++) {
        for (unsigned i = 0; i < ARRAY_LEN(near); i++) {
            u8 *place = row == 16 ? x64_jmp8(&k->c) : x64_jcc8(&k->c, row);

            assert_ptr_equal(place + 1, k->c.at);
            x64_patch8(place, (const u8 *)((uintptr_t)k->bytes + (uintptr_t)near[i]));
            expect_branch(k, row == 16 ? 0 : row + 2, near[i]);
            assert_int_equal(k->length, 2);
        }
    }
}

/* --- lengths --- */

/* ModR/M, SIB and displacement of just this form. [SDM 2A Tables 2-2, 2-3] */
static unsigned form_length(struct x64_mem m)
{
    unsigned sib = m.index != X64_NOREG || m.base == RSP || m.base == R12;

    if (m.base == X64_NOREG)
        return 1 + 1 + 4;
    if (m.disp == 0 && m.base != RBP && m.base != R13)
        return 1 + sib;
    return 1 + sib + (m.disp == (i8)m.disp ? 1 : 4);
}

/* The shortest of all forms that mean the same address. */
static unsigned address_length(struct x64_mem m)
{
    unsigned best = form_length(m), length = best;

    if (m.scale == 0 && m.index != X64_NOREG) /* the two can change places, but for RSP */
        length = form_length(x64_idx(m.index, m.base == RSP ? m.index : m.base, 0, m.disp));
    best = length < best && m.base != RSP ? length : best;
    if (m.base == X64_NOREG && m.index != X64_NOREG && m.scale == 1)
        length = form_length(x64_idx(m.index, m.index, 0, m.disp));
    return length < best && m.base != RSP ? length : best;
}

/* How often a register is in an address. */
static unsigned times_in(unsigned r, u8 base, u8 index, unsigned factor)
{
    return (r == base) + (r == index) * factor;
}

static u8 number_of(struct asm_check *k, x86_reg r)
{
    const char *name = cs_reg_name(k->cs, r);

    for (u8 i = RAX; name && i <= R15; i++) {
        if (strcmp(name, reg(W64, i)) == 0)
            return i;
    }
    return X64_NOREG;
}

static void check_address(struct asm_check *k, u8 r, struct x64_mem m)
{
    bool rex =
        r >= R8 || (m.base != X64_NOREG && m.base >= R8) || (m.index != X64_NOREG && m.index >= R8);

    x64_mov_rm(&k->c, W32, r, m);
    look(k);
    assert_int_equal(k->length, 1 + rex + address_length(m));

    const cs_x86_op *op = &k->insn->detail->x86.operands[1];
    u8 base = number_of(k, op->mem.base), index = number_of(k, op->mem.index);
    assert_string_equal(k->insn->mnemonic, "mov");
    assert_int_equal(op->type, X86_OP_MEM);
    assert_int_equal((i32)op->mem.disp, m.disp);
    for (unsigned i = RAX; i <= R15; i++)
        assert_int_equal(times_in(i, base, index, (unsigned)op->mem.scale),
                         times_in(i, m.base, m.index, 1u << m.scale));
}

static void every_address_is_itself_in_its_shortest_form(void **state)
{
    static const i32 disps[] = {0, 1, 127, 128, -1, -128, -129, INT32_MAX, INT32_MIN};

    for (unsigned base = 0; base <= 16; base++) {
        for (unsigned index = 0; index <= 16; index++) {
            for (unsigned i = 0; index != RSP && i < 4 * ARRAY_LEN(disps); i++) {
                struct x64_mem m = {.base = base == 16 ? X64_NOREG : (u8)base,
                                    .index = index == 16 ? X64_NOREG : (u8)index,
                                    .scale = i % 4,
                                    .disp = disps[i / 4]};
                check_address(*state, (u8)((base * 5 + i) % 16), m);
            }
        }
    }
}

static void the_shortest_form_is_chosen(void **state)
{
    struct asm_check *k = *state;
    struct codebuf *c = &k->c;

#define SHORTEST(n, call) (call, look(k), assert_int_equal(k->length, n))
    SHORTEST(2, x64_alu_rr(c, X64_ADD, W32, RCX, RSI)); /* no REX */
    SHORTEST(2, x64_alu_rr(c, X64_ADD, W8, RCX, RBX));
    SHORTEST(3, x64_alu_rr(c, X64_ADD, W8, RCX, RSI)); /* SIL */
    SHORTEST(3, x64_alu_rr(c, X64_ADD, W32, R9, RCX));
    SHORTEST(3, x64_alu_ri(c, X64_AND, W32, RCX, -128)); /* imm8 */
    SHORTEST(3, x64_alu_ri(c, X64_AND, W32, RAX, 127));
    SHORTEST(5, x64_alu_ri(c, X64_AND, W32, RAX, 128)); /* the accumulator's */
    SHORTEST(6, x64_alu_ri(c, X64_AND, W32, RCX, 128));
    SHORTEST(4, x64_alu_ri(c, X64_SUB, W64, RCX, 8));
    SHORTEST(6, x64_alu_ri(c, X64_SUB, W64, RAX, 0x1000));
    SHORTEST(4, x64_alu_ri(c, X64_CMP, W16, RAX, 0xffff)); /* is -1 */
    SHORTEST(4, x64_alu_ri(c, X64_CMP, W16, RAX, 0x1234));
    SHORTEST(5, x64_alu_ri(c, X64_CMP, W16, RCX, 0x1234));
    SHORTEST(2, x64_alu_ri(c, X64_CMP, W8, RAX, 0xff));
    SHORTEST(3, x64_alu_ri(c, X64_CMP, W8, RDX, 0xff));
    SHORTEST(4, x64_alu_mi(c, X64_ADD, W32, x64_at(RBX, 4), 1));
    SHORTEST(7, x64_alu_mi(c, X64_ADD, W32, x64_at(RBX, 4), 0x80));
    SHORTEST(2, x64_test_ri(c, W64, RAX, 1)); /* as a byte */
    SHORTEST(3, x64_test_ri(c, W32, RCX, 0x7f));
    SHORTEST(5, x64_test_ri(c, W32, RAX, 0x80));
    SHORTEST(5, x64_test_ri(c, W64, RAX, 0x100)); /* as 32 bits */
    SHORTEST(7, x64_test_ri(c, W64, RCX, -2));
    SHORTEST(2, x64_shift_ri(c, X64_SHL, W32, RCX, 1));
    SHORTEST(3, x64_shift_ri(c, X64_SHL, W32, RCX, 2));
    SHORTEST(3, x64_imul_rri(c, W32, RCX, RDX, 127));
    SHORTEST(6, x64_imul_rri(c, W32, RCX, RDX, 128));
    SHORTEST(1, x64_xchg_rr(c, W32, RCX, RAX));
    SHORTEST(2, x64_xchg_rr(c, W64, RAX, R9));
    SHORTEST(2, x64_xchg_rr(c, W32, RCX, RDX));
    SHORTEST(1, x64_push_r(c, RBP));
    SHORTEST(2, x64_pop_r(c, R13));
    SHORTEST(2, x64_push_i(c, -128));
    SHORTEST(5, x64_push_i(c, 128));
    SHORTEST(1, x64_pop_r(c, RBP));
    SHORTEST(2, x64_push_m(c, x64_at(RBX, 0)));
    SHORTEST(2, x64_pop_m(c, x64_at(RBX, 0)));
    SHORTEST(2, x64_ud2(c));
    SHORTEST(2, x64_jmp_r(c, RAX));
    SHORTEST(2, x64_call_r(c, RAX));
    SHORTEST(2, x64_call_m(c, x64_at(RBX, 0)));
    SHORTEST(3, x64_jmp_m(c, x64_at(RBX, 8)));
    SHORTEST(3, x64_setcc_r(c, X64_E, RBX));
    SHORTEST(4, x64_setcc_r(c, X64_E, RSI));
#undef SHORTEST
}

/* --- the end of the buffer --- */

static void a_full_buffer_swallows_what_follows(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 16; size++) {
        u8 bytes[32];
        struct codebuf c;

        memset(bytes, 0xa5, sizeof(bytes));
        codebuf_init(&c, bytes, size, 0);
        x64_mov_ri(&c, RAX, 0x0123456789abcdef);
        assert_int_equal(c.full, size < 10);
        u8 *place = x64_jcc(&c, X64_E, bytes);
        assert_int_equal(c.full, size < 16);
        assert_ptr_equal(place, size < 16 ? NULL : bytes + 12);
        assert_int_equal(codebuf_off(&c), size);
        for (size_t i = size; i < sizeof(bytes); i++)
            assert_int_equal(bytes[i], 0xa5);

        x64_ret(&c);
        assert_true(c.full);
        assert_null(x64_jmp(&c, bytes));
        assert_null(x64_call(&c, NULL));
        assert_null(x64_jmp8(&c));
        assert_null(x64_jcc8(&c, X64_NE));
        x64_patch32(NULL, bytes);
        x64_patch8(NULL, bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(instructions_without_operands_are_themselves),
        TEST(ignored_bits_are_as_usual),
        TEST(no_operations_have_any_length),
        TEST(the_stack_takes_registers_memory_and_immediates),
        TEST(jumps_and_calls_take_registers_and_memory),
        TEST(branches_go_where_they_are_patched_to),
        TEST(short_branches_reach_128_bytes),
        TEST(every_address_is_itself_in_its_shortest_form),
        TEST(the_shortest_form_is_chosen),
        TEST(a_full_buffer_swallows_what_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
