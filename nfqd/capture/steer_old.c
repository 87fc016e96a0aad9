/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The iptables rules that nfqd 0.1.0 left when it was killed, where nft had no `queue`: found by their
 * comment and removed. iptables has no library of its own, so its programs are run; only where tables of
 * theirs are in use, since asking would make them.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag.h"
#include "capture/steer_private.h"

enum { ARGS = 32, OUTPUT = 65536 };

extern char **environ;

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

unsigned old_rules_remove(bool nft_mangle)
{
	const struct {
		const char *program;
		bool        in_use;
	} all[] = {
		{ "iptables-legacy", file_has_text("/proc/net/ip_tables_names") },
		{ "ip6tables-legacy", file_has_text("/proc/net/ip6_tables_names") },
		{ "iptables-nft", nft_mangle },
		{ "ip6tables-nft", nft_mangle },
	};
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		n += all[i].in_use ? remove_of(all[i].program) : 0;
	return n;
}
