/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages about files have one form (base/yaml.h, base/err.h), which is taken apart here for programs. */
#include <stdlib.h>
#include <string.h>

#include "offline/check.h"

#define KEY_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789-_"

static void set_text(json_t *o, const char *key, const char *text, size_t n)
{
	json_object_set_new(o, key, json_stringn_nocheck(text, n));
}

/* "FILE:LINE: "; returns what follows. */
static const char *take_place(json_t *o, const char *text)
{
	for (const char *colon = strchr(text, ':'); colon; colon = strchr(colon + 1, ':')) {
		size_t digits = strspn(colon + 1, "0123456789");

		if (digits == 0 || colon[1 + digits] != ':')
			continue;
		set_text(o, "file", text, (size_t)(colon - text));
		json_object_set_new(o, "line", json_integer(strtoll(colon + 1, NULL, 10)));
		text = colon + 2 + digits;
		break;
	}
	return text + strspn(text, " ");
}

/* "policy 'x': ", "output 2: "; returns what follows. */
static const char *take_item(json_t *o, const char *text)
{
	size_t      word = strspn(text, "abcdefghijklmnopqrstuvwxyz");
	const char *end = text[word] == ' ' ? text + word + 1 : text;

	if (*end == '\'')
		end = strstr(end + 1, "': ") ? strstr(end + 1, "': ") + 1 : text;
	else
		end += strspn(end, "0123456789");
	if (end <= text + word + 1 || strncmp(end, ": ", 2) != 0)
		return text;
	set_text(o, "item", text, (size_t)(end - text));
	return end + 2;
}

/* What stands in quotes at the beginning of text; the end is the quote that a blank or nothing follows. */
static size_t quoted(const char *text)
{
	const char *end = *text == '\'' ? strchr(text + 1, '\'') : NULL;

	while (end && end[1] && !strchr(" ,;:", end[1]))
		end = strchr(end + 1, '\'');
	return end ? (size_t)(end - text - 1) : 0;
}

/* "unknown key 'x'", "missing key 'x'", "key 'x' is given twice" */
static bool take_named_key(json_t *o, const char *text)
{
	static const char *const begins[] = { "unknown key ", "missing key ", "key " };

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		size_t n = strlen(begins[i]), key = strncmp(text, begins[i], n) == 0 ? quoted(text + n) : 0;

		if (key)
			set_text(o, "key", text + n + 1, key);
		if (key)
			return true;
	}
	return false;
}

/* "pack 'x' is unknown", "bad client 'x' (...)"; "policy 'x' is never reached" is about an item. */
static void take_named_value(json_t *o, const char *text)
{
	size_t key, value;

	text += strncmp(text, "bad ", 4) == 0 ? 4 : 0;
	key = strspn(text, KEY_LETTERS);
	value = key && text[key] == ' ' ? quoted(text + key + 1) : 0;
	if (value && (strncmp(text, "policy ", 7) == 0 || strncmp(text, "exception ", 10) == 0)) {
		set_text(o, "item", text, key + value + 3);
	} else if (value) {
		set_text(o, "key", text, key);
		set_text(o, "value", text + key + 2, value);
	}
}

/* "KEY: 'x' is ...", "KEY: interface 'x' ..." */
static bool take_key(json_t *o, const char *text)
{
	size_t      key = strspn(text, KEY_LETTERS), value;
	const char *quote;

	if (!key || strncmp(text + key, ": ", 2) != 0)
		return false;
	set_text(o, "key", text, key);
	quote = text + key + 2;
	if (*quote != '\'' && strchr(quote, ' '))
		quote = strchr(quote, ' ') + 1;
	value = quoted(quote);
	if (value)
		set_text(o, "value", quote + 1, value);
	return true;
}

json_t *check_message(const char *said)
{
	json_t     *o = json_object();
	const char *text = o ? take_item(o, take_place(o, said)) : said;

	if (!o)
		return NULL;
	if (!take_key(o, text) && !take_named_key(o, text))
		take_named_value(o, text);
	set_text(o, "text", text, strlen(text));
	return o;
}
