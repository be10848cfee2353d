/* SPDX-License-Identifier: MIT */
/* The A64 assembler: vectors and floating point, against capstone. */
#include "jit/a64/a64_vec.h"
#include "tests/jit/a64_operands.h"

/* An operation, and how capstone writes it: d n m stand for the numbers of the registers. */
struct row {
    u32 op;
    const char *text;
};

/* @format with the numbers of the registers in it. */
static const char *fill(const char *format, u8 d, u8 n, u8 m)
{
    static char text[128];
    size_t used = 0;

    for (const char *f = format; *f; f++) {
        u8 r = *f == 'D' ? d : *f == 'N' ? n : m;
        bool number = *f == 'D' || *f == 'N' || *f == 'M';
        used += (size_t)(number ? snprintf(text + used, sizeof(text) - used, "%u", r)
                                : snprintf(text + used, sizeof(text) - used, "%c", *f));
    }
    return text;
}

#define SIZED(op, w) ((op) | (u32)(w) << A64_VSIZE_SHIFT)
#define ALL_SIZES(op, name)                                                                        \
    {SIZED(op, W8), name " vD.16b, vN.16b, vM.16b"},                                               \
        {SIZED(op, W16), name " vD.8h, vN.8h, vM.8h"},                                             \
    {                                                                                              \
        SIZED(op, W32), name " vD.4s, vN.4s, vM.4s"                                                \
    }
#define FLOATS(op, name)                                                                           \
    {op, name " vD.4s, vN.4s, vM.4s"},                                                             \
    {                                                                                              \
        op | A64_VF64, name " vD.2d, vN.2d, vM.2d"                                                 \
    }
#define SCALARS(op, name)                                                                          \
    {op, name " sD, sN, sM"},                                                                      \
    {                                                                                              \
        op | A64_SF64, name " dD, dN, dM"                                                          \
    }

static const struct row three[] = {
    {A64_VAND, "and vD.16b, vN.16b, vM.16b"},
    {A64_VBIC, "bic vD.16b, vN.16b, vM.16b"},
    {A64_VEOR, "eor vD.16b, vN.16b, vM.16b"},
    {A64_VBSL, "bsl vD.16b, vN.16b, vM.16b"},
    ALL_SIZES(A64_VADD, "add"),
    {SIZED(A64_VADD, W64), "add vD.2d, vN.2d, vM.2d"},
    ALL_SIZES(A64_VSUB, "sub"),
    {SIZED(A64_VSUB, W64), "sub vD.2d, vN.2d, vM.2d"},
    ALL_SIZES(A64_VSQADD, "sqadd"),
    ALL_SIZES(A64_VUQADD, "uqadd"),
    ALL_SIZES(A64_VSQSUB, "sqsub"),
    ALL_SIZES(A64_VUQSUB, "uqsub"),
    ALL_SIZES(A64_VCMGT, "cmgt"),
    ALL_SIZES(A64_VCMEQ, "cmeq"),
    ALL_SIZES(A64_VSMAX, "smax"),
    ALL_SIZES(A64_VUMAX, "umax"),
    ALL_SIZES(A64_VSMIN, "smin"),
    ALL_SIZES(A64_VUMIN, "umin"),
    ALL_SIZES(A64_VURHADD, "urhadd"),
    ALL_SIZES(A64_VUABD, "uabd"),
    ALL_SIZES(A64_VMUL, "mul"),
    ALL_SIZES(A64_VADDP, "addp"),
    ALL_SIZES(A64_VZIP1, "zip1"),
    {SIZED(A64_VZIP1, W64), "zip1 vD.2d, vN.2d, vM.2d"},
    ALL_SIZES(A64_VZIP2, "zip2"),
    {SIZED(A64_VZIP2, W64), "zip2 vD.2d, vN.2d, vM.2d"},
    ALL_SIZES(A64_VUZP2, "uzp2"),
    {SIZED(A64_VSMULL, W16), "smull vD.4s, vN.4h, vM.4h"},
    {SIZED(A64_VSMULL2, W16), "smull2 vD.4s, vN.8h, vM.8h"},
    {SIZED(A64_VUMULL, W16), "umull vD.4s, vN.4h, vM.4h"},
    {SIZED(A64_VUMULL2, W16), "umull2 vD.4s, vN.8h, vM.8h"},
    {SIZED(A64_VUMULL, W32), "umull vD.2d, vN.2s, vM.2s"},
    FLOATS(A64_VFADD, "fadd"),
    FLOATS(A64_VFSUB, "fsub"),
    FLOATS(A64_VFMUL, "fmul"),
    FLOATS(A64_VFDIV, "fdiv"),
    FLOATS(A64_VFCMEQ, "fcmeq"),
    FLOATS(A64_VFCMGE, "fcmge"),
    FLOATS(A64_VFCMGT, "fcmgt"),
    SCALARS(A64_SFADD, "fadd"),
    SCALARS(A64_SFSUB, "fsub"),
    SCALARS(A64_SFMUL, "fmul"),
    SCALARS(A64_SFDIV, "fdiv"),
    SCALARS(A64_SFCMEQ, "fcmeq"),
    SCALARS(A64_SFCMGE, "fcmge"),
    SCALARS(A64_SFCMGT, "fcmgt"),
};

