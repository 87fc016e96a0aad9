/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vocabulary is one table, from which come its enum, its words and the proof that none is missing:
 *
 *	#define COLOURS(X) X(COLOUR_RED, "red") X(COLOUR_BLUE, "blue")
 *	enum colour { COLOURS(WORD_ID) COLOUR_N };
 *	WORDS(colour_words, COLOURS, COLOUR_N);		in one .c file
 *
 * A row is the identifier, the word as YAML and records have it, and what its room adds. A new word
 * is a new row.
 */
#ifndef NFQD_BASE_WORDS_H
#define NFQD_BASE_WORDS_H

#include <string.h>

#define WORD_ID(id, ...)         id,
#define WORD_TEXT(id, word, ...) [id] = word,
/* Defines the words of a table, index = enum value; a NULL ends them. */
#define WORDS(name, TABLE, n)                                                                      \
	const char *const name[] = { TABLE(WORD_TEXT) NULL };                                      \
	WORDS_COVER(name, (n) + 1)
/* For arrays that an enum indexes, filled from its table or by hand: asserts their size. */
#define WORDS_COVER(array, n)                                                                      \
	_Static_assert(sizeof(array) / sizeof((array)[0]) == (n),                                  \
	               #array " does not have one row for each value")

/* The enum value of a word; -1: it is not one of them. */
static inline int word_find(const char *const words[], const char *word)
{
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}

#endif
