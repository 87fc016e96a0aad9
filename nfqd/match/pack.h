/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rule pack as its YAML file has it: one vendor, with sources, stages, entries, networks and its own
 * tests. Loading checks everything that a running daemon needs; `nfqctl rules lint` requires more.
 */
#ifndef NFQD_MATCH_PACK_H
#define NFQD_MATCH_PACK_H

#include <stdbool.h>

#include "base/err.h"

struct cyaml_schema_value;
struct yaml_doc; /* base/yaml.h: positions for messages */

/* EVE signature_ids: a pack allots its own from a block of numbers; the others are hashed. */
#define SID_HASHED 8000000
#define SID_FIRST  9000000
#define SID_LAST   9999999
#define SID_BLOCK  1000

/* Called with every problem of a pack, worded as err would have it (yaml_say of base/yaml.h). */
typedef void pack_say(void *ctx, const char *text);

struct pack_source {
	char *id, *title, *url, *publisher, *retrieved;
};

struct pack_stage {
	char    *id, *from;
	int      action; /* ACTION_LOG or ACTION_REJECT */
	int     *categories;
	unsigned n_categories;
	int      basis;
	char    *citation;
	char    *profile; /* holds only where a site names this profile; NULL: everywhere */
	/* not in the file */
	bool chosen; /* set by packs_choose(); only for stages with a profile */
};

struct pack_entry {
	char    *id;
	char   **names;
	unsigned n_names;
	char    *names_file; /* a file beside the pack's; NULL: none */
	int      category;
	char   **ports;
	unsigned n_ports;
	char   **products;
	unsigned n_products;
	char   **sources;
	unsigned n_sources;
	int      confidence;
	bool     shared;
	char    *side_effect, *remark;
	int      action; /* enum entry_action */
	int      protects; /* enum protection */
	unsigned sid;    /* 0: made from the ids of pack and entry */
	char    *added, *reviewed; /* dates */
	char    *override_reason;  /* why it may block what never.yaml names */
};

struct pack_net {
	char    *id; /* net-CIDR when the file has none */
	char    *cidr;
	unsigned asn;
	int      category;
	char   **ports;
	unsigned n_ports;
	char   **sources;
	unsigned n_sources;
	int      confidence, action;
	char    *side_effect, *remark;
	unsigned sid;
	char    *added, *reviewed;
};

/* What was an entry or a network: its id and number are never used again. */
struct pack_retired {
	char    *id, *since, *reason;
	unsigned sid;
};

struct pack_tests {
	char   **allow, **match, **no_match;
	unsigned n_allow, n_match, n_no_match;
};

struct pack {
	char               *id, *vendor, *title, *version, *expires, *license;
	struct pack_source *sources;
	unsigned            n_sources;
	struct pack_stage  *stages;
	unsigned            n_stages;
	struct pack_entry  *entries;
	unsigned            n_entries;
	struct pack_net    *nets;
	unsigned            n_nets;
	struct pack_retired *retired;
	unsigned            n_retired;
	unsigned            sids; /* the first number of the pack's block; 0: it has none */
	struct pack_tests  *tests;
	/* not in the file */
	char            *path;
	struct yaml_doc *doc;
};

/* The shape of a pack's file. */
extern const struct cyaml_schema_value pack_schema;

/* Reads one pack. Returns NULL with err filled (file:line: entry: what). */
MUST_CHECK struct pack *pack_load(const char *path, struct err *err);
/* The two halves of pack_load(), for lint: a pack whose shape is right or, after everything wrong with it was
 * said, made right; and does its content make sense? say may be NULL. */
MUST_CHECK struct pack *pack_open(const char *path, pack_say *say, void *ctx, struct err *err);
MUST_CHECK int          pack_check(const struct pack *p, struct err *err);
/* pack_load() for a file that is already parsed; takes doc, which may be NULL: err is filled then. */
MUST_CHECK struct pack *pack_take(struct yaml_doc *doc, const char *path, struct err *err);
/* The built-in canary pack. */
MUST_CHECK struct pack *pack_canary(struct err *err);
void                    pack_free(struct pack *p);
/* A pack past its date still works: protection must not stop because no update came. */
bool pack_expired(const struct pack *p);

/* Is the names-file of an entry, which must have one, a file beside the pack and not a path? */
bool pack_names_file_ok(const struct pack_entry *e);
/* Writes the path of an entry's names-file. Returns 0, or -1: longer than room. */
MUST_CHECK int pack_names_path(const struct pack *p, const struct pack_entry *e, char *out,
                               size_t room);
/* Calls each with every name of the file beside the pack, which the entry must have; stops at a result
 * below 0 and returns it. A file that cannot be read: -1 with err filled. */
typedef int    names_file_line(void *ctx, const char *name, const char *path, unsigned line);
MUST_CHECK int pack_names_file(const struct pack *p, const struct pack_entry *e,
                               names_file_line *each, void *ctx, struct err *err);

/* A list of packs: files, or folders whose *.yaml are loaded in order; the canary is always there once.
 * Warns about packs past their date: they still work. */
struct packs {
	struct pack **v;
	unsigned      n;
};
MUST_CHECK int packs_load(struct packs *out, char *const paths[], unsigned n, struct err *err);
void           packs_free(struct packs *packs);
/* Puts the stages of these profiles in force. A profile that no stage has is an error. */
MUST_CHECK int packs_choose(const struct packs *packs, char *const profiles[], unsigned n,
                            struct err *err);

/* Runs the pack's own tests against the ruleset built from it alone. Reports every failure; err has the
 * first. */
MUST_CHECK int pack_test(struct pack *p, struct err *err);

#endif
