/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a socket of the daemon stands: its path, which is ours alone, and the group that may use it. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parent/ctl_private.h"

/* The place is ours alone: we hold its lock until we end, and no other program listens there. */
static int take_place(struct ctl_place *p, struct err *err)
{
	struct err  none = { 0 };
	struct stat st;
	int         fd;

	p->lock = file_lock(p->path, "control socket", err);
	if (p->lock < 0)
		return -1;
	if (lstat(p->path, &st) < 0)
		return errno == ENOENT ? 0 : err_set(err, "control socket %s: %m", p->path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, "control socket %s: a file that is not a socket is in its place",
		               p->path);
	fd = ctl_connect(p->path, &none);
	if (fd >= 0) {
		close(fd);
		return err_set(err, "control socket %s: another program answers there (is nfqd running?)",
		               p->path);
	}
	return unlink(p->path) < 0 ? err_set(err, "control socket %s: %m", p->path) : 0; /* a killed run's */
}

gid_t ctl_gid(const struct ctl_group *g)
{
	const struct group *group = g->name ? getgrnam(g->name) : NULL;

	return group ? group->gr_gid : g->spare;
}

static int bind_socket(struct ctl_place *p, const struct ctl_group *g, struct err *err)
{
	const gid_t        gid = ctl_gid(g);
	struct sockaddr_un sa;
	struct stat        st;
	mode_t             mask;
	int                r;

	if (ctl_address(&sa, p->path, err) < 0)
		return -1;
	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mask = umask(0177);
	r = p->fd < 0 ? -1 : bind(p->fd, (struct sockaddr *)&sa, sizeof(sa));
	umask(mask);
	if (r == 0 && gid && chown(p->path, 0, gid) == 0)
		r = chmod(p->path, 0660);
	if (r < 0 || listen(p->fd, 16) < 0 || lstat(p->path, &st) < 0)
		return err_set(err, "control socket %s: %m", p->path);
	p->dev = st.st_dev;
	p->ino = st.st_ino;
	return 0;
}

int ctl_place_open(struct ctl_place *p, const char *path, const struct ctl_group *group, struct err *err)
{
	*p = CTL_NO_PLACE;
	if (snprintf(p->path, sizeof(p->path), "%s", path) >= (int)sizeof(p->path))
		return err_set(err, "control socket: '%s' is too long a path", path);
	if (take_place(p, err) == 0 && bind_socket(p, group, err) == 0)
		return 0;
	ctl_place_close(p);
	return -1;
}

void ctl_place_close(struct ctl_place *p)
{
	struct stat st;

	if (p->fd >= 0)
		close(p->fd);
	/* not what another program has put there since */
	if (p->ino && lstat(p->path, &st) == 0 && st.st_ino == p->ino && st.st_dev == p->dev)
		unlink(p->path);
	if (p->lock >= 0)
		close(p->lock);
	*p = CTL_NO_PLACE;
}
