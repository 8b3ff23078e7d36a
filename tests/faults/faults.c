/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* faults SCENARIO ROOT RULES SHARD SHARDS [CALL FAULT]: runs /vfio-early --bind in ROOT, which
 * tests/faults/run made, once undisturbed, and then once for each system call of that run and each
 * thing that can go wrong with it; judges every run, and an undisturbed one that follows. Of the
 * calls, only every SHARDS-th. The last lines are "tally KIND COUNT FAILED", for the script to add
 * up. With CALL and FAULT, that one alone, and each call of the run. */

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

#include "judge.h"

enum group { GROUP_ERRORS, GROUP_SHORT, GROUP_HANGS, GROUP_MEMORY, GROUP_KILLS, N_GROUPS };

static const char *const group_names[] = { "errors", "short", "hangs", "memory", "kills" };

static const enum group groups[] = {
	[FAULT_ERROR] = GROUP_ERRORS,
	[FAULT_LATE] = GROUP_ERRORS,
	[FAULT_SHORT] = GROUP_SHORT,
	[FAULT_HALF] = GROUP_SHORT,
	[FAULT_EMPTY] = GROUP_SHORT,
	[FAULT_HANG] = GROUP_HANGS,
	[FAULT_STALL] = GROUP_HANGS,
	[FAULT_NO_MEMORY] = GROUP_MEMORY,
	[FAULT_KILL] = GROUP_KILLS,
	[FAULT_KILL_ALL] = GROUP_KILLS,
};

static const char *const binary_argv[] = { "vfio-early", "--bind", NULL };

struct tests {
	const char *scenario;
	struct core core;
	struct expected expected;
	struct trace undisturbed;
	char **seen; /* ends of a run from which an undisturbed one was right */
	size_t n_seen;
	size_t done[N_GROUPS], failed[N_GROUPS];
	unsigned execs;
	bool show;
};

/* --- the root --- */

static void empty_run(const struct tests *x)
{
	char path[PATH_MAX + 16];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/run/vfio-early", x->core.root);
	dir = opendir(path);
	while (dir && (e = readdir(dir)))
		unlinkat(dirfd(dir), e->d_name, 0);
	if (dir)
		closedir(dir);
	if (rmdir(path) < 0 && errno != ENOENT)
		die("%s: %s", path, strerror(errno));
}

static void reset(struct tests *x)
{
	core_reset(&x->core);
	empty_run(x);
}

/* All that the next run can see of this one: the driver core's state, and which files there are.
 * What is in them it does not read; that they are not read is seen in its calls. */
static char *whole_state(const struct tests *x)
{
	_cleanup_free_ char *core = core_state(&x->core);
	char path[PATH_MAX + 32];
	bool dir, record, temp;

	snprintf(path, sizeof(path), "%s/run/vfio-early", x->core.root);
	dir = access(path, F_OK) == 0;
	strcat(path, "/record");
	record = access(path, F_OK) == 0;
	strcat(path, ".new");
	temp = access(path, F_OK) == 0;
	return format("%s%d%d%d", core, dir, record, temp);
}

/* --- one fault --- */

/* A run and the judgement on it; the caller frees both. */
static char *run_once(struct tests *x, struct trace *t, const struct fault *f, bool second)
{
	*t = (struct trace){ .core = &x->core, .argv = binary_argv };
	if (f)
		t->fault = *f;
	if (x->show)
		t->show = stdout;
	trace_run(t);
	x->execs += t->execs;
	if (f && !t->injected)
		return format("the run did not come to this call again");
	return second ? judge_second(t, &x->expected) : judge_run(t, &x->expected);
}

static bool is_seen(const struct tests *x, const char *state)
{
	for (size_t i = 0; i < x->n_seen; i++)
		if (streq(x->seen[i], state))
			return true;
	return false;
}

static void add_seen(struct tests *x, char *state)
{
	char **place = array_add(&x->seen, &x->n_seen, sizeof(*place));

	if (!place)
		die("memory is short");
	*place = state;
}

/* An undisturbed run from what the first one left; from the same state it does the same, so each is
 * tried once. */
static char *run_second(struct tests *x)
{
	char *state = whole_state(x), *why;
	struct trace t;

	if (is_seen(x, state) && !x->show) {
		free(state);
		return NULL;
	}
	if (x->show)
		printf("--- the second run\n");
	x->core.rules_held = RULES_NO_HANG;
	why = run_once(x, &t, NULL, true);
	x->core.rules_held = RULES_ALL;
	trace_free(&t);
	if (why)
		free(state);
	else
		add_seen(x, state);
	return why;
}

