/* SPDX-License-Identifier: MIT */
/* -jit check notices whatever two machines could disagree about. The twin is changed by hand. */
#include "machine/check.h"

#include <stdio.h>
#include <string.h>

#include "machine/board.h"
#include "tests/support/check.h"

struct fixture {
    struct config cfg;
    struct pc *pc;
};

static enum status create(struct fixture *f, const char *const *args, char *error)
{
    struct pc_host host = {0};
    char *argv[16];
    int argc = 0;

    for (; args[argc]; argc++)
        argv[argc] = (char *)args[argc];
    assert_true(config_init(&f->cfg));
    assert_int_equal(config_parse(&f->cfg, argc, argv), CONFIG_RUN);
    return pc_create(&f->pc, &f->cfg, &host, error);
}

/* The demo disk, and steps that compare memory as often as registers. */
static int setup(void **state)
{
    static const char *const args[] = {"-m", "4", "-jit", "check", "-check-from", "0", NULL};
    static struct fixture f;
    char error[PC_ERROR_MAX];

    memset(&f, 0, sizeof(f));
    *state = &f;
    return !jit_supported() || create(&f, args, error) == STATUS_OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    pc_destroy(f->pc);
    config_free(&f->cfg);
    return 0;
}

static struct pc *machine(void **state)
{
    struct fixture *f = *state;

    if (!f->pc)
        skip();
    return f->pc;
}

static void expect_difference(struct pc *pc, const char *text)
{
    assert_int_equal(pc_run(pc, 0), PC_STOP_DIFFERENCE);
    if (!strstr(pc_check_report(pc), text))
        fail_msg("'%s' is not in '%s'", text, pc_check_report(pc));
}

static void equal_machines_run_on(void **state)
{
    struct pc *pc = machine(state);

    assert_int_equal(pc_run(pc, 0), PC_STOP_SLICE);
    assert_true(pc_retired(pc) >= 1 << 17);
    assert_int_equal(pc_retired(pc), pc_retired(pc->twin));
    assert_int_equal(pc_state_hash(pc), pc_state_hash(pc->twin));
    assert_string_equal(pc_check_report(pc), "");
}

static void a_register_that_differs_is_named_with_both_values(void **state)
{
    struct pc *pc = machine(state);

    pc->twin->cpu[0]->dr[3] = 0x123;
    expect_difference(pc, "cpu: dr[3]: 0 (0) translated, 123 (291) interpreted\n");
    assert_non_null(strstr(pc_check_report(pc), "Registers, translated:\nEAX="));
    assert_non_null(strstr(pc_check_report(pc), "Registers, interpreted:\nEAX="));
}

static void a_hidden_part_of_a_segment_register_is_compared(void **state)
{
    struct pc *pc = machine(state);

    pc->twin->cpu[0]->seg[SEG_GS].limit ^= 1;
    expect_difference(pc, "cpu: seg[5].limit");
}

static void a_byte_of_memory_that_differs_is_named(void **state)
{
    struct pc *pc = machine(state);

    physmem_ram(pc->twin->physmem)[0x234567] ^= 0x10;
    expect_difference(pc, "memory at 00234567: 0 (0) translated, 10 (16) interpreted\n");
}

static void a_device_that_answers_something_else_is_noticed_at_that_access(void **state)
{
    struct pc *pc = machine(state);

    pc->tap.fn(pc->tap.ctx, PC_ACCESS_IN, 0x71, 1, 1);
    pc->twin->tap.fn(pc->twin->tap.ctx, PC_ACCESS_IN, 0x71, 2, 1);
    bool same = check_settle(pc->check, CPU_EXIT_BUDGET, 0, true, PC_STOP_SLICE);
    assert_false(same);
    assert_non_null(strstr(pc_check_report(pc), "ports and devices were not asked the same\n"));
    assert_non_null(strstr(pc_check_report(pc), "translated   in     at 00000071, 1 bytes, 1,"));
    assert_non_null(strstr(pc_check_report(pc), "interpreted  in     at 00000071, 1 bytes, 2,"));
}

static void a_timer_that_differs_ends_the_run_with_a_report(void **state)
{
    struct pc *pc = machine(state);
    u32 id = pc->clock.timer_count;

    assert_true(id > 1);
    clock_arm(&pc->twin->clock, id - 1, clock_now(&pc->clock) + CLOCK_NS_PER_SEC * 1000);
    pc_request_stop(pc, PC_STOP_EXIT);
    pc_request_stop(pc->twin, PC_STOP_EXIT);
    assert_false(check_settle(pc->check, CPU_EXIT_BUDGET, 0, true, PC_STOP_SLICE));
    assert_non_null(strstr(pc_check_report(pc), "deadline of "));
}

static void buttons_and_keys_reach_both(void **state)
{
    struct pc *pc = machine(state);

    pc_nmi(pc);
    assert_true(pc_key(pc, 0x1c, true));
    pc_mouse_move(pc, 5, 5, 0);
    assert_int_equal(pc_run(pc, 0), PC_STOP_SLICE);
    pc_reset(pc);
    assert_int_equal(pc_run(pc, 0), PC_STOP_SLICE);
    assert_int_equal(pc_state_hash(pc), pc_state_hash(pc->twin));
}

static void images_that_both_would_write_are_refused(void **state)
{
    static const char path[] = "check-image.tmp";
    static const char *const writable[] = {"-jit", "check", "-hda", path, NULL};
    static const char *const snapshot[] = {"-jit", "check", "-snapshot", "-hda", path, NULL};
    char error[PC_ERROR_MAX];
    struct fixture f = {0};

    (void)machine(state);
    FILE *image = fopen(path, "wb");
    assert_non_null(image);
    for (unsigned i = 0; i < 8192; i++)
        fputc(0, image);
    fclose(image);
    assert_int_equal(create(&f, writable, error), STATUS_BAD_VALUE);
    assert_string_equal(error, "-jit check: two machines cannot write 'check-image.tmp'; add "
                               "-snapshot");
    config_free(&f.cfg);
    assert_int_equal(create(&f, snapshot, error), STATUS_OK);
    pc_destroy(f.pc);
    config_free(&f.cfg);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(equal_machines_run_on, setup, teardown),
        cmocka_unit_test_setup_teardown(a_register_that_differs_is_named_with_both_values, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_hidden_part_of_a_segment_register_is_compared, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_byte_of_memory_that_differs_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_device_that_answers_something_else_is_noticed_at_that_access, setup, teardown),
        cmocka_unit_test_setup_teardown(a_timer_that_differs_ends_the_run_with_a_report, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(buttons_and_keys_reach_both, setup, teardown),
        cmocka_unit_test_setup_teardown(images_that_both_would_write_are_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
