/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of a checkpoint: origin, size, root, each in a line of its own. */
#include "tlog/checkpoint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define OURS "nfqd/"

void checkpoint_key_name(const char *sensor, char out[static NOTE_NAME])
{
	snprintf(out, NOTE_NAME, OURS "%.*s", NOTE_NAME - 8, sensor);
}

void checkpoint_origin(const char *sensor, uint64_t boot, unsigned output,
                       char out[static CHECKPOINT_ORIGIN])
{
	snprintf(out, CHECKPOINT_ORIGIN, OURS "%.80s/%" PRIu64 "/%u", sensor, boot, output);
}

/* A number as it is written in a checkpoint: without sign, blank or leading zero. */
static bool read_number(const char **at, char end, uint64_t *out)
{
	const char *from = *at;

	*out = 0;
	while (**at >= '0' && **at <= '9') {
		if (*out > (UINT64_MAX - 9) / 10)
			return false;
		*out = *out * 10 + (uint64_t)(*(*at)++ - '0');
	}
	return *at > from && **at == end && (*from != '0' || *at == from + 1);
}

bool checkpoint_origin_parse(const char *origin, const char **sensor, size_t *sensor_n, uint64_t *boot,
                             unsigned *output)
{
	const char *at, *slash;
	uint64_t    number;

	if (strncmp(origin, OURS, sizeof(OURS) - 1) != 0)
		return false;
	*sensor = origin + sizeof(OURS) - 1;
	slash = strchr(*sensor, '/');
	if (!slash)
		return false;
	*sensor_n = (size_t)(slash - *sensor);
	at = slash + 1;
	if (!read_number(&at, '/', boot))
		return false;
	at++;
	if (!read_number(&at, '\0', &number) || number > UINT32_MAX)
		return false;
	*output = (unsigned)number;
	return true;
}

void checkpoint_sign(const struct checkpoint *c, const struct note_key *signer,
                     char out[static CHECKPOINT_NOTE])
{
	char root[TREE_HASH_TEXT], line[NOTE_LINE];
	int  n;

	tree_hash_text(&c->root, root);
	n = snprintf(out, CHECKPOINT_NOTE, "%s\n%" PRIu64 "\n%s\n", c->origin, c->size, root);
	note_sign(signer, out, (size_t)n, line);
	snprintf(out + n, CHECKPOINT_NOTE - (size_t)n, "\n%s", line);
}

int checkpoint_parse(const char *note, size_t n, struct checkpoint *out, struct err *err)
{
	const char *size = memchr(note, '\n', n), *root, *end;

	root = size ? memchr(size + 1, '\n', n - (size_t)(size + 1 - note)) : NULL;
	end = root ? memchr(root + 1, '\n', n - (size_t)(root + 1 - note)) : NULL;
	if (!end || size == note || size - note >= CHECKPOINT_ORIGIN)
		return err_set(err, "not a checkpoint (origin, size, root)");
	memcpy(out->origin, note, (size_t)(size - note));
	out->origin[size - note] = '\0';
	size++;
	if (!read_number(&size, '\n', &out->size) || size != root ||
	    !tree_hash_parse(root + 1, (size_t)(end - root - 1), &out->root))
		return err_set(err, "not a checkpoint: its size or root is damaged");
	return 0;
}
