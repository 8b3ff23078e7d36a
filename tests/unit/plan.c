/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bootwords.h"
#include "config.h"
#include "machine.h"
#include "plan.h"
#include "test.h"

/* --- machines --- */

/* A desktop of today: each card in its own group, the chipset's functions in theirs. */
static const char pc[] =
	"IOMMU Group 0:\n"
	"	00:02.0 VGA compatible controller [0300]: Intel UHD [8086:a780]\n"
	"IOMMU Group 1:\n"
	"	00:00.0 Host bridge [0600]: Intel [8086:a700]\n"
	"IOMMU Group 2:\n"
	"	00:01.0 PCI bridge [0604]: Intel [8086:a70d] @pcieport\n"
	"IOMMU Group 5:\n"
	"	00:14.0 USB controller [0c0330]: Intel [8086:7a60]\n"
	"	00:14.2 RAM memory [0500]: Intel [8086:7a27]\n"
	"IOMMU Group 8:\n"
	"	00:17.0 SATA controller [0106]: Intel [8086:7a62]\n"
	"IOMMU Group 9:\n"
	"	00:1b.0 PCI bridge [0604]: Intel [8086:7a40] @pcieport\n"
	"IOMMU Group 10:\n"
	"	00:1c.0 PCI bridge [0604]: Intel [8086:7a38] @pcieport\n"
	"IOMMU Group 11:\n"
	"	00:1d.0 PCI bridge [0604]: Intel [8086:7a30] @pcieport\n"
	"IOMMU Group 15:\n"
	"	00:1f.0 ISA bridge [0601]: Intel [8086:7a04]\n"
	"	00:1f.3 Audio device [0403]: Intel [8086:7a50]\n"
	"	00:1f.4 SMBus [0c05]: Intel [8086:7a23]\n"
	"IOMMU Group 16:\n"
	"	01:00.0 VGA compatible controller [0300]: NVIDIA RTX 4070 [10de:2786] ^00:01.0\n"
	"	01:00.1 Audio device [0403]: NVIDIA [10de:22bc] ^00:01.0\n"
	"IOMMU Group 17:\n"
	"	02:00.0 Non-Volatile memory controller [010802]: Samsung [144d:a80c] ^00:1b.0\n"
	"IOMMU Group 18:\n"
	"	03:00.0 Ethernet controller [0200]: Intel I226-V [8086:125c] ^00:1c.0\n"
	"IOMMU Group 19:\n"
	"	04:00.0 USB controller [0c0330]: ASMedia [1b21:1343] ^00:1d.0\n";

/* The X370 of the Void Linux handbook's guide: a chipset group, and dummy functions beside the
 * card. */
static const char x370[] =
	"IOMMU Group 1:\n"
	"	00:01.3 PCI bridge [0604]: AMD GPP [1022:1453] @pcieport\n"
	"IOMMU Group 13:\n"
	"	01:00.0 USB controller [0c0330]: AMD X370 [1022:43b9] ^00:01.3\n"
	"	01:00.1 SATA controller [0106]: AMD X370 [1022:43b5] ^00:01.3\n"
	"	01:00.2 PCI bridge [0604]: AMD X370 Upstream [1022:43b0] ^00:01.3 @pcieport\n"
	"	02:00.0 PCI bridge [0604]: AMD Port [1022:43b4] ^01:00.2 @pcieport\n"
	"	02:02.0 PCI bridge [0604]: AMD Port [1022:43b4] ^01:00.2 @pcieport\n"
	"	02:03.0 PCI bridge [0604]: AMD Port [1022:43b4] ^01:00.2 @pcieport\n"
	"	03:00.0 USB controller [0c0330]: ASMedia ASM1143 [1b21:1343] ^02:00.0\n"
	"	04:00.0 Ethernet controller [0200]: Intel I211 [8086:1539] ^02:02.0\n"
	"	05:00.0 Ethernet controller [0200]: Killer E2500 [1969:e0b1] ^02:03.0\n"
	"IOMMU Group 14:\n"
	"	00:03.0 Host bridge [0600]: AMD Dummy [1022:1452]\n"
	"	00:03.1 PCI bridge [0604]: AMD GPP [1022:1453] @pcieport\n"
	"	07:00.0 VGA compatible controller [0300]: Ellesmere RX 480 [1002:67df] ^00:03.1\n"
	"	07:00.1 Audio device [0403]: Ellesmere HDMI [1002:aaf0] ^00:03.1\n"
	"IOMMU Group 15:\n"
	"	00:07.0 Host bridge [0600]: AMD Dummy [1022:1452]\n"
	"	00:07.1 PCI bridge [0604]: AMD [1022:1454]\n"
	"	09:00.0 Non-Essential Instrumentation [1300]: AMD Dummy [1022:145a] ^00:07.1\n"
	"	09:00.3 USB controller [0c0330]: AMD [1022:145c] ^00:07.1\n"
	"IOMMU Group 16:\n"
	"	08:00.0 VGA compatible controller [0300]: GT 710 [10de:128b]\n";

/* Three functions in two groups, two of them USB, and nothing else that counts. */
static const char usb_only[] =
	"IOMMU Group 1:\n"
	"	00:14.0 USB controller [0c0330]: Intel [8086:7a60]\n"
	"	00:14.1 Signal processing controller [1180]: Intel [8086:7a61]\n"
	"IOMMU Group 2:\n"
	"	00:15.0 Signal processing controller [1180]: Intel [8086:7a62]\n"
	"	00:15.1 Serial controller [0700]: Intel [8086:7a63]\n"
	"IOMMU Group 3:\n"
	"	04:00.0 USB controller [0c0330]: ASMedia [1b21:1343]\n";

/* A chain of groups: each target needs the next one. */
static const char chain[] = "IOMMU Group 1:\n"
			    "	10:00.0 Audio [0401]: a [1111:0001]\n"
			    "	10:01.0 Audio [0401]: b [1111:0002]\n"
			    "IOMMU Group 2:\n"
			    "	10:02.0 Audio [0401]: b [1111:0003]\n"
			    "	10:03.0 Audio [0401]: c [1111:0004]\n"
			    "IOMMU Group 3:\n"
			    "	10:04.0 Audio [0401]: c [1111:0005]\n"
			    "	10:05.0 Audio [0401]: nobody's [1111:0006]\n";

/* Behind a Volume Management Device; the domain as the kernel numbers it. */
static const char vmd[] =
	"IOMMU Group 1:\n"
	"	0000:00:02.0 VGA compatible controller [0300]: Intel [8086:46a6]\n"
	"IOMMU Group 9:\n"
	"	0000:00:0e.0 RAID bus controller [0104]: Intel VMD [8086:467f] @vmd\n"
	"	10000:e0:06.0 PCI bridge [0604]: Intel [8086:464d] @pcieport\n"
	"	10000:e1:00.0 Non-Volatile memory controller [010802]: SK hynix [1c5c:1959] ^10000:e0:06.0\n";

/* Two cards of one kind, and two disks of one kind. */
#define TWIN_GPU \
	"IOMMU Group 20:\n" \
	"	00:06.0 PCI bridge [0604]: Intel [8086:a74d] @pcieport\n" \
	"IOMMU Group 21:\n" \
	"	05:00.0 VGA compatible controller [0300]: NVIDIA RTX 4070 [10de:2786] ^00:06.0\n" \
	"	05:00.1 Audio device [0403]: NVIDIA [10de:22bc] ^00:06.0\n"
#define TWIN_DISK \
	"IOMMU Group 22:\n" \
	"	00:1b.4 PCI bridge [0604]: Intel [8086:7a44] @pcieport\n" \
	"IOMMU Group 23:\n" \
	"	06:00.0 Non-Volatile memory controller [010802]: Samsung [144d:a80c] ^00:1b.4\n"

/* --- configurations --- */

#define GPU  "[gpu]\ndevice = 01:00.0 10de:2786\ndevice = 01:00.1 10de:22bc\n"
#define RX   "[gpu]\ndevice = 07:00.0 1002:67df\ndevice = 07:00.1 1002:aaf0\n"
#define NIC  "[nic]\ndevice = 03:00.0 8086:125c\n"
#define USB  "[usb]\ndevice = 04:00.0 1b21:1343\n"
#define DISK "[disk]\ndevice = 02:00.0 144d:a80c\n"
#define IGPU "[igpu]\ndevice = 00:02.0 8086:a780\n"
#define LPC  "[lpc]\ndevice = 00:1f.3 8086:7a50\n"
#define ASM  "[usb]\ndevice = 03:00.0 1b21:1343\n"

#define GPU_BOUND "01:00.0 01:00.1"

struct row {
	int line;
	const char *what;
	const char *machine; /* NULL: pc */
	const char *more;    /* lines behind the listing */
	const char *config;
	const char *cmdline;
	bool live;            /* projected back to the hook first */
	const char *verdicts; /* "gpu bind, usb refused" */
	const char *bound;    /* addresses, domain 0000 left out */
	const char *findings; /* in any order: "E id@target@address" */
	const char *text[5];  /* each is in some finding's text or cure */
};

#define ROW(what_, ...) \
	{ \
		.line = __LINE__, .what = (what_), __VA_ARGS__ \
	}

