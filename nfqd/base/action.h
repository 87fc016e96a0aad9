/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done about a listed name: the one vocabulary of policies, stages, decisions and records. The
 * values are in order of severity, so that decisions can be compared. "stage" is for policies only: it
 * leaves the choice to the pack.
 */
#ifndef NFQD_BASE_ACTION_H
#define NFQD_BASE_ACTION_H

#include <stdbool.h>

#include "base/words.h"

/* X(id, word, EVE's verdict, text, its colour, what a client gets as DNS answer (NULL: as the policy's
 * `dns` says), over TCP, over UDP; the function of act/act.c that carries it out, NULL: none) */
#define ACTIONS(X)                                                                                 \
	X(ACTION_ALLOW, "allow", "pass", "ALLOWED", "\033[32m", "the resolver's answer",           \
	  "the connection", "the connection", NULL)                                                \
	X(ACTION_LOG, "log", "alert", "LOGGED ", "\033[33m", "the resolver's answer",              \
	  "the connection", "the connection", NULL)                                                \
	X(ACTION_REJECT, "reject", "drop", "BLOCKED", "\033[31m", NULL, "RST",                     \
	  "ICMP port unreachable", act_reject)                                                     \
	X(ACTION_DROP, "drop", "drop", "BLOCKED", "\033[31m", "nothing", "nothing", "nothing",     \
	  act_drop)                                                                                \
	X(ACTION_STAGE, "stage", "", "", "", "", "", "", NULL)

enum action { ACTIONS(WORD_ID) ACTION_N };

extern const char *const action_words[]; /* decide/policy.c */

/* Is the packet kept from its destination? */
static inline bool action_blocks(unsigned action)
{
	return action >= ACTION_REJECT;
}

#endif
