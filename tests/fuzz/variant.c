/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* modules.alias and modules.builtin.modinfo: the first byte says which, the first line is a
 * device's modalias, the rest the file. A plainer search finds the same. */
#include <fnmatch.h>

#include "fuzz.h"
#include "variant.h"

struct best {
	char module[4096];
	size_t n_wildcards;
	bool found;
};

static void take(struct best *b, const char *pattern, const char *module, const char *modalias)
{
	_cleanup_free_ char *wanted = format("vfio_%s", modalias);
	size_t n = 0;

	EXPECT(wanted);
	for (const char *s = pattern; *s; s++)
		n += strchr("*?[", *s) != NULL;
	if (!*module || !skip_prefix(pattern, "vfio_pci:") || !skip_prefix(modalias, "pci:") ||
		fnmatch(pattern, wanted, 0) != 0 || (b->found && n >= b->n_wildcards))
		return;
	b->found = true;
	b->n_wildcards = n;
	snprintf(b->module, sizeof(b->module), "%s", module);
}

/* "alias PATTERN MODULE" */
static void take_alias(struct best *b, char *line, const char *modalias)
{
	char *pattern = skip_prefix(line, "alias "), *space = pattern ? strchr(pattern, ' ') : NULL;

	if (!space)
		return;
	*space = '\0';
	take(b, pattern, space + 1, modalias);
}

/* "MODULE.alias=PATTERN" */
static void take_modinfo(struct best *b, char *s, const char *modalias)
{
	char *dot = strchr(s, '.'), *pattern = dot ? skip_prefix(dot, ".alias=") : NULL;

	if (!pattern)
		return;
	*dot = '\0';
	take(b, pattern, s, modalias);
}

static void search(struct best *b, const char *text, size_t len, bool builtin, const char *modalias)
{
	const char *end = text + len;

	for (const char *eol; text < end; text = eol + 1) {
		_cleanup_free_ char *line = NULL;

		eol = memchr(text, builtin ? '\0' : '\n', (size_t)(end - text)) ?: end;
		line = strndup(text, (size_t)(eol - text));
		EXPECT(line);
		if (builtin)
			take_modinfo(b, line, modalias);
		else
			take_alias(b, line, modalias);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data, *eol = memchr(text, '\n', len);
	struct variant v = { 0 }, halves = { 0 };
	struct best b = { .found = false };
	bool builtin = len && (*text & 1);
	size_t left;

	if (!eol || eol == text)
		return 0;
	_cleanup_free_ char *modalias = fuzz_string(data + 1, (size_t)(eol - text) - 1);

	text = eol + 1;
	left = len - (size_t)(text - (const char *)data);
	EXPECT(variant_search(&v, text, left, builtin, modalias) == 0);
	search(&b, text, left, builtin, modalias);
	EXPECT(b.found == !!v.module);
	EXPECT(!b.found || (streq(b.module, v.module) && b.n_wildcards == v.n_wildcards));
	/* In two files. */
	eol = memchr(text, builtin ? '\0' : '\n', left);
	if (eol) {
		size_t first = (size_t)(eol + 1 - text);

		EXPECT(variant_search(&halves, text, first, builtin, modalias) == 0);
		EXPECT(variant_search(&halves, text + first, left - first, builtin, modalias) == 0);
		EXPECT(same_text(halves.module, v.module));
	}
	free(halves.module);
	free(v.module);
	return 0;
}
