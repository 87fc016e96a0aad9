/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes JSON (RFC 8259) into the caller's buffer, value by value, without a tree in memory. (Jansson reads JSON.)
 *
 * Keys are not escaped: they are literals of ours. Inside an array the key is NULL. When something does not fit,
 * the whole text is unusable and json_finish() returns 0.
 */
#ifndef NFQD_LOG_JSON_H
#define NFQD_LOG_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct json {
	char  *out; /* borrowed */
	size_t n, room;
	bool   comma; /* the next value needs one */
	bool   full;
};

static inline void json_begin(struct json *j, char *out, size_t room)
{
	*j = (struct json){.out = out, .room = room};
}

/* Opens an object '{' or an array '['; closes the innermost one, '}' or ']'. */
void json_open(struct json *j, const char *key, char bracket);
void json_close(struct json *j, char bracket);

/* A string. Control characters are escaped. In text that is not UTF-8 (RFC 3629), each byte beyond ASCII is written
 * as \DDD, like unusual bytes of names (RFC 1035 5.1). */
void json_text(struct json *j, const char *key, const char *text);
void json_uint(struct json *j, const char *key, uint64_t n);
void json_bool(struct json *j, const char *key, bool value);
void json_base64(struct json *j, const char *key, struct span bytes); /* RFC 4648 4 */
void json_nothing(struct json *j, const char *key); /* null */
/* One or more members that are JSON already: "key":value,… */
void json_members(struct json *j, const char *members, size_t n);

/* The length of the text, which is then NUL-terminated; 0: it did not fit. */
size_t json_finish(struct json *j);

#endif
