/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/statfs.h>

#include "host.h"
#include "leftovers.h"
#include "override.h"
#include "scan.h"
#include "session.h"
#include "sysfs.h"

#define CMDLINE_MAX 65536
#define CANNOT_QUERY \
	"the modules in /lib/modules, or their options in modprobe.d, could not be read"

static int failed(struct session *s, const char *what, int error)
{
	s->failed = what;
	return error;
}

/* The same with the file, or "" where that is not known. */
static int failed_at(struct session *s, const char *what, const char *file, int error)
{
	snprintf(s->failed_text, sizeof(s->failed_text), "%s%s%.400s", what, *file ? ": " : "",
		file);
	return failed(s, s->failed_text, error);
}

bool in_initramfs(void)
{
	struct statfs fs;

	if (statfs("/", &fs) < 0)
		return false;
	return fs.f_type == RAMFS_MAGIC || fs.f_type == TMPFS_MAGIC;
}

int session_read_config(struct session *s)
{
	int r = config_load("", s->config_file, &s->config);

	return r < 0 ? failed(s, "the configuration could not be read", r) : 0;
}

static int read_cmdline(struct bootwords *ret)
{
	_cleanup_free_ char *line = NULL;
	size_t len;
	int r = file_read("/proc/cmdline", CMDLINE_MAX, &line, &len);

	if (r < 0)
		return r;
	/* An empty one is a newline; nothing at all is none (fs/proc/cmdline.c), and may have
	 * forbidden binding. */
	if (len == 0)
		return -ENODATA;
	/* What stands behind a NUL may forbid binding, too. All of it, lines and all: to the kernel
	 * a newline is white space like any other, and a unified image can have one in its command
	 * line. */
	return strlen(line) < len ? -EBADMSG : bootwords_parse(line, ret);
}

