/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flat, offset-based image: sections of fixed-size records in one block of memory that can be
 * written to a sealed memfd and mapped read-only anywhere. The builder owns growing sections;
 * image_finish() lays them out. A reader trusts an image only after image_check().
 */
#ifndef NFQD_BASE_IMAGE_H
#define NFQD_BASE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define IMAGE_SECTIONS 20

struct image {
	char     magic[8];
	uint64_t size; /* bytes, header included */
	struct {
		uint64_t off;
		uint32_t n, record; /* records, bytes of one */
	} section[IMAGE_SECTIONS];
};

struct image_builder {
	struct {
		uint8_t *data;
		size_t   used, room;
		uint32_t n, record;
	} section[IMAGE_SECTIONS];
	bool failed; /* an allocation failed; image_finish() reports it */
};

void image_init(struct image_builder *b);
void image_fini(struct image_builder *b);

/* Appends n records; returns the index of the first. All records of a section have one size. */
uint32_t image_add(struct image_builder *b, unsigned section, const void *records, uint32_t n,
                   uint32_t record);
/* Appends n zeroed records and returns their address, valid until the next call that adds to the
 * section. */
void *image_room(struct image_builder *b, unsigned section, uint32_t n, uint32_t record);
/* Appends a NUL-terminated text to a section of bytes; returns its offset. 0 is always "". */
uint32_t image_text(struct image_builder *b, unsigned section, const char *text);

/* Returns a malloc()ed image that the caller frees, or NULL when memory ran out. */
MUST_CHECK struct image *image_finish(struct image_builder *b);

/* Copies an image into a memfd sealed against writing, growing and shrinking. Returns it or -errno. */
MUST_CHECK int image_seal(const struct image *img, const char *name);
/* Maps a sealed image read-only. Returns NULL when fd does not hold one. Release with image_unmap(). */
MUST_CHECK const struct image *image_map(int fd);
void                           image_unmap(const struct image *img);

bool image_check(const void *block, size_t size);

#define IMAGE_DIGEST 17 /* text, with its NUL */
/* The first 8 bytes of its SHA-256, in hexadecimal digits. */
void image_digest(const struct image *img, char out[IMAGE_DIGEST]);

static inline const void *image_at(const struct image *img, unsigned section)
{
	return (const uint8_t *)img + img->section[section].off;
}

static inline uint32_t image_n(const struct image *img, unsigned section)
{
	return img->section[section].n;
}

#endif
