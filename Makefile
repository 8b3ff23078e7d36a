# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make               build/vfio-early, one static binary (make deps first)
# make deps          its static libkmod and libudev, from the distribution's source packages
# make install       DESTDIR=, PREFIX=; install-base and one target per generator
# make deb           build/vfio-early_VERSION_ARCHITECTURE.deb
# make test          what packagers run: no root, no network, no virtual machine
# make check         all tests; on Debian, as root, it installs what it lacks
# make fuzz          SECONDS= for each fuzzer (60), TARGET= for some alone
# make bench         what binding costs, beside the least that binds, shell loops and driverctl
# make soak N=100    boots that often, with random machines, configurations and boot words
# make demo          shows it: a virtual machine boots with and without it

VERSION := 0.1.0

PREFIX ?= /usr
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/vfio-early
# Where these look, whatever the PREFIX.
INITRAMFS_TOOLS_DIR ?= /usr/share/initramfs-tools
DRACUT_DIR ?= /usr/lib/dracut/modules.d
MKINITCPIO_DIR ?= /usr/lib/initcpio
UNIT_DIR ?= /usr/lib/systemd/system
BASH_COMPLETION_DIR ?= $(PREFIX)/share/bash-completion/completions
ZSH_COMPLETION_DIR ?= $(PREFIX)/share/zsh/site-functions
FISH_COMPLETION_DIR ?= $(PREFIX)/share/fish/vendor_completions.d

STATIC ?= 1
BUILD ?= build
DEPS ?= build/deps
CFLAGS ?= -O2
STRIP ?= strip
INSTALL ?= install
V ?= 0

comma := ,
WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wundef -Wwrite-strings -Wpointer-arith -Wvla -Wformat=2
OWN_CFLAGS := -std=gnu11 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' $(WARNINGS) -MMD -MP -fPIE \
	-fstack-protector-strong -fvisibility=hidden -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables
