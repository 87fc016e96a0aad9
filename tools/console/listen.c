/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The listening sockets: TCP at one address, and a unix socket for programs and proxies of this machine. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "request.h"

enum { BACKLOG = 64 };

union address {
	struct sockaddr     any;
	struct sockaddr_in  v4;
	struct sockaddr_in6 v6;
};

/* "127.0.0.1:9477", "[::1]:9477". Fills host and port of the console. */
static int read_address(struct console *c, union address *a, socklen_t *len, struct err *err)
{
	const char   *text = c->options.listen, *colon = strrchr(text, ':');
	char         *end;
	unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
	size_t        n = colon ? (size_t)(colon - text) : 0;

	memset(a, 0, sizeof(*a));
	if (port < 1 || port > 65535 || *end || n < 2 || n >= sizeof(c->host))
		return err_set(err, "--listen: '%s' is not an address and a port (127.0.0.1:9477, [::1]:9477, none)", text);
	snprintf(c->port, sizeof(c->port), "%lu", port);
	snprintf(c->host, sizeof(c->host), "%.*s", (int)n, text);
	if (inet_pton(AF_INET, c->host, &a->v4.sin_addr) == 1) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons((uint16_t)port);
		*len = sizeof(a->v4);
		return 0;
	}
	if (text[0] == '[' && text[n - 1] == ']') {
		char v6[64];

		snprintf(v6, sizeof(v6), "%.*s", (int)(n - 2), text + 1);
		a->v6.sin6_family = AF_INET6;
		a->v6.sin6_port = htons((uint16_t)port);
		*len = sizeof(a->v6);
		if (inet_pton(AF_INET6, v6, &a->v6.sin6_addr) == 1)
			return 0;
	}
	return err_set(err, "--listen: '%s' is not an address (a name is for --host)", c->host);
}

bool listen_is_local(const char *text)
{
	struct in_addr v4;

	if (strcmp(text, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, text, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

int listen_tcp(struct console *c, struct err *err)
{
	union address a;
	socklen_t     len;
	int           fd, on = 1;

	if (read_address(c, &a, &len, err) < 0)
		return -1;
	if (!listen_is_local(c->host) && !c->tls)
		return err_set(err, "--listen %s: another address than this machine's own (127.0.0.1, [::1]) only with TLS: give "
		               "--certificate and --key", c->options.listen);
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 && bind(fd, &a.any, len) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	err_set(err, "--listen %s: %s", c->options.listen, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* In the place of a socket at which nobody listens. */
static int clear_place(const struct sockaddr_un *sa)
{
	struct stat st;
	int         fd, r;

	if (lstat(sa->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	r = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)sa, sizeof(*sa));
	if (fd >= 0)
		close(fd);
	if (r == 0 || !S_ISSOCK(st.st_mode)) {
		errno = EADDRINUSE;
		return -1;
	}
	return unlink(sa->sun_path);
}

int listen_unix(const char *path, gid_t group, struct err *err)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	mode_t             mask;
	int                fd = -1, r = -1;

	if (snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path) >= (int)sizeof(sa.sun_path))
		return err_set(err, "--unix: '%s' is too long a path", path);
	if (clear_place(&sa) == 0)
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mask = umask(0177);
	if (fd >= 0)
		r = bind(fd, (const struct sockaddr *)&sa, sizeof(sa));
	umask(mask);
	if (r == 0 && group && geteuid() == 0 && chown(path, 0, group) == 0)
		r = chmod(path, 0660);
	if (r == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	err_set(err, "--unix %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}
