/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /sys into a snapshot. Nothing that wakes a device is read, and nothing that takes a device's
 * lock, which a driver's stuck probe holds, in the kernels that we know: not "uevent", which takes
 * it in Debian's 6.1.176, nor driver_override, which took it before 6.12. Should another attribute
 * take it, too, bind.c has a child for all of this. */

#include "snapshot.h"

/* More than the largest machine's. */
#define PROC_IOMEM_MAX (16 << 20)

struct scan_options {
	/* On a running system: read as well what snapshot_project() needs, and people's names. */
	bool live;
	/* Which devices to look at closely, with their IOMMU groups; NULL: all. */
	bool (*wanted)(const struct pci_device *d, const void *arg);
	/* Whose place in the topology and whose driver to tell, beside those of the devices in
	 * these groups, of siblings and twins, displays and USB host controllers; NULL: of all.
	 * @wanted may ask for them only then. */
	bool (*told)(const struct pci_device *d, const void *arg);
	const void *arg;
};

/* @sysfd is a directory that holds what /sys holds. A machine without PCI has no devices, which is
 * no error. A device that vanishes meanwhile is left out, but one that cannot be read is an error,
 * and @ret_where is then what could not be read, below /sys; a group that cannot be read whole is
 * marked, so is one that changes meanwhile, and a member that is no PCI device is told as its
 * foreign member. 0, or negative errno. */
int scan_machine(int sysfd, const struct scan_options *options, struct snapshot *ret,
	char ret_where[static DEVICE_ATTRIBUTE_LEN]) _must_check_;
/* Whether one of the device's BARs holds the physical address: 1, 0, or negative errno. */
int scan_bars_hold(int sysfd, const struct pci_device *d, uint64_t address) _must_check_;
