/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes behind a record: of the deciding packet its headers and the message that named something,
 * nothing of what stands around it; of a message that came in several segments, the message. A request
 * loses all but method and host.
 */
#include "evidence.h"

#include <netinet/in.h>

#include "decide/policy.h"

enum { MASK = 'X', IPV6_HEADER = 40 };

static bool is_inside(struct span part, struct span whole)
{
	return part.p && whole.p && part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

/* Is the site's wish that this record holds bytes? */
static bool is_wanted(const struct pipeline *p, const struct decision *d)
{
	switch (rs_settings(p->rules)->packets) {
	case PACKETS_MATCHES: return d->match.n > 0;
	case PACKETS_REFUSED:
		return action_blocks(d->action) ||
		       (p->copies && d->action == ACTION_LOG && action_blocks(d->would));
	default: return false;
	}
}

/* How many bytes of the packet are headers; of a fragment, the IP header is all that is told apart. */
static size_t headers_of(struct span ip, struct span payload)
{
	size_t n;

	if (is_inside(payload, ip) && payload.n)
		return (size_t)(payload.p - ip.p);
	if (ip.n == 0)
		return 0;
	n = ip.p[0] >> 4 == 4 ? (ip.p[0] & 15U) * 4 : IPV6_HEADER;
	return n < ip.n ? n : ip.n;
}

/* May the message's own bytes be kept? An address that decided says nothing of what was said; HTTP/2's
 * names are not to be told from its paths. */
static bool keeps_message(const struct message *m)
{
	return m->names.n && m->row && m->names.app != APP_HTTP2 && m->read.n;
}

static size_t copy(uint8_t *to, size_t room, struct span from)
{
	size_t n = from.n < room ? from.n : room;

	if (n)
		memcpy(to, from.p, n);
	return n;
}

static size_t copy_message(uint8_t *to, size_t room, const struct message *m)
{
	size_t n = copy(to, room, m->read);

	return m->names.app == APP_HTTP ? http_mask(to, n) : n;
}

void evidence_take(struct pipeline *p, const struct message *m, struct event *e)
{
	uint8_t *const     packet = p->evidence.packet, *const payload = p->evidence.payload;
	const size_t       room = sizeof(p->evidence.packet);
	struct span        ip = p->ip;
	size_t             n, before;
	struct event_bytes bytes = { .length = (uint32_t)ip.n };

	if (!is_wanted(p, &e->decision))
		return;
	n = copy(packet, room, span_of(ip.p, headers_of(ip, p->payload)));
	if (keeps_message(m) && is_inside(m->read, ip) && m->read.p >= ip.p + n) {
		before = (size_t)(m->read.p - ip.p) - n;
		if (before > room - n)
			before = room - n;
		memset(packet + n, MASK, before);
		n += before;
		n += copy_message(packet + n, room - n, m);
	} else if (keeps_message(m)) {
		bytes.payload = span_of(payload, copy_message(payload, sizeof(p->evidence.payload), m));
		bytes.payload_length = (uint32_t)m->read.n;
	}
	bytes.packet = span_of(packet, n);
	e->bytes = bytes;
}
