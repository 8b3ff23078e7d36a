/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "core.h"

#define DEVICES "/sys/bus/pci/devices"
#define DRIVERS "/sys/bus/pci/drivers"

void die(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "tests/faults: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(3);
}

/* --- files --- */

static void join(char buf[static PATH_MAX], const char *fmt, ...) _printf_(2, 3);
static void join(char buf[static PATH_MAX], const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, PATH_MAX, fmt, ap);
	va_end(ap);
	if (n < 0 || n >= PATH_MAX)
		die("a path is too long: %s", fmt);
}

static void put(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("%s: %s", path, strerror(errno));
}

static char *get(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	static char buf[4096];
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	if (n < 0)
		die("%s: %s", path, strerror(errno));
	buf[n] = '\0';
	return buf;
}

static void make_dir(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		die("%s: %s", path, strerror(errno));
}

static void set_link(const char *path, const char *target)
{
	unlink(path);
	if (target && symlink(target, path) < 0)
		die("%s: %s", path, strerror(errno));
}

/* --- what the files show --- */

static void show_driver(struct core *c, struct core_device *d)
{
	char path[PATH_MAX], target[PATH_MAX] = "";
	_cleanup_free_ char *uevent = NULL;

	if (streq(d->shown_driver, d->driver))
		return;
	if (*d->shown_driver) {
		join(path, "%s" DRIVERS "/%s/%s", c->root, d->shown_driver, d->address);
		set_link(path, NULL);
	}
	/* "/sys/devices/pci0000:00/0000:00:01.0" has as many directories above it as slashes,
	 * but for that of the name itself. */
	for (const char *s = strchr(d->dir + 1, '/'); s; s = strchr(s + 1, '/'))
		strcat(target, "../");
	strcat(target, "bus/pci/drivers/");
	strcat(target, d->driver);
	join(path, "%s%s/driver", c->root, d->dir);
	set_link(path, *d->driver ? target : NULL);
	if (*d->driver) {
		join(path, "%s" DRIVERS "/%s/%s", c->root, d->driver, d->address);
		join(target, "../../../..%s", d->dir + strlen("/sys"));
		set_link(path, target);
	}
	uevent = format("%s%s%s%s", *d->driver ? "DRIVER=" : "", d->driver, *d->driver ? "\n" : "",
		d->uevent);
	join(path, "%s%s/uevent", c->root, d->dir);
	put(path, uevent ?: "");
	strcpy(d->shown_driver, d->driver);
}

static void show_override(struct core *c, struct core_device *d)
{
	char path[PATH_MAX], text[CORE_NAME + 1];

	if (streq(d->shown_override, d->override))
		return;
	join(path, "%s%s/driver_override", c->root, d->dir);
	snprintf(text, sizeof(text), "%s\n", *d->override ? d->override : "(null)");
	put(path, text);
	strcpy(d->shown_override, d->override);
}

static void show(struct core *c)
{
	for (size_t i = 0; i < c->n_devices; i++) {
		show_driver(c, &c->devices[i]);
		show_override(c, &c->devices[i]);
	}
}

/* --- drivers and devices --- */

static bool is_registered(const struct core *c, const char *driver)
{
	for (size_t i = 0; i < c->n_drivers; i++)
		if (streq(c->drivers[i], driver))
			return true;
	return false;
}

static void add_name(char (**list)[CORE_NAME], size_t *n, const char *name)
{
	char(*place)[CORE_NAME] = array_add(list, n, CORE_NAME);

	if (!place || strlen(name) >= CORE_NAME)
		die("'%s' is too long, or memory is short", name);
	strcpy(*place, name);
}

const char *core_rule(const struct core *c, const char *word, const char *name)
{
	for (size_t i = 0; i < c->n_rules; i++) {
		const char *rest = skip_prefix(c->rules[i], word);

		rest = rest && *rest == ' ' ? skip_prefix(rest + 1, name) : NULL;
		if (rest && (*rest == ' ' || !*rest))
			return *rest ? rest + 1 : rest;
	}
	return NULL;
}

