/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How each format writes a name or a row. None of them may block more than the packs do. */
#include <nettle/base64.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "match/ruleset.h"
#include "rules_export.h"

/* ---- lists of names ------------------------------------------------------------------------ */

static void hosts_block(FILE *f, const struct export_name *n)
{
	if (n->apex_blocked)
		fprintf(f, "0.0.0.0 %s\n", n->text);
}

static void domains_block(FILE *f, const struct export_name *n)
{
	fprintf(f, "%s%s\n", n->below ? "." : "", n->text);
}

/* ||name^ is the name and all below, |name^ the name alone. */
static void adblock_block(FILE *f, const struct export_name *n)
{
	fprintf(f, "%s%s^\n", n->below ? "||" : "|", n->text);
}

static void adblock_open(FILE *f, const struct export_name *n)
{
	fprintf(f, "@@%s%s^\n", n->below ? "||" : "|", n->text);
}

/* A pattern as a regular expression over the whole name; '*' stays inside its label. */
static void write_regex(FILE *f, const struct export_name *n)
{
	fputs(n->below ? "^(.+\\.)?" : "^", f);
	for (const char *c = n->text; *c; c++)
		if (*c == '*')
			fputs("[^.]+", f);
		else if (*c == '.')
			fputs("\\.", f);
		else
			fputc(*c, f);
	fputc('$', f);
}

static void adblock_glob(FILE *f, const struct export_name *n, bool blocked)
{
	fputs(blocked ? "/" : "@@/", f);
	write_regex(f, n);
	fputs("/\n", f);
}

/* /name/ is the name and all below, and the longest wins; '*.name' is all below alone (2.86). */
static void dnsmasq_block(FILE *f, const struct export_name *n)
{
	if (n->apex_blocked)
		fprintf(f, "address=/%s/\n", n->text);
	if (n->apex_blocked && !n->below_blocked)
		fprintf(f, "server=/*.%s/#\n", n->text);
	if (!n->apex_blocked && n->below_blocked)
		fprintf(f, "address=/*.%s/\n", n->text);
}

static void dnsmasq_open(FILE *f, const struct export_name *n)
{
	fprintf(f, "server=/%s/#\n", n->text);
	if (n->below_blocked)
		fprintf(f, "address=/*.%s/\n", n->text);
}

/* The serial is the pack's version without its dots: 2026.11.24.1 -> 2026112401. */
static void rpz_begin(FILE *f, const struct pack *first)
{
	unsigned y = 1, m = 0, d = 0, n = 0;

	if (sscanf(first->version, "%4u.%2u.%2u.%2u", &y, &m, &d, &n) < 3)
		y = 1;
	fprintf(f,
	        "$TTL 60\n"
	        "@ IN SOA localhost. nobody.invalid. %u%02u%02u%02u 3600 600 604800 60\n"
	        "@ IN NS localhost.\n",
	        y, m, d, n);
}

static void rpz_block(FILE *f, const struct export_name *n)
{
	if (n->apex_blocked)
		fprintf(f, "%s CNAME .\n", n->text);
	if (n->below_blocked)
		fprintf(f, "*.%s CNAME .\n", n->text);
}

static void rpz_open(FILE *f, const struct export_name *n)
{
	if (!n->apex_blocked)
		fprintf(f, "%s CNAME rpz-passthru.\n", n->text);
	if (n->below || n->below_blocked)
		fprintf(f, "*.%s CNAME %s\n", n->text, n->below_blocked ? "." : "rpz-passthru.");
}

/* ---- unbound: a zone is the name and all below, the closest one wins ----------------------- */

static void unbound_begin(FILE *f, const struct pack *first)
{
	(void)first;
	fputs("server:\n", f);
}

/* A name alone: a transparent zone answers what it has data for (without the type asked for: no data). */
static void unbound_block(FILE *f, const struct export_name *n)
{
	if (n->below_blocked)
		fprintf(f, "local-zone: \"%s.\" always_nxdomain\n", n->text);
	else
		fprintf(f, "local-zone: \"%s.\" transparent\nlocal-data: '%s. 60 IN TXT \"%s\"'\n", n->text,
		        n->text, rs_text(n->rs, n->rule->id));
}

