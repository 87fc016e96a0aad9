/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records, one in a line, as the inventory takes them from the log thread and from log files, and every
 * question about them afterwards. Whatever they say the database is sound, and each answer is one.
 */
#include "file.h"

#include "sightings/sightings.h"

static void take_lines(struct sightings *s, const char *data, size_t size)
{
	FUZZ_CHECK(sightings_begin(s) == 0);
	for (size_t from = 0; from < size;) {
		const char     *end = memchr(data + from, '\n', size - from);
		size_t          n = end ? (size_t)(end - data) - from : size - from;
		struct sighting one;

		sighting_read(&one, data + from, n);
		sightings_take(s, &one);
		sighting_free(&one);
		from += n + 1;
	}
	FUZZ_CHECK(sightings_commit(s) == 0);
}

static void check_writable(const json_t *answer)
{
	char *text = json_dumps(answer, JSON_ENCODE_ANY);

	FUZZ_CHECK(answer && text); /* what cannot be written is not UTF-8 */
	free(text);
}

static void check_answer(json_t *answer)
{
	check_writable(answer);
	json_decref(answer);
}

static void check_names(void *ctx, const json_t *machine, const json_t *names)
{
	(void)ctx;
	check_writable(machine);
	check_writable(names);
}

static unsigned with_id(const json_t *hosts, const char *id)
{
	unsigned      n = 0;
	size_t        i;
	const json_t *one;

	json_array_foreach(hosts, i, one)
		n += strcmp(json_string_value(json_object_get(one, "id")), id) == 0;
	return n;
}

/* All about every machine, by the id that the list gives it; machines of two sensors may share one. */
static void ask(struct sightings *s, const struct sightings_which *which)
{
	struct err err = {.text = ""};
	json_t    *hosts = sightings_hosts(s, which, &err), *one;
	size_t     i;

	json_array_foreach(json_object_get(hosts, "hosts"), i, one) {
		const char *id = json_string_value(json_object_get(one, "id"));
		json_t     *host = sightings_host(s, id, which, &err);

		if (!host)
			fprintf(stderr, "'%s': %s\n", id, err.text);
		if (host || with_id(json_object_get(hosts, "hosts"), id) == 1)
			check_answer(host);
	}
	check_answer(hosts);
	check_answer(sightings_report(s, which, &err));
	FUZZ_CHECK(sightings_names(s, which, check_names, NULL, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err               err = {.text = ""};
	struct sightings        *s = sightings_open("", SIGHTINGS_MEMORY, NULL, &err);
	struct sightings_trimmed sum = {0};

	diag_register(fuzz_silent);
	FUZZ_CHECK(s);
	take_lines(s, (const char *)data, size);
	ask(s, &(struct sightings_which){0});
	while (sightings_trim(s, INT64_MAX, &sum))
		;
	FUZZ_CHECK(!sightings_problem(s));
	sightings_close(s);
	return 0;
}
