/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rules.h"
#include "suggest.h"

#define COLUMNS 100

enum role {
	ROLE_ASKED,
	ROLE_FUNCTION, /* of the card of one that stands here */
	ROLE_GROUP,    /* in the IOMMU group of one */
};

enum state {
	LINE_ON,
	LINE_LEFT,  /* commented out: the target does without it */
	LINE_KEPT,  /* commented out: the host needs it, or all that it was for */
	LINE_NEVER, /* commented out: it cannot be bound */
};

/* A "device =" line. */
struct line {
	size_t device;
	size_t asked; /* the device for whose sake it is here */
	enum role role;
	bool needed; /* for isolation; or asked for */
	enum state state;
	bool remark; /* @why is a warning, although the line is on */
	char *why;   /* the comment above it, or NULL */
};

/* A consent without which the plan refuses a device. */
struct need {
	enum allow bit;
	size_t device;
};

struct word {
	enum allow bit;
	bool on;
	bool remark;
	char *why;
};

struct maker {
	const struct suggest *in;
	struct bootwords words; /* the same strings, without what bypasses or skips */
	struct plan before;     /* of what is configured already */
	char *name;             /* of the target */
	struct line *lines;
	size_t n_lines;
	struct need *needs;
	size_t n_needs;
	struct word *allow;
	size_t n_allow;
	bool *bound;          /* for each device: whether a target takes it */
	bool blocked;         /* a group cannot be isolated */
	struct findings told; /* at the top */
	int r;                /* first error; -ENOMEM is the only one there is */
};

static const struct pci_device *device_at(const struct maker *m, size_t i)
{
	return &m->in->snapshot->devices[i];
}

static size_t index_of(const struct maker *m, const struct pci_device *d)
{
	return (size_t)(d - m->in->snapshot->devices);
}

static struct line *find_line(const struct maker *m, size_t device)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].device == device)
			return &m->lines[i];
	return NULL;
}

/* Takes @text, which may be NULL for want of memory. */
static void set_text(struct maker *m, char **place, char *text)
{
	if (!text)
		m->r = -ENOMEM;
	free(*place);
	*place = text;
}

/* Adds to a text, behind a separator where there is something in it. */
static _printf_(4, 5) void add_text(
	struct maker *m, char **text, const char *separator, const char *fmt, ...)
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

static void tell(struct maker *m, enum severity severity, const char *id,
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

static bool was_told(const struct maker *m, const char *id)
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

static void tell_finding(struct maker *m, const struct finding *f)
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
static const struct target *configured_in(const struct maker *m, const struct pci_device *d)
{
	for (size_t i = 0; i < m->in->config->n_targets; i++) {
		struct config one = { .targets = &m->in->config->targets[i], .n_targets = 1 };

		if (plan_wants(&one, d))
			return one.targets;
	}
	return NULL;
}

static void add_line(struct maker *m, size_t device, enum role role, size_t asked, bool needed)
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

static void add_asked(struct maker *m, size_t device)
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
static void expand(struct maker *m, struct line line)
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

static void collect(struct maker *m, const size_t *devices, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_asked(m, devices[i]);
	for (size_t i = 0; i < m->n_lines && m->r == 0; i++)
		expand(m, m->lines[i]);
	if (m->n_lines)
		qsort(m->lines, m->n_lines, sizeof(*m->lines), by_place);
}

/* --- the target's name --- */

static const char *kind_name(const struct pci_device *d)
{
	if (CLASS_BASE(d->class) == 0x03)
		return "gpu";
	if (CLASS_SUB(d->class) == 0x0108)
		return "nvme";
	if (CLASS_BASE(d->class) == 0x01)
		return "storage";
	if (CLASS_BASE(d->class) == 0x02 || CLASS_SUB(d->class) == 0x0d80)
		return "net";
	if (device_is_usb_host(d))
		return "usb";
	if (CLASS_SUB(d->class) == 0x0401 || CLASS_SUB(d->class) == 0x0403)
		return "audio";
	return "device";
}

static bool name_taken(const struct maker *m, const char *name)
{
	for (size_t i = 0; i < m->in->config->n_targets; i++)
		if (streq(m->in->config->targets[i].name, name))
			return true;
	return false;
}

/* After the device that was named first; a graphics card is one, whichever function was. */
static void choose_name(struct maker *m, size_t first)
{
	const char *kind = kind_name(device_at(m, first));

	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].role == ROLE_FUNCTION && m->lines[i].asked == first &&
			streq(kind_name(device_at(m, m->lines[i].device)), "gpu"))
			kind = "gpu";
	set_text(m, &m->name, strdup(kind));
	for (unsigned n = 2; m->name && name_taken(m, m->name); n++)
		set_text(m, &m->name, format("%s%u", kind, n));
}

