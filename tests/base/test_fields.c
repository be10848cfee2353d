/* SPDX-License-Identifier: MIT */
/* The first difference of two structs, by the name of its field. */
#include "base/fields.h"

#include <string.h>

#include "tests/support/check.h"

struct part {
    u16 a, b;
};

struct whole {
    u8 small;
    u32 list[3];
    struct part part[2];
    u8 *bytes;
    size_t len;
    int ignored;
};

static const struct field part_fields[] = {
    FIELD(struct part, a),
    FIELD(struct part, b),
    FIELDS_END,
};

static const struct field whole_fields[] = {
    FIELD(struct whole, small),
    FIELD_ARRAY(struct whole, list),
    FIELD_STRUCTS(struct whole, part, part_fields),
    FIELD_BYTES(struct whole, bytes, len),
    FIELDS_END,
};

static u8 some_bytes[] = {1, 2, 3, 4}, other_bytes[] = {1, 2, 9, 4};

static const struct whole example = {
    .small = 5,
    .list = {10, 20, 30},
    .part = {{1, 2}, {3, 4}},
    .bytes = some_bytes,
    .len = sizeof(some_bytes),
};

static void check_difference(const struct whole *other, const char *name, u64 first, u64 second)
{
    struct field_difference d;

    assert_true(fields_differ(whole_fields, &example, other, &d));
    assert_string_equal(d.name, name);
    assert_int_equal(d.value[0], first);
    assert_int_equal(d.value[1], second);
}

static void what_is_not_in_the_table_does_not_count(void **state)
{
    struct whole w = example;
    struct field_difference d;

    (void)state;
    w.ignored = 1;
    assert_false(fields_differ(whole_fields, &example, &w, &d));
}

static void the_first_difference_is_named_by_its_path(void **state)
{
    struct whole w = example;

    (void)state;
    w.bytes = other_bytes;
    check_difference(&w, "bytes[2]", 3, 9);
    w.len = 2;
    check_difference(&w, "length of bytes", 4, 2);
    w.part[1].b = 44;
    check_difference(&w, "part[1].b", 4, 44);
    w.list[2] = 0x80000000;
    check_difference(&w, "list[2]", 30, 0x80000000);
    w.small = 255;
    check_difference(&w, "small", 5, 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_in_the_table_does_not_count),
        cmocka_unit_test(the_first_difference_is_named_by_its_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
