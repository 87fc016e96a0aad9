/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a configuration to the ruleset image that threads read: packs, policies, exceptions of the
 * file and of the running daemon, settings, index.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/nat64.h"
#include "base/diag.h"
#include "base/yaml.h"
#include "match/never.h"
#include "shared/conf.h"
#include "shared/site_names.h"
#include "shared/state.h"

/* One image under construction. */
struct compile {
	const struct conf   *c;
	const struct overlay   *overlay; /* NULL: for captures */
	struct image_builder b;
	struct site_names    site;
	struct packs         packs; /* none when the packs come from an image */
	struct exception_in *exceptions; /* of the file, then those made at run time */
	unsigned             n_exceptions;
	int64_t              not_before; /* the packs exist since */
	struct err          *err;
};

static int out_of_memory(struct err *err)
{
	return err_set(err, "out of memory");
}

/* ---- exceptions ---------------------------------------------------------------------------- */

/* An exception that has ended does not begin again when the clock goes back. */
static void keep_ended(struct compile *x)
{
	static char long_ago[] = "1970-01-01";

	for (unsigned i = 0; x->overlay && i < x->n_exceptions; i++)
		if (state_has_ended(x->overlay->state, &x->exceptions[i]))
			x->exceptions[i].expires = long_ago;
}

static int gather_exceptions(struct compile *x)
{
	const struct conf *c = x->c;
	unsigned           kept = x->overlay ? state_n_exceptions(x->overlay->state) : 0;

	x->n_exceptions = c->n_exceptions + kept;
	x->exceptions = calloc(x->n_exceptions + 1U, sizeof(*x->exceptions));
	if (!x->exceptions)
		return out_of_memory(x->err);
	if (c->n_exceptions)
		memcpy(x->exceptions, c->exceptions, c->n_exceptions * sizeof(*x->exceptions));
	for (unsigned i = 0; i < kept; i++)
		x->exceptions[c->n_exceptions + i] = *state_exception(x->overlay->state, i);
	keep_ended(x);
	return 0;
}

/* Records name the exception that let something pass. */
static int check_same_name(struct compile *x)
{
	const struct conf *c = x->c;
	int                r = 0;

	for (unsigned i = 0; i < c->n_exceptions; i++)
		for (unsigned k = 0; k < i; k++)
			if (strcmp(c->exceptions[k].name, c->exceptions[i].name) == 0)
				r = yaml_doc_error(c->doc, x->err,
				                      yaml_doc_line(c->doc, "exceptions[%u].name", i),
				                      "exception '%s': an earlier exception has the same "
				                      "name",
				                      c->exceptions[i].name);
	return r;
}

/* An exception without a near end becomes a policy that is never reviewed. */
static int check_ends(struct compile *x)
{
	const struct conf *c = x->c;
	int64_t            now = (int64_t)(clock_now() / NS_PER_S), end;
	int                r = 0;

	if (now < x->not_before)
		now = x->not_before;
	for (unsigned i = 0; i < c->n_exceptions; i++) {
		const struct exception_in *e = &c->exceptions[i];
		unsigned                   line = yaml_doc_line(c->doc, "exceptions[%u].expires", i);

		if (clock_parse(e->expires, &end) < 0)
			continue;
		if (end > now + EXCEPTION_DAYS_MAX * INT64_C(86400))
			r = yaml_doc_error(c->doc, x->err, line, "exception '%s': expires: '%s' is more than a year ahead",
			                   e->name, e->expires);
		if (end <= now)
			diag_warn("policy", "%s:%u: exception '%s' has expired: it allows nothing", c->path ? c->path : "-",
			          line, e->name);
	}
	return r;
}

static int add_names(struct compile *x, unsigned i)
{
	const struct exception_in *e = &x->exceptions[i];
	int                        r = 0;

	for (unsigned k = 0; k < e->n_names; k++) {
		struct err why = { .text = "" };

		if (ruleset_add_exception(&x->b, e->names[k], i, &why) == 0)
			continue;
		if (i >= x->c->n_exceptions)
			return err_set(x->err, "exception '%s': name '%s': %s", e->name, e->names[k],
			               why.text);
		r = yaml_doc_error(x->c->doc, x->err, yaml_doc_line(x->c->doc, "exceptions[%u].names[%u]", i, k),
		                   "exception '%s': name '%s': %s", e->name, e->names[k], why.text);
	}
	return r;
}

