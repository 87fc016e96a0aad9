/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records as JSON lines in the format of Suricata's EVE, so that programs that read EVE read them, plus one object
 * `nfqd`. A listed name is an alert; other records have the type of their protocol. A line is written whole or not
 * at all, and nothing is allocated for it.
 */
#include <netinet/in.h>
#include <stdio.h>

#include "base/clock.h"
#include "log/community.h"
#include "log/eve_private.h"
#include "log/finding.h"

#define EVE_INT_MAX ((UINT64_C(1) << 53) - 1) /* the largest number that every JSON reader keeps exactly */
#define NIL_UUID "00000000-0000-0000-0000-000000000000"

enum { PRODUCTS_MAX = 16 };

static const char *const source_words[] = {
#define X(id, word) [SOURCE_##id] = word,
	IDENTITY_SOURCES(X)
#undef X
};

static WORDS(sent_words, SENT, SENT_N);

/* A line being written. */
struct eve {
	const struct record *r;
	const struct event  *e;
	struct finding       f;
	const struct event_bytes *bytes;
	struct json          j;
};

/* ---- putting values ------------------------------------------------------------------------ */

static void put_text(struct eve *x, const char *key, const char *value)
{
	json_text(&x->j, key, value);
}

/* Does this output say nothing about clients? */
static bool is_counter(const struct eve *x)
{
	return x->r->privacy == PRIVACY_COUNTERS;
}

/* Readers in JavaScript keep 53 bits of a number. */
static void put_int(struct eve *x, const char *key, uint64_t n)
{
	json_uint(&x->j, key, n & EVE_INT_MAX);
}

static void put_rule_text(struct eve *x, const char *key, uint32_t off)
{
	put_text(x, key, rs_text(x->f.rs, off));
}

static void put_addr(struct eve *x, const char *key, const struct addr *a)
{
	char out[ADDR_TEXT];

	addr_text(a, out);
	put_text(x, key, out);
}

/* EVE writes each metadata value as an array; here it has one element. */
static void put_one(struct eve *x, const char *key, const char *value)
{
	json_open(&x->j, key, '[');
	put_text(x, NULL, value);
	json_close(&x->j, ']');
}

/* ---- what the client asked, by protocol ---------------------------------------------------- */

static void put_question(struct eve *x, const char *asked)
{
	char buf[12];

	put_text(x, "rrname", asked);
	put_text(x, "rrtype", dns_type_text(x->e->dns_type, buf));
}

static void put_dns(struct eve *x)
{
	static const char *const types[DNS_VERSION_N][2] = {
		[DNS_VERSION_3] = { "response", "request" }, [DNS_VERSION_2] = { "answer", "query" } };
	bool        question = x->e->name.seen_in == SEEN_DNS_QUERY, old = x->r->dns == DNS_VERSION_2;
	const char *asked = question ? x->e->name.text : x->e->origin.text;

	put_int(x, "version", old ? 2 : 3);
	put_text(x, "type", types[x->r->dns][question]);
	put_int(x, "id", x->e->dns.id);
	if (!old) {
		json_open(&x->j, "queries", '[');
		json_open(&x->j, NULL, '{');
		put_question(x, asked);
		json_close(&x->j, '}');
		json_close(&x->j, ']');
	}
	put_question(x, asked);
}

static void put_alpns(struct eve *x)
{
	const struct tls_detail *tls = &x->e->tls;

	if (tls->alpn_len == 0)
		return;
	json_open(&x->j, "client_alpns", '[');
	for (unsigned at = 0; at < tls->alpn_len; at += 1u + tls->alpn[at]) {
		char id[sizeof(tls->alpn)] = "";

		memcpy(id, tls->alpn + at + 1, tls->alpn[at]);
		put_text(x, NULL, id);
	}
	json_close(&x->j, ']');
}

static void put_ja4(struct eve *x)
{
	if (x->e->tls.ja4[0])
		put_text(x, "ja4", x->e->tls.ja4);
}

static void put_tls(struct eve *x)
{
	if (x->e->name.seen_in == SEEN_TLS_SNI)
		put_text(x, "sni", x->e->name.text);
	put_text(x, "version", tls_version_text(x->e->tls.version));
	put_alpns(x);
	put_ja4(x);
}

