/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan.h"
#include "planlaws.h"
#include "randomcase.h"

struct made {
	const struct config *config;
	struct bootwords words;
	struct plan plan;
};

/* Too large for a stack, and made over and over. */
static struct random_case the_case;
static const unsigned in_order[CASE_TARGETS] = { 0, 1, 2, 3 };
static const struct snapshot *const snapshot = &the_case.machine.snapshot;
static const char *cmdline;

static void plan_law(bool kept, const char *what)
{
	static struct text told;

	if (kept)
		return;
	told.n = 0;
	case_tell(&the_case, &told);
	law(false, what, "with '%s'\n%s", cmdline, told.s);
}

/* Whether there is something to plan: not where the same line stands twice. */
static bool read_config(struct config *c, const unsigned order[CASE_TARGETS])
{
	static struct text text;

	*c = (struct config){ 0 };
	case_config(&the_case, order, &text);
	if (config_parse(c, "case", text.s, text.n) < 0 || config_finish(c) < 0)
		abort();
	return c->errors.n == 0;
}

static void make(struct made *m, const struct config *c, const char *words)
{
	*m = (struct made){ .config = c };
	cmdline = words;
	if (bootwords_parse(words, &m->words) < 0 ||
		plan_make(c, &m->words, snapshot, &the_case.machine.module, &m->plan) < 0)
		abort();
}

static void made_free(struct made *m)
{
	plan_free(&m->plan);
	bootwords_free(&m->words);
}

/* --- what is told of a plan, without the plan's own words for it --- */

static bool touches(const struct plan *p, size_t device)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == STEP_OVERRIDE && p->steps[i].device == device)
			return true;
	return false;
}

static size_t count_steps(const struct plan *p, enum step_kind kind, size_t device)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_steps; i++)
		n += p->steps[i].kind == kind && p->steps[i].device == device;
	return n;
}

/* What the target's lines mean, bound or not. */
static bool names(const struct target *t, const struct pci_device *d)
{
	return plan_wants(&(struct config){ .targets = (struct target *)t, .n_targets = 1 }, d);
}

static bool selector_names(const struct selector *s, const struct pci_device *d)
{
	return names(&(struct target){ .selectors = (struct selector *)s, .n_selectors = 1 }, d);
}

/* The line's place, and the ID that it expects there. */
static bool selector_means(const struct selector *s, const struct pci_device *d)
{
	struct pci_addr first = { d->addr.domain, d->addr.bus, d->addr.dev, 0 };
	const struct pci_device *expected = s->all_functions ? snapshot_find(snapshot, first) : d;

	return selector_names(s, d) &&
		(!s->has_id ||
			(expected && !expected->appears_late && pci_id_equal(expected->id, s->id)));
}

static bool means(const struct target *t, const struct pci_device *d)
{
	for (size_t i = 0; i < t->n_selectors; i++)
		if (selector_means(&t->selectors[i], d))
			return true;
	return false;
}

static bool manages_dma(const char *driver)
{
	return streq(driver, "vfio-pci") || streq(driver, "mlx5_vfio_pci") ||
		streq(driver, "pci-stub");
}

static bool is_support(const struct pci_device *d)
{
	return d->is_bridge || d->class >> 8 == 0x0600 || d->class >> 8 == 0x1300;
}

/* What may stay with the host in a bound group. */
static bool harmless(const struct pci_device *d)
{
	return d->appears_late || (is_support(d) && !d->driver) ||
		(d->is_bridge && d->driver && streq(d->driver, "pcieport")) ||
		(d->driver && manages_dma(d->driver));
}

static bool is_display(const struct pci_device *d)
{
	return d->class >> 8 == 0x0300 || d->class >> 8 == 0x0380;
}

static bool is_usb_host(const struct pci_device *d)
{
	return d->class >> 8 == 0x0c03 && (d->class & 0xff) != 0x40 && (d->class & 0xff) != 0xfe;
}

