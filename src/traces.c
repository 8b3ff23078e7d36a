/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <sys/stat.h>

#include "bootwords.h"
#include "module.h"
#include "sysfs.h"
#include "traces.h"

#define FILE_MAX (1024 * 1024)
/* Of one directory; /usr/local/bin may hold anything. */
#define ENTRIES_MAX 1000
#define TEXT_MAX    160
#define UNITS       "/etc/systemd/system"

struct reader {
	struct traces *out;
	const char *file;
	unsigned line;
	unsigned last; /* @line, or where a backslash continues it, the last of them */
	bool in_list;  /* mkinitcpio's MODULES=( is open */
	int r;         /* first error; -ENOMEM is the only one there is */
};

/* --- text --- */

static char *tame(const char *s, size_t max)
{
	char *copy;

	s += strspn(s, " \t");
	copy = strndup(s, max);
	if (!copy)
		return NULL;
	for (char *c = copy; *c; c++)
		*c = (unsigned char)*c < 0x20 || *c == 0x7f ? ' ' : *c;
	for (size_t n = strlen(copy); n && copy[n - 1] == ' ';)
		copy[--n] = '\0';
	return copy;
}

static struct trace *add(struct reader *in, enum trace_kind kind, const char *text,
	const char *name, const char *value)
{
	struct trace *t = array_add(&in->out->items, &in->out->n, sizeof(*t));

	if (!t) {
		in->r = -ENOMEM;
		return NULL;
	}
	t->kind = kind;
	t->line = in->line;
	t->last = in->last;
	t->file = in->file ? strdup(in->file) : NULL;
	/* A word goes into commands. */
	t->text = tame(text, in->file ? TEXT_MAX : strlen(text));
	t->name = name ? strdup(name) : NULL;
	t->value = value ? strdup(value) : NULL;
	if (!t->text || (in->file && !t->file) || (name && !t->name) || (value && !t->value))
		in->r = -ENOMEM;
	return t;
}

/* The next word of *@s, cut out in place; NULL at the end. */
static char *next_word(char **s)
{
	char *word;

	while ((word = strsep(s, " \t\r")))
		if (*word)
			return word;
	return NULL;
}

/* "vfio", "vfio-pci", "vfio_iommu_type1", ... */
static bool is_vfio(const char *module)
{
	const char *rest = skip_prefix(module, "vfio");

	return rest && strspn(rest, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(rest);
}

/* Whether a module of VFIO's is among the words, whatever separates them. */
static bool names_vfio(const char *s)
{
	for (const char *at = s; (at = strstr(at, "vfio")); at++)
		if (at == s || !(isalnum((unsigned char)at[-1]) || strchr("_-./", at[-1])))
			return true;
	return false;
}

/* Calls @on_line for each line, or with @wrapped for each that a backslash continues on the next,
 * as modprobe does; comments and empty lines are left out. */
static void for_lines(struct reader *in, const char *path, bool wrapped,
	void (*on_line)(struct reader *in, char *line))
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	char *rest;
	unsigned n = 0;

	if (in->r < 0)
		return;
	in->r = file_read(path, FILE_MAX, &text, &len);
	if (in->r < 0) {
		in->r = in->r == -ENOMEM ? in->r : 0;
		return;
	}
	in->file = path;
	rest = text;
	while (rest && in->r == 0) {
		char *line = rest, *end = strchrnul(rest, '\n');

		in->line = ++n;
		for (; wrapped && *end && end > line && end[-1] == '\\'; n++) {
			end[-1] = end[0] = ' ';
			end = strchrnul(end, '\n');
		}
		in->last = n;
		rest = *end ? end + 1 : NULL;
		*end = '\0';
		line += strspn(line, " \t");
		if (*line && *line != '#' && *line != ';')
			on_line(in, line);
	}
	in->file = NULL;
	in->line = in->last = 0;
}

static int by_name(const void *a, const void *b)
{
	/* Not alphasort(), which goes by the locale. */
	return strcmp((*(struct dirent *const *)a)->d_name, (*(struct dirent *const *)b)->d_name);
}

/* Calls @on_file for each entry of a directory, in order of name, that @wanted takes; for the first
 * ENTRIES_MAX of those. */
