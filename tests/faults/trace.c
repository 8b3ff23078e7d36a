/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#include "trace.h"

/* A run that makes more calls than this does not end. */
#define CALLS_MAX 20000
/* A process that has computed for so long is left to itself, and the others go on; where they wait
 * for it for ever, the run does not end. */
#define SPIN_S      2
#define SPIN_MAX_S  30
#define N_PROCESSES 64
#define TEXT_MAX    8192
#define NS_PER_S    UINT64_C(1000000000)

enum state {
	FRESH,    /* stopped before a call that was not looked at yet */
	WAITING,  /* before one that waits, until @deadline */
	HUNG,     /* before one that never comes back */
	STALLED,  /* before one that comes back by a signal alone */
	SPINNING, /* computes without end */
	DEAD,
};

struct process {
	pid_t pid;
	enum state state;
	bool look;         /* while it waits: something was done that may have made it ready */
	uint64_t deadline; /* UINT64_MAX: none */
	int status;
	struct user_regs_struct regs;
};

struct tracer {
	struct trace *t;
	struct process processes[N_PROCESSES];
	unsigned n;
	uint64_t now;
	time_t began;
	bool in_main, no_memory;
	FILE *kmsg, *said;
	size_t kmsg_size, said_size;
};

/* Its coming is enough: it ends waitpid(). */
static void on_alarm(int sig)
{
	(void)sig;
}

static void broken(struct tracer *x, const char *fmt, ...) _printf_(2, 3);
static void broken(struct tracer *x, const char *fmt, ...)
{
	va_list ap;

	if (x->t->broken)
		return;
	va_start(ap, fmt);
	x->t->broken = vformat(fmt, ap);
	va_end(ap);
}

/* --- the tracee's registers and memory; all that knows the architecture --- */

static uint64_t argument(const struct process *p, int i)
{
	const struct user_regs_struct *r = &p->regs;
	const uint64_t args[] = { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 };

	return args[i];
}

static void set_regs(struct process *p)
{
	if (ptrace(PTRACE_SETREGS, p->pid, 0, &p->regs) < 0)
		die("PTRACE_SETREGS: %s", strerror(errno));
}

static void get_regs(struct process *p)
{
	if (ptrace(PTRACE_GETREGS, p->pid, 0, &p->regs) < 0)
		die("PTRACE_GETREGS: %s", strerror(errno));
}

/* The call is not made, and this is what it answers
 * (Documentation/userspace-api/seccomp_filter.rst, SECCOMP_RET_TRACE). */
static void answer(struct process *p, int64_t result)
{
	p->regs.orig_rax = (unsigned long long)-1;
	p->regs.rax = (unsigned long long)result;
	set_regs(p);
}

static void get_bytes(const struct process *p, uint64_t from, void *to, size_t len)
{
	struct iovec local = { to, len }, remote = { (void *)from, len };

	if (process_vm_readv(p->pid, &local, 1, &remote, 1, 0) != (ssize_t)len)
		die("a process's memory: %s", strerror(errno));
}

static void set_bytes(const struct process *p, uint64_t to, const void *from, size_t len)
{
	struct iovec local = { (void *)from, len }, remote = { (void *)to, len };

	if (process_vm_writev(p->pid, &local, 1, &remote, 1, 0) != (ssize_t)len)
		die("a process's memory: %s", strerror(errno));
}

static void get_string(const struct process *p, uint64_t from, char buf[static PATH_MAX])
{
	size_t n = 0;

	while (n < PATH_MAX - 1) {
		/* Not over a page's end: the next may not be there. */
		size_t chunk = 4096 - (from + n) % 4096;

		if (chunk > PATH_MAX - 1 - n)
			chunk = PATH_MAX - 1 - n;
		get_bytes(p, from + n, buf + n, chunk);
		if (memchr(buf + n, '\0', chunk))
			return;
		n += chunk;
	}
	buf[n] = '\0';
}

/* Without the vDSO, the C library asks the kernel for the time, and that is us. */
static void hide_vdso(struct process *p)
{
	uint64_t at, word;

	get_regs(p);
	at = p->regs.rsp;
	get_bytes(p, at, &word, sizeof(word));
	at += (word + 2) * sizeof(word); /* argc, argv, NULL */
	do {
		get_bytes(p, at, &word, sizeof(word));
		at += sizeof(word);
	} while (word); /* envp */
	for (;; at += 2 * sizeof(word)) {
		get_bytes(p, at, &word, sizeof(word));
		if (word == AT_NULL)
			return;
		if (word != AT_SYSINFO_EHDR)
			continue;
		word = AT_IGNORE;
		set_bytes(p, at, &word, sizeof(word));
	}
}

