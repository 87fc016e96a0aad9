/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where records go. A sink is one row of sink.c and one file; the log thread is the only caller. A daemon's sinks
 * never block: a record that its file cannot take yet stays in the sink's buffer. When the buffer is full, records
 * are dropped, counted and reported by a `gap` record. A slow sink does not affect the others.
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
	bool                   relayed; /* a resolver on this machine forwards a query that was recorded before */
	uint8_t                privacy, dns; /* of the output: enum privacy, enum dns_version */
	const char            *pseudonym;    /* of the client; "": the record names the client */
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

/* The counts of one output, in records, in memory that outlives the worker. Every record taken ends up written or
 * lost; one that is neither when a worker starts was lost with its predecessor. */
struct sink_counts {
	_Atomic uint64_t taken, written, lost;
	_Atomic bool     stuck; /* records wait for the reader */
	_Atomic bool     gone;  /* the reader closed its socket: the parent reopens the output */
};

struct sinks;
struct feed;

enum { SINKS_MAX = 16 };

/* wait: block for a slow reader, as a program that writes to a pipe does. Returns NULL when out of memory. */
struct sinks *sinks_new(bool wait);
/* Writes what is buffered, for half a second at most. */
void          sinks_free(struct sinks *s);
/* Adds a sink that writes to fd (taken unless it is standard output; for a daemon one that does not
 * block, base/outlet.h). counts is borrowed; NULL: its own. Returns 0 or -errno. */
int sinks_add(struct sinks *s, enum sink_type type, int fd, struct sink_counts *counts);
/* Sets what the records of sink i may tell and how they write DNS. Default: everything. */
void sinks_shape(struct sinks *s, unsigned i, enum privacy privacy, enum dns_version dns);
/* Replaces the descriptor of sink i (log rotation); takes fd. */
void sinks_reopen(struct sinks *s, unsigned i, int fd);

/* Sets the sensor that the records name (copied). Without it they name no sensor. */
void sinks_identify(struct sinks *s, const struct identity *identity);
/* What the sightings need goes to this, too (borrowed). */
void sinks_feed(struct sinks *s, struct feed *feed);
/* Numbers a record and gives it to every sink. */
void sinks_write(struct sinks *s, const struct event *event, const struct sink_hints *hints);
/* Numbers one of the daemon's own records and gives it to every sink that takes those. */
void sinks_write_own(struct sinks *s, uint64_t ts, const char *members);
/* Writes what is buffered; called when the ring is empty. */
void sinks_flush(struct sinks *s);
/* Fills fds with the descriptors that stuck sinks wait for. Returns how many, up to SINKS_MAX. */
unsigned sinks_poll(const struct sinks *s, struct pollfd *fds);

/* The sums over all sinks. */
uint64_t sinks_written(const struct sinks *s);
uint64_t sinks_lost(const struct sinks *s);
/* The number the next record gets. */
void     sinks_set_seq(struct sinks *s, uint64_t seq);
uint64_t sinks_seq(const struct sinks *s);

/* ---- what survives the worker, and proofs ---- */

/* Continues with the record number in *seq (borrowed), and stores each next number there. */
void sinks_number_by(struct sinks *s, _Atomic uint64_t *seq);
/* Gives output i its ledger (borrowed), if that output takes the daemon's own records. */
void sinks_keep(struct sinks *s, unsigned i, struct ledger *kept);
/* To be called when every output has its ledger. Records that the last worker numbered but did not write are a gap. */
void sinks_recover(struct sinks *s);
/* Writes a `gap` record for n records that were lost before they got a number; none for 0. */
void sinks_note_unnumbered(struct sinks *s, uint64_t n);
/* Requests checkpoints from the parent every every_s seconds, and writes those that it has signed. */
void sinks_checkpoint(struct sinks *s, uint32_t every_s);
/* Requests and writes the last checkpoint, of all lines. Waits for the parent for a second at most. */
void sinks_last_checkpoint(struct sinks *s);

/* Its name in the configuration. */
const char *sink_name(enum sink_type type);
/* In the parent: opens what an output of that type writes to. Returns a descriptor, or -1 with err. */
MUST_CHECK int sink_open(enum sink_type type, const char *path, struct err *err);
/* May this type's reader come later than nfqd? */
bool sink_waits_for_reader(enum sink_type type);
/* Opens an unconnected socket for such an output: the worker may only send on descriptors that it had at its start. */
MUST_CHECK int sink_open_place(struct err *err);

#define EVE_MAX 8192 /* room for one record as JSON, with its NUL */
/* Writes one record as a JSON line without its newline. Returns its length; 0: it does not fit. */
size_t eve_line(const struct record *r, char *out, size_t room);
size_t eve_own_line(const struct own_record *r, char *out, size_t room);
/* One readable line, cut to size; colour when the output is a terminal. */
void text_line(const struct record *r, bool colour, char *out, unsigned size);

#endif
