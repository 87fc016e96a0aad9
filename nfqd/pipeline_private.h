/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to the pipeline: what the steps of one packet hand on, and the steps that datagrams and
 * segments share.
 */
#ifndef NFQD_PIPELINE_PRIVATE_H
#define NFQD_PIPELINE_PRIVATE_H

#include "pipeline.h"
#include "reassemble/flow.h"

/* What a packet is judged as: everything the steps below hand on. */
struct judged {
	const struct raw_packet *raw;
	const struct packet     *pkt;
	struct flow             *flow; /* NULL: not needed so far */
	struct span              message;
	uint32_t                 server_next;
	bool                     full; /* the segment lies beyond what is kept */
	struct names             names; /* last: its room for names is not cleared */
};

#define VERDICT_PASS  ((struct verdict){ .state = STATE_UNDECIDED })
#define VERDICT_ALLOW ((struct verdict){ .state = STATE_ALLOWED })

/* pipeline_udp.c, pipeline_tcp.c: a packet that was decoded. */
struct verdict pipeline_datagram(struct pipeline *p, struct judged *j);
struct verdict pipeline_segment(struct pipeline *p, struct judged *j);

/* The packet's flow, made when there is none. */
struct flow *pipeline_flow(struct pipeline *p, struct judged *j);
/* Counts what could not be judged, says so now and then. */
void pipeline_exception(struct pipeline *p, const struct packet *pkt, enum counter what);
/*
 * Decides a message: every name on its own record, the strictest decision for the packet. A message
 * without a name is decided by its address.
 */
struct verdict pipeline_judge(struct pipeline *p, struct judged *j);
/* Keeps the decision for packets that are already queued, and for capture files. */
struct verdict pipeline_finish(struct pipeline *p, struct judged *j, struct verdict v);
/* Ends inspection of a connection that cannot be judged: allowed for good, counted. */
struct verdict pipeline_finish_exception(struct pipeline *p, struct judged *j, enum counter what);

#endif
