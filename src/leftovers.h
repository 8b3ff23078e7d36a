/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What each old way of binding does now, beside vfio-early, and what to delete of it. */

#include "checker.h"

/* The part of --check that judges s->traces. */
void check_leftovers(struct checker *c);
/* Into @m, where each "ids=" of vfio-pci stands and the commands that take them away; @how as in
 * struct bootwords. Nothing where there is none. 0, or -ENOMEM. */
int leftovers_tell_ids(const struct traces *t, const char *how, struct module_facts *m)
	_must_check_;
