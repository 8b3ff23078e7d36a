/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host.h"
#include "import.h"
#include "ini_text.h"
#include "leftovers.h"
#include "rules.h"
#include "sysfs.h"

#define N_ALLOW 8

enum state {
	LINE_ON,
	LINE_ASKED, /* commented out: one of several with this ID */
	LINE_KEPT,  /* commented out: the host uses it, or it is not there yet at the hook */
};

/* A device that some other way binds. */
struct line {
	size_t device;
	size_t set;
	bool certain; /* named by its address, or the only one with its ID */
	enum state state;
	char *from; /* where it is named, ", " between */
	char *why;  /* the comment above it, or NULL */
};

/* A target: the devices of one card, and those in one IOMMU group with them. */
struct set {
	char *name;
	char *consents[N_ALLOW]; /* for each bit of enum allow why the word is here, or NULL */
	char *asks[N_ALLOW];     /* a question in place of what is said of it, or NULL */
	bool off[N_ALLOW];       /* the word is commented out */
};

struct importer {
	const struct session *in;
	struct bootwords words; /* the same strings, without what bypasses or skips */
	struct line *lines;     /* in order of set, then of address */
	size_t n_lines;
	struct set *sets;
	size_t n_sets;
	char **notes; /* at the top */
	size_t n_notes;
	size_t n_found; /* devices and IDs that are named anywhere */
	int status;
	struct config own;  /* what was written, read back */
	struct config both; /* with what is configured already; only the array is its own */
	struct plan plan;
	int r; /* first error; -ENOMEM is the only one there is */
};

static const struct pci_device *device_at(const struct importer *m, size_t i)
{
	return &m->in->snapshot.devices[i];
}

static void worsen(struct importer *m, int status)
{
	m->status = status > m->status ? status : m->status;
}

static _printf_(3, 4) void set_text(struct importer *m, char **place, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = vformat(fmt, ap);
	va_end(ap);
	if (!text)
		m->r = -ENOMEM;
	free(*place);
	*place = text;
}

static _printf_(3, 4) void note(struct importer *m, int status, const char *fmt, ...)
{
	char **place = array_add(&m->notes, &m->n_notes, sizeof(*place));
	va_list ap;

	worsen(m, status);
	va_start(ap, fmt);
	if (place)
		*place = vformat(fmt, ap);
	va_end(ap);
	if (!place || !*place)
		m->r = -ENOMEM;
}

/* --- which devices --- */

static struct line *find_line(const struct importer *m, size_t device)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].device == device)
			return &m->lines[i];
	return NULL;
}

static bool is_configured(const struct importer *m, const struct pci_device *d)
{
	return m->in->config.errors.n == 0 && plan_wants(&m->in->config, d);
}

static void add_line(struct importer *m, size_t device, const char *where, bool certain)
{
	const struct pci_device *d = device_at(m, device);
	struct line *l = find_line(m, device);

	if (d->is_bridge) {
		note(m, 0, "%s: %s is a PCI bridge, which vfio-pci never binds", where,
			PCI_ADDR(d->addr));
		return;
	}
	if (is_configured(m, d)) {
		note(m, 0, "%s: %s is configured already", where, PCI_ADDR(d->addr));
		return;
	}
	if (!l) {
		l = array_add(&m->lines, &m->n_lines, sizeof(*l));
		if (!l) {
			m->r = -ENOMEM;
			return;
		}
		l->device = device;
		set_text(m, &l->from, "%s", where);
	} else if (!strstr(l->from, where)) {
		set_text(m, &l->from, "%s, %s", l->from, where);
	}
	l->certain |= certain;
}

/* One element of "ids=", as drivers/vfio/pci/vfio_pci.c reads it, all ones for any. */
struct wanted_id {
	unsigned vendor, device, subvendor, subdevice, class, mask;
};

#define ANY_ID 0xffffffffU

