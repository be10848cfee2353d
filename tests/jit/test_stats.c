/* SPDX-License-Identifier: MIT */
/* What --stats says was executed. */
#include <stdlib.h>
#include <string.h>

#include "tests/jit/pair.h"

enum { HANDLER = 0x5000, NM_VECTOR = 7 };

static const u8 code[] = {
    0x0f, 0x58, 0xc1, /* again: addps xmm0,xmm1 */
    0xe2, 0xfb,       /* loop again             */
    0xf4,             /* hlt                    */
};

/* It skips the instruction, of three bytes. */
static const u8 handler[] = {
    0x55,                   /* push bp           */
    0x89, 0xe5,             /* mov bp,sp         */
    0x83, 0x46, 0x02, 0x03, /* add word [bp+2],3 */
    0x5d,                   /* pop bp            */
    0xcf,                   /* iret              */
};

/* A block that finds its unit unusable counts as little as what the interpreter does instead. */
static void what_gave_up_at_its_beginning_was_not_executed(void **state)
{
    static const char key[] = "jit: executed ";
    struct pair *p = *state;
    struct little_pc *pc[] = {p->ours, p->theirs};
    struct jit_desc d = {.cpu = p->ours->cpu, .physmem = p->ours->pm, .engine = JIT_HOST};
    const u16 vector[] = {HANDLER, 0};
    char text[4096], *at;

    if (!jit_supported())
        skip();
    jit_destroy(p->jit);
    d.count = true;
    assert_int_equal(jit_create(&p->jit, &d), STATUS_OK);
    for (unsigned i = 0; i < 2; i++) {
        physmem_write(pc[i]->pm, HANDLER, handler, sizeof(handler));
        physmem_write(pc[i]->pm, 4 * NM_VECTOR, vector, sizeof(vector));
        pc[i]->cpu->cr4 |= CR4_OSFXSR;
        pc[i]->cpu->cr0 |= CR0_TS;
    }
    assert_int_equal(pair_run(p, code, sizeof(code)), CPU_EXIT_HALTED);
    jit_stats(p->jit, text, sizeof(text));
    at = strstr(text, key);
    assert_non_null(at);
    u64 blocks = strtoull(at + strlen(key), &at, 10);
    u64 guests = strtoull(at + strlen(" blocks of "), NULL, 10);
    assert_in_range(blocks, PAIR_ROUNDS, UINT64_MAX);
    assert_in_range(guests, blocks, clock_retired(&p->ours->clock));
}

static int setup(void **state)
{
    *state = pair_create("max");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_gave_up_at_its_beginning_was_not_executed, setup,
                                        pair_teardown),
    };
    return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
