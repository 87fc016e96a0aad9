/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl tail: the records of a file as they come, those that somebody asked for. For a terminal one readable
 * line each; for a program the record as it is.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "follow.h"
#include "name/name.h"
#include "nfqctl.h"

enum { LOOK_MS = 200 };

struct tail {
	const char *client, *name, *vendor, *action, *channel; /* NULL: any */
	bool          follow, people, colour, vendor_seen;
	unsigned      shown;
	struct follow_count count;
	const char   *path;
	struct follow file;
};

/* ---- which records ------------------------------------------------------------------------- */

static const char *text(const json_t *o, const char *key)
{
	const char *value = json_string_value(json_object_get(o, key));

	return value ? value : "";
}

#define WORD(id, word, ...) word,
static const char *const actions[] = { "allow", "log", "reject", "drop", "allowed", "blocked", NULL };
static const char *const channels[] = { APPS(WORD) SEEN_IN(WORD) NULL };

static bool is_any(const char *wanted, const char *a, const char *b, const char *c)
{
	return !wanted || strcasecmp(wanted, a) == 0 || strcasecmp(wanted, b) == 0 || strcasecmp(wanted, c) == 0;
}

/* The name itself, or with a dot before it every name that ends so. */
static bool is_name(const char *wanted, const char *name)
{
	size_t n = strlen(name), w = wanted ? strlen(wanted) : 0;

	if (!wanted || strcasecmp(wanted, name) == 0)
		return true;
	return wanted[0] == '.' && (strcasecmp(wanted + 1, name) == 0 ||
	                            (n > w && strcasecmp(wanted, name + n - w) == 0));
}

/* dns, tls, quic, http: as the record calls its protocol, or where in it the name was. */
static bool is_channel(const char *wanted, const json_t *record, const char *seen_in)
{
	return !wanted || strcasecmp(wanted, text(record, "app_proto")) == 0 ||
	       strcasecmp(wanted, seen_in) == 0;
}

static bool is_wanted(const struct tail *t, const json_t *record)
{
	const json_t *own = json_object_get(record, "nfqd"), *client = json_object_get(own, "client");
	const char   *id = text(client, "id");

	return is_any(t->client, text(record, "src_ip"), text(client, "name"),
	              strchr(id, ':') ? strchr(id, ':') + 1 : id) &&
	       is_name(t->name, text(own, "name")) &&
	       is_any(t->vendor, text(own, "vendor"), text(own, "pack"), text(own, "vendor")) &&
	       is_any(t->action, text(own, "action"), text(own, "would"),
	              text(json_object_get(record, "alert"), "action")) &&
	       is_channel(t->channel, record, text(own, "seen_in"));
}

/* ---- as a readable line -------------------------------------------------------------------- */

static const struct look {
	const char *action, *word, *colour;
} looks[] = {
	{ "allow", "ALLOWED", "32" },
	{ "log", "LOGGED ", "33" },
	{ "drop", "BLOCKED", "31" },
	{ "reject", "BLOCKED", "31" },
	{ NULL, "nfqd   ", "36" },
};

static const struct look *look_of(const char *action)
{
	const struct look *l = looks;

	while (l->action && strcmp(l->action, action) != 0)
		l++;
	return l;
}

static void add(FILE *f, const char *before, const char *value)
{
	char safe[512];

	if (!*value)
		return;
	printable(value, safe, sizeof(safe));
	fprintf(f, "%s%s", before, safe);
}

static void print_own(const json_t *own)
{
	add(stdout, "", text(own, "kind"));
	add(stdout, "  ", text(own, "why"));
	add(stdout, "  ", text(own, "failed"));
	if (json_object_get(own, "from"))
		printf("  output %lld, records %lld to %lld", number_of(own, "output"), number_of(own, "from"),
		       number_of(own, "to"));
	if (json_object_get(own, "size"))
		printf("  %lld records", number_of(own, "size"));
	add(stdout, "  mode ", text(own, "mode"));
	add(stdout, "  by ", text(own, "by"));
}

static void print_decision(const json_t *record, const json_t *own)
{
	char client[64];

	printable(text(record, "src_ip"), client, sizeof(client));
	printf("%-15s", client);
	add(stdout, "  ", text(json_object_get(own, "client"), "name"));
	add(stdout, "  ", text(own, "seen_in"));
	add(stdout, " ", text(own, "name"));
	add(stdout, " -> ", text(record, "dest_ip"));
	add(stdout, "  ", text(own, "sent"));
	add(stdout, "  exception ", text(own, "exception"));
	if (*text(own, "rule")) {
		add(stdout, "  ", text(own, "pack"));
		add(stdout, "/", text(own, "rule"));
	}
}