/* What the host has then: no driver of VFIO's holds it, and the plan does not take it. */
static bool host_keeps_one(const struct plan *p, bool (*kind)(const struct pci_device *))
{
	for (size_t i = 0; i < snapshot->n_devices; i++) {
		const struct pci_device *d = &snapshot->devices[i];

		if (kind(d) && !d->appears_late && !(d->driver && manages_dma(d->driver)) &&
			!touches(p, i))
			return true;
	}
	return false;
}

/* The device whose framebuffer the firmware uses, else the one that it routed VGA to. */
static bool is_boot_display(const struct pci_device *d)
{
	bool known = false;

	for (size_t i = 0; i < snapshot->n_devices; i++)
		known |= snapshot->devices[i].boot_framebuffer && is_display(&snapshot->devices[i]);
	return d->boot_framebuffer || (d->boot_vga && d->class >> 16 == 0x03 && !known);
}

static bool has_finding(const struct plan *p, const char *id)
{
	for (size_t i = 0; i < p->findings.n; i++)
		if (streq(p->findings.items[i].id, id))
			return true;
	return false;
}

/* --- a bound device --- */

static void check_consents(
	const struct made *m, const struct plan_target *t, const struct plan_device *pd)
{
	const struct pci_device *d = &snapshot->devices[pd->device];
	const struct iommu_group *g = snapshot_group(snapshot, d->group);
	unsigned allow = t->target->allow, base = d->class >> 16;

	plan_law(base != 0x01 || allow & ALLOW_STORAGE, "storage without consent");
	plan_law(base != 0x02 || !m->words.network_root || allow & ALLOW_NET_ROOT,
		"a network card without consent, while the root comes over the network");
	plan_law(!is_boot_display(d) || allow & ALLOW_BOOT_DISPLAY,
		"the boot display without consent");
	plan_law(!g || !g->direct_region || allow & ALLOW_RESERVED_REGION,
		"a reserved region without consent");
	plan_law(!is_display(d) || host_keeps_one(&m->plan, is_display) ||
			allow & ALLOW_BOOT_DISPLAY,
		"the last display without consent");
	plan_law(!is_usb_host(d) || host_keeps_one(&m->plan, is_usb_host) || allow & ALLOW_LAST_USB,
		"the last USB host controller without consent");
	if (names(t->target, d))
		return;
	plan_law(base != 0x02 || allow & ALLOW_NETWORK, "pulls in a network card without consent");
	plan_law(base != 0x03 || allow & ALLOW_DISPLAY, "pulls in a display without consent");
	plan_law(!is_usb_host(d) || allow & ALLOW_USB, "pulls in USB without consent");
}

static void check_group(const struct made *m, const struct target *t, const struct pci_device *d)
{
	const struct iommu_group *g = snapshot_group(snapshot, d->group);

	plan_law(g && !g->noiommu && !g->unreadable, "binds without an IOMMU");
	if (t->isolation == ISOLATION_NONE || !g)
		return;
	plan_law(!g->foreign_member, "a foreign member beside a bound device");
	for (size_t i = 0; i < snapshot->n_devices; i++)
		plan_law(snapshot->devices[i].group != d->group || touches(&m->plan, i) ||
				harmless(&snapshot->devices[i]),
			"an endpoint of the host's in a bound group");
}

static void check_pulled_in(
	const struct made *m, const struct target *t, const struct pci_device *d)
{
	plan_law(t->isolation == ISOLATION_WHOLE_GROUP, "pulls in without whole-group");
	plan_law(!is_support(d), "pulls in a bridge or a dummy function");
	for (size_t i = 0; i < m->plan.n_targets; i++)
		plan_law(m->plan.targets[i].verdict == VERDICT_INACTIVE ||
				!names(m->plan.targets[i].target, d),
			"pulls in what a target of this boot names");
}

