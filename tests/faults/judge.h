/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What has to be true after every run, whatever went wrong in it. */

#include "record.h"
#include "trace.h"

struct expected {
	struct record plan; /* of a run in which nothing at all fails: what may be bound */
	/* Of an undisturbed run, in which the scenario's drivers do what they do: */
	struct record record;
	char *state; /* core_state() */
	bool has_record;
	/* Of one in which none of them hangs any more, as in each second run: */
	char *second_state;
	int second_status;
	bool second_has_record;
};

/* Where the record is, below the root. */
#define FAULTS_RECORD "/run/vfio-early/record"

/* After a run without a fault, under the rules given: what it left is what is expected from then
 * on.
 */
void judge_first(const struct trace *t, enum core_rules rules, struct expected *e);
/* After a run with a fault. NULL, or what is wrong; free it. */
char *judge_run(const struct trace *t, const struct expected *e);
/* After the undisturbed run that follows: as judge_run(). */
char *judge_second(const struct trace *t, const struct expected *e);
