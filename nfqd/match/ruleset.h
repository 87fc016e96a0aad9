/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One immutable ruleset: all packs, the index of their names, their networks, and (written by
 * decide/policy.c into the same image) the site's policies and settings. Built by the parent,
 * mapped read-only by every worker thread, swapped whole.
 *
 * Matching (design: "Rules"): in one pack an exact name wins, then the longest suffix; on equal
 * length `allow`. Each pack gives at most one hit. An `allow` entry protects against hits of equal
 * or shorter length, whatever the pack (`protects: pack`: its own alone): those hits are left out, the
 * allow hit itself stays.
 */
#ifndef NFQD_MATCH_RULESET_H
#define NFQD_MATCH_RULESET_H

#include "base/action.h"
#include "base/addr.h"
#include "base/image.h"
#include "match/hit.h"
#include "name/name.h"

struct pack; /* match/pack.h */

enum ruleset_section {
	RS_HEAD,      /* one struct ruleset_head */
	RS_TEXT,      /* NUL-terminated strings, addressed by offset */
	RS_LIST,      /* uint32_t: string offsets or indices, addressed by struct list */
	RS_PORT,      /* struct rs_port, addressed by struct list */
	RS_PACK,      /* struct rs_pack */
	RS_STAGE,     /* struct rs_stage */
	RS_RULE,      /* struct rs_rule */
	RS_FILTER,    /* uint64_t: which fingerprints may be in RS_NAME, small enough for a cache */
	RS_NAME,      /* struct rs_name, open addressing by fingerprint */
	RS_TARGET,    /* struct rs_target */
	RS_EXACT,     /* uint32_t: texts of exact names whose addresses may be watched */
	RS_NET,       /* struct rs_net, in the order of net_order() */
	/* the sections above come from the packs, those below from the site */
	RS_POLICY,    /* struct rs_policy (decide/policy.h) */
	RS_CLIENT,    /* struct rs_client */
	RS_EXCEPTION, /* struct rs_exception */
	RS_EXCEPTION_NET, /* struct rs_exception_net */
	RS_SETTINGS,  /* one struct rs_settings */
	RS_EXCEPTION_NAME, /* struct rs_exception_name */
	RS_NAT64,     /* struct net: prefixes of translated addresses (base/nat64.h) */
	RS_FIRST_SEEN, /* int64_t per pack: when it was first loaded, 0: the clock is wrong; none offline */
};

struct list {
	uint32_t first, n; /* in RS_LIST; of ports in RS_PORT */
};

/* Ports of one protocol, both ends included; 0 to 65535: all, and packets without ports. */
struct rs_port {
	uint16_t first, last;
	uint8_t  proto; /* IPPROTO_TCP, IPPROTO_UDP, 0: either */
};

/* What a name is for: X(id, word, severity of an alert, its category). What a product needs to work has
 * more severity (2) than what merely accompanies it (3). */
#define CATEGORIES(X)                                                                              \
	X(CAT_UPDATE, "update", 2, "Vendor update")                                                \
	X(CAT_TELEMETRY, "telemetry", 2, "Vendor telemetry")                                       \
	X(CAT_REPUTATION, "reputation", 2, "Vendor reputation service")                            \
	X(CAT_ACTIVATION, "activation", 2, "Vendor activation")                                    \
	X(CAT_ACCOUNT, "account", 3, "Vendor account")                                             \
	X(CAT_PUSH, "push", 3, "Vendor push service")                                              \
	X(CAT_CRASH, "crash", 3, "Vendor crash reports")                                           \
	X(CAT_WEB, "web", 3, "Vendor web site")                                                    \
	X(CAT_RESOLVER, "resolver", 3, "Encrypted DNS resolver")                                   \
	X(CAT_CANARY, "canary", 3, "Canary")                                                       \
	X(CAT_FIRMWARE, "firmware", 3, "Vendor firmware")                                          \
	X(CAT_LICENCE, "licence", 3, "Vendor licence check")

enum category { CATEGORIES(WORD_ID) CAT_N };

