/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ini_text.h"
#include "rules.h"
#include "suggester.h"

const struct pci_device *device_at(const struct suggester *m, size_t i)
{
	return &m->in->snapshot->devices[i];
}

static size_t index_of(const struct suggester *m, const struct pci_device *d)
{
	return (size_t)(d - m->in->snapshot->devices);
}

static struct line *find_line(const struct suggester *m, size_t device)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].device == device)
			return &m->lines[i];
	return NULL;
}

/* Takes @text, which may be NULL for want of memory. */
static void set_text(struct suggester *m, char **place, char *text)
{
	if (!text)
		m->r = -ENOMEM;
	free(*place);
	*place = text;
}

void add_text(struct suggester *m, char **text, const char *separator, const char *fmt, ...)
{
	_cleanup_free_ char *more = NULL;
	va_list ap;

	va_start(ap, fmt);
	more = vformat(fmt, ap);
	va_end(ap);
	set_text(
		m, text, more ? format("%s%s%s", *text ?: "", *text ? separator : "", more) : NULL);
}

/* --- what is found out --- */

static void tell(struct suggester *m, enum severity severity, const char *id,
	const struct pci_addr *addr, const char *text, const char *cure)
{
	for (size_t i = 0; i < m->told.n; i++)
		if (streq(m->told.items[i].text, text))
			return;
	if (m->r == 0)
		m->r = finding_add(&m->told, severity, id, NULL, addr, "%s", text);
	if (m->r == 0 && cure)
		m->r = finding_cure(&m->told, "%s", cure);
}

bool was_told(const struct suggester *m, const char *id)
{
	for (size_t i = 0; i < m->told.n; i++)
		if (streq(m->told.items[i].id, id))
			return true;
	return false;
}

/* Where the plan's cure speaks of a line that the admin wrote. */
static const char *own_cure(const struct finding *f)
{
	if (streq(f->id, "is-bridge"))
		return "ask for a device behind it; see: vfio-early --list";
	if (streq(f->id, "no-group"))
		return "do without it: this device cannot be passed through on this machine";
	return f->cure;
}

static void tell_finding(struct suggester *m, const struct finding *f)
{
	tell(m, f->severity, f->id, f->has_addr ? &f->addr : NULL, f->text, own_cure(f));
}

/* --- which lines --- */

/* What nobody asks for, and what does not exist at boot, is not looked for. */
static bool is_candidate(const struct pci_device *d)
{
	return !device_is_support(d) && !d->appears_late && !d->behind_vmd;
}

/* The target that names the device, in whatever boot. */
static const struct target *configured_in(const struct suggester *m, const struct pci_device *d)
{
	for (size_t i = 0; i < m->in->config->n_targets; i++) {
		struct config one = { .targets = &m->in->config->targets[i], .n_targets = 1 };

		if (plan_wants(&one, d))
			return one.targets;
	}
	return NULL;
}

static void add_line(struct suggester *m, size_t device, enum role role, size_t asked, bool needed)
{
	struct line *l = find_line(m, device);

	if (l) {
		l->needed |= needed;
		return;
	}
	l = array_add(&m->lines, &m->n_lines, sizeof(*l));
	if (l)
		*l = (struct line){ device, asked, role, needed, LINE_ON, false, NULL };
	else
		m->r = -ENOMEM;
}

static void add_asked(struct suggester *m, size_t device)
{
	const struct pci_device *d = device_at(m, device);
	const struct target *t = configured_in(m, d);
	_cleanup_free_ char *text = NULL;

	if (t) {
		set_text(m, &text,
			format("%s is in [%s] already (%s:%u)", PCI_ADDR(d->addr), t->name, t->file,
				t->line));
		tell(m, SEVERITY_WARNING, "already-configured", &d->addr, text ?: "",
			"to see what the next boot does with it: vfio-early --dry-run; to change it, edit that section");
	} else if (device_is_support(d) && !d->is_bridge) {
		set_text(m, &text,
			format("%s (%s %s) is nothing that a virtual machine could use; it may stay with the host, whatever shares its group",
				PCI_ADDR(d->addr), class_name(d->class), PCI_ID(d->id)));
		tell(m, SEVERITY_ERROR, "nothing-to-bind", &d->addr, text ?: "",
			"ask for another device; see: vfio-early --list");
	} else {
		add_line(m, device, ROLE_ASKED, device, true);
	}
}

