/* SPDX-License-Identifier: MIT */
#include "devices/uart16550.h"
#include "tests/support/device_state.h"

enum { RBR = 0x3f8, THR = 0x3f8, IER, IIR, LCR, MCR, LSR, MSR, SCR };

#define BIT_NS  8680u  /* 115200 baud */
#define CHAR_NS 86800u /* 8N1 */

struct board {
    struct ioport_bus *io;
    struct clock clk;
    struct uart16550 *uart;
    struct spy irq, dtr, rts;
    u8 sent[256];
    unsigned sent_count;
};

static void collect(void *ctx, u8 byte)
{
    struct board *b = ctx;

    b->sent[b->sent_count++ % sizeof(b->sent)] = byte;
}

static void out(struct board *b, u16 port, u8 val)
{
    ioport_write(b->io, port, val, W8);
}

static u8 in(struct board *b, u16 port)
{
    return (u8)ioport_read(b->io, port, W8);
}

static void create(struct board *b)
{
    b->io = ioport_create();
    clock_init(&b->clk, CLOCK_RATIO_DEFAULT);
    struct uart16550_desc desc = {
        .name = "com1",
        .io = b->io,
        .clk = &b->clk,
        .base = 0x3f8,
        .irq = spy_line(&b->irq),
        .dtr = spy_line(&b->dtr),
        .rts = spy_line(&b->rts),
        .out = {.put = collect, .ctx = b},
    };
    assert_int_equal(uart16550_create(&b->uart, &desc), STATUS_OK);
}

static void destroy(struct board *b)
{
    uart16550_class.destroy(b->uart);
    ioport_destroy(b->io);
}

/* 115200 8N1, interrupts gated through, FIFOs off. */
static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    create(b);
    clock_run(&b->clk, 1000000);
    out(b, LCR, 0x83);
    out(b, THR, 0x01);
    out(b, IER, 0x00);
    out(b, LCR, 0x03);
    out(b, MCR, 0x08);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    destroy(*state);
    free(*state);
    return 0;
}

static void reset_values_are_the_data_sheets(void **state)
{
    struct board *b = *state;

    uart16550_class.reset(b->uart);
    assert_int_equal(in(b, IER), 0x00);
    assert_int_equal(in(b, IIR), 0x01);
    assert_int_equal(in(b, LCR), 0x00);
    assert_int_equal(in(b, MCR), 0x00);
    assert_int_equal(in(b, LSR), 0x60);
    assert_int_equal(in(b, MSR), 0xb0);
    out(b, SCR, 0x5a);
    assert_int_equal(in(b, SCR), 0x5a);
}

static void the_divisor_hides_behind_dlab(void **state)
{
    struct board *b = *state;

    out(b, LCR, 0x80);
    out(b, THR, 0x34);
    out(b, IER, 0x12);
    assert_int_equal(in(b, RBR), 0x34);
    assert_int_equal(in(b, IER), 0x12);
    out(b, LCR, 0x03);
    assert_int_equal(in(b, IER), 0x00);
    assert_int_equal(b->sent_count, 0);
}

static void a_byte_is_sent_at_once_but_leaves_at_line_speed(void **state)
{
    struct board *b = *state;

    out(b, THR, 'A');
    assert_int_equal(b->sent_count, 1);
    assert_int_equal(b->sent[0], 'A');
    assert_int_equal(in(b, LSR), 0x00);
    clock_run(&b->clk, BIT_NS);
    assert_int_equal(in(b, LSR), 0x20);
    out(b, THR, 'B');
    assert_int_equal(in(b, LSR), 0x00);
    clock_run(&b->clk, CHAR_NS);
    assert_int_equal(in(b, LSR), 0x20);
    clock_run(&b->clk, CHAR_NS - 20);
    assert_int_equal(in(b, LSR), 0x20);
    clock_run(&b->clk, 20);
    assert_int_equal(in(b, LSR), 0x60);
    assert_true(clock_next(&b->clk) == CLOCK_NEVER);
}

static void thre_interrupts_when_enabled_and_after_each_fill(void **state)
{
    struct board *b = *state;

    out(b, IER, 0x02);
    assert_true(b->irq.level);
    assert_int_equal(in(b, IIR), 0x02);
    assert_false(b->irq.level);
    assert_int_equal(in(b, IIR), 0x01);
    out(b, 0x3fa, 0x01);
    for (unsigned i = 0; i < 16; i++)
        out(b, THR, (u8)i);
    clock_run(&b->clk, BIT_NS + 15 * CHAR_NS - 100);
    assert_false(b->irq.level);
    clock_run(&b->clk, 200);
    assert_true(b->irq.level);
    assert_int_equal(in(b, IIR), 0xc2);
    out(b, THR, 'x');
    assert_false(b->irq.level);
    assert_int_equal(b->sent_count, 17);
}

static void a_flood_of_writes_is_bounded(void **state)
{
    struct board *b = *state;

    for (unsigned i = 0; i < 10000; i++)
        out(b, THR, 'x');
    assert_int_equal(b->sent_count, 10000);
    clock_run(&b->clk, 18 * CHAR_NS);
    assert_int_equal(in(b, LSR), 0x60);
}

static void a_byte_is_received_without_fifo(void **state)
{
    struct board *b = *state;

    out(b, IER, 0x01);
    assert_true(uart16550_receive(b->uart, 'h'));
    assert_true(b->irq.level);
    assert_false(uart16550_can_receive(b->uart));
    assert_false(uart16550_receive(b->uart, 'i'));
    assert_int_equal(in(b, IIR), 0x04);
    assert_int_equal(in(b, LSR), 0x61);
    assert_int_equal(in(b, RBR), 'h');
    assert_false(b->irq.level);
    assert_int_equal(in(b, LSR), 0x60);
}

