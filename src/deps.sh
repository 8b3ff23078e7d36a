#!/bin/sh
# Builds static libkmod.a and libudev.a, which Debian does not ship, from the source packages of the
# Debian release in use; or, if KMOD_SRC and SYSTEMD_SRC name unpacked source trees, from those.
#
#	src/deps.sh [OUTDIR]		build into OUTDIR (default build/deps): lib/, include/
#	src/deps.sh --packages		print the Debian packages that this needs, one per line
set -eu

# The system's tools first: meson's python3 has to be the one that python3-jinja2 is installed for.
PATH=/usr/bin:/bin:$PATH
CC=${CC:-cc}
CFLAGS='-Os -fPIC -ffunction-sections -fdata-sections -fstack-protector-strong'
CFLAGS="$CFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"
export LC_ALL=C PATH CC CFLAGS
# Started by make, kmod's own Makefile would inherit the variables of our command line.
unset MAKEFLAGS MAKELEVEL CPPFLAGS LDFLAGS

KMOD_SRC=${KMOD_SRC-}
SYSTEMD_SRC=${SYSTEMD_SRC-}
script=$(realpath "$0")
ID='' VERSION_ID='' VERSION_CODENAME=''
# shellcheck disable=SC1091 # not on every machine that runs shellcheck
[ ! -r /etc/os-release ] || . /etc/os-release

die() {
	printf 'deps: %s\n' "$*" >&2
	exit 1
}

# kmod has a meson build since version 34, which is Debian 13's.
needs_autotools() {
	if [ -n "$KMOD_SRC" ]; then
		[ ! -e "$KMOD_SRC/meson.build" ]
	else
		[ "$ID $VERSION_ID" = 'debian 12' ]
	fi
}

# How to look for what, and the Debian package that has it.
needs() {
	cat <<-EOT
		command ${CC%% *} gcc
		command objcopy binutils
		command meson meson
		command ninja ninja-build
		command gperf gperf
		command pkg-config pkg-config
		header stdio.h libc6-dev
		python jinja2 python3-jinja2
		library libcap libcap-dev
		library mount libmount-dev
		library liblzma liblzma-dev
		library libzstd libzstd-dev
		library zlib zlib1g-dev
		header ini.h libinih-dev
	EOT
	if needs_autotools; then
		printf 'command %s\n' 'autoreconf autoconf' 'aclocal automake' 'libtoolize libtool' 'make make'
	fi
	[ -n "$KMOD_SRC" ] || echo 'command dpkg-source dpkg-dev'
}

have() {
	case $1 in
	command) command -v "$2" ;;
	header) echo "#include <$2>" | $CC -E - ;;
	python) python3 -c "import $2" ;;
	library) pkg-config --exists "$2" ;;
	esac >/dev/null 2>&1
}

check_needs() {
	if [ -z "$KMOD_SRC$SYSTEMD_SRC" ]; then
		[ "$ID" = debian ] || die "this is not Debian: set KMOD_SRC and SYSTEMD_SRC to unpacked sources"
	else
		[ -d "$KMOD_SRC/libkmod" ] || die "KMOD_SRC is not a kmod source tree: '$KMOD_SRC'"
		[ -d "$SYSTEMD_SRC/src/libudev" ] || die "SYSTEMD_SRC is not a systemd source tree: '$SYSTEMD_SRC'"
	fi
	missing=$(needs | while read -r kind name package; do
		have "$kind" "$name" || printf ' %s' "$package"
	done)
	[ -z "$missing" ] || die "packages are missing (the names are Debian's); to install them, type:
	apt-get install$missing"
}

# Whatever changes this makes a new build; so do the versions of Debian's sources.
inputs() {
	sha256sum <"$script"
	$CC --version 2>/dev/null | head -n 1
	echo "$VERSION_CODENAME $KMOD_SRC $SYSTEMD_SRC"
}

step() {
	printf 'deps: %s\n' "$*" >&3
	printf '\n=== %s\n' "$*"
}

finish() {
	status=$?
	rm -rf "$work"
	[ "$status" -ne 0 ] || return 0
	tail -n 20 "$log" >&4
	echo "deps: failed; the whole log is in $log" >&4
}