/* What goes with a line: the functions of its card, and who shares its group. */
static void expand(struct suggester *m, struct line line)
{
	const struct pci_device *d = device_at(m, line.device);

	if (!is_candidate(d))
		return;
	for (size_t i = 0; i < m->in->snapshot->n_devices; i++) {
		const struct pci_device *other = device_at(m, i);
		bool same_card = device_same_card(d, other);
		bool same_group = line.needed && d->group != NO_GROUP && other->group == d->group;

		if (i != line.device && (same_card || same_group) && is_candidate(other) &&
			!configured_in(m, other))
			add_line(m, i, same_card ? ROLE_FUNCTION : ROLE_GROUP, line.asked,
				same_group);
	}
}

static int by_place(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	bool x_group = x->role == ROLE_GROUP, y_group = y->role == ROLE_GROUP;

	if (x_group != y_group)
		return x_group - y_group;
	return x->device < y->device ? -1 : x->device > y->device;
}

static void collect(struct suggester *m, const size_t *devices, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_asked(m, devices[i]);
	for (size_t i = 0; i < m->n_lines && m->r == 0; i++)
		expand(m, m->lines[i]);
	if (m->n_lines)
		qsort(m->lines, m->n_lines, sizeof(*m->lines), by_place);
}

/* --- the target's name --- */

static bool name_taken(const struct suggester *m, const char *name)
{
	for (size_t i = 0; i < m->in->config->n_targets; i++)
		if (streq(m->in->config->targets[i].name, name))
			return true;
	return false;
}

/* After the device that was named first; a graphics card is one, whichever function was. */
static void choose_name(struct suggester *m, size_t first)
{
	const char *kind = ini_kind(device_at(m, first));

	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].role == ROLE_FUNCTION && m->lines[i].asked == first &&
			m->lines[i].state == LINE_ON &&
			streq(ini_kind(device_at(m, m->lines[i].device)), "gpu"))
			kind = "gpu";
	set_text(m, &m->name, strdup(kind));
	for (unsigned n = 2; m->name && name_taken(m, m->name); n++)
		set_text(m, &m->name, format("%s%u", kind, n));
}

/* --- what the host uses --- */

/* "/ ← nvme0n1p2 ← nvme0n1 ← 0000:03:00.0; swap ..." of the uses that count, a few at most; NULL
 * for none. */
static char *list_uses(struct suggester *m, size_t device, bool keyboards)
{
	static const char *const kinds[] = {
		[USE_MOUNT] = "",
		[USE_SWAP] = "swap ",
		[USE_ROUTE] = "default route ",
		[USE_KEYBOARD] = "keyboard ",
	};
	char *text = NULL;
	size_t n = 0;

	for (size_t i = 0; i < m->in->uses->n; i++) {
		const struct use *u = &m->in->uses->items[i];

		if (u->device == device && (keyboards || u->kind != USE_KEYBOARD) && n++ < 3)
			add_text(m, &text, "; ", "%s%s", kinds[u->kind], u->chain);
	}
	if (n > 3)
		add_text(m, &text, "; ", "and %zu more", n - 3);
	return text;
}

static bool is_taken(const struct suggester *m, size_t device)
{
	const struct line *l = find_line(m, device);

	return (l && l->state != LINE_LEFT) || (m->bound && m->bound[device]);
}

/* Whether there is a keyboard on nothing that would be bound. */
static bool keyboard_stays(const struct suggester *m)
{
	for (size_t i = 0; i < m->in->uses->n; i++)
		if (m->in->uses->items[i].kind == USE_KEYBOARD &&
			!is_taken(m, m->in->uses->items[i].device))
			return true;
	return m->in->uses->other_keyboard;
}

