/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "apply.h"
#include "sysfs.h"

/* Matches no driver: it keeps every driver off until the variant driver's name is known. */
#define PLACEHOLDER "vfio-early-waits"
#define HEAR_OUT_MS 200
#define RETRY_MS    50

/* What was being done when it failed or hung. */
enum op { OP_OVERRIDE, OP_LOAD, OP_NAME, OP_UNBIND, OP_BIND, OP_CLEAR, OP_PROBE };

enum progress_kind { STEP_BEGUN, STEP_ENDED, UNDO_BEGUN, UNDO_ENDED, ALL_DONE };

/* What a child tells its parent; smaller than PIPE_BUF, so that each arrives whole. Without
 * padding, which nobody sets and write() would send. */
struct __attribute__((packed)) progress {
	enum progress_kind kind;
	size_t index; /* of the step in the plan; for UNDO of the device in the snapshot */
	enum op op;
	int error;                    /* 0 or negative errno */
	char from[DRIVER_NAME_LEN];   /* the driver that the device was taken from, or "" */
	char driver[DRIVER_NAME_LEN]; /* STEP_NAME: what the variant driver is called */
};

struct run {
	const struct plan *plan;
	const struct snapshot *snapshot;
	struct modules *modules;
	int sysfd;
	int pipe;          /* a child's end */
	int *undo_fds;     /* the pipe for undoing, which other children must not hold open */
	uint64_t deadline; /* for retries */
	bool *touched;     /* by device: its override was written, or begun */
	bool *failed;      /* by target */
	char (*drivers)[DRIVER_NAME_LEN]; /* by device: the driver that it is to have */
	char (*held)[DRIVER_NAME_LEN];    /* by device: the driver that it was taken from, or "" */
	/* The parent's view. */
	size_t step; /* the last one that was begun */
	bool in_flight;
	struct progress last;
	struct outcome *outcome;
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Half of what is left, so that the targets after a hung one have some. */
static uint64_t half_way(uint64_t end)
{
	uint64_t now = now_ms();

	return now < end ? now + (end - now) / 2 : now;
}

static void sleep_ms(unsigned ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

/* Whether target @a was found isolated only because @b is bound too: what falls in the plan
 * together falls together here. */
static bool needs(const struct run *run, size_t a, size_t b)
{
	const struct plan_target *x = &run->plan->targets[a], *y = &run->plan->targets[b];

	if (x->verdict != VERDICT_BIND || x->target->isolation == ISOLATION_NONE)
		return false;
	for (size_t i = 0; i < x->n_devices; i++)
		for (size_t j = 0; j < y->n_devices; j++)
			if (run->snapshot->devices[x->devices[i].device].group ==
				run->snapshot->devices[y->devices[j].device].group)
				return true;
	return false;
}

/* --- in the child --- */

/* The bound driver's name, "" for none. */
static int bound_driver(const struct run *run, const struct pci_device *d, char *buf, size_t size)
{
	int r = sysfs_link_name(run->sysfd, DEVICE_ATTRIBUTE(d, "driver"), buf, size);

	if (r == -ENOENT) {
		buf[0] = '\0';
		return 0;
	}
	return r;
}

/* Sets the override, or with NULL clears it, and reads it back. Unset reads "(null)" and is set by
 * writing a newline (drivers/base/driver.c, driver_set_override()). */
static int set_override(const struct run *run, const struct pci_device *d, const char *driver)
{
	char back[DRIVER_NAME_LEN];
	ssize_t n;
	int r;

	r = sysfs_write(run->sysfd, DEVICE_ATTRIBUTE(d, "driver_override"), driver ?: "\n");
	if (r < 0)
		return r;
	n = sysfs_read(run->sysfd, DEVICE_ATTRIBUTE(d, "driver_override"), back, sizeof(back));
	if (n < 0)
		return (int)n;
	if (driver)
		return streq(back, driver) ? 0 : -EIO;
	return streq(back, "(null)") || streq(back, "") ? 0 : -EIO;
}

static int unbind(const struct run *run, const struct pci_device *d)
{
	int r = sysfs_write(run->sysfd, DEVICE_ATTRIBUTE(d, "driver/unbind"), PCI_ADDR(d->addr));

	/* Another was faster: none is bound, which is what we want. */
	return r == -ENODEV || r == -ENOENT ? 0 : r;
}

/* Loading the module probed the overridden devices already; what is left is a device that had
 * another driver, or a driver that was there before. The link is the proof, whatever bind said. */
static int settle_device(struct run *run, size_t device, struct progress *p)
{
	const struct pci_device *d = &run->snapshot->devices[device];
	const char *wanted = run->drivers[device];
	char driver[DRIVER_NAME_LEN] = "", path[PATH_MAX];
	uint64_t give_up = half_way(half_way(run->deadline)); /* before the parent does */
	int r, bind;

	snprintf(path, sizeof(path), "bus/pci/drivers/%s/bind", wanted);

	for (;;) {
		p->op = OP_BIND;
		r = bound_driver(run, d, driver, sizeof(driver));
		if (r < 0 || streq(driver, wanted))
			return r;
		if (*driver) {
			/* Taking it from a driver for nothing helps nobody. */
			if (faccessat(run->sysfd, path, F_OK, 0) < 0)
				return -errno;
			p->op = OP_UNBIND;
			memcpy(p->from, driver, sizeof(p->from));
			memcpy(run->held[device], driver, sizeof(p->from));
			r = unbind(run, d);
			if (r < 0)
				return r;
		}
		p->op = OP_BIND;
		bind = sysfs_write(run->sysfd, path, PCI_ADDR(d->addr));
		r = bound_driver(run, d, driver, sizeof(driver));
		if (r < 0 || streq(driver, wanted))
			return r;
		if (bind != -EAGAIN || now_ms() + RETRY_MS >= give_up)
			return bind < 0 ? bind : -ENODEV;
		sleep_ms(RETRY_MS);
	}
}

/* A module's driver is what it registered on the PCI bus: /sys/module/MODULE/drivers/pci:NAME
 * (drivers/base/module.c). The name may differ from the module's. */
static int name_variant(struct run *run, const struct step *step, struct progress *p)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "module/%s/drivers", step->module);
	r = sysfs_find(run->sysfd, path, "pci:", p->driver, sizeof(p->driver));
	if (r < 0)
		return r;
	memcpy(run->drivers[step->device], p->driver, sizeof(p->driver));
	return set_override(run, &run->snapshot->devices[step->device], p->driver);
}

