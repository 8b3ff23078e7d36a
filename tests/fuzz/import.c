/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What other ways of binding left on a host, and the configuration that is made of it. A line
 * "=== PATH" begins a file; what stands before the first is the kernel command line. The functions
 * that look at the disk are wrapped, and see these files alone. */
#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "import.h"
#include "leftovers.h"
#include "machine.h"
#include "module.h"
#include "sysfs.h"

#define MARK "=== "

static const char listing[] =
	"IOMMU Group 1:\n"
	"0000:00:01.0 PCI bridge [0604]: Intel [8086:a70d] @pcieport\n"
	"0000:01:00.0 VGA controller [0300]: NVIDIA [10de:2684] ^0000:00:01.0 @nouveau\n"
	"0000:01:00.1 audio device [0403]: NVIDIA [10de:22ba] ^0000:00:01.0 @snd_hda_intel\n"
	"IOMMU Group 2:\n"
	"0000:00:02.0 VGA controller [0300]: Intel [8086:a780] @i915 +boot_vga\n"
	"IOMMU Group 3:\n"
	"0000:00:14.0 USB controller [0c0330]: Intel [8086:7ae0] @xhci_hcd +builtin\n"
	"0000:00:14.2 RAM memory [0500]: Intel [8086:7aa7]\n"
	"IOMMU Group 4:\n"
	"0000:00:1c.0 PCI bridge [0604]: Intel [8086:7ab8] @pcieport\n"
	"IOMMU Group 5:\n"
	"0000:02:00.0 NVMe controller [0108]: Samsung [144d:a80a] ^0000:00:1c.0 @nvme\n"
	"IOMMU Group 6:\n"
	"0000:00:1d.0 PCI bridge [0604]: Intel [8086:7ab0] @pcieport\n"
	"IOMMU Group 7:\n"
	"0000:03:00.0 NVMe controller [0108]: Samsung [144d:a80a] ^0000:00:1d.0 @vfio-pci\n"
	"IOMMU Group 8:\n"
	"0000:00:1e.0 PCI bridge [0604]: Intel [8086:7abc] @pcieport\n"
	"0000:04:00.0 Ethernet controller [0200]: Intel [8086:1521] ^0000:00:1e.0 @igb\n"
	"0000:04:00.1 Ethernet controller [0200]: Intel [8086:1521] ^0000:00:1e.0 @vfio-pci\n"
	"0000:04:10.0 Ethernet controller [0200]: Intel [8086:1520] ^0000:00:1e.0 +vf\n";

struct file {
	char *path; /* the text follows it */
	const char *text;
};

static struct file files[64];
static size_t n_files;
static char *cmdline;

/* --- the disk; what the headers say of each function is said of its stand-in --- */

static const struct file *find_file(const char *path)
{
	for (size_t i = 0; i < n_files; i++)
		if (streq(files[i].path, path))
			return &files[i];
	return NULL;
}

__typeof__(file_read) __wrap_file_read;
int __wrap_file_read(const char *path, size_t max, char **ret, size_t *ret_len)
{
	const struct file *f = find_file(path);

	if (!f)
		return -ENOENT;
	*ret_len = strlen(f->text);
	if (*ret_len > max)
		return -EFBIG;
	*ret = strdup(f->text);
	EXPECT(*ret);
	return 0;
}

/* The entry of @dir that leads to @path, or NULL. */
static char *entry_of(const char *dir, const char *path)
{
	const char *rest = skip_prefix(path, dir);

	return rest && *rest == '/' && rest[1] && rest[1] != '/'
		? strndup(rest + 1, strcspn(rest + 1, "/"))
		: NULL;
}

__typeof__(scandir) __wrap_scandir;
int __wrap_scandir(const char *dir, struct dirent ***ret, int (*filter)(const struct dirent *),
	int (*order)(const struct dirent **, const struct dirent **))
{
	struct dirent **list = NULL;
	size_t n = 0;

	EXPECT(!filter && !order);
	for (size_t i = 0; i < n_files; i++) {
		_cleanup_free_ char *name = entry_of(dir, files[i].path);
		struct dirent **place;
		bool known = !name || strlen(name) >= sizeof((*place)->d_name);

		for (size_t j = 0; j < n && !known; j++)
			known = streq(list[j]->d_name, name);
		if (known)
			continue;
		place = array_add(&list, &n, sizeof(*place));
		EXPECT(place && (*place = calloc(1, sizeof(**place))));
		strcpy((*place)->d_name, name);
	}
	if (!n) {
		errno = ENOENT;
		return -1;
	}
	*ret = list;
	return (int)n;
}

static bool exists(const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < n_files; i++)
		if (strncmp(files[i].path, path, len) == 0 && strchr("/", files[i].path[len]))
			return true;
	return false;
}

__typeof__(access) __wrap_access;
int __wrap_access(const char *path, int mode)
{
	(void)mode;
	errno = ENOENT;
	return exists(path) ? 0 : -1;
}

__typeof__(lstat) __wrap_lstat;
int __wrap_lstat(const char *path, struct stat *st)
{
	if (!exists(path)) {
		errno = ENOENT;
		return -1;
	}
	*st = (struct stat){ .st_mode = find_file(path) ? S_IFREG : S_IFDIR };
	return 0;
}

__typeof__(realpath) __wrap_realpath;
char *__wrap_realpath(const char *path, char *resolved)
{
	EXPECT(!resolved);
	errno = ENOENT;
	return find_file(path) ? strdup(path) : NULL;
}

