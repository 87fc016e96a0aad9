/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A resolver drops root after it has bound its port, so neither user nor group tell its sockets from those of another
 * program: only the process does that has both. To look into other users' processes takes CAP_SYS_PTRACE and
 * CAP_DAC_READ_SEARCH.
 */
#include "parent/programs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/hash.h"
#include "base/steered.h"
#include "parent/netlink.h"
#include "parent/poller.h"

enum {
	LISTENERS_MAX = 64,
	KNOWN_MAX = 16,     /* programs that had one of the ports when it was last looked */
	FDS_MAX = 65536,    /* of a process */
	SCANS_PER_S = 5,    /* each takes milliseconds */
	SPEND_MS = 200,     /* of each second at most; then questions are not looked at */
	SHARE_MS = SPEND_MS / 2, /* of that for one client, so that no client keeps all others from being looked at */
	SHARES = 256,       /* accounts of clients */
	CHILDREN_MAX = 256, /* of a program that has a port: a resolver forks for each connection */
	LIST_MS = 1000,     /* how long a list of listeners may say yes; it says no only when it is fresh */
	INIT = 1
};

/* What is looked for. */
struct search {
	uint32_t asker, listener[LISTENERS_MAX]; /* inodes */
	unsigned n;
	pid_t    of_asker; /* the process that has it; 0: none was found */
	bool     denied;   /* a process could not be looked at */
	bool     partial;  /* some were not looked at */
	uint64_t end;      /* poller_ms() */
};

static pid_t    known[KNOWN_MAX];
static unsigned n_known;
static uint64_t n_late;
static pid_t    resume_at; /* the last process that a scan has looked at before its time was over */

uint64_t programs_late(void)
{
	return n_late;
}

/* ---- sockets ---- */

static int on_socket(const struct nlmsghdr *nlh, void *ctx)
{
	const struct inet_diag_msg *is = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(*is) && is->idiag_inode)
		*(struct inet_diag_msg *)ctx = *is;
	return MNL_CB_OK;
}

static int on_listener(const struct nlmsghdr *nlh, void *ctx)
{
	const struct inet_diag_msg *is = mnl_nlmsg_get_payload(nlh);
	struct search              *s = ctx;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(*is) && is->idiag_inode && s->n < LISTENERS_MAX)
		s->listener[s->n++] = is->idiag_inode;
	return MNL_CB_OK;
}

/* A socket for each request: what an interrupted dump leaves there is discarded with it. */
static int request(const struct inet_diag_req_v2 *what, bool dump, mnl_cb_t cb, void *ctx)
{
	static _Alignas(struct nlmsghdr) char buf[32 << 10];
	struct mnl_socket *nl = netlink_open(NETLINK_SOCK_DIAG, 0);
	struct nlmsghdr   *nlh = mnl_nlmsg_put_header(buf);
	int                r = MNL_CB_OK;

	if (!nl)
		return -1;
	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | (dump ? NLM_F_DUMP : 0));
	memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(*what)), what, sizeof(*what));
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		r = MNL_CB_ERROR;
	while (r > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(nl, buf, sizeof(buf));

		r = n < 0 ? MNL_CB_ERROR : mnl_cb_run(buf, (size_t)n, 0, 0, cb, ctx);
		if (!dump)
			break;
	}
	mnl_socket_close(nl);
	return r;
}

static struct inet_diag_req_v2 one_of(const struct ask *q, bool turned)
{
	const struct addr *src = turned ? &q->dst : &q->src, *dst = turned ? &q->src : &q->dst;
	struct inet_diag_req_v2 what = { .sdiag_family = q->src.len == 4 ? AF_INET : AF_INET6,
		                         .sdiag_protocol = q->proto, .idiag_states = UINT32_MAX };

	what.id.idiag_sport = htons(turned ? q->dport : q->sport);
	what.id.idiag_dport = htons(turned ? q->sport : q->dport);
	memcpy(what.id.idiag_src, src->b, src->len);
	memcpy(what.id.idiag_dst, dst->b, dst->len);
	what.id.idiag_cookie[0] = what.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	return what;
}

/* The inode of the socket that sent a packet; 0: none. For UDP the kernel takes the two ends the other way round. */
static uint32_t find_asker(const struct ask *q)
{
	for (unsigned i = 0; i < 2; i++) {
		struct inet_diag_req_v2 what = one_of(q, (q->proto == IPPROTO_UDP) != i);
		struct inet_diag_msg    is = { .idiag_inode = 0 };

		if (request(&what, false, on_socket, &is) >= 0 && is.idiag_inode &&
		    is.id.idiag_sport == htons(q->sport))
			return is.idiag_inode;
	}
	return 0;
}

