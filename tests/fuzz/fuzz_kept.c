/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a start finds in the state folder: state.json, sensor.json and log-key.json, by the first byte. Damage
 * is told and leaves a state that can be changed, written and read again.
 */
#include <fcntl.h>

#include "file.h"

#include "shared/identity.h"
#include "shared/log_key.h"
#include "shared/state.h"

static const char *const names[] = {"state.json", "sensor.json", "log-key.json"};

enum { NAMES_N = sizeof(names) / sizeof(names[0]) };

static char folder[] = "/dev/shm/nfqd-fuzz-XXXXXX", paths[NAMES_N][64];

static void remove_files(void)
{
	for (unsigned i = 0; i < NAMES_N; i++)
		unlink(paths[i]);
}

static void remove_folder(void)
{
	remove_files();
	rmdir(folder);
}

static void make_folder(void)
{
	if (paths[0][0])
		return;
	FUZZ_CHECK(mkdtemp(folder));
	for (unsigned i = 0; i < NAMES_N; i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%s", folder, names[i]);
	atexit(remove_folder);
}

static void put(const char *path, const uint8_t *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

static json_t *an_exception(void)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "name", "a.example", "owner", "it", "reason", "test",
			 "expires", "2026-12-01T00:00:00Z");
}

static void check_state(void)
{
	struct err   err = {.text = ""};
	struct state s;
	int          r = state_read(&s, paths[0], &err);
	unsigned     before = state_n_exceptions(&s);

	FUZZ_CHECK(r == 0 || (err.text[0] && before == 0));
	for (unsigned i = 0; i < before; i++)
		FUZZ_CHECK(state_exception(&s, i)->name && state_exception(&s, i)->names[0]);
	state_note_ended(&s, NULL, 0, INT64_C(1795000000));
	(void)state_first_seen(&s, "pack", INT64_C(1795000000));
	r = state_allow(&s, an_exception(), INT64_C(1795000000), &err) ? 0 : -1;
	FUZZ_CHECK(state_save(&s, &err) == 0);
	state_fini(&s);
	FUZZ_CHECK(state_read(&s, paths[0], &err) == 0);
	FUZZ_CHECK(r < 0 || state_revoke(&s, "a.example") > 0);
	state_fini(&s);
}

/* The second start goes on from the first one. */
static void check_identity(void)
{
	struct err           err = {.text = ""};
	struct identity      id, again;
	struct identity_last last;

	FUZZ_CHECK(identity_open(&id, SOURCE_QUEUE, paths[0], &last, &err) == 0);
	FUZZ_CHECK(id.boot > 0 && strlen(id.sensor) == IDENTITY_UUID - 1);
	if (id.boot > UINT64_C(1) << 53) /* the last one: the next start is another sensor's first */
		return;
	FUZZ_CHECK(identity_open(&again, SOURCE_QUEUE, paths[0], &last, &err) == 0);
	FUZZ_CHECK(strcmp(id.sensor, again.sensor) == 0 && again.boot == id.boot + 1);
	FUZZ_CHECK(memcmp(id.client_key, again.client_key, sizeof(id.client_key)) == 0);
}

static void check_key(void)
{
	struct err      err = {.text = ""};
	struct note_key key;

	if (log_key_open(&key, paths[0], "5d0f6b0e-3c1a-4a3e-9a51-6a2a7d1f0c77", &err) < 0)
		FUZZ_CHECK(err.text[0]);
	else
		FUZZ_CHECK(strcmp(key.name, "nfqd/5d0f6b0e-3c1a-4a3e-9a51-6a2a7d1f0c77") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const checks[NAMES_N])(void) = {check_state, check_identity, check_key};

	if (size < 1)
		return 0;
	diag_register(fuzz_silent);
	make_folder();
	put(paths[data[0] % NAMES_N], data + 1, size - 1);
	checks[data[0] % NAMES_N]();
	remove_files();
	return 0;
}