static int do_step(struct run *run, const struct step *step, struct progress *p)
{
	const struct pci_device *d = &run->snapshot->devices[step->device];

	switch (step->kind) {
	case STEP_OVERRIDE:
		p->op = OP_OVERRIDE;
		return set_override(
			run, d, streq(step->module, VFIO_MODULE) ? VFIO_DRIVER : PLACEHOLDER);
	case STEP_LOAD:
		p->op = OP_LOAD;
		return modules_load(run->modules, step->module);
	case STEP_NAME:
		p->op = OP_NAME;
		return name_variant(run, step, p);
	case STEP_SETTLE:
		return settle_device(run, step->device, p);
	case STEP_TYPE1:
		p->op = OP_LOAD;
		return modules_load(run->modules, "vfio_iommu_type1");
	}
	return -EINVAL;
}

/* The device goes back to the driver that it would have had: no override, not ours, probed anew. */
static int undo_device(struct run *run, size_t device, struct progress *p)
{
	const struct pci_device *d = &run->snapshot->devices[device];
	const char *wanted = run->drivers[device], *held = run->held[device];
	char driver[DRIVER_NAME_LEN];
	int r;

	p->op = OP_CLEAR;
	r = set_override(run, d, NULL);
	if (r < 0)
		return r;
	p->op = OP_UNBIND;
	r = bound_driver(run, d, driver, sizeof(driver));
	if (r == 0 && *driver && streq(driver, wanted))
		r = unbind(run, d);
	if (r < 0)
		return r;
	p->op = OP_PROBE;
	/* It answers success when nothing binds, and the other driver's failure is not ours to
	 * judge: all that counts is that a driver that was there is there again. */
	(void)!sysfs_write(run->sysfd, "bus/pci/drivers_probe", PCI_ADDR(d->addr));
	r = bound_driver(run, d, driver, sizeof(driver));
	if (r < 0)
		return r;
	/* Ours was there before by an override, which an earlier run left, and which is gone now;
	 * or by IDs, and then it took the device again. */
	if (streq(held, wanted))
		return 0;
	if (*driver && streq(driver, wanted))
		return -EBUSY;
	return *held && !streq(driver, held) ? -ENODEV : 0;
}

