/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The heartbeat: its processes and links, its beats, and what they show. A beat asks over every channel,
 * first from this host and then as a routed client, and waits a moment for what might still arrive. A
 * process that ends takes the others with it; the next beat starts them anew.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/heartbeat.h"
#include "parent/parent_private.h"
#include "prober/link.h"
#include "prober/prober.h"

enum {
	FIRST_MS = 1000,  /* after the start */
	START_MS = 5000,  /* for the processes to be ready */
	BEAT_MS = 4000,   /* for a prober to be done */
	SETTLE_MS = 100,  /* for what arrives last */
	DEFAULT_BITS = 8, /* a route that is no longer than this is a way out, not somebody's network */
	TEXT = 160
};

enum way { WAY_OUTPUT, WAY_FORWARD, WAYS };

static const struct {
	const char      *word;
	enum prober_role role;
} ways[WAYS] = { { "output", PROBER_OUTPUT }, { "forward", PROBER_FORWARD } };

/* The link of a process that has a network of its own. */
static const struct {
	const char *name, *address, *far;
} links[PROBER_ROLES] = {
	[PROBER_RESPONDER] = { HEARTBEAT_LINK, HEARTBEAT_HOST, HEARTBEAT_RESPONDER },
	[PROBER_FORWARD] = { HEARTBEAT_FORWARD_LINK, HEARTBEAT_FORWARD_HOST, HEARTBEAT_FORWARD },
};

struct channel {
	bool     refused, arrived;
	int      error; /* errno: it was not sent */
	uint32_t us;
};

struct probing {
	const char    *unjudged; /* why its channels are not inspected; NULL: they are */
	bool           reached;  /* a connection to the responder came about */
	struct channel channels[PROBE_CHANNELS_N];
};

struct member {
	struct heartbeat    *owner;
	struct poller_source source;
	pid_t                pid; /* 0: none */
	bool                 ready;
};

struct heartbeat {
	struct parent      *p;
	struct member       members[PROBER_ROLES];
	struct poller_timer timer;
	enum { STARTING, RESTING, BEATING, SETTLING } step;
	enum way            way; /* in turn */
	prober_command      number;
	struct probing      now, last[WAYS]; /* last: of the latest beat that was completed */
	const char         *state;           /* of the latest beat; NULL: there was none */
	char                reason[TEXT];    /* why it failed as a whole */
	uint64_t            at;              /* when it ended: ns */
};

static void begin_beat(struct heartbeat *h);

static bool is_wanted(const struct heartbeat *h, enum prober_role role)
{
	return role != PROBER_FORWARD || h->p->boot->heartbeat_forward;
}

/* ---- what a beat shows ---- */

static const char *result_of(const struct probing *b, const struct channel *c)
{
	if (b->unjudged)
		return "not inspected";
	if (c->arrived)
		return "open";
	if (c->refused)
		return "refused";
	if (c->error)
		return "unsent";
	return b->reached ? "silent" : "unreachable";
}

static bool is_result(const struct heartbeat *h, const char *result)
{
	for (unsigned w = 0; w < WAYS; w++)
		for (unsigned c = 0; is_wanted(h, ways[w].role) && c < PROBE_CHANNELS_N; c++)
			if (strcmp(result_of(&h->last[w], &h->last[w].channels[c]), result) == 0)
				return true;
	return false;
}

static const char *state_of(const struct heartbeat *h)
{
	if (is_result(h, "open"))
		return "open";
	if (is_result(h, "unsent") || is_result(h, "silent") || is_result(h, "unreachable"))
		return "failed";
	return is_result(h, "refused") ? "refused" : "not inspected";
}

static json_t *channel_json(const struct probing *b, const struct channel *c)
{
	const char *result = result_of(b, c);
	json_t     *out = json_pack("{s:s}", "result", result);

	if (strcmp(result, "refused") == 0)
		json_object_set_new(out, "ms", json_real(c->us / 1000.0));
	if (strcmp(result, "unsent") == 0)
		json_object_set_new(out, "why", json_string(strerror(c->error)));
	if (b->unjudged)
		json_object_set_new(out, "why", json_string(b->unjudged));
	return out;
}

