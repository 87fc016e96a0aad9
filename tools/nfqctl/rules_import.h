/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the parts of `nfqctl rules import`: rules_import.c (the command and its files),
 * rules_import_read.c (the list, line by line, name by name), rules_import_lines.c (what a line of each
 * format means) and rules_import_pack.c (the pack's YAML).
 */
#ifndef NFQCTL_RULES_IMPORT_H
#define NFQCTL_RULES_IMPORT_H

#include <nettle/sha2.h>
#include <stdio.h>

#include "rules.h"

/* What a line says about a name. */
enum taken { /* bits: and all below; an exception; '*' is meant as packs mean it */
	TAKE_NAME = 0,
	TAKE_BELOW = 1,
	TAKE_ALLOW = 2,
	TAKE_GLOB = 4,
};

struct import_lines {
	/* Takes one name. Returns NULL, or why the name cannot be taken. Set by the caller. */
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
	/* Takes the names of one line, which it may change. Returns why nothing of the line can be
	 * taken; NULL: all is well, or the line is only a comment. */
	const char *(*line)(struct import_lines *x, char *line);
	bool cancels; /* a line may cancel others, wherever they stand: the list is read twice */
};
extern const struct import_format import_formats[]; /* ends with a row without a name */
/* Writes an AdBlock rule with its options in order and without `badfilter`; true: it had that, and
 * cancels every rule that reads the same. */
bool import_adblock_rule(const char *line, char *out, size_t room);

/* What the new pack says about itself. */
struct import_pack {
	const char *id, *vendor, *title, *category;
	const char *format, *file, *sha256;
	const char *names_file, *allow_file; /* NULL: there are none */
	const char *match, *allow, *no_match; /* its tests; NULL: none */
	bool        block;  /* its names, and not only record them */
	bool        global; /* its exceptions protect against other packs, too */
};
MUST_CHECK int import_pack_write(FILE *f, const struct import_pack *p);

#define CANDIDATES 16 /* names one of which becomes the pack's positive test */

struct output {
	char          path[4096], name[256]; /* name: without the folder */
	FILE         *f;
	unsigned long n;
};

struct importer {
	struct import_lines         lines; /* first: take() gets no other pointer */
	const struct import_format *format;
	struct import_pack          pack;
	const char                 *out;
	bool                        probing, begun, force;
	bool                        told; /* the format was detected, not given */
	bool                        collecting; /* rules that others cancel */
	char                      **cancelled;  /* sorted once collected */
	size_t                      n_cancelled;
	const char                 *no_text; /* what the file is, if not a list */
	unsigned                    line;
	struct err                  why; /* the first bad name of the line */
	unsigned long               skipped;
	struct output               names, allow;
	struct {
		struct output *to; /* NULL: it is written */
		char           text[HOST_TEXT];
		bool           below;
	} last;
	char                        candidate[CANDIDATES][HOST_TEXT];
	unsigned                    candidates;
	char                        allowed[HOST_TEXT]; /* the first exception */
};

/* rules_import_read.c */
/* Begins an importer that reads in one format (NULL: not known yet). */
void import_begin(struct importer *x, const struct import_format *format);
/* Reads the whole list and adds its bytes to the hash. Returns 0 or -errno; -EILSEQ: no_text is set. */
MUST_CHECK int import_read(struct importer *x, int fd, struct sha256_ctx *hash);
/* Finds the AdBlock rules that others of the list cancel, and goes back to its beginning. */
MUST_CHECK int import_collect_cancelled(struct importer *x, int fd);
/* Forgets them. */
void import_end(struct importer *x);
/* The format in which most of the first lines make sense. NULL: none of them does, or no_text is set. */
const struct import_format *import_format_told(struct importer *ask, int fd);

#endif
