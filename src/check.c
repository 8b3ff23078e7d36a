/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/stat.h>

#include "checker.h"
#include "host.h"
#include "leftovers.h"
#include "images.h"
#include "needs.h"
#include "rules.h"
#include "usability.h"

void say(struct checker *c, enum severity severity, const char *id, const char *target,
	const struct pci_device *d, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = finding_vadd(c->findings, severity, id, target, d ? &d->addr : NULL, fmt, ap);
	va_end(ap);
	c->r = c->r ?: r;
}

void cure(struct checker *c, const char *fmt, ...)
{
	va_list ap;

	if (c->r < 0)
		return;
	va_start(ap, fmt);
	c->r = finding_vcure(c->findings, fmt, ap);
	va_end(ap);
}

bool plan_says(const struct checker *c, const char *id)
{
	const struct findings *f = &c->s->plan.findings;

	for (size_t i = 0; i < f->n; i++)
		if (streq(f->items[i].id, id))
			return true;
	return false;
}

const struct plan_target *taker(const struct checker *c, size_t device, bool wants)
{
	for (size_t i = 0; i < c->s->plan.n_targets; i++) {
		const struct plan_target *t = &c->s->plan.targets[i];

		if (t->verdict != VERDICT_BIND && !(wants && t->verdict == VERDICT_REFUSED))
			continue;
		for (size_t j = 0; j < t->n_devices; j++)
			if (t->devices[j].device == device)
				return t;
	}
	return NULL;
}

/* --- firmware and kernel --- */

static void check_iommu(struct checker *c)
{
	const struct snapshot *s = &c->s->snapshot;
	_cleanup_free_ char *text = NULL;

	if (s->n_devices == 0)
		say(c, SEVERITY_NOTE, "no-pci", NULL, NULL, "this machine has no PCI devices");
	if (s->iommu_active || s->n_groups || s->n_devices == 0 || plan_says(c, "no-iommu"))
		return;
	text = iommu_cure(s, &c->s->words);
	say(c, SEVERITY_WARNING, "no-iommu", NULL, NULL,
		"no IOMMU is active in this kernel: nothing can be bound");
	cure(c, "%s", text ?: "");
}

/* Without it VFIO refuses to start (drivers/vfio/vfio_iommu_type1.c). */
static void check_remapping(struct checker *c)
{
	const struct platform *p = &c->check->platform;
	const struct bootwords *w = &c->s->words;

	if (!c->s->snapshot.iommu_active || !p->knows_remapping || p->remapping)
		return;
	say(c, SEVERITY_WARNING, "no-interrupt-remapping", NULL, NULL,
		"interrupts are not remapped: %s",
		p->unsafe_interrupts
			? "a device could forge them, which vfio_iommu_type1 is told to live with (allow_unsafe_interrupts)"
			: "VFIO will refuse to start a virtual machine");
	if (w->intremap_off)
		cure(c, "take %s from the kernel command line%s, then reboot", w->intremap_off,
			CMDLINE_HOW(w->how, false, w->intremap_off));
	else
		cure(c, "switch on x2APIC or interrupt remapping in the firmware's settings; why the kernel does not use it, says: dmesg | grep -i remapping");
}

static void check_words(struct checker *c)
{
	const struct bootwords *w = &c->s->words;

	if (w->acs_override) {
		say(c, SEVERITY_WARNING, "acs-override", NULL, NULL,
			"%s splits IOMMU groups that the hardware does not keep apart: their isolation is claimed, not verified",
			w->acs_override);
		cure(c, "take it from the kernel command line%s, reboot, and see what shares a group: vfio-early --list",
			CMDLINE_HOW(w->how, false, w->acs_override));
	}
	if (w->amd_iommu_on) {
		say(c, SEVERITY_NOTE, "useless-word", NULL, NULL,
			"%s is no value that the kernel knows; an AMD IOMMU is on by itself",
			w->amd_iommu_on);
		cure(c, "take it from the kernel command line%s",
			CMDLINE_HOW(w->how, false, w->amd_iommu_on));
	}
}

/* The plan tells it of a target; without one it is worth knowing beforehand. */
static void check_driver(struct checker *c)
{
	const struct module_facts *m = &c->s->facts;

	if (m->state == MODULE_MISSING && !plan_says(c, "driver-missing")) {
		say(c, SEVERITY_WARNING, "driver-missing", NULL, NULL,
			"the module vfio-pci is not in the kernel and not below %s", m->where);
		cure(c, "install the package that has the kernel's vfio-pci module, then type: %s",
			host_rebuild());
	} else if (m->state == MODULE_BLACKLISTED && !plan_says(c, "driver-blacklisted")) {
		say(c, SEVERITY_WARNING, "driver-blacklisted", NULL, NULL,
			"the module vfio-pci is blacklisted");
		cure(c, "delete what this finds: grep -rE 'blacklist +vfio' /etc/modprobe.d; or modprobe.blacklist= from the kernel command line");
	}
}