#define CONFIDENCES(X) X(CONF_LOW, "low") X(CONF_MEDIUM, "medium") X(CONF_HIGH, "high")

enum confidence { CONFIDENCES(WORD_ID) CONF_N };

/* Who set the date of a stage. */
#define BASES(X) X(BASIS_LAW, "law") X(BASIS_VENDOR, "vendor") X(BASIS_SITE, "site")

enum basis { BASES(WORD_ID) BASIS_N };

/* How far an entry lowers what its pack's stage says; files leave out the first word. */
#define ENTRY_ACTIONS(X) X(ENTRY_STAGE, "stage") X(ENTRY_LOG, "log") X(ENTRY_ALLOW, "allow")

enum entry_action { ENTRY_ACTIONS(WORD_ID) ENTRY_N };

/* Against whose hits an `allow` entry protects. */
#define PROTECTIONS(X) X(PROTECTS_ALL, "all") X(PROTECTS_PACK, "pack")

enum protection { PROTECTIONS(WORD_ID) PROTECTION_N };

/* What a stage does, in the words of packs. */
#define STAGE_ACTIONS(X) X(ACTION_LOG, "log") X(ACTION_REJECT, "block")

struct ruleset_head {
	uint64_t seed;       /* of the fingerprints */
	uint32_t names;      /* name patterns in the index, ranges counted out */
	uint32_t of_packs[RS_NET + 1]; /* how much of each section the packs fill */
};

struct rs_pack {
	uint32_t id, vendor, version; /* text */
	uint32_t sha256;              /* text: of the pack's file, in hexadecimal */
	int64_t  expires;                    /* seconds; 0: never */
	int64_t  dated;                      /* the version's date where it begins first; 0: unknown */
	uint32_t first_stage, stages;        /* in RS_STAGE, by time */
	uint32_t policy; /* index + 1 in RS_POLICY: its own names, by which it alone decides; 0: a pack of a file */
};

struct rs_stage {
	uint32_t id, citation;
	uint32_t categories; /* bit per enum category; 0: all */
	uint8_t  action; /* ACTION_LOG or ACTION_REJECT */
	uint8_t  basis;
	uint8_t  chosen; /* of a profile that the site chose: overrides stages without a profile */
	int64_t  from;   /* seconds */
};

struct rs_rule {
	uint32_t    id, side_effect; /* text */
	uint32_t    pack;                    /* index */
	uint32_t    sid;                     /* EVE signature_id, stable for pack and id */
	uint8_t     category, confidence, action;
	uint8_t     shared;
	uint8_t     protects; /* enum protection */
	struct list ports;    /* none: all */
	struct list products; /* text */
	struct list sources;  /* text: URLs */
};

struct rs_name {
	uint32_t fp[2]; /* fingerprint, in halves so that a record takes 12 bytes; 0: free */
	uint32_t target;
};

struct rs_target {
	uint32_t rule;    /* or, with exception: index of the exception */
	uint32_t pattern; /* text as written; 0: the name itself tells it */
	uint8_t  kind;    /* enum pattern_kind */
	uint8_t  exception;
};

struct rs_net {
	struct net net;
	uint32_t   rule;    /* a rule of its own, made from the pack's `nets` item */
	uint32_t   pattern; /* text */
	uint32_t   wider;   /* index + 1 of the next one that has all of this; 0: none */
};

struct rs_exception_name {
	uint32_t pattern; /* text, without a leading dot */
	uint32_t exception;
};

struct rs_exception_net {
	struct net net;
	uint32_t   exception;
};

/* By family and first address, a network before those inside it. */
int net_order(const void *a, const void *b);

struct ruleset {
	const struct image        *img;
	const struct ruleset_head *head;
	const char                *text;
	const uint32_t            *list;
	const struct rs_pack      *packs;
	const struct rs_stage     *stages;
	const struct rs_rule      *rules;
	uint32_t                   n_packs, n_rules;
	char                       digest[IMAGE_DIGEST]; /* of an image that is kept; "": it is not */
};

