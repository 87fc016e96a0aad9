/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages with at most one descriptor (unix(7), SCM_RIGHTS). */
#include "shared/message.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* How long a message waits for the other side to take some of the earlier ones. */
enum { ROOM_MS = 1000 };

union control {
	struct cmsghdr header;
	char           room[CMSG_SPACE(sizeof(int))];
};

int message_send(int socket, enum message_type type, uint64_t number, int fd)
{
	struct message m = { .type = type, .number = number };
	struct iovec   iov = { &m, sizeof(m) };
	union control  control = { 0 };
	struct pollfd  room = { .fd = socket, .events = POLLOUT };
	struct msghdr  msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = control.room;
		msg.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	if (sendmsg(socket, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return 0;
	if (errno != EAGAIN || poll(&room, 1, ROOM_MS) != 1)
		return -errno;
	return sendmsg(socket, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int message_recv(int socket, struct message *m, int *fd)
{
	struct iovec    iov = { m, sizeof(*m) };
	union control   control;
	struct msghdr   msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room,
		                /* room for one: CMSG_SPACE(), with its padding, has room for two, and
		                 * the second would never be closed */
		                .msg_controllen = CMSG_LEN(sizeof(int)) };
	struct cmsghdr *c;
	ssize_t         n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);

	*fd = -1;
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	if (n == 0)
		return 0;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(c), sizeof(int));
	return n == sizeof(*m) ? 1 : -EPROTO;
}
