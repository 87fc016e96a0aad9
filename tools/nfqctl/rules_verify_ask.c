/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks names up with c-ares, a bounded number at once, and reads the answers with the daemon's own parser.
 * What an answer means for a pack is decided elsewhere.
 */
#include <ares.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>

#include "progress.h"
#include "rules_verify.h"

enum { CLASS_IN = 1, TRIES = 2, UDP_SIZE = 1232, RCODE = 0xf, NXDOMAIN = 3 };
/* RFC 8914: the answer comes from a policy, not from the owner of the name */
enum { EDE_BLOCKED = 15, EDE_FILTERED = 17 };

static const int types[VERIFY_TYPES] = { 1, 28 }; /* A, AAAA */

struct verify_asker {
	ares_channel channel;
	char         servers[256];
	size_t       open, at_once, heard, answered;
	struct progress progress;
	verify_done *done;
	void        *ctx;
};

/* ---- answers ------------------------------------------------------------------------------- */

static void print_why(struct verify_answer *v, struct span text)
{
	size_t n = text.n < sizeof(v->why) - 1 ? text.n : sizeof(v->why) - 1;

	for (size_t i = 0; i < n; i++)
		v->why[i] = (char)(text.p[i] >= ' ' && text.p[i] <= '~' ? text.p[i] : '?');
	v->why[n] = '\0';
}

static void failed(struct verify_answer *v, const char *why)
{
	v->outcome = OUTCOME_FAILED;
	print_why(v, span_str(why));
}

/* "Nowhere", or a machine of this site: what filters answer that give no other sign. The pack may list
 * networks of that kind, for traffic between a vendor's products. */
static bool is_from_here(const struct addr *a)
{
	static const struct net nets[] = {
		{ { 4, { 0 } }, 8 },           { { 4, { 10 } }, 8 },      { { 4, { 100, 64 } }, 10 },
		{ { 4, { 127 } }, 8 },         { { 4, { 169, 254 } }, 16 }, { { 4, { 172, 16 } }, 12 },
		{ { 4, { 192, 168 } }, 16 },   { { 16, { 0 } }, 127 },    { { 16, { 0xfc } }, 7 },
		{ { 16, { 0xfe, 0x80 } }, 10 },
	};

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if (net_has(&nets[i], a))
			return true;
	return false;
}

static void from_here(struct verify_answer *v)
{
	char text[ADDR_TEXT], why[ADDR_TEXT + 16];

	addr_text(&v->addrs[0], text);
	snprintf(why, sizeof(why), "answers %s", text);
	failed(v, why);
}

static void take_data(struct verify_answer *v, const struct names *names)
{
	for (unsigned i = 0; i < names->n; i++)
		if (names->v[i].seen_in == SEEN_DNS_CNAME)
			memcpy(v->target, names->v[i].text, sizeof(v->target));
	for (unsigned i = 0; i < names->dns.n_addrs; i++)
		v->addrs[v->n_addrs++] = names->dns.addrs[i].addr;
}

static void take_reply(struct verify_answer *v, struct span reply)
{
	static const char *const rcodes[16] = {
		[1] = "FORMERR", [2] = "SERVFAIL", [4] = "NOTIMP", [5] = "REFUSED"
	};
	struct names     names = { .n = 0 };
	struct dns_error error;
	enum wire_err    err = WIRE_OK;
	struct wire      w = wire_of(reply, &err, false);
	bool             whole = dns_answer_names(&w, &names) == WIRE_OK;
	unsigned         rcode = names.dns.flags & RCODE;

	take_data(v, &names);
	if (dns_extended_error(reply, &error) && error.code >= EDE_BLOCKED &&
	    error.code <= EDE_FILTERED) {
		v->outcome = OUTCOME_BLOCKED;
		v->error = error.code;
		print_why(v, error.text);
	} else if (!whole) {
		failed(v, "an answer that is damaged or leads over too many names");
	} else if (rcode && rcode != NXDOMAIN) {
		failed(v, rcodes[rcode] ? rcodes[rcode] : "an answer with an unusual code");
	} else if (v->n_addrs && is_from_here(&v->addrs[0])) {
		from_here(v);
	} else {
		v->outcome = v->n_addrs ? OUTCOME_ADDRESS : rcode ? OUTCOME_DEAD : OUTCOME_EMPTY;
	}
}

/* ---- asking -------------------------------------------------------------------------------- */

struct lookup {
	struct verify_asker *asker;
	size_t               i; /* of the name */
	unsigned             n; /* answers so far */
	struct verify_answer v[VERIFY_TYPES];
};