static json_t *ways_json(const struct heartbeat *h)
{
	json_t *all = json_object();

	for (unsigned w = 0; w < WAYS; w++) {
		json_t *way = json_object();

		for (unsigned c = 0; c < PROBE_CHANNELS_N; c++)
			json_object_set_new(way, probe_rows[c].word,
			                    channel_json(&h->last[w], &h->last[w].channels[c]));
		if (is_wanted(h, ways[w].role))
			json_object_set(all, ways[w].word, way);
		json_decref(way);
	}
	return all;
}

json_t *status_heartbeat(const struct parent *p)
{
	const struct heartbeat *h = p->heartbeat;
	char                    at[CLOCK_TEXT];
	json_t                 *out;

	if (!h)
		return json_pack("{s:s, s:s*}", "state", "off", "role", pair_role(p));
	if (!h->state)
		return json_pack("{s:s, s:s*}", "state", "waiting", "role", pair_role(p));
	clock_text_iso((int64_t)(h->at / NS_PER_S), at);
	out = json_pack("{s:s, s:s, s:i, s:s*}", "state", h->state, "at", at, "every_s", (int)p->boot->heartbeat, "role",
	                pair_role(p));
	if (h->reason[0])
		json_object_set_new(out, "reason", json_string(h->reason));
	else
		json_object_set_new(out, "channels", ways_json(h));
	return out;
}

/* The rule that refuses, as the worker has it. */
static void add_rule(const struct parent *p, json_t *members)
{
	struct name    name = { .seen_in = SEEN_DNS_QUERY, .len = sizeof(HEARTBEAT_NAME) - 1 };
	struct match   m = { .n = 0 };
	struct ruleset rs;

	memcpy(name.text, HEARTBEAT_NAME, sizeof(HEARTBEAT_NAME));
	ruleset_open(&rs, p->img);
	ruleset_match_name(&rs, &name, &m);
	json_object_set_new(members, "generation", json_integer((json_int_t)p->generation));
	for (unsigned i = 0; i < m.n; i++) {
		const struct rs_rule *rule = &rs.rules[m.hits[i].rule];
		const struct rs_pack *pack = &rs.packs[rule->pack];

		if (strcmp(rs_text(&rs, pack->id), "canary") == 0)
			json_object_set_new(members, "rule",
			                    json_pack("{s:s, s:s, s:s}", "pack", rs_text(&rs, pack->id),
			                              "version", rs_text(&rs, pack->version), "rule",
			                              rs_text(&rs, rule->id)));
	}
}

static void say(const struct heartbeat *h, const char *before)
{
	if (before && strcmp(before, h->state) == 0)
		return;
	if (strcmp(h->state, "open") == 0)
		diag_error("heartbeat", "OPEN: a listed name passes; nfqctl status names the channels");
	else if (strcmp(h->state, "failed") == 0)
		diag_warn("heartbeat", "no proof that listed names are refused%s%s", h->reason[0] ? ": " : "",
		          h->reason);
	else
		diag_info("heartbeat", "the canary's name is %s", h->state);
}

static void rest(struct heartbeat *h, uint64_t ms)
{
	h->step = RESTING;
	poller_set(&h->p->poller, &h->timer, ms);
}

/* The beat is over: its record, and a line when something has changed. */
static void conclude(struct heartbeat *h, const char *state)
{
	const char *before = h->state;
	json_t     *members;

	h->state = state;
	h->at = clock_now();
	members = status_heartbeat(h->p);
	json_object_del(members, "at");
	add_rule(h->p, members);
	parent_record(h->p, "heartbeat", members);
	say(h, before);
	rest(h, (uint64_t)h->p->boot->heartbeat * 1000);
}

/* ---- its processes ---- */

