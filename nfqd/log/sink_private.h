/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to log/: what a kind of output does. A new kind is a row of base/output.h and a file with this. */
#ifndef NFQD_LOG_SINK_PRIVATE_H
#define NFQD_LOG_SINK_PRIVATE_H

#include "base/diag.h"
#include "base/outlet.h"
#include "log/relay.h"
#include "log/sink.h"

struct sink_ops {
	/* In the parent, before records are written and at each reopening: returns a descriptor that
	 * does not block, or -1 with err filled. */
	int (*open)(const char *path, struct err *err);
	/* Writes one record without a newline; returns its length, 0: it does not fit. */
	size_t (*format)(const struct record *r, bool colour, char *out, size_t room);
	/* The same for the daemon's own records; NULL: this output does not take them. */
	size_t (*format_own)(const struct own_record *r, char *out, size_t room);
	/* Each record is a message of its own on a socket; otherwise a line of a file. */
	bool messages;
	/* To a reader's socket: one that ended is connected to anew, by the parent. */
	bool connects;
};

struct sink {
	enum sink_type         type;
	const struct sink_ops *ops;
	struct outlet          out;
	bool                   colour;
	uint8_t                privacy, dns; /* enum privacy, enum dns_version */
	bool                   torn; /* the file may end inside a line that will not be completed */
	bool                   wait; /* for a reader without room */
	bool                   failing; /* the file took nothing */
	char                  *buf;
	size_t                 used, done; /* bytes held; of these written, inside the first line */
	uint64_t               size; /* of a file after the last write; 0: not known */
	struct sink_counts     own, *counts;
	struct ledger_work     ledger;
	struct tree_range      cut;     /* lines that a truncation may have taken */
	char                   why[64]; /* there is a gap */
	struct diag_rate       rate;
};

struct sinks {
	struct sink       v[SINKS_MAX];
	unsigned          n;
	bool              wait;
	uint64_t          seq; /* of the next record */
	_Atomic uint64_t *seq_kept; /* NULL: nowhere */
	uint64_t          checkpoint_due, asked; /* clock_monotonic(); 0: not begun, not asked */
	struct identity   identity;
	struct relay      relay;
	struct feed      *feed; /* NULL: there are no sightings */
};

/* sink_buffer.c */
MUST_CHECK int sink_buffer_new(struct sink *k);
/* Takes a line of n bytes; 0: it was too long to be made. */
void sink_put(struct sink *k, const char *line, size_t n);
/* Afterwards the buffer is empty, except that a reader without room gets what is left later. */
void sink_flush(struct sink *k);
void sink_save(struct sink *k);
void sink_give_up(struct sink *k);     /* what is in the buffer is lost */
void sink_begin_anew(struct sink *k);  /* there is another file */

/* sink.c: the members of the daemon's own record for output i */
typedef const char *sink_members_of(const void *ctx, unsigned i);
void sinks_write_each(struct sinks *s, uint64_t ts, sink_members_of *members, const void *ctx);

/* sink_seal.c: the records of gaps that have ended; whether there were any */
bool sinks_write_gaps(struct sinks *s);

#define X(id, word, path, ops) extern const struct sink_ops ops;
SINKS(X)
#undef X

/* sink_unix.c: connects a socket of that type; reader: what is missing when that fails. A descriptor, or -1. */
MUST_CHECK int sink_connect(const char *path, int type, const char *reader, struct err *err);

/* sink_file.c: an open() for files, FIFOs and (path "-") standard output. */
MUST_CHECK int sink_file_open(const char *path, struct err *err);

#endif
