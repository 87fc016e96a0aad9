/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packs of names that the configuration itself has, and what is wrong with them. */
#include "shared/site_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/pattern.h"

static bool has_names(const struct policy_in *p)
{
	return p->n_names || p->names_file;
}

/* A pack's calendar, categories and the like say nothing of names that are in no pack. */
static int check_conditions(const struct conf *c, unsigned i, struct err *err)
{
	const struct policy_in *p = &c->policies[i];

	if (p->n_packs || p->n_categories || p->n_products || p->n_confidence)
		return conf_policy_error(c, err, i, "match.names", "names cannot be combined with packs, categories, products "
		                         "or confidence");
	if (p->action == ACTION_STAGE)
		return conf_policy_error(c, err, i, "action", "names of one's own have no stages: allow, log, reject or drop");
	if (p->names_file && strchr(p->names_file, '/'))
		return conf_policy_error(c, err, i, "match.names-file", "names-file: '%s' is not the name of a file beside the "
		                         "configuration", p->names_file);
	return 0;
}

static int check_names(const struct conf *c, unsigned i, struct err *err)
{
	const struct policy_in *p = &c->policies[i];
	int                     r = 0;

	for (unsigned k = 0; k < p->n_names; k++) {
		struct pattern pattern;
		struct err     why = { .text = "" };

		if (pattern_parse(&pattern, p->names[k], &why) < 0)
			r = conf_policy_error(c, err, i, "match.names", "name '%s': %s", p->names[k], why.text);
	}
	return r;
}

static int add(struct site_names *s, const struct conf *c, unsigned i, struct err *err)
{
	static char        one[] = "1", site[] = "this site", effect[] = "as the site's own policy wants";
	struct policy_in  *p = &c->policies[i];
	struct pack_entry *e = &s->entries[s->n];
	struct pack       *pack = &s->packs[s->n];

	*e = (struct pack_entry){ .id = p->name, .names = p->names, .n_names = p->n_names, .names_file = p->names_file,
		                  .category = CAT_WEB, .confidence = CONF_HIGH, .side_effect = effect };
	*pack = (struct pack){ .vendor = site, .version = one, .entries = e, .n_entries = 1, .path = c->path };
	if (asprintf(&pack->id, SITE_PACK "%s", p->name) < 0) {
		pack->id = NULL;
		return err_set(err, "out of memory");
	}
	s->n++;
	return 0;
}

int site_names_make(struct site_names *s, const struct conf *c, struct err *err)
{
	int r = 0;

	*s = (struct site_names){ .packs = calloc(c->n_policies + 1U, sizeof(*s->packs)),
		                  .entries = calloc(c->n_policies + 1U, sizeof(*s->entries)) };
	if (!s->packs || !s->entries)
		return err_set(err, "out of memory");
	for (unsigned i = 0; i < c->n_policies; i++)
		if (has_names(&c->policies[i]))
			r |= check_conditions(c, i, err) | check_names(c, i, err) | add(s, c, i, err);
	return r;
}

void site_names_free(struct site_names *s)
{
	for (unsigned i = 0; i < s->n; i++)
		free(s->packs[i].id);
	free(s->packs);
	free(s->entries);
}
