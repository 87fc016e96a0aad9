/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The xt NFQUEUE target, for kernels whose nft has no `queue`: one iptables rule per hook sends on
 * what the nft table has marked. iptables has no library of its own, so its programs are run.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag.h"
#include "capture/steer_private.h"

enum { ARGS = 32, OUTPUT = 65536 };

extern char **environ;

static const struct {
	enum steer_backend flavour;
	const char        *program[2]; /* IPv4, IPv6 */
	const char        *tables;     /* /proc file that names the tables in use; NULL: none */
} flavours[] = {
	{ STEER_XT_LEGACY, { "iptables-legacy", "ip6tables-legacy" }, "/proc/net/ip_tables_names" },
	{ STEER_XT_NFT, { "iptables-nft", "ip6tables-nft" }, NULL },
};

/* Runs a program; its output (at most room - 1 bytes) goes to out when that is given. Returns the
 * exit code, or -1. */
static int run(const char *const argv[], char *out, size_t room)
{
	posix_spawn_file_actions_t actions;
	int                        fds[2], status = -1;
	pid_t                      pid;
	size_t                     used = 0;
	ssize_t                    n;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	if (out) /* asked for information only: a complaint is no news */
		posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ) != 0)
		pid = -1;
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	while (pid > 0 && out && used < room - 1 && (n = read(fds[0], out + used, room - 1 - used)) > 0)
		used += (size_t)n;
	if (out)
		out[used] = '\0';
	close(fds[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool file_has_text(const char *path)
{
	char    c;
	int     fd = open(path, O_RDONLY | O_CLOEXEC);
	bool    has = fd >= 0 && read(fd, &c, 1) == 1;

	if (fd >= 0)
		close(fd);
	return has;
}

enum steer_backend xt_flavour(void)
{
	char out[256];

	if (file_has_text(flavours[0].tables))
		return STEER_XT_LEGACY;
	return run((const char *[]){ "iptables-nft", "-V", NULL }, out, sizeof(out)) == 0
	               ? STEER_XT_NFT
	               : STEER_XT_LEGACY;
}

static int add_rule(const char *program, const char *chain, const struct steer_conf *c,
                    struct err *err)
{
	char        mark[32], except[32], queue[16];
	const char *argv[ARGS] = { program, "-w", "-t", "mangle", "-A", chain, "-m", "mark", "--mark",
		                   mark, "-m", "mark", "!", "--mark", except, "-m", "comment",
		                   "--comment", "nfqd", "-j", "NFQUEUE" };
	unsigned    n = 21;

	/* the bit of CODE_QUEUE says "to the queue", but for one code */
	snprintf(mark, sizeof(mark), "0x%x/0x%x", steer_mark(c->mark_mask, CODE_QUEUE),
	         steer_mark(c->mark_mask, CODE_QUEUE));
	snprintf(except, sizeof(except), "0x%x/0x%x", steer_mark(c->mark_mask, CODE_DROPPED),
	         c->mark_mask);
	argv[n++] = c->queues > 1 ? "--queue-balance" : "--queue-num";
	if (c->queues > 1)
		snprintf(queue, sizeof(queue), "%u:%u", c->queue_num, c->queue_num + c->queues - 1U);
	else
		snprintf(queue, sizeof(queue), "%u", c->queue_num);
	argv[n++] = queue;
	if (c->fail_open)
		argv[n++] = "--queue-bypass";
	if (run(argv, NULL, 0) != 0)
		return err_set(err, "%s: the NFQUEUE rule for %s was refused (is it installed, and does "
		                    "the kernel have xt_NFQUEUE?)", program, chain);
	return 0;
}

/* a kernel without IPv6 has no such packets, and ip6tables would fail on it */
static unsigned families(void)
{
	return access("/proc/net/if_inet6", F_OK) == 0 ? 2 : 1;
}

static const char *const *programs_of(enum steer_backend flavour)
{
	return flavours[flavour == flavours[0].flavour ? 0 : 1].program;
}

int xt_install(enum steer_backend flavour, const struct steer_conf *c, struct err *err)
{
	const struct {
		const char *chain;
		bool        used;
	} hooks[] = { { "PREROUTING", c->forward },
		      { "FORWARD", c->forward },
		      { "INPUT", c->output },
		      { "OUTPUT", c->output } };

	for (unsigned family = 0; family < families(); family++)
		for (unsigned h = 0; h < sizeof(hooks) / sizeof(hooks[0]); h++)
			if (hooks[h].used &&
			    add_rule(programs_of(flavour)[family], hooks[h].chain, c, err) < 0)
				return -1;
	return 0;
}

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

	if (out && run((const char *[]){ program, "-w", "-t", "mangle", "-S", NULL }, out, OUTPUT) == 0)
		return out;
	free(out);
	return NULL;
}

bool xt_is_intact(enum steer_backend flavour, const struct steer_conf *c)
{
	unsigned missing = families() * ((c->forward ? 2U : 0U) + (c->output ? 2U : 0U));

	for (unsigned family = 0; family < families(); family++) {
		char *list = list_of(programs_of(flavour)[family]), *rest = NULL;

		for (char *line = list ? strtok_r(list, "\n", &rest) : NULL; line;
		     line = strtok_r(NULL, "\n", &rest))
			missing -= is_ours(line) ? 1U : 0U;
		free(list);
	}
	return missing == 0;
}

/* Turns a line of `iptables -S` into the command that deletes it. The rule is ours: no quotes. */
static void delete_line(const char *program, char *line)
{
	const char *argv[ARGS] = { program, "-w", "-t", "mangle", "-D" };
	unsigned    n = 5;
	char       *rest = NULL;

	for (char *word = strtok_r(line, " ", &rest); word && n < ARGS - 1;
	     word = strtok_r(NULL, " ", &rest))
		if (strcmp(word, "-A") != 0)
			argv[n++] = word;
	if (run(argv, NULL, 0) != 0)
		diag_warn("steer", "%s: an old rule could not be removed", program);
}

static void remove_of(const char *program)
{
	char *list = list_of(program), *rest = NULL;

	for (char *line = list ? strtok_r(list, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest))
		if (is_ours(line))
			delete_line(program, line);
	free(list);
}

void xt_remove(void)
{
	for (unsigned i = 0; i < sizeof(flavours) / sizeof(flavours[0]); i++) {
		/* asking a flavour that is not in use would bring its tables to life */
		if (flavours[i].tables && !file_has_text(flavours[i].tables))
			continue;
		for (unsigned family = 0; family < 2; family++)
			remove_of(flavours[i].program[family]);
	}
}