/* Adds packs to an image under construction. Errors name file, line and entry. */
MUST_CHECK int ruleset_compile(struct image_builder *b, struct pack *const packs[], unsigned n,
                             struct err *err);
/* The same from an existing image: its packs, without the site's part. */
void ruleset_recompile(struct image_builder *b, const struct image *from);
/* Adds a pattern, an address or a network of a site exception; called between ruleset_compile() and
 * ruleset_index(). */
MUST_CHECK int ruleset_add_exception(struct image_builder *b, const char *pattern, uint32_t exception,
                                     struct err *err);
/* Writes the head and the index over all patterns that were added. Last step. */
MUST_CHECK int ruleset_index(struct image_builder *b, struct err *err);

/* Opens a view on an image that was built here. rs borrows img. */
void ruleset_open(struct ruleset *rs, const struct image *img);
/* The same with its digest, for records that name it. */
static inline void ruleset_open_named(struct ruleset *rs, const struct image *img)
{
	ruleset_open(rs, img);
	image_digest(img, rs->digest);
}

/* The address to judge: the IPv4 address inside a translated one (NAT64), else the address itself. */
struct addr ruleset_real_addr(const struct ruleset *rs, const struct addr *a);

/* Finds every pack's hit for a canonical name. No allocation; about 100 ns. */
void ruleset_match_name(const struct ruleset *rs, const struct name *name, struct match *out);
/* May the name be listed, by the filter in front of the index alone? What inspect.prefilter asks in the kernel. */
bool ruleset_is_candidate(const struct ruleset *rs, const struct name *name);
/*
 * Finds every pack's hit for an address; proto is IPPROTO_*. beside_name: the connection has a name, and no
 * pack lists it. The name tells more about the owner than the address does, so only networks that name
 * ports count: they stand for a service, whatever its name (encrypted DNS on port 853).
 */
void ruleset_match_addr(const struct ruleset *rs, const struct addr *a, uint8_t proto, uint16_t port,
                        bool beside_name, struct match *out);

/* All that match a name, including those that others outweigh. Returns how many there are; at most max
 * are written. For `why`: the packet path calls ruleset_match_name(). */
unsigned ruleset_match_all(const struct ruleset *rs, const struct name *name, struct hit *out,
                           unsigned max);

/* Writes the pattern of a hit as the pack has it; name is what was matched. */
void hit_pattern(const struct ruleset *rs, const struct hit *hit, const struct name *name,
                 char out[static NAME_TEXT + 2]);

static inline uint64_t rs_name_fp(const struct rs_name *n)
{
	uint64_t fp;

	memcpy(&fp, n->fp, sizeof(fp));
	return fp;
}

static inline const struct rs_port *rs_port(const struct ruleset *rs, uint32_t i)
{
	return (const struct rs_port *)image_at(rs->img, RS_PORT) + i;
}

static inline const char *rs_text(const struct ruleset *rs, uint32_t off)
{
	return rs->text + off;
}

#define PORT_FORMS "tcp/443, udp/443, any/443, tcp/100-199, tcp or udp" /* for messages */
/* Reads one of these forms. Returns 0, or -1: not one of them. */
int port_parse(const char *text, struct rs_port *port);
/* Does a list of ports hold this one? An empty list holds all. */
bool ports_have(const struct ruleset *rs, struct list ports, uint8_t proto, uint16_t port);

/* What a reload changed. This process built both: names are compared by fingerprint. */
struct ruleset_diff {
	uint32_t entries_added, entries_removed;
	uint32_t names_added, names_removed; /* patterns, ranges counted out */
};
MUST_CHECK int ruleset_diff(const struct ruleset *old, const struct ruleset *now,
                            struct ruleset_diff *out);

/* Words of the pack format, index = enum value; NULL ends each table. */
extern const char *const category_words[];
extern const char *const confidence_words[];
extern const char *const basis_words[];
extern const char *const entry_action_words[];
extern const char *const stage_action_words[]; /* index: enum action; only for those of STAGE_ACTIONS */

#endif