static void leave(struct suggester *m, struct line *l, const char *why)
{
	l->state = LINE_LEFT;
	set_text(m, &l->why,
		format("%s may be reset with the other functions of its card, but is left to the host: %s",
			PCI_ADDR(device_at(m, l->device)->addr), why));
}

static bool is_shared(enum group_verdict verdict)
{
	return verdict == GROUP_SHARED || verdict == GROUP_BLOCKED;
}

/* A graphics card's sound, USB and the like are of the same make as its display. On a processor's
 * own graphics (AMD) the mainboard's USB, sound and security processor are functions beside it, of
 * another make; and of a network card with four ports people ask for one. */
static bool belongs_to_display(const struct suggester *m, const struct line *l)
{
	const struct pci_device *d = device_at(m, l->device), *asked = device_at(m, l->asked);

	for (size_t i = 0; i < m->in->snapshot->n_devices; i++) {
		const struct pci_device *other = device_at(m, i);

		if (CLASS_BASE(other->class) == 0x03 &&
			(other == asked || device_same_card(asked, other)) &&
			other->id.vendor == asked->id.vendor)
			return d->id.vendor == asked->id.vendor;
	}
	return false;
}

/* What is here only because it is a function of the card, and is of use to the host, is left to
 * it. */
static void judge_functions(struct suggester *m)
{
	for (size_t i = 0; i < m->n_lines && m->r == 0; i++) {
		struct line *l = &m->lines[i];
		const struct pci_device *d = device_at(m, l->device);
		const struct iommu_group *g = snapshot_group(m->in->snapshot, d->group);
		_cleanup_free_ char *used = NULL;

		if (l->needed)
			continue;
		used = list_uses(m, l->device, true);
		if (used)
			leave(m, l, used);
		else if (g && is_shared(group_judge(m->in->snapshot, g)))
			leave(m, l, "it shares an IOMMU group with more devices");
		else if (!belongs_to_display(m, l))
			leave(m, l, "it can be bound by itself, and may be of use there");
	}
}

/* Behind it are the firmware's chip, the clock, a laptop's keyboard: nothing in /sys says that the
 * host uses them, and every host does. */
static bool is_mainboard(const struct pci_device *d)
{
	return CLASS_SUB(d->class) == 0x0601 || (CLASS_SUB(d->class) == 0x0c80 && d->on_root_bus);
}

static void judge_uses(struct suggester *m)
{
	for (size_t i = 0; i < m->n_lines && m->r == 0; i++) {
		struct line *l = &m->lines[i];
		bool keyboards = !keyboard_stays(m);
		_cleanup_free_ char *used = NULL, *all = NULL;

		if (l->state == LINE_LEFT)
			continue;
		used = is_mainboard(device_at(m, l->device))
			? strdup("the mainboard's own devices (firmware, clock, embedded controller) are behind it")
			: list_uses(m, l->device, keyboards);
		all = list_uses(m, l->device, true);
		if (used) {
			set_text(m, &l->why, format("The host uses this one: %s", used));
			l->state = l->state == LINE_ON ? LINE_KEPT : l->state;
		} else if (all) {
			set_text(m, &l->why,
				format("This goes with it, and the host keeps another one: %s",
					all));
			l->remark = true;
		}
	}
}

/* Without what was asked for, the rest is for nothing. */
static void judge_origins(struct suggester *m)
{
	for (size_t i = 0; i < m->n_lines; i++) {
		struct line *l = &m->lines[i];

		if (l->state == LINE_ON && find_line(m, l->asked)->state != LINE_ON)
			l->state = LINE_KEPT;
	}
}

/* --- trials --- */

struct trial {
	struct config own;  /* the section */
	struct config both; /* with what is configured already; only the array is its own */
	struct plan plan;
};

static void trial_free(struct trial *t)
{
	plan_free(&t->plan);
	free(t->both.targets);
	config_free(&t->own);
}