static void put_quic(struct eve *x)
{
	char version[12];

	if (x->e->name.seen_in == SEEN_QUIC_SNI)
		put_text(x, "sni", x->e->name.text);
	put_text(x, "version", quic_version_text(x->e->tls.quic, version));
	put_ja4(x);
}

static void put_http(struct eve *x)
{
	if (x->e->name.seen_in != SEEN_ADDRESS)
		put_text(x, "hostname", x->e->name.text);
	if (x->e->http.method[0])
		put_text(x, "http_method", x->e->http.method);
}

/* What each protocol's event type says in addition. */
static void (*const app_puts[APP_N])(struct eve *x) = {
	[APP_DNS] = put_dns,   [APP_TLS] = put_tls,     [APP_HTTP] = put_http,
	[APP_QUIC] = put_quic, [APP_HTTP2] = put_http,
};

/* ---- what a pack says, and what was done --------------------------------------------------- */

static const char *alert_category(const struct eve *x)
{
#define X(id, word, severity, title) [id] = title,
	static const char *const by_category[] = { CATEGORIES(X) };
#undef X
	uint8_t category = x->f.rule->category;

	if (category != CAT_CANARY && x->e->decision.action == ACTION_ALLOW)
		return "Allowed name";
	/* the basis tells a legal ban from a site's own choice */
	if (x->f.stage && x->f.stage->basis == BASIS_LAW)
		return "Banned product";
	return by_category[category];
}

#define X(id, word, severity, title) [id] = severity,
static const uint8_t severities[] = { CATEGORIES(X) };
#undef X

/* A protocol that nfqd has no name for is given by its number. */
static const char *proto_text(uint8_t proto, char number[4])
{
	if (proto == IPPROTO_UDP)
		return "UDP";
	if (proto == IPPROTO_TCP)
		return "TCP";
	snprintf(number, 4, "%u", proto);
	return number;
}

static void put_alert(struct eve *x)
{
	const struct rs_rule *rule = x->f.rule;
	const char           *vendor = rs_text(x->f.rs, x->f.pack->vendor);
	char                  signature[FINDING_SIGNATURE];

	finding_signature(&x->f, signature);
	json_open(&x->j, "alert", '{');
	put_text(x, "action", action_blocks(x->e->decision.action) ? "blocked" : "allowed");
	put_int(x, "gid", 1);
	put_int(x, "signature_id", rule->sid);
	put_int(x, "rev", finding_revision(&x->f));
	put_text(x, "signature", signature);
	put_text(x, "category", alert_category(x));
	put_int(x, "severity", severities[rule->category]);
	json_open(&x->j, "metadata", '{');
	put_one(x, "vendor", vendor);
	put_one(x, "pack", finding_pack_id(&x->f));
	put_one(x, "confidence", confidence_words[rule->confidence]);
	json_close(&x->j, '}');
	json_close(&x->j, '}');
}

/* `reject` uses Suricata's words for it; nfqd.sent uses ours. */
static void put_verdict(struct eve *x)
{
#define X(id, word, verdict, ...) [id] = verdict,
	static const char *const words[] = { ACTIONS(X) };
#undef X

	json_open(&x->j, "verdict", '{');
	put_text(x, "action", words[x->e->decision.action]);
	if (x->e->sent == SENT_TCP_RESET)
		put_one(x, "reject", "tcp-reset");
	if (x->e->sent == SENT_ICMP)
		put_one(x, "reject", "icmp-prohib");
	json_close(&x->j, '}');
}

/* ---- the object nfqd ----------------------------------------------------------------------- */

static void put_client(struct eve *x)
{
	const struct event *e = x->e;
	bool                behalf = e->client.addr.len > 0;
	char                id[4 + ADDR_TEXT];

	if (x->r->privacy == PRIVACY_HASHED) {
		snprintf(id, sizeof(id), "hash:%s", x->r->pseudonym);
	} else if (behalf ? e->client.has_mac : e->has_mac && !e->mac_shared) {
		memcpy(id, "mac:", 4);
		mac_text(behalf ? e->client.mac : e->mac, id + 4);
	} else {
		memcpy(id, "ip:", 3);
		addr_text(behalf ? &e->client.addr : &e->src, id + 3);
	}
	json_open(&x->j, "client", '{');
	put_text(x, "id", id);
	if (x->r->client)
		put_text(x, "name", x->r->client);
	json_close(&x->j, '}');
}

