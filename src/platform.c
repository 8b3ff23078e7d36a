/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "platform.h"
#include "sysfs.h"

/* The first "flags" line: "flags\t\t: fpu vme ...". */
static void read_cpu(struct platform *p)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	if (file_open("/proc/cpuinfo", &f) < 0)
		return;
	while (!p->knows_cpu && getline(&line, &size, f) > 0) {
		char *rest = skip_prefix(line, "flags"), *word;

		p->knows_cpu = rest;
		while (rest && (word = strsep(&rest, " \t\n")))
			p->virtualization |= streq(word, "vmx") || streq(word, "svm");
	}
}

/* The chip's name stands before the pin: "IR-IO-APIC    2-edge", "IR-PCI-MSI-0000:00:1f.2"
 * (arch/x86/kernel/apic/io_apic.c, drivers/iommu/intel/irq_remapping.c). */
static void read_interrupts(struct platform *p)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	if (file_open("/proc/interrupts", &f) < 0)
		return;
	while (getline(&line, &size, f) > 0) {
		p->knows_remapping |= strstr(line, "IO-APIC") != NULL;
		p->remapping |= strstr(line, " IR-") != NULL;
	}
}

static bool parameter_is_on(int sysfd, const char *path)
{
	char value[8];

	return sysfs_read(sysfd, path, value, sizeof(value)) > 0 && *value == 'Y';
}

void platform_read(int sysfd, struct platform *ret)
{
	*ret = (struct platform){ .root = geteuid() == 0 };
	read_cpu(ret);
	read_interrupts(ret);
	ret->unsafe_interrupts = parameter_is_on(
		sysfd, "module/vfio_iommu_type1/parameters/allow_unsafe_interrupts");
	ret->noiommu_mode =
		parameter_is_on(sysfd, "module/vfio/parameters/enable_unsafe_noiommu_mode");
}
