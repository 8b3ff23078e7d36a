/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>

#include "machine.h"

/* Behind a VMD, domains start at 0x10000; listings made with lspci show 0x1000 (it cuts them). */
#define VMD_DOMAIN 0x1000

struct parser {
	struct machine *m;
	struct machine_device *up; /* parallel to the snapshot's, in the order of the listing */
	size_t n_up;
	struct pci_addr *above; /* "^ADDRESS", with the domain UINT32_MAX: none */
	size_t n_above;
	int group;
	bool no_iommu;
};

static int fail(struct parser *p, const char *why)
{
	p->m->error = why;
	return -EINVAL;
}

static int set_string(char **place, const char *value)
{
	free(*place);
	*place = strdup(value);
	return *place ? 0 : -ENOMEM;
}

/* The last "[vvvv:dddd]" in @s, and what stands behind it. */
static char *find_id(char *s, struct pci_id *ret)
{
	char *behind = NULL;

	for (char *c = strchr(s, '['); c; c = strchr(c + 1, '[')) {
		char id[PCI_ID_LEN];

		if (strnlen(c, PCI_ID_LEN + 1) < PCI_ID_LEN + 1 || c[PCI_ID_LEN] != ']')
			continue;
		memcpy(id, c + 1, PCI_ID_LEN - 1);
		id[PCI_ID_LEN - 1] = '\0';
		if (pci_id_parse(id, ret) == 0)
			behind = c + PCI_ID_LEN + 1;
	}
	return behind;
}

/* "[0300]:" or "[030000]:", with the programming interface. */
static bool find_class(const char *s, uint32_t *ret)
{
	for (const char *c = strchr(s, '['); c; c = strchr(c + 1, '[')) {
		char *end;
		unsigned long v = strtoul(c + 1, &end, 16);
		long digits = end - c - 1;

		if ((digits == 4 || digits == 6) && end[0] == ']' && end[1] == ':') {
			*ret = (uint32_t)(digits == 4 ? v << 8 : v);
			return true;
		}
	}
	return false;
}

static int attribute(struct parser *p, size_t i, const char *word)
{
	struct pci_device *d = &p->m->snapshot.devices[i];
	struct machine_device *up = &p->up[i];
	const char *value;

	if (streq(word, "@-")) {
		free(d->driver);
		d->driver = NULL;
		d->driver_builtin = false;
		return 0;
	}
	if (word[0] == '@') {
		d->driver_builtin = streq(word, "@pcieport");
		return set_string(&d->driver, word + 1);
	}
	if (word[0] == '^')
		return pci_addr_parse(word + 1, &p->above[i], NULL) < 0 ? fail(p, "bad ^ADDRESS")
									: 0;
	if (streq(word, "+boot_vga") || streq(word, "boot_vga")) {
		d->boot_vga = true;
	} else if (streq(word, "+framebuffer")) {
		d->boot_framebuffer = true;
	} else if (streq(word, "+builtin")) {
		d->driver_builtin = true;
	} else if (streq(word, "+late")) {
		d->appears_late = true;
	} else if (streq(word, "+removable")) {
		d->appears_late = up->removable = true;
	} else if (streq(word, "+vf")) {
		d->appears_late = up->vf = true;
	} else if ((value = skip_prefix(word, "+vf="))) {
		d->appears_late = up->vf = up->has_physfn = true;
		if (pci_addr_parse(value, &up->physfn, NULL) < 0)
			return fail(p, "bad +vf=ADDRESS");
	} else if ((value = skip_prefix(word, "+variant="))) {
		return set_string(&d->variant, value);
	} else if ((value = skip_prefix(word, "+wants="))) {
		return set_string(&up->wants, value);
	} else if ((value = skip_prefix(word, "+ssid="))) {
		if (pci_id_parse(value, &d->subsystem) < 0)
			return fail(p, "bad +ssid=");
	} else {
		return fail(p, "unknown attribute");
	}
	return 0;
}