/* --- what a call is about --- */

/* In the root; "pipe"; or "said" for what leads out of it, which is standard output. */
static void fd_path(struct tracer *x, const struct process *p, int fd, char buf[static PATH_MAX])
{
	char link[64], target[PATH_MAX], *in;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", p->pid, fd);
	n = readlink(link, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	in = skip_prefix(target, x->t->core->root);
	snprintf(buf, PATH_MAX, "%s",
		n < 0                                  ? ""
			: in && *in == '/'             ? in
			: skip_prefix(target, "pipe:") ? "pipe"
						       : "said");
}

static void call_path(struct tracer *x, const struct process *p, const struct call_type *type,
	char buf[static PATH_MAX])
{
	char name[PATH_MAX];

	buf[0] = '\0';
	if (type->file == CALL_FD)
		return fd_path(x, p, (int)argument(p, 0), buf);
	if (type->file == CALL_PATH)
		return get_string(p, argument(p, 0), buf);
	if (type->file != CALL_AT)
		return;
	get_string(p, argument(p, 1), name);
	if ((int)argument(p, 0) != AT_FDCWD && name[0] != '/') {
		fd_path(x, p, (int)argument(p, 0), buf);
		if (*name && strlen(buf) + strlen(name) + 2 < PATH_MAX)
			strcat(strcat(buf, "/"), name);
	} else {
		snprintf(buf, PATH_MAX, "%s", name);
	}
}

static bool is_driver_core(const struct call_type *type, const char *path)
{
	return type->nr == SYS_finit_module ||
		(type->nr == SYS_write && skip_prefix(path, "/sys/"));
}

static bool opens_to_write(const struct process *p, const struct call_type *type)
{
	uint64_t flags = type->nr == SYS_open ? argument(p, 1) : argument(p, 2);

	return (type->nr == SYS_open || type->nr == SYS_openat) &&
		(flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC));
}

/* It writes nothing but its record, attributes and the kernel log. */
static bool may_change(const struct process *p, const struct call_type *type, const char *path)
{
	bool record = skip_prefix(path, "/run/vfio-early") != NULL;

	if (type->changes)
		return record;
	return !opens_to_write(p, type) || record || skip_prefix(path, "/sys/") ||
		streq(path, "/dev/null") || streq(path, "/dev/kmsg");
}

/* --- processes --- */

static struct process *add_process(struct tracer *x, pid_t pid)
{
	struct process *p = &x->processes[x->n];

	if (x->n == N_PROCESSES)
		die("more than %d processes", N_PROCESSES);
	x->n++;
	*p = (struct process){ .pid = pid };
	return p;
}

/* What others wait for was done: a process ended, or else a pipe was written to or closed. */
static void wake(struct tracer *x, bool ended)
{
	for (unsigned i = 0; i < x->n; i++)
		x->processes[i].look |= ended || x->processes[i].regs.orig_rax == SYS_poll;
}

static void end_process(struct tracer *x, struct process *p, int status)
{
	p->state = DEAD;
	p->status = status;
	wake(x, true);
	if (p == x->processes) {
		x->t->ended = true;
		x->t->status = status;
		x->t->ns = x->now;
	}
}

static void kill_process(struct tracer *x, struct process *p)
{
	int status;

	if (p->state == DEAD)
		return;
	kill(p->pid, SIGKILL);
	do
		if (waitpid(p->pid, &status, __WALL) < 0 && errno != EINTR)
			die("waitpid: %s", strerror(errno));
	while (!WIFEXITED(status) && !WIFSIGNALED(status));
	end_process(x, p, status);
}

/* Its own time, not that of a busy machine. */
static bool computes(const struct process *p)
{
	struct timespec ts;
	clockid_t clock;

	return clock_getcpuclockid(p->pid, &clock) == 0 && clock_gettime(clock, &ts) == 0 &&
		ts.tv_sec >= SPIN_S;
}

/* Waits until it stops or ends. False where it computes without end. */
static bool wait_stop(struct process *p, int *status, int flags)
{
	pid_t pid;

	do
		pid = waitpid(p->pid, status, __WALL | flags);
	while (pid < 0 && errno == EINTR && !computes(p));
	if (pid < 0 && errno != EINTR)
		die("waitpid: %s", strerror(errno));
	return pid == p->pid;
}