static bool id_matches(const struct wanted_id *w, const struct pci_device *d)
{
	return (w->vendor == ANY_ID || w->vendor == d->id.vendor) &&
		(w->device == ANY_ID || w->device == d->id.device) &&
		(w->subvendor == ANY_ID || w->subvendor == d->subsystem.vendor) &&
		(w->subdevice == ANY_ID || w->subdevice == d->subsystem.device) &&
		((w->class ^ d->class) & w->mask) == 0;
}

/* Whether a device matches that is not on the card of this one. */
static bool has_twin(
	const struct importer *m, const struct wanted_id *w, const struct pci_device *d)
{
	for (size_t i = 0; i < m->in->snapshot.n_devices; i++) {
		const struct pci_device *other = device_at(m, i);

		if (!pci_addr_siblings(other->addr, d->addr) && id_matches(w, other))
			return true;
	}
	return false;
}

static void import_id(struct importer *m, const char *id, const char *where)
{
	struct wanted_id w = { 0, 0, ANY_ID, ANY_ID, 0, 0 };
	int fields = sscanf(id, "%x:%x:%x:%x:%x:%x", &w.vendor, &w.device, &w.subvendor,
		&w.subdevice, &w.class, &w.mask);
	size_t n = 0;

	m->n_found++;
	if (fields < 2) {
		note(m, 1, "%s: '%s' is no ID: vfio-pci passes over it", where, id);
		return;
	}
	for (size_t i = 0; i < m->in->snapshot.n_devices; i++) {
		const struct pci_device *d = device_at(m, i);

		if (!id_matches(&w, d))
			continue;
		n++;
		add_line(m, i, where, !has_twin(m, &w, d));
	}
	if (n == 0)
		note(m, 1,
			"%s: no device here has the ID %s: is it missing, or from another machine?",
			where, id);
}

static void import_ids(struct importer *m, const struct trace *t, const char *where)
{
	_cleanup_free_ char *copy = strdup(t->value);
	char *rest = copy, *id;

	m->r = copy ? m->r : -ENOMEM;
	while (copy && (id = strsep(&rest, ",")))
		if (*id)
			import_id(m, id, where);
}

static void import_address(struct importer *m, const struct trace *t, const char *where)
{
	const struct pci_device *d = snapshot_find(&m->in->snapshot, t->addr);

	m->n_found++;
	if (d)
		add_line(m, (size_t)(d - m->in->snapshot.devices), where, true);
	else
		note(m, 1, "%s: there is no device at %s: is it missing, or has it moved?", where,
			PCI_ADDR(t->addr));
}

static void import_trace(struct importer *m, const struct trace *t)
{
	_cleanup_free_ char *where = trace_where(t);

	if (!where)
		m->r = -ENOMEM;
	else if (t->kind == TRACE_IDS)
		import_ids(m, t, where);
	else if (t->kind == TRACE_BIND_LIST ||
		(t->kind == TRACE_DRIVERCTL && strstr(t->value, "vfio")))
		import_address(m, t, where);
	else if (t->kind == TRACE_OPTION)
		note(m, 0, "%s: %s stays where it is: vfio-early passes it on to vfio-pci", where,
			t->value);
}

/* A later "ids=" takes the place of an earlier one: the kernel keeps a parameter's last value. */
static void count_ids(struct importer *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->in->traces.n; i++)
		n += m->in->traces.items[i].kind == TRACE_IDS;
	if (n > 1)
		note(m, 1,
			"Of several ids= vfio-pci takes the last one alone; here are the devices of all. Do you want each?");
}

/* --- which of them --- */

/* " / ← nvme0n1; ..." of what the host uses it for; NULL for nothing. */
static char *list_uses(struct importer *m, size_t device)
{
	char *text = NULL;

	for (size_t i = 0; i < m->in->uses.n && m->r == 0; i++) {
		const struct use *u = &m->in->uses.items[i];

		if (u->device == device)
			set_text(m, &text, "%s%s%s", text ?: "", text ? "; " : "", u->chain);
	}
	return text;
}

