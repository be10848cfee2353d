/* SPDX-License-Identifier: MIT */
/* What terminals send, as strokes on a PC's keyboard. */
#include "frontend/keys.h"
#include "tests/support/check.h"

static void type(struct keys *k, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        keys_input(k, (u8)bytes[i]);
}

/* @bytes give exactly one stroke. */
#define EXPECT(bytes, wanted, mods)                                                                \
    do {                                                                                           \
        struct keys k_ = {.count = 0};                                                             \
        struct key_stroke s_;                                                                      \
        type(&k_, bytes, sizeof(bytes) - 1);                                                       \
        assert_int_equal(k_.len, 0);                                                               \
        assert_true(keys_take(&k_, &s_));                                                          \
        assert_int_equal(s_.key, wanted);                                                          \
        assert_int_equal(s_.modifiers, mods);                                                      \
        assert_false(keys_take(&k_, &s_));                                                         \
    } while (0)

static void characters_are_keys_and_shift(void **state)
{
    (void)state;
    EXPECT("a", 0x1e, 0);
    EXPECT("A", 0x1e, KEYS_SHIFT);
    EXPECT("1", 0x02, 0);
    EXPECT("!", 0x02, KEYS_SHIFT);
    EXPECT("m", 0x32, 0);
    EXPECT("/", 0x35, 0);
    EXPECT("?", 0x35, KEYS_SHIFT);
    EXPECT("\\", 0x2b, 0);
    EXPECT("~", 0x29, KEYS_SHIFT);
    EXPECT("\"", 0x28, KEYS_SHIFT);
    EXPECT(" ", 0x39, 0);
    EXPECT("=", 0x0d, 0);
}

static void control_characters_are_keys_and_ctrl(void **state)
{
    (void)state;
    EXPECT("\r", 0x1c, 0);
    EXPECT("\t", 0x0f, 0);
    EXPECT("\x7f", 0x0e, 0);
    EXPECT("\x03", 0x2e, KEYS_CTRL);
    EXPECT("\x1a", 0x2c, KEYS_CTRL);
    EXPECT("\x1c", 0x2b, KEYS_CTRL);
    EXPECT("\x1f", 0x0c, KEYS_CTRL | KEYS_SHIFT);
    EXPECT("\0", 0x39, KEYS_CTRL);
}

static void sequences_are_keys(void **state)
{
    (void)state;
    EXPECT("\x1b[A", 0xe048, 0);
    EXPECT("\x1bOB", 0xe050, 0);
    EXPECT("\x1b[H", 0xe047, 0);
    EXPECT("\x1b[1~", 0xe047, 0);
    EXPECT("\x1b[3~", 0xe053, 0);
    EXPECT("\x1b[5~", 0xe049, 0);
    EXPECT("\x1bOP", 0x3b, 0);
    EXPECT("\x1b[[C", 0x3d, 0);
    EXPECT("\x1b[15~", 0x3f, 0);
    EXPECT("\x1b[17~", 0x40, 0);
    EXPECT("\x1b[21~", 0x44, 0);
    EXPECT("\x1b[24~", 0x58, 0);
    EXPECT("\x1b[1;5C", 0xe04d, KEYS_CTRL);
    EXPECT("\x1b[3;2~", 0xe053, KEYS_SHIFT);
    EXPECT("\x1b[1;8P", 0x3b, KEYS_SHIFT | KEYS_ALT | KEYS_CTRL);
    EXPECT("\x1b[Z", 0x0f, KEYS_SHIFT);
}

static void escape_and_a_key_is_alt(void **state)
{
    (void)state;
    EXPECT("\x1bx", 0x2d, KEYS_ALT);
    EXPECT("\x1bX", 0x2d, KEYS_ALT | KEYS_SHIFT);
    EXPECT("\x1b\r", 0x1c, KEYS_ALT);
}

static void a_pause_makes_escape_the_key(void **state)
{
    struct keys k = {.count = 0};
    struct key_stroke s;

    (void)state;
    type(&k, "\x1b", 1);
    assert_false(keys_take(&k, &s));
    keys_pause(&k);
    assert_true(keys_take(&k, &s));
    assert_int_equal(s.key, 1);
    type(&k, "\x1b[", 2);
    keys_pause(&k);
    assert_true(keys_take(&k, &s));
    assert_int_equal(s.key, 0x1a);
    assert_int_equal(s.modifiers, KEYS_ALT);
    keys_pause(&k);
    assert_false(keys_take(&k, &s));
}

static void the_unknown_is_dropped_and_what_follows_is_not(void **state)
{
    static const char *const odd[] = {"\x1b[99~", "\x1b[?1;2c", "\x1bOz", "\x1b[200~", "\xc3\xa4"};
    struct key_stroke s;

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(odd); i++) {
        struct keys k = {.count = 0};
        type(&k, odd[i], strlen(odd[i]));
        type(&k, "q", 1);
        assert_true(keys_take(&k, &s));
        assert_int_equal(s.key, 0x10);
        assert_false(keys_take(&k, &s));
    }
}

static void anything_at_all_is_survived(void **state)
{
    static struct keys k;
    struct key_stroke s;
    u32 seed = 1;

    (void)state;
    for (unsigned i = 0; i < 1000000; i++) {
        seed = seed * 1664525 + 1013904223;
        keys_input(&k, seed >> 24 & 3 ? "\x1b[O;0123456789~ABZ"[seed >> 26 & 15] : (u8)(seed >> 8));
        assert_true(k.len < sizeof(k.sequence));
        if (seed >> 28 == 0)
            keys_pause(&k);
        if (seed >> 27 & 1)
            (void)keys_take(&k, &s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_are_keys_and_shift),
        cmocka_unit_test(control_characters_are_keys_and_ctrl),
        cmocka_unit_test(sequences_are_keys),
        cmocka_unit_test(escape_and_a_key_is_alt),
        cmocka_unit_test(a_pause_makes_escape_the_key),
        cmocka_unit_test(the_unknown_is_dropped_and_what_follows_is_not),
        cmocka_unit_test(anything_at_all_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
