/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pipeline on a bench: packets go in, verdicts, records and packets of our own come out. Nothing
 * is ever sent: what the injector holds can be looked at. Used by unit tests and fuzzers.
 */
#ifndef TESTS_LIB_RIG_H
#define TESTS_LIB_RIG_H

#include <netinet/in.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bytes.h"
#include "match/watch.h"
#include "pipeline.h"
#include "shared/conf.h"

enum { RIG_EVENTS = 64, RIG_FLOWS = 4096, RIG_STREAMS = 64 };

struct rig {
	struct pipeline p;
	struct counters count;
	struct watch    watch;
	struct recent   asked;
	struct image   *img;
	struct ruleset  rs;
	uint64_t        now;
	unsigned        n_events; /* may be more than are kept */
	struct event    events[RIG_EVENTS];
};

static inline bool rig_emit(void *ctx, const struct event *e)
{
	struct rig *r = ctx;

	if (r->n_events < RIG_EVENTS)
		r->events[r->n_events] = *e;
	r->n_events++;
	return true;
}

struct rig_conf {
	const char *rules; /* NULL: only the canary */
	const char *file;  /* a configuration, instead; NULL: the built-in one */
	int         mode, events;
	uint32_t    flows, streams; /* 0: the usual */
	uint32_t    drop, reset; /* bit per enum fault */
};

/* NULL with err filled. */
static inline struct rig *rig_new(const struct rig_conf *c, struct err *err)
{
	static const struct injector_fds nowhere = { 9001, 9002, 9003, 9004, -1 };
	char        *rules[] = { (char *)(uintptr_t)c->rules };
	struct rig  *r = calloc(1, sizeof(*r));
	struct conf *conf = c->file ? conf_load(c->file, err) : conf_default(rules, c->rules ? 1 : 0, err);

	if (!r || !conf) {
		fprintf(stderr, "%s\n", err->text);
		abort();
	}
	conf->mode = c->mode;
	conf->events = c->events;
	for (unsigned i = 0; i < FAULT_N; i++)
		conf->on_fault[i] = c->drop >> i & 1 ? ON_FAULT_DROP : c->reset >> i & 1 ? ON_FAULT_RESET : ON_FAULT_PASS;
	if (conf_compile(conf, &r->img, err) < 0) {
		conf_free(conf);
		free(r);
		return NULL;
	}
	conf_free(conf);
	ruleset_open(&r->rs, r->img);
	r->now = UINT64_C(1800000000) * NS_PER_S;
	r->p = (struct pipeline){
		.rules = &r->rs, .count = &r->count, .watch = &r->watch, .asked = &r->asked,
		.emit = rig_emit, .emit_ctx = r
	};
	r->p.inject.fds = nowhere;
	if (pipeline_init(&r->p, c->flows ? c->flows : RIG_FLOWS,
			  c->streams ? c->streams : RIG_STREAMS) < 0)
		abort();
	return r;
}

static inline void rig_free(struct rig *r)
{
	pipeline_fini(&r->p);
	free(r->img);
	free(r);
}

static inline uint64_t rig_count(const struct rig *r, enum counter which)
{
	return r->count.v[which];
}

/* Judges one packet that lies in a block of exactly its size. */
static inline struct verdict rig_raw(struct rig *r, struct span ip, uint8_t link, bool cut)
{
	uint8_t          *copy = malloc(ip.n);
	struct raw_packet raw = { .ts = r->now, .link = link, .cut = cut };
	struct verdict    v;

	if (ip.n)
		memcpy(copy, ip.p, ip.n);
	raw.data = span_of(copy, ip.n);
	r->p.inject.n = 0;
	v = pipeline_packet(&r->p, &raw);
	free(copy);
	return v;
}

/* One direction of a connection. */
struct rig_conn {
	struct forge f; /* seq: of the first byte */
};

static inline struct rig_conn rig_conn4(uint16_t sport, uint16_t dport)
{
	return (struct rig_conn){ .f = { .src = { 4, { 10, 1, 0, 2 } },
					 .dst = { 4, { 203, 0, 113, 5 } },
					 .sport = sport,
					 .dport = dport,
					 .seq = 0xfffffff0,
					 .ack = 77,
					 .tcp_flags = TCP_ACK } };
}

static inline struct rig_conn rig_conn6(uint16_t sport, uint16_t dport)
{
	struct rig_conn c = rig_conn4(sport, dport);

	c.f.src = (struct addr){ 16, { 0xfd, 1, 2 } };
	c.f.dst = (struct addr){ 16, { 0x20, 1, 0xd, 0xb8, 9 } };
	return c;
}

/* A segment whose first byte is at an offset from the connection's first. */
static inline struct verdict rig_tcp(struct rig *r, const struct rig_conn *c, size_t at,
				     struct span data)
{
	static uint8_t packet[70000];
	struct forge   f = c->f;
	size_t         n, flags = f.src.len == 4 ? 20 + 13 : 40 + 13;

	f.seq += (uint32_t)at;
	n = forge_tcp(&f, data, packet, sizeof(packet));
	if (n == 0)
		abort();
	packet[flags] |= (uint8_t)(f.tcp_flags & TCP_SYN); /* which the forge never sets */
	return rig_raw(r, span_of(packet, n), LINK_IP, false);
}

static inline struct verdict rig_udp(struct rig *r, const struct rig_conn *c, struct span data)
{
	static uint8_t packet[70000];
	size_t         n = forge_udp(&c->f, data, packet, sizeof(packet));

	if (n == 0)
		abort();
	return rig_raw(r, span_of(packet, n), LINK_IP, false);
}

#endif
