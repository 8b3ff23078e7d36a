/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What --check finds beyond the plan for the next boot: firmware and kernel, who may write the
 * configuration, and what became of this boot. */

#include "platform.h"
#include "record.h"
#include "session.h"

struct check {
	const struct session *session; /* everything read, and the plan made */
	bool planned;                  /* it could be made: the configuration is without error */
	struct platform platform;
	const struct record *record; /* or NULL */
	int record_error;            /* why there is none: negative errno */
};

/* Adds what is wrong beyond the plan to @f. 0, or -ENOMEM. */
int check_machine(const struct check *c, struct findings *f) _must_check_;
/* All findings, those of the configuration and the plan as well, the worst first; then what this
 * boot did and the next one will do. */
void check_text(const struct check *c, const struct report *report, FILE *out);
