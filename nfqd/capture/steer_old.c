/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The iptables rules that nfqd 0.1.0 left when it was killed, where nft had no `queue`: found by their
 * comment and removed. iptables has no library of its own, so its programs are run, for a bounded time; only
 * where such rules seem to be, since another program may hold the lock that they wait for.
 */
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* these two after net/if.h */
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include "base/diag.h"
#include "capture/steer_private.h"

enum { ARGS = 32, OUTPUT = 65536, PATIENCE_MS = 10000 };
#define LOCK_SECONDS "5"

extern char **environ;

/* What a program prints until it ends, at most room - 1 bytes; it is killed when that takes too long. */
static size_t read_output(pid_t pid, int fd, char *out, size_t room)
{
	struct pollfd pfd = { fd, POLLIN, 0 };
	char          rest[4096];
	size_t        used = 0;
	ssize_t       n = 1;

	while (n > 0) {
		bool keep = used < room - 1;

		if (poll(&pfd, 1, PATIENCE_MS) <= 0) {
			kill(pid, SIGKILL);
			break;
		}
		n = read(fd, keep ? out + used : rest, keep ? room - 1 - used : sizeof(rest));
		used += keep && n > 0 ? (size_t)n : 0;
	}
	return used;
}

/* Runs a program; its output goes to out. Returns the exit code, or -1. */
static int run(const char *const argv[], char *out, size_t room)
{
	posix_spawn_file_actions_t actions;
	int                        fds[2], status = -1;
	pid_t                      pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	/* iptables is only asked what there is: its error messages are not for the user */
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ) != 0)
		pid = -1;
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	out[pid > 0 ? read_output(pid, fds[0], out, room) : 0] = '\0';
	close(fds[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- are there any? ---- */

static bool has_line(const char *path, const char *wanted)
{
	FILE *f = fopen(path, "re");
	char  line[64];
	bool  has = false;

	while (f && !has && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		has = strcmp(line, wanted) == 0;
	}
	if (f)
		fclose(f);
	return has;
}

static bool holds(const char *bytes, size_t n, const char *text)
{
	return memmem(bytes, n, text, strlen(text) + 1) != NULL;
}

/* One of iptables-legacy's families, read as libiptc does; struct ip6t_getinfo is struct ipt_getinfo. */
struct family {
	const char *in_use;
	int         domain, level, get_info, get_entries;
};

/* Does its table mangle queue anything, with our comment? */
static bool may_have(const struct family *fam)
{
	struct ipt_getinfo      info = { .name = "mangle" };
	struct ipt_get_entries *get = NULL;
	socklen_t               len = sizeof(info);
	bool                    has = false;
	int fd = has_line(fam->in_use, "mangle") ? socket(fam->domain, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW) : -1;

	if (fd >= 0 && getsockopt(fd, fam->level, fam->get_info, &info, &len) == 0)
		get = calloc(1, sizeof(*get) + info.size);
	if (get) {
		memcpy(get->name, info.name, sizeof(get->name));
		get->size = info.size;
		len = (socklen_t)(sizeof(*get) + info.size);
		has = getsockopt(fd, fam->level, fam->get_entries, get, &len) == 0 &&
		      holds((const char *)get->entrytable, info.size, "NFQUEUE") &&
		      holds((const char *)get->entrytable, info.size, "nfqd");
	}
	free(get);
	if (fd >= 0)
		close(fd);
	return has;
}

/* ---- removing them ---- */

/* A line of `iptables -S` that is ours. */
static bool is_ours(const char *line)
{
	return strncmp(line, "-A ", 3) == 0 && strstr(line, "--comment nfqd ") &&
	       strstr(line, "-j NFQUEUE");
}

/* The rules of a program as `iptables -S` lists them; the caller frees. NULL: it failed. */
static char *list_of(const char *program)
{
	char *out = malloc(OUTPUT);

	if (out && run((const char *[]){ program, "-w", LOCK_SECONDS, "-t", "mangle", "-S", NULL }, out, OUTPUT) == 0)
		return out;
	free(out);
	return NULL;
}

/* Turns a line of `iptables -S` into the command that deletes it. The rule is ours: no quotes. */
static void delete_line(const char *program, char *line)
{
	const char *argv[ARGS] = { program, "-w", LOCK_SECONDS, "-t", "mangle", "-D" };
	unsigned    n = 6;
	char       *rest = NULL, said[256];

	for (char *word = strtok_r(line, " ", &rest); word && n < ARGS - 1;
	     word = strtok_r(NULL, " ", &rest))
		if (strcmp(word, "-A") != 0)
			argv[n++] = word;
	if (run(argv, said, sizeof(said)) != 0)
		diag_warn("steer", "%s: an old rule could not be removed", program);
}

static unsigned remove_of(const char *program)
{
	char    *list = list_of(program), *rest = NULL;
	unsigned n = 0;

	for (char *line = list ? strtok_r(list, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (!is_ours(line))
			continue;
		delete_line(program, line);
		n++;
	}
	free(list);
	return n;
}

unsigned old_rules_remove(const bool nft_queues[2])
{
	static const struct family ip4 = { "/proc/net/ip_tables_names", AF_INET, IPPROTO_IP, IPT_SO_GET_INFO,
		                           IPT_SO_GET_ENTRIES };
	static const struct family ip6 = { "/proc/net/ip6_tables_names", AF_INET6, IPPROTO_IPV6,
		                           IP6T_SO_GET_INFO, IP6T_SO_GET_ENTRIES };
	const struct {
		const char *program;
		bool        may_have;
	} all[] = {
		{ "iptables-legacy", may_have(&ip4) },
		{ "ip6tables-legacy", may_have(&ip6) },
		{ "iptables-nft", nft_queues[0] },
		{ "ip6tables-nft", nft_queues[1] },
	};
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		n += all[i].may_have ? remove_of(all[i].program) : 0;
	return n;
}
