/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "apply.h"
#include "sysfs.h"
#include "test.h"

/* apply.c over a small driver core: the linker sends its sysfs_write() and modules_load() here
 * (--wrap), and they do to the links of a directory what the kernel does to those of /sys. A fault
 * can be put on any write. */

#define N_DEVICES 3
/* What a run with a hang in it may take: on a busy machine the rest needs its share, too. */
#define HANG_MS 1500

int __real_sysfs_write(int dirfd, const char *path, const char *text);
int __wrap_sysfs_write(int dirfd, const char *path, const char *text);
int __wrap_modules_load(struct modules *m, const char *name);

enum fault { NO_FAULT, HANG, KILLABLE, CRASH, SLOW };

/* Shared with the children, who do the writing. */
static struct world {
	bool vfio_loaded;
	int load_error; /* of vfio_pci */
	bool type1_loaded;
	const char *fault_path; /* ends the path of the write that goes wrong, */
	const char *fault_text; /* with this text if it is given, */
	int fault_error;        /* thus */
	enum fault fault;
	int fault_times; /* how often; 0: always */
	int busy;        /* so many binds answer -EAGAIN */
	bool variant_loaded;
	bool refuses[N_DEVICES]; /* vfio-pci's probe fails */
	bool native_refuses;     /* the old driver's too */
	bool ids;                /* vfio-pci takes devices without an override, too */
	const char *undo_hangs;  /* ends the path of an override that cannot be cleared in time */
	int forks;               /* so many succeed; 0: all */
} * world;

static char root[PATH_MAX];
static int root_fd;
static struct pci_device devices[N_DEVICES];
static const char *natives[N_DEVICES];

static struct pci_addr address(size_t i)
{
	return (struct pci_addr){ .bus = (uint8_t)(i + 1) };
}

static void device_path(size_t i, const char *name, char buf[static PATH_MAX])
{
	snprintf(buf, PATH_MAX, "bus/pci/devices/%s/%s", PCI_ADDR(address(i)), name);
}

static void put(const char *path, const char *text)
{
	int fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		abort();
	close(fd);
}

pid_t __real_fork(void);
pid_t __wrap_fork(void);

pid_t __wrap_fork(void)
{
	/* The last one stays at one, and fails from then on. */
	if (world->forks == 1) {
		errno = EAGAIN;
		return -1;
	}
	if (world->forks)
		world->forks--;
	return __real_fork();
}

static const char *get_link(size_t i)
{
	static char driver[64];
	char path[PATH_MAX];

	device_path(i, "driver", path);
	return sysfs_link_name(root_fd, path, driver, sizeof(driver)) < 0 ? "" : driver;
}

static const char *get_override(size_t i)
{
	static char text[64];
	char path[PATH_MAX];

	device_path(i, "driver_override", path);
	return sysfs_read(root_fd, path, text, sizeof(text)) < 0 ? "?" : text;
}

static void set_link(size_t i, const char *driver)
{
	char path[PATH_MAX], target[PATH_MAX];

	device_path(i, "driver", path);
	unlinkat(root_fd, path, 0);
	snprintf(target, sizeof(target), "../../../../bus/pci/drivers/%s", driver);
	if (driver && symlinkat(target, root_fd, path) < 0)
		abort();
}

/* What driver_match_device() and the probe make of a device that has no driver. */
static int probe(size_t i, const char *driver)
{
	const char *override = get_override(i);
	bool ours = streq(driver, "vfio-pci"), native = natives[i] && streq(natives[i], driver);

	if (*get_link(i))
		return -EBUSY;
	if (streq(override, "(null)") ? !(ours ? world->ids : native) : !streq(override, driver))
		return -ENODEV;
	if (ours ? world->refuses[i] : world->native_refuses)
		return -EINVAL;
	set_link(i, driver);
	return 0;
}

static size_t device_named(const char *address_text)
{
	for (size_t i = 0; i < N_DEVICES; i++)
		if (streq(PCI_ADDR(address(i)), address_text))
			return i;
	abort();
}

static bool path_is(const char *path, const char *end)
{
	size_t n = strlen(path), m = strlen(end);

	return n >= m && streq(path + n - m, end);
}

/* What waits in the kernel does not die when it is killed. Here a process does, but whoever listens
 * to it finds its pipe open still. */
