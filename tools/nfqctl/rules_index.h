/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index of a release of the list, the text of a signed note. One line each:
 *
 *   nfqd rules 1
 *   number 17                          goes up with every release
 *   date 2026-11-28T10:00:00Z
 *   expires 2027-02-28T10:00:00Z       a mirror that stands still is noticed
 *   program 0.1.0                      the oldest nfqd that reads these packs
 *   file SHA256 BYTES NAME VERSION     one each; lies at files/SHA256; version '-': no pack
 *   key NAME+HASH+DATA                 a key that signs from now on, too
 */
#ifndef NFQCTL_RULES_INDEX_H
#define NFQCTL_RULES_INDEX_H

#include <nettle/sha2.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define INDEX_NOTE      "index.note"
#define INDEX_FILES_MAX 1000
#define INDEX_FILE_MAX  (64UL << 20)
#define INDEX_KEYS_MAX  4
#define HEX_SHA256      (2 * SHA256_DIGEST_SIZE + 1)

struct index_file {
	char     sha256[HEX_SHA256], name[128], version[40];
	uint64_t size;
};

struct rules_index {
	uint64_t           number;
	int64_t            date, expires; /* seconds */
	char               program[32];
	struct index_file *files; /* owned */
	unsigned           n_files;
	char               keys[INDEX_KEYS_MAX][256];
	unsigned           n_keys;
};

/* Reads the text of a verified note. Returns 0, or -1 with err filled. */
MUST_CHECK int index_parse(const char *text, size_t n, struct rules_index *out, struct err *err);
/* The text as malloc()ed string; NULL: out of memory. */
MUST_CHECK char *index_text(const struct rules_index *x);
void             index_free(struct rules_index *x);

/* SHA-256 in lower-case hexadecimal. */
void           sha256_hex(const void *data, size_t n, char out[static HEX_SHA256]);
/* Is this a file name that releases may have: no folder, no leading dot, ending in .yaml or .txt? */
bool           index_name_ok(const char *name);
/* Reads a whole file of at most max bytes; NULL: err is filled. The caller frees it. */
MUST_CHECK char *index_read_file(const char *path, size_t max, size_t *n, struct err *err);
MUST_CHECK int   index_write_file(const char *path, const void *data, size_t n, struct err *err);

#endif