static const struct row two[] = {
    {A64_VMVN, "mvn vD.16b, vN.16b"},
    {SIZED(A64_VUADDLP, W8), "uaddlp vD.8h, vN.16b"},
    {SIZED(A64_VUADDLP, W16), "uaddlp vD.4s, vN.8h"},
    {SIZED(A64_VUADDLP, W32), "uaddlp vD.2d, vN.4s"},
    {SIZED(A64_VXTN, W32), "xtn vD.2s, vN.2d"},
    {SIZED(A64_VSQXTN, W8), "sqxtn vD.8b, vN.8h"},
    {SIZED(A64_VSQXTN2, W8), "sqxtn2 vD.16b, vN.8h"},
    {SIZED(A64_VSQXTN, W16), "sqxtn vD.4h, vN.4s"},
    {SIZED(A64_VSQXTN2, W16), "sqxtn2 vD.8h, vN.4s"},
    {SIZED(A64_VSQXTN, W32), "sqxtn vD.2s, vN.2d"},
    {SIZED(A64_VSQXTUN, W8), "sqxtun vD.8b, vN.8h"},
    {SIZED(A64_VSQXTUN2, W8), "sqxtun2 vD.16b, vN.8h"},
    {A64_VFSQRT, "fsqrt vD.4s, vN.4s"},
    {A64_VFSQRT | A64_VF64, "fsqrt vD.2d, vN.2d"},
    {A64_VFRINTX, "frintx vD.4s, vN.4s"},
    {A64_VFRINTX | A64_VF64, "frintx vD.2d, vN.2d"},
    {A64_VFCVTZS, "fcvtzs vD.4s, vN.4s"},
    {A64_VFCVTZS | A64_VF64, "fcvtzs vD.2d, vN.2d"},
    {A64_VSCVTF, "scvtf vD.4s, vN.4s"},
    {A64_VSCVTF | A64_VF64, "scvtf vD.2d, vN.2d"},
    {A64_VFCVTL, "fcvtl vD.2d, vN.2s"},
    {A64_VFCVTN, "fcvtn vD.2s, vN.2d"},
    {A64_SFSQRT, "fsqrt sD, sN"},
    {A64_SFSQRT | A64_SF64, "fsqrt dD, dN"},
    {A64_SFRINTX, "frintx sD, sN"},
    {A64_SFRINTX | A64_SF64, "frintx dD, dN"},
    {A64_SFCVT_D, "fcvt dD, sN"},
    {A64_SFCVT_S, "fcvt sD, dN"},
};

