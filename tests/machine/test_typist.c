/* SPDX-License-Identifier: MIT */
#include "machine/keymap.h"
#include "machine/typist.h"
#include "tests/support/device_state.h"

#define MS 1000000ull

struct desk {
    struct clock clk;
    struct ps2kbd *kbd;
    struct typist *typist;
    char error[TYPIST_ERROR_MAX];
};

static int setup(void **state)
{
    struct desk *d = calloc(1, sizeof(*d));

    clock_init(&d->clk, CLOCK_RATIO_DEFAULT);
    assert_int_equal(ps2kbd_create(&d->kbd, &(struct ps2kbd_desc){.ready = {0}}), STATUS_OK);
    assert_int_equal(typist_create(&d->typist, &d->clk, d->kbd), STATUS_OK);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    struct desk *d = *state;

    typist_destroy(d->typist);
    ps2kbd_class.destroy(d->kbd);
    free(d);
    return 0;
}

/* What the keyboard sends, in scan code set 1, read as fast as it comes. */
static void expect(struct desk *d, const u8 *codes, unsigned n)
{
    bool release = false;

    for (unsigned i = 0; i < n;) {
        for (unsigned k = 0; k < 1000 && !ps2kbd_ops.pending(d->kbd); k++)
            clock_run(&d->clk, MS);
        assert_true(ps2kbd_ops.pending(d->kbd));
        u8 byte = ps2kbd_ops.take(d->kbd);
        if (byte == 0xf0) {
            release = true;
            continue;
        }
        byte = byte < 0x80 ? (u8)(ps2_set2_to_set1[byte] | (release ? 0x80 : 0)) : byte;
        release = false;
        assert_int_equal(byte, codes[i]);
        i++;
    }
    clock_run(&d->clk, 1000 * MS);
    assert_false(ps2kbd_ops.pending(d->kbd));
}

#define EXPECT(d, ...) expect(d, (const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__}))

static void text_becomes_keys(void **state)
{
    struct desk *d = *state;

    assert_int_equal(typist_add(d->typist, 0, "aB\\n", d->error), STATUS_OK);
    EXPECT(d, 0x1e, 0x9e, 0x2a, 0x30, 0xb0, 0xaa, 0x1c, 0x9c);
    assert_int_equal(typist_add(d->typist, 0, "<<<f1><ctrl-alt-delete>", d->error), STATUS_OK);
    EXPECT(d, 0x2a, 0x33, 0xb3, 0xaa, 0x3b, 0xbb, 0x1d, 0x38, 0xe0, 0x53, 0xe0, 0xd3, 0xb8, 0x9d);
    assert_int_equal(typist_add(d->typist, 0, "<down>a<up>", d->error), STATUS_OK);
    EXPECT(d, 0xe0, 0x50, 0xe0, 0xd0, 0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8);
}

static void letters_keep_their_case_under_caps_lock(void **state)
{
    struct desk *d = *state;

    ps2kbd_ops.write(d->kbd, 0xed);
    ps2kbd_ops.write(d->kbd, 4);
    assert_int_equal(ps2kbd_ops.take(d->kbd), 0xfa);
    assert_int_equal(ps2kbd_ops.take(d->kbd), 0xfa);
    assert_int_equal(typist_add(d->typist, 0, "aB1!<c>", d->error), STATUS_OK);
    EXPECT(d, 0x2a, 0x1e, 0x9e, 0xaa, 0x30, 0xb0, 0x02, 0x82, 0x2a, 0x02, 0x82, 0xaa, 0x2e, 0xae);
}

