/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Cleanup attributes and the few macros that every file needs. */

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define _cleanup_(f)   __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _must_check_   __attribute__((warn_unused_result))
#define ARRAY_SIZE(a)  (sizeof(a) / sizeof((a)[0]))

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_free_   _cleanup_(freep)
#define _cleanup_close_  _cleanup_(closep)
#define _cleanup_fclose_ _cleanup_(fclosep)

static inline bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* printf() into a new string; NULL when memory is short, unlike asprintf(), whose pointer is
 * undefined then. */
static inline _printf_(1, 0) char *vformat(const char *fmt, va_list ap)
{
	char *s;
	return vasprintf(&s, fmt, ap) < 0 ? NULL : s;
}

static inline _printf_(1, 2) char *format(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *s = vformat(fmt, ap);
	va_end(ap);
	return s;
}

/* The text behind @prefix in @s, or NULL where @s does not start so. */
static inline char *skip_prefix(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);
	return strncmp(s, prefix, n) == 0 ? (char *)s + n : NULL;
}

/* Makes room for one more element of @size bytes at the end of the array at *@arrayp, which has *@n
 * of them; counts it, zeroes it and returns it; NULL when memory is short (nothing changes then).
 */
static inline void *array_add(void *arrayp, size_t *n, size_t size)
{
	void *grown = reallocarray(*(void **)arrayp, *n + 1, size);
	if (!grown)
		return NULL;
	*(void **)arrayp = grown;
	return memset((char *)grown + (*n)++ * size, 0, size);
}
