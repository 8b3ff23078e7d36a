/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host.h"

static bool has(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Administrators' programs, wherever the distribution puts them. */
static bool has_program(const char *name)
{
	static const char *const dirs[] = { "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/" };
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "%s%s", dirs[i], name);
		if (has(path))
			return true;
	}
	return false;
}

const char *host_rebuild(void)
{
	/* Debian's dracut has an update-initramfs of its own, so that is the one to type there. */
	if (has_program("update-initramfs"))
		return "update-initramfs -u";
	if (has_program("mkinitcpio"))
		return "mkinitcpio -P";
	if (has_program("dracut"))
		return "dracut --force";
	return "update-initramfs -u (Debian, Ubuntu), dracut --force (Fedora, openSUSE, Void) or mkinitcpio -P (Arch)";
}

const char *host_cmdline(void)
{
	/* Fedora's entries each have a line of their own, which this changes. */
	if (has_program("grubby"))
		return "grubby";
	if (has("/etc/default/grub") && has_program("update-grub"))
		return "in GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, then type: update-grub";
	if (has("/etc/default/grub") && has_program("grub2-mkconfig"))
		return "in GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, then type: grub2-mkconfig -o /boot/grub2/grub.cfg";
	if (has("/etc/default/grub"))
		return "in GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, then type: grub-mkconfig -o /boot/grub/grub.cfg";
	if (has("/etc/kernel/cmdline") && has_program("mkinitcpio"))
		return "in /etc/kernel/cmdline, then type: mkinitcpio -P";
	if (has("/etc/kernel/cmdline") && has_program("update-initramfs"))
		return "in /etc/kernel/cmdline, then type: update-initramfs -u";
	if (has("/etc/kernel/cmdline"))
		return "in /etc/kernel/cmdline, then type: kernel-install add-all";
	if (has("/boot/loader/entries"))
		return "in the line 'options' of the boot entry in /boot/loader/entries";
	if (has("/efi/loader/entries"))
		return "in the line 'options' of the boot entry in /efi/loader/entries";
	return NULL;
}

char *host_rebuild_image(const char *release, bool exists, bool unified)
{
	if (has_program("update-initramfs"))
		return format("update-initramfs -%c -k %s", exists ? 'u' : 'c', release);
	if (has_program("mkinitcpio"))
		return format("mkinitcpio -P");
	if (unified && has_program("kernel-install"))
		return format("kernel-install add %s /lib/modules/%s/vmlinuz", release, release);
	return has_program("dracut") ? format("dracut --force --kver %s", release) : NULL;
}

const char *host_hook_missing(void)
{
	/* Debian's dracut has an update-initramfs, too, and initramfs-tools' directory may stay. */
	if (has_program("mkinitramfs") && !has("/usr/share/initramfs-tools/hooks/vfio-early"))
		return "install vfio-early's hook for initramfs-tools again, of which there is no /usr/share/initramfs-tools/hooks/vfio-early";
	if (has_program("mkinitcpio"))
		return "write vfio-early into HOOKS in /etc/mkinitcpio.conf, before udev";
	if (has_program("dracut") && !has_program("mkinitramfs") &&
		!has("/usr/lib/dracut/modules.d/50vfio-early"))
		return "install vfio-early's module for dracut again, of which there is no /usr/lib/dracut/modules.d/50vfio-early";
	return NULL;
}
