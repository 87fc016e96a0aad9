/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines for a terminal: golden ones, width, colours, and nothing unprintable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <time.h>

#include "events.h"
#include "log/sink.h"

static struct fixture fix;

static struct event event_drop_would_be(const struct fixture *f)
{
	struct event e = event_blocked_dns(f);

	e.decision.action = ACTION_LOG;
	e.decision.would = ACTION_DROP;
	e.sent = SENT_NOTHING;
	e.src.len = 0;
	return e;
}

static struct event event_connect(const struct fixture *f)
{
	struct event e = event_plain(f, APP_HTTP, SEEN_HTTP_CONNECT, "example.org");

	e.has_mac = false;
	e.src.len = 0;
	return e;
}

static const struct golden {
	const char *what;
	struct event (*event)(const struct fixture *f);
	bool        relayed;
	const char *line;
} goldens[] = {
	{ "blocked DNS query", event_blocked_dns, false,
	  "18:20:31  BLOCKED  10.0.0.7         DNS A downloads.upd.kaspersky.com -> 8.8.8.8  "
	  "NXDOMAIN  kaspersky/kav-update-downloads (update)" },
	{ "logged TLS hello", event_logged_tls, false,
	  "18:20:31  LOGGED   fd00:20::7       TLS ksn-a-geo.kaspersky-labs.com -> 2001:db8::1  "
	  "would reject  kaspersky/ksn-cloud (reputation)" },
	{ "allowed listed name", event_allowed_tls, false,
	  "18:20:31  ALLOWED  10.0.0.7         TLS media.kaspersky.com -> 93.184.216.34  "
	  "kaspersky/removal-tool (web)" },
	{ "unlisted HTTP Host", event_unlisted_http, false,
	  "18:20:31  ALLOWED  10.0.0.7         HTTP example.org -> 93.184.216.34  not listed" },
	{ "exception", event_excepted_dns, false,
	  "18:20:31  ALLOWED  10.0.0.7         DNS A downloads.upd.kaspersky.com -> 8.8.8.8  "
	  "exception support-case-4711  kaspersky/kav-update-downloads (update)" },
	{ "dropped address", event_dropped_address, false,
	  "18:20:31  BLOCKED  10.0.0.7         address 192.0.2.7 port 1443  dropped  "
	  "kaspersky/net-update (update)" },
	{ "canary", event_canary, false,
	  "18:20:31  BLOCKED  10.0.0.7         HTTP blocked.nfqd.invalid -> 93.184.216.34  RST  "
	  "canary/blocked (canary)" },
	{ "client by MAC, relayed", event_drop_would_be, true,
	  "18:20:31  LOGGED   3c:52:82:00:00:01  DNS A downloads.upd.kaspersky.com -> 8.8.8.8  "
	  "would drop  kaspersky/kav-update-downloads (update)  relayed" },
	{ "nobody", event_connect, false,
	  "18:20:31  ALLOWED  ?                HTTP CONNECT example.org -> 93.184.216.34  "
	  "not listed" },
};

static void test_golden(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
		struct event  e = goldens[i].event(&fix);
		struct record r = { .event = &e, .relayed = goldens[i].relayed };
		char          line[512];

		text_line(&r, false, line, sizeof(line));
		if (strcmp(line, goldens[i].line) != 0)
			fail_msg("%s:\n got %s\nwant %s", goldens[i].what, line, goldens[i].line);
	}
}

static void test_colour(void **state)
{
	static const struct {
		uint8_t     action;
		const char *want;
	} rows[] = {
		{ ACTION_ALLOW, "  \033[32mALLOWED\033[0m  " },
		{ ACTION_LOG, "  \033[33mLOGGED \033[0m  " },
		{ ACTION_REJECT, "  \033[31mBLOCKED\033[0m  " },
		{ ACTION_DROP, "  \033[31mBLOCKED\033[0m  " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct event  e = event_blocked_dns(&fix);
		struct record r = { .event = &e };
		char          line[512], plain[512];

		e.decision.action = rows[i].action;
		text_line(&r, true, line, sizeof(line));
		assert_memory_equal(line + 8, rows[i].want, strlen(rows[i].want));
		text_line(&r, false, plain, sizeof(plain));
		assert_int_equal(strlen(line), strlen(plain) + strlen("\033[31m\033[0m"));
	}
}

/* The end of a long name stays, since rules match on it. */
static void test_long_name(void **state)
{
	struct event  e = event_blocked_dns(&fix);
	struct record r = { .event = &e };
	char          text[NAME_TEXT], line[512];

	(void)state;
	for (size_t n = 1; n < 230; n++) {
		memset(text, 'x', n);
		memcpy(text + n, ".kaspersky.com", 15);
		event_name(&e, SEEN_DNS_QUERY, text);
		text_line(&r, false, line, sizeof(line));
		assert_in_range(strlen(line), 80, 140);
		assert_non_null(strstr(line, ".kaspersky.com -> 8.8.8.8  NXDOMAIN  kaspersky/"));
		assert_true(strlen(line) == 140 || !strstr(line, "..."));
		text_line(&r, true, line, sizeof(line));
		assert_in_range(strlen(line), 80, 140 + strlen("\033[31m\033[0m"));
	}
}

static void test_unprintable(void **state)
{
	struct event  e = event_unlisted_http(&fix);
	struct record r = { .event = &e };
	char          line[512];

	(void)state;
	for (int c = 1; c < 256; c++) {
		/* as if the name had never met name_canonical() */
		memset(e.name.text, c, 20);
		e.name.text[20] = '\0';
		text_line(&r, false, line, sizeof(line));
		for (const char *p = line; *p; p++)
			assert_in_range(*p, 0x20, 0x7e);
	}
}

static void test_small_room(void **state)
{
	struct event  e = event_blocked_dns(&fix);
	struct record r = { .event = &e };

	(void)state;
	for (unsigned size = 0; size < 200; size++) {
		char *line = malloc(size ? size : 1);

		assert_non_null(line);
		text_line(&r, true, line, size);
		if (size)
			assert_in_range(strlen(line), 0, size - 1);
		free(line);
	}
}

static void test_without_ruleset(void **state)
{
	struct event  e = event_plain(NULL, APP_TLS, SEEN_TLS_SNI, "example.org");
	struct record r = { .event = &e };
	char          line[512];

	(void)state;
	e.listed = true; /* whatever it says */
	text_line(&r, false, line, sizeof(line));
	assert_string_equal(line, "18:20:31  ALLOWED  10.0.0.7         TLS example.org -> "
	                          "93.184.216.34  not listed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_colour),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_unprintable),
		cmocka_unit_test(test_small_room),
		cmocka_unit_test(test_without_ruleset),
	};
	int failed;

	setenv("TZ", "XYZ-2", 1); /* local time is two hours ahead */
	tzset();
	fixture_open(&fix);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	fixture_close(&fix);
	return failed;
}
