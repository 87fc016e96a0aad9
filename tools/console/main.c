/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfqd-console: options, and the order of the start: files first, then nothing but sockets. */
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "accounts.h"
#include "base/diag.h"
#include "drop.h"
#include "pages.h"
#include "parent/ctl.h"
#include "request.h"
#include "sessions.h"
#include "tls.h"

static const char usage[] =
	"usage: nfqd-console [OPTION]...\n"
	"       nfqd-console --add-user NAME [--role view|operate] | --remove-user NAME  [--passwords FILE]\n\n"
	"  -s, --socket SOCKET      the daemon's control socket (/run/nfqd/control.sock)\n"
	"      --listen ADDR:PORT   where browsers come (127.0.0.1:9477); none: only --unix\n"
	"      --unix PATH          and a unix socket, for root, the group nfqd, and those it is given to\n"
	"      --passwords FILE     accounts (/var/lib/nfqd/console.passwd)\n"
	"      --certificate FILE   TLS: certificate chain, PEM\n"
	"      --key FILE           its key\n"
	"      --client-ca FILE     a certificate of this authority signs in the account that it names\n"
	"      --host NAME          a further name under which browsers come; may be repeated\n"
	"      --view               nobody operates: nothing can be changed here\n"
	"      --metrics            /metrics for Prometheus, without a sign-in\n"
	"  -c, --config FILE        the configuration that \"What if\" judges by (/etc/nfqd/nfqd.yaml)\n"
	"      --user NAME          whom it becomes (nfqd-console)\n"
	"  -h, --help               this text\n"
	"  -V, --version            the version\n";

struct command {
	const char *add, *remove, *role;
};

enum { LISTEN = 256, UNIX, PASSWORDS, CERTIFICATE, KEY, CLIENT_CA, HOST, VIEW, METRICS, USER, ADD, REMOVE, ROLE };

static const struct option options[] = {
	{ "socket", required_argument, NULL, 's' },        { "listen", required_argument, NULL, LISTEN },
	{ "unix", required_argument, NULL, UNIX },         { "passwords", required_argument, NULL, PASSWORDS },
	{ "certificate", required_argument, NULL, CERTIFICATE }, { "key", required_argument, NULL, KEY },
	{ "client-ca", required_argument, NULL, CLIENT_CA }, { "host", required_argument, NULL, HOST },
	{ "view", no_argument, NULL, VIEW },               { "metrics", no_argument, NULL, METRICS },
	{ "config", required_argument, NULL, 'c' },        { "user", required_argument, NULL, USER },
	{ "add-user", required_argument, NULL, ADD },      { "remove-user", required_argument, NULL, REMOVE },
	{ "role", required_argument, NULL, ROLE },         { "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },             { NULL, 0, NULL, 0 },
};

/* Where an option's text goes; NULL: it has none. */
static const char **place_of(int o, struct options *opt, struct command *cmd)
{
	const char **places[] = { [LISTEN - LISTEN] = &opt->listen, [UNIX - LISTEN] = &opt->unix_path, [PASSWORDS - LISTEN] = &opt->passwords,
		                  [CERTIFICATE - LISTEN] = &opt->certificate, [KEY - LISTEN] = &opt->key, [CLIENT_CA - LISTEN] = &opt->client_ca,
		                  [USER - LISTEN] = &opt->user, [ADD - LISTEN] = &cmd->add, [REMOVE - LISTEN] = &cmd->remove,
		                  [ROLE - LISTEN] = &cmd->role };

	if (o == 's')
		return &opt->control;
	return o == 'c' ? &opt->conf : o >= LISTEN ? places[o - LISTEN] : NULL;
}

/* -1: go on; otherwise the exit status. */
static int read_options(int argc, char **argv, struct options *opt, struct command *cmd)
{
	int o;

	while ((o = getopt_long(argc, argv, "s:c:hV", options, NULL)) != -1) {
		const char **place = place_of(o, opt, cmd);

		if (o == 'h' || o == 'V') {
			if (o == 'h')
				fputs(usage, stdout);
			else
				printf("nfqd-console %s\n", NFQD_VERSION);
			return 0;
		}
		if (place)
			*place = optarg;
		else if (o == HOST && opt->n_hosts < HOSTS_MAX)
			opt->hosts[opt->n_hosts++] = optarg;
		else if (o == VIEW || o == METRICS)
			*(o == VIEW ? &opt->view : &opt->metrics) = true;
		else
			return fputs(usage, stderr), 2;
	}
	return optind < argc ? fprintf(stderr, "nfqd-console: what is '%s'?\n", argv[optind]), 2 : -1;
}

/* ---- accounts ---- */

/* A line of standard input, not shown on a terminal. */
static bool read_password(char *out, size_t room)
{
	struct termios shown, hidden;
	const bool     terminal = tcgetattr(STDIN_FILENO, &shown) == 0;
	bool           got;

	if (terminal) {
		fputs("password: ", stderr);
		hidden = shown;
		hidden.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSANOW, &hidden);
	}
	got = fgets(out, (int)room, stdin) != NULL;
	if (terminal)
		tcsetattr(STDIN_FILENO, TCSANOW, &shown), fputc('\n', stderr);
	out[got ? strcspn(out, "\n") : 0] = '\0';
	return got;
}