static int attributes(struct parser *p, size_t i, char *s)
{
	char *word;
	int r;

	while ((word = strsep(&s, " \t"))) {
		if (!*word)
			continue;
		/* "(rev a1)", "(prog-if 30 [XHCI])" */
		if (*word == '(') {
			while (word && !strchr(word, ')'))
				word = strsep(&s, " \t");
			continue;
		}
		r = attribute(p, i, word);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_device(struct parser *p, char *s)
{
	struct snapshot *snap = &p->m->snapshot;
	struct machine_device *up;
	struct pci_addr *above;
	struct pci_device *d;
	char *address, *rest;

	d = array_add(&snap->devices, &snap->n_devices, sizeof(*d));
	up = array_add(&p->up, &p->n_up, sizeof(*up));
	above = array_add(&p->above, &p->n_above, sizeof(*above));
	if (!d || !up || !above)
		return -ENOMEM;
	above->domain = UINT32_MAX;
	up->parent = -1;
	d->group = p->group;
	address = strsep(&s, " \t");
	if (!s || pci_addr_parse(address, &d->addr, NULL) < 0)
		return fail(p, "expected an address");
	if (!find_class(s, &d->class))
		return fail(p, "expected a class, [0300]:");
	rest = find_id(s, &d->id);
	if (!rest)
		return fail(p, "expected an ID, [10de:2684]");
	d->is_bridge = CLASS_SUB(d->class) == 0x0604;
	return attributes(p, snap->n_devices - 1, rest);
}

static long find_unsorted(const struct parser *p, struct pci_addr addr)
{
	for (size_t i = 0; i < p->m->snapshot.n_devices; i++)
		if (pci_addr_cmp(p->m->snapshot.devices[i].addr, addr) == 0)
			return (long)i;
	return -1;
}

static int parse_more(struct parser *p, char *s)
{
	struct pci_addr addr;
	char *address = strsep(&s, " \t");
	size_t len = strlen(address);
	long i;

	if (len && address[len - 1] == ':')
		address[len - 1] = '\0';
	if (!s || pci_addr_parse(address, &addr, NULL) < 0 || (i = find_unsorted(p, addr)) < 0)
		return fail(
			p, "expected 'device ADDRESS: ATTRIBUTES', of a device that stands above");
	return attributes(p, (size_t)i, s);
}

static int parse_remove(struct parser *p, const char *s)
{
	struct snapshot *snap = &p->m->snapshot;
	struct pci_addr addr;
	size_t i, behind;
	long found;

	if (pci_addr_parse(s, &addr, NULL) < 0 || (found = find_unsorted(p, addr)) < 0)
		return fail(p, "expected 'remove ADDRESS', of a device that stands above");
	i = (size_t)found;
	behind = --snap->n_devices - i;
	free(snap->devices[i].driver);
	free(snap->devices[i].name);
	free(snap->devices[i].variant);
	free(p->up[i].wants);
	memmove(&snap->devices[i], &snap->devices[i + 1], behind * sizeof(*snap->devices));
	memmove(&p->up[i], &p->up[i + 1], behind * sizeof(*p->up));
	memmove(&p->above[i], &p->above[i + 1], behind * sizeof(*p->above));
	p->n_up--;
	p->n_above--;
	return 0;
}

static struct iommu_group *get_group(struct machine *m, int number)
{
	struct iommu_group *g = snapshot_group(&m->snapshot, number);

	if (g)
		return g;
	g = array_add(&m->snapshot.groups, &m->snapshot.n_groups, sizeof(*g));
	if (g)
		g->number = number;
	return g;
}

static int parse_group(struct parser *p, const char *s)
{
	struct iommu_group *g;
	const char *value;
	char *end;
	long number = strtol(s, &end, 10);

	if (end == s || end[0] != ':' || end[1] != ' ')
		return fail(p, "expected 'group N: WHAT'");
	g = get_group(p->m, (int)number);
	if (!g)
		return -ENOMEM;
	s = end + 2;
	if (streq(s, "noiommu"))
		g->noiommu = true;
	else if (streq(s, "direct"))
		g->direct_region = true;
	else if ((value = skip_prefix(s, "foreign ")))
		return set_string(&g->foreign_member, value);
	else
		return fail(p, "expected noiommu, direct or foreign NAME");
	return 0;
}

static int parse_module(struct parser *p, const char *s)
{
	static const struct {
		const char *word;
		enum module_state state;
	} states[] = {
		{ "loadable", MODULE_LOADABLE },
		{ "loaded", MODULE_LOADED },
		{ "builtin", MODULE_BUILTIN },
		{ "missing", MODULE_MISSING },
		{ "blacklisted", MODULE_BLACKLISTED },
	};
	const char *state = strchr(s, ' ');

	for (size_t i = 0; state && i < ARRAY_SIZE(states); i++) {
		if (!streq(state + 1, states[i].word))
			continue;
		if (skip_prefix(s, "vfio-pci: "))
			p->m->module.state = states[i].state;
		else if (skip_prefix(s, "vfio_iommu_type1: "))
			p->m->module.type1 = states[i].state != MODULE_MISSING;
		else
			break;
		return 0;
	}
	return fail(p, "expected 'module vfio-pci: STATE' or 'module vfio_iommu_type1: STATE'");
}

/* What mksys makes of it, it judges itself. */
static bool tells_of_host(const char *s)
{
	static const char *const words[] = { "disk", "part", "layer", "loop", "nvme", "btrfs",
		"zfs", "mount", "swap", "net", "route", "route6", "keyboard", "buttons" };
	size_t len = strcspn(s, " ");

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == len && strncmp(s, words[i], len) == 0)
			return true;
	return false;
}

static int keep_line(struct parser *p, const char *s)
{
	char **place = array_add(&p->m->host, &p->m->n_host, sizeof(*place));

	return place ? set_string(place, s) : -ENOMEM;
}

static int parse_line(struct parser *p, char *s)
{
	char *value;

	if (!*s || *s == '#')
		return 0;
	if ((value = skip_prefix(s, "IOMMU Group "))) {
		p->group = isdigit((unsigned char)*value) ? atoi(value) : NO_GROUP;
		return p->group != NO_GROUP && !get_group(p->m, p->group) ? -ENOMEM : 0;
	}
	if (streq(s, "No IOMMU group:")) {
		p->group = NO_GROUP;
		return 0;
	}
	if (streq(s, "iommu: none"))
		p->no_iommu = true;
	else if (streq(s, "tables: dmar"))
		p->m->snapshot.has_dmar = true;
	else if (streq(s, "tables: ivrs"))
		p->m->snapshot.has_ivrs = true;
	else if (streq(s, "tables: viot"))
		p->m->snapshot.has_viot = true;
	else if ((value = skip_prefix(s, "group ")))
		return parse_group(p, value);
	else if ((value = skip_prefix(s, "module ")))
		return parse_module(p, value);
	else if ((value = skip_prefix(s, "module-ids: ")))
		return set_string(&p->m->module.dropped_ids, value);
	else if ((value = skip_prefix(s, "module-unapplied: ")))
		return set_string(&p->m->module.unapplied, value);
	else if ((value = skip_prefix(s, "device ")))
		return parse_more(p, value);
	else if ((value = skip_prefix(s, "remove ")))
		return parse_remove(p, value);
	else if (tells_of_host(s))
		return keep_line(p, s);
	else
		return parse_device(p, s);
	return 0;
}

static int by_bus(const void *a, const void *b)
{
	const struct pci_device *x = *(struct pci_device *const *)a,
				*y = *(struct pci_device *const *)b;

	return pci_addr_cmp(x->addr, y->addr);
}

/* In order of address, the parallel arrays with it. */
static int sort(struct parser *p)
{
	struct snapshot *snap = &p->m->snapshot;
	size_t n = snap->n_devices;
	_cleanup_free_ struct pci_device **order = calloc(n + 1, sizeof(*order));
	_cleanup_free_ struct pci_addr *above = calloc(n + 1, sizeof(*above));

	p->m->more = calloc(n + 1, sizeof(*p->m->more));
	if (!order || !above || !p->m->more)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		order[i] = &snap->devices[i];
	qsort(order, n, sizeof(*order), by_bus);
	for (size_t i = 0; i < n; i++) {
		p->m->more[i] = p->up[order[i] - snap->devices];
		above[i] = p->above[order[i] - snap->devices];
	}
	snapshot_sort(snap);
	if (n)
		memcpy(p->above, above, n * sizeof(*above));
	for (size_t i = 1; i < n; i++)
		if (pci_addr_cmp(snap->devices[i - 1].addr, snap->devices[i].addr) == 0)
			return fail(p, "the same address twice");
	return 0;
}

/* All devices on a bus share the bridge above. */
static int find_parents(struct parser *p)
{
	struct snapshot *snap = &p->m->snapshot;

	for (size_t i = 0, j; i < snap->n_devices; i = j) {
		const struct pci_addr bus = snap->devices[i].addr;
		struct pci_device *bridge = NULL;

		for (j = i; j < snap->n_devices; j++) {
			if (snap->devices[j].addr.domain != bus.domain ||
				snap->devices[j].addr.bus != bus.bus)
				break;
			if (p->above[j].domain == UINT32_MAX || bridge)
				continue;
			bridge = snapshot_find(snap, p->above[j]);
			if (!bridge)
				return fail(p, "no such device: the bridge above");
			bridge->is_bridge = true;
		}
		for (size_t k = i; k < j && bridge; k++)
			p->m->more[k].parent = bridge - snap->devices;
	}
	return 0;
}

static long find_vmd(const struct snapshot *s)
{
	for (size_t i = 0; i < s->n_devices; i++)
		if (s->devices[i].driver && streq(s->devices[i].driver, "vmd"))
			return (long)i;
	return -1;
}

/* The path: up to the root bus, then written from there. */
static void set_path(struct machine *m, size_t i)
{
	struct pci_device *d = &m->snapshot.devices[i];
	size_t chain[PCI_PATH_HOPS], n = 0, at = i;

	while (n < PCI_PATH_HOPS) {
		chain[n++] = at;
		if (m->more[at].parent < 0)
			break;
		at = (size_t)m->more[at].parent;
	}
	if (m->more[at].parent >= 0)
		return;
	d->path.domain = m->snapshot.devices[at].addr.domain;
	d->path.bus = m->snapshot.devices[at].addr.bus;
	for (size_t k = n; k-- > 0; d->path.n_hops++) {
		d->path.hop[d->path.n_hops].dev = m->snapshot.devices[chain[k]].addr.dev;
		d->path.hop[d->path.n_hops].fn = m->snapshot.devices[chain[k]].addr.fn;
	}
	d->on_root_bus = n == 1;
}

static int finish(struct parser *p)
{
	struct machine *m = p->m;
	struct snapshot *s = &m->snapshot;
	long vmd;
	int r;

	r = sort(p);
	if (r == 0)
		r = find_parents(p);
	if (r < 0)
		return r;
	for (size_t i = 0; i < s->n_devices; i++) {
		const struct iommu_group *g = snapshot_group(s, s->devices[i].group);

		set_path(m, i);
		if (p->no_iommu && !(g && g->noiommu))
			s->devices[i].group = NO_GROUP;
		s->iommu_active |= s->devices[i].group != NO_GROUP;
	}
	s->iommu_active &= !p->no_iommu;
	/* The path ends at the VMD's own root bus, the tree in /sys does not. */
	vmd = find_vmd(s);
	for (size_t i = 0; i < s->n_devices && vmd >= 0; i++) {
		if (s->devices[i].addr.domain < VMD_DOMAIN)
			continue;
		s->devices[i].behind_vmd = true;
		if (m->more[i].parent < 0)
			m->more[i].parent = vmd;
	}
	return 0;
}

int machine_parse(const char *text, struct machine *m)
{
	_cleanup_free_ char *copy = strdup(text);
	struct parser p = { .m = m, .group = NO_GROUP };
	char *rest = copy, *line;
	int r = 0;

	*m = (struct machine){ .module = { .state = MODULE_LOADABLE, .type1 = true } };
	m->module.where = strdup("/lib/modules/6.12.0");
	if (!copy || !m->module.where)
		r = -ENOMEM;
	while (r == 0 && (line = strsep(&rest, "\n"))) {
		size_t len;

		m->line++;
		while (isspace((unsigned char)*line))
			line++;
		for (len = strlen(line); len && isspace((unsigned char)line[len - 1]); len--)
			line[len - 1] = '\0';
		r = parse_line(&p, line);
	}
	if (r == 0)
		r = finish(&p);
	free(p.up);
	free(p.above);
	return r;
}

void machine_free(struct machine *m)
{
	for (size_t i = 0; m->more && i < m->snapshot.n_devices; i++)
		free(m->more[i].wants);
	snapshot_free(&m->snapshot);
	module_facts_free(&m->module);
	for (size_t i = 0; i < m->n_host; i++)
		free(m->host[i]);
	free(m->host);
	free(m->more);
	*m = (struct machine){ 0 };
}
