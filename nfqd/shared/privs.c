/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dropping privileges with libcap-ng and libseccomp. */
#include "shared/privs.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "shared/landlock.h"

/* In a range that nothing allots (60578 to 61183, systemd's UIDS-GIDS): one for each role where the package's
 * users are missing. */
enum { SPARE_UID = 60700, DESCRIPTORS = 1024 /* more than a worker has */ };

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

static const char *chosen; /* on the command line or in the environment; NULL: the package's users */

static struct {
	uid_t uid;
	gid_t gid;
} users[PRIVS_ROLES];

void privs_choose_user(const char *name)
{
	chosen = name;
}

static bool find(enum privs_role role, const char *name)
{
	const struct passwd *pw = getpwnam(name);

	if (!pw)
		return false;
	users[role].uid = pw->pw_uid;
	users[role].gid = pw->pw_gid;
	return true;
}

/* A process needs no account to be separate from all others, only a number that nothing else uses. */
static int use_spare(struct err *err)
{
	for (unsigned role = 0; role < PRIVS_ROLES; role++) {
		uid_t uid = SPARE_UID + role;

		if (getpwuid(uid) || getgrgid(uid))
			return err_set(err, "the worker has no user: there is no user nfqd, and %u "
					    "is another user (make install creates nfqd, --user "
					    "names one)", uid);
		users[role].uid = uid;
		users[role].gid = uid;
	}
	diag_info("privs", "there is no user nfqd: the worker runs as %u, which no account has "
	                   "(make install creates the user)", users[PRIVS_WORKER].uid);
	return 0;
}

int privs_find_users(struct err *err)
{
	const char *name = chosen ? chosen : getenv("NFQD_USER");
	bool        named = name && *name;

	if (!named && !find(PRIVS_WORKER, "nfqd"))
		return use_spare(err);
	if (named && !find(PRIVS_WORKER, name))
		return err_set(err, "--user: there is no user '%s'", name);
	if (users[PRIVS_WORKER].uid == 0)
		return err_set(err, "--user: '%s' is root", name);
	if (!find(PRIVS_RESOLVER, "nfqd-resolver"))
		users[PRIVS_RESOLVER] = users[PRIVS_WORKER];
	if (!find(PRIVS_PROBER, "nfqd-prober"))
		users[PRIVS_PROBER] = users[PRIVS_WORKER];
	if (!find(PRIVS_SIGHTINGS, "nfqd-sightings"))
		users[PRIVS_SIGHTINGS] = users[PRIVS_WORKER];
	return 0;
}

/* In a user namespace, where its user has every capability over the namespace's own network alone, and cannot
 * change to another one. */
static bool has_own_users;

static int become(enum privs_role role)
{
	return setgroups(0, NULL) < 0 || setresgid(users[role].gid, users[role].gid, users[role].gid) < 0 ||
	                       setresuid(users[role].uid, users[role].uid, users[role].uid) < 0
	               ? -errno
	               : 0;
}

int privs_own_network(enum privs_role role)
{
	int r;

	if (unshare(CLONE_NEWNET) == 0)
		return 0;
	if (errno != EPERM)
		return -errno;
	r = become(role);
	if (r < 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return r < 0 ? r : -errno;
	has_own_users = true;
	return 0;
}

/* Every capability but the one, and root's identity. Returns 0 or a negative number, with errno. */
static int change_identity(enum privs_role role, enum privs keep)
{
	capng_clear(CAPNG_SELECT_BOTH);
	if (has_own_users)
		return capng_apply(CAPNG_SELECT_BOTH);
	if (keep == PRIVS_NET_ADMIN)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN);
	return setgroups(0, NULL) < 0
	               ? -1
	               : capng_change_id((int)users[role].uid, (int)users[role].gid, CAPNG_NO_FLAG);
}

int privs_drop(const char *empty_folder, enum privs_role role, enum privs keep, struct err *err)
{
	int r;

	if (users[role].uid == 0) /* privs_find_users() was not called: the parent is not root, but may
				   * change users */
		return err_set(err, "no user but root to become: start nfqd as root");
	if (chroot(empty_folder) < 0 || chdir("/") < 0)
		return err_set(err, "chroot %s: %s", empty_folder, strerror(errno));
	if (change_identity(role, keep) < 0)
		return err_set(err, "cannot become user %u: %s", users[role].uid, strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, "no_new_privs: %s", strerror(errno));
	r = landlock_confine(NULL, role == PRIVS_SIGHTINGS ? "/" : NULL,
	                     role == PRIVS_RESOLVER || role == PRIVS_PROBER);
	return r < 0 ? err_set(err, "landlock: %s", strerror(-r)) : 0;
}

