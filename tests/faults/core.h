/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel's driver core, over the fake /sys of a root: what it answers to a write to
 * driver_override, bind, unbind and drivers_probe and to the loading of a module, and what becomes
 * of the links and attributes then (drivers/base/bus.c, dd.c and driver.c of kernel 6.12). */

#include <limits.h>

#include "util.h"

#define CORE_NAME 64

struct core_device {
	char address[16];
	char dir[PATH_MAX];       /* in /sys, below the root */
	char native[CORE_NAME];   /* the driver that takes it where no override says otherwise */
	char driver[CORE_NAME];   /* bound to it now, or "" */
	char override[CORE_NAME]; /* or "" */
	char first_driver[CORE_NAME];   /* before anything was done */
	char shown_driver[CORE_NAME];   /* what the files say, */
	char shown_override[CORE_NAME]; /* so that only changes are written */
	char *uevent;                   /* without its DRIVER= line */
	bool comes_late; /* its native driver takes it right before its first override */
	bool came;
};

/* Which of the scenario's rules hold. */
enum core_rules { RULES_ALL, RULES_NO_HANG, RULES_NO_FAILURE };

struct core {
	enum core_rules rules_held;
	bool youngest_first; /* a rule for processes: of those that can go on, which does */
	char root[PATH_MAX];
	struct core_device *devices;
	size_t n_devices;
	char (*drivers)[CORE_NAME]; /* registered now */
	size_t n_drivers, n_first_drivers;
	char (*modules)[CORE_NAME]; /* loaded by us */
	size_t n_modules;
	char **rules; /* the scenario's, see tests/faults/run */
	size_t n_rules;
};

/* The machine below @root, with the rules of the file @rules where there is one. Whatever is wrong
 * with it ends the program. */
void core_open(struct core *c, const char *root, const char *rules);
/* As it was at first. */
void core_reset(struct core *c);
/* A write to the file @path in /sys. What write() answers, or negative errno. */
ssize_t core_write(struct core *c, const char *path, const char *text, size_t len);
/* finit_module() of the file @path. 0 or negative errno. */
int core_load(struct core *c, const char *path);
/* Whether a rule says that what is done to @path never comes back. */
bool core_hangs(const struct core *c, const char *path);
/* Whether one says that this file may well not be there, as far as the binary can know. */
bool core_believes(const struct core *c, const char *path);
/* The device whose address is in @text, or NULL. */
struct core_device *core_find(const struct core *c, const char *text);
/* The rule "@word NAME REST": its REST, or NULL. */
const char *core_rule(const struct core *c, const char *word, const char *name);
/* vfio-pci, or a variant driver. */
bool core_is_vfio(const struct core *c, const char *driver);
/* All of the state as text, for comparing; free it. */
char *core_state(const struct core *c);

_Noreturn void die(const char *fmt, ...) _printf_(1, 2);
