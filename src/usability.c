/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "history.h"
#include "scan.h"
#include "sysfs.h"
#include "rules.h"
#include "usability.h"

/* Whether a VFIO driver holds the device, vfio-pci or the one that this boot chose for it. */
static bool is_bound(const struct checker *c, const struct pci_device *d)
{
	const struct record_device *then =
		c->check->record ? record_find(c->check->record, d->addr) : NULL;
	const char *driver = device_driver_now(d);

	return driver && (streq(driver, VFIO_DRIVER) || (then && streq(driver, then->driver)));
}

static bool plan_says_of(const struct checker *c, const char *id, const struct pci_device *d)
{
	const struct findings *f = &c->s->plan.findings;

	for (size_t i = 0; i < f->n; i++)
		if (streq(f->items[i].id, id) && f->items[i].has_addr &&
			pci_addr_cmp(f->items[i].addr, d->addr) == 0)
			return true;
	return false;
}

static bool has_attribute(const struct checker *c, const struct pci_device *d, const char *name)
{
	return faccessat(c->s->sysfd, DEVICE_ATTRIBUTE(d, name), F_OK, 0) == 0;
}

/* --- resets --- */

/* VFIO can reset a bus below a bridge where it has all devices on it
 * (drivers/vfio/pci/vfio_pci_core.c, vfio_pci_dev_set_try_reset()). */
static bool has_bus(const struct checker *c, const struct pci_device *d)
{
	const struct snapshot *s = &c->s->snapshot;

	for (size_t i = 0; i < s->n_devices; i++) {
		const struct pci_device *o = &s->devices[i];

		if (o->addr.domain == d->addr.domain && o->addr.bus == d->addr.bus &&
			!taker(c, (size_t)(o - c->s->snapshot.devices), false))
			return false;
	}
	return !d->on_root_bus;
}

/* Both attributes are there only where there is a method (drivers/pci/pci-sysfs.c and pci.c); an
 * administrator can take all methods from reset_method. */
static void check_reset(struct checker *c, const struct plan_target *t, const struct pci_device *d)
{
	char methods[64];
	ssize_t n = sysfs_read(
		c->s->sysfd, DEVICE_ATTRIBUTE(d, "reset_method"), methods, sizeof(methods));

	if (n == 0) {
		say(c, SEVERITY_WARNING, "reset-off", t->target->name, d,
			"all reset methods of %s are switched off: a virtual machine finds it as the last one left it",
			PCI_ADDR(d->addr));
		cure(c, "echo default > /sys/bus/pci/devices/%s/reset_method", PCI_ADDR(d->addr));
	} else if (n < 0 && !has_attribute(c, d, "reset") && !has_bus(c, d)) {
		say(c, SEVERITY_NOTE, "no-reset", t->target->name, d,
			"the kernel has no way to reset %s: a virtual machine finds it as the last one left it, and may not start a second time",
			PCI_ADDR(d->addr));
		if (!d->on_root_bus)
			cure(c, "bind all devices on its bus, which VFIO then resets: vfio-early --suggest %s",
				PCI_ADDR(d->addr));
	}
}

/* --- memory --- */

/* What a console driver holds. */
static bool is_framebuffer(const char *resource)
{
	static const char *const names[] = { "BOOTFB", "efifb", "vesafb", "simplefb",
		"simple-framebuffer", "simpledrm" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(resource, names[i]))
			return true;
	return false;
}

/* "  e0000000-e02fffff : efifb"; the addresses are zeros for all but root. */
static void check_framebuffer(
	struct checker *c, const struct plan_target *t, const struct pci_device *d)
{
	_cleanup_free_ char *text = NULL;
	char name[64], *rest, *line;
	uint64_t start;
	size_t len;

