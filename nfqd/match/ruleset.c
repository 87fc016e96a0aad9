/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Matches names and addresses against a ruleset image: one walk over a name's labels from the right, one
 * look-up per label (compile_packs.c says how the index is laid out). Also the words and ports that packs
 * and policies share.
 */
#include "match/ruleset.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/nat64.h"
#include "match/names.h"

WORDS(category_words, CATEGORIES, CAT_N);
WORDS(confidence_words, CONFIDENCES, CONF_N);
WORDS(basis_words, BASES, BASIS_N);
WORDS(entry_action_words, ENTRY_ACTIONS, ENTRY_N);
const char *const stage_action_words[ACTION_N] = { STAGE_ACTIONS(WORD_TEXT) };

/* ---- ports --------------------------------------------------------------------------------- */

/* Reads a port without a leading zero at *text, and moves *text past it. 0: there is no port. */
static uint16_t port_number(const char **text)
{
	uint32_t n = 0;

	if (**text < '1' || **text > '9')
		return 0;
	for (; **text >= '0' && **text <= '9'; (*text)++) {
		n = n * 10 + (uint32_t)(**text - '0');
		if (n > UINT16_MAX)
			return 0;
	}
	return (uint16_t)n;
}

int port_parse(const char *text, struct rs_port *port)
{
	static const struct {
		const char *word;
		uint8_t     proto;
	} protos[] = { { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "any", 0 } };

	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++) {
		if (strncmp(text, protos[i].word, 3) != 0)
			continue;
		*port = (struct rs_port){ .last = UINT16_MAX, .proto = protos[i].proto };
		text += 3;
		if (*text == '\0')
			return port->proto ? 0 : -1; /* "any" alone says nothing */
		if (*text++ != '/' || !(port->first = port_number(&text)))
			return -1;
		port->last = port->first;
		if (*text == '-') {
			text++;
			port->last = port_number(&text);
		}
		return *text || port->last < port->first ? -1 : 0;
	}
	return -1;
}

bool ports_have(const struct ruleset *rs, struct list ports, uint8_t proto, uint16_t port)
{
	const struct rs_port *p = rs_port(rs, ports.first);

	for (uint32_t i = 0; i < ports.n; i++)
		if ((p[i].proto == 0 || p[i].proto == proto) && port >= p[i].first && port <= p[i].last)
			return true;
	return ports.n == 0;
}

/* ---- matching ------------------------------------------------------------------------------ */

void ruleset_open(struct ruleset *rs, const struct image *img)
{
	*rs = (struct ruleset){ .img = img,
		                .head = image_at(img, RS_HEAD),
		                .text = image_at(img, RS_TEXT),
		                .list = image_at(img, RS_LIST),
		                .packs = image_at(img, RS_PACK),
		                .stages = image_at(img, RS_STAGE),
		                .rules = image_at(img, RS_RULE),
		                .n_packs = image_n(img, RS_PACK),
		                .n_rules = image_n(img, RS_RULE) };
}

static bool is_allow(const struct ruleset *rs, const struct hit *h)
{
	return rs->rules[h->rule].action == ENTRY_ALLOW;
}

/* Specificity: exact > range > glob > suffix. */
static unsigned specificity(const struct hit *h)
{
	static const uint8_t by_kind[] = { [PATTERN_EXACT] = 2, [PATTERN_GLOB] = 1,
		                           [PATTERN_SUFFIX] = 0, [PATTERN_NET] = 0 };

	return h->kind == PATTERN_EXACT && h->pattern == 0 ? 3 : by_kind[h->kind];
}

/* Within one pack: more labels, then allow, then the more specific pattern, then the file's order. */
static bool hit_is_better(const struct ruleset *rs, const struct hit *a, const struct hit *b)
{
	bool allow_a = is_allow(rs, a), allow_b = is_allow(rs, b);

	if (a->labels != b->labels)
		return a->labels > b->labels;
	if (allow_a != allow_b)
		return allow_a;
	if (specificity(a) != specificity(b))
		return specificity(a) > specificity(b);
	return a->rule < b->rule;
}

/* Keeps the best hit of every pack, in the order of packs; of the first HITS_MAX packs. */
static void keep_hit(const struct ruleset *rs, struct match *m, const struct hit *h)
{
	uint32_t pack = rs->rules[h->rule].pack;
	unsigned at = 0;

	while (at < m->n && rs->rules[m->hits[at].rule].pack < pack)
		at++;
	if (at < m->n && rs->rules[m->hits[at].rule].pack == pack) {
		if (hit_is_better(rs, h, &m->hits[at]))
			m->hits[at] = *h;
		return;
	}
	if (at == HITS_MAX)
		return;
	m->n = (uint8_t)(m->n < HITS_MAX ? m->n + 1 : HITS_MAX);
	memmove(&m->hits[at + 1], &m->hits[at], (m->n - at - 1U) * sizeof(*h));
	m->hits[at] = *h;
}

