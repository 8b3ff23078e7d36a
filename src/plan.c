/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan.h"
#include "rules.h"

struct planner {
	const struct config *config;
	const struct bootwords *words;
	const struct snapshot *snapshot;
	const struct module_facts *module;
	struct plan *plan;
	const struct plan_target *no_iommu_told;
	int r; /* first error; -ENOMEM is the only one there is */
};

static _printf_(6, 7) void say(struct planner *p, enum severity severity, const char *id,
	const struct plan_target *t, const struct pci_device *d, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = finding_vadd(&p->plan->findings, severity, id, t ? t->target->name : NULL,
		d ? &d->addr : NULL, fmt, ap);
	va_end(ap);
	if (r < 0)
		p->r = r;
}

static _printf_(2, 3) void cure(struct planner *p, const char *fmt, ...)
{
	va_list ap;

	/* Without memory the finding itself may be missing. */
	if (p->r < 0)
		return;
	va_start(ap, fmt);
	p->r = finding_vcure(&p->plan->findings, fmt, ap);
	va_end(ap);
}

#define refuse(p, t, d, id, ...) \
	do { \
		say((p), SEVERITY_ERROR, (id), (t), (d), __VA_ARGS__); \
		(t)->verdict = VERDICT_REFUSED; \
	} while (0)

#define DESCRIBE_LEN 160

/* "0000:01:00.1 (audio device 10de:22bc, held by snd_hda_intel)" */
static const char *describe_device(const struct pci_device *d, char buf[static DESCRIBE_LEN])
{
	snprintf(buf, DESCRIBE_LEN, "%s (%s %s%s%s)", PCI_ADDR(d->addr), class_name(d->class),
		PCI_ID(d->id), d->driver ? ", held by " : "", d->driver ?: "");
	return buf;
}
#define DESCRIBE(d) describe_device((d), (char[DESCRIBE_LEN]){ 0 })

/* --- which devices a line means --- */

/* Whether @s names this device by its place, or by its ID where it has no place. */
static bool selector_matches(const struct selector *s, const struct pci_device *d)
{
	switch (s->kind) {
	case SELECT_ADDRESS:
		if (s->all_functions)
			return pci_addr_siblings(s->addr, d->addr);
		return pci_addr_cmp(s->addr, d->addr) == 0;
	case SELECT_PATH:
		return pci_path_equal(&s->path, &d->path, s->all_functions);
	case SELECT_ID:
		return pci_id_equal(s->id, d->id);
	}
	return false;
}

static bool target_names(const struct target *t, const struct pci_device *d)
{
	for (size_t i = 0; i < t->n_selectors; i++)
		if (selector_matches(&t->selectors[i], d))
			return true;
	return false;
}

bool plan_wants(const struct config *c, const struct pci_device *d)
{
	for (size_t i = 0; i < c->n_targets; i++)
		if (target_names(&c->targets[i], d))
			return true;
	return false;
}

bool plan_tells(const struct config *c, const struct pci_device *d)
{
	for (size_t i = 0; i < c->n_targets; i++)
		for (size_t j = 0; j < c->targets[i].n_selectors; j++) {
			const struct selector *s = &c->targets[i].selectors[j];

			if (selector_matches(s, d) || (s->has_id && pci_id_equal(s->id, d->id)))
				return true;
		}
	return false;
}

bool plan_compares_paths(const struct config *c, const struct bootwords *w)
{
	for (size_t i = 0; i < c->n_targets; i++)
		for (size_t j = 0; j < c->targets[i].n_selectors; j++)
			if (c->targets[i].selectors[j].kind == SELECT_PATH)
				return true;
	for (size_t i = 0; i < w->n_skip; i++) {
		_cleanup_(selector_free) struct selector skip = { 0 };

		if (selector_parse(w->skip[i], &skip) == 0 && skip.kind == SELECT_PATH)
			return true;
	}
	return false;
}

/* How many other devices carry the ID, those that @t (or NULL) names as well left out: which of
 * them is which makes no difference then. Functions of the same device do not count: renumbering
 * moves them together and never changes a function's number. */
static size_t count_twins(
	const struct snapshot *s, const struct pci_device *d, const struct target *t)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_devices; i++) {
		const struct pci_device *other = &s->devices[i];

		n += pci_id_equal(other->id, d->id) && !other->appears_late &&
			!pci_addr_siblings(other->addr, d->addr) && !(t && target_names(t, other));
	}
	return n;
}

/* "0000:01:00.0 (path 00:01.0/00.0), ..." of all devices with the ID, a few at most; "" for none.
 */
static char *list_with_id(
	const struct snapshot *s, struct pci_id id, const struct pci_device **ret_only)
{
	char *text = NULL, *more;
	size_t n = 0;

	*ret_only = NULL;
	for (size_t i = 0; i < s->n_devices; i++) {
		const struct pci_device *d = &s->devices[i];

		if (!pci_id_equal(d->id, id))
			continue;
		*ret_only = n++ ? NULL : d;
		if (n > 4)
			continue;
		more = format("%s%s%s (path %s)", text ?: "", text ? ", " : "", PCI_ADDR(d->addr),
			PCI_PATH(&d->path));
		free(text);
		text = more;
	}
	if (n <= 4)
		return text ?: strdup("");
	more = format("%s and %zu more", text ?: "", n - 4);
	free(text);
	return more;
}

char *plan_line(
	const struct snapshot *s, const struct pci_device *d, const struct selector *instead)
{
	bool by_path = (instead && instead->kind == SELECT_PATH) || count_twins(s, d, NULL);
	char buf[PCI_PATH_LEN];

	if (by_path && d->path.n_hops)
		pci_path_format(&d->path, buf);
	else
		pci_addr_format(d->addr, buf);
	if (instead && instead->all_functions)
		buf[strlen(buf) - 1] = '*';
	return format("device = %s %s", buf, PCI_ID(d->id));
}

/* --- from lines to devices --- */

static bool target_has(
	const struct plan_target *t, const struct pci_device *d, const struct snapshot *s)
{
	for (size_t i = 0; i < t->n_devices; i++)
		if (&s->devices[t->devices[i].device] == d)
			return true;
	return false;
}

static void add_device(
	struct planner *p, struct plan_target *t, const struct pci_device *d, bool pulled_in)
{
	struct plan_device *place = array_add(&t->devices, &t->n_devices, sizeof(*place));

	if (place)
		*place = (struct plan_device){ .device = (size_t)(d - p->snapshot->devices),
			.pulled_in = pulled_in };
	else
		p->r = -ENOMEM;
}

