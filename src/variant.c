/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fnmatch.h>

#include "variant.h"

#define ALIAS_PREFIX "vfio_pci:"

static size_t count_wildcards(const char *pattern)
{
	size_t n = 0;

	for (; *pattern; pattern++)
		n += *pattern == '*' || *pattern == '?' || *pattern == '[';
	return n;
}

static int consider(
	struct variant *v, const char *pattern, const char *module, const char *modalias)
{
	size_t n = count_wildcards(pattern);
	const char *device = skip_prefix(modalias, "pci:");
	char *copy;

	/* The alias is the device's own with "vfio_" before it. */
	if (!device || fnmatch(pattern + strlen(ALIAS_PREFIX), device, 0) != 0)
		return 0;
	if (v->module && v->n_wildcards <= n)
		return 0;
	copy = strdup(module);
	if (!copy)
		return -ENOMEM;
	free(v->module);
	*v = (struct variant){ copy, n };
	return 0;
}

/* One line or string, a copy to cut up. */
static int consider_line(struct variant *v, char *line, bool builtin, const char *modalias)
{
	char *pattern, *module;

	if (builtin) {
		module = strsep(&line, ".");
		pattern = line ? skip_prefix(line, "alias=") : NULL;
	} else {
		char *rest = skip_prefix(line, "alias ");

		pattern = rest ? strsep(&rest, " ") : NULL;
		module = rest;
	}
	if (!pattern || !module || !*module || !skip_prefix(pattern, ALIAS_PREFIX))
		return 0;
	return consider(v, pattern, module, modalias);
}

int variant_search(
	struct variant *v, const char *text, size_t len, bool builtin, const char *modalias)
{
	const char *end = text + len, *alias, *bol, *eol;
	char eol_char = builtin ? '\0' : '\n';

	/* Nearly all of thousands of lines are about other buses. */
	for (; (alias = memmem(text, (size_t)(end - text), ALIAS_PREFIX, strlen(ALIAS_PREFIX)));
		text = eol) {
		_cleanup_free_ char *line = NULL;
		int r;

		bol = memrchr(text, eol_char, (size_t)(alias - text));
		bol = bol ? bol + 1 : text;
		eol = memchr(alias, eol_char, (size_t)(end - alias)) ?: end;
		line = strndup(bol, (size_t)(eol - bol));
		if (!line)
			return -ENOMEM;
		r = consider_line(v, line, builtin, modalias);
		if (r < 0)
			return r;
	}
	return 0;
}