static const struct row rows[] = {
	/* --- which devices a line means --- */
	ROW("nothing configured", .config = ""),
	ROW("[options] alone", .config = "[options]\nisolation = none\n"),
	ROW("by address, with ID", .config = GPU, .verdicts = "gpu bind", .bound = GPU_BOUND),
	ROW("by ID", .config = "[gpu]\ndevice = 10de:2786\ndevice = 10de:22bc\n",
		.verdicts = "gpu bind", .bound = GPU_BOUND),
	ROW("by path", .config = "[gpu]\ndevice = 00:01.0/00.0 10de:2786\ndevice = 00:01.0/00.1\n",
		.verdicts = "gpu bind", .bound = GPU_BOUND),
	ROW("all functions by address; the ID is function 0's",
		.config = "[gpu]\ndevice = 01:00.* 10de:2786\n", .verdicts = "gpu bind",
		.bound = GPU_BOUND),
	ROW("all functions by path", .config = "[gpu]\ndevice = 00:01.0/00.* 10de:2786\n",
		.verdicts = "gpu bind", .bound = GPU_BOUND),
	ROW("all functions where there is one", .config = "[nic]\ndevice = 03:00.* 8086:125c\n",
		.verdicts = "nic bind", .bound = "03:00.0"),
	ROW("a five-digit domain",
		.more = "IOMMU Group 30:\n	12345:01:00.0 Audio [0401]: x [1234:5678]\n",
		.config = "[a]\ndevice = 12345:01:00.0 1234:5678\n", .verdicts = "a bind",
		.bound = "12345:01:00.0"),
	ROW("the same bus in another domain is another device",
		.more = "IOMMU Group 30:\n	0001:01:00.0 Audio [0401]: x [1234:5678]\n",
		.config = GPU, .verdicts = "gpu bind", .bound = GPU_BOUND),
	ROW("several targets", .config = GPU NIC USB, .verdicts = "gpu bind, nic bind, usb bind",
		.bound = GPU_BOUND " 03:00.0 04:00.0"),
	ROW("a target of devices in several groups",
		.config = "[vm]\ndevice = 01:00.* 10de:2786\ndevice = 03:00.0 8086:125c\n",
		.verdicts = "vm bind", .bound = GPU_BOUND " 03:00.0"),
	ROW("written in any order, bound in order of address",
		.config =
			"[vm]\ndevice = 03:00.0 8086:125c\ndevice = 01:00.1 10de:22bc\ndevice = 10de:2786\n",
		.verdicts = "vm bind", .bound = GPU_BOUND " 03:00.0"),

	/* --- absent, other IDs --- */
	ROW("no such device", .config = "[x]\ndevice = 07:00.0\n", .verdicts = "x refused",
		.findings = "E absent@x@-", .text = { "f:2: '07:00.0': there is no such device" }),
	ROW("no such device; its ID is nowhere", .config = "[x]\ndevice = 07:00.0 1234:5678\n",
		.verdicts = "x refused", .findings = "E absent@x@-",
		.text = { "f:2: '07:00.0 1234:5678'" }),
	ROW("it moved: the message says where, and the line to write",
		.config = "[gpu]\ndevice = 09:00.0 10de:2786\n", .verdicts = "gpu refused",
		.findings = "E absent@gpu@-",
		.text = { "0000:01:00.0", "path 00:01.0/00.0", "device = 0000:01:00.0 10de:2786" }),
	ROW("all functions moved", .config = "[gpu]\ndevice = 09:00.* 10de:2786\n",
		.verdicts = "gpu refused", .findings = "E absent@gpu@-",
		.text = { "device = 0000:01:00.* 10de:2786" }),
	ROW("moved, and there are two of them: paths", .more = TWIN_GPU,
		.config = "[gpu]\ndevice = 09:00.0 10de:2786\n", .verdicts = "gpu refused",
		.findings = "E absent@gpu@-", .text = { "00:01.0/00.0", "00:06.0/00.0" }),
	ROW("another ID at the address", .config = "[x]\ndevice = 03:00.0 8086:1539\n",
		.verdicts = "x refused", .findings = "E id-mismatch@x@03:00.0",
		.text = { "0000:03:00.0 (Ethernet controller 8086:125c)", "8086:1539" }),
	ROW("another ID at the address, and where the expected one is",
		.config = "[gpu]\ndevice = 03:00.0 10de:2786\n", .verdicts = "gpu refused",
		.findings = "E id-mismatch@gpu@03:00.0",
		.text = { "0000:01:00.0 (path 00:01.0/00.0)",
			"write: device = 0000:01:00.0 10de:2786" }),
	ROW("another vendor is another ID", .config = "[x]\ndevice = 03:00.0 8087:125c\n",
		.verdicts = "x refused", .findings = "E id-mismatch@x@03:00.0"),
	ROW("one of two lines is wrong: the whole target",
		.config = "[gpu]\ndevice = 01:00.0 10de:2786\n"
			  "device = 01:00.1 10de:22bb\n",
		.verdicts = "gpu refused", .findings = "E id-mismatch@gpu@01:00.1"),
	ROW("all that is wrong is said",
		.config = "[x]\ndevice = 09:00.0\ndevice = 03:00.0 1234:5678\n",
		.verdicts = "x refused", .findings = "E absent@x@- E id-mismatch@x@03:00.0"),
	ROW("a path to nothing", .config = "[x]\ndevice = 00:01.0/01.0\n", .verdicts = "x refused",
		.findings = "E absent@x@-"),
	ROW("a path that is too short", .config = "[x]\ndevice = 00:01.0/00.0/00.0\n",
		.verdicts = "x refused", .findings = "E absent@x@-"),
	ROW("a path whose ID is elsewhere", .config = "[x]\ndevice = 00:1c.0/00.0 10de:2786\n",
		.verdicts = "x refused", .findings = "E id-mismatch@x@03:00.0"),
	ROW("an ID that nothing has", .config = "[x]\ndevice = 1234:5678\n",
		.verdicts = "x refused", .findings = "E absent@x@-"),
	ROW("an ID that nothing has, all of them",
		.config = "[x]\ndevice = 1234:5678\nmatch = all\n", .verdicts = "x refused",
		.findings = "E absent@x@-"),
	ROW("all functions of nothing", .config = "[x]\ndevice = 09:00.*\n",
		.verdicts = "x refused", .findings = "E absent@x@-"),
	ROW("all functions, another ID", .config = "[gpu]\ndevice = 01:00.* 10de:22bc\n",
		.verdicts = "gpu refused", .findings = "E id-mismatch@gpu@01:00.0"),
	ROW("a refused target does not refuse the others",
		.config = "[x]\ndevice = 1234:5678\n" GPU, .verdicts = "x refused, gpu bind",
		.bound = GPU_BOUND, .findings = "E absent@x@-"),

	/* --- an address without an ID --- */
	ROW("an address without an ID: the line to write", .config = "[nic]\ndevice = 03:00.0\n",
		.verdicts = "nic bind", .bound = "03:00.0",
		.findings = "W address-without-id@nic@03:00.0",
		.text = { "device = 0000:03:00.0 8086:125c" }),
	ROW("all functions without an ID", .config = "[gpu]\ndevice = 01:00.*\n",
		.verdicts = "gpu bind", .bound = GPU_BOUND,
		.findings = "W address-without-id@gpu@01:00.0",
		.text = { "device = 0000:01:00.* 10de:2786" }),
	ROW("a path without an ID says enough", .config = "[nic]\ndevice = 00:1c.0/00.0\n",
		.verdicts = "nic bind", .bound = "03:00.0"),

	/* --- ambiguous IDs and twins --- */
	ROW("an ID that two carry", .more = TWIN_GPU, .config = "[gpu]\ndevice = 10de:2786\n",
		.verdicts = "gpu refused", .findings = "E ambiguous-id@gpu@-",
		.text = { "means 2 devices", "0000:01:00.0 (path 00:01.0/00.0)",
			"0000:05:00.0 (path 00:06.0/00.0)", "match = all" }),
	ROW("match = one is the default", .more = TWIN_GPU,
		.config = "[gpu]\ndevice = 10de:2786\nmatch = one\n", .verdicts = "gpu refused",
		.findings = "E ambiguous-id@gpu@-"),
	ROW("match = all", .more = TWIN_GPU,
		.config = "[gpu]\ndevice = 10de:2786\ndevice = 10de:22bc\nmatch = all\n",
		.verdicts = "gpu bind", .bound = GPU_BOUND " 05:00.0 05:00.1"),
	ROW("match = all where there is one", .config = "[n]\ndevice = 8086:125c\nmatch = all\n",
		.verdicts = "n bind", .bound = "03:00.0"),
	ROW("an ID that two functions of one card carry",
		.more = "IOMMU Group 18:\n	03:00.1 Ethernet [0200]: Intel [8086:125c]\n",
		.config = "[n]\ndevice = 8086:125c\n", .verdicts = "n refused",
		.findings = "E ambiguous-id@n@-"),
	ROW("an address whose ID two carry: a warning, and the path to write", .more = TWIN_GPU,
		.config = GPU, .verdicts = "gpu bind", .bound = GPU_BOUND,
		.findings = "W twin-id@gpu@01:00.0 W twin-id@gpu@01:00.1",
		.text = { "device = 00:01.0/00.0 10de:2786", "device = 00:01.0/00.1 10de:22bc" }),
	ROW("all functions, twins", .more = TWIN_GPU,
		.config = "[gpu]\ndevice = 01:00.* 10de:2786\n", .verdicts = "gpu bind",
		.bound = GPU_BOUND, .findings = "W twin-id@gpu@01:00.0",
		.text = { "device = 00:01.0/00.* 10de:2786" }),
	ROW("a path is proof where there are twins", .more = TWIN_GPU,
		.config = "[gpu]\ndevice = 00:06.0/00.* 10de:2786\n", .verdicts = "gpu bind",
		.bound = "05:00.0 05:00.1"),
	ROW("twin disks by address: refused, allowed or not", .more = TWIN_DISK,
		.config = DISK "allow = storage\n", .verdicts = "disk refused",
		.findings = "E twin-id@disk@02:00.0",
		.text = { "device = 00:1b.0/00.0 144d:a80c" }),
	ROW("twin disks by path", .more = TWIN_DISK,
		.config = "[disk]\ndevice = 00:1b.4/00.0 144d:a80c\nallow = storage\n",
		.verdicts = "disk bind", .bound = "06:00.0"),
	ROW("no twin, no word", .config = DISK "allow = storage\n", .verdicts = "disk bind",
		.bound = "02:00.0"),
	ROW("two functions of one card are no twins: renumbering moves them together",
		.more = "IOMMU Group 18:\n	03:00.1 Ethernet [0200]: Intel [8086:125c]\n",
		.config = "[n]\ndevice = 03:00.0 8086:125c\ndevice = 03:00.1 8086:125c\n",
		.verdicts = "n bind", .bound = "03:00.0 03:00.1"),

	/* --- overlap --- */
	ROW("a device twice in a target, as function and as all",
		.config = "[gpu]\ndevice = 01:00.0 10de:2786\n"
			  "device = 01:00.* 10de:2786\n",
		.verdicts = "gpu refused", .findings = "E overlap@gpu@01:00.0",
		.text = { "f:3: '01:00.* 10de:2786' means 0000:01:00.0" }),
	ROW("a device twice in a target, by address and by ID",
		.config = "[n]\ndevice = 03:00.0 8086:125c\ndevice = 8086:125c\n",
		.verdicts = "n refused", .findings = "E overlap@n@03:00.0"),
	ROW("a device twice in a target, by address and by path",
		.config = "[n]\ndevice = 03:00.0 8086:125c\ndevice = 00:1c.0/00.0\n",
		.verdicts = "n refused", .findings = "E overlap@n@03:00.0"),
	ROW("a device in two targets: neither has the better claim",
		.config = NIC "[b]\ndevice = 8086:125c\n", .verdicts = "nic refused, b refused",
		.findings = "E overlap@nic@03:00.0 E overlap@b@03:00.0",
		.text = { "[nic] and in [b]" }),
	ROW("a device in three targets",
		.config = NIC "[b]\ndevice = 8086:125c\n[c]\ndevice = 00:1c.0/00.0\n",
		.verdicts = "nic refused, b refused, c refused",
		.findings = "E overlap@nic@03:00.0 E overlap@b@03:00.0 E overlap@c@03:00.0"),
	ROW("an overlap is one even where the other target is refused",
		.config = NIC "[b]\ndevice = 8086:125c\ndevice = 1234:5678\n",
		.verdicts = "nic refused, b refused",
		.findings = "E overlap@nic@03:00.0 E overlap@b@03:00.0 E absent@b@-"),
	ROW("a device in two targets of different profiles",
		.config = NIC "profile = a\n[b]\ndevice = 8086:125c\nprofile = b\n",
		.cmdline = "rd.vfio-early.profile=b", .verdicts = "nic inactive, b bind",
		.bound = "03:00.0"),
	ROW("both profiles chosen",
		.config = NIC "profile = a\n[b]\ndevice = 8086:125c\nprofile = b\n",
		.cmdline = "rd.vfio-early.profile=a,b", .verdicts = "nic refused, b refused",
		.findings = "E overlap@nic@03:00.0 E overlap@b@03:00.0"),

	/* --- what cannot be bound --- */
	ROW("a bridge", .config = "[b]\ndevice = 00:01.0 8086:a70d\n", .verdicts = "b refused",
		.findings = "E is-bridge@b@00:01.0", .text = { "PCI bridge" }),
	ROW("a bridge by whatever means",
		.config = "[b]\ndevice = 00:01.0 8086:a70d\nisolation = none\n"
			  "allow = storage usb display network\n",
		.verdicts = "b refused", .findings = "E is-bridge@b@00:01.0"),
	ROW("a bridge among all functions", .machine = x370,
		.config = "[c]\ndevice = 01:00.* 1022:43b9\n"
			  "isolation = none\nallow = storage\n",
		.verdicts = "c refused", .findings = "E is-bridge@c@01:00.2"),
	ROW("an ISA bridge is none",
		.config = "[lpc]\ndevice = 8086:7a04\ndevice = 8086:7a50\n"
			  "device = 8086:7a23\n",
		.verdicts = "lpc bind", .bound = "00:1f.0 00:1f.3 00:1f.4"),
	ROW("no IOMMU, and an Intel firmware that has one", .more = "iommu: none\ntables: dmar\n",
		.config = GPU, .verdicts = "gpu refused", .findings = "E no-iommu@gpu@01:00.0",
		.text = { "intel_iommu=on" }),
	ROW("no IOMMU, and an AMD firmware that has one", .more = "iommu: none\ntables: ivrs\n",
		.config = GPU, .verdicts = "gpu refused", .findings = "E no-iommu@gpu@01:00.0",
		.text = { "by itself", "AMD-Vi" }),
	ROW("an AMD IOMMU switched off", .more = "iommu: none\ntables: ivrs\n",
		.cmdline = "ro amd_iommu=off", .config = GPU, .verdicts = "gpu refused",
		.findings = "E no-iommu@gpu@01:00.0", .text = { "take amd_iommu=off from" }),
	ROW("an Intel IOMMU that was asked for", .more = "iommu: none\ntables: dmar\n",
		.cmdline = "ro intel_iommu=on", .config = GPU, .verdicts = "gpu refused",
		.findings = "E no-iommu@gpu@01:00.0", .text = { "dmesg | grep -i dmar" }),
	ROW("no IOMMU, and a firmware that has none", .more = "iommu: none\n", .config = GPU,
		.verdicts = "gpu refused", .findings = "E no-iommu@gpu@01:00.0",
		.text = { "VT-d", "AMD-Vi" }),
	ROW("a virtio-iommu, before its driver", .more = "iommu: none\ntables: viot\n",
		.config = GPU, .verdicts = "gpu refused", .findings = "E late-groups@gpu@01:00.0",
		.text = { "virtio-iommu", "intel-iommu,intremap=on", "driverctl" }),
	ROW("a virtio-iommu, after it", .more = "tables: viot\n", .config = GPU NIC,
		.verdicts = "gpu refused, nic refused",
		.findings = "E late-groups@gpu@01:00.0 E late-groups@nic@03:00.0"),
	ROW("a table of a virtio-iommu beside an Intel IOMMU's",
		.more = "tables: dmar\ntables: viot\n", .config = GPU, .verdicts = "gpu bind",
		.bound = GPU_BOUND),
	ROW("no IOMMU: each target once", .more = "iommu: none\n", .config = GPU NIC,
		.verdicts = "gpu refused, nic refused",
		.findings = "E no-iommu@gpu@01:00.0 E no-iommu@nic@03:00.0"),
	ROW("no IOMMU, whole-group", .more = "iommu: none\n",
		.config = GPU "isolation = whole-group\n", .verdicts = "gpu refused",
		.findings = "E no-iommu@gpu@01:00.0"),
	ROW("no IOMMU, isolation none", .more = "iommu: none\n", .config = GPU "isolation = none\n",
		.verdicts = "gpu refused", .findings = "E no-iommu@gpu@01:00.0"),
	ROW("no group for this one device",
		.more = "No IOMMU group:\n	05:00.0 Audio [0401]: x [1234:5678]\n",
		.config = GPU "[a]\ndevice = 1234:5678\nisolation = none\n",
		.verdicts = "gpu bind, a refused", .bound = GPU_BOUND,
		.findings = "E no-group@a@05:00.0"),
	ROW("a no-IOMMU group", .more = "iommu: none\ngroup 18: noiommu\n", .config = NIC,
		.verdicts = "nic refused", .findings = "E noiommu-group@nic@03:00.0",
		.text = { "enable_unsafe_noiommu_mode" }),
	ROW("a no-IOMMU group, isolation none", .more = "iommu: none\ngroup 18: noiommu\n",
		.config = NIC "isolation = none\n", .verdicts = "nic refused",
		.findings = "E noiommu-group@nic@03:00.0"),
	ROW("a no-IOMMU group, whole-group", .more = "iommu: none\ngroup 18: noiommu\n",
		.config = NIC "isolation = whole-group\n", .verdicts = "nic refused",
		.findings = "E noiommu-group@nic@03:00.0"),
	ROW("another group is VFIO's no-IOMMU one", .more = "group 17: noiommu\n", .config = NIC,
		.verdicts = "nic bind", .bound = "03:00.0"),
	ROW("behind VMD", .machine = vmd,
		.config = "[d]\ndevice = 10000:e1:00.0 1c5c:1959\nallow = storage\n"
			  "isolation = none\n",
		.verdicts = "d refused", .findings = "E behind-vmd@d@10000:e1:00.0",
		.text = { "Volume Management Device" }),
	ROW("the VMD itself may go", .machine = vmd,
		.more = "device 0000:00:0e.0: @-\n"
			"remove 10000:e1:00.0\nremove 10000:e0:06.0\n",
		.config = "[v]\ndevice = 8086:467f\nallow = storage\n", .verdicts = "v bind",
		.bound = "00:0e.0"),
	ROW("a high domain without VMD is as good as any", .machine = vmd,
		.more = "device 0000:00:0e.0: @-\n"
			"remove 0000:00:0e.0\n",
		.config = "[d]\ndevice = 10000:e1:00.0 1c5c:1959\nallow = storage\n",
		.verdicts = "d bind", .bound = "10000:e1:00.0"),
	ROW("does not exist yet when vfio-early runs",
		.more = "IOMMU Group 30:\n	03:10.0 Ethernet [0200]: VF [8086:1520] +vf\n",
		.config = "[v]\ndevice = 03:10.0 8086:1520\n", .verdicts = "v refused",
		.findings = "E not-yet@v@03:10.0"),
	ROW("not yet, by ID",
		.more = "IOMMU Group 30:\n	03:10.0 Ethernet [0200]: VF [8086:1520] +vf\n",
		.config = "[v]\ndevice = 8086:1520\n", .verdicts = "v refused",
		.findings = "E not-yet@v@03:10.0"),
	ROW("not yet, hot-plugged", .more = "device 04:00.0: +removable\n", .config = USB,
		.verdicts = "usb refused", .findings = "E not-yet@usb@04:00.0"),
	ROW("a late device does not make an ID ambiguous",
		.more = "IOMMU Group 30:\n	06:00.0 Ethernet [0200]: dock [8086:125c] +removable\n",
		.config = "[n]\ndevice = 8086:125c\n", .verdicts = "n bind", .bound = "03:00.0"),
	ROW("a late device is no twin",
		.more = "IOMMU Group 30:\n	06:00.0 Ethernet [0200]: dock [8086:125c] +removable\n",
		.config = NIC, .verdicts = "nic bind", .bound = "03:00.0"),
	ROW("a late device in the group does not block yet",
		.more = "IOMMU Group 18:\n	06:00.0 Ethernet [0200]: dock [8086:1111] +late\n",
		.config = NIC, .verdicts = "nic bind", .bound = "03:00.0"),
	ROW("whole-group does not pull in what comes late",
		.more = "IOMMU Group 18:\n	06:00.0 Ethernet [0200]: dock [8086:1111] +late\n",
		.config = NIC "isolation = whole-group\n", .verdicts = "nic bind",
		.bound = "03:00.0"),

	/* --- isolation = strict --- */
	ROW("strict: another member of the group", .config = LPC, .verdicts = "lpc refused",
		.findings = "E not-isolated@lpc@00:1f.0 E not-isolated@lpc@00:1f.4",
		.text = { "0000:00:1f.0 (ISA bridge 8086:7a04)", "group 15", "whole-group" }),
	ROW("strict is the default of [options], too",
		.config = "[options]\nisolation = strict\n" LPC, .verdicts = "lpc refused",
		.findings = "E not-isolated@lpc@00:1f.0 E not-isolated@lpc@00:1f.4"),
	ROW("strict: half of a card", .config = "[gpu]\ndevice = 01:00.0 10de:2786\n",
		.verdicts = "gpu refused", .findings = "E not-isolated@gpu@01:00.1"),
	ROW("strict: driverless members block as well; who holds one is said",
		.more = "device 00:1f.4: @i801_smbus\n", .config = LPC, .verdicts = "lpc refused",
		.findings = "E not-isolated@lpc@00:1f.0 E not-isolated@lpc@00:1f.4",
		.text = { "SMBus 8086:7a23, held by i801_smbus" }),
	ROW("strict: the members in two targets",
		.config = "[gpu]\ndevice = 10de:2786\n[sound]\ndevice = 10de:22bc\n",
		.verdicts = "gpu bind, sound bind", .bound = GPU_BOUND),
	ROW("strict: passive members (X370, group 14)", .machine = x370, .config = RX,
		.verdicts = "gpu bind", .bound = "07:00.0 07:00.1"),
	ROW("strict: a bridge without a driver is passive", .machine = x370,
		.more = "device 00:03.1: @-\n", .config = RX, .verdicts = "gpu bind",
		.bound = "07:00.0 07:00.1"),
	ROW("strict: a bridge that shpchp holds is not", .machine = x370,
		.more = "device 00:03.1: @shpchp\n", .config = RX, .verdicts = "gpu refused",
		.findings = "E not-isolated@gpu@00:03.1"),
	ROW("strict: a host bridge that a driver holds is not", .machine = x370,
		.more = "device 00:03.0: @amd64_edac\n", .config = RX, .verdicts = "gpu refused",
		.findings = "E not-isolated@gpu@00:03.0"),
	ROW("strict: host bridge and instrumentation", .machine = x370,
		.config = "[usb]\ndevice = 1022:145c\n", .verdicts = "usb bind",
		.bound = "09:00.3"),
	ROW("strict: instrumentation that a driver holds", .machine = x370,
		.more = "device 09:00.0: @dummy\n", .config = "[usb]\ndevice = 1022:145c\n",
		.verdicts = "usb refused", .findings = "E not-isolated@usb@09:00.0"),
	ROW("strict: an ISA bridge is not passive", .more = "remove 00:1f.4\n", .config = LPC,
		.verdicts = "lpc refused", .findings = "E not-isolated@lpc@00:1f.0"),
	ROW("strict: a system peripheral is not passive",
		.more = "IOMMU Group 18:\n	05:00.0 System peripheral [0880]: x [1022:1454]\n",
		.config = NIC, .verdicts = "nic refused", .findings = "E not-isolated@nic@05:00.0"),
	ROW("strict: the X370's chipset group is refused, every blocker by name", .machine = x370,
		.config = ASM, .verdicts = "usb refused",
		.findings =
			"E not-isolated@usb@01:00.0 E not-isolated@usb@01:00.1 E not-isolated@usb@04:00.0 "
			"E not-isolated@usb@05:00.0"),
	ROW("strict: a member that is no PCI device", .more = "group 18: foreign PNP0103:00\n",
		.config = NIC, .verdicts = "nic refused", .findings = "E not-isolated@nic@-",
		.text = { "PNP0103:00" }),
	ROW("strict: such a member of another group", .more = "group 17: foreign PNP0103:00\n",
		.config = NIC, .verdicts = "nic bind", .bound = "03:00.0"),
	ROW("a device without a group blocks no other without one",
		.more = "No IOMMU group:\n	05:00.0 Audio [0401]: x [1234:5678]\n",
		.config = NIC, .verdicts = "nic bind", .bound = "03:00.0"),

	/* Drivers that manage DMA themselves */
	ROW("strict: a member that vfio-pci holds: a warning",
		.more = "device 01:00.1: @vfio-pci\n",
		.config = "[gpu]\ndevice = 01:00.0 10de:2786\n", .verdicts = "gpu bind",
		.bound = "01:00.0", .findings = "W group-driver@gpu@01:00.1"),
	ROW("strict: pci-stub", .more = "device 01:00.1: @pci-stub\n",
		.config = "[gpu]\ndevice = 01:00.0 10de:2786\n", .verdicts = "gpu bind",
		.bound = "01:00.0", .findings = "W group-driver@gpu@01:00.1"),
	ROW("strict: a variant driver", .more = "device 01:00.1: @nvgrace-gpu-vfio-pci\n",
		.config = "[gpu]\ndevice = 01:00.0 10de:2786\n", .verdicts = "gpu bind",
		.bound = "01:00.0", .findings = "W group-driver@gpu@01:00.1"),
	ROW("strict: a variant driver, mlx5", .more = "device 01:00.1: @mlx5_vfio_pci\n",
		.config = "[gpu]\ndevice = 01:00.0 10de:2786\n", .verdicts = "gpu bind",
		.bound = "01:00.0", .findings = "W group-driver@gpu@01:00.1"),
	ROW("strict: pci-pf-stub does not manage DMA", .more = "device 01:00.1: @pci-pf-stub\n",
		.config = "[gpu]\ndevice = 01:00.0 10de:2786\n", .verdicts = "gpu refused",
		.findings = "E not-isolated@gpu@01:00.1"),
	ROW("strict: a bridge that pci-stub holds", .machine = x370,
		.more = "device 00:03.1: @pci-stub\n", .config = RX, .verdicts = "gpu bind",
		.bound = "07:00.0 07:00.1", .findings = "W group-driver@gpu@00:03.1"),
	ROW("our own devices on vfio-pci already are no matter",
		.more = "device 01:00.0: @vfio-pci\n"
			"device 01:00.1: @vfio-pci\n",
		.config = GPU, .verdicts = "gpu bind", .bound = GPU_BOUND),
	ROW("held by its own driver: it is bound all the same",
		.more = "device 01:00.0: @nouveau\n", .config = GPU, .verdicts = "gpu bind",
		.bound = GPU_BOUND),

	/* Fixpoint */
	ROW("fixpoint: all of the chain", .machine = chain,
		.config = "[a]\ndevice = 1111:0001\n[b]\ndevice = 1111:0002\ndevice = 1111:0003\n"
			  "[c]\ndevice = 1111:0004\ndevice = 1111:0005\n[d]\ndevice = 1111:0006\n",
		.verdicts = "a bind, b bind, c bind, d bind",
		.bound = "10:00.0 10:01.0 10:02.0 10:03.0 10:04.0 10:05.0"),
	ROW("fixpoint: the end of the chain is missing, and all fall", .machine = chain,
		.config = "[a]\ndevice = 1111:0001\n[b]\ndevice = 1111:0002\ndevice = 1111:0003\n"
			  "[c]\ndevice = 1111:0004\ndevice = 1111:0005\n",
		.verdicts = "a refused, b refused, c refused",
		.findings =
			"E not-isolated@a@10:01.0 E not-isolated@b@10:03.0 E not-isolated@c@10:05.0",
		.text = { "its target [b] is not bound", "its target [c] is not bound" }),
	ROW("fixpoint: the same in the other order of lines", .machine = chain,
		.config = "[c]\ndevice = 1111:0004\ndevice = 1111:0005\n"
			  "[b]\ndevice = 1111:0002\ndevice = 1111:0003\n[a]\ndevice = 1111:0001\n",
		.verdicts = "c refused, b refused, a refused",
		.findings =
			"E not-isolated@a@10:01.0 E not-isolated@b@10:03.0 E not-isolated@c@10:05.0"),
	ROW("fixpoint: a guard refuses one, isolation the other",
		.more = "IOMMU Group 17:\n	05:00.0 Audio [0401]: x [1234:5678]\n",
		.config = "[a]\ndevice = 1234:5678\n" DISK, .verdicts = "a refused, disk refused",
		.findings = "E guard-storage@disk@02:00.0 E not-isolated@a@02:00.0"),
	ROW("fixpoint: an absent one refuses the other",
		.config =
			"[gpu]\ndevice = 10de:2786\n[sound]\ndevice = 10de:22bc\ndevice = 1234:5678\n",
		.verdicts = "gpu refused, sound refused",
		.findings = "E absent@sound@- E not-isolated@gpu@01:00.1"),
	ROW("fixpoint: an inactive target's devices are foreign",
		.config = "[gpu]\ndevice = 10de:2786\n[sound]\ndevice = 10de:22bc\nprofile = x\n",
		.verdicts = "gpu refused, sound inactive", .findings = "E not-isolated@gpu@01:00.1",
		.text = { "its target [sound] is not bound" }),
	ROW("fixpoint: a skipped target's devices are foreign",
		.config = "[gpu]\ndevice = 10de:2786\n[sound]\ndevice = 10de:22bc\n",
		.cmdline = "rd.vfio-early.skip=sound", .verdicts = "gpu refused, sound skipped",
		.findings = "N skipped@sound@- E not-isolated@gpu@01:00.1"),

	/* --- isolation = whole-group --- */
	ROW("whole-group: the rest of the group is bound too",
		.config = LPC "isolation = whole-group\n", .verdicts = "lpc bind",
		.bound = "00:1f.0 00:1f.3 00:1f.4"),
	ROW("whole-group by [options]", .config = "[options]\nisolation = whole-group\n" LPC,
		.verdicts = "lpc bind", .bound = "00:1f.0 00:1f.3 00:1f.4"),
	ROW("strict in a target, whole-group in [options]",
		.config = "[options]\nisolation = whole-group\n" LPC "isolation = strict\n",
		.verdicts = "lpc refused",
		.findings = "E not-isolated@lpc@00:1f.0 E not-isolated@lpc@00:1f.4"),
	ROW("whole-group: passive members never", .machine = x370,
		.config = "[gpu]\ndevice = 1002:67df\nisolation = whole-group\n",
		.verdicts = "gpu bind", .bound = "07:00.0 07:00.1"),
	ROW("whole-group: a bridge that shpchp holds cannot be bound", .machine = x370,
		.more = "device 00:03.1: @shpchp\n",
		.config = "[gpu]\ndevice = 1002:67df\nisolation = whole-group\n",
		.verdicts = "gpu refused", .findings = "E not-isolated@gpu@00:03.1"),
	ROW("whole-group: nor can what is no PCI device", .more = "group 18: foreign PNP0103:00\n",
		.config = NIC "isolation = whole-group\n", .verdicts = "nic refused",
		.findings = "E not-isolated@nic@-"),
	ROW("whole-group: the X370's chipset group needs consent for each class", .machine = x370,
		.config = ASM "isolation = whole-group\n", .verdicts = "usb refused",
		.findings =
			"E guard-usb@usb@01:00.0 E guard-storage@usb@01:00.1 E guard-network@usb@04:00.0 "
			"E guard-network@usb@05:00.0",
		.text = { "allow = storage", "allow = network", "allow = usb", "whole-group" }),
	ROW("whole-group: with consent", .machine = x370,
		.config = ASM "isolation = whole-group\nallow = storage network usb\n",
		.verdicts = "usb bind", .bound = "01:00.0 01:00.1 03:00.0 04:00.0 05:00.0"),
	ROW("whole-group: display by name",
		.config = "[s]\ndevice = 10de:22bc\nisolation = whole-group\n",
		.verdicts = "s refused", .findings = "E guard-display@s@01:00.0"),
	ROW("whole-group: display allowed",
		.config = "[s]\ndevice = 10de:22bc\nisolation = whole-group\nallow = display\n",
		.verdicts = "s bind", .bound = GPU_BOUND),
	ROW("whole-group: a 3D controller is a display, too, where it is pulled in",
		.more = "IOMMU Group 18:\n	05:00.0 3D [0302]: x [10de:0001]\n",
		.config = NIC "isolation = whole-group\n", .verdicts = "nic refused",
		.findings = "E guard-display@nic@05:00.0"),
	ROW("whole-group: what is listed needs no consent for its class",
		.config = NIC "isolation = whole-group\n", .verdicts = "nic bind",
		.bound = "03:00.0"),
	ROW("whole-group: two of them in one group share it out",
		.config = LPC
		"isolation = whole-group\n[b]\ndevice = 8086:7a23\nisolation = whole-group\n",
		.verdicts = "lpc bind, b bind", .bound = "00:1f.0 00:1f.3 00:1f.4"),
	ROW("whole-group: what vfio-pci holds already stays there",
		.more = "device 00:1f.4: @vfio-pci\n", .config = LPC "isolation = whole-group\n",
		.verdicts = "lpc bind", .bound = "00:1f.0 00:1f.3",
		.findings = "W group-driver@lpc@00:1f.4"),
	ROW("whole-group: takes from an inactive target",
		.config = LPC "isolation = whole-group\n[b]\ndevice = 8086:7a23\nprofile = x\n",
		.verdicts = "lpc bind, b inactive", .bound = "00:1f.0 00:1f.3 00:1f.4"),
	ROW("whole-group: never what was skipped; its own target is skipped, too",
		.config = LPC "isolation = whole-group\n[b]\ndevice = 8086:7a23\n",
		.cmdline = "rd.vfio-early.skip=b", .verdicts = "lpc skipped, b skipped",
		.findings = "N skipped@b@- N skipped@lpc@-"),
	ROW("whole-group: pulls in across all groups that the target touches", .machine = chain,
		.config = "[b]\ndevice = 1111:0002\ndevice = 1111:0003\nisolation = whole-group\n",
		.verdicts = "b bind", .bound = "10:00.0 10:01.0 10:02.0 10:03.0"),
	ROW("whole-group: all of them", .machine = chain,
		.config =
			"[options]\nisolation = whole-group\n[b]\ndevice = 1111:0002\ndevice = 1111:0003\n"
			"[c]\ndevice = 1111:0005\n",
		.verdicts = "b bind, c bind",
		.bound = "10:00.0 10:01.0 10:02.0 10:03.0 10:04.0 10:05.0"),

	/* --- isolation = none --- */
	ROW("none: what is listed, and what VFIO will say", .config = LPC "isolation = none\n",
		.verdicts = "lpc bind", .bound = "00:1f.3",
		.findings = "W not-isolated@lpc@00:1f.0 W not-isolated@lpc@00:1f.4",
		.text = { "VFIO" }),
	ROW("none by [options]", .config = "[options]\nisolation = none\n" LPC,
		.verdicts = "lpc bind", .bound = "00:1f.3",
		.findings = "W not-isolated@lpc@00:1f.0 W not-isolated@lpc@00:1f.4"),
	ROW("none where all is well", .config = GPU "isolation = none\n", .verdicts = "gpu bind",
		.bound = GPU_BOUND),
	ROW("none: a member that is no PCI device", .more = "group 18: foreign PNP0103:00\n",
		.config = NIC "isolation = none\n", .verdicts = "nic bind", .bound = "03:00.0",
		.findings = "W not-isolated@nic@-"),
	ROW("none: half of a card",
		.config = "[gpu]\ndevice = 01:00.0 10de:2786\nisolation = none\n",
		.verdicts = "gpu bind", .bound = "01:00.0",
		.findings = "W not-isolated@gpu@01:00.1 W siblings@gpu@01:00.1"),
	ROW("none: guards hold all the same", .config = DISK "isolation = none\n",
		.verdicts = "disk refused", .findings = "E guard-storage@disk@02:00.0"),
	ROW("none: a strict target does not gain by its neighbour's",
		.config = LPC "isolation = none\n[b]\ndevice = 8086:7a23\n",
		.verdicts = "lpc bind, b refused", .bound = "00:1f.3",
		.findings =
			"W not-isolated@lpc@00:1f.0 W not-isolated@lpc@00:1f.4 E not-isolated@b@00:1f.0"),

	/* --- guards --- */
	ROW("guard: storage, NVMe", .config = DISK, .verdicts = "disk refused",
		.findings = "E guard-storage@disk@02:00.0",
		.text = { "allow = storage", "NVMe controller" }),
	ROW("guard: storage, SATA", .config = "[d]\ndevice = 8086:7a62\n", .verdicts = "d refused",
		.findings = "E guard-storage@d@00:17.0"),
	ROW("guard: storage allowed", .config = DISK "allow = storage\n", .verdicts = "disk bind",
		.bound = "02:00.0"),
	ROW("guard: another target's allow does not count", .config = DISK NIC "allow = storage\n",
		.verdicts = "disk refused, nic bind", .bound = "03:00.0",
		.findings = "E guard-storage@disk@02:00.0"),
	ROW("guard: another word does not count",
		.config = DISK "allow = usb network display boot-display "
			       "last-usb net-root reserved-region\n",
		.verdicts = "disk refused", .findings = "E guard-storage@disk@02:00.0"),
	ROW("guard: each device at fault is named",
		.config = "[d]\ndevice = 144d:a80c\ndevice = 8086:7a62\n", .verdicts = "d refused",
		.findings = "E guard-storage@d@00:17.0 E guard-storage@d@02:00.0"),
	ROW("guard: a network root", .config = NIC,
		.cmdline = "root=/dev/nfs nfsroot=192.0.2.1:/srv ip=dhcp",
		.verdicts = "nic refused", .findings = "E guard-net-root@nic@03:00.0",
		.text = { "allow = net-root" }),
	ROW("guard: a network root allowed", .config = NIC "allow = net-root\n",
		.cmdline = "root=/dev/nfs", .verdicts = "nic bind", .bound = "03:00.0"),
	ROW("guard: a local root", .config = NIC, .cmdline = "root=/dev/sda1",
		.verdicts = "nic bind", .bound = "03:00.0"),
	ROW("guard: a network root minds network devices alone", .config = GPU,
		.cmdline = "root=/dev/nfs", .verdicts = "gpu bind", .bound = GPU_BOUND),
	ROW("guard: a network root, pulled in", .machine = x370,
		.config = ASM "isolation = whole-group\nallow = storage network usb\n",
		.cmdline = "boot=nfs", .verdicts = "usb refused",
		.findings = "E guard-net-root@usb@04:00.0 E guard-net-root@usb@05:00.0"),
	ROW("guard: the boot display by boot_vga", .more = "device 01:00.0: +boot_vga\n",
		.config = GPU, .verdicts = "gpu refused",
		.findings = "E guard-boot-display@gpu@01:00.0", .text = { "allow = boot-display" }),
	ROW("guard: the boot display by framebuffer", .more = "device 01:00.0: +framebuffer\n",
		.config = GPU, .verdicts = "gpu refused",
		.findings = "E guard-boot-display@gpu@01:00.0"),
	ROW("guard: both, told once", .more = "device 01:00.0: +framebuffer +boot_vga\n",
		.config = GPU, .verdicts = "gpu refused",
		.findings = "E guard-boot-display@gpu@01:00.0"),
	ROW("guard: the framebuffer goes before boot_vga",
		.more = "device 01:00.0: +boot_vga\ndevice 00:02.0: +framebuffer\n", .config = GPU,
		.verdicts = "gpu bind", .bound = GPU_BOUND),
	ROW("guard: the framebuffer elsewhere, and boot_vga",
		.more = "device 00:02.0: +boot_vga\ndevice 01:00.0: +framebuffer\n", .config = GPU,
		.verdicts = "gpu refused", .findings = "E guard-boot-display@gpu@01:00.0"),
	ROW("guard: the boot display is another", .more = "device 00:02.0: +boot_vga\n",
		.config = GPU, .verdicts = "gpu bind", .bound = GPU_BOUND),
	ROW("guard: boot display allowed", .more = "device 01:00.0: +boot_vga\n",
		.config = GPU "allow = boot-display\n", .verdicts = "gpu bind", .bound = GPU_BOUND),
	ROW("guard: the framebuffer on a 0380 device",
		.more = "IOMMU Group 30:\n"
			"	05:00.0 Display [0380]: x [1234:1111] +framebuffer\n",
		.config = "[d]\ndevice = 1234:1111\n", .verdicts = "d refused",
		.findings = "E guard-boot-display@d@05:00.0"),
	ROW("the framebuffer stays on what is not of class 0300",
		.more = "IOMMU Group 30:\n"
			"	05:00.0 Display [0380]: x [1234:1111] +framebuffer\n",
		.config = "[d]\ndevice = 1234:1111\nallow = boot-display\n", .verdicts = "d bind",
		.bound = "05:00.0", .findings = "W framebuffer-stays@d@05:00.0",
		.text = { "initcall_blacklist=sysfb_init" }),
	ROW("vfio-pci takes it from class 0300", .more = "device 01:00.0: +framebuffer\n",
		.config = GPU "allow = boot-display\n", .verdicts = "gpu bind", .bound = GPU_BOUND),
	ROW("guard: the boot display, pulled in, needs both words",
		.more = "device 01:00.0: +boot_vga\n",
		.config = "[s]\ndevice = 10de:22bc\nisolation = whole-group\n",
		.verdicts = "s refused",
		.findings = "E guard-boot-display@s@01:00.0 E guard-display@s@01:00.0"),
	ROW("guard: ... one of them is not enough", .more = "device 01:00.0: +boot_vga\n",
		.config = "[s]\ndevice = 10de:22bc\nisolation = whole-group\nallow = display\n",
		.verdicts = "s refused", .findings = "E guard-boot-display@s@01:00.0"),
	ROW("guard: the last display", .more = "remove 00:02.0\n", .config = GPU,
		.verdicts = "gpu refused", .findings = "E guard-boot-display@gpu@01:00.0",
		.text = { "no display device would be left" }),
	ROW("guard: the last display allowed", .more = "remove 00:02.0\n",
		.config = GPU "allow = boot-display\n", .verdicts = "gpu bind", .bound = GPU_BOUND),
	ROW("guard: the last displays, in two targets", .config = GPU IGPU,
		.verdicts = "gpu refused, igpu refused",
		.findings = "E guard-boot-display@gpu@01:00.0 E guard-boot-display@igpu@00:02.0"),
	ROW("guard: one of the two may go; the other stays then",
		.config = GPU "allow = boot-display\n" IGPU, .verdicts = "gpu bind, igpu refused",
		.bound = GPU_BOUND, .findings = "E guard-boot-display@igpu@00:02.0"),
	ROW("guard: a third display is kept",
		.more = "IOMMU Group 30:\n	05:00.0 Display [0380]: x [1234:1111]\n",
		.config = GPU IGPU, .verdicts = "gpu bind, igpu bind",
		.bound = "00:02.0 " GPU_BOUND),
	ROW("guard: a 3D controller is no display to keep",
		.more = "remove 00:02.0\nIOMMU Group 30:\n"
			"	05:00.0 3D [0302]: x [1234:1111]\n",
		.config = GPU, .verdicts = "gpu refused",
		.findings = "E guard-boot-display@gpu@01:00.0"),
	ROW("guard: a display that comes late is none to keep",
		.more = "remove 00:02.0\nIOMMU Group 30:\n"
			"	05:00.0 VGA [0300]: x [1234:1111] +removable\n",
		.config = GPU, .verdicts = "gpu refused",
		.findings = "E guard-boot-display@gpu@01:00.0"),
	ROW("guard: a machine without any display", .more = "remove 00:02.0\nremove 01:00.0\n",
		.config = NIC, .verdicts = "nic bind", .bound = "03:00.0"),
	ROW("guard: a USB controller is kept", .config = USB, .verdicts = "usb bind",
		.bound = "04:00.0"),
	ROW("guard: the last USB controller", .more = "remove 00:14.0\n", .config = USB,
		.verdicts = "usb refused", .findings = "E guard-last-usb@usb@04:00.0",
		.text = { "allow = last-usb" }),
	ROW("guard: the last USB controller allowed", .more = "remove 00:14.0\n",
		.config = USB "allow = last-usb\n", .verdicts = "usb bind", .bound = "04:00.0"),
	ROW("guard: 'usb' is not 'last-usb'", .more = "remove 00:14.0\n",
		.config = USB "allow = usb\n", .verdicts = "usb refused",
		.findings = "E guard-last-usb@usb@04:00.0"),
	ROW("guard: a serial bus that is not USB is none to keep",
		.more = "remove 00:14.0\n"
			"IOMMU Group 30:\n	05:00.0 Serial [0c80]: x [1234:1111]\n",
		.config = USB, .verdicts = "usb refused",
		.findings = "E guard-last-usb@usb@04:00.0"),
	ROW("guard: the last USB controllers, in two targets", .machine = usb_only,
		.config = "[a]\ndevice = 8086:7a60\ndevice = 8086:7a61\n[b]\ndevice = 1b21:1343\n",
		.verdicts = "a refused, b refused",
		.findings = "E guard-last-usb@a@00:14.0 E guard-last-usb@b@04:00.0"),
	ROW("guard: what a refused target had stays with the host", .machine = usb_only,
		.config = "[a]\ndevice = 8086:7a60\n[b]\ndevice = 1b21:1343\n",
		.verdicts = "a refused, b bind", .bound = "04:00.0",
		.findings = "E not-isolated@a@00:14.1"),
	ROW("guard: a direct reserved region", .more = "group 18: direct\n", .config = NIC,
		.verdicts = "nic refused", .findings = "E guard-reserved-region@nic@03:00.0",
		.text = { "RMRR", "allow = reserved-region" }),
	ROW("guard: ... allowed", .more = "group 18: direct\n",
		.config = NIC "allow = reserved-region\n", .verdicts = "nic bind",
		.bound = "03:00.0"),
	ROW("guard: ... of another group", .more = "group 17: direct\n", .config = NIC,
		.verdicts = "nic bind", .bound = "03:00.0"),
	ROW("guard: ... isolation none does not help", .more = "group 18: direct\n",
		.config = NIC "isolation = none\n", .verdicts = "nic refused",
		.findings = "E guard-reserved-region@nic@03:00.0"),
	ROW("guards and isolation are told in one run",
		.more = "IOMMU Group 17:\n	05:00.0 Audio [0401]: x [1234:5678]\n",
		.config = DISK, .verdicts = "disk refused",
		.findings = "E guard-storage@disk@02:00.0 E not-isolated@disk@05:00.0"),

	/* --- profiles --- */
	ROW("a profile that is chosen", .config = GPU "profile = try\n",
		.cmdline = "rd.vfio-early.profile=try", .verdicts = "gpu bind", .bound = GPU_BOUND),
	ROW("a profile that is not", .config = GPU "profile = try\n", .verdicts = "gpu inactive"),
	ROW("one of a target's profiles", .config = GPU "profile = gaming vm\n",
		.cmdline = "rd.vfio-early.profile=other,vm", .verdicts = "gpu bind",
		.bound = GPU_BOUND, .findings = "W unknown-profile@-@-", .text = { "'other'" }),
	ROW("a target without a profile is in every boot", .config = GPU NIC "profile = a\n",
		.cmdline = "rd.vfio-early.profile=a", .verdicts = "gpu bind, nic bind",
		.bound = GPU_BOUND " 03:00.0"),
	ROW("an unknown profile adds nothing, and is a warning", .config = GPU "profile = a\n" NIC,
		.cmdline = "rd.vfio-early.profile=b", .verdicts = "gpu inactive, nic bind",
		.bound = "03:00.0", .findings = "W unknown-profile@-@-"),
	ROW("'-' and '_' are not alike in values", .config = GPU "profile = a-b\n",
		.cmdline = "rd.vfio-early.profile=a_b", .verdicts = "gpu inactive",
		.findings = "W unknown-profile@-@-"),
	ROW("an inactive target is not looked at: absent or not",
		.config = "[x]\ndevice = 1234:5678\nprofile = a\n", .verdicts = "x inactive"),

	/* --- skip words --- */
	ROW("skip a target", .config = GPU NIC, .cmdline = "rd.vfio-early.skip=gpu",
		.verdicts = "gpu skipped, nic bind", .bound = "03:00.0",
		.findings = "N skipped@gpu@-"),
	ROW("skip a device: its target", .config = GPU NIC,
		.cmdline = "rd.vfio-early.skip=0000:01:00.1", .verdicts = "gpu skipped, nic bind",
		.bound = "03:00.0", .findings = "N skipped@gpu@-"),
	ROW("skip a device, domain left out", .config = GPU, .cmdline = "vfio_early.skip=01:00.0",
		.verdicts = "gpu skipped", .findings = "N skipped@gpu@-"),
	ROW("skip by ID", .config = GPU, .cmdline = "rd.vfio-early.skip=10DE:22BC",
		.verdicts = "gpu skipped", .findings = "N skipped@gpu@-"),
	ROW("skip by path", .config = GPU, .cmdline = "rd.vfio-early.skip=00:01.0/00.0",
		.verdicts = "gpu skipped", .findings = "N skipped@gpu@-"),
	ROW("skip all functions", .config = GPU, .cmdline = "rd.vfio-early.skip=01:00.*",
		.verdicts = "gpu skipped", .findings = "N skipped@gpu@-"),
	ROW("skip a device that the target names by ID", .config = "[n]\ndevice = 8086:125c\n",
		.cmdline = "rd.vfio-early.skip=03:00.0", .verdicts = "n skipped",
		.findings = "N skipped@n@-"),
	ROW("skip several", .config = GPU NIC USB, .cmdline = "rd.vfio-early.skip=gpu,04:00.0",
		.verdicts = "gpu skipped, nic bind, usb skipped", .bound = "03:00.0",
		.findings = "N skipped@gpu@- N skipped@usb@-"),
	ROW("skips add up", .config = GPU NIC USB,
		.cmdline = "rd.vfio-early.skip=gpu rd.vfio-early.skip=nic",
		.verdicts = "gpu skipped, nic skipped, usb bind", .bound = "04:00.0",
		.findings = "N skipped@gpu@- N skipped@nic@-"),
	ROW("a skip that matches nothing binds nothing", .config = GPU NIC,
		.cmdline = "rd.vfio-early.skip=gpus", .verdicts = "gpu skipped, nic skipped",
		.findings = "E skip-unmatched@-@-", .text = { "rd.vfio-early.skip=gpus" }),
	ROW("one of two matches nothing", .config = GPU NIC, .cmdline = "rd.vfio-early.skip=gpu,x",
		.verdicts = "gpu skipped, nic skipped",
		.findings = "N skipped@gpu@- E skip-unmatched@-@-"),
	ROW("a device of no target matches nothing", .config = GPU,
		.cmdline = "rd.vfio-early.skip=03:00.0", .verdicts = "gpu skipped",
		.findings = "E skip-unmatched@-@-"),
	ROW("a target's name is not alike in case, nor in '-' and '_'",
		.config = "[my-gpu]\ndevice = 10de:2786\n"
			  "device = 10de:22bc\n",
		.cmdline = "rd.vfio-early.skip=my_gpu", .verdicts = "my-gpu skipped",
		.findings = "E skip-unmatched@-@-"),
	ROW("skip what whole-group would pull in", .config = LPC "isolation = whole-group\n" GPU,
		.cmdline = "rd.vfio-early.skip=00:1f.0", .verdicts = "lpc skipped, gpu bind",
		.bound = GPU_BOUND, .findings = "N skipped@lpc@-"),
	ROW("a skipped target's faults are no errors of this boot",
		.config = "[x]\ndevice = 1234:5678\n" NIC, .cmdline = "rd.vfio-early.skip=x",
		.verdicts = "x skipped, nic bind", .bound = "03:00.0", .findings = "N skipped@x@-"),
	ROW("skip what strict would not bind", .config = GPU,
		.cmdline = "rd.vfio-early.skip=00:1f.0", .verdicts = "gpu skipped",
		.findings = "E skip-unmatched@-@-"),
	ROW("skip an inactive target", .config = GPU "profile = x\n" NIC,
		.cmdline = "rd.vfio-early.skip=gpu", .verdicts = "gpu inactive, nic bind",
		.bound = "03:00.0"),

	/* --- bypassing --- */
	ROW("rd.vfio-early=0", .config = GPU, .cmdline = "ro rd.vfio-early=0",
		.verdicts = "gpu skipped", .findings = "N bypassed@-@-",
		.text = { "rd.vfio-early=0" }),
	ROW("single", .config = GPU, .cmdline = "ro single", .verdicts = "gpu skipped",
		.findings = "N bypassed@-@-"),
	ROW("kdump", .config = GPU, .cmdline = "elfcorehdr=0x1000", .verdicts = "gpu skipped",
		.findings = "N bypassed@-@-"),
	ROW("an unknown word of ours", .config = GPU, .cmdline = "rd.vfio-early.skp=nic",
		.verdicts = "gpu skipped", .findings = "E unknown-word@-@-",
		.text = { "rd.vfio-early.skp=nic" }),
	ROW("a bypass goes before all that is wrong", .more = "iommu: none\n",
		.config = "[x]\ndevice = 1234:5678\n" GPU, .cmdline = "break",
		.verdicts = "x skipped, gpu skipped", .findings = "N bypassed@-@-"),
	ROW("a bypass goes before skips and profiles", .config = GPU,
		.cmdline = "rd.vfio-early.skip=x rd.vfio-early.profile=y emergency",
		.verdicts = "gpu skipped", .findings = "N bypassed@-@-"),
	ROW("bypassed or not, an inactive target is that", .config = GPU "profile = x\n" NIC,
		.cmdline = "rescue", .verdicts = "gpu inactive, nic skipped",
		.findings = "N bypassed@-@-"),
	ROW("verbose alone changes nothing", .config = GPU, .cmdline = "rd.vfio-early.verbose",
		.verdicts = "gpu bind", .bound = GPU_BOUND),

	/* --- siblings --- */
	ROW("siblings: a function that stays behind", .machine = x370,
		.more = "IOMMU Group 17:\n	07:00.2 USB [0c0330]: x [1002:7316] ^00:03.1\n",
		.config = RX, .verdicts = "gpu bind", .bound = "07:00.0 07:00.1",
		.findings = "W siblings@gpu@07:00.2",
		.text = { "0000:07:00.2 (USB controller 1002:7316)",
			"device = 0000:07:00.2 1002:7316" }),
	ROW("siblings: several, each by name",
		.more = "IOMMU Group 31:\n"
			"	01:00.2 USB [0c0330]: x [10de:1ad8]\nIOMMU Group 32:\n	01:00.3 Serial [0c80]: x [10de:1ad9]\n",
		.config = GPU, .verdicts = "gpu bind", .bound = GPU_BOUND,
		.findings = "W siblings@gpu@01:00.2 W siblings@gpu@01:00.3"),
	ROW("siblings: in another target",
		.more = "IOMMU Group 31:\n	01:00.2 USB [0c0330]: x [10de:1ad8]\n",
		.config = GPU "[ucsi]\ndevice = 10de:1ad8\n", .verdicts = "gpu bind, ucsi bind",
		.bound = GPU_BOUND " 01:00.2"),
	ROW("siblings: the chipset's functions each stand alone",
		.more = "IOMMU Group 31:\n	00:17.1 SATA [0106]: x [8086:0001]\n",
		.config = "[d]\ndevice = 8086:7a62\nallow = storage\n", .verdicts = "d bind",
		.bound = "00:17.0"),
	ROW("siblings: a bridge among them is none",
		.more = "IOMMU Group 31:\n	01:00.2 PCI bridge [0604]: x [10de:1ad8]\n",
		.config = GPU, .verdicts = "gpu bind", .bound = GPU_BOUND),
	ROW("siblings: a VF among them is none",
		.more = "IOMMU Group 31:\n	01:00.2 3D [0302]: x [10de:1ad8] +vf\n",
		.config = GPU, .verdicts = "gpu bind", .bound = GPU_BOUND),

	/* --- the module --- */
	ROW("the module is missing", .more = "module vfio-pci: missing\n", .config = GPU NIC,
		.verdicts = "gpu refused, nic refused",
		.findings = "E driver-missing@gpu@- E driver-missing@nic@-",
		.text = { "/lib/modules/6.12.0" }),
	ROW("the module is blacklisted", .more = "module vfio-pci: blacklisted\n", .config = GPU,
		.verdicts = "gpu refused", .findings = "E driver-blacklisted@gpu@-",
		.text = { "blacklist" }),
	ROW("a missing module does not matter where nothing is to be bound",
		.more = "module vfio-pci: missing\n", .config = GPU "profile = x\n",
		.verdicts = "gpu inactive"),
	ROW("the module is loaded", .more = "module vfio-pci: loaded\n", .config = GPU,
		.verdicts = "gpu bind", .bound = GPU_BOUND),
	ROW("the module is built in", .more = "module vfio-pci: builtin\n", .config = GPU,
		.verdicts = "gpu bind", .bound = GPU_BOUND),
	ROW("leftover ids=", .more = "module-ids: 10de:2786,10de:22bc\n", .config = GPU,
		.verdicts = "gpu bind", .bound = GPU_BOUND, .findings = "W leftover-ids@-@-",
		.text = { "ids=10de:2786,10de:22bc is left out", "vfio-pci.ids=" }),
	ROW("leftover ids= of a module that is loaded",
		.more = "module vfio-pci: loaded\nmodule-ids: 10de:2786\n", .config = GPU,
		.verdicts = "gpu bind", .bound = GPU_BOUND, .findings = "W leftover-ids@-@-",
		.text = { "in the kernel already" }),
	ROW("leftover ids= of a module that is built in",
		.more = "module vfio-pci: builtin\nmodule-ids: 10de:2786\n", .config = GPU,
		.verdicts = "gpu bind", .bound = GPU_BOUND, .findings = "W leftover-ids@-@-",
		.text = { "in the kernel already" }),
	ROW("leftover ids= where nothing is bound", .more = "module-ids: 10de:2786\n",
		.config = GPU "profile = x\n", .verdicts = "gpu inactive"),
	ROW("options that cannot act any more",
		.more = "module vfio-pci: builtin\n"
			"module-unapplied: disable_vga=1\n",
		.config = GPU, .verdicts = "gpu bind", .bound = GPU_BOUND,
		.findings = "W options-ignored@-@-",
		.text = { "disable_vga=1", "vfio-pci.NAME=VALUE" }),
	ROW("vfio_iommu_type1 is missing", .more = "module vfio_iommu_type1: missing\n",
		.config = GPU, .verdicts = "gpu bind", .bound = GPU_BOUND,
		.findings = "W type1-missing@-@-"),
	ROW("vfio_iommu_type1 is built in", .more = "module vfio_iommu_type1: builtin\n",
		.config = GPU, .verdicts = "gpu bind", .bound = GPU_BOUND),

	/* --- variant drivers; which one a device gets is a law below --- */
	ROW("a variant", .more = "device 03:00.0: +variant=mlx5_vfio_pci\n", .config = NIC,
		.verdicts = "nic bind", .bound = "03:00.0"),
	ROW("a variant beside plain ones", .more = "device 03:00.0: +variant=mlx5_vfio_pci\n",
		.config = GPU NIC USB, .verdicts = "gpu bind, nic bind, usb bind",
		.bound = GPU_BOUND " 03:00.0 04:00.0"),
	ROW("two devices of one variant",
		.more = "device 03:00.0: +variant=a_vfio_pci\n"
			"device 04:00.0: +variant=a_vfio_pci\n",
		.config = NIC USB, .verdicts = "nic bind, usb bind", .bound = "03:00.0 04:00.0"),
	ROW("two variants in one target",
		.more = "device 01:00.0: +variant=a_vfio_pci\n"
			"device 01:00.1: +variant=b_vfio_pci\n",
		.config = GPU, .verdicts = "gpu bind", .bound = GPU_BOUND),
	ROW("driver = auto", .more = "device 03:00.0: +variant=mlx5_vfio_pci\n",
		.config = NIC "driver = auto\n", .verdicts = "nic bind", .bound = "03:00.0"),
	ROW("driver = vfio-pci", .more = "device 03:00.0: +variant=mlx5_vfio_pci\n",
		.config = NIC "driver = vfio-pci\n", .verdicts = "nic bind", .bound = "03:00.0"),
	ROW("a variant of one target, vfio-pci of another",
		.more = "device 03:00.0: +variant=a_vfio_pci\n"
			"device 04:00.0: +variant=a_vfio_pci\n",
		.config = NIC "driver = vfio-pci\n" USB, .verdicts = "nic bind, usb bind",
		.bound = "03:00.0 04:00.0"),
	ROW("a variant where vfio-pci is built in",
		.more = "module vfio-pci: builtin\ndevice 03:00.0: +variant=mlx5_vfio_pci\n",
		.config = NIC, .verdicts = "nic bind", .bound = "03:00.0"),
	ROW("a variant needs no vfio-pci",
		.more = "module vfio-pci: missing\ndevice 03:00.0: +variant=a_vfio_pci\n",
		.config = NIC, .verdicts = "nic bind", .bound = "03:00.0"),
	ROW("the rest of its target does",
		.more = "module vfio-pci: missing\ndevice 01:00.0: +variant=a_vfio_pci\n",
		.config = GPU, .verdicts = "gpu refused", .findings = "E driver-missing@gpu@-"),

	/* --- a live system, projected back to the hook --- */
	ROW("live: drivers that are modules hold nothing at the hook", .live = true,
		.machine = x370,
		.more = "device 00:03.0: @amd64_edac\ndevice 07:00.0: @amdgpu\ndevice 07:00.1: @snd_hda_intel\n"
			"module vfio-pci: loaded\n",
		.config = RX, .verdicts = "gpu bind", .bound = "07:00.0 07:00.1"),
	ROW("live: drivers that are built in do", .live = true, .machine = x370,
		.more = "device 00:03.0: @amd64_edac +builtin\n", .config = RX,
		.verdicts = "gpu refused", .findings = "E not-isolated@gpu@00:03.0"),
	ROW("live: what vfio-pci holds now, nothing held at the hook", .live = true,
		.more = "device 01:00.1: @vfio-pci\n",
		.config = "[gpu]\ndevice = 01:00.0 10de:2786\n", .verdicts = "gpu refused",
		.findings = "E not-isolated@gpu@01:00.1"),
	ROW("live: what is missing is missing", .live = true, .more = "module vfio-pci: missing\n",
		.config = GPU, .verdicts = "gpu refused", .findings = "E driver-missing@gpu@-"),

	ROW("whole-group: what another target has stays there",
		.config = LPC "isolation = whole-group\n[b]\ndevice = 8086:7a23\n",
		.verdicts = "lpc bind, b bind", .bound = "00:1f.0 00:1f.3 00:1f.4"),
	ROW("whole-group: a strict target gains by it",
		.config = LPC "isolation = whole-group\n"
			      "[b]\ndevice = 8086:7a23\nisolation = strict\n",
		.verdicts = "lpc bind, b bind", .bound = "00:1f.0 00:1f.3 00:1f.4"),
	ROW("guard: what a target that falls later had stays with the host", .machine = usb_only,
		.config = "[a]\ndevice = 8086:7a60\n[b]\ndevice = 1b21:1343\n"
			  "[c]\ndevice = 8086:7a61\ndevice = 8086:7a62\n",
		.verdicts = "a refused, b bind, c refused", .bound = "04:00.0",
		.findings = "E not-isolated@a@00:14.1 E not-isolated@c@00:15.1"),
	ROW("all functions, one of them a VF that comes later",
		.more = "IOMMU Group 31:\n	03:00.2 Ethernet [0200]: VF [8086:1520] +vf\n",
		.config = "[n]\ndevice = 03:00.* 8086:125c\n", .verdicts = "n bind",
		.bound = "03:00.0"),
	ROW("all functions, function 0 is missing", .more = "remove 01:00.0\n",
		.config = "[gpu]\ndevice = 01:00.* 10de:22bc\n", .verdicts = "gpu refused",
		.findings = "E absent@gpu@-", .text = { "function 0" }),
	ROW("live: options that the module takes at the next boot", .live = true,
		.more = "module vfio-pci: loaded\nmodule-unapplied: disable_vga=1\n", .config = GPU,
		.verdicts = "gpu bind", .bound = GPU_BOUND),
	ROW("skip by ID, of a device that moved",
		.config = "[gpu]\ndevice = 09:00.0 10de:2786\n" NIC,
		.cmdline = "rd.vfio-early.skip=10de:2786", .verdicts = "gpu skipped, nic bind",
		.bound = "03:00.0", .findings = "N skipped@gpu@-"),
	ROW("twins that are both in the target may change places", .more = TWIN_DISK,
		.config =
			"[d]\ndevice = 02:00.0 144d:a80c\ndevice = 06:00.0 144d:a80c\nallow = storage\n",
		.verdicts = "d bind", .bound = "02:00.0 06:00.0"),
	ROW("what falls for the same blocker is no blocker, in whatever order the targets stand",
		.config = LPC "[b]\ndevice = 8086:7a23\n", .verdicts = "lpc refused, b refused",
		.findings = "E not-isolated@lpc@00:1f.0 E not-isolated@b@00:1f.0"),
	ROW("behind VMD: the blockers are named besides", .machine = vmd,
		.config = "[d]\ndevice = 10000:e1:00.0 1c5c:1959\nallow = storage\n",
		.verdicts = "d refused",
		.findings = "E behind-vmd@d@10000:e1:00.0 E not-isolated@d@00:0e.0"),
	ROW("whole-group: never what was skipped, though an inactive target names it, too",
		.config = LPC "isolation = whole-group\n[a]\ndevice = 8086:7a23\nprofile = x\n"
			      "[b]\ndevice = 8086:7a23\n",
		.cmdline = "rd.vfio-early.skip=b", .verdicts = "lpc skipped, a inactive, b skipped",
		.findings = "N skipped@b@- N skipped@lpc@-"),
};

