/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The machine as plain data: what scan.c read, and what plan.c decides upon. */

#include "pciaddr.h"
#include "util.h"

#define NO_GROUP (-1)

/* PCI classes: 24 bits of base class, subclass, programming interface (include/linux/pci_ids.h). */
#define CLASS_BASE(class) ((class) >> 16)
#define CLASS_SUB(class)  ((class) >> 8)

struct pci_device {
	struct pci_addr addr;
	struct pci_id id;
	struct pci_id subsystem;
	uint32_t class;
	struct pci_path path; /* n_hops == 0 where it could not be told */
	char *driver;         /* bound driver, NULL: none */
	char *driver_late;    /* after snapshot_project(): the one that came after the hook */
	char *override;       /* driver_override, where someone read it and it is set; or NULL */
	bool driver_builtin;  /* only told of a live system: it was there before any initramfs */
	bool is_bridge;       /* has the attribute secondary_bus_number */
	bool behind_vmd;      /* its root bus hangs below another PCI device */
	bool on_root_bus;
	bool appears_late; /* a live system only: a VF, below VMD or Hyper-V, or hot-plugged */
	bool boot_vga;
	bool boot_framebuffer; /* one of its BARs holds the firmware's framebuffer */
	char *variant; /* module of the VFIO driver made for it, if it can be used; or NULL */
	char *variant_missing; /* the same where that module is not there; or NULL */
	int group;             /* IOMMU group; NO_GROUP where none, or where nobody asked */
	char *name;            /* vendor and model from udev's hardware database, or NULL */
};

struct iommu_group {
	int number;
	bool noiommu;         /* VFIO's unsafe mode: no isolation at all */
	bool direct_region;   /* a "direct" reserved region: RMRR or IVMD */
	bool unreadable;      /* not all of it could be read: whatever is in it is unknown */
	char *foreign_member; /* a member that is no PCI device, or NULL */
	size_t first, end;    /* its members are among these devices; end 0: among all */
};

struct snapshot {
	struct pci_device *devices; /* in order of address */
	size_t n_devices;
	struct iommu_group *groups; /* those of the devices that the configuration names */
	size_t n_groups;
	bool iommu_active; /* /sys/class/iommu has an entry */
	bool has_dmar;     /* the firmware has the table of an Intel IOMMU */
	bool has_ivrs;     /* the same of an AMD one */
	bool has_viot;     /* the same of a virtio-iommu (drivers/acpi/viot.c) */
};

/* The VFIO driver for any device: its module, and the driver's own name, as driver_override wants
 * it. */
#define VFIO_MODULE "vfio_pci"
#define VFIO_DRIVER "vfio-pci"

/* The VFIO driver's module, as module.c found it. */
enum module_state {
	MODULE_MISSING,
	MODULE_BLACKLISTED,
	MODULE_LOADABLE,
	MODULE_LOADED,
	MODULE_BUILTIN
};

struct module_facts {
	enum module_state state;
	bool blacklisted;  /* also where it is in the kernel all the same */
	char *where;       /* the tree that was searched, "/lib/modules/6.12.0": for messages */
	char *dropped_ids; /* the value of the "ids=" that was left out, or NULL */
	char *dropped_ids_from; /* where it stands; NULL: not known */
	char *dropped_ids_cure; /* the commands that take it away; NULL: not known */
	char *unapplied; /* options that a module which is in the kernel already does not have, or
			    NULL */
	const char *rebuild; /* the host's command for a new image; NULL: not known. Not owned */
	bool type1;          /* vfio_iommu_type1 is there, in whatever state */
};

/* NULL where there is no such device or group. */
struct pci_device *snapshot_find(const struct snapshot *s, struct pci_addr addr);
struct iommu_group *snapshot_group(const struct snapshot *s, int number);
/* Where the first device at or behind the address stands in the order: functions of one device
 * follow each other. */
size_t snapshot_lower_bound(const struct snapshot *s, struct pci_addr addr);
/* Puts the devices in order; look-ups work only then. */
void snapshot_sort(struct snapshot *s);
/* Puts the groups in order of number and notes where their members stand, for people, who are shown
 * all of them; nothing else needs it. */
void snapshot_sort_groups(struct snapshot *s);
/* The first member of the group at or behind the index @i, or s->n_devices. */
size_t snapshot_member(const struct snapshot *s, const struct iommu_group *g, size_t i);
#define for_each_member(i, s, g) \
	for (size_t i = snapshot_member((s), (g), 0); (i) < (s)->n_devices; \
		(i) = snapshot_member((s), (g), (i) + 1))

/* The machine as it was when the hook ran: devices that appear late are marked, not removed (a
 * target may name one), and a driver that is not built in holds nothing yet. The module that was
 * loaded since is loadable again. @m may be NULL. */
void snapshot_project(struct snapshot *s, struct module_facts *m);

/* The driver that held the device when the snapshot was taken, or NULL. */
const char *device_driver_now(const struct pci_device *d);
/* Where the device's attribute is, below /sys. */
#define DEVICE_ATTRIBUTE_LEN 128
const char *device_attribute(
	const struct pci_device *d, const char *name, char buf[static DEVICE_ATTRIBUTE_LEN]);
#define DEVICE_ATTRIBUTE(d, name) device_attribute((d), (name), (char[DEVICE_ATTRIBUTE_LEN]){ 0 })
/* Room for a modalias. */
#define MODALIAS_LEN 64
/* What the device's attribute of that name says (drivers/pci/pci-sysfs.c, modalias_show()), without
 * reading it again. Into @buf, which is returned. */
const char *device_modalias(const struct pci_device *d, char buf[static MODALIAS_LEN]);
/* 0300 or 0380. */
bool device_is_display(const struct pci_device *d);
/* What people call the class, "VGA controller"; never NULL. */
const char *class_name(uint32_t class);

void snapshot_free(struct snapshot *s);
void module_facts_free(struct module_facts *m);
