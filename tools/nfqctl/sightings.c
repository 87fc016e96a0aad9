/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqctl sightings rebuild: makes the daemon's database anew of files of records. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inventory.h"
#include "parent/ctl.h"
#include "sightings/process.h"

static const char usage[] = "usage: nfqctl sightings rebuild [--db FILE] LOG...\n";

/* The folder belongs to the unprivileged process of the sightings, which can put anything there, also a link: the new
 * file is made in a folder of our own, and moved there when it is done (rename(2) follows no link). */
struct rebuild {
	const char *db;
	char        path[512], folder[512], made_in[600], fresh[640];
	bool        running; /* a daemon has it */
	int64_t     max_bytes; /* and keeps it below that size; 0: no limit */
	int         lock, place; /* -1: none; the hold ends with the lock, however we end; place: of made_in */
};

static json_t *tell(const struct nfqctl *ctl, const char *what, struct err *err)
{
	json_t *request = json_pack("{s:s, s:s}", "command", "sightings", "what", what);
	json_t *answer = ctl_ask(ctl->socket, request, err);

	json_decref(request);
	return answer;
}

static int lock(struct rebuild *r, struct err *err)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char         path[640];
	struct stat  st;

	snprintf(path, sizeof(path), "%s/" SIGHTINGS_LOCK, r->folder);
	r->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	if (r->lock < 0 || fstat(r->lock, &st) < 0 || (S_ISREG(st.st_mode) && fchmod(r->lock, 0644) < 0))
		return err_set(err, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, "%s: it is not a regular file", path);
	if (fcntl(r->lock, F_SETLK, &whole) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? err_set(err, "%s is being rebuilt already", r->path)
	                                          : err_set(err, "%s: %s", path, strerror(errno));
}

static void split_path(struct rebuild *r, const char *path)
{
	char *slash;

	snprintf(r->path, sizeof(r->path), "%s", path);
	snprintf(r->folder, sizeof(r->folder), "%s", path);
	slash = strrchr(r->folder, '/');
	if (slash)
		*slash = '\0';
	else
		snprintf(r->folder, sizeof(r->folder), ".");
}

static void clear_place(const struct rebuild *r)
{
	static const char *const ends[] = { "", "-journal", "-wal", "-shm" };
	char                     path[680];

	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", r->fresh, ends[i]);
		unlink(path);
	}
}

/* Beside the folder where that is somebody else's, otherwise in it. What one that was killed left there goes. */
static int make_place(struct rebuild *r, struct err *err)
{
	struct stat st;

	if (stat(r->folder, &st) < 0)
		return err_set(err, "%s: %s", r->folder, strerror(errno));
	snprintf(r->made_in, sizeof(r->made_in), "%s%s", r->folder, st.st_uid == geteuid() ? "/rebuild" : ".rebuild");
	snprintf(r->fresh, sizeof(r->fresh), "%s/" SIGHTINGS_NEW, r->made_in);
	if (mkdir(r->made_in, 0700) < 0 && errno != EEXIST)
		return err_set(err, "%s: %s", r->made_in, strerror(errno));
	r->place = open(r->made_in, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r->place < 0 || fstat(r->place, &st) < 0)
		return err_set(err, "%s: %s", r->made_in, strerror(errno));
	if (st.st_uid != geteuid())
		return err_set(err, "%s: it is somebody else's", r->made_in);
	if (flock(r->place, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, "%s is being rebuilt already", r->path);
	clear_place(r);
	return 0;
}

/* A daemon holds what comes until the new database is there; without one the file is nobody's. */
static int begin(const struct nfqctl *ctl, struct rebuild *r, struct err *err)
{
	json_t *kept = r->db ? NULL : tell(ctl, "look", err), *held = NULL;

	if (!r->db && !kept)
		return -1;
	split_path(r, r->db ? r->db : text_of(kept, "path"));
	r->max_bytes = kept ? number_of(kept, "max_bytes") : 0;
	r->running = kept != NULL;
	json_decref(kept);
	if (r->running && lock(r, err) < 0)
		return -1;
	held = r->running ? tell(ctl, "hold", err) : NULL;
	json_decref(held);
	return r->running && !held ? -1 : make_place(r, err);
}

/* The file belongs to whoever has the folder, and goes to its place. */
static int hand_in(const struct rebuild *r, struct err *err)
{
	char        path[640];
	struct stat st;

	snprintf(path, sizeof(path), "%s/" SIGHTINGS_NEW, r->folder);
	if (stat(r->folder, &st) == 0 && (st.st_uid == geteuid() || lchown(r->fresh, st.st_uid, st.st_gid) == 0) &&
	    rename(r->fresh, r->running ? path : r->path) == 0)
		return 0;
	return err_set(err, "%s: %s", r->running ? path : r->path, strerror(errno));
}

static int fill(struct rebuild *r, const char **files, unsigned n, struct err *err)
{
	struct sightings *s = sightings_open(r->fresh, SIGHTINGS_CREATE, NULL, err);
	int               filled;

	if (s && r->max_bytes)
		sightings_limit(s, r->max_bytes);
	filled = s ? inventory_fill(s, files, n, err) : -1;
	sightings_close(s);
	return filled == 0 ? hand_in(r, err) : -1;
}

/* The daemon goes on in any case. */
static int end(const struct nfqctl *ctl, const struct rebuild *r, struct err *err)
{
	struct err why = { 0 };
	json_t    *answer = r->running ? tell(ctl, "adopt", &why) : NULL;

	json_decref(answer);
	if (r->lock >= 0)
		close(r->lock);
	return answer || !r->running ? 0 : err_set(err, "%s", why.text);
}

static int rebuild(struct nfqctl *ctl, const char *db, const char **files, unsigned n)
{
	struct rebuild r = { .db = db, .lock = -1, .place = -1 };
	struct err     err = { 0 };
	int            filled;

	if (begin(ctl, &r, &err) == 0) {
		filled = fill(&r, files, n, &err);
		clear_place(&r);
		rmdir(r.made_in);
		if (end(ctl, &r, &err) == 0 && filled == 0) {
			printf("%s: made of %u file%s\n", r.path, n, n == 1 ? "" : "s");
			return CTL_DONE;
		}
	}
	fprintf(stderr, "nfqctl sightings: %s\n", err.text);
	return CTL_FAILED; /* the locks end with the process */
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
