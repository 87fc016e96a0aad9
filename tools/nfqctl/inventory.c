/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens the inventory of machines: the daemon's database, or one made in memory from files of records. */
#include "inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "log.h"
#include "parent/ctl.h"
#include "sightings/process.h"

#define DEFAULT_DB "/var/lib/nfqd/" SIGHTINGS_FOLDER "/" SIGHTINGS_FILE

enum { BATCH = 4096 };

/* ---- options ------------------------------------------------------------------------------- */

/* A length of time back from now, or a date. */
static bool read_time(const char *command, const char *option, const char *value, int64_t *us)
{
	int64_t s;

	if (clock_parse_span(value, &s) == 0) {
		*us = (int64_t)(clock_now() / NS_PER_US) - s * 1000000;
		return true;
	}
	if (clock_parse(value, &s) == 0) {
		*us = s * 1000000;
		return true;
	}
	fprintf(stderr, "nfqctl %s: --%s: '%s' is not a time (write 7d, 2026-11-23 or 2026-11-23T12:00:00Z)\n", command, option,
	        value);
	return false;
}

static void add_file(struct inventory *v, const char *path)
{
	const char **grown = realloc(v->from, (v->n_from + 1) * sizeof(*grown));

	if (!grown) {
		fputs("nfqctl: out of memory\n", stderr);
		abort();
	}
	v->from = grown;
	v->from[v->n_from++] = path;
}

bool inventory_option(struct inventory *v, const char *command, int option, const char *value)
{
	switch (option) {
	case 'D': v->db = value; return true;
	case 'F': add_file(v, value); return true;
	case 'V': v->which.vendor = value; return true;
	case 'S': return read_time(command, "since", value, &v->which.since);
	case 'U': return read_time(command, "until", value, &v->which.until);
	case 'j': v->json = true; return true;
	default: return false;
	}
}

bool inventory_words(struct inventory *v, int argc, char **argv, const char *wanted)
{
	char with_files[64];

	snprintf(with_files, sizeof(with_files), "%s%s[FILE...]", wanted, *wanted ? " " : "");
	if (v->which.since && v->which.until && v->which.since > v->which.until) {
		wrong_usage(argv[0], "--since is after --until");
		return false;
	}
	if (are_both(argv[0], "--db", v->db, "--from", v->n_from) || !words_are(argc, argv, v->n_from ? with_files : wanted))
		return false;
	for (int i = optind + (*wanted != '\0'); i < argc; i++)
		add_file(v, argv[i]);
	return true;
}

/* ---- files of records ---------------------------------------------------------------------- */

struct filling {
	struct sightings *store;
	uint64_t      records, lines;
};

/* A store with a limit is kept below it. */
static bool turn(struct sightings *s)
{
	struct sightings_trimmed sum = { 0 };

	if (sightings_commit(s) < 0)
		return false;
	while (sightings_is_full(s) && sightings_trim(s, 0, &sum))
		;
	return sightings_begin(s) == 0;
}

static bool take_line(void *ctx, unsigned file, uint32_t at, const char *line, size_t n)
{
	struct filling *f = ctx;
	struct sighting one;

	(void)file, (void)at;
	sighting_read(&one, line, n);
	f->lines += n > 0;
	f->records += one.kind != SIGHTING_FOREIGN;
	sightings_take(f->store, &one);
	sighting_free(&one);
	return !sightings_problem(f->store) &&
	       ((f->lines % BATCH != 0 && !sightings_wants_commit(f->store)) || turn(f->store));
}

struct begins {
	const char *path;
	int64_t     at;
};

static bool note_time(void *ctx, unsigned file, uint32_t at, const char *line, size_t n)
{
	struct begins  *b = ctx;
	struct sighting one;

	(void)file, (void)at;
	sighting_read(&one, line, n);
	if (one.kind != SIGHTING_FOREIGN)
		b->at = one.at;
	sighting_free(&one);
	return b->at == 0;
}

