/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>

#include "hostdev.h"
#include "test.h"
#include "uses.h"

/* What is found on machines is for tests/sysfs/uses-*: libudev wants a /sys of its own. */

static void test_empty_sys(int dir)
{
	struct snapshot s = { 0 };
	struct uses u = { 0 };

	TEST_BEGIN("a /sys without anything, and whatever is mounted here");
	EXPECT_INT(uses_find(dir, &s, &u), 0);
	EXPECT_INT(u.n, 0);
	EXPECT(!u.other_keyboard);
	uses_free(&u);
	EXPECT(!u.unknown && !u.n_unknown);
	uses_free(&u);
	test_end();
}

static void test_no_such_device(void)
{
	struct hostdev d = { 0 };
	char *name = NULL;

	TEST_BEGIN("a device that is not there");
	EXPECT_INT(hostdev_find("block", "no-such-disk", &d), -ENOENT);
	EXPECT_INT(hostdev_find("no-such-subsystem", "sda", &d), -ENOENT);
	EXPECT_INT(hostdev_find("block", "", &d), -ENOENT);
	EXPECT_INT(hostdev_block_name(0, 0, &name), -ENOENT);
	EXPECT_INT(hostdev_block_name(4095, 1048575, &name), -ENOENT);
	EXPECT(!name && !d.disk && !d.usb && !d.pci);
	hostdev_free(&d);
	test_end();
}

int main(void)
{
	_cleanup_free_ char *path = format("%s/vfio-early-test-XXXXXX", getenv("TMPDIR") ?: "/tmp");
	_cleanup_close_ int dir = -1;

	if (!path || !mkdtemp(path) || (dir = open(path, O_DIRECTORY | O_CLOEXEC)) < 0) {
		perror("temporary directory");
		return 1;
	}
	test_empty_sys(dir);
	test_no_such_device();
	rmdir(path);
	return test_summary();
}
