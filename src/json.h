/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The few things of which our JSON is made (RFC 8259). Pure but for the stream. */

#include "util.h"

/* A string in quotes, or null for NULL. What is no UTF-8 becomes U+FFFD. */
void json_string(FILE *out, const char *s);
/* "key": "value" */
void json_key(FILE *out, const char *key, const char *value);
/* "key": ["a", "b"] */
void json_strings(FILE *out, const char *key, char *const *list, size_t n);
