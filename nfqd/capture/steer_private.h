/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to steering: its state, the text of the table, the queue rules that nft's text cannot
 * write, and conntrack entries. */
#ifndef NFQD_CAPTURE_STEER_PRIVATE_H
#define NFQD_CAPTURE_STEER_PRIVATE_H

#include <stdio.h>

#include <jansson.h>
#include <libmnl/libmnl.h>

#include "capture/steer.h"

struct mnl_socket;
struct away_job;

#define INSIDE_MAX 64

/* Sets of addresses that have elements; a rule that looks into an empty one is not written. */
struct steer_filled {
	bool nets[2], ports[2], watched[2]; /* IPv4, IPv6 */
};

/* A process that makes a transaction. */
struct away {
	pid_t    pid; /* 0: none is under way */
	int      fd;  /* what it says */
	int64_t  until; /* its answer is waited for */
	unsigned patience_ms, extra_ms; /* the latter for the elements of sets, which libnftables reads again */
};

/* The socket stays open: to close one waits for other programs' transactions. */
struct counters_socket {
	struct mnl_socket *nl; /* NULL: not yet */
	uint32_t           sequence;
};

struct steer {
	struct away          away;
	struct counters_socket counters;
	struct steer_conf    conf;
	enum steer_storage   storage;
	uint32_t             outside[INSIDE_MAX], inside[INSIDE_MAX]; /* interface indices */
	unsigned             n_outside, n_inside;
	struct steer_filled  filled;
	char                 flowtable[128]; /* the first that was found; empty: none */
	struct mnl_socket   *look;      /* steer_look.c; NULL: not open */
	bool                 took_over; /* the table of an earlier run was there */
	bool                 asleep; /* loaded, not yet filled */
	bool                 stale;  /* the rules are out of date */
	unsigned             rules; /* of the table, as loaded last */
	int                  programs[PREFILTER_PROGRAMS]; /* of the prefilter; -1: none */
	uint64_t             handle; /* the kernel's number of that table; 0: not known */
	struct steer_counts  gone, seen; /* of tables that are gone; of all, when last read */
};

/* ---- what the daemon says to the rules, and the rules to the daemon ---- */

/* Codes in the low four bits of a token. */
enum { TOKEN_ALLOW = 1, TOKEN_REJECT, TOKEN_DROP, TOKEN_REPLIES, TOKEN_CODES = 15 };

/* Labels; those from LABEL_ALLOWED up are the connection's state. */
enum {
	LABEL_COUNT = 100,   /* 100 to 107: client datagrams without a name, in unary */
	LABEL_COUNT_END = 107,
	LABEL_AGED = 116,    /* allowed by their number */
	LABEL_RELEASED,      /* held back from a flowtable long enough */
	LABEL_HELD,
	LABEL_ASKED = 119,   /* had a question or a hello: never allowed by its number */
	LABEL_PROBE = 120,   /* sticks where the entry can hold labels */
	LABEL_SEEN = 121,    /* its SYN was seen: conntrack knows which side is the client's */
	LABEL_REJECTED = LABEL_ALLOWED + 1,
	LABEL_DROPPED,
	LABEL_REPLIES,       /* the server's answer decides */
	LABEL_REOPENED,      /* a SYN came since; the state before it is void */
	LABEL_DECIDED,       /* rejected, dropped or replies */
	LABEL_END
};

/* ---- the table ---- */

/* TCP's flags in the aligned word that holds them, `@th,96,32`: a quarter of the price of `tcp flags`. */
enum { TH_SYN = 0x00020000, TH_RST = 0x00040000, TH_ACK = 0x00100000 };

/* One rule of a chain; format and arguments as printf's. */
#define RULE(f, ...) (fputs("\t\t", (f)), fprintf((f), __VA_ARGS__), fputc('\n', (f)))

