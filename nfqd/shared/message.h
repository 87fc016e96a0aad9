/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages between parent and worker over a SOCK_SEQPACKET pair, descriptors included. */
#ifndef NFQD_SHARED_MESSAGE_H
#define NFQD_SHARED_MESSAGE_H

#include <stdint.h>

#include "base/err.h"

enum message_type {
	MESSAGE_READY,  /* worker: threads read their queues, and generation number */
	MESSAGE_RULES,  /* parent: fd is a new ruleset image; number its generation */
	MESSAGE_LIVE,   /* worker: every thread reads generation number */
	MESSAGE_FAILED, /* worker: generation number could not be mapped, the old one stays */
	MESSAGE_OUTPUT, /* parent: fd replaces the output number */
	MESSAGE_STOP,   /* parent: write out what is left and exit */
};

struct message {
	uint32_t type;
	uint64_t number;
};

/* fd -1: none. Returns 0 or -errno: -EAGAIN when the other side has stopped taking messages. */
MUST_CHECK int message_send(int socket, enum message_type type, uint64_t number, int fd);
/* Returns 1 with *fd owned by the caller (-1: none), 0 when the other side is gone, -errno. */
MUST_CHECK int message_recv(int socket, struct message *m, int *fd);

#endif
