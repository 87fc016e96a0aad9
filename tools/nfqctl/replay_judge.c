/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One record: its bytes are read for names as the daemon reads them, and the name it tells of is judged. */
#include "replay.h"

#include <netinet/in.h>
#include <nettle/base64.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/err.h"
#include "decide/policy.h"
#include "inspect/inspect.h"
#include "match/ruleset.h"
#include "name/name.h"
#include "nfqctl.h"
#include "shared/conf.h"
#include "shared/kept_rules.h"

enum { CONNS = 16, STREAMS = 8, BYTES = 8192 };

int replay_open(struct replay *r, const char *kept, const char *conf, char *const rules[], unsigned n_rules,
                struct err *err)
{
	struct conf *c = NULL;
	int          ok;

	*r = (struct replay){ .kept = kept, .conns = conns_new(CONNS, STREAMS) };
	if (!r->conns)
		return err_set(err, "out of memory");
	if (!conf && !n_rules)
		return 0;
	c = conf ? conf_load(conf, err) : conf_default(rules, n_rules, err);
	ok = c ? conf_compile(c, &r->fixed, err) : -1;
	conf_free(c);
	if (ok < 0)
		replay_close(r);
	return ok;
}

void replay_close(struct replay *r)
{
	free(r->fixed);
	free(r->last);
	conns_free(r->conns);
	*r = (struct replay){ .kept = NULL };
}

size_t replay_bytes(const json_t *record, const char *member, uint8_t *out, size_t room)
{
	const char              *text = json_string_value(json_object_get(record, member));
	struct base64_decode_ctx ctx;
	size_t                   n = room;

	base64_decode_init(&ctx);
	if (!text || BASE64_DECODE_LENGTH(strlen(text)) > room ||
	    !base64_decode_update(&ctx, &n, out, strlen(text), text) || !base64_decode_final(&ctx))
		return 0;
	return n;
}

__attribute__((format(printf, 2, 3))) static struct replay_result result(enum replay_outcome outcome,
                                                                         const char *fmt, ...)
{
	struct replay_result r = { .outcome = outcome };
	va_list              ap;

	va_start(ap, fmt);
	vsnprintf(r.why, sizeof(r.why), fmt, ap);
	va_end(ap);
	return r;
}

/* The rules that the record was made by; NULL: err says why not. */
static const struct image *rules_of(struct replay *r, const json_t *own, struct err *err)
{
	const char *digest = json_string_value(json_object_get(own, "rules"));

	if (r->fixed)
		return r->fixed;
	if (!digest)
		return err_set(err, "the record names no rules"), NULL;
	if (r->last && strcmp(r->digest, digest) == 0)
		return r->last;
	free(r->last);
	r->last = kept_rules_load(r->kept, digest, err);
	snprintf(r->digest, sizeof(r->digest), "%s", r->last ? digest : "");
	return r->last;
}

/* ---- what the bytes name ---- */

static bool has_name(const struct names *names, const char *name, const char *seen_in)
{
	for (unsigned i = 0; i < names->n; i++)
		if (strcmp(names->v[i].text, name) == 0 && strcmp(seen_in_text(names->v[i].seen_in), seen_in) == 0)
			return true;
	return false;
}

/* Messages that no single packet holds and no stream of TCP: the transport tells what they are. */
static const struct name_proto *row_of(const char *seen_in, uint8_t proto)
{
	if (strcmp(seen_in, "tls.cert") == 0)
		return name_proto_of(TRANSPORT_SERVER, NULL);
	if (proto != IPPROTO_UDP)
		return NULL;
	return strcmp(seen_in, "quic.sni") == 0 ? name_proto_of(TRANSPORT_CRYPTO, NULL) :
	       strcmp(seen_in, "tls.sni") == 0  ? name_proto_of(TRANSPORT_DTLS, NULL) :
	                                          NULL;
}

static bool row_names(const struct name_proto *row, struct span bytes, const char *name, const char *seen_in)
{
	static struct names names;
	enum wire_err       err = WIRE_OK;
	struct wire         w = wire_of(bytes, &err, true);

	names_begin(&names, APP_NONE);
	(void)row->names(&w, &names);
	return has_name(&names, name, seen_in);
}

