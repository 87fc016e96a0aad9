/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to the daemon's sockets: as nfqctl asks them, with a shorter limit, since the pages wait. */
#ifndef CONSOLE_ASK_H
#define CONSOLE_ASK_H

#include "console.h"

/* Asks the socket that only answers (takes the request). NULL with err: there is no answer. *no_daemon (may be NULL):
 * nobody listens. */
json_t *ask_view(const struct console *c, json_t *request, bool *no_daemon, struct err *err);
/* Changes something, in the name of who, who must be an operator (takes the request). */
json_t *ask_change(const struct console *c, const struct who *who, json_t *request, struct err *err);
/* Asks the database of machines (takes the request). */
json_t *ask_sightings(const struct console *c, json_t *request, struct err *err);
/* Each machine's names, one machine after the other (takes the request). Returns 0, or -1 with err. */
typedef void ask_names_fn(void *ctx, const json_t *machine, const json_t *names);
MUST_CHECK int ask_names(const struct console *c, json_t *request, ask_names_fn *each, void *ctx, struct err *err);
/* The status; without a daemon one that says so. */
json_t *ask_status_or_none(const struct console *c, struct err *err);
/* Leaves a record of who signed in, or failed to; what: "done", "failed", "out". */
void ask_note_sign_in(const struct console *c, const char *what, const char *user, const char *from);

#endif
