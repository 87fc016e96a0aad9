/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong on a command line: each fault names the word that is to blame. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/printable.h"
#include "nfqctl.h"
#include "shared/conf.h"

int wrong_usage(const char *command, const char *fmt, ...)
{
	char    text[1024], safe[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printable(text, safe, sizeof(safe));
	fprintf(stderr, "%s: %s\n", command, safe);
	return CTL_USAGE;
}

bool words_are(int argc, char **argv, const char *wanted)
{
	int i = optind;

	while (*wanted) {
		size_t n = strcspn(wanted, " ");
		bool   many = memmem(wanted, n, "...", 3);

		if (i >= argc && wanted[0] != '[') {
			wrong_usage(argv[0], "%.*s is missing", (int)(many ? n - 3 : n), wanted);
			return false;
		}
		i = many ? argc : i + (i < argc);
		wanted += n + (wanted[n] == ' ');
	}
	if (i < argc)
		wrong_usage(argv[0], "unexpected argument '%s'", argv[i]);
	return i >= argc;
}

bool are_both(const char *command, const char *a, bool has_a, const char *b, bool has_b)
{
	if (has_a && has_b)
		wrong_usage(command, "%s and %s exclude each other", a, b);
	return has_a && has_b;
}

bool is_word(const char *command, const char *option, const char *value, const char *const words[])
{
	char     list[512] = "";
	size_t   n = 0;
	unsigned i = 0;

	for (; words[i] && strcasecmp(words[i], value) != 0; i++)
		if (n < sizeof(list))
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "", words[i]);
	if (!words[i])
		wrong_usage(command, "%s: '%s' is unknown (allowed: %s)", option, value, list);
	return words[i] != NULL;
}

bool is_length(const char *command, const char *value)
{
	int64_t s;

	if (clock_parse_span(value, &s) == 0 && s > 0 && s <= EXCEPTION_DAYS_MAX * INT64_C(86400))
		return true;
	wrong_usage(command, "--for: '%s' is not a length of time up to a year (write 90s, 10m, 1h or 7d)", value);
	return false;
}
