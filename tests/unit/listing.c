/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/stat.h>
#include <time.h>

#include "listing.h"
#include "test.h"

static char tool[] = "/tmp/vfio-early-tool-XXXXXX";

/* The tool is a shell script. */
static void write_tool(const char *script)
{
	FILE *f = fopen(tool, "we");

	if (!f || fputs(script, f) < 0 || fclose(f) != 0 || chmod(tool, 0755) < 0)
		abort();
}

static void test_output(void)
{
	static const struct {
		const char *script;
		int r;
		const char *text;
	} rows[] = {
		{ "#!/bin/sh\necho \"$1\"; echo error >&2\n", 0, "/boot/image\n" },
		{ "#!/bin/sh\ncat\n", 0, "" },
		{ "#!/bin/sh\necho \"$SECRET\"\n", 0, "\n" },
		{ "#!/bin/sh\nprintf end\n", 0, "end" },
		{ "#!/bin/sh\necho half; exit 3\n", -EIO, NULL },
		{ "#!/bin/sh\nkill -9 $$\n", -EIO, NULL },
		{ "#!/nonexistent\n", -EIO, NULL },
		{ "#!/bin/sh\nyes\n", -E2BIG, NULL },
	};

	setenv("SECRET", "of the environment", 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = NULL;

		TEST_BEGIN(rows[i].script);
		write_tool(rows[i].script);
		EXPECT_INT(listing_run(tool, "/boot/image", 30000, &text), rows[i].r);
		EXPECT_STR(text, rows[i].text);
		test_end();
	}
}

static void test_timeout(void)
{
	_cleanup_free_ char *text = NULL;
	struct timespec start, end;
	char script[128];
	int fds[2];
	char byte;

	TEST_BEGIN("what hangs is killed, and what it started");
	if (pipe(fds) < 0)
		abort();
	/* The end of the pipe comes when the last of them is gone. */
	snprintf(script, sizeof(script), "#!/bin/sh\ntrap '' TERM\nsleep 1000 &\nsleep 1000\n");
	write_tool(script);
	clock_gettime(CLOCK_MONOTONIC, &start);
	EXPECT_INT(listing_run(tool, "/boot/image", 200, &text), -ETIME);
	clock_gettime(CLOCK_MONOTONIC, &end);
	EXPECT_INT(end.tv_sec - start.tv_sec < 20, true);
	EXPECT_STR(text, NULL);
	close(fds[1]);
	EXPECT_INT(read(fds[0], &byte, 1), 0);
	close(fds[0]);
	test_end();
}

static void test_modules(void)
{
	static const char paths[] = "/init\n/usr/lib/modules/6.1/kernel/vfio/vfio-pci-core.ko.xz\n"
				    "/usr/lib/modules/6.1/kernel/vfio/vfio_iommu_type1.ko\n";

	TEST_BEGIN("modules in a listing");
	EXPECT_INT(listing_has_module(paths, "vfio_iommu_type1"), true);
	EXPECT_INT(listing_has_module(paths, "vfio_pci_core"), true);
	EXPECT_INT(listing_has_module(paths, "vfio_pci"), false);
	EXPECT_INT(listing_has_module(paths, "vfio"), false);
	EXPECT_INT(listing_has_module("kernel/vfio/vfio-pci.ko.zst:", "vfio_pci"), true);
	EXPECT_INT(listing_has_module("", "vfio_pci"), false);
	test_end();
}

int main(void)
{
	int fd = mkstemp(tool);

	/* A failure must not hang the rest. */
	alarm(120);
	if (fd < 0)
		return 1;
	close(fd);
	test_output();
	test_timeout();
	test_modules();
	unlink(tool);
	return test_summary();
}
