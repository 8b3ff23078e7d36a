/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

#include <libkmod.h>

#include "module.h"
#include "sysfs.h"
#include "variant.h"

#define TYPE1_MODULE "vfio_iommu_type1"
/* modules.alias of a distribution's kernel has 2 MB. */
#define TREE_FILE_MAX (32 << 20)

struct modules {
	struct kmod_ctx *ctx;
	char *tree;
};

static void modulep(struct kmod_module **m)
{
	if (*m)
		kmod_module_unref(*m);
}

static void listp(struct kmod_list **l)
{
	kmod_module_unref_list(*l);
}

/* The lower layers do not log: what goes wrong comes back as errno. */
static void log_nothing(void *data, int priority, const char *file, int line, const char *fn,
	const char *fmt, va_list args)
{
	(void)data, (void)priority, (void)file, (void)line, (void)fn, (void)fmt, (void)args;
}

const char *const modules_config_dirs[] = {
	"/etc/modprobe.d",
	"/run/modprobe.d",
	"/usr/local/lib/modprobe.d",
	"/usr/lib/modprobe.d",
	"/lib/modprobe.d",
	NULL,
};

/* Whether libkmod can read it to its end: it asks neither what it opens nor whether that ended in
 * an error. 0, also where there is none, or negative errno. */
static int check_plain(int dirfd, const char *name)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	/* It passes over directories; a link to /dev/null takes a distribution's file away. */
	if (S_ISDIR(st.st_mode) || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)))
		return 0;
	if (!S_ISREG(st.st_mode))
		return -EMEDIUMTYPE;
	if (faccessat(dirfd, name, R_OK, 0) == 0)
		return 0;
	/* What root alone may read is not the whole truth to anybody else, and no reason to know
	 * nothing. The boot reads as root. */
	return errno == EACCES && geteuid() != 0 ? 0 : -errno;
}

/* libkmod passes over what it cannot read, and with it over a blacklist. @file is what cannot be
 * read. */
static int check_options(const char *path, char file[static PATH_MAX])
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *e;
	int r = sysfs_opendir(AT_FDCWD, path, &dir);

	snprintf(file, PATH_MAX, "%s", path);
	/* It takes a file, too. */
	if (r == -ENOENT || r == -ENOTDIR)
		return check_plain(AT_FDCWD, path);
	while (r >= 0 && (r = sysfs_readdir(dir, &e)) > 0) {
		const char *dot = strrchr(e->d_name, '.');

		/* The latter is read by older ones, such as kmod 30's. */
		if (!dot || (!streq(dot, ".conf") && !streq(dot, ".alias")))
			continue;
		r = check_plain(dirfd(dir), e->d_name);
		if (r < 0)
			snprintf(file, PATH_MAX, "%s/%s", path, e->d_name);
	}
	return r;
}

/* All that libkmod reads at once when it begins. */
static int check_files(const char *tree, char file[static PATH_MAX])
{
	int r;

	snprintf(file, PATH_MAX, "%s/modules.softdep", tree);
	r = check_plain(AT_FDCWD, file);
	for (size_t i = 0; modules_config_dirs[i] && r == 0; i++)
		r = check_options(modules_config_dirs[i], file);
	if (r == 0)
		file[0] = '\0';
	return r;
}

int modules_open(const char *release, struct modules **ret, char ret_file[static PATH_MAX])
{
	struct modules *m = calloc(1, sizeof(*m));
	struct utsname uts;
	int r;

	ret_file[0] = '\0';
	if (!m)
		return -ENOMEM;
	if (!release && uname(&uts) == 0)
		release = uts.release;
	if (release)
		m->tree = format("/lib/modules/%s", release);
	r = m->tree ? check_files(m->tree, ret_file) : -ENOMEM;
	if (r == 0) {
		m->ctx = kmod_new(m->tree, modules_config_dirs);
		r = m->ctx ? 0 : -ENOMEM;
	}
	if (r < 0) {
		modules_close(m);
		return r;
	}
	kmod_set_log_fn(m->ctx, log_nothing, NULL);
	*ret = m;
	return 0;
}

void modules_close(struct modules *m)
{
	if (!m)
		return;
	if (m->ctx)
		kmod_unref(m->ctx);
	free(m->tree);
	free(m);
}

bool same_module(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
			return false;
	return *a == *b;
}

/* 1, 0, or -ENOMEM. */
static int is_blacklisted(struct modules *m, const char *name)
{
	struct kmod_config_iter *i = kmod_config_get_blacklists(m->ctx);
	bool found = false;

	if (!i)
		return -ENOMEM;
	while (!found && kmod_config_iter_next(i)) {
		const char *key = kmod_config_iter_get_key(i);

		found = key && same_module(key, name);
	}
	kmod_config_iter_free_iter(i);
	return found;
}

/* Splits off the next option of *@s in place; white space inside double quotes belongs to it, as
 * for the kernel's parse_args(). */
