/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "randomcase.h"

#define DEVICES 14
#define BUSES   4

struct maker {
	struct random_case *c;
	const uint8_t *pos, *end;
	unsigned used[BUSES]; /* device numbers and functions, 3 bits of these, so far */
	unsigned groups;
	size_t claimed; /* devices, from the first on, that some line means */
};

/* Below the root complex: two root ports with a bus each, and a VMD. */
static const struct {
	const char *bus;
	const char *above;
} buses[BUSES] = {
	{ "0000:00", "" },
	{ "0000:01", " ^0000:00:01.0" },
	{ "0000:02", " ^0000:00:01.1" },
	{ "10000:e0", "" },
};

static unsigned pick(struct maker *m, unsigned n)
{
	return m->pos < m->end ? *m->pos++ % n : 0;
}

/* One of a list of words, of which the first is the usual one. */
#define PICK(m, list) ((list)[pick((m), ARRAY_SIZE(list))])

void put(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	t->n += (size_t)vsnprintf(t->s + t->n, sizeof(t->s) - t->n, fmt, ap);
	va_end(ap);
	if (t->n >= sizeof(t->s))
		abort();
}

/* --- the machine --- */

/* The next address on a bus: another function of the same device, or another device. */
static void put_address(struct maker *m, unsigned bus, bool function)
{
	unsigned *used = &m->used[bus];

	*used = function && (*used & 7) < 7 ? *used + 1 : (*used | 7) + 1;
	put(&m->c->listing, "%s:%02x.%x", buses[bus].bus, *used >> 3, *used & 7);
}

static void put_group(struct maker *m)
{
	unsigned kind = pick(m, 32), group = m->groups;

	if (kind < 16)
		group = m->groups++;
	else if (kind < 31 && group)
		group -= 1 + kind % 3 % group;
	if (kind < 31)
		put(&m->c->listing, "IOMMU Group %u:\n", group);
	else
		put(&m->c->listing, "No IOMMU group:\n");
}

/* Each takes the same number of bytes, so that a change of one leaves the others what they are. */
static void put_device(struct maker *m, unsigned i)
{
	static const char *const classes[] = { "0403", "0300", "0380", "0302", "0c0330", "0c0320",
		"0c0340", "0108", "0106", "0200", "0200", "0280", "0600", "0601", "0604", "1300",
		"0b40", "0403", "0300" };
	static const char *const drivers[] = { "", "", "", "", "", " @host", " @pcieport",
		" @vfio-pci", " @pci-stub", " @mlx5_vfio_pci", " @i915 +builtin",
		" @shpchp +builtin" };
	static const char *const flags[] = { "", "", "", "", "", "", "", "", "", "", "", "", "", "",
		"", "", "", " +boot_vga", " +boot_vga", " +framebuffer", " +late", " +vf",
		" +removable", " +variant=mlx5_vfio_pci", " +variant=mlx5_vfio_pci" };
	static const unsigned char places[] = { 1, 1, 1, 0, 0, 0, 2, 2, 3 };
	unsigned bus = PICK(m, places);
	bool function = pick(m, 2);

	put_group(m);
	put_address(m, bus, function);
	put(&m->c->listing, " x [%s]: [10de:%04x]%s%s%s\n", PICK(m, classes),
		0x1000 + (pick(m, 6) ? i : 0), buses[bus].above, PICK(m, drivers), PICK(m, flags));
}

static void put_group_line(struct maker *m)
{
	static const char *const lines[] = { "", "", "", "", "noiommu", "direct", "direct",
		"foreign PNP0103:00" };
	const char *line = PICK(m, lines);
	unsigned group = pick(m, m->groups + 1);

	if (*line)
		put(&m->c->listing, "group %u: %s\n", group, line);
}

static void put_machine_lines(struct maker *m)
{
	static const char *const states[] = { "loadable", "loadable", "loadable", "loadable",
		"loadable", "loadable", "loaded", "builtin", "missing", "blacklisted" };
	static const char *const more[] = { "", "", "", "", "", "", "", "", "", "", "", "",
		"tables: dmar\n", "tables: ivrs\n", "tables: viot\n", "iommu: none\n",
		"module-ids: 10de:1000\n", "module-unapplied: disable_vga=1\n",
		"module vfio_iommu_type1: missing\n" };

	put(&m->c->listing, "module vfio-pci: %s\n%s", PICK(m, states), PICK(m, more));
}

