/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/stat.h>

#include "bind.h"
#include "check.h"
#include "host.h"
#include "import.h"
#include "images.h"
#include "list.h"
#include "suggest.h"
#include "sysfs.h"

enum action {
	ACTION_NONE,
	ACTION_BIND,
	ACTION_CHECK,
	ACTION_LIST,
	ACTION_SUGGEST,
	ACTION_IMPORT,
	ACTION_CHECK_CONFIG,
	ACTION_MODULES,
	ACTION_IMAGE_MARK
};

struct arguments {
	enum action action;
	bool dry_run;
	char **words; /* those that are no options; room for all of argv */
	size_t n_words;
};

/* One line of --help each, in this order. */
static const struct {
	const char *name;
	const char *argument;
	int value;
	const char *help;
} options[] = {
	{ "list", "[ADDRESS]", 'l', "list IOMMU groups and their devices, or this device's" },
	{ "suggest", "ADDRESS...", 'g', "print a section of the configuration for these" },
	{ "import", NULL, 'i', "print what other ways of binding do, as configuration" },
	{ "check", NULL, 't', "tell what is wrong here, now and with the next boot" },
	{ "dry-run", NULL, 'n', "tell what the next boot binds, and why not the rest" },
	{ "check-config", "[FILE]", 's', "check the configuration's syntax; needs no /sys" },
	{ "bind", NULL, 'b', "bind the devices (in an initramfs; the hooks run this)" },
	{ "modules", "[RELEASE]", 'm', "list the modules that an image needs (for hooks)" },
	{ "image-mark", NULL, 'M', "print the name that marks an image (for hooks)" },
	{ "config", "FILE", 'c', "read this configuration, not the one in /etc" },
	{ "cmdline", "STRING", 'k', "take this for the kernel command line" },
	{ "no-image", NULL, 'I', "with --check: do not look into the initramfs images" },
	{ "json", NULL, 'j', "print JSON" },
	{ "verbose", NULL, 'v', "print notes as well" },
	{ "help", NULL, 'h', "print this help (-h)" },
	{ "version", NULL, 'V', "print the version (-V)" },
};

static void print_help(FILE *out)
{
	fprintf(out,
		"usage: vfio-early ACTION [OPTION]...\n"
		"Binds PCI devices to vfio-pci before any other driver can have them.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		char left[40];

		snprintf(left, sizeof(left), "%s%s%s", options[i].name,
			options[i].argument ? " " : "", options[i].argument ?: "");
		fprintf(out, "  --%-18s %s\n", left, options[i].help);
	}
	fprintf(out,
		"\nExit status: 0 ok; 1 a warning; 2 refused, in error or broken; 3 wrong usage.\n"
		"See vfio-early(8), vfio-early.conf(5). To boot without it: rd.vfio-early=0\n");
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
		return usage_error(
			"--list, --suggest, --import, --check, --check-config, --modules, --image-mark and --bind exclude each other");
	a->action = action;
	return -1;
}

/* Takes one option. A negative value: go on; else the exit status. */
static int take_option(struct arguments *a, struct session *s, int value)
{
	switch (value) {
	case 'b':
		return set_action(a, ACTION_BIND);
	case 't':
		return set_action(a, ACTION_CHECK);
	case 'l':
		return set_action(a, ACTION_LIST);
	case 'g':
		return set_action(a, ACTION_SUGGEST);
	case 'i':
		return set_action(a, ACTION_IMPORT);
	case 's':
		return set_action(a, ACTION_CHECK_CONFIG);
	case 'm':
		return set_action(a, ACTION_MODULES);
	case 'M':
		return set_action(a, ACTION_IMAGE_MARK);
	case 'n':
		a->dry_run = true;
		return -1;
	case 'I':
		s->no_image = true;
		return -1;
	case 'c':
		s->config_file = optarg;
		return -1;
	case 'k':
		s->cmdline = optarg;
		return -1;
	case 'j':
		s->json = true;
		return -1;
	case 'v':
		s->verbose = true;
		return -1;
	case 'h':
		print_help(stdout);
		return STATUS_OK;
	case 'V':
		printf("vfio-early " VERSION "\n");
		return STATUS_OK;
	case 1: /* no option */
		a->words[a->n_words++] = optarg;
		return -1;
	default:
		fputs("Try: vfio-early --help\n", stderr);
		return STATUS_USAGE;
	}
}

