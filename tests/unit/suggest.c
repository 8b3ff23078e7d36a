/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every device of every machine in tests/sysfs/machines, with the host using this and that, and
 * laws that each suggestion keeps. suggest [N]: every N-th device alone, where time is short. */
#include <dirent.h>

#include "law.h"
#include "machine.h"
#include "suggest.h"

#define MACHINES "tests/sysfs/machines"

/* What the host uses; each is a way to ask of each device. */
enum host { HOST_NOTHING, HOST_EVERYTHING, HOST_SOME, HOST_UNKNOWN };

static struct machine machine;
static struct uses uses;
static const char *machine_name;
static unsigned long asked_of, status_seen[3];
static size_t every;

static void text_law(bool kept, const char *what, const char *text)
{
	law(kept, what, "%s:\n%s", machine_name, text);
}

static unsigned pick(unsigned n)
{
	return (unsigned)rand() % n;
}

static char *must(char *s)
{
	if (!s)
		abort();
	return s;
}

static void add_use(size_t device, enum use_kind kind)
{
	struct use *u = array_add(&uses.items, &uses.n, sizeof(*u));

	if (!u)
		abort();
	/* A mount point is anyone's text. */
	*u = (struct use){ kind, device, must(strdup("/x")), must(strdup("/x\n[y]\n ← z # ;")) };
}

/* The use that a device of its class can have, or -1. */
static int possible_use(const struct pci_device *d)
{
	if (d->is_bridge)
		return -1;
	switch (CLASS_BASE(d->class)) {
	case 0x01:
		return pick(2) ? USE_MOUNT : USE_SWAP;
	case 0x02:
		return USE_ROUTE;
	case 0x0c:
		return pick(3) ? USE_KEYBOARD : USE_MOUNT;
	default:
		return -1;
	}
}

static void make_uses(enum host host)
{
	uses.other_keyboard = host == HOST_UNKNOWN;
	if (host == HOST_UNKNOWN) {
		uses.unknown = calloc(1, sizeof(char *));
		if (!uses.unknown)
			abort();
		uses.unknown[uses.n_unknown++] = must(strdup("/: ZFS pool rpool"));
	}
	for (size_t i = 0; i < machine.snapshot.n_devices; i++) {
		int kind = possible_use(&machine.snapshot.devices[i]);

		if (kind >= 0 && (host == HOST_EVERYTHING || (host == HOST_SOME && pick(2))))
			add_use(i, (enum use_kind)kind);
	}
}

static void tame_law(const char *text)
{
	size_t column = 0;

	for (const char *s = text; *s; s++) {
		text_law(*s == '\n' || (unsigned char)*s >= 0x20, "a control character", text);
		column = *s == '\n' ? 0 : column + (((unsigned char)*s & 0xc0) != 0x80);
		text_law(column <= 100, "a long line", text);
	}
}

static bool binds(const struct plan *p, size_t device)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == STEP_OVERRIDE && p->steps[i].device == device)
			return true;
	return false;
}

/* What the words consent to, the host can do without. */
static void word_laws(const struct target *t, const struct plan *p, const char *text)
{
	bool display = false;

	text_law(!(t->allow & ALLOW_STORAGE) || uses.n_unknown == 0, "storage, for all it knows",
		text);
	text_law(!(t->allow & (ALLOW_RESERVED_REGION | ALLOW_NET_ROOT)), "a word that harms", text);
	for (size_t i = 0; i < machine.snapshot.n_devices; i++)
		display |= device_is_display(&machine.snapshot.devices[i]) && !binds(p, i);
	text_law(!(t->allow & ALLOW_BOOT_DISPLAY) || display, "the last display", text);
}

/* What a dry run says of the text. */
static void plan_laws(const struct config *c, const char *text, int status, size_t asked)
{
	struct plan p;

	if (plan_make(c, &(struct bootwords){ 0 }, &machine.snapshot, &machine.module, &p) < 0)
		abort();
	text_law(status == 2 || findings_worst(&p.findings) < SEVERITY_ERROR, "a refusal", text);
	text_law(status >= 1 || findings_worst(&p.findings) < SEVERITY_WARNING, "a warning", text);
	text_law(status == 2 || binds(&p, asked), "what was asked for is not bound", text);
	for (size_t i = 0; i < uses.n; i++)
		text_law(uses.items[i].kind == USE_KEYBOARD || !binds(&p, uses.items[i].device),
			"binds what the host uses", text);
	word_laws(&c->targets[0], &p, text);
	plan_free(&p);
}