/* It is there in a kdump kernel alone (fs/proc/vmcore.c). */
static int read_vmcore(struct bootwords *w)
{
	if (access("/proc/vmcore", F_OK) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	w->bypass = strdup("/proc/vmcore");
	return w->bypass ? 0 : -ENOMEM;
}

int session_read_words(struct session *s)
{
	struct bootwords *w = &s->words;
	int r = s->cmdline ? bootwords_parse(s->cmdline, w) : read_cmdline(w);

	if (r == 0 && !in_initramfs() && host_cmdline()) {
		w->how = strdup(host_cmdline());
		r = w->how ? 0 : -ENOMEM;
	}
	if (r < 0)
		return failed(s,
			"the kernel command line, which may forbid binding, could not be read", r);
	if (!w->bypass && !s->cmdline)
		r = read_vmcore(w);
	return r < 0 ? failed(s, "whether this is a kdump kernel could not be found out", r) : 0;
}

static bool wanted(const struct pci_device *d, const void *config)
{
	return plan_wants(config, d);
}

static bool told(const struct pci_device *d, const void *config)
{
	return plan_tells(config, d);
}

static bool wants_any(const struct pci_device *d, const void *arg)
{
	(void)d;
	(void)arg;
	return true;
}

static int read_devices(struct session *s, bool live, bool all)
{
	const bool all_told = all || live || plan_compares_paths(&s->config, &s->words);
	const struct scan_options o = {
		.live = live,
		.wanted = all ? NULL : wanted,
		.told = all_told ? NULL : told,
		.arg = &s->config,
	};
	char where[DEVICE_ATTRIBUTE_LEN] = "", path[sizeof(where) + sizeof("/sys/")];
	int r;

	s->sysfd = open("/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = s->sysfd < 0 ? -errno : scan_machine(s->sysfd, &o, &s->snapshot, where);
	if (r == 0)
		return 0;
	snprintf(path, sizeof(path), "/sys%s%s", *where ? "/" : "", where);
	return failed_at(s, "the machine's devices in /sys could not be read", path, r);
}

int session_read_devices(struct session *s)
{
	bool live = !in_initramfs();
	int r = read_devices(s, live, true);

	if (r < 0)
		return r;
	snapshot_sort_groups(&s->snapshot);
	if (live)
		snapshot_project(&s->snapshot, NULL);
	return 0;
}

/* Why the rest is not known. */
static int say_stuck(struct session *s, const struct pci_device *d)
{
	int r = finding_add(&s->findings, SEVERITY_WARNING, "device-stuck", NULL, &d->addr,
		"%s did not answer in time: a driver hangs on it; driver_override of it and of those behind it is not known",
		PCI_ADDR(d->addr));

	return r < 0 ? r
		     : finding_cure(&s->findings,
			       "see what hangs: dmesg | grep %s; only a reboot frees such a device",
			       PCI_ADDR(d->addr));
}

int session_read_live(struct session *s)
{
	size_t stuck = 0;
	int r;

	r = uses_find(s->sysfd, &s->snapshot, &s->uses);
	if (r < 0)
		return failed(s, "what the host uses could not be found out", r);
	r = overrides_read(s->sysfd, &s->snapshot, OVERRIDES_TIMEOUT_MS, &stuck);
	if (r == -ETIME)
		r = say_stuck(s, &s->snapshot.devices[stuck]);
	return r < 0 ? failed(s, "driver_override of the devices could not be read", r) : 0;
}

/* Only for people: what other ways of binding there are, and how to be rid of "ids=". */
static int read_traces(struct session *s)
{
	_cleanup_free_ char *cmdline = NULL;
	size_t len;
	int r = s->cmdline ? 0 : file_read("/proc/cmdline", CMDLINE_MAX, &cmdline, &len);

	if (r == -ENOMEM)
		return r;
	r = traces_read(s->cmdline ?: cmdline ?: "", &s->traces);
	return r < 0 ? r : leftovers_tell_ids(&s->traces, s->words.how, &s->facts);
}

int session_read_machine(struct session *s, bool live, bool all)
{
	char file[PATH_MAX];
	int r;

	r = read_devices(s, live, all);
	if (r < 0)
		return r;
	r = modules_open(NULL, &s->modules, file);
	if (r == 0)
		r = modules_query(s->modules, s->sysfd, &s->facts);
	if (r == 0)
		r = modules_find_variants(
			s->modules, &s->snapshot, all ? wants_any : wanted, &s->config, file);
	if (r < 0)
		return failed_at(s, CANNOT_QUERY, file, r);
	if (live && (all || s->facts.dropped_ids))
		r = read_traces(s);
	if (r < 0)
		return failed(s, "what other ways of binding there are could not be found out", r);
	if (live) {
		s->facts.rebuild = host_rebuild();
		snapshot_project(&s->snapshot, &s->facts);
	}
	return 0;
}

int session_find_variants(struct session *s, const char *release)
{
	char file[PATH_MAX];
	int r = read_devices(s, false, false);

	if (r < 0)
		return r;
	r = modules_open(release, &s->modules, file);
	if (r == 0)
		r = modules_find_variants(s->modules, &s->snapshot, wanted, &s->config, file);
	return r < 0 ? failed_at(s, CANNOT_QUERY, file, r) : 0;
}

/* A configuration in error is not decided upon. */
static int make_plan(struct session *s, struct report *report)
{
	int r;

	report->snapshot = &s->snapshot;
	if (s->config.errors.n)
		return 0;
	r = plan_make(&s->config, &s->words, &s->snapshot, &s->facts, &s->plan);
	if (r < 0)
		return failed(s, "the plan could not be made", r);
	report->plan = &s->plan;
	return 0;
}

int session_decide(struct session *s, bool live, struct report *report)
{
	int r;

	r = session_read_config(s);
	if (r == 0)
		r = session_read_words(s);
	if (r < 0)
		return r;
	report->words = &s->words;
	if (s->config.n_targets && !s->words.bypass && s->config.errors.n == 0)
		r = session_read_machine(s, live, false);
	return r < 0 ? r : make_plan(s, report);
}

/* Not root, and a file is root's alone. */
static bool is_hidden(const char *path)
{
	return access(path, R_OK) < 0 && errno == EACCES;
}

/* What cannot be seen is not in error. */
static void hide_config(struct session *s)
{
	bool hidden = is_hidden(s->config_file ?: CONFIG_FILE) ||
		(!s->config_file && is_hidden(CONFIG_DROPINS));

	for (size_t i = 0; i < s->config.n_files; i++)
		hidden |= is_hidden(s->config.files[i]);
	if (!hidden)
		return;
	config_free(&s->config);
	s->config_hidden = true;
}

int session_check(struct session *s, struct report *report)
{
	int r;

	r = session_read_config(s);
	if (r == 0 && s->config.errors.n)
		hide_config(s);
	if (r == 0)
		r = session_read_words(s);
	if (r < 0)
		return r;
	/* A word that was typed once says nothing of the next boot. */
	if (!s->cmdline)
		bootwords_drop_bypass(&s->words);
	report->words = &s->words;
	r = session_read_machine(s, !in_initramfs(), true);
	if (r == 0)
		r = session_read_live(s);
	return r < 0 ? r : make_plan(s, report);
}

void session_print(const struct session *s, const struct report *report)
{
	if (s->json)
		report_json(report, stdout);
	else
		report_text(report, stdout, s->verbose);
}

void session_free(struct session *s)
{
	findings_free(&s->findings);
	traces_free(&s->traces);
	uses_free(&s->uses);
	outcome_free(&s->outcome);
	plan_free(&s->plan);
	module_facts_free(&s->facts);
	modules_close(s->modules);
	snapshot_free(&s->snapshot);
	bootwords_free(&s->words);
	config_free(&s->config);
	closep(&s->sysfd);
}