static void for_files(struct reader *in, const char *dir, bool (*wanted)(const char *name),
	void (*on_file)(struct reader *in, const char *path))
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, NULL, NULL), taken = 0;

	if (n < 0)
		return;
	qsort(entries, (size_t)n, sizeof(*entries), by_name);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		bool take = in->r == 0 && name[0] != '.' && wanted(name) && taken++ < ENTRIES_MAX;
		_cleanup_free_ char *path = take ? format("%s/%s", dir, name) : NULL;

		if (path)
			on_file(in, path);
		else if (take)
			in->r = -ENOMEM;
		free(entries[i]);
	}
	free(entries);
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);

	return n > k && streq(name + n - k, suffix);
}

static bool is_conf(const char *name)
{
	return has_suffix(name, ".conf");
}

static bool any_name(const char *name)
{
	(void)name;
	return true;
}

/* --- modprobe.d --- */

/* @options are the line's. */
static void add_ids(struct reader *in, const char *line, const char *module, const char *options,
	const char *value)
{
	const char *end = options + strcspn(options, " \t\r");
	struct trace *t = add(in, TRACE_IDS, line, module, value);

	if (t)
		t->alone = !end[strspn(end, " \t\r")];
}

static void options_line(struct reader *in, const char *line, const char *module, char *rest)
{
	_cleanup_free_ char *options = rest ? strdup(rest + strspn(rest, " \t\r")) : NULL;
	char *option;

	in->r = rest && !options ? -ENOMEM : in->r;
	if (!options)
		return;

	while ((option = next_word(&rest))) {
		char *name = option + (*option == '"'), *value;

		if (same_module(module, VFIO_MODULE) && (value = skip_prefix(name, "ids="))) {
			value += *value == '"';
			value[strcspn(value, "\"")] = '\0';
			if (*value)
				add_ids(in, line, module, options, value);
		} else if (same_module(module, VFIO_MODULE)) {
			add(in, TRACE_OPTION, line, module, option);
		} else if (streq(name, "modeset=0")) {
			add(in, TRACE_BLACKLIST, line, module, NULL);
		}
	}
}

static void modprobe_line(struct reader *in, char *line)
{
	_cleanup_free_ char *whole = strdup(line);
	char *rest = line, *command = next_word(&rest), *module = next_word(&rest);

	if (!whole || !module) {
		in->r = whole ? 0 : -ENOMEM;
		return;
	}
	if (streq(command, "options")) {
		options_line(in, whole, module, rest);
	} else if (streq(command, "blacklist")) {
		add(in, TRACE_BLACKLIST, whole, module, NULL);
	} else if (streq(command, "alias")) {
		char *to = next_word(&rest);

		if (to && streq(to, "off"))
			add(in, TRACE_BLACKLIST, whole, module, NULL);
	} else if (streq(command, "softdep")) {
		if (is_vfio(module) || (rest && names_vfio(rest)))
			add(in, TRACE_SOFTDEP, whole, module, NULL);
	} else if (streq(command, "install")) {
		if (rest && (strstr(rest, "/bin/false") || strstr(rest, "/bin/true")))
			add(in, TRACE_BLACKLIST, whole, module, NULL);
		else if (is_vfio(module) ||
			(rest && (strstr(rest, "vfio") || strstr(rest, "driver_override"))))
			add(in, TRACE_INSTALL, whole, module, rest);
	}
}

static void modprobe_file(struct reader *in, const char *path)
{
	const char *name = strrchr(path, '/') + 1;

	/* Of two files with one name the first directory's wins. */
	for (size_t i = 0; modules_config_dirs[i]; i++) {
		_cleanup_free_ char *earlier = format("%s/%s", modules_config_dirs[i], name);

		if (!earlier)
			in->r = -ENOMEM;
		else if (streq(earlier, path))
			break;
		else if (access(earlier, F_OK) == 0)
			return;
	}
	if (in->r == 0)
		for_lines(in, path, true, modprobe_line);
}

/* --- the kernel command line --- */

static void cmdline_list(
	struct reader *in, enum trace_kind kind, const char *word, const char *list)
{
	_cleanup_free_ char *copy = strdup(list);
	char *rest = copy, *name;

