# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# Roots for the real binary, each with a /sys that lib/mksys made; and what counts
# the verdicts. Sourced by run, with $here and $top set, in a mount namespace of
# its own.

binary=${BUILD:-$top/build}/vfio-early
release=$(uname -r)
depmod=${DEPMOD:-$(PATH=$PATH:/usr/sbin:/sbin command -v depmod || :)}

# What changes from test to test, in each of the roots.
dirs="boot dev efi etc lib/modules proc run sys usr var"

passed=0
failed=0

die()
{
	echo "$0: $*" >&2
	exit 1
}

# count STATUS NAME: of a test whose difference, if it failed, is in $work/difference.
count()
{
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "$2: failed"
		sed 's/^/	/' "$work/difference"
	fi
}

# A root on a tmpfs or ramfs is taken for an initramfs.
on_disk()
{
	case $(stat -f -c %T "$1") in
	tmpfs | ramfs) return 1 ;;
	esac
}

clean_up()
{
	umount -l "$disk"/root/* "$disk/root/lib/modules" "$disk/work" 2>/dev/null || :
	rm -rf "$disk"
}

find_disk()
{
	for place in "${TMPDIR:-/var/tmp}" "$top/build"; do
		if [ -w "$place" ] && on_disk "$place"; then
			disk=$(mktemp -d "$place/vfio-early-sysfs-XXXXXX")
			trap clean_up EXIT
			trap 'exit 1' INT TERM
			return
		fi
	done
	die "expected a TMPDIR that is no tmpfs: vfio-early would take it for an initramfs"
}

# make_base ROOT: a static binary needs nothing beside itself.
make_base()
{
	mkdir "$1"
	cp "$binary" "$1/vfio-early"
	ldd "$binary" 2>/dev/null | grep -o '/[^ ]*' | while read -r lib; do
		mkdir -p "$1${lib%/*}"
		cp -L "$lib" "$1$lib"
	done
	for dir in $dirs; do
		mkdir -p "$1/$dir"
	done
}

# $ram_root is for an initramfs, $disk_root for a live system: the same, but that
# the root itself is no tmpfs.
make_work()
{
	find_disk
	work=$disk/work
	mkdir "$work"
	mount -t tmpfs tmpfs "$work"
	ram_root=$work/root
	disk_root=$disk/root
	make_base "$ram_root"
	make_base "$disk_root"
	: >"$ram_root/dev/null"
	mount --bind /dev/null "$ram_root/dev/null"
	for dir in $dirs; do
		mount --rbind "$ram_root/$dir" "$disk_root/$dir"
	done
	"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -I"$top/src" -I"$top/tests/lib" \
		-o "$work/mksys" "$top/tests/lib/mksys.c" "$top/tests/lib/machine.c" \
		"$top/src/snapshot.c" "$top/src/pciaddr.c"
	"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -static \
		-o "$work/lister" "$top/tests/lib/lister.c"
	"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -static \
		-o "$work/launch" "$top/tests/lib/launch.c"
	cp "$work/launch" "$ram_root/launch"
	cp "$work/launch" "$disk_root/launch"
}

# empty_root: nothing of the last test is left in it.
empty_root()
{
	if [ -e "$work/mounted" ]; then
		while IFS= read -r dir; do umount "$dir"; done <"$work/mounted"
		rm "$work/mounted"
	fi
	for dir in $dirs; do
		find "$ram_root/$dir" -mindepth 1 ! -path "$ram_root/dev/null" -delete
	done
	mkdir "$ram_root/etc/modprobe.d"
	echo "ro quiet" >"$ram_root/proc/cmdline"
	: >"$ram_root/proc/iomem"
}

# make_machine LISTING: in the listing, "like NAME" stands for machines/NAME.
make_machine()
{
	while IFS= read -r line; do
		case $line in
		like\ *) cat "$here/machines/${line#like }" ;;
		*) printf '%s\n' "$line" ;;
		esac
	done <"$1" >"$work/listing"
	if ! "$work/mksys" "$work/listing" "$ram_root" "$release"; then
		cat -n "$work/listing" >&2
		die "$1 cannot be made"
	fi
	"$depmod" -b "$ram_root" "$release" 2>/dev/null
}

# run_binary ROOT ARGUMENT...: as $user, or by lib/launch with the words in $launch, if
# these are set. Two minutes are more than any answer takes.
run_binary()
{
	root=$1
	shift
	program=vfio-early
	# shellcheck disable=SC2086
	if [ -n "${launch:-}" ]; then
		set -- $launch -- /vfio-early "$@"
		program=launch
	fi
	SYSTEMD_DEVICE_VERIFY_SYSFS=0 LC_ALL=C \
		timeout -k 5 120 chroot ${user:+--userspec="$user:$user"} "$root" "/$program" "$@"
}

# run_on_terminal ROOT ARGUMENT: the same, with a terminal for standard output.
run_on_terminal()
{
	SYSTEMD_DEVICE_VERIFY_SYSFS=0 LC_ALL=C TERM=xterm \
		script -q -e -c "chroot $1 /vfio-early $2" /dev/null | tr -d '\r'
}