static void unbound_open(FILE *f, const struct export_name *n)
{
	fprintf(f, "local-zone: \"%s.\" always_transparent\n", n->text);
}

/* ---- Suricata ------------------------------------------------------------------------------ */

/* Of `dataset:isset,NAME,type string`: a value in base64 per line. */
static void dataset_block(FILE *f, const struct export_name *n)
{
	char   text[BASE64_ENCODE_RAW_LENGTH(HOST_TEXT) + 1];
	size_t len = strlen(n->text);

	if (!n->apex_blocked)
		return;
	base64_encode_raw(text, len, (const uint8_t *)n->text);
	text[BASE64_ENCODE_RAW_LENGTH(len)] = '\0';
	fprintf(f, "%s\n", text);
}

#define RULE_FIRST 1000000000 /* of the numbers that this export makes: one for each rule */
#define RULE_SPAN  1000000000

/* The same pattern has the same number in every export. */
static uint32_t rule_number(const char *verb, const char *proto, const struct export_name *n)
{
	char text[HOST_TEXT + 32];
	int  len = snprintf(text, sizeof(text), "%s %s %s%s", verb, proto, n->below ? "." : "", n->text);

	return RULE_FIRST + (uint32_t)(hash64(text, (size_t)len, 0) % RULE_SPAN);
}

static void suricata_pattern(FILE *f, const struct export_name *n)
{
	if (strchr(n->text, '*')) {
		fputs("pcre:\"/", f);
		write_regex(f, n);
		fputs("/i\"; ", f);
	} else if (n->below) {
		fprintf(f, "dotprefix; content:\".%s\"; nocase; endswith; ", n->text);
	} else {
		fprintf(f, "content:\"%s\"; nocase; startswith; endswith; ", n->text);
	}
}

/* By the question of DNS, and by the SNI of TLS. `pass` is looked at before `alert`. */
static void suricata_rules(FILE *f, const struct export_name *n, const char *verb)
{
	static const char *const places[][2] = { { "dns", "dns.query" }, { "tls", "tls.sni" } };
	const char              *pack = rs_text(n->rs, n->rs->packs[n->rule->pack].id);

	for (unsigned i = 0; i < 2; i++) {
		fprintf(f, "%s %s any any -> any any (msg:\"nfqd %s/%s\"; %s; ", verb, places[i][0], pack,
		        rs_text(n->rs, n->rule->id), places[i][1]);
		suricata_pattern(f, n);
		fprintf(f, "metadata:nfqd_pack %s, nfqd_rule %s, nfqd_category %s, nfqd_sid %u; ", pack,
		        rs_text(n->rs, n->rule->id), category_words[n->rule->category], n->rule->sid);
		fprintf(f, "sid:%u; rev:1;)\n", rule_number(verb, places[i][0], n));
	}
}

static void suricata_block(FILE *f, const struct export_name *n)
{
	suricata_rules(f, n, "alert");
}

static void suricata_open(FILE *f, const struct export_name *n)
{
	suricata_rules(f, n, "pass");
}

static void suricata_glob(FILE *f, const struct export_name *n, bool blocked)
{
	suricata_rules(f, n, blocked ? "alert" : "pass");
}

/* ---- csv (RFC 4180): everything, one row per pattern --------------------------------------- */

static void field(FILE *f, const char *text, char behind)
{
	fputc('"', f);
	for (; text && *text; text++) {
		if (*text == '"')
			fputc('"', f);
		fputc(*text, f);
	}
	fprintf(f, behind == '\n' ? "\"\r\n" : "\"%c", behind);
}

static void fields(FILE *f, char *const v[], unsigned n)
{
	char text[4096] = "";

	for (unsigned i = 0, used = 0; i < n && used < sizeof(text); i++)
		used += (unsigned)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " | " : "",
		                           v[i]);
	field(f, text, ',');
}

