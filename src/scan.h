/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /sys into a snapshot. Only attributes that take no device lock are read
 * (Documentation/ABI/testing/ sysfs-bus-pci), so a driver's stuck probe cannot stop us here;
 * nothing that wakes a device is. */

#include "snapshot.h"

struct scan_options {
	/* On a running system: read as well what snapshot_project() needs, and people's names. */
	bool live;
	/* Which devices to look at closely, with their IOMMU groups; NULL: all. */
	bool (*wanted)(const struct pci_device *d, const void *arg);
	const void *arg;
};

/* @sysfd is a directory that holds what /sys holds. A machine without PCI has no devices, which is
 * no error. A device that vanishes meanwhile is left out; one in a group that cannot be read is
 * told as that group's foreign member. 0, or negative errno. */
int scan_machine(int sysfd, const struct scan_options *options, struct snapshot *ret) _must_check_;
