/* SPDX-License-Identifier: MIT */
#include "machine/preset.h"
#include "machine/speed.h"
#include "tests/support/check.h"

static void a_preset_chooses_what_is_left_open(void **state)
{
    char *argv[] = {"--preset", "dos", "-m", "8"};
    char chosen[PRESET_TEXT_MAX];
    struct config c;

    (void)state;
    assert_true(config_init(&c));
    assert_int_equal(config_parse(&c, 4, argv), CONFIG_RUN);
    assert_true(preset_apply(&c, chosen));
    assert_string_equal(chosen, " --cpu 486 --speed 486dx2-66 --device sb16");
    assert_string_equal(config_text(&c, CONFIG_cpu), "486");
    assert_int_equal(config_num(&c, CONFIG_memory), 8 << 20);
    assert_int_equal(c.value[CONFIG_device].count, 1);
    assert_true(preset_apply(&c, chosen)); /* once is enough */
    assert_string_equal(chosen, "");
    config_free(&c);
}

static void a_deterministic_run_gets_no_speed(void **state)
{
    char *argv[] = {"--preset", "dos", "--deterministic"};
    char chosen[PRESET_TEXT_MAX];
    struct config c;

    (void)state;
    assert_true(config_init(&c));
    assert_int_equal(config_parse(&c, 3, argv), CONFIG_RUN);
    assert_true(preset_apply(&c, chosen));
    assert_string_equal(chosen, " --cpu 486 --memory 16M --device sb16");
    config_free(&c);
}

static void every_preset_is_valid(void **state)
{
    static char *const names[] = {"dos", "win3", "win95", "win98", "os2", "xp", "linux", "max"};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        char *argv[] = {"--preset", names[i]};
        char chosen[PRESET_TEXT_MAX];
        struct config c;
        u64 speed;
        assert_true(config_init(&c));
        assert_int_equal(config_parse(&c, 2, argv), CONFIG_RUN);
        assert_true(preset_apply(&c, chosen));
        assert_true(*chosen);
        assert_true(speed_parse(config_text(&c, CONFIG_speed), &speed));
        config_free(&c);
    }
}

/* They divide by that number of milliseconds. */
static void delay_loops_of_windows_take_milliseconds(void **state)
{
    static char *const names[] = {"win3", "win95", "win98"};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        char *argv[] = {"--preset", names[i]};
        char chosen[PRESET_TEXT_MAX];
        struct config c;
        u64 speed = 0;
        assert_true(config_init(&c));
        assert_int_equal(config_parse(&c, 2, argv), CONFIG_RUN);
        assert_true(preset_apply(&c, chosen));
        assert_true(speed_parse(config_text(&c, CONFIG_speed), &speed));
        assert_int_not_equal(speed, 0);
        assert_in_range(1048576 * 1000ull / speed, 2, 100);
        config_free(&c);
    }
}

static void without_a_preset_nothing_changes(void **state)
{
    char chosen[PRESET_TEXT_MAX];
    struct config c;

    (void)state;
    assert_true(config_init(&c));
    assert_true(preset_apply(&c, chosen));
    assert_string_equal(chosen, "");
    assert_string_equal(config_text(&c, CONFIG_cpu), "pentium4");
    config_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_preset_chooses_what_is_left_open),
        cmocka_unit_test(a_deterministic_run_gets_no_speed),
        cmocka_unit_test(every_preset_is_valid),
        cmocka_unit_test(delay_loops_of_windows_take_milliseconds),
        cmocka_unit_test(without_a_preset_nothing_changes),
    };
    return cmocka_run_group_tests_name("preset", tests, NULL, NULL);
}
