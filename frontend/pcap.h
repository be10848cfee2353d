/* SPDX-License-Identifier: MIT */
/* Frames in a file that packet analysers read. Reference: [PCAP]. */
#pragma once

#include "base/types.h"

struct pcap;

/** NULL: the file cannot be written. What it holds stays until pcap_begin(). */
struct pcap *pcap_open(const char *path);
bool pcap_begin(struct pcap *p) MUST_CHECK;
/** NULL is accepted. */
void pcap_close(struct pcap *p);

/** One frame, at guest time @ns. A full disk ends the dump, not the run. */
void pcap_write(struct pcap *p, u64 ns, const u8 *frame, size_t len);