/* --- the machinery --- */

static char *grow(char *s, const char *fmt, ...) _printf_(2, 3);
static char *grow(char *s, const char *fmt, ...)
{
	_cleanup_free_ char *more = NULL;
	va_list ap;
	char *all;

	va_start(ap, fmt);
	more = vformat(fmt, ap);
	va_end(ap);
	all = format("%s%s%s", s ?: "", s && *s ? " " : "", more);
	free(s);
	return all;
}

/* Domain 0000 left out, as the rows have it. */
static const char *short_addr(struct pci_addr a, char buf[static PCI_ADDR_LEN])
{
	pci_addr_format(a, buf);
	return skip_prefix(buf, "0000:") ?: buf;
}
#define SHORT(a) short_addr((a), (char[PCI_ADDR_LEN]){ 0 })

static char *dump_verdicts(const struct plan *p)
{
	char *s = strdup("");

	for (size_t i = 0; i < p->n_targets; i++)
		s = grow(s, "%s %s%s", p->targets[i].target->name,
			verdict_name(p->targets[i].verdict), i + 1 < p->n_targets ? "," : "");
	return s;
}

static int by_number(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static char *dump_bound(const struct plan *p, const struct snapshot *snap)
{
	_cleanup_free_ size_t *found = calloc(p->n_steps + 1, sizeof(*found));
	char *s = strdup("");
	size_t n = 0;

	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == STEP_OVERRIDE)
			found[n++] = p->steps[i].device;
	qsort(found, n, sizeof(*found), by_number);
	for (size_t i = 0; i < n; i++)
		s = grow(s, "%s", SHORT(snap->devices[found[i]].addr));
	return s;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "E id@target@address" each, sorted; a row lists them in whatever order reads best. */
static char *sorted(char **list, size_t n)
{
	char *s = strdup("");

	qsort(list, n, sizeof(*list), by_text);
	for (size_t i = 0; i < n; i++) {
		s = grow(s, "%s", list[i]);
		free(list[i]);
	}
	return s;
}

static char *dump_findings(const struct findings *f)
{
	_cleanup_free_ char **list = calloc(f->n + 1, sizeof(*list));

	for (size_t i = 0; i < f->n; i++) {
		const struct finding *item = &f->items[i];

		list[i] = format("%c %s@%s@%s", "NWE"[item->severity], item -> id,
			item -> target ?: "-", item->has_addr ? SHORT(item->addr) : "-");
	}
	return sorted(list, f->n);
}

/* A row's findings in the same order: two words each. */
static char *sort_findings(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	char *list[64], *rest = copy, *severity, *what;
	size_t n = 0;

	while ((severity = strsep(&rest, " ")) && (what = strsep(&rest, " ")) &&
		n < ARRAY_SIZE(list))
		list[n++] = format("%s %s", severity, what);
	return sorted(list, n);
}

static bool told(const struct findings *f, const char *text)
{
	for (size_t i = 0; i < f->n; i++)
		if (strstr(f->items[i].text, text) ||
			(f->items[i].cure && strstr(f->items[i].cure, text)))
			return true;
	return false;
}

/* All that was said, for the message of a failure. */
static void show_findings(const struct findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		printf("\t%s: %s%s%s\n", f->items[i].id, f->items[i].text,
			f->items[i].cure ? "\n\t\t-> " : "", f->items[i].cure ?: "");
}

/* --- laws: they hold for every plan --- */

static const struct pci_device *device_of(const struct snapshot *s, const struct step *step)
{
	return &s->devices[step->device];
}

static bool is_bound(const struct plan *p, size_t device)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == STEP_OVERRIDE && p->steps[i].device == device)
			return true;
	return false;
}

