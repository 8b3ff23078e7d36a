/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "override.h"
#include "sysfs.h"

#define VALUE_LEN 128

/* What the child shares with its parent. */
struct answers {
	size_t n; /* so many values are there */
	char values[][VALUE_LEN];
};

static void answer_all(int sysfd, const struct snapshot *s, struct answers *a)
{
	for (size_t i = 0; i < s->n_devices; i++) {
		if (sysfs_read(sysfd, DEVICE_ATTRIBUTE(&s->devices[i], "driver_override"),
			    a->values[i], sizeof(a->values[i])) < 0)
			a->values[i][0] = '\0';
		__atomic_store_n(&a->n, i + 1, __ATOMIC_RELEASE);
	}
}

/* The first @n. Unset reads "(null)". */
static int take_answers(struct snapshot *s, const struct answers *a, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct pci_device *d = &s->devices[i];

		if (!*a->values[i] || streq(a->values[i], "(null)"))
			continue;
		free(d->override);
		d->override = strdup(a->values[i]);
		if (!d->override)
			return -ENOMEM;
	}
	return 0;
}

/* Until the child is gone, or stays with one device for @timeout_ms. */
static int wait_for(const struct answers *a, int in, int timeout_ms, size_t *ret_stuck)
{
	struct pollfd p = { .fd = in };
	int r;

	do {
		*ret_stuck = __atomic_load_n(&a->n, __ATOMIC_ACQUIRE);
		r = poll(&p, 1, timeout_ms);
	} while ((r < 0 && errno == EINTR) ||
		(r == 0 && __atomic_load_n(&a->n, __ATOMIC_ACQUIRE) > *ret_stuck));
	return r < 0 ? -errno : r == 0 ? -ETIME : 0;
}

int overrides_read(int sysfd, struct snapshot *s, int timeout_ms, size_t *ret_stuck)
{
	size_t size = sizeof(struct answers) + s->n_devices * VALUE_LEN, n = 0;
	_cleanup_close_ int in = -1;
	struct answers *answers;
	int fds[2], r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	in = fds[0];
	answers = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (answers == MAP_FAILED) {
		close(fds[1]);
		return -ENOMEM;
	}
	pid = fork();
	if (pid == 0) {
		/* If it hangs it outlives us, and whoever reads our output would wait for it. */
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		answer_all(sysfd, s, answers);
		_exit(0); /* which closes the pipe */
	}
	r = pid < 0 ? -errno : 0;
	close(fds[1]);
	if (pid > 0) {
		r = wait_for(answers, in, timeout_ms, &n);
		kill(pid, SIGKILL);
		/* What hangs in the kernel does not die until it is let go, so nobody waits. */
		waitpid(pid, NULL, r == -ETIME ? WNOHANG : 0);
	}
	*ret_stuck = n;
	if (r == 0 && answers->n < s->n_devices)
		r = -EIO;
	if (take_answers(s, answers, r == 0 ? s->n_devices : n) < 0)
		r = -ENOMEM;
	munmap(answers, size);
	return r;
}