/* Plans what is configured together with @text. Without a plan, what is wrong is in own.errors. */
static int trial_make(
	struct suggester *m, const char *text, const struct bootwords *w, struct trial *t)
{
	const struct config *c = m->in->config;
	int r = config_parse(&t->own, "the suggestion", text, strlen(text));

	if (r == 0)
		r = config_finish(&t->own);
	if (r < 0 || t->own.errors.n)
		return r;
	t->both.targets = calloc(c->n_targets + t->own.n_targets + 1, sizeof(*c->targets));
	if (!t->both.targets)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_targets; i++)
		t->both.targets[t->both.n_targets++] = c->targets[i];
	for (size_t i = 0; i < t->own.n_targets; i++)
		t->both.targets[t->both.n_targets++] = t->own.targets[i];
	return plan_make(&t->both, w, m->in->snapshot, m->in->module, &t->plan);
}

static bool needs_consent(const struct suggester *m, enum allow bit)
{
	for (size_t i = 0; i < m->n_needs; i++) {
		enum state state = find_line(m, m->needs[i].device)->state;

		if (m->needs[i].bit == bit && state != LINE_LEFT && state != LINE_NEVER)
			return true;
	}
	return false;
}

/* The section with all that may come into it, as if the admin consented; NULL where that is
 * nothing. */
static char *trial_text(struct suggester *m)
{
	char *text = NULL;

	for (size_t i = 0; i < m->n_lines; i++) {
		_cleanup_free_ char *line = NULL;

		if (m->lines[i].state == LINE_LEFT || m->lines[i].state == LINE_NEVER)
			continue;
		line = plan_line(m->in->snapshot, device_at(m, m->lines[i].device), NULL);
		add_text(m, &text, "\n", "%s", line ?: "");
	}
	if (!text)
		return NULL;
	for (size_t i = 0; i < m->n_needs; i++)
		if (needs_consent(m, m->needs[i].bit))
			add_text(m, &text, "\n", "allow = %s", allow_name(m->needs[i].bit));
	set_text(m, &text, format("[%s]\nisolation = strict\n%s\n", m->name, text ?: ""));
	return text;
}

/* The consent that a guard asks for, or 0. */
static enum allow guard_bit(const struct finding *f)
{
	const char *word = skip_prefix(f->id, "guard-");

	for (unsigned bit = ALLOW_BOOT_DISPLAY; word && bit <= ALLOW_DISPLAY; bit <<= 1)
		if (streq(word, allow_name((enum allow)bit)))
			return (enum allow)bit;
	return (enum allow)0;
}

static bool add_need(struct suggester *m, enum allow bit, struct line *l)
{
	struct need *need;

	for (size_t i = 0; i < m->n_needs; i++)
		if (m->needs[i].bit == bit && m->needs[i].device == l->device)
			return false;
	if (!l->needed) {
		_cleanup_free_ char *why = format("binding it needs 'allow = %s'", allow_name(bit));

		leave(m, l, why ?: "");
		return true;
	}
	need = array_add(&m->needs, &m->n_needs, sizeof(*need));
	if (need)
		*need = (struct need){ bit, l->device };
	else
		m->r = -ENOMEM;
	return need != NULL;
}

/* Takes a line out for good, and says why. Whether it was still in. */
static bool rule_out(struct suggester *m, struct line *l, const struct finding *f)
{
	bool was_in = l->state == LINE_ON;

	if (l->needed)
		tell_finding(m, f);
	if (was_in && l->needed)
		l->state = LINE_NEVER;
	else if (was_in)
		leave(m, l, f->text);
	return was_in;
}

