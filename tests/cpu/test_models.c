/* SPDX-License-Identifier: MIT */
/* Each CPU model shows its own features and no others: rows, CPUID, EFLAGS, CR4, MSRs. */
#include <assert.h>

#include "cpu/cpuid.h"
#include "cpu/decode_table.h"
#include "cpu/state.h"
#include "tests/support/little_pc.h"

enum { CODE = 0x7c00, HANDLER = 0x8000, RESULT = 0x5000, VEC_OF_UD = 6, VEC_OF_GP = 13 };

/** Is each row there if the model has its feature, and #UD otherwise? */
static void compare_rows(const struct cpu_model *m, const struct decode_table *all,
                         const struct decode_table *own)
{
    for (unsigned at = 0; at < MAP__COUNT * 256 * PFX__COUNT * 256; at++) {
        unsigned modrm = at & 255, pfx = at >> 8 & 3, op = at >> 10 & 255, map = at >> 18;
        u16 row = decode_table_row(all, map, (u8)op, pfx, (u8)modrm);
        u16 want = row != NO_ROW && model_has(m, insn_def[row].feat) ? row : NO_ROW;

        if (decode_table_row(own, map, (u8)op, pfx, (u8)modrm) != want)
            fail_msg("%s: map %u opcode %02x prefix %u modrm %02x", m->name, map, op, pfx, modrm);
    }
}

static void a_model_decodes_the_rows_of_its_features(void **state)
{
    struct decode_table *all, *own;

    (void)state;
    static_assert(PFX__COUNT == 4, "two bits");
    assert_int_equal(decode_table_create(&all, DECODE_ALL_FEATURES), STATUS_OK);
    for (const struct cpu_model *m = cpu_models; m->name; m++) {
        assert_int_equal(decode_table_create(&own, m->features), STATUS_OK);
        compare_rows(m, all, own);
        decode_table_destroy(own);
    }
    decode_table_destroy(all);
}

/** Leaf 1, EDX and ECX: bits that are shown are promised, and the other way around. */
static void cpuid_shows_what_a_model_has(void **state)
{
    static const struct {
        u8 feature, reg, bit;
        u32 leaf;
    } bits[] = {
#define EDX                   3
#define ECX                   2
#define CPUID_BIT(f, l, r, b) {FEAT_##f, r, b, l},
#include "cpu/cpuid_bits.def"
    };

    (void)state;
    for (const struct cpu_model *m = cpu_models; m->name; m++) {
        u32 want[4] = {0}, got[4];
        for (size_t i = 0; i < ARRAY_LEN(bits); i++)
            if (bits[i].leaf == 1 && model_has(m, bits[i].feature))
                want[bits[i].reg] |= BIT(bits[i].bit);
        cpuid_query(m, 1, 0, (struct cpuid_apic){.on = true}, got);
        assert_int_equal(got[EDX], want[EDX]);
        assert_int_equal(got[ECX], want[ECX]);
        assert_int_equal(got[0], cpu_model_signature(m));
    }
#undef EDX
#undef ECX
}

/* What these parts show [AP-485]; a model may show less, never more. */
static void no_model_shows_more_than_the_part(void **state)
{
    static const struct {
        const char *name;
        u32 signature, edx;
    } parts[] = {
        {"486", 0x480, 0x0000000b},         {"pentium", 0x52c, 0x000003bf},
        {"pentium-mmx", 0x543, 0x008003bf}, {"pentium2", 0x652, 0x0183fbff},
        {"pentium3", 0x686, 0x0383fbff},    {"pentium4", 0xf29, 0xbfebfbff},
        {"core2", 0x6f6, 0xbfebfbff},
    };
    u32 reg[4];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const struct cpu_model *m = cpu_model_find(parts[i].name);
        assert_non_null(m);
        cpuid_query(m, 1, 0, (struct cpuid_apic){.on = true}, reg);
        assert_int_equal(reg[0], parts[i].signature);
        if (reg[3] & ~parts[i].edx)
            fail_msg("%s: %08x has more than %08x", m->name, reg[3], parts[i].edx);
    }
}

