/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes the n-th allocation fail, whoever asks for it: in a plain build malloc() and its kin are
 * defined here, so that libyaml, jansson and libc call them, too, and blocks that are not given
 * back are counted. Sanitizers own malloc(): there only the calls of our own objects come by (the
 * linker's
 * --wrap), and leaks are found at the end. For one thread; include it once per program.
 */
#ifndef TESTS_LIB_OOM_H
#define TESTS_LIB_OOM_H

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static long oom_left; /* allocations that still succeed before one fails; 0: none fails */
static long oom_live; /* blocks that are in use */
static bool oom_failed;
static bool oom_excused; /* what failed was libyaml's, which loses the list that it wanted to extend */

static inline bool oom_now(const void *caller)
{
	Dl_info where;

	if (oom_left == 0 || --oom_left > 0)
		return false;
	oom_failed = true;
	oom_excused = dladdr(caller, &where) && where.dli_fname && strstr(where.dli_fname, "libyaml");
	errno = ENOMEM;
	return true;
}

/* The n-th allocation from here on fails, and only that one. */
static inline void oom_begin(long n)
{
	oom_failed = oom_excused = false;
	oom_left = n;
}

/* Whether it came to that. */
static inline bool oom_end(void)
{
	oom_left = 0;
	return oom_failed;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OOM_NAME(f) __wrap_##f
#define OOM_REAL(f) __real_##f
char *OOM_REAL(strdup)(const char *s);
char *OOM_NAME(strdup)(const char *s);
#else
#define OOM_NAME(f) f
#define OOM_REAL(f) __libc_##f
void OOM_REAL(free)(void *p);
#endif
void *OOM_REAL(malloc)(size_t n);
void *OOM_REAL(calloc)(size_t n, size_t size);
void *OOM_REAL(realloc)(void *p, size_t n);
void *OOM_NAME(malloc)(size_t n);
void *OOM_NAME(calloc)(size_t n, size_t size);
void *OOM_NAME(realloc)(void *p, size_t n);

void *OOM_NAME(malloc)(size_t n)
{
	void *p = oom_now(__builtin_return_address(0)) ? NULL : OOM_REAL(malloc)(n);

	oom_live += p != NULL;
	return p;
}

void *OOM_NAME(calloc)(size_t n, size_t size)
{
	void *p = oom_now(__builtin_return_address(0)) ? NULL : OOM_REAL(calloc)(n, size);

	oom_live += p != NULL;
	return p;
}

void *OOM_NAME(realloc)(void *old, size_t n)
{
	bool  had = old != NULL, fails = oom_now(__builtin_return_address(0));
	void *p = fails ? NULL : OOM_REAL(realloc)(old, n);

	oom_live += !had && p;
	oom_live -= had && !p && !fails; /* of size 0 */
	return p;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
char *OOM_NAME(strdup)(const char *s)
{
	return oom_now(__builtin_return_address(0)) ? NULL : OOM_REAL(strdup)(s);
}
#else
void free(void *p)
{
	oom_live -= p != NULL;
	OOM_REAL(free)(p);
}
#endif

/* Blocks that were taken since and not given back; 0 where the sanitizer counts. */
static inline long oom_leaked(long before)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	(void)before;
	return 0;
#else
	return oom_live - before;
#endif
}

#endif
