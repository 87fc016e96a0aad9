/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steering: the nft table `inet nfqd` that sends the daemon exactly the packets it has to see and
 * keeps decided connections in the kernel. Only the parent uses it; it needs CAP_NET_ADMIN.
 *
 * Three adjacent bits of the packet mark and of the connection mark are ours. On a packet they hold
 * one of the codes below between the steering and the deciding chain of one hook and are cleared
 * there; on a connection they hold the decision, and before it whether its SYN was seen.
 *
 * Waiting packets are fragile: removing a base chain drops everything that waits in any queue of
 * the namespace. So while the daemon runs only set elements change; steer_stop_queueing() empties
 * the chains, the queue drains, and only then steer_remove() takes the table away.
 */
#ifndef NFQD_CAPTURE_STEER_H
#define NFQD_CAPTURE_STEER_H

#include "base/addr.h"
#include "base/err.h"
#include "capture/capture.h"

/* Codes in our three bits. */
enum steer_code {
	CODE_NONE = 0,
	CODE_ALLOWED = 1,
	CODE_REJECTED = 2,
	CODE_FORGED = 3, /* packet only: made by act/inject.c, not to be judged */
	CODE_QUEUE = 4,  /* packet: to the queue; connection: undecided, its SYN was seen */
	CODE_REPLIES = 5, /* connection: the server's answer decides; packet: such an answer, queued */
	CODE_DROPPED = 6,
	CODE_STRAY = 7,  /* packet only: queued, and conntrack takes it for no part of a connection */
};

static inline uint32_t steer_code(enum verdict_state s)
{
	static const uint8_t codes[] = { [STATE_UNDECIDED] = CODE_NONE,
		                         [STATE_ALLOWED] = CODE_ALLOWED,
		                         [STATE_REJECTED] = CODE_REJECTED,
		                         [STATE_WANT_REPLIES] = CODE_REPLIES,
		                         [STATE_DROPPED] = CODE_DROPPED };

	return codes[s];
}

static inline uint32_t steer_mark(uint32_t mask, uint32_t code)
{
	return code << __builtin_ctz(mask);
}

enum steer_backend { STEER_NFT, STEER_XT_LEGACY, STEER_XT_NFT };

struct steer_conf {
	uint32_t mark_mask;
	uint16_t queue_num, queues;
	bool     fail_open, forward, output, answers, marked_output;
	char   **inside; /* interfaces or networks whose clients are judged */
	unsigned n_inside;
	bool     inside_auto; /* all but those that come in by an interface with a default route */
};

struct steer;

/*
 * Chooses a backend by probing, puts the table in place in one transaction, replaces what a killed
 * run left, and clears our bits from the conntrack table. Queues must be bound before. Returns NULL with err
 * filled; nothing is left behind then.
 */
MUST_CHECK struct steer *steer_install(const struct steer_conf *conf, struct err *err);
/* No packet goes to the queue any more; what waits there still can be answered. */
void steer_stop_queueing(struct steer *s);
/* Takes everything away and frees s. Call when the queues are empty. */
void steer_remove(struct steer *s);

enum steer_backend steer_backend(const struct steer *s);
const char        *steer_backend_text(enum steer_backend b);

/* Tells which interfaces are outside, with inside_auto; called when routes change. Returns 0, or -1
 * with err. */
MUST_CHECK int steer_set_outside(struct steer *s, const char (*names)[16], unsigned n,
                                 struct err *err);

/*
 * Addresses that no connection reaches unseen, whatever its protocol: of networks, and (with the
 * seconds that they stay) watched ones; of networks also some UDP ports alone, first to last, which no
 * two networks that overlap may both have. Each call replaces what the one before it said; add() and add_port()
 * are to be called in between begin and end.
 */
struct steer_set;
MUST_CHECK struct steer_set *steer_set_begin(struct steer *s, bool watched);
void steer_set_add(struct steer_set *set, const struct net *net, uint32_t seconds);
void steer_set_add_ports(struct steer_set *set, const struct net *net, uint16_t first, uint16_t last);
MUST_CHECK int steer_set_end(struct steer_set *set, struct err *err);

struct steer_counts {
	uint64_t unmarked;      /* packets that came out of the queue undecided, or bypassed it */
	uint64_t marked_output; /* of local programs with a mark of their own: not judged */
	uint64_t foreign_mark;  /* came with our bits set by somebody else; cleared */
	uint64_t no_conntrack;  /* data without a connection entry, judged packet by packet */
};
/* Returns 0, or -1 when the table cannot be read; out then has what was last known. */
int steer_counters(struct steer *s, struct steer_counts *out);

/* False when another program has removed the table, emptied it, or removed the iptables rules. */
bool steer_is_intact(struct steer *s);
/* Puts everything back as steer_install() did, also after steer_stop_queueing(); sets that change at
 * run time are empty then. Decisions stay on their connections. */
MUST_CHECK int steer_repair(struct steer *s, struct err *err);

#endif
