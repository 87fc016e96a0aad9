/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records for a person at a terminal, one line each: when, what was done, which client, which name, how the client
 * was told, and why. Nothing from the network reaches the terminal unescaped.
 */
#define _FILE_OFFSET_BITS 64
#define _TIME_BITS 64 /* as in base/clock.c */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "log/finding.h"
#include "log/sink.h"

/* a name is cut to fit the line, to NAME_LEAST characters at least */
enum { LINE_WIDTH = 140, NAME_LEAST = 32, CLIENT_MAX = 24 };

/* A line in a buffer of fixed size; text that does not fit is cut. */
struct line {
	char  *text;
	size_t len, size;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int     n;

	va_start(ap, fmt);
	n = vsnprintf(l->text + l->len, l->size - l->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->len += (size_t)n < l->size - l->len ? (size_t)n : l->size - l->len - 1;
}

/* Appends at most max characters; bytes that are not printable ASCII become \DDD. */
static void add_safe(struct line *l, const char *text, size_t max)
{
	size_t end = l->len + max;

	for (; *text && l->len < end; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c < 0x7f)
			add(l, "%c", c);
		else
			add(l, "\\%03u", c);
	}
}

/* ---- the parts ----------------------------------------------------------------------------- */

static void add_action(struct line *l, uint8_t action, bool colour)
{
#define X(id, word, verdict, shown, colour, ...) [id] = { shown, colour },
	static const struct {
		const char *word, *colour;
	} shown[] = { ACTIONS(X) };
#undef X

	if (colour)
		add(l, "%s%s\033[0m  ", shown[action].colour, shown[action].word);
	else
		add(l, "%s  ", shown[action].word);
}

static void add_client(struct line *l, const struct record *r)
{
	const struct event *e = r->event;
	char                who[ADDR_TEXT] = "?";

	if (e->client.addr.len)
		addr_text(&e->client.addr, who);
	else if (e->src.len)
		addr_text(&e->src, who);
	else if (e->has_mac)
		mac_text(e->mac, who);
	add(l, "%-15s  ", who);
	if (r->client) {
		add_safe(l, r->client, CLIENT_MAX);
		add(l, "  ");
	}
}

static void add_seen_in(struct line *l, const struct event *e)
{
	char buf[12];

	add(l, "%s ", seen_in_title(e->name.seen_in));
	if (e->name.seen_in == SEEN_DNS_QUERY)
		add(l, "%s ", dns_type_text(e->dns_type, buf));
}

static void add_server(struct line *l, const struct event *e)
{
	char where[ADDR_TEXT];

	if (e->name.seen_in == SEEN_ADDRESS) { /* the name is the address */
		add(l, " port %u", e->dport);
		return;
	}
	addr_text(&e->dst, where);
	add(l, " -> %s", where);
}

/* What the client received, or why it received nothing. */
static void add_outcome(struct line *l, const struct event *e, const struct finding *f)
{
#define X(id, word, text) [id] = text,
	static const char *const told[] = { SENT(X) };
#undef X
	const struct decision *d = &e->decision;

	if (f->exception) {
		add(l, "  exception ");
		add_safe(l, rs_text(f->rs, f->exception->name), 32);
	} else if (d->would > d->action) {
		add(l, "  would %s", action_words[d->would]);
	} else if (d->action == ACTION_DROP) {
		add(l, "  dropped");
	} else if (e->sent != SENT_NOTHING) {
		add(l, "  %s", told[e->sent]);
	}
}

static void add_why(struct line *l, const struct finding *f)
{
	if (!f->rule) {
		add(l, "  not listed");
		return;
	}
	add(l, "  ");
	add_safe(l, finding_pack_id(f), 24);
	add(l, "/");
	add_safe(l, rs_text(f->rs, f->rule->id), 48);
	add(l, " (%s)", category_words[f->rule->category]);
}

/* Rules match the end of a name, so a name that is too long loses its beginning. */
static void add_name(struct line *l, const struct name *name, size_t room)
{
	char        text[NAME_TEXT * 4];
	struct line safe = { .text = text, .size = sizeof(text) };

	if (room < NAME_LEAST)
		room = NAME_LEAST;
	text[0] = '\0';
	add_safe(&safe, name->text, sizeof(text));
	if (safe.len > room)
		add(l, "...%s", text + safe.len - (room - 3));
	else
		add(l, "%s", text);
}

/* ---- the line ------------------------------------------------------------------------------ */

void text_line(const struct record *r, bool colour, char *out, unsigned size)
{
	const struct event *e = r->event;
	struct finding      f = finding_of(e);
	char                rest[256];
	struct line         l = { .text = out, .size = size };
	struct line         tail = { .text = rest, .size = sizeof(rest) };
	time_t              seconds = (time_t)(e->ts / NS_PER_S);
	struct tm           tm = { 0 };
	size_t              used;

	if (size == 0)
		return;
	localtime_r(&seconds, &tm);
	add(&l, "%02d:%02d:%02d  ", tm.tm_hour, tm.tm_min, tm.tm_sec);
	used = l.len + strlen("BLOCKED  ");
	add_action(&l, e->decision.action, colour);
	used -= l.len; /* colours take up no columns */
	add_client(&l, r);
	add_seen_in(&l, e);
	used += l.len;
	add_server(&tail, e);
	add_outcome(&tail, e, &f);
	add_why(&tail, &f);
	if (r->relayed)
		add(&tail, "  relayed");
	add_name(&l, &e->name, used + tail.len < LINE_WIDTH ? LINE_WIDTH - used - tail.len : 0);
	add(&l, "%s", rest);
}