/** Runs 16-bit code that ends with HLT; exceptions 6 and 13 end it too. */
static struct little_pc *run(const char *model, const u8 *code, size_t n)
{
    struct little_pc *pc = little_pc_create(model);
    static const u8 handlers[] = {
        0xc6, 0x06, 0x00, 0x50, 6,  0xf4, /* mov byte [5000h], 6; hlt */
        0xc6, 0x06, 0x00, 0x50, 13, 0xf4,
    };

    physmem_write(pc->pm, HANDLER, handlers, sizeof(handlers));
    physmem_store(pc->pm, VEC_OF_UD * 4, HANDLER, 4);
    physmem_store(pc->pm, VEC_OF_GP * 4, HANDLER + 6, 4);
    little_pc_load(pc, CODE, code, n);
    assert_int_equal(little_pc_run(pc, 1000), CPU_EXIT_HALTED);
    return pc;
}

static void end(struct little_pc *pc)
{
    void *state = pc;

    little_pc_teardown(&state);
}

/** Which exception, or 0; EAX at the end. */
static unsigned outcome(const char *model, const u8 *code, size_t n, u32 *eax)
{
    struct little_pc *pc = run(model, code, n);
    unsigned vector = (unsigned)physmem_load(pc->pm, RESULT, 1);

    *eax = (u32)pc->cpu->gpr[REG_AX];
    end(pc);
    return vector;
}

static void eflags_tells_386_486_and_later_apart(void **state)
{
    static const u8 code[] = {
        0x66, 0xb8, 0x00, 0x00, 0x24, 0x00, /* mov eax, AC | ID */
        0x66, 0x50, 0x66, 0x9d,             /* push eax; popfd  */
        0x66, 0x9c, 0x66, 0x58, 0xf4,       /* pushfd; pop eax  */
    };
    u32 eax;

    (void)state;
    assert_int_equal(outcome("386", code, sizeof(code), &eax), 0);
    assert_int_equal(eax & (FL_AC | FL_ID), 0);
    for (const struct cpu_model *m = cpu_models; m->name; m++) {
        if (!model_has(m, FEAT_486))
            continue;
        assert_int_equal(outcome(m->name, code, sizeof(code), &eax), 0);
        assert_int_equal(eax & (FL_AC | FL_ID), FL_AC | (model_has(m, FEAT_CPUID) ? FL_ID : 0));
    }
}

static void cr4_and_msrs_are_those_of_the_model(void **state)
{
    static const struct {
        u8 bit, feature;
    } cr4[] = {{0, FEAT_VME},    {1, FEAT_VME},  {2, FEAT_TSC},     {3, FEAT_DE},
               {4, FEAT_PSE},    {5, FEAT_PAE},  {7, FEAT_PGE},     {8, FEAT_RDPMC},
               {9, FEAT_FXSR},   {10, FEAT_SSE}, {11, FEAT__COUNT}, {13, FEAT__COUNT},
               {18, FEAT__COUNT}};
    static const u8 read_cs[] = {0x66, 0xb9, 0x74, 0x01, 0, 0, 0x0f, 0x32, 0xf4}; /* ECX = 174h */
    u32 eax;

    (void)state;
    for (const struct cpu_model *m = cpu_models; m->name; m++) {
        bool has_cr4 = model_has(m, FEAT_CPUID);
        for (size_t i = 0; i < ARRAY_LEN(cr4); i++) {
            u8 code[] = {0x66, 0xb8, 0, 0, 0, 0, 0x0f, 0x22, 0xe0, 0xf4}; /* mov cr4, eax */
            bool ours = cr4[i].feature < FEAT__COUNT && model_has(m, cr4[i].feature);
            code[2 + cr4[i].bit / 8] = (u8)BIT(cr4[i].bit % 8);
            unsigned want = ours ? 0 : has_cr4 ? VEC_OF_GP : VEC_OF_UD;
            if (outcome(m->name, code, sizeof(code), &eax) != want)
                fail_msg("%s: CR4 bit %u", m->name, cr4[i].bit);
        }
        unsigned want = model_has(m, FEAT_SEP) ? 0 : model_has(m, FEAT_MSR) ? VEC_OF_GP : VEC_OF_UD;
        assert_int_equal(outcome(m->name, read_cs, sizeof(read_cs), &eax), want);
    }
}

