/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <getopt.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <time.h>

#include "log.h"
#include "report.h"
#include "scan.h"

/* How long reading may take before binding is not begun any more, and all of it before the boot
 * goes on without: reading, APPLY_TIMEOUT_MS, UNDO_TIMEOUT_MS, and a second to tell. */
#define READ_TIMEOUT_S 4
#define BIND_TIMEOUT_S 15

enum status { STATUS_OK = 0, STATUS_ERROR = 2, STATUS_USAGE = 3 };

enum action { ACTION_NONE, ACTION_BIND, ACTION_CHECK_CONFIG, ACTION_MODULES };

struct arguments {
	enum action action;
	bool dry_run;
	bool json;
	bool verbose;
	const char *config;
	const char *cmdline;
	const char *release;
};

/* One line of --help each, in this order. */
static const struct {
	const char *name;
	const char *argument;
	int value;
	const char *help;
} options[] = {
	{ "bind", NULL, 'b', "bind the configured devices (in an initramfs: the hooks run this)" },
	{ "dry-run", NULL, 'n', "say what --bind would do, and why not the rest; change nothing" },
	{ "check-config", "[FILE]", 's', "check the configuration's syntax; needs no /sys" },
	{ "modules", "[RELEASE]", 'm', "list the modules that an image for this machine needs" },
	{ "config", "FILE", 'c', "read this file alone, not " CONFIG_FILE " and " CONFIG_DROPINS },
	{ "cmdline", "STRING", 'k', "take this for the kernel command line" },
	{ "json", NULL, 'j', "print JSON" },
	{ "verbose", NULL, 'v', "print notes as well" },
	{ "help", NULL, 'h', "print this help (-h)" },
	{ "version", NULL, 'V', "print the version (-V)" },
};

static void print_help(FILE *out)
{
	fprintf(out,
		"usage: vfio-early --bind | --dry-run | --check-config [FILE] | --modules [RELEASE]\n"
		"                  [OPTION]...\n\n"
		"Binds PCI devices to vfio-pci before any other driver can have them.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		char left[40];

		snprintf(left, sizeof(left), "%s%s%s", options[i].name,
			options[i].argument ? " " : "", options[i].argument ?: "");
		fprintf(out, "  --%-21s %s\n", left, options[i].help);
	}
	fprintf(out,
		"\nExit status: 0 ok; 1 a warning; 2 a target refused, the configuration in error, or\n"
		"something broken; 3 wrong usage, or could not find out.\n"
		"See vfio-early(8) and vfio-early.conf(5). To boot without it: rd.vfio-early=0\n");
}

static _printf_(1, 2) int usage_error(const char *fmt, ...)
{
	va_list ap;

	fputs("vfio-early: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\nTry: vfio-early --help\n", stderr);
	return STATUS_USAGE;
}

static int set_action(struct arguments *a, enum action action)
{
	if (a->action != ACTION_NONE && a->action != action)
		return usage_error("--bind, --check-config and --modules exclude each other");
	a->action = action;
	return 0;
}

/* Takes one option. A negative value: go on; else the exit status. */
static int take_option(struct arguments *a, int value)
{
	int r = 0;

	switch (value) {
	case 'b':
		r = set_action(a, ACTION_BIND);
		break;
	case 's':
		r = set_action(a, ACTION_CHECK_CONFIG);
		break;
	case 'm':
		r = set_action(a, ACTION_MODULES);
		break;
	case 'n':
		a->dry_run = true;
		break;
	case 'c':
		a->config = optarg;
		break;
	case 'k':
		a->cmdline = optarg;
		break;
	case 'j':
		a->json = true;
		break;
	case 'v':
		a->verbose = true;
		break;
	case 'h':
		print_help(stdout);
		return STATUS_OK;
	case 'V':
		printf("vfio-early " VERSION "\n");
		return STATUS_OK;
	case 1: /* no option */
		if (a->action == ACTION_CHECK_CONFIG && !a->config)
			a->config = optarg;
		else if (a->action == ACTION_MODULES && !a->release)
			a->release = optarg;
		else
			return usage_error("unexpected argument '%s'", optarg);
		break;
	default:
		fputs("Try: vfio-early --help\n", stderr);
		return STATUS_USAGE;
	}
	return r ?: -1;
}

