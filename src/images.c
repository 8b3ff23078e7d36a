/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <time.h>

#include "host.h"
#include "images.h"
#include "listing.h"
#include "sysfs.h"
#include "uki.h"

#define MODULES "/lib/modules"

/* A slow machine lists a large image in a few seconds. */
#define IMAGE_TIMEOUT_MS  20000
#define IMAGES_TIMEOUT_MS 60000
#define FILE_MAX          (8 * 1024 * 1024)

/* An installed kernel. */
struct kernel {
	char *release;
	char *image;  /* NULL: none was found */
	bool unified; /* the image is a section of a UKI */
};

struct kernels {
	struct kernel *items;
	size_t n;
};

static void kernels_free(struct kernels *k)
{
	for (size_t i = 0; i < k->n; i++) {
		free(k->items[i].release);
		free(k->items[i].image);
	}
	free(k->items);
}

char *image_mark(uint64_t digest)
{
	return format(IMAGE_MARK VERSION "-%016" PRIx64, digest);
}

static bool exists(const char *path)
{
	return path && access(path, F_OK) == 0;
}

/* The file as a string, or NULL. */
static char *read_text(const char *path, size_t max)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = fd < 0 ? NULL : malloc(max + 1);
	ssize_t n = text ? read_full(fd, text, max) : -1;

	if (n < 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

/* --- where images are --- */

/* Where the boot loader's files are:
 * https://uapi-group.org/specifications/specs/boot_loader_specification */
static const char *const boot_roots[] = { "/boot", "/efi", "/boot/efi" };

/* The first of @dir's entries that @wanted takes, as a path; or NULL. */
static char *find_entry(
	const char *dir, bool (*wanted)(const char *path, const char *release), const char *release)
{
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *e;

	if (sysfs_opendir(AT_FDCWD, dir, &d) < 0)
		return NULL;
	while (sysfs_readdir(d, &e) > 0) {
		_cleanup_free_ char *path = format("%s/%s", dir, e->d_name);

		if (path && wanted(path, release)) {
			char *found = path;

			path = NULL;
			return found;
		}
	}
	return NULL;
}

static bool is_unified_of(const char *path, const char *release)
{
	char found[256];

	return uki_release(path, found, sizeof(found)) == 0 && streq(found, release);
}

static char *find_unified(const char *release)
{
	for (size_t i = 0; i < ARRAY_SIZE(boot_roots); i++) {
		_cleanup_free_ char *dir = format("%s/EFI/Linux", boot_roots[i]);
		char *found = dir ? find_entry(dir, is_unified_of, release) : NULL;

		if (found)
			return found;
	}
	return NULL;
}

static bool is_initrd(const char *path, const char *release)
{
	const char *name = strrchr(path, '/') + 1;

	(void)release;
	return skip_prefix(name, "initrd") || skip_prefix(name, "initramfs");
}

static bool has_initrd(const char *path, const char *release)
{
	_cleanup_free_ char *dir = format("%s/%s", path, release);
	_cleanup_free_ char *found = dir ? find_entry(dir, is_initrd, release) : NULL;

	return found;
}

/* Below a directory of the machine's own, ROOT/TOKEN/RELEASE/initrd, as kernel-install(8) puts
 * them. */
static char *find_by_token(const char *release)
{
	for (size_t i = 0; i < ARRAY_SIZE(boot_roots); i++) {
		_cleanup_free_ char *token = find_entry(boot_roots[i], has_initrd, release);
		_cleanup_free_ char *dir = token ? format("%s/%s", token, release) : NULL;

		if (dir)
			return find_entry(dir, is_initrd, release);
	}
	return NULL;
}

/* By their names alone: Debian, Fedora and Void, openSUSE, Gentoo, and image based systems. */
static char *find_by_name(const char *release)
{
	static const char *const places[][2] = {
		{ "/boot/initrd.img-", "" },
		{ "/boot/initramfs-", ".img" },
		{ "/boot/initrd-", "" },
		{ "/boot/initramfs-", "" },
		{ MODULES "/", "/initrd" },
		{ MODULES "/", "/initramfs.img" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *path = format("%s%s%s", places[i][0], release, places[i][1]);

		if (exists(path)) {
			char *found = path;

			path = NULL;
			return found;
		}
	}
	return NULL;
}

/* The value of a line KEY=VALUE of a shell's file, quotes taken off; or NULL. */
static char *shell_value(const char *text, const char *key)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		const char *value;

		line += *line == '\n';
		value = skip_prefix(line, key);
		if (!value || *value++ != '=')
			continue;
		value += *value == '"' || *value == '\'';
		return format("%.*s", (int)strcspn(value, "\"'\n \t"), value);
	}
	return NULL;
}

/* Arch's kernel packages tell their name, "linux", in a file beside their modules, and mkinitcpio's
 * preset of that name where the image goes. */