/* As the daemon reads a packet of a connection that it sees for the first time. */
static bool packet_names(struct replay *r, struct packet *pkt, uint64_t now, const char *name, const char *seen_in)
{
	struct inspection    *in = conn_of(r->conns, pkt, now);
	const struct message *m;
	bool                  found = false;

	while (!found && (m = conn_next(in)) != NULL)
		found = has_name(&m->names, name, seen_in);
	(void)conn_settle(in, false, (struct fate){ 0 });
	return found;
}

/* The same, of a connection that no other packet is of. */
static bool stream_names(struct replay *r, const struct packet *pkt, uint64_t now, const char *name,
                         const char *seen_in)
{
	struct packet fresh = *pkt;

	fresh.tcp_flags = TCP_ACK;
	fresh.ifin = ++r->packets;
	return packet_names(r, &fresh, now, name, seen_in);
}

/* A fragment holds none. An answer's come from the server. */
static void take_ports(struct packet *pkt, const json_t *record, const char *seen_in)
{
	bool     answer = strcmp(seen_in, "dns.cname") == 0 || strcmp(seen_in, "dns.svcb") == 0;
	uint16_t client = (uint16_t)number_of(record, "src_port"), server = (uint16_t)number_of(record, "dest_port");

	pkt->sport = answer ? server : client;
	pkt->dport = answer ? client : server;
}

/* A request may stand behind bytes of other protocols: from its line on; else all of it. */
static struct span from_request(struct span bytes)
{
	const uint8_t *at = bytes.n ? memmem(bytes.p, bytes.n, " HTTP/", 6) : NULL;

	if (!at)
		return bytes;
	while (at > bytes.p && at[-1] >= ' ' && at[-1] < 0x7f)
		at--;
	return span_of(at, bytes.n - (size_t)(at - bytes.p));
}

static bool bytes_name(struct replay *r, const json_t *record, const char *name, const char *seen_in, uint64_t now)
{
	static uint8_t           packet[BYTES], payload[BYTES];
	size_t                   n = replay_bytes(record, "packet", packet, sizeof(packet));
	size_t                   m = replay_bytes(record, "payload", payload, sizeof(payload));
	struct packet            pkt = { 0 };
	const struct name_proto *row;
	enum decode_err          e = decode_ip(span_of(packet, n), &pkt);

	row = row_of(seen_in, pkt.proto);
	if (row && (m || strcmp(seen_in, "tls.cert") == 0))
		return row_names(row, m ? span_of(payload, m) : pkt.payload, name, seen_in);
	if (m) { /* of several segments, or fragments, as if it had come in one */
		pkt.payload = span_of(payload, m);
		pkt.urgent = 0; /* such bytes are out of it already */
		take_ports(&pkt, record, seen_in);
	} else if (e != DECODE_OK) {
		return false;
	}
	if (stream_names(r, &pkt, now, name, seen_in))
		return true;
	while (pkt.payload.n && pkt.payload.p[0] == 'X') /* of messages before this one */
		pkt.payload = span_of(pkt.payload.p + 1, pkt.payload.n - 1);
	pkt.payload = from_request(pkt.payload);
	return stream_names(r, &pkt, now, name, seen_in);
}

/* ---- what comes of it ---- */

static uint8_t proto_number(const char *text)
{
	return strcmp(text, "UDP") == 0 ? IPPROTO_UDP : strcmp(text, "TCP") == 0 ? IPPROTO_TCP : (uint8_t)strtoul(text, NULL, 10);
}

/* "2026-11-23T16:20:31.482113+0000" in seconds; -1: it is none. */
static int64_t seconds_of(const char *timestamp)
{
	char    text[CLOCK_TEXT];
	int64_t at;

	snprintf(text, sizeof(text), "%.19sZ", timestamp);
	return clock_parse(text, &at) < 0 ? -1 : at;
}

static struct decision decide(const struct ruleset *rs, const json_t *record, const struct match *m, int64_t at)
{
	const char     *client_id = text_of(json_object_get(json_object_get(record, "nfqd"), "client"), "id");
	struct client   client = { .iface = json_string_value(json_object_get(record, "in_iface")) };
	json_t         *own = json_object_get(record, "nfqd");
	uint8_t         mac[6];
	struct decision d;

