/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files that records go to: the parent opens them, the worker writes to the descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/outlet.h"
#include "parent/parent_private.h"
#include "shared/file.h"
#include "shared/message.h"

/* A path that is a link is followed, and said: who rotates logs there may write over another file. */
static void say_link(const char *path)
{
	char    to[256];
	ssize_t n = readlink(path, to, sizeof(to));

	if (n > 0)
		diag_warn("log", "%s is a symbolic link to %.*s", path, (int)n, to);
}

/* Never waits: a FIFO that no program reads fails with ENXIO. */
static int open_output(const struct conf_output *o, struct err *err)
{
	int fd;

	if (strcmp(o->path, "-") == 0) {
		fd = outlet_duplicate(STDOUT_FILENO);
		return fd < 0 ? err_set(err, "log -: standard output: %s", strerror(-fd)) : fd;
	}
	file_make_folder(o->path);
	say_link(o->path);
	fd = open(o->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
	if (fd < 0)
		err_set(err, "log %s: %s", o->path,
		        errno == ENXIO ? "no program reads this FIFO" : strerror(errno));
	return fd;
}

int parent_open_outputs(struct parent *p, struct err *err)
{
	struct worker_in *in = &p->in;

	for (unsigned i = 0; i < p->conf->n_outputs; i++) {
		if (in->outputs == OUTPUTS_MAX)
			return err_set(err, "log: more than %u outputs", OUTPUTS_MAX);
		in->output_fd[i] = open_output(&p->conf->outputs[i], err);
		in->output_type[i] = (enum sink_type)p->conf->outputs[i].type;
		if (in->output_fd[i] < 0)
			return -1;
		in->outputs++;
	}
	return 0;
}

void parent_reopen_outputs(struct parent *p)
{
	for (unsigned i = 0; i < p->in.outputs; i++) {
		struct err err = { 0 };
		int        fd = open_output(&p->boot->outputs[i], &err);

		if (fd < 0) {
			diag_warn("log", "%s", err.text);
			continue;
		}
		if (message_send(p->in.parent, MESSAGE_OUTPUT, i, fd) < 0)
			diag_warn("log", "the worker could not be told to reopen its logs");
		close(p->in.output_fd[i]);
		p->in.output_fd[i] = fd;
	}
}