/* The line to write, if there is one device that it can mean. */
static void cure_line(struct planner *p, const struct pci_device *d, const struct selector *s)
{
	_cleanup_free_ char *line = plan_line(p->snapshot, d, s);

	cure(p, "if %s is the device that you mean, write: %s", PCI_ADDR(d->addr), line ?: "it");
}

/* What is at the place instead of the expected ID, and where that ID went. */
static void say_elsewhere(struct planner *p, struct plan_target *t, const struct selector *s,
	const struct pci_device *found)
{
	const struct pci_device *only;
	_cleanup_free_ char *where = list_with_id(p->snapshot, s->id, &only);

	if (!where) {
		p->r = -ENOMEM;
		return;
	}
	if (found)
		refuse(p, t, found, "id-mismatch", "%s:%u: '%s': %s has another ID; %s%s", s->file,
			s->line, s->text, DESCRIBE(found),
			*where ? "the expected one is now at " : "no device has the expected one",
			where);
	else
		refuse(p, t, NULL, "absent", "%s:%u: '%s': there is no such device; %s%s", s->file,
			s->line, s->text, *where ? "its ID is now at " : "no device has this ID",
			where);
	if (*where && !only)
		cure(p, "write the path of the one that you mean and %s behind it, in place of '%s'",
			PCI_ID(s->id), s->text);
	else if (only || found)
		cure_line(p, only ?: found, s);
	else
		cure(p, "look for the device with: vfio-early --list; it may be missing, or switched off in the firmware's settings");
}

/* Whether what was found at the place is what the line expects there; says so where it is not. */
static bool check_expected(struct planner *p, struct plan_target *t, const struct selector *s,
	const struct pci_device *first)
{
	if (first && s->all_functions && s->has_id && first->addr.fn != 0) {
		refuse(p, t, NULL, "absent",
			"%s:%u: '%s': function 0, whose ID is expected, is not there; the first one is %s",
			s->file, s->line, s->text, DESCRIBE(first));
		cure(p, "name the functions that are there, a line each");
		return false;
	}
	if (s->has_id && (!first || !pci_id_equal(first->id, s->id))) {
		say_elsewhere(p, t, s, first);
		return false;
	}
	if (first)
		return true;
	refuse(p, t, NULL, "absent", "%s:%u: '%s': there is no such device", s->file, s->line,
		s->text);
	cure(p, "look for it with: vfio-early --list; an added card or a firmware update may have moved it");
	return false;
}

/* An ID must mean exactly one device, unless the target asks for all. */
static void check_count(
	struct planner *p, struct plan_target *t, const struct selector *s, size_t n)
{
	const struct pci_device *only;
	_cleanup_free_ char *where = NULL;

	if (n == 0) {
		refuse(p, t, NULL, "absent", "%s:%u: '%s': there is no device with this ID",
			s->file, s->line, s->text);
		cure(p, "look for it with: vfio-early --list; it may be missing, or switched off in the firmware's settings");
	} else if (n > 1 && t->target->match != MATCH_ALL) {
		where = list_with_id(p->snapshot, s->id, &only);
		refuse(p, t, NULL, "ambiguous-id", "%s:%u: '%s' means %zu devices: %s", s->file,
			s->line, s->text, n, where ?: "?");
		cure(p, "write the path of the one that you mean and this ID behind it, or 'match = all'");
	}
}

/* How many devices an ID means at the hook; what appears only later counts if there is nothing
 * else, so that the message can say so. */
static size_t count_early(const struct planner *p, const struct selector *s)
{
	size_t n = 0;

	for (size_t i = 0; i < p->snapshot->n_devices; i++)
		n += selector_matches(s, &p->snapshot->devices[i]) &&
			!p->snapshot->devices[i].appears_late;
	return n;
}

static void say_overlap(struct planner *p, struct plan_target *t, const struct selector *s,
	const struct pci_device *d)
{
	refuse(p, t, d, "overlap", "%s:%u: '%s' means %s, which another line of [%s] means too",
		s->file, s->line, s->text, DESCRIBE(d), t->target->name);
	cure(p, "keep the one of the two lines that says what you mean");
}

static void resolve_selector(struct planner *p, struct plan_target *t, const struct selector *s)
{
	const struct snapshot *snap = p->snapshot;
	const struct pci_device *first = NULL;
	bool several = s->kind == SELECT_ID || s->all_functions;
	bool early_only = several && count_early(p, s);
	size_t n = 0;

	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < snap->n_devices; i++) {
			const struct pci_device *d = &snap->devices[i];

			if (!selector_matches(s, d) || (early_only && d->appears_late))
				continue;
			if (pass == 0) {
				first = first ?: d;
				n++;
			} else if (target_has(t, d, snap)) {
				say_overlap(p, t, s, d);
			} else {
				add_device(p, t, d, false);
			}
		}
		/* What is not the device that is meant must not come into the target. */
		if (pass == 0 && s->kind == SELECT_ID)
			check_count(p, t, s, n);
		else if (pass == 0 && !check_expected(p, t, s, first))
			return;
	}
}

/* An address says nothing after a renumbering if a twin can come to stand there. */
static void check_twin(struct planner *p, struct plan_target *t, const struct selector *s)
{
	const struct pci_device *d =
		s->kind == SELECT_ADDRESS ? snapshot_find(p->snapshot, s->addr) : NULL;
	_cleanup_free_ char *line = d ? plan_line(p->snapshot, d, s) : NULL;

	if (!line || !target_has(t, d, p->snapshot))
		return;
	/* A root bus is numbered by the firmware: there an address is its own path. */
	if (!d->on_root_bus && count_twins(p->snapshot, d, t->target)) {
		bool storage = CLASS_BASE(d->class) == 0x01;
		const struct pci_device *only;
		_cleanup_free_ char *where = list_with_id(p->snapshot, d->id, &only);

		say(p, storage ? SEVERITY_ERROR : SEVERITY_WARNING, "twin-id", t, d,
			"%s:%u: '%s': several devices carry the ID %s, %s, so after a renumbering the address may be another's%s",
			s->file, s->line, s->text, PCI_ID(d->id), where ?: "",
			storage ? ", and with it a disk of the host" : "");
		if (storage)
			t->verdict = VERDICT_REFUSED;
	} else if (!s->has_id) {
		say(p, SEVERITY_WARNING, "address-without-id", t, d,
			"%s:%u: '%s' does not say which ID is expected there, so after a renumbering it may be another device",
			s->file, s->line, s->text);
	} else {
		return;
	}
	cure(p, "write: %s", line);
}

