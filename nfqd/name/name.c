/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of protocols that carry names, the one gate every name passes, and the words for them
 * in records. To add a protocol: one file with a guess and an extractor, one row here.
 */
#include "name/name.h"

#include <stdio.h>

static const struct name_proto protos[] = {
	/* answers first: there are resolvers that ask from port 53 */
	{ "dns answer", APP_DNS, L4_UDP, false, 0, 53, dns_answer_guess, dns_answer_names },
	{ "dns", APP_DNS, L4_UDP, false, 53, 0, dns_guess, dns_names },
	/* before DNS: the header of a record may look like one of a long query */
	{ "tls", APP_TLS, L4_TCP, true, 0, 0, tls_guess, tls_names },
	{ "dns", APP_DNS, L4_TCP, false, 53, 0, dns_tcp_guess, dns_tcp_names },
	{ "dns answer", APP_DNS, L4_TCP, false, 0, 53, dns_tcp_answer_guess, dns_tcp_answer_names },
	{ "http", APP_HTTP, L4_TCP, false, 0, 0, http_guess, http_names },
	{ "dns", APP_DNS, L4_UDP, false, 0, 0, dns_guess_strict, dns_names },
	{ "dns", APP_DNS, L4_TCP, false, 0, 0, dns_tcp_guess_strict, dns_tcp_names },
	{ "http2", APP_HTTP2, L4_TCP, true, 0, 0, http2_guess, http2_names },
	{ "socks", APP_SOCKS, L4_TCP, false, 0, 0, socks_guess, socks_names },
};

#define N_PROTOS (sizeof(protos) / sizeof(protos[0]))

enum wire_err name_proto_find(enum l4 l4, uint16_t from, uint16_t port, struct span first, bool open,
                              const struct name_proto **row)
{
	enum wire_err best = WIRE_NONE;

	for (size_t i = 0; i < N_PROTOS; i++) {
		enum wire_err err = WIRE_OK, r;

		if (protos[i].l4 != l4 || (protos[i].port && protos[i].port != port) ||
		    (protos[i].from && protos[i].from != from))
			continue;
		r = protos[i].guess(wire_of(first, &err, open));
		if (r == WIRE_OK) {
			*row = &protos[i];
			return WIRE_OK;
		}
		if (r == WIRE_MORE)
			best = WIRE_MORE;
	}
	return best;
}

/* What stands for itself in a name, and the bit that folds its case: one that the others have anyway.
 * ':' is an IPv6 literal's and '*' a certificate's. */
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
#define X(id, word, title) [id] = title,
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
#define X(id, word, type) [id] = type,
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
