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
                      "rtl8139,netdev=b,addr=7,romfile=,cplus=off", "device", "ne2k_pci", "device",
                      "ne2k_pci,netdev=a"));
    assert_int_equal(list.count, 3);
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

/* What is wrong is named, and what would be right. */
static void mistakes_are_told(void **state)
{
    static const struct {
        const char *nic, *error;
    } bad[] = {
        {"tap", "-nic: 'tap' is neither user[,...] nor none"},
        {"user,model=e1000", "has no model=rtl8139, ne2k_pci or ne2k_isa"},
        {"user,mac=01:00:00:00:00:00", "-nic: mac=01:00:00:00:00:00 is not the address of one"},
        {"user,mac=52:54:00:12:34", "mac=52:54:00:12:34 is not"},
        {"user,mac=52:54:00:12:34:56:78", "mac=52:54:00:12:34:56:78 is not"},
        {"user,hostfwd=foo", "-nic: hostfwd=foo is not tcp|udp:[ADDRESS]:PORT-[ADDRESS]:PORT"},
        {"user,hostfwd=tcp::0-:22", "hostfwd=tcp::0-:22 is not tcp|udp"},
        {"user,hostfwd=tcp::70000-:22", "hostfwd=tcp::70000-:22 is not"},
        {"user,hostfwd=tcp::22", "hostfwd=tcp::22 is not"},
        {"user,hostfwd=sctp::22-:22", "hostfwd=sctp::22-:22 is not"},
        {"user,hostfwd=tcp:1.2.3.400:22-:22", "hostfwd=tcp:1.2.3.400:22-:22 is not"},
        {"user,hostfwd=tcp::22-:22x", "hostfwd=tcp::22-:22x is not"},
        {"user,irq=5", "irq=5 is not for this card: only ne2k_isa has that"},
        {"user,model=ne2k_isa,irq=2", "irq=2 is not one of 3, 4, 5,"},
        {"user,model=ne2k_isa,iobase=0x301", "iobase=0x301 is not a port"},
        {"user,model=ne2k_isa,addr=5", "addr=5 is not for ne2k_isa"},
        {"user,model=ne2k_pci,cplus=on", "cplus=on is not for this card"},
        {"user,cplus=perhaps", "cplus=perhaps is not on or off"},
        {"user,restrict=1", "restrict=1 is not on or off"},
        {"user,addr=2", "addr=2 is not a free PCI slot, 3 to 31"},
        {"user,addr=32", "addr=32 is not"},
        {"user,color=red", "-nic: there is no part 'color'; there are model, hostfwd,"},
        {"user,foo", "-nic: there is no part 'foo'"},
        {"user,id=a", "-nic: there is no part 'id'"},
        {"user,,", "-nic: 'user,,' is neither"},
        {"user,tftp=", "tftp= is not a text"},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(PARSE("nic", bad[i].nic));
        if (!strstr(error, bad[i].error))
            fail_msg("%s: \"%s\", not \"%s\"", bad[i].nic, error, bad[i].error);
    }
}

#define CHECK_ERROR(text, ...)                                                                     \
    do {                                                                                           \
        assert_false(PARSE(__VA_ARGS__));                                                          \
        if (!strstr(error, text))                                                                  \
            fail_msg("\"%s\", not \"%s\"", error, text);                                           \
    } while (0)

static void what_does_not_go_together_is_told(void **state)
{
    (void)state;
    CHECK_ERROR("-netdev: 'user' has no id=ID", "netdev", "user");
    CHECK_ERROR("-netdev: there is no part 'mac'", "netdev", "user,id=a,mac=02:00:00:00:00:01");
    CHECK_ERROR("-netdev: hostfwd=x is not", "netdev", "user,id=a,hostfwd=x");
    CHECK_ERROR("-device: there is no part 'hostfwd'; there are netdev,", "device",
                "rtl8139,hostfwd=tcp::22-:22");
    CHECK_ERROR("-device: 'a' is the id of no -netdev", "device", "rtl8139,netdev=a");
    CHECK_ERROR("-device: 'a' has two cards", "netdev", "user,id=a", "device", "rtl8139,netdev=a",
                "device", "ne2k_pci,netdev=a");
    CHECK_ERROR("-netdev: 'b' has no -device", "netdev", "user,id=a", "netdev", "user,id=b",
                "device", "rtl8139,netdev=a");
    CHECK_ERROR("-netdev: 'a' is the id of two", "netdev", "user,id=a", "netdev",
                "user,id=a,restrict=on", "device", "rtl8139,netdev=a");
    CHECK_ERROR("-device: two cards have the address 02:00:00:00:00:01", "nic",
                "user,mac=02:00:00:00:00:01", "device", "rtl8139,mac=02:00:00:00:00:01");
    CHECK_ERROR("room for 4", "nic", "user", "nic", "user", "nic", "user", "nic", "user", "nic",
                "user");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_asks_means_no_card),         cmocka_unit_test(nic_says_all_at_once),
        cmocka_unit_test(device_finds_its_netdev),           cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(what_does_not_go_together_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