__typeof__(modules_match) __wrap_modules_match;
int __wrap_modules_match(struct modules *m, const char *name, const struct pci_device *d)
{
	(void)m;
	return d->driver_late && same_module(d->driver_late, name);
}

__typeof__(modules_have) __wrap_modules_have;
int __wrap_modules_have(struct modules *m, const char *name)
{
	(void)m;
	return *name != 'x';
}

static void make_files(char *text)
{
	char *mark;

	n_files = 0;
	cmdline = text;
	while (n_files < ARRAY_SIZE(files) && (mark = strstr(text, MARK))) {
		char *path = mark + strlen(MARK);

		*mark = '\0';
		text = path + strcspn(path, "\n");
		if (*text)
			*text++ = '\0';
		files[n_files++] = (struct file){ path, text };
	}
}

/* --- what is read of it --- */

static void check_trace(const struct trace *t)
{
	EXPECT(is_tame(t->text) && t->last >= t->line);
	EXPECT(!t->file || find_file(t->file));
	EXPECT(t->kind != TRACE_IDS || (t->value && t->name));
	EXPECT(t->kind != TRACE_OPTION || (t->value && t->name));
	EXPECT((t->kind != TRACE_BLACKLIST && t->kind != TRACE_SOFTDEP) || t->name);
	EXPECT(t->kind != TRACE_DRIVERCTL || t->value);
	EXPECT(t->kind != TRACE_LIBVIRT || (t->name && t->addr.dev < 32 && t->addr.fn < 8));
}

/* --- what is made of it --- */

static bool binds(const struct plan *p, size_t device)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == STEP_OVERRIDE && p->steps[i].device == device)
			return true;
	return false;
}

static void check_plan(const struct session *s, const struct config *c, int status)
{
	struct plan p;

	EXPECT(plan_make(c, &(struct bootwords){ 0 }, &s->snapshot, &s->facts, &p) == 0);
	for (size_t i = 0; i < p.n_targets; i++)
		EXPECT(status == 2 || p.targets[i].verdict == VERDICT_BIND ||
			s->words.network_root);
	for (size_t i = 0; i < s->uses.n; i++)
		EXPECT(!binds(&p, s->uses.items[i].device));
	plan_free(&p);
}

/* Whether a shell that reads this command, which has other people's words in it, sees its end. */
static bool command_ends(const char *s)
{
	bool quoted = false;

	for (; *s && (quoted || !strchr(");", *s)); s++) {
		if (*s == '\'')
			quoted = !quoted;
		else if (*s == '\\' && !quoted && s[1])
			s++;
	}
	return !quoted;
}

static void check_commands(const char *text)
{
	static const char *const commands[] = { "sed -i ", "grubby --" };

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		for (const char *s = text; (s = strstr(s, commands[i])); s++) {
			_cleanup_free_ char *line = strndup(s, strcspn(s, "\n"));

			EXPECT(line && command_ends(line));
		}
}

static void check_import(const struct session *s)
{
	_cleanup_free_ char *text = NULL, *again = NULL;
	struct config c = { 0 };
	int status, status_again;

	EXPECT(import_make(s, &text, &status) == 0 && status >= 0 && status <= 2);
	EXPECT(import_make(s, &again, &status_again) == 0);
	EXPECT(streq(text, again) && status == status_again);
	for (const char *t = text; *t; t++)
		EXPECT(*t == '\n' || ((unsigned char)*t >= 0x20 && *t != 0x7f));
	EXPECT(config_parse(&c, "imported", text, strlen(text)) == 0 && config_finish(&c) == 0);
	EXPECT(c.errors.n == 0 && c.isolation == ISOLATION_STRICT);
	check_commands(text);
	check_plan(s, &c, status);
	config_free(&c);
}

/* The host has its root on the second disk, and its way out over the first port. */
static void make_uses(struct session *s)
{
	static const char *const of[] = { "0000:02:00.0", "0000:04:00.0" };
	struct pci_addr addr;

	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		struct use *u = array_add(&s->uses.items, &s->uses.n, sizeof(*u));

		EXPECT(u && pci_addr_parse(of[i], &addr, NULL) == 0);
		*u = (struct use){ i ? USE_ROUTE : USE_MOUNT,
			(size_t)(snapshot_find(&s->snapshot, addr) - s->snapshot.devices),
			strdup("/"), strdup("/ ← x") };
		EXPECT(u->what && u->chain);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_free_ char *text = fuzz_string(data, len);
	struct session s = SESSION_INIT;
	struct machine m;

	make_files(text);
	EXPECT(machine_parse(listing, &m) == 0);
	s.snapshot = m.snapshot;
	s.facts = m.module;
	snapshot_project(&s.snapshot, &s.facts);
	s.config.isolation = ISOLATION_STRICT;
	make_uses(&s);
	EXPECT(bootwords_parse(cmdline, &s.words) == 0);
	s.words.how = strdup("grubby");
	EXPECT(traces_read(cmdline, &s.traces) == 0);
	for (size_t i = 0; i < s.traces.n; i++)
		check_trace(&s.traces.items[i]);
	EXPECT(leftovers_tell_ids(&s.traces, s.words.how, &s.facts) == 0);
	check_import(&s);
	m.snapshot = s.snapshot;
	m.module = s.facts;
	uses_free(&s.uses);
	traces_free(&s.traces);
	bootwords_free(&s.words);
	machine_free(&m);
	return 0;
}