static void put_matches(struct eve *x)
{
	const struct match *m = &x->e->decision.match;

	json_open(&x->j, "matches", '[');
	for (unsigned i = 0; i < m->n; i++) {
		const struct rs_rule *rule = &x->f.rs->rules[m->hits[i].rule];

		json_open(&x->j, NULL, '{');
		put_rule_text(x, "pack", x->f.rs->packs[rule->pack].id);
		put_rule_text(x, "rule", rule->id);
		json_close(&x->j, '}');
	}
	json_close(&x->j, ']');
}

/* The stage, with the basis of its date. */
static void put_stage(struct eve *x)
{
	const struct rs_stage *stage = x->f.stage;

	if (!stage) {
		json_nothing(&x->j, "stage");
		return;
	}
	json_open(&x->j, "stage", '{');
	put_rule_text(x, "id", stage->id);
	put_text(x, "basis", basis_words[stage->basis]);
	put_rule_text(x, "citation", stage->citation);
	json_close(&x->j, '}');
}

static void put_products(struct eve *x)
{
	struct list products = x->f.rule->products;

	if (products.n == 0)
		return;
	json_open(&x->j, "products", '[');
	for (uint32_t i = 0; i < products.n && i < PRODUCTS_MAX; i++)
		put_rule_text(x, NULL, x->f.rs->list[products.first + i]);
	json_close(&x->j, ']');
}

static void put_finding(struct eve *x)
{
	const struct finding *f = &x->f;
	char                  pattern[NAME_TEXT + 2];
	bool                  learned = x->e->name.seen_in == SEEN_ADDRESS && x->e->origin.len;

	if (learned)
		put_text(x, "learned_from", x->e->origin.text);
	hit_pattern(f->rs, f->hit, learned ? &x->e->origin : &x->e->name, pattern);
	put_rule_text(x, "rule", f->rule->id);
	put_text(x, "pattern", pattern);
	put_rule_text(x, "pack", f->pack->id);
	put_rule_text(x, "pack_version", f->pack->version);
	put_rule_text(x, "vendor", f->pack->vendor);
	put_text(x, "category", category_words[f->rule->category]);
	if (f->rs->digest[0])
		put_text(x, "rules", f->rs->digest);
	put_text(x, "policy", f->policy ? rs_text(f->rs, f->policy->name) : "default");
	put_stage(x);
	if (f->exception)
		put_rule_text(x, "exception", f->exception->name);
	put_products(x);
}

/* Details that the protocol's own object in EVE has no member for. */
static void put_extras(struct eve *x)
{
	static const char *const words[] = {
		[ECH_GREASE_OR_REAL] = "grease-or-real", [ECH_LIKELY] = "likely" };
	uint8_t app = x->e->app;

	if (app == APP_DNS && x->e->dns.ech)
		put_text(x, "ech", "in-answer");
	if ((app == APP_TLS || app == APP_QUIC) && x->e->tls.ech)
		put_text(x, "ech", words[x->e->tls.ech]);
	if (app == APP_QUIC)
		put_alpns(x);
}

void eve_put_identity(struct json *j, const struct identity *id, uint64_t seq)
{
	json_uint(j, "schema", 2);
	json_text(j, "sensor", id->sensor[0] ? id->sensor : NIL_UUID);
	json_uint(j, "boot", id->boot);
	json_uint(j, "seq", seq & EVE_INT_MAX);
	json_text(j, "source", source_words[id->source]);
}

