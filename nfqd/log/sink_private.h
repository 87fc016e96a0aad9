/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to log/: the operations of an output type. A new type is a row of base/output.h and a file. */
#ifndef NFQD_LOG_SINK_PRIVATE_H
#define NFQD_LOG_SINK_PRIVATE_H

#include "base/diag.h"
#include "base/outlet.h"
#include "log/relay.h"
#include "log/sink.h"

struct sink_ops {
	/* In the parent, at the start and at each reopening: returns a non-blocking descriptor, or -1 with err. */
	int (*open)(const char *path, struct err *err);
	/* Writes one record without a newline; returns its length, 0: it does not fit. */
	size_t (*format)(const struct record *r, bool colour, char *out, size_t room);
	/* The same for the daemon's own records; NULL: this type does not take them. */
	size_t (*format_own)(const struct own_record *r, char *out, size_t room);
	/* Each record is one message on a socket; otherwise it is a line in a file. */
	bool messages;
	/* Connects to a reader's socket; the parent reconnects when the reader closed it. */
	bool connects;
};

struct sink {
	enum sink_type         type;
	const struct sink_ops *ops;
	struct outlet          out;
	bool                   colour;
	uint8_t                privacy, dns; /* enum privacy, enum dns_version */
	bool                   torn; /* the file may end inside a line that will not be completed */
	bool                   wait; /* block while the reader has no room */
	bool                   failing; /* the last write failed */
	char                  *buf;
	size_t                 used, done; /* bytes in buf; how many of the first line's are written */
	uint64_t               size; /* of the file after the last write; 0: not known */
	struct sink_counts     own, *counts;
	struct ledger_work     ledger;
	struct tree_range      cut;     /* lines that a truncation may have taken */
	char                   why[64]; /* of the gap */
	struct diag_rate       rate;
};

struct sinks {
	struct sink       v[SINKS_MAX];
	unsigned          n;
	bool              wait;
	uint64_t          seq; /* of the next record */
	_Atomic uint64_t *seq_kept; /* NULL: nowhere */
	uint64_t          checkpoint_due, asked; /* clock_monotonic(); 0: not started, nothing requested */
	struct identity   identity;
	struct relay      relay;
	struct feed      *feed; /* NULL: there are no sightings */
};

/* sink_buffer.c */
MUST_CHECK int sink_buffer_new(struct sink *k);
/* Takes a line of n bytes; n == 0: the record was too long, and is lost. */
void sink_put(struct sink *k, const char *line, size_t n);
/* Writes the buffer; what a slow reader has no room for stays in it. */
void sink_flush(struct sink *k);
void sink_save(struct sink *k);
void sink_give_up(struct sink *k);     /* loses what is in the buffer */
void sink_begin_anew(struct sink *k);  /* the descriptor now leads to another file */

/* sink.c: writes one of the daemon's own records; its members may differ by output */
typedef const char *sink_members_of(const void *ctx, unsigned i);
void sinks_write_each(struct sinks *s, uint64_t ts, sink_members_of *members, const void *ctx);

/* sink_seal.c: writes the records of gaps that have ended. Returns whether there were any. */
bool sinks_write_gaps(struct sinks *s);

#define X(id, word, path, ops) extern const struct sink_ops ops;
SINKS(X)
#undef X

/* sink_unix.c: connects a socket of that type; reader: the program that is missing when that fails. Returns a
 * descriptor, or -1 with err. */
MUST_CHECK int sink_connect(const char *path, int type, const char *reader, struct err *err);

/* sink_file.c: opens files, FIFOs and (path "-") standard output. */
MUST_CHECK int sink_file_open(const char *path, struct err *err);

#endif
