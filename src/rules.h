/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the isolation rule and the guards go by, said of one device or one IOMMU group: what plan.c
 * decides with, and --list and --suggest tell. Pure. */

#include "bootwords.h"
#include "snapshot.h"

/* Drivers that manage DMA themselves, so that VFIO lives with them in a group (driver_managed_dma
 * in drivers/vfio/pci and drivers/pci/pci-stub.c). */
bool driver_is_vfio_safe(const char *driver);
/* Functions that do no DMA of their own and that nobody wants bound: bridges, and dummy functions
 * that stand for no device. */
bool device_is_support(const struct pci_device *d);
/* The same while no driver, or the bridges' own, uses them: they may stay in a bound group. */
bool device_is_passive(const struct pci_device *d);
/* A USB host controller, which a keyboard may hang on. */
bool device_is_usb_host(const struct pci_device *d);
/* The display that the firmware drew on, else the one that it routed legacy VGA to. */
bool device_is_boot_display(const struct snapshot *s, const struct pci_device *d);
/* Whether both are functions of one card: on a root bus each function is a device of its own. */
bool device_same_card(const struct pci_device *a, const struct pci_device *b);

/* How a word is added to this host's kernel command line, or taken from it, for messages: " (in
 * /etc/default/grub, then type: update-grub)", "" where @how, as in struct bootwords, is NULL. */
#define CMDLINE_HOW_LEN 512
const char *cmdline_how(
	const char *how, bool add, const char *word, char buf[static CMDLINE_HOW_LEN]);
#define CMDLINE_HOW(how, add, word) cmdline_how((how), (add), (word), (char[CMDLINE_HOW_LEN]){ 0 })

/* What to do where no IOMMU is active, by the firmware's tables and the command line. A new string,
 * or NULL: memory is short. */
char *iommu_cure(const struct snapshot *s, const struct bootwords *w);

enum group_verdict {
	GROUP_ISOLATED, /* one device, with all of its functions */
	GROUP_SHARED,   /* several: isolated only if all of them are bound */
	GROUP_BLOCKED,  /* a member can never be bound: "not isolated", whatever is bound */
	GROUP_PASSIVE,  /* nothing in it that anyone would bind */
	GROUP_UNUSABLE, /* could not be read whole, or VFIO's no-IOMMU mode */
};

/* What can be said of a group before anything is configured. */
enum group_verdict group_judge(const struct snapshot *s, const struct iommu_group *g);
const char *group_verdict_name(enum group_verdict verdict);
