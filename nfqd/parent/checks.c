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

enum { PATIENCE_MS = 1000, PATIENCE_DOCTOR_MS = 20000, SAID_OF_A_KIND = 5 };

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
	[FACT_RAW_DROP] = { "raw-drop",
	                    "drops packets by the kind of their sender's address, and so resets and answers that this "
			    "host makes in a server's name: what is refused times out",
	                    "in front of it accept `iif lo`, or in OUTPUT `ct state established,related,untracked`" },
	[FACT_OUTPUT] = { "output-policy",
	                  "drops what this host sends, by its policy: forged DNS answers bypass "
			  "it, but the kernel's TCP resets and ICMP errors do not",
	                  "accept `ct state established,related` there" },
	[FACT_PROXY] = { "proxy",
	                 "is an explicit proxy on this host: refusals work, but records name this "
			 "host and not the client",
	                 "name its port in inspect.proxies: requests are then judged there, as the client's" },
	[FACT_VRF] = { "vrf", "is a VRF: its clients are judged, but refusals reach them only by "
		       "their MAC address",
	               "none, as long as clients are on links with MAC addresses" },
	[FACT_BRIDGE] = { "bridge", "is a bridge whose packets no IP rule sees: traffic across it "
			  "is not inspected",
	                  "have the kernel show bridged packets to IP rules" },
	[FACT_SHARED] = { "shared-uplink",
	                  "carries other interfaces (macvlan, ipvlan, containers or virtual machines) that reach the network past this host's rules",
	                  "route or bridge them, or run nfqd in their namespaces" },
	[FACT_LABEL] = { "labels", "sets connection labels from 100 to 127, which are nfqd's: its decisions are "
			 "changed", "use labels below 100" },
	[FACT_RULE_MARK] = { "fwmark", "routes by a mark, and on this kernel a verdict of nfqd travels in the mark "
			     "for a moment: a local packet may be routed anew by it",
	                     "run a kernel from 5.18 on, where verdicts travel in the priority" },
	[FACT_DOCKER] = { "docker-forward", "drops by its policy what this host routes for others: docker has set "
			  "that, and nothing in DOCKER-USER lets clients through",
	                  "let the interface of your clients through in DOCKER-USER" },
	[FACT_INSIDE] = { "no-interface", "is named in inspect.inside and does not exist: clients that come in by it are "
			  "not judged until it does",
	                  "correct the name, or create the interface" },
	[FACT_UNREADABLE] = { "unreadable", "could not be read, and so was not checked",
	                      "ask again as root" },
	[FACT_KERNEL] = { "kernel", "is why nfqd cannot steer packets",
	                  "load the modules, or run a kernel that has them" },
	[FACT_QUEUE_TAKEN] = { "queue-taken", "has the queue that nfqd is to read: nfqd cannot start beside it",
	                       "end that program, or set inspect.queue-num" },
	[FACT_BUFFER] = { "receive-buffer", "is all that the kernel gives the queue's socket: a burst of packets "
			  "is lost or passes uninspected", "allow more" },
	[FACT_LOST] = { "queue-overrun", "were lost by the kernel, because the queue or its buffer was full",
	                "give nfqd more cores (inspect.queues: auto), or the machine less to do" },
	[FACT_CONNTRACK] = { "conntrack-fill", "is nearly full: the kernel drops the packets of new connections when it is",
	                     "make it larger" },
	[FACT_CONFIGURATION] = { "configuration", "is why nfqd does not start with this configuration",
	                         "correct it; nfqd -t lists what is wrong" },
	[FACT_CLOCK] = { "clock", "is what the clock says, which is before the packs were made: dates of law, "
			 "exceptions and records are wrong", "set the clock" },
	[FACT_EXPIRED] = { "pack-expired", "has expired: names that came since then are not in it",
	                   "get a newer one" },
	[FACT_UNSIGNED] = { "pack-unsigned", "does not belong to a signed release, although update.keys asks for one",
	                    "name packs below update.into in rules" },
	[FACT_FOLDER] = { "folder", "is to hold what nfqd writes, and cannot", "make it, and let root write there" },
	[FACT_SPACE] = { "space", "is nearly full: records will be lost", "make room, or rotate more often" },
	[FACT_CORES] = { "queue-threads", "are configured, more than this machine has cores: they take turns",
	                 "set inspect.queues: auto" },
	[FACT_DNS_TLS] = { "dns-over-tls", "asks a resolver over TLS: what this host's own programs ask it cannot be "
			   "read", "let it ask over port 53; clients that ask it are judged in any case" },
	[FACT_RESOLVER] = { "resolver-order", "is the first resolver of /etc/resolv.conf, and no program answers "
			    "there: each question waits for the next one", "start it, or take its line out" },
};