/* The next step at *@at, if it is of this kind. */
static const struct step *take(const struct plan *p, size_t *at, enum step_kind kind)
{
	if (*at < p->n_steps && p->steps[*at].kind == kind)
		return &p->steps[(*at)++];
	test_bad_at(test_line, "step %zu: found kind %d, expected %d", *at,
		*at < p->n_steps ? (int)p->steps[*at].kind : -1, (int)kind);
	return NULL;
}

/* Each module once, where it can be loaded; behind a variant's, its name for its devices. */
static void law_loads(const struct plan *p, const struct machine *m, size_t n, size_t *at)
{
	for (size_t i = 0; i < n; i++) {
		const char *module = p->steps[i].module;
		bool variant = !streq(module, VFIO_MODULE), first = true;
		const struct step *step;

		for (size_t j = 0; j < i; j++)
			first &= !streq(p->steps[j].module, module);
		if (!first || (!variant && m->module.state != MODULE_LOADABLE))
			continue;
		step = take(p, at, STEP_LOAD);
		EXPECT(step && streq(step->module, module));
		for (size_t j = 0; j < n && variant; j++) {
			if (!streq(p->steps[j].module, module))
				continue;
			step = take(p, at, STEP_NAME);
			EXPECT(step && step->device == p->steps[j].device);
		}
	}
}