int conf_check_exception(const struct exception_in *e, struct err *err)
{
	const struct rs_settings settings = { .mode = MODE_ENFORCE };
	struct image_builder     b;
	struct policy_where      where = { .wrong = NULL };
	struct err               why = { .text = "" };
	int                      r;

	image_init(&b);
	r = ruleset_compile(&b, NULL, 0, err);
	if (r == 0)
		r = policy_compile(&b, NULL, 0, e, 1, &settings, &where, err);
	for (unsigned i = 0; r == 0 && i < e->n_names; i++)
		if ((r = ruleset_add_exception(&b, e->names[i], 0, &why)) < 0)
			err_set(err, "name '%s': %s", e->names[i], why.text);
	image_fini(&b);
	return r;
}

/* ---- the parts ----------------------------------------------------------------------------- */

static int choose_profiles(struct compile *x)
{
	struct err why = { .text = "" };

	if (packs_choose(&x->packs, x->c->profiles, x->c->n_profiles, &why) == 0)
		return 0;
	return yaml_doc_error(x->c->doc, x->err, yaml_doc_line(x->c->doc, "profiles"), "%s", why.text);
}

/* A mistake in a pack is heard beside those of the configuration. */
static int of_pack(struct compile *x, const struct err *why)
{
	if (x->c->doc)
		yaml_doc_tell(x->c->doc, why->text);
	return err_set(x->err, "%s", why->text);
}

/* The packs of files, then those of the policies' own names. */
static int add_all(struct compile *x)
{
	struct err   why = { .text = "" };
	unsigned     n = x->packs.n, n_own = x->site.n;
	struct pack **all = calloc(n + n_own + 1U, sizeof(struct pack *));
	int          r;

	if (!all)
		return out_of_memory(x->err);
	for (unsigned i = 0; i < n + n_own; i++)
		all[i] = i < n ? x->packs.v[i] : &x->site.packs[i - n];
	r = ruleset_compile(&x->b, all, n + n_own, &why);
	free(all);
	return r < 0 ? of_pack(x, &why) : 0;
}

static int add_packs(struct compile *x, const struct image *from)
{
	struct err why = { .text = "" };

	if (from) {
		ruleset_recompile(&x->b, from);
		/* policies look packs up in the copy */
		return x->b.failed ? err_set(x->err, "out of memory") : 0;
	}
	if (packs_load(&x->packs, x->c->rules, x->c->n_rules, &why) < 0)
		return of_pack(x, &why);
	if (choose_profiles(x) < 0)
		return -1;
	return add_all(x);
}

enum { NEVER_LINES = 10 }; /* reported for one load */

static void warn_never(void *ctx, const struct never_hit *hit)
{
	unsigned *said = ctx;
	char      text[800];

	if (++*said > NEVER_LINES)
		return;
	never_text(hit, text, sizeof(text));
	diag_warn("rules", "%s:%u: %s", hit->pack->path, never_line(hit), text);
}

/* Reports names that would be blocked although they must stay open; the site decides. */
static void check_never(struct compile *x, const struct image *img)
{
	struct err     why = { .text = "" };
	struct never  *never = x->packs.n ? never_find(x->c->rules, x->c->n_rules, &why) : NULL;
	struct ruleset rs;
	unsigned       said = 0;

	ruleset_open(&rs, img);
	if (x->packs.n && (!never || never_check(never, x->packs.v, x->packs.n, &rs, warn_never, &said,
	                                         &why) < 0))
		diag_warn("rules", "the names that must stay open were not checked: %s", why.text);
	if (said > NEVER_LINES)
		diag_warn("rules", "%u more names would block what must stay open: nfqctl rules "
			  "lint lists all", said - NEVER_LINES);
	never_free(never);
}

static const struct rs_pack *packs_of(const struct compile *x, unsigned *n)
{
	*n = x->b.section[RS_PACK].n;
	return (const void *)x->b.section[RS_PACK].data;
}

static void find_not_before(struct compile *x)
{
	unsigned              n;
	const struct rs_pack *packs = packs_of(x, &n);

	for (unsigned i = 0; i < n; i++)
		if (packs[i].dated > x->not_before)
			x->not_before = packs[i].dated;
}

