/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#include "json.h"
#include "log.h"
#include "report.h"

/* Lines for the kernel log: about ten in five seconds are kept. */
#define LOG_TARGETS_MAX 6

static const struct findings *findings_of(const struct report *r, int source)
{
	switch (source) {
	case 0:
		return r->config ? &r->config->errors : NULL;
	case 1:
		return r->plan ? &r->plan->findings : NULL;
	case 2:
		return r->live;
	default:
		return r->outcome ? &r->outcome->findings : NULL;
	}
}

const struct finding *next_finding(const struct report *r, const struct finding *f)
{
	for (int source = 0; source < 4; source++) {
		const struct findings *list = findings_of(r, source);

		if (!list || list->n == 0)
			continue;
		if (!f)
			return list->items;
		if (f < list->items || f >= list->items + list->n)
			continue;
		if (++f < list->items + list->n)
			return f;
		f = NULL;
	}
	return NULL;
}

static bool finding_about(const struct finding *f, const struct plan_target *t)
{
	return t ? f->target && streq(f->target, t->target->name) : !f->target;
}

int report_status(const struct report *r)
{
	int worst = SEVERITY_NOTE;

	if (r->gave_up)
		return 3;
	for_each_finding(r, f)
		if ((int)f->severity > worst)
			worst = (int)f->severity;
	return worst == SEVERITY_ERROR ? 2 : worst == SEVERITY_WARNING ? 1 : 0;
}

/* What became of a target, as one word of the record and of JSON. */
static const char *target_word(const struct report *r, size_t i)
{
	static const char *const states[] = {
		[TARGET_UNTOUCHED] = "untouched",
		[TARGET_BOUND] = "bound",
		[TARGET_FAILED] = "failed",
		[TARGET_HUNG] = "hung",
	};

	if (r->plan->targets[i].verdict == VERDICT_BIND && r->outcome)
		return states[r->outcome->targets[i]];
	return verdict_name(r->plan->targets[i].verdict);
}

static enum device_state device_state(const struct report *r, size_t device)
{
	return r->outcome ? r->outcome->devices[device] : DEVICE_UNTOUCHED;
}

static bool target_bound(const struct report *r, size_t i)
{
	return r->plan->targets[i].verdict == VERDICT_BIND &&
		(!r->outcome || r->outcome->targets[i] == TARGET_BOUND);
}

/* --- for people --- */

static void text_target_head(const struct report *r, size_t i, FILE *out)
{
	const struct plan_target *t = &r->plan->targets[i];
	static const char *const done[] = {
		[TARGET_UNTOUCHED] = "was not touched",
		[TARGET_BOUND] = "is bound to vfio-pci",
		[TARGET_FAILED] = "could not be bound; its devices are left to their drivers",
		[TARGET_HUNG] = "hangs",
	};
	const char *text = "is refused: nothing of it is bound";

	if (t->verdict == VERDICT_BIND)
		text = r->outcome ? done[r->outcome->targets[i]] : "would be bound to vfio-pci";
	else if (t->verdict == VERDICT_SKIPPED)
		text = "is skipped at this boot";
	else if (t->verdict == VERDICT_INACTIVE)
		text = "is not in this boot: it takes rd.vfio-early.profile=";
	fprintf(out, "[%s] %s%s\n", t->target->name, text,
		t->verdict == VERDICT_INACTIVE ? t->target->profiles[0] : "");
}

static void text_device(const struct report *r, const struct plan_target *t,
	const struct plan_device *pd, FILE *out)
{
	const struct pci_device *d = &r->snapshot->devices[pd->device];

	fprintf(out, "  %s  %s  %s", PCI_ADDR(d->addr), PCI_ID(d->id),
		d->name ?: class_name(d->class));
	if (d->group != NO_GROUP)
		fprintf(out, ", IOMMU group %d", d->group);
	if (d->driver)
		fprintf(out, ", %s by %s", r->outcome ? "was held" : "held", d->driver);
	if (!streq(plan_module(r->snapshot, t, pd), VFIO_MODULE))
		fprintf(out, ", by the variant driver of %s", d->variant);
	fprintf(out, "%s\n", pd->pulled_in ? ", pulled in by whole-group" : "");
}