	in->r = copy ? in->r : -ENOMEM;
	while (copy && (name = strsep(&rest, ",")))
		if (*name)
			add(in, kind, word, name, NULL);
}

/* "vfio-pci.ids=" → "ids="; NULL where it is another module's. */
static char *vfio_parameter(char *word)
{
	char *dot = strchr(word, '.'), *rest = NULL;

	if (!dot)
		return NULL;
	*dot = '\0';
	if (same_module(word, VFIO_MODULE))
		rest = dot + 1;
	*dot = '.';
	return rest;
}

static void cmdline_word(struct reader *in, char *word)
{
	static const char *const early[] = { "rd.driver.pre=", "rd.driver.post=", "rdloaddriver=",
		"rd.modules_load=", "rd.modules-load=", "modules_load=", "modules-load=" };
	static const char *const never[] = {
		"rd.driver.blacklist=", "rdblacklist=", "modprobe.blacklist=", "module_blacklist="
	};
	char *parameter = vfio_parameter(word), *value;

	if (parameter) {
		value = skip_prefix(parameter, "ids=");
		add(in, value ? TRACE_IDS : TRACE_OPTION, word, VFIO_DRIVER, value ?: parameter);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(early); i++)
		if ((value = skip_prefix(word, early[i])) && names_vfio(value))
			add(in, TRACE_EARLY, word, NULL, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if ((value = skip_prefix(word, never[i])))
			cmdline_list(in, TRACE_BLACKLIST, word, value);
	if (has_suffix(word, ".modeset=0")) {
		_cleanup_free_ char *module = strndup(word, strlen(word) - strlen(".modeset=0"));

		if (module)
			add(in, TRACE_BLACKLIST, word, module, NULL);
		else
			in->r = -ENOMEM;
	}
}

static void read_words(struct reader *in, const char *cmdline)
{
	_cleanup_free_ char *copy = strdup(cmdline);
	char *rest = copy, *word;

	in->r = copy ? 0 : -ENOMEM;
	while (copy && (word = bootwords_next(&rest)) && !streq(word, "--"))
		cmdline_word(in, word);
}

/* --- lists of modules --- */

/* The file's own trace of modules, so that one stands for all, or NULL. */
static struct trace *find_early(const struct reader *in)
{
	for (size_t i = in->out->n; i-- > 0;) {
		struct trace *t = &in->out->items[i];

		if (t->kind == TRACE_EARLY && t->file && streq(t->file, in->file))
			return t;
	}
	return NULL;
}

/* A module a line, for initramfs-tools with its options behind it. */
static void module_line(struct reader *in, char *line)
{
	_cleanup_free_ char *whole = strdup(line), *options = NULL;
	char *rest = line, *module = next_word(&rest), *option, *longer;
	struct trace *t = find_early(in);

	options = strdup(rest ? rest + strspn(rest, " \t\r") : "");
	in->r = whole && options ? in->r : -ENOMEM;
	if (!whole || !options || !module || !is_vfio(module))
		return;
	if (!t) {
		add(in, TRACE_EARLY, module, NULL, "s/^[[:space:]]*vfio/# &/");
	} else {
		longer = format("%s %s", t->text, module);
		in->r = longer ? in->r : -ENOMEM;
		free(t->text);
		t->text = longer;
	}
	while ((option = next_word(&rest)))
		if (same_module(module, VFIO_MODULE) && skip_prefix(option, "ids="))
			add_ids(in, whole, module, options, option + strlen("ids="));
}

/* Debian's modules-load.d/modules.conf is a link to /etc/modules: one of the two is enough, and not
 * the link, which an edit would put a file of its own in the place of. */
static bool is_link_to_list(const char *path)
{
	_cleanup_free_ char *real = realpath(path, NULL);

	return real && !streq(real, path) &&
		(streq(real, "/etc/modules") || skip_prefix(real, "/etc/modules-load.d/"));
}

static void module_file(struct reader *in, const char *path)
{
	if (!is_link_to_list(path))
		for_lines(in, path, false, module_line);
}

/* Not of a line that names vfio-early as well, which the command would take away, too. */
static void add_words(struct reader *in, const char *line)
{
	_cleanup_free_ char *cure = format("%us/vfio[a-z0-9_-]*//g", in->line);

	if (!cure)
		in->r = -ENOMEM;
	else if (!strstr(line, "vfio-early"))
		add(in, TRACE_EARLY, line, NULL, cure);
}

/* dracut.conf(5): add_drivers+=" vfio vfio_pci ", force_drivers; not omit_drivers. */
static void dracut_line(struct reader *in, char *line)
{
	char *equals = strchr(line, '='), *drivers = strstr(line, "drivers");

	if (equals && drivers && drivers < equals && !skip_prefix(line, "omit_drivers") &&
		names_vfio(equals))
		add_words(in, line);
}

static void dracut_file(struct reader *in, const char *path)
{
	if (!strstr(path, "vfio-early"))
		for_lines(in, path, false, dracut_line);
}

/* mkinitcpio.conf(5): MODULES=(...), which may go on over more lines; what stands in any other
 * array is no module, nor is MODULES_DECOMPRESS. */
static void mkinitcpio_line(struct reader *in, char *line)
{
	char *list = skip_prefix(line, "MODULES");

	if (list) {
		list += *list == '+';
		if (*list != '=')
			return;
		in->in_list = list[1] == '(';
	} else if (!in->in_list) {
		return;
	}
	list = list ?: line;
	if (names_vfio(list))
		add_words(in, line);
	if (strchr(list, ')'))
		in->in_list = false;
}

static void mkinitcpio_file(struct reader *in, const char *path)
{
	in->in_list = false;
	for_lines(in, path, false, mkinitcpio_line);
}

static void read_lists(struct reader *in)
{
	module_file(in, "/etc/modules");
	for_files(in, "/etc/modules-load.d", is_conf, module_file);
	module_file(in, "/etc/initramfs-tools/modules");
	dracut_file(in, "/etc/dracut.conf");
	for_files(in, "/etc/dracut.conf.d", is_conf, dracut_file);
	mkinitcpio_file(in, "/etc/mkinitcpio.conf");
	for_files(in, "/etc/mkinitcpio.conf.d", is_conf, mkinitcpio_file);
}

/* --- scripts --- */

static bool last_is(const struct reader *in, enum trace_kind kind)
{
	const struct trace *t = in->out->n ? &in->out->items[in->out->n - 1] : NULL;

	return t && t->kind == kind && t->file && streq(t->file, in->file);
}

/* The first line of a file is enough. Other buses have a new_id as well, and any program may call a
 * variable so. */
static void script_line(struct reader *in, char *line)
{
	const char *attribute = strstr(line, "driver_override")  ? "driver_override"
		: strstr(line, "/new_id") && strstr(line, "pci") ? "new_id"
								 : NULL;

	if (attribute && !last_is(in, TRACE_SCRIPT))
		add(in, TRACE_SCRIPT, line, NULL, attribute);
}

static void script_file(struct reader *in, const char *path)
{
	if (!strstr(path, "vfio-early"))
		for_lines(in, path, false, script_line);
}

static bool is_rule(const char *name)
{
	return has_suffix(name, ".rules");
}

static bool has_vfio(const char *name)
{
	return strstr(name, "vfio");
}

static void script_dir(struct reader *in, const char *dir)
{
	for_files(in, dir, any_name, script_file);
}

/* Of the programs' directories only what is called after VFIO; a link to another one is passed
 * over. */
static void program_dir(struct reader *in, const char *dir)
{
	struct stat st;

	if (lstat(dir, &st) == 0 && S_ISDIR(st.st_mode))
		for_files(in, dir, has_vfio, script_file);
}

/* Where guides put them, and udev's and tmpfiles.d's ways of writing an attribute. */
static void read_scripts(struct reader *in)
{
	static const char *const dirs[] = { "/etc/initramfs-tools/hooks",
		"/usr/share/initramfs-tools/hooks", "/etc/initcpio/hooks", "/etc/initcpio/install",
		"/usr/lib/initcpio/hooks", "/usr/lib/initcpio/install", "/etc/libvirt/hooks",
		"/usr/local/bin", "/usr/local/sbin" };
	static const char *const programs[] = { "/usr/bin", "/usr/sbin", "/bin", "/sbin" };

	for_files(in, "/etc/initramfs-tools/scripts", any_name, script_dir);
	for_files(in, "/usr/share/initramfs-tools/scripts", any_name, script_dir);
	for_files(in, "/usr/lib/dracut/modules.d", has_vfio, script_dir);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		script_dir(in, dirs[i]);
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		program_dir(in, programs[i]);
	for_files(in, "/etc/udev/rules.d", is_rule, script_file);
	for_files(in, "/etc/tmpfiles.d", is_conf, script_file);
	script_file(in, "/etc/rc.local");
}

static bool is_wants(const char *name)
{
	return has_suffix(name, ".wants") || has_suffix(name, ".requires");
}

/* Whether the unit that was added last is in this directory. */
static void wants_dir(struct reader *in, const char *dir)
{
	struct trace *t = &in->out->items[in->out->n - 1];
	_cleanup_free_ char *path = format("%s/%s", dir, t->name);
	struct stat st;

	if (!path)
		in->r = -ENOMEM;
	else if (!t->value && lstat(path, &st) == 0 && !(t->value = strdup("enabled")))
		in->r = -ENOMEM;
}

/* "ExecStart=-/usr/local/bin/vfio-bind $DEVICES": by the program's name, since what is started may
 * as well be a virtual machine with a device of vfio-pci's. */
static bool binds_itself(const char *command)
{
	const char *program = command + strspn(command, "=-@:+! ");
	size_t len = strcspn(program, " \t");
	_cleanup_free_ char *path = strndup(program, len);

	return (path && strstr(path, "vfio")) || strstr(command, "driver_override") ||
		(strstr(command, "/new_id") && strstr(command, "pci"));
}

static void unit_line(struct reader *in, char *line)
{
	const char *command = strchr(line, '=');

	if (!skip_prefix(line, "ExecStart") || !command || last_is(in, TRACE_UNIT) ||
		!binds_itself(command))
		return;
	if (add(in, TRACE_UNIT, line, strrchr(in->file, '/') + 1, NULL) && in->r == 0)
		for_files(in, UNITS, is_wants, wants_dir);
}

static void unit_file(struct reader *in, const char *path)
{
	if (!strstr(path, "vfio-early"))
		for_lines(in, path, false, unit_line);
}

static bool is_service(const char *name)
{
	return has_suffix(name, ".service");
}

/* --- driverctl, OpenNebula --- */

static void add_address(struct reader *in, enum trace_kind kind, const char *text,
	struct pci_addr addr, const char *value)
{
	struct trace *t = add(in, kind, text, NULL, value);

	if (t)
		t->addr = addr;
}

/* The file is called after the device, in driverctl 0.60 and later "pci-ADDRESS"; in it stands the
 * driver. */
static void driverctl_line(struct reader *in, char *line)
{
	const char *name = strrchr(in->file, '/') + 1;
	char *driver = next_word(&line);
	struct pci_addr addr;

	if (driver && !last_is(in, TRACE_DRIVERCTL) &&
		pci_addr_parse(skip_prefix(name, "pci-") ?: name, &addr, NULL) == 0)
		add_address(in, TRACE_DRIVERCTL, driver, addr, driver);
	if (last_is(in, TRACE_DRIVERCTL))
		in->out->items[in->out->n - 1].line = 0;
}

static void driverctl_file(struct reader *in, const char *path)
{
	for_lines(in, path, false, driverctl_line);
}

/* DEVICES="0000:04:00.0 0000:05:00.0" */
static void bind_list_line(struct reader *in, char *line)
{
	_cleanup_free_ char *whole = strdup(line);
	char *rest = skip_prefix(line, "DEVICES="), *word;
	struct pci_addr addr;

	in->r = whole ? in->r : -ENOMEM;
	while (whole && (word = strsep(&rest, " \t\r\"'")))
		if (pci_addr_parse(word, &addr, NULL) == 0)
			add_address(in, TRACE_BIND_LIST, whole, addr, NULL);
}

/* --- libvirt --- */

/* The value of an attribute within the tag [@s, @end), "bus='0x01'"; -1 where there is none. */
static long attribute(const char *s, const char *end, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = s; (at = strstr(at, name)) && at < end; at += n)
		if (at[-1] == ' ' && at[n] == '=' && (at[n + 1] == '\'' || at[n + 1] == '"'))
			return strtol(at + n + 2, NULL, 0);
	return -1;
}

