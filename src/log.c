/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>

#include "log.h"

#define PREFIX        "vfio-early: "
#define LINE_MAX_KMSG 960

static int kmsg_fd = -1;

void log_to_kmsg(void)
{
	kmsg_fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

void log_line(int level, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL, *line = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = vformat(fmt, ap);
	va_end(ap);
	if (!text)
		return;
	if (strlen(text) > LINE_MAX_KMSG)
		strcpy(text + LINE_MAX_KMSG - 3, "...");
	if (kmsg_fd < 0) {
		fprintf(stderr, PREFIX "%s\n", text);
		return;
	}
	line = format("<%d>" PREFIX "%s\n", level | LOG_DAEMON, text);
	/* The log is a courtesy: what cannot be written there is in the record. */
	if (line && write(kmsg_fd, line, strlen(line)) < 0)
		return;
}
