/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record.h"
#include "test.h"

#define HEAD \
	"record 1\nversion 0.1.0\nkernel 6.1.0\nstarted 1.5\nfinished 2.5\ndigest 00000000000000ff\n"
#define GPU "target gpu bound\ndevice gpu 0000:01:00.0 10de:2786 vfio-pci bound\n"

static void test_whole(void)
{
	struct record r = { 0 };

	TEST_BEGIN("a whole record");
	EXPECT_INT(record_parse(HEAD "config /etc/vfio-early.conf\nword single\nstatus 1\n" GPU
				     "finding warning type1-missing gpu - a text of words\n"
				     "cure do this\nlater versions have more\nend\n",
			   &r),
		0);
	EXPECT_STR(r.version, "0.1.0");
	EXPECT_STR(r.kernel, "6.1.0");
	EXPECT_INT(r.digest, 0xff);
	EXPECT_INT(r.n_targets, 1);
	EXPECT_STR(r.targets[0].name, "gpu");
	EXPECT_STR(r.targets[0].state, "bound");
	EXPECT_INT(r.n_devices, 1);
	EXPECT_STR(r.devices[0].target, "gpu");
	EXPECT_STR(PCI_ADDR(r.devices[0].addr), "0000:01:00.0");
	EXPECT_STR(PCI_ID(r.devices[0].id), "10de:2786");
	EXPECT_STR(r.devices[0].driver, "vfio-pci");
	EXPECT_STR(r.devices[0].state, "bound");
	EXPECT_INT(r.n_findings, 1);
	EXPECT_STR(r.findings[0].severity, "warning");
	EXPECT_STR(r.findings[0].id, "type1-missing");
	EXPECT_STR(r.findings[0].target, "gpu");
	EXPECT_STR(r.findings[0].text, "a text of words");
	EXPECT_STR(r.findings[0].cure, "do this");
	EXPECT_INT(record_find(&r, r.devices[0].addr) == &r.devices[0], 1);
	EXPECT_INT(record_find(&r, (struct pci_addr){ .bus = 2 }) == NULL, 1);
	record_free(&r);
	test_end();
}

static void test_rejected(void)
{
	static const char *const texts[] = {
		"",
		"end\n",
		"record 2\nend\n",
		"record 1",
		HEAD GPU,
		HEAD "device gpu 0000:01:00 10de:2786 vfio-pci bound\nend\n",
		HEAD "device gpu 0000:01:00.0 10de vfio-pci bound\nend\n",
		HEAD "device gpu fffffffff:01:00.0 10de:2786 vfio-pci bound\nend\n",
		HEAD "device\nend\n",
		HEAD "digest\nend\n",
		HEAD "digest x\nend\n",
		HEAD "cure of nothing\nend\n",
		"\n" HEAD "end\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct record r = { .n_targets = 7 };

		TEST_BEGIN(texts[i]);
		EXPECT_INT(record_parse(texts[i], &r), -EINVAL);
		EXPECT_INT(r.n_targets, 7);
		test_end();
	}
}

static void test_tamed(void)
{
	struct record r = { 0 };

	TEST_BEGIN("what steers a terminal is taken out");
	EXPECT_INT(record_parse("record 1\ntarget g\033[31mx bound\nend\n", &r), 0);
	EXPECT_STR(r.targets[0].name, "g?[31mx");
	record_free(&r);
	test_end();
}

static void test_short_lines(void)
{
	struct record r = { 0 };

	TEST_BEGIN("words that a line lacks are empty");
	EXPECT_INT(
		record_parse("record 1\ntarget\nfinding\ncure\nversion\nend\ntarget x y\n", &r), 0);
	EXPECT_INT(r.n_targets, 1);
	EXPECT_STR(r.targets[0].name, "");
	EXPECT_STR(r.targets[0].state, "");
	EXPECT_STR(r.findings[0].text, "");
	EXPECT_STR(r.findings[0].cure, "");
	EXPECT_STR(r.version, "");
	record_free(&r);
	test_end();
}

int main(void)
{
	test_whole();
	test_rejected();
	test_tamed();
	test_short_lines();
	return test_summary();
}
