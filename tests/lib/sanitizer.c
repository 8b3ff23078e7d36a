/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the sanitizers of a test build go by: they would read the environment in /proc, which is not
 * there where a scenario runs. Only the program has this linked in. */

const char *__asan_default_options(void);

__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
	/* Leaks are looked for through /proc as well; the unit tests and the fuzzers look for them.
	 * No other status of ours is 99. */
	return "detect_leaks=0:exitcode=99";
}