static char *find_by_preset(const char *release, bool *ret_unified)
{
	_cleanup_free_ char *file = format(MODULES "/%s/pkgbase", release);
	_cleanup_free_ char *base = file ? read_text(file, 256) : NULL;
	_cleanup_free_ char *preset = NULL, *text = NULL, *image = NULL, *unified = NULL;

	if (!base)
		return NULL;
	base[strcspn(base, "\n/")] = '\0';
	preset = format("/etc/mkinitcpio.d/%s.preset", base);
	text = preset ? read_text(preset, FILE_MAX) : NULL;
	image = text ? shell_value(text, "default_image") : NULL;
	unified = text ? shell_value(text, "default_uki") : NULL;
	*ret_unified = !exists(image) && exists(unified);
	if (*ret_unified)
		return format("%s", unified);
	return exists(image) ? format("%s", image) : format("/boot/initramfs-%s.img", base);
}

static bool booted_unified(void)
{
	return exists("/sys/firmware/efi/efivars/StubInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f");
}

/* The one that boots, as far as that can be told: a machine may have a plain image and a UKI. */
static void find_image(struct kernel *k)
{
	k->unified = false;
	k->image = booted_unified() ? find_unified(k->release) : NULL;
	if (k->image) {
		k->unified = true;
		return;
	}
	k->image = find_by_name(k->release);
	if (!k->image)
		k->image = find_by_token(k->release);
	if (!k->image)
		k->image = find_by_preset(k->release, &k->unified);
	if (!exists(k->image)) {
		free(k->image);
		k->image = find_unified(k->release);
		k->unified = k->image;
	}
}

/* A package that is gone leaves files below /lib/modules. */
static bool has_kernel(const char *release)
{
	static const char *const places[][2] = {
		{ "/boot/vmlinuz-", "" },
		{ "/boot/vmlinux-", "" },
		{ "/boot/kernel-", "" },
		{ "/boot/Image-", "" },
		{ MODULES "/", "/vmlinuz" },
		{ MODULES "/", "/pkgbase" },
	};
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(places) && !found; i++) {
		_cleanup_free_ char *path = format("%s%s%s", places[i][0], release, places[i][1]);

		found = exists(path);
	}
	return found;
}

static int newest_first(const void *a, const void *b)
{
	return strverscmp(((const struct kernel *)b)->release, ((const struct kernel *)a)->release);
}

/* 0, or -ENOMEM. */
static int find_kernels(struct kernels *ret)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *e;

	if (sysfs_opendir(AT_FDCWD, MODULES, &dir) < 0)
		return 0;
	while (sysfs_readdir(dir, &e) > 0) {
		struct kernel k = { .release = strdup(e->d_name) }, *place;

		if (!k.release)
			return -ENOMEM;
		find_image(&k);
		place = k.image || has_kernel(k.release)
			? array_add(&ret->items, &ret->n, sizeof(*place))
			: NULL;
		if (!place) {
			free(k.release);
			free(k.image);
			continue;
		}
		*place = k;
	}
	if (ret->n)
		qsort(ret->items, ret->n, sizeof(*ret->items), newest_first);
	return 0;
}

/* --- what is in them --- */

static bool tree_has(const char *release, const char *list, const char *module)
{
	_cleanup_free_ char *path = format(MODULES "/%s/%s", release, list);
	_cleanup_free_ char *text = path ? read_text(path, FILE_MAX) : NULL;

	return text && listing_has_module(text, module);
}

/* The image of the newest kernel boots next, if nobody chooses another one; an older one's is a way
 * back. */
struct judge {
	struct checker *c;
	const struct kernel *kernel;
	bool newest;
};

static void say_image(const struct judge *j, bool note, const char *id, const char *fmt, ...)
	_printf_(4, 5);
static void say_image(const struct judge *j, bool note, const char *id, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	const struct kernel *k = j->kernel;
	va_list ap;

	va_start(ap, fmt);
	text = vformat(fmt, ap);
	va_end(ap);
	say(j->c, j->newest && !note ? SEVERITY_WARNING : SEVERITY_NOTE, id, NULL, NULL,
		"Linux %s%s%s%s: %s", k->release, j->newest ? "" : ", an older one",
		k->image ? ", " : "", k->image ?: "", text ?: "");
}

/* @first: what is to be done before, or NULL. */
static void cure_image(const struct judge *j, const char *first)
{
	const struct kernel *k = j->kernel;
	_cleanup_free_ char *command = host_rebuild_image(k->release, k->image, k->unified);

	cure(j->c, "%s%s%s", first ?: "", first ? ", then type: " : "", command ?: host_rebuild());
}

/* Says so where the module is missing. */
static bool has_module(const struct judge *j, const char *paths, const char *module)
{
	const char *release = j->kernel->release;

	if (tree_has(release, "modules.builtin", module) || listing_has_module(paths, module))
		return true;
	if (tree_has(release, "modules.dep", module)) {
		say_image(j, false, "image-without-vfio", "the image lacks the module %s", module);
		cure_image(j, NULL);
		return false;
	}
	say_image(j, false, "image-without-vfio",
		"the image lacks the module %s, as does " MODULES "/%s", module, release);
	cure_image(j, "install the package that has this kernel's VFIO modules");
	return false;
}

