/* SPDX-License-Identifier: MIT */
/* Small parsers of machine/, and the pacer against a host of known speed. */
#include "machine/boot_order.h"
#include "machine/drive.h"
#include "machine/pacer.h"
#include "machine/rtc_base.h"
#include "machine/suboption.h"
#include "tests/support/check.h"

static void parts_are_split_at_single_commas(void **state)
{
    struct suboption o;
    const char *p = "file=a,,b.img,index=1,flag";

    (void)state;
    assert_true(suboption_next(&p, &o));
    assert_string_equal(o.key, "file");
    assert_string_equal(o.value, "a,b.img");
    assert_true(suboption_next(&p, &o));
    assert_string_equal(o.key, "index");
    assert_true(suboption_next(&p, &o));
    assert_string_equal(o.key, "");
    assert_string_equal(o.value, "flag");
    assert_false(suboption_next(&p, &o));
}

static bool drives(const char *const *args, struct drive d[DRIVE_COUNT], char *error)
{
    struct config c;
    char *argv[8];
    int argc = 0;

    for (; args[argc]; argc++)
        argv[argc] = (char *)args[argc];
    assert_true(config_init(&c));
    assert_int_equal(config_parse(&c, argc, argv), CONFIG_RUN);
    bool ok = drive_parse(&c, d, error);
    config_free(&c);
    return ok;
}

#define DRIVES(...) drives((const char *const[]){__VA_ARGS__, NULL}, d, error)

static void drives_find_their_connectors(void **state)
{
    static struct drive d[DRIVE_COUNT];
    char error[DRIVE_ERROR_MAX];

    (void)state;
    assert_true(DRIVES("-hda", "/etc/passwd", "-drive", "file=b.img,readonly=on,format=raw"));
    assert_string_equal(d[0].path, "/etc/passwd");
    assert_string_equal(d[1].path, "b.img");
    assert_true(d[1].readonly && !d[0].readonly && !d[1].snapshot);
    assert_true(DRIVES("-drive", "file=c.img,index=3,if=ide,snapshot=on"));
    assert_true(d[3].present && d[3].snapshot && !d[0].present);
    assert_true(DRIVES("-hdb", "/etc/passwd", "-snapshot"));
    assert_true(d[1].snapshot);

    assert_true(DRIVES("-cdrom", "/etc/passwd", "-fdb", "/etc/passwd"));
    assert_true(d[2].cdrom && d[2].readonly && !d[0].present);
    assert_true(d[4].present && !*d[4].path); /* floppy drive A is there, and empty */
    assert_string_equal(d[5].path, "/etc/passwd");
    assert_true(DRIVES("-drive", "file=a,if=floppy", "-drive", "file=b,media=cdrom,index=1"));
    assert_string_equal(d[4].path, "a");
    assert_true(d[1].cdrom && d[2].cdrom && !*d[2].path && !d[5].present);
    assert_true(DRIVES("-hdc", "/etc/passwd"));
    assert_false(d[2].cdrom);

    assert_false(DRIVES("-hdc", "/etc/passwd", "-cdrom", "/etc/passwd"));
    assert_non_null(strstr(error, "the same drive"));
    assert_false(DRIVES("-drive", "file=a,if=floppy,index=2"));
    assert_non_null(strstr(error, "index=2 is not supported"));
    assert_false(DRIVES("-drive", "file=a,if=floppy,media=cdrom"));
    assert_false(DRIVES("-drive", "index=0"));
    assert_non_null(strstr(error, "names no file"));
    assert_false(DRIVES("-drive", "file=a,format=qcow2"));
    assert_non_null(strstr(error, "format=qcow2 is not supported"));
    assert_false(DRIVES("-drive", "file=a,colour=blue"));
    assert_non_null(strstr(error, "no part 'colour'"));
    assert_false(DRIVES("-hda", "/etc/passwd", "-drive", "file=a,index=0"));
    assert_non_null(strstr(error, "given twice"));
}