/* getopt_long() takes abbreviations: "--check" would mean --check-config today, and something else
 * once there is a --check. */
static bool is_abbreviated(const char *word, const char *name)
{
	const char *typed = skip_prefix(word, "--");

	return typed && strcspn(typed, "=") != strlen(name);
}

static int read_options(int argc, char **argv, struct arguments *a)
{
	struct option longs[ARRAY_SIZE(options) + 1] = { 0 };
	int value, index, r;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const char *argument = options[i].argument;

		longs[i] = (struct option){ .name = options[i].name,
			.has_arg = argument && argument[0] != '[' ? required_argument : no_argument,
			.val = options[i].value };
	}
	for (;;) {
		const char *word = argv[optind];

		index = -1;
		/* "-": in the order in which they stand, so that @word is the one. */
		value = getopt_long(argc, argv, "-hV", longs, &index);
		if (value == -1)
			break;
		if (value != '?' && index >= 0 && is_abbreviated(word, options[index].name))
			return usage_error("unknown option '%s': did you mean --%s?", word,
				options[index].name);
		r = take_option(a, value);
		if (r >= 0)
			return r;
	}
	return optind < argc ? usage_error("unexpected argument '%s'", argv[optind]) : -1;
}

/* -1: go on; else the exit status. */
static int parse_arguments(int argc, char **argv, struct arguments *a)
{
	int r;

	/* The kernel may start a program without even its name. */
	if (argc < 1) {
		print_help(stdout);
		return STATUS_OK;
	}
	argv[0] = (char *)"vfio-early"; /* what getopt's messages start with */
	r = read_options(argc, argv, a);
	if (r >= 0)
		return r;
	if (a->dry_run && a->action != ACTION_NONE && a->action != ACTION_BIND)
		return usage_error("--dry-run goes with --bind only");
	if (a->dry_run)
		a->action = ACTION_BIND;
	if (a->action == ACTION_NONE) {
		if (argc > 1)
			return usage_error(
				"expected --bind, --dry-run, --check-config or --modules");
		print_help(stdout);
		return STATUS_OK;
	}
	return -1;
}

/* An initramfs is unpacked into a ramfs or tmpfs (Documentation/filesystems/
 * ramfs-rootfs-initramfs.rst); there is no file that all generators put there. */
static bool in_initramfs(void)
{
	struct statfs fs;

	if (statfs("/", &fs) < 0)
		return false;
	return fs.f_type == RAMFS_MAGIC || fs.f_type == TMPFS_MAGIC;
}

/* The kernel's words, with what else tells a kdump kernel. */
static int read_bootwords(const struct arguments *a, struct bootwords *ret)
{
	_cleanup_free_ char *line = NULL;
	_cleanup_fclose_ FILE *f = NULL;
	size_t size = 0;
	int r;

	if (a->cmdline) {
		r = bootwords_parse(a->cmdline, ret);
	} else {
		ssize_t n;

		f = fopen("/proc/cmdline", "re");
		if (!f)
			return -errno;
		/* All of it: to the kernel a newline is white space like any other, and a unified
		 * image can have one in its command line. An empty one is no error. */
		n = getdelim(&line, &size, '\0', f);
		if (n < 0 && ferror(f))
			return -EIO;
		r = bootwords_parse(n < 0 ? "" : line, ret);
	}
	if (r == 0 && !ret->bypass && !a->cmdline && access("/proc/vmcore", F_OK) == 0) {
		ret->bypass = strdup("/proc/vmcore");
		r = ret->bypass ? 0 : -ENOMEM;
	}
	return r;
}

