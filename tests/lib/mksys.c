/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mksys LISTING ROOT [RELEASE]: below ROOT, which must be there, the /sys of the machine that the
 * listing describes (machine.h), as far as vfio-early, libudev and libkmod look at it: sys/, and
 * dev/vfio/; where it tells what the host does, the kernel's tables of that, proc/, and udev's
 * database, run/. With RELEASE also the modules of that kernel, lib/modules/RELEASE (depmod has to
 * index them), and what the listing wants of modprobe.d, etc/modprobe.d/machine.conf. */

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <sys/stat.h>

#include "machine.h"

static const char *program;
static const struct machine *machine;
static const struct snapshot *snapshot;

static void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program, what, strerror(errno));
	exit(1);
}

/* printf() into a path; nothing that is cut may be used. */
static void pathf(char buf[static PATH_MAX], const char *fmt, ...) _printf_(2, 3);
static void pathf(char buf[static PATH_MAX], const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, PATH_MAX, fmt, ap);
	va_end(ap);
	if (n < 0 || n >= PATH_MAX) {
		errno = ENAMETOOLONG;
		die(fmt);
	}
}

/* --- files below the working directory, their directories made as needed --- */

static void make_dirs(const char *path)
{
	char copy[PATH_MAX];

	pathf(copy, "%s", path);
	for (char *c = strchr(copy, '/'); c; c = strchr(c + 1, '/')) {
		*c = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			die(copy);
		*c = '/';
	}
}

static void put_bytes(const char *path, const void *bytes, size_t len)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 && errno == ENOENT) {
		make_dirs(path);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	}
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		die(path);
}

static void put(const char *dir, const char *name, const char *fmt, ...) _printf_(3, 4);
static void put(const char *dir, const char *name, const char *fmt, ...)
{
	char path[PATH_MAX], text[4096];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pathf(path, "%s/%s", dir, name);
	put_bytes(path, text, (size_t)n);
}

/* A link from @path to @target, both below the working directory: relative, as sysfs makes them. */
static void put_link(const char *path, const char *target)
{
	char to[PATH_MAX] = "";
	size_t same = 0, n = 0;

	for (size_t i = 0; path[i] && path[i] == target[i]; i++)
		if (path[i] == '/')
			same = i + 1;
	for (const char *c = strchr(path + same, '/'); c; c = strchr(c + 1, '/'))
		n += (size_t)snprintf(to + n, sizeof(to) - n, "../");
	snprintf(to + n, sizeof(to) - n, "%s", target + same);
	if (symlink(to, path) < 0 && errno == ENOENT) {
		make_dirs(path);
		if (symlink(to, path) == 0)
			return;
	}
	if (errno != EEXIST && access(path, F_OK) < 0)
		die(path);
}

/* --- devices --- */

static const struct machine_device *more_of(size_t i)
{
	return &machine->more[i];
}

/* "sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0" */
static void device_path(size_t i, char buf[static PATH_MAX])
{
	const struct pci_device *d = &snapshot->devices[i];
	long parent = more_of(i)->parent;
	size_t n;

	if (parent >= 0) {
		device_path((size_t)parent, buf);
	} else if (d->appears_late && !more_of(i)->vf && !more_of(i)->removable) {
		/* Hyper-V hands functions over on a bus of its own. */
		snprintf(buf, PATH_MAX,
			"sys/devices/LNXSYSTM:00/LNXSYBUS:00/ACPI0004:00/VMBUS:00/%08zx", i);
	} else {
		snprintf(buf, PATH_MAX, "sys/devices");
	}
	n = strlen(buf);
	if (parent < 0 || snapshot->devices[parent].addr.domain != d->addr.domain)
		n += (size_t)snprintf(
			buf + n, PATH_MAX - n, "/pci%04x:%02x", d->addr.domain, d->addr.bus);
	snprintf(buf + n, PATH_MAX - n, "/%s", PCI_ADDR(d->addr));
}

static uint64_t bar_start(size_t i)
{
	return 0xa0000000 + (uint64_t)i * 0x1000000;
}

