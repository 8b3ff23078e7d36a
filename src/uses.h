/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the host uses its PCI devices for, on a live system: the way from what is mounted, swapped
 * to, routed through and typed on, down to the functions. Not for the boot path: libudev walks. */

#include "snapshot.h"

enum use_kind { USE_MOUNT, USE_SWAP, USE_ROUTE, USE_KEYBOARD };

struct use {
	enum use_kind kind;
	size_t device; /* index in the snapshot */
	char *what;    /* the mount point "/", the swap "/dev/dm-1", the default route's interface
			  "enp3s0", the keyboard's name */
	char *chain; /* how it was found, "/ ← dm-0 ← nvme0n1p3 ← nvme0n1 ← 0000:03:00.0" */
};

struct uses {
	struct use *items; /* mounts, swaps, routes, keyboards, in this order */
	size_t n;
	char **unknown; /* what could not be followed, "/: udev knows no disk of the ZFS pool tank"
			 */
	size_t n_unknown;
	bool other_keyboard; /* there is a keyboard that needs no PCI device, at an i8042 say */
};

/* Finds them. Each file system that is mounted from a block device is there at least once, under
 * each of its mount points that the host cannot do without ("/", "/boot", ...); a mirror is there
 * once for each controller that it needs. A PCI bridge is never used; the VMD above a disk, and the
 * physical function of a virtual one, are. @sysfd as for scan_machine(), but libudev looks at /sys.
 * What is missing or unreadable is left out. 0, or -ENOMEM. */
int uses_find(int sysfd, const struct snapshot *s, struct uses *ret) _must_check_;
void uses_free(struct uses *u);