static void send_progress(const struct run *run, const struct progress *p)
{
	ssize_t n;

	do
		n = write(run->pipe, p, sizeof(*p));
	while (n < 0 && errno == EINTR);
	/* A parent that is gone cannot be told; the work is finished all the same. */
}

static void undo_and_tell(struct run *run, size_t device)
{
	struct progress p = { .kind = UNDO_BEGUN, .index = device, .op = OP_CLEAR };

	run->touched[device] = false;
	send_progress(run, &p);
	p.error = undo_device(run, device, &p);
	p.kind = UNDO_ENDED;
	send_progress(run, &p);
}

static void fail_target(struct run *run, size_t target)
{
	const struct plan_target *t = &run->plan->targets[target];

	run->failed[target] = true;
	for (size_t i = 0; i < t->n_devices; i++)
		if (run->touched[t->devices[i].device])
			undo_and_tell(run, t->devices[i].device);
	for (size_t i = 0; i < run->plan->n_targets; i++)
		if (!run->failed[i] && needs(run, i, target))
			fail_target(run, i);
}

static bool concerns_device(const struct step *step)
{
	return step->kind != STEP_LOAD && step->kind != STEP_TYPE1;
}

/* Without a module, none of its devices' targets can be bound. */
static void fail_module(struct run *run, const char *module)
{
	for (size_t i = 0; i < run->plan->n_steps; i++) {
		const struct step *step = &run->plan->steps[i];

		if (concerns_device(step) && streq(step->module, module) &&
			!run->failed[step->target])
			fail_target(run, step->target);
	}
}

static bool all_failed(const struct run *run)
{
	for (size_t i = 0; i < run->plan->n_targets; i++)
		if (run->plan->targets[i].verdict == VERDICT_BIND && !run->failed[i])
			return false;
	return true;
}

static void run_steps(struct run *run, size_t first)
{
	const struct plan *plan = run->plan;

	for (size_t i = first; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		struct progress p = { .kind = STEP_BEGUN, .index = i };

		if (concerns_device(step) && run->failed[step->target])
			continue;
		if (step->kind == STEP_TYPE1 && all_failed(run))
			continue;
		if (step->kind == STEP_OVERRIDE)
			run->touched[step->device] = true;
		send_progress(run, &p);
		p.error = do_step(run, step, &p);
		p.kind = STEP_ENDED;
		send_progress(run, &p);
		if (p.error == 0)
			continue;
		if (concerns_device(step)) {
			fail_target(run, step->target);
		} else if (step->kind == STEP_LOAD) {
			fail_module(run, step->module);
		}
	}
	send_progress(run, &(struct progress){ .kind = ALL_DONE });
}

/* --- in the parent --- */

/* Short of memory there is no message; what was done stands in the outcome all the same. */
static _printf_(6, 7) void say(struct run *run, enum severity severity, const char *id,
	const char *target, const struct pci_device *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)!finding_vadd(
		&run->outcome->findings, severity, id, target, d ? &d->addr : NULL, fmt, ap);
	va_end(ap);
}

