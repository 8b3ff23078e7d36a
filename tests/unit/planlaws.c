/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random machines, random configurations, and laws that every plan keeps. planlaws [CASES [SEED]]:
 * the same seed, the same case; the first case that breaks a law is printed, one for each law. */
#include "machine.h"
#include "plan.h"

#define TARGETS  4
#define TEXT_LEN 16384

struct text {
	char s[TEXT_LEN];
	size_t n;
};

struct made {
	struct config config;
	struct bootwords words;
	struct plan plan;
};

static unsigned long seed;
static unsigned broken;
static struct text machine_text, targets[TARGETS];
static struct machine machine;

static unsigned pick(unsigned n)
{
	return (unsigned)rand() % n;
}

static _printf_(2, 3) void put(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	t->n += (size_t)vsnprintf(t->s + t->n, TEXT_LEN - t->n, fmt, ap);
	va_end(ap);
	if (t->n >= TEXT_LEN)
		abort();
}

static void make_machine(void)
{
	static const char *const classes[] = { "0300", "0380", "0403", "0c0330", "0c0340", "0108",
		"0200", "0600", "0604", "0604", "1300", "0302" };
	static const char *const drivers[] = { "", "", "", " @pcieport", " @host", " @vfio-pci",
		" @pci-stub", " @mlx5_vfio_pci", " @i915 +builtin" };
	static const char *const flags[] = { "", "", "", "", "", "", " +boot_vga", " +framebuffer",
		" +late", " +variant=mlx5_vfio_pci" };
	static const char *const states[] = { "loadable", "loadable", "loadable", "loaded",
		"builtin", "missing", "blacklisted" };
	unsigned groups = 1 + pick(4), n = 1 + pick(10);

	machine_text.n = 0;
	put(&machine_text, "0000:00:01.0 bridge [0604]: [8086:0001] @pcieport\n");
	for (unsigned i = 0; i < n; i++) {
		if (i == 0 || pick(3) == 0)
			put(&machine_text, pick(20) ? "IOMMU Group %u:\n" : "No IOMMU group:\n",
				pick(groups));
		put(&machine_text, "0000:0%u:0%u.%u x [%s]: [10de:%04x]%s%s%s\n", i & 1, 2 + i / 4,
			i / 2 % 2, classes[pick(ARRAY_SIZE(classes))], 0x1000 + (pick(5) ? i : 0),
			i & 1 ? " ^0000:00:01.0" : "", drivers[pick(ARRAY_SIZE(drivers))],
			flags[pick(ARRAY_SIZE(flags))]);
	}
	if (pick(8) == 0)
		put(&machine_text, "group %u: %s\n", pick(groups),
			(const char *[]){ "noiommu", "direct", "foreign PNP0103:00" }[pick(3)]);
	put(&machine_text, "module vfio-pci: %s\n", states[pick(ARRAY_SIZE(states))]);
}

static void make_targets(void)
{
	static const char *const isolations[] = { "strict", "strict", "whole-group", "whole-group",
		"none" };
	static const char *const words[] = { "boot-display", "storage", "last-usb", "network",
		"reserved-region", "usb", "display" };

	for (unsigned i = 0; i < TARGETS; i++) {
		struct text *t = &targets[i];
		bool all = pick(3) == 0;

		t->n = 0;
		put(t, "[t%u]\nisolation = %s\n", i, isolations[pick(ARRAY_SIZE(isolations))]);
		for (unsigned j = 0, n = 1 + pick(2); j < n; j++) {
			const struct pci_device *d =
				&machine.snapshot
					 .devices[pick((unsigned)machine.snapshot.n_devices)];

			switch (pick(6)) {
			case 0:
				put(t, "device = %s\n", PCI_ID(d->id));
				break;
			case 1:
				put(t, "device = %s %s\n", PCI_PATH(&d->path), PCI_ID(d->id));
				break;
			default:
				put(t, "device = %s %s\n", PCI_ADDR(d->addr), PCI_ID(d->id));
			}
		}
		for (unsigned j = 0; j < ARRAY_SIZE(words); j++)
			if (all || pick(3) == 0)
				put(t, "allow = %s\n", words[j]);
		if (pick(6) == 0)
			put(t, "profile = p%u\n", pick(2));
		if (pick(4) == 0)
			put(t, "match = all\n");
		if (pick(6) == 0)
			put(t, "driver = vfio-pci\n");
	}
}