static char *next_option(char **s)
{
	bool quoted = false;
	char *start;

	while (isspace((unsigned char)**s))
		(*s)++;
	start = *s;
	for (; **s && (quoted || !isspace((unsigned char)**s)); (*s)++)
		quoted ^= **s == '"';
	if (**s)
		*(*s)++ = '\0';
	return *start ? start : NULL;
}

static int append_option(char **list, const char *option)
{
	char *longer = format("%s%s%s", *list ?: "", *list ? " " : "", option);

	if (!longer)
		return -ENOMEM;
	free(*list);
	*list = longer;
	return 0;
}

/* The module's options in *@ret_options, without vfio-pci's "ids=", whose value goes to *@ret_ids;
 * both NULL where there is none. */
static int split_options(struct kmod_module *mod, char **ret_options, char **ret_ids)
{
	const char *all = kmod_module_get_options(mod);
	_cleanup_free_ char *copy = strdup(all ?: ""), *options = NULL, *ids = NULL;
	char *rest = copy, *option;
	int r = copy ? 0 : -ENOMEM;

	while (r == 0 && (option = next_option(&rest))) {
		/* The kernel takes a quote off the front of the whole option, too. */
		char *name = option + (*option == '"'), *value = NULL;

		if (streq(kmod_module_get_name(mod), VFIO_MODULE))
			value = skip_prefix(name, "ids=");
		if (value && value[strcspn(value, "\"")])
			value[strlen(value) - 1] = '\0';
		r = value ? append_option(&ids, value + (*value == '"'))
			  : append_option(&options, option);
	}
	if (r < 0)
		return r;
	*ret_options = options;
	*ret_ids = ids;
	options = ids = NULL;
	return 0;
}

/* 'Y' and 'N' as the kernel shows a bool, for every spelling that it takes (lib/kstrtox.c). */
static const char *normal_bool(const char *v)
{
	if (streq(v, "1") || strcasecmp(v, "y") == 0 || strcasecmp(v, "on") == 0 ||
		strcasecmp(v, "yes") == 0)
		return "Y";
	if (streq(v, "0") || strcasecmp(v, "n") == 0 || strcasecmp(v, "off") == 0 ||
		strcasecmp(v, "no") == 0)
		return "N";
	return v;
}

/* Those options of a module in the kernel whose parameter has another value now. */
static int find_unapplied(int sysfd, const char *options, char **ret)
{
	_cleanup_free_ char *copy = strdup(options ?: "");
	char *rest = copy, *option;
	int r = copy ? 0 : -ENOMEM;

	while (r == 0 && (option = next_option(&rest))) {
		char path[PATH_MAX], now[256];
		char *value = strchr(option, '=');

		if (value)
			*value = '\0';
		snprintf(path, sizeof(path), "module/" VFIO_MODULE "/parameters/%s", option);
		if (value)
			*value = '=';
		/* A parameter that cannot be read cannot be judged. */
		if (sysfs_read(sysfd, path, now, sizeof(now)) < 0 ||
			streq(normal_bool(value ? value + 1 : "1"), normal_bool(now)))
			continue;
		r = append_option(ret, option);
	}
	return r;
}

static enum module_state module_state(int sysfd, struct kmod_module *mod, bool blacklisted)
{
	switch (kmod_module_get_initstate(mod)) {
	case KMOD_MODULE_BUILTIN:
		return MODULE_BUILTIN;
	case KMOD_MODULE_LIVE:
	case KMOD_MODULE_COMING:
		return MODULE_LOADED;
	default:
		break;
	}
	/* A kernel whose modules.builtin did not come along. */
	if (faccessat(sysfd, "bus/pci/drivers/vfio-pci", F_OK, 0) == 0)
		return MODULE_BUILTIN;
	if (blacklisted)
		return MODULE_BLACKLISTED;
	return kmod_module_get_path(mod) ? MODULE_LOADABLE : MODULE_MISSING;
}

int modules_query(struct modules *m, int sysfd, struct module_facts *ret)
{
	_cleanup_(modulep) struct kmod_module *vfio = NULL, *type1 = NULL;
	_cleanup_(module_facts_free) struct module_facts f = { 0 };
	_cleanup_free_ char *options = NULL;
	int r;

	r = kmod_module_new_from_name(m->ctx, VFIO_MODULE, &vfio);
	if (r == 0)
		r = kmod_module_new_from_name(m->ctx, TYPE1_MODULE, &type1);
	if (r == 0)
		r = split_options(vfio, &options, &f.dropped_ids);
	if (r < 0)
		return r;
	f.where = strdup(m->tree);
	if (!f.where)
		return -ENOMEM;
	r = is_blacklisted(m, VFIO_MODULE);
	if (r < 0)
		return r;
	f.blacklisted = r;
	f.state = module_state(sysfd, vfio, f.blacklisted);
	f.type1 = kmod_module_get_initstate(type1) >= 0 || kmod_module_get_path(type1);
	if (f.state == MODULE_LOADED || f.state == MODULE_BUILTIN) {
		r = find_unapplied(sysfd, options, &f.unapplied);
		if (r < 0)
			return r;
	}
	*ret = f;
	f = (struct module_facts){ 0 };
	return 0;
}