static void hang(void)
{
	if (__real_fork() == 0) {
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		sleep(4 * HANG_MS / 1000);
		_exit(0);
	}
	pause();
}

static int fault_for(const char *path, const char *text)
{
	if (!world->fault_path || !path_is(path, world->fault_path) ||
		(world->fault_text && !streq(world->fault_text, text)))
		return 0;
	if (world->fault_times && --world->fault_times == 0)
		world->fault_path = NULL;
	if (world->fault == HANG)
		hang();
	if (world->fault == KILLABLE)
		pause();
	if (world->fault == CRASH)
		raise(SIGKILL);
	if (world->fault == SLOW)
		usleep(300000);
	return world->fault_error;
}

int __wrap_sysfs_write(int dirfd, const char *path, const char *text)
{
	char address_text[PCI_ADDR_LEN];
	int r = fault_for(path, text);

	(void)dirfd;
	if (r < 0)
		return r;
	if (world->undo_hangs && path_is(path, world->undo_hangs) && streq(text, "\n"))
		hang();
	if (path_is(path, "/driver_override")) {
		put(path, streq(text, "\n") ? "(null)\n" : text);
	} else if (path_is(path, "/driver/unbind")) {
		set_link(device_named(text), NULL);
	} else if (path_is(path, "mlx5_vfio_pci/bind")) {
		return world->variant_loaded ? probe(device_named(text), "mlx5_vfio_pci") : -ENOENT;
	} else if (path_is(path, "vfio-pci/bind")) {
		if (!world->vfio_loaded)
			return -ENOENT;
		if (world->busy > 0 && world->busy--)
			return -EAGAIN;
		return probe(device_named(text), "vfio-pci");
	} else if (path_is(path, "drivers_probe")) {
		/* It answers success, whatever binds. */
		snprintf(address_text, sizeof(address_text), "%s", text);
		if (natives[device_named(text)])
			probe(device_named(text), natives[device_named(text)]);
		if (world->vfio_loaded)
			probe(device_named(address_text), "vfio-pci");
	} else {
		abort();
	}
	return 0;
}

int __wrap_modules_load(struct modules *m, const char *name)
{
	int r = fault_for("load", name);

	(void)m;
	if (r < 0)
		return r;
	if (streq(name, "vfio_iommu_type1")) {
		world->type1_loaded = true;
		return 0;
	}
	if (world->load_error)
		return world->load_error;
	if (streq(name, "mlx5_vfio_pci_module")) {
		world->variant_loaded = true;
		return 0;
	}
	world->vfio_loaded = true;
	for (size_t i = 0; i < N_DEVICES; i++)
		probe(i, "vfio-pci");
	return 0;
}

/* --- one case --- */

static struct target targets[2] = { { .name = (char *)"one" }, { .name = (char *)"two" } };
static struct plan_device in_one[] = { { .device = 0 }, { .device = 1 } };
static struct plan_device in_two[] = { { .device = 2 } };
static struct plan_target plan_targets[] = {
	{ .target = &targets[0], .devices = in_one, .n_devices = 2 },
	{ .target = &targets[1], .devices = in_two, .n_devices = 1 },
};
static struct step steps[] = {
	{ STEP_OVERRIDE, 0, 0, VFIO_MODULE },
	{ STEP_OVERRIDE, 0, 1, VFIO_MODULE },
	{ STEP_OVERRIDE, 1, 2, VFIO_MODULE },
	{ STEP_LOAD, 0, 0, VFIO_MODULE },
	{ STEP_SETTLE, 0, 0, VFIO_MODULE },
	{ STEP_SETTLE, 0, 1, VFIO_MODULE },
	{ STEP_SETTLE, 1, 2, VFIO_MODULE },
	{ STEP_TYPE1, 0, 0, NULL },
};
static const struct plan plan = {
	.targets = plan_targets, .n_targets = 2, .steps = steps, .n_steps = 8
};
static const struct snapshot snapshot = { .devices = devices, .n_devices = N_DEVICES };
static struct outcome outcome;