static void print_line(const struct tail *t, const json_t *record)
{
	const json_t      *own = json_object_get(record, "nfqd");
	const char        *kind = text(own, "kind");
	const struct look *l = look_of(*kind ? "" : text(own, "action"));

	add(stdout, "", text(record, "timestamp"));
	if (t->colour)
		printf("  \033[%sm%s\033[0m  ", l->colour, l->word);
	else
		printf("  %s  ", l->word);
	if (*kind)
		print_own(own);
	else
		print_decision(record, own);
	putchar('\n');
}

/* ---- reading ------------------------------------------------------------------------------- */

static void take_line(void *ctx, const char *line, size_t n)
{
	struct tail *t = ctx;
	json_t      *record = follow_record(&t->count, line, n), *own = json_object_get(record, "nfqd");

	t->vendor_seen |= record && is_any(t->vendor, text(own, "vendor"), text(own, "pack"), "");
	if (record && is_wanted(t, record)) {
		t->shown++;
		if (t->people) {
			print_line(t, record);
		} else {
			fwrite(line, 1, n, stdout);
			putchar('\n');
		}
	}
	json_decref(record);
}

static int read_more(struct tail *t)
{
	int r = t->file.fd < 0 ? 0 : follow_more(&t->file, take_line, t);

	fflush(stdout);
	return r;
}

/* Nothing is also what a filter with a mistake in it shows. */
static void say_none(const struct tail *t)
{
	fprintf(stderr, "nfqctl tail: none of the last %u records matches", t->count.records);
	if (t->vendor && !t->vendor_seen)
		fprintf(stderr, "; none is of a vendor or pack '%s'", t->vendor);
	fputc('\n', stderr);
}

static int run(struct tail *t, struct err *err)
{
	struct pollfd gone = { .fd = STDOUT_FILENO };
	int           r;

	if (follow_open(&t->file, t->path) < 0)
		return err_set(err, "%s: %s", t->path, strerror(errno));
	follow_from_last_lines(&t->file);
	r = read_more(t);
	if (r == 0 && !t->follow && follow_is_foreign(&t->count))
		err_set(err, "%s: none of its last lines is a record of nfqd", t->path);
	else if (r == 0 && t->count.records && !t->shown)
		say_none(t);
	while (r == 0 && t->follow && !ferror(stdout) && poll(&gone, 1, LOOK_MS) >= 0 &&
	       !(gone.revents & (POLLERR | POLLHUP))) {
		r = read_more(t);
		follow_again(&t->file);
	}
	follow_close(&t->file);
	if (r < 0)
		err_set(err, "%s: a line has no end", t->path);
	return err->text[0] ? -1 : 0;
}

/* ---- the command --------------------------------------------------------------------------- */

static int tail(struct nfqctl *ctl, struct tail *t)
{
	json_t    *status = t->path ? NULL : ask(ctl, json_pack("{s:s}", "command", "status"));
	struct err err = { 0 };
	int        r = t->path || status ? 0 : -1;

	if (status)
		t->path = follow_path_of(status);
	if (r == 0)
		r = t->path ? run(t, &err) : err_set(&err, "the daemon writes no file: name one");
	if (err.text[0])
		fprintf(stderr, "nfqctl tail: %s\n", err.text);
	json_decref(status);
	return r < 0 ? CTL_FAILED : CTL_DONE;
}

int cmd_tail(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "client", required_argument, NULL, 'c' }, { "name", required_argument, NULL, 'n' },
		{ "vendor", required_argument, NULL, 'v' }, { "action", required_argument, NULL, 'a' },
		{ "channel", required_argument, NULL, 'k' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static const char letters[] = "cnvak";
	const char *no = getenv("NO_COLOR"); /* https://no-color.org */
	struct tail t = { .people = isatty(STDOUT_FILENO) };
	const char **values[] = { &t.client, &t.name, &t.vendor, &t.action, &t.channel };
	int          o;

	while ((o = getopt_long(argc, argv, "fh", options, NULL)) != -1 && o != 'h' && o != '?') {
		const char *which = strchr(letters, o);

		if (which)
			*values[which - letters] = optarg;
		t.follow |= o == 'f';
	}
	if (o != -1 || !words_are(argc, argv, "[FILE]")) {
		fputs("usage: nfqctl tail [-f] [--client CLIENT] [--name NAME|.SUFFIX] [--vendor VENDOR]\n"
		      "                   [--action ACTION] [--channel CHANNEL] [FILE]\n", o == 'h' ? stdout : stderr);
		return o == 'h' ? CTL_DONE : CTL_USAGE;
	}
	if ((t.action && !is_word(argv[0], "--action", t.action, actions)) ||
	    (t.channel && !is_word(argv[0], "--channel", t.channel, channels)))
		return CTL_USAGE;
	t.path = argv[optind];
	t.colour = t.people && !(no && *no);
	return tail(ctl, &t);
}
