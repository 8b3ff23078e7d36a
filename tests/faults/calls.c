/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/syscall.h>

#include "calls.h"

#define CALL(call) .nr = SYS_##call, .name = #call

/* clang-format off */
static const struct call_type types[] = {
	{ CALL(access), .file = CALL_PATH, .errors = { ENOENT, EACCES, EIO, ENOMEM, ELOOP } },
	{ CALL(faccessat), .file = CALL_AT, .errors = { ENOENT, EACCES, EIO, ENOMEM } },
	{ CALL(faccessat2), .file = CALL_AT, .errors = { ENOENT, EACCES, EIO, ENOMEM, ENOSYS } },
	{ CALL(open), .file = CALL_PATH,
	  .errors = { ENOENT, EACCES, EIO, ENOMEM, EMFILE, EINTR, ENOSPC } },
	{ CALL(openat), .file = CALL_AT,
	  .errors = { ENOENT, EACCES, EIO, ENOMEM, EMFILE, EINTR, ENOSPC, ENODEV } },
	{ CALL(stat), .file = CALL_PATH, .errors = { ENOENT, EACCES, EIO, ENOMEM } },
	{ CALL(lstat), .file = CALL_PATH, .errors = { ENOENT, EACCES, EIO, ENOMEM } },
	{ CALL(newfstatat), .file = CALL_AT, .is_stat = true,
	  .errors = { ENOENT, EACCES, EIO, ENOMEM } },
	{ CALL(fstat), .file = CALL_FD, .is_stat = true, .errors = { EIO, ENOMEM } },
	{ CALL(statfs), .file = CALL_PATH, .errors = { ENOENT, EACCES, EIO, ENOMEM } },
	{ CALL(readlink), .file = CALL_PATH, .errors = { ENOENT, EACCES, EIO, ENOMEM, EINVAL } },
	{ CALL(readlinkat), .file = CALL_AT, .errors = { ENOENT, EACCES, EIO, ENOMEM, EINVAL } },
	{ CALL(read), .file = CALL_FD, .reads = true,
	  .errors = { EIO, EINTR, ENOMEM, ENODEV, EAGAIN, EISDIR } },
	{ CALL(pread64), .file = CALL_FD, .reads = true, .errors = { EIO, EINTR, ENOMEM } },
	{ CALL(getdents64), .file = CALL_FD, .errors = { EIO, ENOENT, ENOMEM } },
	{ CALL(write), .file = CALL_FD, .writes = true,
	  .errors = { EIO, EINTR, ENOSPC, ENOMEM, EBUSY, ENODEV, EAGAIN, EACCES } },
	{ CALL(mkdir), .file = CALL_PATH, .changes = true,
	  .errors = { EACCES, ENOSPC, EROFS, ENOENT, ENOMEM, EEXIST } },
	{ CALL(unlink), .file = CALL_PATH, .changes = true,
	  .errors = { EACCES, EROFS, EIO, ENOENT, EBUSY } },
	{ CALL(unlinkat), .file = CALL_AT, .changes = true,
	  .errors = { EACCES, EROFS, EIO, ENOENT, EBUSY } },
	{ CALL(rename), .file = CALL_PATH, .changes = true,
	  .errors = { EIO, ENOSPC, EACCES, EROFS, ENOMEM, ENOENT } },
	{ CALL(renameat), .file = CALL_AT, .changes = true,
	  .errors = { EIO, ENOSPC, EACCES, EROFS, ENOMEM, ENOENT } },
	/* It closes, whatever it answers. */
	{ CALL(close), .file = CALL_FD, .is_done = true, .errors = { EIO, EINTR, ENOSPC } },
	{ CALL(pipe2), .errors = { EMFILE, ENFILE, ENOMEM } },
	{ CALL(clone), .errors = { EAGAIN, ENOMEM } },
	{ CALL(poll), .errors = { EINTR, ENOMEM } },
	{ CALL(rt_sigtimedwait), .errors = { EINTR, EAGAIN } },
	{ CALL(clock_nanosleep), .errors = { EINTR } },
	{ CALL(finit_module), .file = CALL_FD,
	  .errors = { ENOEXEC, ENOMEM, EPERM, EBUSY, ENOENT, EINTR, EIO } },
	{ CALL(mmap), .memory = true, .errors = { ENOMEM } },
	/* It fails by changing nothing. */
	{ CALL(brk), .memory = true, .errors = { ENOMEM } },
	{ CALL(mremap), .memory = true, .errors = { ENOMEM } },
	/* With O_NONBLOCK there is nothing that could interrupt it; the child is ours. */
	{ CALL(wait4), .errors = { ECHILD } },

	/* These cannot fail with the arguments that they are given: the signals, clocks, files and
	 * addresses are good ones. */
	{ CALL(clock_gettime) },
	{ CALL(execve), .file = CALL_PATH }, /* never done */
	{ CALL(execveat), .file = CALL_AT },
	{ CALL(exit_group) },
	{ CALL(fcntl), .file = CALL_FD },
	{ CALL(getpid) },
	{ CALL(geteuid) },
	{ CALL(gettid) },
	{ CALL(ioctl), .file = CALL_FD }, /* whether standard output is a terminal: it is none */
	{ CALL(kill) },
	{ CALL(lseek), .file = CALL_FD },
	{ CALL(munmap) },
	{ CALL(rt_sigaction) },
	{ CALL(rt_sigprocmask) },
	{ CALL(rt_sigreturn) },
	{ CALL(tgkill) },
	{ CALL(umask) },
	{ CALL(uname) },

	/* The start of any program; vfio-early's own begins later. */
	{ CALL(arch_prctl) },
	{ CALL(getrandom) },
	{ CALL(mprotect), .memory = true, .errors = { ENOMEM } },
	{ CALL(writev), .file = CALL_FD }, /* where it cannot start, it says so */
	{ CALL(prlimit64) },
	{ CALL(rseq) },
	{ CALL(set_robust_list) },
	{ CALL(set_tid_address) },
};