/* All overrides, the modules, all devices settled in the same order, type1; each device once. */
static void law_steps(const struct plan *p, const struct machine *m)
{
	size_t n = 0, n_devices = 0, at;

	for (size_t i = 0; i < p->n_targets; i++)
		if (p->targets[i].verdict == VERDICT_BIND)
			n_devices += p->targets[i].n_devices;
	EXPECT_INT(p->n_steps != 0, n_devices != 0);
	if (p->n_steps == 0)
		return;
	while (n < p->n_steps && p->steps[n].kind == STEP_OVERRIDE)
		n++;
	EXPECT_INT(n, n_devices);
	at = n;
	law_loads(p, m, n, &at);
	for (size_t i = 0; i < n; i++) {
		const struct step *step = take(p, &at, STEP_SETTLE);

		EXPECT(step && step->device == p->steps[i].device &&
			step->target == p->steps[i].target);
	}
	if (m->module.type1)
		EXPECT(take(p, &at, STEP_TYPE1));
	EXPECT_INT(at, p->n_steps);
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			EXPECT(p->steps[i].device != p->steps[j].device);
}

/* The variant made for a device, unless its target says vfio-pci. */
static void law_drivers(const struct plan *p, const struct snapshot *s)
{
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct step *step = &p->steps[i];
		const char *variant = s->devices[step->device].variant;

		if (step->kind != STEP_OVERRIDE && step->kind != STEP_SETTLE)
			continue;
		if (p->targets[step->target].target->driver == DRIVER_VFIO_PCI)
			variant = NULL;
		EXPECT_STR(step->module, variant ?: VFIO_MODULE);
	}
}

