/* SPDX-License-Identifier: MIT */
/* One table gives the command line, the config file and the help: they must agree. */
#include "machine/config_files.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/support/check.h"

static enum config_result parse(struct config *c, const char *const *args)
{
    char *argv[16];
    int argc = 0;

    assert_true(config_init(c));
    for (; args[argc]; argc++)
        argv[argc] = (char *)args[argc];
    return config_parse(c, argc, argv);
}

#define PARSE(c, ...) parse(c, (const char *const[]){__VA_ARGS__, NULL})

static void check_error(const char *part, const char *const *args)
{
    struct config c;

    assert_int_equal(parse(&c, args), CONFIG_BAD);
    if (!strstr(c.error, part))
        fail_msg("'%s' is not in '%s'", part, c.error);
    config_free(&c);
}

#define CHECK_ERROR(part, ...) check_error(part, (const char *const[]){__VA_ARGS__, NULL})

static void defaults_come_from_the_table(void **state)
{
    struct config c;

    (void)state;
    assert_true(config_init(&c));
    assert_int_equal(config_num(&c, CONFIG_memory), 128 << 20);
    assert_string_equal(config_text(&c, CONFIG_machine), "pc");
    assert_false(config_flag(&c, CONFIG_snapshot));
    assert_int_equal(config_num(&c, CONFIG_ns_per_insn), BIT64(32));
    assert_null(config_text(&c, CONFIG_append));
    config_free(&c);
}

static void one_or_two_dashes_and_aliases_mean_the_same(void **state)
{
    struct config c;

    (void)state;
    assert_int_equal(PARSE(&c, "-m", "64"), CONFIG_RUN);
    assert_int_equal(config_num(&c, CONFIG_memory), 64 << 20);
    config_free(&c);
    assert_int_equal(PARSE(&c, "--memory", "1G", "--no-reboot"), CONFIG_RUN);
    assert_int_equal(config_num(&c, CONFIG_memory), 1 << 30);
    assert_true(config_flag(&c, CONFIG_no_reboot));
    config_free(&c);
}

static void numbers_take_units_and_fractions(void **state)
{
    struct config c;

    (void)state;
    assert_int_equal(PARSE(&c, "-m", "2048k", "--timeout", "1.5s", "--wall-timeout", "2min",
                           "--ns-per-insn", "0.25"),
                     CONFIG_RUN);
    assert_int_equal(config_num(&c, CONFIG_memory), 2 << 20);
    assert_int_equal(config_num(&c, CONFIG_timeout), 1500000000);
    assert_int_equal(config_num(&c, CONFIG_wall_timeout), 120000000000);
    assert_int_equal(config_num(&c, CONFIG_ns_per_insn), BIT64(30));
    config_free(&c);
}

static void lists_collect_and_a_bare_word_is_the_disk(void **state)
{
    struct config c;

    (void)state;
    assert_int_equal(PARSE(&c, "-serial", "stdio", "-serial", "null", "/etc/passwd"), CONFIG_RUN);
    assert_int_equal(c.value[CONFIG_serial].count, 2);
    assert_string_equal(c.value[CONFIG_serial].list[1], "null");
    assert_string_equal(config_text(&c, CONFIG_hda), "/etc/passwd");
    config_free(&c);
}

static void mistakes_are_told_in_one_sentence_with_a_suggestion(void **state)
{
    (void)state;
    CHECK_ERROR("did you mean -nographic?", "-nografic");
    CHECK_ERROR("did you mean --timeout?", "--timout", "3");
    CHECK_ERROR("--help", "-frobnicate");
    CHECK_ERROR("-m needs a value: SIZE", "-m");
    CHECK_ERROR("is not a size", "-m", "lots");
    CHECK_ERROR("is not a size", "-m", "99999999999999999999G");
    CHECK_ERROR("is not a time", "--timeout", "5 parsecs");
    CHECK_ERROR("is not one of pc", "-M", "q35");
    CHECK_ERROR("cannot open", "-kernel", "/nonexistent/vmlinuz");
    CHECK_ERROR("above 0", "--ns-per-insn", "0");
    CHECK_ERROR("cannot open", "--config", "/nonexistent/config");
    CHECK_ERROR("use -hdb", "/etc/passwd", "/dev/zero");
    CHECK_ERROR("use -hdb", "/etc/passwd", "-hda", "/etc/passwd");
}