/* text names the policy already. */
static void policy_line(struct compile *x, unsigned i, const char *key, const char *text)
{
	const struct yaml_doc *doc = i < x->c->n_own ? x->c->own : x->c->doc;

	if (doc)
		yaml_doc_error(doc, x->err, yaml_doc_line(doc, "policies[%u].%s", i < x->c->n_own ? i : i - x->c->n_own, key),
		               "%s", text);
}

static void wrong_policy(void *ctx, const char *path, const char *text)
{
	struct compile *x = ctx;

	unsigned        i;
	int             n = 0;

	/* of the file that the policy is in */
	if (sscanf(path, "policies[%u].%n", &i, &n) == 1 && n && i < x->c->n_policies)
		policy_line(x, i, path + n, text);
	else if (x->c->doc)
		yaml_doc_error(x->c->doc, x->err, yaml_doc_line(x->c->doc, "%s", path), "%s", text);
}

static int add_policies(struct compile *x)
{
	const struct conf  *c = x->c;
	struct rs_settings  settings = { .mode = (uint8_t)(x->overlay ? x->overlay->mode : c->mode),
		                         .events_all = c->events == EVENTS_ALL,
		                         .packets = (uint8_t)c->packets,
		                         .default_action = (uint8_t)c->default_action,
		                         .not_before = x->overlay ? x->not_before : 0 };
	struct policy_where where = { .wrong = wrong_policy, .ctx = x };
	struct err          what = { .text = "" };

	for (unsigned i = 0; i < FAULT_N; i++)
		settings.on_fault[i] = (uint8_t)c->on_fault[i];
	if (policy_compile(&x->b, c->policies, c->n_policies, x->exceptions, x->n_exceptions, &settings,
	                 &where, &what) == 0)
		return 0;
	return err_set(x->err, "%s", what.text); /* of the first, which has its line already */
}

/* The last step, so that nothing is noted about packs that fail to load. */
static void add_first_seen(struct compile *x)
{
	int64_t               now = (int64_t)(clock_now() / NS_PER_S);
	unsigned              n;
	const struct rs_pack *packs = packs_of(x, &n);
	const char           *text = (const char *)x->b.section[RS_TEXT].data;

	if (now < x->not_before)
		now = 0; /* a new pack is observed from the first time that can be right */
	for (unsigned i = 0; i < n; i++) {
		int64_t since = state_first_seen(x->overlay->state, text + packs[i].id, now);

		image_add(&x->b, RS_FIRST_SEEN, &since, 1, sizeof(since));
	}
}

static void add_nat64(struct compile *x)
{
	const struct conf_inspect *in = &x->c->inspect;
	struct net                 net = NAT64_WELL_KNOWN;

	image_add(&x->b, RS_NAT64, &net, 1, sizeof(net));
	for (unsigned i = 0; i < in->n_nat64; i++)
		if (net_parse(in->nat64[i], &net) == 0) /* checked with the configuration */
			image_add(&x->b, RS_NAT64, &net, 1, sizeof(net));
}

static int compile(struct compile *x, const struct image *from)
{
	int r;

	if (gather_exceptions(x) < 0 || site_names_make(&x->site, x->c, x->err) < 0 || add_packs(x, from) < 0)
		return -1;
	find_not_before(x);
	r = check_same_name(x) | check_ends(x) | add_policies(x);
	for (unsigned i = 0; i < x->n_exceptions; i++)
		r |= add_names(x, i);
	if (r < 0)
		return -1;
	add_nat64(x);
	if (ruleset_index(&x->b, x->err) < 0)
		return -1;
	if (x->overlay)
		add_first_seen(x);
	return 0;
}

int conf_compile_running(const struct conf *c, const struct overlay *overlay,
                    const struct image *from, struct image **img, struct err *err)
{
	struct compile x = { .c = c, .overlay = overlay, .err = err };
	int          r;

	image_init(&x.b);
	r = compile(&x, from);
	if (r == 0 && !(*img = image_finish(&x.b)))
		r = out_of_memory(err);
	if (r == 0)
		check_never(&x, *img);
	packs_free(&x.packs);
	site_names_free(&x.site);
	image_fini(&x.b);
	free(x.exceptions);
	return r;
}

int conf_compile(const struct conf *c, struct image **img, struct err *err)
{
	return conf_compile_running(c, NULL, NULL, img, err);
}