/* No part of a target is bound without the rest, and nothing that is in no target that is bound. */
static void law_whole(const struct plan *p)
{
	for (size_t i = 0; i < p->n_targets; i++)
		for (size_t j = 0; j < p->targets[i].n_devices; j++)
			if (p->targets[i].verdict == VERDICT_BIND)
				EXPECT(is_bound(p, p->targets[i].devices[j].device));
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == STEP_OVERRIDE)
			EXPECT_INT(p->targets[p->steps[i].target].verdict, VERDICT_BIND);
}

/* Written anew from DESIGN.md, not taken from plan.c. */
static bool harmless(const struct pci_device *d)
{
	static const char *const safe[] = {
		"vfio-pci",
		"pci-stub",
		"mlx5_vfio_pci",
		"nvgrace-gpu-vfio-pci",
	};

	if (d->appears_late)
		return true;
	if (!d->driver)
		return d->is_bridge || d->class >> 8 == 0x0600 || d->class >> 8 == 0x1300;
	if (d->is_bridge && streq(d->driver, "pcieport"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(safe); i++)
		if (streq(d->driver, safe[i]))
			return true;
	return false;
}

static void law_devices(const struct plan *p, const struct snapshot *s)
{
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct pci_device *d = device_of(s, &p->steps[i]);
		const struct target *t = p->targets[p->steps[i].target].target;

		if (p->steps[i].kind != STEP_OVERRIDE)
			continue;
		EXPECT(!d->is_bridge);
		EXPECT(!d->behind_vmd);
		EXPECT(!d->appears_late);
		EXPECT(d->group != NO_GROUP);
		EXPECT(d->class >> 16 != 0x01 || t->allow & ALLOW_STORAGE);
		for (size_t k = 0; k < s->n_devices && t->isolation != ISOLATION_NONE; k++)
			if (s->devices[k].group == d->group && !is_bound(p, k))
				EXPECT(harmless(&s->devices[k]));
	}
}

