/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between rules_export.c (what is exported, the header) and rules_export_formats.c (how it is written). */
#ifndef NFQCTL_RULES_EXPORT_H
#define NFQCTL_RULES_EXPORT_H

#include <stdint.h>

#include "rules.h"

/* One name that is to be blocked, or kept open below what is blocked. */
struct export_name {
	const char *text;
	bool        below;         /* the pattern says: and all below */
	bool        apex_blocked;  /* what the packs say of the name itself */
	bool        below_blocked; /* and of names below it */
};

struct export_net {
	const char *cidr;
	bool        v6, blocked; /* else: only recorded */
};

struct export_format {
	const char *name, *comment; /* NULL: no line of it can be a comment */
	bool        says_below, says_exceptions;
	bool        hides; /* a name hides the wildcards above it from its siblings (DNS zones) */
	void (*block)(FILE *f, const struct export_name *n);
	void (*open)(FILE *f, const struct export_name *n); /* an exception */
	void (*begin)(FILE *f, const struct pack *first);
	/* for those that are not about names */
	void (*nets)(FILE *f, const struct export_net *v, unsigned n);
	void (*row)(FILE *f, const struct pack *p, const char *sha256, unsigned entry,
	            const char *pattern);
	void (*net_row)(FILE *f, const struct pack *p, const char *sha256, unsigned net);
};
extern const struct export_format export_formats[]; /* ends with a row without a name */

#endif
