/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to the kernel's queue: its state, and how verdicts are written. */
#ifndef NFQD_CAPTURE_NFQ_PRIVATE_H
#define NFQD_CAPTURE_NFQ_PRIVATE_H

#include <sys/socket.h>

#include "capture/capture.h"

enum {
	/* header, verdict, token, labels and payload of one packet; or a verdict and two messages that
	 * clear a connection's state */
	VERDICT_SIZE = 512 + REPLACED_MAX,
	ATTR_PRIORITY = 21, /* NFQA_PRIORITY, of Linux 5.18; libnetfilter_queue's own header is older */
};

struct nfq {
	struct capture    base;
	int               fd;
	struct queue_conf conf;
	bool              read[QUEUE_KINDS]; /* a packet came: orphans of a former reader are answered */
	size_t            verdict_used;
	struct nlmsghdr  *plain; /* the last of these verdicts, when it just lets its packet pass; NULL: it does not */
	struct mmsghdr    msgs[CAPTURE_BURST];
	struct iovec      iov[CAPTURE_BURST];
	uint8_t          *slots;
	uint8_t           verdicts[(CAPTURE_BURST + QUEUE_KINDS) * VERDICT_SIZE];
};

/* Where a token can be: in the packet's priority, whose lower half stays as it is, or, if that is not
 * possible, in its mark. Values that other programs set are left alone. */
struct token_place {
	uint32_t mask;  /* what makes it one of ours */
	unsigned shift; /* of the code */
	uint32_t kept;  /* bits of the word that a token leaves alone */
};
enum { TOKEN_PRIORITY, TOKEN_MARK, TOKEN_PLACES };
static const struct token_place token_places[TOKEN_PLACES] = { { 0xfff00000, 16, 0x0000ffff },
	                                                       { 0xfffffff0, 0, 0 } };

/* Each writes one netlink message, or two, after those that wait for the next send. */
void verdict_put(struct nfq *q, const struct raw_packet *raw, struct verdict v);
/* A SYN on a decided connection: the state is cleared, and the SYN passes. */
void verdict_put_reopen(struct nfq *q, const struct raw_packet *raw);
/* A packet that met no rule for its token: as fail: says. */
void verdict_put_unmet(struct nfq *q, const struct raw_packet *raw);
/* Every packet of that queue up to id, as fail: says. */
void verdict_put_orphans(struct nfq *q, uint16_t queue, uint32_t id);
/* Has no verdict a way to make the kernel refuse this packet? Other programs use all of its words. */
bool verdict_has_no_way(const struct nfq *q, const struct raw_packet *raw);
/* Does the packet carry a token of ours? */
bool verdict_is_token(const struct nfq *q, const struct raw_packet *raw);

#endif