/* The host's address in an element "<hostdev ...>...<source><address .../></source>...". */
static bool source_address(const char *s, const char *end, struct pci_addr *ret)
{
	const char *source = strstr(s, "<source"), *at, *close;
	long domain, bus, dev, fn;

	if (!source || source >= end || !(at = strstr(source, "<address ")) || at >= end ||
		!(close = strchr(at, '>')) || close >= end)
		return false;
	domain = attribute(at, close, "domain");
	bus = attribute(at, close, "bus");
	dev = attribute(at, close, "slot");
	fn = attribute(at, close, "function");
	if (bus < 0 || bus > 0xff || dev < 0 || dev > 0x1f || fn > 7)
		return false;
	*ret = (struct pci_addr){ domain < 0 ? 0 : (uint32_t)domain, (uint8_t)bus, (uint8_t)dev,
		fn < 0 ? 0 : (uint8_t)fn };
	return true;
}

/* libvirt writes these files itself, one element a line, single quotes; people's are taken too. */
static void domain_elements(
	struct reader *in, const char *text, const char *element, const char *vm)
{
	_cleanup_free_ char *open = format("<%s ", element), *close = format("</%s>", element);
	const char *at = text;

	in->r = open && close ? in->r : -ENOMEM;
	while (open && close && (at = strstr(at, open))) {
		const char *tag = strchr(at, '>'), *end = strstr(at, close), *managed;
		struct pci_addr addr;
		struct trace *t;

		if (!tag || !end)
			return;
		managed = strstr(at, "managed=");
		if (managed && managed < tag && skip_prefix(managed + 9, "yes") &&
			source_address(tag, end, &addr) &&
			(t = add(in, TRACE_LIBVIRT, element, vm, NULL)))
			t->addr = addr;
		at = end;
	}
}

