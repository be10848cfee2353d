/* SPDX-License-Identifier: MIT */
/* The decoder on chosen encodings: every field of struct insn, and the ends of the input. */
#include "cpu/decode.h"
#include "cpu/disasm.h"
#include "tests/cpu/decode_only.h"
#include "tests/support/check.h"

static struct decode_table *table;

static int make_table(void **state)
{
    (void)state;
    return decode_table_create(&table, DECODE_ALL_FEATURES) != STATUS_OK;
}

static int free_table(void **state)
{
    (void)state;
    decode_table_destroy(table);
    return 0;
}

#define BYTES(...) (const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__})

static struct insn decoded(u32 mode, const u8 *bytes, size_t n)
{
    struct insn in;

    assert_int_equal(decode(table, bytes, (unsigned)n, mode, &in), DECODE_OK);
    return in;
}

static void sizes_follow_mode_and_prefixes(void **state)
{
    struct insn in;

    (void)state;
    in = decoded(0, BYTES(0x89, 0xd8));
    assert_int_equal(in.id, INSN_MOV_Ev_Gv);
    assert_int_equal(in.opsize, W16);
    assert_int_equal(in.adsize, W16);
    assert_int_equal(in.width, W16);
    assert_int_equal(in.reg, REG_BX);
    assert_int_equal(in.rm, REG_AX);
    assert_false(in.mem);
    in = decoded(MODE_CS32, BYTES(0x67, 0x66, 0x89, 0x1c));
    assert_int_equal(in.opsize, W16);
    assert_int_equal(in.adsize, W16);
    assert_int_equal(in.prefix, INSN_OPSIZE | INSN_ADSIZE);
    assert_int_equal(in.base, REG_SI);
    assert_int_equal(in.index, NO_REG);
    in = decoded(0, BYTES(0x66, 0x05, 1, 2, 3, 0x84));
    assert_int_equal(in.opsize, W32);
    assert_int_equal(in.imm, 0x84030201u);
    assert_int_equal(in.len, 6);
}

static void addresses_of_16_bits(void **state)
{
    struct insn in;

    (void)state;
    in = decoded(0, BYTES(0x8b, 0x42, 0xfe)); /* [bp+si-2] */
    assert_int_equal(in.base, REG_BP);
    assert_int_equal(in.index, REG_SI);
    assert_int_equal(in.scale, 0);
    assert_int_equal(in.seg, SEG_SS);
    assert_int_equal(in.has_disp, 1);
    assert_int_equal(in.disp, -2);
    in = decoded(0, BYTES(0x8b, 0x06, 0x34, 0xf2)); /* [0xf234] */
    assert_int_equal(in.base, NO_REG);
    assert_int_equal(in.seg, SEG_DS);
    assert_int_equal(in.has_disp, 2);
    assert_int_equal((u16)in.disp, 0xf234);
    in = decoded(0, BYTES(0x26, 0x8b, 0x46, 0)); /* es:[bp] */
    assert_int_equal(in.seg, SEG_ES);
}

static void addresses_of_32_bits(void **state)
{
    struct insn in;

    (void)state;
    in = decoded(MODE_CS32, BYTES(0x8b, 0x44, 0xbe, 0x80)); /* [esi+edi*4-0x80] */
    assert_int_equal(in.base, REG_SI);
    assert_int_equal(in.index, REG_DI);
    assert_int_equal(in.scale, 2);
    assert_int_equal(in.disp, -0x80);
    assert_int_equal(in.seg, SEG_DS);
    in = decoded(MODE_CS32, BYTES(0x8b, 0x04, 0x24)); /* [esp] */
    assert_int_equal(in.base, REG_SP);
    assert_int_equal(in.index, NO_REG);
    assert_int_equal(in.seg, SEG_SS);
    in = decoded(MODE_CS32, BYTES(0x8b, 0x04, 0x2d, 1, 0, 0, 0)); /* [ebp*1+1]: DS */
    assert_int_equal(in.base, NO_REG);
    assert_int_equal(in.index, REG_BP);
    assert_int_equal(in.seg, SEG_DS);
    assert_int_equal(in.len, 7);
    in = decoded(MODE_CS32, BYTES(0x64, 0x8b, 0x45, 4)); /* fs:[ebp+4] */
    assert_int_equal(in.seg, SEG_FS);
}

