/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl log resend: writes records again, byte by byte as they were, for a store that missed them. A store that
 * keeps records by (sensor, boot, seq) has each of them once, however often it is sent.
 */
#include <errno.h>
#include <getopt.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/outlet.h"
#include "log/sink.h"
#include "log.h"
#include "nfqctl.h"

struct sending {
	uint64_t      boot, from, to;
	struct outlet out;
	uint64_t      sent;
	bool         *done; /* each is sent once, also when what is sent goes to the end of a file that is read */
	struct err    err;
};

static bool write_all(struct sending *s, const char *bytes, size_t n)
{
	struct pollfd room = { .fd = s->out.fd, .events = POLLOUT };

	while (n > 0) {
		ssize_t r = outlet_write(&s->out, bytes, n);

		if (r == -EAGAIN && poll(&room, 1, 10000) == 1)
			continue;
		if (r <= 0 && r != -EINTR) {
			err_set(&s->err, "writing: %s", strerror(r < 0 ? (int)-r : EIO));
			return false;
		}
		bytes += r > 0 ? r : 0;
		n -= r > 0 ? (size_t)r : 0;
	}
	return true;
}

static bool send_line(void *ctx, unsigned file, uint32_t at, const char *line, size_t n)
{
	struct sending *s = ctx;
	json_t         *json = json_loadb(line, n, 0, NULL);
	const json_t   *own;
	const char     *sensor, *kind;
	uint64_t        boot, seq;
	bool            good = true;

	(void)file, (void)at;
	if (log_place(json, &own, &sensor, &boot, &seq, &kind) && boot == s->boot && seq >= s->from &&
	    seq <= s->to && !s->done[seq - s->from]) {
		s->done[seq - s->from] = true;
		good = write_all(s, line, line[n] ? n + 1 : n) && (line[n] || write_all(s, "\n", 1));
		s->sent += good;
	}
	json_decref(json);
	return good && s->sent <= s->to - s->from;
}

/* ---- what the daemon says of its outputs --------------------------------------------------- */

struct outputs {
	json_t *status;
	glob_t  files; /* of every output that is a file, with those that logrotate made of it */
};

static const json_t *output_at(const struct outputs *o, size_t i)
{
	return json_array_get(json_object_get(json_object_get(o->status, "log"), "outputs"), i);
}

static int find_outputs(struct nfqctl *ctl, struct outputs *o)
{
	const json_t *output;
	char          pattern[4096];
	int           flags = 0;

	o->status = ask(ctl, json_pack("{s:s}", "command", "status"));
	for (size_t i = 0; (output = output_at(o, i)) != NULL; i++) {
		if (strcmp(text_of(output, "type"), "file") != 0 || strcmp(text_of(output, "path"), "-") == 0)
			continue;
		snprintf(pattern, sizeof(pattern), "%s*", text_of(output, "path"));
		if (glob(pattern, flags, NULL, &o->files) == 0)
			flags = GLOB_APPEND;
	}
	return o->status ? 0 : -1;
}

static int type_of(const char *word)
{
	for (int type = 0; type < SINK_N; type++)
		if (strcmp(sink_name((enum sink_type)type), word) == 0)
			return type;
	return -1;
}

/* Opens output n as the daemon does. */
static int open_output(struct sending *s, const struct outputs *o, unsigned n)
{
	const json_t *output = output_at(o, n);
	int           type = output ? type_of(text_of(output, "type")) : -1;
	int           fd;

	if (type < 0)
		return err_set(&s->err, "the daemon has no output %u", n);
	if (type == SINK_TEXT || type == SINK_SYSLOG)
		return err_set(&s->err, "output %u is of type %s: it takes no lines", n, text_of(output, "type"));
	fd = sink_open((enum sink_type)type, text_of(output, "path"), &s->err);
	if (fd < 0)
		return -1;
	s->out = outlet_of(fd);
	return 0;
}

/* ---- the command --------------------------------------------------------------------------- */

enum { RANGE_MAX = 10000000 };

static bool parse_range(const char *text, struct sending *s)
{
	int end = 0;

	if (sscanf(text, "%" SCNu64 ":%" SCNu64 "-%" SCNu64 "%n", &s->boot, &s->from, &s->to, &end) == 3)
		return !text[end] && s->from > 0 && s->from <= s->to && s->to - s->from < RANGE_MAX;
	end = 0;
	if (sscanf(text, "%" SCNu64 ":%" SCNu64 "%n", &s->boot, &s->from, &end) != 2 || text[end])
		return false;
	s->to = s->from;
	return s->from > 0;
}

static int resend(struct nfqctl *ctl, struct sending *s, int output, char **files, unsigned n)
{
	struct outputs o = { .status = NULL };
	int            r = 0;

	s->out = outlet_of(STDOUT_FILENO);
	if ((output >= 0 || n == 0) && find_outputs(ctl, &o) < 0)
		return -1;
	s->done = calloc((size_t)(s->to - s->from + 1), sizeof(*s->done));
	if (!s->done)
		r = err_set(&s->err, "out of memory");
	if (r == 0 && output >= 0)
		r = open_output(s, &o, (unsigned)output);
	if (n == 0) {
		files = o.files.gl_pathv;
		n = (unsigned)o.files.gl_pathc;
	}
	if (r == 0)
		r = log_each_line((const char *const *)files, n, send_line, s, &s->err);
	if (r == 0 && s->sent < s->to - s->from + 1 && !s->err.text[0])
		r = err_set(&s->err, "%" PRIu64 " of %" PRIu64 " records were found and sent", s->sent,
		            s->to - s->from + 1);
	else if (r == 0 && output >= 0)
		printf("%" PRIu64 " records sent\n", s->sent);
	outlet_close(&s->out);
	free(s->done);
	json_decref(o.status);
	globfree(&o.files);
	return r < 0 || s->err.text[0] ? -1 : 0;
}

int cmd_log_resend(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "output", required_argument, NULL, 'o' },
		                                 { "help", no_argument, NULL, 'h' },
		                                 { NULL, 0, NULL, 0 } };
	struct sending             s = { .boot = 0 };
	unsigned                   output = 0;
	bool                       named = false, wrong = false;
	int                        o, end = 0;

	while ((o = getopt_long(argc, argv, "h", options, NULL)) == 'o') {
		named = true;
		if (sscanf(optarg, "%u%n", &output, &end) != 1 || optarg[end] || output >= SINKS_MAX)
			wrong = wrong_usage(argv[0], "--output: '%s' is not the number of an output", optarg);
	}
	if (o == -1 && !wrong && words_are(argc, argv, "BOOT:FROM-TO [FILE...]") && !parse_range(argv[optind], &s))
		wrong = wrong_usage(argv[0], "'%s' is not a range of records", argv[optind]);
	if (o != -1 || wrong || optind == argc) {
		fputs("usage: nfqctl log resend BOOT:FROM-TO [--output N] [FILE...]\n", o == 'h' ? stdout : stderr);
		return o == 'h' ? CTL_DONE : CTL_USAGE;
	}
	if (resend(ctl, &s, named ? (int)output : -1, argv + optind + 1, (unsigned)(argc - optind - 1)) == 0)
		return CTL_DONE;
	if (s.err.text[0])
		fprintf(stderr, "nfqctl log resend: %s\n", s.err.text);
	return CTL_FAILED;
}
