/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pack that an import makes, as YAML: unless --block is given it only logs; it says where its names come from. */
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/clock.h"
#include "rules_import.h"

#define A_YEAR (365 * INT64_C(86400))

struct writer {
	yaml_document_t doc;
	bool            failed;
};

static int checked(struct writer *w, int node)
{
	w->failed |= node == 0;
	return node;
}

static int map(struct writer *w)
{
	return checked(w, yaml_document_add_mapping(&w->doc, NULL, YAML_BLOCK_MAPPING_STYLE));
}

static int list(struct writer *w)
{
	return checked(w, yaml_document_add_sequence(&w->doc, NULL, YAML_BLOCK_SEQUENCE_STYLE));
}

static int text(struct writer *w, const char *s)
{
	return checked(w, yaml_document_add_scalar(&w->doc, NULL, (const yaml_char_t *)s,
	                                           (int)strlen(s), YAML_PLAIN_SCALAR_STYLE));
}

static void put(struct writer *w, int to, const char *key, int value)
{
	int k = text(w, key);

	w->failed = w->failed || !yaml_document_append_mapping_pair(&w->doc, to, k, value);
}

static void append(struct writer *w, int to, int item)
{
	w->failed = w->failed || !yaml_document_append_sequence_item(&w->doc, to, item);
}

/* A list of one text; NULL: an empty one. */
static int texts(struct writer *w, const char *one)
{
	int l = list(w);

	if (one)
		append(w, l, text(w, one));
	return l;
}

static void day(char out[static CLOCK_TEXT], char separator, int64_t later)
{
	clock_text_iso((int64_t)(clock_now() / NS_PER_S) + later, out);
	out[4] = out[7] = separator;
	out[10] = '\0';
}

static int source(struct writer *w, const struct import_pack *p)
{
	int         s = map(w);
	char        today[CLOCK_TEXT], title[4096];
	const char *slash = strrchr(p->file, '/');

	day(today, '-', 0);
	snprintf(title, sizeof(title), "%s list '%s', SHA-256 %s", p->format,
	         slash ? slash + 1 : p->file, p->sha256);
	put(w, s, "id", text(w, "imported"));
	put(w, s, "title", text(w, title));
	put(w, s, "publisher", text(w, "imported"));
	put(w, s, "retrieved", text(w, today));
	return s;
}

static int entry(struct writer *w, const struct import_pack *p, const char *what, const char *file,
                 const char *action, const char *side_effect, const char *remark)
{
	int  e = map(w);
	char id[128];

	snprintf(id, sizeof(id), "%s-%s", p->id, what);
	put(w, e, "id", text(w, id));
	put(w, e, "names-file", text(w, file));
	put(w, e, "category", text(w, p->category));
	put(w, e, "sources", texts(w, "imported"));
	put(w, e, "confidence", text(w, "low"));
	if (strcmp(action, "stage") != 0) /* the word for it is to leave the key out */
		put(w, e, "action", text(w, action));
	if (strcmp(action, "allow") == 0)
		put(w, e, "protects", text(w, p->global ? "all" : "pack"));
	put(w, e, "side_effect", text(w, side_effect));
	put(w, e, "remark", text(w, remark));
	return e;
}

static int entries(struct writer *w, const struct import_pack *p)
{
	int l = list(w);

	if (p->names_file)
		append(w, l, entry(w, p, "names", p->names_file, p->block ? "stage" : "log",
		                   p->block ? "whatever the imported list breaks" : "none, only recorded",
		                   "As the list has them; nobody has looked at them one by one."));
	if (p->allow_file)
		append(w, l, entry(w, p, "exceptions", p->allow_file, "allow", "none, never blocked",
		                   p->global ? "The list's own exceptions. They protect these names from "
		                               "other packs, too." :
		                               "The list's own exceptions, for its own names alone."));
	return l;
}

/* From the day of the import on; without --block there is none. */
static int stages(struct writer *w, const struct import_pack *p)
{
	int  l = list(w), s;
	char today[CLOCK_TEXT];

	if (!p->block)
		return l;
	s = map(w);
	day(today, '-', 0);
	put(w, s, "id", text(w, "imported"));
	put(w, s, "from", text(w, today));
	put(w, s, "action", text(w, "block"));
	put(w, s, "basis", text(w, "site"));
	put(w, s, "citation", text(w, "imported to block"));
	append(w, l, s);
	return l;
}

static int tests(struct writer *w, const struct import_pack *p)
{
	int t = map(w);

	put(w, t, "match", texts(w, p->match));
	put(w, t, "allow", texts(w, p->allow));
	put(w, t, "no_match", texts(w, p->no_match));
	return t;
}

static void fill(struct writer *w, const struct import_pack *p)
{
	int  root = map(w);
	int  sources = list(w);
	char today[CLOCK_TEXT], version[CLOCK_TEXT + 2], expires[CLOCK_TEXT];

	day(today, '.', 0);
	snprintf(version, sizeof(version), "%s.1", today);
	day(expires, '-', A_YEAR);
	append(w, sources, source(w, p));
	put(w, root, "pack", text(w, p->id));
	put(w, root, "vendor", text(w, p->vendor));
	put(w, root, "title", text(w, p->title));
	put(w, root, "version", text(w, version));
	put(w, root, "expires", text(w, expires));
	put(w, root, "sources", sources);
	put(w, root, "stages", stages(w, p));
	put(w, root, "entries", entries(w, p));
	put(w, root, "tests", tests(w, p));
}

/* The emitter takes the document, whether it succeeds or not. */
static bool emit(FILE *f, struct writer *w)
{
	yaml_emitter_t out;
	bool           done;

	if (!yaml_emitter_initialize(&out)) {
		yaml_document_delete(&w->doc);
		return false;
	}
	yaml_emitter_set_output_file(&out, f);
	yaml_emitter_set_width(&out, -1);
	yaml_emitter_set_unicode(&out, 1);
	done = yaml_emitter_open(&out) && yaml_emitter_dump(&out, &w->doc) && yaml_emitter_close(&out);
	yaml_emitter_delete(&out);
	return done;
}

int import_pack_write(FILE *f, const struct import_pack *p)
{
	struct writer w = { .failed = false };

	fputs(p->block ? "# Made by `nfqctl rules import --block`: nobody has looked at the names one by one.\n" :
	                 "# Made by `nfqctl rules import`. It only records; to have it block, look through the names,\n"
	                 "# then take `action: log` out and give the pack a stage.\n",
	      f);
	if (!yaml_document_initialize(&w.doc, NULL, NULL, NULL, 1, 1))
		return -1;
	fill(&w, p);
	if (w.failed) {
		yaml_document_delete(&w.doc);
		return -1;
	}
	return emit(f, &w) && !ferror(f) ? 0 : -1;
}