/* A refusal has a reason, what is bound has none against it, and no text has a hole. */
static void law_findings(const struct plan *p)
{
	for (size_t i = 0; i < p->n_targets; i++) {
		size_t errors = 0;

		for (size_t j = 0; j < p->findings.n; j++) {
			const struct finding *f = &p->findings.items[j];

			errors += f->severity == SEVERITY_ERROR && f->target &&
				streq(f->target, p->targets[i].target->name);
		}
		if (p->targets[i].verdict == VERDICT_REFUSED)
			EXPECT(errors > 0);
		if (p->targets[i].verdict == VERDICT_BIND)
			EXPECT_INT(errors, 0);
	}
	for (size_t j = 0; j < p->findings.n; j++) {
		EXPECT(!strstr(p->findings.items[j].text, "(null)"));
		EXPECT(!p->findings.items[j].cure || !strstr(p->findings.items[j].cure, "(null)"));
	}
}

/* Bypassed: as if we were not there. */
static void law_bypass(const struct plan *p, const struct bootwords *w)
{
	if (!w->bypass)
		return;
	EXPECT_INT(p->n_steps, 0);
	for (size_t i = 0; i < p->n_targets; i++)
		EXPECT(p->targets[i].verdict == VERDICT_SKIPPED ||
			p->targets[i].verdict == VERDICT_INACTIVE);
}

