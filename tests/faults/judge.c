/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <limits.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "judge.h"

/* A boot waits ten seconds for binding and fifteen for all; the parent looks once in a second. */
#define TIME_MAX_NS UINT64_C(16500000000)

struct judgement {
	const struct trace *t;
	const struct expected *e;
	struct record record;
	bool has_record;
	char *wrong;
};

static void wrong(struct judgement *j, const char *fmt, ...) _printf_(2, 3);
static void wrong(struct judgement *j, const char *fmt, ...)
{
	va_list ap;

	if (j->wrong)
		return;
	va_start(ap, fmt);
	j->wrong = vformat(fmt, ap);
	va_end(ap);
}

static const char *record_path(const struct trace *t)
{
	static char path[PATH_MAX + sizeof(FAULTS_RECORD)];

	snprintf(path, sizeof(path), "%s" FAULTS_RECORD, t->core->root);
	return path;
}

static bool was_killed(const struct trace *t)
{
	return t->injected && (t->fault.kind == FAULT_KILL || t->fault.kind == FAULT_KILL_ALL);
}

/* The process whose status counts died of the fault itself. */
static bool first_was_killed(const struct trace *t)
{
	return was_killed(t) && (t->fault.kind == FAULT_KILL_ALL || t->at.process == 0);
}

/* --- what was told --- */

static const struct record_device *recorded(const struct judgement *j, const struct core_device *d)
{
	for (size_t i = 0; j->has_record && i < j->record.n_devices; i++)
		if (streq(PCI_ADDR(j->record.devices[i].addr), d->address))
			return &j->record.devices[i];
	return NULL;
}

/* That this device was left as it is, or, where it is not known how far binding came, how to
 * look. */
static bool is_told(const struct judgement *j, const struct core_device *d)
{
	const struct record_device *r = recorded(j, d);

	if (r)
		return streq(r->state, "hung") || streq(r->state, "left");
	for (size_t i = 0; j->has_record && i < j->record.n_findings; i++)
		if (streq(j->record.findings[i].severity, "error") &&
			strstr(j->record.findings[i].text, "/driver_override"))
			return true;
	return !j->has_record &&
		(strstr(j->t->kmsg, d->address) || strstr(j->t->kmsg, "/driver_override"));
}

/* A rule of the scenario makes it so. */
static bool is_left_anyway(const struct judgement *j, const struct core_device *d)
{
	for (size_t i = 0; i < j->e->record.n_devices; i++)
		if (streq(PCI_ADDR(j->e->record.devices[i].addr), d->address))
			return streq(j->e->record.devices[i].state, "hung") ||
				streq(j->e->record.devices[i].state, "left");
	return false;
}

/* Whether it was undoing that could not be done: the fault hit the device, or what undoing takes.
 */
static bool may_be_left(const struct judgement *j, const struct core_device *d)
{
	const struct trace *t = j->t;

	if (is_left_anyway(j, d))
		return true;
	if (!t->injected)
		return false;
	switch (t->fault.kind) {
	case FAULT_HANG:
	case FAULT_KILL:
	case FAULT_NO_MEMORY:
		return true;
	default:
		break;
	}
	return strstr(t->at.path, d->address) || strstr(t->at.path, "/drivers") ||
		t->at.driver_core;
}

/* --- one by one --- */

static void judge_end(struct judgement *j)
{
	const struct trace *t = j->t;

	if (t->broken)
		wrong(j, "%s", t->broken);
	if (t->ns > TIME_MAX_NS)
		wrong(j, "it ended after %.1f s", (double)t->ns / 1e9);
	if (first_was_killed(t) || (t->injected && !t->at.in_main))
		return;
	if (WIFSIGNALED(t->status))
		wrong(j, "it ended by signal %d", WTERMSIG(t->status));
	else if (WEXITSTATUS(t->status) > 3)
		wrong(j, "it ended with status %d", WEXITSTATUS(t->status));
}

static void judge_record(struct judgement *j)
{
	int r = record_read(record_path(j->t), &j->record);

	j->has_record = r == 0;
	if (r < 0 && r != -ENOENT)
		wrong(j, "the record cannot be read: %s", strerror(-r));
	if (j->has_record || !j->e || !j->e->has_record || first_was_killed(j->t) ||
		!j->t->at.in_main)
		return;
	if (!*j->t->kmsg && !*j->t->said)
		wrong(j, "there is no record, and nothing is said of it");
}

static bool is_expected_bound(const struct judgement *j, const struct core_device *d)
{
	for (size_t i = 0; i < j->e->plan.n_devices; i++)
		if (streq(PCI_ADDR(j->e->plan.devices[i].addr), d->address))
			return streq(j->e->plan.devices[i].state, "bound");
	return false;
}

/* That what the record says of a device is true. */
static void judge_claim(struct judgement *j, const struct core_device *d)
{
	const struct record_device *r = recorded(j, d);

	if (!r)
		return;
	if (streq(r->state, "bound") &&
		(!streq(d->driver, r->driver) || !streq(d->override, r->driver)))
		wrong(j, "%s: the record says bound to %s; it has driver '%s', override '%s'",
			d->address, r->driver, d->driver, d->override);
	if ((streq(r->state, "undone") || streq(r->state, "untouched")) &&
		(*d->override || (*d->first_driver && !streq(d->driver, d->first_driver))))
		wrong(j, "%s: the record says %s; it has driver '%s', override '%s'", d->address,
			r->state, d->driver, d->override);
}

