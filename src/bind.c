/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "bind.h"
#include "log.h"
#include "sysfs.h"

/* How long reading may take before binding is not begun any more, and all of it before the boot
 * goes on without: reading, APPLY_TIMEOUT_MS, UNDO_TIMEOUT_MS, and a second to tell. */
#define READ_TIMEOUT_S 4
#define BIND_TIMEOUT_S 15

#define MEMORY_MAX ((rlim_t)256 << 20)

/* Clang up to 21 does not define what GCC does. */
#if defined(__has_feature) && !defined(__SANITIZE_ADDRESS__)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

enum stage { STAGE_READING, STAGE_BINDING, STAGE_TELLING };

/* Tells what was done, where a boot is read afterwards. */
static int tell_boot(const struct report *report, const struct session *s, bool verbose)
{
	int status = report_status(report), r;

	log_to_kmsg();
	report_log(report);
	r = report_record(report, RECORD_DIR);
	if (r < 0) {
		log_line(LOG_WARNING, "the boot record " RECORD_FILE " could not be written: %s",
			strerror(-r));
		status = status ?: 1;
	}
	if (verbose || s->json)
		session_print(s, report);
	return status;
}

/* What could not be found out or finished, for the record and, with @log, the kernel log; nothing
 * here blocks. */
static void tell_error(
	struct session *s, bool log, const char *what, const char *why, const char *then)
{
	struct report report = { .command = "bind", .config = &s->config, .gave_up = true };

	(void)!finding_add(&s->config.errors, SEVERITY_ERROR, "gave-up", NULL, NULL, "%s: %s; %s",
		what, why, then);
	report.started = seconds_since_boot();
	if (log)
		(void)tell_boot(&report, s, false);
	else
		(void)!report_record(&report, RECORD_DIR);
}

/* Nothing could be decided: nothing is bound, and the boot goes on. */
static int give_up(struct session *s, const char *what, int error)
{
	tell_error(s, true, what, error == -ETIME ? "it took too long" : read_error(error),
		"nothing is bound");
	return STATUS_USAGE;
}

/* Reads everything, decides, acts, tells: in this order. */
static int bind_devices(struct session *s, enum stage *stage)
{
	struct report report = { .command = "bind", .config = &s->config };
	int r;

	report.started = seconds_since_boot();
	r = session_decide(s, false, &report);
	if (r < 0)
		return give_up(s, s->failed, r);
	/* What follows takes its own time, and the boot waits for both. */
	if (seconds_since_boot() - report.started > READ_TIMEOUT_S)
		return give_up(s, "/sys and the modules' files could not be read", -ETIME);
	*stage = STAGE_BINDING;
	if (report.plan) {
		r = apply_plan(&s->plan, &s->snapshot, s->modules, s->sysfd, APPLY_TIMEOUT_MS,
			UNDO_TIMEOUT_MS, &s->outcome);
		if (r < 0)
			return give_up(s, "the plan could not be begun", r);
		report.outcome = &s->outcome;
	}
	*stage = STAGE_TELLING;
	return tell_boot(&report, s, s->verbose || s->words.verbose);
}

/* The child is gone or hangs: says how far it came. */
static int say_lost(struct session *s, enum stage stage, int error)
{
	static const char *const stages[] = {
		[STAGE_READING] = "reading /sys and the modules' files",
		[STAGE_BINDING] = "binding",
		[STAGE_TELLING] = "telling what was done",
	};
	const char *why = error == -ETIME ? "it took too long" : "it ended by itself";
	const char *then = stage == STAGE_READING
		? "nothing is bound"
		: "what is bound: grep . /sys/bus/pci/devices/*/driver_override";

	/* A record that is there is whole, and says more. Without the kernel log the console is
	 * left, and it may be what hangs. */
	if (access(RECORD_FILE, F_OK) < 0)
		tell_error(s, access("/dev/kmsg", W_OK) == 0, stages[stage], why, then);
	return STATUS_USAGE;
}

/* Waits for the child, but not for ever. 0 and its exit status, or negative errno. */
static int wait_bounded(pid_t pid, double deadline, int *ret_status)
{
	sigset_t chld;
	int status;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	while (waitpid(pid, &status, WNOHANG) != pid) {
		struct timespec tick = { .tv_sec = 1 };

		if (seconds_since_boot() > deadline) {
			kill(pid, SIGKILL);
			return -ETIME;
		}
		sigtimedwait(&chld, NULL, &tick);
	}
	*ret_status = WEXITSTATUS(status);
	return WIFEXITED(status) ? 0 : -EFAULT;
}

/* A file of libkmod's that has no end must not take the machine's memory. No module, read or
 * decompressed, comes near it. A sanitizer needs more by itself. */
static void limit_memory(void)
{
#ifndef __SANITIZE_ADDRESS__
	struct rlimit limit;

	if (getrlimit(RLIMIT_DATA, &limit) == 0 && limit.rlim_cur > MEMORY_MAX) {
		limit.rlim_cur = MEMORY_MAX;
		setrlimit(RLIMIT_DATA, &limit);
	}
#endif
}

/* A child, because reading may block, too (an attribute on a driver's lock, the console on flow
 * control), and the boot waits for this process alone. */
int bind_bounded(struct session *s)
{
	double deadline = seconds_since_boot() + BIND_TIMEOUT_S;
	sigset_t chld, before;
	enum stage *stage;
	int status, r;
	pid_t pid;

	if (!in_initramfs()) {
		fprintf(stderr,
			"vfio-early: --bind works in an initramfs only, where no driver has the devices yet; here, try: vfio-early --dry-run\n");
		return STATUS_USAGE;
	}
	stage = mmap(
		NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (stage == MAP_FAILED)
		return give_up(s, "memory is short", -errno);
	report_forget_record(RECORD_DIR);
	signal(SIGPIPE, SIG_IGN); /* a reader of ours that is gone costs its lines, no more */
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &before);
	pid = fork();
	if (pid < 0)
		return give_up(s, "a child process could not be started", -errno);
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		limit_memory();
		status = bind_devices(s, stage);
		fflush(stdout);
		_exit(status);
	}
	r = wait_bounded(pid, deadline, &status);
	return r < 0 ? say_lost(s, *stage, r) : status;
}