static void domain_file(struct reader *in, const char *path)
{
	_cleanup_free_ char *text = NULL, *vm = strdup(strrchr(path, '/') + 1);
	size_t len;
	int r = file_read(path, FILE_MAX, &text, &len);

	in->r = r == -ENOMEM || !vm ? -ENOMEM : in->r;
	if (r < 0 || !vm)
		return;
	vm[strlen(vm) - strlen(".xml")] = '\0';
	in->file = path;
	domain_elements(in, text, "hostdev", vm);
	domain_elements(in, text, "interface", vm);
	in->file = NULL;
}

static bool is_xml(const char *name)
{
	return has_suffix(name, ".xml");
}

/* --- all of it --- */

int traces_read(const char *cmdline, struct traces *ret)
{
	_cleanup_(traces_free) struct traces t = { 0 };
	struct reader in = { .out = &t };

	for (size_t i = 0; modules_config_dirs[i]; i++)
		for_files(&in, modules_config_dirs[i], is_conf, modprobe_file);
	if (in.r == 0)
		read_words(&in, cmdline);
	read_lists(&in);
	read_scripts(&in);
	for_files(&in, UNITS, is_service, unit_file);
	for_files(&in, "/etc/driverctl.d", any_name, driverctl_file);
	for_lines(&in, "/etc/sysconfig/vfio-bind", false, bind_list_line);
	for_files(&in, "/etc/libvirt/qemu", is_xml, domain_file);
	if (in.r < 0)
		return in.r;
	*ret = t;
	t = (struct traces){ 0 };
	return 0;
}

char *trace_where(const struct trace *t)
{
	if (!t->file)
		return strdup("the kernel command line");
	return t->line ? format("%s:%u", t->file, t->line) : strdup(t->file);
}

void traces_free(struct traces *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->items[i].file);
		free(t->items[i].text);
		free(t->items[i].name);
		free(t->items[i].value);
	}
	free(t->items);
	*t = (struct traces){ 0 };
}
