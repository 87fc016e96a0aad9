/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets in, messages out: what one packet completes of the messages on its connection, each with
 * the place where it was found. Nothing here knows rules, verdicts, records or packets of our own.
 *
 *	struct inspection    *in = conn_of(table, &pkt, now);
 *	const struct message *m;
 *
 *	while (!refused && (m = conn_next(in)))
 *		refused = ... m->names, as far as place_rights[m->place] go ...
 *	conn_settle(in, refused, ...);
 *
 * To ask for the next message says that the one before was not refused: what is read after a message
 * depends on it. The connection belongs to the table, which one thread uses; it is bounded, and what it
 * had to forget is a fault like all that could not be read.
 */
#ifndef NFQD_INSPECT_INSPECT_H
#define NFQD_INSPECT_INSPECT_H

#include "inspect/message.h"
#include "inspect/table.h"

struct inspection;

/* Begins to read a packet, which stays the caller's and is changed: urgent bytes are taken out. Valid
 * until the next call. now in ns. */
struct inspection *conn_of(struct conns *t, struct packet *pkt, uint64_t now);
/* The next message, valid until the next call; NULL: there is none. */
const struct message *conn_next(struct inspection *in);

enum outcome conn_outcome(const struct inspection *in);
struct fate  conn_fate(const struct inspection *in);
/* The sequence number that the packet's receiver waits for, if all before it has come. */
uint32_t conn_peer_next(const struct inspection *in);
/* How often each fault came up in this packet. */
const uint16_t *conn_faults(const struct inspection *in);
/* The faults of which the site's policy is meant for this packet, 1 << enum fault each. A fault is none of them when
 * the packet only made another connection lose its beginning: that one's own packets are charged with the loss. */
uint32_t conn_deciding_faults(const struct inspection *in);

/*
 * Ends the reading. refused: the message last read was, or the site drops for OUTCOME_FAULT. fate is what
 * later packets meet when that, or the outcome, decides the connection. False: it stays undecided all the
 * same, since this packet may decide nothing but a refusal.
 */
bool conn_settle(struct inspection *in, bool refused, struct fate fate);

/* For records of the message last read: is this hash of a name new within 30 s; the connection's number,
 * below 2^53. */
bool     conn_record_once(struct inspection *in, uint32_t hash);
uint64_t conn_id(struct inspection *in);

#endif