static void take_child(struct tracer *x, struct process *parent)
{
	unsigned long pid;
	struct process *child;
	int status;

	if (ptrace(PTRACE_GETEVENTMSG, parent->pid, 0, &pid) < 0)
		die("PTRACE_GETEVENTMSG: %s", strerror(errno));
	child = add_process(x, (pid_t)pid);
	/* It begins with a SIGSTOP that is not for it. */
	if (!wait_stop(child, &status, 0) || !WIFSTOPPED(status))
		die("a child did not begin");
}

static void go_on(struct tracer *x, struct process *p, int request);

/* What made it stop; whether that is what was waited for: a call, or its end. */
static bool take_stop(struct tracer *x, struct process *p, int status, int *sig)
{
	int event = status >> 16;

	*sig = 0;
	if (WIFEXITED(status) || WIFSIGNALED(status)) {
		end_process(x, p, status);
		return true;
	}
	switch (event) {
	case PTRACE_EVENT_SECCOMP:
		get_regs(p);
		p->state = FRESH;
		return true;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		take_child(x, p);
		/* Up to its first call. */
		go_on(x, &x->processes[x->n - 1], PTRACE_CONT);
		return false;
	case PTRACE_EVENT_EXEC:
		hide_vdso(p);
		return false;
	default:
		*sig = WSTOPSIG(status);
		return *sig == (SIGTRAP | 0x80); /* PTRACE_SYSCALL: after the call */
	}
}

/* Lets it go on, to its next stop. */
static void go_on(struct tracer *x, struct process *p, int request)
{
	int status, sig = 0;

	do {
		if (ptrace(request, p->pid, 0, sig) < 0)
			die("PTRACE_CONT: %s", strerror(errno));
		if (!wait_stop(p, &status, 0)) {
			p->state = SPINNING;
			return;
		}
	} while (!take_stop(x, p, status, &sig));
}

/* Makes the call, and then sets its result, if @result is given, and its third argument back. */
static void make_call(struct tracer *x, struct process *p, const int64_t *result, uint64_t third)
{
	go_on(x, p, PTRACE_SYSCALL);
	if (p->state == DEAD || p->state == SPINNING)
		return;
	get_regs(p);
	if (result)
		p->regs.rax = (unsigned long long)*result;
	p->regs.rdx = third;
	set_regs(p);
}

/* --- time --- */

static uint64_t get_timespec(const struct process *p, uint64_t at)
{
	struct timespec ts;

	get_bytes(p, at, &ts, sizeof(ts));
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void tell_time(struct tracer *x, struct process *p)
{
	/* A machine that was switched on a while ago. */
	uint64_t now = x->now + 2 * NS_PER_S;
	struct timespec ts = { .tv_sec = (time_t)(now / NS_PER_S),
		.tv_nsec = (long)(now % NS_PER_S) };

	set_bytes(p, argument(p, 1), &ts, sizeof(ts));
	answer(p, 0);
}

/* Whether poll() would come back at once: a look through copies of its descriptors. */
static bool poll_is_ready(const struct process *p)
{
	struct pollfd fds[8];
	size_t n = argument(p, 1);
	int pidfd, ready;

	if (n > ARRAY_SIZE(fds))
		die("poll() of %zu files", n);
	get_bytes(p, argument(p, 0), fds, n * sizeof(*fds));
	pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	for (size_t i = 0; i < n; i++)
		fds[i].fd = (int)syscall(SYS_pidfd_getfd, pidfd, fds[i].fd, 0);
	ready = poll(fds, n, 0);
	for (size_t i = 0; i < n; i++)
		close(fds[i].fd);
	close(pidfd);
	return ready != 0;
}

static bool signal_is_pending(const struct process *p)
{
	char path[64], line[256];
	unsigned long pending, any = 0;
	_cleanup_fclose_ FILE *f = NULL;

	snprintf(path, sizeof(path), "/proc/%d/status", p->pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "SigPnd: %lx", &pending) == 1 ||
			sscanf(line, "ShdPnd: %lx", &pending) == 1)
			any |= pending;
	return any & 1UL << (SIGCHLD - 1);
}

static bool is_ready(const struct process *p)
{
	switch (p->regs.orig_rax) {
	case SYS_poll:
		return poll_is_ready(p);
	case SYS_rt_sigtimedwait:
		return signal_is_pending(p);
	default:
		return false;
	}
}