static void immediates(void **state)
{
    struct insn in;

    (void)state;
    in = decoded(MODE_CS32, BYTES(0x83, 0xc0, 0xff));
    assert_int_equal(in.imm, 0xffffffffu);
    in = decoded(0, BYTES(0x83, 0xc0, 0xff));
    assert_int_equal(in.imm, 0xffff);
    in = decoded(0, BYTES(0xcd, 0xff));
    assert_int_equal(in.imm, 0xff);
    in = decoded(0, BYTES(0xeb, 0xfe));
    assert_true(in.imm == (u64)-2);
    in = decoded(MODE_CS32, BYTES(0xea, 1, 2, 3, 4, 5, 6));
    assert_int_equal(in.imm, 0x04030201);
    assert_int_equal(in.imm2, 0x0605);
    in = decoded(0, BYTES(0xc8, 0x10, 0x20, 3));
    assert_int_equal(in.id, INSN_ENTER);
    assert_int_equal(in.imm, 0x2010);
    assert_int_equal(in.imm2, 3);
    in = decoded(0, BYTES(0x3e, 0xa1, 0x10, 0x80));
    assert_int_equal(in.imm, 0x8010);
    assert_true(in.mem);
    assert_int_equal(in.seg, SEG_DS);
    in = decoded(MODE_CS32, BYTES(0x66, 0x0f, 0x84, 0x00, 0x80));
    assert_int_equal(in.len, 5);
    assert_true(in.imm == (u64)-0x8000);
}

static void widths(void **state)
{
    (void)state;
    assert_int_equal(decoded(0, BYTES(0xe6, 0x80)).width, W8);           /* out 80h, al  */
    assert_int_equal(decoded(MODE_CS32, BYTES(0xef)).width, W32);        /* out dx, eax  */
    assert_int_equal(decoded(MODE_CS32, BYTES(0x6f)).width, W32);        /* outsd        */
    assert_int_equal(decoded(MODE_CS32, BYTES(0x8c, 0xd8)).width, W32);  /* mov eax, ds  */
    assert_int_equal(decoded(MODE_CS32, BYTES(0x8c, 0x18)).width, W16);  /* mov [eax],ds */
    assert_int_equal(decoded(MODE_CS32, BYTES(0x6a, 1)).width, W32);     /* push 1       */
    assert_int_equal(decoded(0, BYTES(0xc2, 4, 0)).width, W16);          /* ret 4        */
    assert_int_equal(decoded(0, BYTES(0x0f, 0x20, 0x00)).width, W32);    /* mov eax, cr0 */
    assert_int_equal(decoded(0, BYTES(0x66, 0x0f, 0xb6, 0)).width, W32); /* movzx        */
}

static void opcode_registers(void **state)
{
    struct insn in;

    (void)state;
    in = decoded(0, BYTES(0xb7, 5));
    assert_int_equal(in.id, INSN_MOV_Zb_Ib);
    assert_int_equal(in.zreg, 7);
    assert_int_equal(decoded(0, BYTES(0x90)).id, INSN_NOP);
    assert_int_equal(decoded(0, BYTES(0xf3, 0x90)).id, INSN_PAUSE);
    in = decoded(0, BYTES(0xf3, 0x97));
    assert_int_equal(in.id, INSN_XCHG_Zv_rAX);
    assert_int_equal(in.zreg, REG_DI);
}

static void mod_is_ignored_for_control_registers(void **state)
{
    struct insn in;

    (void)state;
    in = decoded(MODE_CS32, BYTES(0x0f, 0x22, 0x44));
    assert_int_equal(in.len, 3);
    assert_false(in.mem);
    assert_int_equal(in.rm, 4);
}

static void repeat_prefixes(void **state)
{
    (void)state;
    assert_int_equal(decoded(0, BYTES(0xf2, 0xf3, 0xa4)).prefix, INSN_REPE);
    assert_int_equal(decoded(0, BYTES(0xf3, 0xf2, 0xa4)).prefix, INSN_REPNE);
}

static void lock_is_checked(void **state)
{
    struct insn in;

    (void)state;
    assert_int_equal(decoded(0, BYTES(0xf0, 0x01, 0x07)).id, INSN_ADD_Ev_Gv);
    in = decoded(0, BYTES(0xf0, 0x01, 0xc7)); /* register */
    assert_int_equal(in.id, INSN_UD2);
    assert_int_equal(in.len, 3);
    in = decoded(0, BYTES(0xf0, 0x39, 0x47, 1)); /* cmp */
    assert_int_equal(in.id, INSN_UD2);
    assert_int_equal(in.len, 4);
    assert_int_equal(decoded(0, BYTES(0xf0, 0xa4)).id, INSN_UD2);
}

