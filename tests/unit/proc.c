/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proc.h"
#include "test.h"

/* A table of /proc that holds this text. */
static FILE *table(const char *text)
{
	FILE *f = fmemopen((void *)text, strlen(text), "r");

	EXPECT(f);
	return f;
}

static void test_mount_line(void)
{
	static const struct {
		int line;
		const char *text;
		unsigned major, minor;
		const char *point, *type, *source, *options; /* no point: left out */
	} rows[] = {
#define ROW(...) { __LINE__, __VA_ARGS__ }
		ROW("29 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro\n",
			254, 1, "/", "ext4", "/dev/vda1", "rw,errors=remount-ro"),
		ROW("29 1 254:1 / / rw - ext4 /dev/vda1 rw", 254, 1, "/", "ext4", "/dev/vda1",
			"rw"),
		ROW("36 35 0:30 /@ /home rw shared:1 master:2 propagate_from:2 unbindable - btrfs "
		    "/dev/sda2 rw\n",
			0, 30, "/home", "btrfs", "/dev/sda2", "rw"),
		ROW("50 29 8:1 / /mnt/a\\040b\\011c\\134d\\012e rw - vfat /dev/sda1 rw\n", 8, 1,
			"/mnt/a b\tc\\d\ne", "vfat", "/dev/sda1", "rw"),
		ROW("50 29 259:1048575 / /x\\0401 rw - xfs /dev/a\\043b rw\n", 259, 1048575, "/x 1",
			"xfs", "/dev/a#b", "rw"),
		ROW("50 29 0:9 / /x rw - 9p  rw\n", 0, 9, "/x", "9p", "", "rw"),
		ROW("50 29 8:1 / /x\\04 rw - ext4 /dev/sda1 rw\n", 8, 1, "/x\\04", "ext4",
			"/dev/sda1", "rw"),
		ROW("50 29 8:1 / /x\\ rw - ext4 /dev/sda1 rw\n", 8, 1, "/x\\", "ext4", "/dev/sda1",
			"rw"),
		ROW("50 29 8:1 / /x\\000y rw - ext4 /dev/sda1 rw\n", 8, 1, "/x\\000y", "ext4",
			"/dev/sda1", "rw"),
		ROW("50 29 8:1 / /x rw - ext4 /dev/sda1\n", .point = NULL),
		ROW("50 29 8:1 / /x rw\n", .point = NULL),
		ROW("50 29 8:1 /\n", .point = NULL),
		ROW("50 29 8 / /x rw - ext4 /dev/sda1 rw\n", .point = NULL),
		ROW("x\n", .point = NULL),
		ROW("\n", .point = NULL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(mounts_free) struct mounts m = { 0 };
		_cleanup_fclose_ FILE *f = NULL;

		test_begin(__FILE__, rows[i].line, rows[i].text);
		f = table(rows[i].text);
		EXPECT_INT(proc_mounts(f, &m), 0);
		EXPECT_INT(m.n, rows[i].point != NULL);
		if (m.n == 1 && rows[i].point) {
			EXPECT_INT(m.items[0].major, rows[i].major);
			EXPECT_INT(m.items[0].minor, rows[i].minor);
			EXPECT_STR(m.items[0].point, rows[i].point);
			EXPECT_STR(m.items[0].type, rows[i].type);
			EXPECT_STR(m.items[0].source, rows[i].source);
			EXPECT_STR(m.items[0].options, rows[i].options);
		}
		test_end();
	}
}

static void test_mount_holding(void)
{
	static const char text[] = "1 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
				   "a line that is none\n"
				   "2 1 8:2 / /srv rw - ext4 /dev/sda2 rw\n"
				   "3 1 8:3 / /srv/data rw - ext4 /dev/sda3 rw\n"
				   "4 1 0:40 / /boot rw - autofs systemd-1 rw\n"
				   "5 4 8:4 / /boot rw - vfat /dev/sda4 rw\n";
	static const struct {
		int line;
		const char *path;
		unsigned minor;
	} rows[] = {
		ROW("/", 1),
		ROW("/swapfile", 1),
		ROW("/srv", 2),
		ROW("/srv/", 2),
		ROW("/srv/file", 2),
		ROW("/srvfile", 1),
		ROW("/srv/data", 3),
		ROW("/srv/data/a/b", 3),
		ROW("/srv/database", 2),
		ROW("/boot/vmlinuz", 4),
	};
	_cleanup_(mounts_free) struct mounts m = { 0 };
	struct mounts none = { 0 };
	_cleanup_fclose_ FILE *f = table(text);

	TEST_BEGIN("which mount holds a path");
	EXPECT_INT(proc_mounts(f, &m), 0);
	EXPECT_INT(m.n, 5);
	EXPECT(!mount_holding(&none, "/"));
	EXPECT(!mount_holding(&m, "relative"));
	test_end();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct mount *found = mount_holding(&m, rows[i].path);

		test_begin(__FILE__, rows[i].line, rows[i].path);
		EXPECT_INT(found ? found->minor : 0, rows[i].minor);
		test_end();
	}
}

