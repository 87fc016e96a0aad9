/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes one output's lines provable: the hash of each of them, the tree of those that the parent has not
 * signed yet, and what was lost and is in no `gap` record yet. It lives in memory that outlives the worker, whose
 * successor goes on with it. Record seq N is line N - 1 of every output's tree.
 */
#ifndef NFQD_LOG_LEDGER_H
#define NFQD_LOG_LEDGER_H

#include <stdatomic.h>

#include "log/json.h"
#include "tlog/tree.h"

enum { LEDGER_LEAVES = 2048, LEDGER_MEMBERS = 6144 };

/* Of the log thread; the parent reads `ask` and `range` and trusts neither. */
struct ledger {
	struct ledger_ranges {
		struct tree_range since; /* the lines that no checkpoint was asked for */
		struct tree_range lost;  /* not written, and in no gap record */
		struct tree_range told;  /* lost, and the next line, which may still wait, is their gap record */
	} kept[2];
	_Atomic uint32_t  live;    /* which of the two holds: a death in between leaves the other one */
	_Atomic uint64_t  written; /* every line before this one is written or lost */
	_Atomic bool      inside;  /* the file may end inside a line */
	struct tree_range range;   /* what the latest checkpoint was asked for */
	_Atomic uint64_t  ask;     /* its end; 0: none was */
	struct ledger_leaf {
		_Atomic uint64_t number; /* of the line, plus 1 */
		struct tree_hash hash;
		uint64_t         at; /* when it was written, in ns; 0: not yet */
	} leaf[LEDGER_LEAVES]; /* of the latest lines that were not lost, by number */

	/* of the parent */
	_Atomic bool     signs;    /* there is a key */
	_Atomic uint64_t answered; /* the `ask` that `members` is about */
	_Atomic uint64_t size;     /* of the tree that was signed last */
	char             members[LEDGER_MEMBERS]; /* of the checkpoint's record, as JSON */
};

/* The log thread's view of it. */
struct ledger_work {
	struct ledger       *kept; /* NULL: this output has none */
	struct ledger_ranges now;
	uint64_t             saved; /* the end of `since` in the kept copy */
};

void ledger_open(struct ledger_work *w, struct ledger *kept);
/* Of a predecessor that died: what it had not written by the line `next` is lost. Returns how many lines. */
uint64_t ledger_recover(struct ledger_work *w, uint64_t next);
/* The line that a successor begins with, as far as this output knows. */
uint64_t ledger_next(const struct ledger_work *w);

/* The next line, which waits in a buffer. */
void ledger_add(struct ledger_work *w, const struct tree_hash *hash);
/* The next line, which is lost. */
void ledger_lose(struct ledger_work *w, const struct tree_hash *hash);
/* Of the lines that wait, those from `first` on are lost. */
void ledger_lose_from(struct ledger_work *w, uint64_t first);
/* So many lines more are written. */
void ledger_wrote(struct ledger_work *w, uint64_t lines, uint64_t now);
/* Makes what was added since survive this process at little cost; called once for many lines. */
void ledger_save(struct ledger_work *w);

static inline bool ledger_has_gap(const struct ledger_work *w)
{
	return w->now.lost.begin < w->now.lost.end;
}
/* The next line is the record of what was lost, which is returned; no line waits. Should that line be lost, too,
 * all of it is one gap. */
const struct tree_range *ledger_tell_gap(struct ledger_work *w);
/* The lines that were written at or after a time, of the latest thousand. */
struct tree_range ledger_written_since(const struct ledger_work *w, uint64_t ns);
/* The members of a gap's record; the hashes, for the output that it is in. */
void ledger_gap_members(struct json *j, unsigned output, const struct tree_range *gap, const char *why,
                        bool hashes);

/* Asks the parent for a checkpoint of all lines so far; not before the last answer has come. */
void ledger_ask(struct ledger_work *w);
bool ledger_is_answered(const struct ledger_work *w);
/* The parent's members for the record of the latest checkpoint; NULL: it has not answered, or signed none. */
const char *ledger_answer(struct ledger_work *w);

#endif
