/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the fuzzers share. Each looks at one parser, or at one thing that is made of what somebody
 * else wrote, and asks more of it than not to crash: EXPECT says what is always true. */

#include "util.h"

/* libFuzzer calls it with each input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define EXPECT(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #cond); \
			abort(); \
		} \
	} while (0)

/* The input as a string, up to its first NUL. */
static inline char *fuzz_string(const uint8_t *data, size_t len)
{
	char *s = strndup((const char *)data, len);

	EXPECT(s);
	return s;
}

/* Whether it could steer a terminal, or end a line that it is put into. */
static inline bool is_tame(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

/* NULL is equal to NULL. */
static inline bool same_text(const char *a, const char *b)
{
	return a && b ? streq(a, b) : a == b;
}
