/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses, topology paths and IDs: what parses is formatted, and that parses to the same; what
 * does not leaves its place untouched. Two lines are compared as well. */
#include "fuzz.h"
#include "config.h"
#include "snapshot.h"

/* With the domain, as the kernel writes it. */
static void long_address(const char *s, struct pci_addr a, bool all)
{
	_cleanup_free_ char *with = format("0:%s", s);
	struct pci_addr again;
	bool again_all;

	EXPECT(with);
	if (strchr(strchr(s, ':') + 1, ':'))
		return;
	EXPECT(a.domain == 0);
	EXPECT(pci_addr_parse(with, &again, &again_all) == 0);
	EXPECT(pci_addr_cmp(a, again) == 0 && again_all == all);
}

static void check_address(const char *s)
{
	struct pci_addr a, again, untouched;
	bool all = false, strict;
	char buf[PCI_ADDR_LEN];
	int r;

	memset(&a, 0xa5, sizeof(a));
	untouched = a;
	r = pci_addr_parse(s, &a, &all);
	EXPECT(r == 0 || r == -EINVAL || r == -ERANGE);
	strict = pci_addr_parse(s, &again, NULL) == 0;
	if (r < 0) {
		EXPECT(memcmp(&a, &untouched, sizeof(a)) == 0 && !all && !strict);
		return;
	}
	EXPECT(all == (s[strlen(s) - 1] == '*') && strict == !all);
	EXPECT(a.dev < 32 && a.fn < 8);
	pci_addr_format(a, buf);
	EXPECT(pci_addr_parse(buf, &again, NULL) == 0 && pci_addr_cmp(a, again) == 0);
	EXPECT(pci_addr_siblings(a, again));
	long_address(s, a, all);
}

static void check_path(const char *s)
{
	struct pci_path p, again, untouched;
	char buf[PCI_PATH_LEN];
	bool all = false;
	int r;

	memset(&p, 0xa5, sizeof(p));
	untouched = p;
	r = pci_path_parse(s, &p, &all);
	EXPECT(r == 0 || r == -EINVAL || r == -ERANGE);
	if (r < 0) {
		EXPECT(memcmp(&p, &untouched, sizeof(p)) == 0 && !all);
		return;
	}
	EXPECT(p.n_hops > 0 && p.n_hops <= PCI_PATH_HOPS);
	pci_path_format(&p, buf);
	EXPECT(strlen(buf) < PCI_PATH_LEN - 1);
	EXPECT(pci_path_parse(buf, &again, NULL) == 0);
	EXPECT(pci_path_equal(&p, &again, false) && pci_path_equal(&again, &p, true));
	/* One hop is an address, and the other way round. */
	EXPECT((p.n_hops == 1) == (pci_addr_parse(s, &(struct pci_addr){ 0 }, &all) == 0));
}

static void check_id(const char *s)
{
	struct pci_id id = { 0xa5a5, 0x5a5a }, again;
	char buf[PCI_ID_LEN];
	int r = pci_id_parse(s, &id);

	if (r < 0) {
		EXPECT(r == -EINVAL && id.vendor == 0xa5a5 && id.device == 0x5a5a);
		return;
	}
	pci_id_format(id, buf);
	EXPECT(strcasecmp(buf, s) == 0);
	EXPECT(pci_id_parse(buf, &again) == 0 && pci_id_equal(id, again));
}

static void check_modalias(const char *s)
{
	struct pci_device d = { 0 };
	char buf[MODALIAS_LEN];

	if (pci_modalias_parse(s, &d.id, &d.subsystem, &d.class) == 0)
		EXPECT(strcasecmp(device_modalias(&d, buf), s) == 0);
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void compare(const char *x, const char *y)
{
	struct pci_addr a, b;
	struct pci_path p, q;
	bool all;

	if (pci_addr_parse(x, &a, &all) == 0 && pci_addr_parse(y, &b, &all) == 0) {
		EXPECT(sign(pci_addr_cmp(a, b)) == -sign(pci_addr_cmp(b, a)));
		EXPECT((pci_addr_cmp(a, b) == 0) == streq(PCI_ADDR(a), PCI_ADDR(b)));
		EXPECT(pci_addr_cmp(a, b) != 0 || pci_addr_siblings(a, b));
		EXPECT(pci_addr_siblings(a, b) == pci_addr_siblings(b, a));
	}
	if (pci_path_parse(x, &p, &all) == 0 && pci_path_parse(y, &q, &all) == 0) {
		EXPECT(pci_path_equal(&p, &q, false) == streq(PCI_PATH(&p), PCI_PATH(&q)));
		EXPECT(!pci_path_equal(&p, &q, false) || pci_path_equal(&p, &q, true));
		EXPECT(pci_path_equal(&p, &q, true) == pci_path_equal(&q, &p, true));
	}
}

/* A place and an ID, as "device =" and the boot word that skips take them. */
static void check_selector(const char *s)
{
	struct selector a, b;
	int r = selector_parse(s, &a);

	EXPECT(r == 0 || r == -EINVAL);
	if (r < 0)
		return;
	EXPECT(streq(a.text, s) && (a.kind != SELECT_ID || a.has_id));
	EXPECT(selector_parse(a.text, &b) == 0 && selector_same_place(&a, &b));
	selector_free(&a);
	selector_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_free_ char *text = fuzz_string(data, len);
	char *second = text, *first = strsep(&second, "\n");

	check_address(first);
	check_path(first);
	check_modalias(first);
	check_id(first);
	check_selector(first);
	if (second)
		compare(first, second);
	return 0;
}
