/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The screen of `nfqctl top`, and its keys. Everything that is shown was made printable before. */
#include <curses.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/printable.h"
#include "follow.h"
#include "nfqctl.h"
#include "parent/ctl.h"
#include "top.h"

enum { LOOK_MS = 500, STATUS_LOOKS = 4, HEAD = 3, LEAST_LINES = 6, LEAST_COLUMNS = 40, INPUT = 200 };

struct screen {
	struct nfqctl    *ctl;
	struct top_table *table;
	struct follow    *file;
	struct top_row    chosen; /* the cursor's row, as it was last; its name empty: none */
	unsigned          at;     /* where the cursor is */
	enum top_sort     sort;
	bool              paused, done;
	int64_t           now; /* stands still in a pause */
	char              filter[INPUT], state[160], said[200];
	unsigned          looks;
};

/* ---- what the daemon says ---- */

static json_t *ask_quietly(const struct screen *s, json_t *request, struct err *err)
{
	int     fd = ctl_connect(s->ctl->socket, err);
	json_t *answer = fd < 0 ? NULL : ctl_talk(fd, request, err);

	json_decref(request);
	return answer;
}

static void look_at_status(struct screen *s)
{
	struct err err = { .text = "" };
	bool       no_daemon;
	json_t    *status = ask_status(s->ctl, &no_daemon, &err), *reason;
	char       text[140];

	reason = json_array_get(json_object_get(status, "reasons"), 0);
	printable(reason ? text_of(reason, "text") : err.text, text, sizeof(text));
	if (json_is_true(json_object_get(status, "protected")))
		snprintf(s->state, sizeof(s->state), "protected since %s", text_of(status, "since"));
	else
		snprintf(s->state, sizeof(s->state), "NOT PROTECTED: %s", text);
	json_decref(status);
}

/* ---- drawing ---- */

static unsigned room_for_rows(void)
{
	return LINES > HEAD + 1 ? (unsigned)(LINES - HEAD - 1) : 0;
}

/* The n-th row that the filter lets through; NULL: there are fewer. */
static const struct top_row *row_at(const struct screen *s, unsigned n)
{
	for (unsigned i = 0; i < s->table->n; i++)
		if (top_matches(&s->table->rows[i], s->filter) && n-- == 0)
			return &s->table->rows[i];
	return NULL;
}

static void draw_line(int y, const char *text, attr_t how)
{
	attrset((int)how);
	mvaddnstr(y, 0, text, COLS - 1);
	clrtoeol();
	attrset(A_NORMAL);
}

static void draw_head(const struct screen *s)
{
	unsigned sums[TOP_VERDICTS] = { 0 };
	char     line[512];

	for (unsigned i = 0; i < s->table->n; i++)
		sums[s->table->rows[i].verdict] += top_recent(&s->table->rows[i], s->now, TOP_RATE_SECONDS);
	draw_line(0, s->state, strncmp(s->state, "NOT", 3) == 0 ? A_BOLD | A_REVERSE : A_BOLD);
	snprintf(line, sizeof(line), "refused %.1f/s  logged %.1f/s  allowed %.1f/s  by %s%s%s%s",
	         sums[TOP_REFUSED] / (double)TOP_RATE_SECONDS, sums[TOP_LOGGED] / (double)TOP_RATE_SECONDS,
	         sums[TOP_ALLOWED] / (double)TOP_RATE_SECONDS, top_sort_words[s->sort],
	         s->paused ? "  PAUSED" : "", *s->filter ? "  only: " : "", s->filter);
	draw_line(1, line, A_NORMAL);
	top_line(NULL, s->now, (unsigned)COLS - 1, line, sizeof(line));
	draw_line(2, line, A_UNDERLINE);
}

static void draw(struct screen *s)
{
	static const char keys[] = "q quit  p pause  s sort  / filter  w why  a allow for an hour";
	const struct top_row *chosen = row_at(s, s->at);
	unsigned              first = s->at < room_for_rows() ? 0 : s->at - room_for_rows() + 1;
	char                  line[512];

	erase();
	if (LINES < LEAST_LINES || COLS < LEAST_COLUMNS) {
		draw_line(0, "too small a window", A_NORMAL);
		refresh();
		return;
	}
	draw_head(s);
	for (unsigned y = 0; y < room_for_rows(); y++) {
		const struct top_row *r = row_at(s, first + y);

		if (!r)
			break;
		top_line(r, s->now, (unsigned)COLS - 1, line, sizeof(line));
		draw_line((int)y + HEAD, line, r == chosen ? A_REVERSE : A_NORMAL);
	}
	draw_line(LINES - 1, *s->said ? s->said : keys, A_DIM);
	refresh();
}

/* The cursor stays on its row, wherever that is now. */
static void find_chosen(struct screen *s)
{
	const struct top_row *r;
	unsigned              n = 0;

	for (unsigned i = 0; *s->chosen.name && (r = row_at(s, i)) != NULL; i++)
		if (r->verdict == s->chosen.verdict && strcmp(r->name, s->chosen.name) == 0 &&
		    strcmp(r->client, s->chosen.client) == 0)
			s->at = i;
	while (n <= s->at && row_at(s, n))
		n++;
	if (s->at >= n)
		s->at = n ? n - 1 : 0;
}

static void choose(struct screen *s, int step)
{
	const struct top_row *r;

	if (step < 0 && s->at > 0)
		s->at--;
	if (step > 0 && row_at(s, s->at + 1))
		s->at++;
	r = row_at(s, s->at);
	s->chosen = r ? *r : (struct top_row){ .verdict = 0 };
}

