/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fault is something that cannot be judged: each kind and each limit has a name in the configuration
 * (`on-fault`), a policy and a counter. One row holds all of it: identifier, key, text.
 */
#ifndef NFQD_BASE_FAULT_H
#define NFQD_BASE_FAULT_H

#include "base/words.h"

/* What is done then, in the order of severity: X(id, word, what is said of the packet) */
#define FAULT_ACTIONS(X)                                                                           \
	X(ON_FAULT_PASS, "pass", "passed")                                                         \
	X(ON_FAULT_RESET, "reset", "reset")                                                        \
	X(ON_FAULT_DROP, "drop", "dropped")

enum fault_action { FAULT_ACTIONS(WORD_ID) ON_FAULT_N };

/* X(id, key, text, what is done unless the site says otherwise) */
#define FAULTS(X)                                                                                  \
	X(decode, "decode", "not a whole IP, TCP or UDP packet", "pass")                           \
	X(cut, "cut", "packet of which only a part was captured", "pass")                          \
	X(parse, "parse", "damaged DNS, TLS or HTTP message", "pass")                              \
	X(quic_unknown, "quic-unknown", "QUIC packet that could not be decrypted", "pass")         \
	X(certificate, "certificate", "server handshake that could not be read", "pass")           \
	X(hello_size, "hello-size", "hello longer than 16 KiB", "pass")                            \
	X(window, "window", "segment too far from the bytes that come next", "pass")               \
	X(overlap, "overlap", "segments that overlap with different bytes", "pass")                \
	X(flows_full, "flows-full", "flow table full, oldest flow forgotten", "pass")              \
	X(streams_full, "streams-full", "no memory left, an incomplete message forgotten", "pass") \
	X(source_streams, "source-streams", "one client's share of that memory used up", "pass")   \
	X(worker_died, "worker-died", "rest of a message whose beginning a dead worker had read", "pass")

enum fault {
#define X(id, key, text, preset) FAULT_##id,
	FAULTS(X)
#undef X
	FAULT_N
};

#endif