static void resolve_target(struct planner *p, struct plan_target *t)
{
	for (size_t i = 0; i < t->target->n_selectors; i++)
		resolve_selector(p, t, &t->target->selectors[i]);
	t->unresolved = t->verdict == VERDICT_REFUSED;
	for (size_t i = 0; i < t->target->n_selectors; i++)
		check_twin(p, t, &t->target->selectors[i]);
}

static bool touches_group(const struct planner *p, const struct plan_target *t, int group)
{
	for (size_t i = 0; i < t->n_devices && group != NO_GROUP; i++)
		if (p->snapshot->devices[t->devices[i].device].group == group)
			return true;
	return false;
}

/* --- boot words --- */

static bool target_in_profiles(const struct target *t, const struct bootwords *w)
{
	if (t->n_profiles == 0)
		return true;
	for (size_t i = 0; i < t->n_profiles; i++)
		for (size_t j = 0; j < w->n_profiles; j++)
			if (streq(t->profiles[i], w->profiles[j]))
				return true;
	return false;
}

static bool profile_known(const struct config *c, const char *profile)
{
	for (size_t i = 0; i < c->n_targets; i++)
		for (size_t j = 0; j < c->targets[i].n_profiles; j++)
			if (streq(c->targets[i].profiles[j], profile))
				return true;
	return false;
}

static void say_unknown_profiles(struct planner *p)
{
	for (size_t i = 0; i < p->words->n_profiles; i++) {
		if (profile_known(p->config, p->words->profiles[i]))
			continue;
		say(p, SEVERITY_WARNING, "unknown-profile", NULL, NULL,
			"no target has the profile '%s', which the kernel command line chooses",
			p->words->profiles[i]);
		cure(p, "correct rd.vfio-early.profile= on the command line, or a target's 'profile ='");
	}
}

static void choose_profiles(struct planner *p)
{
	for (size_t i = 0; i < p->plan->n_targets; i++)
		if (!target_in_profiles(p->plan->targets[i].target, p->words))
			p->plan->targets[i].verdict = VERDICT_INACTIVE;
}

/* Whether the target names a device of this group. */
static bool names_group(const struct planner *p, const struct target *t, int group)
{
	for (size_t i = 0; i < p->snapshot->n_devices && group != NO_GROUP; i++)
		if (p->snapshot->devices[i].group == group &&
			target_names(t, &p->snapshot->devices[i]))
			return true;
	return false;
}

/* Whether a skip word means a device that the target names or, with whole-group, may pull in. */
static bool skip_means(const struct planner *p, const char *word, const struct target *t)
{
	_cleanup_(selector_free) struct selector skip = { 0 };

	if (streq(word, t->name))
		return true;
	if (selector_parse(word, &skip) < 0)
		return false;
	/* A device that is absent can be skipped, too. */
	for (size_t i = 0; i < t->n_selectors; i++) {
		const struct selector *s = &t->selectors[i];

		if (selector_same_place(&skip, s) ||
			(skip.kind == SELECT_ID && s->has_id && pci_id_equal(skip.id, s->id)))
			return true;
	}
	for (size_t i = 0; i < p->snapshot->n_devices; i++) {
		const struct pci_device *d = &p->snapshot->devices[i];

		if (selector_matches(&skip, d) &&
			(target_names(t, d) ||
				(t->isolation == ISOLATION_WHOLE_GROUP &&
					names_group(p, t, d->group))))
			return true;
	}
	return false;
}

static void skip_target(struct planner *p, struct plan_target *t, const char *why)
{
	if (t->verdict != VERDICT_BIND)
		return;
	t->verdict = VERDICT_SKIPPED;
	t->n_devices = 0; /* those that it pulled in are the host's again */
	say(p, SEVERITY_NOTE, "skipped", t, NULL, "not bound at this boot: %s", why);
}

static void skip_all(struct planner *p)
{
	for (size_t i = 0; i < p->plan->n_targets; i++)
		if (p->plan->targets[i].verdict != VERDICT_INACTIVE)
			p->plan->targets[i].verdict = VERDICT_SKIPPED;
}

/* Skips what is named; what names nothing may be a slip for something, so then all is skipped. */
static void apply_skips(struct planner *p)
{
	for (size_t i = 0; i < p->words->n_skip; i++) {
		_cleanup_free_ char *why = format("rd.vfio-early.skip=%s", p->words->skip[i]);
		bool matched = false;

		for (size_t j = 0; j < p->plan->n_targets; j++) {
			if (!skip_means(p, p->words->skip[i], p->plan->targets[j].target))
				continue;
			matched = true;
			skip_target(p, &p->plan->targets[j], why ?: "skipped");
		}
		if (matched)
			continue;
		say(p, SEVERITY_ERROR, "skip-unmatched", NULL, NULL,
			"rd.vfio-early.skip=%s matches no target and no device of one: nothing is bound at this boot",
			p->words->skip[i]);
		cure(p, "name a target, an address or an ID of the configuration");
		skip_all(p);
	}
}

/* --- what makes a device unfit --- */

static void cure_iommu(struct planner *p)
{
	_cleanup_free_ char *text = iommu_cure(p->snapshot, p->words);

	if (text)
		cure(p, "%s", text);
	else
		p->r = -ENOMEM;
}

static void say_no_iommu(struct planner *p, struct plan_target *t, const struct pci_device *d)
{
	const struct snapshot *s = p->snapshot;

	if (s->iommu_active) {
		refuse(p, t, d, "no-group", "%s is in no IOMMU group, so no IOMMU guards its DMA",
			DESCRIBE(d));
		cure(p, "this device cannot be passed through on this machine; take it out of [%s]",
			t->target->name);
		return;
	}
	/* Once a target is enough: it is the machine that lacks it. */
	if (p->no_iommu_told == t)
		return;
	p->no_iommu_told = t;
	refuse(p, t, d, "no-iommu", "%s is in no IOMMU group: no IOMMU is active in this kernel",
		DESCRIBE(d));
	cure_iommu(p);
}

/* Its groups come with its driver, a module, and then a device joins one only as a driver takes it
 * (drivers/iommu/virtio-iommu.c): a live system's groups were not there at the hook. */
static bool groups_form_late(const struct snapshot *s)
{
	return s->has_viot && !s->has_dmar && !s->has_ivrs;
}

