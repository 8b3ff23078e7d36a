/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The configuration: INI files into plain data. The grammar is in vfio-early.conf(5). */

#include "finding.h"
#include "pciaddr.h"
#include "util.h"

#define CONFIG_FILE    "/etc/vfio-early.conf"
#define CONFIG_DROPINS "/etc/vfio-early.conf.d"

enum isolation { ISOLATION_UNSET, ISOLATION_STRICT, ISOLATION_WHOLE_GROUP, ISOLATION_NONE };
enum driver_choice { DRIVER_UNSET, DRIVER_AUTO, DRIVER_VFIO_PCI };
enum match { MATCH_UNSET, MATCH_ONE, MATCH_ALL };

/* What "allow" consents to; a bit for each guard. */
enum allow {
	ALLOW_BOOT_DISPLAY = 1 << 0,
	ALLOW_STORAGE = 1 << 1,
	ALLOW_LAST_USB = 1 << 2,
	ALLOW_NET_ROOT = 1 << 3,
	ALLOW_RESERVED_REGION = 1 << 4,
	ALLOW_NETWORK = 1 << 5,
	ALLOW_USB = 1 << 6,
	ALLOW_DISPLAY = 1 << 7,
};

enum selector_kind { SELECT_ADDRESS, SELECT_PATH, SELECT_ID };

/* One "device =" line. */
struct selector {
	enum selector_kind kind;
	struct pci_addr addr; /* SELECT_ADDRESS */
	struct pci_path path; /* SELECT_PATH */
	bool all_functions;   /* ".*": every function present there */
	bool has_id;          /* always for SELECT_ID, else where an ID is expected there */
	struct pci_id id;
	char *text; /* as it was written */
	char *file;
	unsigned line;
};

struct target {
	char *name;
	char *file;
	unsigned line;
	struct selector *selectors;
	size_t n_selectors;
	bool has_device_line; /* right or wrong */
	enum isolation isolation;
	enum match match;
	enum driver_choice driver;
	unsigned allow; /* enum allow, or-ed */
	char **profiles;
	size_t n_profiles;
};

struct config {
	struct target *targets;
	size_t n_targets;
	size_t n_device_lines;
	enum isolation isolation; /* of [options]; what a target without its own takes */
	char **files;             /* the files that were read, in that order */
	size_t n_files;
	uint64_t digest;        /* CRC-64 of what was read; the same files, the same digest */
	struct findings errors; /* "config-error", each text starts with FILE:LINE */
};

/* Reads @file alone, or with NULL the main file and the drop-ins below @root ("" for the machine's
 * own); either may be missing. What is wrong in or with a file goes to ret->errors, and the
 * configuration must not be used then. 0, or -ENOMEM. */
int config_load(const char *root, const char *file, struct config *ret) _must_check_;
/* Adds the text of one file, called @name in messages, to @c. 0, or -ENOMEM. */
int config_parse(struct config *c, const char *name, const char *text, size_t len) _must_check_;
/* After the last file: what can only be judged of the whole. 0, or -ENOMEM. */
int config_finish(struct config *c) _must_check_;
/* One device selector as "device =" takes it; file and line stay unset. 0, -EINVAL or -ENOMEM. */
int selector_parse(const char *text, struct selector *ret) _must_check_;
/* Whether both name the same address, path or ID; what is expected there is not compared. */
bool selector_same_place(const struct selector *a, const struct selector *b);
void selector_free(struct selector *s);
void config_free(struct config *c);

/* The word of one allow bit, "boot-display". */
const char *allow_name(enum allow bit);
const char *isolation_name(enum isolation isolation);
