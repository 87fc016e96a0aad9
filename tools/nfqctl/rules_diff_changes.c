/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl rules diff --changes: what changed between two releases of packs, as a section of
 * rules/CHANGES.md: what is new, gone, does something else or has other names. That only sources, dates or
 * wording changed is one line a pack.
 */
#include "rules_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nfqctl.h"

/* What an entry does to a site: each change has a line. */
static const char *const telling[] = { "action", "category", "ports", "from", "profile", "categories", NULL };

/* Sources are not told one by one. */
static bool is_source(const char *id)
{
	return strncmp(id, "source ", 7) == 0;
}

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static void print_keys(const json_t *names)
{
	const char *name, *comma = "";
	json_t     *v;

	json_object_foreach((json_t *)names, name, v) {
		printf("%s`%s`", comma, name);
		comma = ", ";
	}
}

static void print_quoted(const json_t *names)
{
	json_t *v;
	size_t  i;

	json_array_foreach(names, i, v)
		printf("%s`%s`", i ? ", " : "", json_string_value(v));
}

static void print_added(json_t *new, const char *id)
{
	const json_t *e = json_object_get(new, id);

	if (json_object_get(e, "names")) {
		printf("- new: `%s` (%s, %s): ", id, text(e, "category"), text(e, "action"));
		if (json_is_string(json_object_get(e, "cidr")))
			printf("`%s`", text(e, "cidr"));
		print_keys(json_object_get(e, "names"));
		putchar('\n');
	} else if (!is_source(id)) {
		printf("- new: %s, from %s: %s\n", id, text(e, "from"), text(e, "action"));
	}
}

static void print_names(const char *id, const json_t *change)
{
	const json_t *added = json_object_get(change, "added"), *gone = json_object_get(change, "removed");

	printf("- `%s`: names", id);
	if (json_array_size(added)) {
		printf(" added: ");
		print_quoted(added);
	}
	if (json_array_size(gone)) {
		printf("%s gone: ", json_array_size(added) ? ";" : "");
		print_quoted(gone);
	}
	putchar('\n');
}

/* Returns false when nothing of it is worth a line. */
static bool print_changed(const char *id, const json_t *fields)
{
	const json_t *names = json_object_get(fields, "names");
	bool          said = names != NULL;

	if (names)
		print_names(id, names);
	for (unsigned i = 0; telling[i]; i++) {
		const json_t *change = json_object_get(fields, telling[i]);
		char         *was = change ? json_dumps(json_object_get(change, "old"), JSON_ENCODE_ANY) : NULL;
		char         *now = change ? json_dumps(json_object_get(change, "new"), JSON_ENCODE_ANY) : NULL;

		if (was && now)
			printf("- `%s`: %s: %s, was %s\n", id, telling[i], now, was);
		said |= change != NULL;
		free(was);
		free(now);
	}
	return said;
}

static void print_pack(json_t *old, json_t *new, const char *id)
{
	json_t     *d = diff_of(old, new), *v, *fields;
	const char *key, *comma = "- sources, dates or wording: ";
	size_t      i;

	printf("\n### `%s`\n\n", id);
	json_array_foreach(json_object_get(d, "added"), i, v)
		print_added(new, json_string_value(v));
	json_array_foreach(json_object_get(d, "removed"), i, v)
		if (!is_source(json_string_value(v)))
			printf("- gone: `%s`\n", json_string_value(v));
	json_object_foreach(json_object_get(d, "changed"), key, fields)
		if (strncmp(key, "pack ", 5) != 0 && !print_changed(key, fields)) {
			printf("%s`%s`", comma, key);
			comma = ", ";
		}
	if (*comma == ',')
		putchar('\n');
	json_decref(d);
}

/* ---- many packs ---------------------------------------------------------------------------- */

static const struct pack *find(const struct packs *packs, const char *id)
{
	for (unsigned i = 0; i < packs->n; i++)
		if (strcmp(packs->v[i]->id, id) == 0)
			return packs->v[i];
	return NULL;
}

/* 2026.11.28.10 is after 2026.11.28.9. */
static const char *newest(const struct packs *packs)
{
	const char *best = "";

	for (unsigned i = 0; i < packs->n; i++)
		if (strverscmp(packs->v[i]->version, best) > 0)
			best = packs->v[i]->version;
	return best;
}

static unsigned long count_names(json_t *pack)
{
	unsigned long n = 0;
	const char   *id;
	json_t       *e;

	json_object_foreach(pack, id, e)
		n += json_object_size(json_object_get(e, "names"));
	return n;
}

static int print_one(const struct pack *old, const struct pack *new)
{
	json_t *was = old ? diff_pack(old->path) : NULL, *now = diff_pack(new->path);
	int     r = now && (was || !old) ? 0 : -1;

	if (r == 0 && !old)
		printf("\n### `%s`: new\n\n%s; %lu names.\n", new->id, new->title ? new->title : new->vendor,
		       count_names(now));
	else if (r == 0 && !json_equal(was, now))
		print_pack(was, now, new->id);
	json_decref(was);
	json_decref(now);
	return r;
}

int diff_changes(char *old, char *new)
{
	struct packs from = { .n = 0 }, to = { .n = 0 };
	int          r = rules_load(&from, &old, 1);

	if (r == 0)
		r = rules_load(&to, &new, 1);
	if (r == 0)
		printf("## %s\n", newest(&to));
	for (unsigned i = 0; r == 0 && i < to.n; i++)
		if (strcmp(to.v[i]->path, "canary (built in)") != 0)
			r = print_one(find(&from, to.v[i]->id), to.v[i]);
	for (unsigned i = 0; r == 0 && i < from.n; i++)
		if (!find(&to, from.v[i]->id))
			printf("\n### `%s`: gone\n", from.v[i]->id);
	packs_free(&from);
	packs_free(&to);
	return r < 0 ? CTL_FAILED : CTL_DONE;
}
