/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/mman.h>

#include "test.h"
#include "uki.h"

struct part {
	const char *name; /* at most eight characters */
	const char *text;
	uint32_t raw; /* what the header says of its size in the file; 0: as it is, padded to 512 */
};

/* The least that is a PE file with these sections, as objcopy and ukify arrange them. */
static int make_pe(const struct part *parts, uint16_t n, char path[static 32])
{
	unsigned char head[1024] = { 'M', 'Z', [0x3c] = 0x80, [0x80] = 'P', 'E' };
	uint16_t optional = 240;
	int fd = memfd_create("uki", 0);

	memcpy(head + 0x86, &n, sizeof(n));
	memcpy(head + 0x94, &optional, sizeof(optional));
	for (uint16_t i = 0; i < n; i++) {
		unsigned char *s = head + 0x98 + optional + i * 40;
		uint32_t size = (uint32_t)strlen(parts[i].text), at = 1024 + i * 512u;
		uint32_t raw = parts[i].raw ?: 512;

		memcpy(s, parts[i].name, strnlen(parts[i].name, 8));
		memcpy(s + 8, &size, sizeof(size));
		memcpy(s + 16, &raw, sizeof(raw));
		memcpy(s + 20, &at, sizeof(at));
		if (pwrite(fd, parts[i].text, size, at) != (ssize_t)size)
			abort();
	}
	if (pwrite(fd, head, sizeof(head), 0) != sizeof(head))
		abort();
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

static void test_whole(void)
{
	const struct part parts[] = { { ".osrel", "ID=x", 0 }, { ".uname", "6.12.0-1\n", 0 },
		{ ".initrd", "an archive", 0 }, { ".initrdx", "of eight characters", 0 } };
	char path[32], release[64], text[64] = "";
	int fd, initrd = memfd_create("initrd", 0);

	TEST_BEGIN("a whole UKI");
	fd = make_pe(parts, ARRAY_SIZE(parts), path);
	EXPECT_INT(uki_release(path, release, sizeof(release)), 0);
	EXPECT_STR(release, "6.12.0-1");
	EXPECT_INT(uki_initrd(path, initrd), 0);
	EXPECT_INT(pread(initrd, text, sizeof(text) - 1, 0), 10);
	EXPECT_STR(text, "an archive");
	close(initrd);
	close(fd);
	test_end();
}

static void test_rejected(void)
{
	const struct part without[] = { { ".linux", "a kernel", 0 } };
	const struct part endless[] = { { ".initrd", "", 0x7fffffff },
		{ ".uname", "", 0x7fffffff } };
	const struct part long_name[] = { { ".uname", "far too long for its place", 0 } };
	char path[32], release[16];
	int fd;

	TEST_BEGIN("no such sections");
	fd = make_pe(without, 1, path);
	EXPECT_INT(uki_release(path, release, sizeof(release)), -ENOENT);
	EXPECT_INT(uki_initrd(path, -1), -ENOENT);
	close(fd);
	test_end();

	TEST_BEGIN("empty sections, whatever the header says of the file");
	fd = make_pe(endless, 2, path);
	EXPECT_INT(uki_release(path, release, sizeof(release)), 0);
	EXPECT_STR(release, "");
	close(fd);
	test_end();

	TEST_BEGIN("a release that is too long");
	fd = make_pe(long_name, 1, path);
	EXPECT_INT(uki_release(path, release, sizeof(release)), -EINVAL);
	close(fd);
	test_end();

	TEST_BEGIN("more sections than the file has");
	fd = make_pe(without, 1, path);
	EXPECT_INT(pwrite(fd, "\xff\xff", 2, 0x86), 2);
	EXPECT_INT(uki_initrd(path, -1), -EINVAL);
	close(fd);
	test_end();

	TEST_BEGIN("no PE file");
	EXPECT_INT(uki_release("/dev/null", release, sizeof(release)), -EINVAL);
	EXPECT_INT(uki_release("/nonexistent", release, sizeof(release)), -ENOENT);
	test_end();
}

int main(void)
{
	test_whole();
	test_rejected();
	return test_summary();
}