static void test_swaps(void)
{
	static const char text[] =
		"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
		"/dev/dm-1                               partition\t8388604\t\t0\t\t-2\n"
		"/swap\\040file                            file\t\t1048572\t\t0\t\t-3\n"
		"/dev/zram0                              partition\t4194300\t\t0\t\t100\n"
		"/broken\n";
	static const struct {
		const char *path;
		bool is_file;
	} expected[] = { { "/dev/dm-1", false }, { "/swap file", true }, { "/dev/zram0", false } };
	_cleanup_(swaps_free) struct swaps s = { 0 };
	_cleanup_fclose_ FILE *f = table(text);

	TEST_BEGIN("/proc/swaps");
	EXPECT_INT(proc_swaps(f, &s), 0);
	EXPECT_INT(s.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < s.n && i < ARRAY_SIZE(expected); i++) {
		EXPECT_STR(s.items[i].path, expected[i].path);
		EXPECT_INT(s.items[i].is_file, expected[i].is_file);
	}
	test_end();
}

#define ZERO "00000000000000000000000000000000"
#define GATE "fe800000000000000000000000000001"

static void test_routes(void)
{
	static const struct {
		int line;
		bool v6;
		const char *text;
		const char *found; /* NULL: no default route */
	} rows[] = {
		ROW(false, "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0   \n",
			"eth0"),
		ROW(false, "ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n", "ppp0"),
		/* 0.0.0.0/1, one half of what tunnels set */
		ROW(false, "tun0\t00000000\t010200C0\t0003\t0\t0\t0\t00000080\t0\t0\t0\n", NULL),
		ROW(false, "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n", NULL),
		ROW(false, "eth0\t00000000\t010200C0\t0002\t0\t0\t0\t00000000\t0\t0\t0\n", NULL),
		ROW(false, "*\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n", NULL),
		ROW(false, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n",
			NULL),
		ROW(false, "eth0\t00000000\n", NULL),
		ROW(true,
			ZERO " 00 " ZERO " 00 " GATE
			     " 00000400 00000003 00000000 00450003    wlan0\n",
			"wlan0"),
		ROW(true,
			ZERO " 00 " ZERO " 00 " ZERO
			     " ffffffff 00000001 00000000 00200200       lo\n",
			NULL),
		/* "unreachable default" */
		ROW(true,
			ZERO " 00 " ZERO " 00 " ZERO
			     " 00000400 00000001 00000000 00200201     eth0\n",
			NULL),
		ROW(true,
			ZERO " 01 " ZERO " 00 " GATE
			     " 00000400 00000003 00000000 00000003     eth0\n",
			NULL),
		ROW(true,
			GATE " 80 " ZERO " 00 " ZERO
			     " 00000000 00000002 00000000 80200001     eth0\n",
			NULL),
		ROW(true, ZERO " 00 " ZERO "\n", NULL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(interfaces_free) struct interfaces list = { 0 };
		_cleanup_fclose_ FILE *f = NULL;

		test_begin(__FILE__, rows[i].line, rows[i].text);
		f = table(rows[i].text);
		EXPECT_INT(rows[i].v6 ? proc_routes6(f, &list) : proc_routes(f, &list), 0);
		EXPECT_STR(list.n ? list.names[0] : NULL, rows[i].found);
		test_end();
	}
}

static void test_interfaces_once(void)
{
	_cleanup_(interfaces_free) struct interfaces list = { 0 };
	_cleanup_fclose_ FILE *v4 = table("a 00000000 0 0003 0 0 100 00000000 0 0 0\n"
					  "b 00000000 0 0003 0 0 200 00000000 0 0 0\n"
					  "a 00000000 0 0003 0 0 300 00000000 0 0 0\n");
	_cleanup_fclose_ FILE *v6 = table(ZERO " 00 " ZERO " 00 " GATE " 400 3 0 00000003 b\n" ZERO
					       " 00 " ZERO " 00 " GATE " 400 3 0 00000003 c\n");

	TEST_BEGIN("each interface once");
	EXPECT_INT(proc_routes(v4, &list), 0);
	EXPECT_INT(proc_routes6(v6, &list), 0);
	EXPECT_INT(list.n, 3);
	if (list.n == 3) {
		EXPECT_STR(list.names[0], "a");
		EXPECT_STR(list.names[1], "b");
		EXPECT_STR(list.names[2], "c");
	}
	test_end();
}

int main(void)
{
	test_mount_line();
	test_mount_holding();
	test_swaps();
	test_routes();
	test_interfaces_once();
	return test_summary();
}