/* The host's driver that driverctl gives the device to at each boot, after all others; or NULL. */
static const char *driverctl_driver(const struct importer *m, const struct pci_device *d)
{
	for (size_t i = 0; i < m->in->traces.n; i++) {
		const struct trace *t = &m->in->traces.items[i];

		if (t->kind == TRACE_DRIVERCTL && pci_addr_cmp(t->addr, d->addr) == 0 &&
			!driver_is_vfio_safe(t->value))
			return t->value;
	}
	return NULL;
}

static void judge_line(struct importer *m, struct line *l)
{
	const struct pci_device *d = device_at(m, l->device);
	const char *driver = device_driver_now(d);
	bool holds = driver && driver_is_vfio_safe(driver);
	const char *hosts = driverctl_driver(m, d);
	_cleanup_free_ char *uses = list_uses(m, l->device);

	if (d->appears_late || d->behind_vmd) {
		l->state = LINE_KEPT;
		set_text(m, &l->why,
			"%s: leave this one to what binds it now: it does not exist yet when vfio-early runs.",
			PCI_ADDR(d->addr));
	} else if (uses) {
		l->state = LINE_KEPT;
		set_text(m, &l->why,
			"The host uses %s, so it was not bound until now: %s. Is it meant?",
			PCI_ADDR(d->addr), uses);
	} else if (hosts) {
		l->state = LINE_KEPT;
		set_text(m, &l->why,
			"driverctl gives %s to %s at each boot, so the host has it. Is it meant?",
			PCI_ADDR(d->addr), hosts);
	} else if (!l->certain) {
		l->state = holds ? LINE_ON : LINE_ASKED;
		set_text(m, &l->why, "Is %s meant? Others have its ID %s, too. %s holds it now. %s",
			PCI_ADDR(d->addr), PCI_ID(d->id), driver ?: "No driver",
			holds ? "If it is not, delete its line."
			      : "If it is, delete the '# ' of its line, and of the target's name.");
	}
	if (l->why)
		worsen(m, 1);
}

/* --- sets --- */

static bool belong_together(const struct importer *m, const struct line *a, const struct line *b)
{
	const struct pci_device *x = device_at(m, a->device), *y = device_at(m, b->device);

	return device_same_card(x, y) || (x->group != NO_GROUP && x->group == y->group);
}

static void join(struct importer *m, size_t to, size_t from)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].set == from)
			m->lines[i].set = to;
}

static int by_set(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->set != y->set)
		return x->set < y->set ? -1 : 1;
	return x->device < y->device ? -1 : x->device > y->device;
}

static int by_device(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return x->device < y->device ? -1 : x->device > y->device;
}

static bool name_taken(const struct importer *m, const char *name)
{
	for (size_t i = 0; i < m->n_sets; i++)
		if (m->sets[i].name && streq(m->sets[i].name, name))
			return true;
	for (size_t i = 0; i < m->in->config.n_targets; i++)
		if (streq(m->in->config.targets[i].name, name))
			return true;
	return false;
}

/* After the device that people would call it by. */
static void name_set(struct importer *m, size_t set)
{
	static const char *const kinds[] = { "gpu", "nvme", "storage", "net", "usb", "audio" };
	_cleanup_free_ char *name = NULL;
	const char *kind = "device";

	for (size_t k = ARRAY_SIZE(kinds); k-- > 0;)
		for (size_t i = 0; i < m->n_lines; i++)
			if (m->lines[i].set == set &&
				streq(ini_kind(device_at(m, m->lines[i].device)), kinds[k]))
				kind = kinds[k];
	set_text(m, &name, "%s", kind);
	for (unsigned n = 2; name && name_taken(m, name); n++)
		set_text(m, &name, "%s%u", kind, n);
	m->sets[set].name = name;
	name = NULL;
}