/* --- what the host uses --- */

/* "/ ← nvme0n1p2 ← nvme0n1 ← 0000:03:00.0; swap ..." of the uses that count, a few at most; NULL
 * for none. */
static char *list_uses(struct maker *m, size_t device, bool keyboards)
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

static bool is_taken(const struct maker *m, size_t device)
{
	const struct line *l = find_line(m, device);

	return (l && l->state != LINE_LEFT) || (m->bound && m->bound[device]);
}

/* Whether there is a keyboard on nothing that would be bound. */
static bool keyboard_stays(const struct maker *m)
{
	for (size_t i = 0; i < m->in->uses->n; i++)
		if (m->in->uses->items[i].kind == USE_KEYBOARD &&
			!is_taken(m, m->in->uses->items[i].device))
			return true;
	return m->in->uses->other_keyboard;
}

static void leave(struct maker *m, struct line *l, const char *why)
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

/* What is here only because it is a function of the card costs nobody anything. */
static void judge_functions(struct maker *m)
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
	}
}

static void judge_uses(struct maker *m)
{
	for (size_t i = 0; i < m->n_lines && m->r == 0; i++) {
		struct line *l = &m->lines[i];
		bool keyboards = !keyboard_stays(m);
		_cleanup_free_ char *used = NULL, *all = NULL;

		if (l->state == LINE_LEFT)
			continue;
		used = list_uses(m, l->device, keyboards);
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
static void judge_origins(struct maker *m)
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
static int trial_make(struct maker *m, const char *text, const struct bootwords *w, struct trial *t)
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

static bool needs_consent(const struct maker *m, enum allow bit)
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
static char *trial_text(struct maker *m)
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

static bool add_need(struct maker *m, enum allow bit, struct line *l)
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
static bool rule_out(struct maker *m, struct line *l, const struct finding *f)
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
static bool take_unfit(struct maker *m, const struct finding *f)
{
	static const char *const ids[] = { "is-bridge", "behind-vmd", "not-yet", "no-group",
		"group-unreadable", "noiommu-group" };
	const struct pci_device *d = f->has_addr ? snapshot_find(m->in->snapshot, f->addr) : NULL;
	struct line *l = d ? find_line(m, index_of(m, d)) : NULL;
	bool changed = false;

	/* It is told of one device, and true of all. */
	for (size_t i = 0; i < m->n_lines && streq(f->id, "no-iommu"); i++) {
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
static bool take_blocked(struct maker *m, const struct finding *f)
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

static bool take_guard(struct maker *m, const struct finding *f)
{
	enum allow bit = guard_bit(f);
	const struct pci_device *d =
		bit && f->has_addr ? snapshot_find(m->in->snapshot, f->addr) : NULL;
	struct line *l = d ? find_line(m, index_of(m, d)) : NULL;

	return l && add_need(m, bit, l);
}

/* Whether the trial taught us something, so that the next one is another. */
static bool learn(struct maker *m, const struct plan *plan)
{
	static bool (*const takes[])(
		struct maker *, const struct finding *) = { take_unfit, take_blocked, take_guard };
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
static bool was_bound(const struct maker *m, const char *name)
{
	for (size_t i = 0; i < m->before.n_targets; i++)
		if (streq(m->before.targets[i].target->name, name))
			return m->before.targets[i].verdict == VERDICT_BIND;
	return false;
}

/* What is left to say: of the new target, of the machine, and of a target that falls because of the
 * new one. */
static void tell_rest(struct maker *m, const struct trial *t)
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

static void note_bound(struct maker *m, const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].kind == STEP_OVERRIDE)
			m->bound[plan->steps[i].device] = true;
}

/* Asks the plan until there is nothing more to learn; each time a line goes or a need comes, so it
 * ends. */
static void try_all(struct maker *m)
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
static char *list_needing(struct maker *m, enum allow bit)
{
	char *text = NULL;

	for (size_t i = 0; i < m->n_needs; i++)
		if (m->needs[i].bit == bit && find_line(m, m->needs[i].device)->state != LINE_NEVER)
			add_text(m, &text, ", ", "%s",
				PCI_ADDR(device_at(m, m->needs[i].device)->addr));
	return text;
}

static bool needed_is_kept(const struct maker *m, enum allow bit)
{
	for (size_t i = 0; i < m->n_needs; i++)
		if (m->needs[i].bit == bit && find_line(m, m->needs[i].device)->why &&
			find_line(m, m->needs[i].device)->state == LINE_KEPT)
			return true;
	return false;
}

static void judge_storage(struct maker *m, struct word *w, const char *which)
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
			format("Storage: %s. The host has nothing mounted from there now, and no swap.",
				which));
	}
}

