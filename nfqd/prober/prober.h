/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The heartbeat's processes. They prove that a listed name is refused now, on this machine, by the rules that
 * protect its clients. A responder runs in a network namespace of its own, at the far end of a virtual link. A
 * prober asks it for the canary's name over each channel: from this host's network, as a local program would, or
 * from a second namespace, as a routed client would. The responder never answers: what the prober receives is
 * nfqd's refusal, and what the responder receives has passed nfqd. Nothing leaves the machine.
 *
 * Each process reports to the parent over a socket pair and exits when the parent does. The kernel then removes
 * the namespace and the link.
 */
#ifndef NFQD_PROBER_PROBER_H
#define NFQD_PROBER_PROBER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* id, word in records, IP protocol, port */
#define PROBE_CHANNELS(X)                                                                          \
	X(DNS_UDP, "dns-udp", 17, 53)                                                              \
	X(DNS_TCP, "dns-tcp", 6, 53)                                                               \
	X(TLS, "tls", 6, 443)                                                                      \
	X(HTTP, "http", 6, 80)                                                                     \
	X(QUIC, "quic", 17, 443)

enum probe_channel {
#define X(id, word, proto, port) PROBE_##id,
	PROBE_CHANNELS(X)
#undef X
		PROBE_CHANNELS_N
};

struct probe_row {
	const char *word;
	uint8_t     proto;
	uint16_t    port;
};
extern const struct probe_row probe_rows[PROBE_CHANNELS_N];

#define PROBE_MESSAGE 1280 /* the longest: a QUIC Initial of 1200 bytes (RFC 9000 14.1) */

/* Writes the message in which a client names the canary over this channel; id is the DNS message's ID. Returns its
 * length. */
size_t probe_message(enum probe_channel channel, uint16_t id, uint8_t out[static PROBE_MESSAGE]);

enum prober_role { PROBER_RESPONDER, PROBER_OUTPUT, PROBER_FORWARD, PROBER_ROLES };

/* What a process tells the parent. */
enum prober_report_kind {
	PROBER_WANTS_LINK, /* its namespace exists; it waits for a command that says the link is there */
	PROBER_READY,
	PROBER_FAILED,     /* it cannot start; error says why */
	PROBER_REACHED,    /* a prober: the channel's connection was accepted */
	PROBER_REFUSED,    /* a prober: nfqd refused the message; us says after how long */
	PROBER_UNSENT,     /* a prober: the kernel did not take the packet; error says why */
	PROBER_DONE,       /* a prober: the beat is over */
	PROBER_ARRIVED,    /* the responder: the channel's message came through */
	PROBER_REPORTS
};

struct prober_report {
	uint8_t  kind;    /* enum prober_report_kind */
	uint8_t  channel; /* enum probe_channel */
	uint16_t beat;
	int32_t  error;   /* errno */
	uint32_t us;      /* microseconds */
};

struct prober_in {
	enum prober_role  role;
	int               parent; /* a SOCK_SEQPACKET socket: reports go out, commands come in */
	const char       *empty_folder;
	_Atomic uint64_t *diag_lost;
};

/* A command of the parent's: the number of the beat to run, or 0 for "the link is there". */
typedef uint16_t prober_command;

/* Runs the process until the parent has gone. Returns its exit code. */
int prober_main(const struct prober_in *in);

#endif
