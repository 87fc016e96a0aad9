/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plain text before TLS in mail protocols: STARTTLS of SMTP (RFC 3207) and IMAP (RFC 9051 6.2.1), STLS
 * of POP3 (RFC 2595). A client's commands name no host; what matters is where they end: at the hello after
 * such a command, or where a message's own text begins, in which nothing is a hello of this connection.
 * Whether the server agreed is not known here: after a refusal more commands follow.
 */
#include "name/parsers.h"

enum {
	TEXT_MAX = 4096, /* commands that are read; a client that wants TLS asks for it first */
	WORD_MAX = 12,
	HANDSHAKE = 22 /* the first byte of a record of TLS */
};

enum effect {
	EFFECT_NONE,
	EFFECT_TLS,     /* after this line comes a hello, when the server agrees */
	EFFECT_READY,   /* the server may accept a message from here on */
	EFFECT_CONTENT, /* then, after this line comes a message's text */
};

/* first: a client's first command, which tells the protocol. tagged: IMAP's, after a tag. */
static const struct command {
	const char *word;
	bool        first, tagged;
	uint8_t     effect;
} commands[] = {
	{ "EHLO", true, false, EFFECT_NONE },         { "HELO", true, false, EFFECT_NONE },
	{ "LHLO", true, false, EFFECT_NONE },         { "STARTTLS", true, false, EFFECT_TLS },
	{ "CAPA", true, false, EFFECT_NONE },         { "STLS", true, false, EFFECT_TLS },
	{ "USER", true, false, EFFECT_NONE },         { "RCPT", false, false, EFFECT_READY },
	{ "DATA", false, false, EFFECT_CONTENT },     { "BDAT", false, false, EFFECT_CONTENT },
	{ "CAPABILITY", true, true, EFFECT_NONE },    { "ID", true, true, EFFECT_NONE },
	{ "NOOP", true, true, EFFECT_NONE },          { "STARTTLS", true, true, EFFECT_TLS },
	{ "LOGIN", true, true, EFFECT_READY },        { "AUTHENTICATE", true, true, EFFECT_READY },
	{ "APPEND", false, true, EFFECT_CONTENT },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\r' || c == '\n';
}

/* The first word of *line, which is moved past it and one blank. */
static struct span cut_word(struct span *line)
{
	size_t      n = 0;
	struct span word;

	while (n < line->n && !is_blank(line->p[n]))
		n++;
	word = span_of(line->p, n);
	n += n < line->n;
	*line = span_of(line->p + n, line->n - n);
	return word;
}

static const struct command *find_command(struct span line)
{
	struct span rest = line, word = cut_word(&rest), second = cut_word(&rest);

	for (size_t i = 0; i < N_COMMANDS; i++)
		if (span_eq_nocase(commands[i].tagged ? second : word, span_str(commands[i].word)))
			return &commands[i];
	return NULL;
}

/* RFC 9051: a tag; the first words of other protocols contain other characters. */
static bool is_tag(struct span word)
{
	for (size_t i = 0; i < word.n; i++) {
		uint8_t c = ascii_lower(word.p[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_'))
			return false;
	}
	return word.n > 0 && word.n <= WORD_MAX;
}

/* May the bytes become the first line of such a client? */
static bool may_begin(struct span line)
{
	struct span rest = line, word = cut_word(&rest), part;
	bool        whole = word.n < line.n;

	if (!is_tag(word))
		return false;
	part = whole ? cut_word(&rest) : word;
	for (size_t i = 0; i < N_COMMANDS; i++) {
		struct span all = span_str(commands[i].word);

		if (!whole && commands[i].tagged) /* it may be a tag */
			return true;
		if (whole && !commands[i].tagged && span_eq_nocase(word, all))
			return true;
		if (commands[i].tagged == whole && part.n <= all.n &&
		    span_eq_nocase(part, span_of(all.p, part.n)))
			return true;
	}
	return false;
}

enum wire_err starttls_guess(struct wire w)
{
	struct span           first = span_of(w.pos, wire_left(&w));
	const uint8_t        *lf = first.n ? memchr(first.p, '\n', first.n) : NULL;
	const struct command *c;

	if (!lf && first.n <= TEXT_MAX && (first.n == 0 || may_begin(first)))
		return w.open ? WIRE_MORE : WIRE_NONE;
	c = lf ? find_command(span_of(first.p, (size_t)(lf - first.p))) : NULL;
	return c && c->first && may_begin(span_of(first.p, (size_t)(lf - first.p))) ? WIRE_OK : WIRE_NONE;
}

/* After the command, finds what a server reads as TLS; a server that is sent more text before it
 * discards that text. Where the server refused the command, the same bytes in a message's own text are taken for a
 * hello: no printable text has them, and a hello that names no listed host passes. */
static enum wire_err find_hello(struct wire *w, struct names *out)
{
	static const uint8_t mark[] = { HANDSHAKE, 3 };
	size_t               left = wire_left(w);
	const uint8_t       *at = left ? memmem(w->pos, left, mark, sizeof(mark)) : NULL;

	if (!at && left < TEXT_MAX) {
		wire_skip(w, left + 1); /* MORE */
		return *w->err;
	}
	out->tunnel = at != NULL;
	wire_skip(w, at ? (size_t)(at - w->pos) : left);
	return *w->err;
}

enum wire_err starttls_names(struct wire *w, struct names *out)
{
	const uint8_t *begin = w->pos;
	bool           ready = false;

	names_begin(out, APP_NONE);
	while ((size_t)(w->pos - begin) < TEXT_MAX) {
		size_t                left = wire_left(w);
		const uint8_t        *lf = left ? memchr(w->pos, '\n', left) : NULL;
		const struct command *c;
		struct span           line;

		if (left && w->pos[0] == HANDSHAKE) { /* whoever asked for it, and in whatever way */
			out->tunnel = true;
			return WIRE_OK;
		}
		if (!lf && left >= TEXT_MAX)
			break;
		line = wire_span(w, lf ? (size_t)(lf - w->pos) + 1 : left + 1);
		if (*w->err != WIRE_OK)
			return *w->err;
		c = find_command(line);
		if (c && c->effect == EFFECT_TLS)
			return find_hello(w, out);
		if (c && c->effect == EFFECT_CONTENT && ready)
			return WIRE_OK;
		ready |= c && c->effect == EFFECT_READY;
	}
	wire_skip(w, wire_left(w));
	return *w->err;
}
