/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one gate that every name passes, and the words for names in records. */
#include "name/name.h"

#include <stdio.h>

/* What a name shows as it is, together with the bit that folds its case: a bit that the others have
 * anyway. ':' is for IPv6 literals and '*' for certificates. */
static const uint8_t plain[256] = {
	['a' ... 'z'] = 0x20, ['A' ... 'Z'] = 0x20, ['0' ... '9'] = 0x20, ['-'] = 0x20,
	['_'] = 0x40,         [':'] = 0x20,         ['*'] = 0x20,
};

/* Appends text to a name; when it does not fit, the left-hand end goes. */
static void append(struct name *out, const char *text, size_t n)
{
	if (out->len + n >= NAME_TEXT) {
		size_t cut = out->len + n - (NAME_TEXT - 1);

		memmove(out->text, out->text + cut, out->len - cut);
		out->len = (uint16_t)(out->len - cut);
	}
	memcpy(out->text + out->len, text, n);
	out->len = (uint16_t)(out->len + n);
	out->text[out->len] = '\0';
}

/* Nearly every label is as long as its text, and has room. */
static void append_label(struct name *out, struct span label)
{
	size_t fits = out->len + label.n < NAME_TEXT ? label.n : 0, n = 0;
	char  *to = out->text + out->len;

	for (; n < fits && plain[label.p[n]]; n++)
		to[n] = (char)(label.p[n] | plain[label.p[n]]);
	to[n] = '\0';
	out->len = (uint16_t)(out->len + n);
	for (; n < label.n; n++) {
		char text[5] = { (char)(label.p[n] | plain[label.p[n]]) };

		if (!plain[label.p[n]])
			snprintf(text, sizeof(text), "\\%03u", label.p[n]);
		append(out, text, strlen(text));
	}
}

bool name_push_label(struct name *out, struct span label)
{
	if (out->len > 0)
		append(out, ".", 1);
	append_label(out, label);
	return label.n > 0;
}

bool name_canonical(struct name *out, struct span text)
{
	out->len = 0;
	out->text[0] = '\0';
	if (text.n > 0 && text.p[text.n - 1] == '.')
		text.n--;
	for (;;) {
		const uint8_t *dot = text.n ? memchr(text.p, '.', text.n) : NULL;

		append_label(out, dot ? span_of(text.p, (size_t)(dot - text.p)) : text);
		if (!dot)
			return out->len > 0;
		append(out, ".", 1);
		text = span_of(dot + 1, text.n - (size_t)(dot + 1 - text.p));
	}
}

bool names_add(struct names *set, const struct name *name)
{
	for (unsigned i = 0; i < set->n; i++)
		if (set->v[i].len == name->len && set->v[i].seen_in == name->seen_in &&
		    memcmp(set->v[i].text, name->text, name->len) == 0)
			return true;
	if (set->n == NAMES_MAX)
		return false;
	memcpy(&set->v[set->n++], name, offsetof(struct name, text) + name->len + 1); /* most are short */
	return true;
}

static WORDS(seen_in_words, SEEN_IN, SEEN_N);
static WORDS(app_words, APPS, APP_N);

const char *seen_in_text(enum seen_in s)
{
	return seen_in_words[s];
}

const char *seen_in_title(enum seen_in s)
{
#define X(id, word, title) [id] = (title),
	static const char *const titles[] = { SEEN_IN(X) };
#undef X

	return titles[s];
}

const char *app_text(enum app a)
{
	return app_words[a];
}

const char *app_event_type(enum app a)
{
#define X(id, word, type) [id] = (type),
	static const char *const types[] = { APPS(X) };
#undef X

	return types[a];
}

const char *tls_version_text(uint16_t version)
{
	static const struct {
		uint16_t    version;
		const char *text;
	} versions[] = {
		{ 0x0304, "TLS 1.3" }, { 0x0303, "TLS 1.2" }, { 0x0302, "TLS 1.1" },
		{ 0x0301, "TLS 1.0" }, { 0x0300, "SSL 3.0" }, { 0x0002, "SSL 2.0" },
		{ 0xfefd, "DTLS 1.2" }, { 0xfeff, "DTLS 1.0" },
	};

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (versions[i].version == version)
			return versions[i].text;
	return "unknown";
}

/* As Suricata writes it: the number for RFC versions, the word for Google's, else hexadecimal. */
const char *quic_version_text(uint32_t version, char buf[static 12])
{
	const uint8_t word[] = { (uint8_t)(version >> 24), (uint8_t)(version >> 16),
		                 (uint8_t)(version >> 8), (uint8_t)version };

	if (version == 1)
		return "1";
	if (version == 0x6b3343cf)
		return "2";
	if (word[0] == 'Q' || word[0] == 'T')
		snprintf(buf, 12, "%.4s", (const char *)word);
	else
		snprintf(buf, 12, "%08x", version);
	return buf;
}