void fact_add(struct facts *f, enum fact_kind kind, const char *where, ...)
{
	va_list ap;

	f->full = f->n == FACTS_MAX;
	if (f->full)
		return;
	f->v[f->n].kind = kind;
	f->v[f->n].command[0] = '\0';
	va_start(ap, where);
	vsnprintf(f->v[f->n].where, FACT_WHERE, where, ap);
	va_end(ap);
	f->n++;
}

void fact_mend(struct facts *f, const char *command, ...)
{
	va_list ap;

	if (f->n == 0 || f->full)
		return;
	va_start(ap, command);
	vsnprintf(f->v[f->n - 1].command, FACT_COMMAND, command, ap);
	va_end(ap);
}

static json_t *finding(const struct fact *fact, unsigned others)
{
	const struct check *c = &checks[fact->kind];
	char                place[FACT_WHERE + 40];

	if (others)
		snprintf(place, sizeof(place), "%s, and %u more like it,", fact->where, others);
	else
		snprintf(place, sizeof(place), "%s", fact->where);
	return json_pack("{s:s, s:s, s:s, s:s, s:s*}", "check", c->id, "where", place, "text", c->text, "cure",
	                 c->cure, "command", fact->command[0] ? fact->command : NULL);
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
			json_array_append_new(all, finding(&f->v[i],
			                                   said == SAID_OF_A_KIND ? of_kind - said : 0));
		}
	}
	return all;
}

/* ---- in a process of its own ---- */

static void look(const struct checks_ask *ask, int fd)
{
	static struct facts f;
	json_t             *all;

	facts_of_nft(&f);
	facts_of_iptables(&f);
	facts_of_host(&f, ask->proxies, ask->n_proxies);
	facts_of_rules(&f, ask->mark_token);
	facts_of_inside(&f, ask->inside, ask->n_inside);
	if (ask->conf) {
		facts_of_kernel(&f, ask->conf, ask->running);
		facts_of_site(&f, ask->conf);
	}
	all = judge(&f, ask->marked_output);
	_exit(all && json_dumpfd(all, fd, JSON_COMPACT) == 0 ? 0 : 1);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Reads all from fd until it is closed; NULL when that takes too long. */
static json_t *read_findings(int fd, int patience_ms)
{
	int64_t       end = now_ms() + patience_ms;
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

static json_t *nothing_read(void)
{
	struct fact fact = { .kind = FACT_UNREADABLE, .where = "the other rules of this machine" };

	return json_pack("[o]", finding(&fact, 0));
}

json_t *checks_run(const struct checks_ask *ask)
{
	json_t *all = NULL;
	int     ends[2];
	pid_t   pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return nothing_read();
	pid = fork();
	if (pid == 0)
		look(ask, ends[1]);
	close(ends[1]);
	if (pid > 0) {
		all = read_findings(ends[0], ask->conf ? PATIENCE_DOCTOR_MS : PATIENCE_MS);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, WNOHANG); /* a child stuck in the kernel is reaped when it ends */
	}
	close(ends[0]);
	return all ? all : nothing_read();
}

json_t *checks_of_configuration(const struct err *err)
{
	static struct facts f; /* too large for a stack */

	f.n = 0;
	fact_add(&f, FACT_CONFIGURATION, "%s", err->text);
	return finding(&f.v[0], 0);
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
