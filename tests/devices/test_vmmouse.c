/* SPDX-License-Identifier: MIT */
/* The absolute pointing device behind VMware's port, as a driver calls it. */
#include "devices/ps2mouse.h"
#include "devices/vmmouse.h"
#include "tests/support/device_state.h"

#define PORT  0x5658
#define MAGIC 0x564d5868u
#define ID    0x3442554au

enum { VERSION = 10, DATA = 39, STATUS = 40, COMMAND = 41 };

struct board {
    struct ioport_bus *io;
    struct vmmouse *mouse;
    struct vmmouse_regs r;
    struct spy news;
};

static void get_regs(void *ctx, struct vmmouse_regs *r)
{
    *r = ((struct board *)ctx)->r;
}

static void set_regs(void *ctx, const struct vmmouse_regs *r)
{
    ((struct board *)ctx)->r = *r;
}

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    b->io = ioport_create();
    struct vmmouse_desc desc = {
        .io = b->io, .get = get_regs, .set = set_regs, .ctx = b, .news = spy_line(&b->news)};
    assert_int_equal(vmmouse_create(&b->mouse, &desc), STATUS_OK);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct board *b = *state;

    vmmouse_class.destroy(b->mouse);
    ioport_destroy(b->io);
    free(b);
    return 0;
}

static u32 call(struct board *b, u32 number, u32 argument)
{
    b->r = (struct vmmouse_regs){MAGIC, argument, number, PORT};
    b->r.eax = ioport_read(b->io, PORT, W32);
    return b->r.eax;
}

static void enable(struct board *b)
{
    call(b, COMMAND, 0x45414552);
    assert_int_equal(call(b, STATUS, 0), 1);
    assert_int_equal(call(b, DATA, 1), ID);
    call(b, COMMAND, 0x53424152);
}

static void check_packet(struct board *b, u32 head, u32 x, u32 y, u32 z)
{
    assert_int_equal(call(b, STATUS, 0) & 3, 0);
    assert_int_equal(call(b, DATA, 4), head);
    assert_int_equal(b->r.ebx, x);
    assert_int_equal(b->r.ecx, y);
    assert_int_equal(b->r.edx, z);
}

static void its_version_is_told_with_the_magic_number(void **state)
{
    struct board *b = *state;

    assert_int_equal(call(b, VERSION, 0), 6);
    assert_int_equal(b->r.ebx, MAGIC);
}

static void without_the_magic_number_the_port_floats(void **state)
{
    struct board *b = *state;

    b->r = (struct vmmouse_regs){1, 2, VERSION, PORT};
    assert_int_equal(ioport_read(b->io, PORT, W32), 0xffffffff);
    assert_int_equal(b->r.ebx, 2);
    b->r.eax = MAGIC;
    assert_int_equal(ioport_read(b->io, PORT, W16), 0xffff);
    assert_int_equal(ioport_read(b->io, PORT, W8), 0xff);
    assert_int_equal(b->r.ebx, 2);
}

static void an_unknown_call_returns_all_ones(void **state)
{
    struct board *b = *state;

    assert_int_equal(call(b, 45, 0xffffffff), 0xffffffff);
    assert_int_equal(b->r.ebx, 0xffffffff);
}

static void it_is_off_until_a_driver_enables_it(void **state)
{
    struct board *b = *state;

    assert_int_equal(call(b, STATUS, 0), 0xffff0000);
    assert_false(vmmouse_active(b->mouse));
    enable(b);
    assert_true(vmmouse_absolute(b->mouse));
    call(b, COMMAND, 0xf5);
    assert_int_equal(call(b, STATUS, 0), 0xffff0000);
    assert_false(vmmouse_active(b->mouse));
}

static void the_pointer_is_where_it_was_put(void **state)
{
    struct board *b = *state;

    enable(b);
    vmmouse_point(b->mouse, 100, 65535);
    assert_int_equal(b->news.rises, 1);
    assert_int_equal(call(b, STATUS, 0), 4);
    check_packet(b, 0, 100, 65535, 0);
    assert_true(vmmouse_idle(b->mouse));
}

static void places_that_nobody_fetched_become_the_last_one(void **state)
{
    struct board *b = *state;

    enable(b);
    for (u16 i = 1; i <= 1000; i++)
        vmmouse_point(b->mouse, i, (u16)(2 * i));
    assert_int_equal(call(b, STATUS, 0), 4);
    check_packet(b, 0, 1000, 2000, 0);
}

