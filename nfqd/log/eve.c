/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records as JSON lines in the shape of Suricata's EVE, so that what reads EVE reads ours, plus one
 * object `nfqd`. Listed names are alerts; others carry the type of their protocol. A line is whole
 * or not written: any allocation that fails ends in NULL.
 */
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/clock.h"
#include "log/finding.h"
#include "log/sink.h"

#define EVE_INT_MAX ((UINT64_C(1) << 53) - 1) /* what every JSON reader keeps exactly */

const char *const sent_words[] = {
	[SENT_NOTHING] = "",
	[SENT_DNS_NXDOMAIN] = "dns-nxdomain",
	[SENT_DNS_REFUSED] = "dns-refused",
	[SENT_DNS_NODATA] = "dns-nodata",
	[SENT_DNS_SINKHOLE] = "dns-sinkhole",
	[SENT_TCP_RESET] = "tcp-reset",
	[SENT_ICMP] = "icmp-prohib", /* Suricata's word for every ICMP refusal */
};

/* One line under construction. */
struct eve {
	const struct record *r;
	const struct event  *e;
	struct finding       f;
	bool                 failed; /* an allocation did: there is no line */
};

/* ---- putting values ------------------------------------------------------------------------ */

/* Takes the value; NULL stands for an allocation that failed. */
static void put(struct eve *x, json_t *to, const char *key, json_t *value)
{
	if (json_object_set_new_nocheck(to, key, value) < 0)
		x->failed = true;
}

static void push(struct eve *x, json_t *to, json_t *value)
{
	if (json_array_append_new(to, value) < 0)
		x->failed = true;
}

static json_t *integer(uint64_t n)
{
	return json_integer((json_int_t)(n & EVE_INT_MAX));
}

/* The text without what would not be UTF-8: bytes beyond ASCII as \DDD, like odd bytes of names. */
static json_t *text_escaped(const char *text)
{
	char   out[1024];
	size_t n = 0;

	for (; *text && n < sizeof(out) - 5; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x80)
			out[n++] = (char)c;
		else
			n += (size_t)snprintf(out + n, sizeof(out) - n, "\\%03u", c);
	}
	return json_stringn_nocheck(out, n);
}

static json_t *text(const char *s)
{
	json_t *value = json_string(s); /* also NULL for text that is not UTF-8 */

	return value ? value : text_escaped(s);
}

static json_t *rule_text(const struct eve *x, uint32_t off)
{
	return text(rs_text(x->f.rs, off));
}

static void put_addr(struct eve *x, json_t *to, const char *key, const struct addr *a)
{
	char out[ADDR_TEXT];

	addr_text(a, out);
	put(x, to, key, text(out));
}

/* An array of one text, which is how EVE writes metadata. */
static void put_one(struct eve *x, json_t *to, const char *key, const char *value)
{
	json_t *array = json_array();

	push(x, array, text(value));
	put(x, to, key, array);
}

/* ---- what the client asked, by protocol ---------------------------------------------------- */

static json_t *dns_detail(struct eve *x)
{
	json_t     *dns = json_object(), *queries = json_array(), *query = json_object();
	char        buf[12];
	const char *type = dns_type_text(x->e->dns_type, buf);
	bool        question = x->e->name.seen_in == SEEN_DNS_QUERY;
	const char *asked = question ? x->e->name.text : x->e->origin.text;

	put(x, query, "rrname", text(asked));
	put(x, query, "rrtype", text(type));
	push(x, queries, query);
	put(x, dns, "version", json_integer(3));
	put(x, dns, "type", text(question ? "request" : "response"));
	put(x, dns, "id", integer(x->e->dns.id));
	put(x, dns, "queries", queries);
	put(x, dns, "rrname", text(asked));
	put(x, dns, "rrtype", text(type));
	if (x->e->dns.ech)
		put(x, dns, "ech", json_true());
	return dns;
}

/* What TLS and QUIC have in common. */
static void put_hello(struct eve *x, json_t *to)
{
	const struct tls_detail *tls = &x->e->tls;
	json_t                  *alpns = json_array();

	for (unsigned at = 0; at < tls->alpn_len; at += 1u + tls->alpn[at]) {
		char id[sizeof(tls->alpn)] = "";

		memcpy(id, tls->alpn + at + 1, tls->alpn[at]);
		push(x, alpns, text(id));
	}
	if (json_array_size(alpns))
		put(x, to, "client_alpns", alpns);
	else
		json_decref(alpns);
	if (tls->ja4[0])
		put(x, to, "ja4", text(tls->ja4));
}

