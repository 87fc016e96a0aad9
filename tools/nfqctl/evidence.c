/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl evidence: one record and everything that supports it, in a folder for people who have nothing but that
 * folder. The files are read twice: for the record, then for the other records of its boot and of its client.
 */
#include <getopt.h>
#include <glob.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "evidence.h"
#include "nfqctl.h"
#include "replay.h"

#define DEFAULT_LOG "/var/log/nfqd/eve.json*"

static const char usage[] =
	"usage: nfqctl evidence SENSOR/BOOT/SEQ [--out FOLDER] [--kept FOLDER] [FILE]...\n"
	"  --out FOLDER   to write to; it must not exist (default nfqd-evidence-BOOT-SEQ)\n"
	"  --kept FOLDER  where the daemon keeps what was in force (default " DEFAULT_KEPT ")\n"
	"  FILE           records (default " DEFAULT_LOG ")\n";

/* A line of the log. */
struct entry {
	json_t     *json;    /* NULL: the line is not JSON; to be released */
	bool        of_boot; /* written in the record's boot: the rest is set */
	uint64_t    seq;
	const char *kind;
};

static struct entry read_entry(const struct evidence *e, const char *line, size_t n)
{
	struct entry  entry = { .json = json_loadb(line, n, 0, NULL) };
	const json_t *own;
	const char   *sensor;
	uint64_t      boot;

	entry.of_boot = entry.json && log_place(entry.json, &own, &sensor, &boot, &entry.seq, &entry.kind) &&
	                boot == e->boot && (!e->sensor[0] || strcmp(sensor, e->sensor) == 0);
	return entry;
}

static bool take_record(void *ctx, unsigned file, uint32_t at, const char *line, size_t n)
{
	struct evidence *e = ctx;
	struct entry     entry = read_entry(e, line, n);

	(void)file, (void)at;
	if (entry.of_boot && entry.seq == e->seq) {
		e->line = strndup(line, n);
		e->record = entry.json;
		return false;
	}
	json_decref(entry.json);
	return true;
}

static void keep(char **to, const char *line, size_t n)
{
	free(*to);
	*to = strndup(line, n);
}

static void take_own(struct evidence *e, const char *kind, uint64_t seq, const char *line, size_t n)
{
	if (strcmp(kind, "start") == 0) {
		keep(&e->start, line, n);
	} else if (strcmp(kind, "stats") == 0 && seq < e->seq && seq > e->before_seq) {
		keep(&e->before, line, n);
		e->before_seq = seq;
	} else if (strcmp(kind, "stats") == 0 && seq > e->seq && (!e->after_seq || seq < e->after_seq)) {
		keep(&e->after, line, n);
		e->after_seq = seq;
	}
}

static void take_address(struct evidence *e, const json_t *json)
{
	const json_t *client = json_object_get(json_object_get(json, "nfqd"), "client");
	const json_t *ours = json_object_get(json_object_get(e->record, "nfqd"), "client");
	const char   *id = json_string_value(json_object_get(client, "id")), *address = text_of(json, "src_ip");

	if (!id || strcmp(id, text_of(ours, "id")) != 0 || strcmp(address, text_of(e->record, "src_ip")) == 0)
		return;
	for (unsigned i = 0; i < e->n_addresses; i++)
		if (strcmp(e->address[i], address) == 0)
			return;
	if (e->n_addresses < EVIDENCE_ADDRESSES && (e->address[e->n_addresses] = strdup(address)) != NULL)
		e->n_addresses++;
}

static bool take_rest(void *ctx, unsigned file, uint32_t at, const char *line, size_t n)
{
	struct evidence *e = ctx;
	struct entry     entry = read_entry(e, line, n);

	(void)file, (void)at;
	if (entry.of_boot)
		take_own(e, entry.kind, entry.seq, line, n);
	if (entry.json)
		take_address(e, entry.json);
	json_decref(entry.json);
	return true;
}

static int collect(struct evidence *e, const char *folder, struct err *err)
{
	char made[64];

	if (log_each_line(e->files, e->n_files, take_record, e, err) < 0)
		return -1;
	if (!e->line)
		return err_set(err, "record %s is not in these files", e->place);
	if (!json_object_get(e->record, "alert"))
		return err_set(err, "record %s is not about a listed name", e->place);
	if (log_each_line(e->files, e->n_files, take_rest, e, err) < 0)
		return -1;
	snprintf(made, sizeof(made), "nfqd-evidence-%" PRIu64 "-%" PRIu64, e->boot, e->seq);
	return evidence_write(e, folder ? folder : made, err);
}

static void forget(struct evidence *e)
{
	for (unsigned i = 0; i < e->n_addresses; i++)
		free(e->address[i]);
	json_decref(e->record);
	free(e->line);
	free(e->before);
	free(e->after);
	free(e->start);
}

int cmd_evidence(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "out", required_argument, NULL, 'o' },
		                                 { "kept", required_argument, NULL, 'k' },
		                                 { "help", no_argument, NULL, 'h' },
		                                 { NULL, 0, NULL, 0 } };
	struct evidence e = { .kept = DEFAULT_KEPT };
	struct err      err = { 0 };
	const char     *folder = NULL;
	glob_t          logs = { 0 };
	int             o, r;

	(void)ctl;
	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (o == 'o')
			folder = optarg;
		else if (o == 'k')
			e.kept = optarg;
		else
			return fputs(usage, o == 'h' ? stdout : stderr), o == 'h' ? CTL_DONE : CTL_USAGE;
	}
	if (!words_are(argc, argv, "SENSOR/BOOT/SEQ [FILE...]"))
		return fputs(usage, stderr), CTL_USAGE;
	e.place = argv[optind++];
	if (!log_parse_place(e.place, e.sensor, &e.boot, &e.seq))
		return wrong_usage(argv[0], "'%s' is not a record (SENSOR/BOOT/SEQ)", e.place);
	if (optind == argc)
		(void)glob(DEFAULT_LOG, 0, NULL, &logs);
	e.files = (const char *const *)(optind < argc ? argv + optind : logs.gl_pathv);
	e.n_files = optind < argc ? (unsigned)(argc - optind) : (unsigned)logs.gl_pathc;
	r = e.n_files ? collect(&e, folder, &err) : err_set(&err, "no file matches " DEFAULT_LOG);
	if (r < 0)
		fprintf(stderr, "nfqctl evidence: %s\n", err.text);
	forget(&e);
	globfree(&logs);
	return r < 0 ? CTL_FAILED : CTL_DONE;
}