int privs_give(enum privs_role role, const char *path)
{
	struct stat st;
	int         fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), r = fd < 0 ? -1 : fstat(fd, &st), why;

	if (r == 0 && S_ISREG(st.st_mode) && st.st_nlink != 1) {
		errno = EMLINK; /* its other name may be anybody's file */
		r = -1;
	} else if (r == 0 && (st.st_uid != users[role].uid || st.st_gid != 0)) {
		r = fchownat(fd, "", users[role].uid, 0, AT_EMPTY_PATH);
	}
	why = errno;
	if (fd >= 0)
		close(fd);
	errno = why;
	return r;
}

static const int descriptor_calls[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close),
	SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(fcntl),
	SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(recvmmsg), SCMP_SYS(recvmmsg_time64),
	SCMP_SYS(getsockopt), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(ppoll_time64), SCMP_SYS(futex), SCMP_SYS(futex_time64),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_nanosleep_time64), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday),
	SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(munmap),
	SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(brk),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(restart_syscall),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(tgkill), SCMP_SYS(sched_yield), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
};

static const int socket_calls[] = {
	SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(uname),
};

/* What SQLite does with a database. */
static const int file_calls[] = {
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
	SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64), SCMP_SYS(fallocate), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(stat64),
	SCMP_SYS(lstat64), SCMP_SYS(fstat64), SCMP_SYS(fstatat64), SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd), SCMP_SYS(fchmod), SCMP_SYS(fchown),
	SCMP_SYS(fcntl64), SCMP_SYS(dup), SCMP_SYS(setpriority), SCMP_SYS(geteuid), SCMP_SYS(geteuid32), SCMP_SYS(getuid), SCMP_SYS(getuid32), SCMP_SYS(msync),
};

/* Calls that are harmless only with some first or second arguments: with CAP_NET_ADMIN, other kinds of
 * sockets and options would reach the firewall. */
static const struct {
	int      call;
	unsigned arg, value;
} socket_kinds[] = {
	{ SCMP_SYS(socket), 0, AF_INET },         { SCMP_SYS(socket), 0, AF_INET6 },
	{ SCMP_SYS(setsockopt), 1, SOL_SOCKET },  { SCMP_SYS(setsockopt), 1, IPPROTO_TCP },
};

static int allow_sockets(scmp_filter_ctx ctx)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < N_OF(socket_kinds); i++) {
		struct scmp_arg_cmp is = { .arg = socket_kinds[i].arg, .op = SCMP_CMP_EQ,
			                   .datum_a = socket_kinds[i].value };

		r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, socket_kinds[i].call, 1, &is);
	}
	return r;
}

static int allow_for(scmp_filter_ctx ctx, int call, unsigned arg, int fd)
{
	struct scmp_arg_cmp is = { .arg = arg, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)fd };

	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, call, 1, &is);
}

/* Sending on the sockets that are open now; a new one can only take the place of one of them (an output that
 * is opened again). */
static int allow_sending(scmp_filter_ctx ctx)
{
	struct stat st;
	int         r = 0;

	for (int fd = 0; r == 0 && fd < DESCRIPTORS; fd++) {
		if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode))
			continue;
		r = allow_for(ctx, SCMP_SYS(sendto), 0, fd);
		if (r == 0)
			r = allow_for(ctx, SCMP_SYS(sendmsg), 0, fd);
		if (r == 0)
			r = allow_for(ctx, SCMP_SYS(dup3), 1, fd);
	}
	return r;
}

static int allow(scmp_filter_ctx ctx, const int *calls, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	return r;
}

int privs_seccomp(enum privs_calls calls, struct err *err)
{
#ifdef NFQD_NO_SECCOMP /* sanitizers need more system calls than these */
	(void)calls, (void)err, (void)allow, (void)allow_sockets, (void)descriptor_calls;
	(void)allow_sending;
	(void)file_calls;
	(void)socket_calls;
	return 0;
#else
	scmp_filter_ctx ctx = seccomp_init(calls == PRIVS_SOCKETS ? SCMP_ACT_ERRNO(EPERM)
	                                                          : SCMP_ACT_KILL_PROCESS);
	bool            sockets = calls == PRIVS_SOCKETS || calls == PRIVS_PROBES;
	int             r = ctx ? seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1) : -ENOMEM;

	if (r == 0)
		r = allow(ctx, descriptor_calls, N_OF(descriptor_calls));
	if (r == 0 && !sockets)
		r = allow_sending(ctx);
	if (r == 0 && calls == PRIVS_CAPTURE)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(openat), 0);
	if (r == 0 && calls == PRIVS_FILES)
		r = allow(ctx, file_calls, N_OF(file_calls));
	if (r == 0 && sockets)
		r = allow(ctx, socket_calls, N_OF(socket_calls));
	if (r == 0 && sockets)
		r = allow_sockets(ctx);
	if (r == 0 && (calls == PRIVS_PROBES || calls == PRIVS_FILES))
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(accept4), 0);
	if (r == 0)
		r = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return r < 0 ? err_set(err, "seccomp: %s", strerror(-r)) : 0;
#endif
}
