/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes one output's lines provable: the hash of each line, the tree of the lines that the parent has not signed
 * yet, and the lost lines that no `gap` record names yet. It lives in memory that outlives the worker, so the next
 * worker continues it. Record seq N is line N - 1 of every output's tree.
 */
#ifndef NFQD_LOG_LEDGER_H
#define NFQD_LOG_LEDGER_H

#include <stdatomic.h>

#include "log/json.h"
#include "tlog/tree.h"

enum { LEDGER_LEAVES = 2048, LEDGER_MEMBERS = 6144 };

/* Written by the log thread, but for the last members; the parent reads `ask` and `range` and trusts neither. */
struct ledger {
	struct ledger_ranges {
		struct tree_range since; /* lines in no checkpoint request yet */
		struct tree_range lost;  /* lost lines in no gap record yet */
		struct tree_range told;  /* lost lines whose gap record is the next line and may still be in the buffer */
	} kept[2];
	_Atomic uint32_t  live;    /* the valid slot of the two: it is whole whenever the worker dies */
	_Atomic uint64_t  written; /* every line before this one is written or lost */
	_Atomic bool      inside;  /* the file may end inside a line */
	struct tree_range range;   /* the lines of the latest checkpoint request */
	_Atomic uint64_t  ask;     /* the end of that range; 0: no request */
	struct ledger_leaf {
		_Atomic uint64_t number; /* the line's number plus 1 */
		struct tree_hash hash;
		uint64_t         at; /* when it was written, in ns; 0: not yet */
	} leaf[LEDGER_LEAVES]; /* the latest lines that were not lost; slot: number modulo size */

	/* written by the parent */
	_Atomic bool     signs;    /* the parent has a key */
	_Atomic uint64_t answered; /* the `ask` that `members` answers */
	_Atomic uint64_t size;     /* lines in the tree that was signed last */
	char             members[LEDGER_MEMBERS]; /* of the checkpoint record, as JSON */
};

/* The log thread's working copy. */
struct ledger_work {
	struct ledger       *kept; /* NULL: this output has no ledger */
	struct ledger_ranges now;
	uint64_t             saved; /* the end of `since` in the kept copy */
};

void ledger_open(struct ledger_work *w, struct ledger *kept);
/* After a worker died: the lines before `next` that it had not written are lost. Returns how many they are. */
uint64_t ledger_recover(struct ledger_work *w, uint64_t next);
/* The number of the next line, as far as this output knows. */
uint64_t ledger_next(const struct ledger_work *w);

/* Adds the next line, which is in the buffer. */
void ledger_add(struct ledger_work *w, const struct tree_hash *hash);
/* Adds the next line, which is lost. */
void ledger_lose(struct ledger_work *w, const struct tree_hash *hash);
/* The buffered lines from `first` on are lost. */
void ledger_lose_from(struct ledger_work *w, uint64_t first);
/* That many more lines have been written, at `now` (ns). */
void ledger_wrote(struct ledger_work *w, uint64_t lines, uint64_t now);
/* Saves what was added since the last call in the memory that outlives the worker. Called once per batch. */
void ledger_save(struct ledger_work *w);

static inline bool ledger_has_gap(const struct ledger_work *w)
{
	return w->now.lost.begin < w->now.lost.end;
}
/* Ends the gap: the caller writes its record as the next line, with the buffer empty. Returns the lost lines. If that
 * record is lost as well, it becomes part of the same gap. */
const struct tree_range *ledger_tell_gap(struct ledger_work *w);
/* The lines written at or after a time (ns), among the latest thousand. */
struct tree_range ledger_written_since(const struct ledger_work *w, uint64_t ns);
/* Writes the members of a gap record; hashes: of its lines, for the output that lost them. */
void ledger_gap_members(struct json *j, unsigned output, const struct tree_range *gap, const char *why,
                        bool hashes);

/* Requests a checkpoint of all lines so far, unless the parent has yet to answer an earlier request. */
void ledger_ask(struct ledger_work *w);
bool ledger_is_answered(const struct ledger_work *w);
/* The members of the latest checkpoint's record; NULL: the parent has not answered, or did not sign. */
const char *ledger_answer(struct ledger_work *w);

#endif
