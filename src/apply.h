/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Carries the plan out, verifies each step, and undoes a target that fails. */

#include "module.h"
#include "plan.h"

/* A driver's name as sysfs shows it, NUL included: it becomes a directory's name. */
#define DRIVER_NAME_LEN 64

enum device_state {
	DEVICE_UNTOUCHED,
	DEVICE_BOUND,
	DEVICE_UNDONE, /* override cleared, given back to the driver that it would have had */
	DEVICE_LEFT,   /* undoing failed: the finding says what is left */
	DEVICE_HUNG,   /* a write did not come back: left as it is, override included */
};

enum target_state { TARGET_UNTOUCHED, TARGET_BOUND, TARGET_FAILED, TARGET_HUNG };

struct outcome {
	enum device_state *devices;       /* by index in the snapshot */
	enum target_state *targets;       /* by index in the plan */
	char (*drivers)[DRIVER_NAME_LEN]; /* by index in the snapshot: what it was to be bound to */
	struct findings findings;
};

/* How long apply_plan() takes at most, in milliseconds: for the steps, and then for undoing what
 * they left half done. Together the 10 s that a boot waits for us. */
#define APPLY_TIMEOUT_MS 8000
#define UNDO_TIMEOUT_MS  2000

/* Runs the plan's steps. Whatever can block is done by a child process; where it hangs or dies,
 * what it left half done is undone by others, one a device. @m may be NULL where no step loads a
 * module. 0 whatever became of the steps (@ret says it), or negative errno where nothing could be
 * begun. */
int apply_plan(const struct plan *plan, const struct snapshot *s, struct modules *m, int sysfd,
	unsigned apply_ms, unsigned undo_ms, struct outcome *ret) _must_check_;
const char *device_state_name(enum device_state state);
void outcome_free(struct outcome *o);
