/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of packs: files, folders, each pack once, the canary always. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/yaml.h"
#include "match/never.h"

static const struct pack *packs_find(const struct packs *packs, const char *id)
{
	for (unsigned i = 0; i < packs->n; i++)
		if (strcmp(packs->v[i]->id, id) == 0)
			return packs->v[i];
	return NULL;
}

bool pack_expired(const struct pack *p)
{
	int64_t at;

	return p->expires && clock_parse(p->expires, &at) == 0 &&
	       at <= (int64_t)(clock_now() / NS_PER_S);
}

/* Takes p, which may be NULL: err is filled then. */
static int packs_add(struct packs *packs, struct pack *p, struct err *err)
{
	const struct pack *other = p ? packs_find(packs, p->id) : NULL;
	struct pack      **v;

	if (!p)
		return -1;
	if (other) {
		yaml_doc_error(p->doc, err, yaml_doc_line(p->doc, "pack"),
		               "pack '%s' is already loaded from %s", p->id, other->path);
		pack_free(p);
		return -1;
	}
	v = realloc(packs->v, (packs->n + 1U) * sizeof(struct pack *));
	if (!v) {
		pack_free(p);
		return err_set(err, "out of memory");
	}
	if (pack_expired(p))
		diag_warn("rules", "%s:%u: pack '%s' expired on %s: it still works; get a newer one",
		          p->path, yaml_doc_line(p->doc, "expires"), p->id, p->expires);
	packs->v = v;
	packs->v[packs->n++] = p;
	return 0;
}

/* never.yaml is not a pack; nor is the template that lies beside the packs to be copied. */
static int is_pack_file(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return e->d_name[0] != '.' && n > 5 && strcmp(e->d_name + n - 5, ".yaml") == 0 &&
	       strcmp(e->d_name, "never.yaml") != 0 && strcmp(e->d_name, "TEMPLATE.yaml") != 0;
}

/* By bytes, not by locale. */
static int name_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Not every file in a folder of packs is one. */
static int packs_add_of_folder(struct packs *packs, const char *path, struct err *err)
{
	struct yaml_doc *doc = yaml_doc_open(path, NULL, NULL, err);

	if (doc && never_is(doc)) {
		yaml_doc_free(doc);
		return 0;
	}
	return packs_add(packs, pack_take(doc, path, err), err);
}

static int packs_add_folder(struct packs *packs, const char *path, struct err *err)
{
	struct dirent **files = NULL;
	int             n = scandir(path, &files, is_pack_file, name_order);
	int             r = n < 0 ? err_set(err, "%s: %m", path) :
	                    n == 0 ? err_set(err, "%s: the folder has no *.yaml", path) : 0;

	for (int i = 0; i < n; i++) {
		char file[4096];

		snprintf(file, sizeof(file), "%s%s%s", path,
		         path[strlen(path) - 1] == '/' ? "" : "/", files[i]->d_name);
		if (r == 0)
			r = packs_add_of_folder(packs, file, err);
		free(files[i]);
	}
	free(files);
	return r;
}

static int packs_add_path(struct packs *packs, const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(err, "%s: %m", path);
	if (S_ISDIR(st.st_mode))
		return packs_add_folder(packs, path, err);
	return packs_add(packs, pack_load(path, err), err);
}

int packs_load(struct packs *out, char *const paths[], unsigned n, struct err *err)
{
	int r = 0;

	*out = (struct packs){ .n = 0 };
	for (unsigned i = 0; i < n && r == 0; i++)
		r = packs_add_path(out, paths[i], err);
	if (r == 0 && !packs_find(out, "canary"))
		r = packs_add(out, pack_canary(err), err);
	if (r < 0)
		packs_free(out);
	return r;
}

static bool pack_choose(const struct pack *p, const char *profile)
{
	bool any = false;

	for (unsigned i = 0; i < p->n_stages; i++)
		if (p->stages[i].profile && strcmp(p->stages[i].profile, profile) == 0)
			any = p->stages[i].chosen = true;
	return any;
}

int packs_choose(const struct packs *packs, char *const profiles[], unsigned n, struct err *err)
{
	for (unsigned i = 0; i < n; i++) {
		bool any = false;

		for (unsigned k = 0; k < packs->n; k++)
			any |= pack_choose(packs->v[k], profiles[i]);
		if (!any)
			return err_set(err, "profiles: no stage of the packs has the profile '%s'",
			               profiles[i]);
	}
	return 0;
}

void packs_free(struct packs *packs)
{
	for (unsigned i = 0; i < packs->n; i++)
		pack_free(packs->v[i]);
	free(packs->v);
	*packs = (struct packs){ .n = 0 };
}