static void keys_wait_for_their_time_and_for_the_guest(void **state)
{
    struct desk *d = *state;

    assert_int_equal(typist_add(d->typist, 500 * MS, "a<2s>b", d->error), STATUS_OK);
    clock_run_to(&d->clk, 499 * MS);
    assert_false(ps2kbd_ops.pending(d->kbd));
    clock_run_to(&d->clk, 500 * MS);
    assert_true(ps2kbd_ops.pending(d->kbd));
    clock_run_to(&d->clk, 5000 * MS); /* nobody reads: nothing more is typed */
    assert_int_equal(ps2kbd_ops.take(d->kbd), 0x1c);
    assert_int_equal(ps2kbd_ops.take(d->kbd), 0xf0);
    assert_int_equal(ps2kbd_ops.take(d->kbd), 0x1c);
    assert_false(ps2kbd_ops.pending(d->kbd));
    clock_run(&d->clk, 20 * MS);
    assert_true(ps2kbd_ops.pending(d->kbd));
}

/* What has its time does not keep others waiting, whatever was said first. */
static void a_time_to_come_does_not_hold_up_what_is_typed_now(void **state)
{
    struct desk *d = *state;

    assert_int_equal(typist_add(d->typist, 60000 * MS, "c", d->error), STATUS_OK);
    assert_int_equal(typist_add(d->typist, 9000 * MS, "b<1s>", d->error), STATUS_OK);
    assert_true(typist_done(d->typist));
    assert_int_equal(typist_add(d->typist, 0, "a", d->error), STATUS_OK);
    assert_false(typist_done(d->typist));
    clock_run(&d->clk, 10 * MS); /* it is held: what comes now is after it, in its order */
    assert_int_equal(typist_add(d->typist, 0, "d", d->error), STATUS_OK);
    assert_int_equal(typist_add(d->typist, 0, "e", d->error), STATUS_OK);
    EXPECT(d, 0x1e, 0x9e, 0x20, 0xa0, 0x12, 0x92);
    assert_true(typist_done(d->typist));
    clock_run_to(&d->clk, 9000 * MS);
    assert_false(typist_done(d->typist));
    EXPECT(d, 0x30, 0xb0);
    clock_run_to(&d->clk, 60000 * MS - 1);
    assert_true(typist_done(d->typist));
    assert_false(ps2kbd_ops.pending(d->kbd));
    EXPECT(d, 0x2e, 0xae);
    assert_true(typist_done(d->typist));
}

static void what_is_no_key_is_refused_whole(void **state)
{
    struct desk *d = *state;

    assert_int_equal(typist_add(d->typist, 0, "ab<hyper>", d->error), STATUS_BAD_VALUE);
    assert_non_null(strstr(d->error, "<hyper>"));
    assert_int_equal(typist_add(d->typist, 0, "a<b", d->error), STATUS_BAD_VALUE);
    assert_int_equal(typist_add(d->typist, 0, "\xc3\xa4", d->error), STATUS_BAD_VALUE);
    assert_int_equal(typist_add(d->typist, 0, "<ctrl->", d->error), STATUS_BAD_VALUE);
    assert_int_equal(typist_add(d->typist, 0, "<>", d->error), STATUS_BAD_VALUE);
    assert_int_equal(typist_add(d->typist, 0, "a\\x41", d->error), STATUS_BAD_VALUE);
    assert_non_null(strstr(d->error, "'\\x'"));
    clock_run(&d->clk, 1000 * MS);
    assert_false(ps2kbd_ops.pending(d->kbd));
}

static void every_printable_character_has_a_key(void **state)
{
    bool shift;

    (void)state;
    for (char c = ' '; c < 127; c++)
        assert_int_not_equal(keymap_char(c, &shift), 0);
    assert_int_equal(keymap_char(0, &shift), 0);
    assert_int_equal(keymap_name("up", 2), 0xe048);
    assert_int_equal(keymap_name("del", 3), keymap_name("delete", 6));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(text_becomes_keys),
        TEST(letters_keep_their_case_under_caps_lock),
        TEST(keys_wait_for_their_time_and_for_the_guest),
        TEST(a_time_to_come_does_not_hold_up_what_is_typed_now),
        TEST(what_is_no_key_is_refused_whole),
        TEST(every_printable_character_has_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
