/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bootwords.h"
#include "test.h"

enum { PLAIN = 0, BAD = 1, VERBOSE = 2, NET = 4 };

/* "a|b|c" */
static char *join(char **list, size_t n)
{
	char *all = strdup(""), *more;

	for (size_t i = 0; i < n; i++) {
		more = format("%s%s%s", all, i ? "|" : "", list[i]);
		free(all);
		all = more;
	}
	return all;
}

struct row {
	int line;
	const char *cmdline;
	const char *bypass; /* NULL: none */
	const char *skip;   /* joined by '|' */
	const char *profiles;
	int flags;
};

#define ROW(...) \
	{ \
		__LINE__, __VA_ARGS__ \
	}
#define NOTHING(cmdline)     ROW(cmdline, NULL, "", "", PLAIN)
#define BYPASS(cmdline, by)  ROW(cmdline, by, "", "", PLAIN)
#define UNKNOWN(cmdline, by) ROW(cmdline, by, "", "", BAD)
#define NETWORK(cmdline)     ROW(cmdline, NULL, "", "", NET)

static const struct row rows[] = {
	NOTHING(""),
	NOTHING(" \t\n "),
	NOTHING("BOOT_IMAGE=/vmlinuz root=UUID=1-2 ro quiet splash vfio-pci.ids=10de:2786"),
	NOTHING("rd.vfio_pci=1 vfioearly=0 x.vfio-early=0 rd.rd.vfio-early=0 vfio=early"),

	/* The switch */
	BYPASS("rd.vfio-early=0", "rd.vfio-early=0"),
	BYPASS("ro rd.vfio-early=no quiet", "rd.vfio-early=no"),
	BYPASS("rd.vfio-early=off\n", "rd.vfio-early=off"),
	BYPASS("rd.vfio-early=false", "rd.vfio-early=false"),
	BYPASS("rd.vfio-early=n", "rd.vfio-early=n"),
	BYPASS("rd.vfio-early=OFF", "rd.vfio-early=OFF"),
	BYPASS("vfio-early=0", "vfio-early=0"),
	BYPASS("rd.vfio_early=0", "rd.vfio_early=0"),
	BYPASS("vfio_early=0", "vfio_early=0"),
	NOTHING("rd.vfio-early=1"),
	NOTHING("rd.vfio-early=yes vfio-early=on"),
	/* Nothing undoes a bypass: whoever typed it wants the machine to himself. */
	BYPASS("rd.vfio-early=0 rd.vfio-early=1", "rd.vfio-early=0"),
	BYPASS("rd.vfio-early=1 rd.vfio-early=0", "rd.vfio-early=0"),
	BYPASS("rd.vfio-early=0 single", "rd.vfio-early=0"),
	BYPASS("single rd.vfio-early=0", "single"),

	/* Ours, and not understood: nothing is bound */
	UNKNOWN("rd.vfio-early=", "rd.vfio-early="),
	UNKNOWN("rd.vfio-early=2", "rd.vfio-early=2"),
	UNKNOWN("rd.vfio-early=00", "rd.vfio-early=00"),
	UNKNOWN("rd.vfio-early=none", "rd.vfio-early=none"),
	UNKNOWN("rd.vfio-early.skp=gpu", "rd.vfio-early.skp=gpu"),
	UNKNOWN("rd.vfio-early.Skip=gpu", "rd.vfio-early.Skip=gpu"),
	UNKNOWN("rd.vfio-early.skips=gpu", "rd.vfio-early.skips=gpu"),
	UNKNOWN("rd.vfio-early.ski=gpu", "rd.vfio-early.ski=gpu"),
	UNKNOWN("rd.vfio-early.skip", "rd.vfio-early.skip"),
	UNKNOWN("rd.vfio-early.skip=", "rd.vfio-early.skip="),
	UNKNOWN("rd.vfio-early.skip=,", "rd.vfio-early.skip=,"),
	UNKNOWN("rd.vfio-early.skip=\"\"", "rd.vfio-early.skip="),
	UNKNOWN("rd.vfio-early.profile", "rd.vfio-early.profile"),
	UNKNOWN("rd.vfio-early.profile=", "rd.vfio-early.profile="),
	UNKNOWN("rd.vfio-early.profiles=vm", "rd.vfio-early.profiles=vm"),
	UNKNOWN("rd.vfio-early.verbose=maybe", "rd.vfio-early.verbose=maybe"),
	UNKNOWN("rd.vfio-early.", "rd.vfio-early."),
	UNKNOWN("rd.vfio-early.=0", "rd.vfio-early.=0"),
	UNKNOWN("rd.vfio-early-skip=gpu", "rd.vfio-early-skip=gpu"),
	UNKNOWN("rd.vfio-earlyskip=gpu", "rd.vfio-earlyskip=gpu"),
	UNKNOWN("vfio-early.debug", "vfio-early.debug"),
	/* What is to be mended is told before what was meant. */
	UNKNOWN("rd.vfio-early=0 rd.vfio-early.skp=gpu", "rd.vfio-early.skp=gpu"),
	UNKNOWN("single vfio-early=2", "vfio-early=2"),
	UNKNOWN("vfio-early=2 single", "vfio-early=2"),
	UNKNOWN("vfio-early=2 vfio-early=3", "vfio-early=2"),

	/* Selecting */
	ROW("rd.vfio-early.skip=gpu", NULL, "gpu", "", PLAIN),
	ROW("vfio_early.skip=gpu", NULL, "gpu", "", PLAIN),
	ROW("rd.vfio-early.skip=gpu,0000:01:00.0,10de:2786", NULL, "gpu|0000:01:00.0|10de:2786", "",
		PLAIN),
	ROW("rd.vfio-early.skip=a rd.vfio-early.skip=b,c", NULL, "a|b|c", "", PLAIN),
	ROW("rd.vfio-early.skip=,a,,b,", NULL, "a|b", "", PLAIN),
	ROW("rd.vfio-early.skip=\"a b\",c", NULL, "a|b|c", "", PLAIN),
	ROW("rd.vfio-early.skip=my_gpu,my-usb", NULL, "my_gpu|my-usb", "", PLAIN),
	ROW("rd.vfio-early.skip=a=b", NULL, "a=b", "", PLAIN),
	ROW("rd.vfio-early.profile=gaming", NULL, "", "gaming", PLAIN),
	ROW("rd.vfio-early.profile=gaming,vm vfio-early.profile=try", NULL, "", "gaming|vm|try",
		PLAIN),
	ROW("rd.vfio-early.profile=vm rd.vfio-early.skip=gpu", NULL, "gpu", "vm", PLAIN),
	ROW("rd.vfio-early=0 rd.vfio-early.skip=gpu", "rd.vfio-early=0", "gpu", "", PLAIN),
	ROW("rd.vfio-early.verbose", NULL, "", "", VERBOSE),
	ROW("rd.vfio_early.verbose=1", NULL, "", "", VERBOSE),
	ROW("rd.vfio-early.verbose=0", NULL, "", "", PLAIN),
	ROW("rd.vfio-early.verbose rd.vfio-early.verbose=no", NULL, "", "", PLAIN),

	/* Rescue boots */
	BYPASS("single", "single"),
	BYPASS("ro s", "s"),
	BYPASS("S", "S"),
	BYPASS("1", "1"),
	BYPASS("rescue", "rescue"),
	BYPASS("emergency", "emergency"),
	BYPASS("recovery", "recovery"),
	BYPASS("recovery nomodeset", "recovery"),
	BYPASS("systemd.unit=rescue.target", "systemd.unit=rescue.target"),
	BYPASS("systemd.unit=emergency.target", "systemd.unit=emergency.target"),
	BYPASS("systemd.unit=\"rescue.target\"", "systemd.unit=rescue.target"),
	BYPASS("rd.break", "rd.break"),
	BYPASS("rd.break=pre-mount", "rd.break=pre-mount"),
	BYPASS("break", "break"),
	BYPASS("break=premount", "break=premount"),
	BYPASS("break=init,top", "break=init,top"),
	BYPASS("init=/bin/sh", "init=/bin/sh"),
	BYPASS("init=/bin/bash", "init=/bin/bash"),
	BYPASS("init=/usr/bin/bash", "init=/usr/bin/bash"),
	BYPASS("init=\"/bin/dash\"", "init=/bin/dash"),
	BYPASS("init=/bin/busybox", "init=/bin/busybox"),
	BYPASS("init=sh", "init=sh"),
	BYPASS("init=/bin/zsh", "init=/bin/zsh"),
	NOTHING("single2"),
	NOTHING("xsingle"),
	NOTHING("single=1"),
	NOTHING("Single SINGLE"),
	NOTHING("ss"),
	NOTHING("2 3 5"),
	NOTHING("11"),
	NOTHING("rescue=1 norescue"),
	NOTHING("emergency=off"),
	NOTHING("breakfast=1"),
	NOTHING("breakfast"),
	NOTHING("nobreak break_on=1 rd.breakfast"),
	NOTHING("rd.rescues rd.emergency=reboot"),
	BYPASS("rd.rescue", "rd.rescue"),
	BYPASS("rd.emergency", "rd.emergency"),
	BYPASS("-b", "-b"),
	BYPASS("-s", "-s"),
	NOTHING("systemd.unit=graphical.target"),
	NOTHING("systemd.unit=multi-user.target"),
	NOTHING("systemd.unit=rescue.service"),
	NOTHING("xsystemd.unit=rescue.target"),
	NOTHING("systemd.unit=rescue.target.wants"),
	NOTHING("systemd.wants=rescue.target"),
	NOTHING("init=/sbin/init"),
	NOTHING("init=/lib/systemd/systemd"),
	NOTHING("init=/usr/bin/shutdown"),
	NOTHING("init=/sh/init"),
	NOTHING("init="),
	NOTHING("xinit=/bin/sh"),

	/* kdump */
	BYPASS("ro elfcorehdr=0x2b000000 irqpoll", "elfcorehdr=0x2b000000"),
	NOTHING("elfcorehdr"),
	NOTHING("xelfcorehdr=0x1"),
	NOTHING("crashkernel=512M"),

	/* Quoting, as the kernel does it: double quotes, no escapes, no single quotes */
	BYPASS("\"rd.vfio-early=0\"", "rd.vfio-early=0"),
	BYPASS("rd.vfio-early=\"0\"", "rd.vfio-early=0"),
	BYPASS("\"single\"", "single"),
	NOTHING("x=\"a single b\""),
	NOTHING("\"x single b\""),
	NOTHING("\"dyndbg=file a.c +p ; rd.vfio-early=0\""),
	BYPASS("dyndbg=\"file a.c +p\" single", "single"),
	NOTHING("x=\"never closed single"),
	BYPASS("x='a single b'", "single"),
	BYPASS("x=\\\"a single b\\\" single", "single"),
	BYPASS("quiet\tsingle\n", "single"),
	BYPASS("quiet\nsingle\vro", "single"),
	UNKNOWN("rd.vfio-early = 0", "rd.vfio-early"),

	/* Behind "--" the words are init's, and count for bypassing only */
	BYPASS("ro -- single", "single"),
	BYPASS("ro -- s", "s"),
	BYPASS("ro -- rd.vfio-early=0", "rd.vfio-early=0"),
	UNKNOWN("ro -- rd.vfio-early.skp=gpu", "rd.vfio-early.skp=gpu"),
	NOTHING("ro -- rd.vfio-early.profile=vm"),
	NOTHING("ro -- rd.vfio-early.verbose"),
	NOTHING("ro -- splash"),
	NOTHING("ro -- root=/dev/nfs"),
	NOTHING("ro --single"),
	BYPASS("ro -- -- single", "single"),
	ROW("rd.vfio-early.profile=vm -- emergency", "emergency", "", "vm", PLAIN),

	/* The root file system over the network */
	NETWORK("root=/dev/nfs nfsroot=192.0.2.1:/srv ip=dhcp"),
	NETWORK("root=nfs:192.0.2.1:/srv"),
	NETWORK("root=nfs4:192.0.2.1:/srv"),
	NETWORK("nfsroot=192.0.2.1:/srv"),
	NETWORK("netroot=iscsi:@192.0.2.1::3260::iqn.x"),
	NETWORK("root=iscsi:192.0.2.1::::iqn.x"),
	NETWORK("root=nbd:192.0.2.1:export"),
	NETWORK("root=dhcp"),
	NETWORK("boot=nfs"),
	NETWORK("boot=live netboot=nfs"),
	NOTHING("root=/dev/nvme0n1p2"),
	NOTHING("root=UUID=1234 ip=dhcp"),
	NOTHING("root=LABEL=nfs"),
	NOTHING("xroot=/dev/nfs"),
	NOTHING("boot=local"),
};

