/* SPDX-License-Identifier: MIT */
#include "devices/debugport.h"
#include "tests/support/device_state.h"

struct board {
    struct ioport_bus *io;
    struct debugport *port;
    char got[16];
    unsigned count;
};

static void collect(void *ctx, u8 byte)
{
    struct board *b = ctx;

    if (b->count < sizeof(b->got) - 1)
        b->got[b->count++] = (char)byte;
}

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    b->io = ioport_create();
    struct debugport_desc desc = {
        .io = b->io, .port = DEBUGPORT_DEFAULT, .out = {.put = collect, .ctx = b}};
    *state = b;
    return debugport_create(&b->port, &desc);
}

static int teardown(void **state)
{
    struct board *b = *state;

    debugport_class.destroy(b->port);
    ioport_destroy(b->io);
    free(b);
    return 0;
}

static void bytes_go_to_the_sink(void **state)
{
    struct board *b = *state;

    ioport_write(b->io, 0xe9, 'h', W8);
    ioport_write(b->io, 0xe9, 'i', W8);
    assert_string_equal(b->got, "hi");
}

static void a_read_tells_that_it_is_there(void **state)
{
    struct board *b = *state;

    assert_int_equal(ioport_read(b->io, 0xe9, W8), 0xe9);
}

static void state_survives_a_save_and_a_load(void **state)
{
    struct board *b = *state;
    struct debugport *other = NULL;
    struct debugport_desc desc = {.io = b->io, .port = 0x402};

    assert_int_equal(debugport_create(&other, &desc), STATUS_OK);
    check_save_load(&debugport_class, b->port, other);
    ioport_write(b->io, 0x402, 'x', W8); /* no sink: dropped */
    debugport_class.destroy(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_go_to_the_sink, setup, teardown),
        cmocka_unit_test_setup_teardown(a_read_tells_that_it_is_there, setup, teardown),
        cmocka_unit_test_setup_teardown(state_survives_a_save_and_a_load, setup, teardown),
    };
    return cmocka_run_group_tests_name("debugport", tests, NULL, NULL);
}
