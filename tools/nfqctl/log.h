/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `nfqctl log` knows of record files: their lines by boot and number, with the hashes of the trees that the
 * checkpoints in them are about. Files may be rotated, compressed, and given in any order.
 */
#ifndef NFQCTL_LOG_H
#define NFQCTL_LOG_H

#include <jansson.h>
#include <stdio.h>

#include "tlog/checkpoint.h"

#define LOG_SENSOR 37
#define LOG_KEYS   64

struct log_line {
	uint64_t         number; /* in the tree: seq - 1 */
	struct tree_hash hash;
	uint32_t         file, at; /* which file, which line of it, from 1 */
	bool             late; /* a higher number precedes it in its file */
};

struct log_gap {
	struct tree_range lines;
	unsigned          output;
	bool              maybe; /* only some of the lines may be lost */
	char              why[96];
};

struct log_checkpoint {
	struct checkpoint said;
	char             *note;
	struct tree_range tree;    /* of all lines before; n 0: it does not say */
	unsigned          output;
	const char       *from;    /* for people: where it was found */
	bool              trusted; /* signed by a key that is */
};

struct log_boot {
	char     sensor[LOG_SENSOR];
	uint64_t boot;
	struct log_line       *line;
	size_t                 n_lines, lines_room;
	struct log_gap        *gap;
	size_t                 n_gaps;
	struct log_checkpoint *checkpoint;
	size_t                 n_checkpoints;
	char                   key[NOTE_KEY_TEXT]; /* as its start record says; "": that is not here */
	uint64_t               ended;              /* the last record's seq, as the next boot says; 0: it does not */
};

struct log_rotation {
	char note[3 * NOTE_KEY_TEXT];
};

struct log_trail {
	struct log_boot     *boot;
	size_t               n_boots;
	struct log_rotation *rotation;
	size_t               n_rotations;
	const char         **file;
	unsigned             n_files;
	uint64_t             foreign; /* lines that are no records */
};

/* One line of n bytes, with its newline or a NUL after them. at: which line of the file. Returns false to stop. */
typedef bool log_line_fn(void *ctx, unsigned file, uint32_t at, const char *line, size_t n);
/* Calls fn for every line of the files, plain or gzip; "-" is standard input. Returns 0, or -1 with err filled. */
MUST_CHECK int log_each_line(const char *const *files, unsigned n, log_line_fn *fn, void *ctx, struct err *err);

/* The place of a record; false: it is none. kind: of the daemon's own ones, "" otherwise. own is json's. */
bool log_place(const json_t *json, const json_t **own, const char **sensor, uint64_t *boot, uint64_t *seq,
               const char **kind);

/* Reads everything; lines are sorted, those that are there twice are dropped. */
MUST_CHECK int log_trail_read(struct log_trail *t, const char *const *files, unsigned n, struct err *err);
void           log_trail_free(struct log_trail *t);
/* A checkpoint that was kept elsewhere. -1: it is none, or of no boot that is here. */
MUST_CHECK int log_trail_add_note(struct log_trail *t, const char *note, const char *from, struct err *err);
/* Marks the checkpoints that are signed by these keys, or by one that these vouch for; n 0: by the key that
 * the boot itself names. */
void log_trail_trust(struct log_trail *t, const struct note_key *keys, unsigned n);

/* The output whose lines these are, by the checkpoints; -1: none says so; -2: more than one. */
int log_boot_output(const struct log_boot *b);
const struct log_line *log_boot_line(const struct log_boot *b, uint64_t number);
/* The hash of a complete subtree that a gap record gives. */
const struct tree_hash *log_boot_gap_node(const struct log_boot *b, uint64_t begin, uint64_t *size);
/* Are all of these lines here? */
bool log_boot_has(const struct log_boot *b, uint64_t begin, uint64_t size);

/* "17:4711", or "SENSOR/17/4711". */
bool log_parse_place(const char *text, char sensor[static LOG_SENSOR], uint64_t *boot, uint64_t *seq);

/* Writes a record's proof (C2SP tlog-proof) to out. Returns 0, or -1 with err: why it cannot be proved. */
MUST_CHECK int log_prove(FILE *out, const char *place, const char *const *files, unsigned n, struct err *err);

/* log_verify.c, log_prove.c, log_keys.c, log_resend.c */
struct nfqctl;
int cmd_log_verify(struct nfqctl *ctl, int argc, char **argv);
int cmd_log_prove(struct nfqctl *ctl, int argc, char **argv);
int cmd_log_key(struct nfqctl *ctl, int argc, char **argv);
int cmd_log_resend(struct nfqctl *ctl, int argc, char **argv);

#endif
