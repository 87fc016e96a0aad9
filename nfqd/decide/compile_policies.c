/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns the configuration's policies and exceptions into the records that policy.c decides by. Every
 * mistake that a person can make in them is found here.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/diag.h"
#include "decide/policy.h"

enum { OBSERVE_MAX_S = 52 * 7 * 86400 };

struct compile {
	struct image_builder *b;
	struct err           *err;
	struct policy_where  *where;
	const char           *what; /* "policy" or "exception" */
	const char           *name; /* of the one being built */
	const char           *list; /* its place: list[at] */
	unsigned              at;
};

/* Reports what is wrong with the policy or exception, and where: list[at] and the key below it. */
__attribute__((format(printf, 4, 5))) static int wrong(struct compile *x, const char *key, unsigned i,
                                                       const char *fmt, ...)
{
	char    text[900];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(x->where->path, sizeof(x->where->path), "%s[%u].%s[%u]", x->list, x->at, key, i);
	if (x->where->wrong) {
		char all[1000];

		snprintf(all, sizeof(all), "%s '%s': %s", x->what, x->name, text);
		x->where->wrong(x->where->ctx, x->where->path, all);
	}
	return err_set(x->err, "%s '%s': %s", x->what, x->name, text);
}

static uint32_t text(struct compile *x, const char *s)
{
	return image_text(x->b, RS_TEXT, s);
}

static const char *text_at(struct compile *x, uint32_t off)
{
	return (const char *)x->b->section[RS_TEXT].data + off;
}

/* ---- lists --------------------------------------------------------------------------------- */

