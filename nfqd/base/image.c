/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building, sealing and mapping flat images. */
#include "base/image.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/base16.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char image_magic[8] = "nfqdimg2";

void image_init(struct image_builder *b)
{
	memset(b, 0, sizeof(*b));
}

void image_fini(struct image_builder *b)
{
	for (unsigned i = 0; i < IMAGE_SECTIONS; i++)
		free(b->section[i].data);
	image_init(b);
}

void *image_room(struct image_builder *b, unsigned section, uint32_t n, uint32_t record)
{
	size_t   want = b->section[section].used + (size_t)n * record;
	uint8_t *at;

	if (want > b->section[section].room) {
		size_t   room = want + want / 2 + 64;
		uint8_t *data = realloc(b->section[section].data, room);

		if (!data) {
			b->failed = true;
			return NULL;
		}
		b->section[section].data = data;
		b->section[section].room = room;
	}
	at = b->section[section].data + b->section[section].used;
	if (n)
		memset(at, 0, (size_t)n * record);
	b->section[section].used = want;
	b->section[section].n += n;
	b->section[section].record = record;
	return at;
}

uint32_t image_add(struct image_builder *b, unsigned section, const void *records, uint32_t n,
                   uint32_t record)
{
	uint32_t first = b->section[section].n;
	void    *at = image_room(b, section, n, record);

	if (at && n)
		memcpy(at, records, (size_t)n * record);
	return first;
}

uint32_t image_text(struct image_builder *b, unsigned section, const char *text)
{
	if (b->section[section].n == 0)
		image_add(b, section, "", 1, 1);
	if (!text || !*text)
		return 0;
	return image_add(b, section, text, (uint32_t)strlen(text) + 1, 1);
}

static size_t align(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

struct image *image_finish(struct image_builder *b)
{
	size_t        size = align(sizeof(struct image));
	struct image *img;

	for (unsigned i = 0; i < IMAGE_SECTIONS; i++)
		size += align(b->section[i].used);
	img = b->failed ? NULL : calloc(1, size);
	if (!img)
		return NULL;
	memcpy(img->magic, image_magic, sizeof(image_magic));
	img->size = size;
	size = align(sizeof(struct image));
	for (unsigned i = 0; i < IMAGE_SECTIONS; i++) {
		img->section[i].off = size;
		img->section[i].n = b->section[i].n;
		img->section[i].record = b->section[i].record;
		if (b->section[i].used)
			memcpy((uint8_t *)img + size, b->section[i].data, b->section[i].used);
		size += align(b->section[i].used);
	}
	return img;
}

bool image_check(const void *block, size_t size)
{
	const struct image *img = block;

	if (size < sizeof(*img) || memcmp(img->magic, image_magic, sizeof(image_magic)) != 0 ||
	    img->size != size)
		return false;
	for (unsigned i = 0; i < IMAGE_SECTIONS; i++) {
		uint64_t off = img->section[i].off;
		uint64_t len = (uint64_t)img->section[i].n * img->section[i].record;

		if (off > size || len > size - off)
			return false;
	}
	return true;
}

void image_digest(const struct image *img, char out[IMAGE_DIGEST])
{
	uint8_t           digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx sha;

	sha256_init(&sha);
	sha256_update(&sha, (size_t)img->size, (const uint8_t *)img);
	sha256_digest(&sha, sizeof(digest), digest);
	base16_encode_update(out, IMAGE_DIGEST / 2, digest);
	out[IMAGE_DIGEST - 1] = '\0';
}

static int write_all(int fd, const void *data, size_t n)
{
	const uint8_t *p = data;

	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

int image_seal(const struct image *img, const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, img, (size_t)img->size);
	if (r == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

const struct image *image_map(int fd)
{
	struct stat st;
	void       *block;

	if (fstat(fd, &st) < 0 || st.st_size <= 0)
		return NULL;
	block = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (block == MAP_FAILED)
		return NULL;
	if (!image_check(block, (size_t)st.st_size)) {
		munmap(block, (size_t)st.st_size);
		return NULL;
	}
	return block;
}

void image_unmap(const struct image *img)
{
	if (img)
		munmap((void *)(uintptr_t)img, (size_t)img->size);
}
