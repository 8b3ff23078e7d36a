# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Completion of vfio-early(8) for bash; it needs nothing beside bash itself.

_vfio_early_options='--list --suggest --import --check --dry-run --bind --check-config --modules
	--image-mark --config --cmdline --no-image --json --verbose --help --version'

# The names in a directory.
_vfio_early_names()
{
	local path

	for path in "$1"/*; do
		[[ ! -e $path ]] || echo "${path##*/}"
	done
}

# To bash a word ends at each ':' of a PCI address, so the line is read instead of
# COMP_WORDS, and what stands before the last ':' is cut off the replies.
_vfio_early()
{
	local line=${COMP_LINE:0:COMP_POINT}
	local typed=${line##*[[:space:]]}
	local option choices=
	local -a before

	read -ra before <<<"${line%"$typed"}"
	option=${before[-1]}
	if [[ $typed == --*=* ]]; then
		option=${typed%%=*}
		typed=${typed#*=}
	elif [[ " ${before[*]} " == *' --suggest '* ]]; then
		option=--suggest
	fi

	case $option:$typed in
	--config:* | --check-config:[!-]* | --check-config:)
		compopt -o default
		;;
	--cmdline:*)
		;;
	--list:[!-]* | --list: | --suggest:[!-]* | --suggest:)
		choices=$(_vfio_early_names /sys/bus/pci/devices)
		;;
	--modules:[!-]* | --modules:)
		choices=$(_vfio_early_names /lib/modules)
		;;
	*)
		choices=$_vfio_early_options
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$typed")
	[[ $COMP_WORDBREAKS != *:* ]] ||
		COMPREPLY=("${COMPREPLY[@]#"${typed%"${typed##*:}"}"}")
}

complete -F _vfio_early vfio-early