static void put_modalias(const char *dir, const struct pci_device *d)
{
	put(dir, "modalias", "%s\n", device_modalias(d, (char[MODALIAS_LEN]){ 0 }));
}

/* As pci_uevent() writes it, drivers/pci/pci-driver.c. */
static void put_uevent(const char *dir, const struct pci_device *d)
{
	put(dir, "uevent",
		"%s%s%sPCI_CLASS=%04X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\nPCI_SLOT_NAME=%s\nMODALIAS=%s\n",
		d->driver ? "DRIVER=" : "", d->driver ?: "", d->driver ? "\n" : "", d->class,
		d->id.vendor, d->id.device, d->subsystem.vendor, d->subsystem.device,
		PCI_ADDR(d->addr), device_modalias(d, (char[MODALIAS_LEN]){ 0 }));
}

/* Six BARs, the ROM and the rest; BAR 0 alone is in use. */
static void put_resource(const char *dir, size_t i)
{
	char text[2048];
	size_t n = 0;

	for (int line = 0; line < 13; line++) {
		bool used = line == 0 && !snapshot->devices[i].is_bridge;

		n += (size_t)snprintf(text + n, sizeof(text) - n, "0x%016llx 0x%016llx 0x%016llx\n",
			used ? (unsigned long long)bar_start(i) : 0ULL,
			used ? (unsigned long long)bar_start(i) + 0xffffff : 0ULL,
			used ? 0x40200ULL : 0ULL);
	}
	put(dir, "resource", "%s", text);
}

/* The standard header: vendor, device, class, header type. */
static void put_config(const char *dir, const struct pci_device *d)
{
	unsigned char header[64] = {
		[0] = (unsigned char)d->id.vendor,
		[1] = (unsigned char)(d->id.vendor >> 8),
		[2] = (unsigned char)d->id.device,
		[3] = (unsigned char)(d->id.device >> 8),
		[9] = (unsigned char)d->class,
		[10] = (unsigned char)(d->class >> 8),
		[11] = (unsigned char)(d->class >> 16),
		[14] = d->is_bridge,
	};
	char path[PATH_MAX];

	pathf(path, "%s/config", dir);
	put_bytes(path, header, sizeof(header));
}

static void put_bridge(const char *dir, size_t i)
{
	unsigned bus = 0;

	for (size_t k = 0; k < snapshot->n_devices; k++)
		if (more_of(k)->parent == (long)i)
			bus = snapshot->devices[k].addr.bus;
	put(dir, "secondary_bus_number", "%u\n", bus);
	put(dir, "subordinate_bus_number", "%u\n", bus);
}

static void put_physfn(const char *dir, size_t i)
{
	struct pci_addr addr = snapshot->devices[i].addr;
	char path[PATH_MAX], target[PATH_MAX];
	const struct pci_device *pf;

	addr.dev = addr.fn = 0;
	pf = snapshot_find(snapshot, more_of(i)->has_physfn ? more_of(i)->physfn : addr);
	pathf(path, "%s/physfn", dir);
	if (pf)
		device_path((size_t)(pf - snapshot->devices), target);
	else
		pathf(target, "sys/devices/nowhere");
	put_link(path, target);
}

static void put_driver(const char *dir, const struct pci_device *d)
{
	char path[PATH_MAX], driver[PATH_MAX], module[128];

	pathf(driver, "sys/bus/pci/drivers/%s", d->driver);
	pathf(path, "%s/driver", dir);
	put_link(path, driver);
	pathf(path, "%s/%s", driver, PCI_ADDR(d->addr));
	put_link(path, dir);
	put(driver, "bind", "%s", "");
	put(driver, "unbind", "%s", "");
	put(driver, "new_id", "%s", "");
	snprintf(module, sizeof(module), "%s", d->driver);
	for (char *c = module; *c; c++)
		if (*c == '-')
			*c = '_';
	pathf(path, "sys/module/%s", module);
	put(path, "uevent", "%s", "");
	if (!d->driver_builtin)
		put(path, "initstate", "live\n");
	pathf(driver, "sys/bus/pci/drivers/%s/module", d->driver);
	put_link(driver, path);
}

