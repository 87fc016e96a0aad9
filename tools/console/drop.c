/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drop.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parent/ctl.h"
#include "shared/landlock.h"

static const int calls[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek),
	SCMP_SYS(fcntl), SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(ftruncate), SCMP_SYS(fsync), SCMP_SYS(flock),
	SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(accept4), SCMP_SYS(accept),
	SCMP_SYS(connect), SCMP_SYS(shutdown), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname),
	SCMP_SYS(getpeername), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(ppoll_time64), SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(mmap), SCMP_SYS(mmap2),
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(tgkill), SCMP_SYS(sched_yield), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(getrusage),
};

/* A file that a library looks for is not there; anything else that is not in the list ends the process. */
static int only_calls(struct err *err)
{
#ifdef NFQD_NO_SECCOMP /* sanitizers need more system calls than these */
	(void)err, (void)calls;
	return 0;
#else
	static const int absent[] = { SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
		                      SCMP_SYS(readlink), SCMP_SYS(unlink), SCMP_SYS(uname), SCMP_SYS(ioctl), SCMP_SYS(sysinfo) };
	struct scmp_arg_cmp unix_only = { .arg = 0, .op = SCMP_CMP_EQ, .datum_a = AF_UNIX };
	scmp_filter_ctx     ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int                 r = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < sizeof(calls) / sizeof(calls[0]); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	for (size_t i = 0; r == 0 && i < sizeof(absent) / sizeof(absent[0]); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOENT), absent[i], 0);
	if (r == 0)
		r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, &unix_only);
	if (r == 0)
		r = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return r < 0 ? err_set(err, "seccomp: %s", strerror(-r)) : 0;
#endif
}

static int find_user(const struct console *c, uid_t *uid, gid_t *gid, struct err *err)
{
	const char          *name = c->options.user ? c->options.user : "nfqd-console";
	const struct passwd *pw = getpwnam(name);

	*uid = pw ? pw->pw_uid : CTL_CONSOLE_ID;
	*gid = ctl_gid(&CTL_CONSOLE); /* who may ask */
	if (!pw && c->options.user)
		return err_set(err, "--user: there is no user '%s'", name);
	if (*uid == 0 || (!pw && getpwuid(*uid)))
		return err_set(err, "the console runs as a user of its own: there is no user nfqd-console (make install makes it)");
	return 0;
}

/* The path within the folder, "/control-view.sock". */
static void shorten(char *path)
{
	char *slash = strrchr(path, '/');

	memmove(path, slash, strlen(slash) + 1);
}

static int leave_files(struct console *c, struct err *err)
{
	char  folder[108];
	char *slash;

	snprintf(folder, sizeof(folder), "%s", c->control_path);
	slash = strrchr(folder, '/');
	if (!slash)
		return err_set(err, "--socket: a whole path is needed: '%s'", c->control_path);
	slash[slash == folder] = '\0';
	if (chroot(folder) < 0 || chdir("/") < 0)
		return err_set(err, "%s: %s", folder, strerror(errno));
	shorten(c->control_path);
	shorten(c->view_path);
	shorten(c->sightings_path);
	return 0;
}

static int become(const struct console *c, uid_t uid, gid_t gid, struct err *err)
{
	if (setgroups(c->may_operate ? 1 : 0, &c->operators) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return err_set(err, "cannot become user %u: %s", uid, strerror(errno));
	return 0;
}

int drop(struct console *c, struct err *err)
{
	uid_t uid;
	gid_t gid;
	int   r;

	if (geteuid() == 0 &&
	    (find_user(c, &uid, &gid, err) < 0 || leave_files(c, err) < 0 || become(c, uid, gid, err) < 0))
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, "no_new_privs: %s", strerror(errno));
	r = landlock_confine(NULL, NULL, false);
	if (r < 0)
		return err_set(err, "landlock: %s", strerror(-r));
	return only_calls(err);
}
