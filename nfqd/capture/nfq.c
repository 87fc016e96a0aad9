/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's queue: libnetfilter_queue's message builders over a libmnl socket. A burst is read
 * with one recvmmsg, its verdicts leave with one send, one message per packet, so that every packet
 * keeps its own verdict and mark.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/capture.h"
#include "capture/steer.h"

enum {
	COPY_RANGE = 0xffff,
	SLOT = 72 << 10,             /* a packet and its attributes; keeps slots aligned */
	VERDICT_SIZE = 64 + REPLACED_MAX, /* header, verdict, mark and payload of one packet */
	RECEIVE_BUFFER = 16 << 20,   /* the default of 208 KiB holds 256 packets */
	QUEUE_LENGTH = 8192,
	PATIENCE_MS = 200,           /* how long recv() waits before flags are looked at */
	LOOP_SEND_TRIES = 3
};

struct nfq {
	struct capture  base;
	int             fd;
	uint16_t        num;
	uint32_t        mark_mask;
	bool            drop_orphans, first;
	uint64_t        verdict_used;
	struct mmsghdr  msgs[CAPTURE_BURST];
	struct iovec    iov[CAPTURE_BURST];
	uint8_t        *slots;
	uint8_t         verdicts[(CAPTURE_BURST + 1) * VERDICT_SIZE];
};

static int send_cfg(int fd, struct nlmsghdr *nlh)
{
	char    ack[256];
	ssize_t n;

	nlh->nlmsg_flags |= NLM_F_ACK;
	if (send(fd, nlh, nlh->nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, ack, sizeof(ack), 0);
	if (n < 0)
		return -errno;
	return mnl_cb_run(ack, (size_t)n, 0, 0, NULL, NULL) < 0 ? -errno : 0;
}

static int bind_command(int fd, uint16_t num)
{
	char             buf[256];
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, num);

	nfq_nlmsg_cfg_put_cmd(nlh, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	return send_cfg(fd, nlh);
}

static int set_parameters(int fd, const struct queue_conf *conf)
{
	uint32_t flags = NFQA_CFG_F_GSO | (conf->fail_open ? NFQA_CFG_F_FAIL_OPEN : 0);
	char     buf[512];
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, conf->num);

	nfq_nlmsg_cfg_put_params(nlh, NFQNL_COPY_PACKET, COPY_RANGE);
	nfq_nlmsg_cfg_put_qmaxlen(nlh, QUEUE_LENGTH);
	mnl_attr_put_u32(nlh, NFQA_CFG_FLAGS, htonl(flags));
	mnl_attr_put_u32(nlh, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN));
	return send_cfg(fd, nlh);
}

static void set_socket(int fd)
{
	int            one = 1, size = RECEIVE_BUFFER;
	struct timeval tv = { .tv_usec = PATIENCE_MS * 1000 };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

int queue_bind(const struct queue_conf *conf, struct err *err)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), r;

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		err_set(err, "netlink socket: %s", strerror(errno));
		goto fail;
	}
	r = bind_command(fd, conf->num);
	if (r == 0)
		r = set_parameters(fd, conf);
	if (r == 0) {
		set_socket(fd);
		return fd;
	}
	if (r == -EPERM && geteuid() != 0)
		err_set(err, "queue %u: no permission (CAP_NET_ADMIN is needed: run as root)", conf->num);
	else if (r == -EPERM || r == -EBUSY)
		err_set(err, "queue %u is already bound by another program (is nfqd running?)",
		        conf->num);
	else
		err_set(err, "queue %u: %s (is the kernel module nfnetlink_queue there?)", conf->num,
		        strerror(-r));
fail:
	if (fd >= 0)
		close(fd);
	return -1;
}

/* One queued packet from its netlink message. */
static bool read_packet(const struct nlmsghdr *nlh, struct raw_packet *raw)
{
	struct nlattr *attr[NFQA_MAX + 1] = { 0 };
	struct nfqnl_msg_packet_hdr *ph;

	if ((nlh->nlmsg_type & 0xff) != NFQNL_MSG_PACKET || nfq_nlmsg_parse(nlh, attr) < 0 ||
	    !attr[NFQA_PACKET_HDR])
		return false;
	ph = mnl_attr_get_payload(attr[NFQA_PACKET_HDR]);
	*raw = (struct raw_packet){ .id = ntohl(ph->packet_id), .link = LINK_IP };
	if (attr[NFQA_PAYLOAD])
		raw->data = span_of(mnl_attr_get_payload(attr[NFQA_PAYLOAD]),
		                    mnl_attr_get_payload_len(attr[NFQA_PAYLOAD]));
	raw->cut = attr[NFQA_CAP_LEN] != NULL;
	if (attr[NFQA_MARK])
		raw->mark = ntohl(mnl_attr_get_u32(attr[NFQA_MARK]));
	if (attr[NFQA_IFINDEX_INDEV])
		raw->ifin = ntohl(mnl_attr_get_u32(attr[NFQA_IFINDEX_INDEV]));
	if (attr[NFQA_IFINDEX_OUTDEV])
		raw->ifout = ntohl(mnl_attr_get_u32(attr[NFQA_IFINDEX_OUTDEV]));
	if (attr[NFQA_HWADDR]) {
		struct nfqnl_msg_packet_hw *hw = mnl_attr_get_payload(attr[NFQA_HWADDR]);

		raw->has_mac = ntohs(hw->hw_addrlen) == 6;
		memcpy(raw->mac, hw->hw_addr, 6);
	}
	return true;
}