static void test_rows(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		_cleanup_free_ char *skip = NULL, *profiles = NULL;
		struct bootwords w = { 0 };

		test_begin(__FILE__, row->line, row->cmdline);
		EXPECT_INT(bootwords_parse(row->cmdline, &w), 0);
		skip = join(w.skip, w.n_skip);
		profiles = join(w.profiles, w.n_profiles);
		EXPECT_STR(w.bypass, row->bypass);
		EXPECT_INT(w.bypass_bad, !!(row->flags & BAD));
		EXPECT_STR(skip, row->skip);
		EXPECT_STR(profiles, row->profiles);
		EXPECT_INT(w.verbose, !!(row->flags & VERBOSE));
		EXPECT_INT(w.network_root, !!(row->flags & NET));
		bootwords_free(&w);
		test_end();
	}
}

static void test_words(void)
{
	_cleanup_free_ char *words = NULL;
	struct bootwords w = { 0 };

	TEST_BEGIN("the words for the boot record, as typed");
	EXPECT_INT(
		bootwords_parse(
			"ro rd.vfio_early.skip=a,b quiet vfio-early.verbose single -- rd.vfio-early=0",
			&w),
		0);
	words = join(w.words, w.n_words);
	EXPECT_STR(words, "rd.vfio_early.skip=a,b|vfio-early.verbose|single|rd.vfio-early=0");
	bootwords_free(&w);
	EXPECT_INT(w.n_words, 0);
	bootwords_free(&w);
	test_end();
}

