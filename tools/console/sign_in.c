/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signing in and out, and the first account. */
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "ask.h"
#include "base/diag.h"
#include "html.h"
#include "request.h"
#include "sessions.h"

/* A session for this user; the cookie is never one that the browser had before. */
static void begin_session(struct request *r, struct page *p, const char *user, enum role role)
{
	const struct console *c = r->server->console;
	char                  old[TOKEN_TEXT], id[TOKEN_TEXT];

	guard_cookie(r, old);
	sessions_end(c->sessions, old);
	sessions_begin(c->sessions, user, role, id);
	snprintf(p->cookie, sizeof(p->cookie), "%s=%s; Path=/; HttpOnly; SameSite=Strict%s", c->tls ? "__Host-nfqd" : "nfqd", id,
	         c->tls ? "; Secure" : "");
	snprintf(p->location, sizeof(p->location), "/");
	ask_note_sign_in(c, "done", user, p->who->from);
}

void page_sign_in(const struct request *r, struct page *p, enum text note)
{
	(void)r;
	page_begin(p, T_SIGN_IN, "/sign-in");
	if (note != TEXTS_N) {
		fputs("<p class=error role=alert>", p->f);
		html_t(p->f, note);
		fputs("</p>\n", p->f);
	}
	form_begin(p, "/sign-in", "sign-in");
	form_input(p->f, T_USER, "user", "", "autocomplete=username required maxlength=32");
	form_input(p->f, T_PASSWORD, "password", "", "type=password autocomplete=current-password required maxlength=256");
	form_end(p->f, T_SIGN_IN);
	page_end(p);
}

static void failed(const struct console *c, struct page *p, const char *user)
{
	char safe[64];

	snprintf(safe, sizeof(safe), "%.32s", account_name_ok(user) ? user : "(not a name)");
	diag_warn("sign-in", "failed for '%s' from %s", safe, p->who->from);
	ask_note_sign_in(c, "failed", safe, p->who->from);
}

void post_sign_in(struct request *r, struct page *p)
{
	struct console *c = r->server->console;
	const char     *user = field(p->fields, "user"), *password = field(p->fields, "password");
	enum role       role;

	if (sessions_wait(c->sessions, p->who->from)) {
		p->status = 429;
		page_sign_in(r, p, T_TOO_SOON);
		return;
	}
	role = strlen(password) > PASSWORD_LONGEST ? ROLE_NONE : accounts_check(c->accounts, user, password);
	sessions_tried(c->sessions, p->who->from, role != ROLE_NONE);
	if (role != ROLE_NONE) {
		diag_info("sign-in", "%s (%s) from %s", user, role_words[role], p->who->from);
		begin_session(r, p, user, role);
		return;
	}
	failed(c, p, user);
	p->status = 403;
	page_sign_in(r, p, T_WRONG_PASSWORD);
}

/* ---- the first account ---- */

static bool is_first_link(const struct console *c, const struct page *p)
{
	const char *link = sessions_first_link(c->sessions);

	return link && token_is(link, field(p->fields, "link"));
}

void page_first(const struct request *r, struct page *p, const char *note)
{
	if (!is_first_link(r->server->console, p)) {
		page_error(p, 403, T_FIRST, t(T_FIRST_GONE));
		return;
	}
	page_begin(p, T_FIRST, "/first");
	html_paragraph(p->f, T_FIRST_WHY);
	if (note) {
		fputs("<p class=error role=alert>", p->f);
		report_text(p->f, note);
		fputs("</p>\n", p->f);
	}
	form_begin(p, "/first", "sign-in");
	form_hidden(p->f, "link", field(p->fields, "link"));
	form_input(p->f, T_USER, "user", "admin", "autocomplete=username required maxlength=32");
	form_input(p->f, T_PASSWORD, "password", "", "type=password autocomplete=new-password required minlength=10 maxlength=256");
	form_input(p->f, T_PASSWORD_AGAIN, "again", "", "type=password autocomplete=new-password required minlength=10 maxlength=256");
	form_end(p->f, T_CREATE);
	page_end(p);
}

void post_first(struct request *r, struct page *p)
{
	struct console *c = r->server->console;
	const char     *user = field(p->fields, "user"), *password = field(p->fields, "password");
	enum role       role = c->may_operate ? ROLE_OPERATE : ROLE_VIEW;
	struct err      err = { .text = "" };

	if (!is_first_link(c, p)) {
		page_error(p, 403, T_FIRST, t(T_FIRST_GONE));
		return;
	}
	if (!account_name_ok(user) || strlen(password) < PASSWORD_SHORTEST || strlen(password) > PASSWORD_LONGEST ||
	    strcmp(password, field(p->fields, "again")) != 0) {
		p->status = 400;
		page_first(r, p, t(T_FIRST_SHORT));
		return;
	}
	if (accounts_put(c->accounts, user, role, password, &err) < 0) {
		p->status = 500;
		page_first(r, p, err.text);
		return;
	}
	sessions_spend_first_link(c->sessions);
	accounts_seal(c->accounts);
	diag_info("sign-in", "the first account, %s (%s), was made from %s", user, role_words[role], p->who->from);
	begin_session(r, p, user, role);
}

void post_sign_out(struct request *r, struct page *p)
{
	const struct console *c = r->server->console;
	char                  cookie[TOKEN_TEXT];

	guard_cookie(r, cookie);
	sessions_end(c->sessions, cookie);
	snprintf(p->cookie, sizeof(p->cookie), "%s=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict%s", c->tls ? "__Host-nfqd" : "nfqd",
	         c->tls ? "; Secure" : "");
	snprintf(p->location, sizeof(p->location), "/sign-in");
	ask_note_sign_in(c, "out", p->who->user, p->who->from);
}