/* The chains whose rules queue, one for each kind. */
extern const char *const queue_chains[QUEUE_KINDS];
/* Those that call the prefilter's programs; each has one rule, or none. nft's text cannot write either kind. */
extern const char *const prefilter_chains[PREFILTER_PROGRAMS];

/* steer_state.c: sets, tokens, what becomes of decided packets, and the way to the queue. */
void write_state_sets(FILE *f, const struct steer *s);
void write_state_chains(FILE *f, const struct steer *s);
void write_queue_chains(FILE *f, const struct steer *s);
/* The first rule of a base chain: for packets that a verdict sent through it again. */
void write_came_back(FILE *f, const struct steer *s);
/* Packets with more than a small number for their priority go through the chain: ours, and other programs'. */
void write_classed(FILE *f, const char *chain);
/* What packets of decided connections meet; the others fall through. Two steps, the more frequent first. */
void write_allowed(FILE *f, const struct steer *s);
void write_decided(FILE *f, const struct steer *s);
/* `is` is a match, `set` a statement; valid for ever. */
const char *state_is(const struct steer *s, unsigned label);
const char *state_set(const struct steer *s, unsigned label);

/* steer_inspect.c: undecided packets, by protocol. */
void write_inspect_sets(FILE *f);
void write_inspect_chains(FILE *f, const struct steer *s);
/* Where there is a prefilter: a question that may pass unseen ends here. */
void write_offer(FILE *f, const struct steer *s);

/* The end of a chain of questions to a resolver. */
void write_dns_split(FILE *f);
/* Are undecided connections held back from a flowtable? */
bool steer_holds(const struct steer *s);

/* steer_text.c: who waits for an answer. */
void write_whom_answered(FILE *f, const struct steer *s, bool routed);

/* What loads the table; the caller frees. NULL: out of memory. With flush: into the one there is, whose
 * chains of these names (each ending in a newline) are emptied. */
char *steer_table_text(const struct steer *s, const char *flush);
/* Are the chain's rules in that text? Others are filled by messages of ours. */
bool steer_has_text(const struct steer *s, const char *chain);
/* The names of the chains that a text fills, a line each; the caller frees. NULL: out of memory. */
char *steer_chain_names(const struct steer *s, const char *text);
char *steer_own_chains(const struct steer *s); /* of the text that would load the table now; likewise */

/* steer_prefilter.c: the counters and chains of the prefilter. */
void write_prefilter(FILE *f);
void steer_forget_programs(struct steer *s); /* their rules are gone */

/* steer_offload.c: looks for a flowtable before the table is loaded. -1: the site refuses to start beside one. */
MUST_CHECK int steer_meet_flowtables(struct steer *s, struct err *err);

/* What nft lists of a thing, as JSON; the caller owns it. -ENOENT: there is none; other errors: that is not
 * known. *doc is NULL then. */
MUST_CHECK int steer_list(struct steer *s, const char *what, json_t **doc);
/* steer_look.c: how many rules the table has with this text in it: a different number shows that another
 * program changed them. */
/* Is there no such table? Quicker than a list; false where that is not known. */
bool     steer_is_gone(struct steer *s);
int      steer_look_fd(struct steer *s); /* its netlink socket; -1: there is none */
uint64_t steer_handle(struct steer *s);  /* of the table that is there; 0: none, or not known */
void     steer_look_close(struct steer *s);
void     steer_put_owner(struct nlmsghdr *nlh, const char *owner); /* into the message that makes the table */
unsigned steer_rules_in(const struct steer *s, const char *text);
/* Does a job with the table's patience; err says what was being done. */
MUST_CHECK int steer_run_job(struct steer *s, const struct away_job *job, const char *doing, struct err *err);
/* Runs nft commands as one transaction; likewise. */
MUST_CHECK int steer_run(struct steer *s, const char *commands, const char *doing, struct err *err);
/* Rewrites the rules after something they depend on has changed. */
MUST_CHECK int steer_rewrite(struct steer *s, struct err *err);

/* ---- steer_away.c: transactions with a deadline ---- */

