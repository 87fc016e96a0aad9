/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the parts of `nfqctl rules import`: rules_import.c (the command: reads the list, writes the
 * names), rules_import_lines.c (what a line of each format says) and rules_import_pack.c (the pack's
 * YAML).
 */
#ifndef NFQCTL_RULES_IMPORT_H
#define NFQCTL_RULES_IMPORT_H

#include "rules.h"

/* What a line says about a name. */
enum taken { TAKE_NAME = 0, TAKE_BELOW = 1, TAKE_ALLOW = 2 }; /* bits: and all below; an exception */

struct import_lines {
	/* Takes one name. Returns NULL, or why it cannot be. Set by the caller. */
	const char *(*take)(struct import_lines *x, const char *name, unsigned taken);
	/* What was taken last was this name with all below it, and for the opposite: what is below is
	 * not meant after all. False: it was not that. Set by the caller. */
	bool (*narrow)(struct import_lines *x, const char *name, unsigned taken);
	/* of a zone: the owner of the record before, as written; what relative names are relative to, and
	 * the apex, without a final dot, "" while unknown */
	char     owner[HOST_TEXT * 4], origin[HOST_TEXT], zone[HOST_TEXT];
	unsigned depth; /* of open parentheses */
};

struct import_format {
	const char *name;
	/* Takes the names of one line, which it may change. Returns why the line says nothing that
	 * can be taken; NULL: fine, or nothing but a comment. */
	const char *(*line)(struct import_lines *x, char *line);
};
extern const struct import_format import_formats[]; /* ends with a row without a name */

/* What the new pack says of itself. */
struct import_pack {
	const char *id, *vendor, *title, *category;
	const char *format, *file, *sha256;
	const char *names_file, *allow_file; /* NULL: there are none */
	const char *match, *allow, *no_match; /* its tests; NULL: none */
};
MUST_CHECK int import_pack_write(FILE *f, const struct import_pack *p);

#endif
