/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel command lines. A word that bypasses does so wherever it stands, one of ours that is not
 * understood as well; and what was found says the same when it is read again. */
#include "fuzz.h"
#include "bootwords.h"

static void parse(struct bootwords *w, const char *cmdline)
{
	*w = (struct bootwords){ 0 };
	EXPECT(bootwords_parse(cmdline, w) == 0);
}

static void expect_bypass(const char *before, const char *cmdline, const char *behind)
{
	_cleanup_free_ char *all = format("%s%s%s", before, cmdline, behind);
	struct bootwords w;

	EXPECT(all);
	parse(&w, all);
	EXPECT(w.bypass);
	bootwords_free(&w);
}

/* --- our own words, judged anew --- */

static bool is_one_of(const char *s, const char *const *list)
{
	for (; *list; list++)
		if (strcasecmp(s, *list) == 0)
			return true;
	return false;
}

/* Whether the manual has this word, which begins as ours do; @rest stands behind that. */
static bool is_known(const char *rest)
{
	static const char *const bools[] = { "0", "no", "off", "false", "n", "1", "yes", "on",
		"true", "y", NULL };
	const char *list = skip_prefix(rest, ".skip=") ?: skip_prefix(rest, ".profile=");

	if (list)
		return list[strspn(list, ", \t")] != '\0';
	if (streq(rest, ".verbose"))
		return true;
	rest = skip_prefix(rest, ".verbose") ?: rest;
	return *rest == '=' && is_one_of(rest + 1, bools);
}

/* What stands behind "rd.vfio-early" and its like, or NULL. */
static const char *own(const char *word)
{
	word = skip_prefix(word, "rd.") ?: word;
	return skip_prefix(word, "vfio-early") ?: skip_prefix(word, "vfio_early");
}

static void check_own_words(const char *cmdline, const struct bootwords *w)
{
	_cleanup_free_ char *copy = strdup(cmdline);
	char *rest = copy, *word;
	bool unknown = false;

	EXPECT(copy);
	while ((word = bootwords_next(&rest)))
		unknown |= own(word) && !is_known(own(word));
	EXPECT(unknown == w->bypass_bad);
}

/* --- what was found --- */

static void expect_same_list(char **a, size_t n, char **b, size_t m)
{
	EXPECT(n == m);
	for (size_t i = 0; i < n; i++)
		EXPECT(streq(a[i], b[i]));
}

/* The words that had a part in it, alone. */
static void check_again(const struct bootwords *w)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct bootwords again;

	EXPECT(out);
	for (size_t i = 0; i < w->n_words; i++)
		fprintf(out, "\"%s\" ", w->words[i]);
	EXPECT(fclose(out) == 0);
	parse(&again, text);
	EXPECT(same_text(again.bypass, w->bypass) && again.bypass_bad == w->bypass_bad);
	EXPECT(again.verbose == w->verbose);
	expect_same_list(w->skip, w->n_skip, again.skip, again.n_skip);
	expect_same_list(w->profiles, w->n_profiles, again.profiles, again.n_profiles);
	expect_same_list(w->words, w->n_words, again.words, again.n_words);
	bootwords_free(&again);
	free(text);
}

/* Behind "--" nothing is chosen, and as much is bypassed. */
static void check_for_init(const char *cmdline, bool bypass)
{
	_cleanup_free_ char *behind = format("-- %s", cmdline);
	struct bootwords w;

	EXPECT(behind);
	parse(&w, behind);
	EXPECT(!w.n_skip && !w.n_profiles && !w.verbose && !w.network_root && !w.no_sysfb);
	EXPECT(!w.iommu_off && !w.iommu_on && !w.amd_iommu_on && !w.acs_override);
	EXPECT(!w.intremap_off && !!w.bypass == bypass);
	bootwords_free(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_free_ char *cmdline = fuzz_string(data, len);
	unsigned quotes = 0;
	struct bootwords w;

	for (const char *s = cmdline; *s; s++)
		quotes += *s == '"';
	parse(&w, cmdline);
	EXPECT(!w.bypass_bad || w.bypass);
	for (size_t i = 0; i < w.n_skip; i++)
		EXPECT(*w.skip[i] && !strpbrk(w.skip[i], ", \t\""));
	for (size_t i = 0; i < w.n_profiles; i++)
		EXPECT(*w.profiles[i] && !strpbrk(w.profiles[i], ", \t\""));
	check_own_words(cmdline, &w);
	check_again(&w);
	check_for_init(cmdline, w.bypass);
	expect_bypass("rd.vfio-early=0 ", cmdline, "");
	expect_bypass("emergency ", cmdline, "");
	if (w.bypass)
		expect_bypass("quiet ", cmdline, "");
	/* An open quote takes in what follows. */
	if (quotes % 2 == 0) {
		expect_bypass("", cmdline, " vfio_early=no");
		expect_bypass("", cmdline, " -- rd.vfio-early=off");
		expect_bypass("", cmdline, " rd.vfio-early.skp=gpu");
	}
	bootwords_drop_bypass(&w);
	EXPECT(!w.bypass == !w.bypass_bad);
	bootwords_free(&w);
	return 0;
}
