/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which VFIO variant driver fits a device: vfio-pci drivers made for one model carry aliases that
 * start with "vfio_pci:" (include/linux/mod_devicetable.h, PCI_ID_F_VFIO_DRIVER_OVERRIDE;
 * Documentation/ driver-api/vfio-pci-device-specific-driver-acceptance.rst). Pure. */

#include "util.h"

/* What a search has found so far; start with zeroes. */
struct variant {
	char *module; /* NULL: nothing */
	size_t n_wildcards;
};

/* Looks through @text, modules.alias ("alias PATTERN MODULE" lines) or, with @builtin,
 * modules.builtin. modinfo ("MODULE.alias=PATTERN" strings, each ended by NUL), for the pattern
 * with the fewest wildcards that matches the device with @modalias ("pci:v..."). Of equals the
 * first one wins, as in libvirt (src/util/virpci.c). What vfio-pci itself matches counts too:
 * @v->module may be "vfio_pci". 0, or -ENOMEM. */
int variant_search(struct variant *v, const char *text, size_t len, bool builtin,
	const char *modalias) _must_check_;