static bool wanted(const struct pci_device *d, const void *config)
{
	return plan_wants(config, d);
}

enum stage { STAGE_READING, STAGE_BINDING, STAGE_TELLING };

/* Everything that was read of one machine, and what was decided; main() frees it. */
struct session {
	struct config config;
	struct bootwords words;
	struct snapshot snapshot;
	struct module_facts facts;
	struct modules *modules;
	struct plan plan;
	struct outcome outcome;
	int sysfd;
	enum stage *stage; /* shared with the process that waits */
};

static void session_free(struct session *s)
{
	outcome_free(&s->outcome);
	plan_free(&s->plan);
	module_facts_free(&s->facts);
	modules_close(s->modules);
	snapshot_free(&s->snapshot);
	bootwords_free(&s->words);
	config_free(&s->config);
	closep(&s->sysfd);
}

/* The machine as it is, or on a live system as it was at the hook. */
static int read_machine(struct session *s, bool live)
{
	const struct scan_options o = { .live = live, .wanted = wanted, .arg = &s->config };
	int r;

	s->sysfd = open("/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->sysfd < 0)
		return -errno;
	r = scan_machine(s->sysfd, &o, &s->snapshot);
	if (r < 0)
		return r;
	r = modules_open(NULL, &s->modules);
	if (r == 0)
		r = modules_query(s->modules, s->sysfd, &s->facts);
	if (r == 0)
		r = modules_find_variants(s->modules, s->sysfd, &s->snapshot, wanted, &s->config);
	if (r == 0 && live)
		snapshot_project(&s->snapshot, &s->facts);
	return r;
}

static void print_report(const struct report *r, const struct arguments *a)
{
	if (a->json)
		report_json(r, stdout);
	else
		report_text(r, stdout, a->verbose);
}

/* Tells what was done, where a boot is read afterwards. */
static int tell_boot(const struct report *report, const struct arguments *a, bool verbose)
{
	int status = report_status(report), r;

	log_to_kmsg();
	report_log(report);
	r = report_record(report, RECORD_DIR);
	if (r < 0) {
		log_line(LOG_WARNING, "the boot record " RECORD_FILE " could not be written: %s",
			strerror(-r));
		status = status ?: 1;
	}
	if (verbose || a->json)
		print_report(report, a);
	return status;
}

/* What could not be found out or finished, for the record and the kernel log; nothing here blocks.
 */
static void tell_error(const struct arguments *a, struct session *s, const char *what,
	const char *why, const char *then)
{
	struct report report = { .command = "bind", .config = &s->config, .gave_up = true };

	(void)!finding_add(&s->config.errors, SEVERITY_ERROR, "gave-up", NULL, NULL, "%s: %s; %s",
		what, why, then);
	report.started = seconds_since_boot();
	(void)tell_boot(&report, a, false);
}

/* Nothing could be decided: nothing is bound, and the boot goes on. */
static int give_up(const struct arguments *a, struct session *s, const char *what, int error)
{
	const char *why = error == -ETIME ? "it took too long" : strerror(-error);

	if (a->dry_run || a->action != ACTION_BIND)
		fprintf(stderr, "vfio-early: %s: %s\n", what, why);
	else
		tell_error(a, s, what, why, "nothing is bound");
	return STATUS_USAGE;
}

static int check_config(const struct arguments *a, struct session *s)
{
	struct report report = { .command = "check-config", .config = &s->config };
	int r;

	r = config_load("", a->config, &s->config);
	if (r < 0)
		return give_up(a, s, "the configuration could not be read", r);
	if (a->json || s->config.errors.n) {
		print_report(&report, a);
	} else if (s->config.n_files == 0) {
		printf("no configuration: neither " CONFIG_FILE " nor " CONFIG_DROPINS "/*.conf\n");
	} else {
		size_t n = s->config.n_targets;

		printf("the configuration is well-formed: %zu target%s\n", n, n == 1 ? "" : "s");
	}
	return report_status(&report);
}

/* For the hooks, which put them into the image: what every machine needs, and the variant drivers
 * that the configured devices of this one may have. */
static int list_modules(const struct arguments *a, struct session *s)
{
	const struct scan_options o = { .wanted = wanted, .arg = &s->config };
	int r;

	printf(VFIO_MODULE "\nvfio_iommu_type1\n");
	r = config_load("", a->config, &s->config);
	if (r < 0)
		return give_up(a, s, "the configuration could not be read", r);
	if (s->config.errors.n)
		fprintf(stderr,
			"vfio-early: the configuration is in error, see --check-config; no variant driver is looked for\n");
	if (s->config.errors.n || s->config.n_targets == 0)
		return s->config.errors.n ? STATUS_ERROR : STATUS_OK;
	s->sysfd = open("/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = s->sysfd < 0 ? -errno : scan_machine(s->sysfd, &o, &s->snapshot);
	if (r == 0)
		r = modules_open(a->release, &s->modules);
	if (r == 0)
		r = modules_find_variants(s->modules, s->sysfd, &s->snapshot, wanted, &s->config);
	if (r < 0)
		return give_up(a, s, "the machine's devices in /sys could not be read", r);
	for (size_t i = 0; i < s->snapshot.n_devices; i++) {
		const struct pci_device *d = &s->snapshot.devices[i];
		bool again = !d->variant;

		for (size_t j = 0; j < i && !again; j++)
			again = s->snapshot.devices[j].variant &&
				streq(s->snapshot.devices[j].variant, d->variant);
		if (!again)
			puts(d->variant);
	}
	return STATUS_OK;
}

/* Reads everything, then decides: what --bind and --dry-run have in common. A negative value: go
 * on; else the exit status. */
static int decide(const struct arguments *a, struct session *s, bool live, struct report *report)
{
	int r;

	r = config_load("", a->config, &s->config);
	if (r < 0)
		return give_up(a, s, "the configuration could not be read", r);
	r = read_bootwords(a, &s->words);
	if (r < 0)
		return give_up(a, s,
			"the kernel command line, which may forbid binding, could not be read", r);
	report->words = &s->words;
	if (s->config.errors.n)
		return -1;
	if (s->config.n_targets && !s->words.bypass) {
		r = read_machine(s, live);
		if (r < 0)
			return give_up(a, s, "the machine's devices in /sys could not be read", r);
	}
	r = plan_make(&s->config, &s->words, &s->snapshot, &s->facts, &s->plan);
	if (r < 0)
		return give_up(a, s, "the plan could not be made", r);
	report->plan = &s->plan;
	report->snapshot = &s->snapshot;
	return -1;
}

static int dry_run(const struct arguments *a, struct session *s)
{
	struct report report = { .command = "dry-run", .config = &s->config };
	int status;

	status = decide(a, s, !in_initramfs(), &report);
	if (status >= 0)
		return status;
	print_report(&report, a);
	return report_status(&report);
}

/* Reads everything, decides, acts, tells: in this order. */
static int bind_devices(const struct arguments *a, struct session *s)
{
	struct report report = { .command = "bind", .config = &s->config };
	int status, r;

	report.started = seconds_since_boot();
	status = decide(a, s, false, &report);
	if (status >= 0)
		return status;
	/* What follows takes its own time, and the boot waits for both. */
	if (seconds_since_boot() - report.started > READ_TIMEOUT_S)
		return give_up(a, s, "the machine's devices in /sys could not be read", -ETIME);
	*s->stage = STAGE_BINDING;
	if (report.plan) {
		r = apply_plan(&s->plan, &s->snapshot, s->modules, s->sysfd, APPLY_TIMEOUT_MS,
			UNDO_TIMEOUT_MS, &s->outcome);
		if (r < 0)
			return give_up(a, s, "the plan could not be begun", r);
		report.outcome = &s->outcome;
	}
	*s->stage = STAGE_TELLING;
	return tell_boot(&report, a, a->verbose || s->words.verbose);
}

/* The child is gone or hangs: says how far it came. */
static int say_lost(const struct arguments *a, struct session *s, int error)
{
	static const char *const stages[] = {
		[STAGE_READING] = "reading the machine's devices in /sys",
		[STAGE_BINDING] = "binding",
		[STAGE_TELLING] = "telling what was done",
	};
	const char *why = error == -ETIME ? "it took too long" : "it ended by itself";
	const char *then = *s->stage == STAGE_READING
		? "nothing is bound"
		: "what is bound: grep . /sys/bus/pci/devices/*/driver_override";

	/* Without the kernel log the console is left, and it may be what hangs. */
	if (access("/dev/kmsg", W_OK) < 0)
		return STATUS_USAGE;
	/* A record that is there is whole, and says more. */
	if (access(RECORD_FILE, F_OK) < 0)
		tell_error(a, s, stages[*s->stage], why, then);
	return STATUS_USAGE;
}

/* Waits for the child, but not for ever. 0 and its exit status, or negative errno. */
static int wait_bounded(pid_t pid, double deadline, int *ret_status)
{
	sigset_t chld;
	int status;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	while (waitpid(pid, &status, WNOHANG) != pid) {
		struct timespec tick = { .tv_sec = 1 };

		if (seconds_since_boot() > deadline) {
			kill(pid, SIGKILL);
			return -ETIME;
		}
		sigtimedwait(&chld, NULL, &tick);
	}
	*ret_status = WEXITSTATUS(status);
	return WIFEXITED(status) ? 0 : -EFAULT;
}

/* A child does it all: reading may block, too (an attribute on a driver's lock, the console on flow
 * control), and the boot waits for this process alone. */
static int bind_bounded(const struct arguments *a, struct session *s)
{
	double deadline = seconds_since_boot() + BIND_TIMEOUT_S;
	sigset_t chld, before;
	int status, r;
	pid_t pid;

	if (!in_initramfs()) {
		fprintf(stderr,
			"vfio-early: --bind works in an initramfs only, where no driver has the devices yet; here, try: vfio-early --dry-run\n");
		return STATUS_USAGE;
	}
	s->stage = mmap(
		NULL, sizeof(*s->stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->stage == MAP_FAILED)
		return give_up(a, s, "memory is short", -errno);
	unlink(RECORD_FILE);      /* of an earlier run */
	signal(SIGCHLD, SIG_DFL); /* ignored, it would let a killed child's number be given away */
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &before);
	pid = fork();
	if (pid < 0)
		return give_up(a, s, "a child process could not be started", -errno);
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		status = bind_devices(a, s);
		fflush(stdout);
		_exit(status);
	}
	r = wait_bounded(pid, deadline, &status);
	return r < 0 ? say_lost(a, s, r) : status;
}

/* What we open must not become standard output or error because init closed them. */
static void reserve_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	closep(&fd);
}

static int run(int argc, char **argv)
{
	_cleanup_(session_free) struct session session = { .sysfd = -1 };
	struct arguments arguments = { 0 };
	int status;

	status = parse_arguments(argc, argv, &arguments);
	if (status >= 0)
		return status;
	if (arguments.action == ACTION_CHECK_CONFIG)
		return check_config(&arguments, &session);
	if (arguments.action == ACTION_MODULES)
		return list_modules(&arguments, &session);
	return arguments.dry_run ? dry_run(&arguments, &session)
				 : bind_bounded(&arguments, &session);
}

int main(int argc, char **argv)
{
	int status;

	reserve_standard_fds();
	status = run(argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "vfio-early: standard output: %s\n", strerror(errno));
		return STATUS_USAGE;
	}
	return status;
}
