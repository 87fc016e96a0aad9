/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the running daemon says of itself, each with what mends it: of doctor what needs no look at this machine. */
#include <string.h>

#include "nfqctl.h"

/* What mends what the daemon says of itself; the pack's expiry is a check. */
static const struct {
	const char *reason, *cure, *command;
} cures[] = {
	{ "mode", "switch it back", "nfqctl mode enforce" },
	{ "watching", "start it without -i", "systemctl restart nfqd" },
	{ "fail-open", "read why its worker dies, then start it anew", "journalctl -u nfqd -e" },
	{ "not-steering", "find the program that removes it, then start nfqd anew", "nft monitor" },
	{ "heartbeat-open", "see which way is open; the other findings may say why", "nfqctl status" },
	{ "heartbeat-failed", "see what it could not do; the other findings may say why", "nfqctl status" },
};

void doctor_add(json_t *findings, const char *check, const char *where, const char *text, const char *cure,
                const char *command)
{
	json_array_append_new(findings, json_pack("{s:s, s:s, s:s, s:s, s:s*}", "check", check, "where", where,
	                                          "text", text, "cure", cure, "command", command));
}

static void add_reasons(json_t *findings, const json_t *status)
{
	const json_t *reason;
	size_t        i;

	json_array_foreach(json_object_get(status, "reasons"), i, reason)
		for (size_t k = 0; k < sizeof(cures) / sizeof(cures[0]); k++)
			if (strcmp(text_of(reason, "reason"), cures[k].reason) == 0)
				doctor_add(findings, cures[k].reason, "nfqd:", text_of(reason, "text"), cures[k].cure,
				    cures[k].command);
}

void doctor_of_daemon(json_t *findings, const json_t *status)
{
	const json_t *reload = json_object_get(status, "reload"), *log = json_object_get(status, "log");

	add_reasons(findings, status);
	if (json_is_true(json_object_get(reload, "failed")))
		doctor_add(findings, "reload", text_of(reload, "error"), "is why the last reload failed",
		    "correct it", "nfqctl reload");
	if (number_of(log, "lost"))
		doctor_add(findings, "records-lost", "nfqd:", "records were lost; status says by which output",
		    "give the log a disk, or a reader, that keeps up", "nfqctl status");
}

json_t *doctor_of_status(const json_t *status)
{
	json_t *findings = json_array();

	doctor_of_daemon(findings, status);
	json_array_extend(findings, json_object_get(status, "checks"));
	return findings;
}
