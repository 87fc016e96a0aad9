/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between rules_export.c (what is exported, the header), rules_export_formats.c (how it is written) and
 * rules_export_nets.c (networks). */
#ifndef NFQCTL_RULES_EXPORT_H
#define NFQCTL_RULES_EXPORT_H

#include <stdint.h>

#include "base/addr.h"
#include "rules.h"

/* One name that is to be blocked, or kept open below what is blocked. */
struct export_name {
	const char *text;
	bool        below;         /* the pattern says: and all below */
	bool        apex_blocked;  /* what the packs say of the name itself */
	bool        below_blocked; /* and of names below it */
};

enum export_as { EXPORT_NOT, EXPORT_BLOCKED, EXPORT_RECORDED };

struct export_net {
	const struct pack_net *in;
	struct net             net;
	unsigned               pack;
	enum export_as         as;
};
/* Is there one, not blocked itself, inside v[i], that v[i] would block with it? */
bool export_net_has_hole(const struct export_net *v, unsigned n, unsigned i);

struct export_format {
	const char *name, *comment; /* NULL: no line of it can be a comment */
	bool        says_below, says_exceptions;
	bool        hides; /* a name hides the wildcards above it from its siblings (DNS zones) */
	void (*block)(FILE *f, const struct export_name *n);
	void (*open)(FILE *f, const struct export_name *n); /* an exception */
	void (*begin)(FILE *f, const struct pack *first);
	/* for those that are not about names */
	int (*nets)(FILE *f, const struct export_net *v, unsigned n); /* 0, or -1: out of memory */
	void (*row)(FILE *f, const struct pack *p, const char *sha256, unsigned entry,
	            const char *pattern);
	void (*net_row)(FILE *f, const struct pack *p, const char *sha256, unsigned net);
};
extern const struct export_format export_formats[]; /* ends with a row without a name */

/* rules_export_nets.c */
/* Returns 0, or -1: out of memory. */
MUST_CHECK int export_nft(FILE *f, const struct export_net *v, unsigned n);

#endif
