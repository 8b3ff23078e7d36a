/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <limits.h>

#include "hostdev.h"
#include "proc.h"
#include "sysfs.h"
#include "uses.h"

#define LOOP_MAJOR 7 /* Documentation/admin-guide/devices.txt */

/* What a way from a use to its PCI devices leads through. Each is looked at once, so that no loop
 * among them holds it up, and remembers where it was come from. */
enum node_kind {
	NODE_MOUNT,
	NODE_FILE,
	NODE_BLOCK,
	NODE_SUBSYSTEM,
	NODE_NVME,
	NODE_NET,
	NODE_INPUT
};

struct node {
	enum node_kind kind;
	char *name;
	size_t from; /* index of another; its own: the first */
};

struct walk {
	int sysfd;
	const struct snapshot *snapshot;
	const struct mounts *mounts;
	struct uses *uses;
	enum use_kind kind;
	const char *what;
	struct node *nodes;
	size_t n_nodes;
	size_t at;      /* the one that is looked at */
	bool found;     /* at least one PCI device */
	bool has_end;   /* at least one end that is hardware, but no PCI device's */
	char *dead_end; /* why the way could not be followed to one, of the first such end */
};

/* --- the ends of a way --- */

static bool is_known(const struct walk *w, size_t device)
{
	for (size_t i = 0; i < w->uses->n; i++) {
		const struct use *u = &w->uses->items[i];

		if (u->kind == w->kind && u->device == device && streq(u->what, w->what))
			return true;
	}
	return false;
}

/* "/ ← dm-0 ← sda1 ← sda ← END" */
static char *chain_to(const struct walk *w, const char *end)
{
	char *chain = strdup(end);

	for (size_t i = w->at; chain; i = w->nodes[i].from) {
		bool first = w->nodes[i].from == i;
		char *longer = format("%s ← %s", first ? w->what : w->nodes[i].name, chain);

		free(chain);
		chain = longer;
		if (first)
			break;
	}
	return chain;
}

static int add_use(struct walk *w, size_t device, const char *end)
{
	struct use *u;

	w->found = true;
	if (is_known(w, device))
		return 0;
	u = array_add(&w->uses->items, &w->uses->n, sizeof(*u));
	if (!u)
		return -ENOMEM;
	u->kind = w->kind;
	u->device = device;
	u->what = strdup(w->what);
	u->chain = chain_to(w, end);
	return u->what && u->chain ? 0 : -ENOMEM;
}

static int set_dead_end(struct walk *w, const char *fmt, ...) _printf_(2, 3);
static int set_dead_end(struct walk *w, const char *fmt, ...)
{
	va_list ap;

	if (w->dead_end)
		return 0;
	va_start(ap, fmt);
	w->dead_end = vformat(fmt, ap);
	va_end(ap);
	return w->dead_end ? 0 : -ENOMEM;
}

/* Goes on with the next function: at the end of @*end, which grows. */
static int add_function(struct walk *w, struct pci_addr addr, char **end)
{
	const struct pci_device *d = snapshot_find(w->snapshot, addr);
	char *longer;

	if (!d || d->is_bridge)
		return 0;
	longer = *end ? format("%s ← %s", *end, PCI_ADDR(addr)) : strdup(PCI_ADDR(addr));
	if (!longer)
		return -ENOMEM;
	free(*end);
	*end = longer;
	return add_use(w, (size_t)(d - w->snapshot->devices), longer);
}

/* The nearest function, and each one above that it cannot work without: VMD, and the physical
 * function of a virtual one, which is not above it in /sys. */