one_line_to_deb822() {
	awk '$1 ~ /^deb(-src)?$/ {
		sub(/#.*/, "")
		options = match($0, /\[[^]]*\]/) ? substr($0, RSTART + 1, RLENGTH - 2) : ""
		sub(/\[[^]]*\]/, "")
		gsub(/[ \t]+/, "\n", options)
		gsub(/=/, ": ", options)
		print "URIs: " $2 "\nSuites: " $3 "\nComponents: " substr($0, index($0, $4))
		print options "\n"
	}'
}

machine_sources() {
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
		[ -r "$file" ] || continue
		echo
		case $file in
		*.list) one_line_to_deb822 <"$file" ;;
		*) sed '/^#/d' "$file" ;;
		esac
	done
}

# What of the machine's own sources provides this release, its updates and its security fixes, as
# deb-src. No other field passes, so that none ("Trusted: yes") turns apt's signature check off.
debian_sources() {
	machine_sources | awk -v wanted="^$VERSION_CODENAME([-/](updates|security))?\$" '
		BEGIN { RS = ""; FS = "\n" }
		tolower($0) !~ /components:[^\n]*[ \t]main/ { next }
		tolower($0) ~ /enabled:[ \t]*(no|false|off|0)/ { next }
		{
			suites = kept = ""
			for (i = 1; i <= NF; i++) {
				n = tolower($i) ~ /^suites:/ ? split($i, suite, /[ \t]+/) : 0
				for (j = 2; j <= n; j++)
					if (suite[j] ~ wanted)
						suites = suites " " suite[j]
				if (tolower($i) ~ /^(uris:|signed-by:|check-valid-until:|[ \t])/)
					kept = kept $i "\n"
			}
			if (suites != "")
				print "Types: deb-src\nSuites:" suites "\nComponents: main\n" kept
		}'
}

# Lists, caches and sources of our own. The hooks that the machine runs after an update (docker's
# empties /var/cache/apt) are not for us; nor is apt's sandbox user, who cannot enter a private home.
configure_apt() {
	mkdir -p "$work/sources.list.d" "$cache/lists/partial" "$cache/archives/partial" "$cache/sources"
	debian_sources >"$work/sources.list.d/debian.sources"
	cat >"$work/apt.conf" <<-EOT
		Dir::Etc::sourcelist "/dev/null";
		Dir::Etc::sourceparts "$work/sources.list.d";
		Dir::State "$cache";
		Dir::State::status "/dev/null";
		Dir::Cache "$cache";
		APT::Sandbox::User "root";
		APT::Default-Release "";
		APT::Get::AllowUnauthenticated "false";
		Acquire::AllowInsecureRepositories "false";
		Acquire::AllowWeakRepositories "false";
		Acquire::AllowDowngradeToInsecureRepositories "false";
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
	EOT
}

read_lists() {
	apt-get -q -c "$work/apt.conf" update
	# Others may name a suite of theirs after Debian's release: their lists are not looked at.
	# shellcheck disable=SC2016 # for apt to expand
	apt-get -c "$work/apt.conf" indextargets --format '$(ORIGIN)|$(FILENAME)' 'Created-By: Sources' |
		sed -n '/^Debian|/!s/^[^|]*|//p' | while read -r list; do rm -f "$list"; done
}

newest() {
	apt-cache -c "$work/apt.conf" showsrc --only-source "$1" |
		sed -n 's/^Version: //p' | sort -V | tail -n 1
}

# apt checks again what was downloaded before.
fetch() {
	step "fetching kmod $1 and systemd $2"
	(cd "$cache/sources" &&
		apt-get -q -c "$work/apt.conf" source --only-source --download-only "kmod=$1" "systemd=$2")
	dpkg-source -x "$cache/sources/kmod_${1#*:}.dsc" "$work/kmod"
	dpkg-source -x "$cache/sources/systemd_${2#*:}.dsc" "$work/systemd"
}

copy_tree() {
	mkdir "$2"
	tar -C "$1" --exclude=.git -cf - . | tar -C "$2" -xf -
}

# Both libraries have a memdup(), a log_open() and the like, and so may the program that links them:
# whatever is not public gets the library's name in front.
publish() {
	nm -g --defined-only "$work/$1.a" |
		awk -v public="^${1#lib}_" -v lib="$1" 'NF == 3 && $3 !~ public { print $3, lib "_" $3 }' |
		sort -u >"$work/$1.symbols"
	objcopy --redefine-syms="$work/$1.symbols" "$work/$1.a" "$work/out/lib/$1.a"
	cp "$2" "$work/out/include/"
}