/* The steps of one bound device: its override, its variant's name, and that it settles. */
static void check_steps_of(const struct made *m, const struct target *t, size_t device)
{
	const struct pci_device *d = &snapshot->devices[device];
	bool variant = d->variant && t->driver != DRIVER_VFIO_PCI;
	enum module_state state = the_case.machine.module.state;

	plan_law(count_steps(&m->plan, STEP_OVERRIDE, device) == 1, "not one override a device");
	plan_law(count_steps(&m->plan, STEP_SETTLE, device) == 1, "not one settling a device");
	plan_law(count_steps(&m->plan, STEP_NAME, device) == variant,
		"not one name for a variant's device");
	plan_law(variant || (state != MODULE_MISSING && state != MODULE_BLACKLISTED),
		"binds without a module");
}

static void check_bound_device(
	const struct made *m, const struct plan_target *t, const struct plan_device *pd)
{
	const struct pci_device *d = &snapshot->devices[pd->device];

	plan_law(!d->is_bridge, "binds a bridge");
	plan_law(
		!d->behind_vmd && !d->appears_late, "binds what is not there yet, or behind a VMD");
	plan_law(pd->pulled_in == !names(t->target, d), "takes a device for pulled in, or named");
	if (!names(t->target, d))
		check_pulled_in(m, t->target, d);
	check_group(m, t->target, d);
	check_consents(m, t, pd);
	check_steps_of(m, t->target, pd->device);
}

/* --- a target --- */

/* What the line means is all bound, and is what was expected there. */
static void check_selector(const struct made *m, const struct target *t, const struct selector *s)
{
	const struct pci_device *d;
	size_t n = 0;

	for (size_t i = 0; i < snapshot->n_devices; i++) {
		d = &snapshot->devices[i];
		if (!selector_names(s, d) || d->appears_late)
			continue;
		n++;
		plan_law(touches(&m->plan, i), "a part of a target");
		plan_law(!s->has_id || s->all_functions || pci_id_equal(s->id, d->id),
			"binds another device than expected");
		plan_law(!s->has_id || d->addr.fn || pci_id_equal(s->id, d->id),
			"function 0 is another one than expected");
	}
	plan_law(n > 0, "bound without the device of a line");
	plan_law(n == 1 || s->all_functions || (s->kind == SELECT_ID && t->match == MATCH_ALL),
		"an ID that means several devices");
}

/* An address with its ID proves nothing where a twin of a disk may come to stand there. */
static void check_twins(const struct target *t, const struct selector *s)
{
	const struct pci_device *d =
		s->kind == SELECT_ADDRESS ? snapshot_find(snapshot, s->addr) : NULL;

	if (!d || d->on_root_bus || d->class >> 16 != 0x01)
		return;
	for (size_t i = 0; i < snapshot->n_devices; i++) {
		const struct pci_device *twin = &snapshot->devices[i];

		plan_law(!pci_id_equal(twin->id, d->id) || twin->appears_late || names(t, twin) ||
				pci_addr_siblings(twin->addr, d->addr),
			"a disk by an address that proves nothing");
	}
}

/* A skip names the target, or a device of it. */
static void check_skip(const struct target *t, const char *word)
{
	struct selector s;

	plan_law(!streq(word, t->name), "binds a target that is skipped by its name");
	if (selector_parse(word, &s) < 0)
		return;
	for (size_t i = 0; i < snapshot->n_devices; i++)
		plan_law(!selector_names(&s, &snapshot->devices[i]) ||
				!names(t, &snapshot->devices[i]),
			"binds a target of which a device is skipped");
	selector_free(&s);
}

static void check_bound(const struct made *m, const struct plan_target *t)
{
	for (size_t i = 0; i < m->words.n_skip; i++)
		check_skip(t->target, m->words.skip[i]);
	for (size_t i = 0; i < t->n_devices; i++)
		check_bound_device(m, t, &t->devices[i]);
	for (size_t i = 0; i < t->target->n_selectors; i++) {
		check_selector(m, t->target, &t->target->selectors[i]);
		check_twins(t->target, &t->target->selectors[i]);
	}
}