static _printf_(2, 3) void cure(struct run *run, const char *fmt, ...)
{
	va_list ap;

	if (run->outcome->findings.n == 0)
		return;
	va_start(ap, fmt);
	(void)!finding_vcure(&run->outcome->findings, fmt, ap);
	va_end(ap);
}

static const char *reason(int error)
{
	switch (error) {
	case -ENOENT:
		return "there is no such driver or device in the kernel";
	case -ENOEXEC:
		return "the module does not fit this kernel";
	case -ENODEV:
		return "the driver does not take the device";
	default:
		return strerror(-error);
	}
}

static const char *target_of(const struct run *run, size_t device)
{
	for (size_t i = 0; i < run->plan->n_targets; i++) {
		const struct plan_target *t = &run->plan->targets[i];

		for (size_t j = 0; j < t->n_devices && t->verdict == VERDICT_BIND; j++)
			if (t->devices[j].device == device)
				return t->target->name;
	}
	return NULL;
}

static void say_step_failed(struct run *run, const struct step *step, const struct progress *p)
{
	const struct pci_device *d =
		concerns_device(step) ? &run->snapshot->devices[step->device] : NULL;
	const char *target = d ? run->plan->targets[step->target].target->name : NULL;

	switch (p->op) {
	case OP_OVERRIDE:
		say(run, SEVERITY_ERROR, "override-failed", target, d,
			"the driver_override of %s could not be set: %s", PCI_ADDR(d->addr),
			reason(p->error));
		break;
	case OP_UNBIND:
		say(run, SEVERITY_ERROR, "unbind-failed", target, d,
			"%s could not be taken from %s: %s", PCI_ADDR(d->addr), p->from,
			reason(p->error));
		break;
	case OP_LOAD:
		if (step->kind == STEP_TYPE1)
			say(run, SEVERITY_WARNING, "type1-missing", NULL, NULL,
				"the module vfio_iommu_type1 could not be loaded: %s",
				reason(p->error));
		else
			say(run, SEVERITY_ERROR, "load-failed", NULL, NULL,
				"the module %s could not be loaded: %s; nothing that needs it is bound",
				step->module, reason(p->error));
		break;
	case OP_NAME:
		say(run, SEVERITY_ERROR, "load-failed", target, d,
			"the module %s has no PCI driver that %s could be bound to: %s",
			step->module, PCI_ADDR(d->addr), reason(p->error));
		break;
	default:
		say(run, SEVERITY_ERROR, "bind-failed", target, d,
			"%s could not be bound to %s: %s", run->drivers[step->device],
			PCI_ADDR(d->addr), reason(p->error));
		break;
	}
	if (d)
		cure(run, "what the kernel said: dmesg | grep %s", PCI_ADDR(d->addr));
	else
		cure(run,
			"build the initramfs image anew, for this kernel; what the kernel said: dmesg | grep -i -e module -e vfio");
}

static void step_ended(struct run *run, const struct progress *p)
{
	const struct step *step = &run->plan->steps[p->index];
	const struct pci_device *d;

	if (p->from[0])
		memcpy(run->held[step->device], p->from, sizeof(p->from));
	if (p->error < 0) {
		say_step_failed(run, step, p);
		if (concerns_device(step))
			run->failed[step->target] = true;
		return;
	}
	if (step->kind == STEP_NAME)
		memcpy(run->drivers[step->device], p->driver, sizeof(p->driver));
	if (step->kind != STEP_SETTLE)
		return;
	run->outcome->devices[step->device] = DEVICE_BOUND;
	d = &run->snapshot->devices[step->device];
	if (p->from[0])
		say(run, SEVERITY_NOTE, "handed-over",
			run->plan->targets[step->target].target->name, d, "%s was taken from %s",
			PCI_ADDR(d->addr), p->from);
}

