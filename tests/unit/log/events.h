/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small ruleset made by hand and events that point into it, for the tests of this folder. The
 * values are those of the contract's event.jsonl where it has them.
 */
#ifndef TESTS_UNIT_LOG_EVENTS_H
#define TESTS_UNIT_LOG_EVENTS_H

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/clock.h"
#include "decide/policy.h"
#include "log/event.h"

enum fixture_rule { RULE_UPDATE, RULE_KSN, RULE_TOOL, RULE_NET, RULE_CANARY, RULE_FOREIGN };
enum { POLICY_BANNED, POLICY_LAB };
enum { STAGE_ANNOUNCED, STAGE_IN_FORCE };

struct fixture {
	struct image  *img;
	struct ruleset rs;
	uint32_t       ranges; /* text of a pattern that must be shown as written */
	uint32_t       net;
};

static inline uint32_t fixture_text(struct image_builder *b, const char *text)
{
	return image_text(b, RS_TEXT, text);
}

static inline void fixture_rule(struct image_builder *b, const char *id, uint32_t pack,
                                uint32_t sid, enum category category,
                                enum confidence confidence, enum entry_action action)
{
	struct rs_rule rule = { .id = fixture_text(b, id), .pack = pack, .sid = sid,
		                .category = (uint8_t)category, .confidence = (uint8_t)confidence,
		                .action = (uint8_t)action };

	image_add(b, RS_RULE, &rule, 1, sizeof(rule));
}

static inline void fixture_pack(struct image_builder *b, const char *id, const char *vendor,
                                const char *version)
{
	struct rs_pack pack = { .id = fixture_text(b, id), .vendor = fixture_text(b, vendor),
		                .version = fixture_text(b, version) };

	image_add(b, RS_PACK, &pack, 1, sizeof(pack));
}

static inline void fixture_open(struct fixture *f)
{
	struct image_builder b;

	image_init(&b);
	fixture_pack(&b, "kaspersky", "Kaspersky", "2026.11.23.1");
	fixture_pack(&b, "canary", "nfqd", "1");
	/* what a pack's author may have typed: UTF-8, and bytes that are none */
	fixture_pack(&b, "odd", "\xd0\x9b \"Lab\"", "1\xff\n2");
	fixture_rule(&b, "kav-update-downloads", 0, 9100017, CAT_UPDATE, CONF_HIGH, ENTRY_STAGE);
	fixture_rule(&b, "ksn-cloud", 0, 9100018, CAT_REPUTATION, CONF_MEDIUM, ENTRY_STAGE);
	fixture_rule(&b, "removal-tool", 0, 9100019, CAT_WEB, CONF_HIGH, ENTRY_ALLOW);
	fixture_rule(&b, "net-update", 0, 9100020, CAT_UPDATE, CONF_LOW, ENTRY_LOG);
	fixture_rule(&b, "blocked", 1, 9200001, CAT_CANARY, CONF_HIGH, ENTRY_STAGE);
	fixture_rule(&b, "foreign", 2, 9300001, CAT_TELEMETRY, CONF_LOW, ENTRY_STAGE);
	f->ranges = fixture_text(&b, "ksn-*-geo.kaspersky-labs.com");
	f->net = fixture_text(&b, "192.0.2.0/24");
	for (int i = 0; i < 2; i++) {
		static const char *const policies[] = { "banned-vendors", "lab-may-update" };
		static const char *const stages[] = { "announced", "in-force" };
		struct rs_policy policy = { .name = fixture_text(&b, policies[i]) };
		struct rs_stage  stage = { .id = fixture_text(&b, stages[i]),
			                   .citation = fixture_text(&b, "89 FR 52434"),
			                   .basis = BASIS_LAW };

		image_add(&b, RS_POLICY, &policy, 1, sizeof(policy));
		image_add(&b, RS_STAGE, &stage, 1, sizeof(stage));
	}
	struct rs_exception exception = { .name = fixture_text(&b, "support-case-4711") };

	image_add(&b, RS_EXCEPTION, &exception, 1, sizeof(exception));
	f->img = image_finish(&b);
	assert(f->img);
	image_fini(&b);
	ruleset_open(&f->rs, f->img);
}

static inline void fixture_close(struct fixture *f)
{
	free(f->img);
}

static inline void event_name(struct event *e, enum seen_in seen_in, const char *text)
{
	bool ok = name_canonical(&e->name, span_str(text));

	assert(ok);
	(void)ok;
	e->name.seen_in = (uint8_t)seen_in;
}

static inline struct addr event_addr(const char *text)
{
	struct addr a;
	int         r = addr_parse(text, &a);

	assert(r == 0);
	(void)r;
	return a;
}

