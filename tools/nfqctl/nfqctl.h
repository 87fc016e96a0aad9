/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the sub-commands of nfqctl share. A sub-command is a function in a file of its own and a row in
 * main.c; it gets its whole name ("nfqctl rules lint") as argv[0], reads its options with
 * getopt_long() and returns an enum ctl_exit.
 */
#ifndef NFQCTL_NFQCTL_H
#define NFQCTL_NFQCTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

enum ctl_exit { CTL_DONE, CTL_FAILED, CTL_USAGE, CTL_NO_DAEMON };

struct nfqctl {
	const char *socket; /* of the daemon */
};

struct nfqctl_command {
	const char *name;
	int (*main)(struct nfqctl *ctl, int argc, char **argv);
	const char *args, *help; /* one line each */
};

extern const struct nfqctl_command rules_commands[], log_commands[], state_commands[];

/* Runs the row that argv[0] names; prints the choices when no row has that name. prefix stands before
 * the names in messages ("nfqctl", "nfqctl rules"). */
int  nfqctl_run(const struct nfqctl_command *rows, const char *prefix, struct nfqctl *ctl, int argc,
                char **argv);
void nfqctl_help(const struct nfqctl_command *rows, const char *prefix);
/* A sub-command that consists of further ones: `nfqctl rules --help`, `nfqctl rules lint ...`. */
int nfqctl_run_group(const struct nfqctl_command *rows, const char *prefix, struct nfqctl *ctl, int argc,
                     char **argv);

/* arguments.c: what is wrong on a command line, said before its usage. command, argv[0]: "nfqctl why". */
/* Prints what is wrong, control characters escaped. Returns CTL_USAGE. */
__attribute__((format(printf, 2, 3))) int wrong_usage(const char *command, const char *fmt, ...);
/* The words behind the options are as many as a usage line has: "ID [FILE...]"; "": none. False: said. */
bool words_are(int argc, char **argv, const char *wanted);
/* Both options were given, of which one is in place of the other. True: said. */
bool are_both(const char *command, const char *a, bool has_a, const char *b, bool has_b);
/* An option's value (option "mode": an argument's) is one of the words, which a NULL ends. False: said, with them. */
bool is_word(const char *command, const char *option, const char *value, const char *const words[]);
/* A length of time that the daemon takes. False: said. */
bool is_length(const char *command, const char *value);
enum { CLIENT_TEXT = 64 };
/* client_plain.c: is it as policies write it, whatever machines there are? */
bool client_is_plain(const char *text);
/* client.c: whose --client this is. A machine's name becomes its MAC or address, in out, and that is said; NULL stays
 * NULL. force: a word that names nothing is an interface to come. False: it is nobody, which was said. */
bool client_ok(const struct nfqctl *ctl, const char *command, const char **client, bool force, char out[static CLIENT_TEXT]);

/* ask.c: asks the daemon (takes the request); NULL: it failed, and the reason was printed. */
json_t *ask(const struct nfqctl *ctl, json_t *request);
/* Prints an answer (takes it; NULL: none) as JSON, or with print() for people; returns an enum ctl_exit. */
int print_answer(json_t *answer, bool as_json, void (*print)(const json_t *));
/* Reads the options of a sub-command without arguments but --json. -1: go on; else the exit status. */
int only_json(int argc, char **argv, bool *as_json);
/* Asks for the status. *no_daemon: none answers (and not: nobody may ask). */
json_t *ask_status(const struct nfqctl *ctl, bool *no_daemon, struct err *err);
/* A key's text, "-" when there is none; its number. */
const char *text_of(const json_t *o, const char *key);
long long   number_of(const json_t *o, const char *key);
/* A line of texts behind their title; nothing for an empty list. */
void print_list(const char *title, const json_t *list);

/* status.c: the status when no daemon answers. */
json_t *status_of_no_daemon(const char *why);
/* doctor_daemon.c: what a status says, each finding with what mends it; and with the checks that the daemon made. */
void    doctor_of_daemon(json_t *findings, const json_t *status);
json_t *doctor_of_status(const json_t *status);
/* command NULL: there is none. */
void doctor_add(json_t *findings, const char *check, const char *where, const char *text, const char *cure, const char *command);
/* metrics.c: a status as Prometheus text; NULL: no daemon answers. */
void metrics_print(FILE *out, const json_t *status);

/* status.c, reload.c, why.c, allow.c, exceptions.c, mode.c, state.c */
int cmd_status(struct nfqctl *ctl, int argc, char **argv);
int cmd_reload(struct nfqctl *ctl, int argc, char **argv);
int cmd_rotate(struct nfqctl *ctl, int argc, char **argv);
int cmd_handover(struct nfqctl *ctl, int argc, char **argv);
int cmd_why(struct nfqctl *ctl, int argc, char **argv);
int cmd_block(struct nfqctl *ctl, int argc, char **argv);
int cmd_allow(struct nfqctl *ctl, int argc, char **argv);
int cmd_exceptions(struct nfqctl *ctl, int argc, char **argv);
int cmd_mode(struct nfqctl *ctl, int argc, char **argv);
int cmd_state(struct nfqctl *ctl, int argc, char **argv);
int cmd_doctor(struct nfqctl *ctl, int argc, char **argv);
int cmd_top(struct nfqctl *ctl, int argc, char **argv);
int cmd_metrics(struct nfqctl *ctl, int argc, char **argv);
/* completion.c: prints a shell's script, made from the tables. */
int print_completion(const struct nfqctl_command *commands, int argc, char **argv);
/* tail.c, log_command.c, replay.c, evidence.c */
int cmd_tail(struct nfqctl *ctl, int argc, char **argv);
int cmd_log(struct nfqctl *ctl, int argc, char **argv);
int cmd_replay(struct nfqctl *ctl, int argc, char **argv);
int cmd_evidence(struct nfqctl *ctl, int argc, char **argv);
/* hosts.c, host.c, preview.c, report.c, sightings.c: over the inventory of machines (inventory.h) */
int cmd_hosts(struct nfqctl *ctl, int argc, char **argv);
int cmd_host(struct nfqctl *ctl, int argc, char **argv);
int cmd_report(struct nfqctl *ctl, int argc, char **argv);
int cmd_preview(struct nfqctl *ctl, int argc, char **argv);
int cmd_sightings(struct nfqctl *ctl, int argc, char **argv);
/* rules.c and rules_<name>.c */
int cmd_rules(struct nfqctl *ctl, int argc, char **argv);
int cmd_rules_lint(struct nfqctl *ctl, int argc, char **argv);
int cmd_rules_list(struct nfqctl *ctl, int argc, char **argv);
int cmd_rules_show(struct nfqctl *ctl, int argc, char **argv);
int cmd_rules_diff(struct nfqctl *ctl, int argc, char **argv);
int cmd_rules_import(struct nfqctl *ctl, int argc, char **argv);
int cmd_rules_export(struct nfqctl *ctl, int argc, char **argv);
int cmd_rules_check(struct nfqctl *ctl, int argc, char **argv);
int cmd_rules_cite(struct nfqctl *ctl, int argc, char **argv);
int cmd_rules_new(struct nfqctl *ctl, int argc, char **argv);
int cmd_rules_publish(struct nfqctl *ctl, int argc, char **argv);
int cmd_rules_update(struct nfqctl *ctl, int argc, char **argv);
int cmd_rules_sids(struct nfqctl *ctl, int argc, char **argv);
int cmd_rules_verify(struct nfqctl *ctl, int argc, char **argv);

#endif