static int add_functions(struct walk *w, const struct hostdev *h)
{
	_cleanup_free_ char *end = h->usb ? format("usb %s", h->usb) : NULL;
	struct pci_device nearest = { .addr = h->pci[0] };
	char name[32];
	struct pci_addr pf;
	int r = 0;

	if (h->usb && !end)
		return -ENOMEM;
	for (size_t i = 0; i < h->n_pci && r == 0; i++)
		r = add_function(w, h->pci[i], &end);
	if (r == 0 &&
		sysfs_link_name(
			w->sysfd, DEVICE_ATTRIBUTE(&nearest, "physfn"), name, sizeof(name)) == 0 &&
		pci_addr_parse(name, &pf, NULL) == 0)
		r = add_function(w, pf, &end);
	return r;
}

/* --- the steps --- */

static int add_node(struct walk *w, enum node_kind kind, const char *name)
{
	struct node *n;

	for (size_t i = 0; i < w->n_nodes; i++)
		if (w->nodes[i].kind == kind && streq(w->nodes[i].name, name))
			return 0;
	n = array_add(&w->nodes, &w->n_nodes, sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->kind = kind;
	n->from = w->n_nodes == 1 ? 0 : w->at;
	n->name = strdup(name);
	return n->name ? 0 : -ENOMEM;
}

/* The names in a directory of /sys, in order: dm-2 before dm-10. */
struct entries {
	char **names;
	size_t n;
};

static void entries_free(struct entries *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->names[i]);
	free(e->names);
}

static int by_version(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

/* None where there is no such directory. */
static int read_entries(int sysfd, const char *path, struct entries *ret)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *e;
	int r = sysfs_opendir(sysfd, path, &dir);

	while (r >= 0 && sysfs_readdir(dir, &e) > 0) {
		char **place = array_add(&ret->names, &ret->n, sizeof(*place));

		if (!place || !(*place = strdup(e->d_name)))
			return -ENOMEM;
	}
	if (ret->n)
		qsort(ret->names, ret->n, sizeof(*ret->names), by_version);
	return r == -ENOMEM ? r : 0;
}

/* A step to each entry of the directory @path whose name starts with @prefix, which is left out.
 * How many there were, or -ENOMEM. */
static int add_entries(struct walk *w, const char *path, const char *prefix, enum node_kind kind)
{
	_cleanup_(entries_free) struct entries list = { 0 };
	int n = 0, r = read_entries(w->sysfd, path, &list);

	for (size_t i = 0; i < list.n && r == 0; i++) {
		const char *name = skip_prefix(list.names[i], prefix);

		if (!name || !*name)
			continue;
		r = add_node(w, kind, name);
		n++;
	}
	return r < 0 ? r : n;
}

static bool exists(int dirfd, const char *path)
{
	return faccessat(dirfd, path, F_OK, 0) == 0;
}

static int step_file(struct walk *w, const char *path)
{
	const struct mount *m = mount_holding(w->mounts, path);

	return m ? add_node(w, NODE_MOUNT, m->point) : set_dead_end(w, "nothing holds %s", path);
}

/* The kernel's name of the block device that people call /dev/sda1 or /dev/mapper/root. 0, -ENOENT,
 * or -ENOMEM. */
static int find_block(int sysfd, const char *path, char name[static NAME_MAX + 1])
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	_cleanup_(entries_free) struct entries list = { 0 };
	char attribute[PATH_MAX], buf[256];
	int r;

	snprintf(attribute, sizeof(attribute), "class/block/%s", base);
	snprintf(name, NAME_MAX + 1, "%s", base);
	if (*base && exists(sysfd, attribute))
		return 0;
	r = read_entries(sysfd, "class/block", &list);
	for (size_t i = 0; i < list.n; i++) {
		snprintf(name, NAME_MAX + 1, "%s", list.names[i]);
		snprintf(attribute, sizeof(attribute), "class/block/%s/dm/name", name);
		if (sysfs_read(sysfd, attribute, buf, sizeof(buf)) > 0 && streq(buf, base))
			return 0;
	}
	return r < 0 ? r : -ENOENT;
}