/* A machine on which each device has a native driver that is loaded; @held of them hold theirs. */
static void begin(const char *what, size_t held)
{
	char path[PATH_MAX];

	test_begin(__FILE__, __LINE__, what);
	memset(world, 0, sizeof(*world));
	for (size_t i = 0; i < N_DEVICES; i++) {
		natives[i] = "native";
		devices[i] = (struct pci_device){ .addr = address(i), .group = (int)i };
		device_path(i, "driver_override", path);
		put(path, "(null)\n");
		set_link(i, i < held ? "native" : NULL);
		devices[i].driver = i < held ? (char *)"native" : NULL;
	}
	outcome_free(&outcome);
}

/* Before anything is done, by whatever means. */
static void held_by_ours(size_t i)
{
	world->vfio_loaded = true;
	set_link(i, "vfio-pci");
	devices[i].driver = (char *)"vfio-pci";
}

static void apply(unsigned ms)
{
	EXPECT_INT(apply_plan(&plan, &snapshot, NULL, root_fd, ms, ms, &outcome), 0);
}

static void expect_device(
	int line, size_t i, enum device_state state, const char *driver, const char *override)
{
	test_str(line, "state", device_state_name(outcome.devices[i]), device_state_name(state));
	test_str(line, "driver", get_link(i), driver);
	test_str(line, "driver_override", get_override(i), override);
}
#define EXPECT_DEVICE(...) expect_device(__LINE__, __VA_ARGS__)

static bool has_finding(const char *id)
{
	for (size_t i = 0; i < outcome.findings.n; i++)
		if (streq(outcome.findings.items[i].id, id))
			return true;
	return false;
}

static bool has_finding_at(const char *id, size_t i)
{
	for (size_t j = 0; j < outcome.findings.n; j++)
		if (streq(outcome.findings.items[j].id, id) && outcome.findings.items[j].has_addr &&
			pci_addr_cmp(outcome.findings.items[j].addr, address(i)) == 0)
			return true;
	return false;
}

static void test_good(void)
{
	begin("free devices are bound by loading the module", 0);
	apply(5000);
	for (size_t i = 0; i < N_DEVICES; i++)
		EXPECT_DEVICE(i, DEVICE_BOUND, "vfio-pci", "vfio-pci");
	EXPECT_INT(outcome.targets[0], TARGET_BOUND);
	EXPECT_INT(outcome.findings.n, 0);
	EXPECT(world->type1_loaded);
	test_end();

	begin("held devices are handed over", 3);
	apply(5000);
	for (size_t i = 0; i < N_DEVICES; i++)
		EXPECT_DEVICE(i, DEVICE_BOUND, "vfio-pci", "vfio-pci");
	EXPECT(has_finding("handed-over"));
	test_end();

	begin("a bind that answers EAGAIN is tried again", 3);
	world->busy = 3;
	apply(5000);
	for (size_t i = 0; i < N_DEVICES; i++)
		EXPECT_DEVICE(i, DEVICE_BOUND, "vfio-pci", "vfio-pci");
	test_end();
}

/* The third device's driver has another name than its module, and the name is known only then. */
static void test_variant(void)
{
	static struct step variant_steps[] = {
		{ STEP_OVERRIDE, 1, 2, "mlx5_vfio_pci_module" },
		{ STEP_LOAD, 0, 0, "mlx5_vfio_pci_module" },
		{ STEP_NAME, 1, 2, "mlx5_vfio_pci_module" },
		{ STEP_SETTLE, 1, 2, "mlx5_vfio_pci_module" },
	};
	const struct plan variant_plan = {
		.targets = plan_targets, .n_targets = 2, .steps = variant_steps, .n_steps = 4
	};

	mkdirat(root_fd, "module", 0755);
	mkdirat(root_fd, "module/mlx5_vfio_pci_module", 0755);
	mkdirat(root_fd, "module/mlx5_vfio_pci_module/drivers", 0755);
	put("module/mlx5_vfio_pci_module/drivers/pci:mlx5_vfio_pci", "");

	begin("a variant driver gets its device under its own name", 3);
	EXPECT_INT(apply_plan(&variant_plan, &snapshot, NULL, root_fd, 5000, 5000, &outcome), 0);
	EXPECT_DEVICE(2, DEVICE_BOUND, "mlx5_vfio_pci", "mlx5_vfio_pci");
	EXPECT_STR(outcome.drivers[2], "mlx5_vfio_pci");
	test_end();

	begin("the driver's name that cannot be written in time is told as that", 3);
	world->fault_path = "03:00.0/driver_override";
	world->fault_text = "mlx5_vfio_pci";
	world->fault = HANG;
	EXPECT_INT(apply_plan(&variant_plan, &snapshot, NULL, root_fd, 400, 400, &outcome), 0);
	EXPECT_INT(outcome.devices[2], DEVICE_HUNG);
	EXPECT(outcome.findings.n > 0 &&
		skip_prefix(outcome.findings.items[0].text, "setting the driver_override of "));
	test_end();

	unlinkat(root_fd, "module/mlx5_vfio_pci_module/drivers/pci:mlx5_vfio_pci", 0);
	begin("a variant module that registers no driver leaves its device to its own", 0);
	EXPECT_INT(apply_plan(&variant_plan, &snapshot, NULL, root_fd, 5000, 5000, &outcome), 0);
	EXPECT_DEVICE(2, DEVICE_UNDONE, "native", "(null)");
	EXPECT(has_finding("load-failed"));
	test_end();
}

