/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <endian.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>

#include "hostdev.h"
#include "rules.h"
#include "scan.h"
#include "sysfs.h"

#define PCI_DEVICES "bus/pci/devices"
#define GROUPS      "kernel/iommu_groups"

static bool exists(int dirfd, const char *path)
{
	return faccessat(dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* --- pass one: what every device is --- */

/* What tells devices apart. A machine may have thousands, and the boot waits for all of this. @name
 * is the device's link in the directory @dirfd. ("uevent" says the same, and waits for the device's
 * lock.) */
static int scan_device(int dirfd, const char *name, struct pci_addr addr, struct pci_device *ret)
{
	struct pci_device d = { .addr = addr, .group = NO_GROUP };
	char path[NAME_MAX + sizeof("/modalias")], buf[4096];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/modalias", name);
	n = sysfs_read_to(dirfd, path, "pci:", buf, sizeof(buf));
	if (n < 0)
		return (int)n;
	if (pci_modalias_parse(buf, &d.id, &d.subsystem, &d.class) < 0)
		return -EBADMSG;
	*ret = d;
	return 0;
}

/* Gone since the directory was read. */
static bool is_gone(int error)
{
	return error == -ENOENT || error == -ENODEV;
}

static int scan_devices(int sysfd, struct snapshot *s, char where[static DEVICE_ATTRIBUTE_LEN])
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *e;
	int r;

	strcpy(where, PCI_DEVICES);
	r = sysfs_opendir(sysfd, PCI_DEVICES, &dir);
	/* No PCI is no error, but nothing at all means that /sys is not mounted. */
	if (r == -ENOENT && exists(sysfd, "bus"))
		return 0;
	if (r < 0)
		return r;
	while ((r = sysfs_readdir(dir, &e)) > 0) {
		struct pci_device d, *place;
		struct pci_addr addr;

		if (pci_addr_parse(e->d_name, &addr, NULL) < 0)
			continue;
		r = scan_device(dirfd(dir), e->d_name, addr, &d);
		if (is_gone(r))
			continue;
		/* What is not known may be any device: the one that is meant, or its twin. */
		if (r < 0) {
			d.addr = addr;
			device_attribute(&d, "modalias", where);
			return r;
		}
		place = array_add(&s->devices, &s->n_devices, sizeof(*place));
		if (!place)
			return -ENOMEM;
		*place = d;
	}
	snapshot_sort(s);
	strcpy(where, PCI_DEVICES); /* what r is about */
	return r;
}

/* --- pass two: the IOMMU groups of the devices that matter --- */

/* The number of the group that the device's link names; NO_GROUP where there is none. */
static int linked_group(int sysfd, const struct pci_device *d)
{
	char name[16], *end;
	long number;

	if (sysfs_link_name(sysfd, DEVICE_ATTRIBUTE(d, "iommu_group"), name, sizeof(name)) < 0)
		return NO_GROUP;
	number = strtol(name, &end, 10);
	return *end || number < 0 || number > INT_MAX ? NO_GROUP : (int)number;
}

static int scan_group_members(int sysfd, struct snapshot *s, struct iommu_group *g)
{
	_cleanup_closedir_ DIR *dir = NULL;
	char path[PATH_MAX];
	struct dirent *e;
	int r;

	snprintf(path, sizeof(path), GROUPS "/%d/devices", g->number);
	r = sysfs_opendir(sysfd, path, &dir);
	if (r < 0)
		return r;
	while ((r = sysfs_readdir(dir, &e)) > 0) {
		struct pci_device *d;
		struct pci_addr addr;

		if (pci_addr_parse(e->d_name, &addr, NULL) < 0) {
			if (!g->foreign_member && !(g->foreign_member = strdup(e->d_name)))
				return -ENOMEM;
			continue;
		}
		/* The devices, this list and the device's link are three reads: between them the
		 * group may have changed. */
		d = snapshot_find(s, addr);
		if (!d || linked_group(sysfd, d) != g->number)
			return -EAGAIN;
		d->group = g->number;
	}
	return r;
}

/* An attribute that a group need not have. */
static int read_optional(int sysfd, int number, const char *name, char *buf, size_t size)
{
	char path[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), GROUPS "/%d/%s", number, name);
	n = sysfs_read(sysfd, path, buf, size);
	if (n < 0)
		buf[0] = '\0';
	return n < 0 && n != -ENOENT ? (int)n : 0;
}