/* Each refusal has its reason, and a reason against binding is no mere word. */
static void check_reasons(const struct made *m, const struct plan_target *t)
{
	bool error = false, note = false;

	for (size_t i = 0; i < m->plan.findings.n; i++) {
		const struct finding *f = &m->plan.findings.items[i];

		if (!f->target || !streq(f->target, t->target->name))
			continue;
		error |= f->severity == SEVERITY_ERROR;
		note |= f->severity == SEVERITY_NOTE;
	}
	plan_law(t->verdict != VERDICT_REFUSED || error, "refused without a reason");
	plan_law(t->verdict != VERDICT_BIND || !error, "bound in spite of an error");
	plan_law(t->verdict != VERDICT_SKIPPED || note || m->words.bypass ||
			has_finding(&m->plan, "skip-unmatched"),
		"skipped without a reason");
}

static void check_target(const struct made *m, const struct plan_target *t)
{
	check_reasons(m, t);
	if (t->verdict == VERDICT_BIND)
		check_bound(m, t);
	for (size_t i = 0; i < snapshot->n_devices; i++)
		plan_law(t->verdict == VERDICT_BIND || t->verdict == VERDICT_INACTIVE ||
				!means(t->target, &snapshot->devices[i]) || !touches(&m->plan, i),
			"binds what a fallen target names");
}

/* --- the plan --- */

/* All overrides stand before the first module is loaded, whatever settles behind it. */
static void check_order(const struct plan *p)
{
	static const unsigned ranks[] = { [STEP_OVERRIDE] = 0,
		[STEP_LOAD] = 1,
		[STEP_NAME] = 1,
		[STEP_SETTLE] = 2,
		[STEP_TYPE1] = 3 };

	for (size_t i = 1; i < p->n_steps; i++)
		plan_law(ranks[p->steps[i].kind] >= ranks[p->steps[i - 1].kind],
			"steps out of order");
	plan_law(p->n_steps == 0 || p->steps[0].kind == STEP_OVERRIDE,
		"loads a module for no device");
	for (size_t i = 0; i < p->n_steps; i++)
		plan_law(p->steps[i].kind != STEP_OVERRIDE ||
				p->targets[p->steps[i].target].verdict == VERDICT_BIND,
			"a step for a target that is not bound");
}

static void check_plan(const struct made *m)
{
	plan_law(m->plan.n_targets == m->config->n_targets, "not a verdict a target");
	for (size_t i = 0; i < m->plan.n_targets; i++)
		check_target(m, &m->plan.targets[i]);
	check_order(&m->plan);
	plan_law(!m->words.bypass || m->plan.n_steps == 0, "a bypass that binds");
	plan_law(!has_finding(&m->plan, "skip-unmatched") || m->plan.n_steps == 0,
		"binds, although a skip matches nothing");
	for (size_t i = 0; i < m->plan.findings.n; i++)
		plan_law(*m->plan.findings.items[i].text, "a finding without a word");
}

/* The line that is offered for a device means that device and no other. */
static void check_lines(void)
{
	for (size_t i = 0; i < snapshot->n_devices; i++) {
		const struct pci_device *d = &snapshot->devices[i];
		_cleanup_free_ char *line = plan_line(snapshot, d, NULL);
		const char *value = line ? skip_prefix(line, "device = ") : NULL;
		struct selector s;

		plan_law(value, "a line that is no line");
		if (!value || selector_parse(value, &s) < 0) {
			plan_law(false, "a line that does not parse");
			continue;
		}
		plan_law(s.has_id && pci_id_equal(s.id, d->id), "a line with another ID");
		for (size_t j = 0; j < snapshot->n_devices; j++)
			plan_law(selector_names(&s, &snapshot->devices[j]) == (i == j),
				"a line that means another device");
		selector_free(&s);
	}
}

/* --- two plans --- */

