/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the filter of system calls does to a call that is not on its list: the process ends, and says how. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/landlock.h"
#include "shared/privs.h"

#ifndef NFQD_NO_SECCOMP
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

/* Two sockets that were open before the filter. */
static int sockets[2];

static void send_on(int fd)
{
	_exit(send(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : 3);
}

static void call_send(void)
{
	send_on(sockets[0]);
}

static void call_send_later(void)
{
	send_on(fcntl(sockets[0], F_DUPFD, 100));
}

static void call_replace(void)
{
	send_on(dup3(sockets[1], sockets[0], O_CLOEXEC));
}

static void call_replace_other(void)
{
	_exit(dup3(sockets[1], 100, O_CLOEXEC) < 0 ? 3 : 4);
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
	{ "sending on a socket it had", call_send, PRIVS_DESCRIPTORS, 0, 0 },
	{ "sending on one that came later", call_send_later, PRIVS_DESCRIPTORS, SIGSYS, 0 },
	{ "sending on one that came later, with libpcap", call_send_later, PRIVS_CAPTURE, SIGSYS, 0 },
	{ "sending on one that took its place", call_replace, PRIVS_DESCRIPTORS, 0, 0 },
	{ "putting a socket elsewhere", call_replace_other, PRIVS_DESCRIPTORS, SIGSYS, 0 },
	{ "another user", call_setuid, PRIVS_DESCRIPTORS, SIGSYS, 0 },
};

static void test_forbidden(void **state)
{
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
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

/* ---- Landlock ---- */

static int errno_of(int r)
{
	return r < 0 ? errno : 0;
}

static int try_open(void)
{
	return errno_of(open("/etc/passwd", O_RDONLY));
}

static int try_signal(void)
{
	return errno_of(kill(getppid(), 0));
}

static int try_tcp(int (*call)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(9),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return errno_of(call(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&sa, sizeof(sa)));
}

static int try_bind(void)
{
	return try_tcp(bind);
}

static int try_connect(void)
{
	return try_tcp(connect);
}

static const struct {
	const char *what;
	long        version; /* of Landlock */
	int (*call)(void);
	bool may_connect, may_read;
	int  error;
} locked[] = {
	{ "a file", 1, try_open, false, false, EACCES },
	{ "a file that may be read", 1, try_open, false, true, 0 },
	{ "listening on a TCP port", 4, try_bind, true, false, EACCES },
	{ "a TCP connection", 4, try_connect, false, false, EACCES },
	{ "a TCP connection, allowed", 4, try_connect, true, false, ECONNREFUSED },
	{ "a signal to another process", 6, try_signal, true, true, EPERM },
};

static void test_landlock(void **state)
{
	static const char *const readable[] = { "/etc", "/no/such/folder", NULL };
	long                     version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);

	(void)state;
	for (size_t i = 0; i < N_OF(locked); i++) {
		int   status;
		pid_t pid = fork();

		if (pid == 0) {
			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
			_exit(landlock_confine(locked[i].may_read ? readable : NULL, NULL, locked[i].may_connect) == 0 ?
			              locked[i].call() : 255);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_not_equal(WEXITSTATUS(status), 255);
		if (version >= locked[i].version)
			same_num(locked[i].what, "errno", WEXITSTATUS(status), locked[i].error);
	}
}

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
		cmocka_unit_test(test_landlock),
#ifndef NFQD_NO_SECCOMP
		cmocka_unit_test(test_forbidden),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
