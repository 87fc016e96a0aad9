/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verdicts as netlink messages. A state goes to the connection with the verdict itself (NFQA_CT) where the
 * kernel can do that; otherwise the packet enters our chain again with a token that tells the rules what to
 * do (capture/steer.h). A state is never set by five-tuple: a client that resets and reopens would get it
 * on its new connection. Clearing by tuple can only lead to another look.
 */
#include "capture/nfq_private.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <netinet/in.h>

#include "base/wire.h"
#include "capture/steer_private.h"

enum {
	LONG_BITS = sizeof(unsigned long) * CHAR_BIT,
	LABEL_WORDS = 128 / LONG_BITS,
};

/* As the kernel has them: bits of an array of unsigned long. */
struct labels {
	unsigned long word[LABEL_WORDS];
};

static void label_add(struct labels *l, unsigned bit)
{
	l->word[bit / LONG_BITS] |= 1UL << bit % LONG_BITS;
}

/* Sets exactly these labels of a connection's state; all that begins anew with it is cleared. */
static void put_labels(struct nlmsghdr *nlh, enum verdict_state state)
{
	static const uint8_t of[][2] = { [STATE_ALLOWED] = { LABEL_ALLOWED },
		                         [STATE_REJECTED] = { LABEL_REJECTED, LABEL_DECIDED },
		                         [STATE_DROPPED] = { LABEL_DROPPED, LABEL_DECIDED },
		                         [STATE_WANT_REPLIES] = { LABEL_REPLIES, LABEL_DECIDED } };
	struct labels set = { 0 }, mask = { 0 };

	for (unsigned i = 0; i < 2; i++)
		if (of[state][i])
			label_add(&set, of[state][i]);
	for (unsigned bit = LABEL_ALLOWED; bit < LABEL_END; bit++)
		label_add(&mask, bit);
	if (state == STATE_UNDECIDED)
		for (unsigned bit = LABEL_COUNT; bit < LABEL_PROBE; bit++)
			label_add(&mask, bit);
	mnl_attr_put(nlh, CTA_LABELS, sizeof(set), &set);
	mnl_attr_put(nlh, CTA_LABELS_MASK, sizeof(mask), &mask);
}

static struct nlmsghdr *begin(struct nfq *q, uint16_t type, uint8_t family, uint16_t queue)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(q->verdicts + q->verdict_used);
	struct nfgenmsg *g;

	q->plain = NULL;
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));
	*g = (struct nfgenmsg){ family, NFNETLINK_V0, htons(queue) };
	return nlh;
}

static void end(struct nfq *q, const struct nlmsghdr *nlh)
{
	q->verdict_used += NLMSG_ALIGN(nlh->nlmsg_len);
}

static struct nlmsghdr *begin_verdict(struct nfq *q, unsigned message, uint16_t queue, uint32_t id,
                                      uint32_t verdict)
{
	struct nlmsghdr               *nlh = begin(q, (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | message),
	                                           AF_UNSPEC, queue);
	struct nfqnl_msg_verdict_hdr   v = { .verdict = htonl(verdict), .id = htonl(id) };

	mnl_attr_put(nlh, NFQA_VERDICT_HDR, sizeof(v), &v);
	return nlh;
}

static uint32_t word_of(const struct raw_packet *raw, unsigned place)
{
	return place == TOKEN_MARK ? raw->mark : raw->priority;
}

static void put_word(struct nlmsghdr *nlh, unsigned place, uint32_t word)
{
	mnl_attr_put_u32(nlh, place == TOKEN_MARK ? NFQA_MARK : ATTR_PRIORITY, htonl(word));
}

/* Where the packet carries one of our tokens; TOKEN_PLACES: nowhere. */
static unsigned token_of(const struct nfq *q, const struct raw_packet *raw)
{
	unsigned place = 0;

	while (place < TOKEN_PLACES &&
	       ((word_of(raw, place) ^ q->conf.token) & token_places[place].mask) != 0)
		place++;
	return place;
}

bool verdict_is_token(const struct nfq *q, const struct raw_packet *raw)
{
	return token_of(q, raw) != TOKEN_PLACES;
}

