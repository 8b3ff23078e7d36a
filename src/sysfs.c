/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "sysfs.h"

/* Whether the last line of the text is complete, and starts with @last. */
static bool ends_with_line(const char *text, size_t len, const char *last)
{
	const char *line;

	if (len == 0 || text[len - 1] != '\n')
		return false;
	line = memrchr(text, '\n', len - 1);
	line = line ? line + 1 : text;
	return (size_t)(text + len - line) > strlen(last) && skip_prefix(line, last);
}

/* Until the end, or until there is a last line that starts with @last; that may be NULL. */
static ssize_t read_until(int fd, char *buf, size_t size, const char *last)
{
	size_t len = 0;

	while (len < size && !(last && ends_with_line(buf, len, last))) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

ssize_t read_full(int fd, char *buf, size_t size)
{
	return read_until(fd, buf, size, NULL);
}

int file_read(const char *path, size_t max, char **ret, size_t *ret_len)
{
	/* O_NONBLOCK: opening a FIFO must not hang the boot. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_free_ char *buf = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EMEDIUMTYPE;
	if ((uint64_t)st.st_size > max)
		return -EFBIG;
	/* In /proc a file's size is 0; newer kernels tell that of cmdline, which is right. */
	if (st.st_size > 0)
		max = (size_t)st.st_size;
	buf = malloc(max + 1);
	if (!buf)
		return -ENOMEM;
	n = read_full(fd, buf, max + 1);
	if (n < 0)
		return (int)n;
	if ((size_t)n > max)
		return -EFBIG;
	/* Cut off: half a file may say the opposite. */
	if ((off_t)n < st.st_size)
		return -EIO;
	buf[n] = '\0';
	*ret = buf;
	*ret_len = (size_t)n;
	buf = NULL;
	return 0;
}

int file_open(const char *path, FILE **ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EMEDIUMTYPE;
	*ret = fdopen(fd, "r");
	if (!*ret)
		return -ENOMEM;
	fd = -1;
	return 0;
}

const char *read_error(int error)
{
	switch (error) {
	case -EMEDIUMTYPE:
		return "it is not a regular file";
	case -EFBIG:
		return "it is too large";
	case -EBADMSG:
		return "it does not hold what was expected there";
	default:
		return strerror(-error);
	}
}

ssize_t sysfs_read_bytes(int dirfd, const char *path, void *buf, size_t size)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : read_full(fd, buf, size);
}

ssize_t sysfs_read_to(int dirfd, const char *path, const char *last, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t len = fd < 0 ? -errno : read_until(fd, buf, size, last);

	if (len < 0)
		return len;
	if ((size_t)len == size)
		return -EFBIG;
	if (memchr(buf, '\0', (size_t)len))
		return -EBADMSG;
	if (len && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return len;
}

ssize_t sysfs_read(int dirfd, const char *path, char *buf, size_t size)
{
	return sysfs_read_to(dirfd, path, NULL, buf, size);
}

int sysfs_write(int dirfd, const char *path, const char *text)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = strlen(text);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do
		n = write(fd, text, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int sysfs_link_name(int dirfd, const char *path, char *buf, size_t size)
{
	char link[PATH_MAX], *base;
	ssize_t n = readlinkat(dirfd, path, link, sizeof(link) - 1);

	if (n < 0)
		return -errno;
	link[n] = '\0';
	base = strrchr(link, '/');
	base = base ? base + 1 : link;
	if (!*base || strlen(base) >= size)
		return -EINVAL;
	memcpy(buf, base, strlen(base) + 1);
	return 0;
}

int sysfs_opendir(int dirfd, const char *path, DIR **ret)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret = fdopendir(fd);
	if (*ret)
		return 0;
	close(fd);
	return -ENOMEM;
}

int sysfs_readdir(DIR *dir, struct dirent **ret)
{
	do {
		errno = 0;
		*ret = readdir(dir);
	} while (*ret && (*ret)->d_name[0] == '.');
	return *ret ? 1 : -errno;
}

int sysfs_find(int dirfd, const char *path, const char *prefix, char *buf, size_t size)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *e;
	int r;

	r = sysfs_opendir(dirfd, path, &dir);
	if (r < 0)
		return r;
	while ((r = sysfs_readdir(dir, &e)) > 0) {
		const char *name = skip_prefix(e->d_name, prefix);

		if (!name || !*name || strlen(name) >= size)
			continue;
		memcpy(buf, name, strlen(name) + 1);
		return 0;
	}
	return r < 0 ? r : -ENOENT;
}