/* How long the call waits at most, as a time; 0: it is none that waits. */
static uint64_t wait_end(struct tracer *x, const struct process *p)
{
	switch (p->regs.orig_rax) {
	case SYS_poll:
		if ((int)argument(p, 2) < 0)
			return UINT64_MAX;
		return x->now + argument(p, 2) * 1000000;
	case SYS_rt_sigtimedwait:
		return argument(p, 2) ? x->now + get_timespec(p, argument(p, 2)) : UINT64_MAX;
	case SYS_clock_nanosleep:
		return x->now + get_timespec(p, argument(p, 2));
	default:
		return 0;
	}
}

static void time_out(struct tracer *x, struct process *p)
{
	answer(p, p->regs.orig_rax == SYS_rt_sigtimedwait ? -EAGAIN : 0);
	go_on(x, p, PTRACE_CONT);
}

/* --- the calls that are ours to answer --- */

static ssize_t write_file(struct tracer *x, struct process *p, const char *path, size_t len)
{
	char text[TEXT_MAX + 1];

	if (len > TEXT_MAX)
		len = TEXT_MAX;
	get_bytes(p, argument(p, 1), text, len);
	text[len] = '\0';
	if (streq(path, "/dev/kmsg"))
		return fwrite(text, 1, len, x->kmsg) == len ? (ssize_t)len : -ENOMEM;
	if (streq(path, "said"))
		return fwrite(text, 1, len, x->said) == len ? (ssize_t)len : -ENOMEM;
	if (x->t->ended && x->t->fault.kind != FAULT_KILL)
		broken(x, "a process that outlives the first writes to %s", path);
	return core_write(x->t->core, path, text, len);
}

static void kill_for(struct tracer *x, struct process *p)
{
	for (unsigned i = 0; i < x->n; i++)
		/* In the kernel, a signal waits for what hangs to come back. */
		if (x->processes[i].pid == (pid_t)argument(p, 0) && x->processes[i].state != HUNG)
			kill_process(x, &x->processes[i]);
	answer(p, 0);
}

/* A file in /proc has no size, and here it is any file. */
static void stat_proc(struct tracer *x, struct process *p, const struct call_type *type)
{
	uint64_t buf = argument(p, type->nr == SYS_fstat ? 1 : 2);
	off_t size = 0;

	make_call(x, p, NULL, argument(p, 2));
	if (p->state != DEAD && p->state != SPINNING && (int64_t)p->regs.rax == 0)
		set_bytes(p, buf + offsetof(struct stat, st_size), &size, sizeof(size));
}

/* Whether the call was answered here; @len is what is written at most. */
static bool emulate(struct tracer *x, struct process *p, const char *path, size_t len)
{
	switch (p->regs.orig_rax) {
	case SYS_clock_gettime:
		tell_time(x, p);
		return true;
	case SYS_kill:
		kill_for(x, p);
		return true;
	case SYS_write:
		if (streq(path, "pipe") || skip_prefix(path, "/run/"))
			return false;
		answer(p, write_file(x, p, path, len));
		return true;
	case SYS_finit_module:
		answer(p, core_load(x->t->core, path));
		return true;
	case SYS_execve:
	case SYS_execveat:
		x->t->execs++;
		broken(x, "it starts another program");
		answer(p, -EACCES);
		return true;
	default:
		return false;
	}
}

static bool is_memory(const struct process *p, const struct call_type *type)
{
	/* brk(0) asks where the end is. */
	return type->memory && !(type->nr == SYS_brk && argument(p, 0) == 0);
}

/* The error that it answers, nothing being done. */
static void fail(struct tracer *x, struct process *p, const struct call_type *type, int error)
{
	int64_t result = -error;

	if (type->nr == SYS_brk) {
		p->regs.rdi = 0;
		set_regs(p);
	} else if (type->is_done) {
		make_call(x, p, &result, argument(p, 2));
	} else {
		answer(p, result);
	}
}

static void shorten(struct tracer *x, struct process *p, const struct call_type *type,
	const char *path, enum fault_kind kind)
{
	uint64_t len = argument(p, 2), part = kind == FAULT_SHORT ? 1 : len / 2;

	if (kind == FAULT_EMPTY) {
		answer(p, 0);
	} else if (!type->writes || !emulate(x, p, path, part)) {
		p->regs.rdx = part;
		set_regs(p);
		make_call(x, p, NULL, len);
	}
}

/* False: the process does not go on. */
static bool inject(
	struct tracer *x, struct process *p, const struct call_type *type, const char *path)
{
	const struct fault *f = &x->t->fault;

