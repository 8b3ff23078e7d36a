/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machine.h"
#include "snapshot.h"
#include "test.h"

static const char listing[] =
	"IOMMU Group 16:\n"
	"	0000:02:00.1 Audio device [0403]: b [10de:22bc] ^0000:00:01.0 @snd_hda_intel\n"
	"	0000:02:00.0 VGA compatible controller [0300]: a [10de:2786] +late @nouveau\n"
	"IOMMU Group 1:\n"
	"	10000:e1:00.0 Non-Volatile memory controller [0108]: d [1c5c:1959] @nvme +builtin\n"
	"	0000:00:01.0 PCI bridge [0604]: c [8086:a70d] @pcieport\n"
	"group 9: noiommu\n";

static struct pci_addr addr(const char *s)
{
	struct pci_addr a = { 0 };

	EXPECT_INT(pci_addr_parse(s, &a, NULL), 0);
	return a;
}

static void test_lookup(const struct snapshot *s)
{
	static const struct {
		int line;
		const char *addr;
		size_t bound;
		bool there;
	} rows[] = {
#define ROW(...) { __LINE__, __VA_ARGS__ }
		ROW("0000:00:00.0", 0, false),
		ROW("0000:00:01.0", 0, true),
		ROW("0000:00:01.1", 1, false),
		ROW("0000:02:00.0", 1, true),
		ROW("0000:02:00.1", 2, true),
		ROW("0000:02:00.2", 3, false),
		ROW("10000:e1:00.0", 3, true),
		ROW("ffffffff:ff:1f.7", 4, false),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct pci_device *d;

		test_begin(__FILE__, rows[i].line, rows[i].addr);
		EXPECT_INT(snapshot_lower_bound(s, addr(rows[i].addr)), rows[i].bound);
		d = snapshot_find(s, addr(rows[i].addr));
		EXPECT_STR(d ? PCI_ADDR(d->addr) : NULL, rows[i].there ? rows[i].addr : NULL);
		test_end();
	}

	TEST_BEGIN("groups");
	EXPECT_INT(snapshot_group(s, 16) ? snapshot_group(s, 16)->number : -1, 16);
	EXPECT(snapshot_group(s, 9) && snapshot_group(s, 9)->noiommu);
	EXPECT(!snapshot_group(s, 2));
	EXPECT(!snapshot_group(s, NO_GROUP));
	test_end();
}

static void expect_members(const struct snapshot *s, const struct iommu_group *g, const char *found)
{
	char text[64] = "";

	for_each_member(i, s, g)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %zu", i);
	EXPECT_STR(text, found);
}

static void test_members(struct snapshot *s)
{
	const struct iommu_group none = { .number = NO_GROUP };

	for (int sorted = 0; sorted < 2; sorted++) {
		test_begin(__FILE__, __LINE__, sorted ? "members" : "members, not sorted");
		expect_members(s, snapshot_group(s, 16), " 1 2");
		expect_members(s, snapshot_group(s, 1), " 0 3");
		expect_members(s, snapshot_group(s, 9), "");
		expect_members(s, &none, "");
		test_end();
		snapshot_sort_groups(s);
	}
}

static void test_project(struct snapshot *s)
{
	static const struct {
		int line;
		enum module_state before, after;
	} rows[] = {
		ROW(MODULE_LOADED, MODULE_LOADABLE),
		ROW(MODULE_LOADABLE, MODULE_LOADABLE),
		ROW(MODULE_BUILTIN, MODULE_BUILTIN),
		ROW(MODULE_MISSING, MODULE_MISSING),
		ROW(MODULE_BLACKLISTED, MODULE_BLACKLISTED),
	};

	TEST_BEGIN("projection: a driver that is not built in holds nothing; nothing goes away");
	snapshot_project(s, NULL);
	EXPECT_INT(s->n_devices, 4);
	EXPECT_STR(snapshot_find(s, addr("0000:00:01.0"))->driver, "pcieport");
	EXPECT_STR(snapshot_find(s, addr("0000:02:00.0"))->driver, NULL);
	EXPECT_STR(snapshot_find(s, addr("0000:02:00.1"))->driver, NULL);
	EXPECT_STR(snapshot_find(s, addr("10000:e1:00.0"))->driver, "nvme");
	EXPECT(snapshot_find(s, addr("0000:02:00.0"))->appears_late);
	test_end();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct module_facts m = { .state = rows[i].before };

		test_begin(__FILE__, rows[i].line, "projection of the module");
		snapshot_project(s, &m);
		EXPECT_INT(m.state, rows[i].after);
		test_end();
	}
}

static void test_classes(void)
{
	static const struct {
		int line;
		uint32_t class;
		const char *name;
		bool display;
	} rows[] = {
		ROW(0x030000, "VGA controller", true),
		ROW(0x038000, "display controller", true),
		ROW(0x030200, "3D controller", false),
		ROW(0x030100, "display controller", false),
		ROW(0x010802, "NVMe controller", false),
		ROW(0x010601, "SATA controller", false),
		ROW(0x010000, "storage controller", false),
		ROW(0x020000, "Ethernet controller", false),
		ROW(0x028000, "network controller", false),
		ROW(0x040300, "audio device", false),
		ROW(0x060000, "host bridge", false),
		ROW(0x060400, "PCI bridge", false),
		ROW(0x068000, "bridge", false),
		ROW(0x0c0330, "USB controller", false),
		ROW(0x0c8000, "serial bus controller", false),
		ROW(0x130000, "non-essential instrumentation", false),
		ROW(0x000000, "device", false),
		ROW(0xff0000, "device", false),
		ROW(0xffffff, "device", false),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pci_device d = { .class = rows[i].class };

		test_begin(__FILE__, rows[i].line, rows[i].name);
		EXPECT_STR(class_name(rows[i].class), rows[i].name);
		EXPECT_INT(device_is_display(&d), rows[i].display);
		test_end();
	}
}

static void test_empty(void)
{
	struct snapshot s = { 0 };
	struct module_facts m = { 0 };

	TEST_BEGIN("an empty machine");
	snapshot_sort(&s);
	snapshot_project(&s, &m);
	EXPECT(!snapshot_find(&s, (struct pci_addr){ 0 }));
	EXPECT_INT(snapshot_lower_bound(&s, (struct pci_addr){ 0 }), 0);
	EXPECT(!snapshot_group(&s, 0));
	snapshot_free(&s);
	module_facts_free(&m);
	test_end();
}

int main(void)
{
	struct machine m;

	TEST_BEGIN("the listing");
	EXPECT_INT(machine_parse(listing, &m), 0);
	EXPECT_STR(m.error, NULL);
	EXPECT_INT(m.snapshot.n_devices, 4);
	test_end();
	test_lookup(&m.snapshot);
	test_members(&m.snapshot);
	test_project(&m.snapshot);
	test_classes();
	test_empty();
	machine_free(&m);
	return test_summary();
}