/* In order, each once, the first EXCEPTIONS_MAX. */
static void keep_exception(struct match *m, uint32_t exception)
{
	unsigned at = 0;

	while (at < m->n_exceptions && m->exceptions[at] < exception)
		at++;
	if (at == EXCEPTIONS_MAX || (at < m->n_exceptions && m->exceptions[at] == exception))
		return;
	m->n_exceptions = (uint8_t)(m->n_exceptions < EXCEPTIONS_MAX ? m->n_exceptions + 1 :
	                                                               EXCEPTIONS_MAX);
	memmove(&m->exceptions[at + 1], &m->exceptions[at],
	        (m->n_exceptions - at - 1U) * sizeof(m->exceptions[0]));
	m->exceptions[at] = (uint16_t)exception;
}

/* Does an allow hit protect names of other packs, too? */
static bool protects_all(const struct ruleset *rs, const struct hit *h)
{
	return is_allow(rs, h) && rs->rules[h->rule].protects == PROTECTS_ALL;
}

/* An allow entry protects against hits of equal or shorter length, whatever the pack. One that protects
 * its own pack alone has done so when it became that pack's hit. */
static void apply_allows(const struct ruleset *rs, struct match *m)
{
	int     longest = -1;
	uint8_t kept = 0;

	for (unsigned i = 0; i < m->n; i++)
		if (protects_all(rs, &m->hits[i]) && m->hits[i].labels > longest)
			longest = m->hits[i].labels;
	for (unsigned i = 0; i < m->n; i++)
		if (is_allow(rs, &m->hits[i]) || m->hits[i].labels > longest)
			m->hits[kept++] = m->hits[i];
	m->n = kept;
}

/* Does a target, found under the last `labels` labels of a name, match the whole name? */
static bool fits(const struct ruleset *rs, const struct rs_target *t, const struct labels *name,
                 unsigned labels, struct hit *h)
{
	*h = (struct hit){ .rule = t->rule,
		           .pattern = t->pattern,
		           .kind = t->kind,
		           .labels = (uint8_t)labels };
	if (t->kind == PATTERN_GLOB)
		return glob_match(rs_text(rs, t->pattern), name, &h->labels);
	return t->kind == PATTERN_SUFFIX || labels == name->n;
}

/* Everything that is indexed under one fingerprint. */
static void look_up(const struct ruleset *rs, uint64_t fp, const struct labels *name,
                    unsigned labels, struct match *out)
{
	const struct rs_name   *table = image_at(rs->img, RS_NAME);
	const struct rs_target *targets = image_at(rs->img, RS_TARGET);
	uint32_t                slots = image_n(rs->img, RS_NAME);
	uint64_t                have;
	struct hit              h;

	for (uint32_t at = hash_range(fp, slots); (have = rs_name_fp(&table[at]));
	     at = at + 1 == slots ? 0 : at + 1) {
		const struct rs_target *t = &targets[table[at].target];

		if (have != fp || !fits(rs, t, name, labels, &h))
			continue;
		if (t->exception)
			keep_exception(out, t->rule);
		else
			keep_hit(rs, out, &h);
	}
}

/*
 * A resolver that minimises names (RFC 9156) asks for every name on the way to an excepted one; if one of
 * these were refused, nothing could exist below it (RFC 8020). Exceptions are few, and listed questions
 * rare.
 */
static void match_exceptions_below(const struct ruleset *rs, const struct name *name, struct match *out)
{
	const struct rs_exception_name *names = image_at(rs->img, RS_EXCEPTION_NAME);

	for (uint32_t i = 0; i < image_n(rs->img, RS_EXCEPTION_NAME); i++) {
		const char *text = rs_text(rs, names[i].pattern);
		size_t      n = strlen(text);

		if (n > name->len && text[n - name->len - 1] == '.' &&
		    memcmp(text + n - name->len, name->text, name->len) == 0)
			keep_exception(out, names[i].exception);
	}
}

void ruleset_match_name(const struct ruleset *rs, const struct name *name, struct match *out)
{
	const uint64_t *filter = image_at(rs->img, RS_FILTER);
	uint32_t        words = image_n(rs->img, RS_FILTER);
	uint64_t        fp = rs->head->seed;
	struct labels   l;

	out->n = out->n_exceptions = 0;
	labels_split(&l, name->text, name->len);
	for (unsigned i = 0; i < l.n; i++) {
		fp = fp_extend(rs->head->seed, fp, label_at(&l, i));
		if (filter_has(filter[hash_range(fp, words)], fp))
			look_up(rs, fp, &l, i + 1, out);
	}
	apply_allows(rs, out);
	if (out->n && name->seen_in == SEEN_DNS_QUERY)
		match_exceptions_below(rs, name, out);
}

