# shellcheck shell=sh disable=SC2034
# What the lab's programs share: where things are, and how they say that
# something is wrong. Sourced with $top set to the top of the source tree.

# shellcheck disable=SC2154
vm=$top/tests/vm
work=$top/build/vm
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vfio-early/vm

# The Debian release whose kernel boots: that of this machine, if it is one.
debian_suite()
{
	# shellcheck source=/dev/null
	ID='' && . /etc/os-release
	[ "$ID" = debian ] && echo "$VERSION_CODENAME" || echo bookworm
}

suite=${VM_SUITE:-$(debian_suite)}
base=$cache/$suite-$(cat "$vm/base" "$vm/packages" | sha256sum | cut -c 1-12)

# Each argument is a line.
say()
{
	printf '%s\n' "$@"
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 2
}

# installed GENERATOR: whether the lab can have it here. All but mkinitcpio come
# from Debian.
installed()
{
	case $1 in
	mkinitcpio*) command -v mkinitcpio >/dev/null ;;
	esac
}

# A directory below $1 that is gone again when the program ends, however it
# ends; the commands in $2 run before that.
scratch_in()
{
	mkdir -p "$1"
	scratch=$(mktemp -d "$1/tmp.XXXXXX")
	trap "${2:-:};"' rm -rf --one-file-system "$scratch"' EXIT
	trap 'exit 130' HUP INT TERM
}
