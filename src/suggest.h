/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A section of the configuration for some devices: what to write, found by the plan that the boot
 * makes. Pure. */

#include "plan.h"
#include "uses.h"

struct suggest {
	const struct snapshot *snapshot; /* as it was at the hook, every device looked at closely */
	const struct module_facts *module;
	const struct bootwords *words; /* what bypasses or skips is left out of account */
	const struct config *config;   /* what is configured already, without an error in it */
	const struct uses *uses;
	const char *file;    /* that @config was read from, or NULL: the machine's own */
	const char *rebuild; /* what builds the initramfs image, for the text */
	bool root;           /* false: what only root can read is not in all this */
};

/* Writes a section for the devices at these indices of the snapshot: a configuration file's text,
 * comments included, whatever is in the devices' names. *@ret_status is 0 where the configuration
 * with it passes plan_make() without a warning, 1 where the comments have a warning, 2 where it is
 * not ready: what the host needs, or what cannot be bound, is commented out. 0, or -ENOMEM. */
int suggest_make(const struct suggest *s, const size_t *devices, size_t n, char **ret_text,
	int *ret_status) _must_check_;
/* The text where the configuration is in error, which says so. 0, or -ENOMEM. */
int suggest_config_errors(const struct findings *errors, char **ret_text) _must_check_;
