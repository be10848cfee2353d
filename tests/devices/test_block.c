/* SPDX-License-Identifier: MIT */
#include "devices/block.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/support/device_state.h"

#define SECTORS 20u

struct image {
    char path[64];
    char err[BLOCK_ERR_SIZE];
};

static void write_image(const char *path, size_t len, const char *head)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    for (size_t i = 0; i < len; i++)
        fputc(i < strlen(head) ? head[i] : (int)(i / 512), f);
    fclose(f);
}

static int setup(void **state)
{
    struct image *im = calloc(1, sizeof(*im));

    snprintf(im->path, sizeof(im->path), "test_block_%ld.img", (long)getpid());
    write_image(im->path, SECTORS * 512, "");
    *state = im;
    return 0;
}

static int teardown(void **state)
{
    struct image *im = *state;

    remove(im->path);
    free(im);
    return 0;
}

static struct block *open_with(struct image *im, struct block_options opt)
{
    struct block *b = NULL;

    assert_int_equal(block_open(&b, im->path, &opt, im->err), STATUS_OK);
    return b;
}

static u8 first_byte(struct block *b, u64 lba)
{
    u8 buf[512];

    assert_int_equal(block_read(b, lba, 1, buf), STATUS_OK);
    return buf[0];
}

static void writes_reach_the_file(void **state)
{
    struct image *im = *state;
    u8 buf[1024];

    memset(buf, 0xab, sizeof(buf));
    struct block *b = open_with(im, (struct block_options){0});
    assert_int_equal(block_sectors(b), SECTORS);
    assert_int_equal(block_write(b, 7, 2, buf), STATUS_OK);
    assert_int_equal(block_flush(b), STATUS_OK);
    block_close(b);
    b = open_with(im, (struct block_options){.read_only = true});
    assert_int_equal(first_byte(b, 6), 6);
    assert_int_equal(first_byte(b, 8), 0xab);
    assert_int_equal(block_write(b, 7, 1, buf), STATUS_IO);
    block_close(b);
}

static void snapshot_leaves_the_file(void **state)
{
    struct image *im = *state;
    u8 buf[20 * 512];

    memset(buf, 0xcd, sizeof(buf));
    struct block *b = open_with(im, (struct block_options){.snapshot = true});
    assert_int_equal(block_write(b, 7, 2, buf), STATUS_OK); /* crosses a chunk */
    assert_int_equal(block_write(b, 19, 1, buf), STATUS_OK);
    assert_int_equal(block_read(b, 0, 20, buf), STATUS_OK);
    assert_int_equal(buf[6 * 512], 6);
    assert_int_equal(buf[7 * 512], 0xcd);
    assert_int_equal(buf[8 * 512 + 511], 0xcd);
    assert_int_equal(buf[9 * 512], 9);
    assert_int_equal(buf[19 * 512], 0xcd);
    block_close(b);
    b = open_with(im, (struct block_options){.snapshot = true});
    assert_int_equal(first_byte(b, 7), 7);
    block_close(b);
}

static void overlay_saves_and_loads(void **state)
{
    u8 disk[SECTORS * 512] = {0}, buf[512] = {0x77}, stream[8 + 2 * (8 + 4096)];
    struct block *a = NULL, *b = NULL;
    struct state_buffer sink = {stream};
    const u8 *p = stream;

    (void)state;
    assert_int_equal(block_create_memory(&a, disk, sizeof(disk)), STATUS_OK);
    assert_int_equal(block_create_memory(&b, disk, sizeof(disk)), STATUS_OK);
    assert_int_equal(block_write(a, 19, 1, buf), STATUS_OK);
    assert_int_equal(block_write(a, 0, 1, buf), STATUS_OK);
    assert_int_equal(disk[0], 0);
    block_save(a, state_sink, &sink);
    assert_ptr_equal(sink.at, stream + sizeof(stream));
    assert_true(block_hash(a) != block_hash(b));
    assert_int_equal(block_load(b, &p, stream + sizeof(stream)), STATUS_OK);
    assert_true(block_hash(a) == block_hash(b));
    assert_int_equal(first_byte(b, 19), 0x77);
    p = stream;
    assert_int_equal(block_load(b, &p, stream + 100), STATUS_BAD_SIZE);
    block_close(a);
    block_close(b);
}

static void a_second_writer_is_refused(void **state)
{
    struct image *im = *state;
    struct block_options reader = {.snapshot = true}, writer = {0};
    struct block *other = NULL;

    struct block *b = open_with(im, writer);
    assert_int_equal(block_open(&other, im->path, &writer, im->err), STATUS_LOCKED);
    assert_int_equal(block_open(&other, im->path, &reader, im->err), STATUS_LOCKED);
    assert_non_null(strstr(im->err, "in use"));
    block_close(b);
    b = open_with(im, reader);
    other = open_with(im, reader);
    block_close(other);
    block_close(b);
}

static void bad_images_are_refused_with_a_sentence(void **state)
{
    struct image *im = *state;
    struct block_options opt = {0};
    struct block *b = NULL;

    write_image(im->path, 1000, "");
    assert_int_equal(block_open(&b, im->path, &opt, im->err), STATUS_BAD_SIZE);
    assert_non_null(strstr(im->err, "1000 bytes"));
    write_image(im->path, 0, "");
    assert_int_equal(block_open(&b, im->path, &opt, im->err), STATUS_BAD_SIZE);
    write_image(im->path, 1024, "QFI\xfb");
    assert_int_equal(block_open(&b, im->path, &opt, im->err), STATUS_BAD_FORMAT);
    assert_int_equal(block_open(&b, "no/such.img", &opt, im->err), STATUS_NO_FILE);
    assert_int_equal(block_open(&b, ".", &(struct block_options){.read_only = true}, im->err),
                     STATUS_BAD_FORMAT);
    assert_null(b);
}

static void sectors_past_the_end_are_refused(void **state)
{
    struct image *im = *state;
    u8 buf[1024];
    struct block *b = open_with(im, (struct block_options){0});

    assert_int_equal(block_read(b, SECTORS, 1, buf), STATUS_BAD_SIZE);
    assert_int_equal(block_read(b, SECTORS - 1, 2, buf), STATUS_BAD_SIZE);
    assert_int_equal(block_write(b, UINT64_MAX, 2, buf), STATUS_BAD_SIZE);
    block_close(b);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(writes_reach_the_file),
        T(snapshot_leaves_the_file),
        T(overlay_saves_and_loads),
        T(a_second_writer_is_refused),
        T(bad_images_are_refused_with_a_sentence),
        T(sectors_past_the_end_are_refused),
    };
    return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
