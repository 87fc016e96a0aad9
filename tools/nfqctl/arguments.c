/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong on a command line: each fault names the word that is to blame. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/printable.h"
#include "nfqctl.h"

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