/* What a virtual machine opens, root's alone, and the module that it needs. */
static void put_vfio_node(const struct pci_device *d)
{
	char name[16], path[PATH_MAX];

	snprintf(name, sizeof(name), "%d", d->group);
	put("dev/vfio", name, "%s", "");
	pathf(path, "dev/vfio/%s", name);
	if (chmod(path, 0600) < 0)
		die(path);
	if (machine->module.type1)
		put("sys/module/vfio_iommu_type1", "initstate", "live\n");
}

static void put_device(size_t i)
{
	const struct pci_device *d = &snapshot->devices[i];
	char dir[PATH_MAX], path[PATH_MAX], group[PATH_MAX];

	device_path(i, dir);
	put_uevent(dir, d);
	put_modalias(dir, d);
	put_resource(dir, i);
	put_config(dir, d);
	put(dir, "vendor", "0x%04x\n", d->id.vendor);
	put(dir, "device", "0x%04x\n", d->id.device);
	put(dir, "class", "0x%06x\n", d->class);
	put(dir, "driver_override", "(null)\n");
	if (d->class >> 8 == 0x0300)
		put(dir, "boot_vga", "%d\n", d->boot_vga);
	if (d->is_bridge)
		put_bridge(dir, i);
	if (more_of(i)->removable)
		put(dir, "removable", "removable\n");
	if (more_of(i)->vf)
		put_physfn(dir, i);
	if (!d->is_bridge) {
		put(dir, "reset", "%s", "");
		put(dir, "reset_method", "bus\n");
	}
	if (d->driver)
		put_driver(dir, d);
	if (d->driver && d->group != NO_GROUP && streq(d->driver, "vfio-pci"))
		put_vfio_node(d);
	pathf(path, "%s/subsystem", dir);
	put_link(path, "sys/bus/pci");
	pathf(path, "sys/bus/pci/devices/%s", PCI_ADDR(d->addr));
	put_link(path, dir);
	if (d->group == NO_GROUP)
		return;
	pathf(group, "sys/kernel/iommu_groups/%d", d->group);
	pathf(path, "%s/iommu_group", dir);
	put_link(path, group);
	pathf(path, "%s/devices/%s", group, PCI_ADDR(d->addr));
	put_link(path, dir);
}

/* --- the rest of /sys --- */

static void put_group(const struct iommu_group *g)
{
	char dir[PATH_MAX], path[PATH_MAX], target[PATH_MAX];

	pathf(dir, "sys/kernel/iommu_groups/%d", g->number);
	if (access(dir, F_OK) < 0)
		return; /* no device is in it */
	put(dir, "type", "%s\n", g->noiommu ? "(null)" : "DMA-FQ");
	put(dir, "reserved_regions", "%s%s",
		g->direct_region ? "0x00000000bdea8000 0x00000000bdeb6fff direct\n" : "",
		"0x00000000fee00000 0x00000000feefffff msi\n");
	if (g->noiommu)
		put(dir, "name", "vfio-noiommu\n");
	if (!g->foreign_member)
		return;
	pathf(target, "sys/devices/platform/%s", g->foreign_member);
	put(target, "uevent", "%s", "");
	pathf(path, "%s/devices/%s", dir, g->foreign_member);
	put_link(path, target);
}

/* struct screen_info at the start of struct boot_params, as the EFI stub fills it. */
static void put_screen_info(void)
{
	unsigned char params[4096] = { 0 };

	for (size_t i = 0; i < snapshot->n_devices; i++) {
		uint64_t base = bar_start(i);

		if (!snapshot->devices[i].boot_framebuffer)
			continue;
		params[0x0f] = 0x70;
		params[0x36] = 1 << 1;
		for (size_t k = 0; k < 4; k++) {
			params[0x18 + k] = (unsigned char)(base >> 8 * k);
			params[0x3a + k] = (unsigned char)(base >> (32 + 8 * k));
		}
	}
	make_dirs("sys/kernel/boot_params/data");
	put_bytes("sys/kernel/boot_params/data", params, sizeof(params));
}