static void test_held_by_ours(void)
{
	begin("a device that ours does not let go of is told", 0);
	world->refuses[1] = true;
	world->fault_path = "01:00.0/driver/unbind";
	world->fault_error = -ENODEV;
	apply(5000);
	EXPECT_DEVICE(0, DEVICE_LEFT, "vfio-pci", "(null)");
	EXPECT(has_finding("undo-failed"));
	test_end();

	begin("a device that an earlier run left bound goes to its own driver", 0);
	held_by_ours(0);
	world->refuses[1] = true;
	apply(5000);
	EXPECT_DEVICE(0, DEVICE_UNDONE, "native", "(null)");
	EXPECT_INT(outcome.targets[0], TARGET_FAILED);
	test_end();

	begin("one that is ours by ids= stays so", 0);
	held_by_ours(0);
	world->ids = world->refuses[1] = true;
	natives[0] = NULL;
	apply(5000);
	EXPECT_DEVICE(0, DEVICE_UNDONE, "vfio-pci", "(null)");
	test_end();
}

static void test_errors(void)
{
	begin("a module that does not load leaves every device to its driver", 1);
	world->load_error = -ENOEXEC;
	apply(5000);
	for (size_t i = 0; i < N_DEVICES; i++)
		EXPECT_DEVICE(i, DEVICE_UNDONE, "native", "(null)");
	EXPECT(has_finding("load-failed"));
	EXPECT(!world->type1_loaded);
	test_end();

	begin("a target whose second device fails is undone whole, the other target is not", 0);
	world->refuses[1] = true;
	apply(5000);
	EXPECT_DEVICE(0, DEVICE_UNDONE, "native", "(null)");
	EXPECT_DEVICE(1, DEVICE_UNDONE, "native", "(null)");
	EXPECT_DEVICE(2, DEVICE_BOUND, "vfio-pci", "vfio-pci");
	EXPECT_INT(outcome.targets[0], TARGET_FAILED);
	EXPECT_INT(outcome.targets[1], TARGET_BOUND);
	EXPECT(has_finding("bind-failed"));
	test_end();

	begin("a held device whose bind fails is handed back", 3);
	world->refuses[2] = true;
	apply(5000);
	EXPECT_DEVICE(2, DEVICE_UNDONE, "native", "(null)");
	EXPECT_INT(outcome.targets[1], TARGET_FAILED);
	test_end();

	begin("an override that cannot be written fails its target before anything is loaded", 0);
	world->fault_path = "01:00.0/driver_override";
	world->fault_text = "vfio-pci";
	world->fault_error = -EACCES;
	apply(5000);
	EXPECT_DEVICE(0, DEVICE_UNDONE, "native", "(null)");
	EXPECT_DEVICE(1, DEVICE_UNTOUCHED, "", "(null)");
	EXPECT_DEVICE(2, DEVICE_BOUND, "vfio-pci", "vfio-pci");
	EXPECT(has_finding("override-failed"));
	test_end();

	begin("an unbind that fails leaves the device where it was", 3);
	world->fault_path = "03:00.0/driver/unbind";
	world->fault_error = -EIO;
	apply(5000);
	EXPECT_DEVICE(2, DEVICE_UNDONE, "native", "(null)");
	EXPECT(has_finding("unbind-failed"));
	test_end();

	begin("what cannot be undone is told, with the cure", 0);
	world->refuses[2] = true;
	world->fault_path = "03:00.0/driver_override";
	world->fault_text = "\n";
	world->fault_error = -EIO;
	apply(5000);
	EXPECT_DEVICE(2, DEVICE_LEFT, "", "vfio-pci");
	EXPECT(has_finding("undo-failed"));
	EXPECT(outcome.findings.n && outcome.findings.items[outcome.findings.n - 1].cure);
	test_end();

	begin("a driver that does not take its device back is told", 3);
	world->refuses[2] = world->native_refuses = true;
	apply(5000);
	EXPECT_DEVICE(2, DEVICE_LEFT, "", "(null)");
	EXPECT(has_finding("undo-failed"));
	test_end();

	begin("type1 that does not load is a warning", 0);
	world->fault_path = "load";
	world->fault_text = "vfio_iommu_type1";
	world->fault_error = -ENOENT;
	apply(5000);
	EXPECT_DEVICE(0, DEVICE_BOUND, "vfio-pci", "vfio-pci");
	EXPECT_INT(findings_worst(&outcome.findings), SEVERITY_WARNING);
	test_end();
}

