/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A random machine, a random configuration and random boot words, made of bytes: a seed's for a
 * unit test, a fuzzer's own. The same bytes, the same case. */

#include "bootwords.h"
#include "config.h"
#include "machine.h"

#define CASE_TARGETS 4
#define CASE_WORDS   3

struct text {
	char s[16384];
	size_t n;
};

struct random_case {
	struct text listing;               /* the machine, as machine.h has it */
	struct text options;               /* the section [options], or nothing */
	struct text targets[CASE_TARGETS]; /* a section each, [t0] to [t3] */
	char words[CASE_WORDS][80];        /* some are "" */
	struct machine machine;
};

/* Adds to a text. */
void put(struct text *t, const char *fmt, ...) _printf_(2, 3);
/* Makes one; behind the last byte all choices are the first one. It must be empty, or cleared. */
void case_make(struct random_case *c, const uint8_t *data, size_t len);
/* The configuration with the targets in this order. */
void case_config(const struct random_case *c, const unsigned order[CASE_TARGETS], struct text *ret);
/* All of it, for people. */
void case_tell(const struct random_case *c, struct text *ret);
void case_clear(struct random_case *c);
