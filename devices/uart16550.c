/* SPDX-License-Identifier: MIT */
/*
 * PC16550D UART. A byte leaves for the sink when it is written, but the guest sees it go at the
 * speed of the line: @thr_empty and @tx_empty are the times at which the transmitter holding
 * register (or FIFO) and the shift register run dry, and LSR follows from them and the clock.
 * A guest that does not wait for room loses no byte here, as it would on a real wire.
 *
 * References: [PC16550D]; the PC's use of OUT2 as interrupt enable: [PC-AT-TRM].
 * Not implemented: parity and framing errors of the line; DMA signalling (RXRDY, TXRDY pins);
 * sending a break; in loopback a byte arrives when it is written.
 */
#include "devices/uart16550.h"

#include <stdlib.h>

#include "base/log.h"

enum {
    UART_RBR_THR_DLL = 0,
    UART_IER_DLM = 1,
    UART_IIR_FCR = 2,
    UART_LCR = 3,
    UART_MCR = 4,
    UART_LSR = 5,
    UART_MSR = 6,
    UART_SCR = 7,

    IER_ERBFI = BIT(0), /* received data, and timeout */
    IER_ETBEI = BIT(1), /* transmitter empty          */
    IER_ELSI = BIT(2),  /* line status                */
    IER_EDSSI = BIT(3), /* modem status               */
    IER_WRITABLE = 0x0f,

    IIR_MODEM = 0x00,
    IIR_NONE = 0x01,
    IIR_THRE = 0x02,
    IIR_DATA = 0x04,
    IIR_LINE = 0x06,
    IIR_TIMEOUT = 0x0c,
    IIR_FIFOS = 0xc0,

    FCR_ENABLE = BIT(0),
    FCR_CLEAR_RX = BIT(1),
    FCR_CLEAR_TX = BIT(2),
    FCR_TRIGGER_SHIFT = 6,
    FCR_KEPT = 0xc9, /* the clear bits act once */

    LCR_WLS = 0x03, /* 5 bits + this */
    LCR_STB = BIT(2),
    LCR_PEN = BIT(3),
    LCR_DLAB = BIT(7),

    MCR_DTR = BIT(0),
    MCR_RTS = BIT(1),
    MCR_OUT1 = BIT(2),
    MCR_OUT2 = BIT(3),
    MCR_LOOP = BIT(4),
    MCR_WRITABLE = 0x1f,

    LSR_DR = BIT(0),
    LSR_OE = BIT(1),
    LSR_PE = BIT(2),
    LSR_FE = BIT(3),
    LSR_BI = BIT(4),
    LSR_THRE = BIT(5),
    LSR_TEMT = BIT(6),
    LSR_FIFO_ERROR = BIT(7),
    LSR_ERRORS = LSR_OE | LSR_PE | LSR_FE | LSR_BI,

    MSR_TERI = BIT(2), /* the other deltas stand four bits below their wires */
    MSR_DELTAS = 0x0f,
    MSR_WIRES = 0xf0,

    FIFO_SIZE = 16,
    CLOCK_HZ = 1843200,
    DIVISOR_9600 = 12,
};

struct uart16550 {
    struct uart16550_desc desc;
    u32 timer;

    u8 ier, fcr, lcr, mcr, scr;
    u16 divisor;
    u8 line_errors; /* LSR's error bits since it was last read       */
    u8 modem_wires; /* what the modem drives                         */
    u8 msr;         /* wires as the guest sees them, and their deltas */

    u64 thr_empty, tx_empty; /* ns; see above                          */
    bool thr_wait;           /* THRE will rise at @thr_empty            */
    bool thr_interrupt;      /* it rose, and nobody read IIR since      */

    u8 rx[FIFO_SIZE], rx_errors[FIFO_SIZE];
    u8 rx_head, rx_count;
    u64 rx_timeout; /* ns at which waiting bytes are announced           */
    bool timed_out;
};