static int by_time(const void *a, const void *b)
{
	const struct begins *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/* Rotated files come in the order of a shell: the newest first. */
static int put_in_order(const char **files, unsigned n, struct err *err)
{
	struct begins *v = n > 1 ? calloc(n, sizeof(*v)) : NULL;
	int            r = 0;

	if (n < 2)
		return 0;
	if (!v)
		return err_set(err, "out of memory");
	for (unsigned i = 0; r == 0 && i < n; i++) {
		v[i].path = files[i];
		r = strcmp(files[i], "-") == 0 ? 0 : log_each_line(&files[i], 1, note_time, &v[i], err);
	}
	qsort(v, n, sizeof(*v), by_time);
	for (unsigned i = 0; i < n; i++)
		files[i] = v[i].path;
	free(v);
	return r;
}

int inventory_fill(struct sightings *s, const char **files, unsigned n, struct err *err)
{
	struct filling f = { .store = s };

	if (put_in_order(files, n, err) < 0)
		return -1;
	if (sightings_begin(s) < 0 || log_each_line(files, n, take_line, &f, err) < 0 || sightings_commit(s) < 0)
		return sightings_problem(s) ? err_set(err, "%s", sightings_problem(s)) : -1;
	if (f.lines && !f.records)
		return err_set(err, "%s: none of its lines is a record of nfqd", files[0]);
	return 0;
}

/* ---- opening ------------------------------------------------------------------------------- */

/* Where the running daemon keeps it; out is filled with the usual place when there is no daemon. False: the daemon
 * keeps none. */
static bool where(const struct nfqctl *ctl, char *out, size_t room)
{
	struct err    err = { 0 };
	json_t       *request = json_pack("{s:s}", "command", "status"), *status = ctl_ask(ctl->socket, request, &err);
	const json_t *sightings = json_object_get(status, "sightings");
	const char   *path = json_string_value(json_object_get(sightings, "path"));
	bool          off = sightings && !path;

	snprintf(out, room, "%s", path ? path : DEFAULT_DB);
	json_decref(request);
	json_decref(status);
	return !off;
}

static struct sightings *open_files(const struct inventory *v, struct err *err)
{
	struct sightings *s = sightings_open("", SIGHTINGS_MEMORY, NULL, err);

	if (s && v->all_names)
		sightings_take_all_names(s);
	if (s && inventory_fill(s, v->from, v->n_from, err) < 0) {
		sightings_close(s);
		return NULL;
	}
	return s;
}

/* Why there may be no database at the daemon's place, and who may read it. */
static const char *what_helps(const char *path)
{
	if (access(path, R_OK) == 0)
		return "";
	return errno == EACCES ? " (only root and the group nfqd may read it)"
	                       : " (nfqd makes it; is it running? --db names another, --from reads records)";
}

struct sightings *inventory_open(const struct nfqctl *ctl, const struct inventory *v, const char *command, bool change)
{
	char          path[512] = "";
	struct err    err = { 0 };
	struct sightings *s = NULL;

	if (v->n_from && change)
		err_set(&err, "a correction is for the daemon's database, not for --from");
	else if (v->n_from)
		s = open_files(v, &err);
	else if (!v->db && !where(ctl, path, sizeof(path)))
		err_set(&err, "the daemon keeps no sightings (sightings.storage is off); --from reads records");
	else
		s = sightings_open(v->db ? v->db : path, change ? SIGHTINGS_WRITE : SIGHTINGS_READ, NULL, &err);
	if (!s)
		fprintf(stderr, "nfqctl %s: %s%s\n", command, err.text, *path ? what_helps(path) : "");
	return s;
}

void inventory_check_vendor(struct sightings *s, const struct inventory *v, const char *command)
{
	struct err    err = { 0 };
	json_t       *all = s && v->which.vendor ? sightings_hosts(s, &(struct sightings_which){ .vendor = NULL }, &err) : NULL;
	json_t       *vendors = json_object();
	const json_t *one;
	const char   *name;
	char          list[512] = "none";
	bool          known = !all;
	size_t        i, n = 0;

	json_array_foreach(json_object_get(all, "hosts"), i, one) {
		name = text_of(one, "vendor");
		known |= strcasecmp(name, v->which.vendor) == 0;
		if (!json_object_get(vendors, name) && n < sizeof(list))
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "", name);
		json_object_set_new(vendors, name, json_true());
	}
	if (!known)
		wrong_usage(command, "no machine called a vendor '%s' (vendors called: %s)", v->which.vendor, list);
	json_decref(vendors);
	json_decref(all);
}

const char *inventory_date(const json_t *o, const char *key, char out[static 16])
{
	snprintf(out, 16, "%.10s", text_of(o, key));
	return out;
}
