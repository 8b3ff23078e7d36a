#!/bin/bash
#
# Puts vfio-early, its configuration and the VFIO modules into the image. An
# image is built for a kernel upgrade, so nothing that fails here may stop it:
# every failure is a warning.

# For the kernel that a crashed one starts, all devices stay where they are.
# Fedora's mkdumprd exports IN_KDUMP; openSUSE's asks for the module kdump, which
# is in no other image.
is_kdump() {
	# shellcheck disable=SC2154
	[[ ${IN_KDUMP-} || " ${dracutmodules-} ${add_dracutmodules-} ${force_add_dracutmodules-} " == *\ kdump* ]]
}

# With --sysroot the image is for another machine, whose configuration and devices
# the program cannot see from here.
check() {
	is_kdump && return 1
	if [[ ${dracutsysrootdir-} ]]; then
		dwarn "vfio-early: left out of an image that is built with --sysroot"
		return 1
	fi
	[[ -x @BINARY@ ]] && return
	dwarn "vfio-early: cannot find @BINARY@: this image will bind nothing"
	return 1
}

# The binary knows the variant drivers that the configured devices of this
# machine may have. A module that is named counts as needed, whatever drivers
# this machine uses now: so no hostonly. vfio_virqfd is a part of vfio since
# Linux 6.2, and instmods passes over what is not there.
installkernel() {
	local modules

	# shellcheck disable=SC2154
	if ! modules=$(@BINARY@ --modules "$kernel"); then
		dwarn "vfio-early: the image gets vfio-pci alone, no driver that is made for a device"
		modules='vfio_pci vfio_iommu_type1'
	fi
	# shellcheck disable=SC2086
	hostonly='' instmods $modules vfio_virqfd

	modprobe --quiet --set-version="$kernel" --show-depends vfio-pci > /dev/null ||
		dwarn "vfio-early: Linux $kernel has no vfio-pci: with it nothing can be bound"
}

check_configuration() {
	local messages status=0

	messages=$(@BINARY@ --check-config 2>&1) || status=$?
	((status == 0)) && return

	dwarn <<< "$messages"
	((status == 1)) ||
		dwarn "vfio-early: with this configuration the next boot will bind NOTHING"
}

# Generic images hold the configuration as well: it names the devices, and is
# all that vfio-early goes by. For a file that cannot be copied a directory is put
# in, which the boot cannot read: so it binds nothing, instead of what the others say.
install_configuration() {
	local file configured=

	for file in /etc/vfio-early.conf /etc/vfio-early.conf.d/*.conf; do
		[[ -e $file || -L $file ]] || continue
		inst "$file" || {
			dwarn "vfio-early: cannot copy $file into the image"
			mkdir -p -- "${initdir:?}$file"
		}
		configured=y
	done
	[[ $configured ]] || return 0

	check_configuration
	dinfo "vfio-early: to boot once without it, add this word to the kernel" \
		"line in the boot menu: rd.vfio-early=0"
}

# By the name of this file, vfio-early --check tells an image that is up to date.
mark_image() {
	local mark

	if ! mark=$(@BINARY@ --image-mark) || ! mkdir -p "${initdir:?}${mark%/*}" ||
		! touch "$initdir$mark"; then
		dwarn "vfio-early: the image is not marked: vfio-early --check takes it for an old one"
	fi
}

# With systemd in the image, the hooks of dracut are too late: no unit of dracut
# comes before systemd-modules-load. Without, the first hook that there is comes
# before udev, and its first script before rd.driver.pre.
install_start() {
	if dracut_module_included systemd; then
		inst_simple @UNITDIR@/vfio-early.service &&
			$SYSTEMCTL -q --root "${initdir:?}" add-wants sysinit.target vfio-early.service
	else
		# shellcheck disable=SC2154
		inst_hook cmdline 00 "$moddir/vfio-early.sh"
	fi || dwarn "vfio-early: nothing starts it in this image: it will bind nothing"
}

install() {
	if ! inst_binary @BINARY@; then
		dwarn "vfio-early: cannot copy @BINARY@: this image will bind nothing"
		return 0
	fi
	install_start
	mark_image
	install_configuration
}