static bool uart_fifos(const struct uart16550 *u)
{
    return u->fcr & FCR_ENABLE;
}

static unsigned uart_rx_size(const struct uart16550 *u)
{
    return uart_fifos(u) ? FIFO_SIZE : 1;
}

static unsigned uart_trigger(const struct uart16550 *u)
{
    static const u8 level[] = {1, 4, 8, 14};

    return uart_fifos(u) ? level[u->fcr >> FCR_TRIGGER_SHIFT] : 1;
}

static u64 uart_bit_ns(const struct uart16550 *u)
{
    if (u->desc.bit_ns)
        return u->desc.bit_ns;
    /* A divisor of 0 is undefined; the counter then runs through all of its 16 bits. */
    u64 divisor = u->divisor ? u->divisor : 65536;

    return divisor * 16 * CLOCK_NS_PER_SEC / CLOCK_HZ;
}

static u64 uart_char_ns(const struct uart16550 *u)
{
    unsigned data = 5 + (u->lcr & LCR_WLS);
    unsigned half_bits = 2 * (1 + data + !!(u->lcr & LCR_PEN)) + 2;

    if (u->lcr & LCR_STB)
        half_bits += data == 5 ? 1 : 2;
    return uart_bit_ns(u) * half_bits / 2;
}

static u64 uart_now(const struct uart16550 *u)
{
    return clock_now(u->desc.clk);
}

/* --- interrupts --- */

static bool uart_rx_timed_out(const struct uart16550 *u)
{
    return u->timed_out && u->rx_count;
}

static u8 uart_interrupt(const struct uart16550 *u)
{
    if (u->ier & IER_ELSI && u->line_errors)
        return IIR_LINE;
    if (u->ier & IER_ERBFI && u->rx_count >= uart_trigger(u))
        return IIR_DATA;
    if (u->ier & IER_ERBFI && uart_rx_timed_out(u))
        return IIR_TIMEOUT;
    if (u->ier & IER_ETBEI && u->thr_interrupt)
        return IIR_THRE;
    if (u->ier & IER_EDSSI && u->msr & MSR_DELTAS)
        return IIR_MODEM;
    return IIR_NONE;
}

/* Let happen what is due. */
static void uart_sync(struct uart16550 *u)
{
    u64 now = uart_now(u);

    if (u->thr_wait && now >= u->thr_empty) {
        u->thr_wait = false;
        u->thr_interrupt = true;
    }
    if (uart_fifos(u) && u->rx_count && now >= u->rx_timeout)
        u->timed_out = true;
}

