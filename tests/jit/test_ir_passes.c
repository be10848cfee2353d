/* SPDX-License-Identifier: MIT */
/* Blocks before and after the passes of jit/ir_passes.c. What they mean is compared by
 * test_jit_fuzz, whose evaluator gets them as backends do. */
#include <string.h>

#include "tests/jit/ir_text.h"

#define FLAGS " ; def CPAZSO"

static const struct pass_case {
    const char *what, *before, *after;
} cases[] = {
    {"a load of what was stored", "st.32 [r6], r0\nld.32 r1, [r6]",
     "st.32 [r6], r0\nmov.32 r1, r0"},
    {"where the base has moved, and the register that was stored is another's, too",
     "addr.32 t0, r4, -, 0, -0x4\nst.32 [t0], r5\naddr.32 r4, r4, -, 0, -0x4\nmov.32 r5, r4\n"
     "addr.32 t1, r5, -, 0, 0x8\nst.32 [t1], r3\naddr.32 t2, r4, -, 0, 0x8\nld.32 r6, [t2]",
     "addr.32 t0, r4, -, 0, -0x4\nst.32 [t0], r5\naddr.32 r4, r4, -, 0, -0x4\nmov.32 r5, r4\n"
     "addr.32 t1, r5, -, 0, 0x8\nst.32 [t1], r3\nmov.32 r6, r3"},
    {"a second load",
     "addr.32 t0, r1, r2, 2, 0x10\nld.32 r0, [t0]\naddr.32 t1, r1, r2, 2, 0x10\nld.32 r3, [t1]",
     "addr.32 t0, r1, r2, 2, 0x10\nld.32 r0, [t0]\nmov.32 r3, r0"},
    {"not behind another store, which may be the same place or its page table",
     "st.32 [r6], r0\nst.32 [r7], r1\nld.32 r2, [r6]",
     "st.32 [r6], r0\nst.32 [r7], r1\nld.32 r2, [r6]"},
    {"not where the value is gone", "st.32 [r6], r0\nld.32 r0, [r7]\nld.32 r1, [r6]",
     "st.32 [r6], r0\nld.32 r0, [r7]\nld.32 r1, [r6]"},
    {"not with another width, nor atomically",
     "st.16 [r6], r0\nld.32 r1, [r6]\nld.32 r2, [r6] ; atomic",
     "st.16 [r6], r0\nld.32 r1, [r6]\nld.32 r2, [r6] ; atomic"},
    {"what was written back", "ldw.32 t0, [r6]\nstw.32 r2\nld.32 r3, [r6]",
     "ldw.32 t0, [r6]\nstw.32 r2\nmov.32 r3, r2"},
    {"constants add up, where nobody wants the flags",
     "mov.32 r1, 0x10\nadd.32 r1, r1, 0x20" FLAGS "\nxor.32 r2, r2, r2" FLAGS,
     "mov.32 r1, 0x30\nxor.32 r2, r2, r2" FLAGS},
    {"an address that is a constant",
     "mov.32 r7, 0xb8000\naddr.32 t0, r7, -, 0, 0xa0\nst.16 [t0], r0",
     "mov.32 r7, 0xb8000\nmov.32 t0, 0xb80a0\nst.16 [t0], r0"},
    {"nothing is known behind an executor", "st.32 [r6], r0\nexec" FLAGS "\nld.32 r1, [r6]",
     "st.32 [r6], r0\nexec" FLAGS "\nld.32 r1, [r6]"},
    {"a register that is written again", "mov.32 r1, r2\nmov.32 r1, r3", "mov.32 r1, r3"},
    {"but not what a fault in between would show", "mov.32 r1, r2\nld.32 r0, [r6]\nmov.32 r1, r3",
     "mov.32 r1, r2\nld.32 r0, [r6]\nmov.32 r1, r3"},
    {"nor a part that stays", "mov.32 r1, r2\nmov.8 r1, r3", "mov.32 r1, r2\nmov.8 r1, r3"},
    {"a comparison that nobody looks at", "cmp.32 r1, r2" FLAGS "\ntest.32 r3, r3" FLAGS,
     "test.32 r3, r3" FLAGS},
};

static void blocks_become_what_is_left_of_them(void **state)
{
    static struct ir_block got, want;
    static char got_text[4096], want_text[4096];

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        ir_text_one(&got, cases[i].before);
        ir_text_one(&want, cases[i].after);
        ir_liveness(&got, IRF_ALL);
        ir_optimise(&got);
        ir_liveness(&got, IRF_ALL);
        ir_liveness(&want, IRF_ALL);
        ir_print(&got, got_text, sizeof(got_text));
        ir_print(&want, want_text, sizeof(want_text));
        if (strcmp(got_text, want_text) != 0)
            fail_msg("%s:\n%s\nbut should be\n%s", cases[i].what, got_text, want_text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_become_what_is_left_of_them),
    };
    return cmocka_run_group_tests_name("ir_passes", tests, NULL, NULL);
}