static void put_vfio_driver(void)
{
	const struct pci_device like = {
		.driver = (char[]){ "vfio-pci" },
		.driver_builtin = machine->module.state == MODULE_BUILTIN,
	};
	static const char *const parameters[] = {
		"disable_denylist",
		"disable_idle_d3",
		"disable_vga",
		"enable_sriov",
		"nointxmask",
	};

	if (machine->module.state != MODULE_LOADED && machine->module.state != MODULE_BUILTIN)
		return;
	put_driver("sys/no-device", &like);
	unlink("sys/bus/pci/drivers/vfio-pci/0000:00:00.0");
	unlink("sys/no-device/driver");
	rmdir("sys/no-device");
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		put("sys/module/vfio_pci/parameters", parameters[i], "N\n");
}

static void put_sys(void)
{
	make_dirs("sys/bus/");
	if (snapshot->n_devices) {
		put("sys/bus/pci", "drivers_probe", "%s", "");
		make_dirs("sys/bus/pci/devices/");
		make_dirs("sys/bus/pci/drivers/");
	}
	make_dirs("sys/class/iommu/");
	make_dirs("sys/module/");
	make_dirs("sys/kernel/iommu_groups/");
	make_dirs("sys/firmware/acpi/tables/");
	for (size_t i = 0; i < snapshot->n_devices; i++)
		put_device(i);
	for (size_t i = 0; i < snapshot->n_groups; i++)
		put_group(&snapshot->groups[i]);
	if (snapshot->iommu_active) {
		put("sys/devices/virtual/iommu/dmar0", "uevent", "%s", "");
		put_link("sys/class/iommu/dmar0", "sys/devices/virtual/iommu/dmar0");
	}
	if (snapshot->has_dmar)
		put("sys/firmware/acpi/tables", "DMAR", "DMAR");
	if (snapshot->has_ivrs)
		put("sys/firmware/acpi/tables", "IVRS", "IVRS");
	if (snapshot->has_viot)
		put("sys/firmware/acpi/tables", "VIOT", "VIOT");
	put_screen_info();
	put_vfio_driver();
}

/* --- what the host does: its disks, interfaces, keyboards, and the tables in /proc --- */

struct block {
	char name[64];
	char dir[PATH_MAX];
	unsigned major, minor;
};

static struct block blocks[64];
static size_t n_blocks;
static const char *host_line;

static _Noreturn void bad_host_line(const char *why)
{
	fprintf(stderr, "%s: '%s': %s\n", program, host_line, why);
	exit(1);
}

static const struct block *find_block(const char *name)
{
	for (size_t i = 0; i < n_blocks; i++)
		if (streq(blocks[i].name, name))
			return &blocks[i];
	return NULL;
}

static const struct block *need_block(const char *name)
{
	const struct block *b = name ? find_block(name) : NULL;

	if (!b)
		bad_host_line("expected a block device that stands above");
	return b;
}

static void put_line(const char *path, const char *fmt, ...) _printf_(2, 3);
static void put_line(const char *path, const char *fmt, ...)
{
	_cleanup_fclose_ FILE *f = NULL;
	va_list ap;

	make_dirs(path);
	f = fopen(path, "ae");
	if (!f)
		die(path);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
}

/* What a device needs for libudev to know its subsystem, and to find it there. */
static void put_subsystem(const char *dir, const char *kind, const char *subsystem)
{
	char path[PATH_MAX], target[PATH_MAX];

	pathf(path, "%s/subsystem", dir);
	pathf(target, "sys/%s/%s", kind, subsystem);
	put_link(path, target);
	pathf(path, "sys/%s/%s/%s%s", kind, subsystem, streq(kind, "bus") ? "devices/" : "",
		strrchr(dir, '/') + 1);
	put_link(path, dir);
}