/* Drive the interrupt line, and have the timer look again when an interrupt may come. */
static void uart_drive(struct uart16550 *u)
{
    bool gate = (u->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;
    u64 next = CLOCK_NEVER;

    line_set(&u->desc.irq, gate && uart_interrupt(u) != IIR_NONE);
    if (u->thr_wait && u->ier & IER_ETBEI)
        next = u->thr_empty;
    if (uart_fifos(u) && u->rx_count && !u->timed_out && u->ier & IER_ERBFI && u->rx_timeout < next)
        next = u->rx_timeout;
    clock_arm(u->desc.clk, u->timer, next);
}

static void uart_on_timer(void *dev, u32 arg)
{
    struct uart16550 *u = dev;

    (void)arg;
    uart_sync(u);
    uart_drive(u);
}

/* --- receiving --- */

static void uart_restart_timeout(struct uart16550 *u)
{
    u->timed_out = false;
    u->rx_timeout = uart_now(u) + 4 * uart_char_ns(u);
}

/* The errors of a byte show in LSR when it gets to the head of the FIFO. */
static void uart_expose_head(struct uart16550 *u)
{
    if (u->rx_count)
        u->line_errors |= u->rx_errors[u->rx_head];
}

static void uart_rx_clear(struct uart16550 *u)
{
    u->rx_count = 0;
    u->rx_head = 0;
    u->timed_out = false;
}

static void uart_rx_push(struct uart16550 *u, u8 byte, u8 errors)
{
    if (u->rx_count == uart_rx_size(u)) {
        u->line_errors |= LSR_OE;
        if (uart_fifos(u))
            return; /* the FIFO keeps what it has; the byte is lost in the shift register */
        uart_rx_clear(u);
    }
    unsigned at = (u->rx_head + u->rx_count) % FIFO_SIZE;
    u->rx[at] = byte & (u8)(0xff >> (3 - (u->lcr & LCR_WLS)));
    u->rx_errors[at] = errors;
    if (u->rx_count++ == 0)
        uart_expose_head(u);
    uart_restart_timeout(u);
}

static u8 uart_rx_pop(struct uart16550 *u)
{
    u8 byte = u->rx[u->rx_head];

    if (!u->rx_count)
        return byte; /* what is left in the register */
    if (uart_fifos(u))
        u->rx_head = (u->rx_head + 1) % FIFO_SIZE;
    u->rx_count--;
    uart_expose_head(u);
    uart_restart_timeout(u);
    return byte;
}

bool uart16550_can_receive(const struct uart16550 *u)
{
    return !(u->mcr & MCR_LOOP) && u->rx_count < uart_rx_size(u);
}

static bool uart_receive(struct uart16550 *u, u8 byte, u8 errors)
{
    if (!uart16550_can_receive(u))
        return false;
    uart_sync(u);
    uart_rx_push(u, byte, errors);
    uart_drive(u);
    return true;
}

bool uart16550_receive(struct uart16550 *u, u8 byte)
{
    return uart_receive(u, byte, 0);
}

bool uart16550_receive_break(struct uart16550 *u)
{
    return uart_receive(u, 0, LSR_BI | LSR_FE);
}

/* --- modem --- */

static u8 uart_wires(const struct uart16550 *u)
{
    if (!(u->mcr & MCR_LOOP))
        return u->modem_wires;
    return (u8)((u->mcr & MCR_RTS ? UART16550_CTS : 0) | (u->mcr & MCR_DTR ? UART16550_DSR : 0) |
                (u->mcr & MCR_OUT1 ? UART16550_RI : 0) | (u->mcr & MCR_OUT2 ? UART16550_DCD : 0));
}

static void uart_update_msr(struct uart16550 *u)
{
    u8 wires = uart_wires(u);
    u8 changed = (u->msr ^ wires) & MSR_WIRES;
    u8 deltas = changed >> 4;

    if (wires & UART16550_RI)
        deltas &= (u8)~MSR_TERI; /* only the trailing edge counts */
    u->msr = (u8)(wires | (u->msr & MSR_DELTAS) | deltas);
}

void uart16550_set_modem(struct uart16550 *u, u8 wires)
{
    uart_sync(u);
    u->modem_wires = wires & MSR_WIRES;
    uart_update_msr(u);
    uart_drive(u);
}

/* --- registers --- */

static void uart_transmit(struct uart16550 *u, u8 byte)
{
    u64 now = uart_now(u);
    u64 one = uart_char_ns(u);

    byte &= (u8)(0xff >> (3 - (u->lcr & LCR_WLS)));
    if (u->mcr & MCR_LOOP)
        uart_rx_push(u, byte, 0);
    else
        byte_sink_put(&u->desc.out, byte);

    /* An idle shift register takes the byte with the next tick of the line. */
    u64 start = u->tx_empty > now ? u->tx_empty : now + uart_bit_ns(u);
    u64 full = now + (FIFO_SIZE + 1) * one;
    u->thr_empty = start < full ? start : full;
    u->tx_empty = u->thr_empty + one;
    u->thr_wait = true;
    u->thr_interrupt = false;
}

static u8 uart_lsr(const struct uart16550 *u)
{
    u64 now = uart_now(u);
    u8 val = u->line_errors;

    if (u->rx_count)
        val |= LSR_DR;
    if (now >= u->thr_empty)
        val |= LSR_THRE;
    if (now >= u->tx_empty)
        val |= LSR_TEMT;
    for (unsigned i = 0; uart_fifos(u) && i < u->rx_count; i++) {
        if (u->rx_errors[(u->rx_head + i) % FIFO_SIZE])
            val |= LSR_FIFO_ERROR;
    }
    return val;
}

static u8 uart_read_lsr(struct uart16550 *u)
{
    u8 val = uart_lsr(u);

    u->line_errors = 0;
    if (u->rx_count)
        u->rx_errors[u->rx_head] = 0;
    return val;
}

static u8 uart_read_iir(struct uart16550 *u)
{
    u8 id = uart_interrupt(u);

    if (id == IIR_THRE)
        u->thr_interrupt = false;
    return (u8)(id | (uart_fifos(u) ? IIR_FIFOS : 0));
}

static u8 uart_read_msr(struct uart16550 *u)
{
    u8 val = u->msr;

    u->msr &= MSR_WIRES;
    return val;
}

static void uart_write_ier(struct uart16550 *u, u8 val)
{
    u8 rising = (u8)(val & ~u->ier);

    u->ier = val & IER_WRITABLE;
    if (rising & IER_ETBEI && uart_now(u) >= u->thr_empty)
        u->thr_interrupt = true; /* enabling it while THRE is 1 is an interrupt by itself */
}

static void uart_write_fcr(struct uart16550 *u, u8 val)
{
    bool toggled = (val ^ u->fcr) & FCR_ENABLE;
    u64 now = uart_now(u);

    u->fcr = val & FCR_ENABLE ? val & FCR_KEPT : 0;
    if (toggled || val & FCR_CLEAR_RX)
        uart_rx_clear(u);
    if ((toggled || val & FCR_CLEAR_TX) && now < u->thr_empty) {
        u->thr_empty = now;
        if (u->tx_empty > now + uart_char_ns(u))
            u->tx_empty = now + uart_char_ns(u);
    }
}

static void uart_drive_modem(const struct uart16550 *u)
{
    bool loop = u->mcr & MCR_LOOP; /* forces the outputs inactive */

    line_set(&u->desc.dtr, !loop && u->mcr & MCR_DTR);
    line_set(&u->desc.rts, !loop && u->mcr & MCR_RTS);
}

static void uart_write_mcr(struct uart16550 *u, u8 val)
{
    u->mcr = val & MCR_WRITABLE;
    uart_drive_modem(u);
    uart_update_msr(u);
}

static u8 uart_read_reg(struct uart16550 *u, u16 off)
{
    bool dlab = u->lcr & LCR_DLAB;

    switch (off) {
    case UART_RBR_THR_DLL:
        return dlab ? (u8)u->divisor : uart_rx_pop(u);
    case UART_IER_DLM:
        return dlab ? (u8)(u->divisor >> 8) : u->ier;
    case UART_IIR_FCR:
        return uart_read_iir(u);
    case UART_LCR:
        return u->lcr;
    case UART_MCR:
        return u->mcr;
    case UART_LSR:
        return uart_read_lsr(u);
    case UART_MSR:
        return uart_read_msr(u);
    default:
        return u->scr;
    }
}

static void uart_write_reg(struct uart16550 *u, u16 off, u8 val)
{
    bool dlab = u->lcr & LCR_DLAB;

    switch (off) {
    case UART_RBR_THR_DLL:
        if (dlab)
            u->divisor = (u16)((u->divisor & 0xff00) | val);
        else
            uart_transmit(u, val);
        break;
    case UART_IER_DLM:
        if (dlab)
            u->divisor = (u16)((u->divisor & 0x00ff) | val << 8);
        else
            uart_write_ier(u, val);
        break;
    case UART_IIR_FCR:
        uart_write_fcr(u, val);
        break;
    case UART_LCR:
        u->lcr = val;
        break;
    case UART_MCR:
        uart_write_mcr(u, val);
        break;
    case UART_SCR:
        u->scr = val;
        break;
    default: /* LSR and MSR: factory tests only */
        log_guest(UART, "write to read-only register %u val=%02x", off, val);
        break;
    }
}

static u32 uart_read(void *dev, u16 off, enum width width)
{
    struct uart16550 *u = dev;

    (void)width;
    uart_sync(u);
    u8 val = uart_read_reg(u, off);
    uart_drive(u);
    return val;
}

static void uart_write(void *dev, u16 off, u32 val, enum width width)
{
    struct uart16550 *u = dev;

    (void)width;
    log_trace(UART, "%s write off=%u val=%02x", u->desc.name, off, val);
    uart_sync(u);
    uart_write_reg(u, off, (u8)val);
    uart_drive(u);
}

static const struct ioport_ops uart_ops = {uart_read, uart_write, W8};

static const struct field uart_fields[] = {
    FIELD(struct uart16550, ier),
    FIELD(struct uart16550, fcr),
    FIELD(struct uart16550, lcr),
    FIELD(struct uart16550, mcr),
    FIELD(struct uart16550, scr),
    FIELD(struct uart16550, divisor),
    FIELD(struct uart16550, line_errors),
    FIELD(struct uart16550, modem_wires),
    FIELD(struct uart16550, msr),
    FIELD(struct uart16550, thr_empty),
    FIELD(struct uart16550, tx_empty),
    FIELD(struct uart16550, thr_wait),
    FIELD(struct uart16550, thr_interrupt),
    FIELD_ARRAY(struct uart16550, rx),
    FIELD_ARRAY(struct uart16550, rx_errors),
    FIELD(struct uart16550, rx_head),
    FIELD(struct uart16550, rx_count),
    FIELD(struct uart16550, rx_timeout),
    FIELD(struct uart16550, timed_out),
    FIELDS_END,
};

/* MR leaves the scratch register and the divisor alone. */
static void uart_reset(void *dev)
{
    struct uart16550 *u = dev;

    u->ier = u->fcr = u->lcr = 0;
    u->line_errors = 0;
    u->thr_wait = u->thr_interrupt = false;
    u->thr_empty = u->tx_empty = 0;
    uart_rx_clear(u);
    uart_write_mcr(u, 0);
    u->msr &= MSR_WIRES;
    uart_drive(u);
}

static void uart_loaded(void *dev)
{
    struct uart16550 *u = dev;

    u->rx_head %= FIFO_SIZE;
    if (u->rx_count > uart_rx_size(u))
        u->rx_count = (u8)uart_rx_size(u);
    uart_drive_modem(u);
    uart_drive(u);
}

static void uart_destroy(void *dev)
{
    free(dev);
}

const struct device_class uart16550_class = {
    .name = "uart16550",
    .version = 1,
    .fields = uart_fields,
    .reset = uart_reset,
    .loaded = uart_loaded,
    .destroy = uart_destroy,
};

enum status uart16550_create(struct uart16550 **out, const struct uart16550_desc *desc)
{
    struct uart16550 *u = calloc(1, sizeof(*u));
    if (!u)
        return STATUS_NO_MEMORY;

    u->desc = *desc;
    enum status s = clock_add(desc->clk, desc->name, uart_on_timer, u, 0, &u->timer);
    if (s == STATUS_OK)
        s = ioport_claim(desc->io, desc->base, 8, &uart_ops, u);
    if (s != STATUS_OK) {
        free(u);
        return s;
    }
    u->divisor = DIVISOR_9600;
    u->modem_wires = UART16550_CTS | UART16550_DSR | UART16550_DCD;
    uart_reset(u);
    *out = u;
    return STATUS_OK;
}
