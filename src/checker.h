/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of --check share: each looks at one kind of thing and adds its findings. */

#include "check.h"

struct checker {
	const struct check *check;
	const struct session *s;
	struct findings *findings;
	bool image_current; /* the newest kernel's image was looked at, and is up to date */
	int r;              /* first error; -ENOMEM is the only one there is */
};

/* Adds a finding; @target and @d may be NULL. */
void say(struct checker *c, enum severity severity, const char *id, const char *target,
	const struct pci_device *d, const char *fmt, ...) _printf_(6, 7);
/* What to do about the finding that was added last, a command to type if there is one. */
void cure(struct checker *c, const char *fmt, ...) _printf_(2, 3);
/* Whether the plan has a finding with this id: the same is not told twice. */
bool plan_says(const struct checker *c, const char *id);
/* The target that takes the device at the next boot, or NULL; with @wants, also one that is refused
 * as it stands: its message may say how to consent. */
const struct plan_target *taker(const struct checker *c, size_t device, bool wants);
