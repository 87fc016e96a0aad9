/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqctl report: what a manager and an auditor get, as a page, as a table, or as JSON. */
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "inventory.h"

static const char usage[] =
	"usage: nfqctl report --html FILE | --csv | --json [--force]\n"
	"                     [--vendor V] [--since 7d|DATE] [--until DATE] [--db FILE | --from FILE|- ...]\n";

/* ---- the command --------------------------------------------------------------------------- */

static int write_page(const json_t *report, const char *path, bool force, struct err *err)
{
	int   fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (force ? O_TRUNC : O_EXCL), 0640);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f && errno == EEXIST)
		return err_set(err, "%s is there already (--force overwrites it)", path);
	if (!f)
		return err_set(err, "%s: %s", path, strerror(errno));
	report_html(report, f);
	return fclose(f) != 0 ? err_set(err, "%s: %s", path, strerror(errno)) : 0;
}

struct report_command {
	struct inventory v;
	const char      *html;
	bool             csv, force;
};

static int write_report(const struct report_command *c, json_t *report)
{
	struct err err = { 0 };

	report_add_now(report);
	if (c->html && write_page(report, c->html, c->force, &err) < 0) {
		fprintf(stderr, "nfqctl report: %s\n", err.text);
		return CTL_FAILED;
	}
	if (c->csv)
		report_csv(report, stdout);
	return c->v.json ? print_answer(json_incref(report), true, NULL) : CTL_DONE;
}

static bool read_options(struct report_command *c, int argc, char **argv, int *o)
{
	static const struct option options[] = { INVENTORY_OPTIONS,
		                                 { "html", required_argument, NULL, 'H' },
		                                 { "csv", no_argument, NULL, 'C' },
		                                 { "force", no_argument, NULL, 'f' },
		                                 { NULL, 0, NULL, 0 } };

	while ((*o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (*o == 'H')
			c->html = optarg;
		else if (*o == 'C')
			c->csv = true;
		else if (*o == 'f')
			c->force = true;
		else if (!inventory_option(&c->v, "report", *o, optarg))
			return false;
	}
	if (!c->html && !c->csv && !c->v.json) {
		wrong_usage(argv[0], "one of --html, --csv and --json is missing");
		return false;
	}
	if (are_both(argv[0], "--html", c->html, "--csv", c->csv) || are_both(argv[0], "--json", c->v.json, "--html", c->html) ||
	    are_both(argv[0], "--csv", c->csv, "--json", c->v.json))
		return false;
	return inventory_words(&c->v, argc, argv, "");
}

int cmd_report(struct nfqctl *ctl, int argc, char **argv)
{
	struct report_command c = { 0 };
	struct err            err = { 0 };
	struct sightings     *s;
	json_t               *report;
	int                   o, r = CTL_FAILED;

	if (!read_options(&c, argc, argv, &o)) {
		fputs(usage, o == 'h' ? stdout : stderr);
		return o == 'h' ? CTL_DONE : CTL_USAGE;
	}
	s = inventory_open(ctl, &c.v, "report", false);
	inventory_check_vendor(s, &c.v, argv[0]);
	report = s ? sightings_report(s, &c.v.which, &err) : NULL;
	if (report)
		r = write_report(&c, report);
	else if (err.text[0])
		fprintf(stderr, "nfqctl report: %s\n", err.text);
	json_decref(report);
	sightings_close(s);
	free(c.v.from);
	return r;
}