static void say_left(struct run *run, size_t device, enum op op, int error)
{
	const struct pci_device *d = &run->snapshot->devices[device];
	const char *target = target_of(run, device);

	if (op == OP_CLEAR)
		say(run, SEVERITY_ERROR, "undo-failed", target, d,
			"the driver_override of %s could not be cleared: %s; no other driver can have it until it is",
			PCI_ADDR(d->addr), reason(error));
	else
		say(run, SEVERITY_ERROR, "undo-failed", target, d,
			"%s could not be given back to %s: %s", PCI_ADDR(d->addr),
			*run->held[device] ? run->held[device] : "its driver", reason(error));
	cure(run,
		"as root: echo > /sys/bus/pci/devices/%s/driver_override; echo %s > /sys/bus/pci/drivers_probe",
		PCI_ADDR(d->addr), PCI_ADDR(d->addr));
}

static void undo_ended(struct run *run, const struct progress *p)
{
	run->outcome->devices[p->index] = p->error < 0 ? DEVICE_LEFT : DEVICE_UNDONE;
	if (p->error < 0)
		say_left(run, p->index, p->op, p->error);
}

static void fail_targets_of(struct run *run, size_t device)
{
	for (size_t i = 0; i < run->plan->n_targets; i++)
		for (size_t j = 0; j < run->plan->targets[i].n_devices; j++)
			run->failed[i] |= run->plan->targets[i].devices[j].device == device;
}

/* Targets that need one that failed fail, too. */
static void cascade(struct run *run)
{
	const size_t n = run->plan->n_targets;
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n && !run->failed[i]; j++)
				if (run->failed[j] && needs(run, i, j))
					changed = run->failed[i] = true;
	}
}

/* Whether the children's work is done. */
static bool take_progress(struct run *run, const struct progress *p)
{
	bool is_step = p->kind == STEP_BEGUN || p->kind == STEP_ENDED;

	/* A child that was overwritten by a bug must not take the parent along. */
	if (p->kind != ALL_DONE &&
		p->index >= (is_step ? run->plan->n_steps : run->snapshot->n_devices))
		return false;
	run->in_flight = p->kind == STEP_BEGUN || p->kind == UNDO_BEGUN;
	run->last = *p;
	switch (p->kind) {
	case STEP_BEGUN:
		run->step = p->index;
		if (run->plan->steps[p->index].kind == STEP_OVERRIDE)
			run->touched[run->plan->steps[p->index].device] = true;
		break;
	case STEP_ENDED:
		step_ended(run, p);
		break;
	case UNDO_BEGUN:
		run->touched[p->index] = false;
		fail_targets_of(run, p->index); /* no later child may take it up again */
		/* Until the end is told, it hangs. */
		run->outcome->devices[p->index] = DEVICE_HUNG;
		break;
	case UNDO_ENDED:
		undo_ended(run, p);
		break;
	case ALL_DONE:
		return true;
	}
	return false;
}

/* Reads until @fd is at its end, ALL_DONE, or the time is up. 1: done, 0: the children are gone
 * without a word, -ETIME. */
static int listen_until(struct run *run, int fd, uint64_t end, bool spare)
{
	uint64_t deadline = spare ? half_way(end) : end;

	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		uint64_t now = now_ms();
		struct progress p;
		ssize_t n;
		int r;

		/* What was told in time counts, also if it is read late. */
		r = poll(&pfd, 1, now < deadline ? (int)(deadline - now) : 0);
		if (r == 0 && now_ms() >= deadline)
			return -ETIME;
		if (r <= 0)
			continue;
		n = read(fd, &p, sizeof(p));
		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(p))
			return 0;
		if (take_progress(run, &p))
			return 1;
		/* It works: only silence is a hang. */
		deadline = spare ? half_way(end) : end;
	}
}

/* A child process that runs @work and tells of it in the pipe @fds. */
static pid_t start_child(
	struct run *run, int fds[static 2], void (*work)(struct run *, size_t), size_t arg)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid < 0 ? -errno : pid;
	close(fds[0]);
	if (fds != run->undo_fds) {
		close(run->undo_fds[0]);
		close(run->undo_fds[1]);
	}
	run->pipe = fds[1];
	signal(SIGPIPE, SIG_IGN);
	work(run, arg);
	_exit(0);
}