	client.self = !client.iface && !json_object_get(own, "relayed_for") && strcmp(text_of(own, "source"), "queue") == 0;
	if (addr_parse(text_of(own, "relayed_for"), &client.addr) < 0 &&
	    addr_parse(text_of(record, "src_ip"), &client.addr) < 0)
		client.addr.len = 0;
	if (strncmp(client_id, "mac:", 4) == 0 && mac_parse(client_id + 4, mac) == 0)
		client.mac = mac;
	policy_decide(rs, m, &client, proto_number(text_of(record, "proto")), (uint16_t)number_of(record, "dest_port"),
	              policy_present(rs, at), &d);
	return d;
}

static struct replay_result compare(const struct ruleset *rs, const json_t *own, const struct decision *d)
{
	const char *rule, *recorded = text_of(own, "rule"), *would = text_of(own, "would");

	if (d->match.n == 0)
		return result(REPLAY_DIFFERS, "no rule lists the name; recorded: %s", recorded);
	rule = rs_text(rs, rs->rules[d->match.hits[d->hit].rule].id);
	if (strcmp(rule, recorded) != 0)
		return result(REPLAY_DIFFERS, "rule %s; recorded: %s", rule, recorded);
	if (strcmp(action_words[d->would], would) != 0)
		return result(REPLAY_DIFFERS, "would %s; recorded: %s", action_words[d->would], would);
	if (strcmp(text_of(own, "source"), "queue") == 0 && strcmp(action_words[d->action], text_of(own, "action")) != 0)
		return result(REPLAY_DIFFERS, "action %s; recorded: %s", action_words[d->action], text_of(own, "action"));
	return result(REPLAY_AGREES, "%s", "");
}

static struct replay_result judge_name(struct replay *r, const struct ruleset *rs, const json_t *record, int64_t at)
{
	const json_t *own = json_object_get(record, "nfqd");
	const char   *text = text_of(own, "name"), *seen_in = text_of(own, "seen_in");
	struct match  m = { .n = 0 };
	struct name   name = { .len = 0 };
	struct decision d;

	if (!bytes_name(r, record, text, seen_in, (uint64_t)at * NS_PER_S))
		return json_object_get(json_object_get(own, "cut"), "payload")
		               ? result(REPLAY_NOT, "the message was longer than what is kept")
		               : result(REPLAY_DIFFERS, "the bytes do not name it");
	name.len = (uint16_t)snprintf(name.text, sizeof(name.text), "%s", text);
	for (unsigned i = 0; i < SEEN_N; i++)
		if (strcmp(seen_in_text(i), seen_in) == 0)
			name.seen_in = (uint8_t)i;
	ruleset_match_name(rs, &name, &m);
	d = decide(rs, record, &m, at);
	return compare(rs, own, &d);
}

static struct replay_result judge_address(const struct ruleset *rs, const json_t *record, int64_t at)
{
	const json_t   *own = json_object_get(record, "nfqd");
	struct match    m = { .n = 0 };
	struct decision d;
	struct addr     dst;

	if (json_object_get(own, "learned_from"))
		return result(REPLAY_NOT, "the address was learned from an answer");
	if (addr_parse(text_of(record, "dest_ip"), &dst) < 0)
		return result(REPLAY_NOT, "the record has no address");
	ruleset_match_addr(rs, &dst, proto_number(text_of(record, "proto")), (uint16_t)number_of(record, "dest_port"),
	                   false, &m);
	d = decide(rs, record, &m, at);
	return compare(rs, own, &d);
}

struct replay_result replay_record(struct replay *r, const json_t *record)
{
	const json_t       *own = json_object_get(record, "nfqd");
	int64_t             at = seconds_of(text_of(record, "timestamp"));
	struct err          err = { .text = "" };
	const struct image *img;
	struct ruleset      rs;

	if (strcmp(text_of(own, "seen_in"), "http2.authority") == 0)
		return result(REPLAY_NOT, "of HTTP/2 no bytes are kept");
	if (!json_object_get(record, "packet"))
		return result(REPLAY_NOT, "the record holds no packet");
	if (at < 0)
		return result(REPLAY_NOT, "the record has no time");
	img = rules_of(r, own, &err);
	if (!img)
		return result(REPLAY_NOT, "%.250s", err.text);
	ruleset_open(&rs, img);
	return strcmp(text_of(own, "seen_in"), "address") == 0 ? judge_address(&rs, record, at)
	                                                       : judge_name(r, &rs, record, at);
}
