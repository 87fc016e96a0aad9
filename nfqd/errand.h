/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose question it is: a resolver on this host asks upstream what a client has asked it. The client's question is
 * judged first; if it passes although its name is listed, it is on an errand (decide/errands.h) for the time that a
 * client waits. A question of the same name and type from a socket of that resolver is then judged as the client's. A
 * client that is refused never reaches the resolver, so what an errand brings into the cache helps no other client;
 * programs of this host that ask the resolver do see it.
 */
#ifndef NFQD_ERRAND_H
#define NFQD_ERRAND_H

#include "decide/errands.h"
#include "inspect/inspect.h"
#include "pipeline_state.h"

/* The i-th name of a client's question, which is listed and passed: it is on an errand. */
void errand_begin(struct pipeline *p, const struct message *m, unsigned i);

/* Whether a question that this host's own policy refuses is a client's. */
enum errand_state {
	ERRAND_NONE,    /* it is not: what was decided holds */
	ERRAND_PASSES,  /* *d is the client's decision, *e its errand */
	ERRAND_ELSEWHERE, /* the client asked another machine, which sent this: it holds, too; *e is the errand */
	ERRAND_UNKNOWN, /* the socket's owner is not known in time: drop it, its resolver asks again */
	ERRAND_UNASKED, /* likewise, since too many came: of `whose` alone */
};

enum errand_state errand_judge(struct pipeline *p, const struct message *m, unsigned i, const struct match *match,
                               struct decision *d, struct errand *e);

/* Is this an answer to a question that passed that way, on its way to this host or to a client? */
bool errand_answered(const struct pipeline *p, const struct message *m, struct errand *e);

/* The resolver may ask for the names that the answer leads to. anywhere: whatever the client's policy says of them. */
void errand_follow(struct pipeline *p, const struct message *m, const struct errand *e, bool anywhere);

/* Judges m for the errand's client. */
void errand_ask_policies(const struct pipeline *p, const struct errand *e, const struct packet *pkt,
                         const struct match *m, struct decision *d);

#endif
