/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Finding and loading the VFIO modules. */

#include "snapshot.h"

struct modules;

/* Opens a kernel's module tree and modprobe's configuration; @release as in uname -r, NULL for the
 * running one. 0, or negative errno. */
int modules_open(const char *release, struct modules **ret) _must_check_;
/* What there is to know of vfio-pci before anything is written; @sysfd as for scan_machine().
 * 0, or negative errno. */
int modules_query(struct modules *m, int sysfd, struct module_facts *ret) _must_check_;
/* Finds for each device that is in a known IOMMU group, or @wanted, the variant driver made for it,
 * if its module is in the kernel or can be loaded. 0, or -ENOMEM. */
int modules_find_variants(struct modules *m, int sysfd, struct snapshot *s,
	bool (*wanted)(const struct pci_device *d, const void *arg), const void *arg) _must_check_;
/* Loads the module and, before it, what it depends on (modules.dep), each with the options that
 * modprobe.d and the command line give it, "ids=" of vfio-pci excepted. No install commands are run
 * and no softdeps followed. May block for as long as a driver's probe does. 0 also where it is in
 * the kernel already; else negative errno. */
int modules_load(struct modules *m, const char *name) _must_check_;
/* Closes; NULL is fine. */
void modules_close(struct modules *m);
