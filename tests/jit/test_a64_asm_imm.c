/* SPDX-License-Identifier: MIT */
/*
 * The A64 assembler's numbers: which bitmask immediates there are, against the manual's decoder,
 * and how a register is given any number.
 */
#include "tests/jit/a64_operands.h"

static const char *const logic_names[] = {"and", "bic", "orr", "orn", "eor", "eon", "ands", "bics"};

/* --- bitmask immediates --- */

#define BITMASKS 5334 /* as many are there in 64 bits */

/* The manual's DecodeBitMasks: false if the fields mean nothing. [ARM J1] */
static bool decode_bitmask(unsigned n, unsigned imms, unsigned immr, u64 *value)
{
    unsigned length = 6;

    while (length > 0 && !((n << 6 | (~imms & 0x3f)) & BIT(length)))
        length--;
    unsigned size = BIT(length), ones = (imms & (size - 1)) + 1;
    u64 element = 0;

    if (length < 1 || ones == size)
        return false;
    for (unsigned i = 0; i < ones; i++)
        element |= BIT64((i + size - immr % size) % size);
    *value = 0;
    for (unsigned at = 0; at < 64; at += size)
        *value |= element << at;
    return true;
}

static int by_value(const void *a, const void *b)
{
    u64 x = *(const u64 *)a, y = *(const u64 *)b;

    return (x > y) - (x < y);
}

/* All bitmask immediates of @w, in order; returns how many. */
static unsigned list_bitmasks(enum width w, u64 *list)
{
    static u64 all[1 << 13];
    unsigned n = 0, different = 0;

    for (unsigned fields = 0; fields < (w == W64 ? 1u << 13 : 1u << 12); fields++)
        n += decode_bitmask(fields >> 12, fields >> 6 & 0x3f, fields & 0x3f, &all[n]);
    qsort(all, n, sizeof(*all), by_value);
    for (unsigned i = 0; i < n; i++) {
        u64 v = w == W64 ? all[i] : (u32)all[i];

        if (different == 0 || list[different - 1] != v)
            list[different++] = v;
    }
    return different;
}

static void exactly_the_bitmasks_fit(void **state)
{
    static u64 list[BITMASKS];
    (void)state;

    for (enum width w = W32; w <= W64; w++) {
        unsigned n = list_bitmasks(w, list);

        assert_int_equal(n, w == W64 ? BITMASKS : 1302);
        assert_false(a64_logic_fits(w, 0));
        assert_false(a64_logic_fits(w, w == W64 ? UINT64_MAX : UINT32_MAX));
        for (unsigned i = 0; i < n; i++) {
            assert_true(a64_logic_fits(w, list[i]));
            for (unsigned bit = 0; bit < 64; bit++) {
                u64 v = list[i] ^ BIT64(bit);
                bool is = bsearch(&v, list, n, sizeof(*list), by_value) != NULL;

                assert_int_equal(a64_logic_fits(w, v), is);
            }
        }
    }
}

static void logic_takes_bitmasks(void **state)
{
    static u64 list[BITMASKS];
    struct asm_check *k = *state;

    for (enum width w = W32; w <= W64; w++) {
        unsigned n = list_bitmasks(w, list);

        for (unsigned i = 0; i < n; i++) {
            enum a64_logic op = 2 * (i % 4);
            u8 d = i / 4 % 31, s = i / 128 % 31;
            u64 inverted = w == W64 ? ~list[i] : (u32)~list[i];

            a64_logic_ri(&k->c, op, w, d, s, list[i]);
            expect_number(k, list[i], bits(w), "%s %s, %s, #", logic_names[op], reg(w, d),
                          reg(w, s));
            a64_logic_ri(&k->c, op | 1, w, d, s, inverted);
            expect_number(k, list[i], bits(w), "%s %s, %s, #", logic_names[op], reg(w, d),
                          reg(w, s));
            a64_tst_ri(&k->c, w, s, list[i]);
            expect_number(k, list[i], bits(w), "tst %s, #", reg(w, s));
        }
        a64_logic_ri(&k->c, A64_AND, w, XSP, X1, 0xf0);
        expect(k, "and %s, %s, #0xf0", reg_or_sp(w, XSP), reg(w, X1));
        a64_logic_ri(&k->c, A64_EOR, w, X30, XZR, 0xf0);
        expect(k, "eor %s, %s, #0xf0", reg(w, X30), reg(w, XZR));
    }
}

/* --- moves of numbers --- */

static void half_words_are_moved(void **state)
{
    static const u16 imms[] = {1, 0x1234, 0xffff};
    struct asm_check *k = *state;

    for (u8 d = X0; d <= XZR; d++) {
        for (unsigned i = 0; i < 3 * 6; i++) {
            enum width w = i / 3 < 2 ? W32 : W64;
            u8 shift = (u8)(16 * (w == W32 ? i / 3 : i / 3 - 2));
            u16 imm = imms[i % 3];
            char lsl[16] = "";

            if (shift)
                snprintf(lsl, sizeof(lsl), ", lsl #%d", shift);
            a64_movk(&k->c, w, d, imm, shift);
            expect(k, "movk %s, #0x%x%s", reg(w, d), imm, lsl);
            /* Some versions of capstone write the number that the register gets. */
            a64_movz(&k->c, w, d, imm, shift);
            look(k);
            if (strncmp(k->text, "movz", 4) == 0) {
                char text[64];
                snprintf(text, sizeof(text), "movz %s, #0x%x%s", reg(w, d), imm, lsl);
                expect_same(k, text);
            } else {
                a64_movz(&k->c, w, d, imm, shift);
                expect_number(k, (u64)imm << shift, bits(w), "mov %s, #", reg(w, d));
            }
            a64_movn(&k->c, w, d, imm, shift);
            look(k);
            if (strncmp(k->text, "movn", 4) == 0) {
                char text[64];
                snprintf(text, sizeof(text), "movn %s, #0x%x%s", reg(w, d), imm, lsl);
                expect_same(k, text);
            } else {
                a64_movn(&k->c, w, d, imm, shift);
                expect_number(k, ~((u64)imm << shift), bits(w), "mov %s, #", reg(w, d));
            }
        }
    }
}