static int scan_group(int sysfd, struct snapshot *s, struct iommu_group *g)
{
	char buf[4096], *rest = buf, *line;
	int r;

	/* drivers/vfio/group.c, vfio_noiommu_group_alloc(), names it so; other groups have no name.
	 */
	r = read_optional(sysfd, g->number, "name", buf, sizeof(buf));
	if (r < 0)
		return r;
	g->noiommu = streq(buf, "vfio-noiommu");

	/* "0x00000000fee00000 0x00000000feefffff msi" each (drivers/iommu/iommu.c). */
	r = read_optional(sysfd, g->number, "reserved_regions", buf, sizeof(buf));
	while (r == 0 && (line = strsep(&rest, "\n")) && *line) {
		char type[32];

		r = sscanf(line, "0x%*x 0x%*x %31s", type) == 1 ? 0 : -EBADMSG;
		g->direct_region |= r == 0 && streq(type, "direct");
	}
	if (r < 0)
		return r;
	return scan_group_members(sysfd, s, g);
}

/* The group that the device's link names, with all of its members. What of it cannot be read is not
 * known to be harmless: the group is marked, and nothing of it will be bound. */
static int scan_group_of(int sysfd, struct snapshot *s, struct pci_device *d)
{
	int r, number = linked_group(sysfd, d);
	struct iommu_group *g;

	if (number == NO_GROUP)
		return 0;
	g = array_add(&s->groups, &s->n_groups, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->number = number;
	r = scan_group(sysfd, s, g);
	if (r == -ENOMEM)
		return r;
	/* A list without the device that led here is older or newer than the link. */
	g->unreadable = r < 0 || d->group != g->number;
	d->group = g->number;
	return 0;
}

static int scan_groups(int sysfd, const struct scan_options *o, struct snapshot *s)
{
	for (size_t i = 0; i < s->n_devices; i++) {
		struct pci_device *d = &s->devices[i];
		int r;

		if (d->group != NO_GROUP || (o->wanted && !o->wanted(d, o->arg)))
			continue;
		r = scan_group_of(sysfd, s, d);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- where devices stand and who holds them, which is asked of few --- */

/* From the link's target, ".../devices/pci0000:00/0000:00:01.0/0000:01:00.0": the device's path
 * from its root bus on. A root bus below another device is VMD's (or, below a VMBUS one,
 * Hyper-V's). */
static void parse_topology(struct pci_device *d, char *link)
{
	struct pci_path path = { 0 };
	bool below_pci = false, below_vmbus = false;
	char *save = NULL;

	for (char *c = strtok_r(link, "/", &save); c; c = strtok_r(NULL, "/", &save)) {
		const char *root = skip_prefix(c, "pci");
		struct pci_addr a;
		uint32_t domain;
		uint8_t bus;

		if (root && pci_bus_parse(root, &domain, &bus) == 0) {
			below_pci = path.n_hops > 0;
			path = (struct pci_path){ .domain = domain, .bus = bus };
		} else if (pci_addr_parse(c, &a, NULL) == 0) {
			if (path.n_hops == PCI_PATH_HOPS)
				return;
			path.hop[path.n_hops].dev = a.dev;
			path.hop[path.n_hops++].fn = a.fn;
		} else if (skip_prefix(c, "VMBUS")) {
			below_vmbus = true;
		}
	}
	d->path = path;
	d->on_root_bus = path.n_hops == 1;
	d->behind_vmd = below_pci;
	d->appears_late = below_pci || below_vmbus;
}

static int read_driver(int sysfd, const char *path, char **ret)
{
	char driver[NAME_MAX + 1];
	int r = sysfs_link_name(sysfd, path, driver, sizeof(driver));

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	*ret = strdup(driver);
	return *ret ? 0 : -ENOMEM;
}

static int scan_place(int sysfd, struct pci_device *d, char where[static DEVICE_ATTRIBUTE_LEN])
{
	char link[PATH_MAX];
	ssize_t n;

	snprintf(where, DEVICE_ATTRIBUTE_LEN, PCI_DEVICES "/%s", PCI_ADDR(d->addr));
	n = readlinkat(sysfd, where, link, sizeof(link) - 1);
	if (n >= 0) {
		link[n] = '\0';
		parse_topology(d, link);
	}
	return read_driver(sysfd, device_attribute(d, "driver", where), &d->driver);
}

/* Whether the device is one of these, a function of the same device, or a twin; or may be the last
 * one of what the host needs. */
static bool is_beside(
	const struct pci_device *d, const struct pci_device *const *others, size_t n_others)
{
	if (device_is_display(d) || device_is_usb_host(d))
		return true;
	for (size_t i = 0; i < n_others; i++)
		if (pci_id_equal(d->id, others[i]->id) ||
			pci_addr_siblings(d->addr, others[i]->addr))
			return true;
	return false;
}

static int scan_places(int sysfd, const struct scan_options *o, struct snapshot *s,
	char where[static DEVICE_ATTRIBUTE_LEN])
{
	_cleanup_free_ const struct pci_device **told = calloc(s->n_devices + 1, sizeof(*told));
	size_t n = 0;
	int r = told ? 0 : -ENOMEM;

	for (size_t i = 0; i < s->n_devices && r == 0 && o->told; i++)
		if (s->devices[i].group != NO_GROUP || o->told(&s->devices[i], o->arg))
			told[n++] = &s->devices[i];
	for (size_t i = 0; i < s->n_devices && r == 0; i++)
		if (!o->told || is_beside(&s->devices[i], told, n))
			r = scan_place(sysfd, &s->devices[i], where);
	return r;
}

/* --- pass three: what a few devices are besides --- */

/* From struct screen_info at the start of boot_params (include/uapi/linux/screen_info.h); 0: not
 * told. */
static uint64_t screen_info_framebuffer(int sysfd)
{
	enum {
		IS_VGA = 0x0f,
		LFB_BASE = 0x18,
		CAPABILITIES = 0x36,
		EXT_LFB_BASE = 0x3a,
		LENGTH = 0x40
	};
	enum { TYPE_VLFB = 0x23, TYPE_EFI = 0x70, CAPABILITY_64BIT = 1 << 1 };
	unsigned char info[LENGTH];
	uint32_t low, high, capabilities;

	if (sysfs_read_bytes(sysfd, "kernel/boot_params/data", info, LENGTH) != LENGTH ||
		(info[IS_VGA] != TYPE_VLFB && info[IS_VGA] != TYPE_EFI))
		return 0;
	memcpy(&low, info + LFB_BASE, sizeof(low));
	memcpy(&high, info + EXT_LFB_BASE, sizeof(high));
	memcpy(&capabilities, info + CAPABILITIES, sizeof(capabilities));
	if (!(le32toh(capabilities) & CAPABILITY_64BIT))
		high = 0;
	return le32toh(low) ? (uint64_t)le32toh(high) << 32 | le32toh(low) : 0;
}

/* From the resource that sysfb claims; 0: not told. */
static uint64_t iomem_framebuffer(void)
{
	_cleanup_free_ char *text = NULL;
	uint64_t base;
	char *rest, *line;
	size_t len;

	if (file_read("/proc/iomem", PROC_IOMEM_MAX, &text, &len) < 0)
		return 0;
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (strstr(line, " : BOOTFB") && sscanf(line, " %" SCNx64 "-", &base) == 1)
			return base;
	return 0;
}

/* The six BARs are "0xSTART 0xEND 0xFLAGS" each. */
int scan_bars_hold(int sysfd, const struct pci_device *d, uint64_t address)
{
	char buf[4096], *rest = buf, *line;
	ssize_t n = sysfs_read(sysfd, DEVICE_ATTRIBUTE(d, "resource"), buf, sizeof(buf));

	if (n < 0)
		return (int)n;
	for (int bar = 0; bar < 6; bar++) {
		uint64_t start, end;

		line = strsep(&rest, "\n");
		if (!line || sscanf(line, "%" SCNx64 " %" SCNx64, &start, &end) != 2)
			return -EBADMSG;
		if (end && address >= start && address <= end)
			return 1;
	}
	return 0;
}

/* What cannot be told from another display is guarded as if it were the one that boots. */
static bool is_boot_vga(int sysfd, const struct pci_device *d)
{
	char value[8];
	ssize_t n = sysfs_read(sysfd, DEVICE_ATTRIBUTE(d, "boot_vga"), value, sizeof(value));

	return n < 0 ? n != -ENOENT : !streq(value, "0");
}

static void scan_displays(int sysfd, struct snapshot *s)
{
	/* Where the firmware left it, as a physical address. */
	uint64_t framebuffer = screen_info_framebuffer(sysfd) ?: iomem_framebuffer();

	for (size_t i = 0; i < s->n_devices; i++) {
		struct pci_device *d = &s->devices[i];

		if (CLASS_BASE(d->class) != 0x03)
			continue;
		d->boot_vga = is_boot_vga(sysfd, d);
		d->boot_framebuffer = framebuffer && scan_bars_hold(sysfd, d, framebuffer);
	}
}

/* The attribute exists for bridges only; its presence wakes nothing, unlike reading "config". */
static void scan_bridges(int sysfd, struct snapshot *s)
{
	for (size_t i = 0; i < s->n_devices; i++) {
		struct pci_device *d = &s->devices[i];

		/* Only in a group is it asked whether one is a bridge; the class spares the others.
		 */
		if (d->group != NO_GROUP || CLASS_BASE(d->class) == 0x06)
			d->is_bridge = exists(sysfd, DEVICE_ATTRIBUTE(d, "secondary_bus_number"));
	}
}

static void scan_iommu(int sysfd, struct snapshot *s)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *e;

	s->iommu_active =
		sysfs_opendir(sysfd, "class/iommu", &dir) == 0 && sysfs_readdir(dir, &e) > 0;
	s->has_dmar = exists(sysfd, "firmware/acpi/tables/DMAR");
	s->has_ivrs = exists(sysfd, "firmware/acpi/tables/IVRS");
	s->has_viot = exists(sysfd, "firmware/acpi/tables/VIOT");
}

/* --- a live system --- */

/* A module has the attribute initstate, what is built in has not (libkmod-module.c does the same).
 */
static bool driver_is_builtin(int sysfd, const char *driver)
{
	char path[PATH_MAX], module[128];

	snprintf(path, sizeof(path), "bus/pci/drivers/%s/module", driver);
	if (sysfs_link_name(sysfd, path, module, sizeof(module)) < 0)
		return true;
	snprintf(path, sizeof(path), "module/%s/initstate", module);
	return !exists(sysfd, path);
}

static void scan_live(int sysfd, struct snapshot *s)
{
	for (size_t i = 0; i < s->n_devices; i++) {
		struct pci_device *d = &s->devices[i];
		char path[PATH_MAX], buf[32];

		d->driver_builtin = d->driver && driver_is_builtin(sysfd, d->driver);
		device_attribute(d, "physfn", path);
		d->appears_late |= exists(sysfd, path);
		/* Below an external port: pci_set_removable() in drivers/pci/probe.c. */
		device_attribute(d, "removable", path);
		d->appears_late |=
			sysfs_read(sysfd, path, buf, sizeof(buf)) > 0 && streq(buf, "removable");
	}
}

int scan_machine(int sysfd, const struct scan_options *o, struct snapshot *ret,
	char ret_where[static DEVICE_ATTRIBUTE_LEN])
{
	_cleanup_(snapshot_free) struct snapshot s = { 0 };
	int r;

	r = scan_devices(sysfd, &s, ret_where);
	/* Where all are told, @wanted may ask for it. */
	if (r == 0 && !o->told)
		r = scan_places(sysfd, o, &s, ret_where);
	if (r == 0)
		r = scan_groups(sysfd, o, &s);
	if (r == 0 && o->told)
		r = scan_places(sysfd, o, &s, ret_where);
	if (r < 0)
		return r;
	scan_bridges(sysfd, &s);
	scan_displays(sysfd, &s);
	scan_iommu(sysfd, &s);
	if (o->live) {
		scan_live(sysfd, &s);
		r = hostdev_names(&s);
		if (r < 0)
			return r;
	} else {
		/* What is there is there: nothing that this snapshot has can appear later. */
		for (size_t i = 0; i < s.n_devices; i++)
			s.devices[i].appears_late = false;
	}
	*ret = s;
	s = (struct snapshot){ 0 };
	return 0;
}