static void find_listeners(struct search *s, uint16_t port)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 }, protos[] = { IPPROTO_UDP, IPPROTO_TCP };
	/* of TCP that one alone: with any other the kernel walks through all of its connections */
	static const uint32_t states[] = { 1 << TCP_CLOSE, 1 << TCP_LISTEN };

	for (unsigned i = 0; i < 4; i++) {
		struct inet_diag_req_v2 what = { .sdiag_family = families[i / 2], .sdiag_protocol = protos[i % 2],
			                         .idiag_states = states[i % 2] };

		what.id.idiag_sport = htons(port);
		if (request(&what, true, on_listener, s) < 0)
			diag_debug("programs", "sockets of port %u: %m", port);
	}
}

/* ---- processes ---- */

/* The inode of an open file that is a socket; 0: it is not. */
static uint32_t socket_at(int folder, const char *name)
{
	static const char kind[] = "socket:[";
	char              to[64];
	ssize_t           n = readlinkat(folder, name, to, sizeof(to) - 1);

	if (n < (ssize_t)sizeof(kind) || strncmp(to, kind, sizeof(kind) - 1) != 0)
		return 0;
	to[n] = '\0';
	return (uint32_t)strtoul(to + sizeof(kind) - 1, NULL, 10);
}

static bool is_listener(const struct search *s, uint32_t inode)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->listener[i] == inode)
			return true;
	return false;
}

/* Does the process have one of the ports? *asks: it has the asker's socket. */
static bool has_port(struct search *s, pid_t pid, bool *asks)
{
	char           path[32];
	DIR           *dir;
	struct dirent *e;
	bool           has = false;

	*asks = false;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir)
		s->denied |= errno == EACCES || errno == EPERM;
	for (unsigned i = 0; dir && i < FDS_MAX && (e = readdir(dir)) != NULL; i++) {
		uint32_t inode = e->d_name[0] == '.' ? 0 : socket_at(dirfd(dir), e->d_name);

		*asks |= inode && inode == s->asker;
		has |= inode && is_listener(s, inode);
	}
	if (dir)
		closedir(dir);
	return has;
}

static bool is_known(pid_t pid)
{
	for (unsigned i = 0; i < n_known; i++)
		if (known[i] == pid)
			return true;
	return false;
}

/* After the name, which may hold anything but ends with the last ')': the state, and the parent's number. */
static pid_t parent_of(pid_t pid)
{
	char    path[32], text[512];
	int     fd;
	ssize_t n;
	char   *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = '\0';
	end = strrchr(text, ')');
	return end && strlen(end) > 4 ? (pid_t)strtol(end + 4, NULL, 10) : 0;
}

/* A program's parent that has the port is its resolver, unless it is the parent of all: init may hold a port for a
 * service that it has not started yet (systemd.socket(5)). */
static bool is_child_of_known(pid_t pid)
{
	pid_t parent = parent_of(pid);

	return parent > INIT && is_known(parent);
}

/* Has a child of one of these the asker's socket? A resolver forks for a question over TCP: no need to look at all. */
static bool child_asks(struct search *s, pid_t pid)
{
	char          path[48], text[CHILDREN_MAX * 8], *at = text, *end;
	int           fd;
	ssize_t       n;
	bool          asks = false;
	long          child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	fd = pid > INIT ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = '\0';
	for (; !asks && poller_ms() < s->end && (child = strtol(at, &end, 10)) > 0 && end != at; at = end)
		has_port(s, (pid_t)child, &asks);
	return asks;
}

/* The programs that had a port when it was last looked, and their children. Those that have none any more go. */
static bool known_asks(struct search *s)
{
	bool asks, has;

	for (unsigned i = 0; i < n_known;) {
		has = has_port(s, known[i], &asks);
		if (has && (asks || child_asks(s, known[i])))
			return true;
		if (has)
			i++;
		else
			known[i] = known[--n_known];
	}
	return false;
}

static void look_at(struct search *s, pid_t pid)
{
	bool asks;

	if (has_port(s, pid, &asks) && n_known < KNOWN_MAX && !is_known(pid))
		known[n_known++] = pid;
	if (asks && !is_known(s->of_asker)) /* of several that share it, one that has the port */
		s->of_asker = pid;
}

