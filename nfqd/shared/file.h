/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files that the daemon keeps over a restart: the old one whole or the new one whole. */
#ifndef NFQD_SHARED_FILE_H
#define NFQD_SHARED_FILE_H

#include <jansson.h>
#include <limits.h>

#include "base/err.h"

/* Makes the last folder of a path where it is missing; an obstacle shows when the file is opened. */
void file_make_folder(const char *path);

/* The path of another file in the same folder. Returns 0 or -ENAMETOOLONG. */
MUST_CHECK int file_beside(const char *path, const char *name, char out[static PATH_MAX]);

/* Writes a document as path.new, mode 0600, syncs it, and renames it to path (rename(2)); then the name
 * itself is synced. Returns 0 or -errno: path is as it was, or, when only the last step failed, new. */
int file_replace_json(const char *path, const json_t *doc);

/*
 * Makes a file belong to one nfqd: locks path.lock beside it until the descriptor is closed, however the
 * process ends. The lock file stays. what names the file in err: "control socket". Returns the descriptor,
 * -EWOULDBLOCK when another nfqd has it, or another -errno; err filled.
 */
MUST_CHECK int file_lock(const char *path, const char *what, struct err *err);

#endif
