/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is in an initramfs image, by the listing tool of a generator that is installed here. The one
 * file that starts other programs. */

#include "util.h"

struct listing {
	char *paths;      /* of its files, "/usr/bin/kmod", a line each */
	const char *tool; /* the program that was asked last, or NULL */
};

/* Lists the image @path; where it is a UKI (@unified), the one in it. @timeout_ms is for all of it.
 * 0; -ENOENT where no tool is installed, -EIO where it failed, -ENODATA where it listed but a part,
 * -ETIME, -E2BIG; or another negative errno. Free it in any case. */
int listing_make(const char *path, bool unified, int timeout_ms, struct listing *ret) _must_check_;
/* What the program @tool, an absolute path, prints of @image: with nothing to read, no environment
 * of ours, and killed with all that it started when @timeout_ms are over. 0; -ETIME, -E2BIG, -EIO
 * where it failed, or another negative errno. */
int listing_run(const char *tool, const char *image, int timeout_ms, char **ret) _must_check_;
/* Whether these paths, or those of a modules.dep, have the module, its name with '_' as in
 * "vfio_pci": in its file's name '-' is as good. */
bool listing_has_module(const char *paths, const char *module);
void listing_free(struct listing *l);
/* Milliseconds of CLOCK_MONOTONIC, for time limits over several listings. */
int64_t now_ms(void);
