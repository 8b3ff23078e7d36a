/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* measure RUNS <LIST: runs each command of the list RUNS times, one after the other, round by
 * round, and counts the system calls of one run more. A line of the list is
 *
 *	NAME STATUS ROOT PROGRAM [ARGUMENT]...
 *
 * STATUS is the exit status that shows that it did what it is for; with any other the measurement
 * is void. It prints "NAME MICROSECONDS CALLS KILOBYTES": the median time from fork to exit, the
 * system calls of it and its children, and the peak memory of the largest of these. What takes over
 * a second is run three times. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_COMMANDS 32
#define MAX_WORDS    128
#define MAX_RUNS     1000
#define LONG_US      1000000
#define LONG_RUNS    3

struct command {
	char *words[MAX_WORDS + 1]; /* name, status, root, program, arguments */
	uint64_t us[MAX_RUNS];
	int n;
	unsigned long calls, kb;
};

static _Noreturn void die(const struct command *c, const char *what)
{
	fprintf(stderr, "measure: %s: %s\n", c ? c->words[0] : "?", what);
	exit(1);
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static _Noreturn void become(const struct command *c, bool traced)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	close(null);
	if (chroot(c->words[2]) == 0 && chdir("/") == 0) {
		if (traced) {
			ptrace(PTRACE_TRACEME, 0, NULL, NULL);
			raise(SIGSTOP);
		}
		execv(c->words[3], c->words + 3);
	}
	_exit(126);
}

static void check(const struct command *c, int status)
{
	char what[64];

	if (WIFEXITED(status) && WEXITSTATUS(status) == atoi(c->words[1]))
		return;
	snprintf(what, sizeof(what), "ended with status %#x", (unsigned)status);
	die(c, what);
}

static void run(struct command *c)
{
	uint64_t start = now_us();
	pid_t pid = fork();
	int status;

	if (pid == 0)
		become(c, false);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		die(c, strerror(errno));
	c->us[c->n++] = now_us() - start;
	check(c, status);
}

/* What its memory came to since it was started; what measure itself had before that is no part. */
static void look_at_memory(struct command *c, pid_t pid)
{
	char path[64], line[256];
	unsigned long kb;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmHWM: %lu", &kb) == 1 && kb > c->kb)
			c->kb = kb;
	if (f)
		fclose(f);
}

/* All of it and its children, from the program's own start on. */
static void trace(struct command *c)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL;
	struct __ptrace_syscall_info info;
	bool started = false;
	int status, result = 0;
	pid_t first = fork(), pid;

	if (first == 0)
		become(c, true);
	if (first < 0 || waitpid(first, &status, 0) < 0 ||
		ptrace(PTRACE_SETOPTIONS, first, NULL, options) < 0 ||
		ptrace(PTRACE_SYSCALL, first, NULL, NULL) < 0)
		die(c, strerror(errno));
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		int sig = 0;

		if (!WIFSTOPPED(status)) {
			if (pid == first)
				result = status;
			continue;
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			c->calls += started &&
				ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0 &&
				info.op == PTRACE_SYSCALL_INFO_ENTRY;
		else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8))
			started = true;
		else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8))
			look_at_memory(c, pid);
		else if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP)
			sig = WSTOPSIG(status);
		ptrace(PTRACE_SYSCALL, pid, NULL, (long)sig);
	}
	check(c, result);
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool parse(struct command *c, char *line)
{
	size_t n = 0;
	char *save = NULL;

	memset(c, 0, sizeof(*c));
	for (char *w = strtok_r(line, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
		if (n == MAX_WORDS)
			return false;
		c->words[n++] = strdup(w);
	}
	return n >= 4;
}

int main(int argc, char **argv)
{
	static struct command commands[MAX_COMMANDS];
	int n = 0, runs = argc == 2 ? atoi(argv[1]) : 0;
	char line[8192];

	if (runs < 1 || runs > MAX_RUNS) {
		fprintf(stderr, "usage: measure RUNS <LIST\n");
		return 1;
	}
	while (fgets(line, sizeof(line), stdin))
		if (n == MAX_COMMANDS || !parse(&commands[n++], line))
			die(NULL, "expected lines 'NAME STATUS ROOT PROGRAM [ARGUMENT]...'");
	for (int round = 0; round < runs; round++)
		for (int i = 0; i < n; i++)
			if (round < LONG_RUNS || commands[i].us[0] < LONG_US)
				run(&commands[i]);
	for (int i = 0; i < n; i++) {
		struct command *c = &commands[i];

		qsort(c->us, (size_t)c->n, sizeof(*c->us), by_size);
		trace(c);
		printf("%s %llu %lu %lu\n", c->words[0], (unsigned long long)c->us[c->n / 2],
			c->calls, c->kb);
	}
	return 0;
}
