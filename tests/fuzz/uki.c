/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unified kernel images. A release is one line that fits; an initramfs is a part of the file. */
#include <sys/mman.h>

#include "fuzz.h"
#include "uki.h"

static void check_release(const char *path)
{
	char buf[64], small[8];
	int r = uki_release(path, buf, sizeof(buf)), s;

	EXPECT(r == 0 || r == -EINVAL || r == -ENOENT);
	if (r == 0)
		EXPECT(memchr(buf, '\0', sizeof(buf)) && !strchr(buf, '\n'));
	s = uki_release(path, small, sizeof(small));
	EXPECT(r == 0 || r == s);
	if (s == 0)
		EXPECT(streq(buf, small));
}

static void check_initrd(const char *path, const uint8_t *data, size_t len)
{
	int out = memfd_create("out", MFD_CLOEXEC);
	_cleanup_free_ char *copy = NULL;
	off_t size;
	int r;

	EXPECT(out >= 0);
	r = uki_initrd(path, out);
	EXPECT(r == 0 || r == -EINVAL || r == -ENOENT || r == -EIO);
	size = lseek(out, 0, SEEK_END);
	EXPECT(size >= 0 && (size_t)size <= len);
	copy = malloc((size_t)size + 1);
	EXPECT(copy && pread(out, copy, (size_t)size, 0) == (ssize_t)size);
	EXPECT(size == 0 || memmem(data, len, copy, (size_t)size));
	close(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int fd = memfd_create("uki", MFD_CLOEXEC);
	_cleanup_free_ char *path = format("/proc/self/fd/%d", fd);

	EXPECT(fd >= 0 && path && write(fd, data, len) == (ssize_t)len);
	check_release(path);
	check_initrd(path, data, len);
	close(fd);
	return 0;
}
