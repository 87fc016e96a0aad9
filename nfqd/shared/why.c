/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns a question into matching and deciding, and the decision into an answer that says why. */
#include "shared/why.h"

#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"
#include "base/shell.h"
#include "base/steered.h"
#include "decide/policy.h"

enum { MATCHES_MAX = 64, URL_MAX = 2048, DNS_NAME_MAX = 253 };

struct why {
	const struct ruleset *rs;
	struct name           name; /* of an address: its text */
	struct addr           addr; /* len 0: the question is about a name */
	struct client         client;
	uint8_t               mac[6];
	uint8_t               proto;
	uint16_t              port;
	int64_t               at;
	struct decision       d;
	/* what d points at; NULL: nothing */
	const struct rs_rule   *rule;
	const struct rs_pack   *pack;
	const struct rs_policy *policy;
};

/* ---- the question -------------------------------------------------------------------------- */

static const char *question_text(const json_t *question, const char *key)
{
	return json_string_value(json_object_get(question, key));
}

/* No top-level domain is a number: it is an address with a mistake. */
static bool ends_in_number(const struct name *name)
{
	const char *dot = strrchr(name->text, '.'), *last = dot ? dot + 1 : name->text;

	return last[strspn(last, "0123456789")] == '\0';
}

/* A host as people paste it, perhaps with the rest of a URL. */
static int read_name(struct why *w, const char *text, struct err *err)
{
	const char *scheme = text ? strstr(text, "://") : NULL;
	struct span host;

	if (!text || !*text)
		return err_set(err, "the name is missing");
	for (const char *c = text; *c; c++)
		if (control_bytes(c))
			return err_set(err, "'%s' is not a name: there is a control character in it", text);
	if (strlen(text) > URL_MAX)
		return err_set(err, "'%.40s...' is longer than a name or URL can be", text);
	if (strpbrk(text, " \t\r\n"))
		return err_set(err, "'%s' is not a name: there is a blank in it", text);
	if (scheme)
		text = scheme + strlen("://");
	host = span_of(text, strcspn(text, "/?#"));
	if (addr_parse(text, &w->addr) < 0) {
		if (!name_of_authority(&w->name, host))
			return err_set(err, "'%s' holds no name", text);
		if (w->name.len > DNS_NAME_MAX)
			return err_set(err, "'%.40s...' is longer than the 253 characters of a name", w->name.text);
		if (addr_parse(w->name.text, &w->addr) < 0)
			return ends_in_number(&w->name) ? err_set(err, "'%s' is neither a name nor an address", text) : 0;
	}
	addr_text(&w->addr, w->name.text);
	w->name.len = (uint16_t)strlen(w->name.text);
	return 0;
}

/* Written as in policies; of a network, its first address. */
static int read_client(struct why *w, const char *text, struct err *err)
{
	struct net net;

	if (!text || addr_parse(text, &w->client.addr) == 0)
		return 0;
	if (net_parse(text, &net) == 0)
		w->client.addr = net.addr;
	else if (mac_parse(text, w->mac) == 0)
		w->client.mac = w->mac;
	else if (strcmp(text, SELF_WORD) == 0)
		w->client.self = true;
	else if (iface_ok(text))
		w->client.iface = text;
	else
		return err_set(err, "client: '%s' is not an address, network, MAC, interface or " SELF_WORD, text);
	return 0;
}

/* Packs may list an address for some ports only: take the first of those. */
static void usual_port(struct why *w)
{
	const struct rs_net *nets = image_at(w->rs->img, RS_NET);
	const struct rs_port *first;
	struct list          ports = { .n = 0 };

	for (uint32_t i = 0; w->addr.len && i < image_n(w->rs->img, RS_NET); i++)
		if (net_has(&nets[i].net, &w->addr)) /* the smallest network comes last */
			ports = w->rs->rules[nets[i].rule].ports;
	w->proto = IPPROTO_TCP;
	w->port = PORT_HTTPS;
	if (!ports.n)
		return;
	first = rs_port(w->rs, ports.first);
	w->proto = first->proto ? first->proto : IPPROTO_TCP;
	w->port = first->first ? first->first : PORT_HTTPS;
}

static int read_port(struct why *w, const char *text, struct err *err)
{
	char           any[32];
	struct rs_port port;

	if (!text)
		return 0;
	snprintf(any, sizeof(any), "any/%.20s", text);
	if ((port_parse(text, &port) < 0 && port_parse(any, &port) < 0) ||
	    port.first != port.last)
		return err_set(err, "port: '%s' is not a port (write 443, tcp/443 or udp/443)", text);
	w->proto = port.proto ? port.proto : IPPROTO_TCP;
	w->port = port.first;
	return 0;
}