bool core_is_vfio(const struct core *c, const char *driver)
{
	if (streq(driver, "vfio-pci"))
		return true;
	for (size_t i = 0; i < c->n_rules; i++)
		if (skip_prefix(c->rules[i], "variant ") &&
			streq(strrchr(c->rules[i], ' ') + 1, driver))
			return true;
	return false;
}

struct core_device *core_find(const struct core *c, const char *text)
{
	for (size_t i = 0; i < c->n_devices; i++)
		if (strstr(text, c->devices[i].address))
			return &c->devices[i];
	return NULL;
}

/* The device whose attribute the file @path is. */
static struct core_device *device_of(const struct core *c, const char *path)
{
	for (size_t i = 0; i < c->n_devices; i++) {
		const char *rest = skip_prefix(path, c->devices[i].dir);

		if (rest && *rest == '/' && !strchr(rest + 1, '/'))
			return &c->devices[i];
	}
	return NULL;
}

/* pci_match_device() in drivers/pci/pci-driver.c. VFIO's drivers have no IDs but those for an
 * override. */
static bool matches(const struct core *c, const struct core_device *d, const char *driver)
{
	if (!is_registered(c, driver))
		return false;
	return streq(*d->override ? d->override : d->native, driver);
}

/* __driver_probe_device(). */
static int probe(struct core *c, struct core_device *d, const char *driver)
{
	const char *error = core_rule(c, "refuse", d->address);

	if (*d->driver)
		return -EBUSY;
	if (error && core_is_vfio(c, driver) && c->rules_held != RULES_NO_FAILURE)
		return -atoi(error);
	strcpy(d->driver, driver);
	return 0;
}

/* device_attach(): every driver that matches may try. */
static void attach(struct core *c, struct core_device *d)
{
	for (size_t i = 0; i < c->n_drivers && !*d->driver; i++)
		if (matches(c, d, c->drivers[i]))
			(void)probe(c, d, c->drivers[i]);
}

static void register_driver(struct core *c, const char *driver, const char *module)
{
	char path[PATH_MAX], target[PATH_MAX];

	add_name(&c->drivers, &c->n_drivers, driver);
	join(path, "%s" DRIVERS "/%s", c->root, driver);
	make_dir(path);
	join(path, "%s" DRIVERS "/%s/bind", c->root, driver);
	put(path, "");
	join(path, "%s" DRIVERS "/%s/unbind", c->root, driver);
	put(path, "");
	join(path, "%s" DRIVERS "/%s/module", c->root, driver);
	join(target, "../../../../module/%s", module);
	set_link(path, target);
	join(path, "%s/sys/module/%s/drivers", c->root, module);
	make_dir(path);
	join(path, "%s/sys/module/%s/drivers/pci:%s", c->root, module, driver);
	join(target, "../../../bus/pci/drivers/%s", driver);
	set_link(path, target);
	for (size_t i = 0; i < c->n_devices; i++)
		attach(c, &c->devices[i]);
}

/* Nothing but what register_driver() and load() made; no device may have the driver any more. */
static void forget_driver(struct core *c, const char *driver)
{
	static const char *const files[] = { "bind", "unbind", "module" };
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		join(path, "%s" DRIVERS "/%s/%s", c->root, driver, files[i]);
		unlink(path);
	}
	join(path, "%s" DRIVERS "/%s", c->root, driver);
	if (rmdir(path) < 0)
		die("%s: %s", path, strerror(errno));
}

static void forget_module(struct core *c, const char *module)
{
	const char *driver =
		streq(module, "vfio_pci") ? "vfio-pci" : core_rule(c, "variant", module);
	char path[PATH_MAX];

	if (driver) {
		join(path, "%s/sys/module/%s/drivers/pci:%s", c->root, module, driver);
		unlink(path);
		join(path, "%s/sys/module/%s/drivers", c->root, module);
		rmdir(path);
	}
	join(path, "%s/sys/module/%s/initstate", c->root, module);
	unlink(path);
	join(path, "%s/sys/module/%s", c->root, module);
	if (rmdir(path) < 0)
		die("%s: %s", path, strerror(errno));
}

