/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a packet thread asks the parent, over a SOCK_SEQPACKET pair of its own: does the program that has this socket,
 * or its parent process, also have a socket on one of these ports? The worker may not look into other processes.
 */
#ifndef NFQD_SHARED_ASKS_H
#define NFQD_SHARED_ASKS_H

#include "base/addr.h"

enum { ASK_PORTS = 3 };

struct ask {
	uint32_t    number;
	uint8_t     proto; /* IPPROTO_UDP or IPPROTO_TCP */
	uint16_t    sport, dport;
	uint16_t    port[ASK_PORTS]; /* 0: none */
	struct addr src, dst;
	struct addr client; /* on whose behalf it may be; length 0: nobody's */
};

enum ask_says {
	ASK_NO,
	ASK_YES,
	ASK_LATER, /* it was not looked up now */
	ASK_SHARE  /* likewise, since this client has had its share of the second */
};

struct ask_answer {
	uint32_t number; /* of the question */
	uint8_t  says;   /* enum ask_says */
};

#endif