static int read_time(struct why *w, const char *text, struct err *err)
{
	if (text && clock_parse(text, &w->at) < 0)
		return err_set(err, "at: '%s' is not a time (write 2024-09-29 or 2024-09-29T04:00:00Z)",
		               text);
	return 0;
}

/* ---- the decision -------------------------------------------------------------------------- */

static void decide(const struct why *w, uint8_t proto, uint16_t port, struct decision *d)
{
	struct match m;
	struct name  name = w->name;

	/* a question for a name above an excepted one passes: in DNS alone */
	name.seen_in = port == PORT_DNS ? SEEN_DNS_QUERY : SEEN_TLS_SNI;
	if (w->addr.len)
		ruleset_match_addr(w->rs, &w->addr, proto, port, false, &m);
	else
		ruleset_match_name(w->rs, &name, &m);
	policy_decide(w->rs, &m, &w->client, proto, port, w->at, d);
}

static void find(struct why *w)
{
	decide(w, w->proto, w->port, &w->d);
	if (w->d.match.n == 0)
		return;
	w->rule = &w->rs->rules[w->d.match.hits[w->d.hit].rule];
	w->pack = &w->rs->packs[w->rule->pack];
	if (w->d.policy >= 0)
		w->policy = rs_policy(w->rs, w->d.policy);
}

/* ---- the answer ---------------------------------------------------------------------------- */

static json_t *text(const struct why *w, uint32_t off)
{
	return json_string(rs_text(w->rs, off));
}

static json_t *date(int64_t seconds)
{
	char out[CLOCK_TEXT];

	clock_text_iso(seconds, out);
	return json_string(out);
}

static void put(json_t *to, const char *key, json_t *value)
{
	json_object_set_new(to, key, value ? value : json_null());
}

static json_t *pattern(const struct why *w, const struct hit *h)
{
	char out[NAME_TEXT + 2];

	hit_pattern(w->rs, h, &w->name, out);
	return json_string(out);
}

static json_t *stage(const struct why *w, int32_t i)
{
	const struct rs_stage *s;

	if (i < 0)
		return NULL;
	s = &w->rs->stages[i];
	return json_pack("{s:o, s:o, s:s, s:o, s:s}", "id", text(w, s->id), "from", date(s->from),
	                 "action", stage_action_words[s->action], "citation", text(w, s->citation), "basis",
	                 basis_words[s->basis]);
}

static bool is_hit(const struct why *w, const struct hit *h, int *which)
{
	for (*which = 0; *which < w->d.match.n; ++*which)
		if (w->d.match.hits[*which].rule == h->rule)
			return true;
	return false;
}

static json_t *match(const struct why *w, const struct hit *h)
{
	const struct rs_rule    *r = &w->rs->rules[h->rule];
	const char              *standing = "outweighed";
	int                      which;

	if (is_hit(w, h, &which))
		standing = which == w->d.hit ? "decides" : "another decides";
	return json_pack("{s:o, s:o, s:o, s:s, s:s, s:s, s:s}", "rule", text(w, r->id), "pack",
	                 text(w, w->rs->packs[r->pack].id), "pattern", pattern(w, h), "category",
	                 category_words[r->category], "confidence", confidence_words[r->confidence],
	                 "entry", entry_action_words[r->action], "standing", standing);
}

/* The hit that decided, then the others by their specificity. */
static json_t *matches(const struct why *w)
{
	struct hit all[MATCHES_MAX];
	unsigned   n = w->d.match.n;
	json_t    *out = json_array();

	if (w->addr.len)
		memcpy(all, w->d.match.hits, n * sizeof(all[0]));
	else
		n = ruleset_match_all(w->rs, &w->name, all, MATCHES_MAX);
	while (n-- > 0) {
		int which;

		if (n >= MATCHES_MAX)
			continue;
		if (is_hit(w, &all[n], &which) && which == w->d.hit)
			json_array_insert_new(out, 0, match(w, &all[n]));
		else
			json_array_append_new(out, match(w, &all[n]));
	}
	return out;
}

static json_t *texts(const struct why *w, struct list l)
{
	json_t *out = json_array();

	for (uint32_t i = 0; i < l.n; i++)
		json_array_append_new(out, text(w, w->rs->list[l.first + i]));
	return out;
}

