/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqctl sightings rebuild: makes the daemon's database anew of files of records. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inventory.h"
#include "parent/ctl.h"
#include "sightings/process.h"

static const char usage[] = "usage: nfqctl sightings rebuild [--db FILE] LOG...\n";

struct rebuild {
	const char *db;
	char        path[512], fresh[528];
	bool        running; /* a daemon has it */
	int64_t     max_bytes; /* and keeps it below that size; 0: no limit */
};

static json_t *tell(const struct nfqctl *ctl, const char *what, struct err *err)
{
	json_t *request = json_pack("{s:s, s:s}", "command", "sightings", "what", what);
	json_t *answer = ctl_ask(ctl->socket, request, err);

	json_decref(request);
	return answer;
}

/* A daemon holds what comes until the new database is there; without one the file is nobody's. */
static int begin(const struct nfqctl *ctl, struct rebuild *r, struct err *err)
{
	json_t *held = r->db ? NULL : tell(ctl, "hold", err);

	if (!r->db && !held)
		return -1;
	snprintf(r->path, sizeof(r->path), "%s", r->db ? r->db : text_of(held, "path"));
	snprintf(r->fresh, sizeof(r->fresh), "%.*s" SIGHTINGS_NEW, (int)(strrchr(r->path, '/') ? strrchr(r->path, '/') - r->path + 1 : 0),
	         r->path);
	r->running = held != NULL;
	r->max_bytes = held ? number_of(held, "max_bytes") : 0;
	json_decref(held);
	return unlink(r->fresh) < 0 && errno != ENOENT ? err_set(err, "%s: %s", r->fresh, strerror(errno)) : 0;
}

/* The file belongs to whoever has the folder. */
static int give_away(const char *path, struct err *err)
{
	char        folder[528];
	struct stat st;
	char       *slash;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (!slash)
		return 0;
	*slash = '\0';
	return stat(folder, &st) < 0 || (st.st_uid != geteuid() && lchown(path, st.st_uid, st.st_gid) < 0)
	               ? err_set(err, "%s: %s", path, strerror(errno))
	               : 0;
}

static int fill(struct rebuild *r, const char **files, unsigned n, struct err *err)
{
	struct sightings *s = sightings_open(r->fresh, SIGHTINGS_CREATE, NULL, err);
	int               filled;

	if (s && r->max_bytes)
		sightings_limit(s, r->max_bytes);
	filled = s ? inventory_fill(s, files, n, err) : -1;
	sightings_close(s);
	if (filled == 0 && give_away(r->fresh, err) == 0)
		return 0;
	unlink(r->fresh);
	return -1;
}

/* The daemon goes on in any case. */
static int end(const struct nfqctl *ctl, const struct rebuild *r, bool filled, struct err *err)
{
	json_t *answer;

	if (r->running) {
		struct err why = { 0 };

		answer = tell(ctl, "adopt", &why);
		json_decref(answer);
		return answer ? 0 : err_set(err, "%s", why.text);
	}
	return filled && rename(r->fresh, r->path) < 0 ? err_set(err, "%s: %s", r->path, strerror(errno)) : 0;
}

static int rebuild(struct nfqctl *ctl, const char *db, const char **files, unsigned n)
{
	struct rebuild r = { .db = db };
	struct err     err = { 0 };
	int            filled;

	if (begin(ctl, &r, &err) == 0) {
		filled = fill(&r, files, n, &err);
		if (end(ctl, &r, filled == 0, &err) == 0 && filled == 0) {
			printf("%s: made of %u file%s\n", r.path, n, n == 1 ? "" : "s");
			return CTL_DONE;
		}
	}
	fprintf(stderr, "nfqctl sightings: %s\n", err.text);
	return CTL_FAILED;
}

static int cmd_rebuild(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "db", required_argument, NULL, 'D' },
		                                 { "help", no_argument, NULL, 'h' },
		                                 { NULL, 0, NULL, 0 } };
	const char *db = NULL;
	int         o;

	while ((o = getopt_long(argc, argv, "h", options, NULL)) == 'D')
		db = optarg;
	if (o != -1 || !words_are(argc, argv, "LOG...")) {
		fputs(usage, o == 'h' ? stdout : stderr);
		return o == 'h' ? CTL_DONE : CTL_USAGE;
	}
	return rebuild(ctl, db, (const char **)argv + optind, (unsigned)(argc - optind));
}

int cmd_sightings(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct nfqctl_command commands[] = {
		{ "rebuild", cmd_rebuild, "[--db FILE] LOG...", "make the database of machines anew of records" },
		{ NULL, NULL, NULL, NULL },
	};

	return nfqctl_run_group(commands, "nfqctl sightings", ctl, argc, argv);
}
