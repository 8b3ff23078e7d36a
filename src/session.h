/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Everything that one run reads of a machine, in the order in which it is read, and what was
 * decided. */

#include "apply.h"
#include "report.h"
#include "traces.h"
#include "uses.h"

enum status { STATUS_OK = 0, STATUS_WARNING = 1, STATUS_ERROR = 2, STATUS_USAGE = 3 };

struct session {
	/* As the command line of the program says; not owned. */
	const char *config_file; /* NULL: the machine's own configuration */
	const char *cmdline;     /* NULL: /proc/cmdline */
	bool json;
	bool verbose;
	bool no_image; /* --check does not look into the images */

	const char *failed;    /* what could not be read, where a function here returns an error */
	char failed_text[512]; /* room for it */
	struct config config;
	bool config_hidden; /* session_check(): only root can read it, so it is left out */
	struct bootwords words;
	struct snapshot snapshot;
	struct module_facts facts;
	struct modules *modules;
	struct plan plan;
	struct outcome outcome;
	struct uses uses;
	struct traces traces;     /* of other ways of binding; a live system's alone */
	struct findings findings; /* beside those of the configuration, the plan and the outcome */
	int sysfd;
};

#define SESSION_INIT \
	{ \
		.sysfd = -1 \
	}

/* An initramfs is unpacked into a ramfs or tmpfs (Documentation/filesystems/
 * ramfs-rootfs-initramfs.rst); there is no file that all generators put there. */
bool in_initramfs(void);

/* All of these: 0, or negative errno, and then s->failed is a sentence's beginning. */

int session_read_config(struct session *s) _must_check_;
/* The kernel's words, with what else tells a kdump kernel. */
int session_read_words(struct session *s) _must_check_;
/* Every device, on a live system as it was at the hook; no modules. */
int session_read_devices(struct session *s) _must_check_;
/* What is true of the running system alone: each device's driver_override, and what the host uses
 * it for. What of it could not be found out goes to s->findings. */
int session_read_live(struct session *s) _must_check_;
/* The machine as it is, or on a @live system as it was at the hook, with the modules; @all: every
 * device, not only those that the configuration may mean. */
int session_read_machine(struct session *s, bool live, bool all) _must_check_;
/* Reads everything, then decides: what --bind and --dry-run have in common. Fills @report with what
 * it came to. */
int session_decide(struct session *s, bool live, struct report *report) _must_check_;
/* For --check: all of the machine as it was at the hook, what is true of it now, and the plan for
 * the next boot, which has not this boot's bypass. A configuration in error leaves it without a
 * plan. Fills @report as session_decide() does. */
int session_check(struct session *s, struct report *report) _must_check_;
/* For a hook: the configured devices, and the variant drivers made for them in the kernel
 * @release's module tree; NULL: the running one's. */
int session_find_variants(struct session *s, const char *release) _must_check_;
void session_print(const struct session *s, const struct report *report);
void session_free(struct session *s);
