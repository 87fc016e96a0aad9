/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "accounts.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 65536 };

/* 8 MB and some milliseconds for each try: the pages live on small routers. */
static const unsigned long cost = 4;

struct accounts {
	int  read, write; /* write -1: sealed */
	char nobody[CRYPT_OUTPUT_SIZE]; /* a hash that no password has */
	char text[FILE_MAX + 1];
};

struct account {
	char user[USER_TEXT], hash[CRYPT_OUTPUT_SIZE];
	enum role role;
};

const char *const role_words[] = { "none", "view", "operate", NULL };

bool account_name_ok(const char *user)
{
	size_t n = strspn(user, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n > 0 && n < USER_TEXT && !user[n];
}

static enum role role_of(const char *word)
{
	for (unsigned i = ROLE_VIEW; role_words[i]; i++)
		if (strcmp(word, role_words[i]) == 0)
			return (enum role)i;
	return ROLE_NONE;
}

/* ---- the file ---- */

static int open_file(const char *path, int flags)
{
	int         fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 077))) {
		close(fd);
		errno = EPERM;
		fd = -1;
	}
	return fd;
}

struct accounts *accounts_open(const char *path, struct err *err)
{
	struct accounts *a = calloc(1, sizeof(*a));
	char             salt[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data data = { .initialized = 0 };
	const char       *hash = NULL;

	if (!a) {
		err_set(err, "out of memory");
		return NULL;
	}
	a->write = open_file(path, O_RDWR | O_CREAT);
	a->read = open_file(path, O_RDONLY);
	if (a->read >= 0 && crypt_gensalt_rn("$y$", cost, NULL, 0, salt, sizeof(salt)))
		hash = crypt_rn("", salt, &data, sizeof(data));
	if (hash && hash[0] == '$') {
		snprintf(a->nobody, sizeof(a->nobody), "%s", hash);
		return a;
	}
	err_set(err, "%s: %s (a regular file that only its owner may read)", path, a->read < 0 ? strerror(errno) : "crypt(3) has no yescrypt");
	accounts_close(a);
	return NULL;
}

void accounts_close(struct accounts *a)
{
	if (!a)
		return;
	accounts_seal(a);
	if (a->read >= 0)
		close(a->read);
	free(a);
}

void accounts_seal(struct accounts *a)
{
	if (a->write >= 0)
		close(a->write);
	a->write = -1;
}

static bool read_file(struct accounts *a)
{
	ssize_t n = pread(a->read, a->text, FILE_MAX, 0);

	a->text[n > 0 ? n : 0] = '\0';
	return n >= 0;
}

/* The account of the line at *line, which moves on. False: there is none. */
static bool next_account(const char **line, struct account *out)
{
	while (**line) {
		size_t n = strcspn(*line, "\n");
		char   role[16];
		int    fields = sscanf(*line, "%32[^:\n]:%15[^:\n]:%383[^:\n]", out->user, role, out->hash);

		*line += n + ((*line)[n] == '\n');
		out->role = fields == 3 ? role_of(role) : ROLE_NONE;
		if (out->role != ROLE_NONE && account_name_ok(out->user))
			return true;
	}
	return false;
}

static bool find(struct accounts *a, const char *user, struct account *out)
{
	const char *line = a->text;

	if (!read_file(a))
		return false;
	while (next_account(&line, out))
		if (strcmp(out->user, user) == 0)
			return true;
	return false;
}

bool accounts_any(struct accounts *a, enum role role)
{
	struct account one;
	const char    *line = a->text;
	bool           any = false;

	if (read_file(a))
		while (!any && next_account(&line, &one))
			any = role == ROLE_NONE || one.role == role;
	return any;
}

enum role accounts_role(struct accounts *a, const char *user)
{
	struct account one;

	return find(a, user, &one) ? one.role : ROLE_NONE;
}

/* In a time that does not depend on where they differ. */
static bool is_same(const char *a, const char *b)
{
	size_t        n = strlen(a);
	unsigned char differ = n != strlen(b);

	for (size_t i = 0; i < n && !differ; i++)
		differ |= (unsigned char)(a[i] ^ b[i]);
	return !differ;
}

enum role accounts_check(struct accounts *a, const char *user, const char *password)
{
	struct account    one = { .role = ROLE_NONE };
	bool              known = find(a, user, &one);
	struct crypt_data data = { .initialized = 0 };
	const char       *hash = crypt_rn(password, known ? one.hash : a->nobody, &data, sizeof(data));
	bool              right = known && hash && hash[0] != '*' && is_same(hash, one.hash);

	explicit_bzero(&data, sizeof(data));
	return right ? one.role : ROLE_NONE;
}

/* ---- changes ---- */

static int write_file(struct accounts *a, const char *text, struct err *err)
{
	size_t n = strlen(text);

	if (n > FILE_MAX)
		return err_set(err, "the password file would be too large");
	if (pwrite(a->write, text, n, 0) != (ssize_t)n || ftruncate(a->write, (off_t)n) < 0 || fsync(a->write) < 0)
		return err_set(err, "the password file: %s", strerror(errno));
	return 0;
}

/* All lines but those of the user, then one more. */
static int replace(struct accounts *a, const char *user, const char *added, struct err *err)
{
	struct account one;
	const char    *line, *from;
	char          *text = NULL;
	size_t         size;
	FILE          *f;
	int            r;

	if (a->write < 0)
		return err_set(err, "the password file is not to be written to any more");
	flock(a->write, LOCK_EX);
	f = read_file(a) ? open_memstream(&text, &size) : NULL;
	line = a->text;
	while (f && *(from = line)) {
		if (next_account(&line, &one) && strcmp(one.user, user) != 0)
			fprintf(f, "%s:%s:%s\n", one.user, role_words[one.role], one.hash);
	}
	if (f)
		fputs(added, f);
	r = f && fclose(f) == 0 ? write_file(a, text, err) : err_set(err, "out of memory");
	free(text);
	flock(a->write, LOCK_UN);
	return r;
}

int accounts_put(struct accounts *a, const char *user, enum role role, const char *password, struct err *err)
{
	char              salt[CRYPT_GENSALT_OUTPUT_SIZE], line[USER_TEXT + CRYPT_OUTPUT_SIZE + 32];
	struct crypt_data data = { .initialized = 0 };
	const char       *hash = NULL;
	size_t            n = strlen(password);

	if (!account_name_ok(user) || n < PASSWORD_SHORTEST || n > PASSWORD_LONGEST)
		return err_set(err, "a name has 1 to 32 letters, digits, dots, hyphens or underscores; a password %d to %d bytes",
		               PASSWORD_SHORTEST, PASSWORD_LONGEST);
	if (crypt_gensalt_rn("$y$", cost, NULL, 0, salt, sizeof(salt)))
		hash = crypt_rn(password, salt, &data, sizeof(data));
	if (!hash || hash[0] != '$')
		return err_set(err, "crypt(3): %s", strerror(errno));
	snprintf(line, sizeof(line), "%s:%s:%s\n", user, role_words[role], hash);
	explicit_bzero(&data, sizeof(data));
	return replace(a, user, line, err);
}

int accounts_remove(struct accounts *a, const char *user, struct err *err)
{
	return accounts_role(a, user) == ROLE_NONE ? err_set(err, "there is no account '%s'", user) : replace(a, user, "", err);
}
