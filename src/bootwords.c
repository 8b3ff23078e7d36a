/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>

#include "bootwords.h"

/* Words that ask for a shell before, or instead of, the usual system: such a boot gets the whole
 * machine, so that a person can repair it. */
static const char *const rescue_words[] = {
	"single",
	"s",
	"S",
	"1",
	"-s",
	"-b",
	"rescue",
	"rd.rescue",
	"emergency",
	"rd.emergency",
	"recovery",
	"break",
	"rd.break",
	"systemd.unit=rescue.target",
	"systemd.unit=emergency.target",
	"rd.systemd.unit=rescue.target",
	"rd.systemd.unit=emergency.target",
};

static const char *const rescue_prefixes[] = { "break=", "rd.break=" };

static const char *const shells[] = { "sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "csh",
	"tcsh", "fish", "busybox" };

/* The kernel takes off the outer quotes alone; here all go, since no word of ours has any within.
 */
char *bootwords_next(char **s)
{
	bool quoted = false;
	char *word, *out;

	while (isspace((unsigned char)**s))
		(*s)++;
	if (!**s)
		return NULL;
	word = out = *s;
	for (; **s && (quoted || !isspace((unsigned char)**s)); (*s)++) {
		if (**s == '"')
			quoted = !quoted;
		else
			*out++ = **s;
	}
	if (**s)
		(*s)++;
	*out = '\0';
	return word;
}

static int add_word(char ***list, size_t *n, const char *word)
{
	char *copy = strdup(word), **place;

	if (!copy)
		return -ENOMEM;
	place = array_add(list, n, sizeof(*place));
	if (!place) {
		free(copy);
		return -ENOMEM;
	}
	*place = copy;
	return 0;
}

/* "a,b c" → three words. -EINVAL where there is none. */
static int add_list(char ***list, size_t *n, const char *value)
{
	_cleanup_free_ char *copy = strdup(value);
	char *rest = copy, *item;
	size_t before = *n;
	int r;

	if (!copy)
		return -ENOMEM;
	while ((item = strsep(&rest, ", \t"))) {
		if (!*item)
			continue;
		r = add_word(list, n, item);
		if (r < 0)
			return r;
	}
	return *n == before ? -EINVAL : 0;
}

/* 1, 0, or -EINVAL. No value at all is true, as for most words of the command line. */
static int parse_bool(const char *value)
{
	static const char *const yes[] = { "1", "yes", "on", "true", "y" };
	static const char *const no[] = { "0", "no", "off", "false", "n" };

	if (!value)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (strcasecmp(value, yes[i]) == 0)
			return 1;
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (strcasecmp(value, no[i]) == 0)
			return 0;
	return -EINVAL;
}

/* What follows "[rd.]vfio-early" in @word, '_' and '-' taken as the same; NULL where it is not
 * ours. */
static const char *own_word(const char *word)
{
	static const char name[] = "vfio-early";
	const char *s = skip_prefix(word, "rd.") ?: word;

	for (size_t i = 0; i < sizeof(name) - 1; i++, s++)
		if ((*s == '_' ? '-' : *s) != name[i])
			return NULL;
	return s;
}

static int set_bypass(struct bootwords *w, const char *word, bool bad)
{
	/* The first word that says so is the one to report, but one that we do not understand goes
	 * before all: it is what the admin has to mend. */
	if (w->bypass && !(bad && !w->bypass_bad))
		return 0;
	free(w->bypass);
	w->bypass = strdup(word);
	w->bypass_bad = bad;
	return w->bypass ? 0 : -ENOMEM;
}

/* One of our own words. 1: it was understood, 0: not, or -ENOMEM. */
static int parse_own(struct bootwords *w, const char *word, const char *rest)
{
	const char *value = strchr(rest, '=');
	size_t key_len = value ? (size_t)(value - rest) : strlen(rest);
	int r;

	if (value)
		value++;
	if (key_len == 0 && value) {
		r = parse_bool(value);
		if (r == 0)
			r = set_bypass(w, word, false) ?: 1;
	} else if (key_len == strlen(".skip") && strncmp(rest, ".skip", key_len) == 0 && value) {
		r = add_list(&w->skip, &w->n_skip, value) ?: 1;
	} else if (key_len == strlen(".profile") && strncmp(rest, ".profile", key_len) == 0 &&
		value) {
		r = add_list(&w->profiles, &w->n_profiles, value) ?: 1;
	} else if (key_len == strlen(".verbose") && strncmp(rest, ".verbose", key_len) == 0) {
		r = parse_bool(value);
		w->verbose = r == 1;
		r = r < 0 ? r : 1;
	} else {
		r = -EINVAL;
	}
	return r == -EINVAL ? 0 : r;
}

