/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The identity that every record carries. */
#include "shared/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/diag.h"
#include "shared/file.h"

#define MACHINE_ID "/etc/machine-id"

enum { MACHINE_HEX = 2 * SHA256_DIGEST_SIZE + 1 };

void identity_of_run(struct identity *id, enum identity_source source)
{
	*id = (struct identity){ .source = (uint8_t)source };
	if (gethostname(id->host, sizeof(id->host) - 1) < 0)
		id->host[0] = '\0';
}

/* machine-id(5) is not to be told to others as it is: only a hash of it is kept. "" without one. */
static void machine_fingerprint(char out[MACHINE_HEX])
{
	static const char salt[] = "nfqd sensor 1\n";
	char              machine[64];
	uint8_t           digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx sha;
	int               fd = open(MACHINE_ID, O_RDONLY | O_CLOEXEC);
	ssize_t           n = fd < 0 ? -1 : read(fd, machine, sizeof(machine));

	out[0] = '\0';
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return;
	sha256_init(&sha);
	sha256_update(&sha, sizeof(salt) - 1, (const uint8_t *)salt);
	sha256_update(&sha, (size_t)n, (const uint8_t *)machine);
	sha256_digest(&sha, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* A random UUID (RFC 9562 5.4). */
static int make_uuid(char out[IDENTITY_UUID])
{
	uint8_t b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return -errno;
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(out, IDENTITY_UUID,
	         "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
	         b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
	         b[15]);
	return 0;
}

/* What the last start left. NULL: there was none, or it cannot be used, which is said. */
static json_t *read_kept(const char *path, const char *machine)
{
	json_error_t error;
	json_t      *kept = json_load_file(path, 0, &error);
	const char  *sensor = json_string_value(json_object_get(kept, "sensor"));
	const char  *made_on = json_string_value(json_object_get(kept, "machine"));

	if (!kept && access(path, F_OK) == 0)
		diag_warn("sensor", "%s:%d: %s; this machine becomes a new sensor", path, error.line,
		          error.text);
	if (kept && (!sensor || strlen(sensor) != IDENTITY_UUID - 1 ||
	             json_integer_value(json_object_get(kept, "boot")) < 1))
		diag_warn("sensor", "%s: not a sensor's identity; this machine becomes a new sensor",
		          path);
	else if (kept && made_on && strcmp(made_on, machine) != 0)
		diag_warn("sensor", "%s was made on another machine (%s differs); this one becomes a new "
		                    "sensor", path, MACHINE_ID);
	else
		return kept;
	json_decref(kept);
	return NULL;
}

static int keep(const struct identity *id, const char *path, const char *machine, struct err *err)
{
	json_t *doc = json_pack("{s:s, s:s, s:I}", "sensor", id->sensor, "machine", machine, "boot",
	                        (json_int_t)id->boot);
	int     r = doc ? file_replace_json(path, doc) : -ENOMEM;

	json_decref(doc);
	return r < 0 ? err_set(err, "%s: %s", path, strerror(-r)) : 0;
}

int identity_open(struct identity *id, enum identity_source source, const char *state,
                  struct err *err)
{
	char    path[4096], machine[MACHINE_HEX], *copy = strdup(state);
	json_t *kept;
	int     r;

	identity_of_run(id, source);
	id->boot = 1;
	if (!copy)
		return err_set(err, "out of memory");
	r = snprintf(path, sizeof(path), "%s/sensor.json", dirname(copy));
	free(copy);
	if (r >= (int)sizeof(path))
		return err_set(err, "%s: the path is too long", state);
	machine_fingerprint(machine);
	kept = read_kept(path, machine);
	if (kept) {
		snprintf(id->sensor, sizeof(id->sensor), "%s",
		         json_string_value(json_object_get(kept, "sensor")));
		id->boot = (uint64_t)json_integer_value(json_object_get(kept, "boot")) + 1;
		json_decref(kept);
	} else if ((r = make_uuid(id->sensor)) < 0) {
		return err_set(err, "no random bytes: %s", strerror(-r));
	} else {
		diag_info("sensor", "this machine is now sensor %s", id->sensor);
	}
	return keep(id, path, machine, err);
}