static const struct plan_target *by_name(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->n_targets; i++)
		if (streq(p->targets[i].target->name, name))
			return &p->targets[i];
	return NULL;
}

static void same_decision(const struct made *a, const struct made *b, const char *what)
{
	for (size_t i = 0; i < a->plan.n_targets; i++)
		plan_law(a->plan.targets[i].verdict ==
				by_name(&b->plan, a->plan.targets[i].target->name)->verdict,
			what);
	for (size_t i = 0; i < snapshot->n_devices; i++)
		plan_law(touches(&a->plan, i) == touches(&b->plan, i), what);
}

static void check_again(const struct made *m)
{
	struct made again;

	make(&again, m->config, cmdline);
	same_decision(m, &again, "not the same twice");
	plan_law(m->plan.n_steps == again.plan.n_steps, "not the same steps twice");
	plan_law(m->plan.findings.n == again.plan.findings.n, "not the same findings twice");
	for (size_t i = 0; i < m->plan.findings.n && i < again.plan.findings.n; i++)
		plan_law(streq(m->plan.findings.items[i].text, again.plan.findings.items[i].text),
			"not the same findings twice");
	made_free(&again);
}

static void check_orders(const struct made *m)
{
	static const unsigned orders[][CASE_TARGETS] = { { 3, 2, 1, 0 }, { 2, 0, 3, 1 } };

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		struct config c;
		struct made other;

		if (read_config(&c, orders[i])) {
			make(&other, &c, cmdline);
			same_decision(m, &other, "the order of targets decides");
			made_free(&other);
		}
		config_free(&c);
	}
}

/* The same words and one more, which must not change the decision, or lets nothing be bound. */
static void check_with(const struct made *m, const char *word, bool bypass)
{
	_cleanup_free_ char *words = format("%s %s", cmdline, word);
	const char *before = cmdline;
	struct made with;

	if (!words)
		abort();
	make(&with, m->config, words);
	if (bypass)
		plan_law(with.plan.n_steps == 0, "a bypass word binds");
	else
		same_decision(m, &with, "a word without a meaning decides");
	made_free(&with);
	cmdline = before;
}

/* Without the words that skip, as much is bound, or more. But what falls as the last of its kind,
 * or because another wants it too, may stand where that other is skipped. */
static void check_skips(const struct made *m)
{
	struct text words = { 0 };
	struct made without;

	put(&words, "%s", "");
	for (unsigned i = 0; i < CASE_WORDS; i++)
		if (!strstr(the_case.words[i], ".skip="))
			put(&words, "%s ", the_case.words[i]);
	make(&without, m->config, words.s);
	cmdline = "all words, against all but those that skip";
	for (size_t i = 0; i < snapshot->n_devices; i++)
		plan_law(!touches(&m->plan, i) || touches(&without.plan, i) ||
				has_finding(&without.plan, "guard-last-usb") ||
				has_finding(&without.plan, "guard-boot-display") ||
				has_finding(&without.plan, "overlap"),
			"a skip binds more");
	made_free(&without);
}

static void check_case(const struct config *c)
{
	_cleanup_free_ char *words =
		format("%s %s %s", the_case.words[0], the_case.words[1], the_case.words[2]);
	struct made m;

	if (!words)
		abort();
	make(&m, c, words);
	check_plan(&m);
	check_lines();
	check_again(&m);
	check_orders(&m);
	check_with(&m, "rd.vfio-early=0", true);
	check_with(&m, "rescue", true);
	check_with(&m, "-- quiet", false);
	check_with(&m, "rd.vfio-early.profile=nobody", false);
	if (m.words.n_skip)
		check_skips(&m);
	made_free(&m);
}

void planlaws_check(const uint8_t *data, size_t len)
{
	struct config c;

	case_make(&the_case, data, len);
	if (read_config(&c, in_order))
		check_case(&c);
	config_free(&c);
	case_clear(&the_case);
}