static void put_own(struct eve *x)
{
	const struct event *e = x->e;

	json_open(&x->j, "nfqd", '{');
	eve_put_identity(&x->j, x->r->identity, x->r->seq);
	if (!is_counter(x))
		put_text(x, "name", e->name.text);
	put_text(x, "seen_in", seen_in_text(e->name.seen_in));
	if (x->f.rule)
		put_finding(x);
	else
		json_nothing(&x->j, "rule");
	put_extras(x);
	put_text(x, "action", action_words[e->decision.action]);
	put_text(x, "would", action_words[e->decision.would]);
	if (!is_counter(x))
		put_client(x);
	if (x->f.rule)
		put_matches(x);
	json_bool(&x->j, "relayed", x->r->relayed);
	if (e->client.addr.len && !is_counter(x))
		put_addr(x, "relayed_for", &e->client.addr);
	if (e->sent != SENT_NOTHING)
		put_text(x, "sent", sent_words[e->sent]);
	eve_put_cut(&x->j, x->bytes);
	json_close(&x->j, '}');
}

/* ---- the line ------------------------------------------------------------------------------ */

void eve_put_time(struct json *j, uint64_t ts, const struct identity *id)
{
	char timestamp[CLOCK_TEXT];

	clock_text_eve(ts, timestamp);
	json_text(j, "timestamp", timestamp);
	if (id->host[0])
		json_text(j, "host", id->host);
}

static void put_head(struct eve *x)
{
	eve_put_time(&x->j, x->e->ts, x->r->identity);
	if (!is_counter(x))
		put_int(x, "flow_id", x->e->flow_id);
	put_text(x, "event_type", x->f.rule ? "alert" : app_event_type(x->e->app));
	if (x->r->ifname && *x->r->ifname && !is_counter(x))
		put_text(x, "in_iface", x->r->ifname);
	if (x->e->file && !is_counter(x)) {
		put_int(x, "pcap_cnt", x->e->number);
		put_text(x, "pcap_filename", x->e->file);
	}
}

static void put_flow(struct eve *x)
{
	const struct event *e = x->e;
	char                number[4], community[COMMUNITY_ID];

	put_addr(x, "src_ip", &e->src);
	put_int(x, "src_port", e->sport);
	put_addr(x, "dest_ip", &e->dst);
	put_int(x, "dest_port", e->dport);
	put_text(x, "proto", proto_text(e->proto, number));
	if (e->src.len)
		put_int(x, "ip_v", e->src.len == 4 ? 4 : 6);
	if (e->app != APP_NONE)
		put_text(x, "app_proto", app_text(e->app));
	put_text(x, "direction",
		 "to_server"); /* src_ip is the client, also when a server's certificate decided */
	community_id(e, community);
	if (community[0] && x->r->privacy == PRIVACY_FULL)
		put_text(x, "community_id", community);
}

static void put_mac(struct eve *x)
{
	char mac[MAC_TEXT];

	mac_text(x->e->mac, mac);
	json_open(&x->j, "ether", '{');
	put_text(x, "src_mac", mac);
	json_close(&x->j, '}');
}

static void put_app(struct eve *x)
{
	json_open(&x->j, app_event_type(x->e->app), '{');
	app_puts[x->e->app](x);
	json_close(&x->j, '}');
}

/* Who asked whom, and for what. */
static void put_parties(struct eve *x)
{
	put_flow(x);
	if (x->e->has_mac)
		put_mac(x);
	if (app_puts[x->e->app])
		put_app(x);
}

static size_t line_with(const struct record *r, const struct event_bytes *bytes, char *out, size_t room)
{
	struct eve x = { .r = r, .e = r->event, .f = finding_of(r->event), .bytes = bytes };

	json_begin(&x.j, out, room);
	json_open(&x.j, NULL, '{');
	put_head(&x);
	if (!is_counter(&x))
		put_parties(&x);
	if (x.f.rule) {
		put_alert(&x);
		if (r->identity->source == SOURCE_QUEUE) /* a copied or recorded packet got no verdict */
			put_verdict(&x);
	}
	put_own(&x);
	eve_put_bytes(&x.j, bytes);
	json_close(&x.j, '}');
	return json_finish(&x.j);
}

size_t eve_line(const struct record *r, char *out, size_t room)
{
	const struct event_bytes *bytes = &r->event->bytes;
	struct event_bytes        none = { .length = bytes->length, .payload_length = bytes->payload_length };
	size_t                    n = line_with(r, bytes, out, room);

	return n || !bytes->length ? n : line_with(r, &none, out, room); /* a name with many escapes may need the room */
}