static void help_as_a_value_asks_for_the_values(void **state)
{
    struct config c;

    (void)state;
    assert_int_equal(PARSE(&c, "-cpu", "help"), CONFIG_SHOW_VALUES);
    assert_int_equal(c.asked, CONFIG_cpu);
    config_free(&c);
    assert_int_equal(PARSE(&c, "-M", "help"), CONFIG_SHOW_VALUES);
    assert_int_equal(c.asked, CONFIG_machine);
    config_free(&c);
}

/* What --dump-config prints, --config reads back to the same dump. */
static void a_dump_reads_back(void **state)
{
    char path[] = "/tmp/turbo86-test-XXXXXX";
    char first[16384], second[16384];
    struct config c;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    assert_int_equal(PARSE(&c, "-m", "48M", "-serial", "null", "-append", "a=b c", "--snapshot"),
                     CONFIG_RUN);
    config_dump(&c, f);
    fclose(f);
    f = fmemopen(first, sizeof(first), "w");
    config_dump(&c, f);
    fclose(f);
    config_free(&c);

    assert_int_equal(PARSE(&c, "--config", path), CONFIG_RUN);
    f = fmemopen(second, sizeof(second), "w");
    config_dump(&c, f);
    fclose(f);
    assert_string_equal(config_text(&c, CONFIG_append), "a=b c");
    assert_string_equal(first, second);
    config_free(&c);
    unlink(path);
}

static void a_config_file_names_its_bad_line(void **state)
{
    char path[] = "/tmp/turbo86-test-XXXXXX";
    struct config c;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    fprintf(f, "# fine\nmemory = 64M\nmemroy = 32M\n");
    fclose(f);
    assert_true(config_init(&c));
    assert_int_equal(config_read_file(&c, path), CONFIG_BAD);
    assert_non_null(strstr(c.error, ":3: there is no key memroy; did you mean memory?"));
    config_free(&c);
    unlink(path);
}

/* Each option that reads @path, with how it names it, against one that writes it. */
static void what_is_read_may_not_be_written(void **state)
{
    static const struct {
        const char *option, *before, *behind;
    } reads[] = {
        {"-bios", "", ""},
        {"-kernel", "", ""},
        {"-initrd", "", ""},
        {"-initrd", "/dev/null quiet,", " splash"},
        {"-device", "rtl8139,mac=52:54:00:12:34:56,romfile=", ",addr=5"},
        {"-nic", "user,romfile=", ""},
        {"-script", "", ""},
        {"--find-first", "frame ", ""},
        {"-loadvm", "", ""},
        {"--replay", "", ""},
    };
    char path[] = "/tmp/turbo86-test-XXXXXX", other[64], text[128], begin[160];
    struct config c;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    snprintf(other, sizeof(other), "%s.png", path);
    assert_int_equal(link(path, other), 0);
    for (unsigned i = 0; i < ARRAY_LEN(reads); i++) {
        snprintf(text, sizeof(text), "%s%s%s", reads[i].before, path, reads[i].behind);
        assert_int_equal(PARSE(&c, "-artifacts", path, reads[i].option, text), CONFIG_RUN);
        assert_false(config_check_files(&c));
        snprintf(begin, sizeof(begin), "-artifacts: '%s' is read by %s: ", other, reads[i].option);
        assert_memory_equal(c.error, begin, strlen(begin));
        config_free(&c);
        assert_int_equal(PARSE(&c, "-artifacts", other, reads[i].option, text), CONFIG_RUN);
        assert_true(config_check_files(&c));
        config_free(&c);
    }
    unlink(other);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_come_from_the_table),
        cmocka_unit_test(one_or_two_dashes_and_aliases_mean_the_same),
        cmocka_unit_test(numbers_take_units_and_fractions),
        cmocka_unit_test(lists_collect_and_a_bare_word_is_the_disk),
        cmocka_unit_test(mistakes_are_told_in_one_sentence_with_a_suggestion),
        cmocka_unit_test(help_as_a_value_asks_for_the_values),
        cmocka_unit_test(a_dump_reads_back),
        cmocka_unit_test(a_config_file_names_its_bad_line),
        cmocka_unit_test(what_is_read_may_not_be_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
