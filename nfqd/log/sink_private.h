/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to log/: what a kind of output does. A new kind is a row of base/output.h and a file with this. */
#ifndef NFQD_LOG_SINK_PRIVATE_H
#define NFQD_LOG_SINK_PRIVATE_H

#include "log/sink.h"

struct sink_ops {
	/* In the parent, before records are written and for each reopening: a descriptor that does not
	 * block, or -1 with err filled. */
	int (*open)(const char *path, struct err *err);
	/* Writes one record without a newline; returns its length, 0: it does not fit. */
	size_t (*format)(const struct record *r, bool colour, char *out, size_t room);
	/* The same for the daemon's own records; NULL: they are not for this output. */
	size_t (*format_own)(const struct own_record *r, char *out, size_t room);
	/* Each record is a message of its own on a socket; otherwise a line of a file. */
	bool messages;
};

#define X(id, word, path, ops) extern const struct sink_ops ops;
SINKS(X)
#undef X

/* sink_file.c: an open() for files, FIFOs and (path "-") standard output. */
MUST_CHECK int sink_file_open(const char *path, struct err *err);

#endif
