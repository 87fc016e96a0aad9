/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a reading finds: messages, each at its place, and what it comes to when none of them is refused. */
#ifndef NFQD_INSPECT_MESSAGE_H
#define NFQD_INSPECT_MESSAGE_H

#include "base/fault.h"
#include "decode/packet.h"
#include "name/name.h"

/* Where a message was found. */
enum place {
	PLACE_IN_ORDER, /* where the client's next message stands; nothing named: only the address */
	PLACE_PARTIAL,  /* the rest of it is still to come */
	PLACE_SYN,      /* with the SYN (RFC 7413): a server may throw it away and be sent another */
	PLACE_DECOY,    /* in packets that may never reach their server */
	PLACE_LATE,     /* where bytes were read already: a retransmission, or other bytes in its place */
	PLACE_AHEAD,    /* after a hole that may never be filled */
	PLACE_AFTER,    /* after what decided the connection */
	PLACE_EMBEDDED, /* inside bytes that are no protocol of ours */
	PLACE_DATAGRAM, /* alone in a datagram; each decides for itself */
	PLACE_SERVER,   /* what the server shows of itself: its certificate */
	PLACES
};

/* What a message may do at its place. */
struct place_rights {
	bool may_allow;        /* unlisted, it may let its connection go for good */
	bool may_refuse;
	bool only_listed;      /* without a listed name it is not judged: it was, or will be, in its place */
	bool records_unlisted; /* with `events: all` */
	bool ends;             /* refused, it ends its connection */
};

extern const struct place_rights place_rights[PLACES];

struct message {
	enum place                place;
	const struct name_proto  *row;  /* NULL: no protocol of ours, there is only the address */
	/* borrowed; of what a server says it is its client's side: addresses, ports and numbers turned round */
	const struct packet      *pkt;
	struct span               bytes; /* the message, without a length in front */
	struct span               read;  /* what was read of it, with that; borrowed */
	uint32_t                  peer_next; /* TCP: the sequence number that the receiver waits for */
	bool                      from_server;
	bool                      begun; /* likewise, and the client has the beginning of it already */
	struct names              names; /* last: not cleared but by names_begin() */
};

/* What the reading of a packet came to, when no message was refused. */
enum outcome {
	OUTCOME_OPEN,       /* nothing was decided */
	OUTCOME_WAITS,      /* likewise: bytes of an incomplete message are kept */
	OUTCOME_ALLOWED,    /* nothing more will be read of the connection */
	OUTCOME_ASK_SERVER, /* what its server says decides */
	OUTCOME_FAULT,      /* it cannot be read on: what the site says of the packet's faults decides */
	OUTCOME_SETTLED,    /* it was decided before: conn_fate() */
	OUTCOMES
};

/* What the later packets of a connection meet: the caller's words, kept for it. */
struct fate {
	uint8_t state;
	bool    drop;
};

#endif
