/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IP fragments of captured traffic, put together (RFC 791 3.2, RFC 8200 4.5). The kernel's queue
 * never shows any: conntrack does this before our hooks. The first copy of a byte wins; a fixed
 * number of packets is kept, the oldest goes first.
 */
#ifndef NFQD_REASSEMBLE_FRAGMENT_H
#define NFQD_REASSEMBLE_FRAGMENT_H

#include "decode/packet.h"

struct fragments;

/* NULL when memory ran out. */
struct fragments *fragments_new(void);
void              fragments_free(struct fragments *f);

/* Adds the fragment that decode_ip() found. When the packet is whole its transport part is in *whole
 * (borrowed until the next call) and true is returned. */
bool fragments_add(struct fragments *f, const struct packet *pkt, uint64_t now, struct span *whole);

#endif