static void make(struct made *m, const unsigned order[TARGETS], const char *cmdline)
{
	struct text text = { 0 };

	*m = (struct made){ 0 };
	for (unsigned i = 0; i < TARGETS; i++)
		put(&text, "%s", targets[order[i]].s);
	if (config_parse(&m->config, "fuzz", text.s, text.n) < 0 || config_finish(&m->config) < 0 ||
		bootwords_parse(cmdline, &m->words) < 0)
		abort();
	/* The same line twice, and the like: nothing to plan. */
	if (m->config.errors.n == 0 &&
		plan_make(&m->config, &m->words, &machine.snapshot, &machine.module, &m->plan) < 0)
		abort();
}

static void made_free(struct made *m)
{
	plan_free(&m->plan);
	bootwords_free(&m->words);
	config_free(&m->config);
}

static void law(bool kept, const char *what, const char *cmdline)
{
	static const char *told[32];
	size_t i = 0;

	if (kept)
		return;
	broken++;
	for (; i < ARRAY_SIZE(told) && told[i]; i++)
		if (streq(told[i], what))
			return;
	if (i < ARRAY_SIZE(told))
		told[i] = what;
	printf("--- seed %lu: %s (cmdline '%s')\n%s", seed, what, cmdline, machine_text.s);
	for (i = 0; i < TARGETS; i++)
		printf("%s", targets[i].s);
}

static const struct plan_target *by_name(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->n_targets; i++)
		if (streq(p->targets[i].target->name, name))
			return &p->targets[i];
	return NULL;
}

/* What is named alone, for plan_wants() to ask. */
static bool names(const struct target *t, const struct pci_device *d)
{
	return plan_wants(&(struct config){ .targets = (struct target *)t, .n_targets = 1 }, d);
}

static bool steps_touch(const struct plan *p, size_t device)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == STEP_OVERRIDE && p->steps[i].device == device)
			return true;
	return false;
}

static bool harmless(const struct pci_device *d)
{
	bool support =
		d->is_bridge || CLASS_SUB(d->class) == 0x0600 || CLASS_SUB(d->class) == 0x1300;
	const char *driver = d->driver ?: "";

	return d->appears_late || (support && !*driver) ||
		(d->is_bridge && streq(driver, "pcieport")) || streq(driver, "pci-stub") ||
		strstr(driver, "vfio");
}

static void check_target(const struct made *m, size_t at, const char *cmdline)
{
	const struct plan_target *t = &m->plan.targets[at];
	const struct snapshot *s = &machine.snapshot;

	for (size_t j = 0; j < t->n_devices; j++) {
		const struct pci_device *d = &s->devices[t->devices[j].device];
		const struct iommu_group *g = snapshot_group(s, d->group);

		law(!d->is_bridge && !d->behind_vmd && !d->appears_late, "binds what none may",
			cmdline);
		law(g && !g->noiommu && !g->unreadable, "binds without an IOMMU", cmdline);
		law(steps_touch(&m->plan, t->devices[j].device), "part of a target", cmdline);
		if (t->target->isolation == ISOLATION_NONE)
			continue;
		law(!g || !g->foreign_member, "foreign member beside a bound device", cmdline);
		for (size_t k = 0; k < s->n_devices; k++)
			law(s->devices[k].group != d->group || steps_touch(&m->plan, k) ||
					harmless(&s->devices[k]),
				"not isolated", cmdline);
	}
}