/* What the instructions in the buffer leave in register @d, and how many they are. */
static u64 run_moves(struct asm_check *k, u8 d, unsigned *count)
{
    u64 v = 0x5555555555555555;

    *count = codebuf_off(&k->c) / 4;
    for (unsigned i = 0; i < *count; i++) {
        u32 word = k->bytes[4 * i] | k->bytes[4 * i + 1] << 8 | k->bytes[4 * i + 2] << 16 |
                   (u32)k->bytes[4 * i + 3] << 24;
        unsigned shift = 16 * (word >> 21 & 3);
        u64 half = (u64)(word >> 5 & 0xffff) << shift;

        assert_int_equal(word & 31, d);
        switch (word >> 23 & 0xff) {
        case 0xa5: /* MOVZ */
            v = half;
            break;
        case 0x25: /* MOVN */
            v = ~half;
            break;
        case 0xe5: /* MOVK */
            v = (v & ~((u64)0xffff << shift)) | half;
            break;
        case 0x64: /* ORR */
            assert_int_equal(word >> 5 & 31, XZR);
            assert_true(decode_bitmask(word >> 22 & 1, word >> 10 & 63, word >> 16 & 63, &v));
            break;
        default:
            fail_msg("%08x is not a move", word);
        }
        if (!(word >> 31))
            v = (u32)v;
    }
    k->c.at = k->c.start;
    return v;
}

static void expect_moves(struct asm_check *k, u64 imm, unsigned at_most)
{
    unsigned count;
    u8 d = (u8)(imm % 31);

    a64_mov_ri64(&k->c, d, imm);
    assert_int_equal(run_moves(k, d, &count), imm);
    assert_in_range(count, 1, at_most);
}

static void numbers_take_few_instructions(void **state)
{
    static const struct {
        u64 imm;
        unsigned count;
    } rows[] = {
        {0, 1},
        {1, 1},
        {0xffff, 1},
        {0x10000, 1},
        {0x12345678, 2},
        {0xffff1234, 1}, /* MOVN of a W register */
        {0x1234ffff, 1},
        {0xffffffff, 1},
        {0xfffffff0, 1},
        {0xff00ff00, 1}, /* ORR */
        {0x7ffffff1, 2},
        {0x100000000, 1},
        {0x123400000000, 1},
        {0x1234000056780000, 2},
        {0x123400005678abcd, 3},
        {0x123456789abcdef0, 4},
        {UINT64_MAX, 1},
        {0xffffffffffff1234, 1},
        {0xffff1234ffffffff, 1},
        {0xffff1234ffff5678, 2},
        {0xfff5123456789abc, 4},
        {0xffff123456789abc, 3},
        {0x00ff00ff00ff00ff, 1}, /* ORR */
        {0x00ff00ff00ff1234, 2}, /* ORR, MOVK */
        {0x123400ff00ff00ff, 2},
        {0xff00ff00ff00edcb, 2},
        {0xff00ff00edcbff00, 2},
        {0x00ffffffffff1234, 2},
        {0x5555555555555555, 1},
        {0xffffffff80000000, 1},
        {0xffffffff12345678, 2},
    };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        expect_moves(*state, rows[i].imm, rows[i].count);
}

static void any_number_is_moved(void **state)
{
    static const u16 halves[] = {0, 0xffff, 0x1234, 0x8000, 0x00ff, 0x5555, 1};
    static u64 list[BITMASKS];
    u64 random = 1;

    for (unsigned i = 0; i < 7 * 7 * 7 * 7; i++) {
        unsigned at[] = {i % 7, i / 7 % 7, i / 49 % 7, i / 343 % 7};
        unsigned zeros = 0, ones = 0;
        u64 imm = 0;

        for (unsigned j = 0; j < 4; j++) {
            zeros += halves[at[j]] == 0;
            ones += halves[at[j]] == 0xffff;
            imm |= (u64)halves[at[j]] << 16 * j;
        }
        unsigned usual = zeros > ones ? zeros : ones;
        expect_moves(*state, imm, usual == 4 ? 1 : 4 - usual);
    }
    for (enum width w = W32; w <= W64; w++) {
        unsigned n = list_bitmasks(w, list);

        for (unsigned i = 0; i < n; i++)
            expect_moves(*state, list[i], 1);
    }
    for (unsigned i = 0; i < 100000; i++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        expect_moves(*state, random >> i % 64, i % 64 < 32 ? 4 : 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(exactly_the_bitmasks_fit),      TEST(logic_takes_bitmasks), TEST(half_words_are_moved),
        TEST(numbers_take_few_instructions), TEST(any_number_is_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
