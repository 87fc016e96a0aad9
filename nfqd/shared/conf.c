/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads nfqd.yaml: what the file leaves out is added to the document first, so that the document shows what
 * is in effect; then it is bound, and what a schema cannot express is checked.
 */
#include "shared/conf.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/nat64.h"
#include "base/steered.h"
#include "base/yaml.h"
#include "shared/conf_schema.h"
#include "shared/shared.h"

#ifndef NFQD_DATADIR
#define NFQD_DATADIR "/usr/share/nfqd/rules"
#endif

#define CONTROL_MAX     107 /* sun_path */
#define QUEUES_AUTO_MAX 4

WORDS(events_words, EVENTS, EVENTS_N);
WORDS(fail_words, FAILS, FAIL_N);

#define WRONG(c, err, key, ...) yaml_doc_error((c)->doc, err, yaml_doc_line((c)->doc, key), __VA_ARGS__)

static int out_of_memory(struct err *err)
{
	return err_set(err, "out of memory");
}

/* ---- numbers ------------------------------------------------------------------------------- */

/* A number in decimal or, with 0x, in hexadecimal; a leading 0 does not make it octal. */
static int read_number(const struct conf_key *k, const char *text, unsigned long *out)
{
	bool        hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	char       *end;

	*out = 0;
	if (k->zero && strcmp(text, k->zero) == 0)
		return 0;
	if (!(text[0] >= '0' && text[0] <= '9'))
		return -1;
	*out = strtoul(digits, &end, hex ? 16 : 10);
	return *end || end == digits || *out < k->least || *out > k->most ? -1 : 0;
}

static int read_span(const struct conf_key *k, const char *text, unsigned long *out)
{
	int64_t n, least, most;

	*out = 0;
	if (k->zero && strcmp(text, k->zero) == 0)
		return 0;
	if (clock_parse_span(text, &n) < 0 || clock_parse_span(k->shortest, &least) < 0 ||
	    clock_parse_span(k->longest, &most) < 0 || n < least || n > most)
		return -1;
	*out = (unsigned long)n;
	return 0;
}

static int read_key(struct conf *c, const struct conf_key *k, struct err *err)
{
	unsigned    line = yaml_doc_line(c->doc, "%s", k->path);
	const char *text = yaml_doc_text(c->doc, "%s", k->path), *dot = strrchr(k->path, '.');
	const char *name = dot ? dot + 1 : k->path;
	uint32_t   *to = (void *)((char *)c + k->offset);
	unsigned long n = 0;

	if (!yaml_doc_has(c->doc, "%s", k->path))
		return 0;
	text = text ? text : "";
	if (k->type == CONF_NUMBER && read_number(k, text, &n) < 0)
		return yaml_doc_error(c->doc, err, line, "%s: '%s' is not %s%sa number between %lu and %lu",
		                      name, text, k->zero ? k->zero : "", k->zero ? " or " : "", k->least,
		                      k->most);
	if (k->type == CONF_SPAN && read_span(k, text, &n) < 0)
		return yaml_doc_error(c->doc, err, line,
		                      "%s: '%s' is not %s%sa time between %s and %s (write 90s, 10m, 6h or 7d)",
		                      name, text, k->zero ? k->zero : "", k->zero ? " or " : "", k->shortest,
		                      k->longest);
	*to = (uint32_t)n;
	return 0;
}

static int read_numbers(struct conf *c, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < conf_n_keys; i++) {
		const struct conf_key *k = &conf_keys[i];

		if (!k->item && (k->type == CONF_NUMBER || k->type == CONF_SPAN))
			r |= read_key(c, k, err);
	}
	return r;
}

/* ---- what the schema cannot say ------------------------------------------------------------ */

/* DNS has its own way; a resolver on this machine needs no word. */
static int check_proxies(struct conf *c, struct err *err)
{
	int r = 0;

	if (c->inspect.n_proxies > PROXIES_MAX)
		return WRONG(c, err, "inspect.proxies", "proxies: more than %d ports", PROXIES_MAX);
	for (unsigned i = 0; i < c->inspect.n_proxies; i++) {
		const char *text = c->inspect.proxies[i];
		size_t      n = strlen(text);
		long        port = n <= 5 && strspn(text, "0123456789") == n ? strtol(text, NULL, 10) : 0;

		if (port < 1 || port > UINT16_MAX || port == 53 || text[0] == '0')
			r = yaml_doc_error(c->doc, err, yaml_doc_line(c->doc, "inspect.proxies[%u]", i),
			                   "proxies: '%s' is not a port of a proxy (1 to 65535, not 53)", text);
	}
	return r;
}

