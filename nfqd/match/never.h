/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What no pack may block (rules/never.yaml): names whose loss breaks a machine, hides a fault or locks
 * people out. It is not a pack: the file lies beside the packs, else with the installed ones, else in the
 * program. An entry complies when it is `log` or `allow`, when a more exact entry of its pack is, or when
 * it says why it does not (`override`).
 */
#ifndef NFQD_MATCH_NEVER_H
#define NFQD_MATCH_NEVER_H

#include "match/pack.h"
#include "match/ruleset.h"

#define NEVER_FILE "never.yaml"

/* What the names are for. NEVER_SHARED: a zone shared by everybody below it. A pack may list names below
 * such a zone, but neither the zone nor one around it; of all others, nothing at or below a name. */
#define NEVER_KINDS(X)                                                                             \
	X(UPDATE, "update")                                                                        \
	X(FIRMWARE, "firmware")                                                                    \
	X(CERTIFICATES, "certificates")                                                            \
	X(TIME, "time")                                                                            \
	X(CONNECTIVITY, "connectivity")                                                            \
	X(STORE, "store")                                                                          \
	X(PUSH, "push")                                                                            \
	X(SIGN_IN, "sign-in")                                                                      \
	X(PROTECTION, "protection")                                                                \
	X(EMERGENCY, "emergency")                                                                  \
	X(REMOVAL, "removal")                                                                      \
	X(SHARED, "shared")

enum never_kind {
#define X(id, word) NEVER_##id,
	NEVER_KINDS(X)
#undef X
};

struct never_item {
	char    *id;
	char   **names;
	unsigned n_names;
	int      kind; /* enum never_kind */
	char    *reason;
	char   **sources;
	unsigned n_sources;
};

struct never {
	char               *version, *license;
	struct pack_source *sources;
	unsigned            n_sources;
	struct never_item  *items;
	unsigned            n_items;
	/* not in the file */
	char            *path;
	struct yaml_doc *doc;
	struct image    *img; /* its names as two packs: those of which nothing below may be blocked, shared zones */
	unsigned        *item_of; /* of each rule of that image */
};

/* Is the document such a list, and not a pack? */
bool never_is(const struct yaml_doc *doc);
/* Reads one; path NULL: the one in the program. say may be NULL. NULL: err is filled. */
MUST_CHECK struct never *never_load(const char *path, pack_say *say, void *ctx, struct err *err);
/* The list that is in force for packs at these paths (files or folders). */
MUST_CHECK struct never *never_find(char *const paths[], unsigned n, struct err *err);
void                     never_free(struct never *n);

/* One name of a pack that would block names of the list. Borrows from pack and list. */
struct never_hit {
	const struct never *never;
	const struct pack  *pack;
	unsigned            entry;
	char                name[NAME_TEXT + 2]; /* as the pack has it */
	const char         *kept;                /* a name of the list that it would block */
	unsigned            item, kept_at;       /* where that is */
	unsigned            more;                /* how many more it would block */
};
typedef void never_say(void *ctx, const struct never_hit *hit);

/*
 * Calls each with every name of the packs, whose ruleset is rs, that would block what must stay open.
 * Returns how many there are, or -1 when memory ran out or a names-file cannot be read.
 */
MUST_CHECK int never_check(const struct never *n, struct pack *const packs[], unsigned n_packs,
                           const struct ruleset *rs, never_say *each, void *ctx, struct err *err);
/* `entry 'x': name '.y' would block ...`, for a message that begins with file and line. */
void never_text(const struct never_hit *hit, char *out, size_t room);
/* The line of the name in the pack, or of the entry when the name stands in a file beside it. */
unsigned never_line(const struct never_hit *hit);

#endif
