/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Findings: what is wrong, on which device or file:line, why, and what to do about it. Plain data;
 * report.c shows them. Their ids are stable: scripts may rely on them (vfio-early(8), FINDINGS). */

#include "pciaddr.h"
#include "util.h"

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR };

struct finding {
	enum severity severity;
	const char *id; /* static: "not-isolated" */
	char *target;   /* NULL: about no target in particular */
	bool has_addr;
	struct pci_addr addr; /* the device at fault */
	char *text;           /* what and why, a sentence without its full stop */
	char *cure;           /* what to do, or NULL */
};

struct findings {
	struct finding *items;
	size_t n;
};

/* Appends one; @target and @addr may be NULL. 0, or -ENOMEM. */
int finding_add(struct findings *f, enum severity severity, const char *id, const char *target,
	const struct pci_addr *addr, const char *fmt, ...) _printf_(6, 7) _must_check_;
int finding_vadd(struct findings *f, enum severity severity, const char *id, const char *target,
	const struct pci_addr *addr, const char *fmt, va_list ap) _printf_(6, 0) _must_check_;
/* Sets the cure of the finding that was added last. 0, or -ENOMEM. */
int finding_vcure(struct findings *f, const char *fmt, va_list ap) _printf_(2, 0) _must_check_;
int finding_cure(struct findings *f, const char *fmt, ...) _printf_(2, 3) _must_check_;
/* The worst severity in @f, -1 where it is empty. */
int findings_worst(const struct findings *f);
/* The exit status that they make: 0 ok, 1 a warning, 2 an error; notes do not count. */
int findings_status(const struct findings *f);
const char *severity_name(enum severity severity);
void findings_free(struct findings *f);