/* What is wrong with a device, whatever else is in the section. */
static bool take_unfit(struct suggester *m, const struct finding *f)
{
	static const char *const ids[] = { "is-bridge", "behind-vmd", "not-yet", "no-group",
		"group-unreadable", "noiommu-group" };
	const struct pci_device *d = f->has_addr ? snapshot_find(m->in->snapshot, f->addr) : NULL;
	struct line *l = d ? find_line(m, index_of(m, d)) : NULL;
	bool whole = streq(f->id, "no-iommu") || streq(f->id, "late-groups"), changed = false;

	/* It is told of one device, and true of all. */
	for (size_t i = 0; i < m->n_lines && whole; i++) {
		m->lines[i].needed = true;
		changed |= rule_out(m, &m->lines[i], f);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ids) && l; i++) {
		if (!streq(f->id, ids[i]))
			continue;
		/* It is the machine's fault, too. */
		l->needed |= streq(f->id, "noiommu-group");
		changed |= rule_out(m, l, f);
	}
	return changed;
}

/* A group that is not isolated even if all is bound that can be: nothing of it will be. */
static bool take_blocked(struct suggester *m, const struct finding *f)
{
	const struct pci_device *d = f->has_addr ? snapshot_find(m->in->snapshot, f->addr) : NULL;
	bool changed = false;

	if (!streq(f->id, "not-isolated"))
		return false;
	for (size_t i = 0; i < m->n_lines; i++) {
		int group = device_at(m, m->lines[i].device)->group;
		const struct iommu_group *g = snapshot_group(m->in->snapshot, group);

		if (d ? group == d->group : g && g->foreign_member)
			changed |= rule_out(m, &m->lines[i], f);
	}
	m->blocked |= changed;
	return changed;
}

static bool take_guard(struct suggester *m, const struct finding *f)
{
	enum allow bit = guard_bit(f);
	const struct pci_device *d =
		bit && f->has_addr ? snapshot_find(m->in->snapshot, f->addr) : NULL;
	struct line *l = d ? find_line(m, index_of(m, d)) : NULL;

	return l && add_need(m, bit, l);
}

/* Whether the trial taught us something, so that the next one is another. */
static bool learn(struct suggester *m, const struct plan *plan)
{
	static bool (*const takes[])(struct suggester *, const struct finding *) = { take_unfit,
		take_blocked, take_guard };
	bool changed = false;

	for (size_t i = 0; i < ARRAY_SIZE(takes) && !changed; i++)
		for (size_t j = 0; j < plan->findings.n && m->r == 0; j++) {
			const struct finding *f = &plan->findings.items[j];

			if (f->severity == SEVERITY_ERROR && f->target && streq(f->target, m->name))
				changed |= takes[i](m, f);
		}
	return changed;
}

/* Whether a target that is there already would be bound without the new one. */
static bool was_bound(const struct suggester *m, const char *name)
{
	for (size_t i = 0; i < m->before.n_targets; i++)
		if (streq(m->before.targets[i].target->name, name))
			return m->before.targets[i].verdict == VERDICT_BIND;
	return false;
}

/* What is left to say: of the new target, of the machine, and of a target that falls because of the
 * new one. */
static void tell_rest(struct suggester *m, const struct trial *t)
{
	for (size_t i = 0; i < t->own.errors.n; i++)
		tell_finding(m, &t->own.errors.items[i]);
	for (size_t i = 0; i < t->plan.findings.n; i++) {
		const struct finding *f = &t->plan.findings.items[i];
		bool own = !f->target || streq(f->target, m->name);
		const struct pci_device *d =
			f->has_addr ? snapshot_find(m->in->snapshot, f->addr) : NULL;
		const struct line *l = d ? find_line(m, index_of(m, d)) : NULL;

		/* The line's own comment says it. */
		if (streq(f->id, "siblings") && l && l->state == LINE_LEFT)
			continue;
		if (f->severity > SEVERITY_NOTE &&
			(own || (f->severity == SEVERITY_ERROR && was_bound(m, f->target))))
			tell_finding(m, f);
	}
}

static void note_bound(struct suggester *m, const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].kind == STEP_OVERRIDE)
			m->bound[plan->steps[i].device] = true;
}

/* Asks the plan until there is nothing more to learn; each time a line goes or a need comes, so it
 * ends. */
