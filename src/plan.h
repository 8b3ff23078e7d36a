/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What will be done, and why not the rest: a pure function of configuration, boot words and
 * machine. The isolation rule, the guards and the meaning of the boot words live here and nowhere
 * else, so that --dry-run and --check say what --bind does. */

#include "bootwords.h"
#include "config.h"
#include "finding.h"
#include "snapshot.h"

enum verdict {
	VERDICT_BIND,
	VERDICT_REFUSED,
	VERDICT_SKIPPED,  /* by a boot word */
	VERDICT_INACTIVE, /* none of its profiles is chosen at this boot */
};

struct plan_device {
	size_t device;  /* index in the snapshot */
	bool pulled_in; /* by isolation = whole-group */
	bool judged;    /* the same, and the guards have had their say */
};

struct plan_target {
	const struct target *target;
	enum verdict verdict;
	bool unresolved; /* refused because a line means no device, another one, or too many */
	struct plan_device *devices; /* in order of address once the plan is made */
	size_t n_devices;
};

enum step_kind {
	STEP_OVERRIDE, /* write driver_override; for a variant, whose driver has no name yet, a
			  placeholder */
	STEP_LOAD,     /* load the VFIO driver's module */
	STEP_NAME,     /* write the variant driver's name in place of the placeholder */
	STEP_SETTLE, /* see that the device is bound to the driver; unbind and bind where it is not
		      */
	STEP_TYPE1,  /* load vfio_iommu_type1; nothing depends on it at boot */
};

struct step {
	enum step_kind kind;
	size_t target;      /* index in plan->targets; not for LOAD and TYPE1 */
	size_t device;      /* index in the snapshot; not for LOAD and TYPE1 */
	const char *module; /* VFIO_MODULE or a variant's; not for TYPE1 */
};

struct plan {
	struct plan_target *targets; /* one for each of the configuration's, in its order */
	size_t n_targets;
	struct step *steps; /* what to do, in that order; none: touch nothing */
	size_t n_steps;
	struct findings findings;
};

/* Decides. @m may be NULL only where @c has no target. The plan points into @c and indexes @s: both
 * must outlive it. 0, or -ENOMEM. */
int plan_make(const struct config *c, const struct bootwords *w, const struct snapshot *s,
	const struct module_facts *m, struct plan *ret) _must_check_;
/* Whether a line of the configuration may mean this device: what scan.c must look at closely. */
bool plan_wants(const struct config *c, const struct pci_device *d);
/* Whether a line is about this device: it may mean it, or names its ID. */
bool plan_tells(const struct config *c, const struct pci_device *d);
/* Whether each device has to be held against a topology path. */
bool plan_compares_paths(const struct config *c, const struct bootwords *w);
/* The module whose driver the device gets: VFIO_MODULE, or a variant's. */
const char *plan_module(
	const struct snapshot *s, const struct plan_target *t, const struct plan_device *pd);
/* The line to write for this device in place of @instead, which may be NULL: its path where the
 * admin wrote one, or where a twin makes the address worthless; else its address. NULL when memory
 * is short. */
char *plan_line(
	const struct snapshot *s, const struct pci_device *d, const struct selector *instead);
const char *verdict_name(enum verdict verdict);
void plan_free(struct plan *p);