/* "10.0.0.7 printer": an address or a MAC, and a name. */
static int check_names(struct conf *c, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < c->sightings.n_names; i++) {
		char key[64], name[64], more;
		uint8_t mac[6];
		struct addr a;
		int n = sscanf(c->sightings.names[i], "%63s %63s %c", key, name, &more);

		if (n != 2 || (addr_parse(key, &a) < 0 && mac_parse(key, mac) < 0))
			r = yaml_doc_error(c->doc, err, yaml_doc_line(c->doc, "sightings.names[%u]", i),
			                   "names: '%s' is not an address or a MAC, and a name (write \"10.0.0.7 printer\")",
			                   c->sightings.names[i]);
	}
	return r;
}

static int check_inside(struct conf *c, struct err *err)
{
	for (unsigned i = 0; c->inspect.n_inside > 1 && i < c->inspect.n_inside; i++)
		if (strcmp(c->inspect.inside[i], "auto") == 0)
			return yaml_doc_error(c->doc, err, yaml_doc_line(c->doc, "inspect.inside[%u]", i),
			                      "inside: 'auto' cannot be combined with interfaces or networks");
	return 0;
}

/* One for each core that the process may use; more than a few only spread the work too thin. */
unsigned conf_queues(const struct conf *c)
{
	cpu_set_t cores;
	int       n;

	if (c->inspect.queues)
		return c->inspect.queues;
	n = sched_getaffinity(0, sizeof(cores), &cores) < 0 ? 1 : CPU_COUNT(&cores);
	return n < QUEUES_AUTO_MAX ? (unsigned)n : QUEUES_AUTO_MAX;
}

static int check_nat64(struct conf *c, struct err *err)
{
	struct net net;

	for (unsigned i = 0; i < c->inspect.n_nat64; i++)
		if (net_parse(c->inspect.nat64[i], &net) < 0 || !nat64_is_prefix(&net))
			return yaml_doc_error(c->doc, err, yaml_doc_line(c->doc, "inspect.nat64[%u]", i),
			                      "nat64: '%s' is not an IPv6 prefix of 32, 40, 48, 56, 64 or 96 "
			                      "bits (write 2001:db8:64::/96)",
			                      c->inspect.nat64[i]);
	return 0;
}

static int check_queues(struct conf *c, struct err *err)
{
	if (c->inspect.queue_num + QUEUE_LAST + conf_queues(c) > UINT16_MAX + 1UL)
		return WRONG(c, err, "inspect.queue-num",
		             "queue-num: '%u' leaves no room for %u queues of each kind, %d apart, below "
		             "65536",
		             c->inspect.queue_num, conf_queues(c), QUEUE_STEP);
	return 0;
}

static int check_resolve(struct conf *c, struct err *err)
{
	struct conf_resolve *r = &c->resolve;
	struct addr          a;

	if (!yaml_doc_has(c->doc, "resolve.jitter"))
		r->jitter = r->interval / 10;
	if (r->server && addr_parse(r->server, &a) < 0)
		return WRONG(c, err, "resolve.server",
		             "server: '%s' is not an address (write 9.9.9.9 or 2620:fe::fe)", r->server);
	return 0;
}

static int check_output(struct conf *c, unsigned i, struct err *err)
{
#define X(id, word, path, ops) [id] = path,
	static const char *const paths[] = { SINKS(X) };
#undef X
	struct conf_output *o = &c->outputs[i];

	if (o->type == SINK_TEXT && o->privacy == PRIVACY_COUNTERS)
		return yaml_doc_error(c->doc, err, yaml_doc_line(c->doc, "log.outputs[%u].privacy", i),
		                      "privacy: counters leaves nothing for a person to read (use file or syslog)");
	if (o->path)
		return 0;
	if (!paths[o->type])
		return yaml_doc_error(c->doc, err, yaml_doc_line(c->doc, "log.outputs[%u].type", i),
		                      "output of type %s: missing key 'path'",
		                      yaml_doc_text(c->doc, "log.outputs[%u].type", i));
	o->path = strdup(paths[o->type]);
	return o->path ? 0 : out_of_memory(err);
}