/* "/lib/modules/6.1.0/kernel/drivers/vfio/vfio-pci.ko": "vfio_pci" */
static void module_name(const char *path, char buf[static CORE_NAME])
{
	const char *base = strrchr(path, '/');

	snprintf(buf, CORE_NAME, "%s", base ? base + 1 : path);
	buf[strcspn(buf, ".")] = '\0';
	for (char *s = buf; *s; s++)
		if (*s == '-')
			*s = '_';
}

int core_load(struct core *c, const char *path)
{
	char name[CORE_NAME], file[PATH_MAX];
	const char *error;

	module_name(path, name);
	error = core_rule(c, "module", name);
	if (error && c->rules_held != RULES_NO_FAILURE)
		return -atoi(error);
	for (size_t i = 0; i < c->n_modules; i++)
		if (streq(c->modules[i], name))
			return -EEXIST;
	add_name(&c->modules, &c->n_modules, name);
	join(file, "%s/sys/module/%s", c->root, name);
	make_dir(file);
	join(file, "%s/sys/module/%s/initstate", c->root, name);
	put(file, "live\n");
	if (streq(name, "vfio_pci"))
		register_driver(c, "vfio-pci", name);
	else if (core_rule(c, "variant", name))
		register_driver(c, core_rule(c, "variant", name), name);
	show(c);
	return 0;
}

/* --- writes --- */

/* driver_set_override(). */
static ssize_t write_override(struct core_device *d, const char *text, size_t len)
{
	size_t n = strcspn(text, "\n");

	if (n >= CORE_NAME)
		return -EINVAL;
	if (d->comes_late && !d->came && !*d->driver) {
		d->came = true;
		strcpy(d->driver, d->native);
	}
	memcpy(d->override, text, n);
	d->override[n] = '\0';
	return (ssize_t)len;
}

/* bind_store() and device_driver_attach(). */
static ssize_t write_bind(struct core *c, const char *driver, const char *text, size_t len)
{
	struct core_device *d = core_find(c, text);
	int r;

	if (!d || !matches(c, d, driver))
		return -ENODEV;
	r = probe(c, d, driver);
	return r < 0 ? r : (ssize_t)len;
}

/* unbind_store(). */
static ssize_t write_unbind(struct core *c, const char *driver, const char *text, size_t len)
{
	struct core_device *d = core_find(c, text);

	if (!d || !streq(d->driver, driver))
		return -ENODEV;
	d->driver[0] = '\0';
	return (ssize_t)len;
}

/* drivers_probe_store(): bound already, or taken by none, is success. */
static ssize_t write_probe(struct core *c, const char *text, size_t len)
{
	struct core_device *d = core_find(c, text);

	if (!d)
		return -ENODEV;
	attach(c, d);
	return (ssize_t)len;
}

ssize_t core_write(struct core *c, const char *path, const char *text, size_t len)
{
	const char *base = strrchr(path, '/') + 1, *rest = skip_prefix(path, DRIVERS "/");
	char driver[CORE_NAME] = "";
	ssize_t n = -EACCES;

	if (rest)
		snprintf(driver, sizeof(driver), "%.*s", (int)strcspn(rest, "/"), rest);
	if (streq(base, "driver_override") && device_of(c, path))
		n = write_override(device_of(c, path), text, len);
	else if (streq(base, "bind"))
		n = write_bind(c, driver, text, len);
	else if (streq(base, "unbind"))
		n = write_unbind(c, driver, text, len);
	else if (streq(base, "drivers_probe"))
		n = write_probe(c, text, len);
	show(c);
	return n;
}

/* Whether a rule "@word END" is about @path. */
static bool rule_ends(const struct core *c, const char *word, const char *path)
{
	for (size_t i = 0; i < c->n_rules; i++) {
		const char *end = skip_prefix(c->rules[i], word);

		if (end && *end == ' ' && strlen(path) >= strlen(++end) &&
			streq(path + strlen(path) - strlen(end), end))
			return true;
	}
	return false;
}