/* A whole file of the module tree; "" where there is none. @file is its path where it cannot be
 * read. */
static int read_tree_file(struct modules *m, const char *name, char **ret, size_t *ret_len,
	char file[static PATH_MAX])
{
	int r;

	snprintf(file, PATH_MAX, "%s/%s", m->tree, name);
	r = file_read(file, TREE_FILE_MAX, ret, ret_len);
	if (r < 0 && r != -ENOENT && r != -ENOTDIR)
		return r;
	file[0] = '\0';
	if (r == 0)
		return 0;
	*ret_len = 0;
	*ret = strdup("");
	return *ret ? 0 : -ENOMEM;
}

/* Whether a driver could come from this module: 1; 0: it is blacklisted; -ENOENT: it is not there;
 * or another negative errno. */
static int variant_usable(struct modules *m, const char *name)
{
	_cleanup_(modulep) struct kmod_module *mod = NULL;
	int r = kmod_module_new_from_name(m->ctx, name, &mod);

	if (r < 0)
		return r;
	if (kmod_module_get_initstate(mod) >= 0)
		return 1;
	if (!kmod_module_get_path(mod))
		return -ENOENT;
	r = is_blacklisted(m, kmod_module_get_name(mod));
	return r < 0 ? r : !r;
}

int modules_find_variants(struct modules *m, struct snapshot *s,
	bool (*wanted)(const struct pci_device *d, const void *arg), const void *arg,
	char ret_file[static PATH_MAX])
{
	_cleanup_free_ char *aliases = NULL, *builtin = NULL;
	size_t aliases_len, builtin_len;
	int r;

	r = read_tree_file(m, "modules.alias", &aliases, &aliases_len, ret_file);
	if (r == 0)
		r = read_tree_file(m, "modules.builtin.modinfo", &builtin, &builtin_len, ret_file);
	for (size_t i = 0; i < s->n_devices && r == 0; i++) {
		struct pci_device *d = &s->devices[i];
		struct variant v = { 0 };
		char modalias[MODALIAS_LEN];

		/* An image may be built before the IOMMU is switched on. */
		if ((d->group == NO_GROUP && !wanted(d, arg)) || d->is_bridge)
			continue;
		device_modalias(d, modalias);
		r = variant_search(&v, aliases, aliases_len, false, modalias);
		if (r == 0)
			r = variant_search(&v, builtin, builtin_len, true, modalias);
		if (r == 0 && v.module && !streq(v.module, VFIO_MODULE))
			r = variant_usable(m, v.module);
		if (r > 0 || r == -ENOENT) {
			*(r > 0 ? &d->variant : &d->variant_missing) = v.module;
			v.module = NULL;
			r = 0;
		}
		free(v.module);
	}
	return r;
}

int modules_have(struct modules *m, const char *name)
{
	_cleanup_(modulep) struct kmod_module *mod = NULL;
	int r = kmod_module_new_from_name(m->ctx, name, &mod);

	if (r < 0)
		return r;
	return kmod_module_get_initstate(mod) >= 0 || kmod_module_get_path(mod);
}

int modules_match(struct modules *m, const char *name, const struct pci_device *d)
{
	_cleanup_(listp) struct kmod_list *all = NULL;
	struct kmod_list *i;
	char modalias[MODALIAS_LEN];
	bool found = false;

	if (kmod_module_new_from_lookup(m->ctx, device_modalias(d, modalias), &all) == -ENOMEM)
		return -ENOMEM;
	kmod_list_foreach(i, all) {
		_cleanup_(modulep) struct kmod_module *mod = kmod_module_get_module(i);

		found |= same_module(kmod_module_get_name(mod), name);
	}
	return found;
}

static int load_one(struct kmod_module *mod)
{
	_cleanup_free_ char *options = NULL, *ids = NULL;
	int r = kmod_module_get_initstate(mod);

	if (r == KMOD_MODULE_BUILTIN || r == KMOD_MODULE_LIVE)
		return 0;
	r = split_options(mod, &options, &ids);
	if (r < 0)
		return r;
	r = kmod_module_insert_module(mod, 0, options);
	return r == -EEXIST ? 0 : r;
}

int modules_load(struct modules *m, const char *name)
{
	_cleanup_(modulep) struct kmod_module *mod = NULL;
	_cleanup_(listp) struct kmod_list *deps = NULL;
	struct kmod_list *i;
	int r;

	r = kmod_module_new_from_name(m->ctx, name, &mod);
	if (r < 0)
		return r;
	/* In the order in which they have to be loaded. */
	deps = kmod_module_get_dependencies(mod);
	kmod_list_foreach(i, deps) {
		_cleanup_(modulep) struct kmod_module *dep = kmod_module_get_module(i);

		r = load_one(dep);
		if (r < 0)
			return r;
	}
	return load_one(mod);
}