static void boot_orders_become_cmos_bytes(void **state)
{
    struct boot_order b;
    u8 byte38 = 0x01, byte3d;

    (void)state;
    assert_true(boot_order_parse(NULL, &b));
    assert_string_equal(b.order, "cad");
    boot_order_cmos(b.order, &byte38, &byte3d);
    assert_int_equal(byte38, 0x31);
    assert_int_equal(byte3d, 0x12);
    assert_true(boot_order_parse("order=nd,once=a,menu=on", &b));
    assert_true(b.menu && strcmp(b.once, "a") == 0);
    boot_order_cmos(b.order, &byte38, &byte3d);
    assert_int_equal(byte38, 0x01);
    assert_int_equal(byte3d, 0x34);
    assert_true(boot_order_parse("d", &b) && strcmp(b.order, "d") == 0);
    assert_false(boot_order_parse("", &b));
    assert_false(boot_order_parse("aa", &b));
    assert_false(boot_order_parse("b", &b));
    assert_false(boot_order_parse("order=", &b));
    assert_false(boot_order_parse("splash=x", &b));
}

static void the_rtc_base_takes_words_and_dates(void **state)
{
    const struct rtc_host host = {1000000000, 3600, false}, fixed = {1000000000, 3600, true};
    u64 t;

    (void)state;
    assert_true(rtc_base_parse(NULL, &host, &t) && t == 1000000000);
    assert_true(rtc_base_parse("base=localtime", &host, &t) && t == 1000003600);
    assert_true(rtc_base_parse("base=localtime", &fixed, &t) && t == 1577836800);
    assert_true(rtc_base_parse("base=2006-06-17T16:01:21", &host, &t) && t == 1150560081);
    assert_true(rtc_base_parse("base=2000-02-29", &host, &t) && t == 951782400);
    assert_false(rtc_base_parse("base=yesterday", &host, &t));
    assert_false(rtc_base_parse("base=2006-13-17", &host, &t));
    assert_false(rtc_base_parse("base=2006-06-17T16:01:21Z", &host, &t));
    assert_false(rtc_base_parse("clock=host", &host, &t));
}

/* Let the host take @ns_per_insn for each instruction for @slices of a guest millisecond. */
static u64 run_host(struct pacer *p, struct clock *c, u64 host, double ns_per_insn, unsigned slices)
{
    while (slices--) {
        pacer_update(p, c, host);
        u64 n = (1000000ull << 32) / c->ratio;
        clock_begin(c, n);
        c->left = 0;
        host += (u64)((double)n * ns_per_insn);
    }
    return host;
}

static void guest_time_follows_a_host_that_changes_speed(void **state)
{
    struct pacer p;
    struct clock c;

    (void)state;
    clock_init(&c, CLOCK_RATIO_DEFAULT);
    pacer_init(&p);
    u64 host = 5000000000;
    host = run_host(&p, &c, host, 5, 2000);
    i64 lag = (i64)(host - 5000000000 - clock_now(&c));
    assert_true(lag < 5000000 && lag > -5000000);
    host = run_host(&p, &c, host, 50, 2000);
    lag = (i64)(pacer_guest_time(&p, host) - clock_now(&c));
    assert_true(lag < 5000000 && lag > -5000000);
    assert_true(pacer_host_time(&p, pacer_guest_time(&p, host)) == host);
}

static void time_that_the_host_was_away_is_not_caught_up(void **state)
{
    struct pacer p;
    struct clock c;

    (void)state;
    clock_init(&c, CLOCK_RATIO_DEFAULT);
    pacer_init(&p);
    u64 host = run_host(&p, &c, 0, 10, 1000);
    u64 before = clock_now(&c);
    host += 3600ull * 1000000000; /* a closed lid */
    host = run_host(&p, &c, host, 10, 100);
    assert_true(clock_now(&c) - before < 500000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_split_at_single_commas),
        cmocka_unit_test(drives_find_their_connectors),
        cmocka_unit_test(boot_orders_become_cmos_bytes),
        cmocka_unit_test(the_rtc_base_takes_words_and_dates),
        cmocka_unit_test(guest_time_follows_a_host_that_changes_speed),
        cmocka_unit_test(time_that_the_host_was_away_is_not_caught_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
