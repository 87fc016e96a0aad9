/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What sub-commands that talk to the daemon have in common. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "nfqctl.h"
#include "base/printable.h"
#include "parent/ctl.h"

json_t *ask(const struct nfqctl *ctl, json_t *request)
{
	struct err err = { 0 };
	json_t    *answer = ctl_ask(ctl->socket, request, &err);

	json_decref(request);
	if (!answer)
		fprintf(stderr, "nfqctl: %s\n", err.text);
	return answer;
}

const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "-";
}

long long number_of(const json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

void print_list(const char *title, const json_t *list)
{
	const json_t *item;
	size_t        i;

	if (json_array_size(list) == 0)
		return;
	printf("%s", title);
	json_array_foreach(list, i, item)
		printf("%s %s", i ? "," : "", json_string_value(item));
	printf("\n");
}

/* For people: what is in a pack, a configuration or a request never reaches the terminal as a command. */
static void make_printable(json_t *v)
{
	const char *key;
	json_t     *item;
	size_t      i;
	char        out[4096];

	json_object_foreach(v, key, item)
		make_printable(item);
	json_array_foreach(v, i, item)
		make_printable(item);
	if (!json_is_string(v))
		return;
	printable(json_string_value(v), out, sizeof(out));
	json_string_set(v, out);
}

static int print_json(json_t *answer)
{
	int r;

	json_object_del(answer, "ok");
	r = json_dumpf(answer, stdout, JSON_INDENT(2));
	putchar('\n');
	return r < 0 ? CTL_FAILED : CTL_DONE;
}

int print_answer(json_t *answer, bool as_json, void (*print)(const json_t *))
{
	int r = CTL_DONE;

	if (!answer)
		return CTL_FAILED;
	if (as_json) {
		r = print_json(answer);
	} else {
		make_printable(answer);
		print(answer);
	}
	json_decref(answer);
	return r;
}

int only_json(int argc, char **argv, bool *as_json)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
		                                 { "help", no_argument, NULL, 'h' },
		                                 { NULL, 0, NULL, 0 } };
	int o;

	while ((o = getopt_long(argc, argv, "h", options, NULL)) == 'j')
		*as_json = true;
	if (o == -1 && words_are(argc, argv, ""))
		return -1;
	fprintf(o == 'h' ? stdout : stderr, "usage: %s [--json]\n", argv[0]);
	return o == 'h' ? CTL_DONE : CTL_USAGE;
}

json_t *ask_status(const struct nfqctl *ctl, bool *no_daemon, struct err *err)
{
	json_t *request = json_pack("{s:s}", "command", "status"), *answer = NULL;
	int     fd = ctl_connect(ctl->socket, err);

	*no_daemon = fd == -ENOENT || fd == -ECONNREFUSED;
	if (fd >= 0)
		answer = ctl_talk(fd, request, err);
	json_decref(request);
	return answer;
}
