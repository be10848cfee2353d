/* SPDX-License-Identifier: MIT */
/* Text from a clipboard, in the typist's notation. */
#include <stdlib.h>
#include <string.h>

#include "frontend/paste.h"
#include "tests/support/check.h"

static void expect(const char *clip, const char *text, unsigned left_out)
{
    struct paste p = paste_text(clip);

    assert_non_null(p.text);
    assert_string_equal(p.text, text);
    assert_int_equal(p.length, strlen(text));
    assert_int_equal(p.left_out, left_out);
    assert_false(p.cut);
    free(p.text);
}

static void what_the_typist_would_read_as_a_key_is_doubled(void **state)
{
    (void)state;
    expect("", "", 0);
    expect("echo hello", "echo hello", 0);
    expect("a<f1>b", "a<<f1>b", 0);
    expect("C:\\new\\temp", "C:\\\\new\\\\temp", 0);
    expect("<\\", "<<\\\\", 0);
}

static void a_key_is_a_character_or_a_doubled_one(void **state)
{
    (void)state;
    assert_int_equal(paste_key_length("ab"), 1);
    assert_int_equal(paste_key_length("<<b"), 2);
    assert_int_equal(paste_key_length("\\\\"), 2);
    assert_int_equal(paste_key_length("\n"), 1);
}

static void lines_end_with_enter_whatever_ended_them(void **state)
{
    (void)state;
    expect("a\nb\r\nc\rd\r\n\r\n", "a\nb\nc\nd\n\n", 0);
    expect("\ta", "\ta", 0);
}

static void what_typesetters_made_is_what_a_keyboard_has(void **state)
{
    (void)state;
    expect("\u201ca\u201d \u2018b\u2019\u00a0\u2013x \u2014 y", "\"a\" 'b' -x - y", 0);
}

static void what_no_key_has_is_left_out_and_counted(void **state)
{
    (void)state;
    expect("na\u00efve caf\u00e9", "nave caf", 2);
    expect("\u65e5\u672c\u8a9e!", "!", 3);
    expect("\U0001f600", "", 1);
    expect("\x80\xff\xe2", "", 3); /* no UTF-8 */
    expect("\x01x\x7f", "x", 2);
    expect("\x1b[31m\b", "[31m", 2);
}

static void too_much_is_cut_and_told(void **state)
{
    char *clip = malloc(PASTE_MAX + 2);

    (void)state;
    assert_non_null(clip);
    memset(clip, '<', PASTE_MAX + 1);
    for (unsigned more = 0; more < 2; more++) {
        clip[PASTE_MAX + more] = 0;
        struct paste p = paste_text(clip);
        assert_non_null(p.text);
        assert_int_equal(p.length, 2 * PASTE_MAX);
        assert_int_equal(p.cut, more);
        free(p.text);
        clip[PASTE_MAX] = '<';
    }
    free(clip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_typist_would_read_as_a_key_is_doubled),
        cmocka_unit_test(a_key_is_a_character_or_a_doubled_one),
        cmocka_unit_test(lines_end_with_enter_whatever_ended_them),
        cmocka_unit_test(what_typesetters_made_is_what_a_keyboard_has),
        cmocka_unit_test(what_no_key_has_is_left_out_and_counted),
        cmocka_unit_test(too_much_is_cut_and_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
