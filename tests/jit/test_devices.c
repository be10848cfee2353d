/* SPDX-License-Identifier: MIT */
/* Loops that reach devices, memory, or one after the other: translated and interpreted alike. */
#include <stdio.h>
#include <string.h>

#include "cpu/flags.h"
#include "jit/jit.h"
#include "tests/support/little_pc.h"

enum { CODE = 0x1000, MEMORY = 0x8000, DEVICE = 0x9000, TURNS = 1000 };

struct side {
    struct little_pc *pc;
    u64 heard, asked; /* by the device */
};

struct pair {
    struct side side[2]; /* interpreted, translated */
    struct jit *jit;
};

/* It answers by what it has heard so far, and when. */
static u64 device_read(void *dev, u64 off, unsigned size)
{
    struct side *s = dev;

    s->asked++;
    return (s->heard + off + clock_now(&s->pc->clock)) & (~(u64)0 >> (64 - 8 * size));
}

static void device_write(void *dev, u64 off, u64 val, unsigned size)
{
    struct side *s = dev;

    s->asked++;
    s->heard = (s->heard ^ (val + off + size + clock_now(&s->pc->clock))) * 0x100000001b3u;
}

static void create(struct pair *p)
{
    static const struct mmio_ops ops = {device_read, device_write, 4};
    static const u8 loop[] = {
        0x89, 0x05,       /* mov [di], ax */
        0x01, 0xc8,       /* add ax, cx */
        0x13, 0x05,       /* adc ax, [di] */
        0x66, 0x31, 0x05, /* xor [di], eax */
        0x10, 0x45, 0x02, /* adc [di + 2], al */
        0x83, 0xd3, 0x00, /* adc bx, 0 */
        0x49,             /* dec cx */
        0x75, 0xee,       /* jnz */
        0xf4,             /* hlt */
    };

    memset(p, 0, sizeof(*p));
    for (unsigned i = 0; i < 2; i++) {
        struct side *s = &p->side[i];
        s->pc = little_pc_create(NULL);
        assert_int_equal(physmem_map_mmio(s->pc->pm, DEVICE, PAGE_SIZE, &ops, s), STATUS_OK);
        physmem_write(s->pc->pm, CODE, loop, sizeof(loop));
    }
    struct jit_desc d = {.cpu = p->side[1].pc->cpu,
                         .physmem = p->side[1].pc->pm,
                         .engine = JIT_HOST,
                         .threshold = 1};
    assert_int_equal(jit_create(&p->jit, &d), STATUS_OK);
}

static void destroy(struct pair *p)
{
    jit_destroy(p->jit);
    for (unsigned i = 0; i < 2; i++) {
        void *pc = p->side[i].pc;
        little_pc_teardown(&pc);
    }
}

/* Both go through the loop @turns times with DI at @place, and are where they were the same. */
static void go(struct pair *p, u16 place, u16 turns)
{
    for (unsigned i = 0; i < 2; i++) {
        struct cpu *cpu = p->side[i].pc->cpu;
        cpu->halted = false;
        cpu->gpr[REG_DI] = place;
        cpu->gpr[REG_CX] = turns;
        cpu->rip = CODE;
        assert_int_equal(little_pc_run(p->side[i].pc, 100u * turns), CPU_EXIT_HALTED);
    }
    const struct side *a = &p->side[0], *b = &p->side[1];
    assert_int_equal(a->heard, b->heard);
    assert_int_equal(a->asked, b->asked);
    assert_int_equal(clock_retired(&a->pc->clock), clock_retired(&b->pc->clock));
    assert_memory_equal(a->pc->cpu->gpr, b->pc->cpu->gpr, sizeof(a->pc->cpu->gpr));
    assert_int_equal(flags_get(a->pc->cpu), flags_get(b->pc->cpu));
}

/* How often translated code gave up so far. */
static u64 bails(const struct pair *p)
{
    unsigned long long n;
    char text[4096];

    jit_stats(p->jit, text, sizeof(text));
    const char *at = strstr(text, "bail ");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "bail %llu", &n), 1);
    return n;
}

