/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What libudev knows better than a plain read of sysfs: names of the hardware database, and what a
 * device hangs on. No other file includes libudev.h. It looks at /sys alone, and is for live
 * systems: a walk costs too much for the boot path. */

#include "snapshot.h"

/* Gives a name to each of the snapshot's devices, where the hardware
 * database has one. 0, or -ENOMEM. */
int hostdev_names(struct snapshot *s) _must_check_;

/* One of the kernel's devices, by what it hangs on. */
struct hostdev {
	char *disk;           /* the disk that it is a partition of, or NULL */
	char *nvme_subsystem; /* "nvme-subsys0": it has a path through each controller of it; or
				 NULL */
	char *usb;            /* the USB device that it is or is part of, "2-1.3", or NULL */
	struct pci_addr *pci; /* the PCI devices above it, the nearest first; bridges as well */
	size_t n_pci;
	bool is_virtual; /* software made it: nothing above tells what it stands on */
};

/* The device @name of @subsystem: "block" and "sda1", "net" and "enp3s0". 0, -ENOENT where there is
 * none, or -ENOMEM. */
int hostdev_find(const char *subsystem, const char *name, struct hostdev *ret) _must_check_;
/* The kernel's name of a block device, "sda1". 0, -ENOENT, or -ENOMEM. */
int hostdev_block_name(unsigned major, unsigned minor, char **ret) _must_check_;
void hostdev_free(struct hostdev *d);
/* Calls @found for each block device that is, as udev saw it, part of the storage @label of @type:
 * "tank", "zfs_member". Its database alone tells that. 0, -ENOMEM, or what @found returned. */
int hostdev_members(const char *type, const char *label, int (*found)(void *arg, const char *name),
	void *arg) _must_check_;
