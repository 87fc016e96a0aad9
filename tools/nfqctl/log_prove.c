/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl log prove: one record's proof (C2SP tlog-proof), which needs neither the log nor nfqd to be checked: the
 * record's place, the hashes beside its way to the root, and the signed checkpoint.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "nfqctl.h"

struct prover {
	const struct log_boot       *b;
	const struct log_checkpoint *before; /* the last one before the line that has its tree; NULL: none */
};

/* From a line, from a gap record, or from the checkpoint before. */
static bool node_of(void *ctx, uint64_t begin, uint64_t size, struct tree_hash *out)
{
	const struct prover    *p = ctx;
	const struct log_line  *line = size == 1 ? log_boot_line(p->b, begin) : NULL;
	uint64_t                n = 0, at = 0;
	const struct tree_hash *lost = log_boot_gap_node(p->b, begin, &n);

	if (line)
		*out = line->hash;
	else if (lost && n == size)
		*out = *lost;
	else
		lost = NULL;
	for (uint32_t i = 0; !line && !lost && p->before && i < p->before->tree.n; i++) {
		n = tree_first(at, p->before->tree.end);
		if (at == begin && n == size) {
			*out = p->before->tree.node[i];
			return true;
		}
		at += n;
	}
	return line || lost;
}

static bool print_proof(FILE *out, const struct prover *p, uint64_t line, const struct log_checkpoint *c)
{
	struct tree_hash proof[TREE_NODES / 2], root;
	char             text[TREE_HASH_TEXT];
	int              n = tree_prove(line, c->said.size, node_of, (void *)(uintptr_t)p, proof);

	if (n < 0 || !tree_hash_of(0, c->said.size, node_of, (void *)(uintptr_t)p, &root) ||
	    memcmp(&root, &c->said.root, sizeof(root)) != 0)
		return false;
	fprintf(out, "c2sp.org/tlog-proof@v1\nindex %" PRIu64 "\n", line);
	for (int i = 0; i < n; i++) {
		tree_hash_text(&proof[i], text);
		fprintf(out, "%s\n", text);
	}
	fprintf(out, "\n%s", c->note);
	return true;
}

/* By the first checkpoint after the line by which it can be proved. */
static int prove(FILE *out, const struct log_boot *b, uint64_t line, struct err *err)
{
	struct prover p = { .b = b };

	if (!log_boot_line(b, line))
		return err_set(err, "record %" PRIu64 ":%" PRIu64 " is not in these files", b->boot, line + 1);
	for (size_t i = 0; i < b->n_checkpoints; i++) {
		const struct log_checkpoint *c = &b->checkpoint[i];

		if (c->trusted && c->said.size <= line && c->tree.n)
			p.before = c;
		if (c->trusted && c->said.size > line && print_proof(out, &p, line, c))
			return 0;
	}
	return err_set(err, "record %" PRIu64 ":%" PRIu64 " cannot be proved by these files: nfqctl log verify "
	               "says why", b->boot, line + 1);
}

int log_prove(FILE *out, const char *place, const char *const *files, unsigned n, struct err *err)
{
	struct log_trail       t = { .n_boots = 0 };
	const struct log_boot *b = NULL;
	char                   sensor[LOG_SENSOR];
	uint64_t               boot, seq;
	int                    r;

	if (!log_parse_place(place, sensor, &boot, &seq))
		return err_set(err, "'%s' is not a record (BOOT:SEQ, or SENSOR/BOOT/SEQ)", place);
	r = log_trail_read(&t, files, n, err);
	if (r == 0)
		log_trail_trust(&t, NULL, 0);
	for (size_t i = 0; i < t.n_boots; i++)
		if (t.boot[i].boot == boot && (!sensor[0] || strcmp(t.boot[i].sensor, sensor) == 0))
			b = &t.boot[i];
	if (r == 0)
		r = b ? prove(out, b, seq - 1, err) : err_set(err, "boot %" PRIu64 " is not in these files", boot);
	log_trail_free(&t);
	return r;
}

int cmd_log_prove(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct err                 err = { 0 };
	char                       sensor[LOG_SENSOR];
	uint64_t                   boot, seq;
	int                        o = getopt_long(argc, argv, "h", options, NULL);

	(void)ctl;
	if (o != -1 || !words_are(argc, argv, "BOOT:SEQ FILE...")) {
		fputs("usage: nfqctl log prove BOOT:SEQ|SENSOR/BOOT/SEQ FILE...\n", o == 'h' ? stdout : stderr);
		return o == 'h' ? CTL_DONE : CTL_USAGE;
	}
	if (!log_parse_place(argv[optind], sensor, &boot, &seq))
		return wrong_usage(argv[0], "'%s' is not a record (BOOT:SEQ, or SENSOR/BOOT/SEQ)", argv[optind]);
	if (log_prove(stdout, argv[optind], (const char *const *)(argv + optind + 1), (unsigned)(argc - optind - 1), &err) == 0)
		return CTL_DONE;
	fprintf(stderr, "nfqctl log prove: %s\n", err.text);
	return CTL_FAILED;
}
