/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of a packet through the daemon, in the order of the folders beside this file:
 *
 *   capture/     the kernel's queue (or a file) hands over a burst of raw packets
 *   decode/      link and IP headers -> addresses, ports, payload
 *   reassemble/  bytes in order: IP fragments, a TCP client's segments, QUIC's handshake
 *   name/        the name the client asks for: DNS question, TLS SNI, HTTP Host; and where a DNS
 *                answer leads
 *   inspect/     the connection: which messages a packet completes, and the place where each was found
 *   match/       which packs list a name
 *   decide/      what the site's policy and the pack's stage in force make of it
 *   act/         the verdict, and what the client is told
 *   log/         one record per decision
 *   tlog/        the Merkle tree over the records' lines, and its signed checkpoints
 *
 * pipeline_packet() walks that way: it loops over the messages on the packet's connection, judges each one,
 * and then settles the connection. A pipeline belongs to one thread and owns one table of connections; all
 * pipelines read the same ruleset. A packet that cannot be judged is a *fault*: it has a name, a counter and
 * a policy (pass or drop), and is always counted.
 *
 * How long a connection is inspected: a TLS hello decides it at once, so that it costs one packet. A hello
 * without a name is decided by the server's reply: up to TLS 1.2 its certificate has names. HTTP requests
 * and requests to proxies may be followed by others: each is judged, up to 64 on a connection and past bodies
 * of up to 64 KiB; a connection with longer bodies leaves the queue. Decoys (packets that only an inspecting
 * device sees), retransmissions and segments out of their place can be refused but allow nothing:
 * inspect/places.c has the rights of each place.
 */
#ifndef NFQD_PIPELINE_H
#define NFQD_PIPELINE_H

#include "pipeline_state.h"

/* The bounds of inspect/table.h: conns_new(). Returns 0 or -ENOMEM. */
MUST_CHECK int pipeline_init(struct pipeline *p, uint32_t max_conns, uint32_t max_streams);
/* What a worker that dies leaves to the next one: conns_keep(). */
size_t pipeline_kept_size(uint32_t max_conns);
void   pipeline_keep(struct pipeline *p, void *memory);
void           pipeline_fini(struct pipeline *p);

/* Judges one packet: the caller must carry out exactly this verdict. */
struct verdict pipeline_packet(struct pipeline *p, const struct raw_packet *raw);
/* Sends our own packets; call it when the verdicts of a burst are out. */
void pipeline_after_burst(struct pipeline *p);

#endif
