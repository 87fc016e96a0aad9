/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of policies that a program keeps (`include`): its policies come before those of the configuration. Mistakes
 * in a policy are said with the line of the file that it is in.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/yaml.h"
#include "shared/conf.h"
#include "shared/conf_schema.h"

struct own {
	struct policy_in *policies;
	unsigned          n_policies;
};

int conf_own_path(const char *conf, const char *include, char *out, size_t room)
{
	const char *slash = strrchr(conf, '/');
	int         folder = slash && include[0] != '/' ? (int)(slash - conf) + 1 : 0;

	return snprintf(out, room, "%.*s%s", folder, conf, include) < (int)room ? 0 : -1;
}

/* Own policies first: they become the configuration's. */
static int put_in_front(struct conf *c, struct own *own, struct err *err)
{
	struct policy_in *all = realloc(c->policies, (c->n_policies + own->n_policies + 1U) * sizeof(*all));

	if (!all)
		return err_set(err, "out of memory");
	memmove(all + own->n_policies, all, c->n_policies * sizeof(*all));
	if (own->n_policies)
		memcpy(all, own->policies, own->n_policies * sizeof(*all));
	c->policies = all;
	c->n_own = own->n_policies;
	c->n_policies += own->n_policies;
	free(own->policies);
	own->policies = NULL;
	own->n_policies = 0;
	return 0;
}

int conf_load_own(struct conf *c, yaml_say *say, void *ctx, struct err *err)
{
	char        path[4096];
	struct own *own;
	int         r;

	if (!c->path || conf_own_path(c->path, c->include, path, sizeof(path)) < 0 || access(path, F_OK) < 0)
		return 0;
	c->own = yaml_doc_open(path, say, ctx, err);
	own = c->own ? yaml_doc_bind(c->own, &conf_own_schema, err) : NULL;
	if (!own)
		return -1;
	r = put_in_front(c, own, err);
	yaml_doc_unbind(&conf_own_schema, own);
	return r;
}

int conf_policy_error(const struct conf *c, struct err *err, unsigned i, const char *key, const char *fmt, ...)
{
	const struct yaml_doc *doc = i < c->n_own ? c->own : c->doc;
	unsigned               at = i < c->n_own ? i : i - c->n_own;
	char                   text[900];
	va_list                ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!doc)
		return err_set(err, "policy '%s': %s", c->policies[i].name, text);
	return yaml_doc_error(doc, err, yaml_doc_line(doc, "policies[%u].%s", at, key), "policy '%s': %s",
	                      c->policies[i].name, text);
}