static json_t *tls_detail(struct eve *x)
{
	json_t *tls = json_object();

	if (x->e->name.seen_in == SEEN_TLS_SNI)
		put(x, tls, "sni", text(x->e->name.text));
	put(x, tls, "version", text(tls_version_text(x->e->tls.version)));
	put_hello(x, tls);
	return tls;
}

static json_t *quic_detail(struct eve *x)
{
	char    version[12];
	json_t *quic = json_object();

	if (x->e->name.seen_in == SEEN_QUIC_SNI)
		put(x, quic, "sni", text(x->e->name.text));
	put(x, quic, "version", text(quic_version_text(x->e->tls.quic, version)));
	put_hello(x, quic);
	return quic;
}

static json_t *http_detail(struct eve *x)
{
	json_t *http = json_object();

	if (x->e->name.seen_in != SEEN_ADDRESS)
		put(x, http, "hostname", text(x->e->name.text));
	if (x->e->http.method[0])
		put(x, http, "http_method", text(x->e->http.method));
	return http;
}

/* Also the event_type of names that no pack lists. */
static const struct {
	const char *type;
	json_t *(*detail)(struct eve *x);
} apps[] = {
	[APP_NONE] = { "flow", NULL },
	[APP_DNS] = { "dns", dns_detail },
	[APP_TLS] = { "tls", tls_detail },
	[APP_HTTP] = { "http", http_detail },
	[APP_QUIC] = { "quic", quic_detail },
	[APP_HTTP2] = { "http", http_detail },
	[APP_SOCKS] = { "socks", NULL },
};

/* ---- what a pack says, and what was done --------------------------------------------------- */

static const char *alert_category(const struct eve *x)
{
	if (strcmp(finding_pack_id(&x->f), "canary") == 0)
		return "Canary";
	return x->e->decision.action == ACTION_ALLOW ? "Allowed name" : "Banned product";
}

/* What keeps a banned product working weighs more than what only surrounds it. */
static unsigned severity(uint8_t category)
{
	const unsigned serious = 1u << CAT_UPDATE | 1u << CAT_TELEMETRY | 1u << CAT_REPUTATION |
	                         1u << CAT_ACTIVATION;

	return serious >> category & 1 ? 2 : 3;
}

static json_t *alert_object(struct eve *x)
{
	const struct rs_rule *rule = x->f.rule;
	json_t               *alert = json_object(), *metadata = json_object();
	char                  signature[256];

	snprintf(signature, sizeof(signature), "%.200s %s endpoint",
	         rs_text(x->f.rs, x->f.pack->vendor), category_words[rule->category]);
	put_one(x, metadata, "vendor", finding_pack_id(&x->f));
	put_one(x, metadata, "confidence", confidence_words[rule->confidence]);
	put(x, alert, "action",
	    text(x->e->decision.action >= ACTION_REJECT ? "blocked" : "allowed"));
	put(x, alert, "signature_id", integer(rule->sid));
	put(x, alert, "signature", text(signature));
	put(x, alert, "category", text(alert_category(x)));
	put(x, alert, "severity", integer(severity(rule->category)));
	put(x, alert, "metadata", metadata);
	return alert;
}

static json_t *verdict_object(struct eve *x)
{
	static const char *const words[] = { [ACTION_ALLOW] = "pass", [ACTION_LOG] = "alert",
		                             [ACTION_REJECT] = "drop", [ACTION_DROP] = "drop" };
	json_t *verdict = json_object();

	put(x, verdict, "action", text(words[x->e->decision.action]));
	if (x->e->sent != SENT_NOTHING)
		put_one(x, verdict, "reject", sent_words[x->e->sent]);
	return verdict;
}

/* ---- the object of our own ----------------------------------------------------------------- */

static json_t *client_object(struct eve *x)
{
	const struct event *e = x->e;
	json_t             *client = json_object();
	char                id[4 + ADDR_TEXT];

	if (e->has_mac) {
		memcpy(id, "mac:", 4);
		mac_text(e->mac, id + 4);
	} else {
		memcpy(id, "ip:", 3);
		addr_text(&e->src, id + 3);
	}
	put(x, client, "id", text(id));
	if (x->r->client)
		put(x, client, "name", text(x->r->client));
	return client;
}

static json_t *matches_array(struct eve *x)
{
	const struct match *m = &x->e->decision.match;
	json_t             *matches = json_array();

	for (unsigned i = 0; i < m->n; i++) {
		const struct rs_rule *rule = &x->f.rs->rules[m->hits[i].rule];
		json_t               *match = json_object();

		put(x, match, "pack", rule_text(x, x->f.rs->packs[rule->pack].id));
		put(x, match, "rule", rule_text(x, rule->id));
		push(x, matches, match);
	}
	return matches;
}