/* Every device of the btrfs file system that @block is one of. How many, or -ENOMEM. */
static int add_btrfs(struct walk *w, const char *block)
{
	_cleanup_(entries_free) struct entries list = { 0 };
	int r = read_entries(w->sysfd, "fs/btrfs", &list);

	for (size_t i = 0; i < list.n && r == 0; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "fs/btrfs/%s/devices/%s", list.names[i], block);
		if (!exists(w->sysfd, path))
			continue;
		*strrchr(path, '/') = '\0';
		r = add_entries(w, path, "", NODE_BLOCK);
	}
	return r;
}

/* A file system over several devices has a number of its own; /sys knows those of btrfs, and
 * bcachefs names them all, "/dev/sda:/dev/sdb". */
static int step_multi_device(struct walk *w, const struct mount *m)
{
	const char *separator = streq(m->type, "bcachefs") ? ":" : "";
	_cleanup_free_ char *sources = strdup(m->source);
	char *rest = sources, *source;
	int r = sources ? 0 : -ENOMEM;

	while (r == 0 && (source = strsep(&rest, separator))) {
		char block[NAME_MAX + 1];

		r = find_block(w->sysfd, source, block);
		if (r == 0)
			r = add_btrfs(w, block);
		if (r == 0)
			r = add_node(w, NODE_BLOCK, block);
		else if (r == -ENOENT)
			r = set_dead_end(w, "%s on %s, which is not in /sys", m->type, source);
		r = r < 0 ? r : 0;
	}
	return r;
}

/* The layers of an overlay, "lowerdir=/a:/b,upperdir=/c,workdir=/d". */
static int step_overlay(struct walk *w, const struct mount *m)
{
	_cleanup_free_ char *options = strdup(m->options);
	char *rest = options, *option;
	int r = options ? 0 : -ENOMEM;

	while (r == 0 && (option = strsep(&rest, ","))) {
		char *dirs = skip_prefix(option, "lowerdir="), *dir;

		if (!dirs)
			dirs = skip_prefix(option, "upperdir=");
		while (r == 0 && (dir = strsep(&dirs, ":")))
			if (*dir == '/')
				r = step_file(w, dir);
	}
	return r;
}

static int add_member(void *walk, const char *block)
{
	return add_node(walk, NODE_BLOCK, block);
}

/* "tank/home" is of the pool "tank". */
static int step_zfs(struct walk *w, const struct mount *m)
{
	_cleanup_free_ char *pool = strndup(m->source, strcspn(m->source, "/"));
	const size_t before = w->n_nodes;
	int r = pool ? hostdev_members("zfs_member", pool, add_member, w) : -ENOMEM;

	if (r == 0 && w->n_nodes == before)
		r = set_dead_end(w, "udev knows no disk of the ZFS pool %s", pool);
	return r;
}

static int step_mount(struct walk *w, const char *point)
{
	const struct mount *m = mount_holding(w->mounts, point);
	_cleanup_free_ char *block = NULL;
	int r;

	if (!m)
		return 0;
	if (streq(m->type, "zfs"))
		return step_zfs(w, m);
	if (streq(m->type, "virtiofs"))
		return set_dead_end(
			w, "nothing in /sys tells where virtiofs %s comes from", m->source);
	if (streq(m->type, "overlay"))
		return step_overlay(w, m);
	if (m->major == 0)
		return m->source[0] == '/' ? step_multi_device(w, m) : 0;
	r = hostdev_block_name(m->major, m->minor, &block);
	if (r == -ENOENT)
		return set_dead_end(w, "%s (%u:%u) is not in /sys", m->source, m->major, m->minor);
	return r < 0 ? r : add_node(w, NODE_BLOCK, block);
}

/* Where /sys shows nothing below a block device: the file that a loop device is over, the disk that
 * it is a partition of, or the end. */