bool core_hangs(const struct core *c, const char *path)
{
	return c->rules_held == RULES_ALL && rule_ends(c, "hang", path);
}

bool core_believes(const struct core *c, const char *path)
{
	return rule_ends(c, "believe", path);
}

/* --- the whole --- */

static void read_device(struct core *c, const char *name)
{
	struct core_device *d = array_add(&c->devices, &c->n_devices, sizeof(*d));
	char path[PATH_MAX], real[PATH_MAX], link[PATH_MAX];
	const char *rule;
	char *text;
	ssize_t n;

	join(path, "%s" DEVICES "/%s", c->root, name);
	if (!d || !realpath(path, real) || strlen(name) >= sizeof(d->address))
		die("%s: %s", path, strerror(errno));
	strcpy(d->address, name);
	strcpy(d->dir, real + strlen(c->root));
	join(path, "%s/driver", real);
	n = readlink(path, link, sizeof(link) - 1);
	if (n > 0) {
		link[n] = '\0';
		snprintf(d->driver, CORE_NAME, "%.63s", strrchr(link, '/') + 1);
	}
	join(path, "%s/uevent", real);
	text = get(path);
	if (skip_prefix(text, "DRIVER="))
		text = strchr(text, '\n') + 1;
	d->uevent = strdup(text);
	strcpy(d->first_driver, d->driver);
	strcpy(d->shown_driver, d->driver);
	strcpy(d->native, d->driver);
	rule = core_rule(c, "late", name);
	if (rule) {
		d->comes_late = true;
		snprintf(d->native, CORE_NAME, "%s", rule);
	}
}

static void read_rules(struct core *c, const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		char **place = array_add(&c->rules, &c->n_rules, sizeof(*place));

		line[strcspn(line, "\n")] = '\0';
		if (!place || !(*place = strdup(line)))
			die("memory is short");
	}
}

/* Calls @take for each name in the directory. */
static void each_name(struct core *c, const char *dir, void (*take)(struct core *, const char *))
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *d;

	join(path, "%s%s", c->root, dir);
	d = opendir(path);
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			take(c, e->d_name);
	if (d)
		closedir(d);
}

static void read_driver(struct core *c, const char *name)
{
	add_name(&c->drivers, &c->n_drivers, name);
}

static int by_address(const void *a, const void *b)
{
	return strcmp(
		((const struct core_device *)a)->address, ((const struct core_device *)b)->address);
}

void core_open(struct core *c, const char *root, const char *rules)
{
	*c = (struct core){ 0 };
	if (!realpath(root, c->root))
		die("%s: %s", root, strerror(errno));
	if (rules)
		read_rules(c, rules);
	c->youngest_first = core_rule(c, "first", "youngest");
	each_name(c, DEVICES, read_device);
	each_name(c, DRIVERS, read_driver);
	c->n_first_drivers = c->n_drivers;
	qsort(c->devices, c->n_devices, sizeof(*c->devices), by_address);
}

void core_reset(struct core *c)
{
	for (size_t i = 0; i < c->n_devices; i++) {
		strcpy(c->devices[i].driver, c->devices[i].first_driver);
		c->devices[i].override[0] = '\0';
		c->devices[i].came = false;
	}
	show(c);
	for (; c->n_drivers > c->n_first_drivers; c->n_drivers--)
		forget_driver(c, c->drivers[c->n_drivers - 1]);
	for (; c->n_modules; c->n_modules--)
		forget_module(c, c->modules[c->n_modules - 1]);
}

char *core_state(const struct core *c)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		die("memory is short");
	for (size_t i = 0; i < c->n_devices; i++)
		fprintf(f, "%s driver=%s override=%s\n", c->devices[i].address,
			c->devices[i].driver, c->devices[i].override);
	for (size_t i = 0; i < c->n_modules; i++)
		fprintf(f, "module %s\n", c->modules[i]);
	if (fclose(f) != 0)
		die("memory is short");
	return text;
}
