/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of what the daemon did and what happened to it. They travel in memory that outlives a worker
 * (shared/notes.h), so they are not lost when one dies.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/yaml.h"
#include "parent/parent_private.h"

enum { STATS_MS = 60000, TAIL = 65536 };

/* What is left out of a record that is too long, in this order. */
static const char *const dispensable[] = { "changes", "packs", "log", "queues" };

/* The members as text, without braces; `cut` names those that were left out. NULL: out of memory. The
 * caller frees. */
static char *members_text(json_t *all)
{
	json_t *cut = json_array();
	char   *text = json_dumps(all, JSON_COMPACT);

	for (size_t i = 0; text && strlen(text) > NOTE_TEXT && i < sizeof(dispensable) / sizeof(dispensable[0]); i++) {
		if (json_object_del(all, dispensable[i]) < 0)
			continue;
		json_array_append_new(cut, json_string(dispensable[i]));
		json_object_set(all, "cut", cut);
		free(text);
		text = json_dumps(all, JSON_COMPACT);
	}
	json_decref(cut);
	if (text) {
		size_t n = strlen(text);

		memmove(text, text + 1, n - 2);
		text[n - 2] = '\0';
	}
	return text;
}

void parent_record(struct parent *p, const char *kind, json_t *members)
{
	json_t *all = json_pack("{s:s}", "kind", kind);
	char   *text;

	json_object_update(all, members);
	json_decref(members);
	text = all ? members_text(all) : NULL;
	json_decref(all);
	if (!text || !notes_push(&p->shared->notes, clock_now(), text)) {
		p->records_lost++;
		diag_warn("log", "the record of a %s is lost: %s", kind,
		          text && strlen(text) >= NOTE_TEXT ? "it is too long"
		          : text                            ? "the worker reads none"
		                                            : "out of memory");
	}
	free(text);
}

static json_t *packs(const struct parent *p)
{
	struct ruleset rs;
	json_t        *all = json_array();

	ruleset_open(&rs, p->img);
	for (uint32_t i = 0; i < rs.n_packs; i++)
		json_array_append_new(all, json_pack("{s:s, s:s, s:s}", "pack", rs_text(&rs, rs.packs[i].id),
		                                     "version", rs_text(&rs, rs.packs[i].version), "sha256",
		                                     rs_text(&rs, rs.packs[i].sha256)));
	return all;
}

/* What is in force: the configuration by its digest, the packs, mode and fail. */
static json_t *in_force(const struct parent *p)
{
	char sha256[YAML_SHA256_TEXT] = "";

	if (p->conf->doc)
		yaml_doc_sha256(p->conf->doc, sha256);
	return json_pack("{s:s, s:s, s:s, s:s?, s:I, s:o}", "version", NFQD_VERSION, "mode",
	                 mode_words[p->mode >= 0 ? p->mode : p->conf->mode], "fail",
	                 p->boot->fail == FAIL_OPEN ? "open" : "closed", "configuration",
	                 sha256[0] ? sha256 : NULL, "generation", (json_int_t)p->generation, "packs",
	                 packs(p));
}

/* The highest number of the last boot near the end of a file; 0: there is none. */
static uint64_t last_seq_in(const char *path, const struct identity *id, uint64_t boot)
{
	static char buf[TAIL + 1];
	int         fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t     n = -1;
	uint64_t    highest = 0;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = pread(fd, buf, TAIL, st.st_size > TAIL ? st.st_size - TAIL : 0);
	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	for (char *line = buf, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		json_t      *record = json_loadb(line, (size_t)(end - line), 0, NULL);
		const json_t *own = json_object_get(record, "nfqd");
		const char  *sensor = json_string_value(json_object_get(own, "sensor"));
		uint64_t     seq = (uint64_t)json_integer_value(json_object_get(own, "seq"));

		if (sensor && strcmp(sensor, id->sensor) == 0 && seq > highest &&
		    (uint64_t)json_integer_value(json_object_get(own, "boot")) == boot)
			highest = seq;
		json_decref(record);
	}
	return highest;
}

/* A run that ended in order has noted its last number; that of a killed run is in the logs. */
static uint64_t last_seq(const struct parent *p)
{
	uint64_t highest = p->last.seq;

	for (unsigned i = 0; i < p->boot->n_outputs && !p->last.stopped; i++) {
		uint64_t seq = last_seq_in(p->boot->outputs[i].path, &p->in.identity, p->last.boot);

		highest = seq > highest ? seq : highest;
	}
	return highest;
}

void parent_record_start(struct parent *p)
{
	json_t *all = in_force(p);
	char    key[NOTE_KEY_TEXT];

	if (p->last.boot)
		json_object_set_new(all, "last",
		                    json_pack("{s:I, s:I, s:b, s:o}", "boot", (json_int_t)p->last.boot,
		                              "seq", (json_int_t)last_seq(p), "stopped", p->last.stopped,
		                              "checkpoints", parent_last_checkpoints(p)));
	if (parent_log_key(p, key))
		json_object_set_new(all, "key", json_string(key));
	parent_add_while_down(p, all);
	parent_record(p, "start", all);
}

void parent_record_reload(struct parent *p, const char *failure)
{
	json_t *all = failure ? json_pack("{s:s, s:I}", "failed", failure, "generation",
	                                  (json_int_t)p->generation)
	                      : in_force(p);

	if (!failure && p->changes)
		json_object_set(all, "changes", p->changes);
	parent_record(p, "reload", all);
}

static void record_stats(struct parent *p)
{
	json_t *all = json_pack("{s:I, s:I, s:i, s:I, s:o, s:o}", "uptime_s",
	                        (json_int_t)((poller_ms() - p->started) / 1000), "generation",
	                        (json_int_t)p->generation, "worker_restarts", (int)p->restarts,
	                        "own_records_lost", (json_int_t)p->records_lost, "log",
	                        status_log(p), "counters", status_counters(p));

	json_object_update_new(all, status_queues_and_steering(p));
	parent_add_watching(p, all);
	parent_record(p, "stats", all);
}

void parent_record_by_clock(struct parent *p)
{
	uint64_t now = poller_ms();

	if (p->stats_due == 0)
		p->stats_due = now + STATS_MS;
	if (now < p->stats_due)
		return;
	p->stats_due = now + STATS_MS;
	record_stats(p);
}

void parent_record_stop(struct parent *p)
{
	record_stats(p);
	parent_record(p, "stop", json_pack("{s:I}", "uptime_s",
	                                   (json_int_t)((poller_ms() - p->started) / 1000)));
}