static void check_platform(struct checker *c)
{
	const struct platform *p = &c->check->platform;

	if (p->knows_cpu && !p->virtualization) {
		say(c, SEVERITY_WARNING, "virtualization-off", NULL, NULL,
			"the CPU offers no virtualization (neither vmx nor svm in /proc/cpuinfo): KVM cannot run virtual machines");
		cure(c, "switch on Intel Virtualization Technology (VT-x) or SVM Mode (AMD-V) in the firmware's settings");
	}
	if (p->noiommu_mode) {
		say(c, SEVERITY_WARNING, "noiommu-mode", NULL, NULL,
			"vfio.enable_unsafe_noiommu_mode is on: programs may use devices whose DMA nothing guards");
		cure(c, "delete what this finds, then reboot: grep -r noiommu /etc/modprobe.d /proc/cmdline");
	}
	check_iommu(c);
	check_remapping(c);
	check_words(c);
	check_driver(c);
	if (!p->root) {
		say(c, SEVERITY_NOTE, "not-root", NULL, NULL,
			"not run as root, so the firmware's framebuffer in /proc/iomem was not seen, nor what else only root can read");
		cure(c, "sudo vfio-early --check");
	}
}

/* --- the configuration --- */

static void check_permissions(struct checker *c, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return;
	if (st.st_uid != 0) {
		say(c, SEVERITY_WARNING, "config-writable", NULL, NULL,
			"%s belongs to user %u, who can choose what root binds at boot", path,
			(unsigned)st.st_uid);
		cure(c, "chown root %s", path);
	}
	/* The group root is root's own. */
	if ((st.st_mode & S_IWOTH) || ((st.st_mode & S_IWGRP) && st.st_gid != 0)) {
		say(c, SEVERITY_WARNING, "config-writable", NULL, NULL,
			"%s can be written by others than root (mode %04o), who can choose what is bound at boot",
			path, (unsigned)st.st_mode & 07777);
		cure(c, "chmod go-w %s", path);
	}
}

static void check_configuration(struct checker *c)
{
	const struct config *config = &c->s->config;

	if (c->s->config_hidden) {
		say(c, SEVERITY_NOTE, "config-hidden", NULL, NULL,
			"only root can read the configuration: neither it nor the next boot was judged");
		cure(c, "sudo vfio-early --check");
	} else if (config->n_files == 0) {
		say(c, SEVERITY_NOTE, "no-config", NULL, NULL,
			"nothing is configured: there is neither " CONFIG_FILE
			" nor a file in " CONFIG_DROPINS);
		cure(c, "vfio-early --list; then, with the address of a device: vfio-early --suggest ADDRESS");
	}
	for (size_t i = 0; i < config->n_files; i++)
		check_permissions(c, config->files[i]);
	if (!c->s->config_file)
		check_permissions(c, CONFIG_DROPINS);
}

/* --- this boot --- */

static const struct plan_target *planned(const struct checker *c, const char *name)
{
	for (size_t i = 0; i < c->s->plan.n_targets; i++)
		if (streq(c->s->plan.targets[i].target->name, name))
			return &c->s->plan.targets[i];
	return NULL;
}

/* The first error that the record has of a target, or with "-" of none. */
static const struct record_finding *recorded_error(const struct record *r, const char *target)
{
	for (size_t i = 0; i < r->n_findings; i++)
		if (streq(r->findings[i].severity, "error") && streq(r->findings[i].target, target))
			return &r->findings[i];
	return NULL;
}

/* A word of that boot. */
static const char *why_skipped(const struct record *r, const char *target)
{
	for (size_t i = 0; i < r->n_findings; i++)
		if ((streq(r->findings[i].id, "skipped") && streq(r->findings[i].target, target)) ||
			streq(r->findings[i].target, "-"))
			return r->findings[i].text;
	return "not bound at this boot: see " RECORD_FILE;
}

static void cure_boot(struct checker *c, const struct record_finding *f, bool mended)
{
	if (mended)
		cure(c, "what was in the way is gone: %s, then reboot", host_rebuild());
	else if (f && f->cure)
		cure(c, "%s", f->cure);
	else
		cure(c, "see: cat " RECORD_FILE);
}

