/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a unit test needs and no more. A case runs from test_begin() to test_end(); it is silent
 * when all of its EXPECTs hold. A table's row is a case, begun with the row's own line, so that the
 * message leads to the row and not to the loop. main() ends with "return test_summary();". */

#include "util.h"

static unsigned test_passed, test_failed, test_skipped;
static const char *test_file, *test_what;
static int test_line;
static bool test_bad;

static inline void test_begin(const char *file, int line, const char *what)
{
	test_file = file;
	test_line = line;
	test_what = what;
	test_bad = false;
}

static inline void test_end(void)
{
	if (test_bad)
		test_failed++;
	else
		test_passed++;
}

/* A case that cannot be judged here, and why. */
static inline void test_skip(const char *file, int line, const char *why)
{
	printf("%s:%d: skipped: %s\n", file, line, why);
	test_skipped++;
}

static inline _printf_(2, 3) void test_bad_at(int line, const char *fmt, ...)
{
	va_list ap;

	printf("%s:%d: ", test_file, test_line);
	if (line != test_line)
		printf("(line %d) ", line);
	printf("%s: ", test_what);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	test_bad = true;
}

static inline void test_str(int line, const char *what, const char *found, const char *expected)
{
	if (found == expected || (found && expected && streq(found, expected)))
		return;
	test_bad_at(line, "%s\n\tfound    '%s'\n\texpected '%s'", what, found ?: "(null)",
		expected ?: "(null)");
}

static inline void test_int(int line, const char *what, long long found, long long expected)
{
	if (found != expected)
		test_bad_at(line, "%s: found %lld, expected %lld", what, found, expected);
}

static inline int test_summary(void)
{
	printf("%u passed, %u failed, %u skipped\n", test_passed, test_failed, test_skipped);
	return test_failed ? 1 : 0;
}

#define TEST_BEGIN(what)            test_begin(__FILE__, __LINE__, (what))
#define TEST_SKIP(why)              test_skip(__FILE__, __LINE__, (why))
#define EXPECT_STR(found, expected) test_str(__LINE__, #found, (found), (expected))
#define EXPECT_INT(found, expected) \
	test_int(__LINE__, #found, (long long)(found), (long long)(expected))
#define EXPECT(cond) \
	do { \
		if (!(cond)) \
			test_bad_at(__LINE__, "expected %s", #cond); \
	} while (0)