/* Two programs' lines in one file would be torn; so would two outputs'. */
static int check_same_path(struct conf *c, unsigned i, struct err *err)
{
	for (unsigned k = 0; k < i; k++)
		if (c->outputs[k].path && strcmp(c->outputs[k].path, c->outputs[i].path) == 0)
			return yaml_doc_error(c->doc, err, yaml_doc_line(c->doc, "log.outputs[%u].type", i),
			                      "output %u: '%s' is the path of output %u, too", i + 1,
			                      c->outputs[i].path, k + 1);
	return 0;
}

static int check_paths(struct conf *c, struct err *err)
{
	int r = 0;

	if (c->pair_address && addr_parse(c->pair_address, &(struct addr){ 0 }) < 0)
		r = WRONG(c, err, "pair-address", "pair-address: '%s' is not an address", c->pair_address);
	if (strlen(c->control) > CONTROL_MAX)
		r = WRONG(c, err, "control", "control: a socket's path has at most %d characters",
		             CONTROL_MAX);
	for (unsigned i = 0; i < c->n_outputs; i++)
		r |= check_output(c, i, err) < 0 ? -1 : check_same_path(c, i, err);
	return r;
}

/* ---- paths of rules ------------------------------------------------------------------------ */

/* A relative path that does not exist from here may exist from the configuration's folder. */
static int find_rules(struct conf *c, unsigned i, struct err *err)
{
	const char *slash = strrchr(c->path, '/');
	char       *beside;

	if (access(c->rules[i], F_OK) == 0)
		return 0;
	if (c->rules[i][0] != '/' && slash) {
		if (asprintf(&beside, "%.*s/%s", (int)(slash - c->path), c->path, c->rules[i]) < 0)
			return out_of_memory(err);
		if (access(beside, F_OK) == 0) {
			free(c->rules[i]);
			c->rules[i] = beside;
			return yaml_doc_set(c->doc, "rules", i, beside) < 0 ? out_of_memory(err) : 0;
		}
		free(beside);
	}
	return yaml_doc_error(c->doc, err, yaml_doc_line(c->doc, "rules[%u]", i),
	                      "rules: '%s': %m%s", c->rules[i],
	                      c->rules[i][0] == '/' ? "" :
	                                              " (looked for in the current folder and "
						      "beside this file)");
}

static int check_rules(struct conf *c, struct err *err)
{
	int r = 0;

	if (c->path && c->n_rules == 0 && !c->lacks_rules)
		return WRONG(c, err, "rules", "rules: must not be empty");
	for (unsigned i = 0; c->path && i < c->n_rules; i++)
		r |= find_rules(c, i, err);
	return r;
}

/* ---- loading ------------------------------------------------------------------------------- */

/* Turns old and short forms into those of the schema, and adds the defaults. */
static int complete(struct yaml_doc *doc, const char *path, struct err *err)
{
	unsigned line = yaml_doc_rename(doc, "on-exception", "on-fault");

	if (line)
		diag_warn("conf", "%s:%u: 'on-exception' is now called 'on-fault'", path ? path : "-",
		          line);
	if (yaml_doc_as_list(doc, "inspect", "inside") < 0)
		return out_of_memory(err);
	for (unsigned i = 0; i < conf_n_keys; i++) {
		const struct conf_key *k = &conf_keys[i];
		const char            *dot = strchr(k->path, '.');

		if (!k->preset || k->item ||
		    (k->alone && !yaml_doc_has(doc, "%.*s", (int)(dot - k->path), k->path)))
			continue;
		if (yaml_doc_default(doc, k->path, k->preset, err) < 0)
			return -1;
	}
	return 0;
}

/* Every check, so that one mistake does not hide another. */
static int check_all(struct conf *c, struct err *err)
{
	static int (*const checks[])(struct conf *, struct err *) = {
		check_rules, read_numbers, check_inside, check_names, check_proxies, check_nat64, check_queues, check_resolve, check_paths,
	};
	int r = 0;

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		r |= checks[i](c, err);
	return r;
}