static void end_member(struct heartbeat *h, struct member *m)
{
	if (m->pid <= 0)
		return;
	poller_forget(&h->p->poller, &m->source);
	close(m->source.fd); /* it sees this, and ends; parent_reap() takes it away */
	kill(m->pid, SIGTERM);
	m->pid = 0;
	m->ready = false;
}

static void end_members(struct heartbeat *h)
{
	for (unsigned i = 0; i < PROBER_ROLES; i++) {
		end_member(h, &h->members[i]);
		if (links[i].name && is_wanted(h, (enum prober_role)i) && link_remove(links[i].name) < 0)
			diag_warn("heartbeat", "%s cannot be removed", links[i].name);
	}
}

__attribute__((format(printf, 2, 3))) static void fail(struct heartbeat *h, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(h->reason, sizeof(h->reason), fmt, ap);
	va_end(ap);
	end_members(h);
	conclude(h, "failed");
}

static void become(const struct parent *p, enum prober_role role, int fd)
{
	struct prober_in in = { .role = role, .parent = fd, .empty_folder = EMPTY_FOLDER,
		                .diag_lost = &p->shared->diag_lost[PROCESS_PROBER] };
	sigset_t         none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	parent_close_but(&in.parent, 1);
	_exit(prober_main(&in));
}

static void on_report(struct poller_source *s);

/* Returns 0 or -errno. */
static int start_member(struct heartbeat *h, enum prober_role role)
{
	struct member *m = &h->members[role];
	int            pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	*m = (struct member){ .owner = h, .source = { on_report, m, pair[0] } };
	m->pid = fork();
	if (m->pid == 0)
		become(h->p, role, pair[1]);
	r = m->pid < 0 ? -errno : poller_watch(&h->p->poller, &m->source, EPOLLIN);
	close(pair[1]);
	if (m->pid < 0)
		close(pair[0]);
	return r;
}

static void start_members(struct heartbeat *h)
{
	h->step = STARTING;
	poller_set(&h->p->poller, &h->timer, START_MS);
	for (unsigned i = 0; i < PROBER_ROLES; i++) {
		int r = is_wanted(h, (enum prober_role)i) ? start_member(h, (enum prober_role)i) : 0;

		if (r < 0) {
			fail(h, "its processes cannot be started: %s", strerror(-r));
			return;
		}
	}
}

static bool all_ready(const struct heartbeat *h)
{
	for (unsigned i = 0; i < PROBER_ROLES; i++)
		if (is_wanted(h, (enum prober_role)i) && !h->members[i].ready)
			return false;
	return true;
}

static int make_link(const struct member *m, enum prober_role role)
{
	const char *name = links[role].name;
	int         r = link_remove(name); /* of a run that was killed, where its processes still end */

	if (r == 0)
		r = link_route_bits(links[role].far);
	if (r > DEFAULT_BITS)
		return -EADDRINUSE;
	if (r >= 0)
		r = link_make_pair(name, m->pid);
	return r < 0 ? r : link_bring_up(name, links[role].address, HEARTBEAT_PREFIX);
}