static void try_all(struct suggester *m)
{
	bool changed = true;

	while (changed && m->r == 0) {
		_cleanup_(trial_free) struct trial t = { 0 };
		_cleanup_free_ char *text = trial_text(m);

		if (!text || m->r < 0)
			return;
		m->r = trial_make(m, text, &m->words, &t);
		if (m->r < 0)
			return;
		changed = learn(m, &t.plan);
		if (changed)
			continue;
		tell_rest(m, &t);
		note_bound(m, &t.plan);
	}
}

/* --- the words of "allow" --- */

/* "0000:03:00.0, 0000:04:00.0": the devices that need the consent. */
static char *list_needing(struct suggester *m, enum allow bit)
{
	char *text = NULL;

	for (size_t i = 0; i < m->n_needs; i++)
		if (m->needs[i].bit == bit && find_line(m, m->needs[i].device)->state != LINE_NEVER)
			add_text(m, &text, ", ", "%s",
				PCI_ADDR(device_at(m, m->needs[i].device)->addr));
	return text;
}

static bool needed_is_kept(const struct suggester *m, enum allow bit)
{
	for (size_t i = 0; i < m->n_needs; i++)
		if (m->needs[i].bit == bit && find_line(m, m->needs[i].device)->why &&
			find_line(m, m->needs[i].device)->state == LINE_KEPT)
			return true;
	return false;
}

static void judge_storage(struct suggester *m, struct word *w, const char *which)
{
	w->on = false;
	if (needed_is_kept(m, w->bit)) {
		set_text(m, &w->why,
			format("Storage: %s, where the host has what is said above; consent only when it has not.",
				which));
	} else if (m->in->uses->n_unknown) {
		set_text(m, &w->why,
			format("Storage: %s. Not all that the host uses could be followed to its disks (%s): if it is not there, delete the '# '.",
				which, m->in->uses->unknown[0]));
	} else {
		w->on = true;
		set_text(m, &w->why,
			format("Storage: %s. The host has nothing mounted from there now, and no swap; see that /etc/fstab and /etc/crypttab do not ask for a disk of it either.",
				which));
	}
}

/* A display that the host keeps, or NULL. */
static const struct pci_device *display_left(const struct suggester *m)
{
	for (size_t i = 0; i < m->in->snapshot->n_devices; i++) {
		const struct pci_device *d = device_at(m, i);

		if (device_is_display(d) && !d->appears_late && !is_taken(m, i) &&
			!(d->driver && driver_is_vfio_safe(d->driver)))
			return d;
	}
	return NULL;
}

static void judge_display(struct suggester *m, struct word *w, const char *which)
{
	const struct pci_device *left = display_left(m);

	w->on = w->remark = left != NULL;
	if (left)
		set_text(m, &w->why,
			format("%s is the boot display, which goes dark when it is bound. The host keeps %s: make that the primary display in the firmware's settings, or see that you can do without the boot's messages.",
				which, PCI_ADDR(left->addr)));
	else
		set_text(m, &w->why,
			format("With %s no display is left to the host: its console goes dark. If it can do without, and you can log in over the network, delete the '# '.",
				which));
}

static void judge_usb(struct suggester *m, struct word *w, const char *which)
{
	w->on = w->remark = !needed_is_kept(m, w->bit);
	if (!w->on)
		set_text(m, &w->why,
			format("With %s no USB controller is left to the host, which uses what is said above. If it can do without, and you can log in over the network, delete the '# '.",
				which));
	else
		set_text(m, &w->why,
			format("With %s no USB controller is left to the host. %s.", which,
				keyboard_stays(m)
					? "It has its keyboard elsewhere"
					: "It has no keyboard now, and can have none then"));
}

static void judge_word(struct suggester *m, enum allow bit)
{
	_cleanup_free_ char *which = list_needing(m, bit);
	struct word *w = array_add(&m->allow, &m->n_allow, sizeof(*w));

	if (!w || !which) {
		m->r = -ENOMEM;
		return;
	}
	w->bit = bit;
	if (bit == ALLOW_STORAGE)
		judge_storage(m, w, which);
	else if (bit == ALLOW_BOOT_DISPLAY)
		judge_display(m, w, which);
	else if (bit == ALLOW_LAST_USB)
		judge_usb(m, w, which);
	else if (bit == ALLOW_NET_ROOT)
		set_text(m, &w->why,
			format("The root file system comes over the network, by the kernel command line. If not through %s, delete the '# '.",
				which));
	else
		set_text(m, &w->why,
			format("%s: VFIO will refuse it when a virtual machine starts, because of a direct reserved region (RMRR or IVMD). Look for a firmware setting or update that frees it; to bind it nevertheless, delete the '# '.",
				which));
}