void finding_text(const struct finding *f, const char *indent, FILE *out)
{
	fprintf(out, "%s%s: %s [%s]\n", indent, severity_name(f->severity), f->text, f->id);
	if (f->cure)
		fprintf(out, "%s  -> %s\n", indent, f->cure);
}

static void text_findings(
	const struct report *r, const struct plan_target *t, FILE *out, bool verbose)
{
	const char *indent = t ? "  " : "";

	for_each_finding(r, f) {
		/* Why a target is not bound is told even where it is no more than a note. */
		if (!finding_about(f, t) ||
			(f->severity == SEVERITY_NOTE && t && !verbose &&
				t->verdict == VERDICT_BIND))
			continue;
		finding_text(f, indent, out);
	}
}

static void count(const struct report *r, enum severity severity, size_t *n)
{
	*n = 0;
	for_each_finding(r, f)
		*n += f->severity == severity;
}

void report_counts(const struct report *r, FILE *out)
{
	size_t errors, warnings;

	count(r, SEVERITY_ERROR, &errors);
	count(r, SEVERITY_WARNING, &warnings);
	fprintf(out, "%zu error%s, %zu warning%s\n", errors, errors == 1 ? "" : "s", warnings,
		warnings == 1 ? "" : "s");
}

/* "2 targets would be bound, 1 refused; 1 error, 0 warnings" */
static void text_summary(const struct report *r, FILE *out)
{
	static const enum verdict others[] = { VERDICT_REFUSED, VERDICT_SKIPPED, VERDICT_INACTIVE };
	size_t bound = 0, failed = 0, n[VERDICT_INACTIVE + 1] = { 0 };

	for (size_t i = 0; r->plan && i < r->plan->n_targets; i++) {
		enum verdict v = r->plan->targets[i].verdict;

		n[v]++;
		bound += target_bound(r, i);
		failed += v == VERDICT_BIND && !target_bound(r, i);
	}
	if (r->plan)
		fprintf(out, "%zu target%s %s", bound, bound == 1 ? "" : "s",
			r->outcome ? "bound" : "would be bound");
	if (failed)
		fprintf(out, ", %zu failed", failed);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (n[others[i]])
			fprintf(out, ", %zu %s", n[others[i]], verdict_name(others[i]));
	fputs(r->plan ? "; " : "", out);
	report_counts(r, out);
}

void report_text(const struct report *r, FILE *out, bool verbose)
{
	if (r->config && r->config->n_files == 0)
		fprintf(out,
			"no configuration: neither " CONFIG_FILE " nor " CONFIG_DROPINS
			"/*.conf; nothing to do\n");
	for (size_t i = 0; r->plan && i < r->plan->n_targets; i++) {
		const struct plan_target *t = &r->plan->targets[i];

		text_target_head(r, i, out);
		for (size_t j = 0; j < t->n_devices; j++)
			text_device(r, t, &t->devices[j], out);
		text_findings(r, t, out, verbose);
	}
	text_findings(r, NULL, out, verbose);
	text_summary(r, out);
}

/* --- JSON --- */

void device_json(const struct pci_device *d, FILE *out)
{
	json_key(out, "address", PCI_ADDR(d->addr));
	fputs(", ", out);
	json_key(out, "path", d->path.n_hops ? PCI_PATH(&d->path) : NULL);
	fputs(", ", out);
	json_key(out, "id", PCI_ID(d->id));
	fprintf(out, ", \"class\": \"%06x\", ", d->class);
	json_key(out, "name", d->name);
}

