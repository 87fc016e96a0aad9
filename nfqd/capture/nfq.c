/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's queue: libnetfilter_queue's message builders over a libmnl socket. A burst is read
 * with one recvmmsg, its verdicts leave with one send, one message per packet, so that every packet
 * keeps its own verdict. How they are written: nfq_verdict.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/nfq_private.h"

enum {
	COPY_RANGE = 0xffff,
	SLOT = 72 << 10,             /* a packet and its attributes; keeps slots aligned */
	RECEIVE_BUFFER = 16 << 20,   /* the default of 208 KiB holds 256 packets */
	QUEUE_LENGTH = 8192,
	PATIENCE_MS = 200,           /* timeout of recv(), after which flags are checked */
	LOOP_SEND_TRIES = 3
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

static int bind_one(int fd, uint16_t num)
{
	char             buf[256];
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, num);

	nfq_nlmsg_cfg_put_cmd(nlh, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	return send_cfg(fd, nlh);
}

/*
 * Segments of a stream come as large packets (GSO), as they pass the host. Where datagrams come, the kernel takes such
 * packets apart: it does not say where one ends, and a question could hide behind another.
 */
static int set_parameters(int fd, uint16_t num, unsigned kind, bool fail_open)
{
	bool     streams = kind == QUEUE_MAIN || kind == QUEUE_REPLIES || kind == QUEUE_REOPEN;
	uint32_t flags = (streams ? NFQA_CFG_F_GSO : 0) | (fail_open ? NFQA_CFG_F_FAIL_OPEN : 0);
	char     buf[512];
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, num);

	nfq_nlmsg_cfg_put_params(nlh, NFQNL_COPY_PACKET, COPY_RANGE);
	nfq_nlmsg_cfg_put_qmaxlen(nlh, QUEUE_LENGTH);
	mnl_attr_put_u32(nlh, NFQA_CFG_FLAGS, htonl(flags));
	mnl_attr_put_u32(nlh, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN));
	return send_cfg(fd, nlh);
}

static int set_conntrack(int fd, uint16_t num, bool on)
{
	char             buf[256];
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, num);

	mnl_attr_put_u32(nlh, NFQA_CFG_FLAGS, htonl(on ? NFQA_CFG_F_CONNTRACK : 0));
	mnl_attr_put_u32(nlh, NFQA_CFG_MASK, htonl(NFQA_CFG_F_CONNTRACK));
	return send_cfg(fd, nlh);
}

/* The kernel refuses the flag when it cannot take a connection's attributes with a verdict; the flag
 * itself would have it send them with every packet. */
static bool has_glue(int fd, uint16_t num)
{
	return set_conntrack(fd, num, true) == 0 && set_conntrack(fd, num, false) == 0;
}

static int bind_kinds(int fd, const struct queue_conf *conf, uint16_t *num)
{
	int r = 0;

	for (unsigned kind = 0; kind < QUEUE_KINDS && r == 0; kind++) {
		*num = (uint16_t)(conf->num + kind * QUEUE_STEP);
		r = bind_one(fd, *num);
		if (r == 0)
			r = set_parameters(fd, *num, kind, conf->fail_open);
	}
	return r;
}

static void set_socket(int fd)
{
	int            one = 1, size = RECEIVE_BUFFER;
	struct timeval tv = { .tv_usec = PATIENCE_MS * 1000L };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

int queue_receive_buffer(int *wanted)
{
	int       fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), size = 0;
	socklen_t n = sizeof(size);

	if (fd < 0)
		return -errno;
	set_socket(fd);
	*wanted = 2 * RECEIVE_BUFFER;
	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &n);
	close(fd);
	return size;
}

int queue_bind(struct queue_conf *conf, struct err *err)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK };
	int      fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), r;
	uint16_t num = conf->num;
	bool     busy = false;

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		err_set(err, "netlink socket: %s", strerror(errno));
		goto fail;
	}
	r = bind_kinds(fd, conf, &num);
	if (r == 0) {
		conf->glue = conf->glue && has_glue(fd, conf->num);
		set_socket(fd);
		return fd;
	}
	if (r == -EPERM && geteuid() != 0)
		err_set(err, "queue %u: no permission (CAP_NET_ADMIN is needed: run as root)", num);
	else if (r == -EPERM || r == -EBUSY)
		err_set(err, "queue %u is already bound by another program (is nfqd running?)", num), busy = true;
	else
		err_set(err, "queue %u: %s (is the kernel module nfnetlink_queue there?)", num,
		        strerror(-r));
