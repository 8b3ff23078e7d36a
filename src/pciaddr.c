/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pciaddr.h"

/* One hexadecimal number at *@s, 1 to @max_digits digits; moves *@s behind it. */
static int parse_hex(const char **s, int max_digits, uint32_t max, uint32_t *ret)
{
	uint32_t v = 0;
	int n = 0;

	for (;; n++, (*s)++) {
		uint32_t c = (unsigned char)**s;

		if (c >= '0' && c <= '9')
			c -= '0';
		else if (c >= 'a' && c <= 'f')
			c -= 'a' - 10;
		else if (c >= 'A' && c <= 'F')
			c -= 'A' - 10;
		else
			break;
		if (n == max_digits)
			return -EINVAL;
		v = v << 4 | c;
	}
	if (n == 0)
		return -EINVAL;
	if (v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

static int parse_char(const char **s, char c)
{
	if (**s != c)
		return -EINVAL;
	(*s)++;
	return 0;
}

/* "dd.f", and "dd.*" where @all_functions is given; moves *@s behind it. */
static int parse_devfn(const char **s, uint8_t *ret_dev, uint8_t *ret_fn, bool *all_functions)
{
	uint32_t dev, fn = 0;
	int r;

	r = parse_hex(s, 2, 0x1f, &dev);
	if (r < 0)
		return r;
	r = parse_char(s, '.');
	if (r < 0)
		return r;
	if (all_functions && **s == '*') {
		(*s)++;
		*all_functions = true;
	} else {
		r = parse_hex(s, 1, 7, &fn);
		if (r < 0)
			return r;
	}
	*ret_dev = (uint8_t)dev;
	*ret_fn = (uint8_t)fn;
	return 0;
}

/* "[DDDD:]BB:"; moves *@s behind it. */
static int parse_bus(const char **s, uint32_t *ret_domain, uint8_t *ret_bus)
{
	uint32_t domain = 0, bus;
	const char *colon = strchr(*s, ':');
	int r;

	if (colon && strchr(colon + 1, ':')) {
		r = parse_hex(s, 8, UINT32_MAX, &domain);
		if (r < 0)
			return r;
		r = parse_char(s, ':');
		if (r < 0)
			return r;
	}
	r = parse_hex(s, 2, 0xff, &bus);
	if (r < 0)
		return r;
	r = parse_char(s, ':');
	if (r < 0)
		return r;
	*ret_domain = domain;
	*ret_bus = (uint8_t)bus;
	return 0;
}

int pci_addr_parse(const char *s, struct pci_addr *ret, bool *ret_all_functions)
{
	struct pci_addr a;
	bool all = false;
	int r;

	r = parse_bus(&s, &a.domain, &a.bus);
	if (r < 0)
		return r;
	r = parse_devfn(&s, &a.dev, &a.fn, ret_all_functions ? &all : NULL);
	if (r < 0)
		return r;
	if (*s)
		return -EINVAL;
	*ret = a;
	if (ret_all_functions)
		*ret_all_functions = all;
	return 0;
}

int pci_bus_parse(const char *s, uint32_t *ret_domain, uint8_t *ret_bus)
{
	uint32_t domain, bus;
	int r;

	r = parse_hex(&s, 8, UINT32_MAX, &domain);
	if (r < 0)
		return r;
	r = parse_char(&s, ':');
	if (r < 0)
		return r;
	r = parse_hex(&s, 2, 0xff, &bus);
	if (r < 0)
		return r;
	if (*s)
		return -EINVAL;
	*ret_domain = domain;
	*ret_bus = (uint8_t)bus;
	return 0;
}

int pci_id_parse(const char *s, struct pci_id *ret)
{
	uint32_t vendor, device;
	int r;

	/* Exactly four digits each, as every tool prints them: fewer are a slip of the pen. */
	if (strlen(s) != PCI_ID_LEN - 1 || s[4] != ':')
		return -EINVAL;
	r = parse_hex(&s, 4, 0xffff, &vendor);
	if (r < 0)
		return r;
	r = parse_char(&s, ':');
	if (r < 0)
		return r;
	r = parse_hex(&s, 4, 0xffff, &device);
	if (r < 0)
		return r;
	if (*s)
		return -EINVAL;
	*ret = (struct pci_id){ (uint16_t)vendor, (uint16_t)device };
	return 0;
}

/* @key, then as many digits: what follows may be one, too. Moves *@s behind them. */
static int parse_field(const char **s, const char *key, size_t digits, uint32_t max, uint32_t *ret)
{
	const char *at = skip_prefix(*s, key);
	char text[9] = "";
	int r;

	if (!at)
		return -EINVAL;
	strncpy(text, at, digits);
	*s = at + strlen(text);
	at = text;
	r = parse_hex(&at, (int)digits, max, ret);
	return r == 0 && at != text + digits ? -EINVAL : r;
}

int pci_modalias_parse(
	const char *s, struct pci_id *ret, struct pci_id *ret_subsystem, uint32_t *ret_class)
{
	enum { VENDOR, DEVICE, SUBVENDOR, SUBDEVICE, BASE, SUB, INTERFACE, FIELDS };
	static const struct {
		const char *key;
		size_t digits;
		uint32_t max;
	} fields[FIELDS] = {
		[VENDOR] = { "pci:v", 8, UINT16_MAX },
		[DEVICE] = { "d", 8, UINT16_MAX },
		[SUBVENDOR] = { "sv", 8, UINT16_MAX },
		[SUBDEVICE] = { "sd", 8, UINT16_MAX },
		[BASE] = { "bc", 2, UINT8_MAX },
		[SUB] = { "sc", 2, UINT8_MAX },
		[INTERFACE] = { "i", 2, UINT8_MAX },
	};
	uint32_t v[FIELDS];

	for (size_t i = 0; i < FIELDS; i++) {
		int r = parse_field(&s, fields[i].key, fields[i].digits, fields[i].max, &v[i]);

		if (r < 0)
			return r;
	}
	if (*s)
		return -EINVAL;
	*ret = (struct pci_id){ .vendor = (uint16_t)v[VENDOR], .device = (uint16_t)v[DEVICE] };
	*ret_subsystem = (struct pci_id){ .vendor = (uint16_t)v[SUBVENDOR],
		.device = (uint16_t)v[SUBDEVICE] };
	*ret_class = v[BASE] << 16 | v[SUB] << 8 | v[INTERFACE];
	return 0;
}

int pci_path_parse(const char *s, struct pci_path *ret, bool *ret_all_functions)
{
	struct pci_path p = { 0 };
	bool all = false;
	int r;

	r = parse_bus(&s, &p.domain, &p.bus);
	if (r < 0)
		return r;
	for (;;) {
		if (p.n_hops == PCI_PATH_HOPS)
			return -ERANGE;
		r = parse_devfn(&s, &p.hop[p.n_hops].dev, &p.hop[p.n_hops].fn,
			ret_all_functions ? &all : NULL);
		if (r < 0)
			return r;
		p.n_hops++;
		if (*s == '\0')
			break;
		/* Only the last hop may stand for all functions. */
		if (all || *s != '/')
			return -EINVAL;
		s++;
	}
	*ret = p;
	if (ret_all_functions)
		*ret_all_functions = all;
	return 0;
}

/* @digits of them at least, then @end; where the next character goes. */
static char *put_hex(char *s, uint32_t v, int digits, char end)
{
	while (digits < 8 && v >> digits * 4)
		digits++;
	while (digits-- > 0)
		*s++ = "0123456789abcdef"[v >> digits * 4 & 0xf];
	*s++ = end;
	return s;
}

/* Not by printf(): each attribute of thousands of devices is read by its address. */
const char *pci_addr_format(struct pci_addr a, char buf[static PCI_ADDR_LEN])
{
	char *s = buf;

	s = put_hex(s, a.domain, 4, ':');
	s = put_hex(s, a.bus, 2, ':');
	s = put_hex(s, a.dev & 0x1f, 2, '.');
	put_hex(s, a.fn & 7, 1, '\0');
	return buf;
}

const char *pci_id_format(struct pci_id id, char buf[static PCI_ID_LEN])
{
	snprintf(buf, PCI_ID_LEN, "%04x:%04x", id.vendor, id.device);
	return buf;
}

const char *pci_path_format(const struct pci_path *p, char buf[static PCI_PATH_LEN])
{
	size_t n;

	if (p->domain)
		n = (size_t)snprintf(buf, PCI_PATH_LEN, "%04x:%02x:", p->domain, p->bus);
	else
		n = (size_t)snprintf(buf, PCI_PATH_LEN, "%02x:", p->bus);
	for (int i = 0; i < p->n_hops && n < PCI_PATH_LEN; i++)
		n += (size_t)snprintf(buf + n, PCI_PATH_LEN - n, "%s%02x.%x", i ? "/" : "",
			p->hop[i].dev, p->hop[i].fn);
	return buf;
}

int pci_addr_cmp(struct pci_addr a, struct pci_addr b)
{
	if (a.domain != b.domain)
		return a.domain < b.domain ? -1 : 1;
	if (a.bus != b.bus)
		return a.bus - b.bus;
	if (a.dev != b.dev)
		return a.dev - b.dev;
	return a.fn - b.fn;
}

bool pci_addr_siblings(struct pci_addr a, struct pci_addr b)
{
	return a.domain == b.domain && a.bus == b.bus && a.dev == b.dev;
}

bool pci_id_equal(struct pci_id a, struct pci_id b)
{
	return a.vendor == b.vendor && a.device == b.device;
}

bool pci_path_equal(const struct pci_path *a, const struct pci_path *b, bool any_function)
{
	if (a->domain != b->domain || a->bus != b->bus || a->n_hops != b->n_hops)
		return false;
	for (int i = 0; i < a->n_hops; i++) {
		if (a->hop[i].dev != b->hop[i].dev)
			return false;
		if (a->hop[i].fn != b->hop[i].fn && !(any_function && i == a->n_hops - 1))
			return false;
	}
	return true;
}