	if (CLASS_BASE(d->class) != 0x03 || plan_says_of(c, "framebuffer-stays", d) ||
		file_read("/proc/iomem", PROC_IOMEM_MAX, &text, &len) < 0)
		return;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		if (sscanf(line, " %" SCNx64 "-%*x : %63s", &start, name) != 2 || start == 0 ||
			!is_framebuffer(name) || scan_bars_hold(c->s->sysfd, d, start) <= 0)
			continue;
		say(c, SEVERITY_WARNING, "framebuffer-holds", t->target->name, d,
			"%s of the host's console still holds memory of %s (in /proc/iomem): VFIO will not get it",
			name, PCI_ADDR(d->addr));
		cure(c, "add initcall_blacklist=sysfb_init to the kernel command line%s, then reboot",
			CMDLINE_HOW(c->s->words.how, true, "initcall_blacklist=sysfb_init"));
		return;
	}
}

/* --- who may open it --- */

/* VFIO wants it opened for reading and writing. */
static void say_who(struct checker *c, const struct plan_target *t, const struct pci_device *d,
	const char *node, const struct stat *st)
{
	unsigned mode = st->st_mode & 07777;
	const unsigned both = S_IROTH | S_IWOTH;

	if ((mode & both) == both) {
		say(c, SEVERITY_WARNING, "vfio-node-open", t->target->name, d,
			"every user may open %s (mode %04o), and with it have %s", node, mode,
			PCI_ADDR(d->addr));
		cure(c, "find the udev rule that says so: grep -r vfio /etc/udev/rules.d");
	} else if (access(node, R_OK | W_OK) < 0) {
		say(c, SEVERITY_NOTE, "vfio-node-closed", t->target->name, d,
			"you may not open %s (user %u, group %u, mode %04o), so neither may a virtual machine that you start",
			node, (unsigned)st->st_uid, (unsigned)st->st_gid, mode);
		cure(c, "let libvirt start it, which opens it as root; or have udev give it to a group of yours, in /etc/udev/rules.d/70-vfio.rules: SUBSYSTEM==\"vfio\", GROUP=\"kvm\", MODE=\"0660\"");
	} else if (st->st_uid != 0) {
		say(c, SEVERITY_NOTE, "vfio-node-shared", t->target->name, d,
			"beside root, user %u may open %s", (unsigned)st->st_uid, node);
	} else if (st->st_gid != 0 && (mode >> 3 & both) == both) {
		say(c, SEVERITY_NOTE, "vfio-node-shared", t->target->name, d,
			"beside root, group %u may open %s", (unsigned)st->st_gid, node);
	}
}

/* Once for each group. */
static void check_node(struct checker *c, const struct plan_target *t, const struct pci_device *d)
{
	char node[32];
	struct stat st;

	for (const struct pci_device *o = c->s->snapshot.devices; o < d; o++)
		if (o->group == d->group && taker(c, (size_t)(o - c->s->snapshot.devices), false) &&
			is_bound(c, o))
			return;
	snprintf(node, sizeof(node), "/dev/vfio/%d", d->group);
	if (stat(node, &st) == 0) {
		say_who(c, t, d, node, &st);
		return;
	}
	/* A kernel without groups has a file for each device, which only iommufd needs. */
	if (errno != ENOENT || access("/dev/vfio/devices", F_OK) == 0)
		return;
	say(c, SEVERITY_WARNING, "no-vfio-node", t->target->name, d,
		"there is no %s, by which a virtual machine opens %s", node, PCI_ADDR(d->addr));
	cure(c, "udevadm trigger --action=add --subsystem-match=vfio; ls -l /dev/vfio");
}

/* --- the machine --- */

/* What a virtual machine needs beside the devices, in the one way or the other. */
static void check_type1(struct checker *c)
{
	if (faccessat(c->s->sysfd, "module/vfio_iommu_type1", F_OK, 0) == 0 ||
		faccessat(c->s->sysfd, "module/iommufd", F_OK, 0) == 0 ||
		plan_says(c, "type1-missing"))
		return;
	say(c, SEVERITY_WARNING, "type1-not-loaded", NULL, NULL,
		"devices are bound, but neither vfio_iommu_type1 nor iommufd is in the kernel: no virtual machine can use them");
	cure(c, "modprobe vfio_iommu_type1");
}

static bool last_byte_is_1(const char *path)
{
	unsigned char value[8];
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read_full(fd, (char *)value, sizeof(value));

	return n > 0 && value[n - 1] == 1;
}

/* systemd-stub(7): with Secure Boot on it takes the built-in command line alone. An EFI variable's
 * file has four bytes of attributes before its value. */