static int step_plain_block(struct walk *w, const char *name, const struct hostdev *h)
{
	char path[PATH_MAX], file[PATH_MAX];

	snprintf(path, sizeof(path), "class/block/%s/loop/backing_file", name);
	if (sysfs_read(w->sysfd, path, file, sizeof(file)) > 0)
		return add_node(w, NODE_FILE, file);
	if (h->disk)
		return add_node(w, NODE_BLOCK, h->disk);
	if (h->nvme_subsystem)
		return add_node(w, NODE_SUBSYSTEM, h->nvme_subsystem);
	if (h->n_pci)
		return add_functions(w, h);
	/* In memory, or on a bus of its own: an SD card, Hyper-V. */
	if (!h->is_virtual || skip_prefix(name, "zram") || skip_prefix(name, "ram"))
		return 0;
	return set_dead_end(w, "nothing in /sys tells what %s stands on", name);
}

static int step_block(struct walk *w, const char *name)
{
	_cleanup_(hostdev_free) struct hostdev h = { 0 };
	char path[PATH_MAX];
	int r;

	/* dm, md and bcache say what they are made of. */
	snprintf(path, sizeof(path), "class/block/%s/slaves", name);
	r = add_entries(w, path, "", NODE_BLOCK);
	if (r)
		return r < 0 ? r : 0;
	r = hostdev_find("block", name, &h);
	if (r == -ENOENT)
		return set_dead_end(w, "%s is not in /sys", name);
	return r < 0 ? r : step_plain_block(w, name, &h);
}

/* nvme_init_subsystem() in drivers/nvme/host/core.c links each controller, "nvme0", into it; beside
 * them are the name spaces, "nvme0n1". */
static int step_subsystem(struct walk *w, const char *name)
{
	const size_t before = w->n_nodes;
	_cleanup_(entries_free) struct entries list = { 0 };
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "class/nvme-subsystem/%s", name);
	r = read_entries(w->sysfd, path, &list);
	for (size_t i = 0; i < list.n && r == 0; i++) {
		const char *entry = list.names[i], *number = skip_prefix(entry, "nvme");

		if (number && *number && !number[strspn(number, "0123456789")])
			r = add_node(w, NODE_NVME, entry);
	}
	if (r == 0 && w->n_nodes == before)
		r = set_dead_end(w, "nothing in /sys tells the controllers of %s", name);
	return r;
}

static int step_device(struct walk *w, const char *subsystem, const char *name)
{
	_cleanup_(hostdev_free) struct hostdev h = { 0 };
	int r = hostdev_find(subsystem, name, &h);

	if (r == -ENOENT)
		return set_dead_end(w, "%s is not in /sys", name);
	if (r < 0)
		return r;
	if (h.n_pci)
		return add_functions(w, &h);
	w->has_end |= !h.is_virtual;
	return h.is_virtual ? set_dead_end(w, "nothing in /sys tells what %s stands on", name) : 0;
}

/* net/core/dev.c, netdev_adjacent_sysfs_add(), links to what a bridge, a bond, a VLAN stands on. */
static int step_net(struct walk *w, const char *name)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "class/net/%s", name);
	r = add_entries(w, path, "lower_", NODE_NET);
	return r < 0 ? r : step_device(w, "net", name);
}

static int step(struct walk *w)
{
	/* The nodes move when there is one more, their names do not. */
	const char *name = w->nodes[w->at].name;

	switch (w->nodes[w->at].kind) {
	case NODE_MOUNT:
		return step_mount(w, name);
	case NODE_FILE:
		return step_file(w, name);
	case NODE_BLOCK:
		return step_block(w, name);
	case NODE_SUBSYSTEM:
		return step_subsystem(w, name);
	case NODE_NVME:
		return step_device(w, "nvme", name);
	case NODE_NET:
		return step_net(w, name);
	case NODE_INPUT:
		return step_device(w, "input", name);
	}
	return 0;
}

static int add_unknown(struct uses *u, char *text)
{
	char **place = text ? array_add(&u->unknown, &u->n_unknown, sizeof(*place)) : NULL;

	if (!place) {
		free(text);
		return -ENOMEM;
	}
	*place = text;
	return 0;
}