/* Strict isolation held because both are bound; with one alone it does not. */
static void test_shared_group(void)
{
	begin("a target that shares a group with one that fails falls with it", 0);
	devices[2].group = devices[0].group;
	targets[1].isolation = ISOLATION_STRICT;
	world->refuses[1] = true;
	apply(5000);
	for (size_t i = 0; i < N_DEVICES; i++)
		EXPECT_DEVICE(i, DEVICE_UNDONE, "native", "(null)");
	EXPECT_INT(outcome.targets[1], TARGET_FAILED);
	EXPECT(has_finding("fell-with"));
	EXPECT_INT(outcome.findings.n, 2);
	test_end();

	begin("the same when it is bound already and the other one hangs", 3);
	devices[2].group = devices[0].group;
	targets[0].isolation = ISOLATION_STRICT;
	world->fault_path = "vfio-pci/bind";
	world->fault_text = PCI_ADDR(address(2));
	world->fault = HANG;
	apply(HANG_MS);
	EXPECT_DEVICE(0, DEVICE_UNDONE, "native", "(null)");
	EXPECT_DEVICE(1, DEVICE_UNDONE, "native", "(null)");
	EXPECT_DEVICE(2, DEVICE_HUNG, "", "vfio-pci");
	EXPECT_INT(outcome.targets[0], TARGET_FAILED);
	test_end();

	begin("isolation = none does without the other", 0);
	devices[2].group = devices[0].group;
	targets[1].isolation = ISOLATION_NONE;
	world->refuses[1] = true;
	apply(5000);
	EXPECT_DEVICE(2, DEVICE_BOUND, "vfio-pci", "vfio-pci");
	test_end();
	targets[0].isolation = targets[1].isolation = ISOLATION_UNSET;
}

