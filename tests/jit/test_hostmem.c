/* SPDX-License-Identifier: MIT */
/* Memory for generated code: what was written last is what runs, whatever the method. */
#include <stdlib.h>
#include <string.h>

#include "jit/a64/a64_asm.h"
#include "jit/backend.h"
#include "jit/hostmem.h"
#include "jit/x64/x64_asm.h"
#include "tests/support/check.h"

enum { SIZE = 64 << 10, FUNCTION = 256 };

static int setup(void **state)
{
    struct hostmem *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    if (!backend_host() || hostmem_create(m, SIZE) != STATUS_OK) {
        free(m);
        m = NULL;
    }
    *state = m;
    return 0;
}

static int teardown(void **state)
{
    struct hostmem *m = *state;

    if (m)
        hostmem_destroy(m);
    free(m);
    return 0;
}

/* Function @i answers @value from now on. */
static void write_function(struct hostmem *m, unsigned i, u32 value)
{
    struct codebuf c;
    u8 *at = m->write + i * FUNCTION;

    codebuf_init(&c, at, FUNCTION, m->exec - m->write);
    hostmem_begin_write(m, at, FUNCTION);
    if (backend_host() == &x64_backend) {
        x64_mov_ri(&c, RAX, value);
        x64_ret(&c);
    } else {
        a64_mov_ri64(&c, X0, value);
        a64_ret(&c);
    }
    hostmem_publish(m, at, codebuf_off(&c));
}

static u32 run_function(const struct hostmem *m, unsigned i)
{
    u8 *at = m->exec + i * FUNCTION;
    u32 (*run)(void);

    memcpy(&run, &at, sizeof(run));
    return run();
}

static void code_runs_as_it_was_written_last(void **state)
{
    struct hostmem *m = *state;

    if (!m)
        skip();
    for (unsigned round = 0; round < 8; round++) {
        for (unsigned i = 0; i < SIZE / FUNCTION; i++)
            write_function(m, i, round << 16 | i);
        for (unsigned i = 0; i < SIZE / FUNCTION; i++)
            assert_int_equal(run_function(m, i), round << 16 | i);
    }
}

static void code_beside_what_was_rewritten_still_runs(void **state)
{
    struct hostmem *m = *state;

    if (!m)
        skip();
    write_function(m, 0, 1);
    write_function(m, 1, 2);
    for (u32 n = 0; n < 100; n++) {
        write_function(m, 1, n);
        assert_int_equal(run_function(m, 0), 1);
        assert_int_equal(run_function(m, 1), n);
    }
}

static void writing_can_be_given_up(void **state)
{
    struct hostmem *m = *state;

    if (!m)
        skip();
    write_function(m, 0, 7);
    hostmem_begin_write(m, m->write + FUNCTION, FUNCTION);
    hostmem_publish(m, m->write + FUNCTION, 0);
    assert_int_equal(run_function(m, 0), 7);
    hostmem_begin_write(m, m->write, 4);
    hostmem_begin_write(m, m->write + FUNCTION, FUNCTION);
    hostmem_publish(m, m->write + FUNCTION, FUNCTION);
    assert_int_equal(run_function(m, 0), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(code_runs_as_it_was_written_last, setup, teardown),
        cmocka_unit_test_setup_teardown(code_beside_what_was_rewritten_still_runs, setup, teardown),
        cmocka_unit_test_setup_teardown(writing_can_be_given_up, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
