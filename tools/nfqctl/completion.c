/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqctl completion: a script for a shell that completes commands, their options and the words that an argument may
 * be, all read from the tables of commands: from "[--json] [enforce|log|off [--for 10m]]" come --json, --for, enforce,
 * log and off. Anything else is a file.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "nfqctl.h"

/* Calls f for each word of a row's arguments that is typed as it stands. */
static void each_word(const char *args, void (*f)(const char *word, int n, const char *rest), const char *rest)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz-";
	const char       *begin = args;

	while (*args) {
		size_t n = strspn(args, letters);
		bool   begins = n > 0, ends = n > 0 && !isalnum((unsigned char)args[n]) && args[n] != '.';

		if (n > 2 && ends && (strncmp(args, "--", 2) == 0 || args[n] == '|' || (args > begin && args[-1] == '|')))
			f(args, (int)n, rest);
		args += begins ? n : 1;
		if (!begins)
			continue;
		args += strcspn(args, " []|"); /* the rest of a word that is not ours, as 10m or BOOT:SEQ */
	}
}

static void print_word(const char *word, int n, const char *rest)
{
	(void)rest;
	printf(" %.*s", n, word);
}

/* As fish quotes text. */
static void print_quoted(const char *text)
{
	putchar('\'');
	for (; *text; text++)
		printf(*text == '\'' ? "\\%c" : "%c", *text);
	putchar('\'');
}

static const struct nfqctl_command *table_of(const char *command)
{
	return strcmp(command, "rules") == 0 ? rules_commands : strcmp(command, "log") == 0 ? log_commands :
	       strcmp(command, "state") == 0 ? state_commands : NULL;
}

/* ---- bash and zsh: a case for each command ---- */

static void print_names(const struct nfqctl_command *rows)
{
	for (; rows->name; rows++)
		printf(" %s", rows->name);
}

static void print_case(const char *prefix, const struct nfqctl_command *r)
{
	printf("\t\"%s%s\") choices=\"", prefix, r->name);
	each_word(r->args, print_word, NULL);
	printf(" --help\" ;;\n");
}

static void print_cases(const struct nfqctl_command *commands)
{
	printf("\tcase $command in\n\t\"\") choices=\"");
	print_names(commands);
	printf(" --socket --help --version\" ;;\n");
	for (const struct nfqctl_command *r = commands; r->name; r++) {
		const struct nfqctl_command *sub = table_of(r->name);
		char                         prefix[32];

		if (!sub) {
			print_case("", r);
			continue;
		}
		printf("\t%s) choices=\"", r->name);
		print_names(sub);
		printf(" --help\" ;;\n");
		snprintf(prefix, sizeof(prefix), "%s ", r->name);
		for (; sub->name; sub++)
			print_case(prefix, sub);
	}
	printf("\tesac\n");
}

/* The words before the cursor that name the command: one, or two where it has sub-commands. */
static const char find_command[] =
	"\tfor ((i = first; i < last; i++)); do\n"
	"\t\tcase ${line[i]} in\n"
	"\t\t-s | --socket) ((i++)) ;;\n"
	"\t\t-*) ;;\n"
	"\t\t*)\n"
	"\t\t\tcase $command in\n"
	"\t\t\t\"\") command=${line[i]} ;;\n"
	"\t\t\trules | log) command=\"$command ${line[i]}\" ;;\n"
	"\t\t\tesac ;;\n"
	"\t\tesac\n"
	"\tdone\n";

static void bash(const struct nfqctl_command *commands)
{
	printf("# nfqctl completion bash\n_nfqctl() {\n"
	       "\tlocal line=(\"${COMP_WORDS[@]}\") first=1 last=$COMP_CWORD i command= choices=\n%s", find_command);
	print_cases(commands);
	printf("\tCOMPREPLY=($(compgen -W \"$choices\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
	       "complete -o default -F _nfqctl nfqctl\n");
}

static void zsh(const struct nfqctl_command *commands)
{
	printf("#compdef nfqctl\n# nfqctl completion zsh\n_nfqctl() {\n\tlocal -a line\n"
	       "\tlocal first=2 last=$CURRENT i command= choices=\n\tline=(\"${words[@]}\")\n%s", find_command);
	print_cases(commands);
	printf("\tcompadd -- ${=choices} || _files\n}\n"
	       "if [ \"$funcstack[1]\" = _nfqctl ]; then\n\t_nfqctl \"$@\"\nelse\n\tcompdef _nfqctl nfqctl\nfi\n");
}

/* ---- fish: a line for each word ---- */

static void print_fish_word(const char *word, int n, const char *condition)
{
	bool option = strncmp(word, "--", 2) == 0;

	printf("complete -c nfqctl -n '%s' %s %.*s\n", condition, option ? "-l" : "-a", option ? n - 2 : n,
	       option ? word + 2 : word);
}

static void print_fish_row(const char *condition, const struct nfqctl_command *r)
{
	printf("complete -c nfqctl -n '%s' -f -a %s -d ", condition, r->name);
	print_quoted(r->help);
	putchar('\n');
}

/* above: the command whose sub-commands these are; "": none. */
static void print_fish_table(const char *above, const struct nfqctl_command *rows)
{
	char condition[128];

	for (; rows->name; rows++) {
		snprintf(condition, sizeof(condition), "__fish_seen_subcommand_from %s%s%s", above,
		         *above ? "; and __fish_seen_subcommand_from " : "", rows->name);
		each_word(rows->args, print_fish_word, condition);
	}
}

static void fish(const struct nfqctl_command *commands)
{
	printf("# nfqctl completion fish\n"
	       "complete -c nfqctl -n __fish_use_subcommand -s s -l socket -r\n"
	       "complete -c nfqctl -n __fish_use_subcommand -s V -l version\n"
	       "complete -c nfqctl -s h -l help\n");
	for (const struct nfqctl_command *r = commands; r->name; r++)
		print_fish_row("__fish_use_subcommand", r);
	for (const struct nfqctl_command *r = commands; r->name; r++) {
		const struct nfqctl_command *sub = table_of(r->name);
		char                         condition[128];

		if (!sub)
			continue;
		snprintf(condition, sizeof(condition), "test (count (commandline -opc)) -eq 2; and "
		         "__fish_seen_subcommand_from %s", r->name);
		for (const struct nfqctl_command *s = sub; s->name; s++)
			print_fish_row(condition, s);
		print_fish_table(r->name, sub);
	}
	print_fish_table("", commands);
}

/* ---- the command ---- */

int print_completion(const struct nfqctl_command *commands, int argc, char **argv)
{
	static const struct {
		const char *shell;
		void (*print)(const struct nfqctl_command *);
	} shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };
	bool help = argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);

	for (size_t i = 0; argc == 2 && i < sizeof(shells) / sizeof(shells[0]); i++)
		if (strcmp(argv[1], shells[i].shell) == 0) {
			shells[i].print(commands);
			return CTL_DONE;
		}
	if (!help && argc == 2)
		wrong_usage(argv[0], "'%s' is none of these shells", argv[1]);
	else if (!help)
		wrong_usage(argv[0], argc < 2 ? "SHELL is missing" : "one shell at a time");
	fprintf(help ? stdout : stderr, "usage: nfqctl completion bash|zsh|fish\n");
	return help ? CTL_DONE : CTL_USAGE;
}