/* Where there is room for a token that the rules look for; TOKEN_PLACES: nowhere. */
static unsigned free_place(const struct nfq *q, const struct raw_packet *raw)
{
	if (!q->conf.mark_token && !(raw->priority & ~token_places[TOKEN_PRIORITY].kept))
		return TOKEN_PRIORITY;
	return (q->conf.mark_token || !q->conf.glue) && !raw->mark ? TOKEN_MARK : TOKEN_PLACES;
}

static void put_token(struct nlmsghdr *nlh, const struct nfq *q, const struct raw_packet *raw,
                      unsigned place, unsigned code)
{
	const struct token_place *t = &token_places[place];

	put_word(nlh, place, (q->conf.token & t->mask) | code << t->shift | (word_of(raw, place) & t->kept));
}

static unsigned kind_of(const struct nfq *q, const struct raw_packet *raw)
{
	return (unsigned)(raw->queue - q->conf.num) / QUEUE_STEP;
}

/* Can the state go to the packet's own entry with the verdict? */
static bool takes_labels(const struct nfq *q, const struct raw_packet *raw)
{
	unsigned kind = kind_of(q, raw);

	return q->conf.glue && q->conf.labels && kind != QUEUE_OLD && kind != QUEUE_STRAY;
}

bool verdict_has_no_way(const struct nfq *q, const struct raw_packet *raw)
{
	return !takes_labels(q, raw) && free_place(q, raw) == TOKEN_PLACES;
}

/* What a verdict is made of. */
struct plan {
	uint32_t verdict;
	unsigned code, place; /* of the token; code 0: none */
	bool     labels;      /* the state goes to the packet's own entry with the verdict */
};

static struct plan make_plan(const struct nfq *q, const struct raw_packet *raw, struct verdict v)
{
	static const uint8_t codes[] = { [STATE_UNDECIDED] = 0,
		                         [STATE_ALLOWED] = TOKEN_ALLOW,
		                         [STATE_REJECTED] = TOKEN_REJECT,
		                         [STATE_DROPPED] = TOKEN_DROP,
		                         [STATE_WANT_REPLIES] = TOKEN_REPLIES };
	unsigned    kind = kind_of(q, raw);
	struct plan p = { .verdict = NF_ACCEPT, .code = codes[v.state], .place = free_place(q, raw) };
	bool        passes = p.code == TOKEN_ALLOW || p.code == TOKEN_REPLIES;

	if (v.drop && v.state != STATE_DROPPED)
		return (struct plan){ .verdict = NF_DROP };
	/* no entry holds the state; or its replies would not be recognised */
	if ((kind == QUEUE_STRAY && passes) || (kind == QUEUE_OLD && p.code == TOKEN_REPLIES))
		p.code = 0;
	if (p.code == 0)
		return p;
	p.labels = takes_labels(q, raw) && (passes || p.place == TOKEN_PLACES);
	if (p.labels || p.place == TOKEN_PLACES)
		p.code = 0;
	if (p.code || (p.labels && !passes)) /* it meets the rule of its token, or the new state of its
					      * connection */
		p.verdict = NF_REPEAT;
	else if (!passes)
		p.verdict = NF_DROP; /* another program uses the mark: at least the packet goes no further */
	return p;
}

/*
 * Packets of one queue that simply pass, one after the other, share a message: its verdict is for all up to its
 * id. Packets are answered in the order of their ids, so that only those are left below it.
 */
static bool joins(struct nfq *q, const struct raw_packet *raw)
{
	struct nlmsghdr              *nlh = q->plain;
	struct nfqnl_msg_verdict_hdr *v;

	if (!nlh || ((struct nfgenmsg *)mnl_nlmsg_get_payload(nlh))->res_id != htons(raw->queue))
		return false;
	v = mnl_attr_get_payload(mnl_nlmsg_get_payload_offset(nlh, sizeof(struct nfgenmsg)));
	v->id = htonl(raw->id);
	nlh->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT_BATCH;
	return true;
}

void verdict_put(struct nfq *q, const struct raw_packet *raw, struct verdict v)
{
	struct plan      p = make_plan(q, raw, v);
	bool             plain = p.verdict == NF_ACCEPT && !p.code && !p.labels && !v.replaced.n;
	struct nlmsghdr *nlh;

	if (plain && joins(q, raw))
		return;
	nlh = begin_verdict(q, NFQNL_MSG_VERDICT, raw->queue, raw->id, p.verdict);
	q->plain = plain ? nlh : NULL;
	if (p.code)
		put_token(nlh, q, raw, p.place, p.code);
	if (p.labels) {
		struct nlattr *ct = mnl_attr_nest_start(nlh, NFQA_CT);

		put_labels(nlh, v.state);
		mnl_attr_nest_end(nlh, ct);
	}
	if (v.replaced.n)
		mnl_attr_put(nlh, NFQA_PAYLOAD, (uint16_t)v.replaced.n, v.replaced.p);
	end(q, nlh);
}

