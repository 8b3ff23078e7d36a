/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host.h"
#include "leftovers.h"
#include "module.h"
#include "rules.h"

/* --- what to type --- */

/* As one word of a shell. */
static char *shell_word(const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_./:@%+,=-";
	char *text = NULL;
	size_t size;
	FILE *out;

	if (!s[strspn(s, plain)])
		return strdup(s);
	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	fputc('\'', out);
	for (; *s; s++)
		if (*s == '\'')
			fputs("'\\''", out);
		else
			fputc(*s, out);
	fputc('\'', out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* A command that changes the file, which becomes the admin's own copy where it is a package's; for
 * a second line of it the copy is there, with the first change. */
static char *edit(const char *file, const char *change)
{
	_cleanup_free_ char *word = shell_word(file), *own = NULL;
	const char *name = strrchr(file, '/') + 1;

	if (!word)
		return NULL;
	if (skip_prefix(file, "/etc/") || !strstr(file, "/modprobe.d/"))
		return format("sed -i '%s' %s", change, word);
	own = shell_word(name);
	return own ? format("cp -u %s /etc/modprobe.d/ && sed -i '%s' /etc/modprobe.d/%s", word,
			     change, own)
		   : NULL;
}

/* The line becomes a comment, so that the others keep their numbers. */
static char *comment_out(const struct trace *t)
{
	_cleanup_free_ char *change = format("%us/^/# /", t->line);

	return change ? edit(t->file, change) : NULL;
}

/* Only "ids=" goes where the line has more options. */
static char *without_ids(const struct trace *t)
{
	_cleanup_free_ char *change = NULL;

	if (t->alone)
		return comment_out(t);
	change = t->last > t->line ? format("%u,%us/\"*ids=[^[:space:]]*//", t->line, t->last)
				   : format("%us/\"*ids=[^[:space:]]*//", t->line);
	return change ? edit(t->file, change) : NULL;
}

/* Adds to a list. 0, or -ENOMEM; @item may be NULL for want of memory. */
static int append(char **list, const char *separator, const char *item)
{
	char *longer = item ? format("%s%s%s", *list ?: "", *list ? separator : "", item) : NULL;

	if (!longer)
		return -ENOMEM;
	free(*list);
	*list = longer;
	return 0;
}

/* Whether the name, one of a list on the command line, is what the trace tells of. */
static bool is_leftover(const struct trace *t, const char *name)
{
	return t->name ? same_module(name, t->name) : skip_prefix(name, "vfio") != NULL;
}

/* The list "WORD=NAME,NAME" without the modules that it is a leftover for; NULL where none stays,
 * or memory is short. */
static char *rest_of_list(const struct trace *t)
{
	_cleanup_free_ char *copy = t->kind == TRACE_IDS ? NULL : strdup(t->text), *kept = NULL;
	char *names = copy && strchr(copy, ',') ? strchr(copy, '=') : NULL, *name;

	if (!names)
		return NULL;
	*names++ = '\0';
	while ((name = strsep(&names, ",")))
		if (*name && !is_leftover(t, name) && append(&kept, ",", name) < 0)
			return NULL;
	return kept ? format("%s=%s", copy, kept) : NULL;
}

static char *take_word(const struct trace *t, const char *how)
{
	_cleanup_free_ char *rest = rest_of_list(t);
	bool grubby = how && streq(how, "grubby");

	if (!rest)
		return format("take %s from the kernel command line%s", t->text,
			CMDLINE_HOW(how, false, t->text));
	if (grubby && !strchr(t->text, '\''))
		return format("type: grubby --update-kernel=ALL --remove-args='%s' --args='%s'",
			t->text, rest);
	return format("write %s in place of %s on the kernel command line%s", rest, t->text,
		grubby ? "" : CMDLINE_HOW(how, true, rest));
}

int leftovers_tell_ids(const struct traces *t, const char *how, struct module_facts *m)
{
	_cleanup_free_ char *all = NULL, *from = NULL;
	bool image = false;
	int r = 0;

	for (size_t i = 0; i < t->n && r == 0; i++) {
		const struct trace *ids = &t->items[i];
		_cleanup_free_ char *one = NULL, *where = NULL;

		if (ids->kind != TRACE_IDS)
			continue;
		image |= ids->file != NULL;
		one = ids->file ? without_ids(ids) : take_word(ids, how);
		where = trace_where(ids);
		r = append(&all, "; ", one) ?: append(&from, ", ", where);
	}
	if (image && r == 0)
		r = append(&all, "; then type: ", host_rebuild());
	if (r < 0)
		return r;
	m->dropped_ids_cure = all;
	m->dropped_ids_from = from;
	all = from = NULL;
	return 0;
}

static void cure_line(struct checker *c, const struct trace *t)
{
	_cleanup_free_ char *command = t->file ? comment_out(t) : take_word(t, c->s->words.how);

	if (command && t->file)
		cure(c, "%s; then type: %s", command, host_rebuild());
	else if (command)
		cure(c, "%s", command);
	else
		c->r = -ENOMEM;
}

/* --- which devices --- */

/* The target that names the device, whatever becomes of it. */
static const struct plan_target *planned_in(const struct checker *c, size_t device)
{
	const struct plan *p = &c->s->plan;

	for (size_t i = 0; i < p->n_targets; i++)
		for (size_t j = 0; j < p->targets[i].n_devices; j++)
			if (p->targets[i].devices[j].device == device)
				return &p->targets[i];
	return NULL;
}

static bool is_planned(const struct checker *c, struct pci_addr addr)
{
	const struct pci_device *d = snapshot_find(&c->s->snapshot, addr);

	return d && planned_in(c, (size_t)(d - c->s->snapshot.devices));
}

/* Drivers of displays by name, also those that are not installed here. */
static bool is_display_driver(const char *module, const struct pci_device *d)
{
	static const struct {
		const char *part;
		uint16_t vendor;
	} drivers[] = {
		{ "nouveau", 0x10de },
		{ "nvidia", 0x10de },
		{ "amdgpu", 0x1002 },
		{ "radeon", 0x1002 },
	};

	if (CLASS_BASE(d->class) != 0x03)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (strstr(module, drivers[i].part) && d->id.vendor == drivers[i].vendor)
			return true;
	return false;
}

/* Whether the module is made for the device. */
static bool module_for(struct checker *c, const char *module, const struct pci_device *d)
{
	int r = modules_match(c->s->modules, module, d);

	c->r = r < 0 ? r : c->r;
	return r > 0 || is_display_driver(module, d);
}

/* Adds ", 0000:05:00.0 (VGA controller)" or the like to a list. */
static void add_device(struct checker *c, char **list, const struct pci_device *d, const char *why)
{
	_cleanup_free_ char *item = format("%s (%s%s%s)", PCI_ADDR(d->addr), class_name(d->class),
		why ? ", held by " : "", why ?: "");
	int r = append(list, ", ", item);

	c->r = r < 0 ? r : c->r;
}

/* --- one kind after the other --- */

/* Where the plan does not tell it: nothing is bound, so vfio-pci is left to others to load. */
static void judge_ids(struct checker *c, const struct trace *t, const char *where)
{
	_cleanup_free_ char *command = NULL;

	if (plan_says(c, "leftover-ids"))
		return;
	command = t->file ? without_ids(t) : take_word(t, c->s->words.how);
	say(c, SEVERITY_WARNING, "leftover-ids", NULL, NULL,
		"%s: whatever loads vfio-pci, it then takes every free device with an ID of %s",
		where, t->value);
	if (t->file)
		cure(c, "%s; then type: %s", command ?: "", host_rebuild());
	else
		cure(c, "%s", command ?: "");
}

static void judge_softdep(struct checker *c, const struct trace *t, const char *where)
{
	if (same_module(t->name, VFIO_MODULE))
		say(c, SEVERITY_NOTE, "leftover-softdep", NULL, NULL,
			"%s: '%s' is for modprobe; vfio-early loads vfio-pci without it", where,
			t->text);
	else
		say(c, SEVERITY_NOTE, "leftover-softdep", NULL, NULL,
			"%s: '%s' has modprobe load vfio-pci before %s; vfio-early has loaded it by then",
			where, t->text, t->name);
	cure_line(c, t);
}

static void judge_install(struct checker *c, const struct trace *t, const char *where)
{
	bool vfio = skip_prefix(t->name, "vfio");

	say(c, vfio ? SEVERITY_WARNING : SEVERITY_NOTE, "leftover-install", NULL, NULL,
		"%s: modprobe runs '%s' in place of loading %s%s; vfio-early does not", where,
		t->value ?: "", t->name,
		vfio ? ", which may bind devices that are not configured" : "");
	cure_line(c, t);
}

/* What the module would serve beside the targets' devices: those without a driver, and those that
 * have another one. */
static void find_others(struct checker *c, const char *module, char **bare, char **served)
{
	const struct snapshot *s = &c->s->snapshot;

	for (size_t i = 0; i < s->n_devices; i++) {
		const struct pci_device *d = &s->devices[i];
		const char *driver = device_driver_now(d);

		if (planned_in(c, i) || d->is_bridge || !module_for(c, module, d))
			continue;
		if (!driver || driver_is_vfio_safe(driver))
			add_device(c, bare, d, driver);
		else if (!same_module(driver, module))
			add_device(c, served, d, driver);
	}
}

static bool serves_target(struct checker *c, const char *module)
{
	for (size_t i = 0; i < c->s->snapshot.n_devices; i++)
		if (planned_in(c, i) && module_for(c, module, &c->s->snapshot.devices[i]))
			return true;
	return false;
}

static void judge_blacklist(struct checker *c, const struct trace *t, const char *where)
{
	_cleanup_free_ char *bare = NULL, *served = NULL;
	int have;

	/* Distributions keep framebuffer drivers from loading, everywhere. */
	if (skip_prefix(t->name, "vfio") || strstr(t->name, "fb") || !serves_target(c, t->name))
		return;
	have = modules_have(c->s->modules, t->name);
	find_others(c, t->name, &bare, &served);
	if (have > 0 && bare)
		say(c, SEVERITY_WARNING, "leftover-blacklist", NULL, NULL,
			"%s: '%s' is not needed any more, and keeps %s from the host's own %s",
			where, t->text, t->name, bare);
	else
		say(c, SEVERITY_NOTE, "leftover-blacklist", NULL, NULL,
			"%s: '%s' is not needed any more: vfio-early takes its devices before any driver%s%s%s",
			where, t->text, have > 0 ? "" : "; there is no module ",
			have > 0 ? "" : t->name, have > 0 ? "" : " here");
	if (served)
		cure(c, "leave it if another driver needs it so: %s; else comment it out", served);
	else
		cure_line(c, t);
}

static void judge_early(struct checker *c, const struct trace *t, const char *where)
{
	_cleanup_free_ char *command = NULL;

	say(c, SEVERITY_NOTE, "leftover-early-load", NULL, NULL,
		"%s: '%s' is not needed: vfio-early loads vfio-pci before that%s", where, t->text,
		strstr(t->text, "vfio_virqfd") ? " (and there is no vfio_virqfd since Linux 6.2)"
					       : "");
	if (!t->file) {
		cure_line(c, t);
		return;
	}
	command = edit(t->file, t->value);
	cure(c, "%s; then type: %s", command ?: "", host_rebuild());
}

/* Others run when someone starts them, as a hook of libvirt's does for its machine. */
static bool runs_at_boot(const char *file)
{
	static const char *const places[] = { "/initramfs-tools/", "/dracut/", "/initcpio/",
		"/udev/", "/tmpfiles.d/" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (strstr(file, places[i]))
			return true;
	return false;
}

static void judge_script(struct checker *c, const struct trace *t, const char *where)
{
	_cleanup_free_ char *file = shell_word(t->file);

	say(c, runs_at_boot(t->file) ? SEVERITY_WARNING : SEVERITY_NOTE, "leftover-script", NULL,
		NULL,
		"%s: writes %s itself: where it runs, it takes devices whether they are configured or not",
		where, t->value);
	cure(c, "see what else is in it; then: rm %s; then type: %s", file ?: "", host_rebuild());
}

static void judge_unit(struct checker *c, const struct trace *t, const char *where)
{
	_cleanup_free_ char *name = shell_word(t->name), *file = shell_word(t->file);

	say(c, t->value ? SEVERITY_WARNING : SEVERITY_NOTE, "leftover-script", NULL, NULL,
		"%s: '%s' %s", where, t->text,
		t->value ? "runs at each boot, after vfio-early, and goes by a list of its own"
			 : "is not enabled");
	if (t->value)
		cure(c, "systemctl disable %s; rm %s", name ?: "", file ?: "");
	else
		cure(c, "rm %s", file ?: "");
}

/* Whether check_boot() tells that it was taken away, with driverctl for the reason. */
static bool is_rebound(const struct checker *c, const struct pci_device *d)
{
	const struct record *r = c->check->record;
	const struct record_device *then = r && d ? record_find(r, d->addr) : NULL;
	const char *driver = d ? device_driver_now(d) : NULL;

	return then && streq(then->state, "bound") && !(driver && streq(driver, then->driver));
}

/* driverctl's own command would take the device from vfio-pci at once. */
static void judge_driverctl(struct checker *c, const struct trace *t, const char *where)
{
	const struct pci_device *d = snapshot_find(&c->s->snapshot, t->addr);
	bool vfio = driver_is_vfio_safe(t->value);

	if (!is_planned(c, t->addr) || is_rebound(c, d))
		return;
	if (vfio)
		say(c, SEVERITY_NOTE, "leftover-driverctl", NULL, d,
			"%s: when udev starts, driverctl takes %s off its driver and has %s bind it again",
			where, PCI_ADDR(t->addr), t->value);
	else
		say(c, SEVERITY_WARNING, "leftover-driverctl", NULL, d,
			"%s: when udev starts, driverctl takes %s from vfio-pci and gives it to %s",
			where, PCI_ADDR(t->addr), t->value);
	cure(c, "rm %s # driverctl unset-override would take the device from vfio-pci at once",
		t->file);
}

/* Whether another trace of this kind and file stands before: one finding tells of all. */
static bool is_first(const struct checker *c, const struct trace *t)
{
	for (const struct trace *o = c->s->traces.items; o < t; o++)
		if (o->kind == t->kind && streq(o->file, t->file))
			return false;
	return true;
}

static void judge_bind_list(struct checker *c, const struct trace *t, const char *where)
{
	if (!is_first(c, t))
		return;
	say(c, SEVERITY_WARNING, "leftover-bind-list", NULL, NULL,
		"%s: '%s' is OpenNebula's list for vfio-bind, whose new_id has vfio-pci take every free device with such an ID",
		where, t->text);
	cure(c, "rm %s", t->file);
}

/* The configured devices of one virtual machine that are to have a variant driver, or not. */
static char *list_domain(struct checker *c, const struct trace *first, bool variant)
{
	const struct traces *all = &c->s->traces;
	char *list = NULL;

	for (const struct trace *t = first; t < all->items + all->n; t++) {
		const struct pci_device *d = snapshot_find(&c->s->snapshot, t->addr);
		int r;

		if (t->kind != TRACE_LIBVIRT || !streq(t->file, first->file) ||
			!is_planned(c, t->addr) || (d->variant != NULL) != variant)
			continue;
		r = append(&list, " ", PCI_ADDR(t->addr));
		c->r = r < 0 ? r : c->r;
	}
	return list;
}

/* src/util/virpci.c of libvirt: virPCIDeviceBindToStub() does nothing to a device that is bound to
 * vfio-pci, and virPCIDeviceUnbindFromStub() then does nothing either. By the driver's name: a
 * variant is not it. */
static void judge_libvirt(struct checker *c, const struct trace *t)
{
	_cleanup_free_ char *plain = NULL, *variant = NULL, *vm = shell_word(t->name);

	if (!is_first(c, t))
		return;
	plain = list_domain(c, t, false);
	variant = list_domain(c, t, true);
	if (plain)
		say(c, SEVERITY_NOTE, "leftover-libvirt", NULL, NULL,
			"%s: managed='yes' does no harm to %s: what vfio-pci holds already when '%s' starts, libvirt uses as it is, and leaves with vfio-pci when it stops",
			t->file, plain, t->name);
	if (!variant)
		return;
	say(c, SEVERITY_WARNING, "leftover-libvirt", NULL, NULL,
		"%s: managed='yes' of %s: a libvirt that wants vfio-pci by name takes it from the variant driver when '%s' starts, and gives it to the host's driver when it stops",
		t->file, variant, t->name);
	cure(c, "write managed='no' there: virsh edit %s", vm ?: "");
}

static void judge(struct checker *c, const struct trace *t)
{
	_cleanup_free_ char *where = trace_where(t);

	if (!where) {
		c->r = -ENOMEM;
		return;
	}
	switch (t->kind) {
	case TRACE_IDS:
		return judge_ids(c, t, where);
	case TRACE_OPTION:
		return;
	case TRACE_SOFTDEP:
		return judge_softdep(c, t, where);
	case TRACE_INSTALL:
		return judge_install(c, t, where);
	case TRACE_BLACKLIST:
		return judge_blacklist(c, t, where);
	case TRACE_EARLY:
		return judge_early(c, t, where);
	case TRACE_SCRIPT:
		return judge_script(c, t, where);
	case TRACE_UNIT:
		return judge_unit(c, t, where);
	case TRACE_DRIVERCTL:
		return judge_driverctl(c, t, where);
	case TRACE_BIND_LIST:
		return judge_bind_list(c, t, where);
	case TRACE_LIBVIRT:
		return judge_libvirt(c, t);
	}
}

/* Where nothing is configured these are no leftovers: they are what binds. */
static void offer_import(struct checker *c)
{
	_cleanup_free_ char *list = NULL;

	for (size_t i = 0; i < c->s->traces.n; i++) {
		const struct trace *t = &c->s->traces.items[i];
		_cleanup_free_ char *where = trace_where(t);
		int r;

		if ((where && list && strstr(list, where)) ||
			!(t->kind == TRACE_IDS || t->kind == TRACE_BIND_LIST ||
				(t->kind == TRACE_DRIVERCTL && streq(t->value, VFIO_DRIVER))))
			continue;
		r = append(&list, ", ", where);
		c->r = r < 0 ? r : c->r;
	}
	if (!list)
		return;
	say(c, SEVERITY_NOTE, "importable", NULL, NULL,
		"this host binds devices to vfio-pci by other means: %s", list);
	cure(c, "vfio-early --import prints a configuration that binds the same devices");
}

void check_leftovers(struct checker *c)
{
	if (!c->check->planned || c->s->config_hidden)
		return;
	if (c->s->config.n_targets == 0) {
		offer_import(c);
		return;
	}
	for (size_t i = 0; i < c->s->traces.n && c->r == 0; i++)
		judge(c, &c->s->traces.items[i]);
}
