/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshot.h"

static int by_address(const void *a, const void *b)
{
	const struct pci_device *x = a, *y = b;

	return pci_addr_cmp(x->addr, y->addr);
}

void snapshot_sort(struct snapshot *s)
{
	if (s->n_devices)
		qsort(s->devices, s->n_devices, sizeof(*s->devices), by_address);
}

static int by_number(const void *a, const void *b)
{
	const struct iommu_group *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

void snapshot_sort_groups(struct snapshot *s)
{
	if (s->n_groups == 0)
		return;
	qsort(s->groups, s->n_groups, sizeof(*s->groups), by_number);
	for (size_t i = 0; i < s->n_devices; i++) {
		const struct iommu_group key = { .number = s->devices[i].group };
		struct iommu_group *g =
			bsearch(&key, s->groups, s->n_groups, sizeof(*s->groups), by_number);

		if (g && g->end == 0)
			g->first = i;
		if (g)
			g->end = i + 1;
	}
}

size_t snapshot_member(const struct snapshot *s, const struct iommu_group *g, size_t i)
{
	size_t end = g->end ? g->end : s->n_devices;

	if (i < g->first)
		i = g->first;
	while (i < end && s->devices[i].group != g->number)
		i++;
	return i < end ? i : s->n_devices;
}

size_t snapshot_lower_bound(const struct snapshot *s, struct pci_addr addr)
{
	size_t low = 0, high = s->n_devices;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (pci_addr_cmp(s->devices[mid].addr, addr) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct pci_device *snapshot_find(const struct snapshot *s, struct pci_addr addr)
{
	size_t i = snapshot_lower_bound(s, addr);

	if (i == s->n_devices || pci_addr_cmp(s->devices[i].addr, addr) != 0)
		return NULL;
	return &s->devices[i];
}

struct iommu_group *snapshot_group(const struct snapshot *s, int number)
{
	for (size_t i = 0; i < s->n_groups; i++)
		if (s->groups[i].number == number)
			return &s->groups[i];
	return NULL;
}

void snapshot_project(struct snapshot *s, struct module_facts *m)
{
	for (size_t i = 0; i < s->n_devices; i++) {
		struct pci_device *d = &s->devices[i];

		if (d->driver_builtin)
			continue;
		free(d->driver_late);
		d->driver_late = d->driver;
		d->driver = NULL;
	}
	if (!m || m->state != MODULE_LOADED)
		return;
	m->state = m->blacklisted ? MODULE_BLACKLISTED : MODULE_LOADABLE;
	/* It will be loaded anew, with them. */
	free(m->unapplied);
	m->unapplied = NULL;
}

const char *device_driver_now(const struct pci_device *d)
{
	return d->driver ?: d->driver_late;
}

const char *device_modalias(const struct pci_device *d, char buf[static MODALIAS_LEN])
{
	snprintf(buf, MODALIAS_LEN, "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X", d->id.vendor,
		d->id.device, d->subsystem.vendor, d->subsystem.device, d->class >> 16 & 0xff,
		d->class >> 8 & 0xff, d->class & 0xff);
	return buf;
}

const char *device_attribute(
	const struct pci_device *d, const char *name, char buf[static DEVICE_ATTRIBUTE_LEN])
{
	snprintf(buf, DEVICE_ATTRIBUTE_LEN, "bus/pci/devices/%s/%s", PCI_ADDR(d->addr), name);
	return buf;
}

bool device_is_display(const struct pci_device *d)
{
	return CLASS_SUB(d->class) == 0x0300 || CLASS_SUB(d->class) == 0x0380;
}

const char *class_name(uint32_t class)
{
	/* The PCI Code and ID Assignment Specification's classes that a machine of today has, in
	 * the words of pci.ids; a subclass of 0xff stands for the rest of its class. */
	static const struct {
		uint16_t class;
		const char *name;
	} names[] = {
		{ 0x0104, "RAID controller" },
		{ 0x0106, "SATA controller" },
		{ 0x0107, "SAS controller" },
		{ 0x0108, "NVMe controller" },
		{ 0x01ff, "storage controller" },
		{ 0x0200, "Ethernet controller" },
		{ 0x02ff, "network controller" },
		{ 0x0300, "VGA controller" },
		{ 0x0302, "3D controller" },
		{ 0x03ff, "display controller" },
		{ 0x0401, "audio controller" },
		{ 0x0403, "audio device" },
		{ 0x04ff, "multimedia device" },
		{ 0x0500, "RAM memory" },
		{ 0x05ff, "memory controller" },
		{ 0x0600, "host bridge" },
		{ 0x0601, "ISA bridge" },
		{ 0x0604, "PCI bridge" },
		{ 0x06ff, "bridge" },
		{ 0x07ff, "communication controller" },
		{ 0x0806, "IOMMU" },
		{ 0x08ff, "system peripheral" },
		{ 0x0c03, "USB controller" },
		{ 0x0c05, "SMBus" },
		{ 0x0cff, "serial bus controller" },
		{ 0x0d80, "wireless controller" },
		{ 0x10ff, "encryption controller" },
		{ 0x11ff, "signal processing controller" },
		{ 0x12ff, "processing accelerator" },
		{ 0x1300, "non-essential instrumentation" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].class == CLASS_SUB(class) ||
			names[i].class == (CLASS_SUB(class) | 0xff))
			return names[i].name;
	return "device";
}

void snapshot_free(struct snapshot *s)
{
	for (size_t i = 0; i < s->n_devices; i++) {
		free(s->devices[i].driver);
		free(s->devices[i].driver_late);
		free(s->devices[i].override);
		free(s->devices[i].name);
		free(s->devices[i].variant);
		free(s->devices[i].variant_missing);
	}
	for (size_t i = 0; i < s->n_groups; i++)
		free(s->groups[i].foreign_member);
	free(s->devices);
	free(s->groups);
	*s = (struct snapshot){ 0 };
}

void module_facts_free(struct module_facts *m)
{
	free(m->where);
	free(m->dropped_ids);
	free(m->dropped_ids_from);
	free(m->dropped_ids_cure);
	free(m->unapplied);
	*m = (struct module_facts){ 0 };
}
