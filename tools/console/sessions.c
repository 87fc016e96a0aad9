/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sessions.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"

enum { SESSIONS = 64, PLACES = 64, IDLE_S = 3600, LONGEST_S = 12 * 3600, WAIT_MAX_S = 60, FREE_TRIES = 3, FORGET_S = 3600 };

struct session {
	char      id[TOKEN_TEXT], token[TOKEN_TEXT], user[USER_TEXT];
	enum role role; /* ROLE_NONE: free */
	uint64_t  begun, seen; /* seconds of the monotonic clock */
};

/* A place from which sign-ins failed. */
struct place {
	char     from[64];
	unsigned failed;
	uint64_t at; /* of the last one, seconds */
};

struct sessions {
	struct session v[SESSIONS];
	struct place   places[PLACES];
	uint64_t       last_try; /* of anybody, ns */
	char           first[TOKEN_TEXT], anonymous[TOKEN_TEXT];
};

static uint64_t now_s(void)
{
	return clock_monotonic() / NS_PER_S;
}

static void make_token(char out[static TOKEN_TEXT])
{
	unsigned char bytes[(TOKEN_TEXT - 1) / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		abort(); /* without randomness nobody may sign in */
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

bool token_is(const char *a, const char *b)
{
	unsigned char differ = 0;

	if (strlen(a) != TOKEN_TEXT - 1 || strlen(b) != TOKEN_TEXT - 1)
		return false;
	for (size_t i = 0; i < TOKEN_TEXT - 1; i++)
		differ |= (unsigned char)(a[i] ^ b[i]);
	return differ == 0;
}

struct sessions *sessions_new(void)
{
	struct sessions *s = calloc(1, sizeof(*s));

	if (s)
		make_token(s->anonymous);
	return s;
}

/* ---- sessions ---- */

static bool is_over(const struct session *one, uint64_t now)
{
	return one->role == ROLE_NONE || now - one->seen > IDLE_S || now - one->begun > LONGEST_S;
}

void sessions_begin(struct sessions *s, const char *user, enum role role, char out[static TOKEN_TEXT])
{
	struct session *free_one = s->v;
	uint64_t        now = now_s();

	for (unsigned i = 0; i < SESSIONS; i++) {
		if (is_over(&s->v[i], now)) {
			free_one = &s->v[i];
			break;
		}
		if (s->v[i].seen < free_one->seen)
			free_one = &s->v[i]; /* the one that was used least recently gives way */
	}
	*free_one = (struct session){ .role = role, .begun = now, .seen = now };
	snprintf(free_one->user, sizeof(free_one->user), "%s", user);
	make_token(free_one->id);
	make_token(free_one->token);
	snprintf(out, TOKEN_TEXT, "%s", free_one->id);
}

static struct session *find(struct sessions *s, const char *cookie)
{
	struct session *found = NULL;

	for (unsigned i = 0; i < SESSIONS; i++)
		if (token_is(s->v[i].id, cookie))
			found = &s->v[i];
	return found;
}

bool sessions_find(struct sessions *s, const char *cookie, struct who *who)
{
	struct session *one = find(s, cookie);
	uint64_t        now = now_s();

	if (!one)
		return false;
	if (is_over(one, now)) {
		*one = (struct session){ .role = ROLE_NONE };
		return false;
	}
	one->seen = now;
	who->role = one->role;
	snprintf(who->user, sizeof(who->user), "%s", one->user);
	snprintf(who->token, sizeof(who->token), "%s", one->token);
	return true;
}

void sessions_end(struct sessions *s, const char *cookie)
{
	struct session *one = find(s, cookie);

	if (one)
		*one = (struct session){ .role = ROLE_NONE };
}

void sessions_end_user(struct sessions *s, const char *user)
{
	for (unsigned i = 0; i < SESSIONS; i++)
		if (strcmp(s->v[i].user, user) == 0)
			s->v[i] = (struct session){ .role = ROLE_NONE };
}

/* ---- tokens ---- */

const char *sessions_first_link(const struct sessions *s)
{
	return s->first[0] ? s->first : NULL;
}

void sessions_make_first_link(struct sessions *s)
{
	make_token(s->first);
}

void sessions_spend_first_link(struct sessions *s)
{
	s->first[0] = '\0';
}

const char *sessions_anonymous_token(const struct sessions *s)
{
	return s->anonymous;
}

/* ---- who failed ---- */

/* The place's row, or the one that is longest unused. */
static struct place *place_of(struct sessions *s, const char *from)
{
	struct place *oldest = s->places;

	for (unsigned i = 0; i < PLACES; i++) {
		if (strcmp(s->places[i].from, from) == 0)
			return &s->places[i];
		if (s->places[i].at < oldest->at)
			oldest = &s->places[i];
	}
	*oldest = (struct place){ .failed = 0 };
	snprintf(oldest->from, sizeof(oldest->from), "%s", from);
	return oldest;
}

unsigned sessions_wait(struct sessions *s, const char *from)
{
	const struct place *p = place_of(s, from);
	uint64_t            now = now_s(), wait = 0;

	if (p->failed >= FREE_TRIES)
		wait = p->failed - FREE_TRIES < 6 ? UINT64_C(1) << (p->failed - FREE_TRIES) : WAIT_MAX_S;
	if (p->at + wait > now)
		return (unsigned)(p->at + wait - now);
	return clock_monotonic() - s->last_try < NS_PER_S / 5;
}

void sessions_tried(struct sessions *s, const char *from, bool right)
{
	struct place *p = place_of(s, from);
	uint64_t      now = now_s();

	s->last_try = clock_monotonic();
	if (right || now - p->at > FORGET_S)
		p->failed = 0;
	p->failed += !right;
	p->at = now;
}