/* The device that the last message is about, or NULL where it is a module. */
static const struct pci_device *device_in_flight(const struct run *run)
{
	const struct step *step;

	if (!run->in_flight)
		return NULL;
	if (run->last.kind == UNDO_BEGUN)
		return &run->snapshot->devices[run->last.index];
	step = &run->plan->steps[run->last.index];
	return concerns_device(step) ? &run->snapshot->devices[step->device] : NULL;
}

/* What the child is at, or was, in the words of a message. */
static const char *deed(const struct run *run, const struct pci_device *d, char *buf, size_t size)
{
	size_t device = (size_t)(d - run->snapshot->devices);
	const char *held = run->held[device];

	if (run->last.kind == UNDO_BEGUN)
		snprintf(buf, size, "giving back %s", PCI_ADDR(d->addr));
	else if (run->plan->steps[run->step].kind == STEP_OVERRIDE ||
		run->plan->steps[run->step].kind == STEP_NAME)
		snprintf(buf, size, "setting the driver_override of %s", PCI_ADDR(d->addr));
	else if (*held && !streq(held, run->drivers[device]))
		snprintf(buf, size, "taking %s from %s", PCI_ADDR(d->addr), held);
	else
		snprintf(buf, size, "binding %s", PCI_ADDR(d->addr));
	return buf;
}

/* @how is what run_child() returned. */
static void say_stopped(struct run *run, int how)
{
	const struct pci_device *d = device_in_flight(run);
	const char *verb = how < 0 ? "did not come back in time" : "ended the process that did it";
	char buf[128];

	if (d)
		say(run, SEVERITY_ERROR, "hung",
			target_of(run, (size_t)(d - run->snapshot->devices)), d, "%s %s%s",
			deed(run, d, buf, sizeof(buf)), verb,
			how == -ETIME ? ": the device is left as it is; its driver may hang"
				: how == -EINTR ? ", and was ended: its driver may hang"
						: "");
	else
		say(run, SEVERITY_ERROR, "hung", NULL, NULL, "%s %s",
			run->in_flight ? "loading the VFIO modules" : "binding", verb);
	cure(run,
		"what the kernel said: dmesg; to boot without it: rd.vfio-early=0 on the kernel command line");
	if (d && how == -ETIME)
		run->outcome->devices[d - run->snapshot->devices] = DEVICE_HUNG;
}

/* Undoes what the child left half done, each device in a process of its own: one that hangs must
 * not keep the others. */
static void undo_rest(struct run *run, int fds[static 2], unsigned undo_ms)
{
	_cleanup_free_ pid_t *pids = calloc(run->snapshot->n_devices, sizeof(*pids));
	bool any = false;

	for (size_t i = 0; i < run->plan->n_targets; i++) {
		const struct plan_target *t = &run->plan->targets[i];

		for (size_t j = 0; j < t->n_devices && run->failed[i]; j++) {
			size_t device = t->devices[j].device;

			if (!run->touched[device] || run->outcome->devices[device] == DEVICE_HUNG)
				continue;
			/* Until a child tells otherwise. */
			run->outcome->devices[device] = DEVICE_LEFT;
			if (pids)
				pids[device] = start_child(run, fds, undo_and_tell, device);
			any |= pids && pids[device] > 0;
		}
	}
	close(fds[1]);
	fds[1] = -1;
	if (any)
		(void)!listen_until(run, fds[0], now_ms() + undo_ms, false);
	for (size_t i = 0; i < run->snapshot->n_devices; i++) {
		if (pids && pids[i] > 0)
			kill(pids[i], SIGKILL);
		if (pids && pids[i] > 0 && run->outcome->devices[i] == DEVICE_HUNG)
			say(run, SEVERITY_ERROR, "hung", target_of(run, i),
				&run->snapshot->devices[i],
				"giving back %s did not come back in time: the device is left as it is; its driver may hang",
				PCI_ADDR(run->snapshot->devices[i].addr));
		if (run->outcome->devices[i] == DEVICE_LEFT && run->touched[i])
			say_left(run, i, OP_CLEAR, -EAGAIN);
	}
}