static void check_modules(const struct judge *j, const char *paths)
{
	const struct plan *plan = &j->c->s->plan;

	if (plan->n_steps == 0 || !has_module(j, paths, VFIO_MODULE) ||
		!has_module(j, paths, "vfio_iommu_type1"))
		return;
	for (size_t i = 0; i < plan->n_steps; i++) {
		const char *module = plan->steps[i].module;

		/* Another kernel need not have the driver that was found in this one. */
		if (module && !streq(module, VFIO_MODULE) &&
			tree_has(j->kernel->release, "modules.dep", module) &&
			!has_module(j, paths, module))
			return;
	}
}

/* The version and digest that the image carries, "0.1.0-0123456789abcdef"; or NULL. */
static char *carried(const char *paths)
{
	const char *mark = strstr(paths, IMAGE_MARK);

	if (!mark)
		return NULL;
	mark += strlen(IMAGE_MARK);
	return format("%.*s", (int)strcspn(mark, "\n"), mark);
}

/* Says so where the image is not up to date. */
static bool is_current(const struct judge *j, const char *paths)
{
	_cleanup_free_ char *found = carried(paths);
	char *dash = found ? strrchr(found, '-') : NULL;
	uint64_t digest = 0;

	if (!dash && !strstr(paths, "bin/vfio-early\n")) {
		say_image(j, false, "image-without-us",
			"the image holds no vfio-early, so a boot with it binds nothing");
		cure_image(j, host_hook_missing());
		return false;
	}
	if (dash)
		*dash = '\0';
	if (!dash || !streq(found, VERSION)) {
		say_image(j, false, "image-old-version",
			"the image holds vfio-early %s, and " VERSION " is installed",
			dash ? found : "of an unknown version");
		cure_image(j, host_hook_missing());
		return false;
	}
	if (j->c->s->config_file ||
		(sscanf(dash + 1, "%16" SCNx64, &digest) == 1 && digest == j->c->s->config.digest))
		return true;
	say_image(j, false, "image-old-config",
		"the image holds another configuration than the one that is in /etc now");
	cure_image(j, NULL);
	return false;
}

static void say_unreadable(const struct judge *j, int error, const char *tool)
{
	const char *image = j->kernel->image;

	if (error == -EACCES || error == -EPERM) {
		say_image(j, true, "image-unreadable", "only root can read the image");
		cure(j->c, "sudo vfio-early --check");
	} else if (error == -ENOENT) {
		say_image(j, true, "image-unreadable",
			"nothing here lists an image: there is neither lsinitramfs nor lsinitrd nor lsinitcpio in /usr/bin");
		cure(j->c, "install the package that has your generator's one");
	} else if (tool) {
		say_image(j, true, "image-unreadable", "%s %s", tool,
			error == -ETIME             ? "did not list the image in time"
				: error == -ENODATA ? "listed but a part of the image"
						    : "could not list the image");
		if (!j->kernel->unified)
			cure(j->c, "see why: %s %s", tool, image);
	} else {
		say_image(j, true, "image-unreadable", "the image could not be read: %s",
			strerror(-error));
	}
}

static void check_image(const struct judge *j, int timeout_ms)
{
	_cleanup_(listing_free) struct listing listing = { 0 };
	int r;

	if (!j->kernel->image) {
		say_image(j, !j->c->check->platform.root, "image-missing",
			"no initramfs of this kernel was found");
		/* Built now, it would be written below the mount point. */
		cure_image(j, "see that the file system with the images is mounted");
		return;
	}
	r = listing_make(j->kernel->image, j->kernel->unified, timeout_ms, &listing);
	if (r == -ENOMEM)
		j->c->r = j->c->r ?: r;
	else if (r < 0)
		say_unreadable(j, r, listing.tool);
	else if (is_current(j, listing.paths)) {
		j->c->image_current |= j->newest;
		check_modules(j, listing.paths);
	}
}

void check_images(struct checker *c)
{
	_cleanup_(kernels_free) struct kernels kernels = { 0 };
	int64_t end = now_ms() + IMAGES_TIMEOUT_MS;
	int r;

	if (c->s->no_image || c->s->config_hidden || c->s->config.n_files == 0)
		return;
	r = find_kernels(&kernels);
	c->r = c->r ?: r;
	if (r == 0 && kernels.n == 0) {
		say(c, SEVERITY_NOTE, "image-missing", NULL, NULL,
			"no kernel was found in /boot, /efi or /boot/efi, nor an initramfs: what the next boot has in it was not looked at");
		cure(c, "%s; see that the file system they are on is mounted",
			c->check->platform.root ? "ls /boot" : "sudo vfio-early --check");
	}
	for (size_t i = 0; i < kernels.n; i++) {
		const struct judge j = { .c = c, .kernel = &kernels.items[i], .newest = i == 0 };
		int64_t left = end - now_ms();

		check_image(&j, (int)(left < IMAGE_TIMEOUT_MS ? left : IMAGE_TIMEOUT_MS));
	}
}