static void say_late_groups(struct planner *p, struct plan_target *t, const struct pci_device *d)
{
	if (p->no_iommu_told == t)
		return;
	p->no_iommu_told = t;
	refuse(p, t, d, "late-groups",
		"%s is behind a virtio-iommu, whose groups form as drivers take their devices: when vfio-early runs, nobody knows what shares its group",
		DESCRIBE(d));
	cure_iommu(p);
}

static void check_device(struct planner *p, struct plan_target *t, const struct pci_device *d)
{
	const struct iommu_group *g = snapshot_group(p->snapshot, d->group);

	if (d->is_bridge) {
		refuse(p, t, d, "is-bridge",
			"%s is a PCI bridge: vfio-pci binds no bridges, and the host needs it",
			DESCRIBE(d));
		cure(p, "take its line out of [%s]; a bridge in the group of a device does no harm there",
			t->target->name);
	} else if (d->behind_vmd) {
		refuse(p, t, d, "behind-vmd",
			"%s is behind a Volume Management Device (VMD): its DMA is done in that endpoint's name, so it cannot be passed on its own",
			DESCRIBE(d));
		cure(p, "switch VMD (RST) off in the firmware's settings for this slot");
	} else if (d->appears_late) {
		refuse(p, t, d, "not-yet", "%s does not exist yet when vfio-early runs",
			DESCRIBE(d));
		cure(p, "bind it later, on the live system, for example with driverctl");
	} else if (groups_form_late(p->snapshot)) {
		say_late_groups(p, t, d);
	} else if (d->group == NO_GROUP) {
		say_no_iommu(p, t, d);
	} else if (!g || g->unreadable) {
		refuse(p, t, d, "group-unreadable",
			"%s is in IOMMU group %d, which could not be read whole, so it is not known what shares it",
			DESCRIBE(d), d->group);
		cure(p, "see: ls /sys/kernel/iommu_groups/%d/devices; it may have changed just then",
			d->group);
	} else if (g->noiommu) {
		refuse(p, t, d, "noiommu-group",
			"%s is in IOMMU group %d, which is VFIO's unsafe no-IOMMU mode (enable_unsafe_noiommu_mode): nothing guards its DMA",
			DESCRIBE(d), d->group);
		cure_iommu(p);
	}
}

/* Two targets that want one device: neither has the better claim. */
static void check_overlap(struct planner *p, struct plan_target *t)
{
	for (size_t i = 0; i < p->plan->n_targets; i++) {
		const struct plan_target *other = &p->plan->targets[i];

		if (other == t || other->verdict == VERDICT_SKIPPED)
			continue;
		for (size_t j = 0; j < t->n_devices; j++) {
			const struct pci_device *d = &p->snapshot->devices[t->devices[j].device];

			if (!target_has(other, d, p->snapshot))
				continue;
			refuse(p, t, d, "overlap", "%s is in [%s] and in [%s] too", DESCRIBE(d),
				t->target->name, other->target->name);
			cure(p, "keep it in one of them, or give them different profiles");
			return;
		}
	}
}

/* --- the isolation rule --- */

static struct plan_target *bound_by(const struct planner *p, const struct pci_device *d)
{
	for (size_t i = 0; i < p->plan->n_targets; i++) {
		struct plan_target *t = &p->plan->targets[i];

		if (t->verdict == VERDICT_BIND && target_has(t, d, p->snapshot))
			return t;
	}
	return NULL;
}

/* Whether @d keeps the groups of @t from being isolated. */
static bool blocks(const struct planner *p, const struct plan_target *t, const struct pci_device *d)
{
	if (d->appears_late || !touches_group(p, t, d->group) || target_has(t, d, p->snapshot))
		return false;
	return !device_is_passive(d) && !bound_by(p, d) &&
		!(d->driver && driver_is_vfio_safe(d->driver));
}

static struct plan_target *named_in(const struct planner *p, const struct pci_device *d)
{
	for (size_t i = 0; i < p->plan->n_targets; i++)
		if (target_names(p->plan->targets[i].target, d))
			return &p->plan->targets[i];
	return NULL;
}

/* Whether a target of this boot names the device, bound or not. */
static bool is_claimed(const struct planner *p, const struct pci_device *d)
{
	for (size_t i = 0; i < p->plan->n_targets; i++)
		if (p->plan->targets[i].verdict != VERDICT_INACTIVE &&
			target_names(p->plan->targets[i].target, d))
			return true;
	return false;
}

static bool is_skipped(const struct planner *p, const struct pci_device *d)
{
	for (size_t i = 0; i < p->plan->n_targets; i++)
		if (p->plan->targets[i].verdict == VERDICT_SKIPPED &&
			target_names(p->plan->targets[i].target, d))
			return true;
	return false;
}

static bool has_skipped(const struct planner *p, const struct plan_target *t)
{
	for (size_t i = 0; i < t->n_devices; i++)
		if (is_skipped(p, &p->snapshot->devices[t->devices[i].device]))
			return true;
	return false;
}

/* What a skipped target names is left alone, whoever else names it. */
static void skip_sharers(struct planner *p)
{
	for (size_t i = 0; i < p->plan->n_targets; i++) {
		struct plan_target *t = &p->plan->targets[i];

		if (t->verdict != VERDICT_BIND || !has_skipped(p, t))
			continue;
		skip_target(p, t, "a skipped target names a device of it, too");
		i = (size_t)-1; /* again, from the start */
	}
}

static const struct pci_device *first_in_group(
	const struct planner *p, const struct plan_target *t, int group)
{
	for (size_t i = 0; i < t->n_devices; i++)
		if (p->snapshot->devices[t->devices[i].device].group == group)
			return &p->snapshot->devices[t->devices[i].device];
	return NULL;
}

static void say_blocker(
	struct planner *p, struct plan_target *t, const struct pci_device *d, bool fatal)
{
	const struct pci_device *ours = first_in_group(p, t, d->group);
	const struct plan_target *other = named_in(p, d);

	say(p, fatal ? SEVERITY_ERROR : SEVERITY_WARNING, "not-isolated", t, d,
		"%s shares IOMMU group %d with %s and would stay with the host%s%s%s%s",
		DESCRIBE(d), d->group, PCI_ADDR(ours->addr), other ? ": its target [" : "",
		other ? other->target->name : "", other ? "] is not bound" : "",
		fatal ? ""
		      : "; VFIO refuses to start a virtual machine while a driver of the host holds it");
}