static void walk_free(struct walk *w)
{
	for (size_t i = 0; i < w->n_nodes; i++)
		free(w->nodes[i].name);
	free(w->nodes);
	free(w->dead_end);
}

/* What is common to all walks. */
struct finder {
	int sysfd;
	const struct snapshot *snapshot;
	struct mounts mounts;
	struct uses uses;
};

/* From the node @kind @name down to all PCI devices. */
static int follow(struct finder *f, enum use_kind kind, const char *what, enum node_kind node,
	const char *name)
{
	_cleanup_(walk_free) struct walk w = {
		.sysfd = f->sysfd,
		.snapshot = f->snapshot,
		.mounts = &f->mounts,
		.uses = &f->uses,
		.kind = kind,
		.what = what,
	};
	bool partly = kind == USE_MOUNT || kind == USE_SWAP;
	int r = add_node(&w, node, name);

	for (; r == 0 && w.at < w.n_nodes; w.at++)
		r = step(&w);
	/* A bridge has ports that lead nowhere, those of virtual machines; a disk that is missing
	 * from a mirror matters. */
	if (r == 0 && w.dead_end && kind != USE_KEYBOARD && (partly || !(w.found || w.has_end)))
		r = add_unknown(&f->uses, format("%s: %s", what, w.dead_end));
	if (kind == USE_KEYBOARD && !w.found && w.has_end)
		f->uses.other_keyboard = true;
	return r;
}

/* --- what the host does --- */

/* The mount points that the host does not run without; of others, one for each file system will do.
 */
static bool is_vital(const char *point)
{
	static const char *const vital[] = { "/", "/boot", "/boot/efi", "/efi", "/home", "/usr",
		"/var" };

	for (size_t i = 0; i < ARRAY_SIZE(vital); i++)
		if (streq(point, vital[i]))
			return true;
	return false;
}

static bool same_file_system(const struct mount *a, const struct mount *b)
{
	/* Each dataset of a pool has a number of its own. */
	if (streq(a->type, "zfs") && streq(b->type, "zfs"))
		return strcspn(a->source, "/") == strcspn(b->source, "/") &&
			strncmp(a->source, b->source, strcspn(a->source, "/")) == 0;
	return a->major == b->major && a->minor == b->minor;
}

static bool is_on_disk(const struct mount *m)
{
	static const char *const types[] = { "btrfs", "bcachefs", "zfs", "virtiofs" };

	/* Containers have overlays by the dozen, snaps have loop devices: nothing that the mount
	 * which holds their files does not say. */
	if (m->major == LOOP_MAJOR || streq(m->type, "overlay"))
		return is_vital(m->point);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (streq(m->type, types[i]))
			return true;
	return m->major != 0;
}

static bool is_said_already(const struct mounts *mounts, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (same_file_system(&mounts->items[k], &mounts->items[i]) &&
			mount_holding(mounts, mounts->items[k].point) == &mounts->items[k])
			return true;
	return false;
}

/* One of the kernel's tables, NULL where it has none; one that cannot be read is said to be so. */
static int open_table(struct finder *f, const char *path, FILE **ret)
{
	int r = file_open(path, ret);

	if (r == 0 || r == -ENOENT)
		return 0;
	return add_unknown(&f->uses, format("%s: %s", path, read_error(r)));
}

static int find_mounts(struct finder *f)
{
	_cleanup_fclose_ FILE *table = NULL;
	int r = open_table(f, "/proc/self/mountinfo", &table);

	if (r == 0 && table)
		r = proc_mounts(table, &f->mounts);

	for (size_t i = 0; i < f->mounts.n && r == 0; i++) {
		const struct mount *m = &f->mounts.items[i];

		if (!is_on_disk(m) || mount_holding(&f->mounts, m->point) != m)
			continue;
		if (is_vital(m->point) || !is_said_already(&f->mounts, i))
			r = follow(f, USE_MOUNT, m->point, NODE_MOUNT, m->point);
	}
	return r;
}

