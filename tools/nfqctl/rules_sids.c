/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl rules sids: gives every entry and network of a pack that has no signature id the next free one
 * of the pack's block, in the file as it stands: nothing else of it changes.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/yaml.h"
#include "nfqctl.h"
#include "rules_lint.h"

struct sids {
	const struct pack *p;
	unsigned          *of_line; /* number to be written at that line, from 1; 0: none */
	unsigned           lines, next, block;
	FILE              *in, *out;
};

static void allot(struct sids *x, unsigned line)
{
	if (line < x->lines)
		x->of_line[line] = x->next++;
}

static void allot_all(struct sids *x)
{
	const struct pack *p = x->p;

	for (unsigned i = 0; i < p->n_entries; i++)
		if (!p->entries[i].sid)
			allot(x, yaml_doc_line(p->doc, "entries[%u]", i));
	for (unsigned i = 0; i < p->n_nets; i++)
		if (!p->nets[i].sid)
			allot(x, yaml_doc_line(p->doc, "nets[%u]", i));
}

/* An item begins with "- key: value" or with "- {key: value". */
static int write_item(struct sids *x, const char *line, unsigned sid)
{
	size_t dash = strspn(line, " "), at = dash + 1 + strspn(line + dash + 1, " ");

	if (line[dash] != '-')
		return -EINVAL;
	if (line[at] == '{')
		fprintf(x->out, "%.*s{sid: %u, %s", (int)at, line, sid, line + at + 1);
	else if (strncmp(line + at, "id:", 3) == 0)
		fprintf(x->out, "%s%*ssid: %u\n", line, (int)at, "", sid);
	else
		fprintf(x->out, "%.*ssid: %u\n%*s%s", (int)at, line, sid, (int)at, "", line + at);
	return 0;
}

static int write_line(struct sids *x, const char *line, unsigned at)
{
	if (at < x->lines && x->of_line[at])
		return write_item(x, line, x->of_line[at]);
	fputs(line, x->out);
	if (x->block && strncmp(line, "version:", 8) == 0)
		fprintf(x->out, "sids: %u\n", x->block);
	return 0;
}

static int rewrite(struct sids *x)
{
	char    *line = NULL;
	size_t   room = 0;
	unsigned at = 1;
	int      r = 0;

	while (r == 0 && getline(&line, &room, x->in) > 0)
		r = write_line(x, line, at++);
	free(line);
	if (r == 0 && (ferror(x->in) || fflush(x->out) != 0 || ferror(x->out)))
		r = -EIO;
	return r;
}

static unsigned count_lines(FILE *f)
{
	unsigned n = 1;
	int      c;

	while ((c = getc(f)) != EOF)
		n += c == '\n';
	rewind(f);
	return n;
}

/* Written beside it first: a pack is never half there. */
static int sids_file(struct sids *x)
{
	char temporary[4096];
	int  r;

	if (snprintf(temporary, sizeof(temporary), "%s.new", x->p->path) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	x->in = fopen(x->p->path, "re");
	x->out = x->in ? fopen(temporary, "we") : NULL;
	if (!x->out)
		return -errno;
	x->lines = count_lines(x->in) + 1;
	x->of_line = calloc(x->lines, sizeof(*x->of_line));
	if (x->of_line)
		allot_all(x);
	r = x->of_line ? rewrite(x) : -ENOMEM;
	fclose(x->out);
	if (r == 0 && rename(temporary, x->p->path) < 0)
		r = -errno;
	if (r < 0)
		unlink(temporary);
	return r;
}

static int sids_pack(const char *path, unsigned first)
{
	struct err   err = { .text = "" };
	struct pack *p = pack_load(path, &err);
	struct sids  x = { .p = p };
	int          r;

	if (!p)
		return fprintf(stderr, "nfqctl: %s\n", err.text), -1;
	if (!p->sids && !first) {
		fprintf(stderr, "nfqctl: %s: the pack has no block: name one with --first\n", path);
		pack_free(p);
		return -1;
	}
	if (!p->sids)
		p->sids = x.block = first;
	x.next = lint_next_sid(p);
	r = sids_file(&x);
	if (r < 0)
		fprintf(stderr, "nfqctl: %s: %s\n", path,
		        r == -EINVAL ? "an item does not begin with '- '" : strerror(-r));
	else
		printf("%s: %u numbers given\n", path, x.next - lint_next_sid(p));
	if (x.in)
		fclose(x.in);
	free(x.of_line);
	pack_free(p);
	return r;
}

static int usage(FILE *to, int result)
{
	fprintf(to, "usage: nfqctl rules sids [--first NUMBER] FILE...\n");
	return result;
}

int cmd_rules_sids(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "first", required_argument, NULL, 'f' },
		                                 { "help", no_argument, NULL, 'h' },
		                                 { NULL, 0, NULL, 0 } };
	unsigned long              first = 0;
	int                        o, r = CTL_DONE;
	char                      *end = NULL;

	(void)ctl;
	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (o != 'f')
			return o == 'h' ? usage(stdout, CTL_DONE) : usage(stderr, CTL_USAGE);
		first = strtoul(optarg, &end, 10);
		if (*end || first < SID_FIRST || first > SID_LAST || first % SID_BLOCK) {
			fprintf(stderr, "nfqctl: --first: '%s' is not the first of %u numbers between %u "
			                "and %u\n", optarg, SID_BLOCK, SID_FIRST, SID_LAST);
			return CTL_USAGE;
		}
	}
	if (!words_are(argc, argv, first ? "FILE" : "FILE..."))
		return usage(stderr, CTL_USAGE);
	for (int i = optind; i < argc; i++)
		if (sids_pack(argv[i], (unsigned)first) < 0)
			r = CTL_FAILED;
	return r;
}