/* getopt_long() takes abbreviations: "--check" would mean --check-config today, and something else
 * once there is a --check. */
static bool is_abbreviated(const char *word, const char *name)
{
	const char *typed = skip_prefix(word, "--");

	return typed && strcspn(typed, "=") != strlen(name);
}

static int read_options(int argc, char **argv, struct arguments *a, struct session *s)
{
	struct option longs[ARRAY_SIZE(options) + 1] = { 0 };
	int value, index, r;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const char *argument = options[i].argument;
		/* "[FILE]" and "ADDRESS..." stand among the words, wherever on the line. */
		bool required = argument && argument[0] != '[' && !strstr(argument, "...");

		longs[i] = (struct option){ .name = options[i].name,
			.has_arg = required ? required_argument : no_argument,
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
		r = take_option(a, s, value);
		if (r >= 0)
			return r;
	}
	while (optind < argc)
		a->words[a->n_words++] = argv[optind++];
	return -1;
}

/* How many words that are no options each action takes. */
static int check_words(const struct arguments *a, const struct session *s)
{
	bool one = a->action == ACTION_LIST || a->action == ACTION_MODULES ||
		(a->action == ACTION_CHECK_CONFIG && !s->config_file);

	if ((a->action == ACTION_SUGGEST || a->action == ACTION_IMPORT) && s->json)
		return usage_error("--%s prints a configuration, which is no JSON",
			a->action == ACTION_IMPORT ? "import" : "suggest");
	if (a->action == ACTION_SUGGEST && a->n_words == 0)
		return usage_error("expected the address of a device behind --suggest");
	if (a->action != ACTION_SUGGEST && a->n_words > one)
		return usage_error("unexpected argument '%s'", a->words[one]);
	return -1;
}

/* -1: go on; else the exit status. */
static int parse_arguments(int argc, char **argv, struct arguments *a, struct session *s)
{
	int r;

	/* The kernel may start a program without even its name. */
	if (argc < 1) {
		print_help(stdout);
		return STATUS_OK;
	}
	argv[0] = (char *)"vfio-early"; /* what getopt's messages start with */
	a->words = calloc((size_t)argc, sizeof(*a->words));
	if (!a->words)
		return usage_error("memory is short");
	r = read_options(argc, argv, a, s);
	if (r >= 0)
		return r;
	if (a->dry_run && a->action != ACTION_NONE && a->action != ACTION_BIND)
		return usage_error("--dry-run goes with --bind only");
	if (a->dry_run)
		a->action = ACTION_BIND;
	if (s->no_image && a->action != ACTION_CHECK)
		return usage_error("--no-image goes with --check only");
	if (a->action == ACTION_NONE && argc == 1) {
		print_help(stdout);
		return STATUS_OK;
	}
	if (a->n_words && a->action == ACTION_NONE)
		return usage_error("unexpected argument '%s'", a->words[0]);
	if (a->action == ACTION_NONE)
		return usage_error(
			"expected --list, --suggest, --import, --check, --dry-run, --check-config, --modules or --bind");
	return check_words(a, s);
}

/* What the session could not read. */
static int give_up(const struct session *s, int error)
{
	fprintf(stderr, "vfio-early: %s: %s\n", s->failed, read_error(error));
	return STATUS_USAGE;
}

