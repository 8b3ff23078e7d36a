/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The boot record as plain data: what report_record() wrote, read back. Its form is in
 * vfio-early(8), BOOT RECORD. */

#include "finding.h"

struct record_target {
	char *name;
	char *state; /* "bound", "failed", "hung", "refused", "skipped", "inactive", "untouched" */
};

struct record_device {
	char *target;
	struct pci_addr addr;
	struct pci_id id;
	char *driver; /* the one that it was to have, "-": not known */
	char *state;  /* "bound", "untouched", "undone", "left", "hung" */
};

struct record_finding {
	char *severity;
	char *id;
	char *target; /* "-": none */
	char *text;
	char *cure; /* or NULL */
};

struct record {
	char *version;
	char *kernel;
	uint64_t digest;
	struct record_target *targets;
	size_t n_targets;
	struct record_device *devices;
	size_t n_devices;
	struct record_finding *findings;
	size_t n_findings;
};

/* Reads the text of a record. Lines whose word is not known are passed over: later versions may
 * have more of them. 0; -EINVAL where it is not whole or not a record of this format; -ENOMEM. */
int record_parse(const char *text, struct record *ret) _must_check_;
/* The same of the file @path. -ENOENT where there is none, or its negative errno. */
int record_read(const char *path, struct record *ret) _must_check_;
/* The device's line, or NULL. */
const struct record_device *record_find(const struct record *r, struct pci_addr addr);
void record_free(struct record *r);
