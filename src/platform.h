/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What firmware, CPU and kernel of a live system offer for passing devices through, beyond what the
 * snapshot holds. */

#include "util.h"

struct platform {
	bool knows_cpu;      /* an x86, whose /proc/cpuinfo has flags */
	bool virtualization; /* vmx or svm is among them; the kernel takes away what firmware locked
			      */
	bool knows_remapping;   /* /proc/interrupts is an x86's */
	bool remapping;         /* interrupts are remapped: their chips are called "IR-..." */
	bool unsafe_interrupts; /* vfio_iommu_type1.allow_unsafe_interrupts */
	bool noiommu_mode;      /* vfio.enable_unsafe_noiommu_mode */
	bool root;              /* we run as root, and see all there is */
};

/* @sysfd as for scan_machine(). What cannot be read is not known. */
void platform_read(int sysfd, struct platform *ret);