static json_t *exception(const struct why *w)
{
	const struct rs_exception *e;

	if (w->d.exception < 0)
		return NULL;
	e = rs_exception(w->rs, w->d.exception);
	return json_pack("{s:o, s:o, s:o, s:o}", "name", text(w, e->name), "owner", text(w, e->owner),
	                 "reason", text(w, e->reason), "expires", date(e->expires));
}

static json_t *client_sees(const struct why *w)
{
#define X(id, word, seen) [id] = seen,
	static const char *const answers[] = { DNS_STYLES(X) };
#undef X
#define X(id, word, verdict, shown, colour, dns, tcp, udp, act) [id] = { dns, tcp, udp },
	static const struct {
		const char *dns, *tcp, *udp;
	} words[] = { ACTIONS(X) };
#undef X
	struct decision dns, tcp, udp;
	const char     *answer;

	decide(w, IPPROTO_UDP, PORT_DNS, &dns);
	decide(w, IPPROTO_TCP, w->port, &tcp);
	decide(w, IPPROTO_UDP, w->port, &udp);
	answer = dns.action == ACTION_REJECT ? answers[dns.dns] : words[dns.action].dns;
	return json_pack("{s:s?, s:s, s:s}", "dns", w->addr.len ? NULL : answer, "tcp",
	                 words[tcp.action].tcp, "udp", words[udp.action].udp);
}

/* For a name that no pack lists: the nearest name above it that is listed. */
static json_t *nearest(const struct why *w)
{
	struct name  above = w->name;
	struct match m;
	char        *dot;

	while (!w->addr.len && (dot = strchr(above.text, '.')) != NULL) {
		above.len = (uint16_t)strlen(dot + 1);
		memmove(above.text, dot + 1, above.len + 1U);
		ruleset_match_name(w->rs, &above, &m);
		if (m.n) {
			const struct rs_rule *r = &w->rs->rules[m.hits[0].rule];

			return json_pack("{s:s, s:o, s:o}", "name", above.text, "rule",
			                 text(w, r->id), "pack", text(w, w->rs->packs[r->pack].id));
		}
	}
	return NULL;
}

/* ---- the reason, in words ------------------------------------------------------------------ */

static json_t *by_entry_or_stage(const struct why *w, const char *policy)
{
	char from[CLOCK_TEXT];

	if (w->rule->action == ENTRY_LOG)
		return json_sprintf("policy %s follows the pack's calendar, and the pack only records "
		                    "this entry", policy);
	if (w->d.stage < 0)
		return json_sprintf("policy %s follows the pack's calendar, and no stage for %s is in "
		                    "force yet", policy, category_words[w->rule->category]);
	clock_text_iso(w->rs->stages[w->d.stage].from, from);
	return json_sprintf("policy %s follows the pack's calendar: stage %s is in force since %s",
	                    policy, rs_text(w->rs, w->rs->stages[w->d.stage].id), from);
}

static json_t *by_policy(const struct why *w)
{
	const char *name = w->policy ? rs_text(w->rs, w->policy->name) : NULL;

	if (!w->rule)
		return json_string("no pack lists it");
	if (w->rule->action == ENTRY_ALLOW)
		return json_sprintf("entry %s of pack %s must never be blocked",
		                    rs_text(w->rs, w->rule->id), rs_text(w->rs, w->pack->id));
	if (!name)
		return json_string("no policy covers it, so the default applies");
	if (w->policy->action == ACTION_STAGE)
		return by_entry_or_stage(w, name);
	return json_sprintf("policy %s says %s", name, action_words[w->policy->action]);
}

/* Why the action is milder than the policy's; NULL: it is not. */
static json_t *why_lowered(const struct why *w)
{
	int64_t observed = w->rule ? policy_observes(w->rs, w->d.policy, w->rule->pack) : 0;
	uint8_t mode = rs_settings(w->rs)->mode;
	char    until[CLOCK_TEXT];

	if (w->d.action >= w->d.would)
		return NULL;
	if (w->d.exception >= 0)
		return json_sprintf("exception %s allows it",
		                    rs_text(w->rs, rs_exception(w->rs, w->d.exception)->name));
	if (mode != MODE_ENFORCE)
		return json_sprintf("mode is %s", mode_words[mode]);
	if (observed == OBSERVES_STILL)
		return json_string("the pack is new and the clock is wrong: it is only observed");
	clock_text_iso(observed, until);
	return json_sprintf("the pack is new: it is only observed until %s", until);
}

