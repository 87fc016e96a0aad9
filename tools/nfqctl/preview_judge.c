/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "preview.h"

#include <string.h>

#include "nfqctl.h"
#include "sightings/sightings.h"

long long preview_times(const json_t *one)
{
	return number_of(one, "refused") + number_of(one, "logged") + number_of(one, "passed");
}

/* At once, so that a year of many machines needs no more room than one of them. */
void preview_json_row(const struct preview_run *p, const json_t *machine, const json_t *one, const struct why_rule *now, bool first)
{
	json_t *row = json_pack("{s:O, s:O, s:O, s:s, s:s, s:s, s:s, s:I, s:O}", "id", json_object_get(machine, "id"),
	                        "machine_name", json_object_get(machine, "name"), "name", json_object_get(one, "name"), "would",
	                        now->would, "pack", now->pack, "rule", now->rule, "side_effect", now->side_effect, "times",
	                        (json_int_t)preview_times(one), "refused_then", json_object_get(one, "refused"));

	(void)first;
	fputs(p->rows ? ",\n    " : "\n    ", p->out);
	json_dumpf(row, p->out, 0);
	json_decref(row);
}

void preview_json_begin(const struct preview_run *p)
{
	json_t *at = p->at ? json_string(p->at) : json_null();

	fprintf(p->out, "{\n  \"schema\": %d,\n  \"at\": ", SIGHTINGS_JSON);
	json_dumpf(at, p->out, JSON_ENCODE_ANY);
	fputs(",\n  \"rows\": [", p->out);
	json_decref(at);
}

void preview_json_end(const struct preview_run *p)
{
	fprintf(p->out, "%s],\n  \"machines_at_least\": %lld,\n  \"names_looked_at\": %lld\n}\n", p->rows ? "\n  " : "", p->machines,
	        p->names);
}

void preview_machine(void *ctx, const json_t *machine, const json_t *names)
{
	struct preview_run *p = ctx;
	const char         *client = json_string_value(json_array_get(json_object_get(machine, "addresses"), 0));
	const long long     before = p->rows;
	struct why_rule     now;
	const json_t       *one;
	size_t              i;

	if (client && !strpbrk(client, ".:"))
		client = NULL;
	json_array_foreach(names, i, one) {
		if (!why_refuses(&p->rs, text_of(one, "name"), client, p->seconds, &now))
			continue;
		p->row(p, machine, one, &now, p->rows == before);
		p->rows++;
	}
	p->names += (long long)json_array_size(names);
	p->machines += p->rows > before;
}
