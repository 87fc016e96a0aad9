/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where packets come from: the kernel's queue, an interface or a capture file. A source
 * hands out bursts; its caller answers each packet with exactly one verdict, in order.
 */
#ifndef NFQD_CAPTURE_CAPTURE_H
#define NFQD_CAPTURE_CAPTURE_H

#include "base/err.h"
#include "decode/packet.h"

#define CAPTURE_BURST 32
#define REPLACED_MAX  1280 /* bytes of a packet that takes another's place */

/* What becomes of a packet and, through the packet mark, of its connection (capture/steer.h). */
enum verdict_state {
	STATE_UNDECIDED, /* this packet only; the connection stays in the queue */
	STATE_ALLOWED,   /* the connection never comes back to the queue */
	STATE_REJECTED,  /* the kernel refuses the connection: TCP reset, ICMP port unreachable */
	STATE_DROPPED,   /* the kernel drops the connection in silence */
	STATE_WANT_REPLIES, /* what the server sends decides: its segments come to the queue instead */
};

/* What steering knows of a queued packet; a capture file knows nothing. */
enum raw_kind {
	RAW_QUEUED,
	RAW_REPLY, /* of a server, to a connection with STATE_WANT_REPLIES */
	RAW_STRAY, /* damaged, out of its connection's window, or of none that conntrack knows */
};

struct verdict {
	bool    drop;  /* this packet goes no further (the kernel rejects by state, not by this) */
	uint8_t state; /* enum verdict_state */
	struct span replaced; /* a whole IP packet that takes its place; borrowed until the next packet */
};

struct raw_packet {
	struct span    data;       /* borrowed until the burst is flushed */
	uint64_t       ts;         /* ns */
	uint32_t       id;         /* the source's own */
	uint32_t       ifin, ifout; /* interface indices; 0: none */
	uint32_t       mark;
	uint8_t        link;       /* enum link_type */
	uint8_t        kind;       /* enum raw_kind */
	bool           has_mac, cut;
	uint8_t        mac[6];
};

struct capture;

struct capture_ops {
	const char *name;
	/* Waits for packets. Returns how many, 0 when none came within the source's patience
	 * (time to look at flags), -EPIPE at the end of a file, -ENODATA at an end in the middle of a
	 * packet, another -errno on failure. */
	int (*recv)(struct capture *c, struct raw_packet burst[static CAPTURE_BURST]);
	void (*verdict)(struct capture *c, const struct raw_packet *raw, struct verdict v);
	/* Sends the verdicts of the burst. Returns 0 or -errno. */
	int (*flush)(struct capture *c);
	void (*close)(struct capture *c);
};

struct capture {
	const struct capture_ops *ops;
};

/* A capture file, or standard input for "-". path is borrowed. */
MUST_CHECK struct capture *pcap_file_open(const char *path, struct err *err);

/* What the kernel says of a live capture; outlives the capture, one writer. */
struct live_counts {
	_Atomic uint64_t received, dropped; /* dropped: the buffer was full */
};

/* Copies of what passes an interface ("any": all of them), of those packets that the BPF expression
 * filter (NULL: every one) takes. Needs CAP_NET_RAW, not afterwards. device and counts are borrowed. */
MUST_CHECK struct capture *pcap_live_open(const char *device, const char *filter,
                                          struct live_counts *counts, struct err *err);

struct queue_conf {
	uint16_t num;
	bool     fail_open;
};

/*
 * Binds a kernel queue: returns the netlink socket, -1 with err filled (queue already bound, no
 * privileges). The descriptor may be handed to another process; it stays the queue's owner.
 */
MUST_CHECK int queue_bind(const struct queue_conf *conf, struct err *err);
/* Reads the queue that fd is bound to; takes fd. mark_mask as in capture/steer.h. orphans says what
 * becomes of packets that a former reader took and never answered. */
MUST_CHECK struct capture *queue_open(int fd, uint16_t num, uint32_t mark_mask, bool drop_orphans,
                                    struct err *err);

/* Kernel counters of one queue, from /proc/net/netfilter/nfnetlink_queue. */
struct queue_kernel {
	uint32_t portid, waiting, dropped, user_dropped, queued;
};
int queue_kernel_counters(uint16_t num, struct queue_kernel *out);

#endif