/* What the steering rules wrote on the packet. */
static enum raw_kind kind_of(const struct nfq *q, uint32_t mark)
{
	uint32_t ours = mark & q->mark_mask;

	if (ours == steer_mark(q->mark_mask, CODE_REPLIES))
		return RAW_REPLY;
	return ours == steer_mark(q->mark_mask, CODE_STRAY) ? RAW_STRAY : RAW_QUEUED;
}

/*
 * What a reader that died had taken and never answered still waits in the kernel. Ids count up, so
 * everything below the first one that we are given is an orphan.
 */
static void answer_orphans(struct nfq *q, uint32_t first_id)
{
	char             buf[256];
	struct nlmsghdr *nlh;

	q->first = false;
	if (first_id < 2)
		return;
	nlh = nfq_nlmsg_put(buf, NFQNL_MSG_VERDICT_BATCH, q->num);
	nfq_nlmsg_verdict_put(nlh, (int)(first_id - 1), q->drop_orphans ? NF_DROP : NF_ACCEPT);
	send(q->fd, nlh, nlh->nlmsg_len, 0);
}

static int recv_burst(struct capture *c, struct raw_packet burst[static CAPTURE_BURST])
{
	struct nfq *q = (struct nfq *)c;
	int         n = recvmmsg(q->fd, q->msgs, CAPTURE_BURST, MSG_WAITFORONE, NULL), got = 0;
	uint64_t    now;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : -errno;
	now = clock_now();
	for (int i = 0; i < n; i++) {
		const struct nlmsghdr *nlh = q->iov[i].iov_base;

		if (!mnl_nlmsg_ok(nlh, (int)q->msgs[i].msg_len) || !read_packet(nlh, &burst[got]))
			continue;
		burst[got].kind = (uint8_t)kind_of(q, burst[got].mark);
		burst[got++].ts = now;
	}
	if (got && q->first)
		answer_orphans(q, burst[0].id);
	return got;
}

static void put_verdict(struct capture *c, const struct raw_packet *raw, struct verdict v)
{
	struct nfq      *q = (struct nfq *)c;
	struct nlmsghdr *nlh = nfq_nlmsg_put((char *)q->verdicts + q->verdict_used,
	                                     NFQNL_MSG_VERDICT, q->num);

	/* a dropped connection goes on to the deciding chain, which remembers and drops it */
	bool drop = v.drop && v.state != STATE_DROPPED;

	nfq_nlmsg_verdict_put(nlh, (int)raw->id, drop ? NF_DROP : NF_ACCEPT);
	if (!drop && v.state != STATE_UNDECIDED)
		nfq_nlmsg_verdict_put_mark(nlh, (raw->mark & ~q->mark_mask) |
		                                        steer_mark(q->mark_mask, steer_code(v.state)));
	if (v.replaced.n)
		nfq_nlmsg_verdict_put_pkt(nlh, v.replaced.p, (uint32_t)v.replaced.n);
	q->verdict_used += (nlh->nlmsg_len + 3U) & ~3U;
}

static int send_verdicts(struct capture *c)
{
	struct nfq *q = (struct nfq *)c;
	ssize_t     n = -1;

	if (q->verdict_used == 0)
		return 0;
	for (int i = 0; i < LOOP_SEND_TRIES && n < 0; i++)
		n = send(q->fd, q->verdicts, q->verdict_used, 0);
	q->verdict_used = 0;
	return n < 0 ? -errno : 0;
}

static void close_queue(struct capture *c)
{
	struct nfq *q = (struct nfq *)c;

	close(q->fd);
	free(q->slots);
	free(q);
}

struct capture *queue_open(int fd, uint16_t num, uint32_t mark_mask, bool drop_orphans,
                         struct err *err)
{
	static const struct capture_ops ops = { "nfqueue", recv_burst, put_verdict, send_verdicts,
		                                close_queue };
	struct nfq *q = calloc(1, sizeof(*q));

	if (q)
		q->slots = calloc(CAPTURE_BURST, SLOT);
	if (!q || !q->slots) {
		err_set(err, "queue %u: out of memory", num);
		free(q);
		close(fd);
		return NULL;
	}
	q->base.ops = &ops;
	q->fd = fd;
	q->num = num;
	q->mark_mask = mark_mask;
	q->drop_orphans = drop_orphans;
	q->first = true;
	for (unsigned i = 0; i < CAPTURE_BURST; i++) {
		q->iov[i] = (struct iovec){ q->slots + (size_t)i * SLOT, SLOT };
		q->msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &q->iov[i], .msg_iovlen = 1 };
	}
	return &q->base;
}

int queue_kernel_counters(uint16_t num, struct queue_kernel *out)
{
	FILE *f = fopen("/proc/net/netfilter/nfnetlink_queue", "re");
	char  line[256];
	int   found = -1;

	*out = (struct queue_kernel){ 0 };
	while (f && found < 0 && fgets(line, sizeof(line), f)) {
		unsigned n;

		if (sscanf(line, "%u %" SCNu32 " %" SCNu32 " %*u %*u %" SCNu32 " %" SCNu32 " %" SCNu32,
		           &n, &out->portid, &out->waiting, &out->dropped, &out->user_dropped,
		           &out->queued) == 6 &&
		    n == num)
			found = 0;
	}
	if (f)
		fclose(f);
	return found;
}
