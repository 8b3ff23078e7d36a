/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random machines, random configurations, and the laws that every plan keeps. planlaws [CASES
 * [SEED]]: the same seed, the same case; the first case that breaks a law is printed, one for each
 * law. tests/fuzz/plan.c looks for cases with more cunning. */
#include "planlaws.h"

#define BYTES 512

/* xorshift64 (Marsaglia, 2003): the same everywhere. */
static void fill(uint8_t *bytes, uint64_t seed)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15 | 1;

	for (size_t i = 0; i < BYTES; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		bytes[i] = (uint8_t)(x >> 32);
	}
}

int main(int argc, char **argv)
{
	unsigned long cases = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000;
	unsigned long first = argc > 2 ? strtoul(argv[2], NULL, 10) : 1, failed = 0;

	for (unsigned long seed = first; seed < first + cases; seed++) {
		unsigned before = laws_broken;
		uint8_t bytes[BYTES];

		fill(bytes, seed);
		planlaws_check(bytes, BYTES);
		if (laws_broken == before)
			continue;
		printf("broken in seed %lu\n", seed);
		failed++;
	}
	printf("%lu passed, %lu failed, 0 skipped\n", cases - failed, failed);
	return failed != 0;
}