static void the_fifo_interrupts_at_its_trigger_or_times_out(void **state)
{
    struct board *b = *state;

    out(b, IIR, 0x41); /* trigger at 4 */
    out(b, IER, 0x01);
    for (u8 i = 0; i < 3; i++)
        uart16550_receive(b->uart, i);
    assert_false(b->irq.level);
    clock_run(&b->clk, 4 * CHAR_NS - 100);
    assert_false(b->irq.level);
    clock_run(&b->clk, 100);
    assert_true(b->irq.level);
    assert_int_equal(in(b, IIR), 0xcc);
    assert_int_equal(in(b, RBR), 0);
    assert_false(b->irq.level);
    uart16550_receive(b->uart, 3);
    uart16550_receive(b->uart, 4);
    assert_true(b->irq.level);
    assert_int_equal(in(b, IIR), 0xc4);
    for (u8 i = 1; i < 5; i++)
        assert_int_equal(in(b, RBR), i);
    assert_int_equal(in(b, IIR), 0xc1);
    clock_run(&b->clk, 10 * CHAR_NS);
    assert_false(b->irq.level);
    for (u8 i = 0; i < 16; i++)
        assert_true(uart16550_receive(b->uart, i));
    assert_false(uart16550_receive(b->uart, 16));
    out(b, IIR, 0x43);
    assert_int_equal(in(b, LSR), 0x60);
}

static void loopback_connects_everything(void **state)
{
    struct board *b = *state;

    out(b, MCR, 0x0b);
    assert_true(b->dtr.level && b->rts.level);
    out(b, MCR, 0x10);
    assert_false(b->dtr.level || b->rts.level);
    in(b, MSR);
    out(b, MCR, 0x14);
    assert_int_equal(in(b, MSR), 0x40);
    out(b, MCR, 0x10);
    assert_int_equal(in(b, MSR), 0x04); /* trailing edge of RI */
    out(b, MCR, 0x1a);
    assert_int_equal(in(b, MSR), 0x99);
    assert_int_equal(in(b, MSR), 0x90);
    out(b, LCR, 0x02);
    out(b, THR, 0xff);
    assert_int_equal(in(b, RBR), 0x7f);
    assert_int_equal(b->sent_count, 0);
    assert_false(uart16550_can_receive(b->uart));
}

static void loopback_overruns_like_a_real_fifo(void **state)
{
    struct board *b = *state;
    unsigned n = 0;

    out(b, IIR, 0x07);
    out(b, MCR, 0x13);
    for (unsigned i = 0; i < 256; i++)
        out(b, THR, (u8)i);
    assert_int_equal(in(b, LSR) & 0x03, 0x03);
    while (in(b, LSR) & 0x01)
        assert_int_equal(in(b, RBR), n++);
    assert_int_equal(n, 16); /* how drivers tell a 16550A */
}

static void a_break_is_a_line_error_of_its_byte(void **state)
{
    struct board *b = *state;

    out(b, IIR, 0x01);
    out(b, IER, 0x05);
    uart16550_receive(b->uart, 'a');
    assert_true(uart16550_receive_break(b->uart));
    assert_int_equal(in(b, IIR), 0xc4);
    assert_int_equal(in(b, LSR), 0xe1); /* somewhere in the FIFO */
    in(b, RBR);
    assert_int_equal(in(b, IIR), 0xc6);
    assert_int_equal(in(b, LSR), 0xf9);
    assert_int_equal(in(b, LSR), 0x61);
    assert_int_equal(in(b, RBR), 0);
}

static void modem_wires_interrupt_by_their_changes(void **state)
{
    struct board *b = *state;

    out(b, IER, 0x08);
    uart16550_set_modem(b->uart, UART16550_DSR | UART16550_DCD);
    assert_true(b->irq.level);
    assert_int_equal(in(b, IIR), 0x00);
    assert_int_equal(in(b, MSR), 0xa1);
    assert_false(b->irq.level);
}

static void out2_gates_the_interrupt(void **state)
{
    struct board *b = *state;

    out(b, MCR, 0x00);
    out(b, IER, 0x01);
    uart16550_receive(b->uart, 'a');
    assert_false(b->irq.level);
    assert_int_equal(in(b, IIR), 0x04);
    out(b, MCR, 0x08);
    assert_true(b->irq.level);
}

static void state_survives_a_save_and_a_load(void **state)
{
    struct board *b = *state;
    struct board c = {0};

    create(&c);
    out(b, IIR, 0x81);
    out(b, IER, 0x0f);
    out(b, MCR, 0x0b);
    uart16550_receive(b->uart, 'q');
    uart16550_receive_break(b->uart);
    out(b, THR, 'z');
    clock_skip(&c.clk, clock_now(&b->clk));
    check_save_load(&uart16550_class, b->uart, c.uart);
    assert_int_equal(c.irq.level, b->irq.level);
    assert_true(c.dtr.level);
    assert_int_equal(in(&c, RBR), 'q');
    destroy(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(reset_values_are_the_data_sheets),
        T(the_divisor_hides_behind_dlab),
        T(a_byte_is_sent_at_once_but_leaves_at_line_speed),
        T(thre_interrupts_when_enabled_and_after_each_fill),
        T(a_flood_of_writes_is_bounded),
        T(a_byte_is_received_without_fifo),
        T(the_fifo_interrupts_at_its_trigger_or_times_out),
        T(loopback_connects_everything),
        T(loopback_overruns_like_a_real_fifo),
        T(a_break_is_a_line_error_of_its_byte),
        T(modem_wires_interrupt_by_their_changes),
        T(out2_gates_the_interrupt),
        T(state_survives_a_save_and_a_load),
    };
    return cmocka_run_group_tests_name("uart16550", tests, NULL, NULL);
}
