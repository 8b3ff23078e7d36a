/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A machine, a configuration and boot words, and the laws of every plan: tests/lib/planlaws.c. */
#include "fuzz.h"
#include "planlaws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	planlaws_check(data, len);
	if (laws_broken)
		abort();
	return 0;
}