static void make_machine(struct maker *m)
{
	struct random_case *c = m->c;
	bool vmd = pick(m, 8) == 1, live = pick(m, 4) == 1;
	unsigned n = DEVICES - pick(m, DEVICES), unreadable = pick(m, 64);

	put(&c->listing,
		"0000:00:01.0 x [0604]: [8086:0001] @pcieport\n"
		"0000:00:01.1 x [0604]: [8086:0001] @pcieport\n");
	if (vmd)
		put(&c->listing, "0000:00:01.2 x [0104]: [8086:0002] @vmd\n");
	m->used[0] = 1 << 3 | 7;
	m->used[1] = m->used[2] = m->used[3] = 7;
	for (unsigned i = 0; i < n; i++)
		put_device(m, i);
	put_group_line(m);
	put_machine_lines(m);
	if (machine_parse(c->listing.s, &c->machine) < 0) {
		printf("line %zu: %s\n%s", c->machine.line, c->machine.error, c->listing.s);
		abort();
	}
	if (live) {
		put(&c->listing, "# as it was at the hook\n");
		snapshot_project(&c->machine.snapshot, &c->machine.module);
	}
	if (unreadable < c->machine.snapshot.n_groups) {
		struct iommu_group *g = &c->machine.snapshot.groups[unreadable];

		put(&c->listing, "# group %d is unreadable\n", g->number);
		g->unreadable = true;
	}
}

/* --- the configuration --- */

static const struct pci_device *pick_device(struct maker *m)
{
	return &m->c->machine.snapshot.devices[pick(m, (unsigned)m->c->machine.snapshot.n_devices)];
}

/* Mostly one that no line means yet: two targets that want one device are both refused. */
static const struct pci_device *pick_other(struct maker *m)
{
	const struct pci_device *any = pick_device(m);
	const struct snapshot *s = &m->c->machine.snapshot;

	if (pick(m, 8) == 7)
		return any;
	while (m->claimed < s->n_devices && s->devices[m->claimed].is_bridge)
		m->claimed++;
	return m->claimed < s->n_devices ? &s->devices[m->claimed++] : any;
}

/* What a selector can be: as it should, and as people get it wrong. */
static void put_selector(struct maker *m, struct text *t)
{
	const struct pci_device *d = pick_other(m);
	const struct snapshot *s = &m->c->machine.snapshot;
	struct pci_addr first = { d->addr.domain, d->addr.bus, d->addr.dev, 0 };
	const struct pci_device *zero = snapshot_find(s, first) ?: d;
	char path[PCI_PATH_LEN];
	unsigned kind = pick(m, 32);

	pci_path_format(d->path.n_hops ? &d->path : &(struct pci_path){ .n_hops = 1 }, path);
	put(t, "device = ");
	if (kind == 1 || kind == 2)
		put(t, "%s\n", PCI_ID(d->id));
	else if (kind == 3 || kind == 4)
		put(t, "%s %s\n", path, PCI_ID(d->id));
	else if (kind == 5)
		put(t, "%04x:%02x:%02x.* %s\n", d->addr.domain, d->addr.bus, d->addr.dev,
			PCI_ID(zero->id));
	else if (kind == 10)
		put(t, "%04x:%02x:%02x.* 10de:1003\n", d->addr.domain, d->addr.bus, d->addr.dev);
	else if (kind == 6)
		put(t, "%.*s* %s\n", (int)strlen(path) - 1, path, PCI_ID(zero->id));
	else if (kind == 7)
		put(t, "%s\n", PCI_ADDR(d->addr));
	else if (kind == 8)
		put(t, "%s 10de:1003\n", PCI_ADDR(d->addr));
	else if (kind == 9)
		put(t, "0000:03:00.0 %s\n", PCI_ID(d->id));
	else
		put(t, "%s %s\n", PCI_ADDR(d->addr), PCI_ID(d->id));
}