void verdict_put_unmet(struct nfq *q, const struct raw_packet *raw)
{
	unsigned         place = token_of(q, raw);
	struct nlmsghdr *nlh = begin_verdict(q, NFQNL_MSG_VERDICT, raw->queue, raw->id,
	                                     q->conf.fail_open ? NF_ACCEPT : NF_DROP);

	put_word(nlh, place, word_of(raw, place) & token_places[place].kept);
	end(q, nlh);
}

void verdict_put_orphans(struct nfq *q, uint16_t queue, uint32_t id)
{
	end(q, begin_verdict(q, NFQNL_MSG_VERDICT_BATCH, queue, id,
	                     q->conf.fail_open ? NF_ACCEPT : NF_DROP));
}

/* ---- a connection that begins anew ---- */

struct tuple {
	const uint8_t *src, *dst, *sport, *dport; /* in network order */
	size_t         len; /* of an address */
};

/* Of a TCP segment; extension headers are for others. */
static bool read_tuple(struct span packet, struct tuple *t)
{
	enum wire_err  err = WIRE_OK;
	struct wire    w = wire_of(packet, &err, false);
	uint8_t        first = wire_u8(&w), proto;

	if (first >> 4 == 4) {
		wire_skip(&w, 8);
		proto = wire_u8(&w);
		wire_skip(&w, 2);
		t->len = 4;
	} else {
		wire_skip(&w, 5);
		proto = wire_u8(&w);
		wire_skip(&w, 1);
		t->len = 16;
	}
	t->src = wire_bytes(&w, t->len);
	t->dst = wire_bytes(&w, t->len);
	if (t->len == 4 && (first & 15) > 5)
		wire_skip(&w, (size_t)((first & 15) - 5) * 4);
	t->sport = wire_bytes(&w, 2);
	t->dport = wire_bytes(&w, 2);
	return err == WIRE_OK && proto == IPPROTO_TCP;
}

static void put_tuple(struct nlmsghdr *nlh, const struct tuple *t)
{
	bool           v4 = t->len == 4;
	struct nlattr *tuple = mnl_attr_nest_start(nlh, CTA_TUPLE_ORIG);
	struct nlattr *in = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);

	mnl_attr_put(nlh, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, t->len, t->src);
	mnl_attr_put(nlh, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, t->len, t->dst);
	mnl_attr_nest_end(nlh, in);
	in = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, IPPROTO_TCP);
	mnl_attr_put(nlh, CTA_PROTO_SRC_PORT, 2, t->sport);
	mnl_attr_put(nlh, CTA_PROTO_DST_PORT, 2, t->dport);
	mnl_attr_nest_end(nlh, in);
	mnl_attr_nest_end(nlh, tuple);
}

static void put_clear(struct nfq *q, const struct tuple *t)
{
	struct nlmsghdr *nlh = begin(q, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW,
	                             t->len == 4 ? AF_INET : AF_INET6, 0);

	put_tuple(nlh, t);
	put_labels(nlh, STATE_UNDECIDED);
	end(q, nlh);
}

void verdict_put_reopen(struct nfq *q, const struct raw_packet *raw)
{
	struct tuple     t, back;
	struct nlmsghdr *nlh;

	if (!q->conf.glue && read_tuple(raw->data, &t)) {
		back = (struct tuple){ t.dst, t.src, t.dport, t.sport, t.len };
		put_clear(q, &t); /* whichever side opened the connection before */
		put_clear(q, &back);
	}
	nlh = begin_verdict(q, NFQNL_MSG_VERDICT, raw->queue, raw->id, NF_ACCEPT);
	if (q->conf.glue) {
		struct nlattr *ct = mnl_attr_nest_start(nlh, NFQA_CT);

		put_labels(nlh, STATE_UNDECIDED);
		mnl_attr_nest_end(nlh, ct);
	}
	end(q, nlh);
}