static void check_stub(struct checker *c)
{
	if (access("/sys/firmware/efi/efivars/StubInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
		    F_OK) < 0 ||
		!last_byte_is_1(
			"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"))
		return;
	say(c, SEVERITY_NOTE, "words-locked", NULL, NULL,
		"this boot was that of a unified kernel image under Secure Boot, whose kernel command line is built in: rd.vfio-early=0 cannot be typed in the boot menu");
	cure(c, "make and sign a second one beforehand, with rd.vfio-early=0 in its command line, as the way back");
}

/* 'allow' consents to the binding, not to what comes of it. */
static void check_regions(struct checker *c, const struct plan_target *t)
{
	for (size_t i = 0; i < t->n_devices; i++) {
		const struct pci_device *d = &c->s->snapshot.devices[t->devices[i].device];
		const struct iommu_group *g = snapshot_group(&c->s->snapshot, d->group);

		if (!g || !g->direct_region)
			continue;
		say(c, SEVERITY_NOTE, "reserved-region", t->target->name, d,
			"%s will be bound as 'allow' says, but firmware reserves memory for IOMMU group %d: VFIO refuses it when a virtual machine starts",
			PCI_ADDR(d->addr), g->number);
		cure(c, "see what the firmware's settings offer (RMRR, for network cards and RAID controllers of servers): cat /sys/kernel/iommu_groups/%d/reserved_regions",
			g->number);
		return;
	}
}

static void check_planned(struct checker *c, const struct plan_target *t, bool *any_bound)
{
	check_regions(c, t);
	for (size_t i = 0; i < t->n_devices; i++) {
		const struct pci_device *d = &c->s->snapshot.devices[t->devices[i].device];

		check_reset(c, t, d);
		if (!is_bound(c, d))
			continue;
		*any_bound = true;
		check_framebuffer(c, t, d);
		check_node(c, t, d);
	}
}

/* --- groups that changed --- */

static void say_changed(struct checker *c, const struct plan_target *t, const struct pci_device *d,
	const struct past_group *past)
{
	_cleanup_free_ char *now = history_members(&c->s->snapshot, d->group);

	if (!now || streq(now, past->members))
		return;
	say(c, t->verdict == VERDICT_REFUSED ? SEVERITY_WARNING : SEVERITY_NOTE, "group-changed",
		t->target->name, d,
		"the IOMMU group of %s is another one than when it was last seen bound (Linux %s): now %s, then %s",
		PCI_ADDR(d->addr), past->kernel, now, past->members);
	cure(c, "see what is new or gone: vfio-early --list %s; it comes with updates of firmware or kernel, and with cards that move",
		PCI_ADDR(d->addr));
}

/* What shares a group is decided by firmware and kernel; where they change, a target that was
 * isolated is refused all at once. */
static void check_history(struct checker *c)
{
	_cleanup_(history_free) struct history history = { 0 };
	const struct plan *plan = &c->s->plan;
	int r = history_read(HISTORY_FILE, &history);

	if (r == -ENOMEM)
		c->r = c->r ?: r;
	for (size_t i = 0; i < plan->n_targets; i++) {
		const struct plan_target *t = &plan->targets[i];

		for (size_t j = 0; j < t->n_devices; j++) {
			const struct pci_device *d = &c->s->snapshot.devices[t->devices[j].device];
			const struct past_group *past = history_find(&history, d);

			if (past)
				say_changed(c, t, d, past);
			if (is_bound(c, d))
				history_put(&history, &c->s->snapshot, d);
		}
	}
	/* Nothing depends on it: where it cannot be written, the next change is not noticed. */
	if (c->check->platform.root && history.changed)
		history_write(&history, HISTORY_DIR);
}

void check_usability(struct checker *c)
{
	bool any_bound = false;

	for (size_t i = 0; i < c->s->plan.n_targets; i++)
		if (c->s->plan.targets[i].verdict == VERDICT_BIND)
			check_planned(c, &c->s->plan.targets[i], &any_bound);
	if (any_bound)
		check_type1(c);
	if (c->s->config.n_targets)
		check_stub(c);
	if (!c->s->config_file)
		check_history(c);
}
