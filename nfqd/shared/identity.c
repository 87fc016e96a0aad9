/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The identity that every record carries. */
#include "shared/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <nettle/base16.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/diag.h"
#include "shared/file.h"

#define MACHINE_ID "/etc/machine-id"

#define BOOT_MAX   (INT64_C(1) << 53) /* the largest number that every reader of JSON keeps exactly (RFC 8259, 6) */

enum { MACHINE_HEX = 2 * SHA256_DIGEST_SIZE + 1, KEY_HEX = 2 * IDENTITY_KEY + 1 };

static void make_key(struct identity *id)
{
	if (getrandom(id->client_key, sizeof(id->client_key), 0) != sizeof(id->client_key))
		diag_warn("sensor", "no random bytes for pseudonyms of clients");
}

void identity_of_run(struct identity *id, enum identity_source source)
{
	*id = (struct identity){ .source = (uint8_t)source };
	make_key(id);
	if (gethostname(id->host, sizeof(id->host) - 1) < 0)
		id->host[0] = '\0';
}

/* machine-id(5) asks not to show the id to others as it is: only a hash of it is kept. "" without one. */
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

/* Reads what the last start left. NULL: there was none, or it is unusable, which is reported. */
static json_t *read_kept(const char *path, const char *machine)
{
	json_error_t error;
	json_t      *kept = json_load_file(path, 0, &error);
	const char  *sensor = json_string_value(json_object_get(kept, "sensor"));
	const char  *made_on = json_string_value(json_object_get(kept, "machine"));
	json_int_t   boot = json_integer_value(json_object_get(kept, "boot"));

	if (!kept && access(path, F_OK) == 0)
		diag_warn("sensor", "%s:%d: %s; this machine becomes a new sensor", path, error.line,
		          error.text);
	if (kept && (!sensor || strlen(sensor) != IDENTITY_UUID - 1 || boot < 1 || boot > BOOT_MAX))
		diag_warn("sensor", "%s: not a sensor's identity; this machine becomes a new sensor",
		          path);
	else if (kept && made_on && strcmp(made_on, machine) != 0)
		diag_warn("sensor", "%s was made on another machine (%s differs); this machine "
			  "becomes a new sensor", path, MACHINE_ID);
	else
		return kept;
	json_decref(kept);
	return NULL;
}

static void key_text(const struct identity *id, char out[KEY_HEX])
{
	base16_encode_update(out, sizeof(id->client_key), id->client_key);
	out[KEY_HEX - 1] = '\0';
}

/* Pseudonyms stay the same as long as the sensor does. Without a kept key, a new one is there already. */
static void take_key(struct identity *id, const json_t *kept)
{
	const char              *text = json_string_value(json_object_get(kept, "client_key"));
	struct base16_decode_ctx hex;
	uint8_t                  key[IDENTITY_KEY + 1];
	size_t                   n = sizeof(key);

	base16_decode_init(&hex);
	if (text && strlen(text) == KEY_HEX - 1 && base16_decode_update(&hex, &n, key, KEY_HEX - 1, text) &&
	    n == IDENTITY_KEY)
		memcpy(id->client_key, key, IDENTITY_KEY);
}

enum { GOES_ON = -1 };

/* stopped_at: the number of the last record; GOES_ON: the run has not ended. */
static int keep(const struct identity *id, const char *path, int64_t stopped_at, struct err *err)
{
	char    machine[MACHINE_HEX], key[KEY_HEX];
	json_t *doc;
	int     r;

	machine_fingerprint(machine);
	key_text(id, key);
	doc = json_pack("{s:s, s:s, s:I, s:s}", "sensor", id->sensor, "machine", machine, "boot",
	                (json_int_t)id->boot, "client_key", key);
	if (doc && stopped_at >= 0)
		json_object_set_new(doc, "stopped_at", json_integer(stopped_at));
	r = doc ? file_replace_json(path, doc) : -ENOMEM;
	json_decref(doc);
	return r < 0 ? err_set(err, "%s: %s", path, strerror(-r)) : 0;
}

static int path_beside(const char *state, char path[static PATH_MAX], struct err *err)
{
	return file_beside(state, "sensor.json", path) < 0 ? err_set(err, "%s: the path is too long", state) : 0;
}

/* Continues as the kept sensor, or becomes a new one. */
static int become(struct identity *id, const json_t *kept, struct identity_last *last, struct err *err)
{
	const json_t *stopped_at = json_object_get(kept, "stopped_at");
	int           r;

	id->boot = 1;
	if (!kept && (r = make_uuid(id->sensor)) < 0)
		return err_set(err, "no random bytes: %s", strerror(-r));
	if (!kept) {
		diag_info("sensor", "this machine is now sensor %s", id->sensor);
		return 0;
	}
	snprintf(id->sensor, sizeof(id->sensor), "%s",
	         json_string_value(json_object_get(kept, "sensor")));
	take_key(id, kept);
	last->boot = (uint64_t)json_integer_value(json_object_get(kept, "boot"));
	last->stopped = json_is_integer(stopped_at) && json_integer_value(stopped_at) >= 0;
	last->seq = last->stopped ? (uint64_t)json_integer_value(stopped_at) : 0;
	id->boot = last->boot + 1;
	return 0;
}

int identity_open(struct identity *id, enum identity_source source, const char *state,
                  struct identity_last *last, struct err *err)
{
	char    path[PATH_MAX], machine[MACHINE_HEX];
	json_t *kept;
	int     r;

	identity_of_run(id, source);
	*last = (struct identity_last){ .boot = 0 };
	if (path_beside(state, path, err) < 0)
		return -1;
	machine_fingerprint(machine);
	kept = read_kept(path, machine);
	r = become(id, kept, last, err);
	json_decref(kept);
	return r < 0 ? -1 : keep(id, path, GOES_ON, err);
}

int identity_close(const struct identity *id, const char *state, uint64_t seq, struct err *err)
{
	char path[PATH_MAX];

	return path_beside(state, path, err) < 0 ? -1 : keep(id, path, (int64_t)seq, err);
}
