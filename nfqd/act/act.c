/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of refusals: what a client is told depends on the protocol that it speaks. To add one: a
 * function and a row.
 */
#include "act/act.h"

#include <netinet/in.h>

#include "act/inject_private.h"

enum { ANSWER_MAX = 1024, DNS_PORT = 53 };

/* A packet from the server's side of pkt to the client. */
static struct forge towards_client(const struct packet *pkt)
{
	return (struct forge){ .src = pkt->dst, .dst = pkt->src, .sport = pkt->dport,
		               .dport = pkt->sport };
}

/* Closes the server's half of a connection. The sequence number must be exactly the one that the server
 * expects (RFC 5961 3.2). Tracked, so that NAT translates it. */
static void reset_server(struct injector *inj, const struct act_on *on)
{
	const struct raw_packet *raw = on->raw;
	const struct packet     *pkt = on->pkt;
	struct forge f = { .src = pkt->src, .dst = pkt->dst, .sport = pkt->sport, .dport = pkt->dport,
		           .seq = on->answer ? pkt->seq : on->peer_next, .ack = pkt->ack,
		           .tcp_flags = TCP_RST | TCP_ACK };
	struct forged reset;

	reset.n = forge_tcp(&f, span_of(NULL, 0), reset.data, sizeof(reset.data));
	/* a packet to this host itself has no interface to leave by */
	inject_tracked(inj, &reset, &pkt->src, &pkt->dst,
	              (struct onward){ raw->ifout ? raw->ifout : raw->ifin, raw->mark });
}

/* Closes the client's half of a connection that the server's own reply decided: the kernel resets the
 * server. Tracked, so that NAT translates it. */
static void reset_client(struct injector *inj, const struct act_on *on)
{
	struct forge  f = towards_client(on->pkt);
	struct forged reset;

	f.seq = on->peer_next;
	f.ack = on->pkt->seq;
	f.tcp_flags = TCP_RST | TCP_ACK;
	reset.n = forge_tcp(&f, span_of(NULL, 0), reset.data, sizeof(reset.data));
	inject_tracked(inj, &reset, &on->pkt->dst, &on->pkt->src,
	              (struct onward){ on->raw->ifin, on->raw->mark });
}

/* The same where the kernel's own reset would go astray; replaces it. */
static void reset_stray_client(struct injector *inj, const struct act_on *on)
{
	const struct packet *pkt = on->pkt;
	struct forge         f = towards_client(pkt);
	struct forged        reset;

	f.seq = pkt->ack;
	f.ack = pkt->seq + (uint32_t)pkt->payload.n;
	f.tcp_flags = TCP_RST | TCP_ACK;
	reset.n = forge_tcp(&f, span_of(NULL, 0), reset.data, sizeof(reset.data));
	inject_untracked(inj, &reset, &pkt->dst, &pkt->src, on->raw);
}

/* Is a refusal of the kernel's no use? */
static bool is_stray(const struct injector *inj, const struct act_on *on)
{
	return !on->answer &&
	       (on->raw->no_way ||
	        !inject_kernel_reaches(inj, on->pkt, on->raw, on->pkt->proto == IPPROTO_TCP));
}

/* A packet for the client: sent beside a question that is dropped, or in place of an answer, so that it
 * meets every translation that the answer would have met. */
static struct verdict deliver(struct injector *inj, const struct act_on *on,
                              const struct forged *packet)
{
	if (!on->answer || packet->n == 0) {
		inject_untracked(inj, packet, &on->pkt->dst, &on->pkt->src, on->raw);
		return (struct verdict){ .drop = true };
	}
	memcpy(inj->replaced, packet->data, packet->n);
	return (struct verdict){ .replaced = span_of(inj->replaced, packet->n) };
}

static enum sent sent_dns(enum dns_style style)
{
	static const uint8_t sent[] = { [DNS_NXDOMAIN] = SENT_DNS_NXDOMAIN,
		                        [DNS_REFUSED] = SENT_DNS_REFUSED,
		                        [DNS_NODATA] = SENT_DNS_NODATA,
		                        [DNS_SINKHOLE] = SENT_DNS_SINKHOLE };

	return sent[style];
}

static struct verdict answer_dns_udp(struct injector *inj, const struct decision *d,
                                     const struct act_on *on, enum sent *sent)
{
	uint8_t       answer[ANSWER_MAX];
	struct forged packet;
	size_t        n = dns_answer(&on->names->dns, on->message, d->dns, on->why, answer,
	                             sizeof(answer));
	struct forge  f = towards_client(on->pkt);

	if (n == 0) /* too damaged to be answered */
		return (struct verdict){ .drop = true };
	packet.n = forge_udp(&f, span_of(answer, n), packet.data, sizeof(packet.data));
	*sent = sent_dns(d->dns);
	return deliver(inj, on, &packet);
}

