/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* clang-format off */
/* A machine's PCI devices from a listing, the form in which people show their IOMMU groups:
 *
 *	# a comment
 *	IOMMU Group 16:
 *		0000:01:00.0 VGA controller [0300]: NVIDIA [10de:2684] ^0000:00:01.0 @nouveau
 *	No IOMMU group:
 *		0000:00:1f.0 ISA bridge [0601]: Intel [8086:7a04]
 *
 * Only the address, the class (four digits, or six with the programming interface) and the last
 * "[vendor:device]" count; behind that ID may stand, in any order,
 *
 *	@DRIVER       the bound driver
 *	^ADDRESS      the bridge right above; true of all on its bus. Without: a root bus
 *	+boot_vga     the display that legacy VGA is routed to ("boot_vga" alone as well)
 *	+framebuffer  its BAR 0 holds the firmware's framebuffer
 *	+builtin      its driver is built into the kernel (pcieport always is)
 *	+late         it came after the hook; also true of the next two
 *	+vf           an SR-IOV virtual function, of +vf=ADDRESS, else of function 0 on its bus
 *	+removable    below a hot-plug port
 *	+ssid=VVVV:DDDD  subsystem ID
 *	+variant=MODULE  the module of its VFIO variant driver; mksys makes that, too
 *	+wants=MODULE  a module that udev loads for it; mksys makes that
 *
 * A domain of 0x1000 or more lies behind the device that vmd drives. Lines for the whole machine:
 *
 *	iommu: none                   no IOMMU: no groups but those of VFIO's no-IOMMU mode
 *	tables: dmar|ivrs|viot        firmware tables
 *	group 5: noiommu              a group of VFIO's no-IOMMU mode
 *	group 6: direct               a direct reserved region (RMRR, IVMD)
 *	group 7: foreign PNP0103:00   a member that is no PCI device
 *	module vfio-pci: STATE        loadable (default), loaded, builtin, missing, blacklisted
 *	module vfio_iommu_type1: STATE
 *	module-ids: LIST              what module.c calls dropped_ids
 *	module-unapplied: OPTIONS     what module.c calls unapplied
 *	device ADDRESS: ATTRIBUTES    more for one that stands above; "@-" takes its driver
 *	remove ADDRESS                takes a device out again
 *
 * so that a test may say "this machine, but": it adds its lines behind the listing.
 *
 * What the host does with them is for mksys alone, which makes it of these lines in their order; a
 * name has to stand above where it is used:
 *
 *	disk NAME on PLACE            a block device that is a device
 *	part NAME of DISK             a partition
 *	layer NAME[=DMNAME] of NAME...   dm-0, md0, bcache0: what has "slaves"
 *	loop NAME of FILE
 *	nvme NAME on ADDRESS in nvme-subsys0   a controller of native multipath; the disk is "on
 *	                              nvme-subsys0"
 *	btrfs of NAME...              the devices of a btrfs file system
 *	zfs POOL of NAME...           what udev's database says of them
 *	mount POINT SOURCE [TYPE [OPTIONS]]   SOURCE: a block device's NAME, or any other text for
 *	                              what has the number 0:N; as mountinfo writes them ("\040")
 *	swap PATH partition|file
 *	net NAME on PLACE             an interface
 *	net NAME of NAME...           over others: a bridge, a bond; of none: a tunnel
 *	route NAME                    its default route; "route6 NAME" of IPv6
 *	keyboard on PLACE: NAME
 *	buttons on PLACE: NAME        an input device that is no keyboard
 *
 * PLACE is ADDRESS, "ADDRESS usb 2-1", "platform" (hardware on no PCI device) or "virtual". */
/* clang-format on */

#include "snapshot.h"

struct machine_device {
	long parent; /* index of the bridge (or VMD) above, -1: on a root bus */
	bool vf;
	bool removable;
	bool has_physfn; /* +vf=ADDRESS */
	struct pci_addr physfn;
	char *wants; /* +wants= */
};

struct machine {
	struct snapshot snapshot;
	struct module_facts module;
	struct machine_device *more; /* one for each of the snapshot's devices, in the same order */
	char **host;                 /* the lines that tell what the host does */
	size_t n_host;
	size_t line;       /* where parsing failed */
	const char *error; /* and why */
};

/* 0; -EINVAL where a line is not understood (m->line and m->error tell), or -ENOMEM. Free it in any
 * case. */
int machine_parse(const char *text, struct machine *m) _must_check_;
void machine_free(struct machine *m);
