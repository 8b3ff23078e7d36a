/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Plan and outcome for people, for scripts (JSON), for the kernel log, and the boot record. */

#include "apply.h"
#include "record.h"

#define RECORD_DIR  "/run/vfio-early"
#define RECORD_FILE RECORD_DIR "/record"

/* All there is to tell of one run; parts that it did not come to are NULL. */
struct report {
	const char *command; /* "bind", "dry-run", "check", "check-config" */
	const struct config *config;
	const struct bootwords *words;
	const struct snapshot *snapshot;
	const struct plan *plan;
	const struct outcome *outcome;
	const struct findings *live; /* of the running system, beside the plan's */
	const struct record *record; /* what this boot did; for JSON */
	bool gave_up;                /* nothing could be decided */
	double started;              /* seconds since the kernel's start (CLOCK_BOOTTIME) */
};

/* The finding after @f, over all sources; the first one for NULL, NULL behind the last. */
const struct finding *next_finding(const struct report *r, const struct finding *f);
#define for_each_finding(r, f) \
	for (const struct finding *f = next_finding((r), NULL); f; f = next_finding((r), f))
/* CLOCK_BOOTTIME: what the kernel log counts in, suspends included. */
double seconds_since_boot(void);
/* 0 ok, 1 a warning, 2 a target refused, the configuration in error, or something broken. */
int report_status(const struct report *r);
/* With @verbose notes are shown too. */
void report_text(const struct report *r, FILE *out, bool verbose);
/* "1 error, 2 warnings" and a newline. */
void report_counts(const struct report *r, FILE *out);
/* The schema is in vfio-early(8), JSON. */
void report_json(const struct report *r, FILE *out);
/* A line for each target and what is wrong besides, few enough for the kernel's rate limit. */
void report_log(const struct report *r);
/* Takes an earlier run's boot record away, if there is one. */
void report_forget_record(const char *dir);
/* Writes the boot record below @dir, whole or not at all. 0, or negative errno; -ENOTDIR where @dir
 * is a link. */
int report_record(const struct report *r, const char *dir) _must_check_;

/* What --list, --suggest and --check tell has these parts in common with it. */

/* A line, and one more for the cure. */
void finding_text(const struct finding *f, const char *indent, FILE *out);
/* The start of the object, up to "status". */
void json_begin(const char *command, int status, FILE *out);
/* What a device is, "address" to "name", as members of an object that the caller opens. */
void device_json(const struct pci_device *d, FILE *out);
/* "findings": [...] and a newline. */
void findings_json(const struct findings *f, FILE *out);