static int find_swap(struct finder *f, const struct swap *s)
{
	char block[NAME_MAX + 1];
	int r;

	if (s->is_file)
		return follow(f, USE_SWAP, s->path, NODE_FILE, s->path);
	r = find_block(f->sysfd, s->path, block);
	if (r == -ENOENT)
		return add_unknown(&f->uses, format("%s: not in /sys", s->path));
	return r < 0 ? r : follow(f, USE_SWAP, s->path, NODE_BLOCK, block);
}

static int find_swaps(struct finder *f)
{
	_cleanup_(swaps_free) struct swaps swaps = { 0 };
	_cleanup_fclose_ FILE *table = NULL;
	int r = open_table(f, "/proc/swaps", &table);

	if (r == 0 && table)
		r = proc_swaps(table, &swaps);

	for (size_t i = 0; i < swaps.n && r == 0; i++)
		r = find_swap(f, &swaps.items[i]);
	return r;
}

static int find_routes(struct finder *f)
{
	_cleanup_(interfaces_free) struct interfaces interfaces = { 0 };
	_cleanup_fclose_ FILE *table = NULL, *table6 = NULL;
	int r = open_table(f, "/proc/net/route", &table);

	if (r == 0)
		r = open_table(f, "/proc/net/ipv6_route", &table6);
	if (r == 0 && table)
		r = proc_routes(table, &interfaces);
	if (r == 0 && table6)
		r = proc_routes6(table6, &interfaces);
	for (size_t i = 0; i < interfaces.n && r == 0; i++)
		r = follow(f, USE_ROUTE, interfaces.names[i], NODE_NET, interfaces.names[i]);
	return r;
}

/* Has all keys from Esc to D (systemd's udev-builtin-input_id.c asks the same): no button, no
 * remote control, no jack of a sound card. */
static bool is_keyboard(int sysfd, const char *input)
{
	char path[PATH_MAX], keys[4096], *last;

	snprintf(path, sizeof(path), "class/input/%s/capabilities/key", input);
	if (sysfs_read(sysfd, path, keys, sizeof(keys)) < 0)
		return false;
	/* Words in hexadecimal, the lowest keys' last (drivers/input/input.c,
	 * input_print_bitmap()). */
	last = strrchr(keys, ' ');
	return (strtoull(last ? last : keys, NULL, 16) & 0xfffffffe) == 0xfffffffe;
}

static int find_keyboards(struct finder *f)
{
	_cleanup_(entries_free) struct entries list = { 0 };
	int r = read_entries(f->sysfd, "class/input", &list);

	for (size_t i = 0; i < list.n && r == 0; i++) {
		const char *input = list.names[i];
		char path[PATH_MAX], name[256];

		if (!skip_prefix(input, "input") || !is_keyboard(f->sysfd, input))
			continue;
		snprintf(path, sizeof(path), "class/input/%s/name", input);
		if (sysfs_read(f->sysfd, path, name, sizeof(name)) <= 0)
			snprintf(name, sizeof(name), "%s", input);
		r = follow(f, USE_KEYBOARD, name, NODE_INPUT, input);
	}
	return r;
}

int uses_find(int sysfd, const struct snapshot *s, struct uses *ret)
{
	struct finder f = { .sysfd = sysfd, .snapshot = s };
	int r = find_mounts(&f);

	if (r == 0)
		r = find_swaps(&f);
	if (r == 0)
		r = find_routes(&f);
	if (r == 0)
		r = find_keyboards(&f);
	mounts_free(&f.mounts);
	if (r < 0)
		uses_free(&f.uses);
	else
		*ret = f.uses;
	return r;
}

void uses_free(struct uses *u)
{
	for (size_t i = 0; i < u->n; i++) {
		free(u->items[i].what);
		free(u->items[i].chain);
	}
	for (size_t i = 0; i < u->n_unknown; i++)
		free(u->unknown[i]);
	free(u->items);
	free(u->unknown);
	*u = (struct uses){ 0 };
}