static void judge_device(struct judgement *j, const struct core_device *d)
{
	bool ours = *d->driver && core_is_vfio(j->t->core, d->driver);
	bool left = (*d->override && !ours) || (!*d->driver && *d->first_driver) ||
		(ours && !*d->override);

	if (ours && !is_expected_bound(j, d))
		wrong(j, "%s: it is bound to %s, which the plan refuses", d->address, d->driver);
	judge_claim(j, d);
	if (!left)
		return;
	if (!is_told(j, d))
		wrong(j, "%s: it is left with driver '%s', override '%s', and nothing says so",
			d->address, d->driver, d->override);
	if (!may_be_left(j, d))
		wrong(j, "%s: it is left with driver '%s', override '%s', and could be undone",
			d->address, d->driver, d->override);
}

/* Bound whole or not at all. */
static void judge_targets(struct judgement *j)
{
	const struct record *plan = &j->e->plan;

	for (size_t i = 0; i < plan->n_targets; i++) {
		const struct core_device *loose = NULL;
		size_t bound = 0, all = 0;

		for (size_t k = 0; k < plan->n_devices; k++) {
			const struct core_device *d;

			if (!streq(plan->devices[k].target, plan->targets[i].name))
				continue;
			all++;
			d = core_find(j->t->core, PCI_ADDR(plan->devices[k].addr));
			if (d && core_is_vfio(j->t->core, d->driver)) {
				bound++;
				loose = is_told(j, d) ? loose : d;
			}
		}
		if (bound && bound < all && loose)
			wrong(j, "[%s] is bound in part, and nothing says so of %s",
				plan->targets[i].name, loose->address);
	}
}

/* Beside the record, only where the process that was to take it away was killed. */
static void judge_files(struct judgement *j)
{
	char path[PATH_MAX + 32];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/run/vfio-early", j->t->core->root);
	dir = opendir(path);
	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.' && !streq(e->d_name, "record"))
			wrong(j, "/run/vfio-early/%s is left", e->d_name);
	if (dir)
		closedir(dir);
}

/* Whether each line of @a, but for modules where @modules is false, is in @b. */
static bool lines_in(const char *a, const char *b, bool modules)
{
	char line[512];

	for (; *a; a += strcspn(a, "\n") + 1) {
		snprintf(line, sizeof(line), "%.*s\n", (int)strcspn(a, "\n"), a);
		if ((modules || !skip_prefix(line, "module ")) && !strstr(b, line))
			return false;
	}
	return true;
}

/* The same devices, and all the modules; more of these do no harm: nothing unloads one that an
 * earlier run loaded. */
static bool same_end(const char *state, const char *expected)
{
	return lines_in(expected, state, true) && lines_in(state, expected, false);
}

static void judge_status(struct judgement *j)
{
	_cleanup_free_ char *state = core_state(j->t->core);

	if (first_was_killed(j->t) || (j->t->injected && !j->t->at.in_main))
		return;
	if (!same_end(state, j->e->state) && WEXITSTATUS(j->t->status) == 0)
		wrong(j, "another end than without the fault, and status 0");
}

static char *finish(struct judgement *j)
{
	record_free(&j->record);
	return j->wrong;
}

char *judge_run(const struct trace *t, const struct expected *e)
{
	struct judgement j = { .t = t, .e = e };

	judge_end(&j);
	judge_record(&j);
	for (size_t i = 0; i < t->core->n_devices; i++) {
		const struct core_device *d = &t->core->devices[i];

		if (t->fault.kind != FAULT_KILL_ALL)
			judge_device(&j, d);
		else if (core_is_vfio(t->core, d->driver) && !is_expected_bound(&j, d))
			wrong(&j, "%s: it is bound to %s, which the plan refuses", d->address,
				d->driver);
	}
	if (t->fault.kind != FAULT_KILL_ALL) {
		judge_targets(&j);
		judge_status(&j);
	}
	if (!was_killed(t))
		judge_files(&j);
	return finish(&j);
}

char *judge_second(const struct trace *t, const struct expected *e)
{
	struct judgement j = { .t = t, .e = e };
	_cleanup_free_ char *state = core_state(t->core);

	judge_end(&j);
	judge_record(&j);
	judge_files(&j);
	if (!same_end(state, e->second_state))
		wrong(&j, "the second run ends thus:\n%s\tand not thus:\n%s", state,
			e->second_state);
	if (WEXITSTATUS(t->status) != e->second_status)
		wrong(&j, "the second run ends with status %d", WEXITSTATUS(t->status));
	if (j.has_record != e->second_has_record)
		wrong(&j, "the second run leaves %s record", j.has_record ? "a" : "no");
	return finish(&j);
}

void judge_first(const struct trace *t, enum core_rules rules, struct expected *e)
{
	struct judgement j = { .t = t };

	judge_end(&j);
	judge_record(&j);
	judge_files(&j);
	if (j.wrong)
		die("without a fault: %s", j.wrong);
	switch (rules) {
	case RULES_NO_FAILURE:
		e->plan = j.record;
		break;
	case RULES_NO_HANG:
		e->second_state = core_state(t->core);
		e->second_status = WEXITSTATUS(t->status);
		e->second_has_record = j.has_record;
		record_free(&j.record);
		break;
	case RULES_ALL:
		e->state = core_state(t->core);
		e->has_record = j.has_record;
		e->record = j.record;
	}
}