static void judge_words(struct suggester *m)
{
	for (unsigned bit = ALLOW_BOOT_DISPLAY; bit <= ALLOW_DISPLAY && m->r == 0; bit <<= 1)
		if (needs_consent(m, (enum allow)bit))
			judge_word(m, (enum allow)bit);
}

/* --- the whole --- */

bool has_line(const struct suggester *m, enum state state)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].state == state)
			return true;
	return false;
}

bool takes_chipset(const struct suggester *m)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].role == ROLE_GROUP && m->lines[i].state == LINE_ON &&
			device_at(m, m->lines[i].device)->on_root_bus)
			return true;
	return false;
}

int suggestion_status(const struct suggester *m)
{
	int status = findings_status(&m->told);

	status = status < 1 && takes_chipset(m) ? 1 : status;
	for (size_t i = 0; i < m->n_lines; i++) {
		const struct line *l = &m->lines[i];
		int own = l->state == LINE_ON ? l->remark : l->state == LINE_LEFT ? 1 : 2;

		status = own > status ? own : status;
	}
	for (size_t i = 0; i < m->n_allow; i++) {
		int own = m->allow[i].on ? m->allow[i].remark : 2;

		status = own > status ? own : status;
	}
	return status;
}

/* Plans the very text that is printed, comments and all, with the words that forbid something: what
 * is not said yet is said now. */
static void verify(struct suggester *m, const char *text)
{
	struct bootwords w = *m->in->words;
	struct trial t = { 0 };

	if (!w.bypass_bad)
		w.bypass = NULL;
	m->r = trial_make(m, text, &w, &t);
	if (m->r == 0)
		tell_rest(m, &t);
	trial_free(&t);
}

static void make(struct suggester *m, const size_t *devices, size_t n, char **ret)
{
	size_t told;

	collect(m, devices, n);
	note_bound(m, &m->before);
	judge_functions(m);
	choose_name(m, devices[0]);
	if (m->r < 0)
		return;
	try_all(m);
	judge_uses(m);
	judge_origins(m);
	judge_words(m);
	if (m->r < 0)
		return;
	*ret = section_make(m, devices, n);
	told = m->told.n;
	if (m->r == 0 && suggestion_status(m) < 2)
		verify(m, *ret);
	if (m->r == 0 && m->told.n != told)
		set_text(m, ret, section_make(m, devices, n));
}

static void suggester_free(struct suggester *m)
{
	for (size_t i = 0; i < m->n_lines; i++)
		free(m->lines[i].why);
	for (size_t i = 0; i < m->n_allow; i++)
		free(m->allow[i].why);
	free(m->lines);
	free(m->needs);
	free(m->allow);
	free(m->bound);
	free(m->name);
	plan_free(&m->before);
	findings_free(&m->told);
}

int suggest_make(
	const struct suggest *s, const size_t *devices, size_t n, char **ret_text, int *ret_status)
{
	_cleanup_(suggester_free) struct suggester m = { .in = s, .words = *s->words };
	char *text = NULL;

	m.words.bypass = NULL;
	m.words.n_skip = 0;
	m.bound = calloc(s->snapshot->n_devices, sizeof(*m.bound));
	m.r = m.bound ? plan_make(s->config, &m.words, s->snapshot, s->module, &m.before) : -ENOMEM;
	if (m.r == 0)
		make(&m, devices, n, &text);
	if (m.r < 0) {
		free(text);
		return m.r;
	}
	*ret_text = text;
	*ret_status = suggestion_status(&m);
	return 0;
}