/* The directory for what is on PLACE: a USB device has its own, and its interface's. */
static void place_path(const char *place, const char *usb, char buf[static PATH_MAX])
{
	struct pci_addr addr;
	const struct pci_device *d;
	char dir[PATH_MAX];

	if (streq(place, "platform") || streq(place, "virtual")) {
		pathf(buf, "sys/devices/%s", streq(place, "virtual") ? place : "platform/thing");
		if (streq(place, "platform"))
			put(buf, "uevent", "%s", "");
		return;
	}
	if (skip_prefix(place, "nvme-subsys")) {
		pathf(buf, "sys/devices/virtual/nvme-subsystem/%s", place);
		return;
	}
	if (pci_addr_parse(place, &addr, NULL) < 0 || !(d = snapshot_find(snapshot, addr)))
		bad_host_line("expected PLACE: a device's address, platform or virtual");
	device_path((size_t)(d - snapshot->devices), buf);
	if (!usb)
		return;
	pathf(dir, "%s/usb%.*s/%s", buf, (int)strcspn(usb, "-"), usb, usb);
	put(dir, "uevent", "DEVTYPE=usb_device\n");
	put_subsystem(dir, "bus", "usb");
	pathf(buf, "%s/%s:1.0", dir, usb);
	put(buf, "uevent", "DEVTYPE=usb_interface\n");
	put_subsystem(buf, "bus", "usb");
}

/* "on PLACE", to the end of @rest. */
static void parse_place(char *rest, char buf[static PATH_MAX])
{
	char *on = strsep(&rest, " "), *place = strsep(&rest, " "), *usb = strsep(&rest, " ");

	if (!on || !streq(on, "on") || !place || (usb && !streq(usb, "usb")))
		bad_host_line("expected 'on PLACE'");
	place_path(place, usb ? rest : NULL, buf);
}

static struct block *put_block(const char *dir, const char *name, const char *devtype)
{
	struct block *b = &blocks[n_blocks];
	char path[PATH_MAX];

	if (++n_blocks > ARRAY_SIZE(blocks))
		bad_host_line("too many block devices");
	snprintf(b->name, sizeof(b->name), "%s", name);
	pathf(b->dir, "%s/%s", dir, name);
	b->major = skip_prefix(name, "loop") ? 7 : 8;
	b->minor = (unsigned)n_blocks;
	put(b->dir, "uevent", "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\nDEVTYPE=%s\n", b->major, b->minor,
		name, devtype);
	put_subsystem(b->dir, "class", "block");
	pathf(path, "sys/dev/block/%u:%u", b->major, b->minor);
	put_link(path, b->dir);
	if (streq(devtype, "disk")) {
		pathf(path, "%s/slaves/", b->dir);
		make_dirs(path);
	}
	return b;
}

static void put_disk(const char *name, char *rest)
{
	char place[PATH_MAX], dir[PATH_MAX];

	parse_place(rest, place);
	pathf(dir, "%s%s", place, strstr(place, "nvme-subsystem/") ? "" : "/block");
	put_block(dir, name, "disk");
}

static void put_part(const char *name, char *rest)
{
	char *of = strsep(&rest, " ");

	if (!of || !streq(of, "of"))
		bad_host_line("expected 'part NAME of DISK'");
	put_block(need_block(rest)->dir, name, "partition");
}

static void put_layer(char *name, char *rest)
{
	char *dm_name = name, path[PATH_MAX], *of = strsep(&rest, " "), *below;
	const struct block *b;

	name = strsep(&dm_name, "=");
	b = put_block("sys/devices/virtual/block", name, "disk");
	if (dm_name) {
		pathf(path, "%s/dm", b->dir);
		put(path, "name", "%s\n", dm_name);
	}
	while (of && (below = strsep(&rest, " "))) {
		pathf(path, "%s/slaves/%s", b->dir, below);
		put_link(path, need_block(below)->dir);
	}
}

static void put_loop(const char *name, char *rest)
{
	const struct block *b = put_block("sys/devices/virtual/block", name, "disk");
	const char *file = skip_prefix(rest, "of ");
	char path[PATH_MAX];

	if (!file)
		bad_host_line("expected 'loop NAME of FILE'");
	pathf(path, "%s/loop", b->dir);
	put(path, "backing_file", "%s\n", file);
}

