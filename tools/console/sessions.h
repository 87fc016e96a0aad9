/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is signed in: a random number in a cookie, in memory only, so that a restart signs everybody out. And how long
 * who failed to sign in has to wait. */
#ifndef CONSOLE_SESSIONS_H
#define CONSOLE_SESSIONS_H

#include "console.h"

struct sessions *sessions_new(void);
/* A new session; out is its cookie's value. What the browser had before never counts. */
void sessions_begin(struct sessions *s, const char *user, enum role role, char out[static TOKEN_TEXT]);
/* Fills who; false: there is no such session, or it is over (an hour without a request, twelve hours). */
bool sessions_find(struct sessions *s, const char *cookie, struct who *who);
void sessions_end(struct sessions *s, const char *cookie);
/* Every session of a user. */
void sessions_end_user(struct sessions *s, const char *user);

/* A link that works once, for the first account; NULL: there is none (any more). */
const char *sessions_first_link(const struct sessions *s);
void        sessions_make_first_link(struct sessions *s);
void        sessions_spend_first_link(struct sessions *s);
/* What a form without a session carries. */
const char *sessions_anonymous_token(const struct sessions *s);
/* In a time that does not depend on where they differ. */
bool token_is(const char *a, const char *b);

/* Seconds that this place has to wait before it may try again; 0: it may. One try a fifth of a second for all. */
unsigned sessions_wait(struct sessions *s, const char *from);
void     sessions_tried(struct sessions *s, const char *from, bool right);

#endif