/* Looks at every process, or goes on where the last time ended. */
static void scan(struct search *s)
{
	DIR           *dir = opendir("/proc");
	struct dirent *e;
	pid_t          pid = 0, from = resume_at;

	s->partial = from > 0;
	resume_at = 0;
	while (dir && !resume_at && (e = readdir(dir)) != NULL) {
		pid = (pid_t)strtol(e->d_name, NULL, 10);
		if (pid <= from)
			continue;
		look_at(s, pid);
		if (poller_ms() >= s->end)
			resume_at = pid;
	}
	s->partial |= resume_at > 0;
	if (dir)
		closedir(dir);
}

/* ---- the question ---- */

static bool may_scan(void)
{
	static uint64_t second;
	static unsigned scans;
	uint64_t        now = poller_ms() / 1000;

	if (now != second)
		scans = 0;
	second = now;
	return scans++ < SCANS_PER_S;
}

static void say_denied(const struct search *s)
{
	static bool said;

	if (said || s->of_asker || !s->denied)
		return;
	said = true;
	diag_warn("programs", "other programs' sockets cannot be told: questions of this host's own resolver are judged "
	          "as this host's, whoever asked it (CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH are needed)");
}

/* ---- listeners ---- */

static struct search listed; /* of the ports listed_of and 53 */
static uint16_t      listed_of[ASK_PORTS];
static uint64_t      listed_until;

static bool is_listed(const struct ask *q)
{
	return poller_ms() < listed_until && memcmp(listed_of, q->port, sizeof(listed_of)) == 0;
}

static void list(const struct ask *q)
{
	listed.n = 0;
	find_listeners(&listed, PORT_DNS);
	for (unsigned i = 0; i < ASK_PORTS; i++)
		if (q->port[i] && q->port[i] != PORT_DNS)
			find_listeners(&listed, q->port[i]);
	memcpy(listed_of, q->port, sizeof(listed_of));
	listed_until = poller_ms() + LIST_MS;
}

static bool known_asks_of_list(struct search *s)
{
	memcpy(s->listener, listed.listener, sizeof(s->listener));
	s->n = listed.n;
	return s->n && known_asks(s);
}

/* ---- the question ---- */

static enum ask_says look(struct search *s, const struct ask *q)
{
	bool fresh = !is_listed(q);

	if (fresh)
		list(q);
	if (known_asks_of_list(s))
		return ASK_YES;
	if (!fresh) {
		list(q);
		if (known_asks_of_list(s))
			return ASK_YES;
	}
	if (s->n == 0)
		return ASK_NO;
	if (!may_scan() || poller_ms() >= s->end)
		return ASK_LATER;
	scan(s);
	say_denied(s);
	if (s->of_asker && (is_known(s->of_asker) || is_child_of_known(s->of_asker)))
		return ASK_YES;
	return s->partial ? ASK_LATER : ASK_NO;
}

/* Counted, and said in a line. */
static enum ask_says late(enum ask_says says)
{
	static struct diag_rate said;

	n_late++;
	if (diag_may(&said, clock_now()))
		diag_warn("programs", "%llu questions of this host's own resolver were not looked at, since too many came at once: "
		          "they are dropped, and it asks again", (unsigned long long)n_late);
	return says;
}

/* Time that was spent in a second. */
struct account {
	uint64_t second, spent; /* ns */
};

static uint64_t spent_in(struct account *a, uint64_t now)
{
	if (now / NS_PER_S != a->second)
		*a = (struct account){ .second = now / NS_PER_S };
	return a->spent;
}

/* A client's: of IPv6 its network's, since it has as many addresses as it likes. Clients at the same place share it. */
static struct account *share_of(const struct addr *client)
{
	static struct account shares[SHARES];
	static uint64_t       seed; /* so that nobody can look for a place to share */

	while (!seed && getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
		seed = clock_monotonic();
	return &shares[hash64(client->b, client->len == 16 ? 8 : client->len, seed) % SHARES];
}

/* Looking takes SPEND_MS of a second at most, however many ask: the parent has other work. */
enum ask_says programs_ask(const struct ask *q)
{
	static struct account all;
	struct account       *share = share_of(&q->client);
	uint64_t              begin = clock_monotonic(), took;
	struct search         s = { .end = poller_ms() + SPEND_MS };
	enum ask_says         says;

	if (spent_in(share, begin) >= SHARE_MS * NS_PER_MS)
		return late(ASK_SHARE);
	if (spent_in(&all, begin) >= SPEND_MS * NS_PER_MS)
		return late(ASK_LATER);
	s.asker = find_asker(q);
	says = s.asker ? look(&s, q) : ASK_NO;
	took = clock_monotonic() - begin;
	all.spent += took;
	share->spent += took;
	return says == ASK_LATER ? late(says) : says;
}
