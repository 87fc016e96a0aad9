/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which function writes which page, for whom. Nothing here looks for files: what is not a row does not exist. */
#include <string.h>

#include "assets.h"
#include "html.h"
#include "pages.h"
#include "request.h"
#include "sessions.h"

static void get_style(struct page *p)
{
	p->type = "text/css; charset=utf-8";
	fputs(asset_style, p->f);
}

static void get_script(struct page *p)
{
	p->type = "text/javascript; charset=utf-8";
	fputs(asset_live, p->f);
}

static void get_icon(struct page *p)
{
	p->type = "image/svg+xml";
	fputs(asset_icon, p->f);
}

static void get_health(struct page *p)
{
	p->type = "text/plain; charset=utf-8";
	fputs("ok\n", p->f);
}

/* Pages for everybody have ROLE_NONE. */
static const struct route {
	const char *path;
	enum role   role;
	void (*get)(struct page *p);
	void (*post)(struct page *p);
} routes[] = {
	{ "/style.css", ROLE_NONE, get_style, NULL },
	{ "/live.js", ROLE_NONE, get_script, NULL },
	{ "/icon.svg", ROLE_NONE, get_icon, NULL },
	{ "/healthz", ROLE_NONE, get_health, NULL },
	{ "/", ROLE_VIEW, page_on, NULL },
	{ "/machines", ROLE_VIEW, page_machines, NULL },
	{ "/machine", ROLE_VIEW, page_machine, change_machine },
	{ "/live", ROLE_VIEW, page_live, NULL },
	{ "/why", ROLE_VIEW, page_why, NULL },
	{ "/what-if", ROLE_VIEW, page_what_if, NULL },
	{ "/exceptions", ROLE_VIEW, page_exceptions, NULL },
	{ "/allow", ROLE_OPERATE, NULL, change_allow },
	{ "/revoke", ROLE_OPERATE, NULL, change_revoke },
	{ "/mode", ROLE_OPERATE, NULL, change_mode },
	{ "/report", ROLE_VIEW, page_report, NULL },
	{ "/report/file", ROLE_VIEW, page_report_file, NULL },
	{ "/evidence", ROLE_VIEW, page_evidence, NULL },
};

static const struct route *find(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (strcmp(routes[i].path, path) == 0)
			return &routes[i];
	return NULL;
}

static bool is_api(const struct page *p, const char *path)
{
	(void)p;
	return strncmp(path, "/api/", 5) == 0;
}

/* For people a page, for programs JSON. */
static void refuse(struct page *p, const char *path, unsigned status, const char *why)
{
	if (!is_api(p, path)) {
		page_error(p, status, T_REFUSED, why);
		return;
	}
	p->status = status;
	p->type = "application/json";
	fprintf(p->f, "{\"error\": \"%s\"}\n", why);
}

/* A change comes from a page of ours and has its token; a program at the unix socket is known by the kernel, but a
 * browser's request that a proxy brings there is not. */
static const char *why_not_changed(const struct request *r, const struct page *p)
{
	const bool browser = header_of(r, "Origin") || header_of(r, "Sec-Fetch-Site");

	if (p->who->by_socket && !browser)
		return NULL;
	if (!guard_is_own_page(r))
		return "this did not come from a page of this console";
	return token_is(p->who->token, field(p->fields, "token")) ? NULL : "the form's token is missing or wrong; open the page again";
}

/* True: it was one of these. */
static bool route_sign_in(struct request *r, struct page *p)
{
	static const struct {
		const char *path;
		void (*post)(struct request *r, struct page *p);
	} posts[] = { { "/sign-in", post_sign_in }, { "/first", post_first }, { "/sign-out", post_sign_out } };

	for (unsigned i = 0; r->is_post && i < sizeof(posts) / sizeof(posts[0]); i++)
		if (strcmp(posts[i].path, r->path) == 0) {
			posts[i].post(r, p);
			return true;
		}
	if (strcmp(r->path, "/sign-in") == 0)
		page_sign_in(r, p, TEXTS_N);
	else if (strcmp(r->path, "/first") == 0)
		page_first(r, p, NULL);
	else
		return false;
	return true;
}

static void ask_to_sign_in(struct request *r, struct page *p)
{
	if (is_api(p, r->path) || r->is_post) {
		refuse(p, r->path, 401, "sign in first");
		return;
	}
	snprintf(p->location, sizeof(p->location), "/sign-in");
}

static void route_api(struct request *r, struct page *p)
{
	p->type = "application/json";
	if (r->is_post)
		refuse(p, r->path, 405, "the API answers GET; changes are the forms' paths");
	else
		api_get(p, r->path + 5);
}

void route(struct request *r, struct page *p)
{
	const struct route *to = find(r->path);
	const char         *why = r->is_post ? why_not_changed(r, p) : NULL;

	if (why) {
		refuse(p, r->path, 403, why);
	} else if (r->server->console->options.metrics && strcmp(r->path, "/metrics") == 0 && !r->is_post) {
		page_metrics(p);
	} else if (route_sign_in(r, p)) {
		return;
	} else if (p->who->role == ROLE_NONE && (!to || to->role != ROLE_NONE)) {
		ask_to_sign_in(r, p);
	} else if (is_api(p, r->path)) {
		route_api(r, p);
	} else if (!to) {
		refuse(p, r->path, 404, t(T_NOT_FOUND));
	} else if (!(r->is_post ? to->post : to->get)) {
		refuse(p, r->path, 405, "not with this method");
	} else if (p->who->role < to->role || (r->is_post && p->who->role != ROLE_OPERATE)) {
		refuse(p, r->path, 403, t(T_FORBIDDEN));
	} else {
		(r->is_post ? to->post : to->get)(p);
	}
}