/* A display that the host keeps, or NULL. */
static const struct pci_device *display_left(const struct maker *m)
{
	for (size_t i = 0; i < m->in->snapshot->n_devices; i++) {
		const struct pci_device *d = device_at(m, i);

		if (device_is_display(d) && !d->appears_late && !is_taken(m, i) &&
			!(d->driver && driver_is_vfio_safe(d->driver)))
			return d;
	}
	return NULL;
}

static void judge_display(struct maker *m, struct word *w, const char *which)
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

static void judge_usb(struct maker *m, struct word *w, const char *which)
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

static void judge_word(struct maker *m, enum allow bit)
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

static void judge_words(struct maker *m)
{
	for (unsigned bit = ALLOW_BOOT_DISPLAY; bit <= ALLOW_DISPLAY && m->r == 0; bit <<= 1)
		if (needs_consent(m, (enum allow)bit))
			judge_word(m, (enum allow)bit);
}

/* --- the text --- */

/* What names, chains and files hold must neither end the comment nor steer a terminal. */
static void put_tame(const char *s, size_t len, FILE *out)
{
	for (size_t i = 0; i < len; i++)
		fputc((unsigned char)s[i] < 0x20 || s[i] == 0x7f ? '?' : s[i], out);
}

/* In UTF-8 each byte but these begins a character. */
static bool continues_char(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t columns(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += !continues_char(s[i]);
	return n;
}

/* A paragraph of comment lines: @first begins the first one, @rest the others. */
static _printf_(4, 5) void comment(
	FILE *out, const char *first, const char *rest, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	size_t column, len;
	va_list ap;

	va_start(ap, fmt);
	text = vformat(fmt, ap);
	va_end(ap);
	fputs(first, out);
	column = strlen(first);
	for (const char *s = text ?: "memory is short"; *s; s += len + (s[len] == ' ')) {
		bool begins = s == text;

		len = strcspn(s, " ");
		if (!begins && column + 1 + columns(s, len) > COLUMNS) {
			fprintf(out, "\n%s", rest);
			column = strlen(rest);
		} else if (!begins) {
			fputc(' ', out);
			column++;
		}
		put_tame(s, len, out);
		column += columns(s, len);
	}
	fputc('\n', out);
}

#define COMMENT(out, ...) comment((out), "# ", "# ", __VA_ARGS__)

static void write_told(const struct findings *told, FILE *out)
{
	for (size_t i = 0; i < told->n; i++) {
		const struct finding *f = &told->items[i];

		comment(out, "# ", "#   ", "%s: %s [%s]", severity_name(f->severity), f->text,
			f->id);
		if (f->cure)
			comment(out, "#   -> ", "#      ", "%s", f->cure);
	}
}

static bool any_line(const struct maker *m, enum state state)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].state == state)
			return true;
	return false;
}

/* A line that is commented out for the host's sake. */
static bool is_kept(const struct line *l)
{
	return l->state == LINE_KEPT && l->why;
}

static bool any_kept(const struct maker *m)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (is_kept(&m->lines[i]))
			return true;
	return false;
}

/* What is on the mainboard may be of use to the host in ways that nobody can find out. */
static bool has_chipset(const struct maker *m)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].role == ROLE_GROUP && m->lines[i].state == LINE_ON &&
			device_at(m, m->lines[i].device)->on_root_bus)
			return true;
	return false;
}