static void check_target(struct checker *c, const struct record_target *t)
{
	const struct plan_target *next = planned(c, t->name);
	const struct record_finding *f =
		recorded_error(c->check->record, t->name) ?: recorded_error(c->check->record, "-");
	const char *why = f ? f->text : "see " RECORD_FILE;
	bool mended = next && next->verdict == VERDICT_BIND;

	if (streq(t->state, "failed") || streq(t->state, "hung")) {
		say(c, SEVERITY_ERROR, "boot-failed", t->name, NULL,
			"could not be bound at this boot: %s", why);
		cure_boot(c, f, false);
	} else if (streq(t->state, "refused")) {
		/* What the plan for the next boot says of it is worse. */
		say(c, mended ? SEVERITY_WARNING : SEVERITY_NOTE, "boot-refused", t->name, NULL,
			"was refused at this boot: %s", why);
		cure_boot(c, f, mended);
	} else if (streq(t->state, "skipped") && !(next && next->verdict == VERDICT_SKIPPED)) {
		say(c, SEVERITY_NOTE, "boot-skipped", t->name, NULL, "%s",
			why_skipped(c->check->record, t->name));
		/* What the boot loader has for good looks the same. */
		cure(c, "if that word was typed for this boot alone, reboot; else take it from the kernel command line%s first",
			CMDLINE_HOW(c->s->words.how, false, "WORD"));
	}
}

/* What kept all of it from being bound. */
static void check_whole(struct checker *c)
{
	const struct record *r = c->check->record;
	const struct record_finding *f = recorded_error(r, "-");

	if (r->n_targets || !f)
		return;
	say(c, streq(f->id, "gave-up") ? SEVERITY_ERROR : SEVERITY_WARNING, "boot-failed", NULL,
		NULL, "nothing was bound at this boot: %s", f->text);
	cure_boot(c, f, c->check->planned && !streq(f->id, "gave-up"));
}

static void cure_rebound(
	struct checker *c, const struct pci_device *d, const struct record_device *then)
{
	const char *driver = device_driver_now(d);
	bool used = false, driverctl = false;

	for (size_t i = 0; i < c->s->traces.n; i++)
		driverctl |= c->s->traces.items[i].kind == TRACE_DRIVERCTL &&
			pci_addr_cmp(c->s->traces.items[i].addr, d->addr) == 0;
	for (size_t i = 0; i < c->s->uses.n; i++)
		used |= &c->s->snapshot.devices[c->s->uses.items[i].device] == d;
	if (driverctl)
		cure(c, "driverctl has an override for it; take that away and reboot: driverctl unset-override %s",
			PCI_ADDR(d->addr));
	else if (used)
		cure(c, "the host uses it now (vfio-early --list %s): a reboot binds it again",
			PCI_ADDR(d->addr));
	else if (driver && (CLASS_BASE(d->class) == 0x03 || CLASS_BASE(d->class) == 0x01))
		/* A driver of these that is taken from what uses it may hang, and the machine with
		 * it; what uses a display is not looked for. */
		cure(c, "a reboot binds it again; while a screen or a disk of it may be in use, do not unbind %s",
			driver);
	else if (driver)
		cure(c, "modprobe %s; echo %s > /sys/bus/pci/devices/%s/driver_override; echo %s > /sys/bus/pci/devices/%s/driver/unbind; echo %s > /sys/bus/pci/drivers_probe",
			then->driver, then->driver, PCI_ADDR(d->addr), PCI_ADDR(d->addr),
			PCI_ADDR(d->addr), PCI_ADDR(d->addr));
	else
		cure(c, "modprobe %s; echo %s > /sys/bus/pci/devices/%s/driver_override; echo %s > /sys/bus/pci/drivers_probe",
			then->driver, then->driver, PCI_ADDR(d->addr), PCI_ADDR(d->addr));
}

static const char *what_override_says(const struct pci_device *d, const char *then)
{
	if (!d->override)
		return "its driver_override was cleared, as libvirt does (virsh nodedev-reattach)";
	if (streq(d->override, then))
		return "its driver_override still says so: someone unbound it";
	return "its driver_override was changed";
}

static void check_device(struct checker *c, const struct record_device *then)
{
	const struct pci_device *d = snapshot_find(&c->s->snapshot, then->addr);
	const char *driver = d ? device_driver_now(d) : NULL;

	if (!streq(then->state, "bound"))
		return;
	if (!d) {
		say(c, SEVERITY_WARNING, "gone", then->target, NULL,
			"%s was bound to %s at this boot and is gone now", PCI_ADDR(then->addr),
			then->driver);
		cure(c, "echo 1 > /sys/bus/pci/rescan; a device that comes back is not bound before the next boot");
		return;
	}
	if (driver && streq(driver, then->driver))
		return;
	say(c, SEVERITY_ERROR, "rebound", then->target, d,
		"%s was bound to %s at this boot and is now held by %s: %s", PCI_ADDR(d->addr),
		then->driver, driver ?: "no driver", what_override_says(d, then->driver));
	cure_rebound(c, d, then);
}