static void test_iommu(void)
{
	/* off, on, amd_iommu=on, ACS override, intremap, as they are reported */
	static const struct {
		const char *cmdline;
		const char *words[5];
	} iommu[] = {
		{ "ro quiet iommu=pt", { NULL } },
		{ "intel_iommu=on iommu=pt", { NULL, "intel_iommu=on" } },
		{ "intel_iommu=on,sm_on", { NULL, "intel_iommu=on,sm_on" } },
		{ "intel_iommu=off", { "intel_iommu=off" } },
		{ "amd_iommu=off", { "amd_iommu=off" } },
		{ "iommu=off", { "iommu=off" } },
		{ "amd_iommu=on", { NULL, NULL, "amd_iommu=on" } },
		{ "amd_iommu=fullflush", { NULL } },
		{ "pcie_acs_override=downstream",
			{ NULL, NULL, NULL, "pcie_acs_override=downstream" } },
		{ "intremap=off", { NULL, NULL, NULL, NULL, "intremap=off" } },
		{ "nointremap", { NULL, NULL, NULL, NULL, "nointremap" } },
		{ "intremap=nosid", { NULL } },
		{ "ro -- intel_iommu=off", { NULL } },
		{ "intel_iommu=off intel_iommu=off", { "intel_iommu=off" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(iommu); i++) {
		struct bootwords w = { 0 };

		TEST_BEGIN(iommu[i].cmdline);
		EXPECT_INT(bootwords_parse(iommu[i].cmdline, &w), 0);
		EXPECT_STR(w.iommu_off, iommu[i].words[0]);
		EXPECT_STR(w.iommu_on, iommu[i].words[1]);
		EXPECT_STR(w.amd_iommu_on, iommu[i].words[2]);
		EXPECT_STR(w.acs_override, iommu[i].words[3]);
		EXPECT_STR(w.intremap_off, iommu[i].words[4]);
		bootwords_free(&w);
		test_end();
	}
}

static void test_drop_bypass(void)
{
	struct bootwords w = { 0 };

	TEST_BEGIN("a bypass is dropped, but for a word that is not understood");
	EXPECT_INT(bootwords_parse("single", &w), 0);
	bootwords_drop_bypass(&w);
	EXPECT_STR(w.bypass, NULL);
	bootwords_free(&w);
	EXPECT_INT(bootwords_parse("rd.vfio-early=x", &w), 0);
	bootwords_drop_bypass(&w);
	EXPECT_STR(w.bypass, "rd.vfio-early=x");
	bootwords_free(&w);
	test_end();
}

int main(void)
{
	test_rows();
	test_words();
	test_iommu();
	test_drop_bypass();
	return test_summary();
}
