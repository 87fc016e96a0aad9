/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which names of this site's own records a release would treat otherwise. They are read from the files of
 * JSON records that the configuration names: what was rotated away is not looked at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/regular.h"
#include "rules_update.h"

enum {
	SEEN_NAMES = 200000, /* different ones; further ones are counted only */
	SEEN_SHOWN = 20,
};

struct seen {
	json_t       *names; /* name -> how many records */
	unsigned long files, records, further;
};

static void take_record(struct seen *s, const char *line, size_t n)
{
	json_t     *record = json_loadb(line, n, 0, NULL);
	const char *name = json_string_value(json_object_get(json_object_get(record, "nfqd"), "name"));
	json_t     *count = name ? json_object_get(s->names, name) : NULL;

	if (count)
		json_integer_set(count, json_integer_value(count) + 1);
	else if (name && json_object_size(s->names) < SEEN_NAMES)
		json_object_set_new(s->names, name, json_integer(1));
	else
		s->further += name != NULL;
	s->records += name != NULL;
	json_decref(record);
}

static void read_records(struct seen *s, const char *path)
{
	FILE   *f = regular_fopen(path);
	char   *line = NULL;
	size_t  room = 0;
	ssize_t n;

	if (!f)
		return; /* nothing was written yet, or it is another's */
	s->files++;
	while ((n = getline(&line, &room, f)) > 0)
		take_record(s, line, (size_t)n);
	free(line);
	fclose(f);
}

static int by_count(const void *a, const void *b)
{
	const struct update_seen *x = a, *y = b;

	return x->count != y->count ? (x->count < y->count ? 1 : -1) : strcmp(x->name, y->name);
}

static void print_names(const char *sign, struct update_seen *v, unsigned long n)
{
	if (n)
		qsort(v, n, sizeof(*v), by_count);
	for (unsigned long i = 0; i < n && i < SEEN_SHOWN; i++)
		printf("%s seen here: %s (%ld records)\n", sign, v[i].name, v[i].count);
	if (n > SEEN_SHOWN)
		printf("%s ... and %lu more seen here\n", sign, n - SEEN_SHOWN);
}

/* Both lists have room for all names. */
static void compare(const struct seen *s, update_refuses *refuses, void *ctx, struct update_seen *lists[2],
                    unsigned long n[2])
{
	const char *name;
	json_t     *count;

	json_object_foreach(s->names, name, count) {
		bool before = refuses(ctx, false, name), after = refuses(ctx, true, name);

		if (before != after)
			lists[before][n[before]++] = (struct update_seen){ name, (long)json_integer_value(count) };
	}
}

static int print_seen(const struct seen *s, update_refuses *refuses, void *ctx)
{
	size_t              room = json_object_size(s->names) + 1;
	struct update_seen *lists[2] = { calloc(room, sizeof(**lists)), calloc(room, sizeof(**lists)) };
	unsigned long       n[2] = { 0, 0 };
	int                 r = lists[0] && lists[1] ? 0 : -1;

	if (r == 0) {
		compare(s, refuses, ctx, lists, n);
		print_names("+", lists[0], n[0]);
		print_names("-", lists[1], n[1]);
		printf("of %zu names in this site's records, %lu would be refused that were not, %lu no longer\n",
		       json_object_size(s->names), n[0], n[1]);
		if (s->further)
			printf("%lu records have further names, which were not looked at\n", s->further);
	}
	free(lists[0]);
	free(lists[1]);
	return r;
}

int update_seen_diff(const struct updater *u, update_refuses *refuses, void *ctx)
{
	struct seen s = { .names = json_object() };
	int         r = s.names ? 0 : -1;

	for (unsigned i = 0; r == 0 && i < u->n_records; i++)
		read_records(&s, u->records[i]);
	if (r == 0 && s.files == 0)
		printf("no records of this site to compare with: the configuration names no file that can be read\n");
	else if (r == 0)
		r = print_seen(&s, refuses, ctx);
	json_decref(s.names);
	return r;
}
