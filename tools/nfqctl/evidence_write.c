/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The folder of evidence: the files, and a page that says what each of them is and what it proves. */
#include <errno.h>
#include <pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "evidence.h"
#include "match/ruleset.h"
#include "nfqctl.h"
#include "replay.h"
#include "shared/kept_rules.h"
#include "shared/why.h"

enum { PATH = 4096, BYTES = 8192 };

/* What was found out about the record. */
struct findings {
	const char          *folder;
	json_t              *why;     /* the rule, as it was in force; NULL: no longer kept */
	char                 sha256[2 * 32 + 1]; /* of the pack */
	struct err           unkept, unproved;
	struct replay_result replayed;
	bool                 packet;
};

static FILE *create(const struct findings *f, const char *name, struct err *err)
{
	char  path[PATH];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	out = fopen(path, "wxe");
	if (!out)
		err_set(err, "%s: %s", path, strerror(errno));
	return out;
}

static int finish(FILE *out, const char *name, struct err *err)
{
	bool bad = ferror(out) != 0;

	return fclose(out) == 0 && !bad ? 0 : err_set(err, "%s: %s", name, strerror(errno));
}

static int write_text(const struct findings *f, const char *name, const char *text, struct err *err)
{
	FILE *out = text ? create(f, name, err) : NULL;

	if (!text)
		return 0;
	if (!out)
		return -1;
	fputs(text, out);
	if (!*text || text[strlen(text) - 1] != '\n')
		fputc('\n', out);
	return finish(out, name, err);
}

/* ---- the packet ---- */

/* When the packet came; 0 when the record, which anybody may have edited, gives no time. */
static struct timeval time_of(const json_t *record)
{
	static const size_t whole = sizeof("2026-11-23T16:20:31") - 1;
	const char         *text = text_of(record, "timestamp");
	char                iso[CLOCK_TEXT];
	int64_t             seconds;
	long                us;

	snprintf(iso, sizeof(iso), "%.19sZ", text);
	if (strlen(text) < whole || clock_parse(iso, &seconds) < 0)
		return (struct timeval){ 0 };
	us = text[whole] == '.' ? strtol(text + whole + 1, NULL, 10) : 0;
	return (struct timeval){ .tv_sec = (time_t)seconds, .tv_usec = us > 0 && us < 1000000 ? us : 0 };
}

static int write_packet(const struct evidence *e, struct findings *f, struct err *err)
{
	uint8_t            bytes[BYTES];
	size_t             n = replay_bytes(e->record, "packet", bytes, sizeof(bytes));
	struct pcap_pkthdr header = { .ts = time_of(e->record), .caplen = (bpf_u_int32)n, .len = (bpf_u_int32)n };
	char               path[PATH];
	pcap_t            *pcap;
	pcap_dumper_t     *to;

	if (n == 0)
		return 0;
	snprintf(path, sizeof(path), "%s/packet.pcap", f->folder);
	pcap = pcap_open_dead(DLT_RAW, BYTES);
	to = pcap ? pcap_dump_open(pcap, path) : NULL;
	if (to) {
		pcap_dump((u_char *)to, &header, bytes);
		f->packet = pcap_dump_flush(to) == 0;
		pcap_dump_close(to);
	}
	if (pcap && !f->packet)
		err_set(err, "%s: %s", path, to ? strerror(errno) : pcap_geterr(pcap));
	if (pcap)
		pcap_close(pcap);
	return f->packet ? 0 : -1;
}

/* ---- the rule ---- */

static json_t *question_of(const json_t *record)
{
	const json_t *own = json_object_get(record, "nfqd");
	char          at[CLOCK_TEXT], port[32];

	snprintf(at, sizeof(at), "%.19sZ", text_of(record, "timestamp"));
	snprintf(port, sizeof(port), "%s/%lld", strcmp(text_of(record, "proto"), "UDP") == 0 ? "udp" : "tcp",
	         number_of(record, "dest_port"));
	return json_pack("{s:s, s:s, s:s, s:s}", "name", text_of(own, "name"), "client", text_of(record, "src_ip"),
	                 "at", at, "port", port);
}

