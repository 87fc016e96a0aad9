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
#include "parent/parent_private.h"
#include "shared/file.h"
#include "shared/message.h"

static int open_output(const struct conf_output *o, struct err *err)
{
	int fd;

	if (strcmp(o->path, "-") == 0)
		return dup(STDOUT_FILENO);
	file_make_folder(o->path);
	fd = open(o->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
	if (fd < 0)
		err_set(err, "log %s: %s", o->path, strerror(errno));
	return fd;
}

int parent_open_outputs(struct parent *p, struct err *err)
{
	struct worker_in *in = &p->in;

	for (unsigned i = 0; i < p->conf->n_outputs; i++) {
		if (in->outputs == OUTPUTS_MAX)
			return err_set(err, "log: more than %u outputs", OUTPUTS_MAX);
		in->output_fd[i] = open_output(&p->conf->outputs[i], err);
		in->output_type[i] =
			p->conf->outputs[i].type == OUTPUT_TEXT ? SINK_TEXT : SINK_EVE;
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
