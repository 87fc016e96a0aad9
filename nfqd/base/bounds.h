/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is kept for how many: the bounds that no flood moves. X(id, number, what the manual says of it); the table in
 * nfqd(8) is written from these rows by tests/unit/inspect/test_bounds_manual.c. Numbers "in all" are shared evenly
 * by the queues.
 */
#ifndef NFQD_BASE_BOUNDS_H
#define NFQD_BASE_BOUNDS_H

#define BOUNDS(X)                                                                                  \
	X(BOUND_CONNS, 81920, "connections known in all; when there are more, the decided one that was idle longest is forgotten") \
	X(BOUND_WAITING, 61440, "connections that wait for the rest of a message or for their server, in all") \
	X(BOUND_MESSAGE, 16384, "bytes kept of one message")                                       \
	X(BOUND_OWN, 128, "bytes of a message that each waiting connection has room for by itself") \
	X(BOUND_SHARED, 11796480, "bytes that longer messages share; when half of them are in use, a ClientHello is kept " \
	  "without the fields that name no host")                                                  \
	X(BOUND_SHARE, 8, "clients among whom waiting connections and shared bytes are divided: none has more than that part") \
	X(BOUND_RESERVE, 60, "waiting connections of one client that a flood of others cannot take while any client has more") \
	X(BOUND_EXPECTED_MS, 2500, "milliseconds without a packet, after which a waiting connection is the first to lose its " \
	  "message when memory runs short")                                                        \
	X(BOUND_STALE, 20, "seconds without a packet, after which losing a message is not counted as a fault") \
	X(BOUND_IDLE, 120, "seconds without a packet, after which a connection is forgotten")      \
	X(BOUND_LOST, 327680, "connections remembered for 120 seconds as having lost their beginning, in all") \
	X(BOUND_FRAGMENTED, 32, "fragmented packets of captures reassembled at a time")

enum bound {
#define X(id, number, text) id = (number),
	BOUNDS(X)
#undef X
};

#endif