static void give_link(struct heartbeat *h, struct member *m)
{
	enum prober_role     role = (enum prober_role)(m - h->members);
	const prober_command linked = 0;
	int                  r = links[role].name ? make_link(m, role) : -EPROTO;

	if (r < 0)
		fail(h, "no link to %s: %s", links[role].name, strerror(-r));
	else if (send(m->source.fd, &linked, sizeof(linked), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		fail(h, "a process of it has gone");
}

/* ---- a beat ---- */

static const char *why_unjudged(const struct heartbeat *h, enum way way)
{
	const struct parent *p = h->p;

	if ((p->mode >= 0 ? p->mode : p->conf->mode) != MODE_ENFORCE)
		return "the mode is not enforce";
	if (way == WAY_OUTPUT && !p->boot->inspect.output)
		return "inspect.output is false";
	if (way == WAY_FORWARD && !p->boot->inspect.forward)
		return "inspect.forward is false";
	return NULL;
}

static void begin_way(struct heartbeat *h)
{
	for (; h->way < WAYS; h->way++) {
		struct member *m = &h->members[ways[h->way].role];

		h->now = (struct probing){ .unjudged = why_unjudged(h, h->way) };
		if (!is_wanted(h, ways[h->way].role))
			continue;
		if (h->now.unjudged) {
			h->last[h->way] = h->now;
			continue;
		}
		h->step = BEATING;
		poller_set(&h->p->poller, &h->timer, BEAT_MS);
		if (send(m->source.fd, &h->number, sizeof(h->number), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			fail(h, "a process of it has gone");
		return;
	}
	h->reason[0] = '\0';
	conclude(h, state_of(h));
}

static void begin_beat(struct heartbeat *h)
{
	if (!all_ready(h)) {
		end_members(h);
		start_members(h);
		return;
	}
	h->number = (prober_command)(h->number == UINT16_MAX ? 1 : h->number + 1);
	h->way = WAY_OUTPUT;
	begin_way(h);
}

static void on_timer(struct poller_timer *t)
{
	struct heartbeat *h = t->ctx;

	switch (h->step) {
	case STARTING: fail(h, "its processes did not start in time"); break;
	case RESTING:  begin_beat(h); break;
	case BEATING:  fail(h, "its prober did not end in time"); break;
	case SETTLING:
		h->last[h->way] = h->now;
		h->way++;
		begin_way(h);
		break;
	}
}

static void on_channel(struct heartbeat *h, const struct prober_report *r)
{
	struct channel *c = &h->now.channels[r->channel];

	if (h->step != BEATING && h->step != SETTLING)
		return;
	if (r->kind == PROBER_ARRIVED)
		c->arrived = true;
	else if (r->beat != h->number)
		return;
	h->now.reached |= r->kind == PROBER_REACHED || r->kind == PROBER_ARRIVED;
	if (r->kind == PROBER_UNSENT)
		c->error = r->error > 0 ? r->error : EIO;
	if (r->kind == PROBER_REFUSED) {
		c->refused = true;
		c->us = r->us;
	}
}

static void on_done(struct heartbeat *h, const struct prober_report *r)
{
	if (h->step != BEATING || r->beat != h->number)
		return;
	h->step = SETTLING;
	poller_set(&h->p->poller, &h->timer, SETTLE_MS);
}

static void on_ready(struct heartbeat *h, struct member *m)
{
	m->ready = true;
	if (h->step == STARTING && all_ready(h))
		begin_beat(h);
}

/* The processes are not trusted: what a report names is looked at before it is used. */
static void on_report(struct poller_source *s)
{
	struct member       *m = s->ctx;
	struct heartbeat    *h = m->owner;
	struct prober_report r;
	ssize_t              n = recv(s->fd, &r, sizeof(r), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != sizeof(r) || r.kind >= PROBER_REPORTS || r.channel >= PROBE_CHANNELS_N)
		fail(h, "a process of it has ended");
	else if (r.kind == PROBER_WANTS_LINK)
		give_link(h, m);
	else if (r.kind == PROBER_FAILED)
		fail(h, "its processes have no network of their own: %s", strerror(r.error));
	else if (r.kind == PROBER_READY)
		on_ready(h, m);
	else if (r.kind == PROBER_DONE)
		on_done(h, &r);
	else
		on_channel(h, &r);
}

/* ---- from start to stop ---- */

void parent_open_heartbeat(struct parent *p)
{
	struct heartbeat *h;

	if (p->tap || p->boot->heartbeat == 0)
		return;
	h = calloc(1, sizeof(*h));
	if (!h) {
		diag_warn("heartbeat", "out of memory");
		return;
	}
	h->p = p;
	h->timer = (struct poller_timer){ .run = on_timer, .ctx = h };
	p->heartbeat = h;
	rest(h, FIRST_MS);
}

void parent_close_heartbeat(struct parent *p)
{
	if (!p->heartbeat)
		return;
	poller_unset(&p->poller, &p->heartbeat->timer);
	end_members(p->heartbeat);
	free(p->heartbeat);
	p->heartbeat = NULL;
}