fail:
	if (fd >= 0)
		close(fd);
	return busy ? -EBUSY : -1;
}

/* An attribute that the kernel puts into a packet's message. */
static int read_attribute(const struct nlattr *attr, void *data)
{
	const struct nlattr **known = data;

	if (mnl_attr_get_type(attr) <= ATTR_PRIORITY) /* newer attributes are ignored */
		known[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static uint32_t attribute_u32(const struct nlattr *attr)
{
	return attr ? ntohl(mnl_attr_get_u32(attr)) : 0;
}

/* One queued packet from its netlink message. */
static bool read_packet(const struct nlmsghdr *nlh, struct raw_packet *raw)
{
	const struct nlattr         *attr[ATTR_PRIORITY + 1] = { 0 };
	struct nfqnl_msg_packet_hdr *ph;
	const struct nfgenmsg       *g = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET) ||
	    mnl_attr_parse(nlh, sizeof(*g), read_attribute, attr) < 0 || !attr[NFQA_PACKET_HDR])
		return false;
	ph = mnl_attr_get_payload(attr[NFQA_PACKET_HDR]);
	*raw = (struct raw_packet){ .id = ntohl(ph->packet_id), .link = LINK_IP,
		                    .queue = ntohs(g->res_id),
		                    .mark = attribute_u32(attr[NFQA_MARK]),
		                    .priority = attribute_u32(attr[ATTR_PRIORITY]),
		                    .ifin = attribute_u32(attr[NFQA_IFINDEX_INDEV]),
		                    .ifout = attribute_u32(attr[NFQA_IFINDEX_OUTDEV]) };
	if (attr[NFQA_PAYLOAD])
		raw->data = span_of(mnl_attr_get_payload(attr[NFQA_PAYLOAD]),
		                    mnl_attr_get_payload_len(attr[NFQA_PAYLOAD]));
	raw->cut = attr[NFQA_CAP_LEN] != NULL;
	if (attr[NFQA_HWADDR]) {
		struct nfqnl_msg_packet_hw *hw = mnl_attr_get_payload(attr[NFQA_HWADDR]);

		raw->has_mac = ntohs(hw->hw_addrlen) == 6;
		memcpy(raw->mac, hw->hw_addr, 6);
	}
	return true;
}

static void count(_Atomic uint64_t *counter)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
	                      memory_order_relaxed);
}

/*
 * Packets that a reader took before it died still wait in the kernel, unanswered. Ids count up, so
 * everything below the first id that we receive is an orphan.
 */
static void answer_orphans(struct nfq *q, const struct raw_packet *raw, unsigned kind)
{
	if (q->read[kind])
		return;
	q->read[kind] = true;
	if (raw->id > 1)
		verdict_put_orphans(q, raw->queue, raw->id - 1);
}

/* Does it go to the pipeline? The others are answered here. */
static bool is_judged(struct nfq *q, struct raw_packet *raw)
{
	static const uint8_t kinds[] = { [QUEUE_MAIN] = RAW_QUEUED, [QUEUE_STRAY] = RAW_STRAY,
		                         [QUEUE_REPLIES] = RAW_REPLY, [QUEUE_REOPEN] = RAW_QUEUED,
		                         [QUEUE_OLD] = RAW_QUEUED, [QUEUE_UDP] = RAW_QUEUED };
	unsigned kind = (unsigned)(raw->queue - q->conf.num) / QUEUE_STEP;

	if (kind >= QUEUE_KINDS)
		return false;
	count(&q->conf.counts->received);
	answer_orphans(q, raw, kind);
	if (verdict_is_token(q, raw)) {
		count(&q->conf.counts->unmet);
		verdict_put_unmet(q, raw);
		return false;
	}
	if (kind == QUEUE_REOPEN) {
		count(&q->conf.counts->reopened);
		verdict_put_reopen(q, raw);
		return false;
	}
	raw->kind = kinds[kind];
	raw->no_way = verdict_has_no_way(q, raw);
	return true;
}

static int send_verdicts(struct capture *c);