static void json_device(const struct report *r, const struct plan_target *t,
	const struct plan_device *pd, FILE *out)
{
	const struct pci_device *d = &r->snapshot->devices[pd->device];

	fputs("{", out);
	device_json(d, out);
	fputs(", ", out);
	json_key(out, "driver", d->driver);
	if (d->group == NO_GROUP)
		fputs(", \"group\": null", out);
	else
		fprintf(out, ", \"group\": %d", d->group);
	fprintf(out, ", \"pulled_in\": %s, ", pd->pulled_in ? "true" : "false");
	json_key(out, "vfio_module", plan_module(r->snapshot, t, pd));
	if (r->outcome) {
		fputs(", ", out);
		json_key(out, "vfio_driver", r->outcome->drivers[pd->device]);
		fputs(", ", out);
		json_key(out, "state", device_state_name(device_state(r, pd->device)));
	}
	fputs("}", out);
}

static void json_targets(const struct report *r, FILE *out)
{
	fputs("\"targets\": [", out);
	for (size_t i = 0; r->plan && i < r->plan->n_targets; i++) {
		const struct plan_target *t = &r->plan->targets[i];

		fputs(i ? ",\n    {" : "\n    {", out);
		json_key(out, "name", t->target->name);
		fputs(", ", out);
		json_key(out, "verdict", target_word(r, i));
		fputs(", \"devices\": [", out);
		for (size_t j = 0; j < t->n_devices; j++) {
			fputs(j ? ",\n      " : "\n      ", out);
			json_device(r, t, &t->devices[j], out);
		}
		fputs("]}", out);
	}
	fputs("],\n  ", out);
}

/* What the boot record says, with the drivers of now. */
static void json_record(const struct report *r, FILE *out)
{
	fputs("\"this_boot\": {\"targets\": [", out);
	for (size_t i = 0; i < r->record->n_targets; i++) {
		fputs(i ? ", {" : "{", out);
		json_key(out, "name", r->record->targets[i].name);
		fputs(", ", out);
		json_key(out, "state", r->record->targets[i].state);
		fputc('}', out);
	}
	fputs("], \"devices\": [", out);
	for (size_t i = 0; i < r->record->n_devices; i++) {
		const struct record_device *then = &r->record->devices[i];
		const struct pci_device *now = snapshot_find(r->snapshot, then->addr);

		fputs(i ? ",\n    {" : "\n    {", out);
		json_key(out, "address", PCI_ADDR(then->addr));
		fputs(", ", out);
		json_key(out, "target", then->target);
		fputs(", ", out);
		json_key(out, "state", then->state);
		fputs(", ", out);
		json_key(out, "vfio_driver", then->driver);
		fputs(", ", out);
		json_key(out, "driver_now", now ? device_driver_now(now) : NULL);
		fputc('}', out);
	}
	fputs("]},\n  ", out);
}

static void json_finding(const struct finding *f, bool first, FILE *out)
{
	fputs(first ? "\n    {" : ",\n    {", out);
	json_key(out, "severity", severity_name(f->severity));
	fputs(", ", out);
	json_key(out, "id", f->id);
	fputs(", ", out);
	json_key(out, "target", f->target);
	fputs(", ", out);
	json_key(out, "address", f->has_addr ? PCI_ADDR(f->addr) : NULL);
	fputs(", ", out);
	json_key(out, "text", f->text);
	fputs(", ", out);
	json_key(out, "cure", f->cure);
	fputs("}", out);
}

void findings_json(const struct findings *f, FILE *out)
{
	fputs("\"findings\": [", out);
	for (size_t i = 0; i < f->n; i++)
		json_finding(&f->items[i], i == 0, out);
	fputs("]\n", out);
}

/* The worst first. */
static void json_findings(const struct report *r, FILE *out)
{
	bool first = true;

	fputs("\"findings\": [", out);
	for (int severity = SEVERITY_ERROR; severity >= SEVERITY_NOTE; severity--) {
		for_each_finding(r, f) {
			if ((int)f->severity != severity)
				continue;
			json_finding(f, first, out);
			first = false;
		}
	}
	fputs("]\n", out);
}

void json_begin(const char *command, int status, FILE *out)
{
	fputs("{\n  \"format\": 1,\n  ", out);
	json_key(out, "version", VERSION);
	fputs(",\n  ", out);
	json_key(out, "command", command);
	fprintf(out, ",\n  \"status\": %d,\n  ", status);
}

