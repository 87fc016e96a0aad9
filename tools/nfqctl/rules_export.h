/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between rules_export.c (the command, the header), rules_export_names.c (which names, and what stays open
 * among them), rules_export_formats.c (how they are written) and rules_export_nets.c (networks). */
#ifndef NFQCTL_RULES_EXPORT_H
#define NFQCTL_RULES_EXPORT_H

#include <nettle/sha2.h>
#include <stdint.h>

#include "base/addr.h"
#include "match/ruleset.h"
#include "rules.h"

/* One name that is to be blocked, or kept open below what is blocked. */
struct export_name {
	const char *text;
	bool        below;         /* the pattern covers everything below, too */
	bool        apex_blocked;  /* what the packs say of the name itself */
	bool        below_blocked; /* and of names below it */
	const struct ruleset *rs;
	const struct rs_rule *rule; /* whose pattern it is */
};

enum export_as { EXPORT_NOT, EXPORT_BLOCKED, EXPORT_RECORDED };

struct export_net {
	const struct pack_net *in;
	struct net             net;
	unsigned               pack;
	enum export_as         as;
};
/* Is there a network inside v[i] that is not blocked itself, but that v[i] would block? */
bool export_net_has_hole(const struct export_net *v, unsigned n, unsigned i);

struct export_format {
	const char *name, *comment; /* NULL: no line of it can be a comment */
	bool        says_below, says_exceptions;
	bool        again; /* a line may occur twice, since the lines after it matter */
	bool        needs_apex; /* cannot block what is below a name without the name */
	bool        exceptions_win; /* also over a longer pattern that blocks */
	bool        opens_below; /* cannot keep a name open without what is below it */
	bool        hides; /* a name hides the wildcards above it from its siblings (DNS zones) */
	void (*block)(FILE *f, const struct export_name *n);
	void (*open)(FILE *f, const struct export_name *n); /* an exception */
	/* a pattern with '*' (text; below: and all below what it matches), to be blocked or kept open */
	void (*glob)(FILE *f, const struct export_name *n, bool blocked);
	void (*begin)(FILE *f, const struct pack *first);
	/* for those that are not about names */
	int (*nets)(FILE *f, const struct export_net *v, unsigned n); /* 0, or -1: out of memory */
	void (*row)(FILE *f, const struct pack *p, const char *sha256, unsigned entry,
	            const char *pattern);
	void (*net_row)(FILE *f, const struct pack *p, const char *sha256, unsigned net);
};
extern const struct export_format export_formats[]; /* ends with a row without a name */

/* ---- one run ---- */

#define EXAMPLES 20

enum lost {
	LOST_LOG,
	LOST_CATEGORY,
	LOST_BELOW,
	LOST_GLOB,
	LOST_APEX,
	LOST_HOLE,
	LOST_EXCEPTION,
	LOST_OPEN,
	LOST_INSIDE,
	LOST_NET,
	LOST_NET_HOLE,
	LOST_NAME,
	LOSSES,
};

struct exporter {
	const struct export_format *format;
	unsigned                    categories; /* bit per category; what is exported */
	bool                        with_log;
	struct pack               **packs;
	char (*sha256)[2 * SHA256_DIGEST_SIZE + 1];
	unsigned       n;
	struct image  *img;
	struct ruleset rs;
	FILE          *body;
	struct err     err;
	unsigned long  names, exceptions;
	/* the pattern at hand */
	unsigned pack, entry, rule;
	bool     below, collecting;
	char     parent[HOST_TEXT]; /* of the name before, for unhide() */
	/* texts of suffixes that may not be exported whole, sorted */
	char  **holes;
	size_t  n_holes;
	char   *lost[LOSSES][EXAMPLES];
	unsigned n_lost[LOSSES];
};


/* rules_export.c: counts what a format cannot express, and keeps the first ones as examples. */
void export_lose(struct exporter *x, enum lost why, const char *dot, const char *text);
/* rules_export_names.c: does a rule block today, in the chosen categories? */
bool export_blocks(const struct exporter *x, const struct rs_rule *r);
/* Writes the names of all packs. Returns 0, or -1 with err filled. */
MUST_CHECK int export_names(struct exporter *x);

/* rules_export_nets.c */
/* Returns 0, or -1: out of memory. */
MUST_CHECK int export_nft(FILE *f, const struct export_net *v, unsigned n);

#endif
