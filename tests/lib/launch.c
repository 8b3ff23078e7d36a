/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* launch [WORD...] -- PROGRAM [ARGUMENT...]: runs the program as nobody should, waits for it, and
 * says on descriptor 9, if that is open, "STATUS KIB": its exit status, "signal N" or "late", and
 * the most memory that it had. Ends with its status, 128 + N or 124. The words:
 *
 *	argv=none|empty      no argument vector at all; an empty name
 *	argv=N               N more arguments of 1,000 bytes
 *	close=0[,1[,2]]      without these descriptors
 *	cwd=gone             in a directory that was removed
 *	umask=MODE
 *	ignore=N, block=N    with this signal ignored, or blocked
 *	pipe=broken          standard output and error are a pipe that nobody reads
 *	as=, fsize=, nofile=, stack=, nproc=N   resource limits
 *	env=NAME=VALUE       with this in the environment
 *	time=SECONDS         how long it may take: 30 */

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REPORT_FD 9

static struct {
	const char *argv;
	const char *close;
	rlim_t limit[RLIM_NLIMITS];
	sigset_t ignored, blocked;
	bool gone, broken;
	int umask;
	unsigned seconds;
} how = { .umask = -1, .seconds = 30 };

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "launch: %s: %s\n", what, strerror(errno));
	exit(125);
}

static void take_limit(int resource, const char *value)
{
	how.limit[resource] = strtoull(value, NULL, 0) + 1; /* 0: no limit */
}

static void take_word(const char *word)
{
	static const struct {
		const char *name;
		int resource;
	} limits[] = { { "as", RLIMIT_AS }, { "fsize", RLIMIT_FSIZE }, { "nofile", RLIMIT_NOFILE },
		{ "stack", RLIMIT_STACK }, { "nproc", RLIMIT_NPROC } };
	const char *value = strchr(word, '=');
	size_t len = value ? (size_t)(value++ - word) : 0;

	for (size_t i = 0; value && i < sizeof(limits) / sizeof(limits[0]); i++)
		if (strlen(limits[i].name) == len && strncmp(word, limits[i].name, len) == 0) {
			take_limit(limits[i].resource, value);
			return;
		}
	if (value && strncmp(word, "argv=", len + 1) == 0)
		how.argv = value;
	else if (value && strncmp(word, "close=", len + 1) == 0)
		how.close = value;
	else if (value && strncmp(word, "umask=", len + 1) == 0)
		how.umask = (int)strtol(value, NULL, 8);
	else if (value && strncmp(word, "ignore=", len + 1) == 0)
		sigaddset(&how.ignored, atoi(value));
	else if (value && strncmp(word, "block=", len + 1) == 0)
		sigaddset(&how.blocked, atoi(value));
	else if (value && strncmp(word, "env=", len + 1) == 0)
		putenv((char *)value);
	else if (value && strncmp(word, "time=", len + 1) == 0)
		how.seconds = (unsigned)atoi(value);
	else if (strcmp(word, "cwd=gone") == 0)
		how.gone = true;
	else if (strcmp(word, "pipe=broken") == 0)
		how.broken = true;
	else {
		fprintf(stderr, "launch: unknown word '%s'\n", word);
		exit(125);
	}
}

static void lose_directory(void)
{
	char dir[] = "/run/launch-XXXXXX";

	if (!mkdtemp(dir) || chdir(dir) < 0 || rmdir(dir) < 0)
		die(dir);
}

static void break_pipe(void)
{
	int fds[2];

	if (pipe(fds) < 0 || dup2(fds[1], 1) < 0 || dup2(fds[1], 2) < 0)
		die("pipe");
	close(fds[0]);
	close(fds[1]);
}

/* N more arguments behind those that are there. */
static char **lengthen(char **argv, size_t more)
{
	static char word[1001];
	size_t n = 0;
	char **longer;

	while (argv[n])
		n++;
	longer = calloc(n + more + 1, sizeof(*longer));
	if (!longer)
		die("memory");
	memset(word, 'x', sizeof(word) - 1);
	for (size_t i = 0; i < n + more; i++)
		longer[i] = i < n ? argv[i] : word;
	return longer;
}

static _Noreturn void become(char **argv)
{
	const char *program = argv[0];
	static char *none[] = { NULL };

	setpgid(0, 0);
	if (how.gone)
		lose_directory();
	if (how.umask >= 0)
		umask((mode_t)how.umask);
	for (int i = 1; i < NSIG; i++)
		if (sigismember(&how.ignored, i) == 1)
			signal(i, SIG_IGN);
	sigprocmask(SIG_BLOCK, &how.blocked, NULL);
	if (how.argv && strcmp(how.argv, "none") == 0)
		argv = none;
	else if (how.argv && strcmp(how.argv, "empty") == 0)
		argv[0] = (char *)"";
	else if (how.argv)
		argv = lengthen(argv, strtoul(how.argv, NULL, 10));
	if (how.broken)
		break_pipe();
	close(REPORT_FD);
	for (const char *c = how.close; c && *c; c++)
		if (*c != ',')
			close(*c - '0');
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit limit = { how.limit[i] - 1, how.limit[i] - 1 };

		if (how.limit[i])
			setrlimit((__rlimit_resource_t)i, &limit);
	}
	execv(program, argv);
	_exit(127);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Whether it ended in time; else all of its family is killed. */
static int wait_for(pid_t pid, int *status, struct rusage *used)
{
	double end = now() + how.seconds;
	const struct timespec tick = { .tv_nsec = 2000000 };

	while (wait4(pid, status, WNOHANG, used) != pid) {
		if (now() > end) {
			kill(-pid, SIGKILL);
			wait4(pid, status, 0, used);
			return 0;
		}
		nanosleep(&tick, NULL);
	}
	return 1;
}

int main(int argc, char **argv)
{
	struct rusage used;
	int i, status, in_time;
	char verdict[32];
	pid_t pid;

	sigemptyset(&how.ignored);
	sigemptyset(&how.blocked);
	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		take_word(argv[i]);
	if (i + 1 >= argc) {
		fputs("usage: launch [WORD...] -- PROGRAM [ARGUMENT...]\n", stderr);
		return 125;
	}
	pid = fork();
	if (pid == 0)
		become(argv + i + 1);
	in_time = pid > 0 && wait_for(pid, &status, &used);
	if (pid < 0)
		die("fork");
	if (!in_time)
		snprintf(verdict, sizeof(verdict), "late");
	else if (WIFSIGNALED(status))
		snprintf(verdict, sizeof(verdict), "signal-%d", WTERMSIG(status));
	else
		snprintf(verdict, sizeof(verdict), "%d", WEXITSTATUS(status));
	dprintf(REPORT_FD, "%s %ld\n", verdict, used.ru_maxrss);
	if (!in_time)
		return 124;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
