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

/* What happens to a packet and to its connection (capture/steer.h). */
enum verdict_state {
	STATE_UNDECIDED, /* this packet only; the connection stays in the queue */
	STATE_ALLOWED,   /* the connection never comes back to the queue */
	STATE_REJECTED,  /* the kernel refuses the connection: TCP reset, ICMP port unreachable */
	STATE_DROPPED,   /* the kernel silently drops the connection */
	STATE_WANT_REPLIES, /* the server's reply decides: its segments are queued instead */
};

/* What steering knows of a queued packet; a capture file knows nothing. */
enum raw_kind {
	RAW_QUEUED,
	RAW_REPLY, /* of a server, to a connection with STATE_WANT_REPLIES */
	RAW_STRAY, /* damaged, outside its connection's window, or of a connection that conntrack does not
		    * know */
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
	bool           no_way;     /* queued: no verdict can make the kernel refuse it with an answer */
	uint8_t        mac[6];
	const char    *file;       /* of a capture file: its name, borrowed; NULL: of none */
	uint64_t       number;     /* in that file, from 1 */
};

struct capture;

struct capture_ops {
	const char *name;
	/* Waits for packets. Returns how many, 0 when none came within the source's timeout (so that the
	 * caller can check its flags), -EPIPE at the end of a file, -ENODATA at an end in the middle of
	 * a packet, another -errno on failure. */
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

/* The kernel's counts for a live capture; they outlive the capture, one writer. */
struct tap_counts {
	_Atomic uint64_t received, dropped; /* dropped: the buffer was full */
};

/* Copies of what passes an interface ("any": all of them), of those packets that the BPF expression
 * filter (NULL: every one) takes. Needs CAP_NET_RAW, not afterwards. device and counts are borrowed. */
MUST_CHECK struct capture *pcap_tap_open(const char *device, const char *filter,
                                          struct tap_counts *counts, struct err *err);

/* The kind of a queued packet. Each kind has queue numbers of its own: kind * QUEUE_STEP above the
 * first. */
enum queue_kind {
	QUEUE_MAIN,
	QUEUE_STRAY,   /* without a connection entry: RAW_STRAY */
	QUEUE_REPLIES, /* of a server whose reply decides: RAW_REPLY */
	QUEUE_REOPEN,  /* a SYN on a connection that was decided: it passes, the state is cleared */
	QUEUE_OLD,     /* of an entry that cannot hold labels */
	QUEUE_UDP,     /* datagrams of known connections, one by one: a packet may be several (GSO) */
	QUEUE_KINDS
};
enum { QUEUE_STEP = 64, QUEUE_LAST = QUEUE_STEP * (QUEUE_KINDS - 1) };

/* Packets that never reach a burst; one writer. */
struct queue_counts {
	_Atomic uint64_t received; /* all that the kernel gave */
	_Atomic uint64_t reopened;
	_Atomic uint64_t unmet;    /* came back without meeting the rule of their token: handled as fail:
				    * says */
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
 * Binds the kernel's queues of all kinds to one netlink socket: returns it, -EBUSY (another process has
 * bound one) or -1, with err filled. The descriptor may be handed to another process; it stays the queues'
 * owner. Of conf->glue it leaves what the kernel has.
 */
MUST_CHECK int queue_bind(struct queue_conf *conf, struct err *err);
/* Reads the queues that fd is bound to; takes fd. What a former reader took and never answered is
 * treated as fail_open says. */
MUST_CHECK struct capture *queue_open(int fd, const struct queue_conf *conf, struct err *err);
/* Does this kernel take NFQA_PRIORITY with a verdict? New in 5.18; some older kernels have it
 * backported. */
bool queue_has_priority(void);

/* What is done about flowtables, which take over a TCP connection at its bare handshake ACK. */
enum steer_offload {
	OFFLOAD_HOLD,   /* bare ACKs of undecided connections to 80, 443 and 853 are held back for a time */
	OFFLOAD_WARN,   /* a warning is logged */
	OFFLOAD_REFUSE, /* nfqd does not start */
};

/* Kernel counters of one queue, from /proc/net/netfilter/nfnetlink_queue. */
struct queue_kernel {
	uint32_t portid, waiting, dropped, user_dropped, queued;
};
int queue_kernel_counters(uint16_t num, struct queue_kernel *out);
/* Those of all kinds together. */
int queue_kernel_sum(uint16_t num, struct queue_kernel *out);
/* Answers what waits in the queues of all kinds as fail_open says, when no reader does; how many packets. */
unsigned queue_release(int fd, uint16_t num, bool fail_open);

/* How many bytes of a receive buffer the kernel would give a queue's socket, of how many that are asked for;
 * a negative errno. It counts the double. */
int queue_receive_buffer(int *wanted);

#endif
