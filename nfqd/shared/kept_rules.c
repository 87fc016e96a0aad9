/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ruleset images in files: rules/<digest>.gz beside the state file. */
#include "shared/kept_rules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/diag.h"

enum { FASTEST = 1, CHUNK = 1 << 20, IMAGE_MOST = 1 << 30 };

static int make_folder(const char *state, char folder[static PATH_MAX])
{
	char *copy = strdup(state);
	int   n = copy ? snprintf(folder, PATH_MAX, "%s/rules", dirname(copy)) : -1;

	free(copy);
	if (n < 0 || n >= PATH_MAX)
		return n < 0 ? -ENOMEM : -ENAMETOOLONG;
	return mkdir(folder, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* Writes path.new and renames it. */
static int write_packed(const char *path, const struct image *img)
{
	const uint8_t *p = (const uint8_t *)img;
	char           fresh[PATH_MAX + 48];
	int            fd, r = 0;
	gzFile         gz;

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	gz = fd < 0 ? NULL : gzdopen(fd, "wb");
	if (!gz) {
		r = fd < 0 ? -errno : -ENOMEM;
		if (fd >= 0)
			close(fd);
		return r;
	}
	gzsetparams(gz, FASTEST, Z_DEFAULT_STRATEGY);
	for (size_t at = 0; at < img->size && r == 0; at += CHUNK) {
		size_t n = img->size - at < CHUNK ? (size_t)(img->size - at) : CHUNK;

		if (gzwrite(gz, p + at, (unsigned)n) != (int)n)
			r = -ENOSPC;
	}
	if (gzclose(gz) != Z_OK && r == 0)
		r = -ENOSPC;
	if (r == 0 && rename(fresh, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(fresh);
	return r;
}

static int is_image(const struct dirent *d)
{
	const char *end = strrchr(d->d_name, '.');

	return end && strcmp(end, ".gz") == 0;
}

/* Removes the oldest, by the time of their writing, one after the other until no more than the limit is left. */
static void prune(const char *folder)
{
	struct dirent **all = NULL;
	char            path[2 * PATH_MAX], oldest[2 * PATH_MAX] = "";
	int             n = scandir(folder, &all, is_image, NULL);
	time_t          at = 0;

	for (int i = 0; i < n; i++) {
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", folder, all[i]->d_name);
		if (stat(path, &st) == 0 && (!oldest[0] || st.st_mtime < at)) {
			at = st.st_mtime;
			memcpy(oldest, path, sizeof(oldest));
		}
		free(all[i]);
	}
	free(all);
	if (n > KEPT_RULES_MAX && unlink(oldest) < 0)
		diag_debug("rules", "%s: %m", oldest);
}

int kept_rules_save(const char *state, const struct image *img, struct err *err)
{
	char folder[PATH_MAX], digest[IMAGE_DIGEST], path[PATH_MAX + 32];
	int  r = make_folder(state, folder);

	if (r < 0)
		return err_set(err, "the folder rules beside %s: %s", state, strerror(-r));
	image_digest(img, digest);
	snprintf(path, sizeof(path), "%s/%s.gz", folder, digest);
	if (access(path, F_OK) == 0)
		return 0;
	r = write_packed(path, img);
	prune(folder);
	return r < 0 ? err_set(err, "%s: %s", path, strerror(-r)) : 0;
}

/* All of a packed file; NULL: it cannot be read. */
static void *read_packed(const char *path, size_t *size)
{
	gzFile   gz = gzopen(path, "rbe");
	uint8_t *block = NULL, *more;
	int      n = gz ? 1 : -1;

	*size = 0;
	while (n > 0 && *size < IMAGE_MOST) {
		more = realloc(block, *size + CHUNK);
		if (!more) {
			n = -1;
			break;
		}
		block = more;
		n = gzread(gz, block + *size, CHUNK);
		*size += n > 0 ? (size_t)n : 0;
	}
	if (gz)
		gzclose_r(gz);
	if (n == 0)
		return block;
	free(block);
	return NULL;
}

struct image *kept_rules_load(const char *folder, const char *digest, struct err *err)
{
	char          path[PATH_MAX], found[IMAGE_DIGEST];
	size_t        size;
	struct image *img;

	if (strlen(digest) != IMAGE_DIGEST - 1 || strspn(digest, "0123456789abcdef") != IMAGE_DIGEST - 1)
		return err_set(err, "'%s' is not the digest of rules", digest), NULL;
	snprintf(path, sizeof(path), "%s/%s.gz", folder, digest);
	img = read_packed(path, &size);
	if (!img)
		return err_set(err, "%s: cannot be read", path), NULL;
	if (image_check(img, size)) {
		image_digest(img, found);
		if (strcmp(found, digest) == 0)
			return img;
	}
	free(img);
	return err_set(err, "%s: not the rules that the record names, or of another version of nfqd", path), NULL;
}