static json_t *allow_command(const struct why *w, const char *client)
{
	char word[256];

	if (w->d.action < ACTION_REJECT)
		return NULL;
	if (client)
		shell_word(client, word, sizeof(word));
	return json_sprintf("nfqctl allow %s%s%s --for 1h --reason '...'", w->name.text,
	                    client ? " --client " : "", client ? word : "");
}

static void put_listed(const struct why *w, json_t *o)
{
	const struct rs_rule *r = w->rule;

	put(o, "pack", text(w, w->pack->id));
	put(o, "pack_version", text(w, w->pack->version));
	put(o, "vendor", text(w, w->pack->vendor));
	put(o, "rule", text(w, r->id));
	put(o, "pattern", pattern(w, &w->d.match.hits[w->d.hit]));
	put(o, "category", json_string(category_words[r->category]));
	put(o, "confidence", json_string(confidence_words[r->confidence]));
	put(o, "products", texts(w, r->products));
	put(o, "policy", w->policy ? text(w, w->policy->name) : json_string("default"));
	put(o, "stage", stage(w, w->d.stage));
	put(o, "next_stage", stage(w, stage_next(w->rs, w->pack, r->category, w->at)));
}

static void put_unlisted(const struct why *w, json_t *o)
{
	static const char *const keys[] = { "pack", "pack_version", "vendor", "rule", "pattern",
		                            "category", "confidence", "policy", "stage",
		                            "next_stage" };

	put(o, "nearest", nearest(w));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		put(o, keys[i], NULL);
}

static json_t *answer(const struct why *w, const char *client)
{
	json_t *o = json_object();

	put(o, "name", json_string(w->name.text));
	put(o, "at", date(w->at));
	put(o, "client", client ? json_string(client) : NULL);
	put(o, "port", json_sprintf("%s/%u", w->proto == IPPROTO_UDP ? "udp" : "tcp", w->port));
	put(o, "listed", json_boolean(w->rule != NULL));
	put(o, "candidate", w->addr.len ? NULL : json_boolean(ruleset_is_candidate(w->rs, &w->name)));
	if (w->rule)
		put_listed(w, o);
	else
		put_unlisted(w, o);
	put(o, "action", json_string(action_words[w->d.action]));
	put(o, "would", json_string(action_words[w->d.would]));
	put(o, "because", by_policy(w));
	put(o, "lowered", why_lowered(w));
	put(o, "client_sees", client_sees(w));
	put(o, "matches", matches(w));
	put(o, "sources", w->rule ? texts(w, w->rule->sources) : json_array());
	put(o, "side_effect", w->rule ? text(w, w->rule->side_effect) : NULL);
	put(o, "exception", exception(w));
	put(o, "mode", json_string(mode_words[rs_settings(w->rs)->mode]));
	put(o, "allow_command", allow_command(w, client));
	return o;
}

static int read_question(struct why *w, const json_t *question, struct err *err)
{
	if (read_name(w, question_text(question, "name"), err) < 0 ||
	    read_client(w, question_text(question, "client"), err) < 0 ||
	    read_port(w, question_text(question, "port"), err) < 0)
		return -1;
	return read_time(w, question_text(question, "at"), err);
}

int why_check(const json_t *question, struct err *err)
{
	return read_question(&(struct why){ .rs = NULL }, question, err);
}

json_t *why(const struct ruleset *rs, const json_t *question, struct err *err)
{
	struct why w = { .rs = rs, .at = policy_present(rs, (int64_t)(clock_now() / NS_PER_S)) };

	if (read_question(&w, question, err) < 0)
		return NULL;
	if (!question_text(question, "port"))
		usual_port(&w);
	find(&w);
	return answer(&w, question_text(question, "client"));
}

bool why_refuses(const struct ruleset *rs, const char *name, const char *client, int64_t at, struct why_rule *out)
{
	struct why w = { .rs = rs, .at = at };
	struct err err = { 0 };

	if (read_name(&w, name, &err) < 0 || read_client(&w, client, &err) < 0)
		return false;
	usual_port(&w);
	find(&w);
	if (!w.rule || !action_blocks(w.d.would))
		return false;
	*out = (struct why_rule){ .would = action_words[w.d.would], .pack = rs_text(rs, w.pack->id), .rule = rs_text(rs, w.rule->id),
		                  .side_effect = rs_text(rs, w.rule->side_effect) };
	return true;
}