	x->t->injected = true;
	switch (f->kind) {
	case FAULT_ERROR:
		fail(x, p, type, f->error);
		break;
	case FAULT_LATE:
		(void)emulate(x, p, path, argument(p, 2));
		answer(p, -f->error);
		break;
	case FAULT_SHORT:
	case FAULT_HALF:
	case FAULT_EMPTY:
		shorten(x, p, type, path, f->kind);
		break;
	case FAULT_HANG:
		p->state = HUNG;
		return false;
	case FAULT_STALL:
		p->state = STALLED;
		return false;
	case FAULT_NO_MEMORY:
		x->no_memory = true;
		fail(x, p, type, ENOMEM);
		break;
	case FAULT_KILL:
		kill_process(x, p);
		return false;
	case FAULT_KILL_ALL:
		for (unsigned i = 0; i < x->n; i++)
			kill_process(x, &x->processes[i]);
		return false;
	default:
		break;
	}
	return p->state != DEAD && p->state != SPINNING;
}

/* --- the run --- */

static struct call describe(
	struct tracer *x, const struct process *p, const struct call_type *type, const char *path)
{
	return (struct call){
		.type = type,
		.process = (unsigned)(p - x->processes),
		.in_main = x->in_main,
		.driver_core = is_driver_core(type, path),
		.pipe = streq(path, "pipe"),
		.writable = opens_to_write(p, type),
		.keeps = !is_memory(p, type),
		.path = strdup(path),
	};
}

static void keep_call(
	struct tracer *x, const struct process *p, const struct call_type *type, const char *path)
{
	struct trace *t = x->t;

	if (t->keep_calls) {
		t->calls = reallocarray(t->calls, t->n_calls + 1, sizeof(*t->calls));
		if (!t->calls)
			die("memory is short");
		t->calls[t->n_calls] = describe(x, p, type, path);
	}
	if (t->show)
		fprintf(t->show, "%5zu  %2u  %9.6f  %s %s\n", t->n_calls,
			(unsigned)(p - x->processes), (double)x->now / 1e9, type->name, path);
	if (t->n_calls == t->fault.call && t->fault.kind != FAULT_NONE)
		t->at = describe(x, p, type, path);
}

/* The path, where it is worth its while: where it counts what the call is about. */
static bool needs_path(const struct tracer *x, const struct call_type *type)
{
	const struct trace *t = x->t;

	return t->keep_calls || t->show || t->n_calls == t->fault.call || !x->in_main ||
		type->writes || type->changes || type->is_stat || type->nr == SYS_finit_module ||
		(t->core->n_rules && type->file == CALL_FD);
}

/* A call that a process is about to make. */
static void take_call(struct tracer *x, struct process *p)
{
	const struct call_type *type = call_type((long)p->regs.orig_rax);
	static const struct call_type other = { .name = "?" };
	char path[PATH_MAX] = "";
	bool here;

	if (!type) {
		broken(x, "it makes system call %lld, which tests/faults/calls.c does not know",
			p->regs.orig_rax);
		type = &other;
	}
	if (needs_path(x, type) || opens_to_write(p, type))
		call_path(x, p, type, path);
	if (type->nr == SYS_openat && streq(path, "/dev/null"))
		x->in_main = true;
	if (!may_change(p, type, path))
		broken(x, "it changes %s (%s)", path, type->name);
	keep_call(x, p, type, path);
	here = x->t->n_calls++ == x->t->fault.call && x->t->fault.kind != FAULT_NONE;
	x->now += CALL_NS;
	if (here) {
		if (inject(x, p, type, path))
			go_on(x, p, PTRACE_CONT);
		wake(x, false);
		return;
	}
	if (type->is_stat && skip_prefix(path, "/proc/")) {
		stat_proc(x, p, type);
	} else if (x->no_memory && is_memory(p, type)) {
		fail(x, p, type, ENOMEM);
	} else if (type->file == CALL_FD && core_hangs(x->t->core, path)) {
		p->state = HUNG;
		return;
	} else if (!emulate(x, p, path, argument(p, 2))) {
		p->deadline = wait_end(x, p);
		if (p->deadline && !is_ready(p)) {
			p->state = WAITING;
			return;
		}
	}
	go_on(x, p, PTRACE_CONT);
	if (type->nr == SYS_close || streq(path, "pipe"))
		wake(x, false);
}