/* The kernel resets the sender of the packet by the connection's state. The other side is told from
 * here, and first: the client may reuse its port as soon as it is told. Where the kernel's reset would
 * not reach this client, both sides are told from here, and later packets are dropped. */
struct verdict act_reset(struct injector *inj, const struct act_on *on)
{
	if (on->answer)
		reset_client(inj, on);
	else
		reset_server(inj, on);
	if (is_stray(inj, on)) {
		reset_stray_client(inj, on);
		return (struct verdict){ .drop = true, .state = STATE_DROPPED };
	}
	return (struct verdict){ .state = STATE_REJECTED };
}

static struct verdict reset_tcp(struct injector *inj, const struct decision *d,
                                const struct act_on *on, enum sent *sent)
{
	(void)d;
	*sent = SENT_TCP_RESET;
	return act_reset(inj, on);
}

/* The answer and the end of the connection in one segment; the client asks pipelined queries again on a
 * new connection (RFC 7766 6.2.4). */
static struct verdict answer_dns_tcp(struct injector *inj, const struct decision *d,
                                     const struct act_on *on, enum sent *sent)
{
	const struct packet *pkt = on->pkt;
	uint8_t       answer[ANSWER_MAX + 2];
	struct forged packet;
	size_t        n = dns_answer(&on->names->dns, on->message, d->dns, on->why, answer + 2, ANSWER_MAX);
	struct forge  f = towards_client(pkt);

	/* too long to be answered, or too late; or the steering does not know how to end what the client
	 * still says to a server that is gone: that is only so on DNS's own port */
	if (n == 0 || on->begun || pkt->dport != DNS_PORT)
		return reset_tcp(inj, d, on, sent);
	answer[0] = (uint8_t)(n >> 8);
	answer[1] = (uint8_t)n;
	f.seq = pkt->ack;
	f.ack = pkt->seq + (uint32_t)pkt->payload.n;
	f.tcp_flags = TCP_ACK | TCP_FIN;
	packet.n = forge_tcp(&f, span_of(answer, n + 2), packet.data, sizeof(packet.data));
	reset_server(inj, on);
	*sent = sent_dns(d->dns);
	return deliver(inj, on, &packet);
}

static struct verdict refuse_datagram(struct injector *inj, const struct decision *d,
                                      const struct act_on *on, enum sent *sent)
{
	struct forge  f = towards_client(on->pkt);
	struct forged icmp;

	(void)d;
	*sent = SENT_ICMP;
	if (!is_stray(inj, on))
		return (struct verdict){ .state = STATE_REJECTED };
	icmp.n = forge_icmp(&f, on->raw->data, icmp.data, sizeof(icmp.data));
	inject_untracked(inj, &icmp, &f.src, &f.dst, on->raw);
	return (struct verdict){ .drop = true, .state = STATE_DROPPED };
}

static const struct {
	uint8_t app;   /* enum app; APP_NONE: any */
	uint8_t proto; /* 0: any */
	struct verdict (*refuse)(struct injector *, const struct decision *, const struct act_on *,
	                         enum sent *);
} refusals[] = {
	{ APP_DNS, IPPROTO_UDP, answer_dns_udp },
	{ APP_DNS, IPPROTO_TCP, answer_dns_tcp },
	{ APP_NONE, IPPROTO_TCP, reset_tcp },
	{ APP_NONE, 0, refuse_datagram },
};

static struct verdict act_reject(struct injector *inj, const struct decision *d,
                                 const struct act_on *on, enum sent *sent)
{
	unsigned i = 0;

	while ((refusals[i].app && refusals[i].app != on->names->app) ||
	       (refusals[i].proto && refusals[i].proto != on->pkt->proto))
		i++;
	return refusals[i].refuse(inj, d, on, sent);
}

/* Drops a DNS question by itself: its flow is not decided. */
static struct verdict act_drop(struct injector *inj, const struct decision *d, const struct act_on *on,
                               enum sent *sent)
{
	(void)inj, (void)d, (void)sent;
	return (struct verdict){ .drop = true,
		                 .state = on->names->app == APP_DNS ? STATE_UNDECIDED : STATE_DROPPED };
}

struct verdict act_apply(struct injector *inj, const struct decision *d, const struct act_on *on,
                         enum sent *sent)
{
#define X(id, word, verdict, shown, colour, dns, tcp, udp, act) [id] = (act),
	static struct verdict (*const acts[ACTION_N])(struct injector *, const struct decision *,
	                                              const struct act_on *, enum sent *) = {
		ACTIONS(X)
	};
#undef X

	*sent = SENT_NOTHING;
	return acts[d->action] ? acts[d->action](inj, d, on, sent) : (struct verdict){ .state = STATE_UNDECIDED };
}
