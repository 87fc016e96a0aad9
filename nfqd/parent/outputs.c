/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The outputs of records: the parent opens them, the worker writes to the descriptors. */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "parent/parent_private.h"
#include "shared/file.h"
#include "shared/message.h"

static int open_output(const struct conf_output *o, struct err *err)
{
	if (strcmp(o->path, "-") != 0)
		file_make_folder(o->path);
	return sink_open((enum sink_type)o->type, o->path, err);
}

/* The others are not kept waiting for one whose reader is not there. */
static int open_place(struct err *err)
{
	diag_warn("log", "%s; records wait for it", err->text);
	err->text[0] = '\0';
	return sink_open_place(err);
}

int parent_open_outputs(struct parent *p, struct err *err)
{
	struct worker_in *in = &p->in;

	in->checkpoint_s = p->conf->checkpoint;
	fold_init(&p->shared->fold, p->conf->fold * NS_PER_S);
	for (unsigned i = 0; i < p->conf->n_outputs; i++) {
		if (in->outputs == OUTPUTS_MAX)
			return err_set(err, "log: more than %u outputs", OUTPUTS_MAX);
		in->output_fd[i] = open_output(&p->conf->outputs[i], err);
		in->output_type[i] = (enum sink_type)p->conf->outputs[i].type;
		in->output_privacy[i] = (enum privacy)p->conf->outputs[i].privacy;
		in->output_dns[i] = (enum dns_version)p->conf->outputs[i].dns;
		if (in->output_fd[i] < 0 && sink_waits_for_reader(in->output_type[i]))
			in->output_fd[i] = open_place(err);
		if (in->output_fd[i] < 0)
			return -1;
		in->outputs++;
	}
	return 0;
}

static int reopen(struct parent *p, unsigned i, struct err *err)
{
	int fd = open_output(&p->boot->outputs[i], err);

	if (fd < 0)
		return -1;
	if (message_send(p->in.parent, MESSAGE_OUTPUT, i, fd) < 0)
		diag_warn("log", "the worker does not answer: its logs are not reopened");
	close(p->in.output_fd[i]);
	p->in.output_fd[i] = fd;
	return 0;
}

int parent_reopen_outputs(struct parent *p, struct err *first)
{
	int r = 0;

	for (unsigned i = 0; i < p->in.outputs; i++) {
		struct err err = { 0 };

		if (reopen(p, i, &err) == 0)
			continue;
		diag_warn("log", "%s", err.text);
		if (r == 0)
			*first = err;
		r = -1;
	}
	return r;
}

void parent_mend_outputs(struct parent *p)
{
	for (unsigned i = 0; i < p->in.outputs; i++) {
		struct err err = { 0 };

		if (p->shared->output[i].gone && reopen(p, i, &err) < 0)
			diag_debug("log", "%s", err.text);
	}
}
