/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Finding and loading the VFIO modules. */

#include <limits.h>

#include "snapshot.h"

struct modules;

/* modprobe.d(5) of every distribution, whatever our libkmod was built for; of two files with one
 * name the first directory's wins. NULL ends it. */
extern const char *const modules_config_dirs[];

/* Opens a kernel's module tree and modprobe's configuration; @release as in uname -r, NULL for the
 * running one. 0, or negative errno; @ret_file is then the file that cannot be read, or "". */
int modules_open(const char *release, struct modules **ret, char ret_file[static PATH_MAX])
	_must_check_;
/* What there is to know of vfio-pci before anything is written; @sysfd as for scan_machine().
 * 0, or negative errno. */
int modules_query(struct modules *m, int sysfd, struct module_facts *ret) _must_check_;
/* Finds for each device that is in a known IOMMU group, or @wanted, the variant driver made for it,
 * if its module is in the kernel or can be loaded, and marks where it is missing. 0, or negative
 * errno, with @ret_file as above. */
int modules_find_variants(struct modules *m, struct snapshot *s,
	bool (*wanted)(const struct pci_device *d, const void *arg), const void *arg,
	char ret_file[static PATH_MAX]) _must_check_;
/* Loads the module and, before it, what it depends on (modules.dep), each with the options that
 * modprobe.d and the command line give it, "ids=" of vfio-pci excepted. No install commands are run
 * and no softdeps followed. May block for as long as a driver's probe does. 0 also where it is in
 * the kernel already; else negative errno. */
int modules_load(struct modules *m, const char *name) _must_check_;
/* Whether the kernel has the module, or its tree does. 1, 0, or negative errno. */
int modules_have(struct modules *m, const char *name) _must_check_;
/* Whether the module would be loaded for the device, going by its modalias, were it not
 * blacklisted. 1, 0, or -ENOMEM. */
int modules_match(struct modules *m, const char *name, const struct pci_device *d) _must_check_;
/* Whether two module names mean the same one: '-' and '_' are alike. */
bool same_module(const char *a, const char *b);
/* Closes; NULL is fine. */
void modules_close(struct modules *m);