static int check_config(struct session *s)
{
	struct report report = { .command = "check-config", .config = &s->config };
	int r = session_read_config(s);

	if (r < 0)
		return give_up(s, r);
	if (s->json || s->config.errors.n) {
		session_print(s, &report);
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
static int list_modules(struct session *s, const char *release)
{
	int r;

	printf(VFIO_MODULE "\nvfio_iommu_type1\n");
	r = session_read_config(s);
	if (r < 0)
		return give_up(s, r);
	if (s->config.errors.n)
		fprintf(stderr,
			"vfio-early: the configuration is in error, see --check-config; no variant driver is looked for\n");
	if (s->config.errors.n || s->config.n_targets == 0)
		return s->config.errors.n ? STATUS_ERROR : STATUS_OK;
	r = session_find_variants(s, release);
	if (r < 0)
		return give_up(s, r);
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

/* For the hooks, too. */
static int print_image_mark(struct session *s)
{
	_cleanup_free_ char *mark = NULL;
	int r = session_read_config(s);

	if (r < 0)
		return give_up(s, r);
	mark = image_mark(s->config.digest);
	if (!mark)
		return usage_error("memory is short");
	puts(mark);
	return STATUS_OK;
}

/* The address that the user typed; a negative value: it is in @ret; else the exit status. */
static int take_address(const struct session *s, const char *word, const struct pci_device **ret)
{
	struct pci_addr addr;

	if (pci_addr_parse(word, &addr, NULL) < 0)
		return usage_error("expected a PCI address such as 0000:01:00.0, not '%s'", word);
	*ret = snapshot_find(&s->snapshot, addr);
	if (*ret)
		return -1;
	fprintf(stderr, "vfio-early: %s: there is no such device; see: vfio-early --list\n",
		PCI_ADDR(addr));
	return STATUS_USAGE;
}

static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	/* https://no-color.org */
	return !(no && *no) && term && !streq(term, "dumb");
}

static int list_groups(struct session *s, const char *word)
{
	struct list list = { .snapshot = &s->snapshot,
		.uses = &s->uses,
		.words = &s->words,
		.findings = &s->findings };
	bool terminal = isatty(STDOUT_FILENO);
	int r, status;

	r = session_read_words(s);
	if (r == 0)
		r = session_read_devices(s);
	if (r == 0)
		r = session_read_live(s);
	if (r < 0)
		return give_up(s, r);
	if (word) {
		status = take_address(s, word, &list.only);
		if (status >= 0)
			return status;
	}
	r = list_judge(&list, &s->findings);
	if (r < 0)
		return give_up(s, r);
	if (s->json)
		list_json(&list, stdout);
	else
		list_text(&list, stdout, terminal, terminal && wants_colour());
	return findings_status(&s->findings);
}

/* Everything at once: the machine, the configuration, the plan for the next boot, and this one. */
static int check(struct session *s)
{
	_cleanup_(record_free) struct record record = { 0 };
	struct check check = { .session = s };
	struct report report = { .command = "check", .config = &s->config, .live = &s->findings };
	int r = session_check(s, &report);

	if (r < 0)
		return give_up(s, r);
	platform_read(s->sysfd, &check.platform);
	check.planned = report.plan;
	check.record_error = record_read(RECORD_FILE, &record);
	if (check.record_error == 0)
		report.record = check.record = &record;
	r = check_machine(&check, &s->findings);
	if (r < 0)
		return give_up(s, r);
	if (s->json)
		report_json(&report, stdout);
	else
		check_text(&check, &report, stdout);
	return report_status(&report);
}

/* Everything that the plan for the next boot needs, and what the host uses. */
static int read_for_suggestion(struct session *s)
{
	int r = session_read_words(s);

	if (r == 0)
		r = session_read_machine(s, !in_initramfs(), true);
	return r < 0 ? r : session_read_live(s);
}

/* Takes the text. All of it is for the file that it is appended to; who sees that alone is told
 * here. */
static int print_suggestion(char *text, int status)
{
	fputs(text, stdout);
	free(text);
	if (status != STATUS_OK && !isatty(STDOUT_FILENO))
		fprintf(stderr, "vfio-early: %s: read the comments in what was printed\n",
			status == STATUS_ERROR ? "this is not ready" : "there is a warning");
	return status;
}

static int suggest(struct session *s, char **words, size_t n)
{
	_cleanup_free_ size_t *devices = calloc(n, sizeof(*devices));
	const struct suggest in = { .snapshot = &s->snapshot,
		.module = &s->facts,
		.words = &s->words,
		.config = &s->config,
		.uses = &s->uses,
		.file = s->config_file,
		.rebuild = host_rebuild(),
		.root = geteuid() == 0 };
	const struct pci_device *d;
	char *text;
	int r, status;

	s->failed = "the suggestion could not be made";
	r = devices ? session_read_config(s) : -ENOMEM;
	if (r == 0 && s->config.errors.n) {
		r = suggest_config_errors(&s->config.errors, &text);
		return r < 0 ? give_up(s, r) : print_suggestion(text, STATUS_ERROR);
	}
	if (r == 0)
		r = read_for_suggestion(s);
	for (size_t i = 0; i < n && r == 0; i++) {
		status = take_address(s, words[i], &d);
		if (status >= 0)
			return status;
		devices[i] = (size_t)(d - s->snapshot.devices);
	}
	if (r == 0)
		r = suggest_make(&in, devices, n, &text, &status);
	return r < 0 ? give_up(s, r) : print_suggestion(text, status);
}

static int import(struct session *s)
{
	struct report report = { .command = "import" };
	char *text;
	int status, r = session_check(s, &report);

	if (r == 0) {
		s->failed = "the other ways of binding could not be imported";
		r = import_make(s, &text, &status);
	}
	return r < 0 ? give_up(s, r) : print_suggestion(text, status);
}

static int dry_run(struct session *s)
{
	struct report report = { .command = "dry-run", .config = &s->config };
	int r = session_decide(s, !in_initramfs(), &report);

	if (r < 0)
		return give_up(s, r);
	session_print(s, &report);
	return report_status(&report);
}

/* What we open must not become standard output or error because init closed them. */
static void reserve_standard_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		/* Without it, something that cannot be written. */
		if (fd < 0)
			fd = open("/", O_PATH | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	closep(&fd);
}

/* What whoever started us left behind. */
static void settle_process(void)
{
	reserve_standard_fds();
	umask(022);
	unsetenv("KMOD_LOG");     /* what libkmod says is not for people */
	signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like any other */
	signal(SIGCHLD, SIG_DFL); /* ignored, it lets nobody wait for a child */
}

static int run(struct arguments *a, struct session *s)
{
	switch (a->action) {
	case ACTION_CHECK_CONFIG:
		if (a->n_words)
			s->config_file = a->words[0];
		return check_config(s);
	case ACTION_CHECK:
		return check(s);
	case ACTION_LIST:
		return list_groups(s, a->n_words ? a->words[0] : NULL);
	case ACTION_IMPORT:
		return import(s);
	case ACTION_SUGGEST:
		return suggest(s, a->words, a->n_words);
	case ACTION_IMAGE_MARK:
		return print_image_mark(s);
	case ACTION_MODULES:
		return list_modules(s, a->n_words ? a->words[0] : NULL);
	default:
		return a->dry_run ? dry_run(s) : bind_bounded(s);
	}
}

int main(int argc, char **argv)
{
	_cleanup_(session_free) struct session session = SESSION_INIT;
	struct arguments arguments = { 0 };
	int status;

	settle_process();
	status = parse_arguments(argc, argv, &arguments, &session);
	if (status < 0)
		status = run(&arguments, &session);
	free(arguments.words);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "vfio-early: standard output: %s\n", strerror(errno));
		return STATUS_USAGE;
	}
	return status;
}
