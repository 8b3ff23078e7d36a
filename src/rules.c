/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rules.h"

/* Drivers that manage DMA themselves, so that VFIO lives with them in a group (drivers/vfio/
 * vfio_main.c sets driver_managed_dma; drivers/pci/pci-stub.c, too). Variants carry "vfio" in their
 * names: mlx5_vfio_pci, nvgrace_gpu_vfio_pci. */
bool driver_is_vfio_safe(const char *driver)
{
	return streq(driver, VFIO_DRIVER) || streq(driver, "pci-stub") ||
		strstr(driver, "vfio-pci") || strstr(driver, "vfio_pci");
}

/* Functions that do no DMA of their own and that nobody wants bound: bridges, and dummy functions
 * that stand for no device. */
bool device_is_support(const struct pci_device *d)
{
	return d->is_bridge || CLASS_SUB(d->class) == 0x0600 || CLASS_SUB(d->class) == 0x1300;
}

/* The same while no driver, or the bridges' own, uses them. */
bool device_is_passive(const struct pci_device *d)
{
	return device_is_support(d) &&
		(!d->driver || (d->is_bridge && streq(d->driver, "pcieport")));
}

bool device_is_usb_host(const struct pci_device *d)
{
	/* Not USB4's own interface (40), which carries no keyboard, nor a USB device (fe). */
	return CLASS_SUB(d->class) == 0x0c03 && (d->class & 0xff) != 0x40 &&
		(d->class & 0xff) != 0xfe;
}

/* The display that the firmware drew on, else the one that it routed legacy VGA to. */
bool device_is_boot_display(const struct snapshot *s, const struct pci_device *d)
{
	if (CLASS_BASE(d->class) != 0x03 || d->boot_framebuffer)
		return d->boot_framebuffer;
	for (size_t i = 0; i < s->n_devices; i++)
		if (s->devices[i].boot_framebuffer && device_is_display(&s->devices[i]))
			return false;
	return d->boot_vga;
}

const char *cmdline_how(
	const char *how, bool add, const char *word, char buf[static CMDLINE_HOW_LEN])
{
	*buf = '\0';
	if (how && streq(how, "grubby")) {
		/* Half a command is worse than none, and a quote would end the word's. */
		if (strchr(word, '\'') ||
			snprintf(buf, CMDLINE_HOW_LEN,
				" (type: grubby --update-kernel=ALL --%sargs='%s')",
				add ? "" : "remove-", word) >= CMDLINE_HOW_LEN)
			*buf = '\0';
	} else if (how) {
		snprintf(buf, CMDLINE_HOW_LEN, " (%s)", how);
	}
	return buf;
}

char *iommu_cure(const struct snapshot *s, const struct bootwords *w)
{
	if (w->iommu_off && (s->has_dmar || s->has_ivrs))
		return format("take %s from the kernel command line%s, then reboot", w->iommu_off,
			CMDLINE_HOW(w->how, false, w->iommu_off));
	if (s->has_dmar && !w->iommu_on)
		return format(
			"the firmware offers an Intel IOMMU: add intel_iommu=on to the kernel command line%s, then reboot",
			CMDLINE_HOW(w->how, true, "intel_iommu=on"));
	if (s->has_dmar)
		return strdup(
			"the firmware offers an Intel IOMMU and the command line asks for it; why the kernel does not use it, says: dmesg | grep -i dmar");
	if (s->has_viot && !s->has_ivrs)
		return strdup(
			"give this virtual machine an emulated Intel or AMD IOMMU instead (QEMU: -device intel-iommu,intremap=on), or bind on the live system, for example with driverctl");
	if (s->has_ivrs)
		return strdup(
			"the firmware offers an AMD IOMMU, which Linux uses by itself; why it does not, says: dmesg | grep AMD-Vi");
	return strdup(
		"switch on VT-d (Intel) or AMD-Vi / IOMMU (AMD) in the firmware's settings: its tables show none");
}

bool device_same_card(const struct pci_device *a, const struct pci_device *b)
{
	return !a->on_root_bus && pci_addr_siblings(a->addr, b->addr);
}

enum group_verdict group_judge(const struct snapshot *s, const struct iommu_group *g)
{
	const struct pci_device *first = NULL;
	bool shared = false, blocked = false;

	if (g->unreadable || g->noiommu)
		return GROUP_UNUSABLE;
	for_each_member(i, s, g) {
		const struct pci_device *d = &s->devices[i];

		if (d->appears_late || device_is_passive(d))
			continue;
		blocked |= device_is_support(d);
		shared |= first && !device_same_card(first, d);
		first = first ?: d;
	}
	if (!first)
		return GROUP_PASSIVE;
	if (blocked || g->foreign_member)
		return GROUP_BLOCKED;
	return shared ? GROUP_SHARED : GROUP_ISOLATED;
}

const char *group_verdict_name(enum group_verdict verdict)
{
	static const char *const names[] = {
		[GROUP_ISOLATED] = "isolated",
		[GROUP_SHARED] = "shared",
		[GROUP_BLOCKED] = "blocked",
		[GROUP_PASSIVE] = "passive",
		[GROUP_UNUSABLE] = "unusable",
	};

	return names[verdict];
}
