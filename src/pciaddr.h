/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* PCI addresses, topology paths and vendor:device IDs: parse, format, compare. Pure. */

#include "util.h"

/* A PCI address as the kernel prints it, "%04x:%02x:%02x.%d" (drivers/pci/probe.c,
 * pci_setup_device); a domain may have more than four digits (VMD starts at 0x10000:
 * drivers/pci/controller/vmd.c). */
struct pci_addr {
	uint32_t domain;
	uint8_t bus;
	uint8_t dev; /* 0 to 0x1f */
	uint8_t fn;  /* 0 to 7 */
};

/* The vendor:device ID, as lspci -n shows it. */
struct pci_id {
	uint16_t vendor;
	uint16_t device;
};

/* A topology path: the root bus, then the device.function on each bus down to the device. Only the
 * first bus number is in it, and root buses are numbered by the firmware, not by enumeration. */
#define PCI_PATH_HOPS 16
struct pci_path {
	uint32_t domain;
	uint8_t bus;
	uint8_t n_hops;
	struct {
		uint8_t dev;
		uint8_t fn;
	} hop[PCI_PATH_HOPS];
};

#define PCI_ADDR_LEN sizeof("ffffffff:ff:1f.7")
#define PCI_ID_LEN   sizeof("ffff:ffff")
#define PCI_PATH_LEN (PCI_ADDR_LEN + PCI_PATH_HOPS * sizeof("/1f.7"))

/* Parse the whole of @s. Hexadecimal in either case; a missing domain is 0. @ret is untouched on
 * failure. 0, or -EINVAL where @s is not of that form, -ERANGE where a part is too large. With
 * @ret_all_functions, the function may be written "*": it becomes 0 and *@ret_all_functions true.
 */
int pci_addr_parse(const char *s, struct pci_addr *ret, bool *ret_all_functions) _must_check_;
/* "DDDD:BB" */
int pci_bus_parse(const char *s, uint32_t *ret_domain, uint8_t *ret_bus) _must_check_;
int pci_id_parse(const char *s, struct pci_id *ret) _must_check_;
int pci_path_parse(const char *s, struct pci_path *ret, bool *ret_all_functions) _must_check_;
/* "pci:v00008086d00002668sv00001AF4sd00001100bc04sc03i00" (drivers/pci/pci-sysfs.c,
 * modalias_show()); the class is 0xbbsspp. */
int pci_modalias_parse(const char *s, struct pci_id *ret, struct pci_id *ret_subsystem,
	uint32_t *ret_class) _must_check_;

/* Format into @buf and return it. A path leaves domain 0 out, as people write it. */
const char *pci_addr_format(struct pci_addr a, char buf[static PCI_ADDR_LEN]);
const char *pci_id_format(struct pci_id id, char buf[static PCI_ID_LEN]);
const char *pci_path_format(const struct pci_path *p, char buf[static PCI_PATH_LEN]);

/* The same as arguments of printf; the buffer lives as long as the enclosing block. */
#define PCI_ADDR(a) pci_addr_format((a), (char[PCI_ADDR_LEN]){ 0 })
#define PCI_ID(i)   pci_id_format((i), (char[PCI_ID_LEN]){ 0 })
#define PCI_PATH(p) pci_path_format((p), (char[PCI_PATH_LEN]){ 0 })

/* Order by domain, bus, device, function: negative, 0 or positive. */
int pci_addr_cmp(struct pci_addr a, struct pci_addr b);
/* The same domain, bus and device; the function may differ. */
bool pci_addr_siblings(struct pci_addr a, struct pci_addr b);
bool pci_id_equal(struct pci_id a, struct pci_id b);
/* With @any_function, the function of the last hop may differ. */
bool pci_path_equal(const struct pci_path *a, const struct pci_path *b, bool any_function);