static void make_sets(struct importer *m)
{
	size_t last = 0;

	if (m->n_lines == 0)
		return;
	qsort(m->lines, m->n_lines, sizeof(*m->lines), by_device);
	for (size_t i = 0; i < m->n_lines; i++) {
		m->lines[i].set = i;
		for (size_t j = 0; j < i; j++)
			if (belong_together(m, &m->lines[i], &m->lines[j]))
				join(m, m->lines[j].set, m->lines[i].set);
	}
	qsort(m->lines, m->n_lines, sizeof(*m->lines), by_set);
	m->sets = calloc(m->n_lines, sizeof(*m->sets));
	if (!m->sets) {
		m->r = -ENOMEM;
		return;
	}
	/* Numbers without gaps. */
	for (size_t i = 0; i < m->n_lines; i++) {
		bool begins = i == 0 || m->lines[i].set != last;

		last = m->lines[i].set;
		m->n_sets += begins;
		m->lines[i].set = m->n_sets - 1;
	}
	for (size_t i = 0; i < m->n_sets; i++)
		name_set(m, i);
}

static bool set_on(const struct importer *m, size_t set)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].set == set && m->lines[i].state == LINE_ON)
			return true;
	return false;
}

/* --- the text --- */

#define COMMENT(out, ...) ini_comment((out), "# ", "# ", __VA_ARGS__)

/* A command stays in one piece, however long. */
static void write_cure(const char *cure, FILE *out)
{
	if (!cure)
		return;
	fputs("#   -> ", out);
	ini_put(cure, strlen(cure), out);
	fputc('\n', out);
}

static void write_finding(const struct finding *f, FILE *out)
{
	ini_comment(out, "# ", "#   ", "%s: %s [%s]", severity_name(f->severity), f->text, f->id);
	write_cure(f->cure, out);
}

static void write_device(struct importer *m, const struct line *l, FILE *out)
{
	const struct pci_device *d = device_at(m, l->device);
	_cleanup_free_ char *line = plan_line(&m->in->snapshot, d, NULL), *text = NULL;
	bool by_path;

	if (l->why)
		COMMENT(out, "%s", l->why);
	by_path = line && strchr(line, '/');
	set_text(m, &text, "%s%s  # %s%s%s%s%s; %s", l->state == LINE_ON ? "" : "# ", line ?: "",
		by_path ? PCI_ADDR(d->addr) : "", by_path ? ", " : "", d->name ?: "",
		d->name ? ", " : "", class_name(d->class), l->from);
	if (!line)
		m->r = -ENOMEM;
	if (m->r < 0)
		return;
	ini_put(text, strlen(text), out);
	fputc('\n', out);
}

/* What the plan says of the target, notes left out. */
static void write_judgement(struct importer *m, const char *name, FILE *out)
{
	for (size_t i = 0; i < m->plan.findings.n; i++) {
		const struct finding *f = &m->plan.findings.items[i];

		if (f->severity > SEVERITY_NOTE && f->target && streq(f->target, name))
			write_finding(f, out);
	}
}

static void write_set(struct importer *m, size_t set, FILE *out)
{
	const struct set *s = &m->sets[set];
	bool on = set_on(m, set);

	fputc('\n', out);
	write_judgement(m, s->name, out);
	fprintf(out, "%s[%s]\n", on ? "" : "# ", s->name);
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].set == set)
			write_device(m, &m->lines[i], out);
	for (size_t i = 0; i < N_ALLOW; i++) {
		const char *word = allow_name((enum allow)(1U << i));

		if (!s->consents[i])
			continue;
		COMMENT(out, "%s. %s", s->consents[i],
			s->asks[i]
				?: "It was bound without a question until now, so this consents.");
		fprintf(out, "%sallow = %s\n", !s->off[i] && on ? "" : "# ", word);
	}
}

static void write_leftovers(struct importer *m, FILE *out)
{
	/* As --check will see it, with this configuration in its place. */
	struct session after = *m->in;
	const struct check check = { .session = &after, .planned = true };
	_cleanup_(findings_free) struct findings f = { 0 };
	struct checker c = { .check = &check, .s = &after, .findings = &f };

	after.config = m->both;
	after.plan = m->plan;
	check_leftovers(&c);
	m->r = c.r < 0 ? c.r : m->r;
	for (size_t i = 0; i < m->plan.findings.n; i++)
		if (streq(m->plan.findings.items[i].id, "leftover-ids"))
			write_finding(&m->plan.findings.items[i], out);
	for (size_t i = 0; i < f.n; i++)
		write_finding(&f.items[i], out);
}

