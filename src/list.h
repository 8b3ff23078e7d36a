/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The machine's IOMMU groups and what is in them, for people and for scripts. */

#include "bootwords.h"
#include "finding.h"
#include "uses.h"

struct list {
	const struct snapshot *snapshot; /* as it was at the hook, drivers of now beside it */
	const struct uses *uses;
	const struct bootwords *words;
	const struct pci_device *only;   /* this device's group alone, or NULL */
	const struct findings *findings; /* told at the end */
};

/* Adds what there is to say of the machine as a whole: no IOMMU, say. 0, or -ENOMEM. */
int list_judge(const struct list *l, struct findings *f) _must_check_;
/* A tree, with @colour if it is wanted; or, not @tree, a line for each group and device that begins
 * with the group. */
void list_text(const struct list *l, FILE *out, bool tree, bool colour);
/* The schema is in vfio-early(8), JSON. */
void list_json(const struct list *l, FILE *out);
