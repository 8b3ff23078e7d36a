/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/stat.h>

#include "history.h"
#include "test.h"

static struct pci_device devices[] = {
	{ .addr = { .bus = 1 }, .id = { 0x10de, 0x2786 }, .group = 7 },
	{ .addr = { .bus = 1, .fn = 1 }, .id = { 0x10de, 0x22bc }, .group = 7 },
	{ .addr = { .bus = 1, .fn = 2 },
		.id = { 0x10de, 0x1ada },
		.group = 7,
		.appears_late = true },
	{ .addr = { .bus = 2 }, .id = { 0x8086, 0x1539 }, .group = 8 },
};
static const struct snapshot snapshot = { .devices = devices, .n_devices = ARRAY_SIZE(devices) };

static const char *members_of(const struct history *h, const struct pci_device *d)
{
	const struct past_group *p = history_find(h, d);

	return p ? p->members : NULL;
}

static void test_round(const char *dir)
{
	_cleanup_free_ char *file = format("%s/below/groups", dir),
			    *below = format("%s/below", dir);
	struct history h = { 0 };
	struct pci_device other = devices[0];

	TEST_BEGIN("what is written is read");
	EXPECT_INT(history_read(file, &h), 0);
	EXPECT_INT(h.n, 0);
	history_put(&h, &snapshot, &devices[0]);
	history_put(&h, &snapshot, &devices[3]);
	EXPECT_INT(h.changed, true);
	EXPECT_INT(history_write(&h, below), 0);
	history_free(&h);
	EXPECT_INT(history_read(file, &h), 0);
	EXPECT_INT(h.n, 2);
	EXPECT_STR(members_of(&h, &devices[0]), "0000:01:00.0 0000:01:00.1");
	EXPECT_STR(members_of(&h, &devices[3]), "0000:02:00.0");
	EXPECT_STR(members_of(&h, &devices[1]), NULL);
	other.id.device++;
	EXPECT_STR(members_of(&h, &other), NULL);

	history_put(&h, &snapshot, &devices[0]);
	EXPECT_INT(h.changed, false);
	devices[3].group = 7;
	history_put(&h, &snapshot, &devices[0]);
	EXPECT_INT(h.changed, true);
	EXPECT_INT(h.n, 2);
	EXPECT_STR(members_of(&h, &devices[0]), "0000:01:00.0 0000:01:00.1 0000:02:00.0");
	history_free(&h);
	test_end();
}

static void test_unwritable(const char *dir)
{
	_cleanup_free_ char *nowhere = format("%s/none/below", dir);
	const struct history h = { 0 };

	TEST_BEGIN("nowhere to write to");
	EXPECT_INT(history_write(&h, nowhere), -ENOENT);
	EXPECT_INT(history_write(&h, "/dev/null"), -ENOTDIR);
	test_end();
}

static void test_garbage(const char *dir)
{
	_cleanup_free_ char *file = format("%s/garbage", dir);
	FILE *f = fopen(file, "we");
	struct history h = { 0 };

	TEST_BEGIN("what is not understood is passed over");
	fputs("groups 1\n\ngroup\ngroup 01:00.0 x 6.1 a\ngroup 0000:01:00.0 10de:2786 6.1\n"
	      "later 0000:01:00.0 10de:2786 6.1 b\ngroup 0000:01:00.0 10de:2786 6.1 c d\n",
		f);
	fclose(f);
	EXPECT_INT(history_read(file, &h), 0);
	EXPECT_INT(h.n, 1);
	EXPECT_STR(members_of(&h, &devices[0]), "c d");
	history_free(&h);
	unlink(file);
	test_end();
}

int main(void)
{
	char dir[] = "/tmp/vfio-early-history-XXXXXX";
	_cleanup_free_ char *file = NULL, *below = NULL;

	if (!mkdtemp(dir))
		return 1;
	file = format("%s/below/groups", dir);
	below = format("%s/below", dir);
	test_garbage(dir);
	test_round(dir);
	test_unwritable(dir);
	unlink(file);
	rmdir(below);
	rmdir(dir);
	return test_summary();
}