/* The bit of a word in a NULL-terminated table; 0: it is not one of them. */
static uint32_t word_bit(const char *const words[], const char *word)
{
	for (unsigned i = 0; words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return UINT32_C(1) << i;
	return 0;
}

static void join(char *out, size_t room, const char *word)
{
	size_t used = strlen(out);

	snprintf(out + used, room - used, "%s%s", used ? ", " : "", word);
}

static int bits(struct compile *x, const char *key, const char *const words[], char *const v[],
                unsigned n, uint32_t *out)
{
	char allowed[400] = "";

	for (unsigned i = 0; i < n; i++) {
		uint32_t bit = word_bit(words, v[i]);

		for (unsigned w = 0; !bit && words[w]; w++)
			join(allowed, sizeof(allowed), words[w]);
		if (!bit)
			return wrong(x, key, i, "'%s' is unknown (allowed: %s)", v[i], allowed);
		*out |= bit;
	}
	return 0;
}

/* Makes room for n items of a list. NULL: there are none, or no memory. */
static uint32_t *room(struct compile *x, uint32_t n, struct list *l)
{
	*l = (struct list){ .first = x->b->section[RS_LIST].n, .n = n };
	return n ? image_room(x->b, RS_LIST, n, sizeof(uint32_t)) : NULL;
}

static int pack_find(struct compile *x, const char *id, uint32_t *index)
{
	const struct rs_pack *packs = (const void *)x->b->section[RS_PACK].data;

	for (*index = 0; *index < x->b->section[RS_PACK].n; ++*index)
		if (strcmp(text_at(x, packs[*index].id), id) == 0)
			return 0;
	return -1;
}

static int unknown_pack(struct compile *x, const char *id, unsigned i)
{
	const struct rs_pack *packs = (const void *)x->b->section[RS_PACK].data;
	char                  allowed[400] = "";

	for (uint32_t k = 0; k < x->b->section[RS_PACK].n; k++)
		join(allowed, sizeof(allowed), text_at(x, packs[k].id));
	return wrong(x, "match.packs", i, "pack '%s' is unknown (allowed: %s)", id, allowed);
}

static int add_packs(struct compile *x, char *const v[], unsigned n, struct list *out)
{
	uint32_t *to = room(x, n, out);

	for (unsigned i = 0; to && i < n; i++)
		if (pack_find(x, v[i], &to[i]) < 0)
			return unknown_pack(x, v[i], i);
	return 0;
}

static int add_ports(struct compile *x, char *const v[], unsigned n, struct list *out)
{
	struct rs_port *to = n ? image_room(x->b, RS_PORT, n, sizeof(*to)) : NULL;

	*out = (struct list){ .first = x->b->section[RS_PORT].n - (to ? n : 0), .n = n };
	for (unsigned i = 0; to && i < n; i++)
		if (port_parse(v[i], &to[i]) < 0)
			return wrong(x, "match.ports", i, "bad port '%s' (write " PORT_FORMS ")", v[i]);
	return 0;
}

static void add_products(struct compile *x, char *const v[], unsigned n, struct list *out)
{
	uint32_t *to = room(x, n, out);

	for (unsigned i = 0; to && i < n; i++)
		to[i] = text(x, v[i]);
}

/* ---- clients ------------------------------------------------------------------------------- */

static int client_parse(const char *s, struct rs_client *c)
{
	if (net_parse(s, &c->net) == 0) {
		c->kind = CLIENT_NET;
		return 0;
	}
	memset(&c->net, 0, sizeof(c->net));
	if (mac_parse(s, c->mac) == 0) {
		c->kind = CLIENT_MAC;
		return 0;
	}
	memset(c->mac, 0, sizeof(c->mac));
	c->kind = CLIENT_SELF;
	if (strcmp(s, SELF_WORD) == 0)
		return 0;
	c->kind = CLIENT_IFACE;
	if (!iface_ok(s))
		return -1;
	memcpy(c->iface, s, strlen(s));
	return 0;
}

static int add_clients(struct compile *x, char *const v[], unsigned n, uint32_t *first,
                       uint32_t *count)
{
	*count = n;
	*first = x->b->section[RS_CLIENT].n;
	for (unsigned i = 0; i < n; i++) {
		struct rs_client c = { .kind = CLIENT_NET };

		if (client_parse(v[i], &c) < 0)
			return wrong(x, "clients", i,
			             "bad client '%s' (an address, a network such as 10.0.0.0/8 with zero "
			             "bits after the prefix, a MAC such as 3c:52:82:00:00:01, an "
			             "interface, or " SELF_WORD ")",
			             v[i]);
		image_add(x->b, RS_CLIENT, &c, 1, sizeof(c));
	}
	return 0;
}

/* ---- policies ------------------------------------------------------------------------------ */

static int add_date(struct compile *x, const char *key, const char *date, int64_t *out)
{
	if (date && clock_parse(date, out) < 0)
		return wrong(x, key, 0,
		             "%s: '%s' is not a date (write 2027-03-01 or 2027-03-01T12:00:00Z)", key,
		             date);
	return 0;
}

static int add_observe_for(struct compile *x, const char *span, int64_t *out)
{
	if (span && (clock_parse_span(span, out) < 0 || *out > OBSERVE_MAX_S))
		return wrong(x, "observe-for", 0,
		             "observe-for: '%s' is not a length of time up to 52w (write 12h, 7d or 2w)", span);
	return 0;
}

/* The pack of the policy's own names, which stands in the image under its name. */
static int add_own_names(struct compile *x, const struct policy_in *in, struct rs_policy *p)
{
	struct rs_pack *packs = (void *)x->b->section[RS_PACK].data;
	char            id[300];
	uint32_t        pack, *to;

	snprintf(id, sizeof(id), "site:%s", in->name);
	if ((!in->n_names && !in->names_file) || pack_find(x, id, &pack) < 0)
		return 0;
	packs[pack].policy = x->b->section[RS_POLICY].n + 1;
	to = room(x, 1, &p->packs);
	if (to)
		*to = pack;
	p->any_pack = false;
	return 0;
}

static int add_conditions(struct compile *x, const struct policy_in *in, struct rs_policy *p)
{
	if (add_clients(x, in->clients, in->n_clients, &p->first_client, &p->clients) < 0 ||
	    add_packs(x, in->packs, in->n_packs, &p->packs) < 0 ||
	    bits(x, "match.categories", category_words, in->categories, in->n_categories,
	         &p->categories) < 0 ||
	    bits(x, "match.confidence", confidence_words, in->confidence, in->n_confidence,
	         &p->confidence) < 0 ||
	    add_ports(x, in->ports, in->n_ports, &p->ports) < 0 ||
	    add_date(x, "from", in->from, &p->from) < 0 ||
	    add_date(x, "until", in->until, &p->until) < 0 ||
	    add_observe_for(x, in->observe_for, &p->observe_for) < 0)
		return -1;
	add_products(x, in->products, in->n_products, &p->products);
	if (p->until && p->until <= p->from)
		return wrong(x, "until", 0, "until is not after from");
	return 0;
}

static bool product_known(struct compile *x, const char *product)
{
	const struct rs_rule *rules = (const void *)x->b->section[RS_RULE].data;
	const uint32_t       *list = (const void *)x->b->section[RS_LIST].data;

	for (uint32_t i = 0; i < x->b->section[RS_RULE].n; i++)
		for (uint32_t k = 0; k < rules[i].products.n; k++)
			if (strcmp(text_at(x, list[rules[i].products.first + k]), product) == 0)
				return true;
	return false;
}

/* Does every word of the narrow list stand in the wide one? An empty wide list covers all. */
static bool covers(char *const wide[], unsigned n_wide, char *const narrow[], unsigned n)
{
	for (unsigned i = 0; i < n && n_wide; i++) {
		unsigned k = 0;

		while (k < n_wide && strcmp(wide[k], narrow[i]) != 0)
			k++;
		if (k == n_wide)
			return false;
	}
	return n_wide == 0 || n > 0;
}

#define COVERS(a, b, list) covers((a)->list, (a)->n_##list, (b)->list, (b)->n_##list)

/* The first policy that matches decides: what an earlier one takes whole never comes to a later one. */
static void warn_unreachable(const struct policy_in *all, unsigned at)
{
	const struct policy_in *p = &all[at], *e;

	for (unsigned i = 0; i < at; i++) {
		e = &all[i];
		if (e->from || e->until || e->n_names || e->names_file || p->n_names || p->names_file ||
		    !COVERS(e, p, clients) || !COVERS(e, p, packs) || !COVERS(e, p, categories) ||
		    !COVERS(e, p, products) || !COVERS(e, p, confidence) || !COVERS(e, p, ports))
			continue;
		diag_warn("policy", "policy '%s' is never reached: policy '%s' before it matches all that it does",
		          p->name, e->name);
		return;
	}
}

/* Warns of what is legal but probably not meant. */
static void warn(struct compile *x, const struct policy_in *in)
{
	if (in->action == ACTION_DROP)
		diag_warn("policy", "policy '%s' drops silently: the product then asks its public "
			  "resolvers; 'reject' answers it at once",
		          in->name);
	for (unsigned i = 0; i < in->n_products; i++)
		if (!product_known(x, in->products[i]))
			diag_warn("policy", "policy '%s': no entry of the packs names product '%s'",
			          in->name, in->products[i]);
}

static int add_policy(struct compile *x, const struct policy_in *in)
{
	struct rs_policy p = { .name = text(x, in->name),
		               .any_pack = in->n_packs == 0,
		               .action = (uint8_t)in->action,
		               .dns = (uint8_t)in->dns };

	x->name = in->name;
	if (add_conditions(x, in, &p) < 0 || add_own_names(x, in, &p) < 0)
		return -1;
	warn(x, in);
	warn_unreachable(in - x->at, x->at);
	image_add(x->b, RS_POLICY, &p, 1, sizeof(p));
	return 0;
}

/* Stands before every policy of the site; without the canary's pack it matches nothing. */
static void add_canary(struct compile *x)
{
	struct rs_policy p = { .name = text(x, "canary"),
		               .action = ACTION_REJECT,
		               .dns = DNS_NXDOMAIN };
	uint32_t         pack, *to;

	if (pack_find(x, "canary", &pack) == 0 && (to = room(x, 1, &p.packs)) != NULL)
		*to = pack;
	image_add(x->b, RS_POLICY, &p, 1, sizeof(p));
}

static int check_name(struct compile *x, const struct policy_in *v, unsigned i)
{
	x->name = v[i].name;
	if (strcmp(v[i].name, "canary") == 0)
		return wrong(x, "name", 0, "this name belongs to the built-in policy");
	for (unsigned k = 0; k < i; k++)
		if (strcmp(v[k].name, v[i].name) == 0)
			return wrong(x, "name", 0, "an earlier policy has the same name");
	return 0;
}

static int add_exception(struct compile *x, const struct exception_in *in)
{
	struct rs_exception e = { .name = text(x, in->name),
		                  .owner = text(x, in->owner),
		                  .reason = text(x, in->reason) };

	x->name = in->name ? in->name : "";
	if (!in->owner || !in->reason || !in->expires)
		return wrong(x, "name", 0, "needs owner, reason and expires");
	if (add_date(x, "expires", in->expires, &e.expires) < 0 ||
	    add_clients(x, in->clients, in->n_clients, &e.first_client, &e.clients) < 0)
		return -1;
	image_add(x->b, RS_EXCEPTION, &e, 1, sizeof(e));
	return 0;
}

int policy_compile(struct image_builder *b, const struct policy_in *policies, unsigned n,
                 const struct exception_in *exceptions, unsigned n_exceptions,
                 const struct rs_settings *settings, struct policy_where *where, struct err *err)
{
	struct compile x = { .b = b, .err = err, .where = where, .what = "policy", .list = "policies" };
	int            r = 0;

	where->path[0] = '\0';
	if (n_exceptions > INT16_MAX)
		return err_set(err, "more than %d exceptions", INT16_MAX);
	image_add(b, RS_SETTINGS, settings, 1, sizeof(*settings));
	add_canary(&x);
	for (x.at = 0; x.at < n; x.at++)
		if (check_name(&x, policies, x.at) < 0 || add_policy(&x, &policies[x.at]) < 0)
			r = -1;
	x.what = "exception";
	x.list = "exceptions";
	for (x.at = 0; x.at < n_exceptions; x.at++)
		if (add_exception(&x, &exceptions[x.at]) < 0)
			r = -1;
	return b->failed ? err_set(err, "out of memory") : r;
}