static void show_end(const struct tests *x, const struct trace *t)
{
	_cleanup_free_ char *state = core_state(&x->core);
	char path[PATH_MAX + sizeof(FAULTS_RECORD)];
	_cleanup_fclose_ FILE *f = NULL;
	int c;

	printf("--- status %#x after %.6f s\n%s--- said\n%s--- kernel log\n%s--- record\n",
		t->status, (double)t->ns / 1e9, state, t->said, t->kmsg);
	snprintf(path, sizeof(path), "%s" FAULTS_RECORD, x->core.root);
	f = fopen(path, "re");
	while (f && (c = fgetc(f)) != EOF)
		putchar(c);
}

static void try_fault(struct tests *x, struct fault f)
{
	const struct call *call = &x->undisturbed.calls[f.call];
	enum group group = groups[f.kind];
	struct trace t;
	char name[32], *why;

	reset(x);
	why = run_once(x, &t, &f, false);
	if (!why && (t.at.type != call->type || !streq(t.at.path, call->path)))
		why = format("not the same call as without the fault: %s %s", t.at.type->name,
			t.at.path);
	if (x->show)
		show_end(x, &t);
	if (!why)
		why = run_second(x);
	x->done[group]++;
	if (why) {
		x->failed[group]++;
		fault_name(&f, name);
		printf("%s: call %zu, %s %s, %s: %s\n\tto see it: tests/faults/run %s:%zu:%s\n",
			x->scenario, f.call, call->type->name, call->path, name, why, x->scenario,
			f.call, name);
	}
	free(why);
	trace_free(&t);
}

/* --- which faults --- */

/* What a call of this kind can answer, this one may not. */
static bool can_fail(const struct tests *x, const struct call *call, int error)
{
	if (error == ENOENT && core_believes(&x->core, call->path))
		return false;
	/* pipe(7): what is below PIPE_BUF goes through whole; both ends are ours. */
	if (call->pipe && (call->type->reads || call->type->writes))
		return error == EINTR;
	if (error == ENOSPC && (call->type->nr == SYS_open || call->type->nr == SYS_openat))
		return call->writable;
	return !(call->type->memory && call->keeps);
}

/* What is done to a device or a module can wait for a driver, and the console for a terminal. The
 * first process touches neither. */
static bool can_hang(const struct call *call)
{
	return call->driver_core || skip_prefix(call->path, "/sys") ||
		(call->type->writes && streq(call->path, "said") && call->process);
}

static void try_call(struct tests *x, size_t n)
{
	const struct call *call = &x->undisturbed.calls[n];
	const struct call_type *type = call->type;

	for (size_t i = 0; i < ARRAY_SIZE(type->errors) && type->errors[i]; i++)
		if (can_fail(x, call, type->errors[i]))
			try_fault(x, (struct fault){ n, FAULT_ERROR, type->errors[i] });
	if (call->driver_core)
		try_fault(x, (struct fault){ n, FAULT_LATE, EIO });
	/* Another was faster. */
	if (type->nr == SYS_finit_module)
		try_fault(x, (struct fault){ n, FAULT_LATE, EEXIST });
	if ((type->reads || type->writes) && !call->pipe) {
		try_fault(x, (struct fault){ n, FAULT_SHORT, 0 });
		try_fault(x, (struct fault){ n, FAULT_HALF, 0 });
		if (type->reads)
			try_fault(x, (struct fault){ n, FAULT_EMPTY, 0 });
	}
	if (can_hang(call)) {
		try_fault(x, (struct fault){ n, FAULT_HANG, 0 });
		try_fault(x, (struct fault){ n, FAULT_STALL, 0 });
	}
	if (type->memory && !call->keeps && call->in_main)
		try_fault(x, (struct fault){ n, FAULT_NO_MEMORY, 0 });
	try_fault(x, (struct fault){ n, FAULT_KILL, 0 });
	try_fault(x, (struct fault){ n, FAULT_KILL_ALL, 0 });
}

/* --- the judge, judged --- */

/* What is put wrong after a good run. The first device that the run bound, and one that it did not.
 */
enum sabotage {
	LEAVE_OVERRIDE,
	LOSE_DEVICE,
	TAKE_ANOTHER,
	LOSE_DRIVER,
	BE_LATE,
	CRASH,
	CUT_RECORD,
	LEAVE_FILE,
	N_SABOTAGES
};

static void sabotage(struct tests *x, enum sabotage what, struct trace *t, struct core_device *ours,
	struct core_device *other)
{
	char path[PATH_MAX + sizeof(FAULTS_RECORD) + 8];