/* Names every device that keeps the target's groups from being isolated; how many there are. */
static size_t say_blockers(struct planner *p, struct plan_target *t, bool fatal)
{
	size_t n = 0;

	for (size_t i = 0; i < p->snapshot->n_devices; i++) {
		if (!blocks(p, t, &p->snapshot->devices[i]))
			continue;
		say_blocker(p, t, &p->snapshot->devices[i], fatal);
		n++;
	}
	for (size_t i = 0; i < p->snapshot->n_groups; i++) {
		const struct iommu_group *g = &p->snapshot->groups[i];

		if (!g->foreign_member || !touches_group(p, t, g->number))
			continue;
		say(p, fatal ? SEVERITY_ERROR : SEVERITY_WARNING, "not-isolated", t, NULL,
			"'%s', which is no PCI device, is in IOMMU group %d too", g->foreign_member,
			g->number);
		n++;
	}
	return n;
}

static bool is_isolated(const struct planner *p, const struct plan_target *t)
{
	if (t->target->isolation == ISOLATION_NONE)
		return true;
	for (size_t i = 0; i < p->snapshot->n_devices; i++)
		if (blocks(p, t, &p->snapshot->devices[i]))
			return false;
	for (size_t i = 0; i < p->snapshot->n_groups; i++)
		if (p->snapshot->groups[i].foreign_member &&
			touches_group(p, t, p->snapshot->groups[i].number))
			return false;
	return true;
}

static bool any_on_root_bus(const struct planner *p, const struct plan_target *t)
{
	for (size_t i = 0; i < t->n_devices; i++)
		if (p->snapshot->devices[t->devices[i].device].on_root_bus)
			return true;
	return false;
}

/* The worst blocker says what helps: what cannot be bound at all, then what should not be. */
static void cure_isolation(struct planner *p, struct plan_target *t)
{
	/* What the chipset holds is in no slot. */
	const char *slot = any_on_root_bus(p, t) ? "" : "use another slot; or ";
	const struct pci_device *support = NULL;
	const struct plan_target *other = NULL;

	for (size_t i = 0; i < p->snapshot->n_groups; i++)
		if (p->snapshot->groups[i].foreign_member &&
			touches_group(p, t, p->snapshot->groups[i].number)) {
			cure(p, "%stake a device in a group of its own: what is no PCI device cannot be bound",
				slot);
			return;
		}
	for (size_t i = 0; i < p->snapshot->n_devices; i++) {
		const struct pci_device *d = &p->snapshot->devices[i];

		if (!blocks(p, t, d))
			continue;
		support = device_is_support(d) ? d : support;
		other = named_in(p, d) ?: other;
	}
	if (support)
		cure(p, "%skeep the driver %s from %s (blacklist its module): no one binds such a device to vfio-pci",
			slot, support->driver, PCI_ADDR(support->addr));
	else if (other)
		cure(p, "%ssee that [%s] is bound as well: what keeps it from that is told there",
			slot, other->target->name);
	else
		cure(p, "%sbind what is named above as well, by lines of its own (vfio-early --suggest %s prints them) or with 'isolation = whole-group' in [%s]",
			slot, PCI_ADDR(p->snapshot->devices[t->devices[0].device].addr),
			t->target->name);
}

/* Why a target is not isolated, by the view in which it falls: what falls with it is not to blame.
 */
static void say_isolation(struct planner *p, struct plan_target *t)
{
	if (t->target->isolation == ISOLATION_NONE || !say_blockers(p, t, true))
		return;
	/* Where the device cannot be bound anyway, that is what to mend. */
	for (size_t i = 0; i < t->n_devices; i++)
		if (p->snapshot->devices[t->devices[i].device].behind_vmd)
			return;
	cure_isolation(p, t);
}

/* --- guards --- */

/* What each consent is about. */
static const struct {
	enum allow bit;
	const char *id;
	const char *why;
	const char *cure;
} guards[] = {
	{ ALLOW_STORAGE, "guard-storage",
		"may carry the host's disks, which cannot be told at this point of the boot",
		"if the host can do without it" },
	{ ALLOW_NET_ROOT, "guard-net-root",
		"may carry the host's root file system, which comes over the network",
		"if the host can do without it" },
	{ ALLOW_BOOT_DISPLAY, "guard-boot-display",
		"is the boot display: the host's console goes dark when it is bound",
		"make another display the primary one in the firmware's settings; or, if the host can do without" },
	{ ALLOW_RESERVED_REGION, "guard-reserved-region",
		"has a direct reserved region (RMRR or IVMD): VFIO will refuse it at the start of a virtual machine",
		"look for a firmware setting or update that frees it; to bind it nevertheless" },
	{ ALLOW_NETWORK, "guard-network", "would be bound because of 'isolation = whole-group'",
		"if the host can do without it" },
	{ ALLOW_USB, "guard-usb", "would be bound because of 'isolation = whole-group'",
		"if the host can do without it" },
	{ ALLOW_DISPLAY, "guard-display", "would be bound because of 'isolation = whole-group'",
		"if the host can do without it" },
};

static void guard(struct planner *p, struct plan_target *t, const struct pci_device *d,
	enum allow bit, const char *id, const char *why, const char *unless)
{
	if (t->target->allow & bit)
		return;
	refuse(p, t, d, id, "%s %s", DESCRIBE(d), why);
	cure(p, "%s, write 'allow = %s' in [%s]", unless, allow_name(bit), t->target->name);
}

/* The consents that binding this device needs, or-ed. */
static unsigned needed_consents(const struct planner *p, const struct pci_device *d, bool pulled_in)
{
	const struct iommu_group *g = snapshot_group(p->snapshot, d->group);
	unsigned bits = 0;

	if (CLASS_BASE(d->class) == 0x01)
		bits |= ALLOW_STORAGE;
	if (CLASS_BASE(d->class) == 0x02 && p->words->network_root)
		bits |= ALLOW_NET_ROOT;
	if (device_is_boot_display(p->snapshot, d))
		bits |= ALLOW_BOOT_DISPLAY;
	if (g && g->direct_region)
		bits |= ALLOW_RESERVED_REGION;
	if (pulled_in && CLASS_BASE(d->class) == 0x02)
		bits |= ALLOW_NETWORK;
	if (pulled_in && CLASS_BASE(d->class) == 0x03)
		bits |= ALLOW_DISPLAY;
	if (pulled_in && device_is_usb_host(d))
		bits |= ALLOW_USB;
	return bits;
}

static void check_guard(struct planner *p, struct plan_target *t, const struct plan_device *pd)
{
	const struct pci_device *d = &p->snapshot->devices[pd->device];
	unsigned needed = needed_consents(p, d, pd->pulled_in);

	for (size_t i = 0; i < ARRAY_SIZE(guards); i++)
		if (needed & guards[i].bit)
			guard(p, t, d, guards[i].bit, guards[i].id, guards[i].why, guards[i].cure);
}