/* The same input, the same plan. */
static void law_again(const struct plan *p, const struct config *c, const struct bootwords *w,
	const struct machine *m)
{
	_cleanup_free_ char *verdicts = dump_verdicts(p), *findings = dump_findings(&p->findings);
	_cleanup_free_ char *verdicts_2 = NULL, *findings_2 = NULL;
	struct plan again = { 0 };

	EXPECT_INT(plan_make(c, w, &m->snapshot, &m->module, &again), 0);
	verdicts_2 = dump_verdicts(&again);
	findings_2 = dump_findings(&again.findings);
	EXPECT_STR(verdicts_2, verdicts);
	EXPECT_STR(findings_2, findings);
	EXPECT_INT(again.n_steps, p->n_steps);
	plan_free(&again);
}

/* The order of the targets does not decide. */
static void law_order(
	const struct plan *p, struct config *c, const struct bootwords *w, const struct machine *m)
{
	_cleanup_free_ char *bound = dump_bound(p, &m->snapshot), *bound_2 = NULL;
	struct plan other = { 0 };

	for (size_t i = 0; i < c->n_targets / 2; i++) {
		struct target t = c->targets[i];

		c->targets[i] = c->targets[c->n_targets - 1 - i];
		c->targets[c->n_targets - 1 - i] = t;
	}
	EXPECT_INT(plan_make(c, w, &m->snapshot, &m->module, &other), 0);
	bound_2 = dump_bound(&other, &m->snapshot);
	EXPECT_STR(bound_2, bound);
	/* p->targets point into the array that was turned: its contents are compared by name. */
	for (size_t i = 0; i < other.n_targets; i++)
		EXPECT_INT(other.targets[i].verdict, p->targets[other.n_targets - 1 - i].verdict);
	plan_free(&other);
}

static void run_row(const struct row *row)
{
	_cleanup_free_ char *listing = format("%s%s", row->machine ?: pc, row->more ?: "");
	_cleanup_free_ char *verdicts = NULL, *bound = NULL, *findings = NULL, *expected = NULL;
	struct machine m = { 0 };
	struct bootwords w = { 0 };
	struct config c = { 0 };
	struct plan p = { 0 };

	test_begin(__FILE__, row->line, row->what);
	EXPECT_INT(machine_parse(listing, &m), 0);
	if (m.error)
		test_bad_at(row->line, "line %zu of the machine: %s", m.line, m.error);
	EXPECT_INT(config_parse(&c, "f", row->config, strlen(row->config)), 0);
	EXPECT_INT(config_finish(&c), 0);
	EXPECT_INT(bootwords_parse(row->cmdline ?: "ro quiet", &w), 0);
	for (size_t i = 0; i < c.errors.n; i++)
		test_bad_at(row->line, "the configuration: %s", c.errors.items[i].text);
	if (row->live)
		snapshot_project(&m.snapshot, &m.module);
	EXPECT_INT(plan_make(&c, &w, &m.snapshot, &m.module, &p), 0);
	verdicts = dump_verdicts(&p);
	bound = dump_bound(&p, &m.snapshot);
	findings = dump_findings(&p.findings);
	expected = sort_findings(row->findings ?: "");
	EXPECT_STR(verdicts, row->verdicts ?: "");
	EXPECT_STR(bound, row->bound ?: "");
	EXPECT_STR(findings, expected);
	for (size_t i = 0; i < ARRAY_SIZE(row->text) && row->text[i]; i++)
		if (!told(&p.findings, row->text[i]))
			test_bad_at(row->line, "no finding says '%s'", row->text[i]);
	law_steps(&p, &m);
	law_drivers(&p, &m.snapshot);
	law_whole(&p);
	law_devices(&p, &m.snapshot);
	law_findings(&p);
	law_bypass(&p, &w);
	law_again(&p, &c, &w, &m);
	law_order(&p, &c, &w, &m);
	if (test_bad)
		show_findings(&p.findings);
	plan_free(&p);
	config_free(&c);
	bootwords_free(&w);
	machine_free(&m);
	test_end();
}

/* plan_wants(): what scan.c must look at closely. */
static void test_wants(void)
{
	static const char text[] =
		"[a]\ndevice = 03:00.0\n[b]\ndevice = 10de:22bc\n[c]\ndevice = 00:1d.0/00.*\n"
		"profile = x\n[d]\ndevice = 00:14.* 8086:ffff\n";
	struct machine m = { 0 };
	struct config c = { 0 };
	char *wanted = NULL;

	TEST_BEGIN("plan_wants");
	EXPECT_INT(machine_parse(pc, &m), 0);
	EXPECT_INT(config_parse(&c, "f", text, strlen(text)), 0);
	EXPECT_INT(config_finish(&c), 0);
	for (size_t i = 0; i < m.snapshot.n_devices; i++)
		if (plan_wants(&c, &m.snapshot.devices[i]))
			wanted = grow(wanted, "%s", SHORT(m.snapshot.devices[i].addr));
	EXPECT_STR(wanted, "00:14.0 00:14.2 01:00.1 03:00.0 04:00.0");
	free(wanted);
	config_free(&c);
	machine_free(&m);
	test_end();
}

/* plan_tells(), plan_compares_paths(): whose place in the topology scan.c must tell. */
static void test_tells(void)
{
	static const char text[] = "[a]\ndevice = 03:00.0\n[b]\ndevice = 10de:22bc\n"
				   "[d]\ndevice = 0f:00.0 10de:2786\n";
	static const char path[] = "[e]\ndevice = 00:1d.0/00.0\n";
	struct bootwords none = { 0 }, skip = { 0 };
	struct machine m = { 0 };
	struct config c = { 0 };
	char *told = NULL;

	TEST_BEGIN("plan_tells");
	EXPECT_INT(machine_parse(pc, &m), 0);
	EXPECT_INT(config_parse(&c, "f", text, strlen(text)), 0);
	EXPECT_INT(config_finish(&c), 0);
	for (size_t i = 0; i < m.snapshot.n_devices; i++)
		if (plan_tells(&c, &m.snapshot.devices[i]))
			told = grow(told, "%s", SHORT(m.snapshot.devices[i].addr));
	EXPECT_STR(told, "01:00.0 01:00.1 03:00.0");
	EXPECT_INT(plan_compares_paths(&c, &none), false);
	EXPECT_INT(bootwords_parse("rd.vfio-early.skip=a,00:1d.0/00.0", &skip), 0);
	EXPECT_INT(plan_compares_paths(&c, &skip), true);
	EXPECT_INT(config_parse(&c, "g", path, strlen(path)), 0);
	EXPECT_INT(plan_compares_paths(&c, &none), true);
	free(told);
	bootwords_free(&skip);
	config_free(&c);
	machine_free(&m);
	test_end();
}

static void test_empty(void)
{
	struct snapshot s = { 0 };
	struct bootwords w = { 0 };
	struct config c = { 0 };
	struct plan p = { 0 };

	TEST_BEGIN("no configuration, no machine, no module facts");
	EXPECT_INT(plan_make(&c, &w, &s, NULL, &p), 0);
	EXPECT_INT(p.n_steps, 0);
	EXPECT_INT(p.findings.n, 0);
	plan_free(&p);
	plan_free(&p);
	test_end();
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		run_row(&rows[i]);
	test_wants();
	test_tells();
	test_empty();
	return test_summary();
}