static void test_hangs(void)
{
	begin("a device that hangs costs the other target nothing", 3);
	world->fault_path = "01:00.0/driver_override";
	world->fault_text = "vfio-pci";
	world->fault = HANG;
	apply(HANG_MS);
	EXPECT_DEVICE(0, DEVICE_HUNG, "native", "(null)");
	EXPECT_DEVICE(2, DEVICE_BOUND, "vfio-pci", "vfio-pci");
	EXPECT_INT(outcome.targets[0], TARGET_HUNG);
	EXPECT_INT(outcome.targets[1], TARGET_BOUND);
	EXPECT(world->type1_loaded);
	test_end();

	begin("a driver that is not there takes no device from its own", 3);
	world->fault_path = "load";
	world->fault_text = VFIO_MODULE;
	unlinkat(root_fd, "bus/pci/drivers/vfio-pci/bind", 0);
	apply(5000);
	for (size_t i = 0; i < N_DEVICES; i++)
		EXPECT_DEVICE(i, DEVICE_UNDONE, "native", "(null)");
	put("bus/pci/drivers/vfio-pci/bind", "");
	test_end();

	begin("a bind that hangs: its device is left, its target undone, time is bounded", 3);
	world->fault_path = "vfio-pci/bind";
	world->fault_text = PCI_ADDR(address(1));
	world->fault = HANG;
	apply(HANG_MS);
	EXPECT_DEVICE(0, DEVICE_UNDONE, "native", "(null)");
	EXPECT_DEVICE(1, DEVICE_HUNG, "", "vfio-pci");
	EXPECT_DEVICE(2, DEVICE_BOUND, "vfio-pci", "vfio-pci");
	EXPECT_INT(outcome.targets[0], TARGET_HUNG);
	EXPECT_INT(outcome.targets[1], TARGET_BOUND);
	EXPECT(has_finding("hung"));
	test_end();

	begin("an unbind that hangs until it is killed: its device goes back", 3);
	world->fault_path = "01:00.0/driver/unbind";
	world->fault = KILLABLE;
	apply(HANG_MS);
	EXPECT_DEVICE(0, DEVICE_UNDONE, "native", "(null)");
	EXPECT_DEVICE(1, DEVICE_UNDONE, "native", "(null)");
	EXPECT_DEVICE(2, DEVICE_BOUND, "vfio-pci", "vfio-pci");
	EXPECT_INT(outcome.targets[0], TARGET_FAILED);
	EXPECT(has_finding_at("hung", 0));
	test_end();

	begin("a module load that hangs: every device goes back", 1);
	world->fault_path = "load";
	world->fault = HANG;
	apply(HANG_MS);
	for (size_t i = 0; i < N_DEVICES; i++)
		EXPECT_DEVICE(i, DEVICE_UNDONE, "native", "(null)");
	EXPECT(has_finding("hung"));
	test_end();

	begin("an undo that hangs does not keep the others", 1);
	world->fault_path = "01:00.0/driver_override";
	world->fault_text = "\n";
	world->fault = HANG;
	world->load_error = -ENOENT;
	apply(HANG_MS);
	EXPECT_DEVICE(0, DEVICE_HUNG, "native", "vfio-pci");
	EXPECT_DEVICE(1, DEVICE_UNDONE, "native", "(null)");
	EXPECT_DEVICE(2, DEVICE_UNDONE, "native", "(null)");
	test_end();

	begin("type1 that hangs undoes nothing", 0);
	world->fault_path = "load";
	world->fault_text = "vfio_iommu_type1";
	world->fault = HANG;
	apply(HANG_MS);
	for (size_t i = 0; i < N_DEVICES; i++)
		EXPECT_DEVICE(i, DEVICE_BOUND, "vfio-pci", "vfio-pci");
	test_end();
}

/* Targets of one device each, all in one group. */
static void test_cascade(void)
{
	static struct target three[] = {
		{ .name = (char *)"a", .isolation = ISOLATION_STRICT },
		{ .name = (char *)"b", .isolation = ISOLATION_STRICT },
		{ .name = (char *)"c", .isolation = ISOLATION_STRICT },
	};
	static struct plan_device of_three[] = { { .device = 0 }, { .device = 1 },
		{ .device = 2 } };
	static struct plan_target plan_three[] = {
		{ .target = &three[0], .devices = &of_three[0], .n_devices = 1 },
		{ .target = &three[1], .devices = &of_three[1], .n_devices = 1 },
		{ .target = &three[2], .devices = &of_three[2], .n_devices = 1 },
	};
	static struct step steps_three[] = {
		{ STEP_OVERRIDE, 0, 0, VFIO_MODULE },
		{ STEP_OVERRIDE, 1, 1, VFIO_MODULE },
		{ STEP_OVERRIDE, 2, 2, VFIO_MODULE },
		{ STEP_LOAD, 0, 0, VFIO_MODULE },
		{ STEP_SETTLE, 0, 0, VFIO_MODULE },
		{ STEP_SETTLE, 1, 1, VFIO_MODULE },
		{ STEP_SETTLE, 2, 2, VFIO_MODULE },
	};
	const struct plan together = {
		.targets = plan_three, .n_targets = 3, .steps = steps_three, .n_steps = 7
	};

	begin("what a cascade undid is not taken up again by a later child", 3);
	for (size_t i = 0; i < N_DEVICES; i++)
		devices[i].group = 5;
	world->refuses[0] = true;
	world->undo_hangs = "03:00.0/driver_override";
	EXPECT_INT(apply_plan(&together, &snapshot, NULL, root_fd, HANG_MS, HANG_MS, &outcome), 0);
	EXPECT_DEVICE(0, DEVICE_UNDONE, "native", "(null)");
	EXPECT_DEVICE(1, DEVICE_UNDONE, "native", "(null)");
	EXPECT_DEVICE(2, DEVICE_HUNG, "native", "vfio-pci");
	test_end();
}

