/* SPDX-License-Identifier: MIT */
/* Memory for generated code: what was written last is what runs, whatever the method and the pages. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jit/a64/a64_asm.h"
#include "jit/backend.h"
#include "jit/hostmem.h"
#include "jit/x64/x64_asm.h"
#include "tests/support/check.h"

enum { SIZE = 0x1f800, FUNCTION = 256 };

/* Methods and pages; page 0: what the host has, by the method that suits it. */
struct way {
    bool flips;
    size_t page;
};
static struct way ways[] = {{false, 0},    {false, 4096}, {false, 16384}, {false, 65536},
                            {true, 4096},  {true, 16384}, {true, 65536}};

static enum status create(struct hostmem *m, const struct way *w)
{
    if (!backend_host() || w->page % (size_t)sysconf(_SC_PAGESIZE))
        return STATUS_UNSUPPORTED;
    return w->page ? hostmem_create_by(m, SIZE, w->flips, w->page) : hostmem_create(m, SIZE);
}

/* *@state: the way, and then the memory. NULL: not on this host. */
static int setup(void **state)
{
    struct hostmem *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    if (create(m, *state) != STATUS_OK) {
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

/* What becomes writable, if anything does, is whole pages and no more than it takes. */
static void begin_write(struct hostmem *m, u8 *at, size_t size)
{
    hostmem_begin_write(m, at, size);
    if (!m->flips)
        return;
    assert_int_equal((size_t)(m->open - m->write) % m->page, 0);
    assert_int_equal(m->open_size % m->page, 0);
    assert_in_range(at - m->open, 0, m->page - 1);
    assert_in_range(m->open + m->open_size - (at + size), 0, m->page - 1);
    assert_true(m->open + m->open_size <= m->write + m->size);
}

/* Function @i answers @value from now on. */
static void write_function(struct hostmem *m, unsigned i, u32 value)
{
    struct codebuf c;
    u8 *at = m->write + i * FUNCTION;

    codebuf_init(&c, at, FUNCTION, m->exec - m->write);
    begin_write(m, at, FUNCTION);
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

/* As code that ends in another page than it begins in does. */
static void pages_that_are_written_across_run(void **state)
{
    struct hostmem *m = *state;

    if (!m)
        skip();
    assert_int_equal(m->size % m->page, 0);
    assert_in_range(m->size, SIZE, SIZE + m->page - 1);
    for (unsigned i = 0; i < SIZE / FUNCTION; i++)
        write_function(m, i, i);
    for (size_t at = FUNCTION; at + m->page + FUNCTION < SIZE; at += m->page / 2 + FUNCTION) {
        begin_write(m, m->write + at, m->page);
        m->write[at] = m->write[at];
        m->write[at + m->page - 1] = m->write[at + m->page - 1];
        hostmem_publish(m, m->write + at, m->page);
        for (unsigned i = 0; i < SIZE / FUNCTION; i++)
            assert_int_equal(run_function(m, i), i);
    }
}

static void writing_can_be_given_up(void **state)
{
    struct hostmem *m = *state;

    if (!m)
        skip();
    write_function(m, 0, 7);
    begin_write(m, m->write + FUNCTION, FUNCTION);
    hostmem_publish(m, m->write + FUNCTION, 0);
    assert_int_equal(run_function(m, 0), 7);
    begin_write(m, m->write, 4);
    begin_write(m, m->write + FUNCTION, FUNCTION);
    hostmem_publish(m, m->write + FUNCTION, FUNCTION);
    assert_int_equal(run_function(m, 0), 7);
}

int main(void)
{
#define T(f, i) cmocka_unit_test_prestate_setup_teardown(f, setup, teardown, &ways[i])
#define ALL(i)                                                                                     \
    T(code_runs_as_it_was_written_last, i), T(code_beside_what_was_rewritten_still_runs, i),       \
        T(pages_that_are_written_across_run, i), T(writing_can_be_given_up, i)
    const struct CMUnitTest tests[] = {
        ALL(0), ALL(1), ALL(2), ALL(3), ALL(4), ALL(5), ALL(6),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
