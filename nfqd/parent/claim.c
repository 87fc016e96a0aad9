/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One nfqd in a network namespace: its table belongs to it until that process is dead, and replacing the table
 * of a dead one is safe while the claim is held. It has two halves. A lock in /run, which no unprivileged user
 * can take; and a name in the namespace itself (unix(7), abstract), for a daemon in a container that has
 * another /run.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/diag.h"
#include "capture/steer.h"
#include "parent/parent_private.h"
#include "shared/file.h"

static const struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0nfqd-steers" };
enum { NAME_SIZE = offsetof(struct sockaddr_un, sun_path) + sizeof("\0nfqd-steers") - 1, CALLERS = 16 };

/* Who asks who holds the name has its answer with the connection. */
static void on_caller(struct poller_source *s)
{
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		close(fd);
}

/* The user who holds the name; -1: nobody does, or does not say. */
static int64_t holder(void)
{
	struct ucred cred = { .pid = 0 };
	socklen_t    n = sizeof(cred);
	int          fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int64_t      user = -1;

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&name, NAME_SIZE) == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) == 0)
		user = cred.uid;
	close(fd);
	return user;
}

/* Returns 0, or -EADDRINUSE when a privileged process holds the name. Others must not keep nfqd from starting. */
static int take_name(struct parent *p)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r;
	int64_t user;

	r = fd < 0 || bind(fd, (const struct sockaddr *)&name, NAME_SIZE) < 0 || listen(fd, CALLERS) < 0 ? -errno : 0;
	if (r == 0) {
		p->claim = (struct poller_source){ on_caller, p, fd };
		return poller_watch(&p->poller, &p->claim, EPOLLIN);
	}
	if (fd >= 0)
		close(fd);
	user = r == -EADDRINUSE ? holder() : -1;
	if (user == 0)
		return r;
	diag_warn("steer", "the name that keeps a second nfqd out of this network namespace is taken (user %lld, %s): only "
	          "the lock in " RUN_FOLDER " does", (long long)user, strerror(-r));
	return 0;
}

static int refuse(struct err *err)
{
	char owner[STEER_OWNER];

	steer_owner(owner);
	return err_set(err, "another nfqd steers the packets of this network namespace (is nfqd running?)%s%s",
	               owner[0] ? "; its table says: " : "", owner);
}

int parent_claim(struct parent *p, struct err *err)
{
	struct err  why = { 0 };
	struct stat st;

	if (p->tap)
		return 0;
	if (stat("/proc/self/ns/net", &st) < 0)
		return err_set(err, "/proc/self/ns/net: %s", strerror(errno));
	snprintf(p->net_path, sizeof(p->net_path), RUN_FOLDER "/net-%llu", (unsigned long long)st.st_ino);
	p->net_lock = file_lock(p->net_path, "network namespace", &why);
	if (p->net_lock == -EWOULDBLOCK)
		return refuse(err);
	if (p->net_lock == -EACCES && geteuid() != 0)
		return err_set(err, "%s: run as root", why.text);
	if (p->net_lock < 0)
		return err_set(err, "%s", why.text);
	return take_name(p) == -EADDRINUSE ? refuse(err) : 0;
}

/* Removes the file while the lock is held, so that the next daemon makes its own. */
void parent_unclaim(struct parent *p)
{
	char lock[sizeof(p->net_path) + 8];

	if (p->claim.run) {
		poller_forget(&p->poller, &p->claim);
		close(p->claim.fd);
	}
	if (p->net_lock < 0)
		return;
	snprintf(lock, sizeof(lock), "%s.lock", p->net_path);
	unlink(lock);
	close(p->net_lock);
}