build_libkmod() {
	step 'building libkmod'
	cd "$work/kmod"
	if [ -e meson.build ]; then
		meson setup build --buildtype=plain --prefix=/usr --sysconfdir=/etc -Dtools=false \
			-Dmanpages=false -Dopenssl=disabled -Dxz=enabled -Dzstd=enabled -Dzlib=enabled
		cd build
		ninja libkmod-internal.a libshared.a
		{ ar t libkmod-internal.a && ar t libshared.a; } | xargs ar rcs "$work/libkmod.a"
	else
		touch libkmod/docs/gtk-doc.make # as kmod's autogen.sh does where there is no gtk-doc
		autoreconf --force --install
		./configure --prefix=/usr --sysconfdir=/etc --disable-tools --disable-manpages \
			--disable-test-modules --with-xz --with-zstd --with-zlib
		make -j"$(nproc)" libkmod/libkmod-internal.la
		cp libkmod/.libs/libkmod-internal.a "$work/libkmod.a"
	fi
	publish libkmod "$work/kmod/libkmod/libkmod.h"
}

build_libudev() {
	step 'building libudev (about a minute)'
	cd "$work/systemd"
	# Debian 12's has skip-deps; later ones heed --auto-features instead.
	skip=$(sed -n "s/^option('\(skip-deps\)'.*/-D\1=true/p" meson_options.txt)
	meson setup build --buildtype=plain --prefix=/usr --sysconfdir=/etc --auto-features=disabled \
		-Dmode=release -Dtests=false -Dstatic-libudev=pic ${skip:+"$skip"}
	cd build
	# The generated headers are missing from the dependencies of libudev.a.
	ninja -t targets all | sed -n 's/^\([^:]*\.h\): CUSTOM_COMMAND.*/\1/p' | xargs ninja
	ninja libudev.a
	cp libudev.a "$work/"
	publish libudev "$work/systemd/src/libudev/libudev.h"
}

build() {
	mkdir -p "$work/out/lib" "$work/out/include"
	(build_libkmod)
	(build_libudev)
	echo "$1" >"$work/out/versions"
}

build_from_trees() {
	copy_tree "$KMOD_SRC" "$work/kmod"
	copy_tree "$SYSTEMD_SRC" "$work/systemd"
	build "kmod in $KMOD_SRC, systemd in $SYSTEMD_SRC"
}

# Downloads and results are kept outside the tree, so that another clone is ready in a second.
build_from_debian() {
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/vfio-early
	mkdir -p "$cache/deps"
	exec 9>"$cache/lock"
	flock 9
	step "reading Debian's source lists"
	configure_apt
	read_lists
	kmod=$(newest kmod)
	systemd=$(newest systemd)
	if [ -z "$kmod" ] || [ -z "$systemd" ]; then
		die "no source of Debian's $VERSION_CODENAME in /etc/apt has kmod and systemd"
	fi
	built=$cache/deps/$({ inputs && echo "$kmod $systemd"; } | sha256sum | cut -c 1-16)
	if [ -d "$built" ]; then
		cp -R "$built" "$work/out"
		return
	fi
	fetch "$kmod" "$systemd"
	build "kmod $kmod, systemd $systemd"
	rm -rf "$built.new"
	cp -R "$work/out" "$built.new"
	mv "$built.new" "$built"
}

case ${1-} in
--packages)
	needs | awk '{ print $3 }'
	exit
	;;
-*) die 'usage: src/deps.sh [OUTDIR | --packages]' ;;
esac

out=$(realpath -m "${1:-build/deps}")
[ "$(cat "$out/inputs" 2>/dev/null)" != "$(inputs)" ] || exit 0
[ ! -e "$out" ] || [ -e "$out/inputs" ] || die "$out is there already, and this script did not make it"
check_needs

mkdir -p "$(dirname "$out")"
work=$(mktemp -d "$out.XXXXXX") # beside $out, so that the last move is atomic
log=$out.log
exec 3>&1 4>&2 >"$log" 2>&1
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -n "$KMOD_SRC" ]; then
	build_from_trees
else
	build_from_debian
fi
inputs >"$work/out/inputs"
rm -rf "$out"
mv "$work/out" "$out"
step "${out##*/} is ready: $(cat "$out/versions")"