/* All, or all but one, more often than just any: a target is to be bound, or to lack one thing. */
static void put_consents(struct maker *m, struct text *t)
{
	unsigned kind = pick(m, 4), any = pick(m, 256), bits = 0xff;

	if (kind == 1)
		bits &= ~(1U << any % 8);
	else if (kind == 2)
		bits = any;
	for (unsigned i = 0; i < 8; i++)
		if (bits & 1U << i)
			put(t, "allow = %s\n", allow_name((enum allow)(1U << i)));
}

static void make_target(struct maker *m, unsigned i)
{
	static const char *const isolations[] = { "", "isolation = strict\n",
		"isolation = whole-group\n", "isolation = whole-group\n", "isolation = none\n" };
	static const char *const more[] = { "", "", "", "", "", "profile = p0\n",
		"profile = p1 p0\n", "driver = vfio-pci\n" };
	struct text *t = &m->c->targets[i];
	unsigned lines = 1 + pick(m, 6) / 4;

	put(t, "[t%u]\n%s%s", i, PICK(m, isolations), PICK(m, more));
	if (pick(m, 4) == 1)
		put(t, "match = all\n");
	put_consents(m, t);
	for (unsigned j = 0; j < lines; j++)
		put_selector(m, t);
}

/* --- the command line --- */

static void make_word(struct maker *m, char *buf, size_t size)
{
	static const char *const words[] = { "root=/dev/nfs", "root=/dev/nfs", "root=/dev/nfs",
		"root=/dev/nfs", "rd.vfio-early.profile=p0", "rd.vfio-early.profile=p1",
		"rd.vfio-early.profile=p0,p2", "initcall_blacklist=sysfb_init", "single",
		"rd.vfio-early=0", "rd.vfio-early.huh", "rd.vfio-early.skip=nothing",
		"elfcorehdr=1" };
	const struct pci_device *d = pick_device(m);
	char path[PCI_PATH_LEN];

	pci_path_format(d->path.n_hops ? &d->path : &(struct pci_path){ .n_hops = 1 }, path);
	switch (pick(m, 32)) {
	case 1:
	case 2:
		snprintf(buf, size, "rd.vfio-early.skip=t%u", pick(m, CASE_TARGETS));
		break;
	case 3:
		snprintf(buf, size, "vfio-early.skip=%s", PCI_ADDR(d->addr));
		break;
	case 4:
		snprintf(buf, size, "rd.vfio_early.skip=%s", PCI_ID(d->id));
		break;
	case 5:
		snprintf(buf, size, "rd.vfio-early.skip=%.*s%s", (int)strlen(path) - 1, path,
			pick(m, 2) ? "*" : path + strlen(path) - 1);
		break;
	case 6:
	case 7:
	case 8:
	case 9:
		snprintf(buf, size, "%s", PICK(m, words));
		break;
	default:
		*buf = '\0';
	}
}

/* --- all of it --- */

void case_make(struct random_case *c, const uint8_t *data, size_t len)
{
	static const char *const options[] = { "", "", "", "[options]\nisolation = strict\n",
		"[options]\nisolation = whole-group\n", "[options]\nisolation = none\n" };
	struct maker m = { .c = c, .pos = data, .end = data + len };

	make_machine(&m);
	for (unsigned i = 0; i < CASE_WORDS; i++)
		make_word(&m, c->words[i], sizeof(c->words[i]));
	put(&c->options, "%s", PICK(&m, options));
	for (unsigned i = 0; i < CASE_TARGETS; i++)
		make_target(&m, i);
}

void case_config(const struct random_case *c, const unsigned order[CASE_TARGETS], struct text *ret)
{
	ret->n = 0;
	put(ret, "%s", c->options.s);
	for (unsigned i = 0; i < CASE_TARGETS; i++)
		put(ret, "%s", c->targets[order[i]].s);
}

void case_tell(const struct random_case *c, struct text *ret)
{
	static const unsigned order[CASE_TARGETS] = { 0, 1, 2, 3 };
	static struct text config;

	case_config(c, order, &config);
	put(ret, "%s--- configuration\n%s--- command line\n%s %s %s\n", c->listing.s, config.s,
		c->words[0], c->words[1], c->words[2]);
}

void case_clear(struct random_case *c)
{
	machine_free(&c->machine);
	c->listing.n = c->options.n = 0;
	for (unsigned i = 0; i < CASE_TARGETS; i++)
		c->targets[i].n = 0;
}
