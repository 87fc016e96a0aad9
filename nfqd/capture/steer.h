/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steering: the nft table `inet nfqd` that sends the daemon exactly the packets it has to see and
 * keeps decided connections in the kernel. Only the parent uses it; it needs CAP_NET_ADMIN.
 *
 * State lives in conntrack labels, single bits of the 128 (in sets of `ct id` where the kernel has no
 * labels). No bit of a packet's or connection's mark is ours. What a queued packet is, its queue number
 * says (enum queue_kind). A verdict that the kernel cannot attach to the packet's own connection sends
 * the packet through our chain again (NF_REPEAT) with a token in the upper half of its priority, which
 * the first rule of the chain takes off.
 *
 * Waiting packets are fragile: removing a base chain drops everything that waits in any queue of
 * the namespace. So while the daemon runs only rules and set elements change; steer_stop_queueing()
 * empties the queue chains, the queue drains, and only then steer_remove() takes the table away.
 */
#ifndef NFQD_CAPTURE_STEER_H
#define NFQD_CAPTURE_STEER_H

#include "base/addr.h"
#include "base/err.h"
#include "capture/capture.h"
#include "capture/prefilter.h"

/* The connection's decision, for other tables: `ct label 122` before `flow add`. */
#define LABEL_ALLOWED 122

/* A table's comment, with its NUL; nft takes 128 bytes. */
#define STEER_OWNER 128

/* How packets and verdicts of this run are recognised. Random, so that neither the rules of an earlier
 * run nor another program's priorities are mistaken for ours. */
struct steer_tokens {
	uint32_t forged;  /* SO_PRIORITY of forged answers: not judged, not tracked */
	uint32_t own;     /* SO_PRIORITY of the daemon's own questions: allowed, and so are the answers */
	uint32_t verdict; /* queue_conf.token */
};
/* Returns 0, or -1 with err when the kernel gives no random bytes. */
MUST_CHECK int steer_tokens_new(struct steer_tokens *t, struct err *err);

/* Where the state of a connection is kept. */
enum steer_storage {
	STEER_LABELS,          /* every entry of the namespace can hold labels */
	STEER_LABELS_AND_SETS, /* entries that are older than the first label rule cannot: sets of `ct id` */
	STEER_SETS,            /* the kernel has no labels */
	STEER_STORAGE_N
};

/* What this kernel has. */
struct steer_means {
	bool nft_queue; /* the nft statement; else the xt NFQUEUE target through nft_compat */
	bool labels;    /* conntrack labels */
	bool glue;      /* NFQA_CT: a verdict may change the packet's own entry */
	bool mark_token; /* NFQA_PRIORITY is ignored: the token is a packet mark, which is restored */
	bool old_sets;  /* tests: STEER_LABELS_AND_SETS, whatever there is */
	bool forget;    /* tests: no rule removes a token */
	bool hasty;     /* tests: another program's transaction is soon too long */
	bool flowtable; /* tests: as if another table had a flowtable */
};
/*
 * Finds that out, without a base chain and without a packet. NFQD_STEER (comma-separated: none, compat,
 * repeat, sets, old, mark, forget, hasty, flowtable) takes means away or pretends, and turns inspect.prefilter on
 * (prefilter), for tests. Returns -1 with err when packets cannot be
 * queued at all.
 */
MUST_CHECK int steer_probe(struct steer_means *m, struct err *err);

/* Is the word in NFQD_STEER? */
bool steer_told(const char *word);

struct steer_conf {
	struct steer_means  means;
	struct steer_tokens tokens;
	const char *owner; /* the instance: the table's comment, the same at every start; at most STEER_OWNER */
	uint32_t old_marks; /* three bits that 0.1.0 used; cleared where its rules are found */
	uint16_t queue_num, queues;
	bool     fail_open, forward, output, answers, marked_output;
	bool     goes_on;   /* the table and its connections are those of the process before: their states stay */
	bool     prefilter; /* programs will be set that let resolvers' datagrams pass */
	bool     keep_states;  /* at the end they stay in the conntrack table, and so in the one of a pair's other end */
	uint8_t  offload;      /* enum steer_offload */
	uint32_t hold_seconds; /* at most */
	char   **inside; /* interfaces or networks whose clients are judged */
	unsigned n_inside;
	char   **proxies; /* ports of local proxies, as decimal numbers; up to PROXIES_MAX */
	unsigned n_proxies;
	bool     inside_auto; /* all but those that come in by an interface with a default route */
};

struct steer;

/*
 * Puts the table in place without a gap: it is loaded asleep, filled, and woken. What a killed run or
 * nfqd 0.1.0 left is replaced, and states are cleared from the conntrack table. Queues must be bound
 * before. Returns NULL with err filled; nothing is left behind then.
 */
