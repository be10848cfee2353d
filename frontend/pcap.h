/* SPDX-License-Identifier: MIT */
/* Frames in a file that packet analysers read. Reference: [PCAP]. */
#pragma once

#include "base/types.h"

struct pcap;

/** Create or replace the file; NULL: it cannot be written. */
struct pcap *pcap_open(const char *path);
/** NULL is accepted. */
void pcap_close(struct pcap *p);

/** One frame, at guest time @ns. A full disk ends the dump, not the run. */
void pcap_write(struct pcap *p, u64 ns, const u8 *frame, size_t len);
