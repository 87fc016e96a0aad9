/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of lists made elsewhere: one function and one row per format. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "rules_import.h"

#define BLANKS " \t\r\n"

/* The next word of a line, cut off at its end; NULL: there is none. */
static char *word(char **rest)
{
	char *begin = *rest + strspn(*rest, BLANKS);
	char *end = begin + strcspn(begin, BLANKS);

	if (end == begin)
		return NULL;
	*rest = *end ? end + 1 : end;
	*end = '\0';
	return begin;
}

static void cut(char *line, char comment)
{
	char *at = strchr(line, comment);

	if (at)
		*at = '\0';
}

/* An address that means "nowhere". */
static bool is_nowhere(const char *text)
{
	struct addr a;

	if (strcmp(text, "0") == 0)
		return true;
	if (addr_parse(text, &a) < 0)
		return false;
	for (unsigned i = 0; i < a.len - 1U; i++)
		if (a.b[i] && !(a.len == 4 && i == 0 && a.b[0] == 127))
			return false;
	return a.b[a.len - 1] <= 1;
}

/* ---- hosts: an address and the names it is for --------------------------------------------- */

static const char *hosts_line(struct import_lines *x, char *line)
{
	const char *address, *name, *why = NULL;

	cut(line, '#');
	address = word(&line);
	if (!address)
		return NULL;
	if (!is_nowhere(address))
		return "not an address that blocks (0.0.0.0, 127.0.0.1, ::, ::1)";
	name = word(&line);
	if (!name)
		return "an address without a name";
	for (; name; name = word(&line)) {
		const char *wrong = x->take(x, name, TAKE_NAME);

		why = why ? why : wrong;
	}
	return why;
}

/* ---- domains: a name per line; .name and *.name for all below ------------------------------ */

static const char *domains_line(struct import_lines *x, char *line)
{
	const char *name;

	cut(line, '#');
	name = word(&line);
	if (!name)
		return NULL;
	if (word(&line))
		return "more than one word";
	if (name[0] == '.')
		return x->take(x, name + 1, TAKE_BELOW);
	if (name[0] == '*' && name[1] == '.')
		return x->take(x, name + 2, TAKE_BELOW);
	return x->take(x, name, TAKE_NAME);
}

/* ---- AdBlock: ||name^ and @@||name^; |name^ is the name alone ------------------------------ */

/* Options that do not narrow a rule; with any other option, a rule covers less than the name. */
static bool is_unconditional(char *options)
{
	static const char *const fine[] = { "important", "all", "document", "badfilter" };
	char                    *save, *o = strtok_r(options, ",", &save);

	for (; o; o = strtok_r(NULL, ",", &save)) {
		bool known = false;

		for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
			known |= strcmp(o, fine[i]) == 0;
		if (!known)
			return false;
	}
	return true;
}

static int option_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool import_adblock_rule(const char *line, char *out, size_t room)
{
	char    *options[32], *save, *at;
	unsigned n = 0;
	bool     bad = false;

	snprintf(out, room, "%.*s", (int)strcspn(line + strspn(line, BLANKS), BLANKS),
	         line + strspn(line, BLANKS));
	at = strstr(out, "^$");
	if (!at)
		return false;
	for (char *o = strtok_r(at + 2, ",", &save); o; o = strtok_r(NULL, ",", &save)) {
		if (strcmp(o, "badfilter") == 0)
			bad = true;
		else if (n < sizeof(options) / sizeof(options[0]))
			options[n++] = strdup(o);
	}
	qsort(options, n, sizeof(options[0]), option_order);
	at++;
	for (unsigned i = 0; i < n; i++) {
		size_t used = (size_t)(at - out);

		at += options[i] ? snprintf(at, room - used, "%c%s", i ? ',' : '$', options[i]) : 0;
		free(options[i]);
	}
	*at = '\0';
	return bad;
}

/* /^ksn-[^.]+\.example\.com$/ as export writes a pattern with '*'. Writes the pattern; false: it says
 * something else. */
static bool regex_glob(const char *rule, char out[static HOST_TEXT])
{
	static const char star[] = "[^.]+", below[] = "(.+\\.)?";
	const char       *at = rule + 2;
	size_t            n = 0;
	bool              whole = strncmp(at, below, sizeof(below) - 1) == 0;

	at += whole ? sizeof(below) - 1 : 0;
	while (*at && n + 1 < HOST_TEXT) {
		if (strcmp(at, "$/") == 0)
			return out[n] = '\0', n > 0;
		if (strncmp(at, star, sizeof(star) - 1) == 0) {
			out[n++] = '*';
			at += sizeof(star) - 1;
		} else if (at[0] == '\\' && at[1] == '.') {
			out[n++] = '.';
			at += 2;
		} else if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", *at)) {
			out[n++] = *at++;
		} else {
			return false;
		}
	}
	return false;
}