/* Whether there is a process that computes; one that came to its end of it goes on. */
static bool look_after_spinning(struct tracer *x)
{
	bool any = false;
	int status, sig;

	for (unsigned i = 0; i < x->n; i++) {
		struct process *p = &x->processes[i];

		if (p->state != SPINNING)
			continue;
		any = true;
		if (wait_stop(p, &status, WNOHANG) && !take_stop(x, p, status, &sig))
			go_on(x, p, PTRACE_CONT);
	}
	return any;
}

/* The oldest process that can go on does, or the youngest. False where none ever will. */
static bool step(struct tracer *x)
{
	bool spinning = look_after_spinning(x), youngest = x->t->core->youngest_first;
	struct process *next = NULL;

	for (unsigned i = 0; i < x->n; i++) {
		struct process *p = &x->processes[youngest ? x->n - 1 - i : i];

		if (p->state == FRESH) {
			take_call(x, p);
			return true;
		}
		if (p->state != WAITING)
			continue;
		if (p->look && is_ready(p)) {
			go_on(x, p, PTRACE_CONT);
			return true;
		}
		p->look = false;
		if (!next || p->deadline < next->deadline)
			next = p;
	}
	if (!next || next->deadline == UINT64_MAX) {
		usleep(spinning ? 10000 : 0);
		return spinning && time(NULL) - x->began < SPIN_MAX_S;
	}
	if (next->deadline > x->now)
		x->now = next->deadline;
	time_out(x, next);
	return true;
}

static _Noreturn void become_binary(const struct trace *t, int out)
{
	static const char *const environment[] = { "SYSTEMD_DEVICE_VERIFY_SYSFS=0", "LC_ALL=C",
		NULL };
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	struct sock_fprog filter = { 1, &all };

	/* With one memory layout, one run makes the same calls as the other. */
	if (personality(ADDR_NO_RANDOMIZE) < 0 || chroot(t->core->root) < 0 || chdir("/") < 0 ||
		dup2(out, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
		dup2(out, STDERR_FILENO) < 0 || ptrace(PTRACE_TRACEME, 0, 0, 0) < 0 ||
		raise(SIGSTOP) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
		_exit(126);
	execve("/vfio-early", (char *const *)t->argv, (char *const *)environment);
	_exit(127);
}

static void begin(struct tracer *x, int out)
{
	const long options = PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP |
		PTRACE_O_TRACESYSGOOD;
	struct process *p;
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid == 0)
		become_binary(x->t, out);
	p = add_process(x, pid);
	if (!wait_stop(p, &status, 0) || !WIFSTOPPED(status) ||
		ptrace(PTRACE_SETOPTIONS, pid, 0, options) < 0)
		die("the binary cannot be traced");
	go_on(x, p, PTRACE_CONT);
	if (p->state == DEAD || p->regs.orig_rax != SYS_execve)
		die("the binary cannot be run");
	go_on(x, p, PTRACE_CONT);
}

static void end(struct tracer *x)
{
	if (!x->t->ended)
		broken(x, "it does not end");
	for (unsigned i = 0; i < x->n; i++)
		kill_process(x, &x->processes[i]);
	while (waitpid(-1, NULL, __WALL | WNOHANG) > 0)
		;
	if (fclose(x->kmsg) != 0 || fclose(x->said) != 0)
		die("memory is short");
}

void trace_run(struct trace *t)
{
	const struct itimerval tick = { { SPIN_S, 0 }, { SPIN_S, 0 } };
	struct tracer x = { .t = t, .began = time(NULL) };
	int out = open("/dev/null", O_RDWR | O_CLOEXEC);

	x.kmsg = open_memstream(&t->kmsg, &x.kmsg_size);
	x.said = open_memstream(&t->said, &x.said_size);
	if (out < 0 || !x.kmsg || !x.said)
		die("/dev/null, or memory: %s", strerror(errno));
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_alarm }, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	setitimer(ITIMER_REAL, &tick, NULL);
	begin(&x, out);
	close(out);
	while (!t->broken && step(&x))
		if (t->n_calls > CALLS_MAX)
			broken(&x, "it does not end: %d system calls", CALLS_MAX);
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	end(&x);
}

void trace_free(struct trace *t)
{
	for (size_t i = 0; t->keep_calls && i < t->n_calls; i++)
		free(t->calls[i].path);
	free(t->calls);
	free(t->at.path);
	free(t->kmsg);
	free(t->said);
	free(t->broken);
	*t = (struct trace){ .core = t->core, .argv = t->argv };
}