/* Worse of what the lines, the words and the findings come to. */
static int status_of(const struct maker *m)
{
	int status = findings_status(&m->told);

	status = status < 1 && has_chipset(m) ? 1 : status;
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

/* "device = ...  # NAME, CLASS", in one line that fits. */
static void write_device(struct maker *m, const struct line *l, FILE *out)
{
	const struct pci_device *d = device_at(m, l->device);
	_cleanup_free_ char *line = plan_line(m->in->snapshot, d, NULL), *text = NULL;
	bool by_path;
	size_t len = 0;

	if (d->is_bridge)
		return;
	if (l->why)
		COMMENT(out, "%s", l->why);
	by_path = line && strchr(line, '/');
	text = format("%s%s  # %s%s%s%s%s", l->state == LINE_ON ? "" : "# ", line ?: "",
		by_path ? PCI_ADDR(d->addr) : "", by_path ? ", " : "", d->name ?: "",
		d->name ? ", " : "", class_name(d->class));
	if (!line || !text) {
		m->r = -ENOMEM;
		return;
	}
	for (size_t n = 0; text[len] && (continues_char(text[len]) || n < COLUMNS); len++)
		n += !continues_char(text[len]);
	put_tame(text, len, out);
	fputc('\n', out);
}

static bool is_by_path(struct maker *m, const struct line *l)
{
	_cleanup_free_ char *line = plan_line(m->in->snapshot, device_at(m, l->device), NULL);

	return line && strchr(line, '/');
}

static void write_devices(struct maker *m, FILE *out)
{
	bool headed = false, paths = false;

	for (size_t i = 0; i < m->n_lines; i++) {
		const struct line *l = &m->lines[i];

		if (l->role == ROLE_GROUP && !headed) {
			COMMENT(out,
				"These share an IOMMU group with what is above: all of it is bound together, or nothing.");
			if (has_chipset(m))
				COMMENT(out,
					"Some are the chipset's own: see that the host can do without them.");
		}
		headed |= l->role == ROLE_GROUP;
		if (!paths && is_by_path(m, l)) {
			paths = true;
			COMMENT(out,
				"By its topology path, since another device has the same ID: with that an address would prove nothing.");
		}
		write_device(m, l, out);
	}
}

static void write_section(struct maker *m, FILE *out)
{
	bool on = any_line(m, LINE_ON);
	const char *mark = on ? "" : "# ";

	fprintf(out, "%s[%s]\n", mark, m->name);
	/* What is in the group is named below; nothing else is to come in, or to be left out. */
	if (m->in->config->isolation > ISOLATION_STRICT)
		fprintf(out, "%sisolation = strict\n", mark);
	write_devices(m, out);
	for (size_t i = 0; i < m->n_allow; i++) {
		const struct word *w = &m->allow[i];

		COMMENT(out, "%s", w->why ?: "");
		fprintf(out, "%sallow = %s\n", on && w->on ? "" : "# ", allow_name(w->bit));
	}
	if (!on || any_kept(m))
		return;
	COMMENT(out,
		"For a careful first boot delete the '# ' of the next line: then it is bound only where the kernel command line has rd.vfio-early.profile=try; the same goes for the --cmdline of --dry-run.");
	fputs("# profile = try\n", out);
}

/* Whether something is in the way that is not what was asked for. */
static bool others_in_the_way(const struct maker *m)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].role != ROLE_ASKED && is_kept(&m->lines[i]))
			return true;
	return m->blocked;
}

static bool any_in_slot(const struct maker *m)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].role == ROLE_ASKED &&
			!device_at(m, m->lines[i].device)->on_root_bus)
			return true;
	return false;
}

static void write_alternatives(const struct maker *m, const char *asked, FILE *out)
{
	bool others = others_in_the_way(m);

	if (!others && !any_kept(m))
		return;
	fputs("#\n# What can be done:\n", out);
	if (others && any_in_slot(m))
		comment(out, "# - ", "#   ",
			"if it is a card, put it into another slot, and ask again: its group is another one there");
	if (others)
		comment(out, "# - ", "#   ",
			"look for ACS in the firmware's settings, switch it on, and ask again: groups are smaller with it");
	if (any_kept(m))
		comment(out, "# - ", "#   ",
			"have the host use something else instead of what it uses above, and ask again");
	comment(out, "# - ", "#   ", "do without: leave %s to the host", asked);
}