static void a_loop_that_reaches_a_device_soon_gives_up_no_more(void **state)
{
    struct pair p;

    (void)state;
    if (!jit_supported())
        skip();
    create(&p);
    go(&p, DEVICE, TURNS);
    assert_in_range(bails(&p), 4, 200); /* of 6000 accesses */
    u64 before = bails(&p);
    go(&p, DEVICE, TURNS);
    assert_int_equal(bails(&p), before);
    destroy(&p);
}

static void a_loop_that_reaches_memory_again_is_fast_again(void **state)
{
    struct pair p;
    u64 before;

    (void)state;
    if (!jit_supported())
        skip();
    create(&p);
    go(&p, MEMORY, TURNS);
    assert_int_equal(bails(&p), 0);
    go(&p, DEVICE, TURNS);
    go(&p, MEMORY, TURNS);
    before = bails(&p);
    go(&p, DEVICE, 4); /* these give up again: the instructions are in code */
    assert_in_range(bails(&p), before + 4, before + 4 * 6);
    for (unsigned i = 0; i < 50; i++) {
        go(&p, i % 2 ? DEVICE : MEMORY, (u16)(1 + i * i));
        go(&p, (u16)(DEVICE - 2 * (i % 3)), 1); /* across their border, too */
    }
    destroy(&p);
}

/* Its displacement is another each time, so that the block checks itself and the displacement is
 * read from where it stands; also when its code goes because it has met so many devices. */
static void an_address_that_is_another_each_time_may_be_a_device(void **state)
{
    static const u8 loop[] = {
        0x89, 0x3e, 0x42, 0x10, /* mov [1042h],di   */
        0xe8, 0x39, 0x00,       /* call 1040h       */
        0x83, 0xc7, 0x02,       /* add di,2         */
        0x49, 0x75, 0xf3, 0xf4, /* dec cx; jnz; hlt */
        [0x40] = 0x80, 0x2e, 0, 0, 0x13, 0xc3, /* sub byte [...],13h; ret */
    };
    struct pair p;

    (void)state;
    if (!jit_supported())
        skip();
    create(&p);
    for (unsigned i = 0; i < 2; i++)
        physmem_write(p.side[i].pc->pm, CODE, loop, sizeof(loop));
    go(&p, MEMORY, 200);
    go(&p, DEVICE, 300);
    destroy(&p);
}

/* The code of a block that checks itself goes while it runs, because it has met no device for long;
 * the displacement behind that instruction, a variable, then means one. */
static void code_that_goes_while_it_runs_knows_where_its_operands_are(void **state)
{
    static const u8 loop[] = {
        0x89, 0xce, 0x01, 0xf6,       /* mov si,cx; add si,si */
        0x8b, 0x84, 0x00, 0x20,       /* mov ax,[si+2000h]    */
        0xa3, 0x44, 0x10,             /* mov [1044h],ax       */
        0xe8, 0x32, 0x00,             /* call 1040h           */
        0x49, 0x75, 0xef, 0xf4,       /* dec cx; jnz; hlt     */
        [0x40] = 0x8a, 0x05,          /* mov al,[di]          */
        0x02, 0x16, 0, 0, 0xc3,       /* add dl,[...]; ret    */
    };
    struct pair p;

    (void)state;
    if (!jit_supported())
        skip();
    for (u16 at = 60; at < 70; at++) {
        create(&p);
        for (unsigned i = 0; i < 2; i++) {
            physmem_write(p.side[i].pc->pm, CODE, loop, sizeof(loop));
            for (u16 k = 0; k < 400; k++)
                physmem_store(p.side[i].pc->pm, 0x2000 + 2 * k, MEMORY + 2 * k, 2);
        }
        go(&p, MEMORY, 300);
        go(&p, DEVICE, 300);
        for (unsigned i = 0; i < 2; i++)
            physmem_store(p.side[i].pc->pm, 0x2000 + 2 * (100 - at), DEVICE + 16, 2);
        go(&p, MEMORY, 100);
        destroy(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_that_reaches_a_device_soon_gives_up_no_more),
        cmocka_unit_test(a_loop_that_reaches_memory_again_is_fast_again),
        cmocka_unit_test(code_that_goes_while_it_runs_knows_where_its_operands_are),
        cmocka_unit_test(an_address_that_is_another_each_time_may_be_a_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
