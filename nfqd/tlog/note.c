/* SPDX-License-Identifier: GPL-2.0-or-later */
/* C2SP signed notes: keys, signing, verifying. Knows nothing about the content of the text. */
#include "tlog/note.h"

#include <errno.h>
#include <nettle/base64.h>
#include <nettle/eddsa.h>
#include <nettle/sha2.h>
#include <string.h>
#include <sys/random.h>

#define ALGORITHM 1 /* Ed25519 */
#define DASH      "\xe2\x80\x94 " /* em dash and blank: begins a line of a signature */
#define PRIVATE   "PRIVATE+KEY+"
#define SIGNATURE (4 + ED25519_SIGNATURE_SIZE)

/* The first four bytes of SHA-256(name, newline, algorithm, public key). */
static uint32_t hash_of(const char *name, const uint8_t public[static NOTE_KEY_SIZE])
{
	struct sha256_ctx sha;
	uint8_t           digest[4], middle[] = { '\n', ALGORITHM };

	sha256_init(&sha);
	sha256_update(&sha, strlen(name), (const uint8_t *)name);
	sha256_update(&sha, sizeof(middle), middle);
	sha256_update(&sha, NOTE_KEY_SIZE, public);
	sha256_digest(&sha, sizeof(digest), digest);
	return (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 | digest[3];
}

static bool name_ok(const char *name, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (name[i] <= ' ' || name[i] == '+' || name[i] > '~')
			return false;
	return n > 0 && n < NOTE_NAME;
}

/* Decodes exactly n bytes. */
static bool decode(const char *text, size_t len, uint8_t *out, size_t n)
{
	struct base64_decode_ctx ctx;
	uint8_t                  room[256];
	size_t                   got = sizeof(room);

	base64_decode_init(&ctx);
	if (len > 300 || !base64_decode_update(&ctx, &got, room, len, text) || !base64_decode_final(&ctx) ||
	    got != n)
		return false;
	memcpy(out, room, n);
	return true;
}

/* ---- keys ---------------------------------------------------------------------------------- */

void note_key_public(const struct note_key *signer, struct note_key *verifier)
{
	*verifier = *signer;
	ed25519_sha512_public_key(verifier->key, signer->key);
}

int note_key_new(const char *name, struct note_key *signer, struct err *err)
{
	struct note_key verifier;

	*signer = (struct note_key){ .hash = 0 };
	if (!name_ok(name, strlen(name)))
		return err_set(err, "'%s' is not a key's name (printable, without blanks and '+')", name);
	snprintf(signer->name, sizeof(signer->name), "%s", name);
	if (getrandom(signer->key, sizeof(signer->key), 0) != (ssize_t)sizeof(signer->key))
		return err_set(err, "no random numbers: %s", strerror(errno));
	note_key_public(signer, &verifier);
	signer->hash = hash_of(name, verifier.key);
	return 0;
}

void note_key_text(const struct note_key *k, bool signer, char out[static NOTE_KEY_TEXT])
{
	uint8_t raw[1 + NOTE_KEY_SIZE] = { ALGORITHM };
	char    text[BASE64_ENCODE_RAW_LENGTH(sizeof(raw)) + 1];

	memcpy(raw + 1, k->key, NOTE_KEY_SIZE);
	base64_encode_raw(text, sizeof(raw), raw);
	text[sizeof(text) - 1] = '\0';
	snprintf(out, NOTE_KEY_TEXT, "%s%s+%08x+%s", signer ? PRIVATE : "", k->name, k->hash, text);
}

int note_key_parse(const char *text, bool signer, struct note_key *out, struct err *err)
{
	const char     *what = signer ? "signer key" : "verifier key", *hash, *data;
	uint8_t         raw[1 + NOTE_KEY_SIZE];
	struct note_key public;

	*out = (struct note_key){ .hash = 0 };
	if (signer && strncmp(text, PRIVATE, sizeof(PRIVATE) - 1) != 0)
		return err_set(err, "not a %s (" PRIVATE "NAME+HASH+DATA)", what);
	text += signer ? sizeof(PRIVATE) - 1 : 0;
	hash = strchr(text, '+');
	data = hash ? strchr(hash + 1, '+') : NULL;
	if (!data || data - hash != 9 || !name_ok(text, (size_t)(hash - text)) ||
	    sscanf(hash + 1, "%8x", &out->hash) != 1 ||
	    !decode(data + 1, strcspn(data + 1, "\r\n"), raw, sizeof(raw)) || raw[0] != ALGORITHM)
		return err_set(err, "not a %s (NAME+HASH+DATA)", what);
	memcpy(out->name, text, (size_t)(hash - text));
	memcpy(out->key, raw + 1, NOTE_KEY_SIZE);
	public = *out;
	if (signer)
		note_key_public(out, &public);
	if (hash_of(out->name, public.key) != out->hash)
		return err_set(err, "a %s whose hash does not fit", what);
	return 0;
}

/* ---- signatures ---------------------------------------------------------------------------- */

void note_sign(const struct note_key *signer, const char *text, size_t n, char out[static NOTE_LINE])
{
	uint8_t         raw[SIGNATURE];
	char            coded[BASE64_ENCODE_RAW_LENGTH(SIGNATURE) + 1];
	struct note_key verifier;

	note_key_public(signer, &verifier);
	for (unsigned i = 0; i < 4; i++)
		raw[i] = (uint8_t)(signer->hash >> (24 - 8 * i));
	ed25519_sha512_sign(verifier.key, signer->key, n, (const uint8_t *)text, raw + 4);
	base64_encode_raw(coded, sizeof(raw), raw);
	coded[sizeof(coded) - 1] = '\0';
	snprintf(out, NOTE_LINE, DASH "%s %s\n", signer->name, coded);
}

/* Where the signatures begin: past the last empty line. NULL: there is none. */
static const char *signatures(const char *note, const char *end)
{
	for (const char *at = end - 1; at > note; at--)
		if (at[0] == '\n' && at[-1] == '\n')
			return at + 1;
	return NULL;
}

struct line {
	const char *name, *data;
	size_t      name_n, data_n;
};

/* Cuts one line of a signature; moves *at past it. */
static bool read_line(const char **at, const char *end, struct line *out)
{
	const char *nl = memchr(*at, '\n', (size_t)(end - *at)), *blank;
	size_t      dash = sizeof(DASH) - 1;

	if (!nl || (size_t)(nl - *at) < dash || memcmp(*at, DASH, dash) != 0)
		return false;
	out->name = *at + dash;
	blank = memchr(out->name, ' ', (size_t)(nl - out->name));
	if (!blank || !name_ok(out->name, (size_t)(blank - out->name)))
		return false;
	out->name_n = (size_t)(blank - out->name);
	out->data = blank + 1;
	out->data_n = (size_t)(nl - out->data);
	*at = nl + 1;
	return true;
}

static bool is_by(const struct line *l, const uint8_t raw[static SIGNATURE], const struct note_key *k)
{
	uint32_t hash = (uint32_t)raw[0] << 24 | (uint32_t)raw[1] << 16 | (uint32_t)raw[2] << 8 | raw[3];

	return hash == k->hash && strlen(k->name) == l->name_n && memcmp(k->name, l->name, l->name_n) == 0;
}

static bool is_named(const struct line *l, const struct note_key *keys, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (strlen(keys[i].name) == l->name_n && memcmp(keys[i].name, l->name, l->name_n) == 0)
			return true;
	return false;
}

long note_verify(const char *note, size_t size, const struct note_key *keys, unsigned n, unsigned *by,
                 struct err *err)
{
	const char *end = note + size, *at = size < 2 ? NULL : signatures(note, end);
	size_t      text = at ? (size_t)(at - note) - 1 : 0;
	bool        good = false;
	struct line l;

	if (!at || at == end)
		return err_set(err, "not a signed note");
	while (at < end) {
		uint8_t raw[SIGNATURE];

		if (!read_line(&at, end, &l))
			return err_set(err, "not a signed note: a damaged signature");
		if (!decode(l.data, l.data_n, raw, sizeof(raw))) {
			if (is_named(&l, keys, n))
				return err_set(err, "not a signed note: a damaged signature");
			continue; /* of another kind, by a key that is not known here */
		}
		for (unsigned i = 0; i < n; i++) {
			if (!is_by(&l, raw, &keys[i]))
				continue;
			if (!ed25519_sha512_verify(keys[i].key, text, (const uint8_t *)note, raw + 4))
				return err_set(err, "the signature of key '%s' does not fit", keys[i].name);
			*by = i;
			good = true;
		}
	}
	return good ? (long)text : err_set(err, "not signed by a key that is trusted here");
}