/* Which targets are not bound whole, and which fall with them. */
static void find_failed(struct run *run)
{
	for (size_t i = 0; i < run->plan->n_targets; i++) {
		const struct plan_target *t = &run->plan->targets[i];

		for (size_t j = 0; j < t->n_devices && t->verdict == VERDICT_BIND; j++)
			run->failed[i] |=
				run->outcome->devices[t->devices[j].device] != DEVICE_BOUND;
	}
	cascade(run);
}

/* Whether there is an error about this target, or about all. */
static bool is_told(const struct run *run, const char *target)
{
	for (size_t i = 0; i < run->outcome->findings.n; i++) {
		const struct finding *f = &run->outcome->findings.items[i];

		if (f->severity == SEVERITY_ERROR && (!f->target || streq(f->target, target)))
			return true;
	}
	return false;
}

static void say_fallen(struct run *run)
{
	for (size_t i = 0; i < run->plan->n_targets; i++) {
		const struct plan_target *t = &run->plan->targets[i];

		for (size_t j = 0; j < run->plan->n_targets && run->failed[i]; j++) {
			const char *other = run->plan->targets[j].target->name;

			if (j == i || !run->failed[j] || !needs(run, i, j) ||
				is_told(run, t->target->name))
				continue;
			say(run, SEVERITY_ERROR, "fell-with", t->target->name, NULL,
				"[%s] shares an IOMMU group with [%s], which could not be bound",
				t->target->name, other);
			break;
		}
	}
}

static void judge_targets(struct run *run)
{
	for (size_t i = 0; i < run->plan->n_targets; i++) {
		const struct plan_target *t = &run->plan->targets[i];
		enum target_state state = TARGET_BOUND;

		if (t->verdict != VERDICT_BIND)
			continue;
		for (size_t j = 0; j < t->n_devices; j++) {
			enum device_state d = run->outcome->devices[t->devices[j].device];

			if (d == DEVICE_HUNG)
				state = TARGET_HUNG;
			else if (d != DEVICE_BOUND && state == TARGET_BOUND)
				state = TARGET_FAILED;
		}
		run->outcome->targets[i] = state;
	}
}

static void close_pair(int (*fds)[2])
{
	closep(&(*fds)[0]);
	closep(&(*fds)[1]);
}

/* One child, from the step @first on. 1: all is done, 0: it ended without a word, -ETIME: it hangs,
 * -EINTR: it hung until it was killed; any other negative errno: it could not be started. */
static int run_child(struct run *run, size_t first, uint64_t deadline)
{
	_cleanup_(close_pair) int fds[2] = { -1, -1 };
	int r, last;
	pid_t pid;

	/* What an earlier one was at is told. */
	run->in_flight = false;
	run->last.kind = ALL_DONE;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = start_child(run, fds, run_steps, first);
	if (pid < 0)
		return pid;
	closep(&fds[1]);
	fds[1] = -1;
	r = listen_until(run, fds[0], deadline, true);
	if (r <= 0) {
		/* One that sleeps in the kernel dies when it wakes; init buries it. What it told,
		 * or did, up to then is heard out: at its end the pipe is closed. */
		kill(pid, SIGKILL);
		last = listen_until(run, fds[0], now_ms() + HEAR_OUT_MS, false);
		if (last == 1)
			r = 1;
		else if (last == 0 && r == -ETIME)
			r = -EINTR; /* its write is over, so the device can be undone */
	}
	waitpid(pid, NULL, WNOHANG);
	return r;
}