static int recv_burst(struct capture *c, struct raw_packet burst[static CAPTURE_BURST])
{
	struct nfq *q = (struct nfq *)c;
	int         n = recvmmsg(q->fd, q->msgs, CAPTURE_BURST, MSG_WAITFORONE, NULL), got = 0, r;
	uint64_t    now;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : -errno;
	now = clock_now();
	for (int i = 0; i < n; i++) {
		const struct nlmsghdr *nlh = q->iov[i].iov_base;

		if (!mnl_nlmsg_ok(nlh, (int)q->msgs[i].msg_len) || !read_packet(nlh, &burst[got]) ||
		    !is_judged(q, &burst[got]))
			continue;
		burst[got++].ts = now;
	}
	if (got)
		return got;
	r = send_verdicts(c); /* the loop does not flush an empty burst */
	return r < 0 ? r : 0;
}

static void put_verdict(struct capture *c, const struct raw_packet *raw, struct verdict v)
{
	verdict_put((struct nfq *)c, raw, v);
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
	q->plain = NULL;
	return n < 0 ? -errno : 0;
}

static void close_queue(struct capture *c)
{
	struct nfq *q = (struct nfq *)c;

	close(q->fd);
	free(q->slots);
	free(q);
}

struct capture *queue_open(int fd, const struct queue_conf *conf, struct err *err)
{
	static const struct capture_ops ops = { "nfqueue", recv_burst, put_verdict, send_verdicts,
		                                close_queue };
	static struct queue_counts unwanted;
	struct nfq *q = calloc(1, sizeof(*q));

	if (q)
		q->slots = calloc(CAPTURE_BURST, SLOT);
	if (!q || !q->slots) {
		err_set(err, "queue %u: out of memory", conf->num);
		free(q);
		close(fd);
		return NULL;
	}
	q->base.ops = &ops;
	q->fd = fd;
	q->conf = *conf;
	if (!q->conf.counts)
		q->conf.counts = &unwanted;
	for (unsigned i = 0; i < CAPTURE_BURST; i++) {
		q->iov[i] = (struct iovec){ q->slots + (size_t)i * SLOT, SLOT };
		q->msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &q->iov[i], .msg_iovlen = 1 };
	}
	return &q->base;
}

/*
 * Probes with an attribute of the wrong length: a kernel that knows the attribute rejects it before it
 * looks for the queue, which does not exist.
 */
static bool objects_to_priority(void)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK };
	struct nfqnl_msg_verdict_hdr v = { .verdict = htonl(NF_ACCEPT) };
	char             buf[256];
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_VERDICT, UINT16_MAX);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), r = 0;

	mnl_attr_put(nlh, NFQA_VERDICT_HDR, sizeof(v), &v);
	mnl_attr_put_u8(nlh, ATTR_PRIORITY, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		r = send_cfg(fd, nlh);
	if (fd >= 0)
		close(fd);
	return r == -ERANGE || r == -EINVAL;
}

bool queue_has_priority(void)
{
	struct utsname u;
	unsigned       major, minor;

	if (uname(&u) == 0 && sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
	    (major > 5 || (major == 5 && minor >= 18)))
		return true;
	return objects_to_priority(); /* the kernel logs a warning then: probe only where it matters */
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

int queue_kernel_sum(uint16_t num, struct queue_kernel *out)
{
	int found = -1;

	*out = (struct queue_kernel){ 0 };
	for (unsigned kind = 0; kind < QUEUE_KINDS; kind++) {
		struct queue_kernel k;

		if (queue_kernel_counters((uint16_t)(num + kind * QUEUE_STEP), &k) < 0)
			continue;
		found = 0;
		out->portid = k.portid;
		out->waiting += k.waiting;
		out->dropped += k.dropped;
		out->user_dropped += k.user_dropped;
		out->queued += k.queued;
	}
	return found;
}

unsigned queue_release(int fd, uint16_t num, bool fail_open)
{
	unsigned released = 0;

	for (unsigned kind = 0; kind < QUEUE_KINDS; kind++) {
		uint16_t            n = (uint16_t)(num + kind * QUEUE_STEP);
		char                buf[256];
		struct queue_kernel k;
		struct nlmsghdr    *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_VERDICT_BATCH, n);

		if (queue_kernel_counters(n, &k) < 0 || !k.waiting)
			continue;
		nfq_nlmsg_verdict_put(nlh, (int)k.queued, fail_open ? NF_ACCEPT : NF_DROP);
		if (send(fd, nlh, nlh->nlmsg_len, 0) >= 0)
			released += k.waiting;
	}
	return released;
}