static void put_finding(struct eve *x, json_t *to)
{
	const struct finding *f = &x->f;
	char                  pattern[NAME_TEXT + 2];
	bool                  learned = x->e->name.seen_in == SEEN_ADDRESS && x->e->origin.len;

	if (learned)
		put(x, to, "learned_from", text(x->e->origin.text));
	hit_pattern(f->rs, f->hit, learned ? &x->e->origin : &x->e->name, pattern);
	put(x, to, "rule", rule_text(x, f->rule->id));
	put(x, to, "pattern", text(pattern));
	put(x, to, "pack", rule_text(x, f->pack->id));
	put(x, to, "pack_version", rule_text(x, f->pack->version));
	put(x, to, "vendor", rule_text(x, f->pack->vendor));
	put(x, to, "category", text(category_words[f->rule->category]));
	put(x, to, "policy", f->policy ? rule_text(x, f->policy->name) : text("default"));
	put(x, to, "stage", f->stage ? rule_text(x, f->stage->id) : json_null());
	if (f->exception)
		put(x, to, "exception", rule_text(x, f->exception->name));
}

static void put_ech(struct eve *x, json_t *to)
{
	static const char *const words[] = { [ECH_GREASE_OR_REAL] = "grease-or-real",
		                             [ECH_LIKELY] = "likely" };

	if ((x->e->app == APP_TLS || x->e->app == APP_QUIC) && x->e->tls.ech)
		put(x, to, "ech", text(words[x->e->tls.ech]));
}

static json_t *nfqd_object(struct eve *x)
{
	const struct event *e = x->e;
	json_t             *own = json_object();

	put(x, own, "schema", json_integer(1));
	put(x, own, "seq", integer(x->r->seq));
	put(x, own, "name", text(e->name.text));
	put(x, own, "seen_in", text(seen_in_text(e->name.seen_in)));
	if (x->f.rule)
		put_finding(x, own);
	else
		put(x, own, "rule", json_null());
	put_ech(x, own);
	put(x, own, "action", text(action_words[e->decision.action]));
	put(x, own, "would", text(action_words[e->decision.would]));
	put(x, own, "client", client_object(x));
	if (x->f.rule)
		put(x, own, "matches", matches_array(x));
	put(x, own, "relayed", json_boolean(x->r->relayed));
	return own;
}

/* ---- the line ------------------------------------------------------------------------------ */

static void put_head(struct eve *x, json_t *line)
{
	char timestamp[CLOCK_TEXT];

	clock_text_eve(x->e->ts, timestamp);
	put(x, line, "timestamp", text(timestamp));
	put(x, line, "flow_id", integer(x->e->flow_id));
	put(x, line, "event_type", text(x->f.rule ? "alert" : apps[x->e->app].type));
	if (x->r->ifname && *x->r->ifname)
		put(x, line, "in_iface", text(x->r->ifname));
}

static void put_flow(struct eve *x, json_t *line)
{
	const struct event *e = x->e;
	char                number[4];

	put_addr(x, line, "src_ip", &e->src);
	put(x, line, "src_port", integer(e->sport));
	put_addr(x, line, "dest_ip", &e->dst);
	put(x, line, "dest_port", integer(e->dport));
	snprintf(number, sizeof(number), "%u", e->proto);
	put(x, line, "proto",
	    text(e->proto == IPPROTO_UDP ? "UDP" : e->proto == IPPROTO_TCP ? "TCP" : number));
	if (e->app != APP_NONE)
		put(x, line, "app_proto", text(app_text(e->app)));
}

static void put_mac(struct eve *x, json_t *line)
{
	json_t *ether = json_object();
	char    mac[MAC_TEXT];

	mac_text(x->e->mac, mac);
	put(x, ether, "src_mac", text(mac));
	put(x, line, "ether", ether);
}

char *eve_line(const struct record *r)
{
	struct eve x = { .r = r, .e = r->event, .f = finding_of(r->event) };
	json_t    *line = json_object();
	char      *out = NULL;

	put_head(&x, line);
	put_flow(&x, line);
	if (x.e->has_mac)
		put_mac(&x, line);
	if (apps[x.e->app].detail)
		put(&x, line, apps[x.e->app].type, apps[x.e->app].detail(&x));
	if (x.f.rule) {
		put(&x, line, "alert", alert_object(&x));
		put(&x, line, "verdict", verdict_object(&x));
	}
	put(&x, line, "nfqd", nfqd_object(&x));
	if (!x.failed)
		out = json_dumps(line, JSON_COMPACT);
	json_decref(line);
	return out;
}