static const struct { int error; const char *name; } names[] = {
	{ EACCES, "EACCES" }, { EAGAIN, "EAGAIN" }, { EBUSY, "EBUSY" }, { ECHILD, "ECHILD" },
	{ EEXIST, "EEXIST" }, { EINTR, "EINTR" }, { EINVAL, "EINVAL" }, { EIO, "EIO" },
	{ EISDIR, "EISDIR" }, { ELOOP, "ELOOP" }, { EMFILE, "EMFILE" }, { ENFILE, "ENFILE" },
	{ ENODEV, "ENODEV" }, { ENOENT, "ENOENT" }, { ENOEXEC, "ENOEXEC" }, { ENOMEM, "ENOMEM" },
	{ ENOSPC, "ENOSPC" }, { ENOSYS, "ENOSYS" }, { EPERM, "EPERM" }, { EROFS, "EROFS" },
};
/* clang-format on */

static const char *const kind_names[] = {
	[FAULT_NONE] = "none",
	[FAULT_ERROR] = "",
	[FAULT_LATE] = "late-",
	[FAULT_SHORT] = "short",
	[FAULT_HALF] = "half",
	[FAULT_EMPTY] = "empty",
	[FAULT_HANG] = "hang",
	[FAULT_STALL] = "stall",
	[FAULT_NO_MEMORY] = "no-memory",
	[FAULT_KILL] = "kill",
	[FAULT_KILL_ALL] = "kill-all",
};

const struct call_type *call_type(long nr)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].nr == nr)
			return &types[i];
	return NULL;
}

const char *error_name(int error)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].error == error)
			return names[i].name;
	return "?";
}

void fault_name(const struct fault *f, char buf[static 32])
{
	snprintf(buf, 32, "%s%s", kind_names[f->kind], f->error ? error_name(f->error) : "");
}

int fault_parse(const char *name, struct fault *ret)
{
	char buf[32];

	for (ret->kind = FAULT_ERROR; ret->kind <= FAULT_KILL_ALL; ret->kind++) {
		bool has_error = ret->kind == FAULT_ERROR || ret->kind == FAULT_LATE;

		for (size_t i = 0; i < (has_error ? ARRAY_SIZE(names) : 1); i++) {
			ret->error = has_error ? names[i].error : 0;
			fault_name(ret, buf);
			if (streq(buf, name))
				return 0;
		}
	}
	return -EINVAL;
}