static void registers_stand_where_they_belong(void **state)
{
    struct asm_check *k = *state;

    for (u8 d = 0; d < 32; d++) {
        for (u8 n = 0; n < 32; n++) {
            u8 m = (u8)((5 * d + 3 * n + 7) % 32);
            if (m == n)
                m = (u8)((m + 1) % 32);
            for (unsigned i = 0; i < ARRAY_LEN(three); i++) {
                a64_vec3(&k->c, three[i].op, d, n, m);
                expect(k, "%s", fill(three[i].text, d, n, m));
            }
            for (unsigned i = 0; i < ARRAY_LEN(two); i++) {
                a64_vec2(&k->c, two[i].op, d, n);
                expect(k, "%s", fill(two[i].text, d, n, m));
            }
        }
    }
}

static void registers_are_moved_and_cleared(void **state)
{
    struct asm_check *k = *state;

    for (u8 d = 0; d < 32; d++) {
        u8 n = (u8)((7 * d + 3) % 32);
        a64_vmov(&k->c, d, n);
        expect(k, "mov v%u.16b, v%u.16b", d, n);
        a64_vec3(&k->c, A64_VORR_LOW, d, n, n);
        expect(k, "mov v%u.8b, v%u.8b", d, n);
        a64_vzero(&k->c, d);
        expect_number(k, 0, 64, "movi v%u.2d, #", d);
    }
}

static void general_registers_give_and_take(void **state)
{
    struct asm_check *k = *state;

    for (u8 d = 0; d < 32; d++) {
        u8 n = (u8)((7 * d + 3) % 32);
        a64_vec2(&k->c, A64_FMOV_W_S, d, n);
        expect(k, "fmov %s, s%u", reg(W32, d), n);
        a64_vec2(&k->c, A64_FMOV_S_W, d, n);
        expect(k, "fmov s%u, %s", d, reg(W32, n));
        a64_vec2(&k->c, A64_SFCVTZS, d, n);
        expect(k, "fcvtzs %s, s%u", reg(W32, d), n);
        a64_vec2(&k->c, A64_SFCVTZS | A64_SF64, d, n);
        expect(k, "fcvtzs %s, d%u", reg(W32, d), n);
        a64_vec2(&k->c, A64_SSCVTF, d, n);
        expect(k, "scvtf s%u, %s", d, reg(W32, n));
        a64_vec2(&k->c, A64_SSCVTF | A64_SF64, d, n);
        expect(k, "scvtf d%u, %s", d, reg(W32, n));
    }
}

static void elements_have_numbers(void **state)
{
    static const char *const types[] = {"16b", "8h", "4s", "2d"};
    static const char letters[] = "bhsd";
    struct asm_check *k = *state;

    for (enum width w = W8; w <= W64; w++) {
        for (u8 i = 0; i < 16u >> w; i++) {
            u8 d = (u8)(31 - i), n = 3 + i, other = (u8)((16u >> w) - 1 - i);
            struct number at = num(i), from = num(other); /* "#0xf"; here it has no "#" */
            a64_vdup(&k->c, w, d, n, i);
            expect(k, "dup v%u.%s, v%u.%c[%s]", d, types[w], n, letters[w], at.text + 1);
            a64_vins(&k->c, w, d, i, n, other);
            expect(k, "ins v%u.%c[%s], v%u.%c[%s]", d, letters[w], at.text + 1, n, letters[w],
                   from.text + 1);
            a64_vins_r(&k->c, w, d, i, n);
            expect(k, "ins v%u.%c[%s], %s", d, letters[w], at.text + 1, reg(w, n));
            a64_vumov(&k->c, w, d, n, i);
            expect(k, "%s %s, v%u.%c[%s]", w >= W32 ? "mov" : "umov", reg(w, d), n, letters[w],
                   at.text + 1);
        }
    }
    for (u8 i = 0; i < 16; i++) {
        a64_vext(&k->c, i, 31 - i, 7, i);
        expect(k, "ext v%u.16b, v%u.16b, v7.16b, %s", i, 31 - i, num(i).text);
    }
}