/* Then the record need not have what was not read by then, the digest for one. */
static bool gave_up(const struct record *r)
{
	const struct record_finding *f = recorded_error(r, "-");

	return f && streq(f->id, "gave-up");
}

static void check_boot(struct checker *c)
{
	const struct record *r = c->check->record;
	int error = c->check->record_error;

	if (error == -ENOENT && c->s->config.n_targets) {
		say(c, SEVERITY_WARNING, "no-record", NULL, NULL,
			"vfio-early did not run at this boot: there is no " RECORD_FILE);
		cure(c, "%s, then reboot", host_rebuild());
	} else if (error < 0 && error != -ENOENT) {
		say(c, SEVERITY_WARNING, "record-unreadable", NULL, NULL,
			"the boot record " RECORD_FILE " could not be read: %s",
			error == -EINVAL ? "it is not whole, or of another version"
					 : strerror(-error));
		cure(c, "cat " RECORD_FILE);
	}
	if (error < 0)
		return;
	if (c->check->planned && !gave_up(r) && !c->s->config_file && !c->s->config_hidden &&
		r->digest != c->s->config.digest) {
		say(c, SEVERITY_WARNING, "config-changed", NULL, NULL,
			"this boot went by another configuration than the one that is in /etc now");
		if (c->image_current)
			cure(c, "reboot: the newest kernel's image holds the configuration of now already");
		else
			cure(c, "%s, then reboot", host_rebuild());
	}
	check_whole(c);
	for (size_t i = 0; i < r->n_targets; i++)
		check_target(c, &r->targets[i]);
	for (size_t i = 0; i < r->n_devices; i++)
		check_device(c, &r->devices[i]);
}

int check_machine(const struct check *check, struct findings *f)
{
	struct checker c = { .check = check, .s = check->session, .findings = f };

	check_platform(&c);
	check_configuration(&c);
	check_needs(&c);
	check_leftovers(&c);
	check_usability(&c);
	check_images(&c);
	check_boot(&c);
	return c.r;
}

/* --- text --- */

static void text_of_severity(const struct report *r, enum severity severity, FILE *out)
{
	for_each_finding(r, f) {
		if (f->severity != severity)
			continue;
		fprintf(out, "%s: %s%s%s%s [%s]\n", severity_name(severity), f->target ? "[" : "",
			f->target ?: "", f->target ? "] " : "", f->text, f->id);
		if (f->cure)
			fprintf(out, "  -> %s\n", f->cure);
	}
}

/* ": 0000:01:00.0", then " 0000:01:00.1" */
static void text_address(struct pci_addr addr, bool *first, FILE *out)
{
	fprintf(out, "%s%s", *first ? ": " : " ", PCI_ADDR(addr));
	*first = false;
}

/* "this boot: [gpu] was bound: 0000:01:00.0 0000:01:00.1" */
static void text_this_boot(const struct record *r, FILE *out)
{
	bool first;

	for (size_t i = 0; i < r->n_targets; i++) {
		const struct record_target *t = &r->targets[i];
		bool is_active = streq(t->state, "hung") || streq(t->state, "failed");

		fprintf(out, "this boot: [%s] %s%s", t->name, is_active ? "" : "was ", t->state);
		first = true;
		for (size_t j = 0; j < r->n_devices; j++)
			if (streq(r->devices[j].target, t->name))
				text_address(r->devices[j].addr, &first, out);
		fputc('\n', out);
	}
}

static void text_next_boot(const struct session *s, FILE *out)
{
	static const char *const words[] = {
		[VERDICT_BIND] = "would be bound",
		[VERDICT_REFUSED] = "would be refused",
		[VERDICT_SKIPPED] = "would be skipped",
		[VERDICT_INACTIVE] = "is not in it (profile)",
	};
	bool first;

	for (size_t i = 0; i < s->plan.n_targets; i++) {
		const struct plan_target *t = &s->plan.targets[i];

		fprintf(out, "next boot: [%s] %s", t->target->name, words[t->verdict]);
		first = true;
		for (size_t j = 0; j < t->n_devices; j++)
			text_address(s->snapshot.devices[t->devices[j].device].addr, &first, out);
		/* Nor is it judged. */
		if (t->verdict == VERDICT_INACTIVE)
			fprintf(out,
				"; with it: vfio-early --check --cmdline \"$(cat /proc/cmdline) rd.vfio-early.profile=%s\"",
				t->target->profiles[0]);
		fputc('\n', out);
	}
}

void check_text(const struct check *c, const struct report *report, FILE *out)
{
	for (int severity = SEVERITY_ERROR; severity >= SEVERITY_NOTE; severity--)
		text_of_severity(report, (enum severity)severity, out);
	if (c->record)
		text_this_boot(c->record, out);
	text_next_boot(c->session, out);
	report_counts(report, out);
}
