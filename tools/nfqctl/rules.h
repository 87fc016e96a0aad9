/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the sub-commands of `nfqctl rules` share (rules_packs.c, hostname.c). */
#ifndef NFQCTL_RULES_H
#define NFQCTL_RULES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "match/pack.h"

#define HOST_TEXT 254 /* the longest name and its NUL */

/* Loads packs from paths; n 0: ./rules if it exists, else the installed ones. Prints what is wrong. */
MUST_CHECK int rules_load(struct packs *out, char *const paths[], unsigned n);

struct image; /* base/image.h */
/* The ruleset of packs, which the caller frees. NULL: the reason was printed. */
MUST_CHECK struct image *rules_image(const struct packs *packs);

/* The arguments of a sub-command that reads packs: [--json] [--rules PATH]... and a number of words
 * after them. */
struct rules_args {
	char   **paths; /* owned */
	unsigned n;
	bool     json;
};
/* Returns below 0 to continue (argv[optind] is the first word), else the enum ctl_exit to end with: help
 * was printed, or what is wrong with the usage. */
MUST_CHECK int rules_args(struct rules_args *a, int argc, char **argv, const char *words, const char *usage);

/* Calls each with every name of an entry, also those of its file, and where it stands; stops at a
 * result below 0. */
typedef int    rules_name(void *ctx, const char *name, const char *path, unsigned line);
MUST_CHECK int rules_names(const struct pack *p, unsigned entry, rules_name *each, void *ctx,
                           struct err *err);

/* An entry or a network of a pack: what the two have in common, and what only one has (else NULL, 0).
 * Borrows from the pack. */
struct rules_item {
	const struct pack *p;
	const char        *id;
	char *const       *names, *const *ports, *const *products, *const *sources;
	unsigned           n_names, n_ports, n_products, n_sources;
	const char        *names_file, *cidr, *side_effect, *remark;
	unsigned           asn;
	int                category, confidence, action;
	bool               shared;
};
void rules_entry(const struct pack *p, unsigned i, struct rules_item *out);
void rules_net(const struct pack *p, unsigned i, struct rules_item *out);
/* Calls each with all entries and networks, pack by pack. */
typedef void rules_each(void *ctx, const struct rules_item *item);
void         rules_items(const struct packs *packs, rules_each *each, void *ctx);

/* How a source is cited: its url, else its title; "" when the pack has no such source. */
const char *rules_source(const struct pack *p, const char *id);
/* Of all sources of an item. */
json_t *rules_sources(const struct rules_item *item);
json_t *rules_texts(char *const v[], unsigned n);
/* Writes JSON and a newline to standard output; returns an enum ctl_exit. Takes o. */
int rules_print_json(json_t *o);

/* hostname.c: names as registries see them. */
/* Is it a suffix under which anyone can have a name (co.uk, github.io)? Lower case, A-labels. */
bool hostname_is_public_suffix(const char *name);
/* The same of registries alone (com, co.uk), without those that are somebody's own (github.io). */
bool hostname_is_registry(const char *name);
/* The part of the name that its owner registered; NULL: there is none. Points into name. */
const char *hostname_registered(const char *name);
/* Is every xn-- label of a name or pattern what IDNA makes of a Unicode label? */
bool hostname_idna_ok(const char *name);
/* Writes a name in UTF-8 with A-labels, in lower case. Returns 0, or -1 when IDNA has no such name. */
int hostname_to_ascii(const char *name, char out[static HOST_TEXT]);
/* What a person typed as a name, in A-labels where it has other letters: out, or text when nothing has
 * to change. */
const char *hostname_typed(const char *text, char out[static HOST_TEXT + 1]);

#endif