static void find_rule(const struct evidence *e, struct findings *f)
{
	const json_t  *own = json_object_get(e->record, "nfqd");
	const char    *digest = json_string_value(json_object_get(own, "rules"));
	struct image  *img = NULL;
	json_t        *question = question_of(e->record);
	struct ruleset rs;

	if (digest)
		img = kept_rules_load(e->kept, digest, &f->unkept);
	else
		err_set(&f->unkept, "the record names no rules");
	if (img) {
		ruleset_open(&rs, img);
		f->why = why(&rs, question, &f->unkept);
		for (uint32_t i = 0; i < rs.n_packs; i++)
			if (strcmp(rs_text(&rs, rs.packs[i].id), text_of(own, "pack")) == 0)
				snprintf(f->sha256, sizeof(f->sha256), "%s", rs_text(&rs, rs.packs[i].sha256));
	}
	json_decref(question);
	free(img);
}

static int write_rule(const struct findings *f, struct err *err)
{
	FILE *out = f->why ? create(f, "rule.json", err) : NULL;

	if (!f->why)
		return 0;
	if (!out)
		return -1;
	(void)json_dumpf(f->why, out, JSON_INDENT(2));
	fputc('\n', out);
	return finish(out, "rule.json", err);
}

static void judge_again(const struct evidence *e, struct findings *f)
{
	struct replay replay;
	struct err    err = { 0 };

	f->replayed = (struct replay_result){ .outcome = REPLAY_NOT };
	if (replay_open(&replay, e->kept, NULL, NULL, 0, &err) < 0) {
		snprintf(f->replayed.why, sizeof(f->replayed.why), "%.250s", err.text);
		return;
	}
	f->replayed = replay_record(&replay, e->record);
	replay_close(&replay);
}

static int write_proof(const struct evidence *e, struct findings *f, struct err *err)
{
	char  *text = NULL;
	size_t n;
	FILE  *out = open_memstream(&text, &n);
	int    r = out ? log_prove(out, e->place, e->files, e->n_files, &f->unproved) : -1;

	if (out)
		fclose(out);
	r = out && r == 0 ? write_text(f, "proof.txt", text, err) : 0;
	free(text);
	return r;
}

/* ---- the page ---- */

static const char *what_was_done(const json_t *own)
{
	return strcmp(text_of(own, "source"), "queue") != 0      ? "nothing: nfqd only watched"
	       : strcmp(text_of(own, "action"), "reject") == 0   ? "refused, and the machine was told so"
	       : strcmp(text_of(own, "action"), "drop") == 0     ? "dropped without an answer"
	                                                         : "let through and recorded";
}

static void say_rule(FILE *out, const struct evidence *e, const struct findings *f)
{
	const json_t *own = json_object_get(e->record, "nfqd"), *stage = json_object_get(own, "stage"), *source;
	size_t        i;

	fprintf(out, "\nBY WHICH RULE\n  Rule %s of the list \"%s\", version %s.\n", text_of(own, "rule"),
	        text_of(own, "pack"), text_of(own, "pack_version"));
	if (json_is_object(stage))
		fprintf(out, "  In force by \"%s\" (basis: %s): %s\n", text_of(stage, "id"), text_of(stage, "basis"),
		        text_of(stage, "citation"));
	if (!f->why) {
		fprintf(out, "  The rule's text is not here: %s.\n", f->unkept.text);
		return;
	}
	fprintf(out, "  The list's file has the SHA-256 digest %s.\n"
	             "  Whether a release of it was signed is not part of a record; nfqctl rules update says it.\n"
	             "  What the rule rests on (all of it in rule.json):\n", f->sha256);
	json_array_foreach(json_object_get(f->why, "sources"), i, source)
		fprintf(out, "    - %s\n", json_string_value(source));
}

static void say_watching(FILE *out, const struct evidence *e)
{
	fputs("\nWAS NFQD WATCHING\n", out);
	if (!e->before && !e->after)
		fputs("  No record of what nfqd counted stands near this one.\n", out);
	else
		fprintf(out, "  stats.json is nfqd's own count of what it saw and of what passed without being inspected\n"
		             "  (members \"uninspected\" and \"fail_open_s\"), as recorded %s this record.\n",
		        !e->after ? "last before" : !e->before ? "first after" : "last before and first after");
}