static void write_steps(struct importer *m, FILE *out)
{
	const char *file = m->in->config_file ?: CONFIG_FILE;

	fprintf(out, "\n# %s:\n",
		m->status < 2 ? "The next steps" : "When that is settled, the next steps");
	fprintf(out, "# 1. put this into the configuration: vfio-early --import >>%s\n", file);
	fputs("# 2. see what the next boot will do: vfio-early --dry-run\n", out);
	fprintf(out, "# 3. build the initramfs image anew: %s\n", host_rebuild());
	fputs("# 4. reboot; the way back is rd.vfio-early=0 in the boot menu\n", out);
	fputs("# 5. see what came of it: vfio-early --check\n", out);
	fputs("# 6. when all is bound, delete what did it before:\n", out);
	write_leftovers(m, out);
}

static void write_head(struct importer *m, FILE *out)
{
	static const char *const verdicts[] = {
		"all of it is carried over",
		"read the comments: some have a question, or a warning",
		"not ready, for the reasons given",
	};

	/* The file that it is appended to may lack its last newline. */
	fputc('\n', out);
	COMMENT(out, "What other ways of binding do on this machine, by vfio-early --import: %s.",
		m->n_found ? verdicts[m->status] : "there are none");
	if (geteuid() != 0)
		COMMENT(out,
			"Not run as root: files and devices that only root can read are not in this. Run it again as root.");
	for (size_t i = 0; i < m->n_notes; i++)
		ini_comment(out, "# - ", "#   ", "%s", m->notes[i]);
	for (size_t i = 0; i < m->in->config.errors.n; i++)
		write_finding(&m->in->config.errors.items[i], out);
}

static char *make_text(struct importer *m, bool steps)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		m->r = -ENOMEM;
		return NULL;
	}
	write_head(m, out);
	for (size_t i = 0; i < m->n_sets; i++)
		write_set(m, i, out);
	if (steps)
		write_steps(m, out);
	if (fclose(out) != 0)
		m->r = -ENOMEM;
	return text;
}

/* --- trials --- */

/* Plans what is configured already together with the text. */
static void plan_text(struct importer *m)
{
	_cleanup_free_ char *text = make_text(m, false);
	const struct config *c = &m->in->config;
	size_t n = c->errors.n ? 0 : c->n_targets;

	plan_free(&m->plan);
	free(m->both.targets);
	config_free(&m->own);
	m->plan = (struct plan){ 0 };
	m->both = (struct config){ 0 };
	if (m->r == 0)
		m->r = config_parse(&m->own, "imported", text, strlen(text));
	if (m->r == 0)
		m->r = config_finish(&m->own);
	if (m->r < 0)
		return;
	m->both.targets = calloc(n + m->own.n_targets + 1, sizeof(*c->targets));
	if (!m->both.targets) {
		m->r = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < n; i++)
		m->both.targets[m->both.n_targets++] = c->targets[i];
	for (size_t i = 0; i < m->own.n_targets; i++)
		m->both.targets[m->both.n_targets++] = m->own.targets[i];
	m->r = plan_make(&m->both, &m->words, &m->in->snapshot, &m->in->facts, &m->plan);
}

static struct set *find_set(const struct importer *m, const char *name)
{
	for (size_t i = 0; i < m->n_sets; i++)
		if (name && streq(m->sets[i].name, name))
			return &m->sets[i];
	return NULL;
}

/* What was bound until now without a question asked is consented to; but for the way to a root file
 * system, which only people can know, and for disks that a driver of the host's holds, so that they
 * were not bound, while it is not known of something mounted which disk it is on. */
