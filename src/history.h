/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which devices shared the IOMMU groups of bound devices when --check last saw them bound: the boot
 * record does not survive a reboot. A line for each device,
 *
 *	group ADDRESS ID KERNEL MEMBER...
 *
 * behind the line "groups 1". */

#include "snapshot.h"

#define HISTORY_DIR  "/var/lib/vfio-early"
#define HISTORY_FILE HISTORY_DIR "/groups"

struct past_group {
	struct pci_addr addr;
	struct pci_id id;
	char *kernel;  /* the release that ran then */
	char *members; /* as history_members() has them */
};

struct history {
	struct past_group *items;
	size_t n;
	bool changed; /* since it was read */
};

/* 0, also where there is none or it is not understood: then it is empty; or -ENOMEM. */
int history_read(const char *path, struct history *ret) _must_check_;
/* What was seen of this device, the same address and ID; or NULL. */
const struct past_group *history_find(const struct history *h, const struct pci_device *d);
/* The addresses of the group's PCI devices, in order, with spaces between; not those that appear
 * late. NULL when memory is short. */
char *history_members(const struct snapshot *s, int group);
/* Notes what is true now; when memory is short, nothing. */
void history_put(struct history *h, const struct snapshot *s, const struct pci_device *d);
/* Writes the file "groups" below @dir, whole or not at all. 0, or negative errno. */
int history_write(const struct history *h, const char *dir);
void history_free(struct history *h);