/* Refuses the targets that together take the host's last device of a kind. */
static bool check_last(struct planner *p, bool (*kind)(const struct pci_device *), enum allow bit,
	const char *id, const char *why, const char *unless)
{
	const struct snapshot *s = p->snapshot;
	bool changed = false;

	for (size_t i = 0; i < s->n_devices; i++) {
		const struct pci_device *d = &s->devices[i];
		bool lost = d->appears_late || (d->driver && driver_is_vfio_safe(d->driver));

		if (kind(d) && !lost && !bound_by(p, d))
			return false;
	}
	for (size_t i = 0; i < p->plan->n_targets; i++) {
		struct plan_target *t = &p->plan->targets[i];

		if (t->verdict != VERDICT_BIND)
			continue;
		for (size_t j = 0; j < t->n_devices; j++) {
			const struct pci_device *d = &s->devices[t->devices[j].device];

			if (kind(d))
				guard(p, t, d, bit, id, why, unless);
		}
		changed |= t->verdict != VERDICT_BIND;
	}
	return changed;
}

/* --- what whole-group takes --- */

/* The whole-group target that takes a device in which no target names: the first that consents to
 * it, so that the order of the targets decides nothing else. */
static struct plan_target *taker_of(const struct planner *p, const struct pci_device *d)
{
	/* What check_last() may ask of the taker as well. */
	unsigned needed = needed_consents(p, d, true),
		 last = (device_is_usb_host(d) ? ALLOW_LAST_USB : 0) |
		(device_is_display(d) ? ALLOW_BOOT_DISPLAY : 0);
	struct plan_target *best = NULL;
	int best_rank = -1;

	for (size_t i = 0; i < p->plan->n_targets; i++) {
		struct plan_target *t = &p->plan->targets[i];
		int rank = needed & ~t->target->allow ? 0 : last & ~t->target->allow ? 1 : 2;

		if (t->verdict != VERDICT_BIND || t->target->isolation != ISOLATION_WHOLE_GROUP ||
			!blocks(p, t, d) || rank <= best_rank)
			continue;
		best = t;
		best_rank = rank;
	}
	return best;
}

/* When all is in, so that every reason against it is told. */
static void judge_pulled_in(struct planner *p)
{
	for (size_t i = 0; i < p->plan->n_targets; i++) {
		struct plan_target *t = &p->plan->targets[i];

		for (size_t j = 0; j < t->n_devices; j++) {
			if (!t->devices[j].pulled_in || t->devices[j].judged)
				continue;
			t->devices[j].judged = true;
			check_device(p, t, &p->snapshot->devices[t->devices[j].device]);
			check_guard(p, t, &t->devices[j]);
		}
	}
}

/* Takes into the whole-group targets what would block them. What another target of this boot names
 * is not theirs to take, and what the admin skipped at this boot least of all. */
static bool pull_in(struct planner *p)
{
	bool changed = false;

	for (size_t i = 0; i < p->snapshot->n_devices && p->r == 0; i++) {
		const struct pci_device *d = &p->snapshot->devices[i];
		struct plan_target *t;

		/* What would be passive but for its driver stays a blocker: nobody wants it bound.
		 */
		if (device_is_support(d))
			continue;
		while ((t = taker_of(p, d)) && is_skipped(p, d)) {
			skip_target(p, t, "its group holds a device of a skipped target");
			changed = true;
		}
		if (!t || is_claimed(p, d))
			continue;
		add_device(p, t, d, true);
		changed = true;
	}
	judge_pulled_in(p);
	return changed;
}

/* --- the driver --- */

const char *plan_module(
	const struct snapshot *s, const struct plan_target *t, const struct plan_device *pd)
{
	const char *variant = s->devices[pd->device].variant;

	return variant && t->target->driver != DRIVER_VFIO_PCI ? variant : VFIO_MODULE;
}

static const char *rebuild(const struct module_facts *m)
{
	return m->rebuild ?: "build the initramfs image anew";
}

static void check_module(struct planner *p, struct plan_target *t)
{
	const struct module_facts *m = p->module;
	bool plain = false;

	for (size_t i = 0; i < t->n_devices; i++)
		plain |= streq(plan_module(p->snapshot, t, &t->devices[i]), VFIO_MODULE);
	if (!plain)
		return;
	if (m->state == MODULE_MISSING) {
		refuse(p, t, NULL, "driver-missing",
			"the module vfio-pci is not in the kernel and not below %s", m->where);
		cure(p, "install the package that has the kernel's vfio-pci module, then %s",
			rebuild(m));
	} else if (m->state == MODULE_BLACKLISTED) {
		refuse(p, t, NULL, "driver-blacklisted", "the module vfio-pci is blacklisted");
		cure(p, "delete 'blacklist vfio-pci' from /etc/modprobe.d (grep -r vfio /etc/modprobe.d) or modprobe.blacklist= from the command line, then %s",
			rebuild(m));
	}
}

/* --- the whole --- */

/* One round over a view that does not change while it is looked at, so that the order of the
 * targets has no say: whether a target fell. */
static bool drop_unfit(struct planner *p)
{
	_cleanup_free_ bool *unfit = calloc(p->plan->n_targets, sizeof(*unfit));
	bool changed = false;

	if (!unfit) {
		p->r = -ENOMEM;
		return false;
	}
	for (size_t i = 0; i < p->plan->n_targets; i++) {
		struct plan_target *t = &p->plan->targets[i];

		unfit[i] = t->verdict == VERDICT_BIND && !is_isolated(p, t);
		if (unfit[i])
			say_isolation(p, t);
		changed |= unfit[i];
	}
	for (size_t i = 0; i < p->plan->n_targets; i++)
		if (unfit[i])
			p->plan->targets[i].verdict = VERDICT_REFUSED;
	return changed;
}

/* Without its module a target cannot be bound, whatever came into it. */
static bool check_modules(struct planner *p)
{
	bool changed = false;

	for (size_t i = 0; i < p->plan->n_targets; i++) {
		struct plan_target *t = &p->plan->targets[i];

		if (t->verdict != VERDICT_BIND)
			continue;
		check_module(p, t);
		changed |= t->verdict != VERDICT_BIND;
	}
	return changed;
}

/* Refusing one target can refuse another, whose group it shares; and what is refused may be what
 * the host keeps as its last display: again, until nothing changes. Each round refuses a target or
 * pulls a device in, so it ends. "Last" is judged when everything else stands, lest a target fall
 * for another's sake. */
