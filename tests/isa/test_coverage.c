/* SPDX-License-Identifier: MIT */
/*
 * Every row of cpu/isa.def is proven somewhere: by the oracle, or, where user code on the host
 * cannot show all that it does, by the metal tests that tests/isa/system_rows.def names.
 */
#include <stdio.h>
#include <string.h>

#include "tests/isa/oracle.h"
#include "tests/support/check.h"

static const struct system_row {
    unsigned row;
    const char *text, *tests;
} system_rows[] = {
#define SYSTEM(row, text, tests) {INSN_##row, text, tests},
#include "tests/isa/system_rows.def"
#undef SYSTEM
};

static const struct system_row *find(unsigned row)
{
    for (size_t i = 0; i < ARRAY_LEN(system_rows); i++)
        if (system_rows[i].row == row)
            return &system_rows[i];
    return NULL;
}

static bool oracle_runs(unsigned row)
{
    return oracle_row_runs(row, FORM_IS_REG) || oracle_row_runs(row, FORM_IS_MEM) ||
           oracle_row_runs(row, FORM_IS_PLAIN);
}

/** To user code it is a fault, or depends on IOPL; 64-bit code is not of this machine yet. */
static bool is_system(unsigned row)
{
    const struct insn_def *d = &insn_def[row];

    return !(d->attr & ATTR_O64) && (!oracle_runs(row) || d->attr & (ATTR_Cpl0 | ATTR_Io) ||
                                     row == INSN_CLI || row == INSN_STI);
}

/** Does tests/metal/@name.asm have that text? */
static bool metal_test_has(const char *name, unsigned length, const char *text)
{
    char path[128], line[256];
    bool found = false;

    snprintf(path, sizeof(path), "tests/metal/%.*s.asm", (int)length, name);
    FILE *f = fopen(path, "r");
    while (f && !found && fgets(line, sizeof(line), f))
        found = line[0] != ';' && strstr(line, text);
    if (f)
        fclose(f);
    return found;
}

static void every_row_has_a_proof(void **state)
{
    unsigned bare = 0, user = 0;

    (void)state;
    for (unsigned row = 0; row < INSN__COUNT; row++) {
        user += oracle_runs(row);
        if (!is_system(row) || find(row))
            continue;
        print_error("%s: neither the oracle nor a metal test\n", insn_def[row].id);
        bare++;
    }
    printf("%u rows: %u run by the oracle, %u with metal tests\n", (unsigned)INSN__COUNT, user,
           (unsigned)ARRAY_LEN(system_rows));
    assert_int_equal(bare, 0);
}

static void metal_tests_have_the_instructions(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(system_rows); i++) {
        const struct system_row *s = &system_rows[i];
        assert_true(s->tests[0] != 0);
        for (const char *p = s->tests; *p; p += strspn(p, " ")) {
            unsigned length = (unsigned)strcspn(p, " ");
            if (!metal_test_has(p, length, s->text)) {
                print_error("%s: no \"%s\" in %.*s\n", insn_def[s->row].id, s->text, (int)length,
                            p);
                wrong++;
            }
            p += length;
        }
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_a_proof),
        cmocka_unit_test(metal_tests_have_the_instructions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
