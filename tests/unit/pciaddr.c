/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pciaddr.h"
#include "test.h"

#define OK 0

static void test_addr(void)
{
	static const struct {
		int line;
		const char *in;
		int r;
		const char *out;
	} rows[] = {
#define ROW(...) { __LINE__, __VA_ARGS__ }
		ROW("0000:01:00.0", OK, "0000:01:00.0"),
		ROW("01:00.0", OK, "0000:01:00.0"),
		ROW("1:0.0", OK, "0000:01:00.0"),
		ROW("0:1f.7", OK, "0000:00:1f.7"),
		ROW("0000:AF:0C.3", OK, "0000:af:0c.3"),
		ROW("af:0c.3", OK, "0000:af:0c.3"),
		ROW("10000:e1:00.0", OK, "10000:e1:00.0"),
		ROW("ffffffff:ff:1f.7", OK, "ffffffff:ff:1f.7"),
		ROW("0:00:00.0", OK, "0000:00:00.0"),
		ROW("", -EINVAL, NULL),
		ROW(" 01:00.0", -EINVAL, NULL),
		ROW("01:00.0 ", -EINVAL, NULL),
		ROW("01:00", -EINVAL, NULL),
		ROW("01:00.", -EINVAL, NULL),
		ROW("01:.0", -EINVAL, NULL),
		ROW(":00.0", -EINVAL, NULL),
		ROW(":01:00.0", -EINVAL, NULL),
		ROW("01.00.0", -EINVAL, NULL),
		ROW("01:00:0", -EINVAL, NULL),
		ROW("0000:0000:01:00.0", -EINVAL, NULL),
		ROW("01:00.00", -EINVAL, NULL),
		ROW("001:00.0", -EINVAL, NULL),
		ROW("01:000.0", -EINVAL, NULL),
		ROW("01:00.0.0", -EINVAL, NULL),
		ROW("0x01:00.0", -EINVAL, NULL),
		ROW("01:0g.0", -EINVAL, NULL),
		ROW("-1:00.0", -EINVAL, NULL),
		ROW("+1:00.0", -EINVAL, NULL),
		ROW("01:00.*", -EINVAL, NULL),
		ROW("01:00.0/00.0", -EINVAL, NULL),
		ROW("123456789:01:00.0", -EINVAL, NULL),
		ROW("01:00.8", -ERANGE, NULL),
		ROW("01:00.f", -ERANGE, NULL),
		ROW("01:20.0", -ERANGE, NULL),
		ROW("01:ff.0", -ERANGE, NULL),
		ROW("0000:01:20.0", -ERANGE, NULL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pci_addr a = { 0x55, 0x55, 0x15, 5 };

		test_begin(__FILE__, rows[i].line, rows[i].in);
		EXPECT_INT(pci_addr_parse(rows[i].in, &a, NULL), rows[i].r);
		EXPECT_STR(PCI_ADDR(a), rows[i].out ?: "0055:55:15.5");
		test_end();
	}
}

static void test_bus(void)
{
	static const struct {
		int line;
		const char *in;
		int r;
		uint32_t domain;
		uint8_t bus;
	} rows[] = {
		ROW("0000:00", OK, 0, 0),
		ROW("10000:e1", OK, 0x10000, 0xe1),
		ROW("0000:00:00", -EINVAL, 9, 9),
		ROW("0000", -EINVAL, 9, 9),
		ROW(":00", -EINVAL, 9, 9),
		ROW("0000:", -EINVAL, 9, 9),
		ROW("123456789:00", -EINVAL, 9, 9),
		ROW("", -EINVAL, 9, 9),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t domain = 9;
		uint8_t bus = 9;

		test_begin(__FILE__, rows[i].line, rows[i].in);
		EXPECT_INT(pci_bus_parse(rows[i].in, &domain, &bus), rows[i].r);
		EXPECT_INT(domain, rows[i].domain);
		EXPECT_INT(bus, rows[i].bus);
		test_end();
	}
}

static void test_all_functions(void)
{
	static const struct {
		int line;
		const char *in;
		int r;
		bool all;
		const char *out;
	} rows[] = {
		ROW("04:00.*", OK, true, "0000:04:00.0"),
		ROW("10000:e1:00.*", OK, true, "10000:e1:00.0"),
		ROW("04:00.3", OK, false, "0000:04:00.3"),
		ROW("04:*.0", -EINVAL, true, NULL),
		ROW("*:00.0", -EINVAL, true, NULL),
		ROW("04:00.**", -EINVAL, true, NULL),
		ROW("04:00.*0", -EINVAL, true, NULL),
		ROW("04:00.0*", -EINVAL, true, NULL),
		ROW("04:20.*", -ERANGE, true, NULL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pci_addr a = { 0x55, 0x55, 0x15, 5 };
		bool all = rows[i].r == OK ? !rows[i].all : rows[i].all;

		test_begin(__FILE__, rows[i].line, rows[i].in);
		EXPECT_INT(pci_addr_parse(rows[i].in, &a, &all), rows[i].r);
		EXPECT_STR(PCI_ADDR(a), rows[i].out ?: "0055:55:15.5");
		EXPECT_INT(all, rows[i].all);
		test_end();
	}
}

static void test_id(void)
{
	static const struct {
		int line;
		const char *in;
		int r;
		const char *out;
	} rows[] = {
		ROW("10de:2786", OK, "10de:2786"),
		ROW("10DE:22Bc", OK, "10de:22bc"),
		ROW("0000:0000", OK, "0000:0000"),
		ROW("ffff:ffff", OK, "ffff:ffff"),
		ROW("", -EINVAL, NULL),
		ROW("10de", -EINVAL, NULL),
		ROW("10de:", -EINVAL, NULL),
		ROW(":2786", -EINVAL, NULL),
		ROW("10de:278", -EINVAL, NULL),
		ROW("0de:2786", -EINVAL, NULL),
		ROW("10de:27867", -EINVAL, NULL),
		ROW("10de:2786 ", -EINVAL, NULL),
		ROW("10de.2786", -EINVAL, NULL),
		ROW("10de:278g", -EINVAL, NULL),
		ROW("0x10:2786", -EINVAL, NULL),
		ROW("10de:*", -EINVAL, NULL),
		ROW("10de:2786:1", -EINVAL, NULL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pci_id id = { 0x5555, 0xaaaa };

		test_begin(__FILE__, rows[i].line, rows[i].in);
		EXPECT_INT(pci_id_parse(rows[i].in, &id), rows[i].r);
		EXPECT_STR(PCI_ID(id), rows[i].out ?: "5555:aaaa");
		test_end();
	}
}

#define HOPS_15      "1.0/1.0/1.0/1.0/1.0/1.0/1.0/1.0/1.0/1.0/1.0/1.0/1.0/1.0/1.0"
#define HOPS_15_LONG "01.0/01.0/01.0/01.0/01.0/01.0/01.0/01.0/01.0/01.0/01.0/01.0/01.0/01.0/01.0"

static void test_path(void)
{
	static const struct {
		int line;
		const char *in;
		int r;
		int hops;
		bool all;
		const char *out;
	} rows[] = {
		ROW("00:01.0/00.0", OK, 2, false, "00:01.0/00.0"),
		ROW("0000:00:01.0/00.0", OK, 2, false, "00:01.0/00.0"),
		ROW("00:1C.4/0.1", OK, 2, false, "00:1c.4/00.1"),
		ROW("00:01.0/00.*", OK, 2, true, "00:01.0/00.0"),
		ROW("00:03.1/00.0/01.0/00.*", OK, 4, true, "00:03.1/00.0/01.0/00.0"),
		ROW("10000:e0:06.0/00.0", OK, 2, false, "10000:e0:06.0/00.0"),
		ROW("00:02.0", OK, 1, false, "00:02.0"),
		ROW("00:" HOPS_15 "/1.7", OK, 16, false, "00:" HOPS_15_LONG "/01.7"),
		ROW("00:" HOPS_15 "/1.0/1.0", -ERANGE, 0, false, NULL),
		ROW("ffffffff:ff:" HOPS_15 "/1.7", OK, 16, false,
			"ffffffff:ff:" HOPS_15_LONG "/01.7"),
		ROW("00:01.0/", -EINVAL, 0, false, NULL),
		ROW("/00:01.0", -EINVAL, 0, false, NULL),
		ROW("00:01.0//00.0", -EINVAL, 0, false, NULL),
		ROW("00:01.*/00.0", -EINVAL, 0, false, NULL),
		ROW("00:01.0/01:00.0", -EINVAL, 0, false, NULL),
		ROW("01.0/00.0", -EINVAL, 0, false, NULL),
		ROW("00:01.0/00", -EINVAL, 0, false, NULL),
		ROW("00:01.0 00.0", -EINVAL, 0, false, NULL),
		ROW("00:01.0/00.8", -ERANGE, 0, false, NULL),
		ROW("00:01.0/20.0", -ERANGE, 0, false, NULL),
		ROW("", -EINVAL, 0, false, NULL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pci_path p = { .bus = 0x55, .n_hops = 1, .hop = { { 0x15, 5 } } };
		bool all = rows[i].r == OK && !rows[i].all;

		test_begin(__FILE__, rows[i].line, rows[i].in);
		EXPECT_INT(pci_path_parse(rows[i].in, &p, &all), rows[i].r);
		EXPECT_STR(PCI_PATH(&p), rows[i].out ?: "55:15.5");
		EXPECT_INT(p.n_hops, rows[i].r == OK ? rows[i].hops : 1);
		EXPECT_INT(all, rows[i].all);
		test_end();
	}

	TEST_BEGIN("'*' in a path where it is not asked for");
	{
		struct pci_path p;

		EXPECT_INT(pci_path_parse("00:01.0/00.*", &p, NULL), -EINVAL);
	}
	test_end();
}

static struct pci_addr addr(const char *s)
{
	struct pci_addr a = { 0 };

	EXPECT_INT(pci_addr_parse(s, &a, NULL), 0);
	return a;
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

static void test_compare(void)
{
	/* Rising: each is before all that follow. */
	static const char *const order[] = {
		"0000:00:00.0",
		"0000:00:00.1",
		"0000:00:01.0",
		"0000:00:1f.7",
		"0000:01:00.0",
		"0000:7f:00.0",
		"0000:80:00.0",
		"0000:ff:1f.7",
		"0001:00:00.0",
		"10000:00:00.0",
		"80000000:00:00.0",
		"ffffffff:00:00.0",
	};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		test_begin(__FILE__, __LINE__, order[i]);
		for (size_t j = 0; j < ARRAY_SIZE(order); j++)
			EXPECT_INT(sign(pci_addr_cmp(addr(order[i]), addr(order[j]))),
				(i > j) - (i < j));
		test_end();
	}
}

static void test_siblings(void)
{
	static const struct {
		int line;
		const char *a, *b;
		bool siblings;
	} rows[] = {
		ROW("01:00.0", "01:00.1", true),
		ROW("01:00.0", "01:00.0", true),
		ROW("01:00.0", "01:01.0", false),
		ROW("01:00.0", "02:00.0", false),
		ROW("0:01:00.0", "1:01:00.1", false),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		test_begin(__FILE__, rows[i].line, rows[i].b);
		EXPECT_INT(pci_addr_siblings(addr(rows[i].a), addr(rows[i].b)), rows[i].siblings);
		test_end();
	}
}

static void test_path_equal(void)
{
	static const struct {
		int line;
		const char *a, *b;
		bool equal, any;
	} rows[] = {
		ROW("00:01.0/00.0", "00:01.0/00.0", true, true),
		ROW("00:01.0/00.0", "00:01.0/00.1", false, true),
		ROW("00:01.0/00.0", "00:01.1/00.0", false, false),
		ROW("00:01.0/00.0", "00:02.0/00.0", false, false),
		ROW("00:01.0/00.0", "00:01.0/01.0", false, false),
		ROW("00:01.0/00.0", "00:01.0", false, false),
		ROW("00:01.0/00.0", "00:01.0/00.0/00.0", false, false),
		ROW("00:01.0/00.0", "80:01.0/00.0", false, false),
		ROW("00:01.0/00.0", "1:00:01.0/00.0", false, false),
		ROW("00:1f.0", "00:1f.3", false, true),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pci_path a = { 0 }, b = { 0 };

		test_begin(__FILE__, rows[i].line, rows[i].b);
		EXPECT_INT(pci_path_parse(rows[i].a, &a, NULL), 0);
		EXPECT_INT(pci_path_parse(rows[i].b, &b, NULL), 0);
		EXPECT_INT(pci_path_equal(&a, &b, false), rows[i].equal);
		EXPECT_INT(pci_path_equal(&b, &a, false), rows[i].equal);
		EXPECT_INT(pci_path_equal(&a, &b, true), rows[i].any);
		EXPECT_INT(pci_path_equal(&b, &a, true), rows[i].any);
		test_end();
	}
}

static void test_id_equal(void)
{
	TEST_BEGIN("pci_id_equal");
	EXPECT(pci_id_equal((struct pci_id){ 1, 2 }, (struct pci_id){ 1, 2 }));
	EXPECT(!pci_id_equal((struct pci_id){ 1, 2 }, (struct pci_id){ 1, 3 }));
	EXPECT(!pci_id_equal((struct pci_id){ 1, 2 }, (struct pci_id){ 2, 2 }));
	EXPECT(!pci_id_equal((struct pci_id){ 1, 2 }, (struct pci_id){ 2, 1 }));
	test_end();
}

static void test_modalias(void)
{
	static const struct {
		int line;
		const char *text;
		int result;
	} rows[] = {
		ROW("pci:v00008086d00002668sv00001AF4sd00001100bc04sc03i00", 0),
		ROW("pci:v00008086d00002668sv00001af4sd00001100bc04sc03i00", 0),
		ROW("", -EINVAL),
		ROW("pci:", -EINVAL),
		ROW("usb:v00008086d00002668sv00001AF4sd00001100bc04sc03i00", -EINVAL),
		ROW("pci:v00008086d00002668sv00001AF4sd00001100bc04sc03i", -EINVAL),
		ROW("pci:v00008086d00002668sv00001AF4sd00001100bc04sc03i00\n", -EINVAL),
		ROW("pci:v00008086d00002668sv00001AF4sd00001100bc04sc03i000", -EINVAL),
		ROW("pci:v00008086d00002668sv*sd00001100bc04sc03i00", -EINVAL),
		ROW("pci:v000008086d00002668sv00001AF4sd00001100bc04sc03i00", -EINVAL),
		ROW("pci:v00018086d00002668sv00001AF4sd00001100bc04sc03i00", -ERANGE),
		ROW("pci:v00008086d00002668sv00001AF4sdFFFFFFFFbc04sc03i00", -ERANGE),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pci_id id = { 1, 2 }, subsystem = { 3, 4 };
		uint32_t class = 5;
		bool ok = rows[i].result == 0;

		test_begin(__FILE__, rows[i].line, rows[i].text);
		EXPECT_INT(
			pci_modalias_parse(rows[i].text, &id, &subsystem, &class), rows[i].result);
		EXPECT_STR(PCI_ID(id), ok ? "8086:2668" : "0001:0002");
		EXPECT_STR(PCI_ID(subsystem), ok ? "1af4:1100" : "0003:0004");
		EXPECT_INT(class, ok ? 0x040300 : 5);
		test_end();
	}
}

int main(void)
{
	test_addr();
	test_bus();
	test_all_functions();
	test_id();
	test_path();
	test_compare();
	test_siblings();
	test_path_equal();
	test_id_equal();
	test_modalias();
	return test_summary();
}
