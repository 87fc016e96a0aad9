/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capture files as they are archived: gzip (RFC 1952), unpacked while they are read. */
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "capture/pcap_private.h"

enum { CHUNK = 64 * 1024, WINDOW = 15, GZIP_ONLY = 16 };

struct gzip {
	FILE    *file; /* owned */
	z_stream z;
	bool     between; /* members: another one may follow, or the end of the file */
	bool     ended, broken;
	uint8_t  in[CHUNK];
};

/* More compressed bytes; false at the end of the file. */
static bool fill(struct gzip *g)
{
	size_t n = fread(g->in, 1, sizeof(g->in), g->file);

	g->z.next_in = g->in;
	g->z.avail_in = (uInt)n;
	return n > 0;
}

/* One step of unpacking. What follows the last member and is none is padding, as of tapes. */
static void step(struct gzip *g)
{
	int r;

	if (g->z.avail_in == 0 && !fill(g)) {
		g->ended = g->between;
		g->broken = !g->between;
		return;
	}
	if (g->between) {
		g->between = false;
		g->ended = *g->z.next_in != 0x1f;
		g->broken = inflateReset(&g->z) != Z_OK;
		if (g->ended || g->broken)
			return;
	}
	r = inflate(&g->z, Z_NO_FLUSH);
	g->between = r == Z_STREAM_END;
	g->broken = r != Z_OK && r != Z_STREAM_END;
}

static ssize_t gzip_read(void *cookie, char *out, size_t room)
{
	struct gzip *g = cookie;

	g->z.next_out = (Bytef *)out;
	g->z.avail_out = (uInt)(room < CHUNK ? room : CHUNK);
	room = g->z.avail_out;
	while (g->z.avail_out == room && !g->ended && !g->broken)
		step(g);
	if (g->z.avail_out < room)
		return (ssize_t)(room - g->z.avail_out);
	if (g->broken)
		errno = EBADMSG;
	return g->broken ? -1 : 0;
}

static int gzip_close(void *cookie)
{
	struct gzip *g = cookie;

	inflateEnd(&g->z);
	fclose(g->file);
	free(g);
	return 0;
}

FILE *gzip_open(FILE *file)
{
	struct gzip *g = calloc(1, sizeof(*g));
	FILE        *unpacked = NULL;

	if (g && inflateInit2(&g->z, WINDOW + GZIP_ONLY) == Z_OK) {
		g->file = file;
		unpacked = fopencookie(g, "r", (cookie_io_functions_t){ .read = gzip_read,
			                                                .close = gzip_close });
		if (!unpacked)
			inflateEnd(&g->z);
	}
	if (!unpacked) {
		free(g);
		fclose(file);
	}
	return unpacked;
}
