/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What --suggest and --import have in common when they write a configuration: its comments, and the
 * names of its targets. */

#include "snapshot.h"

#define INI_COLUMNS 100

/* A paragraph of comment lines, INI_COLUMNS wide at most: @first begins the first one, @rest the
 * others. Whatever is in the text, the comment stays one. */
void ini_comment(FILE *out, const char *first, const char *rest, const char *fmt, ...)
	_printf_(4, 5);
/* The first @len bytes of @s; what would end a comment or steer a terminal becomes '?'. */
void ini_put(const char *s, size_t len, FILE *out);
/* Whether the byte goes on with a character of UTF-8 that began before it. */
bool ini_continues_char(char c);
/* What a target of this device is called, before it gets a number: "gpu", "nvme", ... */
const char *ini_kind(const struct pci_device *d);