MUST_CHECK struct steer *steer_install(const struct steer_conf *conf, struct err *err);
/* Wakes the table: call when its sets are filled. */
MUST_CHECK int steer_wake(struct steer *s, struct err *err);
/* No more packets are queued, not even by a processor that still reads the old rules; those that wait can
 * still be answered. */
void steer_stop_queueing(struct steer *s);
/*
 * The same for the table that a killed run left. Call it before the queues are bound: that table knows neither
 * the tokens of this run's verdicts nor of its answers, which conntrack would then take for connections of the
 * resolver, and a later question from the same port would leave untranslated.
 */
void steer_stop_left(bool fail_open);
/* Removes it, when nothing waits any more. */
void steer_remove_left(void);
/* Removes everything and frees s. Call it when the queues are empty. */
void steer_remove(struct steer *s);
/* Leaves the table as it is and frees s: after steer_stop_queueing(), with fail_open off, it drops whatever
 * would be queued, until the next steer_install() takes it over. */
void steer_leave(struct steer *s);
/* The comment of the table that is there: whose it is. "" without one. */
void steer_owner(char out[static STEER_OWNER]);
/* Was there the table of an earlier run? */
bool steer_took_over(const struct steer *s);

/* The chosen backend, in words. */
const char *steer_backend_text(const struct steer *s);
const char *steer_storage_text(const struct steer *s);
const char *steer_verdict_text(const struct steer *s);

/* Says which interfaces exist and which of them are outside (by index; used with inside_auto). Call it
 * when links or routes change. Returns 0, or -1 with err. */
MUST_CHECK int steer_set_outside(struct steer *s, const uint32_t *outside, unsigned n,
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

/*
 * Puts these programs (-1: none) in front of the queue, in place of the ones before; asked again when the table was
 * made anew. They are borrowed until the next call. Returns 0, or -1 with err: then none is in force.
 */
MUST_CHECK int steer_set_prefilter(struct steer *s, const int programs[static PREFILTER_PROGRAMS], struct err *err);

/* Deletes the conntrack entries that forged answers made while no rule kept them out: a later question from the same
 * port would be taken for the answer's answer, and leave untranslated. */
void steer_forget_answers(void);

struct steer_counts {
	uint64_t queued;        /* packets that met a queue rule; some of them may have bypassed it */
	uint64_t marked_output; /* of local programs with a mark of their own: not judged */
	uint64_t no_conntrack;  /* data without a connection entry, judged packet by packet */
	uint64_t held;          /* bare ACKs held back from a flowtable */
	uint64_t uninspected;   /* connections let go after that; a flowtable may have taken them since */
	uint64_t passed[PREFILTER_PROGRAMS]; /* questions and answers that the prefilter let pass */
	uint64_t own_answers;   /* forged answers to local programs; */
	uint64_t own_arrived;   /* those that no rule dropped on the way */
};
/* How many forged answers to local programs a rule dropped, or are on their way. */
uint64_t steer_own_lost(const struct steer_counts *c);
/* Returns 0, or -1 when the table cannot be read; out then has what was last known. */
int steer_counters(struct steer *s, struct steer_counts *out);

/* The counters of a table that a killed run left; false: there is none, or it counted nothing. */
bool steer_left_behind(struct steer_counts *out);

/* Looks for flowtables: true when there is one; steer_flowtable() names it. When that has changed the
 * rules follow; the next look reports a failure. */
bool        steer_look_for_flowtables(struct steer *s);
const char *steer_flowtable(const struct steer *s); /* NULL: there is none */

/*
 * What is done to nft tables, as events on a socket. steer_events_read() takes what is there and returns a set of the
 * bits. Who did it, the caller too, is left out: the kernel names an author by numbers of another PID namespace.
 */
enum { STEER_EVENT_OURS = 1, STEER_EVENT_FLOWTABLES = 2 };
MUST_CHECK int steer_events_open(struct err *err);
unsigned       steer_events_read(int fd);
/* Without events for a while: the kernel makes one for each element of a set, which costs more than the
 * element. Look at everything afterwards. */
void           steer_events_listen(int fd, bool on);

/* False when another program has removed the table, emptied it, put it to sleep, or put one in its place (a saved
 * ruleset); true where that cannot be known now. */
bool steer_is_intact(struct steer *s);
/* Did a change of rules or sets fail, or is it not known how it went? steer_repair() and filling the sets help. */
bool steer_is_stale(const struct steer *s);
/* Puts everything back as steer_install() did, also after steer_stop_queueing(). Existing chains are
 * emptied and not deleted, so that waiting packets stay. Sets that change at run time may be empty then:
 * fill them and call steer_wake(). Decisions stay on their connections. */
MUST_CHECK int steer_repair(struct steer *s, struct err *err);

#endif
