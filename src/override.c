/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "override.h"
#include "sysfs.h"

/* What goes through the pipe, whole: it is far below PIPE_BUF. */
struct answer {
	size_t device;
	char value[128];
};

static void answer_all(int sysfd, const struct snapshot *s, int out)
{
	for (size_t i = 0; i < s->n_devices; i++) {
		struct answer a = { .device = i };

		if (sysfs_read(sysfd, DEVICE_ATTRIBUTE(&s->devices[i], "driver_override"), a.value,
			    sizeof(a.value)) < 0)
			a.value[0] = '\0';
		if (write(out, &a, sizeof(a)) != (ssize_t)sizeof(a))
			return;
	}
}

/* Unset reads "(null)". */
static int take_answer(struct snapshot *s, const struct answer *a)
{
	struct pci_device *d = &s->devices[a->device];

	if (!*a->value || streq(a->value, "(null)"))
		return 0;
	free(d->override);
	d->override = strdup(a->value);
	return d->override ? 0 : -ENOMEM;
}

/* As many at once as there are by then. */
static int take_answers(struct snapshot *s, int in, int timeout_ms, size_t *ret_stuck)
{
	struct answer answers[64];

	for (size_t n = 0; n < s->n_devices;) {
		struct pollfd p = { .fd = in, .events = POLLIN };
		ssize_t got;
		int r;

		do
			r = poll(&p, 1, timeout_ms);
		while (r < 0 && errno == EINTR);
		*ret_stuck = n;
		if (r == 0)
			return -ETIME;
		got = r < 0 ? -1 : read(in, answers, sizeof(answers));
		if (got <= 0 || (size_t)got % sizeof(*answers))
			return -EIO;
		for (size_t i = 0; i < (size_t)got / sizeof(*answers); i++, n++) {
			r = take_answer(s, &answers[i]);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

int overrides_read(int sysfd, struct snapshot *s, int timeout_ms, size_t *ret_stuck)
{
	_cleanup_close_ int in = -1;
	int fds[2], r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	in = fds[0];
	pid = fork();
	if (pid == 0) {
		/* If it hangs it outlives us, and whoever reads our output would wait for it. */
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		/* Where the reader is gone, so is this. */
		signal(SIGPIPE, SIG_DFL);
		answer_all(sysfd, s, fds[1]);
		_exit(0);
	}
	close(fds[1]);
	if (pid < 0)
		return -errno;
	r = take_answers(s, in, timeout_ms, ret_stuck);
	kill(pid, SIGKILL);
	/* What hangs in the kernel does not die until it is let go: it is not waited for. */
	waitpid(pid, NULL, r == -ETIME ? WNOHANG : 0);
	return r;
}
