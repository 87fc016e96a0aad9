/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several capture files as one, in the order of their packets' times: what a mirror port wrote hour by
 * hour, or two sides of a network. A file that cannot be read to its end costs the others nothing.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/diag.h"
#include "capture/pcap_private.h"

struct file {
	struct capture   *capture;
	struct raw_packet head; /* the next packet; borrowed from the capture */
	bool              has;
};

struct merged {
	struct capture base;
	struct file   *taken; /* whose packet is out; NULL: none */
	int            end;   /* what recv() says after the last packet */
	unsigned       n;
	struct file    v[];
};

/* The worse end of two. */
static int worse(int a, int b)
{
	if (a == -EIO || b == -EIO)
		return -EIO;
	return a == -EPIPE ? b : a;
}

static void advance(struct merged *m, struct file *f)
{
	struct raw_packet burst[CAPTURE_BURST];
	int               r;

	do
		r = f->capture->ops->recv(f->capture, burst);
	while (r == 0);
	f->has = r > 0;
	if (f->has)
		f->head = burst[0];
	else
		m->end = worse(m->end, r);
}

static int merged_recv(struct capture *c, struct raw_packet burst[static CAPTURE_BURST])
{
	struct merged *m = (struct merged *)c;
	struct file   *first = NULL;

	if (m->taken)
		advance(m, m->taken);
	for (struct file *f = m->v; f < m->v + m->n; f++)
		if (f->has && (!first || f->head.ts < first->head.ts))
			first = f;
	m->taken = first;
	if (!first)
		return m->end;
	burst[0] = first->head;
	return 1;
}

static void merged_close(struct capture *c)
{
	struct merged *m = (struct merged *)c;

	for (unsigned i = 0; i < m->n; i++)
		m->v[i].capture->ops->close(m->v[i].capture);
	free(m);
}

static bool is_stdin(const char *path)
{
	return path[0] == '-' && path[1] == '\0';
}

struct capture *pcap_files_open(const char *const paths[], unsigned n, struct err *err)
{
	static const struct capture_ops ops = { "files", merged_recv, pcap_no_verdict, pcap_no_flush,
		                                merged_close };
	struct merged *m;
	unsigned       pipes = 0;

	if (n == 1)
		return pcap_file_open(paths[0], err);
	m = calloc(1, sizeof(*m) + n * sizeof(m->v[0]));
	if (!m)
		return err_set(err, "out of memory"), NULL;
	m->base.ops = &ops;
	m->end = -EPIPE;
	for (; m->n < n; m->n++) {
		pipes += is_stdin(paths[m->n]);
		if (pipes > 1)
			err_set(err, "-: standard input can be read only once");
		else
			m->v[m->n].capture = pcap_file_open(paths[m->n], err);
		if (!m->v[m->n].capture) {
			merged_close(&m->base);
			return NULL;
		}
	}
	for (unsigned i = 0; i < n; i++)
		advance(m, &m->v[i]);
	return &m->base;
}
