/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole packets through every room; their records are written, too. The input is a row of pieces, each
 * with four bytes in front: kind, argument, length (little-endian). The argument is a link type, or
 * which connection and where in it, or seconds. Nothing but the ruleset is kept between inputs.
 */
#include "fuzz.h"

#include "../lib/rig.h"
#include "base/diag.h"
#include "log/sink.h"

enum {
	FRAME,
	SEGMENT,
	SYN_SEGMENT,
	SEGMENT6,
	DATAGRAM,
	DATAGRAM6,
	PAUSE,
	KINDS,
	FLOWS = 8,
	STREAMS = 3
};

static void silent(enum diag_level level, const char *token, const char *text)
{
	(void)level, (void)token, (void)text;
}

static struct rig *the_rig(void)
{
	static struct rig *r;
	struct err         err = { .text = "" };

	if (!r) {
		diag_register(silent);
		r = rig_new(&(struct rig_conf){ .events = EVENTS_ALL, .flows = FLOWS,
		                                .streams = STREAMS }, &err);
		FUZZ_CHECK(r);
		pipeline_fini(&r->p);
	}
	return r;
}

/* A record of it can be written, whatever stands in it. */
static void check_events(const struct rig *r)
{
	for (unsigned i = 0; i < r->n_events && i < RIG_EVENTS; i++) {
		static const struct identity id = { .host = "fuzz" };
		struct record rec = { .event = &r->events[i], .identity = &id, .seq = 1 };
		char          line[EVE_MAX];

		FUZZ_CHECK(eve_line(&rec, line, sizeof(line)) && !strchr(line, '\n'));
		FUZZ_CHECK(!canonical_wrong(&r->events[i].name));
		FUZZ_CHECK(r->events[i].flow_id < UINT64_C(1) << 53);
	}
}

static struct verdict send_segment(struct rig *r, struct rig_conn c, unsigned kind, uint8_t arg,
                                   struct span data)
{
	/* four connections, offsets in steps of 16 */
	c.f.sport = (uint16_t)(40000 + (arg & 3));
	if (kind == SYN_SEGMENT)
		c.f.tcp_flags = TCP_SYN;
	return rig_tcp(r, &c, (size_t)(arg >> 2) * 16, data);
}

static struct verdict play(struct rig *r, unsigned kind, uint8_t arg, struct span data)
{
	static const uint16_t ports[] = { 53, 443, 80, 5353 };
	struct rig_conn       c = kind == SEGMENT6 || kind == DATAGRAM6
					  ? rig_conn6(40000, ports[arg & 3])
					  : rig_conn4(40000, ports[arg & 3]);

	switch (kind) {
	case FRAME: return rig_raw(r, data, arg % (LINK_NFLOG + 1), arg & 0x80);
	case SEGMENT:
	case SYN_SEGMENT:
	case SEGMENT6: return send_segment(r, c, kind, arg, data);
	case DATAGRAM:
	case DATAGRAM6: return rig_udp(r, &c, data);
	default: r->now += arg * NS_PER_S; return (struct verdict){ 0 };
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rig   *r = the_rig();
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(span_of(data, size), &err, false);

	r->n_events = 0;
	r->now = UINT64_C(1800000000) * NS_PER_S;
	FUZZ_CHECK(pipeline_init(&r->p, FLOWS, STREAMS) == 0);
	while (wire_left(&w) >= 4) {
		uint8_t        kind = wire_u8(&w), arg = wire_u8(&w);
		size_t         n = wire_u8(&w);
		struct verdict v;

		n |= (size_t)wire_u8(&w) << 8;
		if (n > wire_left(&w))
			n = wire_left(&w);
		v = play(r, kind % KINDS, arg, wire_span(&w, n));
		FUZZ_CHECK(v.state <= STATE_WANT_REPLIES);
		FUZZ_CHECK(r->p.inject.n <= INJECT_WAIT);
	}
	check_events(r);
	pipeline_fini(&r->p);
	return 0;
}