static void write_steps(const struct maker *m, const char *asked, FILE *out)
{
	const char *file = m->in->file ?: CONFIG_FILE;
	const char *option = m->in->file ? " --config " : "", *value = m->in->file ?: "";

	fprintf(out, "#\n# %s:\n",
		status_of(m) < 2 ? "The next steps" : "When that is settled, the next steps");
	comment(out, "# 1. ", "#    ", "append this: vfio-early --suggest %s%s%s >>%s", asked,
		option, value, file);
	comment(out, "# 2. ", "#    ", "see what the next boot will do: vfio-early --dry-run%s%s",
		option, value);
	comment(out, "# 3. ", "#    ", "build the initramfs image anew: %s", m->in->rebuild);
	comment(out, "# 4. ", "#    ", "reboot; the way back is rd.vfio-early=0 in the boot menu");
	comment(out, "# 5. ", "#    ", "see what came of it: vfio-early --check");
}

/* Nobody ever binds a bridge. */
static bool any_printable(const struct maker *m)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (!device_at(m, m->lines[i].device)->is_bridge)
			return true;
	return false;
}

static void write_text(struct maker *m, const char *asked, FILE *out)
{
	static const char *const verdicts[] = { "ready", "ready, with a warning",
		"not ready, for the reasons given" };
	int status = status_of(m);

	/* The file that it is appended to may lack its last newline. */
	fputc('\n', out);
	COMMENT(out, "vfio-early --suggest %s: %s", asked,
		status < 2 && !any_line(m, LINE_ON) ? "nothing to add" : verdicts[status]);
	if (!m->in->root)
		COMMENT(out,
			"Not run as root: where the firmware draws, only root can read. Run it again as root, if a display is in this.");
	write_told(&m->told, out);
	if (was_told(m, "no-iommu") || was_told(m, "noiommu-group"))
		COMMENT(out,
			"When the IOMMU is on, ask again: what shares the group is not known until then. It begins like this:");
	if (any_printable(m))
		write_section(m, out);
	write_alternatives(m, asked, out);
	if (any_line(m, LINE_ON) && !any_kept(m))
		write_steps(m, asked, out);
}

static char *make_text(struct maker *m, const size_t *devices, size_t n)
{
	_cleanup_free_ char *asked = NULL;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		m->r = -ENOMEM;
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		add_text(m, &asked, " ", "%s", PCI_ADDR(device_at(m, devices[i])->addr));
	write_text(m, asked ?: "", out);
	if (fclose(out) != 0)
		m->r = -ENOMEM;
	return text;
}

/* Plans the very text that is printed, comments and all, with the words that forbid something: what
 * is not said yet is said now. */
static void verify(struct maker *m, const char *text)
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

static void make(struct maker *m, const size_t *devices, size_t n, char **ret)
{
	size_t told;

	collect(m, devices, n);
	choose_name(m, devices[0]);
	if (m->r < 0)
		return;
	note_bound(m, &m->before);
	judge_functions(m);
	try_all(m);
	judge_uses(m);
	judge_origins(m);
	judge_words(m);
	if (m->r < 0)
		return;
	*ret = make_text(m, devices, n);
	told = m->told.n;
	if (m->r == 0 && status_of(m) < 2)
		verify(m, *ret);
	if (m->r == 0 && m->told.n != told)
		set_text(m, ret, make_text(m, devices, n));
}

static void maker_free(struct maker *m)
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
	_cleanup_(maker_free) struct maker m = { .in = s, .words = *s->words };
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
	*ret_status = status_of(&m);
	return 0;
}

int suggest_config_errors(const struct findings *errors, char **ret_text)
{
	size_t size;
	FILE *out = open_memstream(ret_text, &size);

	if (!out)
		return -ENOMEM;
	fputc('\n', out);
	COMMENT(out,
		"vfio-early --suggest: the configuration is in error, so nothing at all would be bound. Correct it, and ask again:");
	write_told(errors, out);
	return fclose(out) == 0 ? 0 : -ENOMEM;
}