/* Nobody lists it: what --events all adds. 2026-11-23T16:20:31.482113Z. */
static inline struct event event_plain(const struct fixture *f, enum app app, enum seen_in seen_in,
                                       const char *name)
{
	static const uint8_t mac[6] = { 0x3c, 0x52, 0x82, 0, 0, 1 };
	struct event e = { .ts = UINT64_C(1795450831482113000), .flow_id = 1873320111,
		           .rs = f ? &f->rs : NULL, .src = event_addr("10.0.0.7"),
		           .dst = event_addr(app == APP_DNS ? "8.8.8.8" : "93.184.216.34"),
		           .sport = 50122, .dport = app == APP_DNS ? 53 : app == APP_TLS ? 443 : 80,
		           .proto = app == APP_DNS ? IPPROTO_UDP : IPPROTO_TCP,
		           .has_mac = true, .ifin = 2, .app = (uint8_t)app,
		           .decision = { .hit = -1, .policy = -1, .stage = -1, .exception = -1 } };

	memcpy(e.mac, mac, sizeof(mac));
	event_name(&e, seen_in, name);
	if (app == APP_DNS) {
		e.dns_type = 1;
		e.dns.id = 4711;
	}
	if (app == APP_TLS)
		e.tls.version = 0x0304;
	if (app == APP_HTTP)
		memcpy(e.http.method, "GET", 4);
	return e;
}

/* Adds a hit; the first one decides. */
static inline void event_hit(struct event *e, enum fixture_rule rule, enum pattern_kind kind,
                             uint8_t labels, enum action action, enum action would)
{
	struct decision *d = &e->decision;

	e->listed = true;
	d->match.hits[d->match.n++] = (struct hit){ .rule = rule, .kind = (uint8_t)kind,
		                                    .labels = labels };
	if (d->match.n > 1)
		return;
	d->hit = 0;
	d->action = (uint8_t)action;
	d->would = (uint8_t)would;
	d->policy = POLICY_BANNED;
	d->stage = STAGE_IN_FORCE;
}

static inline struct event event_blocked_dns(const struct fixture *f)
{
	struct event e = event_plain(f, APP_DNS, SEEN_DNS_QUERY, "downloads.upd.kaspersky.com");

	event_hit(&e, RULE_UPDATE, PATTERN_EXACT, 4, ACTION_REJECT, ACTION_REJECT);
	e.sent = SENT_DNS_NXDOMAIN;
	return e;
}

/* Mode log, a second pack, a pattern that is kept as text, no MAC, IPv6. */
static inline struct event event_logged_tls(const struct fixture *f)
{
	struct event e = event_plain(f, APP_TLS, SEEN_TLS_SNI, "ksn-a-geo.kaspersky-labs.com");

	event_hit(&e, RULE_KSN, PATTERN_GLOB, 3, ACTION_LOG, ACTION_REJECT);
	e.decision.match.hits[0].pattern = f->ranges;
	event_hit(&e, RULE_FOREIGN, PATTERN_SUFFIX, 2, ACTION_LOG, ACTION_LOG);
	e.src = event_addr("fd00:20::7");
	e.dst = event_addr("2001:db8::1");
	e.has_mac = false;
	return e;
}

/* An `allow` entry, by the default. */
static inline struct event event_allowed_tls(const struct fixture *f)
{
	struct event e = event_plain(f, APP_TLS, SEEN_TLS_SNI, "media.kaspersky.com");

	event_hit(&e, RULE_TOOL, PATTERN_SUFFIX, 2, ACTION_ALLOW, ACTION_ALLOW);
	e.decision.policy = e.decision.stage = -1;
	return e;
}

static inline struct event event_unlisted_http(const struct fixture *f)
{
	return event_plain(f, APP_HTTP, SEEN_HTTP_HOST, "example.org");
}

static inline struct event event_excepted_dns(const struct fixture *f)
{
	struct event e = event_blocked_dns(f);

	e.decision.action = ACTION_ALLOW;
	e.decision.exception = 0;
	e.sent = SENT_NOTHING;
	return e;
}

/* A bare address of a pack's network, dropped without a word. */
static inline struct event event_dropped_address(const struct fixture *f)
{
	struct event e = event_plain(f, APP_NONE, SEEN_ADDRESS, "192.0.2.7");

	event_hit(&e, RULE_NET, PATTERN_NET, 24, ACTION_DROP, ACTION_DROP);
	e.decision.match.hits[0].pattern = f->net;
	e.dst = event_addr("192.0.2.7");
	e.dport = 1443;
	return e;
}

static inline struct event event_canary(const struct fixture *f)
{
	struct event e = event_plain(f, APP_HTTP, SEEN_HTTP_HOST, "blocked.nfqd.invalid");

	event_hit(&e, RULE_CANARY, PATTERN_EXACT, 3, ACTION_REJECT, ACTION_REJECT);
	e.decision.policy = e.decision.stage = -1;
	e.sent = SENT_TCP_RESET;
	return e;
}

#endif