static void urls(FILE *f, const struct pack *p, char *const v[], unsigned n)
{
	char text[4096] = "";

	for (unsigned i = 0, used = 0; i < n && used < sizeof(text); i++)
		used += (unsigned)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " | " : "",
		                           rules_source(p, v[i]));
	field(f, text, ',');
}

static void csv_begin(FILE *f, const struct pack *first)
{
	(void)first;
	fputs("pack,version,expires,sha256,id,kind,pattern,category,action,confidence,shared,ports,"
	      "products,sources,side_effect\r\n",
	      f);
}

static void csv_pack(FILE *f, const struct pack *p, const char *sha256)
{
	field(f, p->id, ',');
	field(f, p->version, ',');
	field(f, p->expires, ',');
	field(f, sha256, ',');
}

static void csv_row(FILE *f, const struct pack *p, const char *sha256, unsigned entry,
                    const char *pattern)
{
	const struct pack_entry *e = &p->entries[entry];

	csv_pack(f, p, sha256);
	field(f, e->id, ',');
	field(f, "name", ',');
	field(f, pattern, ',');
	field(f, category_words[e->category], ',');
	field(f, entry_action_words[e->action], ',');
	field(f, confidence_words[e->confidence], ',');
	field(f, e->shared ? "true" : "false", ',');
	fields(f, e->ports, e->n_ports);
	fields(f, e->products, e->n_products);
	urls(f, p, e->sources, e->n_sources);
	field(f, e->side_effect, '\n');
}

static void csv_net_row(FILE *f, const struct pack *p, const char *sha256, unsigned net)
{
	const struct pack_net *n = &p->nets[net];

	csv_pack(f, p, sha256);
	field(f, n->id, ',');
	field(f, "net", ',');
	field(f, n->cidr, ',');
	field(f, category_words[n->category], ',');
	field(f, entry_action_words[n->action], ',');
	field(f, confidence_words[n->confidence], ',');
	field(f, "false", ',');
	fields(f, n->ports, n->n_ports);
	fields(f, NULL, 0);
	urls(f, p, n->sources, n->n_sources);
	field(f, n->side_effect, '\n');
}

/* ---- the table ----------------------------------------------------------------------------- */

const struct export_format export_formats[] = {
	{ .name = "hosts", .comment = "#", .block = hosts_block },
	{ .name = "domains", .comment = "#", .says_below = true, .block = domains_block },
	{ .name = "adblock",
	  .comment = "!",
	  .exceptions_win = true,
	  .says_below = true,
	  .says_exceptions = true,
	  .block = adblock_block,
	  .open = adblock_open,
	  .glob = adblock_glob },
	{ .name = "dnsmasq",
	  .comment = "#",
	  .again = true,
	  .says_below = true,
	  .says_exceptions = true,
	  .block = dnsmasq_block,
	  .open = dnsmasq_open },
	{ .name = "rpz",
	  .comment = ";",
	  .says_below = true,
	  .says_exceptions = true,
	  .hides = true,
	  .block = rpz_block,
	  .open = rpz_open,
	  .begin = rpz_begin },
	{ .name = "unbound",
	  .comment = "#",
	  .says_below = true,
	  .says_exceptions = true,
	  .needs_apex = true,
	  .opens_below = true,
	  .block = unbound_block,
	  .open = unbound_open,
	  .begin = unbound_begin },
	{ .name = "suricata-dataset", .block = dataset_block },
	{ .name = "suricata-rules",
	  .comment = "#",
	  .exceptions_win = true,
	  .says_below = true,
	  .says_exceptions = true,
	  .block = suricata_block,
	  .open = suricata_open,
	  .glob = suricata_glob },
	{ .name = "nft", .comment = "#", .nets = export_nft },
	{ .name = "csv", .begin = csv_begin, .row = csv_row, .net_row = csv_net_row },
	{ .name = NULL },
};
