/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One line, one level: to standard error, or from the initramfs to the kernel log. */

#include <syslog.h>

#include "util.h"

/* From now on to /dev/kmsg, where it can be opened. The kernel takes about ten lines in five
 * seconds and no line over 1,024 bytes (kernel/printk/printk.c, devkmsg_write()): keep to
 * summaries. */
void log_to_kmsg(void);
/* @level as in syslog.h; LOG_ERR and worse are seen on the console even with "quiet". A line that
 * is too long is cut. */
void log_line(int level, const char *fmt, ...) _printf_(2, 3);