static int change_accounts(const struct command *cmd, const char *path, struct err *err)
{
	const char      *role = cmd->role ? cmd->role : "view";
	char             password[PASSWORD_LONGEST + 2];
	struct accounts *a;
	int              r;

	if (strcmp(role, "view") != 0 && strcmp(role, "operate") != 0)
		return err_set(err, "--role: '%s' is not view or operate", role);
	a = accounts_open(path, err);
	if (!a)
		return -1;
	if (cmd->remove)
		r = accounts_remove(a, cmd->remove, err);
	else if (!read_password(password, sizeof(password)))
		r = err_set(err, "no password on standard input");
	else
		r = accounts_put(a, cmd->add, strcmp(role, "view") == 0 ? ROLE_VIEW : ROLE_OPERATE, password, err);
	explicit_bzero(password, sizeof(password));
	accounts_close(a);
	return r;
}

/* ---- the start ---- */

static int find_sockets(struct console *c, struct err *err)
{
	const char *control = c->options.control;

	if (snprintf(c->control_path, sizeof(c->control_path), "%s", control) >= (int)sizeof(c->control_path) ||
	    ctl_beside(control, "view", c->view_path, sizeof(c->view_path)) < 0 ||
	    ctl_beside(control, "sightings", c->sightings_path, sizeof(c->sightings_path)) < 0)
		return err_set(err, "--socket: '%s' is too long a path", control);
	c->operators = ctl_gid(&CTL_OPERATORS);
	return 0;
}

static int open_accounts(struct console *c, struct err *err)
{
	c->accounts = accounts_open(c->options.passwords, err);
	c->sessions = sessions_new();
	if (!c->accounts || !c->sessions)
		return err_set(err, "out of memory");
	if (accounts_any(c->accounts, ROLE_NONE)) {
		c->may_operate = !c->options.view && (accounts_any(c->accounts, ROLE_OPERATE) || c->options.unix_path);
		accounts_seal(c->accounts);
		return 0;
	}
	c->may_operate = !c->options.view;
	sessions_make_first_link(c->sessions);
	return 0;
}

/* SIGTERM and SIGINT come through a descriptor that server_run() watches. */
static int open_signals(struct console *c, struct err *err)
{
	sigset_t ends;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	c->signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	return c->signals < 0 ? err_set(err, "signalfd: %m") : 0;
}

static void say_where(const struct console *c)
{
	const char *link = sessions_first_link(c->sessions), *scheme = c->tls ? "https" : "http";

	if (strcmp(c->options.listen, "none") != 0)
		printf("nfqd-console: %s://%s:%s/%s\n", scheme, c->host, c->port, c->may_operate ? "" : " (view only)");
	if (c->options.unix_path)
		printf("nfqd-console: %s\n", c->options.unix_path);
	if (link && strcmp(c->options.listen, "none") != 0)
		printf("nfqd-console: there is no account yet; this link makes the first one, once:\n"
		       "  %s://%s:%s/first?link=%s\n", scheme, c->host, c->port, link);
	fflush(stdout);
}

static int run(struct console *c, struct err *err)
{
	static struct server server;

	tzset(); /* while there is a file that says which zone this is */
	if (tls_read(&c->options, err) < 0)
		return -1;
	c->tls = c->options.certificate != NULL;
	if (find_sockets(c, err) < 0 || open_accounts(c, err) < 0 || open_signals(c, err) < 0)
		return -1;
	c->what_if = what_if_read(c->options.conf);
	malloc_trim(0);
	if (!c->what_if || server_open(&server, c, err) < 0 || drop(c, err) < 0)
		return -1;
	say_where(c);
	server_run(&server);
	server_close(&server);
	return 0;
}

int main(int argc, char **argv)
{
	static struct console c = { .options = { .control = "/run/nfqd/control.sock", .passwords = "/var/lib/nfqd/console.passwd",
		                                 .listen = "127.0.0.1:9477" } };
	struct command cmd = { NULL, NULL, NULL };
	struct err     err = { .text = "" };
	int            r = read_options(argc, argv, &c.options, &cmd);

	if (r >= 0)
		return r;
	if (!c.options.conf && access("/etc/nfqd/nfqd.yaml", R_OK) == 0)
		c.options.conf = "/etc/nfqd/nfqd.yaml";
	r = cmd.add || cmd.remove ? change_accounts(&cmd, c.options.passwords, &err) : run(&c, &err);
	if (r < 0)
		fprintf(stderr, "nfqd-console: %s\n", err.text);
	what_if_free(c.what_if);
	accounts_close(c.accounts);
	free(c.sessions);
	fflush(stdout);
	_exit(r < 0); /* what else runs at an exit looks for files, and there are none */
}
