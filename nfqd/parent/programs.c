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
#include <unistd.h>

#include "base/diag.h"
#include "base/steered.h"
#include "parent/netlink.h"
#include "parent/poller.h"

enum {
	LISTENERS_MAX = 64,
	KNOWN_MAX = 16,     /* programs that had one of the ports when it was last looked */
	FDS_MAX = 65536,    /* of a process */
	SCANS_PER_S = 5,    /* each takes milliseconds */
};

/* What is looked for. */
struct search {
	uint32_t asker, listener[LISTENERS_MAX]; /* inodes */
	unsigned n;
	pid_t    of_asker; /* the process that has it; 0: none was found */
	bool     denied;   /* a process could not be looked at */
};

static pid_t    known[KNOWN_MAX];
static unsigned n_known;

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

/* Looks at every process. */
static void scan(struct search *s)
{
	DIR           *dir = opendir("/proc");
	struct dirent *e;

	n_known = 0;
	while (dir && (e = readdir(dir)) != NULL) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
		bool  asks;

		if (pid <= 0)
			continue;
		if (has_port(s, pid, &asks) && n_known < KNOWN_MAX)
			known[n_known++] = pid;
		if (asks && !is_known(s->of_asker)) /* of several that share it, one that has the port */
			s->of_asker = pid;
	}
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

enum ask_says programs_ask(const struct ask *q)
{
	struct search s = { .asker = find_asker(q) };

	if (!s.asker)
		return ASK_NO;
	find_listeners(&s, PORT_DNS);
	for (unsigned i = 0; i < ASK_PORTS; i++)
		if (q->port[i] && q->port[i] != PORT_DNS)
			find_listeners(&s, q->port[i]);
	if (s.n == 0)
		return ASK_NO;
	for (unsigned i = 0; i < n_known; i++) {
		bool asks;

		if (has_port(&s, known[i], &asks) && asks)
			return ASK_YES;
	}
	if (!may_scan())
		return ASK_LATER;
	scan(&s);
	say_denied(&s);
	return is_known(s.of_asker) || is_known(parent_of(s.of_asker)) ? ASK_YES : ASK_NO;
}
