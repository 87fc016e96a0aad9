/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The site's policy: (hit, client, time) -> struct decision. Pure: no clock, no I/O; the same code
 * answers `why` and the packet path. Policies are walked in order, the first that matches any hit
 * decides; the pack `canary` is always rejected, before every policy.
 */
#ifndef NFQD_DECIDE_POLICY_H
#define NFQD_DECIDE_POLICY_H

#include "base/fault.h"
#include "decide/decision.h"
#include "match/ruleset.h"

/* X(id, word, the strictest action): the configuration knows all but the last, which is set at run time:
 * nothing is decided or recorded */
#define MODES(X)                                                                                   \
	X(MODE_ENFORCE, "enforce", ACTION_DROP)                                                    \
	X(MODE_LOG, "log", ACTION_LOG)                                                             \
	X(MODE_OFF, "off", ACTION_ALLOW)

enum mode { MODES(WORD_ID) MODE_N };

enum client_kind { CLIENT_NET, CLIENT_MAC, CLIENT_IFACE, CLIENT_SELF };

#define SELF_WORD "this-machine" /* CLIENT_SELF: programs of this host */

struct rs_client {
	uint8_t    kind; /* enum client_kind */
	struct net net;
	uint8_t    mac[6];
	char       iface[16];
};

struct rs_policy {
	uint32_t    name;                   /* text */
	uint32_t    first_client, clients;  /* in RS_CLIENT; none: every client */
	struct list packs;                  /* pack indices; none: every pack */
	struct list products;               /* text; none: all */
	struct list ports;                  /* as rs_rule.ports; none: all */
	uint32_t    categories, confidence; /* bits; 0: all */
	int64_t     from, until;            /* seconds; 0: open */
	int64_t     observe_for;            /* seconds since a pack was first loaded: at most log */
	uint8_t     any_pack;               /* packs was not given */
	uint8_t     action, dns;
};

struct rs_exception {
	uint32_t name, owner, reason; /* text */
	uint32_t first_client, clients;
	int64_t  expires; /* seconds */
};

/* Whose bytes are kept in records: X(id, word) */
#define PACKETS(X)                                                                                 \
	X(PACKETS_REFUSED, "refused")                                                              \
	X(PACKETS_MATCHES, "matches")                                                              \
	X(PACKETS_NONE, "none")

enum packets { PACKETS(WORD_ID) PACKETS_N };

struct rs_settings {
	uint8_t mode, events_all;
	uint8_t packets;        /* enum packets */
	uint8_t default_action; /* enum action, of names that no policy matched */
	int64_t not_before;     /* seconds: the present is later than this, whatever the clock says; 0:
				 * unknown */
	uint8_t on_fault[FAULT_N]; /* enum fault_action */
};

/* What the configuration says, as read (shared/conf.c); strings borrowed until the image is built. */
struct policy_in {
	char    *name;
	char   **clients;
	unsigned n_clients;
	char   **packs;
	unsigned n_packs;
	char   **names;
	unsigned n_names;
	char    *names_file;
	char   **categories;
	unsigned n_categories;
	char   **products;
	unsigned n_products;
	char   **confidence;
	unsigned n_confidence;
	char   **ports;
	unsigned n_ports;
	int      action, dns; /* enum action, enum dns_style */
	char    *from, *until, *observe_for;
};

struct exception_in {
	char    *name;
	char   **names;
	unsigned n_names;
	char   **clients;
	unsigned n_clients;
	char    *owner, *reason, *expires;
};

/* Where in the configuration an error is: "policies[2].match.packs[0]"; "" when nowhere. */
struct policy_where {
	char path[64];
	/* hears of every mistake; NULL: err has the first */
	void (*wrong)(void *ctx, const char *path, const char *text);
	void *ctx;
};

/*
 * Adds policies, exceptions and settings to an image that ruleset_compile() has begun; first of all the
 * policy of the canary. err says what is wrong with which policy or exception, where at which place.
 */
MUST_CHECK int policy_compile(struct image_builder *b, const struct policy_in *policies, unsigned n,
                            const struct exception_in *exceptions, unsigned n_exceptions,
                            const struct rs_settings *settings, struct policy_where *where,
                            struct err *err);

struct client {
	struct addr    addr;
	const uint8_t *mac;   /* NULL: unknown */
	const char    *iface; /* NULL: unknown */
	bool           self;  /* a program of this host */
};

/*
 * Decides about one name or address. m is what matching found; port the one the client connects to
 * (proto IPPROTO_*); seconds the packet's time.
 */
void policy_decide(const struct ruleset *rs, const struct match *m, const struct client *client,
                   uint8_t proto, uint16_t port, int64_t seconds, struct decision *out);

/* Does a policy cover a pack? */
bool policy_has_pack(const struct ruleset *rs, const struct rs_policy *p, uint32_t pack);

#define OBSERVES_STILL INT64_C(253402300799) /* 9999-12-31T23:59:59Z: its time has not begun */

/* Until when a policy only observes a pack (index); 0: it does not observe; OBSERVES_STILL: the clock
 * was wrong when the rules were made. policy -1: the default. */
int64_t policy_observes(const struct ruleset *rs, int32_t policy, uint32_t pack);

/* The stage of a pack in force for a category at a time: index into RS_STAGE, or -1 before the first.
 * Once a stage of a profile that the site chose is in force, the other stages do not count. */
int32_t stage_in_force(const struct ruleset *rs, const struct rs_pack *pack, uint8_t category,
                       int64_t seconds);
/* The stage that replaces it: the first later one for the category, or -1. */
int32_t stage_next(const struct ruleset *rs, const struct rs_pack *pack, uint8_t category,
                   int64_t seconds);

static inline const struct rs_settings *rs_settings(const struct ruleset *rs)
{
	return image_at(rs->img, RS_SETTINGS);
}

static inline const struct rs_exception *rs_exception(const struct ruleset *rs, int32_t i)
{
	return (const struct rs_exception *)image_at(rs->img, RS_EXCEPTION) + i;
}

static inline const struct rs_policy *rs_policy(const struct ruleset *rs, int32_t i)
{
	return (const struct rs_policy *)image_at(rs->img, RS_POLICY) + i;
}

/* The time to decide by when the clock says seconds: a clock before the packs' own dates is wrong. */
static inline int64_t policy_present(const struct ruleset *rs, int64_t seconds)
{
	int64_t least = rs_settings(rs)->not_before;

	return seconds < least ? least : seconds;
}

extern const char *const mode_words[]; /* enum mode */

#endif
