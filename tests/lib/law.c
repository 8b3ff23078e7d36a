/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "law.h"

unsigned laws_broken;

void law(bool kept, const char *what, const char *fmt, ...)
{
	static const char *told[64];
	va_list ap;

	if (kept)
		return;
	laws_broken++;
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		if (told[i] && streq(told[i], what))
			return;
		if (told[i])
			continue;
		told[i] = what;
		break;
	}
	printf("--- %s: ", what);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	fflush(stdout);
}
