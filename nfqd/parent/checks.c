/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of checks: what each fact means for nfqd, and the cure. To add one: a fact and a row. */
#include "parent/checks.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "parent/checks_private.h"

enum { PATIENCE_MS = 1000, SAID_OF_A_KIND = 5 };

static const struct check {
	const char *id, *text, *cure;
} checks[FACT_KINDS] = {
	[FACT_MARK] = { "output-marks",
	                "marks packets of this host's programs before nfqd sees them: it takes "
			"them for a tunnel's and does not judge them",
	                "mark at priority mangle or later, or set inspect.marked-output: queue" },
	[FACT_FLOWTABLE] = { "flowtable",
	                     "takes connections past every rule, including nfqd's, before a name "
			     "is seen on them",
	                     "in that table let only allowed connections in: `ct label 122` before `flow add`" },
	[FACT_NOTRACK] = { "notrack",
	                   "takes packets out of connection tracking: each is judged alone, and a refused connection is not remembered",
	                   "leave ports 53, 80, 443 and 853 tracked" },
	[FACT_QUEUE] = { "other-queue",
	                 "queues packets for another program after nfqd has judged them",
	                 "none, if that program only accepts or drops; one that sends its own copy "
			 "of a packet must not run beside nfqd" },
	[FACT_QUEUE_FRONT] = { "queue-in-front",
	                       "queues packets for another program before nfqd sees them: what "
			       "that program rewrites or sends itself is not seen",
	                       "move that rule to priority mangle or later" },
	[FACT_NAT_FRONT] = { "nat-in-front",
	                     "translates destinations before nfqd sees them: a refused DNS "
			     "question is answered from an address that its client did not ask",
	                     "give that chain priority dstnat (-100)" },
	[FACT_TPROXY] = { "tproxy",
	                  "hands connections to a proxy on this host: nfqd sees the proxy's own connections, and none that it marks",
	                  "set inspect.marked-output: queue, and expect the proxy's address in the records" },
	[FACT_OUTPUT] = { "output-policy",
	                  "drops what this host sends, by its policy: forged DNS answers bypass "
			  "it, but the kernel's TCP resets and ICMP errors do not",
	                  "accept `ct state established,related` there" },
	[FACT_PROXY] = { "proxy",
	                 "is an explicit proxy on this host: refusals work, but records name this "
			 "host and not the client",
	                 "read the proxy's own log for the client, or run nfqd on a host between clients and proxy" },
	[FACT_VRF] = { "vrf", "is a VRF: its clients are judged, but refusals reach them only by "
		       "their MAC address",
	               "none, as long as clients are on links with MAC addresses" },
	[FACT_BRIDGE] = { "bridge", "is a bridge whose packets no IP rule sees: traffic across it "
			  "is not inspected",
	                  "modprobe br_netfilter; sysctl net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1" },
	[FACT_SHARED] = { "shared-uplink",
	                  "carries other interfaces (macvlan, ipvlan, containers or virtual machines) that reach the network past this host's rules",
	                  "route or bridge them, or run nfqd in their namespaces" },
	[FACT_UNREADABLE] = { "unreadable", "could not be read, and so was not checked",
	                      "run nfqctl status again as root" },
};

void fact_add(struct facts *f, enum fact_kind kind, const char *where, ...)
{
	va_list ap;

	if (f->n == FACTS_MAX)
		return;
	f->v[f->n].kind = kind;
	va_start(ap, where);
	vsnprintf(f->v[f->n].where, FACT_WHERE, where, ap);
	va_end(ap);
	f->n++;
}

static json_t *finding(enum fact_kind kind, const char *where, unsigned others)
{
	const struct check *c = &checks[kind];
	char                place[FACT_WHERE + 40];

	if (others)
		snprintf(place, sizeof(place), "%s, and %u more like it,", where, others);
	else
		snprintf(place, sizeof(place), "%s", where);
	return json_pack("{s:s, s:s, s:s, s:s}", "check", c->id, "where", place, "text", c->text, "cure",
	                 c->cure);
}

/* In the order of the checks; the first few of a kind, and how many more there are. */
static json_t *judge(const struct facts *f, bool marked_output)
{
	json_t *all = json_array();

	for (unsigned kind = 0; kind < FACT_KINDS; kind++) {
		unsigned of_kind = 0, said = 0;

		if (kind == FACT_MARK && marked_output)
			continue;
		for (unsigned i = 0; i < f->n; i++)
			of_kind += f->v[i].kind == kind;
		for (unsigned i = 0; i < f->n && said < SAID_OF_A_KIND; i++) {
			if (f->v[i].kind != kind)
				continue;
			said++;
			json_array_append_new(all, finding(kind, f->v[i].where,
			                                   said == SAID_OF_A_KIND ? of_kind - said
			                                                          : 0));
		}
	}
	return all;
}

/* ---- in a process of its own ---- */

static void look(bool marked_output, int fd)
{
	static struct facts f;
	json_t             *all;

	facts_of_nft(&f);
	facts_of_iptables(&f);
	facts_of_host(&f);
	all = judge(&f, marked_output);
	_exit(all && json_dumpfd(all, fd, JSON_COMPACT) == 0 ? 0 : 1);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Reads all from fd until it is closed; NULL when that takes too long. */
static json_t *read_findings(int fd)
{
	int64_t       end = now_ms() + PATIENCE_MS;
	struct pollfd pfd = { fd, POLLIN, 0 };
	char         *text = NULL;
	size_t        n = 0;
	json_t       *all = NULL;

	for (;;) {
		int64_t left = end - now_ms();
		char   *more = realloc(text, n + 4096);
		ssize_t got;

		if (!more)
			break;
		text = more;
		if (left <= 0 || poll(&pfd, 1, (int)left) <= 0)
			break;
		got = read(fd, text + n, 4096);
		if (got <= 0) {
			all = got == 0 ? json_loadb(text, n, 0, NULL) : NULL;
			break;
		}
		n += (size_t)got;
	}
	free(text);
	return all;
}

json_t *checks_run(bool marked_output)
{
	static const char problem[] = "the other rules of this machine";
	json_t           *all = NULL;
	int               ends[2];
	pid_t             pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return json_pack("[o]", finding(FACT_UNREADABLE, problem, 0));
	pid = fork();
	if (pid == 0)
		look(marked_output, ends[1]);
	close(ends[1]);
	if (pid > 0) {
		all = read_findings(ends[0]);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, WNOHANG); /* a child stuck in the kernel is reaped when it ends */
	}
	close(ends[0]);
	return all ? all : json_pack("[o]", finding(FACT_UNREADABLE, problem, 0));
}

void checks_say(const json_t *findings)
{
	const json_t *one;
	size_t        i;

	json_array_foreach(findings, i, one)
		diag_warn("check", "%s %s; cure: %s", json_string_value(json_object_get(one, "where")),
		          json_string_value(json_object_get(one, "text")),
		          json_string_value(json_object_get(one, "cure")));
}
