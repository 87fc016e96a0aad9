/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Landlock (landlock(7)) by its system calls, where the kernel has it: a second lock behind chroot, users and
 * seccomp. Debian 12's header knows the first version only, so the numbers are here.
 */
#ifndef NFQD_SHARED_LANDLOCK_H
#define NFQD_SHARED_LANDLOCK_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	LANDLOCK_READ_FILE = 1 << 2,
	LANDLOCK_READ_DIR = 1 << 3,
	LANDLOCK_BIND = 1 << 0,
	LANDLOCK_CONNECT = 1 << 1
};

struct landlock_handled {
	uint64_t files, tcp, scoped;
};

struct landlock_beneath {
	uint64_t allowed;
	int32_t  parent;
} __attribute__((packed));

/* Everything that this version of Landlock can forbid; signals and abstract sockets reach this process alone. */
static inline struct landlock_handled landlock_all(long version)
{
	static const uint64_t files[] = { 0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff }; /* + refer, truncate, ioctl */

	return (struct landlock_handled){ .files = files[version < 5 ? version - 1 : 4],
		                          .tcp = version >= 4 ? LANDLOCK_BIND | LANDLOCK_CONNECT : 0,
		                          .scoped = version >= 6 ? 3 : 0 };
}

/* A path that is not there needs no rule. handled: what is forbidden elsewhere, all of which is allowed there;
 * 0: it may be read. */
static inline int landlock_allow(int rules, const char *path, uint64_t handled)
{
	struct landlock_beneath b = { .parent = open(path, O_PATH | O_CLOEXEC) };
	struct stat             st;
	int                     r = 0;

	if (b.parent < 0)
		return 0;
	b.allowed = handled ? handled : LANDLOCK_READ_FILE;
	if (!handled && fstat(b.parent, &st) == 0 && S_ISDIR(st.st_mode))
		b.allowed |= LANDLOCK_READ_DIR;
	if (syscall(SYS_landlock_add_rule, rules, 1 /* LANDLOCK_RULE_PATH_BENEATH */, &b, 0) < 0)
		r = -errno;
	close(b.parent);
	return r;
}

/*
 * For this thread and those that it starts: no file but what these paths (NULL at the end, or NULL: none) hold,
 * and that only to be read, and what the writable folder (NULL: none) holds; no TCP port, unless it may connect. Asks for no_new_privs. Returns 0, also where the
 * kernel has no Landlock, or -errno.
 */
static inline int landlock_confine(const char *const *readable, const char *writable, bool may_connect)
{
	long                    version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* VERSION */);
	struct landlock_handled all;
	int                     rules, r = 0;

	if (version < 1)
		return 0;
	all = landlock_all(version);
	if (may_connect)
		all.tcp &= LANDLOCK_BIND;
	rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (rules < 0)
		return -errno;
	for (; r == 0 && readable && *readable; readable++)
		r = landlock_allow(rules, *readable, 0);
	if (r == 0 && writable)
		r = landlock_allow(rules, writable, all.files);
	if (r == 0 && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		r = -errno;
	close(rules);
	return r;
}

#endif