static void undefined_encodings(void **state)
{
    struct insn in;

    (void)state;
    in = decoded(0, BYTES(0x0f, 0x04));
    assert_int_equal(in.id, INSN_UD2);
    assert_int_equal(in.len, 2);
    in = decoded(0, BYTES(0xff, 0x3f, 0, 0)); /* group 5 /7 */
    assert_int_equal(in.id, INSN_UD2);
    assert_int_equal(in.len, 2);
    in = decoded(0, BYTES(0x8d, 0xc0)); /* lea with a register */
    assert_int_equal(in.id, INSN_UD2);
}

static void every_truncation_is_short(void **state)
{
    static const u8 code[] = {0x2e, 0x66, 0x67, 0x81, 0x84, 0x91, 1, 2, 3, 4, 5, 6, 7, 8};
    struct insn in;

    (void)state;
    for (unsigned n = 0; n < sizeof(code); n++)
        assert_int_equal(decode(table, code, n, 0, &in), DECODE_SHORT);
    in = decoded(0, code, sizeof(code));
    assert_int_equal(in.id, INSN_ADD_Ev_Iz);
    assert_int_equal(in.disp, 0x04030201);
    assert_int_equal(in.imm, 0x08070605);
    assert_int_equal(in.seg, SEG_CS);
}

static void fifteen_bytes_are_the_limit(void **state)
{
    u8 code[20];
    struct insn in;

    (void)state;
    memset(code, 0x66, sizeof(code));
    code[14] = 0x90;
    assert_int_equal(decode(table, code, 15, MODE_CS32, &in), DECODE_OK);
    assert_int_equal(in.len, 15);
    code[14] = 0x66;
    assert_int_equal(decode(table, code, 15, MODE_CS32, &in), DECODE_LONG);
    assert_int_equal(decode(table, code, 14, MODE_CS32, &in), DECODE_SHORT);
    code[13] = 0xb8;
    assert_int_equal(decode(table, code, 20, 0, &in), DECODE_LONG);
    assert_int_equal(decode(table, code, 20, MODE_LONG, &in), DECODE_LONG);
}

static void rex_only_in_long_mode(void **state)
{
    struct insn in;

    (void)state;
    in = decoded(MODE_CS32, BYTES(0x48));
    assert_int_equal(in.id, INSN_DEC_Zv);
    in = decoded(MODE_LONG, BYTES(0x4d, 0x89, 0xc8));
    assert_int_equal(in.opsize, W64);
    assert_int_equal(in.reg, 9);
    assert_int_equal(in.rm, 8);
    assert_int_equal(decoded(MODE_LONG, BYTES(0x06)).id, INSN_UD2);
}

/* Whatever the bytes: a length within what was given, numbers within their tables, a text. */
static void random_bytes_are_harmless(void **state)
{
    static const u32 modes[] = {0, MODE_CS32, MODE_LONG};
    static const u8 leads[] = {0x0f, 0x66, 0xf2, 0xf3, 0x67, 0xf0};
    u64 x = 0x9e3779b97f4a7c15;

    (void)state;
    for (unsigned i = 0; i < 1500000; i++) {
        u8 code[16];
        char text[128];
        struct insn in;
        unsigned avail;

        for (unsigned b = 0; b < sizeof(code); b++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            code[b] = (u8)(x >> 32);
        }
        if (code[15] & 1)
            code[0] = leads[code[14] % sizeof(leads)];
        avail = i % 16;
        if (decode(table, code, avail, modes[i % 3], &in) != DECODE_OK)
            continue;
        assert_in_range(in.len, 1, avail);
        assert_in_range(in.id, 0, INSN__COUNT - 1);
        assert_in_range(in.width, W8, W64);
        assert_in_range(in.seg, 0, SEG__COUNT - 1);
        assert_true(in.base < 16 || in.base == NO_REG);
        assert_true(in.index < 16 || in.index == NO_REG);
        assert_in_range(in.reg, 0, 15);
        assert_in_range(in.rm, 0, 15);
        assert_in_range(in.zreg, 0, 15);
        disasm(&in, code[13], text, sizeof(text));
        assert_true(text[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_follow_mode_and_prefixes),
        cmocka_unit_test(addresses_of_16_bits),
        cmocka_unit_test(addresses_of_32_bits),
        cmocka_unit_test(immediates),
        cmocka_unit_test(widths),
        cmocka_unit_test(opcode_registers),
        cmocka_unit_test(mod_is_ignored_for_control_registers),
        cmocka_unit_test(repeat_prefixes),
        cmocka_unit_test(lock_is_checked),
        cmocka_unit_test(undefined_encodings),
        cmocka_unit_test(every_truncation_is_short),
        cmocka_unit_test(fifteen_bytes_are_the_limit),
        cmocka_unit_test(rex_only_in_long_mode),
        cmocka_unit_test(random_bytes_are_harmless),
    };

    return cmocka_run_group_tests(tests, make_table, free_table);
}