struct away_job {
	const char              *commands; /* of nft, one transaction */
	const struct steer_conf *queues;   /* then compat_queue() */
	bool                     json;     /* what it lists */
	bool                     probe;    /* compat_probe() */
	const int               *programs; /* then compat_prefilter() */
};

/* Returns 0 or -errno; -ETIMEDOUT: it is not known yet how this or the one before it went. With text: what
 * nft printed, or its complaint; the caller frees, NULL: nothing. */
MUST_CHECK int away_run(struct away *a, const struct away_job *job, char **text);

/* ---- steer_counters.c ---- */

/* Adds the table's counters to sum. Returns 0 or -errno. */
MUST_CHECK int counters_read(struct counters_socket *c, struct steer_counts *sum);
/* Sets them to 0. */
MUST_CHECK int counters_reset(struct counters_socket *c);
void           counters_close(struct counters_socket *c);

/* ---- nfnetlink transactions that nft's text cannot write, or not quickly enough (steer_compat.c) ---- */

struct batch {
	char     data[16384];
	size_t   used;
	uint32_t sequence;
	unsigned acks; /* messages that ask for one */
};
struct batch *batch_new(void); /* the caller frees; NULL: out of memory */
/* Begins a message; batch_advance() ends it. */
struct nlmsghdr *batch_put(struct batch *b, unsigned type, uint16_t flags, uint8_t family);
void             batch_advance(struct batch *b, const struct nlmsghdr *nlh);
/* Ends the batch and sends it. 0 or -errno of the first message that was refused. */
MUST_CHECK int batch_commit(struct batch *b);
MUST_CHECK int batch_send(struct batch *b, int fd); /* the same, on a socket that stays open */
void batch_flush(struct batch *b, const char *chain); /* removes all rules of a chain of ours */
/* Does the kernel take the rule that put() adds to chain `c` of the table `nfqd_probe`, family ip? Loads its modules.
 * In one transaction that is undone by its end. 0 or -errno. */
MUST_CHECK int batch_try(void (*put)(struct batch *b));

/* A rule: the caller adds each expression's data, and ends it with rule_end(). */
struct rule {
	struct nlmsghdr *nlh;
	struct nlattr   *list, *elem, *data;
};
struct rule rule_begin(struct batch *b, uint8_t family, const char *table, const char *chain,
                       const char *expression);
void        rule_expression(struct rule *r, const char *name); /* the next one */
void        rule_counter(struct rule *r, const char *name); /* the data of `objref` */
void        rule_verdict(struct rule *r, uint32_t verdict);
void        rule_end(struct batch *b, struct rule *r);

/* steer_hold.c: drops what might be undecided, until the table is loaded. 0 or -errno. */
MUST_CHECK int steer_hold(struct steer *s);

/* ---- steer_compat.c: xt NFQUEUE through nft_compat ---- */

/* Is it available? Loads the modules. Returns 0 or -errno. */
MUST_CHECK int compat_probe(void);
/* Replaces the rules of the queue chains, in one batch. */
MUST_CHECK int compat_queue(const struct steer_conf *conf, struct err *err);

/* Replaces the rules of the prefilter's chains. 0 or -errno. */
MUST_CHECK int compat_prefilter(const int programs[static PREFILTER_PROGRAMS]);

/* ---- steer_ct.c ---- */

/* How many entries the namespace has; 0 also when that is unknown. */
unsigned long conntrack_count(void);
/* Clears our labels from every entry. */
void conntrack_clear_labels(void);
/* Clears bits of the mark from every entry: what 0.1.0 left. */
void conntrack_clear_marks(uint32_t mask);

/* ---- steer_old.c ---- */

/* Removes the iptables rules of nfqd 0.1.0 (comment `nfqd`). Returns how many. nft_queues: does iptables-nft's
 * table mangle queue packets, of IPv4, of IPv6? */
unsigned old_rules_remove(const bool nft_queues[2]);

#endif
