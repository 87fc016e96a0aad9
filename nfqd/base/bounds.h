/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is kept for how many: the bounds that no flood moves. X(id, number, what the manual says of it); the table in
 * nfqd(8) is written from these rows by tests/unit/inspect/test_bounds_manual.c. Numbers "in all" are shared evenly
 * by the queues.
 */
#ifndef NFQD_BASE_BOUNDS_H
#define NFQD_BASE_BOUNDS_H

#define BOUNDS(X)                                                                                  \
	X(BOUND_CONNS, 81920, "connections known, in all; beyond them the longest idle decided one is forgotten") \
	X(BOUND_WAITING, 61440, "connections waiting for the rest of a message or for their server, in all") \
	X(BOUND_MESSAGE, 16384, "bytes kept of one message")                                       \
	X(BOUND_OWN, 128, "bytes of them that each waiting connection has room for")               \
	X(BOUND_SHARED, 11796480, "bytes in all for what is longer; when half of them are in use, a ClientHello is kept " \
	  "without the fields that name no host")                                                  \
	X(BOUND_SHARE, 8, "part of the waiting connections, and of these bytes, that one client has at most (one of 8)") \
	X(BOUND_RESERVE, 60, "waiting connections of one client, in all, that no flood of others takes while some " \
	  "client has more")                                                                       \
	X(BOUND_EXPECTED_MS, 2500, "milliseconds without a packet, after which a waiting connection is the first to lose what " \
	  "is kept for it, if memory is needed")                                                   \
	X(BOUND_STALE, 20, "seconds, after which that is no fault")                                \
	X(BOUND_IDLE, 120, "seconds, after which a connection is forgotten")                       \
	X(BOUND_LOST, 327680, "connections remembered as having lost a beginning, in all and for 120 seconds") \
	X(BOUND_FRAGMENTED, 32, "fragmented packets of captures put together at a time")

enum bound {
#define X(id, number, text) id = (number),
	BOUNDS(X)
#undef X
};

#endif