static void put_nvme(const char *name, char *rest)
{
	char *in = strstr(rest, " in "), dir[PATH_MAX], path[PATH_MAX], subsystem[PATH_MAX];

	if (!in)
		bad_host_line("expected 'nvme NAME on ADDRESS in SUBSYSTEM'");
	*in = '\0';
	parse_place(rest, path);
	pathf(dir, "%s/nvme/%s", path, name);
	put(dir, "uevent", "DEVNAME=%s\n", name);
	put_subsystem(dir, "class", "nvme");
	pathf(subsystem, "sys/devices/virtual/nvme-subsystem/%s", in + 4);
	put(subsystem, "uevent", "%s", "");
	put_subsystem(subsystem, "class", "nvme-subsystem");
	pathf(path, "%s/%s", subsystem, name);
	put_link(path, dir);
}

static void put_btrfs(char *rest)
{
	static unsigned n;
	char path[PATH_MAX], *name;

	n++;
	while ((name = strsep(&rest, " "))) {
		pathf(path, "sys/fs/btrfs/00000000-0000-0000-0000-%012u/devices/%s", n, name);
		put_link(path, need_block(name)->dir);
	}
	make_dirs("sys/fs/btrfs/features/");
}

static void put_zfs(const char *pool, char *rest)
{
	char path[PATH_MAX], *of = strsep(&rest, " "), *name;

	while (of && (name = strsep(&rest, " "))) {
		const struct block *b = need_block(name);

		pathf(path, "b%u:%u", b->major, b->minor);
		put("run/udev/data", path, "E:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL=%s\n", pool);
	}
}

/* The same for the same source: a file system has one number, a subvolume has not. */
static unsigned anonymous_number(const char *source)
{
	static char sources[64][128];
	static unsigned n;
	unsigned i = 0;

	while (i < n && !streq(sources[i], source))
		i++;
	if (i == ARRAY_SIZE(sources))
		bad_host_line("too many sources");
	if (i == n)
		snprintf(sources[n++], sizeof(sources[0]), "%s", source);
	return 20 + i;
}

static void put_mount(const char *point, char *rest)
{
	char *source = strsep(&rest, " "), *type = strsep(&rest, " ");
	const struct block *b = find_block(source);

	put_line("proc/self/mountinfo", "29 1 %u:%u / %s rw,relatime shared:1 - %s %s%s %s\n",
		b ? b->major : 0, b ? b->minor : anonymous_number(source), point, type ?: "ext4",
		b ? "/dev/" : "", source, rest ?: "rw");
}

