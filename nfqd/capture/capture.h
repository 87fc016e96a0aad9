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

/* What becomes of a packet and of its connection (capture/steer.h). */
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
	uint32_t       mark, priority;
	uint16_t       queue;      /* its number */
	uint8_t        link;       /* enum link_type */
	uint8_t        kind;       /* enum raw_kind */
	bool           has_mac, cut;
	uint8_t        mac[6];
	const char    *file;       /* of a capture file: its name, borrowed; NULL: of none */
	uint64_t       number;     /* in that file, from 1 */
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

/* A capture file (pcap, pcapng; also gzipped), or standard input for "-". path is borrowed. */
MUST_CHECK struct capture *pcap_file_open(const char *path, struct err *err);

/* Several of them as one source, in the order of the packets' times. paths are borrowed. */
MUST_CHECK struct capture *pcap_files_open(const char *const paths[], unsigned n, struct err *err);

/* What the kernel says of a live capture; outlives the capture, one writer. */
struct live_counts {
	_Atomic uint64_t received, dropped; /* dropped: the buffer was full */
};

/* Copies of what passes an interface ("any": all of them), of those packets that the BPF expression
 * filter (NULL: every one) takes. Needs CAP_NET_RAW, not afterwards. device and counts are borrowed. */
MUST_CHECK struct capture *pcap_live_open(const char *device, const char *filter,
                                          struct live_counts *counts, struct err *err);

/* What a queued packet is. Each kind has queue numbers of its own: kind * QUEUE_STEP above the first. */
enum queue_kind {
	QUEUE_MAIN,
	QUEUE_STRAY,   /* without a connection entry: RAW_STRAY */
	QUEUE_REPLIES, /* of a server that is waited for: RAW_REPLY */
	QUEUE_REOPEN,  /* a SYN on a connection that was decided: it passes, the state is cleared */
	QUEUE_OLD,     /* of an entry that cannot hold labels */
	QUEUE_KINDS
};
enum { QUEUE_STEP = 64, QUEUE_LAST = QUEUE_STEP * (QUEUE_KINDS - 1) };

/* Packets that never become a burst's; one writer. */
struct queue_counts {
	_Atomic uint64_t received; /* all that the kernel gave */
	_Atomic uint64_t reopened;
	_Atomic uint64_t unmet;    /* came back without having met their token: treated as fail: says */
};

struct queue_conf {
	uint16_t num; /* of the first kind */
	bool     fail_open;
	bool     labels;     /* connections hold conntrack labels */
	bool     glue;       /* the kernel takes NFQA_CT with a verdict; queue_bind() finds out */
	bool     mark_token; /* tokens are packet marks; else the upper half of the packet's priority */
	uint32_t token;      /* 28 bits (of a priority: the upper 12); the code is added */
	struct queue_counts *counts; /* NULL: not counted */
};

/*
 * Binds the kernel's queues of all kinds to one netlink socket: returns it, -1 with err filled (a queue is
 * already bound, no privileges). The descriptor may be handed to another process; it stays the queues'
 * owner. Of conf->glue it leaves what the kernel has.
 */
MUST_CHECK int queue_bind(struct queue_conf *conf, struct err *err);
/* Reads the queues that fd is bound to; takes fd. What a former reader took and never answered is
 * treated as fail_open says. */
MUST_CHECK struct capture *queue_open(int fd, const struct queue_conf *conf, struct err *err);
/* Does this kernel take NFQA_PRIORITY with a verdict? It came with 5.18; others have it from there. */
bool queue_has_priority(void);

/* What is done about flowtables, which take a TCP connection at its bare handshake ACK. */
enum steer_offload {
	OFFLOAD_HOLD,   /* bare ACKs of undecided connections to 80, 443 and 853 are held back for a time */
	OFFLOAD_WARN,   /* it is said */
	OFFLOAD_REFUSE, /* nfqd does not start */
};

/* Kernel counters of one queue, from /proc/net/netfilter/nfnetlink_queue. */
struct queue_kernel {
	uint32_t portid, waiting, dropped, user_dropped, queued;
};
int queue_kernel_counters(uint16_t num, struct queue_kernel *out);
/* Those of all kinds together. */
int queue_kernel_sum(uint16_t num, struct queue_kernel *out);

#endif