static void a_click_is_told_at_its_place(void **state)
{
    struct board *b = *state;

    enable(b);
    vmmouse_point(b->mouse, 1, 2);
    vmmouse_buttons(b->mouse, PS2MOUSE_LEFT);
    vmmouse_point(b->mouse, 3, 4);
    vmmouse_buttons(b->mouse, PS2MOUSE_RIGHT | PS2MOUSE_MIDDLE);
    check_packet(b, 0x00, 1, 2, 0);
    check_packet(b, 0x20, 3, 4, 0);
    check_packet(b, 0x18, 3, 4, 0);
    assert_int_equal(call(b, STATUS, 0), 0);
}

static void the_wheel_keeps_every_notch(void **state)
{
    struct board *b = *state;

    enable(b);
    vmmouse_move(b->mouse, 0, 0, 1);
    vmmouse_move(b->mouse, 0, 0, -1);
    check_packet(b, 0, 0, 0, 1);
    check_packet(b, 0, 0, 0, 0xffffffff);
}

static void movements_are_relative_and_up_is_positive(void **state)
{
    struct board *b = *state;

    enable(b);
    call(b, COMMAND, 0x4c455252);
    assert_true(vmmouse_active(b->mouse));
    assert_false(vmmouse_absolute(b->mouse));
    vmmouse_move(b->mouse, 5, 3, 0);
    check_packet(b, 0x10000, 5, (u32)-3, 0);
    vmmouse_buttons(b->mouse, PS2MOUSE_LEFT);
    check_packet(b, 0x10020, 0, 0, 0);
}

static void a_full_queue_drops_what_comes_and_keeps_what_is_there(void **state)
{
    struct board *b = *state;

    enable(b);
    for (unsigned i = 0; i < 1000; i++)
        vmmouse_move(b->mouse, (int)i + 1, 0, 0);
    assert_int_equal(call(b, STATUS, 0), 256);
    for (unsigned i = 0; i < 64; i++)
        check_packet(b, 0x10000, i + 1, 0, 0);
    assert_true(vmmouse_idle(b->mouse));
}

static void a_driver_that_asks_for_too_much_is_cut_off(void **state)
{
    struct board *b = *state;

    enable(b);
    vmmouse_point(b->mouse, 1, 1);
    assert_int_equal(call(b, DATA, 5), 0xffffffff);
    assert_int_equal(call(b, STATUS, 0), 0xffff0000);
}

static void a_loaded_device_goes_on(void **state)
{
    struct board *b = *state, *fresh;

    enable(b);
    vmmouse_point(b->mouse, 7, 8);
    vmmouse_buttons(b->mouse, PS2MOUSE_LEFT);
    assert_int_equal(setup((void **)&fresh), 0);
    check_save_load(&vmmouse_class, b->mouse, fresh->mouse);
    assert_true(vmmouse_absolute(fresh->mouse));
    check_packet(fresh, 0, 7, 8, 0);
    check_packet(fresh, 0x20, 7, 8, 0);
    teardown((void **)&fresh);
}

static void a_reset_turns_it_off(void **state)
{
    struct board *b = *state;

    enable(b);
    vmmouse_point(b->mouse, 7, 8);
    vmmouse_class.reset(b->mouse);
    assert_int_equal(call(b, STATUS, 0), 0xffff0000);
    assert_true(vmmouse_idle(b->mouse));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(its_version_is_told_with_the_magic_number),
        TEST(without_the_magic_number_the_port_floats),
        TEST(an_unknown_call_returns_all_ones),
        TEST(it_is_off_until_a_driver_enables_it),
        TEST(the_pointer_is_where_it_was_put),
        TEST(places_that_nobody_fetched_become_the_last_one),
        TEST(a_click_is_told_at_its_place),
        TEST(the_wheel_keeps_every_notch),
        TEST(movements_are_relative_and_up_is_positive),
        TEST(a_full_queue_drops_what_comes_and_keeps_what_is_there),
        TEST(a_driver_that_asks_for_too_much_is_cut_off),
        TEST(a_loaded_device_goes_on),
        TEST(a_reset_turns_it_off),
    };
    return cmocka_run_group_tests_name("vmmouse", tests, NULL, NULL);
}