/* Who asks again, with the first answer in place, is told so and gets nothing to bind twice. */
static void again_law(struct suggest in, const struct config *c, size_t asked)
{
	struct config more = { 0 };
	char *text;
	int status;

	in.config = c;
	if (suggest_make(&in, &asked, 1, &text, &status) < 0 ||
		config_parse(&more, "again", text, strlen(text)) < 0)
		abort();
	text_law(status == 1 && more.n_targets == 0 && more.errors.n == 0, "not the same again",
		text);
	config_free(&more);
	free(text);
}

static void one_case(size_t asked)
{
	struct config nothing = { .isolation = ISOLATION_STRICT }, c = { 0 };
	struct bootwords words = { 0 };
	struct suggest in = { .snapshot = &machine.snapshot,
		.module = &machine.module,
		.words = &words,
		.config = &nothing,
		.uses = &uses,
		.rebuild = "update-initramfs -u",
		.root = true };
	char *text;
	int status;

	if (suggest_make(&in, &asked, 1, &text, &status) < 0 ||
		config_parse(&c, "suggestion", text, strlen(text)) < 0 || config_finish(&c) < 0)
		abort();
	asked_of++;
	text_law(status >= 0 && status <= 2, "no such status", text);
	status_seen[status]++;
	text_law(c.errors.n == 0, "does not parse", text);
	text_law(c.n_targets <= 1 && (status == 2 || c.n_targets == 1), "not one target", text);
	tame_law(text);
	if (c.errors.n == 0 && c.n_targets) {
		plan_laws(&c, text, status, asked);
		if (status < 2)
			again_law(in, &c, asked);
	}
	config_free(&c);
	free(text);
}

static char *read_machine(const char *name)
{
	_cleanup_free_ char *path = must(format(MACHINES "/%s", name));
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!f || getdelim(&text, &size, '\0', f) < 0) {
		perror(path);
		exit(1);
	}
	return text;
}

/* @more: lines behind the machine's own. */
static void ask_all(const char *name, const char *more, bool live, enum host first, enum host last)
{
	_cleanup_free_ char *listing = read_machine(name), *text = NULL;

	machine_name = name;
	text = must(format("%s\n%s", listing, more));
	if (machine_parse(text, &machine) < 0) {
		printf("%s:%zu: %s\n", name, machine.line, machine.error);
		exit(1);
	}
	if (live)
		snapshot_project(&machine.snapshot, &machine.module);
	for (size_t i = 0; i < machine.snapshot.n_devices; i += 3)
		machine.snapshot.devices[i].name =
			must(strdup("Evil # ; Inc.\r\n[evil]\ndevice = 1234:5678\x1b[2J"));
	for (enum host host = first; host <= last; host++) {
		make_uses(host);
		for (size_t i = 0; i < machine.snapshot.n_devices; i += every)
			one_case(i);
		uses_free(&uses);
	}
	machine_free(&machine);
}

static bool is_machine(const char *name)
{
	return name[0] != '.' && !streq(name, "rows");
}

int main(int argc, char **argv)
{
	struct dirent **entries;
	int n = scandir(MACHINES, &entries, NULL, alphasort);
	unsigned long passed = 0, failed = 0;

	every = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	if (n < 0) {
		perror(MACHINES);
		return 1;
	}
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		unsigned before = laws_broken;

		if (is_machine(name)) {
			srand((unsigned)i);
			ask_all(name, "", true, HOST_NOTHING, HOST_UNKNOWN);
			ask_all(name, "", false, HOST_SOME, HOST_SOME);
			ask_all(name, "iommu: none\n", true, HOST_SOME, HOST_SOME);
			ask_all(name, "module vfio-pci: missing\n", true, HOST_NOTHING,
				HOST_NOTHING);
			failed += laws_broken != before;
			passed += laws_broken == before;
		}
		free(entries[i]);
	}
	free(entries);
	/* The laws say nothing where everything is refused. */
	text_law(every > 1 || (status_seen[0] > asked_of / 5 && status_seen[1] && status_seen[2]),
		"hardly any suggestion is ready", "");
	printf("%lu passed, %lu failed, 0 skipped\n", passed, failed);
	return laws_broken != 0;
}