static const char *adblock_regex(struct import_lines *x, const char *rule, unsigned taken)
{
	char glob[HOST_TEXT];

	if (!regex_glob(rule, glob))
		return "a regular expression that no pattern can say";
	return x->take(x, glob, taken | TAKE_GLOB | (rule[2] == '(' ? TAKE_BELOW : 0));
}

static const char *adblock_line(struct import_lines *x, char *line)
{
	unsigned taken = TAKE_NAME;
	char    *name = word(&line), *end;

	if (!name || name[0] == '!' || name[0] == '[' || strcmp(name, "#") == 0)
		return NULL;
	if (strncmp(name, "@@", 2) == 0) {
		taken |= TAKE_ALLOW;
		name += 2;
	}
	if (strncmp(name, "/^", 2) == 0)
		return adblock_regex(x, name, taken);
	if (name[0] != '|' || !(end = strchr(name, '^')))
		return "not of the form ||name^";
	if (name[1] == '|') {
		taken |= TAKE_BELOW;
		name++;
	}
	if (end[1] == '$' && !is_unconditional(end + 2))
		return "a rule with a condition, which a name does not have";
	if (end[1] && end[1] != '$')
		return "more than a name";
	*end = '\0';
	return x->take(x, name + 1, taken);
}

/* ---- dnsmasq: address=/name/, server=/name/, local=/name/ are the name and all below ------- */

/* What follows the last '/': nothing (no such name), nowhere, or '#' (ask as usual). */
static const char *dnsmasq_target(const char *key, const char *target, unsigned *taken)
{
	if (!*target || (strcmp(key, "address") == 0 && (is_nowhere(target) || !strcmp(target, "#"))))
		return NULL;
	if (strcmp(target, "#") != 0)
		return "answered by an address or a server of its own";
	*taken |= TAKE_ALLOW;
	return NULL;
}

static bool dnsmasq_key(const char *key)
{
	return strcmp(key, "address") == 0 || strcmp(key, "server") == 0 || strcmp(key, "local") == 0;
}

/* '*.name' is all below a name and not the name, which only narrows what stands before it. */
static const char *dnsmasq_name(struct import_lines *x, const char *name, unsigned taken)
{
	if (strncmp(name, "*.", 2) != 0)
		return x->take(x, name, taken);
	return x->narrow(x, name + 2, taken) ? NULL : "all below a name, but not the name itself";
}

static const char *dnsmasq_line(struct import_lines *x, char *line)
{
	unsigned    taken = TAKE_BELOW;
	const char *why;
	char       *key, *value, *target;

	cut(line, '#' == line[strspn(line, BLANKS)] ? '#' : '\n');
	key = word(&line);
	if (!key)
		return NULL;
	value = strchr(key, '=');
	if (!value || value[1] != '/' || !(target = strrchr(value + 2, '/')))
		return "not of the form address=/name/";
	*value = *target = '\0';
	if (!dnsmasq_key(key))
		return "not address=, server= or local=";
	why = dnsmasq_target(key, target + 1, &taken);
	if (!why && strspn(value + 2, "/") == strlen(value + 2))
		return "no name";
	for (char *save, *n = strtok_r(value + 2, "/", &save); n && !why; n = strtok_r(NULL, "/", &save))
		why = dnsmasq_name(x, n, taken);
	return why;
}

/* ---- RPZ: a zone whose records say what becomes of a name ---------------------------------- */

static bool is_ttl_or_class(const char *w)
{
	size_t digits = strspn(w, "0123456789");

	return strcasecmp(w, "IN") == 0 ||
	       (digits > 0 && digits + strspn(w + digits, "smhdwSMHDW0123456789") == strlen(w));
}

/* What a record does to its name. NULL, or why it cannot be converted. */
static const char *rpz_action(const char *type, const char *data, unsigned *taken)
{
	if (strcasecmp(type, "CNAME") == 0) {
		if (strcmp(data, ".") == 0 || strcmp(data, "*.") == 0 ||
		    strcasecmp(data, "rpz-drop.") == 0)
			return NULL;
		if (strcasecmp(data, "rpz-passthru.") != 0)
			return "answered by data of its own";
		*taken |= TAKE_ALLOW;
		return NULL;
	}
	if ((strcasecmp(type, "A") == 0 || strcasecmp(type, "AAAA") == 0) && is_nowhere(data))
		return NULL;
	return "answered by data of its own";
}

#define ABSOLUTE (5UL * HOST_TEXT) /* an owner and an origin */

