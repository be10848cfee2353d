/* SPDX-License-Identifier: MIT */
/*
 * Every row of cpu/isa.def is proven somewhere: by the oracle, or, where user code on the host
 * cannot show all that it does, by the metal tests that tests/isa/system_rows.def names.
 */
#include <ctype.h>
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

/** The instruction of a line alone: no comment, nothing quoted, one blank for several. */
static void strip(const char *line, char *to)
{
    char quote = 0, last = ' ';

    for (; *line && *line != '\n' && (quote || *line != ';'); line++) {
        char c = *line == '\t' ? ' ' : *line;
        if (c == quote)
            quote = 0;
        else if (!quote && (c == '"' || c == '\'' || c == '`'))
            quote = c;
        else if (!quote && !(c == ' ' && last == ' '))
            *to++ = last = c;
    }
    *to = 0;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$' || c == '@';
}

/** Is @text in @line, from the start of a word to the end of one? With a '*' any end will do. */
static bool has_words(const char *line, const char *text)
{
    size_t n = strcspn(text, "*");

    for (const char *p = line; *p; p++) {
        if (strncmp(p, text, n) == 0 && (p == line || !is_word(p[-1])) &&
            (text[n] == '*' || !(is_word(p[n]) || p[n] == ':')))
            return true;
    }
    return false;
}

/** Has tests/metal/@name.asm those words in an instruction? */
static bool metal_test_has(const char *name, unsigned length, const char *text)
{
    char path[128], line[512], bare[512];
    bool found = false;

    snprintf(path, sizeof(path), "tests/metal/%.*s.asm", (int)length, name);
    FILE *f = fopen(path, "r");
    while (f && !found && fgets(line, sizeof(line), f)) {
        strip(line, bare);
        found = has_words(bare, text);
    }
    if (f)
        fclose(f);
    return found;
}

static void names_and_comments_are_no_instructions(void **state)
{
    static const struct {
        const char *line, *text;
        bool found;
    } cases[] = {
        {"        user_case \"ring 3: invd\", GP, 0, wbinvd", "invd", false},
        {"        user_case \"ring 3: wbinvd\", GP, 0, invd", "invd", true},
        {"        nop ; invd", "invd", false},
        {"        mov al, ';' ; invd", "invd", false},
        {"into_v86: ret", "into", false},
        {".int1:  int     0x40", "int1", false},
        {".int1:  int     0x40", "int 0x*", true},
        {"        int     0x40", "int 0x", false},
        {"into:", "into", false},
        {"        invd", "invd", true},
        {"a:      db      0xf1\n", "db 0xf1", true},
    };
    char bare[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        strip(cases[i].line, bare);
        if (has_words(bare, cases[i].text) != cases[i].found)
            fail_msg("\"%s\" in \"%s\"", cases[i].text, cases[i].line);
    }
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
        cmocka_unit_test(names_and_comments_are_no_instructions),
        cmocka_unit_test(metal_tests_have_the_instructions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
