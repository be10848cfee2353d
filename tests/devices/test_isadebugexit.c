/* SPDX-License-Identifier: MIT */
#include "devices/isadebugexit.h"
#include "tests/support/device_state.h"

struct board {
    struct ioport_bus *io;
    struct isadebugexit *port;
    unsigned calls;
    u32 code;
};

static void spy_exit(void *ctx, u32 code)
{
    struct board *b = ctx;

    b->calls++;
    b->code = code;
}

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    b->io = ioport_create();
    struct isadebugexit_desc desc = {
        .io = b->io, .iobase = 0xf4, .iosize = 4, .exit = spy_exit, .ctx = b};
    *state = b;
    return isadebugexit_create(&b->port, &desc);
}

static int teardown(void **state)
{
    struct board *b = *state;

    isadebugexit_class.destroy(b->port);
    ioport_destroy(b->io);
    free(b);
    return 0;
}

static void a_byte_gives_an_odd_code(void **state)
{
    struct board *b = *state;

    ioport_write(b->io, 0xf4, 0x10, W8);
    assert_int_equal(b->calls, 1);
    assert_int_equal(b->code, 0x21);
}

static void a_dword_arrives_whole(void **state)
{
    struct board *b = *state;

    ioport_write(b->io, 0xf4, 0x12345, W32);
    assert_int_equal(b->calls, 1);
    assert_int_equal(b->code, 0x2468b);
}

static void a_read_does_nothing(void **state)
{
    struct board *b = *state;

    assert_int_equal(ioport_read(b->io, 0xf4, W32), 0);
    assert_int_equal(b->calls, 0);
}

static void state_survives_a_save_and_a_load(void **state)
{
    struct board *b = *state;
    struct isadebugexit *other = NULL;
    struct isadebugexit_desc desc = {.io = b->io, .iobase = 0x501, .iosize = 2};

    assert_int_equal(isadebugexit_create(&other, &desc), STATUS_OK);
    check_save_load(&isadebugexit_class, b->port, other);
    ioport_write(b->io, 0x501, 0, W8); /* nobody listens */
    isadebugexit_class.destroy(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_byte_gives_an_odd_code, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dword_arrives_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(a_read_does_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(state_survives_a_save_and_a_load, setup, teardown),
    };
    return cmocka_run_group_tests_name("isadebugexit", tests, NULL, NULL);
}