/* ---- asking ---- */

/* One line at the foot of the screen; false: it was given up. */
static bool prompt(const char *what, char out[INPUT])
{
	size_t n = 0;
	int    key;
	char   line[INPUT + 100];

	out[0] = '\0';
	timeout(-1);
	for (;;) {
		snprintf(line, sizeof(line), "%s%s_", what, out);
		draw_line(LINES - 1, line, A_BOLD);
		refresh();
		key = getch();
		if (key == '\n' || key == KEY_ENTER || key == 27 || key == ERR)
			break;
		if ((key == KEY_BACKSPACE || key == 127 || key == '\b') && n > 0)
			out[--n] = '\0';
		else if (key >= ' ' && key < 127 && n + 1 < INPUT) {
			out[n++] = (char)key;
			out[n] = '\0';
		}
	}
	timeout(LOOK_MS);
	return key == '\n' || key == KEY_ENTER;
}

static void show(int *y, const char *title, const char *text)
{
	char safe[512], line[600];

	if (!text || *y >= LINES - 1)
		return;
	printable(text, safe, sizeof(safe));
	snprintf(line, sizeof(line), "%-10s %s", title, safe);
	draw_line((*y)++, line, A_NORMAL);
}

static void why(struct screen *s)
{
	struct err    err = { .text = "" };
	json_t       *a = ask_quietly(s, json_pack("{s:s, s:s, s:s}", "command", "why", "name", s->chosen.name,
	                                           "client", s->chosen.client), &err);
	const json_t *match, *source;
	size_t        i;
	int           y = 0;
	char          head[TOP_TEXT + 100];

	erase();
	snprintf(head, sizeof(head), "%s for %s", s->chosen.name, s->chosen.client);
	draw_line(y++, head, A_BOLD);
	show(&y, "", err.text[0] ? err.text : NULL);
	show(&y, "action", json_string_value(json_object_get(a, "action")));
	show(&y, "because", json_string_value(json_object_get(a, "because")));
	show(&y, "but", json_string_value(json_object_get(a, "lowered")));
	json_array_foreach(json_object_get(a, "matches"), i, match) {
		snprintf(head, sizeof(head), "%s/%s", text_of(match, "pack"), text_of(match, "rule"));
		show(&y, "rule", head);
	}
	show(&y, "effect", json_string_value(json_object_get(a, "side_effect")));
	json_array_foreach(json_object_get(a, "sources"), i, source)
		show(&y, "source", json_string_value(source));
	show(&y, "to allow", json_string_value(json_object_get(a, "allow_command")));
	draw_line(LINES - 1, "any key: back", A_DIM);
	refresh();
	json_decref(a);
	timeout(-1);
	(void)getch();
	timeout(LOOK_MS);
}

static void allow(struct screen *s)
{
	struct err err = { .text = "" };
	char       reason[INPUT];
	json_t    *answer;

	if (!prompt("allow for an hour, because: ", reason) || !reason[strspn(reason, " ")]) {
		snprintf(s->said, sizeof(s->said), "nothing was allowed: it takes a reason");
		return;
	}
	answer = ask_quietly(s, json_pack("{s:s, s:s, s:s, s:s, s:s}", "command", "allow", "name", s->chosen.name,
	                                  "client", s->chosen.client, "for", "1h", "reason", reason), &err);
	if (answer)
		snprintf(s->said, sizeof(s->said), "%.100s is allowed until %s", s->chosen.name,
		         text_of(json_object_get(answer, "exception"), "expires"));
	else
		snprintf(s->said, sizeof(s->said), "%.190s", err.text);
	json_decref(answer);
}

/* ---- keys ---- */

static void on_key(struct screen *s, int key)
{
	s->said[0] = '\0';
	switch (key) {
	case 'q': s->done = true; break;
	case 'p':
	case ' ': s->paused = !s->paused; break;
	case 's': s->sort = (s->sort + 1) % TOP_SORTS; break;
	case KEY_UP:
	case 'k': choose(s, -1); break;
	case KEY_DOWN:
	case 'j': choose(s, 1); break;
	case '/': (void)prompt("only: ", s->filter); break;
	case 'w':
	case 'a':
		choose(s, 0);
		if (*s->chosen.name)
			key == 'w' ? why(s) : allow(s);
		break;
	}
}

static int look(struct screen *s)
{
	int r = s->paused ? 0 : top_read(s->table, s->file); /* what comes in a pause waits in the file */

	if (s->looks++ % STATUS_LOOKS == 0)
		look_at_status(s);
	if (!s->paused)
		s->now = (int64_t)(clock_now() / NS_PER_S);
	top_sort(s->table, s->sort, s->now);
	find_chosen(s);
	return r;
}

int top_screen(struct nfqctl *ctl, struct top_table *t, struct follow *f)
{
	struct screen s = { .ctl = ctl, .table = t, .file = f, .now = (int64_t)(clock_now() / NS_PER_S) };
	SCREEN       *terminal;
	int           r = 0;

	setlocale(LC_ALL, "");
	terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) ? newterm(NULL, stdout, stdin) : NULL;
	if (!terminal) {
		fprintf(stderr, "nfqctl top: standard output is not a terminal that can show it; --once prints a table\n");
		return CTL_FAILED;
	}
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	set_escdelay(50);
	timeout(LOOK_MS);
	while (r == 0 && !s.done) {
		int key;

		r = look(&s);
		draw(&s);
		key = getch();
		if (key != ERR)
			on_key(&s, key);
	}
	endwin();
	delscreen(terminal);
	return r < 0 ? CTL_FAILED : CTL_DONE;
}
