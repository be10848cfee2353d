/* SPDX-License-Identifier: MIT */
#include "frontend/pcap.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bits.h"
#include "base/log.h"
#include "base/outfile.h"

/* [PCAP]: nanosecond times, Ethernet. */
#define MAGIC_NS 0xa1b23c4du

enum { HEADER_SIZE = 24, RECORD_SIZE = 16, SNAP_LENGTH = 65535, LINKTYPE_ETHERNET = 1 };

struct pcap {
    struct outfile out;
    FILE *file; /* NULL: not begun */
};

struct pcap *pcap_open(const char *path)
{
    struct pcap *p = calloc(1, sizeof(*p));

    if (p && outfile_open(&p->out, path))
        return p;
    free(p);
    return NULL;
}

bool pcap_begin(struct pcap *p)
{
    u8 header[HEADER_SIZE] = {0};

    p->file = outfile_begin(&p->out) ? fdopen(p->out.fd, "wb") : NULL;
    store32(header, MAGIC_NS);
    store16(header + 4, 2); /* version 2.4 */
    store16(header + 6, 4);
    store32(header + 16, SNAP_LENGTH);
    store32(header + 20, LINKTYPE_ETHERNET);
    return p->file && fwrite(header, sizeof(header), 1, p->file) == 1;
}

void pcap_close(struct pcap *p)
{
    if (!p)
        return;
    if (p->file) {
        p->out.fd = -1;
        if (fclose(p->file) != 0)
            log_error(GENERAL, "the packet dump could not be written");
    }
    outfile_close(&p->out);
    free(p);
}

void pcap_write(struct pcap *p, u64 ns, const u8 *frame, size_t len)
{
    u8 record[RECORD_SIZE];
    FILE *f = p->file;

    if (!f || ferror(f))
        return;
    store32(record, (u32)(ns / 1000000000));
    store32(record + 4, (u32)(ns % 1000000000));
    store32(record + 8, (u32)len);
    store32(record + 12, (u32)len);
    if (fwrite(record, sizeof(record), 1, f) != 1 || fwrite(frame, len, 1, f) != 1)
        log_error(GENERAL, "the packet dump could not be written");
}
