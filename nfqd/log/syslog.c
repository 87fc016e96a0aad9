/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records for syslog: RFC 5424 messages on the local daemon's socket, each with one record as JSON. A message has at
 * most 8 KiB with its header, the default limit of syslog daemons.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>

#include "base/clock.h"
#include "log/sink_private.h"

static int open_socket(const char *path, struct err *err)
{
	return sink_connect(path, SOCK_DGRAM, "syslog daemon", err);
}

/* Writes the header (RFC 5424 6.2); returns its length. PROCID is left out: a worker's number means nothing later. */
static size_t header(int severity, uint64_t ts, const char *host, const char *kind, char *out,
                     size_t room)
{
	char   when[CLOCK_TEXT];
	size_t n;
	int    len;

	clock_text_eve(ts, when);
	n = strlen(when);
	if (n > 5) /* +0000, which RFC 3339 writes as Z */
		memcpy(when + n - 5, "Z", 2);
	len = snprintf(out, room, "<%d>1 %s %s nfqd - %s - ", LOG_DAEMON | severity, when,
	               host[0] ? host : "-", kind);
	return len > 0 && (size_t)len < room ? (size_t)len : room;
}

static int severity_of(const struct decision *d)
{
	if (action_blocks(d->action))
		return LOG_WARNING;
	return d->action == ACTION_LOG ? LOG_NOTICE : LOG_INFO;
}

static size_t format(const struct record *r, bool colour, char *out, size_t room)
{
	const struct decision *d = &r->event->decision;
	size_t n = header(severity_of(d), r->event->ts, r->identity->host,
	                  d->hit >= 0 ? "listed" : "unlisted", out, room);
	size_t len = eve_line(r, out + n, room - n);

	(void)colour;
	return len ? n + len : 0;
}

static size_t format_own(const struct own_record *r, char *out, size_t room)
{
	size_t n = header(LOG_NOTICE, r->ts, r->identity->host, "daemon", out, room);
	size_t len = eve_own_line(r, out + n, room - n);

	return len ? n + len : 0;
}

const struct sink_ops sink_syslog = { open_socket, format, format_own, true, true };
