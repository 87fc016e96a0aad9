/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the filter of system calls does to a call that is not on its list: the process ends, and says how. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/privs.h"

static void call_nothing(void)
{
	char c = '\n';

	if (write(STDERR_FILENO, &c, 0) != 0)
		_exit(2);
}

static void call_open(void)
{
	_exit(open("/etc/passwd", O_RDONLY) < 0 ? 3 : 4);
}

static void call_socket(void)
{
	_exit(socket(AF_NETLINK, SOCK_RAW, 12) < 0 ? 3 : 4);
}

static void call_exec(void)
{
	execl("/bin/true", "true", (char *)NULL);
	_exit(3);
}

static void call_ptrace(void)
{
	_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? 3 : 4);
}

static void call_setuid(void)
{
	_exit(setuid(0) < 0 ? 3 : 4);
}

static const struct {
	const char *what;
	void (*call)(void);
	enum privs_calls calls;
	int              signal, code;
} cases[] = {
	{ "writing", call_nothing, PRIVS_DESCRIPTORS, 0, 0 },
	{ "opening a file", call_open, PRIVS_DESCRIPTORS, SIGSYS, 0 },
	{ "opening a file, with libpcap", call_open, PRIVS_CAPTURE, 0, 3 },
	{ "a netlink socket", call_socket, PRIVS_DESCRIPTORS, SIGSYS, 0 },
	{ "a netlink socket, with libpcap", call_socket, PRIVS_CAPTURE, SIGSYS, 0 },
	{ "a netlink socket, in the resolver", call_socket, PRIVS_SOCKETS, 0, 3 },
	{ "a program", call_exec, PRIVS_DESCRIPTORS, SIGSYS, 0 },
	{ "ptrace", call_ptrace, PRIVS_DESCRIPTORS, SIGSYS, 0 },
	{ "another user", call_setuid, PRIVS_DESCRIPTORS, SIGSYS, 0 },
};

#ifndef NFQD_NO_SECCOMP
static void test_forbidden(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct err err = { .text = "" };
		int        status;
		pid_t      pid = fork();

		if (pid == 0) {
			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
			if (privs_seccomp(cases[i].calls, &err) < 0)
				_exit(5);
			cases[i].call();
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		same_num(cases[i].what, "signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0,
		         cases[i].signal);
		if (!cases[i].signal)
			same_num(cases[i].what, "code", WEXITSTATUS(status), cases[i].code);
	}
}
#endif

/* Before any user is looked up the only one there is would be root. */
static void test_never_root(void **state)
{
	struct err err = { .text = "" };

	(void)state;
	assert_int_equal(privs_drop("/", PRIVS_WORKER, PRIVS_NONE, &err), -1);
	assert_string_equal(err.text, "no user but root to become: start nfqd as root");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_root),
#ifndef NFQD_NO_SECCOMP
		cmocka_unit_test(test_forbidden),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