	snprintf(path, sizeof(path), "%s" FAULTS_RECORD "%s", x->core.root,
		what == LEAVE_FILE ? ".new" : "");
	switch (what) {
	case LOSE_DEVICE:
		ours->override[0] = '\0';
		/* fall through */
	case LEAVE_OVERRIDE:
		ours->driver[0] = '\0';
		break;
	case TAKE_ANOTHER:
		strcpy(other->driver, "vfio-pci");
		strcpy(other->override, "vfio-pci");
		break;
	case LOSE_DRIVER:
		other->driver[0] = '\0';
		break;
	case BE_LATE:
		t->ns += UINT64_C(20000000000);
		break;
	case CRASH:
		t->status = SIGSEGV;
		break;
	case CUT_RECORD:
		if (truncate(path, 100) < 0)
			die("%s: %s", path, strerror(errno));
		break;
	case LEAVE_FILE:
		close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
		break;
	default:
		break;
	}
}

/* How many are not found. */
static size_t self_test(struct tests *x)
{
	size_t blind = 0;

	for (enum sabotage what = 0; what < N_SABOTAGES; what++) {
		struct core_device *ours = NULL, *other = NULL;
		struct trace t;
		char *why;

		reset(x);
		why = run_once(x, &t, NULL, false);
		if (why)
			die("%s: without a fault: %s", x->scenario, why);
		for (size_t i = 0; i < x->core.n_devices; i++) {
			struct core_device *d = &x->core.devices[i];

			if (core_is_vfio(&x->core, d->driver))
				ours = d;
			else if (*d->driver)
				other = d;
		}
		if (ours && other)
			sabotage(x, what, &t, ours, other);
		why = judge_run(&t, &x->expected);
		if (ours && other && !why) {
			printf("%s: what was put wrong is not found: %d\n", x->scenario, what);
			blind++;
		}
		free(why);
		trace_free(&t);
	}
	return blind;
}

/* --- the scenario --- */

static void run_undisturbed(struct tests *x)
{
	static const enum core_rules rules[] = { RULES_NO_FAILURE, RULES_NO_HANG, RULES_ALL };
	char *why;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		trace_free(&x->undisturbed);
		x->undisturbed =
			(struct trace){ .core = &x->core, .argv = binary_argv, .keep_calls = true };
		reset(x);
		x->core.rules_held = rules[i];
		trace_run(&x->undisturbed);
		x->execs += x->undisturbed.execs;
		judge_first(&x->undisturbed, rules[i], &x->expected);
	}
	why = run_second(x);
	if (why)
		die("%s: without a fault: %s", x->scenario, why);
}

static void run_one(struct tests *x, const char *call, const char *name)
{
	struct fault f;
	struct trace t;

	x->show = true;
	if (streq(name, "none")) {
		reset(x);
		free(run_once(x, &t, NULL, false));
		show_end(x, &t);
		trace_free(&t);
		return;
	}
	if (fault_parse(name, &f) < 0 || strtoul(call, NULL, 10) >= x->undisturbed.n_calls)
		die("expected CALL below %zu, and a fault; not %s %s", x->undisturbed.n_calls, call,
			name);
	f.call = strtoul(call, NULL, 10);
	try_fault(x, f);
}

int main(int argc, char **argv)
{
	struct tests x = { 0 };
	size_t shard, shards, failed = 0;

	if (argc != 6 && argc != 8)
		die("usage: faults SCENARIO ROOT RULES SHARD SHARDS [CALL FAULT]");
	x.scenario = argv[1];
	core_open(&x.core, argv[2], argv[3]);
	shard = strtoul(argv[4], NULL, 10);
	shards = strtoul(argv[5], NULL, 10);
	run_undisturbed(&x);
	if (argc == 8)
		run_one(&x, argv[6], argv[7]);
	for (size_t i = shard; i < x.undisturbed.n_calls && argc == 6; i += shards)
		try_call(&x, i);
	if (shard == 0 && argc == 6)
		printf("tally judge %d %zu\n", N_SABOTAGES, self_test(&x));
	reset(&x);
	printf("tally calls %zu %d\n", shard ? 0 : x.undisturbed.n_calls, 0);
	for (int i = 0; i < N_GROUPS; i++) {
		printf("tally %s %zu %zu\n", group_names[i], x.done[i], x.failed[i]);
		failed += x.failed[i];
	}
	printf("tally execs %u %u\n", x.execs, x.execs);
	return failed || x.execs ? 1 : 0;
}