/* A name of the file with what it is relative to, without a final dot; "" is the root. */
static void rpz_absolute(const struct import_lines *x, const char *name, char out[static ABSOLUTE])
{
	size_t n = strlen(name);

	if (strcmp(name, "@") == 0)
		snprintf(out, ABSOLUTE, "%s", x->origin);
	else if (n && name[n - 1] == '.')
		snprintf(out, ABSOLUTE, "%.*s", (int)n - 1, name);
	else
		snprintf(out, ABSOLUTE, "%s%s%s", name, *x->origin ? "." : "", x->origin);
}

/* Writes the name that an owner stands for, without the zone's own. Returns -1 when the name lies
 * outside the zone. */
static int rpz_trigger(const struct import_lines *x, char out[static ABSOLUTE])
{
	size_t n, zone = strlen(x->zone);

	rpz_absolute(x, x->owner, out);
	n = strlen(out);
	if (zone == 0) /* no line has named the zone */
		return *x->owner && x->owner[strlen(x->owner) - 1] == '.' ? -1 : 0;
	if (n <= zone || out[n - zone - 1] != '.' || strcasecmp(out + n - zone, x->zone) != 0)
		return -1;
	out[n - zone - 1] = '\0';
	return 0;
}

static const char *rpz_take(struct import_lines *x, unsigned taken)
{
	static const char *const others[] = { "rpz-ip", "rpz-client-ip", "rpz-nsdname", "rpz-nsip" };
	char                     name[ABSOLUTE];
	const char              *last;

	if (rpz_trigger(x, name) < 0)
		return "a name outside the zone";
	last = strrchr(name, '.');
	for (size_t i = 0; last && i < sizeof(others) / sizeof(others[0]); i++)
		if (strcasecmp(last + 1, others[i]) == 0)
			return "a trigger other than the name asked for";
	if (name[0] == '*' && name[1] == '.')
		return x->take(x, name + 2, taken | TAKE_BELOW);
	return x->take(x, name, taken);
}

static void copy_name(char to[static HOST_TEXT], const char *name)
{
	if (strlen(name) < HOST_TEXT)
		memcpy(to, name, strlen(name) + 1);
}

static void set_origin(struct import_lines *x, const char *name)
{
	char text[ABSOLUTE];

	if (strlen(name) >= HOST_TEXT)
		return;
	rpz_absolute(x, name, text);
	copy_name(x->origin, text);
	if (!*x->zone)
		copy_name(x->zone, text);
}

/* The apex is where the SOA is; until then the first $ORIGIN is taken for it. */
static void set_zone(struct import_lines *x)
{
	char text[ABSOLUTE];

	rpz_absolute(x, x->owner, text);
	copy_name(x->zone, text);
	if (!*x->origin)
		copy_name(x->origin, text);
}

static const char *rpz_directive(struct import_lines *x, const char *key, const char *value)
{
	if (strcasecmp(key, "$ORIGIN") == 0 && value)
		set_origin(x, value);
	return strcasecmp(key, "$ORIGIN") == 0 || strcasecmp(key, "$TTL") == 0 ? NULL :
	                                                                         "an unknown directive";
}

/* One record, whose owner x knows. */
static const char *rpz_record(struct import_lines *x, char *rest)
{
	unsigned    taken = TAKE_NAME;
	const char *type = word(&rest), *data, *why;

	while (type && is_ttl_or_class(type))
		type = word(&rest);
	if (!type)
		return "a record without a type";
	if (strcasecmp(type, "SOA") == 0)
		set_zone(x);
	if (strcasecmp(type, "SOA") == 0 || strcasecmp(type, "NS") == 0)
		return NULL;
	data = word(&rest);
	if (!data)
		return "a record without data";
	why = rpz_action(type, data, &taken);
	return why ? why : rpz_take(x, taken);
}

static const char *rpz_line(struct import_lines *x, char *line)
{
	bool  same_owner = strchr(BLANKS, line[0]) != NULL, inside = x->depth > 0;
	char *rest = line, *owner;

	cut(line, ';');
	for (const char *c = line; *c; c++)
		x->depth += *c == '(' ? 1U : *c == ')' && x->depth > 0 ? -1U : 0;
	if (inside || line[strspn(line, BLANKS)] == '\0')
		return NULL;
	if (!same_owner) {
		owner = word(&rest);
		if (owner[0] == '$')
			return rpz_directive(x, owner, word(&rest));
		if (strlen(owner) >= sizeof(x->owner))
			return "longer than any name";
		snprintf(x->owner, sizeof(x->owner), "%s", owner);
	}
	return rpz_record(x, rest);
}

const struct import_format import_formats[] = {
	{ "hosts", hosts_line, false },     { "adblock", adblock_line, true }, { "dnsmasq", dnsmasq_line, false },
	{ "rpz", rpz_line, false },         { "domains", domains_line, false }, { NULL, NULL, false },
};
