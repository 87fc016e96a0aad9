/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The JSON API: each answer is the one of nfqctl COMMAND --json, by the same code. */
#include <string.h>

#include "ask.h"
#include "html.h"
#include "pages.h"

/* ---- answers of the daemon ---- */

static json_t *status(const struct page *p, struct err *err)
{
	return ask_status_or_none(p->console, err);
}

static json_t *doctor(const struct page *p, struct err *err)
{
	json_t *s = ask_status_or_none(p->console, err), *findings = s ? doctor_of_status(s) : NULL;

	json_decref(s);
	return findings ? json_pack("{s:i, s:o}", "schema", 1, "findings", findings) : NULL;
}

static json_t *exceptions(const struct page *p, struct err *err)
{
	return ask_view(p->console, json_pack("{s:s}", "command", "exceptions"), NULL, err);
}

static json_t *why(const struct page *p, struct err *err)
{
	static const char *const keys[] = { "name", "client", "at", "port" };
	json_t                  *question = json_pack("{s:s}", "command", "why");

	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (*field(p->fields, keys[i]))
			json_object_set_new(question, keys[i], json_string(field(p->fields, keys[i])));
	return ask_view(p->console, question, NULL, err);
}

static json_t *mode(const struct page *p, struct err *err)
{
	static const char *const keys[] = { "mode", "mode_until", "mode_configured" };
	json_t                  *s = ask_view(p->console, json_pack("{s:s}", "command", "status"), NULL, err), *o = s ? json_object() : NULL;

	for (unsigned i = 0; o && i < sizeof(keys) / sizeof(keys[0]); i++)
		json_object_set(o, keys[i], json_object_get(s, keys[i]));
	json_decref(s);
	return o;
}

/* ---- answers about machines ---- */

static json_t *machines(const struct page *p, const char *ask, struct err *err)
{
	json_t     *question = machines_question(p, ask, "all", err);
	const char *id = field(p->fields, "id");

	if (question && *id)
		json_object_set_new(question, "id", json_string(id));
	return question ? ask_sightings(p->console, question, err) : NULL;
}

static json_t *hosts(const struct page *p, struct err *err)
{
	return machines(p, "hosts", err);
}

static json_t *host(const struct page *p, struct err *err)
{
	return machines(p, "host", err);
}

static json_t *report(const struct page *p, struct err *err)
{
	json_t *o = machines(p, "report", err);

	if (o)
		report_add_now(o);
	return o;
}

static json_t *records(const struct page *p, struct err *err)
{
	return ask_sightings(p->console, json_pack("{s:s}", "ask", "records"), err);
}

static const struct {
	const char *what;
	json_t *(*answer)(const struct page *p, struct err *err);
} answers[] = {
	{ "status", status }, { "doctor", doctor }, { "why", why },       { "exceptions", exceptions }, { "mode", mode },
	{ "hosts", hosts },   { "host", host },     { "report", report }, { "tail", records },
};

static void put(struct page *p, json_t *answer, const struct err *err)
{
	if (!answer) {
		p->status = 400;
		answer = json_pack("{s:s}", "error", err->text);
	}
	json_dumpf(answer, p->f, JSON_INDENT(2));
	fputc('\n', p->f);
	json_decref(answer);
}

void api_get(struct page *p, const char *what)
{
	struct err err = { .text = "" };

	for (unsigned i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (strcmp(answers[i].what, what) == 0) {
			put(p, answers[i].answer(p, &err), &err);
			return;
		}
	if (strcmp(what, "preview") == 0)
		api_preview(p, &err);
	else
		err_set(&err, "there is no such answer");
	if (err.text[0]) {
		rewind(p->f);
		put(p, NULL, &err);
	}
}

void page_metrics(struct page *p)
{
	struct err err = { .text = "" };
	bool       no_daemon;
	json_t    *s = ask_view(p->console, json_pack("{s:s}", "command", "status"), &no_daemon, &err);

	p->type = "text/plain; version=0.0.4; charset=utf-8";
	metrics_print(p->f, s);
	json_decref(s);
}