static void test_patience(void)
{
	begin("what is slow, but goes on, is no hang", 3);
	world->fault_path = "vfio-pci/bind";
	world->fault = SLOW;
	apply(2 * HANG_MS);
	for (size_t i = 0; i < N_DEVICES; i++)
		EXPECT_DEVICE(i, DEVICE_BOUND, "vfio-pci", "vfio-pci");
	test_end();

	begin("no second child after one that hangs: it is told once", 3);
	world->fault_path = "vfio-pci/bind";
	world->fault_text = PCI_ADDR(address(0));
	world->fault = HANG;
	world->forks = 2;
	apply(HANG_MS);
	EXPECT(outcome.findings.n < 8);
	EXPECT_DEVICE(0, DEVICE_HUNG, "", "vfio-pci");
	EXPECT_INT(outcome.devices[2], DEVICE_LEFT);
	test_end();

	begin("an undo that hangs after a hang is told", 3);
	devices[2].group = devices[0].group;
	targets[0].isolation = ISOLATION_STRICT;
	world->fault_path = "vfio-pci/bind";
	world->fault_text = PCI_ADDR(address(2));
	world->fault = HANG;
	world->undo_hangs = "01:00.0/driver_override";
	apply(HANG_MS);
	EXPECT_DEVICE(0, DEVICE_HUNG, "vfio-pci", "vfio-pci");
	EXPECT_DEVICE(1, DEVICE_UNDONE, "native", "(null)");
	EXPECT(has_finding_at("hung", 0));
	test_end();
	targets[0].isolation = ISOLATION_UNSET;
}

static void test_crashes(void)
{
	begin("a child that dies in a bind: its target is undone, the other bound", 3);
	world->fault_path = "vfio-pci/bind";
	world->fault_text = PCI_ADDR(address(1));
	world->fault = CRASH;
	world->fault_times = 1;
	apply(5000);
	EXPECT_DEVICE(0, DEVICE_UNDONE, "native", "(null)");
	EXPECT_DEVICE(1, DEVICE_UNDONE, "native", "(null)");
	EXPECT_DEVICE(2, DEVICE_BOUND, "vfio-pci", "vfio-pci");
	EXPECT_INT(outcome.targets[0], TARGET_FAILED);
	test_end();

	begin("a child that dies while it loads type1: what is bound stays", 0);
	world->fault_path = "load";
	world->fault_text = "vfio_iommu_type1";
	world->fault = CRASH;
	apply(5000);
	for (size_t i = 0; i < N_DEVICES; i++)
		EXPECT_DEVICE(i, DEVICE_BOUND, "vfio-pci", "vfio-pci");
	test_end();
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void make_root(void)
{
	char path[PATH_MAX];

	snprintf(root, sizeof(root), "%s/vfio-early-apply.XXXXXX", getenv("TMPDIR") ?: "/tmp");
	if (!mkdtemp(root) || (root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		abort();
	mkdirat(root_fd, "bus", 0755);
	mkdirat(root_fd, "bus/pci", 0755);
	mkdirat(root_fd, "bus/pci/devices", 0755);
	for (size_t i = 0; i < N_DEVICES; i++) {
		snprintf(path, sizeof(path), "bus/pci/devices/%s", PCI_ADDR(address(i)));
		mkdirat(root_fd, path, 0755);
	}
	mkdirat(root_fd, "bus/pci/drivers", 0755);
	mkdirat(root_fd, "bus/pci/drivers/vfio-pci", 0755);
	mkdirat(root_fd, "bus/pci/drivers/mlx5_vfio_pci", 0755);
	put("bus/pci/drivers/vfio-pci/bind", "");
	put("bus/pci/drivers/mlx5_vfio_pci/bind", "");
}

int main(void)
{
	world = mmap(
		NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	make_root();
	test_good();
	test_variant();
	test_errors();
	test_held_by_ours();
	test_shared_group();
	test_hangs();
	test_cascade();
	test_patience();
	test_crashes();
	outcome_free(&outcome);
	nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return test_summary();
}