static void settle(struct planner *p)
{
	bool changed;

	do {
		/* For all targets before the isolation of any is judged. */
		changed = pull_in(p);
		changed |= check_modules(p);
		/* What fell here may have held what another would take now. */
		if (changed || (changed = drop_unfit(p)))
			continue;
		changed = check_last(p, device_is_display, ALLOW_BOOT_DISPLAY, "guard-boot-display",
			"is wanted, and no display device would be left to the host",
			"if the host can do without any display");
		changed |= check_last(p, device_is_usb_host, ALLOW_LAST_USB, "guard-last-usb",
			"is wanted, and no USB host controller would be left to the host",
			"if the host has its keyboard elsewhere, or needs none");
	} while (changed && p->r == 0);
}

static void say_module(struct planner *p)
{
	const struct module_facts *m = p->module;

	if (m->dropped_ids && m->state == MODULE_LOADABLE)
		say(p, SEVERITY_WARNING, "leftover-ids", NULL, NULL,
			"%s%svfio-pci's option ids=%s is left out: it would take every device with such an ID",
			m->dropped_ids_from ?: "", m->dropped_ids_from ? ": " : "", m->dropped_ids);
	else if (m->dropped_ids)
		say(p, SEVERITY_WARNING, "leftover-ids", NULL, NULL,
			"%s%svfio-pci is in the kernel already, and its option ids=%s may act beside this configuration",
			m->dropped_ids_from ?: "", m->dropped_ids_from ? ": " : "", m->dropped_ids);
	if (m->dropped_ids && m->dropped_ids_cure)
		cure(p, "%s", m->dropped_ids_cure);
	else if (m->dropped_ids)
		cure(p, "delete 'ids=' from /etc/modprobe.d (options vfio-pci) and vfio-pci.ids= from the command line");
	if (m->unapplied) {
		say(p, SEVERITY_WARNING, "options-ignored", NULL, NULL,
			"vfio-pci is in the kernel already, without the options that modprobe.d asks for: %s",
			m->unapplied);
		cure(p, "put them on the kernel command line, each as vfio-pci.NAME=VALUE");
	}
	if (!m->type1) {
		say(p, SEVERITY_WARNING, "type1-missing", NULL, NULL,
			"the module vfio_iommu_type1 is not in the kernel and not below %s: no virtual machine can use the devices until it is loaded",
			m->where);
		cure(p, "on the live system: modprobe vfio_iommu_type1; or %s", rebuild(m));
	}
}

/* Functions beside a bound one that reset with it, but stay with the host. */
static void say_siblings(struct planner *p, struct plan_target *t)
{
	const struct snapshot *s = p->snapshot;

	for (size_t i = 0; i < t->n_devices; i++) {
		const struct pci_device *d = &s->devices[t->devices[i].device];
		struct pci_addr first = { d->addr.domain, d->addr.bus, d->addr.dev, 0 };
		size_t k = snapshot_lower_bound(s, first);

		/* The chipset's functions on a root bus reset each for itself. One word a device is
		 * enough. */
		if (d->on_root_bus ||
			(i &&
				pci_addr_siblings(
					s->devices[t->devices[i - 1].device].addr, d->addr)))
			continue;
		for (; k < s->n_devices && pci_addr_siblings(s->devices[k].addr, d->addr); k++) {
			const struct pci_device *sibling = &s->devices[k];
			_cleanup_free_ char *line = plan_line(p->snapshot, sibling, NULL);

			if (bound_by(p, sibling) || device_is_support(sibling) ||
				sibling->appears_late)
				continue;
			/* What say_group_drivers() tells is not told twice. */
			if (touches_group(p, t, sibling->group) && sibling->driver &&
				driver_is_vfio_safe(sibling->driver))
				continue;
			say(p, SEVERITY_WARNING, "siblings", t, sibling,
				"%s stays with the host, although it is a function of the same device as %s and may be reset with it",
				DESCRIBE(sibling), PCI_ADDR(d->addr));
			cure(p, "add to [%s]: %s", t->target->name, line ?: "its address");
		}
	}
}

/* vfio-pci takes a firmware framebuffer away for class 0300 only (drivers/vfio/pci/vfio_pci_core.c,
 * vfio_pci_vga_init()); elsewhere it keeps its BAR, which VFIO then cannot reserve. */
static void say_framebuffer(struct planner *p, struct plan_target *t)
{
	if (p->words->no_sysfb)
		return;
	for (size_t i = 0; i < t->n_devices; i++) {
		const struct pci_device *d = &p->snapshot->devices[t->devices[i].device];

		if (!d->boot_framebuffer || CLASS_SUB(d->class) == 0x0300)
			continue;
		say(p, SEVERITY_WARNING, "framebuffer-stays", t, d,
			"%s holds the firmware's framebuffer, which vfio-pci takes from class 0300 only: VFIO will not get the memory behind it",
			DESCRIBE(d));
		cure(p, "add initcall_blacklist=sysfb_init to the kernel command line, or make another display the primary one in the firmware's settings");
	}
}

static void say_missing_variants(struct planner *p, struct plan_target *t)
{
	for (size_t i = 0; i < t->n_devices && t->target->driver != DRIVER_VFIO_PCI; i++) {
		const struct pci_device *d = &p->snapshot->devices[t->devices[i].device];

		if (!d->variant_missing)
			continue;
		say(p, SEVERITY_WARNING, "variant-missing", t, d,
			"%s goes to vfio-pci: the module %s, with a VFIO driver of its own for it, is not below %s",
			DESCRIBE(d), d->variant_missing, p->module->where);
		cure(p, "%s; or, if plain vfio-pci is what you want: 'driver = vfio-pci' in [%s]",
			rebuild(p->module), t->target->name);
	}
}

static void say_group_drivers(struct planner *p, struct plan_target *t)
{
	for (size_t i = 0; i < p->snapshot->n_devices; i++) {
		const struct pci_device *d = &p->snapshot->devices[i];

		if (!touches_group(p, t, d->group) || bound_by(p, d) || !d->driver ||
			!driver_is_vfio_safe(d->driver))
			continue;
		say(p, SEVERITY_WARNING, "group-driver", t, d,
			"%s is in the same IOMMU group, %d, and in no target", DESCRIBE(d),
			d->group);
		cure(p, "name it in [%s], so that it is there at the next boot too",
			t->target->name);
	}
}

static int by_device(const void *a, const void *b)
{
	const struct plan_device *x = a, *y = b;

	return x->device < y->device ? -1 : x->device > y->device;
}

