/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One packet's reading: begins by its transport (tcp.c, udp.c), walks from step to step, and is settled
 * on its connection.
 */
#include <netinet/in.h>

#include "inspect/inspect_private.h"

void message_begin(struct inspection *in, const struct name_proto *row)
{
	in->msg.row = row;
	in->msg.pkt = in->pkt;
	in->msg.bytes = in->msg.read = span_of(NULL, 0);
	in->msg.from_server = in->msg.begun = false;
	names_begin(&in->msg.names, APP_NONE);
}

bool message_found(struct inspection *in, enum place place, step *next)
{
	struct message *m = &in->msg;

	m->place = place;
	m->peer_next = in->peer_next + in->urgents;
	if (m->row && m->row->from) { /* the connection of the client that will receive it */
		server_turn(in);
		m->from_server = true;
		m->begun = in->conn && in->conn->stream;
		m->pkt = &in->turned;
	}
	in->step = next;
	return true;
}

bool address_found(struct inspection *in, step *next)
{
	message_begin(in, NULL);
	return message_found(in, in->ground, next);
}

struct conn *conn_made_for(struct inspection *in, const struct packet *pkt)
{
	bool         evicted = false;
	struct conn *c = conn_get(in->table, pkt, in->now, &evicted);

	in->faults[FAULT_flows_full] = (uint16_t)(in->faults[FAULT_flows_full] + evicted);
	return c;
}

struct conn *conn_made(struct inspection *in)
{
	if (!in->conn)
		in->conn = conn_made_for(in, in->pkt);
	return in->conn;
}

struct stream *stream_made(struct inspection *in, uint32_t seq, bool anchored)
{
	return conn_need_stream(in->table, conn_made(in), seq, anchored);
}

static bool lost_judged(struct inspection *in)
{
	charge_fault(in, (enum fault)(conn_made(in)->lost - 1));
	return reading_over(in, OUTCOME_FAULT);
}

/* The rest of a message whose beginning a worker had that died: whatever it looks like, its server takes it for that. */
bool inherited_rest(struct inspection *in)
{
	note_fault(in, FAULT_worker_died);
	return lost_start(in);
}

bool lost_start(struct inspection *in)
{
	return conn_made(in)->address_judged ? lost_judged(in) : address_found(in, lost_judged);
}

static bool other_judged(struct inspection *in)
{
	return reading_over(in, OUTCOME_ALLOWED);
}

static bool other_new(struct inspection *in)
{
	return address_found(in, other_judged);
}

/* Neither TCP nor UDP: there is only the address to go by. */
static void other_begin(struct inspection *in)
{
	if (in->pkt->proto == IPPROTO_ICMP || in->pkt->proto == IPPROTO_ICMPV6)
		return;
	in->conn = conn_find(in->table, in->pkt);
	if (!in->conn) {
		in->step = other_new;
		return;
	}
	conn_touch(in->table, in->conn, in->now);
	in->outcome = OUTCOME_SETTLED;
}

struct inspection *conn_of(struct conns *t, struct packet *pkt, uint64_t now)
{
	struct inspection *in = &t->reading;

	memset(in, 0, offsetof(struct inspection, turned));
	in->table = t;
	in->pkt = pkt;
	in->now = now;
	in->ground = pkt->decoy ? PLACE_DECOY : PLACE_IN_ORDER;
	message_begin(in, NULL);
	if (pkt->proto == IPPROTO_TCP)
		tcp_begin(in);
	else if (pkt->proto == IPPROTO_UDP)
		udp_begin(in);
	else
		other_begin(in);
	return in;
}

const struct message *conn_next(struct inspection *in)
{
	while (in->step) {
		step *now = in->step;

		in->step = NULL;
		if (now(in))
			return &in->msg;
	}
	return NULL;
}

enum outcome conn_outcome(const struct inspection *in)
{
	return in->outcome;
}

struct fate conn_fate(const struct inspection *in)
{
	return in->conn ? in->conn->fate : (struct fate){ 0 };
}

uint32_t conn_peer_next(const struct inspection *in)
{
	return in->pkt->seq + in->urgents;
}

const uint16_t *conn_faults(const struct inspection *in)
{
	return in->faults;
}

uint32_t conn_deciding_faults(const struct inspection *in)
{
	return in->charged;
}

static void end(struct inspection *in, struct conn *c, const struct packet *pkt, enum conn_state state,
                struct fate fate)
{
	order_end(c, pkt);
	conn_drop_stream(in->table, c);
	if (c->state == CONN_SERVER)
		c->tcp = (struct tcp_side){ 0 };
	c->state = (uint8_t)state;
	c->fate = fate;
	conn_account(in->table, c);
}

/* Both sides get the decision: what either has sent already is on its way here. */
static void end_both(struct inspection *in, enum conn_state state, struct fate fate)
{
	struct conn *c = conn_made(in), *client = c->state == CONN_SERVER ? server_client(in) : NULL;

	end(in, c, in->pkt, state, fate);
	if (client)
		end(in, client, &in->turned, state, fate);
}

/*
 * Data in a SYN (RFC 7413) may be a decoy: a server that knows no such thing throws it away, and the
 * client sends it again. It may be refused; to allow the connection takes what follows.
 */
static bool keep_syn(struct inspection *in)
{
	struct conn *c = conn_made(in);

	conn_reopen(in->table, c, false);
	c->order.anchored = true;
	order_remember(in, in->pkt->seq, in->pkt->payload);
	c->tcp.syn_data = true;
	return false;
}

bool conn_settle(struct inspection *in, bool refused, struct fate fate)
{
	bool allowed = in->outcome == OUTCOME_ALLOWED || in->outcome == OUTCOME_FAULT;

	if (refused) {
		if (in->outcome == OUTCOME_FAULT || place_rights[in->msg.place].ends)
			end_both(in, CONN_REFUSED, fate);
		return true;
	}
	if (in->outcome == OUTCOME_ASK_SERVER) {
		end_both(in, CONN_AWAITS_SERVER, fate);
		return true;
	}
	if (in->ground == PLACE_SYN)
		return keep_syn(in);
	if (!allowed)
		return true;
	if (place_rights[in->ground].may_allow && !(conn_made(in)->lost && in->outcome == OUTCOME_FAULT)) {
		end_both(in, CONN_ALLOWED, fate);
		return true;
	}
	conn_reopen(in->table, conn_made(in), true);
	return false;
}

/* The connection that a record of the message is about. */
static struct conn *subject(struct inspection *in)
{
	return in->msg.pkt == in->pkt ? conn_made(in) : conn_made_for(in, in->msg.pkt);
}

bool conn_record_once(struct inspection *in, uint32_t hash)
{
	return conn_first_record(subject(in), hash, in->now);
}

uint64_t conn_id(struct inspection *in)
{
	return subject(in)->id;
}
