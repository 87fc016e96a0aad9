/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log-key.json: the signer key as C2SP signed-note writes it. */
#include "shared/log_key.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "shared/file.h"
#include "tlog/checkpoint.h"

static int path_of(const char *state, char path[static PATH_MAX], struct err *err)
{
	return file_beside(state, "log-key.json", path) < 0 ? err_set(err, "%s: the path is too long", state) : 0;
}

int log_key_make(struct note_key *signer, const char *state, const char *sensor, struct err *err)
{
	char    path[PATH_MAX], name[NOTE_NAME], text[NOTE_KEY_TEXT];
	json_t *doc;
	int     r;

	checkpoint_key_name(sensor, name);
	if (path_of(state, path, err) < 0 || note_key_new(name, signer, err) < 0)
		return -1;
	note_key_text(signer, true, text);
	doc = json_pack("{s:s}", "signer", text);
	r = doc ? file_replace_json(path, doc) : -ENOMEM;
	json_decref(doc);
	explicit_bzero(text, sizeof(text));
	return r < 0 ? err_set(err, "%s: %s", path, strerror(-r)) : 0;
}

int log_key_open(struct note_key *signer, const char *state, const char *sensor, struct err *err)
{
	char         path[PATH_MAX], name[NOTE_NAME];
	json_error_t error;
	json_t      *doc;
	const char  *text;
	int          r;

	if (path_of(state, path, err) < 0)
		return -1;
	if (access(path, F_OK) < 0)
		return log_key_make(signer, state, sensor, err);
	doc = json_load_file(path, 0, &error);
	text = json_string_value(json_object_get(doc, "signer"));
	r = text ? note_key_parse(text, true, signer, err)
	         : err_set(err, "%s: %s", path, doc ? "no signer key" : error.text);
	json_decref(doc);
	checkpoint_key_name(sensor, name);
	if (r < 0 || strcmp(signer->name, name) == 0)
		return r;
	diag_warn("log", "%s is another sensor's: a new key", path);
	return log_key_make(signer, state, sensor, err);
}