void report_json(const struct report *r, FILE *out)
{
	json_begin(r->command, report_status(r), out);
	json_strings(out, "files", r->config->files, r->config->n_files);
	fprintf(out, ",\n  \"digest\": \"%016" PRIx64 "\",\n  ", r->config->digest);
	if (r->words) {
		json_strings(out, "boot_words", r->words->words, r->words->n_words);
		fputs(",\n  ", out);
	}
	json_targets(r, out);
	if (r->record)
		json_record(r, out);
	json_findings(r, out);
	fputs("}\n", out);
}

/* --- the kernel log --- */

/* The worst thing said of a target, or of none; how many more there are of that kind. */
static const struct finding *worst_finding(
	const struct report *r, const struct plan_target *t, size_t *ret_more)
{
	const struct finding *worst = NULL;

	*ret_more = 0;
	for_each_finding(r, f) {
		if (!finding_about(f, t))
			continue;
		if (!worst || f->severity > worst->severity) {
			worst = f;
			*ret_more = 0;
		} else if (f->severity == worst->severity) {
			++*ret_more;
		}
	}
	return worst;
}

static void log_finding(
	int level, const char *who, const char *what, const struct finding *f, size_t more)
{
	char tail[64] = "";

	if (more)
		snprintf(tail, sizeof(tail), " (%zu more, see " RECORD_FILE ")", more);
	/* The tail has to survive the cut of a long line. */
	log_line(level, "%s%s%s%.800s%s", who, what, f ? ": " : "", f ? f->text : "", tail);
}

/* What went wrong with a target, or that it is bound; a line each. */
static void log_target(const struct report *r, size_t i)
{
	const struct plan_target *t = &r->plan->targets[i];
	_cleanup_free_ char *who = format("%s: ", t->target->name), *list = strdup("");
	const struct finding *worst;
	size_t more;

	if (!who)
		return;
	if (!target_bound(r, i)) {
		worst = worst_finding(r, t, &more);
		/* What failed for all is said of none in particular. */
		if (!worst || worst->severity < SEVERITY_ERROR)
			worst = worst_finding(r, NULL, &more);
		log_finding(LOG_ERR, who,
			t->verdict == VERDICT_REFUSED ? "refused, nothing of it is bound"
						      : target_word(r, i),
			worst, more);
		return;
	}
	for (size_t j = 0; j < t->n_devices && list; j++) {
		size_t device = t->devices[j].device;
		const char *driver = r->outcome->drivers[device];
		bool plain = streq(driver, VFIO_DRIVER);
		char *longer = format("%s%s%s%s%s%s", list, *list ? " " : "",
			PCI_ADDR(r->snapshot->devices[device].addr), plain ? "" : " (by ",
			plain ? "" : driver, plain ? "" : ")");

		free(list);
		list = longer;
	}
	log_line(LOG_NOTICE, "%sbound to vfio-pci: %.800s", who, list ?: "");
}

/* What went wrong first, then what is bound: the lines are few. */
static void log_targets(const struct report *r)
{
	size_t left = LOG_TARGETS_MAX, hidden = 0;

	for (int bound = 0; bound <= 1; bound++) {
		for (size_t i = 0; r->plan && i < r->plan->n_targets; i++) {
			enum verdict v = r->plan->targets[i].verdict;

			if (v == VERDICT_INACTIVE || v == VERDICT_SKIPPED ||
				target_bound(r, i) != bound)
				continue;
			if (left) {
				left--;
				log_target(r, i);
			} else {
				hidden++;
			}
		}
	}
	if (hidden)
		log_line(LOG_NOTICE, "%zu more target%s, see " RECORD_FILE, hidden,
			hidden == 1 ? "" : "s");
}

