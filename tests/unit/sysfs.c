/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/stat.h>

#include "sysfs.h"
#include "test.h"

static int dir = -1;

static void put(const char *name, const char *text)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	EXPECT(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void test_read(void)
{
	static const struct {
		int line;
		const char *what, *text;
		size_t size;
		const char *found;
	} rows[] = {
#define ROW(...) { __LINE__, __VA_ARGS__ }
		ROW("a newline at the end goes", "0x030000\n", 32, "0x030000"),
		ROW("no newline", "0x030000", 32, "0x030000"),
		ROW("only the last newline goes", "a\nb\n\n", 32, "a\nb\n"),
		ROW("empty", "", 32, ""),
		ROW("a newline alone", "\n", 32, ""),
		ROW("exactly full", "abc", 4, "abc"),
		ROW("white space stays", " (null) \n", 32, " (null) "),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char buf[32];
		ssize_t n;

		memset(buf, 'X', sizeof(buf));
		test_begin(__FILE__, rows[i].line, rows[i].what);
		put("attr", rows[i].text);
		n = sysfs_read(dir, "attr", buf, rows[i].size);
		EXPECT_INT(n, strlen(rows[i].found));
		EXPECT_STR(n >= 0 ? buf : "(error)", rows[i].found);
		if (rows[i].size < sizeof(buf))
			EXPECT_INT(buf[rows[i].size], 'X');
		test_end();
	}
}

static void test_read_errors(void)
{
	char buf[8] = "as was";

	TEST_BEGIN("errors of reading");
	EXPECT_INT(sysfs_read(dir, "missing", buf, sizeof(buf)), -ENOENT);
	EXPECT_INT(sysfs_read(dir, "attr/below", buf, sizeof(buf)), -ENOTDIR);
	EXPECT_INT(mkdirat(dir, "d", 0755), 0);
	EXPECT_INT(sysfs_read(dir, "d", buf, sizeof(buf)), -EISDIR);
	EXPECT_STR(buf, "as was");
	put("attr", "vfio-pci-of-another-kind\n");
	EXPECT_INT(sysfs_read(dir, "attr", buf, sizeof(buf)), -EFBIG);
	put("attr", "vfio-pci");
	EXPECT_INT(sysfs_read(dir, "attr", buf, sizeof(buf)), -EFBIG);
	test_end();
}

/* Text behind a NUL is text all the same, and what holds one is no text. */
static void test_read_bytes(void)
{
	_cleanup_close_ int fd = openat(dir, "raw", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	char buf[8];

	TEST_BEGIN("bytes that are no text");
	EXPECT_INT(write(fd, "ab\0cd", 5), 5);
	EXPECT_INT(sysfs_read(dir, "raw", buf, sizeof(buf)), -EBADMSG);
	EXPECT_INT(sysfs_read_bytes(dir, "raw", buf, sizeof(buf)), 5);
	EXPECT_INT(sysfs_read_bytes(dir, "raw", buf, 3), 3);
	EXPECT_INT(memcmp(buf, "ab\0cd", 5), 0);
	EXPECT_INT(sysfs_read_bytes(dir, "missing", buf, sizeof(buf)), -ENOENT);
	test_end();
}

/* A FIFO that stays open has no end to find: a second read() would hang. */
static void test_read_to(void)
{
	static const char whole[] = "DRIVER=nouveau\nMODALIAS=pci:v0\n", cut[] = "A=1\nMODALIAS=";
	_cleanup_close_ int fd = -1;
	char buf[64];

	TEST_BEGIN("up to a known last line");
	put("attr", whole);
	EXPECT_INT(sysfs_read_to(dir, "attr", "MODALIAS=", buf, sizeof(buf)), sizeof(whole) - 2);
	EXPECT_STR(buf, "DRIVER=nouveau\nMODALIAS=pci:v0");
	put("attr", cut);
	EXPECT_INT(sysfs_read_to(dir, "attr", "MODALIAS=", buf, sizeof(buf)), sizeof(cut) - 1);
	put("attr", "MODALIAS=\nB=2\n");
	EXPECT_INT(sysfs_read_to(dir, "attr", "MODALIAS=", buf, sizeof(buf)), 13);
	put("attr", "\n");
	EXPECT_INT(sysfs_read_to(dir, "attr", "MODALIAS=", buf, sizeof(buf)), 0);
	EXPECT_INT(mkfifoat(dir, "fifo", 0600), 0);
	fd = openat(dir, "fifo", O_RDWR | O_CLOEXEC);
	EXPECT_INT(write(fd, whole, sizeof(whole) - 1), sizeof(whole) - 1);
	alarm(10);
	EXPECT_INT(sysfs_read_to(dir, "fifo", "MODALIAS=", buf, sizeof(buf)), sizeof(whole) - 2);
	alarm(0);
	test_end();
}

static void test_write(void)
{
	char buf[32];

	TEST_BEGIN("write");
	put("driver_override", "(null)\n");
	EXPECT_INT(sysfs_write(dir, "driver_override", "vfio-pci"), 0);
	EXPECT(sysfs_read(dir, "driver_override", buf, sizeof(buf)) > 0);
	EXPECT_STR(buf, "vfio-pci");
	EXPECT_INT(sysfs_write(dir, "driver_override", ""), 0);
	test_end();

	TEST_BEGIN("a missing attribute is not created");
	EXPECT_INT(sysfs_write(dir, "unbind", "0000:01:00.0"), -ENOENT);
	EXPECT_INT(faccessat(dir, "unbind", F_OK, 0), -1);
	EXPECT_INT(sysfs_write(dir, "d", "x"), -EISDIR);
	test_end();

	/* As an attribute does that refuses: the error of write() itself comes back. */
	if (access("/dev/full", W_OK) == 0) {
		TEST_BEGIN("the error of write()");
		EXPECT_INT(sysfs_write(AT_FDCWD, "/dev/full", "x"), -ENOSPC);
		test_end();
	} else {
		TEST_SKIP("no /dev/full");
	}
}

static void test_link(void)
{
	static const struct {
		int line;
		const char *to;
		size_t size;
		int r;
		const char *name;
	} rows[] = {
		ROW("../../../bus/pci/drivers/vfio-pci", 32, 0, "vfio-pci"),
		ROW("../kernel/iommu_groups/16", 32, 0, "16"),
		ROW("plain", 32, 0, "plain"),
		ROW("a/b/", 32, -EINVAL, NULL),
		ROW("x/1234567", 8, 0, "1234567"),
		ROW("x/12345678", 8, -EINVAL, NULL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char buf[32] = "as was";

		test_begin(__FILE__, rows[i].line, rows[i].to);
		unlinkat(dir, "driver", 0);
		EXPECT_INT(symlinkat(rows[i].to, dir, "driver"), 0);
		EXPECT_INT(sysfs_link_name(dir, "driver", buf, rows[i].size), rows[i].r);
		EXPECT_STR(buf, rows[i].name ?: "as was");
		test_end();
	}

	TEST_BEGIN("errors of links");
	{
		char buf[32];

		EXPECT_INT(sysfs_link_name(dir, "missing", buf, sizeof(buf)), -ENOENT);
		EXPECT_INT(sysfs_link_name(dir, "attr", buf, sizeof(buf)), -EINVAL);
	}
	test_end();
}

static void clean(const char *path)
{
	static const char *const files[] = { "attr", "driver_override", "driver", "unbind" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlinkat(dir, files[i], 0);
	unlinkat(dir, "d", AT_REMOVEDIR);
	close(dir);
	rmdir(path);
}

int main(void)
{
	_cleanup_free_ char *path = format("%s/vfio-early-test-XXXXXX", getenv("TMPDIR") ?: "/tmp");

	if (!path || !mkdtemp(path) || (dir = open(path, O_DIRECTORY | O_CLOEXEC)) < 0) {
		perror("temporary directory");
		return 1;
	}
	test_read();
	test_read_errors();
	test_read_bytes();
	test_read_to();
	test_write();
	test_link();
	clean(path);
	return test_summary();
}
