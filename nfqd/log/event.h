/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One decision as a record: plain data that a packet thread writes into a ring and the log thread
 * turns into text. rs stays mapped until every event that points into it is written.
 */
#ifndef NFQD_LOG_EVENT_H
#define NFQD_LOG_EVENT_H

#include "act/sent.h"
#include "base/addr.h"
#include "decide/decision.h"
#include "name/name.h"

struct ruleset;

/* What was judged, as bytes; borrowed. */
struct event_bytes {
	struct span packet;  /* from its IP header on; n == 0: not kept */
	struct span payload; /* the message, when it spans packets; n == 0: one packet holds it */
	uint32_t    length, payload_length; /* before any cut */
};

/* On whose behalf a program of this host sent what was judged. */
struct event_client {
	struct addr addr; /* len 0: the sender is the client itself */
	bool        has_mac;
	uint8_t     mac[6];
	uint32_t    ifin;
};

struct event {
	uint64_t              ts; /* ns */
	uint64_t              flow_id;
	const struct ruleset *rs;
	struct addr           src, dst;
	uint16_t              sport, dport;
	uint8_t               proto; /* IPPROTO_* */
	bool                  has_mac, mac_shared; /* mac_shared: it is a router's, or a repeater's */
	uint8_t               mac[6];
	uint32_t              ifin, ifout;
	struct event_client   client;
	const char           *file;   /* the capture file's name, borrowed; NULL: not from a file */
	uint64_t              number; /* of the packet in that file */
	uint8_t               app;  /* enum app */
	uint8_t               sent; /* enum sent */
	bool                  listed;
	uint16_t              dns_type;
	struct name           name;
	struct name           origin; /* the name that an answer is about, or that an address was learned for */
	union {
		struct {
			uint16_t id;
			bool     ech; /* the answer has keys for Encrypted ClientHello */
		} dns;
		struct tls_detail tls;
		struct http_info  http;
	};
	struct decision    decision;
	struct event_bytes bytes;
};

/* Fills in the protocol and what a record tells of its message. */
void event_describe(struct event *e, const struct names *names);

#endif