static void put_swap(const char *path, const char *type)
{
	if (access("proc/swaps", F_OK) < 0)
		put_line("proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	put_line("proc/swaps", "%-40s%-16s8388604\t0\t-2\n", path, type);
}

static void put_net(const char *name, char *rest)
{
	static unsigned n;
	char dir[PATH_MAX], place[PATH_MAX], *below;
	bool over = streq(rest, "of") || skip_prefix(rest, "of ");

	if (over)
		pathf(dir, "sys/devices/virtual/net/%s", name);
	else {
		parse_place(rest, place);
		pathf(dir, "%s/net/%s", place, name);
	}
	put(dir, "uevent", "INTERFACE=%s\nIFINDEX=%u\n", name, ++n);
	put_subsystem(dir, "class", "net");
	strsep(&rest, " ");
	while (over && (below = strsep(&rest, " "))) {
		char path[PATH_MAX], target[PATH_MAX];

		pathf(target, "sys/class/net/%s", below);
		if (access(target, F_OK) < 0)
			bad_host_line("expected an interface that stands above");
		pathf(path, "%s/lower_%s", dir, below);
		put_link(path, target);
	}
}

static void put_route(const char *name)
{
	if (access("proc/net/route", F_OK) < 0)
		put_line("proc/net/route",
			"Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\t"
			"Metric\tMask\tMTU\tWindow\tIRTT\n");
	put_line("proc/net/route", "%s\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
		name);
	put_line("proc/net/route", "%s\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
		name);
}

static void put_route6(const char *name)
{
	static const char zero[] = "00000000000000000000000000000000";

	put_line("proc/net/ipv6_route",
		"%s 00 %s 00 fd000000000000000000000000000001 00000400 00000003 00000000 00000003 %8s\n"
		"%s 00 %s 00 %s ffffffff 00000001 00000000 00200200       lo\n",
		zero, zero, name, zero, zero, zero);
}

/* @keys as a keyboard or an ACPI button has them. */
static void put_input(char *rest, const char *keys)
{
	static unsigned n;
	char place[PATH_MAX], dir[PATH_MAX], path[PATH_MAX], *name = strstr(rest, ": ");

	if (!name)
		bad_host_line("expected 'on PLACE: NAME'");
	*name = '\0';
	parse_place(rest, place);
	pathf(dir, "%s/input/input%u", place, ++n);
	put(dir, "uevent", "PRODUCT=3/1/2/110\n");
	put(dir, "name", "%s\n", name + 2);
	put_subsystem(dir, "class", "input");
	pathf(path, "%s/capabilities", dir);
	put(path, "key", "%s\n", keys);
}

static void put_host_line(char *line)
{
	char *word = strsep(&line, " "), *name;

	if (!line)
		bad_host_line("expected more");
	if (streq(word, "keyboard"))
		return put_input(
			line, "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe");
	if (streq(word, "buttons"))
		return put_input(line, "8000 10000000000000 0");
	if (streq(word, "btrfs"))
		return put_btrfs(skip_prefix(line, "of ") ?: line);
	name = strsep(&line, " ");
	if (streq(word, "route"))
		return put_route(name);
	if (streq(word, "route6"))
		return put_route6(name);
	if (!line)
		bad_host_line("expected more");
	if (streq(word, "disk"))
		put_disk(name, line);
	else if (streq(word, "part"))
		put_part(name, line);
	else if (streq(word, "layer"))
		put_layer(name, line);
	else if (streq(word, "loop"))
		put_loop(name, line);
	else if (streq(word, "nvme"))
		put_nvme(name, line);
	else if (streq(word, "zfs"))
		put_zfs(name, line);
	else if (streq(word, "mount"))
		put_mount(name, line);
	else if (streq(word, "swap"))
		put_swap(name, line);
	else if (streq(word, "net"))
		put_net(name, line);
}

static void put_host(void)
{
	for (size_t i = 0; i < machine->n_host; i++) {
		_cleanup_free_ char *line = strdup(machine->host[i]);

		host_line = machine->host[i];
		if (!line)
			die(host_line);
		put_host_line(line);
	}
}

/* --- modules --- */

/* The least that depmod and libkmod take for a module: an ELF file with a section .modinfo. */
static void put_module(const char *dir, const char *name, const char *alias)
{
	static const char names[] = "\0.modinfo\0.shstrtab";
	struct {
		Elf64_Ehdr header;
		char modinfo[1024];
		char names[sizeof(names)];
		Elf64_Shdr sections[3];
	} ko = {
		.header = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
				ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_REL, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
			.e_ehsize = sizeof(Elf64_Ehdr), .e_shentsize = sizeof(Elf64_Shdr),
			.e_shnum = 3, .e_shstrndx = 2,
		},
	};
	char path[PATH_MAX];
	size_t len;

	len = (size_t)snprintf(ko.modinfo, sizeof(ko.modinfo), "license=GPL%cname=%s%c%s", '\0',
		      name, '\0', alias ?: "description=") +
		1;
	/* A section's strings end in NUL; more aliases come a line each. */
	for (char *c = ko.modinfo; c < ko.modinfo + len; c++)
		*c = *c == '\n' ? '\0' : *c;
	memcpy(ko.names, names, sizeof(names));
	ko.header.e_shoff = offsetof(typeof(ko), sections);
	ko.sections[1] = (Elf64_Shdr){ .sh_name = 1,
		.sh_type = SHT_PROGBITS,
		.sh_flags = SHF_ALLOC,
		.sh_offset = offsetof(typeof(ko), modinfo),
		.sh_size = len,
		.sh_addralign = 1 };
	ko.sections[2] = (Elf64_Shdr){ .sh_name = 10,
		.sh_type = SHT_STRTAB,
		.sh_offset = offsetof(typeof(ko), names),
		.sh_size = sizeof(names),
		.sh_addralign = 1 };
	pathf(path, "%s/kernel/drivers/vfio/%s.ko", dir, name);
	make_dirs(path);
	put_bytes(path, &ko, sizeof(ko));
}