static void check_plan(const struct made *m, const char *cmdline)
{
	const struct snapshot *s = &machine.snapshot;

	for (size_t i = 0; i < m->plan.n_targets; i++) {
		const struct plan_target *t = &m->plan.targets[i];

		if (t->verdict == VERDICT_BIND)
			check_target(m, i, cmdline);
		for (size_t k = 0; k < s->n_devices && t->verdict != VERDICT_BIND; k++)
			if (t->verdict != VERDICT_INACTIVE && names(t->target, &s->devices[k]))
				law(!steps_touch(&m->plan, k), "binds what a fallen target names",
					cmdline);
	}
	for (size_t i = 0; i < m->plan.n_steps; i++)
		for (size_t j = 0; j < i; j++)
			law(m->plan.steps[i].kind != STEP_OVERRIDE ||
					m->plan.steps[j].kind != STEP_OVERRIDE ||
					m->plan.steps[i].device != m->plan.steps[j].device,
				"a device twice", cmdline);
	law(!m->words.bypass || m->plan.n_steps == 0, "a bypass that binds", cmdline);
}

static bool has_finding(const struct plan *p, const char *id)
{
	for (size_t i = 0; i < p->findings.n; i++)
		if (streq(p->findings.items[i].id, id))
			return true;
	return false;
}

/* Same input, any order of targets: same verdicts, same devices. */
static void compare(
	const struct made *a, const struct made *b, const char *what, const char *cmdline)
{
	for (size_t i = 0; i < a->plan.n_targets; i++)
		law(a->plan.targets[i].verdict ==
				by_name(&b->plan, a->plan.targets[i].target->name)->verdict,
			what, cmdline);
	for (size_t k = 0; k < machine.snapshot.n_devices; k++)
		law(steps_touch(&a->plan, k) == steps_touch(&b->plan, k), what, cmdline);
}

static void one_case(void)
{
	static const unsigned order[TARGETS] = { 0, 1, 2, 3 }, back[TARGETS] = { 3, 2, 1, 0 },
			      turned[TARGETS] = { 2, 0, 3, 1 };
	static const char *const cmdlines[] = { "", "rd.vfio-early.profile=p0", "single",
		"rd.vfio-early.skip=t1", "rd.vfio-early.skip=nothing", "root=/dev/nfs" };
	struct made first, m;

	if (machine_parse(machine_text.s, &machine) < 0) {
		printf("seed %lu: %s\n", seed, machine.error);
		exit(1);
	}
	make_targets();
	make(&first, order, "");
	for (unsigned i = 0; i < ARRAY_SIZE(cmdlines); i++) {
		struct made again, other;
		const char *c = cmdlines[i];

		make(&m, order, c);
		check_plan(&m, c);
		make(&again, order, c);
		compare(&m, &again, "not the same twice", c);
		law(m.plan.findings.n == again.plan.findings.n, "not the same twice", c);
		made_free(&again);
		make(&other, back, c);
		compare(&m, &other, "the order of targets decides", c);
		made_free(&other);
		make(&other, turned, c);
		compare(&m, &other, "the order of targets decides", c);
		made_free(&other);
		/* What falls as the last, or because another wants it, may stand without that
		 * other. */
		for (size_t k = 0; k < machine.snapshot.n_devices && m.words.n_skip; k++)
			law(!steps_touch(&m.plan, k) || steps_touch(&first.plan, k) ||
					has_finding(&first.plan, "guard-last-usb") ||
					has_finding(&first.plan, "guard-boot-display") ||
					has_finding(&first.plan, "overlap"),
				"a skip binds more", c);
		made_free(&m);
	}
	made_free(&first);
	machine_free(&machine);
}

int main(int argc, char **argv)
{
	unsigned long cases = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000;
	unsigned long first = argc > 2 ? strtoul(argv[2], NULL, 10) : 1, failed = 0;

	for (seed = first; seed < first + cases; seed++) {
		unsigned before = broken;

		srand((unsigned)seed);
		make_machine();
		one_case();
		failed += broken != before;
	}
	printf("%lu passed, %lu failed, 0 skipped\n", cases - failed, failed);
	return failed != 0;
}
