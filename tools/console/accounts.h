/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The password file: a line NAME:ROLE:HASH for each account, the hash by crypt(3), yescrypt. It is read anew for each
 * sign-in through a descriptor that was opened at the start. */
#ifndef CONSOLE_ACCOUNTS_H
#define CONSOLE_ACCOUNTS_H

#include "console.h"

/* Opens the file; where there is none, it is made (mode 0600). NULL with err. */
struct accounts *accounts_open(const char *path, struct err *err);
void             accounts_close(struct accounts *a);
/* Is there an account, one of this role? */
bool accounts_any(struct accounts *a, enum role role);
/* The role of who has this password; ROLE_NONE: nobody has. As long for a name that no account has. */
enum role accounts_check(struct accounts *a, const char *user, const char *password);
/* The role of an account, without a password; for those who have a certificate. */
enum role accounts_role(struct accounts *a, const char *user);
/* Adds an account or replaces it; only until accounts_seal(). Returns 0, or -1 with err. */
MUST_CHECK int accounts_put(struct accounts *a, const char *user, enum role role, const char *password, struct err *err);
MUST_CHECK int accounts_remove(struct accounts *a, const char *user, struct err *err);
/* From now on this process cannot write to the file. */
void accounts_seal(struct accounts *a);
/* 1 to 32 letters, digits, dots, hyphens, underscores. */
bool account_name_ok(const char *user);

enum { PASSWORD_SHORTEST = 10, PASSWORD_LONGEST = 256 };

#endif