static void on_answer(void *arg, int status, int timeouts, unsigned char *reply, int len)
{
	struct lookup        *l = arg;
	struct verify_asker  *a = l->asker;
	struct verify_answer *v = &l->v[l->n++];

	(void)timeouts;
	if (reply && len > 0) {
		a->heard++;
		take_reply(v, span_of(reply, (size_t)len));
	} else {
		failed(v, status == ARES_ETIMEOUT ? "timeout" : ares_strerror(status));
	}
	if (l->n < VERIFY_TYPES)
		return;
	a->done(a->ctx, l->i, l->v);
	a->open--;
	progress_at(&a->progress, ++a->answered);
	free(l);
}

static int ask(struct verify_asker *a, const char *name, size_t i)
{
	struct lookup *l = malloc(sizeof(*l));

	if (!l)
		return -1;
	*l = (struct lookup){ .asker = a, .i = i };
	a->open++;
	for (unsigned t = 0; t < VERIFY_TYPES; t++) /* the last answer frees l */
		ares_query(a->channel, name, CLASS_IN, types[t], on_answer, l);
	return 0;
}

static void wait_and_serve(ares_channel channel)
{
	struct timeval tv;
	fd_set         readable, writable;
	int            n;

	FD_ZERO(&readable);
	FD_ZERO(&writable);
	n = ares_fds(channel, &readable, &writable);
	if (n > 0)
		select(n, &readable, &writable, NULL, ares_timeout(channel, NULL, &tv));
	ares_process(channel, &readable, &writable);
}

int verify_names(struct verify_asker *a, const char *const names[], size_t n, verify_done *done,
                 void *ctx)
{
	int r = 0;

	a->done = done;
	a->ctx = ctx;
	a->answered = 0;
	progress_begin(&a->progress, "looking up", "names", n);
	for (size_t at = 0; (r == 0 && at < n) || a->open > 0;) {
		while (r == 0 && at < n && a->open < a->at_once) {
			r = ask(a, names[at], at);
			at++;
		}
		wait_and_serve(a->channel);
	}
	progress_end(&a->progress);
	return r;
}

size_t verify_heard(const struct verify_asker *a)
{
	return a->heard;
}

/* ---- the channel --------------------------------------------------------------------------- */

static void write_servers(struct verify_asker *a)
{
	struct ares_addr_port_node *first = NULL;
	size_t                      n = 0;

	ares_get_servers_ports(a->channel, &first);
	for (struct ares_addr_port_node *s = first; s && n < sizeof(a->servers); s = s->next) {
		struct addr addr =
			addr_from((const uint8_t *)&s->addr, s->family == AF_INET ? 4 : 16);
		char text[ADDR_TEXT], port[16] = "";

		addr_text(&addr, text);
		if (s->udp_port != 0)
			snprintf(port, sizeof(port), " port %d", s->udp_port);
		n += (size_t)snprintf(a->servers + n, sizeof(a->servers) - n, "%s%s%s",
		                      n ? ", " : "", text, port);
	}
	ares_free_data(first);
}

const char *verify_servers(const struct verify_asker *a)
{
	return a->servers;
}

/* EDNS, so that a blocking server can say so. Answers such as SERVFAIL are results, not a reason to ask
 * another server. */
static ares_channel channel_of(const struct verify_how *how)
{
	struct ares_options options = { .flags = ARES_FLAG_EDNS | ARES_FLAG_NOCHECKRESP,
		                        .ednspsz = UDP_SIZE,
		                        .timeout = (int)how->timeout_s * 1000,
		                        .tries = TRIES,
		                        .lookups = (char[]){ "b" } };
	ares_channel        channel;

	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS ||
	    ares_init_options(&channel, &options,
	                      ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS |
	                              ARES_OPT_TRIES | ARES_OPT_LOOKUPS) != ARES_SUCCESS) {
		fprintf(stderr, "nfqctl: c-ares cannot be initialized\n");
		return NULL;
	}
	if (!how->server || ares_set_servers_ports_csv(channel, how->server) == ARES_SUCCESS)
		return channel;
	fprintf(stderr,
	        "nfqctl: not a server: '%s' (an address such as 9.9.9.9, 127.0.0.1:5353 or "
	        "[::1]:53)\n",
	        how->server);
	ares_destroy(channel);
	return NULL;
}

struct verify_asker *verify_open(const struct verify_how *how)
{
	struct verify_asker *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->at_once = how->at_once;
	a->channel = channel_of(how);
	if (!a->channel) {
		free(a);
		return NULL;
	}
	write_servers(a);
	return a;
}

void verify_close(struct verify_asker *a)
{
	ares_destroy(a->channel);
	ares_library_cleanup();
	free(a);
}