static void shifts_have_amounts(void **state)
{
    static const char *const names[] = {"shl", "ushr", "sshr", "usra"};
    static const char *const types[] = {"16b", "8h", "4s", "2d"};
    static const char *const halves[] = {"8b", "4h", "2s"};
    struct asm_check *k = *state;

    for (enum width w = W8; w <= W64; w++) {
        for (unsigned op = A64_VSHL; op <= A64_VUSRA; op++) {
            u8 first = op != A64_VSHL;
            for (u8 n = first; n < bits(w) + first; n++) {
                a64_vshift(&k->c, (enum a64_vshift)op, w, n % 32, 31 - n % 32, n);
                expect(k, "%s v%u.%s, v%u.%s, %s", names[op], n % 32, types[w], 31 - n % 32,
                       types[w], num(n).text);
            }
        }
        if (w < W64) {
            a64_vsxtl(&k->c, w, 30, 5);
            expect(k, "sshll v30.%s, v5.%s, #0", types[w + 1], halves[w]);
        }
    }
}

static void comparisons_may_signal(void **state)
{
    struct asm_check *k = *state;

    for (u8 n = 0; n < 32; n++) {
        u8 m = (u8)((7 * n + 3) % 32);
        a64_fcmp(&k->c, W32, n, m, false);
        expect(k, "fcmp s%u, s%u", n, m);
        a64_fcmp(&k->c, W32, n, m, true);
        expect(k, "fcmpe s%u, s%u", n, m);
        a64_fcmp(&k->c, W64, n, m, false);
        expect(k, "fcmp d%u, d%u", n, m);
        a64_fcmp(&k->c, W64, n, m, true);
        expect(k, "fcmpe d%u, d%u", n, m);
    }
}

static void memory_has_all_sizes(void **state)
{
    static const char letters[] = "bhsdq";
    struct asm_check *k = *state;

    for (unsigned size = 0; size <= A64_Q; size++) {
        for (u8 t = 0; t < 32; t++) {
            u8 n = (u8)((3 * t + 1) % 31), m = (u8)((5 * t + 2) % 31);
            u32 off = (1 + 127u * t) << size;
            a64_vldr(&k->c, size, t, n, off);
            expect(k, "ldr %c%u, [%s, %s]", letters[size], t, reg(W64, n), num(off).text);
            a64_vstr(&k->c, size, t, n, off);
            expect(k, "str %c%u, [%s, %s]", letters[size], t, reg(W64, n), num(off).text);
            a64_vldr_rr(&k->c, size, t, n, m);
            expect(k, "ldr %c%u, [%s, %s, uxtw]", letters[size], t, reg(W64, n), reg(W32, m));
            a64_vstr_rr(&k->c, size, t, n, m);
            expect(k, "str %c%u, [%s, %s, uxtw]", letters[size], t, reg(W64, n), reg(W32, m));
        }
    }
    for (i32 off = -1024; off <= 1008; off += 16) {
        u8 t = (u8)(off / 16 & 31);
        if (off == 0)
            continue;
        a64_vldp(&k->c, t, 31 - t, XSP, off);
        expect(k, "ldp q%u, q%u, [sp, %s]", t, 31 - t, num(off).text);
        a64_vstp(&k->c, t, 31 - t, X5, off);
        expect(k, "stp q%u, q%u, [x5, %s]", t, 31 - t, num(off).text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(registers_stand_where_they_belong),
        TEST(registers_are_moved_and_cleared),
        TEST(general_registers_give_and_take),
        TEST(elements_have_numbers),
        TEST(shifts_have_amounts),
        TEST(comparisons_may_signal),
        TEST(memory_has_all_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