void report_log(const struct report *r)
{
	const struct finding *worst;
	size_t more, warnings;

	log_targets(r);
	worst = worst_finding(r, NULL, &more);
	if (worst && worst->severity == SEVERITY_ERROR)
		log_finding(LOG_ERR, "",
			streq(worst->id, "config-error")
				? "configuration in error, nothing is bound"
				: "error",
			worst, more);
	else if (worst && worst->severity == SEVERITY_NOTE)
		log_finding(LOG_NOTICE, "", "note", worst, more);
	count(r, SEVERITY_WARNING, &warnings);
	if (warnings)
		log_line(LOG_WARNING, "%zu warning%s, see " RECORD_FILE, warnings,
			warnings == 1 ? "" : "s");
}

/* --- the boot record --- */

double seconds_since_boot(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* What the device was to be bound to; "-" where that is not known. */
static const char *device_driver(const struct report *r, size_t device)
{
	return r->outcome && *r->outcome->drivers[device] ? r->outcome->drivers[device] : "-";
}

/* One line, whatever is in the text. */
static void record_text(FILE *out, const char *key, const char *text)
{
	fprintf(out, "%s ", key);
	for (; *text; text++)
		fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, out);
	fputc('\n', out);
}

static void record_write(const struct report *r, FILE *out)
{
	struct utsname uts = { 0 };

	uname(&uts);
	fprintf(out, "record 1\nversion " VERSION "\nkernel %s\nstarted %.3f\nfinished %.3f\n",
		uts.release, r->started, seconds_since_boot());
	fprintf(out, "digest %016" PRIx64 "\n", r->config->digest);
	for (size_t i = 0; i < r->config->n_files; i++)
		record_text(out, "config", r->config->files[i]);
	for (size_t i = 0; r->words && i < r->words->n_words; i++)
		record_text(out, "word", r->words->words[i]);
	fprintf(out, "status %d\n", report_status(r));
	for (size_t i = 0; r->plan && i < r->plan->n_targets; i++) {
		const struct plan_target *t = &r->plan->targets[i];

		fprintf(out, "target %s %s\n", t->target->name, target_word(r, i));
		for (size_t j = 0; j < t->n_devices; j++) {
			const struct pci_device *d = &r->snapshot->devices[t->devices[j].device];

			fprintf(out, "device %s %s %s %s %s\n", t->target->name, PCI_ADDR(d->addr),
				PCI_ID(d->id), device_driver(r, t->devices[j].device),
				device_state_name(device_state(r, t->devices[j].device)));
		}
	}
	for_each_finding(r, f) {
		fprintf(out, "finding %s %s %s %s %s\n", severity_name(f->severity), f->id,
			f->target ?: "-", f->has_addr ? PCI_ADDR(f->addr) : "-", f->text);
		if (f->cure)
			fprintf(out, "cure %s\n", f->cure);
	}
	fprintf(out, "end\n");
}

/* A link would lead to where others may write. */
static int open_record_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void report_forget_record(const char *dir)
{
	_cleanup_close_ int dirfd = open_record_dir(dir);

	if (dirfd >= 0)
		unlinkat(dirfd, "record", 0);
}

int report_record(const struct report *r, const char *dir)
{
	_cleanup_close_ int dirfd = -1, fd = -1;
	FILE *out;
	int error;

	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	dirfd = open_record_dir(dir);
	if (dirfd < 0)
		return dirfd;
	/* What stands there already is a leftover, and may be something that blocks. */
	unlinkat(dirfd, "record.new", 0);
	fd = openat(dirfd, "record.new",
		O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	if (fd < 0)
		return -errno;
	out = fdopen(fd, "w");
	if (!out) {
		unlinkat(dirfd, "record.new", 0);
		return -ENOMEM;
	}
	fd = -1;
	record_write(r, out);
	error = ferror(out) ? -EIO : 0;
	if (fclose(out) != 0 && error == 0)
		error = -errno;
	/* Whole or not at all: a reader never sees half of it. */
	if (error == 0 && renameat(dirfd, "record.new", dirfd, "record") < 0)
		error = -errno;
	if (error < 0)
		unlinkat(dirfd, "record.new", 0);
	return error;
}
