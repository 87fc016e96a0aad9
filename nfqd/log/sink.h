/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where records go. A sink is one row of sink.c with one file; the log thread is the only caller. A
 * daemon's sinks never wait: what a file has no room for stays in its buffer, and what has no room
 * there is counted, dropped and told by a `gap` record, without any effect on the other sinks.
 */
#ifndef NFQD_LOG_SINK_H
#define NFQD_LOG_SINK_H

#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/output.h"
#include "log/event.h"
#include "log/identity.h"
#include "log/ledger.h"

/* Facts about a record that only the log thread knows. */
struct record {
	const struct event    *event;
	const struct identity *identity;
	uint64_t               seq;
	bool                   relayed; /* the same query seen again on its way */
	uint8_t                privacy, dns; /* of the output: enum privacy, enum dns_version */
	const char            *pseudonym;    /* of the client; "" where it is named */
	const char            *ifname;  /* NULL: unknown */
	const char            *client;  /* the client's name; NULL: unknown */
};

/* Something that the daemon did or that happened to it. */
struct own_record {
	const struct identity *identity;
	uint64_t               seq, ts; /* ts: ns */
	uint8_t                privacy; /* of the output: enum privacy */
	const char            *members; /* JSON: "kind":"start",… */
};

/* What the caller knows about a record beyond the event; NULL: unknown. */
struct sink_hints {
	const char *ifname, *client;
};

/* The counts of one output, in records; they live where they outlive the process. Every record taken is
 * written or lost in the end: what is neither when a process begins was lost with the one before. */
struct sink_counts {
	_Atomic uint64_t taken, written, lost;
	_Atomic bool     stuck; /* records wait for room */
	_Atomic bool     gone;  /* the reader's socket is gone: the parent reopens the output */
};

struct sinks;
struct feed;

enum { SINKS_MAX = 16 };

/* wait: block for a slow reader, as a program at the head of a pipe does. Returns NULL when memory ran
 * out. */
struct sinks *sinks_new(bool wait);
/* Writes what is buffered, as far as a bounded time allows. */
void          sinks_free(struct sinks *s);
/* Adds a sink that writes to fd (taken unless it is standard output; for a daemon one that does not
 * block, base/outlet.h). counts is borrowed; NULL: its own. Returns 0 or -errno. */
int sinks_add(struct sinks *s, enum sink_type type, int fd, struct sink_counts *counts);
/* How the records of sink i look; without it they say everything. */
void sinks_shape(struct sinks *s, unsigned i, enum privacy privacy, enum dns_version dns);
/* Replaces the descriptor of sink i (log rotation); takes fd. */
void sinks_reopen(struct sinks *s, unsigned i, int fd);

/* Says who writes; kept as a copy. Until then the records are not a sensor's. */
void sinks_identify(struct sinks *s, const struct identity *identity);
/* What the sightings need goes to this, too (borrowed). */
void sinks_feed(struct sinks *s, struct feed *feed);
/* Numbers a record and gives it to every sink. */
void sinks_write(struct sinks *s, const struct event *event, const struct sink_hints *hints);
/* Numbers a record of the daemon's own and gives it to every sink that takes such. */
void sinks_write_own(struct sinks *s, uint64_t ts, const char *members);
/* Writes out what is buffered; called when no more records wait. */
void sinks_flush(struct sinks *s);
/* Fills fds with what stuck sinks wait for; returns how many, up to SINKS_MAX. */
unsigned sinks_poll(const struct sinks *s, struct pollfd *fds);

/* Of all sinks. */
uint64_t sinks_written(const struct sinks *s);
uint64_t sinks_lost(const struct sinks *s);
/* The number the next record gets. */
void     sinks_set_seq(struct sinks *s, uint64_t seq);
uint64_t sinks_seq(const struct sinks *s);

/* ---- what a worker keeps for its successor, and proves ---- */

/* Goes on with the number that is kept there, and keeps it there (borrowed). */
void sinks_number_by(struct sinks *s, _Atomic uint64_t *seq);
/* Gives output i its ledger (borrowed), if it is one that takes the daemon's own records. */
void sinks_keep(struct sinks *s, unsigned i, struct ledger *kept);
/* After all have theirs: what a predecessor had numbered and not written is a gap. */
void sinks_recover(struct sinks *s);
/* A gap of records that died before they had a number. 0: nothing is written. */
void sinks_note_unnumbered(struct sinks *s, uint64_t n);
/* Every so many seconds asks the parent for checkpoints, and writes those that have come. */
void sinks_checkpoint(struct sinks *s, uint32_t every_s);
/* The same at once, for all lines; waits for the parent, for a second at most. */
void sinks_last_checkpoint(struct sinks *s);

/* As the configuration calls it. */
const char *sink_name(enum sink_type type);
/* In the parent: opens what an output of that type writes to. Returns a descriptor, or -1. */
MUST_CHECK int sink_open(enum sink_type type, const char *path, struct err *err);
/* Is it one whose reader may come later? */
bool sink_waits_for_reader(enum sink_type type);
/* Then a socket without a reader holds its place: the worker may send on no socket that it had not from the start. */
MUST_CHECK int sink_open_place(struct err *err);

#define EVE_MAX 8192 /* room for one record as JSON, with its NUL */
/* Writes one record as a JSON line without its newline. Returns its length; 0: it does not fit. */
size_t eve_line(const struct record *r, char *out, size_t room);
size_t eve_own_line(const struct own_record *r, char *out, size_t room);
/* One readable line, cut to size; colour when the output is a terminal. */
void text_line(const struct record *r, bool colour, char *out, unsigned size);

#endif
