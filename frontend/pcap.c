/* SPDX-License-Identifier: MIT */
#include "frontend/pcap.h"

#include <stdio.h>

#include "base/bits.h"
#include "base/log.h"

/* [PCAP]: nanosecond times, Ethernet. */
#define MAGIC_NS 0xa1b23c4du

enum { HEADER_SIZE = 24, RECORD_SIZE = 16, SNAP_LENGTH = 65535, LINKTYPE_ETHERNET = 1 };

/* The stream is the struct: nothing else is to be remembered. */
struct pcap *pcap_open(const char *path)
{
    u8 header[HEADER_SIZE] = {0};
    FILE *f = fopen(path, "wb");

    if (!f)
        return NULL;
    store32(header, MAGIC_NS);
    store16(header + 4, 2); /* version 2.4 */
    store16(header + 6, 4);
    store32(header + 16, SNAP_LENGTH);
    store32(header + 20, LINKTYPE_ETHERNET);
    if (fwrite(header, sizeof(header), 1, f) != 1) {
        fclose(f);
        return NULL;
    }
    return (struct pcap *)f;
}

void pcap_close(struct pcap *p)
{
    if (p && fclose((FILE *)p) != 0)
        log_error(GENERAL, "the packet dump could not be written");
}

void pcap_write(struct pcap *p, u64 ns, const u8 *frame, size_t len)
{
    u8 record[RECORD_SIZE];
    FILE *f = (FILE *)p;

    if (ferror(f))
        return;
    store32(record, (u32)(ns / 1000000000));
    store32(record + 4, (u32)(ns % 1000000000));
    store32(record + 8, (u32)len);
    store32(record + 12, (u32)len);
    if (fwrite(record, sizeof(record), 1, f) != 1 || fwrite(frame, len, 1, f) != 1)
        log_error(GENERAL, "the packet dump could not be written");
}
