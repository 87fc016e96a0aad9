/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl block, and nfqctl allow --for ever: a policy is one line of a file of nfqctl's own. It is tried with the whole
 * configuration before it takes the place of the old file.
 */
#include "own.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "match/pattern.h"
#include "rules.h"
#include "shared/conf.h"

#define DEFAULT_CONF "/etc/nfqd/nfqd.yaml"

enum { LINE = 2048 };

static const char head[] = "# Written by nfqctl block and nfqctl allow --for ever; the configuration includes it.\npolicies:\n";

/* A text that stands in double quotes as it is. */
static bool is_plain(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (*c < ' ' || *c == 0x7f || *c == '"' || *c == '\\')
			return false;
	return true;
}

bool own_name_ok(const char *command, const char *name)
{
	char                one[] = "1", until[] = "2100-01-01", *names[] = { (char *)(uintptr_t)name };
	struct exception_in as = { .name = one, .names = names, .n_names = 1, .owner = one, .reason = one,
		                   .expires = until };
	struct err          err = { .text = "" };

	if (hostname_is_registry(name + (name[0] == '.')))
		wrong_usage(command, "'%s' is a public suffix: everybody's names are below it", name);
	else if (conf_check_exception(&as, &err) < 0)
		wrong_usage(command, "%s", err.text);
	else
		return true;
	return false;
}

bool own_ok(const char *command, const struct own_policy *p)
{
	struct pattern pattern;
	struct net     net;
	struct err     err = { .text = "" };

	if (!own_name_ok(command, p->name))
		return false;
	if (net_parse(p->name, &net) == 0)
		wrong_usage(command, "'%s' is an address; this is for names", p->name);
	else if (pattern_parse(&pattern, p->name, &err) < 0)
		wrong_usage(command, "name '%s': %s", p->name, err.text);
	else if (!is_plain(p->name) || (p->client && !is_plain(p->client)) || (p->reason && !is_plain(p->reason)))
		wrong_usage(command, "name, client and reason may have no quotes, backslashes or control characters");
	else
		return true;
	return false;
}

static void id_of(const struct own_policy *p, char *out, size_t room)
{
	snprintf(out, room, "{name: \"own %s%s%s\"", p->name, p->client ? " for " : "", p->client ? p->client : "");
}

static void write_line(FILE *f, const struct own_policy *p, const char *id)
{
	char at[CLOCK_TEXT];

	clock_text_iso((int64_t)(clock_now() / NS_PER_S), at);
	fprintf(f, "  - %s, ", id);
	if (p->client)
		fprintf(f, "clients: [\"%s\"], ", p->client);
	fprintf(f, "match: {names: [\"%s\"]}, action: %s} # %.10s%s%s\n", p->name, p->action, at, p->reason ? ": " : "",
	        p->reason ? p->reason : "");
}

/* The other policies of the file as they are. */
static void copy_others(FILE *to, const char *path, const char *id)
{
	FILE *f = fopen(path, "re");
	char  line[LINE];

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "  - ", 4) == 0 && strncmp(line + 4, id, strlen(id)) != 0)
			fputs(line, to);
	if (f)
		fclose(f);
}

static int write_new(const struct own_policy *p, const char *path, const char *made)
{
	FILE *f = fopen(made, "we");
	char  id[LINE];

	if (!f)
		return -1;
	id_of(p, id, sizeof(id));
	fputs(head, f);
	write_line(f, p, id);
	copy_others(f, path, id);
	if (fflush(f) != 0 || fsync(fileno(f)) < 0)
		return fclose(f), -1;
	return fclose(f);
}

static int loads(const char *conf_path, struct err *err)
{
	struct conf  *c = conf_load(conf_path, err);
	struct image *img = NULL;
	int           r = c ? conf_compile(c, &img, err) : -1;

	free(img);
	conf_free(c);
	return r;
}

/* Puts the new file in place if the configuration loads with it, else the old one back. */
static int try(const char *conf, const char *path, const char *made, struct err *err)
{
	char old[4200];
	bool was = access(path, F_OK) == 0;

	snprintf(old, sizeof(old), "%s.old", path);
	if ((was && rename(path, old) < 0) || rename(made, path) < 0)
		return err_set(err, "%s: %m", path);
	if (loads(conf, err) == 0) {
		if (was)
			unlink(old);
		return 0;
	}
	if (was ? rename(old, path) < 0 : unlink(path) < 0)
		return err_set(err, "%s: %m", path);
	return -1;
}

static int keep(const struct own_policy *p, const char *conf, char path[4096], struct err *err)
{
	struct conf *c = conf_load(conf, err);
	char         made[4200];
	int          r = c ? conf_own_path(conf, c->include, path, 4096) : -1;

	conf_free(c);
	if (r < 0)
		return err_set(err, "%s: the path of what it includes is too long", conf);
	snprintf(made, sizeof(made), "%s.new", path);
	if (write_new(p, path, made) < 0)
		return err_set(err, "%s: %m", made);
	r = try(conf, path, made, err);
	unlink(made);
	return r;
}

/* What is written holds in any case, and this says since when. */
static int put_in_force(struct nfqctl *ctl, const char *path)
{
	struct err err = { .text = "" };
	bool       no_daemon;
	json_t    *status = ask_status(ctl, &no_daemon, &err);

	json_decref(status);
	if (no_daemon) {
		printf("no daemon answers at %s: it is in force when nfqd starts\n", ctl->socket);
		return CTL_DONE;
	}
	optind = 1;
	if (status && cmd_reload(ctl, 1, (char *[]){ (char[]){ "nfqctl reload" }, NULL }) == CTL_DONE)
		return CTL_DONE;
	fprintf(stderr, "nfqctl: %s%s%s is written, but not in force before nfqd reloads\n", err.text, *err.text ? "; " : "", path);
	return CTL_FAILED;
}

int own_keep(struct nfqctl *ctl, const struct own_policy *p)
{
	const char *conf = p->conf ? p->conf : DEFAULT_CONF;
	char        path[4096] = "";
	struct err  err = { .text = "" };

	if (keep(p, conf, path, &err) < 0) {
		fprintf(stderr, "nfqctl: %s\n", err.text);
		return CTL_FAILED;
	}
	printf("%s: %s, for %s, for ever (%s)\n", p->name, strcmp(p->action, "allow") == 0 ? "allowed" : "blocked",
	       p->client ? p->client : "everybody", path);
	return put_in_force(ctl, path);
}

static int usage(FILE *to, int result)
{
	fprintf(to, "usage: nfqctl block NAME [--client A [--force]] [--reason TEXT] [-c FILE]\n");
	return result;
}

int cmd_block(struct nfqctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "client", required_argument, NULL, 'a' }, { "reason", required_argument, NULL, 'r' },
		{ "config", required_argument, NULL, 'c' }, { "force", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
	};
	struct own_policy p = { .action = "reject" };
	char              name[HOST_TEXT + 1], client[CLIENT_TEXT];
	bool              force = false;
	int               o;

	while ((o = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (o) {
		case 'a': p.client = optarg; break;
		case 'r': p.reason = optarg; break;
		case 'c': p.conf = optarg; break;
		case 'f': force = true; break;
		default: return o == 'h' ? usage(stdout, CTL_DONE) : usage(stderr, CTL_USAGE);
		}
	}
	if (!words_are(argc, argv, "NAME"))
		return usage(stderr, CTL_USAGE);
	p.name = hostname_typed(argv[optind], name);
	if (!own_ok(argv[0], &p) || !client_ok(ctl, argv[0], &p.client, force, client))
		return CTL_USAGE;
	return own_keep(ctl, &p);
}