/* After a device that hangs, the other targets still have their chance, as they have after a child
 * that ended between two steps. Whether there is anything left to do. */
static bool skip_hung(struct run *run, size_t *next)
{
	const struct pci_device *d = device_in_flight(run);

	if (d)
		fail_targets_of(run, (size_t)(d - run->snapshot->devices));
	else if (run->in_flight || run->last.kind != STEP_ENDED)
		return false;
	cascade(run);
	*next = run->step + 1;
	return *next < run->plan->n_steps && !all_failed(run);
}

static int run_in_children(struct run *run, unsigned apply_ms, unsigned undo_ms)
{
	uint64_t deadline = now_ms() + apply_ms;
	/* Made while failing is still harmless. */
	_cleanup_(close_pair) int undo_fds[2] = { -1, -1 };
	bool stopped = false;
	size_t next = 0;
	int r;

	if (pipe2(undo_fds, O_CLOEXEC) < 0)
		return -errno;
	run->undo_fds = undo_fds;
	run->deadline = deadline;
	do {
		r = run_child(run, next, deadline);
		if (r < 0 && r != -ETIME && r != -EINTR) {
			if (!stopped)
				return r;
			break; /* no more children: what is left half done is undone, or told */
		}
		if (r <= 0) {
			stopped = true;
			say_stopped(run, r);
		}
	} while (r <= 0 && skip_hung(run, &next) && now_ms() + RETRY_MS < deadline);
	find_failed(run);
	if (stopped)
		undo_rest(run, undo_fds, undo_ms);
	say_fallen(run);
	judge_targets(run);
	return 0;
}

int apply_plan(const struct plan *plan, const struct snapshot *s, struct modules *m, int sysfd,
	unsigned apply_ms, unsigned undo_ms, struct outcome *ret)
{
	_cleanup_(outcome_free) struct outcome o = { 0 };
	_cleanup_free_ bool *touched = calloc(s->n_devices + 1, sizeof(bool));
	_cleanup_free_ char(*held)[DRIVER_NAME_LEN] = calloc(s->n_devices + 1, sizeof(*held));
	_cleanup_free_ bool *failed = calloc(plan->n_targets + 1, sizeof(bool));
	struct run run = {
		.plan = plan,
		.snapshot = s,
		.modules = m,
		.sysfd = sysfd,
		.touched = touched,
		.failed = failed,
		.outcome = &o,
	};
	int r;

	o.devices = calloc(s->n_devices + 1, sizeof(*o.devices));
	o.drivers = calloc(s->n_devices + 1, sizeof(*o.drivers));
	o.targets = calloc(plan->n_targets + 1, sizeof(*o.targets));
	if (!touched || !failed || !held || !o.devices || !o.drivers || !o.targets)
		return -ENOMEM;
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		size_t device = step->device;

		if (step->kind != STEP_OVERRIDE)
			continue;
		snprintf(held[device], DRIVER_NAME_LEN, "%s", s->devices[device].driver ?: "");
		if (streq(step->module, VFIO_MODULE))
			memcpy(o.drivers[device], VFIO_DRIVER, sizeof(VFIO_DRIVER));
	}
	run.drivers = o.drivers;
	run.held = held;
	if (plan->n_steps) {
		r = run_in_children(&run, apply_ms, undo_ms);
		if (r < 0)
			return r;
	}
	*ret = o;
	o = (struct outcome){ 0 };
	return 0;
}

const char *device_state_name(enum device_state state)
{
	static const char *const names[] = {
		[DEVICE_UNTOUCHED] = "untouched",
		[DEVICE_BOUND] = "bound",
		[DEVICE_UNDONE] = "undone",
		[DEVICE_LEFT] = "left",
		[DEVICE_HUNG] = "hung",
	};

	return names[state];
}

void outcome_free(struct outcome *o)
{
	free(o->devices);
	free(o->drivers);
	free(o->targets);
	findings_free(&o->findings);
	*o = (struct outcome){ 0 };
}