/* A variant driver's module, with the alias by which it is found. */
static void put_variant(const char *dir, const struct pci_device *d)
{
	char alias[128];

	snprintf(alias, sizeof(alias), "alias=vfio_pci:v%08Xd%08Xsv*sd*bc*sc*i*", d->id.vendor,
		d->id.device);
	put_module(dir, d->variant, alias);
}

/* The same of a driver's. Drivers for more than one device share a module. */
static void put_wanted(const char *dir, size_t i)
{
	char alias[PATH_MAX];
	size_t len = 0;
	const char *name = more_of(i)->wants;

	for (size_t k = 0; k < snapshot->n_devices; k++) {
		const struct pci_device *d = &snapshot->devices[k];

		if (more_of(k)->wants && streq(more_of(k)->wants, name))
			len += (size_t)snprintf(alias + len, sizeof(alias) - len,
				"%salias=pci:v%08Xd%08Xsv*sd*bc*sc*i*", len ? "\n" : "",
				d->id.vendor, d->id.device);
	}
	put_module(dir, name, alias);
}

static void put_modules(const char *release)
{
	const struct module_facts *m = &machine->module;
	bool builtin = m->state == MODULE_BUILTIN;
	char dir[PATH_MAX];

	pathf(dir, "lib/modules/%s", release);
	put(dir, "modules.order", "%s", "");
	put(dir, "modules.builtin", "%s", builtin ? "kernel/drivers/vfio/vfio-pci.ko\n" : "");
	if (!builtin && m->state != MODULE_MISSING)
		put_module(dir, "vfio-pci", NULL);
	if (m->type1)
		put_module(dir, "vfio_iommu_type1", NULL);
	for (size_t i = 0; i < snapshot->n_devices; i++)
		if (snapshot->devices[i].variant)
			put_variant(dir, &snapshot->devices[i]);
	for (size_t i = 0; i < snapshot->n_devices; i++)
		if (more_of(i)->wants)
			put_wanted(dir, i);
	put("etc/modprobe.d", "machine.conf", "%s%s%s%s%s%s%s",
		m->state == MODULE_BLACKLISTED ? "blacklist vfio-pci\n" : "",
		m->dropped_ids ? "options vfio-pci ids=" : "", m->dropped_ids ?: "",
		m->dropped_ids ? "\n" : "", m->unapplied ? "options vfio-pci " : "",
		m->unapplied ?: "", m->unapplied ? "\n" : "");
}

static char *read_all(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	size_t size = 0, n;
	char *text = NULL;

	if (!f)
		die(path);
	do {
		text = realloc(text, size + 65536);
		if (!text)
			die(path);
		n = fread(text + size, 1, 65535, f);
		size += n;
		text[size] = '\0';
	} while (n);
	return text;
}

int main(int argc, char **argv)
{
	_cleanup_free_ char *text = NULL;
	struct machine m;

	program = argv[0];
	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: %s LISTING ROOT [RELEASE]\n", program);
		return 3;
	}
	text = read_all(argv[1]);
	if (machine_parse(text, &m) < 0) {
		fprintf(stderr, "%s:%zu: %s\n", argv[1], m.line, m.error ?: "out of memory");
		machine_free(&m);
		return 1;
	}
	machine = &m;
	snapshot = &m.snapshot;
	if (chdir(argv[2]) < 0)
		die(argv[2]);
	put_sys();
	put_host();
	if (argc == 4)
		put_modules(argv[3]);
	machine_free(&m);
	return 0;
}