/* Takes doc. path NULL: there is no file. */
static struct conf *bind_doc(struct yaml_doc *doc, const char *path, struct err *err)
{
	struct conf *c = NULL;

	if (doc)
		c = yaml_doc_bind(doc, &conf_schema, err);
	if (!c) {
		yaml_doc_free(doc);
		return NULL;
	}
	c->doc = doc;
	c->path = path ? strdup(path) : NULL;
	if (path && !c->path)
		out_of_memory(err);
	if (path && !c->path) {
		conf_free(c);
		return NULL;
	}
	return c;
}

static struct conf *load(struct yaml_doc *doc, const char *path, struct err *err)
{
	struct conf *c;

	if (doc && complete(doc, path, err) < 0) {
		yaml_doc_free(doc);
		return NULL;
	}
	c = bind_doc(doc, path, err);
	if (c && (check_all(c, err) | conf_load_own(c, NULL, NULL, err)) < 0) {
		conf_free(c);
		return NULL;
	}
	return c;
}

struct conf *conf_load(const char *path, struct err *err)
{
	return load(yaml_doc_open(path, NULL, NULL, err), path, err);
}

struct conf *conf_load_to_check(const char *path, yaml_say *say, void *ctx, struct err *err)
{
	char             soon[CLOCK_TEXT];
	struct yaml_doc *doc = yaml_doc_open(path, say, ctx, err);
	const struct yaml_stand_in stand_ins[] = {
		{ "action", "log" }, { "expires", soon }, { "server", "9.9.9.9" }, { "type", "text" }, { NULL, NULL },
	};
	bool         lacks_rules = doc && !yaml_doc_has(doc, "rules");
	struct conf *c;

	clock_text_iso((int64_t)(clock_now() / NS_PER_S) + 86400, soon);
	if (doc && (complete(doc, path, err) < 0 ||
	            (yaml_doc_problems(doc, &conf_schema, err) > 0 && yaml_doc_repair(doc, &conf_schema, stand_ins) < 0))) {
		yaml_doc_free(doc);
		return NULL;
	}
	c = bind_doc(doc, path, err);
	if (c)
		c->lacks_rules = lacks_rules;
	if (c && (check_all(c, err) | conf_load_own(c, say, ctx, err)) < 0 && !err->text[0])
		err_set(err, "out of memory");
	return c;
}

/* As YAML in double quotes. */
static void quote(FILE *f, const char *text)
{
	putc('"', f);
	for (; *text; text++)
		fprintf(f, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	putc('"', f);
}

struct conf *conf_default(char *const rules[], unsigned n_rules, struct err *err)
{
	static char *const installed[] = { NFQD_DATADIR "/kaspersky.yaml" };
	char              *text = NULL;
	size_t             n = 0;
	FILE              *f = open_memstream(&text, &n);
	struct conf       *c = NULL;

	if (!f) {
		out_of_memory(err);
		return NULL;
	}
	if (n_rules == 0 && access(installed[0], R_OK) == 0) {
		rules = installed;
		n_rules = 1;
	}
	fputs("log: {outputs: [{type: file, path: \"-\"}]}\nrules: [", f);
	for (unsigned i = 0; i < n_rules; i++) {
		fputs(i ? ", " : "", f);
		quote(f, rules[i]);
	}
	fputs("]\n", f);
	if (fclose(f) == 0)
		c = load(yaml_doc_parse("built-in configuration", text, n, NULL, NULL, err), NULL, err);
	free(text);
	return c;
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	free(c->path);
	yaml_doc_free(c->doc);
	yaml_doc_free(c->own);
	yaml_doc_unbind(&conf_schema, c);
}

/* ---- what holds ---------------------------------------------------------------------------- */

int conf_write(const struct conf *c, FILE *f)
{
	return yaml_doc_write(c->doc, f);
}

unsigned conf_needs_restart(const struct conf *a, const struct conf *b, char *out, size_t room)
{
	unsigned n = 0;
	size_t   used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < conf_n_keys; i++) {
		const struct conf_key *k = &conf_keys[i];

		if (!k->restart || k->item || k->type == CONF_MAPPING ||
		    yaml_doc_same(a->doc, b->doc, k->path))
			continue;
		if (used < room)
			used += (size_t)snprintf(out + used, room - used, "%s%s", n ? ", " : "", k->path);
		n++;
	}
	return n;
}