/* It came with the Pentium MMX and the Pentium Pro [SDM 2B RDPMC]. */
static void performance_counters_came_after_the_first_pentium(void **state)
{
    static const char *const without[] = {"386", "486", "pentium"};
    static const char *const with[] = {"pentium-mmx", "pentium2", "pentium3",
                                       "pentium4",    "core2",    "max"};
    static const u8 rdpmc[] = {0x66, 0x31, 0xc9, 0x0f, 0x33, 0xf4};           /* ECX = 0 */
    static const u8 pce[] = {0x66, 0xb8, 0, 1, 0, 0, 0x0f, 0x22, 0xe0, 0xf4}; /* CR4 = 100h */
    u32 eax;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(without); i++)
        assert_int_equal(outcome(without[i], rdpmc, sizeof(rdpmc), &eax), VEC_OF_UD);
    assert_int_equal(outcome("pentium", pce, sizeof(pce), &eax), VEC_OF_GP);
    for (size_t i = 0; i < ARRAY_LEN(with); i++) {
        assert_int_equal(outcome(with[i], rdpmc, sizeof(rdpmc), &eax), 0);
        assert_int_equal(outcome(with[i], pce, sizeof(pce), &eax), 0);
    }
}

/* A feature that stands on another. */
static void features_bring_what_they_need(void **state)
{
    static const u8 needs[][2] = {
        {FEAT_186, FEAT_8086},   {FEAT_286, FEAT_186},      {FEAT_386, FEAT_286},
        {FEAT_486, FEAT_386},    {FEAT_P5, FEAT_486},       {FEAT_P6, FEAT_P5},
        {FEAT_SSE, FEAT_FXSR},   {FEAT_SSE2, FEAT_SSE},     {FEAT_SSE3, FEAT_SSE2},
        {FEAT_SSSE3, FEAT_SSE3}, {FEAT_SSE41, FEAT_SSSE3},  {FEAT_SSE42, FEAT_SSE41},
        {FEAT_AES, FEAT_SSE42},  {FEAT_PCLMUL, FEAT_SSE42}, {FEAT_FCMOV, FEAT_CMOV},
        {FEAT_FCMOV, FEAT_FPU},  {FEAT_NX, FEAT_PAE},       {FEAT_SEP, FEAT_MSR},
        {FEAT_PSE36, FEAT_PSE},  {FEAT_MTRR, FEAT_MSR},     {FEAT_TSC, FEAT_P5},
    };

    (void)state;
    for (const struct cpu_model *m = cpu_models; m->name; m++)
        for (size_t i = 0; i < ARRAY_LEN(needs); i++)
            if (model_has(m, needs[i][0]) && !model_has(m, needs[i][1]))
                fail_msg("%s: feature %u without %u", m->name, needs[i][0], needs[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_decodes_the_rows_of_its_features),
        cmocka_unit_test(cpuid_shows_what_a_model_has),
        cmocka_unit_test(no_model_shows_more_than_the_part),
        cmocka_unit_test(eflags_tells_386_486_and_later_apart),
        cmocka_unit_test(cr4_and_msrs_are_those_of_the_model),
        cmocka_unit_test(performance_counters_came_after_the_first_pentium),
        cmocka_unit_test(features_bring_what_they_need),
    };

    return cmocka_run_group_tests_name("models", tests, NULL, NULL);
}
