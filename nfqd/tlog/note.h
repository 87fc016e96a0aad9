/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signed notes (C2SP signed-note) with Ed25519 keys: a text, an empty line, and lines of signatures. A
 * verifier key is written NAME+HASH+BASE64, a signer key PRIVATE+KEY+NAME+HASH+BASE64.
 */
#ifndef NFQD_TLOG_NOTE_H
#define NFQD_TLOG_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define NOTE_NAME     128 /* longest name of a key, and its NUL */
#define NOTE_KEY_TEXT 256 /* a key as text */
#define NOTE_MAX      (1 << 20) /* bytes of a whole note */
#define NOTE_KEY_SIZE 32

struct note_key {
	char     name[NOTE_NAME];
	uint32_t hash;
	uint8_t  key[NOTE_KEY_SIZE]; /* the public key; of a signer the seed */
};

/* Makes a new pair. Returns 0, or -1 with err filled. */
MUST_CHECK int note_key_new(const char *name, struct note_key *signer, struct err *err);
void           note_key_public(const struct note_key *signer, struct note_key *verifier);
/* As text; signer: with the word that marks it as private. */
void           note_key_text(const struct note_key *k, bool signer, char out[static NOTE_KEY_TEXT]);
MUST_CHECK int note_key_parse(const char *text, bool signer, struct note_key *out, struct err *err);

/* Writes the signature line of a text, which ends with a newline, into out. */
#define NOTE_LINE (NOTE_NAME + 120)
void note_sign(const struct note_key *signer, const char *text, size_t n, char out[static NOTE_LINE]);
/*
 * Returns the length of the text of a note that one of n keys has signed, or -1 with err filled. *by: which
 * key. A signature of a known key that does not fit is an error; those of unknown keys are ignored.
 */
MUST_CHECK long note_verify(const char *note, size_t size, const struct note_key *keys, unsigned n,
                            unsigned *by, struct err *err);

#endif