static void say_proof(FILE *out, const struct evidence *e, const struct findings *f)
{
	static const char *const replayed[] = { [REPLAY_AGREES] = "the same decision comes out",
		                                [REPLAY_DIFFERS] = "ANOTHER DECISION COMES OUT",
		                                [REPLAY_NOT] = "not possible" };

	fputs("\nHOW IT IS KNOWN\n", out);
	fputs(f->packet ? "  packet.pcap is the packet that decided, as nfqd received it (what was masked or cut, the\n"
	                  "  record's nfqd.cut says).\n"
	                : "  The record holds no packet.\n", out);
	fprintf(out, "  Judged again by the rules that were in force: %s%s%s.\n", replayed[f->replayed.outcome],
	        f->replayed.why[0] ? ", " : "", f->replayed.why);
	if (f->unproved.text[0])
		fprintf(out, "  That the line is as it was written cannot be proved: %s.\n", f->unproved.text);
	else
		fprintf(out, "  proof.txt proves that record.json stands in the log of sensor %s as it was written:\n"
		             "  it leads from the line's digest to a checkpoint that the sensor signed. Anybody can check\n"
		             "  it with tools/verify/verify-proof or another implementation of C2SP tlog-proof, given\n"
		             "  the sensor's key, which must come from another place than this folder.\n"
		             "  It does not prove what the sensor saw, nor that the sensor was honest.\n",
		        text_of(json_object_get(e->record, "nfqd"), "sensor"));
}

static int write_page(const struct evidence *e, const struct findings *f, struct err *err)
{
	const json_t *own = json_object_get(e->record, "nfqd"), *client = json_object_get(own, "client");
	FILE         *out = create(f, "README.txt", err);

	if (!out)
		return -1;
	fprintf(out, "RECORD %s\n\nWHAT HAPPENED\n"
	             "  At %s the machine %s (%s)\n  asked for %s, seen in %s, at %s port %lld (%s).\n"
	             "  This was %s.\n",
	        e->place, text_of(e->record, "timestamp"), text_of(e->record, "src_ip"), text_of(client, "id"),
	        text_of(own, "name"), text_of(own, "seen_in"), text_of(e->record, "dest_ip"),
	        number_of(e->record, "dest_port"), text_of(e->record, "proto"), what_was_done(own));
	if (json_object_get(client, "name"))
		fprintf(out, "  The network calls that machine %s.\n", text_of(client, "name"));
	for (unsigned i = 0; i < e->n_addresses; i++)
		fprintf(out, "%s%s%s", i ? ", " : "  It was also seen as ", e->address[i],
		        i + 1 == e->n_addresses ? ".\n" : "");
	say_rule(out, e, f);
	say_watching(out, e);
	say_proof(out, e, f);
	fputs("\nThe record itself, one line of JSON, is record.json; start.json says what was in force when that run\n"
	      "of the daemon began. No file here is needed to read another.\n", out);
	return finish(out, "README.txt", err);
}

static char *both(const char *a, const char *b)
{
	char *out = NULL;

	return asprintf(&out, "%s%s%s%s", a ? a : "", a && a[strlen(a) - 1] != '\n' ? "\n" : "", b ? b : "",
	                b && b[strlen(b) - 1] != '\n' ? "\n" : "") < 0
	               ? NULL
	               : out;
}

int evidence_write(const struct evidence *e, const char *folder, struct err *err)
{
	struct findings f = { .folder = folder };
	char           *stats = e->before || e->after ? both(e->before, e->after) : NULL;
	int             r = -1;

	if (mkdir(folder, 0755) < 0) {
		free(stats);
		return err_set(err, "%s: %s", folder, strerror(errno));
	}
	find_rule(e, &f);
	judge_again(e, &f);
	if (write_text(&f, "record.json", e->line, err) == 0 && write_packet(e, &f, err) == 0 &&
	    write_rule(&f, err) == 0 && write_text(&f, "stats.json", stats, err) == 0 &&
	    write_text(&f, "start.json", e->start, err) == 0 && write_proof(e, &f, err) == 0)
		r = write_page(e, &f, err);
	if (r == 0)
		printf("%s/README.txt\n", folder);
	json_decref(f.why);
	free(stats);
	return r;
}
