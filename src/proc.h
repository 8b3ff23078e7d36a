/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel's tables in /proc as plain data. A line that is not understood is left out; each
 * function returns 0, or -ENOMEM, and adds to what the caller has. */

#include "util.h"

/* A line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
struct mount {
	unsigned major, minor; /* 0:N: not from one block device */
	char *point;
	char *type;
	char *source;
	char *options; /* the file system's own */
};

struct mounts {
	struct mount *items;
	size_t n;
};

int proc_mounts(FILE *f, struct mounts *ret) _must_check_;
/* The one that @path is in: of those with the longest mount point the last, which hides the others.
 * NULL where there is none. */
const struct mount *mount_holding(const struct mounts *m, const char *path);
void mounts_free(struct mounts *m);

/* A line of /proc/swaps. */
struct swap {
	char *path;
	bool is_file; /* else a block device */
};

struct swaps {
	struct swap *items;
	size_t n;
};

int proc_swaps(FILE *f, struct swaps *ret) _must_check_;
void swaps_free(struct swaps *s);

/* The interfaces of the default routes, each once. */
struct interfaces {
	char **names;
	size_t n;
};

/* /proc/net/route (IPv4) and /proc/net/ipv6_route. */
int proc_routes(FILE *f, struct interfaces *ret) _must_check_;
int proc_routes6(FILE *f, struct interfaces *ret) _must_check_;
void interfaces_free(struct interfaces *i);
