/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segments out of their place. What a connection was decided by may have been a decoy that its server
 * never took, or be asked for again with another name; its ports may be used by another connection; and
 * bytes may stand in front of a message or inside it that are none of it. Such segments are read for one
 * purpose: to refuse what names something listed. An unlisted name decides nothing here.
 */
#include "pipeline_private.h"

enum { TRIES = 8 };

static bool is_listed(const struct pipeline *p, const struct names *names)
{
	struct match m = { .n = 0 };

	for (unsigned i = 0; m.n == 0 && i < names->n; i++)
		ruleset_match_name(p->rules, &names->v[i], &m);
	return m.n > 0;
}

/* What names() reads at the front of bytes. */
static bool is_refused(struct pipeline *p, struct judged *j, struct span bytes,
                       enum wire_err (*names)(struct wire *w, struct names *out), struct verdict *v)
{
	enum wire_err err = WIRE_OK;
	struct wire   w = wire_of(bytes, &err, true);

	(void)names(&w, &j->names);
	if (!is_listed(p, &j->names))
		return false;
	*v = pipeline_judge(p, j);
	return pipeline_refused(*v);
}

bool pipeline_alone(struct pipeline *p, struct judged *j, bool again, struct verdict *v)
{
	const struct name_proto *row;
	size_t                   n = 0;
	struct verdict           alone;
	enum wire_err            r = pipeline_read_message(j, j->pkt->payload, &row, &n);

	/* a length in front is a weak sign of DNS, but not where it fits the segment */
	j->unfinished = r != WIRE_OK || (j->names.app == APP_DNS && n != j->pkt->payload.n);
	if (j->names.n == 0 || j->names.app == APP_SOCKS || (again && !is_listed(p, &j->names)))
		return false; /* few bytes tell SOCKS */
	j->peer_next = j->pkt->seq;
	alone = j->names.app == APP_DNS ? pipeline_dns(p, j) : pipeline_judge(p, j);
	if (!pipeline_refused(alone))
		return false;
	*v = pipeline_finish(p, j, alone);
	return true;
}

/* Where messages may begin behind other bytes: at a mark, or with the line that holds it. */
static const struct inside {
	const char *mark;
	uint8_t     len;
	bool        line;
	enum wire_err (*names)(struct wire *w, struct names *out);
} insides[] = {
	{ "\26\3", 2, false, tls_names },
	{ " HTTP/", 6, true, http_names },
};

/* The first line may have begun in a segment that is still to come: then all is read when it has. */
static bool is_first_whole(const struct judged *j)
{
	const struct stream *s = j->flow->stream;

	return s && j->pkt->seq != s->base;
}

static bool is_refused_at(struct pipeline *p, struct judged *j, struct span front, const struct inside *in,
                          struct verdict *v)
{
	const uint8_t *end = front.p + front.n, *at = front.p + !in->line; /* at the front it was none */

	for (unsigned tries = TRIES; tries && at < end; tries--, at++) {
		const uint8_t *line = NULL;

		at = memmem(at, (size_t)(end - at), in->mark, in->len);
		if (!at)
			return false;
		if (in->line)
			line = memrchr(front.p, '\n', (size_t)(at - front.p));
		if (in->line && !line && !is_first_whole(j))
			continue;
		line = !in->line ? at : line ? line + 1 : front.p;
		if (is_refused(p, j, span_of(line, (size_t)(end - line)), in->names, v))
			return true;
	}
	return false;
}

/* A resolver passes over a message that is none, and reads what follows. */
static bool is_refused_behind(struct pipeline *p, struct judged *j, struct span front, struct verdict *v)
{
	const struct name_proto *row;
	size_t                   at = 0, n;

	for (unsigned tries = TRIES; tries && j->pkt->dport == DNS_PORT; tries--) {
		at += pipeline_dns_length(front, at);
		if (at >= front.n)
			return false;
		(void)pipeline_read_message(j, span_of(front.p + at, front.n - at), &row, &n);
		if (j->names.app != APP_DNS || !is_listed(p, &j->names))
			continue;
		*v = pipeline_dns(p, j);
		if (pipeline_refused(*v))
			return true;
	}
	return false;
}

bool pipeline_inside(struct pipeline *p, struct judged *j, struct span front, struct verdict *v)
{
	struct verdict inside;
	bool           refused = is_refused_behind(p, j, front, &inside);

	for (size_t i = 0; !refused && i < sizeof(insides) / sizeof(insides[0]); i++)
		refused = is_refused_at(p, j, front, &insides[i], &inside);
	if (refused)
		*v = pipeline_finish(p, j, inside);
	return refused;
}

/* But for the byte that asks whether anybody is there (RFC 9293 3.8.4). */
bool pipeline_is_in_place(const struct flow *f, const struct packet *pkt)
{
	return pkt->seq - f->from < f->to - f->from && !(pkt->payload.n == 1 && pkt->seq + 1 == f->to);
}

/* It was on its way when its connection was decided; or this is a capture file. */
bool pipeline_again(struct pipeline *p, struct judged *j, struct verdict *v)
{
	const struct packet *pkt = j->pkt;
	struct flow         *f = j->flow;
	enum wire_err        err = WIRE_OK;
	struct wire          w = wire_of(pkt->payload, &err, true);
	bool                 in_place = pipeline_is_in_place(f, pkt);

	*v = (struct verdict){ .drop = f->drop, .state = f->state };
	flow_advance(f, pkt->seq + (uint32_t)pkt->payload.n);
	if (f->state != STATE_ALLOWED || pipeline_alone(p, j, false, v) || j->names.n)
		return false;
	if (tls_begins_hello(pkt->payload) ? tls_names(&w, &j->names) != WIRE_MORE : !in_place)
		return false;
	flow_begin_again(p->flows, f);
	f->again = true;
	return true;
}

/*
 * RFC 9293 3.8.5: the byte that an urgent pointer shows is handed to the server's program on a way of its
 * own, and is none of the message around it; unless a later pointer came before it. Sequence numbers are
 * counted without such bytes.
 */
void pipeline_without_urgent(struct pipeline *p, struct judged *j)
{
	static _Thread_local uint8_t room[UINT16_MAX];
	struct packet               *pkt = j->pkt;
	struct flow                 *f = pipeline_flow(p, j);
	uint32_t                     at = pkt->seq + pkt->urgent - 1U, before;
	struct span                  bytes = pkt->payload;
	bool                         here;

	if (pkt->urgent && ((!f->urgents && !f->urgent) || (int32_t)(at - f->urgent) > 0)) {
		f->urgent = at;
		f->urgent_out = false;
	}
	before = f->urgent - pkt->seq;
	here = before < bytes.n && bytes.n <= sizeof(room);
	j->urgents = f->urgents - (f->urgent_out && (int32_t)before >= 0 ? 1U : 0U);
	pkt->seq -= j->urgents;
	if (!here)
		return;
	f->urgents = j->urgents + 1;
	f->urgent_out = true;
	memcpy(room, bytes.p, before);
	memcpy(room + before, bytes.p + before + 1, bytes.n - before - 1);
	pkt->payload = span_of(room, bytes.n - 1);
}
