# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# The rows of machines/rows: real machines' listings, and what has to come out of
# a target of these devices. A row is
#
#	MACHINE  TARGET  VERDICT  ADDRESSES or GUARDS
#
# with one tab between; VERDICT is
#
#	isolated      the target is bound, with every word of 'allow'
#	not-isolated  it is refused, and exactly these addresses block it, with all
#	              these words, too
#	guarded       it is refused, and exactly these findings say why, with no word
#
# The binary sees each machine as from an initramfs: with the drivers, and the
# virtual functions, that its listing has. Sourced by run.

tab=$(printf '\t')
every_allow="boot-display storage last-usb net-root reserved-region network usb display"

# row_config MACHINE TARGET VERDICT
row_config()
{
	echo "[target]"
	for address in $2; do
		id=$(sed -n "s/^[^0-9a-f]*$address .*\[\([0-9a-f]\{4\}:[0-9a-f]\{4\}\)\].*/\1/p" "$here/machines/$1")
		echo "device = $address $id"
	done
	[ "$3" = guarded ] || echo "allow = $every_allow"
}

# said_of_row JSON EXPECTED-VERDICT: "VERDICT ADDRESSES or GUARDS" as it came out.
said_of_row()
{
	verdict=$(sed -n 's/.*"name": "target", "verdict": "\([a-z]*\)".*/\1/p' "$1")
	case $2 in
	guarded) what='s/.*"severity": "error", "id": "\([^"]*\)".*/\1/p' ;;
	*) what='s/.*"severity": "error", "id": "not-isolated".*"address": "\([^"]*\)".*/\1/p' ;;
	esac
	case $2/$verdict in
	isolated/bind | not-isolated/refused | guarded/refused) verdict=$2 ;;
	esac
	# shellcheck disable=SC2046
	echo "$verdict" $(sed -n "$what" "$1" | sort -u)
}

# judge_row CONFIG EXPECTED-VERDICT MORE: 0 where it came out so; else the difference
# is in $work/difference.
judge_row()
{
	good=0
	cp "$1" "$ram_root/etc/vfio-early.conf"
	run_binary "$ram_root" --dry-run --json >"$work/json" 2>&1 </dev/null || :
	# shellcheck disable=SC2046,SC2086
	echo "$2" $(printf '%s\n' $3 | sort -u) >"$work/wanted"
	said_of_row "$work/json" "$2" >"$work/said"
	diff -u "$work/wanted" "$work/said" >"$work/difference" || good=1
	[ $good -eq 0 ] || cat "$1" "$work/json" >>"$work/difference"
	return $good
}

# must_answer MACHINE ARGUMENT...: whatever it says, it ends as it should.
must_answer()
{
	name=$1
	result=0
	shift
	run_binary "$disk_root" "$@" >"$work/difference" 2>&1 </dev/null || result=$?
	[ $result -gt 2 ] || result=0
	count $result "machines: $name: $*"
}

# judge_suggestion ADDRESS: 0 where what --suggest says of the device, appended to an
# empty configuration, comes out of --dry-run with the status that it had itself.
judge_suggestion()
{
	suggested=0
	planned=0
	rm -f "$ram_root/etc/vfio-early.conf"
	run_binary "$disk_root" --suggest "$1" >"$work/section" 2>"$work/difference" </dev/null || suggested=$?
	cp "$work/section" "$ram_root/etc/vfio-early.conf"
	run_binary "$disk_root" --dry-run >>"$work/difference" 2>&1 </dev/null || planned=$?
	cat "$work/section" >>"$work/difference"
	case $suggested in
	0) [ $planned -eq 0 ] && grep -q '^1 target would be bound' "$work/difference" ;;
	1) [ $planned -le 1 ] && grep -q '^1 target would be bound' "$work/difference" ;;
	*) [ $suggested -eq 2 ] && ! grep -q 'config-error' "$work/difference" ;;
	esac
}

test_suggestion()
{
	result=0
	judge_suggestion "$2" || result=1
	count $result "machines: $1: --suggest $2"
}

# The rows of one machine share its /sys.
test_machine()
{
	empty_root
	make_machine "$here/machines/$1"
	for action in --list --check; do
		must_answer "$1" $action
		must_answer "$1" $action --json
	done
	while IFS=$tab read -r machine target verdict more; do
		result=0
		row_config "$machine" "$target" "$verdict" >"$work/config"
		judge_row "$work/config" "$verdict" "$more" || result=$?
		count $result "machines: $machine: $target"
		test_suggestion "$machine" "${target%% *}"
	done <<-END
		$(grep "^$1$tab" "$here/machines/rows")
	END
}

test_machines()
{
	grep -v '^#' "$here/machines/rows" | cut -f 1 | sort -u >"$work/machines"
	while read -r machine; do
		test_machine "$machine"
	done <"$work/machines"
}

# A row that is not so must fail.
self_test_rows()
{
	empty_root
	make_machine "$here/machines/intel-z270-gtx970"
	result=0
	if judge_suggestion 0000:09:00.0; then result=1; fi
	echo "passed, although there is no such device" >"$work/difference"
	count $result "machines: self test"
	row_config intel-z270-gtx970 "0000:01:00.0" not-isolated >"$work/config"
	for wrong in isolated guarded; do
		result=0
		if judge_row "$work/config" $wrong ""; then result=1; fi
		echo "passed, although it is not $wrong" >"$work/difference"
		count $result "machines: self test"
	done
	for wrong in "" 0000:01:00.0 "0000:01:00.1 0000:01:00.2"; do
		result=0
		if judge_row "$work/config" not-isolated "$wrong"; then result=1; fi
		echo "passed, although not '$wrong' blocks" >"$work/difference"
		count $result "machines: self test"
	done
}
