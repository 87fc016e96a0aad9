/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One thread, one file, the packets' own time. */
#include "offline/offline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/diag.h"
#include "base/hops.h"
#include "log/sink.h"
#include "match/watch.h"
#include "shared/identity.h"
#include "worker/loop.h"

enum { MAX_FLOWS = 2 * BOUND_CONNS, MAX_STREAMS = 2 * BOUND_WAITING };

static bool emit(void *ctx, const struct event *e)
{
	sinks_write(ctx, e, &(struct sink_hints){ 0 });
	return true;
}

/* Reports how much of the capture could be judged; silence would prove nothing. */
static void summary(const struct counters *c)
{
	for (unsigned i = 0; i < COUNTERS_N; i++)
		if (c->v[i] && strncmp(counter_names[i], "fault_", 6) == 0)
			diag_info("file", "%llu × %s", (unsigned long long)c->v[i], counter_texts[i]);
}

/* Standard output is written as the configuration's first output is. */
static int add_output(struct sinks *sinks, const struct conf *conf)
{
	int r = sinks_add(sinks, SINK_EVE, STDOUT_FILENO, NULL);

	if (r == 0 && conf->n_outputs)
		sinks_shape(sinks, 0, (enum privacy)conf->outputs[0].privacy,
		            (enum dns_version)conf->outputs[0].dns);
	return r;
}

static int run(struct capture *file, const struct ruleset *rs, struct sinks *sinks, struct err *err)
{
	static struct counters counters;
	static struct watch    watch;
	static struct recent   asked;
	static struct hops     hops;
	ruleset_slot           newest = rs;
	struct pipeline p = { .copies = true, .count = &counters, .watch = &watch, .asked = &asked, .hops = &hops,
		              .inject.fds = INJECTOR_NONE, .emit = emit,
		              .emit_ctx = sinks };
	struct loop     loop = { .capture = file, .pipeline = &p, .newest = &newest };
	int             r;

	if (pipeline_init(&p, MAX_FLOWS, MAX_STREAMS) < 0)
		return err_set(err, "out of memory");
	watch_init(&watch);
	r = loop_run(&loop); /* what can be read is judged, whatever comes after it */
	sinks_flush(sinks);
	pipeline_fini(&p);
	summary(&counters);
	if (sinks_lost(sinks))
		return err_set(err, "standard output: records were lost");
	if (r == -ENODATA)
		diag_warn("file", "the capture ends in the middle of a packet");
	else if (r < 0)
		return err_set(err, "the capture could be judged only up to there");
	return 0;
}

int offline_run(const char *const paths[], unsigned n, const struct conf *conf, struct err *err)
{
	struct capture *file = pcap_files_open(paths, n, err);
	struct image   *img = NULL;
	struct sinks   *sinks = NULL;
	struct identity id;
	struct ruleset  rs;
	int             r = -1;

	if (!file)
		return -1;
	if (conf_compile(conf, &img, err) < 0)
		goto out;
	ruleset_open(&rs, img);
	identity_of_run(&id, SOURCE_CAPTURE);
	sinks = sinks_new(true);
	if (sinks)
		sinks_identify(sinks, &id);
	r = sinks && add_output(sinks, conf) == 0 ? run(file, &rs, sinks, err) : err_set(err, "out of memory");
	sinks_free(sinks);
out:
	free(img);
	file->ops->close(file);
	return r;
}
