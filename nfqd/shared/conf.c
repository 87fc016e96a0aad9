/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading nfqd.yaml and filling in what it leaves out. Says what is not supported yet instead of
 * ignoring it.
 */
#include "shared/conf.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/schema.h"
#include "shared/shared.h"

#ifndef NFQD_DATADIR
#define NFQD_DATADIR "/usr/share/nfqd/rules"
#endif

#define DEFAULT_CONTROL   "/run/nfqd/control.sock"
#define DEFAULT_STATE     "/var/lib/nfqd/state.json"
#define DEFAULT_EVE       "/var/log/nfqd/eve.json"
#define OLD_MARK_MASK     0x70000000
#define CONTROL_MAX       107 /* sun_path */
#define QUEUES_AUTO_MAX   4
#define DEFAULT_INTERVAL  (6 * 3600)
#define INTERVAL_MIN      60
#define DURATION_MAX      (30 * 86400)

/* ---- the schema ---------------------------------------------------------------------------- */

/* Known to the manual, not yet to the program. */
enum { OUTPUT_UNSUPPORTED = OUTPUT_TEXT + 1 };

static const cyaml_strval_t modes[] = { MODES(SCHEMA_STRVAL) };
static const cyaml_strval_t fails[] = { { "open", FAIL_OPEN }, { "closed", FAIL_CLOSED } };
static const cyaml_strval_t events[] = { { "matches", EVENTS_MATCHES }, { "all", EVENTS_ALL } };
static const cyaml_strval_t fates[] = { { "pass", false }, { "drop", true } };
static const cyaml_strval_t marked[] = { { "accept", false }, { "queue", true } };
static const cyaml_strval_t actions[] = { ACTIONS(SCHEMA_STRVAL) };
static const cyaml_strval_t dns_styles[] = { DNS_STYLES(SCHEMA_STRVAL) };
static const cyaml_strval_t output_types[] = {
	{ "file", OUTPUT_FILE },
	{ "text", OUTPUT_TEXT },
	{ "syslog", OUTPUT_UNSUPPORTED },
	{ "unix", OUTPUT_UNSUPPORTED },
	{ "sightings", OUTPUT_UNSUPPORTED },
	{ "evidence", OUTPUT_UNSUPPORTED },
};

static const cyaml_schema_value_t text_value = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1,
	                                                            SCHEMA_TEXT_MAX) };