static void ask(struct importer *m, struct set *s, size_t word, const struct finding *f)
{
	const char *name = allow_name((enum allow)(1U << word));
	const struct pci_device *d = f->has_addr ? snapshot_find(&m->in->snapshot, f->addr) : NULL;
	const char *driver = d ? device_driver_now(d) : NULL;
	bool held = driver && !driver_is_vfio_safe(driver), disk = streq(name, "storage");

	s->off[word] = streq(name, "net-root") || (held && disk && m->in->uses.n_unknown);
	if (streq(name, "net-root")) {
		set_text(m, &s->asks[word], "If it does not, delete the '# ' of the next line.");
	} else if (held && (disk || streq(name, "last-usb"))) {
		worsen(m, 1);
		set_text(m, &s->asks[word],
			"%s holds it now, so it is not bound yet: can the host do without it? %s",
			driver,
			s->off[word] ? "If it can, delete the '# ' of the next line."
				     : "If not, delete its line.");
	}
}

static bool consent(struct importer *m, const struct finding *f)
{
	const char *word = skip_prefix(f->id, "guard-");
	struct set *s = find_set(m, f->target);

	for (size_t i = 0; word && s && i < N_ALLOW; i++) {
		if (!streq(word, allow_name((enum allow)(1U << i))) || s->consents[i])
			continue;
		set_text(m, &s->consents[i], "%s", f->text);
		ask(m, s, i, f);
		return true;
	}
	return false;
}

static void settle(struct importer *m)
{
	bool changed;

	do {
		changed = false;
		plan_text(m);
		for (size_t i = 0; i < m->plan.findings.n && m->r == 0; i++)
			changed |= consent(m, &m->plan.findings.items[i]);
	} while (changed && m->r == 0);
}

static void judge_plan(struct importer *m)
{
	bool any = false;

	for (size_t i = 0; i < m->plan.findings.n; i++) {
		const struct finding *f = &m->plan.findings.items[i];

		if (find_set(m, f->target) && f->severity > SEVERITY_NOTE)
			worsen(m, f->severity == SEVERITY_ERROR ? 2 : 1);
	}
	for (size_t i = 0; i < m->n_sets; i++)
		any |= set_on(m, i);
	if ((m->n_found && !any && m->status) || m->in->config.errors.n)
		worsen(m, 2);
}

static void make(struct importer *m, char **ret)
{
	for (size_t i = 0; i < m->in->traces.n && m->r == 0; i++)
		import_trace(m, &m->in->traces.items[i]);
	count_ids(m);
	for (size_t i = 0; i < m->n_lines && m->r == 0; i++)
		judge_line(m, &m->lines[i]);
	if (m->r == 0)
		make_sets(m);
	if (m->r == 0)
		settle(m);
	if (m->r == 0)
		judge_plan(m);
	if (m->r == 0)
		*ret = make_text(m, m->own.n_targets);
}

static void importer_free(struct importer *m)
{
	for (size_t i = 0; i < m->n_lines; i++) {
		free(m->lines[i].from);
		free(m->lines[i].why);
	}
	for (size_t i = 0; i < m->n_sets; i++) {
		free(m->sets[i].name);
		for (size_t j = 0; j < N_ALLOW; j++) {
			free(m->sets[i].consents[j]);
			free(m->sets[i].asks[j]);
		}
	}
	for (size_t i = 0; i < m->n_notes; i++)
		free(m->notes[i]);
	free(m->lines);
	free(m->sets);
	free(m->notes);
	plan_free(&m->plan);
	free(m->both.targets);
	config_free(&m->own);
}

int import_make(const struct session *s, char **ret_text, int *ret_status)
{
	_cleanup_(importer_free) struct importer m = { .in = s, .words = s->words };
	char *text = NULL;

	m.words.bypass = NULL;
	m.words.n_skip = 0;
	make(&m, &text);
	if (m.r < 0) {
		free(text);
		return m.r;
	}
	*ret_text = text;
	*ret_status = m.status;
	return 0;
}