bool ruleset_is_candidate(const struct ruleset *rs, const struct name *name)
{
	const uint64_t *filter = image_at(rs->img, RS_FILTER);
	uint32_t        words = image_n(rs->img, RS_FILTER);
	uint64_t        fp = rs->head->seed;
	struct labels   l;

	labels_split(&l, name->text, name->len);
	for (unsigned i = 0; i < l.n; i++) {
		fp = fp_extend(rs->head->seed, fp, label_at(&l, i));
		if (filter_has(filter[hash_range(fp, words)], fp))
			return true;
	}
	return false;
}

unsigned ruleset_match_all(const struct ruleset *rs, const struct name *name, struct hit *out,
                           unsigned max)
{
	const struct rs_name   *table = image_at(rs->img, RS_NAME);
	const struct rs_target *targets = image_at(rs->img, RS_TARGET);
	uint32_t                slots = image_n(rs->img, RS_NAME);
	uint64_t                fp = rs->head->seed, have;
	unsigned                n = 0;
	struct labels           l;
	struct hit              h;

	labels_split(&l, name->text, name->len);
	for (unsigned i = 0; i < l.n; i++) {
		fp = fp_extend(rs->head->seed, fp, label_at(&l, i));
		for (uint32_t at = hash_range(fp, slots); (have = rs_name_fp(&table[at]));
		     at = at + 1 == slots ? 0 : at + 1) {
			const struct rs_target *t = &targets[table[at].target];

			if (have != fp || t->exception || !fits(rs, t, &l, i + 1, &h))
				continue;
			if (n < max)
				out[n] = h;
			n++;
		}
	}
	return n;
}

/* Exceptions for a listed address: there are few, so they are tried one after the other. */
static void match_exception_nets(const struct ruleset *rs, const struct addr *a, struct match *out)
{
	const struct rs_exception_net *nets = image_at(rs->img, RS_EXCEPTION_NET);

	for (uint32_t i = 0; i < image_n(rs->img, RS_EXCEPTION_NET); i++)
		if (net_has(&nets[i].net, a))
			keep_exception(out, nets[i].exception);
}

int net_order(const void *va, const void *vb)
{
	const struct rs_net *a = va, *b = vb;
	int                  addr = memcmp(&a->net.addr, &b->net.addr, sizeof(a->net.addr));

	if (addr)
		return addr;
	if (a->net.bits != b->net.bits)
		return a->net.bits - b->net.bits;
	return a->rule < b->rule ? -1 : a->rule > b->rule;
}

/* How many networks begin at an address or before it. */
static uint32_t nets_up_to(const struct rs_net *nets, uint32_t n, const struct addr *a)
{
	uint32_t low = 0;

	while (low < n) {
		uint32_t mid = low + (n - low) / 2;

		if (memcmp(&nets[mid].net.addr, a, sizeof(*a)) <= 0)
			low = mid + 1;
		else
			n = mid;
	}
	return low;
}

struct addr ruleset_real_addr(const struct ruleset *rs, const struct addr *a)
{
	const struct net *prefixes = image_at(rs->img, RS_NAT64);
	struct addr       inside;

	for (uint32_t i = 0; a->len == 16 && i < image_n(rs->img, RS_NAT64); i++)
		if (nat64_inside(&prefixes[i], a, &inside))
			return inside;
	return *a;
}

/* Networks are nested or disjoint: those that contain an address are the last one that begins at or
 * before it, or wider ones around that. */
void ruleset_match_addr(const struct ruleset *rs, const struct addr *a, uint8_t proto, uint16_t port,
                        bool beside_name, struct match *out)
{
	const struct rs_net *nets = image_at(rs->img, RS_NET);
	struct addr          real = ruleset_real_addr(rs, a);
	uint32_t             i = nets_up_to(nets, image_n(rs->img, RS_NET), &real);

	out->n = out->n_exceptions = 0;
	for (; i > 0; i = nets[i - 1].wider) {
		const struct rs_net  *n = &nets[i - 1];
		const struct rs_rule *r = &rs->rules[n->rule];
		struct hit            h = { .rule = n->rule,
			                    .pattern = n->pattern,
			                    .kind = PATTERN_NET,
			                    .labels = n->net.bits };

		if (net_has(&n->net, &real) && ports_have(rs, r->ports, proto, port) &&
		    (r->ports.n || !beside_name))
			keep_hit(rs, out, &h);
	}
	apply_allows(rs, out);
	if (out->n)
		match_exception_nets(rs, &real, out);
	if (out->n && !addr_eq(&real, a))
		match_exception_nets(rs, a, out);
}

void hit_pattern(const struct ruleset *rs, const struct hit *hit, const struct name *name,
                 char out[static NAME_TEXT + 2])
{
	struct labels l;

	if (hit->pattern) {
		snprintf(out, NAME_TEXT + 2, "%s", rs_text(rs, hit->pattern));
		return;
	}
	labels_split(&l, name->text, name->len);
	snprintf(out, NAME_TEXT + 2, "%s%s", hit->kind == PATTERN_SUFFIX ? "." : "",
	         name->text + l.start[hit->labels - 1]);
}