/* inside, queues, queue-num and mark-mask may be written in more than one way: read by hand */
static const cyaml_schema_field_t inspect_fields[] = {
	CYAML_FIELD_BOOL("forward", SCHEMA_OPTIONAL, struct conf_inspect, forward),
	CYAML_FIELD_BOOL("output", SCHEMA_OPTIONAL, struct conf_inspect, output),
	CYAML_FIELD_BOOL("answers", SCHEMA_OPTIONAL, struct conf_inspect, answers),
	CYAML_FIELD_IGNORE("inside", SCHEMA_OPTIONAL),
	CYAML_FIELD_IGNORE("queues", SCHEMA_OPTIONAL),
	CYAML_FIELD_IGNORE("queue-num", SCHEMA_OPTIONAL),
	CYAML_FIELD_IGNORE("mark-mask", SCHEMA_OPTIONAL),
	SCHEMA_WORD("marked-output", SCHEMA_OPTIONAL, struct conf_inspect, marked_output, marked),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t resolve_fields[] = {
	SCHEMA_TEXT("server", SCHEMA_NEEDED, struct conf_resolve, server),
	CYAML_FIELD_IGNORE("interval", SCHEMA_OPTIONAL),
	CYAML_FIELD_IGNORE("jitter", SCHEMA_OPTIONAL),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t match_fields[] = {
	SCHEMA_LIST("packs", SCHEMA_OPTIONAL, struct policy_in, packs, &text_value, 1),
	SCHEMA_LIST("categories", SCHEMA_OPTIONAL, struct policy_in, categories, &text_value, 1),
	SCHEMA_LIST("products", SCHEMA_OPTIONAL, struct policy_in, products, &text_value, 1),
	SCHEMA_LIST("confidence", SCHEMA_OPTIONAL, struct policy_in, confidence, &text_value, 1),
	SCHEMA_LIST("ports", SCHEMA_OPTIONAL, struct policy_in, ports, &text_value, 1),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t policy_fields[] = {
	SCHEMA_TEXT("name", SCHEMA_NEEDED, struct policy_in, name),
	SCHEMA_LIST("clients", SCHEMA_OPTIONAL, struct policy_in, clients, &text_value, 1),
	SCHEMA_GROUP("match", SCHEMA_OPTIONAL, struct policy_in, match_fields),
	SCHEMA_WORD("action", SCHEMA_NEEDED, struct policy_in, action, actions),
	SCHEMA_WORD("dns", SCHEMA_OPTIONAL, struct policy_in, dns, dns_styles),
	SCHEMA_TEXT("from", SCHEMA_OPTIONAL, struct policy_in, from),
	SCHEMA_TEXT("until", SCHEMA_OPTIONAL, struct policy_in, until),
	SCHEMA_TEXT("observe-for", SCHEMA_OPTIONAL, struct policy_in, observe_for),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t policy_value = { CYAML_VALUE_MAPPING(0, struct policy_in,
	                                                               policy_fields) };

static const cyaml_schema_field_t exception_fields[] = {
	SCHEMA_TEXT("name", SCHEMA_NEEDED, struct exception_in, name),
	SCHEMA_LIST("names", SCHEMA_NEEDED, struct exception_in, names, &text_value, 1),
	SCHEMA_LIST("clients", SCHEMA_OPTIONAL, struct exception_in, clients, &text_value, 1),
	SCHEMA_TEXT("owner", SCHEMA_NEEDED, struct exception_in, owner),
	SCHEMA_TEXT("reason", SCHEMA_NEEDED, struct exception_in, reason),
	SCHEMA_TEXT("expires", SCHEMA_NEEDED, struct exception_in, expires),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t exception_value = { CYAML_VALUE_MAPPING(0, struct exception_in,
	                                                                  exception_fields) };

static const cyaml_schema_field_t output_fields[] = {
	SCHEMA_WORD("type", SCHEMA_NEEDED, struct conf_output, type, output_types),
	SCHEMA_TEXT("path", SCHEMA_OPTIONAL, struct conf_output, path),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t output_value = { CYAML_VALUE_MAPPING(0, struct conf_output,
	                                                               output_fields) };

static const cyaml_schema_field_t log_fields[] = {
	SCHEMA_WORD("events", SCHEMA_OPTIONAL, struct conf, events, events),
	CYAML_FIELD_BOOL("client-names", SCHEMA_OPTIONAL, struct conf, client_names),
	SCHEMA_LIST("outputs", SCHEMA_OPTIONAL, struct conf, outputs, &output_value, 0),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t on_exception_fields[] = {
#define X(id, key, text) SCHEMA_WORD(key, SCHEMA_OPTIONAL, struct conf, on_exception[FAULT_##id], fates),
	FAULTS(X)
#undef X
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t conf_fields[] = {
	SCHEMA_SOME("mode", SCHEMA_OPTIONAL, struct conf, mode, modes, MODE_ENFORCE, MODE_OFF),
	SCHEMA_WORD("fail", SCHEMA_OPTIONAL, struct conf, fail, fails),
	SCHEMA_LIST("rules", SCHEMA_NEEDED, struct conf, rules, &text_value, 1),
	SCHEMA_LIST("profiles", SCHEMA_OPTIONAL, struct conf, profiles, &text_value, 0),
	CYAML_FIELD_MAPPING("inspect", SCHEMA_OPTIONAL, struct conf, inspect, inspect_fields),
	CYAML_FIELD_MAPPING("resolve", SCHEMA_OPTIONAL, struct conf, resolve, resolve_fields),
	SCHEMA_LIST("policies", SCHEMA_OPTIONAL, struct conf, policies, &policy_value, 0),
	SCHEMA_LIST("exceptions", SCHEMA_OPTIONAL, struct conf, exceptions, &exception_value, 0),
	SCHEMA_SOME("default", SCHEMA_OPTIONAL, struct conf, default_action, actions, ACTION_ALLOW, 2),
	SCHEMA_GROUP("on-exception", SCHEMA_OPTIONAL, struct conf, on_exception_fields),
	SCHEMA_TEXT("control", SCHEMA_OPTIONAL, struct conf, control),
	SCHEMA_TEXT("state", SCHEMA_OPTIONAL, struct conf, state),
	SCHEMA_GROUP("log", SCHEMA_OPTIONAL, struct conf, log_fields),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t conf_schema = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct conf,
	                                                              conf_fields) };

#define WRONG(c, err, key, ...) yaml_doc_error((c)->doc, err, yaml_doc_line((c)->doc, key), __VA_ARGS__)

/* ---- inspect ------------------------------------------------------------------------------- */

static int out_of_memory(struct err *err)
{
	return err_set(err, "out of memory");
}

/* Appends a copy of a word to a list of texts. */
static int add_text(char ***v, unsigned *n, const char *word)
{
	char **more = realloc(*v, (*n + 1U) * sizeof(*more));

	if (!more)
		return -1;
	*v = more;
	more[*n] = strdup(word);
	if (!more[*n])
		return -1;
	++*n;
	return 0;
}

/* A word alone, or a list; nothing is "auto". */
static int read_inside(struct conf *c, struct err *err)
{
	struct conf_inspect *in = &c->inspect;
	unsigned             n = yaml_doc_items(c->doc, "inspect.inside");
	const char          *one = yaml_doc_text(c->doc, "inspect.inside");

	if (!yaml_doc_has(c->doc, "inspect.inside"))
		one = "auto";
	if (n == 0 && (!one || !*one))
		return WRONG(c, err, "inspect.inside",
		             "inside: must be auto, an interface, a network, or a list of them");
	if (one)
		return add_text(&in->inside, &in->n_inside, one) < 0 ? out_of_memory(err) : 0;
	for (unsigned i = 0; i < n; i++) {
		const char *word = yaml_doc_text(c->doc, "inspect.inside[%u]", i);

		if (!word || !*word || strcmp(word, "auto") == 0)
			return yaml_doc_error(c->doc, err, yaml_doc_line(c->doc, "inspect.inside[%u]", i),
			                      "inside: a list holds interfaces and networks");
		if (add_text(&in->inside, &in->n_inside, word) < 0)
			return out_of_memory(err);
	}
	return 0;
}

/* A number in decimal or, with 0x, in hexadecimal; a leading 0 does not make it octal. */
static int read_number(const char *text, unsigned long max, unsigned long *out)
{
	bool  hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	char *end;

	if (!(text[0] >= '0' && text[0] <= '9'))
		return -1;
	*out = strtoul(text + (hex ? 2 : 0), &end, hex ? 16 : 10);
	return *end || end == text + 2 * hex || *out > max ? -1 : 0;
}

/* One for each core that we may run on; more than a few only spread the work thin. */
static unsigned auto_queues(void)
{
	cpu_set_t cores;
	int       n = sched_getaffinity(0, sizeof(cores), &cores) < 0 ? 1 : CPU_COUNT(&cores);

	return n < QUEUES_AUTO_MAX ? (unsigned)n : QUEUES_AUTO_MAX;
}

static int read_queues(struct conf *c, struct err *err)
{
	const char   *text = yaml_doc_text(c->doc, "inspect.queues");
	unsigned long n = auto_queues();

	c->inspect.queues = (unsigned)n;

	if (!yaml_doc_has(c->doc, "inspect.queues") || (text && strcmp(text, "auto") == 0))
		return 0;
	if (!text || read_number(text, QUEUES_MAX, &n) < 0 || n == 0)
		return WRONG(c, err, "inspect.queues", "queues: '%s' is neither auto nor a number "
		             "from 1 to %d", text ? text : "", QUEUES_MAX);
	c->inspect.queues = (unsigned)n;
	return 0;
}

static int read_queue_num(struct conf *c, struct err *err)
{
	const char   *text = yaml_doc_text(c->doc, "inspect.queue-num");
	unsigned long n;

	if (!yaml_doc_has(c->doc, "inspect.queue-num"))
		return 0;
	if (!text || read_number(text, UINT16_MAX, &n) < 0)
		return WRONG(c, err, "inspect.queue-num",
		             "queue-num: '%s' is no number from 0 to 65535", text ? text : "");
	if (n + QUEUE_LAST + c->inspect.queues > UINT16_MAX + 1UL)
		return WRONG(c, err, "inspect.queue-num",
		             "queue-num: '%s' leaves no room for %u queues of each kind, %d apart, below "
		             "65536", text, c->inspect.queues, QUEUE_STEP);
	c->inspect.queue_num = (unsigned)n;
	return 0;
}

/* Of 0.1.0: says which bits a killed run of it may have left. Nothing is marked any more. */
static void read_mark_mask(struct conf *c)
{
	const char   *text = yaml_doc_text(c->doc, "inspect.mark-mask");
	unsigned long n;

	c->inspect.mark_mask = OLD_MARK_MASK;
	if (!yaml_doc_has(c->doc, "inspect.mark-mask"))
		return;
	c->inspect.has_mark_mask = true;
	if (text && read_number(text, UINT32_MAX, &n) == 0 && n != 0)
		c->inspect.mark_mask = (uint32_t)n;
}

static int read_inspect(struct conf *c, struct err *err)
{
	if (!yaml_doc_has(c->doc, "log.client-names"))
		c->client_names = true;
	if (!yaml_doc_has(c->doc, "inspect.forward"))
		c->inspect.forward = true;
	if (!yaml_doc_has(c->doc, "inspect.output"))
		c->inspect.output = true;
	if (!yaml_doc_has(c->doc, "inspect.answers"))
		c->inspect.answers = true;
	read_mark_mask(c);
	return read_inside(c, err) < 0 || read_queues(c, err) < 0 || read_queue_num(c, err) < 0 ? -1 : 0;
}

/* ---- resolve ------------------------------------------------------------------------------- */

static int read_duration(const char *text, uint32_t *seconds)
{
	int64_t n;

	if (!text || clock_parse_span(text, &n) < 0 || n < 0 || n > DURATION_MAX)
		return -1;
	*seconds = (uint32_t)n;
	return 0;
}

static int read_resolve(struct conf *c, struct err *err)
{
	struct conf_resolve *r = &c->resolve;
	const char          *interval = yaml_doc_text(c->doc, "resolve.interval");
	const char          *jitter = yaml_doc_text(c->doc, "resolve.jitter");
	struct addr          a;

	if (!yaml_doc_has(c->doc, "resolve"))
		return 0;
	r->interval = DEFAULT_INTERVAL;
	if (addr_parse(r->server, &a) < 0)
		return WRONG(c, err, "resolve.server", "server: '%s' is no address of a resolver",
		             r->server);
	if (yaml_doc_has(c->doc, "resolve.interval") &&
	    (read_duration(interval, &r->interval) < 0 || r->interval < INTERVAL_MIN))
		return WRONG(c, err, "resolve.interval",
		             "interval: '%s' is no time from 1m to 30d (write 6h)",
		             interval ? interval : "");
	r->jitter = r->interval / 10;
	if (yaml_doc_has(c->doc, "resolve.jitter") && read_duration(jitter, &r->jitter) < 0)
		return WRONG(c, err, "resolve.jitter", "jitter: '%s' is no time up to 30d (write 10m)",
		             jitter ? jitter : "");
	return 0;
}

/* ---- what is left out ---------------------------------------------------------------------- */

/* Without policies: every pack's own stage. */
static int default_policy(struct conf *c, struct err *err)
{
	c->policies = calloc(1, sizeof(*c->policies));
	if (!c->policies)
		return out_of_memory(err);
	c->n_policies = 1;
	c->policies[0].action = ACTION_STAGE;
	c->policies[0].name = strdup("all-packs");
	return c->policies[0].name ? 0 : out_of_memory(err);
}

static int default_paths(struct conf *c, struct err *err)
{
	if (!c->control)
		c->control = strdup(DEFAULT_CONTROL);
	if (!c->state)
		c->state = strdup(DEFAULT_STATE);
	if (!c->control || !c->state)
		return out_of_memory(err);
	if (strlen(c->control) > CONTROL_MAX)
		return WRONG(c, err, "control", "control: a socket's path has at most %d characters",
		             CONTROL_MAX);
	return 0;
}

static int default_output(struct conf *c, const char *path, struct err *err)
{
	c->outputs = calloc(1, sizeof(*c->outputs));
	if (!c->outputs)
		return out_of_memory(err);
	c->n_outputs = 1;
	c->outputs[0].type = OUTPUT_FILE;
	c->outputs[0].path = strdup(path);
	return c->outputs[0].path ? 0 : out_of_memory(err);
}

static int check_output(struct conf *c, unsigned i, struct err *err)
{
	struct conf_output *o = &c->outputs[i];
	unsigned            line = yaml_doc_line(c->doc, "log.outputs[%u].type", i);

	if (o->type == OUTPUT_UNSUPPORTED)
		return yaml_doc_error(c->doc, err, line, "output type '%s' is not yet supported "
		                      "(allowed: file, text)",
		                      yaml_doc_text(c->doc, "log.outputs[%u].type", i));
	if (!o->path && o->type == OUTPUT_FILE)
		return yaml_doc_error(c->doc, err, line, "output of type file: missing key 'path'");
	if (!o->path)
		o->path = strdup("-");
	return o->path ? 0 : out_of_memory(err);
}

static int read_outputs(struct conf *c, struct err *err)
{
	for (unsigned i = 0; i < c->n_outputs; i++)
		if (check_output(c, i, err) < 0)
			return -1;
	return yaml_doc_has(c->doc, "log.outputs") ? 0 : default_output(c, DEFAULT_EVE, err);
}

/* ---- paths of rules ------------------------------------------------------------------------ */

/* A relative path that leads nowhere from here may lead somewhere from the configuration's folder. */
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
			return 0;
		}
		free(beside);
	}
	return yaml_doc_error(c->doc, err, yaml_doc_line(c->doc, "rules[%u]", i),
	                      "rules: '%s': %m%s", c->rules[i],
	                      c->rules[i][0] == '/' ? "" :
	                                              " (looked for from here and beside this file)");
}

/* ---- loading ------------------------------------------------------------------------------- */

static int complete(struct conf *c, struct err *err)
{
	for (unsigned i = 0; i < c->n_rules; i++)
		if (find_rules(c, i, err) < 0)
			return -1;
	if (!yaml_doc_has(c->doc, "policies") && default_policy(c, err) < 0)
		return -1;
	if (read_inspect(c, err) < 0 || read_resolve(c, err) < 0 || default_paths(c, err) < 0 ||
	    read_outputs(c, err) < 0)
		return -1;
	return 0;
}

struct conf *conf_load(const char *path, struct err *err)
{
	struct yaml_doc *doc = yaml_doc_open(path, NULL, NULL, err);
	struct conf     *c = doc ? yaml_doc_bind(doc, &conf_schema, err) : NULL;

	if (!c) {
		yaml_doc_free(doc);
		return NULL;
	}
	c->doc = doc;
	c->path = strdup(path);
	if (!c->path)
		out_of_memory(err);
	if (!c->path || complete(c, err) < 0) {
		conf_free(c);
		return NULL;
	}
	return c;
}

static int default_rules(struct conf *c, char *const rules[], unsigned n)
{
	static const char installed[] = NFQD_DATADIR "/kaspersky.yaml";

	for (unsigned i = 0; i < n; i++)
		if (add_text(&c->rules, &c->n_rules, rules[i]) < 0)
			return -1;
	if (n == 0 && access(installed, R_OK) == 0)
		return add_text(&c->rules, &c->n_rules, installed);
	return 0;
}

struct conf *conf_default(char *const rules[], unsigned n_rules, struct err *err)
{
	struct conf *c = calloc(1, sizeof(*c));

	if (!c) {
		out_of_memory(err);
		return NULL;
	}
	c->client_names = true;
	c->inspect = (struct conf_inspect){ .forward = true,
		                            .output = true,
		                            .answers = true,
		                            .queues = auto_queues(),
		                            .mark_mask = OLD_MARK_MASK };
	if (default_rules(c, rules, n_rules) < 0 ||
	    add_text(&c->inspect.inside, &c->inspect.n_inside, "auto") < 0 ||
	    default_policy(c, err) < 0 || default_paths(c, err) < 0 ||
	    default_output(c, "-", err) < 0) {
		out_of_memory(err);
		conf_free(c);
		return NULL;
	}
	return c;
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->inspect.n_inside; i++)
		free(c->inspect.inside[i]);
	free(c->inspect.inside);
	free(c->path);
	yaml_doc_free(c->doc);
	yaml_doc_unbind(&conf_schema, c);
}