static void add_step(
	struct planner *p, enum step_kind kind, size_t target, size_t device, const char *module)
{
	struct step *step = array_add(&p->plan->steps, &p->plan->n_steps, sizeof(*step));

	if (step)
		*step = (struct step){ kind, target, device, module };
	else
		p->r = -ENOMEM;
}

/* The steps of one kind for all devices, or for those of one module. */
static void add_device_steps(struct planner *p, enum step_kind kind, const char *module)
{
	for (size_t i = 0; i < p->plan->n_targets; i++) {
		const struct plan_target *t = &p->plan->targets[i];

		for (size_t j = 0; j < t->n_devices && t->verdict == VERDICT_BIND; j++) {
			const char *own = plan_module(p->snapshot, t, &t->devices[j]);

			if (!module || streq(module, own))
				add_step(p, kind, i, t->devices[j].device, own);
		}
	}
}

/* Each module is loaded once; a variant driver's name is known only then. */
static void add_load_steps(struct planner *p)
{
	size_t n = p->plan->n_steps;

	for (size_t i = 0; i < n && p->r == 0; i++) {
		const char *module = p->plan->steps[i].module;
		bool first = true;

		for (size_t j = 0; j < i; j++)
			first &= !streq(p->plan->steps[j].module, module);
		if (!first)
			continue;
		if (!streq(module, VFIO_MODULE)) {
			add_step(p, STEP_LOAD, 0, 0, module);
			add_device_steps(p, STEP_NAME, module);
		} else if (p->module->state == MODULE_LOADABLE) {
			add_step(p, STEP_LOAD, 0, 0, module);
		}
	}
}

/* All overrides first: that alone wins every race with another driver. */
static void add_steps(struct planner *p)
{
	add_device_steps(p, STEP_OVERRIDE, NULL);
	if (p->plan->n_steps == 0)
		return;
	say_module(p);
	add_load_steps(p);
	add_device_steps(p, STEP_SETTLE, NULL);
	if (p->module->type1)
		add_step(p, STEP_TYPE1, 0, 0, NULL);
}

static bool is_kdump(const struct bootwords *w)
{
	return skip_prefix(w->bypass, "elfcorehdr=") || streq(w->bypass, "/proc/vmcore");
}

static bool bypassed(struct planner *p)
{
	const struct bootwords *w = p->words;

	if (!w->bypass)
		return false;
	if (w->bypass_bad) {
		say(p, SEVERITY_ERROR, "unknown-word", NULL, NULL,
			"'%s' on the kernel command line is not understood: nothing is bound at this boot",
			w->bypass);
		cure(p, "expected rd.vfio-early=0, rd.vfio-early.skip=TARGET|ADDRESS|ID, rd.vfio-early.profile=NAME or rd.vfio-early.verbose");
	} else {
		say(p, SEVERITY_NOTE, "bypassed", NULL, NULL,
			"nothing is bound at this boot: '%s' %s", w->bypass,
			is_kdump(w) ? "says that this is a kdump kernel" : "bypasses vfio-early");
		cure(p, "to see what a boot without it does: vfio-early --dry-run --cmdline ''");
	}
	skip_all(p);
	return true;
}

static void decide(struct planner *p)
{
	struct plan *plan = p->plan;

	choose_profiles(p);
	if (bypassed(p) || plan->n_targets == 0)
		return;
	say_unknown_profiles(p);
	apply_skips(p);
	for (size_t i = 0; i < plan->n_targets && p->r == 0; i++)
		if (plan->targets[i].verdict == VERDICT_BIND)
			resolve_target(p, &plan->targets[i]);
	skip_sharers(p);
	for (size_t i = 0; i < plan->n_targets && p->r == 0; i++)
		for (size_t j = 0; j < plan->targets[i].n_devices; j++)
			check_device(p, &plan->targets[i],
				&p->snapshot->devices[plan->targets[i].devices[j].device]);
	for (size_t i = 0; i < plan->n_targets && p->r == 0; i++)
		check_overlap(p, &plan->targets[i]);
	/* All that is wrong with a target is told in one run, even if one reason is enough. */
	for (size_t i = 0; i < plan->n_targets && p->r == 0; i++)
		for (size_t j = 0; j < plan->targets[i].n_devices; j++)
			check_guard(p, &plan->targets[i], &plan->targets[i].devices[j]);
	for (size_t i = 0; i < plan->n_targets && p->r == 0; i++)
		if (plan->targets[i].verdict == VERDICT_REFUSED && !plan->targets[i].unresolved &&
			plan->targets[i].target->isolation == ISOLATION_STRICT)
			say_isolation(p, &plan->targets[i]);
	settle(p);
	for (size_t i = 0; i < plan->n_targets && p->r == 0; i++) {
		struct plan_target *t = &plan->targets[i];

		if (t->n_devices)
			qsort(t->devices, t->n_devices, sizeof(*t->devices), by_device);
		if (t->verdict != VERDICT_BIND)
			continue;
		if (t->target->isolation == ISOLATION_NONE && say_blockers(p, t, false))
			cure(p, "bind these too, or use another slot, before you start a virtual machine with [%s]",
				t->target->name);
		say_siblings(p, t);
		say_missing_variants(p, t);
		say_framebuffer(p, t);
		say_group_drivers(p, t);
	}
	add_steps(p);
}

int plan_make(const struct config *c, const struct bootwords *w, const struct snapshot *s,
	const struct module_facts *m, struct plan *ret)
{
	_cleanup_(plan_free) struct plan plan = { 0 };
	struct planner p = {
		.config = c,
		.words = w,
		.snapshot = s,
		.module = m,
		.plan = &plan,
	};

	for (size_t i = 0; i < c->n_targets; i++) {
		struct plan_target *t = array_add(&plan.targets, &plan.n_targets, sizeof(*t));

		if (!t)
			return -ENOMEM;
		t->target = &c->targets[i];
	}
	decide(&p);
	if (p.r < 0)
		return p.r;
	*ret = plan;
	plan = (struct plan){ 0 };
	return 0;
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {
		[VERDICT_BIND] = "bind",
		[VERDICT_REFUSED] = "refused",
		[VERDICT_SKIPPED] = "skipped",
		[VERDICT_INACTIVE] = "inactive",
	};

	return names[verdict];
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->n_targets; i++)
		free(p->targets[i].devices);
	free(p->targets);
	free(p->steps);
	findings_free(&p->findings);
	*p = (struct plan){ 0 };
}
