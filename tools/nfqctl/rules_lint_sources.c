/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lints sources: one that nothing cites, and one that nobody can read again as it was. A file in a
 * repository changes under its address, so a source names the full commit; every other page needs the day
 * on which it was read or made.
 */
#include <string.h>

#include "base/yaml.h"
#include "rules_lint.h"

enum { COMMIT = 40, COMMIT_SHA256 = 64 };

#define LINE(p, ...) yaml_doc_line((p)->doc, __VA_ARGS__)

static bool has_text(char *const v[], unsigned n, const char *text)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(v[i], text) == 0)
			return true;
	return false;
}

static bool source_used(const struct pack *p, const char *id)
{
	for (unsigned i = 0; i < p->n_entries; i++)
		if (has_text(p->entries[i].sources, p->entries[i].n_sources, id))
			return true;
	for (unsigned i = 0; i < p->n_nets; i++)
		if (has_text(p->nets[i].sources, p->nets[i].n_sources, id))
			return true;
	return false;
}

/* ---- the address --------------------------------------------------------------------------- */

static const char *skip_parts(const char *at, unsigned n)
{
	while (n-- > 0 && at) {
		at = strchr(at, '/');
		at += at != NULL;
	}
	return at;
}

/* Where a repository's address names the branch, tag or commit of a file; NULL: it names no file. */
static const char *revision(const char *path)
{
	static const char *const kinds[] = { "/blob/", "/raw/", "/tree/", "/blame/" };
	static const char        raw[] = "raw.githubusercontent.com/";

	if (strncmp(path, raw, sizeof(raw) - 1) == 0)
		return skip_parts(path, 3);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *at = strstr(path, kinds[i]);

		if (at)
			return at + strlen(kinds[i]);
	}
	return NULL;
}

static bool is_commit(const char *at)
{
	size_t n = strspn(at, "0123456789abcdef");

	return (n == COMMIT || n == COMMIT_SHA256) && (at[n] == '/' || at[n] == '\0');
}

const char *lint_url(const char *url)
{
	const char *host = strstr(url, "://"), *path, *at;

	if (!host)
		return NULL; /* urn:nfqd:unattributed, a message's id */
	host += 3;
	path = strchr(host, '/');
	if (!path || strspn(path, "/") == strlen(path))
		return "is the root of a site: name the page";
	at = revision(host);
	return at && !is_commit(at) ? "can change under its address: name the full commit" : NULL;
}

/* Has a text a date, 2026-11-24? */
static bool has_date(const char *text)
{
	static const char form[] = "0000-00-00";

	for (; *text; text++) {
		size_t i = 0;

		while (i < sizeof(form) - 1 && (form[i] == '0' ? text[i] >= '0' && text[i] <= '9' :
		                                                 text[i] == form[i]))
			i++;
		if (i == sizeof(form) - 1)
			return true;
	}
	return false;
}

static void check_citation(const struct pack *p, unsigned i)
{
	const struct pack_source *s = &p->sources[i];
	const char               *why = lint_url(s->url), *host = strstr(s->url, "://");
	const char               *at = host ? revision(host + 3) : NULL;

	if (why)
		lint_warn(p->path, LINE(p, "sources[%u].url", i), "source '%s': url: '%s' %s", s->id,
		          s->url, why);
	else if (host && !at && !s->retrieved && !(s->title && has_date(s->title)))
		lint_warn(p->path, LINE(p, "sources[%u]", i),
		          "source '%s': neither pinned to a commit nor dated: write 'retrieved'", s->id);
}

void lint_sources(struct lint *l, const struct pack *p)
{
	for (unsigned i = 0; i < p->n_sources; i++) {
		const struct pack_source *s = &p->sources[i];

		if (!s->url && !s->title)
			lint_wrong(l, p->path, LINE(p, "sources[%u]", i),
			           "source '%s': needs a url or a title", s->id);
		if (!source_used(p, s->id))
			lint_wrong(l, p->path, LINE(p, "sources[%u]", i), "source '%s': nothing cites it",
			           s->id);
		if (s->url)
			check_citation(p, i);
	}
}