static bool is_rescue(const char *word)
{
	const char *init = skip_prefix(word, "init="), *base;

	for (size_t i = 0; i < ARRAY_SIZE(rescue_words); i++)
		if (streq(word, rescue_words[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(rescue_prefixes); i++)
		if (skip_prefix(word, rescue_prefixes[i]))
			return true;
	if (!init)
		return false;
	base = strrchr(init, '/');
	base = base ? base + 1 : init;
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
		if (streq(base, shells[i]))
			return true;
	return false;
}

/* A root that comes over the network: kernel (Documentation/admin-guide/nfs/nfsroot.rst),
 * initramfs-tools(7) boot=, dracut.cmdline(7) root= and netroot=. */
static bool is_network_root(const char *word)
{
	static const char *const prefixes[] = {
		"root=/dev/nfs",
		"root=nfs",
		"root=iscsi:",
		"root=nbd:",
		"root=cifs:",
		"root=dhcp",
		"root=live:http",
		"root=live:ftp",
		"root=live:nfs",
		"root=fcoe:",
		"nfsroot=",
		"netroot=",
		"root=/dev/nbd",
		"root=http",
		"root=NFS=",
		"rd.iscsi",
		"rd.nvmf",
		"rd.neednet",
		"iscsi_",
		"ISCSI_",
		"fcoe=",
		"ip=ibft",
		"httpfs=",
		"ftpfs=",
		"url=",
		"boot=nfs",
		"nbdroot=",
		"iscsi_target_name=",
		"fetch=",
		"netboot=",
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (skip_prefix(word, prefixes[i]))
			return true;
	return false;
}

/* drivers/iommu/intel/iommu.c, amd/init.c, irq_remapping.c and arch/x86/kernel/pci-dma.c, each with
 * its list of values behind commas. The last word that is there wins, as in the kernel. */
static int parse_iommu(struct bootwords *w, const char *word)
{
	const char *intel = skip_prefix(word, "intel_iommu="),
		   *amd = skip_prefix(word, "amd_iommu="), *any = skip_prefix(word, "iommu="),
		   *remap = skip_prefix(word, "intremap=");
	char **place = NULL;

	if (intel && strstr(intel, "on"))
		place = &w->iommu_on;
	else if (amd && streq(amd, "on"))
		place = &w->amd_iommu_on;
	else if ((intel && strstr(intel, "off")) || (amd && strstr(amd, "off")) ||
		(any && strstr(any, "off")))
		place = &w->iommu_off;
	else if (skip_prefix(word, "pcie_acs_override"))
		place = &w->acs_override;
	else if ((remap && streq(remap, "off")) || streq(word, "nointremap"))
		place = &w->intremap_off;
	if (!place)
		return 0;
	free(*place);
	*place = strdup(word);
	return *place ? 0 : -ENOMEM;
}

static int parse_word(struct bootwords *w, const char *word, bool for_init)
{
	const char *rest = own_word(word);
	int r;

	if (rest) {
		struct bootwords ignored = { 0 };
		bool ignored_bypass;

		/* Behind "--" the words are init's; one that would only select has no say there. */
		r = parse_own(for_init ? &ignored : w, word, rest);
		ignored_bypass = ignored.bypass;
		bootwords_free(&ignored);
		if (r == 1 && ignored_bypass)
			r = set_bypass(w, word, false) ?: 1;
		if (r == 0)
			r = set_bypass(w, word, true);
		else if (r == 1 && for_init && !ignored_bypass)
			return 0;
		return r < 0 ? r : add_word(&w->words, &w->n_words, word);
	}
	if (is_rescue(word) || skip_prefix(word, "elfcorehdr=")) {
		r = set_bypass(w, word, false);
		return r < 0 ? r : add_word(&w->words, &w->n_words, word);
	}
	if (!for_init && is_network_root(word))
		w->network_root = true;
	if (!for_init && skip_prefix(word, "initcall_blacklist=") && strstr(word, "sysfb_init"))
		w->no_sysfb = true;
	return for_init ? 0 : parse_iommu(w, word);
}

int bootwords_parse(const char *cmdline, struct bootwords *ret)
{
	_cleanup_(bootwords_free) struct bootwords w = { 0 };
	_cleanup_free_ char *copy = strdup(cmdline);
	char *rest = copy, *word;
	bool for_init = false;

	if (!copy)
		return -ENOMEM;
	while ((word = bootwords_next(&rest))) {
		if (streq(word, "--")) {
			for_init = true;
		} else {
			int r = parse_word(&w, word, for_init);

			if (r < 0)
				return r;
		}
	}
	*ret = w;
	w = (struct bootwords){ 0 };
	return 0;
}

static void list_free(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

void bootwords_drop_bypass(struct bootwords *w)
{
	if (w->bypass_bad)
		return;
	free(w->bypass);
	w->bypass = NULL;
}

void bootwords_free(struct bootwords *w)
{
	free(w->bypass);
	free(w->iommu_off);
	free(w->iommu_on);
	free(w->amd_iommu_on);
	free(w->acs_override);
	free(w->intremap_off);
	free(w->how);
	list_free(w->skip, w->n_skip);
	list_free(w->profiles, w->n_profiles);
	list_free(w->words, w->n_words);
	*w = (struct bootwords){ 0 };
}
