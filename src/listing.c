/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "listing.h"
#include "uki.h"

/* A large image's has some hundred kilobytes. */
#define LISTING_MAX (16 * 1024 * 1024)

int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* In the child. */
static _Noreturn void be_tool(const char *tool, const char *image, int out)
{
	static char *const environment[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
		(char *)"LC_ALL=C", NULL };
	char *const argv[] = { (char *)tool, (char *)image, NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* What it starts itself ends with it. */
	setsid();
	signal(SIGPIPE, SIG_DFL);
	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0 &&
		dup2(out, STDOUT_FILENO) >= 0 && chdir("/") == 0)
		execve(tool, argv, environment);
	_exit(127);
}

/* All that comes through the pipe until its end, as a string. */
static int read_listing(int fd, int64_t deadline, char **ret)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0, len = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - now_ms();
		ssize_t n;

		if (len + 65536 > size) {
			char *grown = realloc(text, size = size * 2 + 131072);

			if (!grown)
				return -ENOMEM;
			text = grown;
		}
		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return -ETIME;
		n = read(fd, text + len, size - len - 1);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		len += n > 0 ? (size_t)n : 0;
		if (len > LISTING_MAX)
			return -E2BIG;
	}
	text[len] = '\0';
	*ret = text;
	text = NULL;
	return 0;
}

/* Its exit status, or -1 where a signal ended it. @early: it and what it started must end now; a
 * shell's traps get the chance to clean up. */
static int end_tool(pid_t pid, bool early)
{
	int status = -1;
	pid_t r = 0;

	if (early)
		kill(-pid, SIGTERM);
	for (int i = 0; i < 200 && (r = waitpid(pid, &status, WNOHANG)) == 0; i++)
		usleep(5000);
	if (early || r == 0)
		kill(-pid, SIGKILL);
	if (r == 0)
		waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int listing_run(const char *tool, const char *image, int timeout_ms, char **ret)
{
	int64_t deadline = now_ms() + timeout_ms;
	_cleanup_free_ char *text = NULL;
	int fds[2], r, status;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		be_tool(tool, image, fds[1]);
	close(fds[1]);
	r = pid < 0 ? -errno : read_listing(fds[0], deadline, &text);
	close(fds[0]);
	if (pid < 0)
		return r;
	status = end_tool(pid, r < 0);
	if (r == 0 && status != 0)
		r = -EIO;
	if (r < 0)
		return r;
	*ret = text;
	text = NULL;
	return 0;
}

/* The paths alone, each on a line and with a slash in front: lsinitrd has what "ls -l" has before
 * them, and a link's target behind. NULL when memory is short. */
static char *paths_of(char *text)
{
	char *paths = malloc(2 * strlen(text) + 2), *out = paths, *line;

	if (!paths)
		return NULL;
	while ((line = strsep(&text, "\n"))) {
		char *arrow = strstr(line, " -> "), *space;

		if (arrow)
			*arrow = '\0';
		space = strrchr(line, ' ');
		line = space ? space + 1 : line;
		line += *line == '.';
		line += *line == '/';
		if (!*line)
			continue;
		*out++ = '/';
		out = stpcpy(out, line);
		*out++ = '\n';
	}
	*out = '\0';
	return paths;
}

/* What boots has /init. Without it the tool read but a part, such as the microcode in front, and
 * did not say so. */
static bool is_whole(const char *paths)
{
	return skip_prefix(paths, "/init\n") || strstr(paths, "\n/init\n");
}

/* Each generator's tool reads the others' images, too: the first that can is good. */
static const char *const tools[] = { "/usr/bin/lsinitramfs", "/usr/bin/lsinitrd",
	"/usr/bin/lsinitcpio" };

static int list_plain(const char *path, int64_t deadline, struct listing *ret)
{
	int r = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(tools) && r < 0 && r != -ETIME; i++) {
		_cleanup_free_ char *text = NULL;

		if (access(tools[i], X_OK) < 0)
			continue;
		ret->tool = tools[i];
		r = listing_run(tools[i], path, (int)(deadline - now_ms()), &text);
		if (r < 0)
			continue;
		free(ret->paths);
		ret->paths = paths_of(text);
		if (!ret->paths)
			return -ENOMEM;
		r = is_whole(ret->paths) ? 0 : -ENODATA;
	}
	return r;
}

/* Decompressors follow no links, so it has to be a file with a name. */
static int list_unified(const char *path, int64_t deadline, struct listing *ret)
{
	char copy[] = "/tmp/vfio-early-XXXXXX";
	_cleanup_close_ int fd = mkostemp(copy, O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno == -ENOENT ? -EIO : -errno;
	r = uki_initrd(path, fd);
	if (r == 0)
		r = list_plain(copy, deadline, ret);
	else if (r == -ENOENT)
		r = -ENODATA;
	unlink(copy);
	return r;
}

int listing_make(const char *path, bool unified, int timeout_ms, struct listing *ret)
{
	int64_t deadline = now_ms() + timeout_ms;

	*ret = (struct listing){ 0 };
	if (access(path, R_OK) < 0)
		return errno == ENOENT ? -ESTALE : -errno;
	return unified ? list_unified(path, deadline, ret) : list_plain(path, deadline, ret);
}

bool listing_has_module(const char *paths, const char *module)
{
	for (const char *c = strchr(paths, '/'); c; c = strchr(c + 1, '/')) {
		size_t i = 0;

		while (module[i] &&
			(c[i + 1] == module[i] || (module[i] == '_' && c[i + 1] == '-')))
			i++;
		if (!module[i] && skip_prefix(c + 1 + i, ".ko"))
			return true;
	}
	return false;
}

void listing_free(struct listing *l)
{
	free(l->paths);
	*l = (struct listing){ 0 };
}
