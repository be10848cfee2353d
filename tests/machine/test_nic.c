/* SPDX-License-Identifier: MIT */
/* -nic, -netdev and -device as users write them. */
#include "machine/nic.h"
#include "tests/support/check.h"

static struct nic_list list;
static char error[PC_ERROR_MAX];

/* Pairs of key and value, ended by NULL. */
static bool parse(const char *const *pairs)
{
    struct config cfg;

    assert_true(config_init(&cfg));
    for (; *pairs; pairs += 2)
        assert_int_equal(config_set(&cfg, pairs[0], pairs[1]), CONFIG_RUN);
    *error = 0;
    bool ok = nic_parse(&cfg, &list, error);
    config_free(&cfg);
    return ok;
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static void nobody_asks_means_no_card(void **state)
{
    (void)state;
    assert_true(parse((const char *const[]){NULL}));
    assert_int_equal(list.count, 0);
    assert_true(PARSE("nic", "none"));
    assert_int_equal(list.count, 0);
}

static void nic_says_all_at_once(void **state)
{
    const struct nic_card *c = list.card;

    (void)state;
    assert_true(PARSE("nic", "user"));
    assert_int_equal(c->model, NIC_RTL8139);
    assert_int_equal(c->mac[5], 0x56);
    assert_true(c->net.user && c->cplus && !c->net.isolated);
    assert_true(PARSE("nic", "user,irq=5,iobase=0x320,model=ne2k_isa,mac=02:00:5e:10:20:ff,"
                             "hostfwd=tcp::2222-:22,hostfwd=udp:0.0.0.0:53-10.0.2.9:54,"
                             "restrict=on,tftp=/srv,bootfile=a.pxe,hostname=h,pcap=p"));
    assert_int_equal(c->model, NIC_NE2K_ISA);
    assert_int_equal(c->irq, 5);
    assert_int_equal(c->iobase, 0x320);
    assert_int_equal(c->mac[0], 2);
    assert_int_equal(c->mac[5], 0xff);
    assert_int_equal(c->net.forwards, 2);
    assert_int_equal(c->net.forward[0].host, 0x7f000001); /* not the whole world */
    assert_int_equal(c->net.forward[0].host_port, 2222);
    assert_int_equal(c->net.forward[0].guest, 0);
    assert_int_equal(c->net.forward[0].guest_port, 22);
    assert_true(c->net.forward[1].udp);
    assert_int_equal(c->net.forward[1].host, 0);
    assert_int_equal(c->net.forward[1].guest, 0x0a000209);
    assert_true(c->net.isolated);
    assert_string_equal(c->net.tftp, "/srv");
    assert_string_equal(c->net.bootfile, "a.pxe");
    assert_string_equal(c->net.pcap, "p");
}

static void device_finds_its_netdev(void **state)
{
    (void)state;
    assert_true(PARSE("netdev", "user,id=a", "netdev", "user,id=b,restrict=on", "device",
                      "rtl8139,netdev=b,addr=7,romfile=,cplus=off", "device", "ne2k_pci"));
    assert_int_equal(list.count, 2);
    assert_true(list.card[0].net.isolated);
    assert_int_equal(list.card[0].slot, 7);
    assert_true(list.card[0].no_rom);
    assert_false(list.card[0].cplus);
    assert_int_equal(list.card[1].model, NIC_NE2K_PCI);
    assert_false(list.card[1].net.user); /* no cable */
    assert_int_equal(list.card[1].mac[5], 0x57);
    assert_true(nic_is_card("rtl8139,netdev=x"));
    assert_false(nic_is_card("isa-debug-exit,iobase=0xf4"));
}

static void mistakes_are_told(void **state)
{
    static const char *const bad[] = {
        "tap",
        "user,model=e1000",
        "user,mac=01:00:00:00:00:00",
        "user,mac=52:54:00:12:34",
        "user,mac=52:54:00:12:34:56:78",
        "user,hostfwd=tcp::0-:22",
        "user,hostfwd=tcp::70000-:22",
        "user,hostfwd=tcp::22",
        "user,hostfwd=sctp::22-:22",
        "user,hostfwd=tcp:1.2.3.400:22-:22",
        "user,hostfwd=tcp::22-:22x",
        "user,irq=5",
        "user,model=ne2k_isa,irq=2",
        "user,model=ne2k_isa,iobase=0x301",
        "user,addr=2",
        "user,addr=32",
        "user,color=red",
        "user,,",
        "user,tftp=",
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(PARSE("nic", bad[i]));
        assert_non_null(strstr(error, "-nic: '"));
    }
    assert_false(PARSE("netdev", "user"));
    assert_false(PARSE("netdev", "user,id=a,mac=02:00:00:00:00:01"));
    assert_false(PARSE("device", "rtl8139,netdev=a"));
    assert_false(
        PARSE("netdev", "user,id=a", "device", "rtl8139,netdev=a", "device", "ne2k_pci,netdev=a"));
    assert_false(PARSE("nic", "user", "nic", "user", "nic", "user", "nic", "user", "nic", "user"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_asks_means_no_card),
        cmocka_unit_test(nic_says_all_at_once),
        cmocka_unit_test(device_finds_its_netdev),
        cmocka_unit_test(mistakes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
