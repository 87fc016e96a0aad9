/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `nfqctl rules import`, whole: the first byte chooses the format, the rest is the list. What comes
 * of it is a pack that loads, passes the tests it was given, and records but never blocks.
 */
#include "quiet.h"

#include "../../tools/nfqctl/rules_import.h"
#include "match/ruleset.h"

static char folder[] = "/dev/shm/nfqd-fuzz-XXXXXX", pack[64];

static void remove_files(void)
{
	static const char *const names[] = {"list.yaml", "list.txt", "list.allow.txt"};
	char                     path[96];

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
}

static void remove_folder(void)
{
	remove_files();
	rmdir(folder);
}

static void make_folder(void)
{
	if (pack[0])
		return;
	FUZZ_CHECK(mkdtemp(folder));
	snprintf(pack, sizeof(pack), "%s/list.yaml", folder);
	atexit(remove_folder);
}

static int import(const char *format, const char *list)
{
	char *argv[] = {(char[]){"import"},
			(char *)(uintptr_t)format,
			(char *)(uintptr_t)list,
			(char[]){"--out"},
			pack,
			NULL};

	return fuzz_quietly(cmd_rules_import, 5, argv);
}

static void check_pack(void)
{
	struct err   err = {.text = ""};
	struct pack *p = pack_load(pack, &err);

	if (!p)
		fprintf(stderr, "%s\n", err.text);
	FUZZ_CHECK(p);
	if (pack_test(p, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		FUZZ_CHECK(!"its own tests");
	}
	for (unsigned i = 0; i < p->n_stages; i++)
		FUZZ_CHECK(p->stages[i].action != ACTION_REJECT);
	pack_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned formats = 0;

	while (import_formats[formats].name)
		formats++;
	if (size < 2)
		return 0;
	make_folder();
	if (import(data[0] % (formats + 1) == formats
			   ? "auto"
			   : import_formats[data[0] % (formats + 1)].name,
		   fuzz_file(data + 1, size - 1)) == CTL_DONE)
		check_pack();
	remove_files();
	return 0;
}