OWN_LDFLAGS := -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code -Wl,--gc-sections
# An unoptimized build would warn that this does nothing.
OWN_CFLAGS += $(if $(filter -O0,$(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)

ifeq ($(STATIC),1)
OWN_CFLAGS += -I$(DEPS)/include
OWN_LDFLAGS += -static-pie
# 45 KB less: relative relocations packed. The start-up code that undoes it is in glibc since 2.36.
has_relr := printf '\#include <features.h>\n\#if __GLIBC_PREREQ(2, 36)\nyes\n\#endif\n' | $(CC) -E -P -x c - 2>/dev/null
OWN_LDFLAGS += $(if $(findstring yes,$(shell $(has_relr))),-Wl$(comma)-z$(comma)pack-relative-relocs)
LIBS := $(DEPS)/lib/libkmod.a $(DEPS)/lib/libudev.a -linih -llzma -lzstd -lz
DEPS_BUILT := $(DEPS)/versions
else
PKGS := libkmod libudev inih liblzma
ifneq ($(shell pkg-config --exists $(PKGS) && echo y),y)
$(error STATIC=0 needs the shared libraries' headers; on Debian: apt-get install pkg-config libkmod-dev libudev-dev libinih-dev liblzma-dev)
endif
OWN_CFLAGS += $(shell pkg-config --cflags $(PKGS))
OWN_LDFLAGS += -pie
LIBS := $(shell pkg-config --libs $(PKGS))
DEPS_BUILT :=
endif

SOURCES := $(filter-out $(if $(filter 1,$(STATIC)),,src/nss.c),$(wildcard src/*.c))
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/%.o)
LIB_OBJECTS := $(filter-out $(BUILD)/main.o,$(OBJECTS))
TEST_LIB_OBJECTS := $(patsubst tests/lib/%.c,$(BUILD)/tests/lib-%.o,$(filter-out %/mksys.c %/lister.c %/sanitizer.c %/launch.c,$(wildcard tests/lib/*.c)))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit-%,$(wildcard tests/unit/*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz-%,$(wildcard tests/fuzz/*.c))

ifeq ($(V),0)
say = @printf '  %-7s %s\n' $(1) $(2);
endif

all: $(BUILD)/vfio-early

$(BUILD)/vfio-early: $(OBJECTS) $(if $(findstring -fsanitize,$(CFLAGS)),$(BUILD)/tests/lib-sanitizer.o)
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(OWN_LDFLAGS) -Wl,-Map,$@.map $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/%.o: src/%.c $(DEPS_BUILT) | $(BUILD)/tests
	$(call say,CC,$@)$(CC) $(CPPFLAGS) $(OWN_CFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/tests:
	@mkdir -p $@

build/deps/versions:
	@echo "The static libraries are not built yet. Type: make deps   (or build with the shared ones: make STATIC=0)" >&2
	@exit 1

deps:
	@KMOD_SRC='$(KMOD_SRC)' SYSTEMD_SRC='$(SYSTEMD_SRC)' CC='$(CC)' sh src/deps.sh $(DEPS)

# --- installation ---

# Everything, whatever generator this machine has: another one can come.
install: install-base install-completion install-unit install-initramfs-tools install-dracut \
	install-mkinitcpio

install-base: $(BUILD)/vfio-early
	$(INSTALL) -D -m 0755 $(if $(STRIP),-s --strip-program=$(STRIP)) $< $(DESTDIR)$(SBINDIR)/vfio-early
	$(INSTALL) -D -m 0644 -t $(DESTDIR)$(MANDIR)/man8 src/man/vfio-early.8
	$(INSTALL) -D -m 0644 -t $(DESTDIR)$(MANDIR)/man5 src/man/vfio-early.conf.5
	$(INSTALL) -D -m 0644 -t $(DESTDIR)$(DOCDIR)/examples conf/vfio-early.conf

install-completion:
	$(INSTALL) -D -m 0644 src/completion/vfio-early.bash $(DESTDIR)$(BASH_COMPLETION_DIR)/vfio-early
	$(INSTALL) -D -m 0644 -t $(DESTDIR)$(ZSH_COMPLETION_DIR) src/completion/_vfio-early
	$(INSTALL) -D -m 0644 -t $(DESTDIR)$(FISH_COMPLETION_DIR) src/completion/vfio-early.fish

# The hooks name the binary and the unit where they are installed.
install_file = $(INSTALL) -D -m $(3) $(1) $(DESTDIR)$(2) && \
	sed -i 's|@BINARY@|$(SBINDIR)/vfio-early|g; s|@UNITDIR@|$(UNIT_DIR)|g' $(DESTDIR)$(2)
install_hook = $(call install_file,$(1),$(2),0755)

# What systemd starts in the images of dracut and mkinitcpio.
install-unit:
	$(call install_file,conf/vfio-early.service,$(UNIT_DIR)/vfio-early.service,0644)

install-dracut:
	$(call install_hook,dracut/50vfio-early/module-setup.sh,$(DRACUT_DIR)/50vfio-early/module-setup.sh)
	$(call install_hook,dracut/50vfio-early/vfio-early.sh,$(DRACUT_DIR)/50vfio-early/vfio-early.sh)

install-initramfs-tools:
	$(call install_hook,initramfs-tools/hooks/vfio-early,$(INITRAMFS_TOOLS_DIR)/hooks/vfio-early)
	$(call install_hook,initramfs-tools/scripts/init-top/00-vfio-early,$(INITRAMFS_TOOLS_DIR)/scripts/init-top/00-vfio-early)

install-mkinitcpio:
	$(call install_file,mkinitcpio/install/vfio-early,$(MKINITCPIO_DIR)/install/vfio-early,0644)
	$(call install_file,mkinitcpio/hooks/vfio-early,$(MKINITCPIO_DIR)/hooks/vfio-early,0644)

uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/vfio-early $(DESTDIR)$(MANDIR)/man8/vfio-early.8 \
		$(DESTDIR)$(MANDIR)/man5/vfio-early.conf.5 $(DESTDIR)$(DOCDIR)/examples/vfio-early.conf \
		$(DESTDIR)$(INITRAMFS_TOOLS_DIR)/hooks/vfio-early \
		$(DESTDIR)$(INITRAMFS_TOOLS_DIR)/scripts/init-top/00-vfio-early \
		$(DESTDIR)$(UNIT_DIR)/vfio-early.service \
		$(DESTDIR)$(MKINITCPIO_DIR)/install/vfio-early $(DESTDIR)$(MKINITCPIO_DIR)/hooks/vfio-early \
		$(DESTDIR)$(BASH_COMPLETION_DIR)/vfio-early $(DESTDIR)$(ZSH_COMPLETION_DIR)/_vfio-early \
		$(DESTDIR)$(FISH_COMPLETION_DIR)/vfio-early.fish
	rm -rf $(DESTDIR)$(DRACUT_DIR)/50vfio-early
	@rmdir $(DESTDIR)$(DOCDIR)/examples $(DESTDIR)$(DOCDIR) 2>/dev/null || :
	@echo "What stays: /etc/vfio-early.conf and /etc/vfio-early.conf.d (your configuration), and the"
	@echo "initramfs images that hold vfio-early until they are built anew: update-initramfs -u -k all,"
	@echo "or: dracut --regenerate-all --force, or: mkinitcpio -P, after vfio-early is out of its HOOKS;"
	@echo "and /var/lib/vfio-early, where --check remembers the IOMMU groups"

# --- packages ---

deb: $(BUILD)/vfio-early
	@STATIC='$(STATIC)' BUILD='$(BUILD)' conf/packaging/debian/build $(BUILD)

# --- tests ---

$(BUILD)/tests/lib-%.o: tests/lib/%.c $(DEPS_BUILT) | $(BUILD)/tests
	$(call say,CC,$@)$(CC) $(CPPFLAGS) $(OWN_CFLAGS) $(CFLAGS) -Isrc -Itests/lib -c -o $@ $<

$(BUILD)/tests/unit-%.o: tests/unit/%.c $(DEPS_BUILT) | $(BUILD)/tests
	$(call say,CC,$@)$(CC) $(CPPFLAGS) $(OWN_CFLAGS) $(CFLAGS) -Isrc -Itests/lib -c -o $@ $<

$(BUILD)/tests/unit-%: $(BUILD)/tests/unit-%.o $(TEST_LIB_OBJECTS) $(LIB_OBJECTS)
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(OWN_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/tests/fuzz-%.o: tests/fuzz/%.c $(DEPS_BUILT) | $(BUILD)/tests
	$(call say,CC,$@)$(CC) $(CPPFLAGS) $(OWN_CFLAGS) $(CFLAGS) -Isrc -Itests/lib -c -o $@ $<

$(BUILD)/tests/fuzz-%: $(BUILD)/tests/fuzz-%.o $(TEST_LIB_OBJECTS) $(LIB_OBJECTS)
	$(call say,LINK,$@)$(CC) $(CFLAGS) -fsanitize=fuzzer $(OWN_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# It brings its own files.
$(BUILD)/tests/fuzz-import: OWN_LDFLAGS += -Wl,--wrap=file_read,--wrap=scandir,--wrap=access,--wrap=lstat,--wrap=realpath,--wrap=modules_match,--wrap=modules_have

# Its driver core stands in for the kernel's.
$(BUILD)/tests/unit-apply: OWN_LDFLAGS += -Wl,--wrap=sysfs_write,--wrap=modules_load,--wrap=fork

# Its tracer knows the registers of one architecture.
FAULTS := $(if $(filter x86_64-%,$(shell $(CC) -dumpmachine)),$(BUILD)/tests/faults)

$(BUILD)/tests/faults-%.o: tests/faults/%.c $(DEPS_BUILT) | $(BUILD)/tests
	$(call say,CC,$@)$(CC) $(CPPFLAGS) $(OWN_CFLAGS) $(CFLAGS) -Isrc -c -o $@ $<

$(BUILD)/tests/faults: $(patsubst tests/faults/%.c,$(BUILD)/tests/faults-%.o,$(wildcard tests/faults/*.c)) \
		$(LIB_OBJECTS)
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(OWN_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

test: $(UNIT_TESTS)
	@tests/summary $(UNIT_TESTS) tests/hooks/mkinitcpio

unit-tests: $(UNIT_TESTS)
fuzzers: $(FUZZERS)

# The sanitizers and the fuzzers share a build. Valgrind has its own, with shared libraries: in a static
# program it would not see malloc().
SANITIZED := STATIC=0 CC=clang BUILD=build/sanitized CFLAGS='-O1 -g -Werror -U_FORTIFY_SOURCE \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all'
SHARED := STATIC=0 BUILD=build/shared CFLAGS='-O1 -g -Werror'
FUZZ_NEEDS := clang libclang-rt-dev pkg-config libkmod-dev libudev-dev libinih-dev liblzma-dev

# SECONDS for each of all fuzzers, or of those that TARGET= names.
fuzz: SECONDS := 60
fuzz:
	@tests/need $(FUZZ_NEEDS)
	@$(MAKE) -j2 --no-print-directory $(SANITIZED) fuzzers
	@tests/fuzz/run $(SECONDS) $(TARGET)

# What make check and make demo need of Debian beside make itself.
BUILD_NEEDS = $(shell sh src/deps.sh --packages)
LAB_NEEDS = $(shell sh tests/vm/needs --packages)
CHECK_NEEDS := shellcheck devscripts mandoc kmod util-linux busybox zsh fish lintian rpm valgrind \
	strace
VM_RUN := tests/vm/run

check:
	@tests/need $(sort $(BUILD_NEEDS) $(LAB_NEEDS) $(CHECK_NEEDS) $(FUZZ_NEEDS))
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory CFLAGS='$(CFLAGS) -Werror' all $(UNIT_TESTS) $(FAULTS)
	@$(MAKE) -j2 --no-print-directory $(SANITIZED) all unit-tests fuzzers
	@$(MAKE) -j2 --no-print-directory $(SHARED) unit-tests
	@tests/summary $(UNIT_TESTS) 'tests/hardening $(BUILD)/vfio-early' tests/lint \
		'tests/completion $(BUILD)/vfio-early' tests/sysfs/run tests/hostile/run tests/hostile/calls \
		tests/faults/run tests/sanitized tests/fuzz/run tests/hooks/mkinitcpio tests/hooks/run \
		tests/hooks/images \
		'$(VM_RUN)' tests/packages

# What make check does, with more cases on the images of other generators; then the other compiler, the
# shared libraries, the sanitizers, and the lab on the later release.
check-all: VM_RUN := tests/vm/run --all
check-all: check
	@$(MAKE) --no-print-directory CC=clang BUILD=build/clang CFLAGS='-O2 -Werror' all
	@$(MAKE) --no-print-directory STATIC=0 BUILD=build/sanitized-gcc \
		CFLAGS='-O1 -g -Werror -fsanitize=address,undefined -fno-sanitize-recover' all test
	@VM_SUITE=trixie tests/summary tests/hooks/run tests/hooks/images '$(VM_RUN)' tests/packages

# As root; RUNS=N for medians of as many.
BENCH_NEEDS := busybox driverctl pciutils valgrind kmod util-linux udev

bench:
	@tests/need $(sort $(BUILD_NEEDS) $(LAB_NEEDS) $(BENCH_NEEDS))
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory all
	@tests/bench/run

N ?= 100
soak:
	@tests/need $(sort $(BUILD_NEEDS) $(LAB_NEEDS))
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory all
	@tests/vm/soak $(N)

demo:
	@tests/need $(sort $(BUILD_NEEDS) $(LAB_NEEDS))
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory all
	@tests/vm/demo

.PRECIOUS: $(BUILD)/tests/unit-%.o $(BUILD)/tests/lib-%.o $(BUILD)/tests/fuzz-%.o

clean:
	rm -rf $(BUILD)/*.o $(BUILD)/*.d $(BUILD)/tests $(BUILD)/vfio-early $(BUILD)/vfio-early.map

distclean:
	rm -rf build

.PHONY: all test unit-tests fuzzers fuzz check check-all soak bench demo deps install install-base install-completion install-unit \
	install-initramfs-tools install-dracut install-mkinitcpio uninstall deb clean distclean
-include $(wildcard $(BUILD)/*.d $(BUILD)/tests/*.d)
