/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leases and hosts files: a client chooses the name in its lease. The first byte says which of both. Only
 * machines that are in the inventory get a label, and only one that is fit to be printed.
 */
#include <fcntl.h>

#include "file.h"

#include "sightings/labels.h"

#define LINE                                                                                       \
	"{\"timestamp\":\"2026-11-23T00:00:01.000000+0000\",\"event_type\":\"alert\",\"src_ip\":"      \
	"\"10.0.0.7\",\"dest_ip\":\"10.0.0.1\",\"proto\":\"UDP\",\"app_proto\":\"dns\",\"ether\":"     \
	"{\"src_mac\":\"3c:52:82:00:00:01\"},\"nfqd\":{\"sensor\":\"5d0f6b0e-3c1a-4a3e-9a51-"          \
	"6a2a7d1f0c77\",\"boot\":1,\"seq\":1,\"name\":\"a.example\",\"seen_in\":\"dns.query\","        \
	"\"rule\":\"r\",\"pack\":\"p\",\"vendor\":\"V\",\"action\":\"reject\",\"would\":\"reject\","   \
	"\"client\":{\"id\":\"mac:3c:52:82:00:00:01\"}}}"

static struct sightings *one_machine(void)
{
	struct err        err = {.text = ""};
	struct sightings *s = sightings_open("", SIGHTINGS_MEMORY, NULL, &err);
	struct sighting   one;

	FUZZ_CHECK(s);
	sighting_read(&one, LINE, sizeof(LINE) - 1);
	FUZZ_CHECK(one.kind == SIGHTING_NAME);
	sightings_take(s, &one);
	sighting_free(&one);
	return s;
}

static void check_labels(struct sightings *s)
{
	struct err err = {.text = ""};
	json_t    *host = sightings_host(s, "mac:3c:52:82:00:00:01", &(struct sightings_which){0}, &err);
	json_t    *labels = json_object_get(host, "labels"), *one;
	size_t     i;

	FUZZ_CHECK(host && json_is_array(labels));
	json_array_foreach(labels, i, one) {
		const char *of = json_string_value(json_object_get(one, "of"));
		const char *name = json_string_value(json_object_get(one, "name"));

		FUZZ_CHECK(strcmp(of, "3c:52:82:00:00:01") == 0 || strcmp(of, "10.0.0.7") == 0);
		FUZZ_CHECK(strlen(name) < 64 && name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP"
							  "QRSTUVWXYZ0123456789-._")] == '\0');
	}
	json_decref(host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sightings *s; /* of all inputs: a later one names the machine anew */
	int                      fd;

	if (size < 1)
		return 0;
	if (!s)
		s = one_machine();
	fd = open(fuzz_file(data + 1, size - 1), O_RDONLY | O_CLOEXEC);
	FUZZ_CHECK(fd >= 0 && sightings_begin(s) == 0);
	labels_read(s, fd, data[0] & 1, 1);
	close(fd);
	check_labels(s);
	sightings_rollback(s);
	FUZZ_CHECK(!sightings_problem(s));
	return 0;
}
