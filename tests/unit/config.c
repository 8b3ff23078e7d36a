/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <ftw.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "config.h"
#include "test.h"

/* Characters of which a line may have 197 at most: what is more, inih of Debian 12 cuts. */
#define X10  "xxxxxxxxxx"
#define X50  X10 X10 X10 X10 X10
#define S50  "                                                  "
#define X180 X50 X50 X50 X10 X10 X10

#define EXPECT_DEVICE \
	": expected a PCI address (0000:01:00.0, or 01:00.* for all its functions) or a topology path " \
	"(00:01.0/00.0), either followed by the ID that must be found there, or an ID alone (10de:2786)"
#define EXPECT_NAME ": expected a target's name: a letter, then letters, digits, '-' or '_'"
#define EXPECT_KEYS ": expected device, isolation, match, profile, allow or driver"
#define EXPECT_ALLOW \
	": expected boot-display, storage, last-usb, net-root, reserved-region, network, usb or display"

static char *grow(char *s, const char *fmt, ...) _printf_(2, 3);
static char *grow(char *s, const char *fmt, ...)
{
	_cleanup_free_ char *more = NULL;
	va_list ap;
	char *all;

	va_start(ap, fmt);
	more = vformat(fmt, ap);
	va_end(ap);
	all = format("%s%s", s, more);
	free(s);
	return all;
}

static char *grow_place(char *s, const struct selector *d)
{
	char buf[PCI_PATH_LEN];
	size_t len;

	if (d->kind == SELECT_ID)
		return grow(s, " %s", PCI_ID(d->id));
	if (d->kind == SELECT_PATH)
		pci_path_format(&d->path, buf);
	else
		pci_addr_format(d->addr, buf);
	len = strlen(buf);
	if (d->all_functions)
		buf[len - 1] = '*';
	s = grow(s, " %s%s", d->kind == SELECT_PATH ? "path " : "", buf);
	return d->has_id ? grow(s, "=%s", PCI_ID(d->id)) : s;
}

/* The whole configuration on a few lines: what a test compares. */
static char *dump(const struct config *c)
{
	char *s = strdup("");

	if (c->isolation != ISOLATION_STRICT)
		s = grow(s, "isolation %s\n", isolation_name(c->isolation));
	for (size_t i = 0; i < c->n_targets; i++) {
		const struct target *t = &c->targets[i];

		s = grow(s, "%s:", t->name);
		for (size_t j = 0; j < t->n_selectors; j++) {
			s = grow_place(s, &t->selectors[j]);
			s = grow(s, "%s", j + 1 < t->n_selectors ? "," : "");
		}
		if (t->isolation != ISOLATION_STRICT)
			s = grow(s, "; %s", isolation_name(t->isolation));
		if (t->match)
			s = grow(s, "; match %s", t->match == MATCH_ALL ? "all" : "one");
		if (t->driver)
			s = grow(s, "; driver %s", t->driver == DRIVER_AUTO ? "auto" : "vfio-pci");
		for (unsigned bit = 1; bit <= ALLOW_DISPLAY; bit <<= 1)
			if (t->allow & bit)
				s = grow(s, "; allow %s", allow_name(bit));
		for (size_t j = 0; j < t->n_profiles; j++)
			s = grow(s, "; profile %s", t->profiles[j]);
		s = grow(s, "\n");
	}
	return s;
}

static char *dump_errors(const struct config *c)
{
	char *s = strdup("");

	for (size_t i = 0; i < c->errors.n; i++) {
		s = grow(s, "%s\n", c->errors.items[i].text);
		EXPECT_STR(c->errors.items[i].id, "config-error");
		EXPECT_INT(c->errors.items[i].severity, SEVERITY_ERROR);
	}
	return s;
}

/* With errors, the rest is not for use, and not compared. */
static void expect_config(const struct config *c, const char *dumped, const char *errors)
{
	_cleanup_free_ char *found = dump(c), *found_errors = dump_errors(c);

	EXPECT_STR(found_errors, errors);
	if (!*errors)
		EXPECT_STR(found, dumped);
}

struct row {
	int line;
	const char *what;
	const char *text;
	const char *config; /* as dump() writes it */
	const char *errors; /* one to a line */
};

#define ROW(...) \
	{ \
		__LINE__, __VA_ARGS__ \
	}
#define GOOD(what, text, config)  ROW(what, text, config, "")
#define WRONG(what, text, errors) ROW(what, text, "", errors)
#define DEV                       "device = 01:00.0\n"
#define GPU                       "[gpu]\n" DEV
#define GPU_DUMP                  "gpu: 0000:01:00.0"

static const struct row rows[] = {
	GOOD("empty", "", ""),
	GOOD("white space alone", " \n\t\n\r\n \t", ""),
	GOOD("comments alone", "# nothing\n; nothing\n  # nothing\n\t; nothing\n", ""),
	GOOD("[options] alone", "[options]\nisolation = none\n", "isolation none\n"),
	GOOD("[options] empty", "[options]\n", ""),

	/* device */
	GOOD("address", "[gpu]\ndevice = 0000:01:00.0\n", "gpu: 0000:01:00.0\n"),
	GOOD("domain left out", "[gpu]\ndevice = 01:00.0\n", "gpu: 0000:01:00.0\n"),
	GOOD("five digits of domain", "[x]\ndevice = 10000:e1:00.0\n", "x: 10000:e1:00.0\n"),
	GOOD("upper case", "[gpu]\ndevice = AF:00.0 10DE:22BC\n", "gpu: 0000:af:00.0=10de:22bc\n"),
	GOOD("address and ID", "[gpu]\ndevice = 01:00.0 10de:2786\n",
		"gpu: 0000:01:00.0=10de:2786\n"),
	GOOD("address and ID, with a comma", "[gpu]\ndevice = 01:00.0,10de:2786\n",
		"gpu: 0000:01:00.0=10de:2786\n"),
	GOOD("address and ID, tabs", "[gpu]\ndevice\t=\t01:00.0\t\t10de:2786\t\n",
		"gpu: 0000:01:00.0=10de:2786\n"),
	GOOD("ID", "[gpu]\ndevice = 10de:2786\n", "gpu: 10de:2786\n"),
	GOOD("all functions", "[gpu]\ndevice = 04:00.*\n", "gpu: 0000:04:00.*\n"),
	GOOD("all functions, with ID", "[gpu]\ndevice = 04:00.* 1022:149c\n",
		"gpu: 0000:04:00.*=1022:149c\n"),
	GOOD("path", "[gpu]\ndevice = 00:01.0/00.0\n", "gpu: path 00:01.0/00.0\n"),
	GOOD("path with domain and ID", "[gpu]\ndevice = 0001:00:01.0/00.0 10de:2786\n",
		"gpu: path 0001:00:01.0/00.0=10de:2786\n"),
	GOOD("path to all functions", "[gpu]\ndevice = 00:01.0/00.*\n", "gpu: path 00:01.0/00.*\n"),
	GOOD("several", "[gpu]\ndevice = 01:00.0\ndevice = 01:00.1\n[nic]\ndevice = 8086:1539\n",
		"gpu: 0000:01:00.0, 0000:01:00.1\nnic: 8086:1539\n"),
	WRONG("neither address nor ID", "[gpu]\ndevice = RTX 4070\n",
		"f:2: device = 'RTX 4070'" EXPECT_DEVICE "\n"),
	WRONG("too short an ID", "[gpu]\ndevice = 10de:278\n",
		"f:2: device = '10de:278'" EXPECT_DEVICE "\n"),
	WRONG("a bad ID behind an address", "[gpu]\ndevice = 01:00.0 10de\n",
		"f:2: device = '01:00.0 10de'" EXPECT_DEVICE "\n"),
	WRONG("two addresses", "[gpu]\ndevice = 01:00.0 01:00.1\n",
		"f:2: device = '01:00.0 01:00.1'" EXPECT_DEVICE "\n"),
	WRONG("two addresses, comma", "[gpu]\ndevice = 01:00.0, 01:00.1\n",
		"f:2: device = '01:00.0, 01:00.1'" EXPECT_DEVICE "\n"),
	WRONG("two IDs", "[gpu]\ndevice = 10de:2786 10de:22bc\n",
		"f:2: device = '10de:2786 10de:22bc'" EXPECT_DEVICE "\n"),
	WRONG("ID before the address", "[gpu]\ndevice = 10de:2786 01:00.0\n",
		"f:2: device = '10de:2786 01:00.0'" EXPECT_DEVICE "\n"),
	WRONG("three words", "[gpu]\ndevice = 01:00.0 10de:2786 10de:22bc\n",
		"f:2: device = '01:00.0 10de:2786 10de:22bc'" EXPECT_DEVICE "\n"),
	WRONG("function 8", "[gpu]\ndevice = 01:00.8\n",
		"f:2: device = '01:00.8'" EXPECT_DEVICE "\n"),
	WRONG("commas alone", "[gpu]\ndevice = ,\n", "f:2: device = ','" EXPECT_DEVICE "\n"),
	WRONG("quotes", "[gpu]\ndevice = \"01:00.0\"\n",
		"f:2: device = '\"01:00.0\"'" EXPECT_DEVICE "\n"),
	WRONG("'*' in the middle of a path", "[gpu]\ndevice = 00:01.*/00.0\n",
		"f:2: device = '00:01.*/00.0'" EXPECT_DEVICE "\n"),
	WRONG("no value", "[gpu]\n" DEV "device =\n", "f:3: device has no value\n"),
	WRONG("no value but a comment", "[gpu]\n" DEV "device = # 01:00.1\n",
		"f:3: device has no value\n"),
	WRONG("the same twice", "[gpu]\ndevice = 01:00.0\ndevice = 0000:01:00.0\n",
		"f:3: device = '0000:01:00.0' stands already in line 2: delete one of the two\n"),
	WRONG("the same ID twice", "[gpu]\ndevice = 10de:2786\ndevice = 10DE:2786\n",
		"f:3: device = '10DE:2786' stands already in line 2: delete one of the two\n"),
	WRONG("one place, two IDs",
		"[gpu]\ndevice = 01:00.0 10de:2786\ndevice = 01:00.0 10de:22bc\n",
		"f:3: device = '01:00.0 10de:22bc' contradicts line 2, '01:00.0 10de:2786': keep the one "
		"that is right\n"),
	GOOD("one place in two targets: their profiles may differ",
		"[a]\nprofile = x\n" DEV "[b]\nprofile = y\n" DEV,
		"a: 0000:01:00.0; profile x\nb: 0000:01:00.0; profile y\n"),

	/* isolation */
	GOOD("isolation strict", GPU "isolation = strict\n", GPU_DUMP "\n"),
	GOOD("isolation whole-group", GPU "isolation = whole-group\n", GPU_DUMP "; whole-group\n"),
	GOOD("isolation none", GPU "isolation = none\n", GPU_DUMP "; none\n"),
	GOOD("isolation of [options], and a target's own",
		"[options]\nisolation = none\n" GPU "[b]\ndevice = 1:2:3.4\nisolation = strict\n",
		"isolation none\n" GPU_DUMP "; none\nb: 0001:02:03.4\n"),
	GOOD("[options] behind the targets", GPU "[options]\nisolation = whole-group\n",
		"isolation whole-group\n" GPU_DUMP "; whole-group\n"),
	WRONG("isolation, not a word of it", GPU "isolation = some\n",
		"f:3: isolation = 'some': expected strict, whole-group or none\n"),
	WRONG("values are not alike in '-' and '_'", GPU "isolation = whole_group\n",
		"f:3: isolation = 'whole_group': expected strict, whole-group or none\n"),
	WRONG("values are not alike in case", GPU "isolation = Strict\n",
		"f:3: isolation = 'Strict': expected strict, whole-group or none\n"),
	WRONG("isolation, two words", GPU "isolation = strict none\n",
		"f:3: isolation = 'strict none': expected strict, whole-group or none\n"),
	WRONG("isolation twice", GPU "isolation = none\nisolation = strict\n",
		"f:4: isolation is set a second time in this section: delete one of the two\n"),
	WRONG("isolation in [options], not a word of it", "[options]\nisolation = 1\n",
		"f:2: isolation = '1': expected strict, whole-group or none\n"),
	WRONG("isolation in [options] twice",
		"[options]\nisolation = none\n\n[options]\nisolation = none\n",
		"f:5: isolation is set already in line 2: delete one of the two\n"),
	WRONG("unknown key in [options]", "[options]\ndevice = 01:00.0\nallow = usb\n",
		"f:2: unknown key 'device' in [options]: expected isolation\n"
		"f:3: unknown key 'allow' in [options]: expected isolation\n"),

	/* match, driver */
	GOOD("match all", "[gpu]\ndevice = 10de:2786\nmatch = all\n",
		"gpu: 10de:2786; match all\n"),
	GOOD("match one", "[gpu]\ndevice = 10de:2786\nmatch = one\n",
		"gpu: 10de:2786; match one\n"),
	WRONG("match, not a word of it", GPU "match = 2\n",
		"f:3: match = '2': expected one or all\n"),
	WRONG("match twice", GPU "match = all\nmatch = all\n",
		"f:4: match is set a second time in this section: delete one of the two\n"),
	GOOD("driver auto", GPU "driver = auto\n", GPU_DUMP "; driver auto\n"),
	GOOD("driver vfio-pci", GPU "driver = vfio-pci\n", GPU_DUMP "; driver vfio-pci\n"),
	WRONG("driver, the module's name", GPU "driver = vfio_pci\n",
		"f:3: driver = 'vfio_pci': expected auto or vfio-pci\n"),
	WRONG("another driver", GPU "driver = pci-stub\n",
		"f:3: driver = 'pci-stub': expected auto or vfio-pci\n"),

	/* profile, allow */
	GOOD("profiles, spaces and commas", GPU "profile = gaming, vm\ttry\n",
		GPU_DUMP "; profile gaming; profile vm; profile try\n"),
	GOOD("a profile with '-' and '_'", GPU "profile = a-b_c1\n", GPU_DUMP "; profile a-b_c1\n"),
	WRONG("a profile that starts with a digit", GPU "profile = vm 4k\n",
		"f:3: profile = '4k': expected a letter, then letters, digits, '-' or '_'\n"),
	WRONG("a list of nothing is no value: it would mean every boot", GPU "profile = ,\n",
		"f:3: profile has no value\n"),
	WRONG("profile without a value", GPU "profile =\n", "f:3: profile has no value\n"),
	GOOD("allow, all words",
		GPU "allow = boot-display storage last-usb net-root\n"
		    "allow = reserved-region,network,usb,display\n",
		GPU_DUMP "; allow boot-display; allow storage; allow last-usb; allow net-root; "
			 "allow reserved-region; allow network; allow usb; allow display\n"),
	WRONG("allow, '_'", GPU "allow = boot_display\n",
		"f:3: allow = 'boot_display'" EXPECT_ALLOW "\n"),
	WRONG("allow, one of several", GPU "allow = usb all storage none\n",
		"f:3: allow = 'all'" EXPECT_ALLOW "\nf:3: allow = 'none'" EXPECT_ALLOW "\n"),
	WRONG("allow, a list of nothing", GPU "allow = , ,\n", "f:3: allow has no value\n"),
	WRONG("allow without a value", GPU "allow =\n", "f:3: allow has no value\n"),

	/* keys */
	WRONG("unknown key", GPU "devices = 01:00.1\n",
		"f:3: unknown key 'devices' in [gpu]" EXPECT_KEYS "\n"),
	WRONG("a key's case", GPU "Device = 01:00.1\n",
		"f:3: unknown key 'Device' in [gpu]" EXPECT_KEYS "\n"),
	WRONG("no key", GPU "= 01:00.1\n", "f:3: unknown key '' in [gpu]" EXPECT_KEYS "\n"),
	WRONG("a long key", GPU X50 X10 " = 1\n",
		"f:3: unknown key '" X50 X10 "' in [gpu]" EXPECT_KEYS "\n"),
	WRONG("key before a section", "device = 01:00.0\n" GPU,
		"f:1: 'device' stands before the first [section]: expected [NAME] above it\n"),
	WRONG("neither key nor section", GPU "01:00.1\n",
		"f:3: '01:00.1': expected KEY = VALUE or [TARGET]\n"),
	WRONG("a word alone", GPU "device\n", "f:3: 'device': expected KEY = VALUE or [TARGET]\n"),
	GOOD("no white space", "[gpu]\ndevice=01:00.0\n", GPU_DUMP "\n"),
	WRONG("'=' in the value", "[gpu]\ndevice = = 01:00.0\n",
		"f:2: device = '= 01:00.0'" EXPECT_DEVICE "\n"),

	/* names of targets */
	GOOD("a name of all that it may have", "[gPu-1_x]\n" DEV, "gPu-1_x: 0000:01:00.0\n"),
	GOOD("a name of one letter", "[g]\n" DEV, "g: 0000:01:00.0\n"),
	WRONG("no name", "[]\n" DEV, "f:1: []" EXPECT_NAME "\n"),
	WRONG("a digit first", "[1gpu]\n" DEV, "f:1: [1gpu]" EXPECT_NAME "\n"),
	WRONG("a space in it", "[my gpu]\n" DEV, "f:1: [my gpu]" EXPECT_NAME "\n"),
	WRONG("a space around it", "[ gpu ]\n" DEV, "f:1: [ gpu ]" EXPECT_NAME "\n"),
	WRONG("an address as name", "[01:00.0]\n" DEV, "f:1: [01:00.0]" EXPECT_NAME "\n"),
	WRONG("not ASCII", "[gr\xc3\xbc]\n" DEV, "f:1: [gr\xc3\xbc]" EXPECT_NAME "\n"),
	WRONG("[options] in another case is a slip", "[Options]\nisolation = none\n" GPU,
		"f:1: [Options]: expected [options], in lower case, or another name for a target\n"),
	WRONG("twice in a file", GPU "\n[gpu]\ndevice = 01:00.1\n",
		"f:4: [gpu] stands already at f:1: put its lines there, or rename one\n"),
	GOOD("names differ in case, '-' and '_'",
		"[a-b]\n" DEV "[a_b]\ndevice = 2:0.0\n[A-b]\ndevice = 3:0.0\n",
		"a-b: 0000:01:00.0\na_b: 0000:02:00.0\nA-b: 0000:03:00.0\n"),
	WRONG("no device", "[gpu]\nallow = usb\n",
		"f:1: [gpu] has no device: expected at least one line 'device = ...'\n"),
	WRONG("no line at all", "[gpu]\n",
		"f:1: [gpu] has no device: expected at least one line 'device = ...'\n"),
	WRONG("several without a device", "[a]\n[b]\n[c]\n" DEV "x = 1\n",
		"f:5: unknown key 'x' in [c]" EXPECT_KEYS "\n"
		"f:1: [a] has no device: expected at least one line 'device = ...'\n"
		"f:2: [b] has no device: expected at least one line 'device = ...'\n"),
	WRONG("a device that does not parse is not also a missing one", "[gpu]\ndevice = x\n",
		"f:2: device = 'x'" EXPECT_DEVICE "\n"),

	/* comments */
	GOOD("'#' and ';' behind white space",
		"[gpu] # one\n" DEV "allow = usb ; two\nprofile = a\t# three\n",
		GPU_DUMP "; allow usb; profile a\n"),
	GOOD("a comment without a space", "[gpu] #one\ndevice = 01:00.0 ;two\n", GPU_DUMP "\n"),
	GOOD("the first of two comments counts", "[gpu]\ndevice = 01:00.0 # a ; b # c\n",
		GPU_DUMP "\n"),
	WRONG("'#' inside a word is none", GPU "profile = a#b\n",
		"f:3: profile = 'a#b': expected a letter, then letters, digits, '-' or '_'\n"),
	WRONG("';' inside a word is none", GPU "profile = a;b\n",
		"f:3: profile = 'a;b': expected a letter, then letters, digits, '-' or '_'\n"),
	GOOD("';' inside a comment", "[gpu]\n# 01:00.0; x = y\n" DEV, GPU_DUMP "\n"),
	GOOD("a section in a comment", GPU "# [b]\n;[c]\nallow = usb\n", GPU_DUMP "; allow usb\n"),

	/* what inih would read in its own way */
	WRONG("':' separates", "[gpu]\n" DEV "allow: usb\n",
		"f:3: 'allow: usb': expected KEY = VALUE or [TARGET]\n"),
	WRONG("an address as key", "[gpu]\n" DEV "01:00.1 = 10de:22bc\n",
		"f:3: '01:00.1 = 10de:22bc': expected KEY = VALUE or [TARGET]\n"),
	WRONG("an ID with no key", "[gpu]\n" DEV "10de:22bc\n",
		"f:3: '10de:22bc': expected KEY = VALUE or [TARGET]\n"),
	GOOD("an indented line stands for itself", "[gpu]\n" DEV "  allow = usb\n\tprofile = a\n",
		GPU_DUMP "; allow usb; profile a\n"),
	WRONG("an indented line continues nothing",
		"[gpu]\ndevice = 01:00.0\n\t01:00.1\n    10de:22bc\n",
		"f:3: '01:00.1': expected KEY = VALUE or [TARGET]\n"
		"f:4: '10de:22bc': expected KEY = VALUE or [TARGET]\n"),
	GOOD("an indented section", "  [gpu]\n\tdevice = 01:00.0\n", GPU_DUMP "\n"),
	GOOD("197 characters", GPU "profile = a" X180 "xxxxxx\n",
		GPU_DUMP "; profile a" X180 "xxxxxx\n"),
	WRONG("198 characters", GPU "profile = a" X180 "xxxxxxx\n",
		"f:3: the line has 198 characters: expected at most 197, comment not counted\n"),
	WRONG("a line far too long", GPU "profile = " X180 X180 X180 "\nallow = x\n",
		"f:3: the line has 550 characters: expected at most 197, comment not counted\n"
		"f:4: allow = 'x'" EXPECT_ALLOW "\n"),
	GOOD("a long comment", GPU "allow = usb # " X180 X180 "\n# " X180 X180 X180 "\n",
		GPU_DUMP "; allow usb\n"),
	WRONG("long white space within", GPU "profile =" S50 S50 S50 S50 "a\n",
		"f:3: the line has 210 characters: expected at most 197, comment not counted\n"),
	GOOD("long white space around", S50 S50 S50 S50 "[gpu]" S50 S50 S50 S50 "\n" DEV,
		GPU_DUMP "\n"),
	GOOD("49 characters of a name", "[" X10 X10 X10 X10 "xxxxxxxxx]\n" DEV,
		X10 X10 X10 X10 "xxxxxxxxx: 0000:01:00.0\n"),
	WRONG("50 characters of a name", "[" X50 "]\n" DEV,
		"f:1: [" X50 "]: a target's name has at most 49 characters\n"),
	GOOD("names that differ in the 49th character",
		"[" X10 X10 X10 X10 "xxxxxxxxa]\n" DEV "[" X10 X10 X10 X10
		"xxxxxxxxb]\ndevice = 2:0.0\n",
		X10 X10 X10 X10 "xxxxxxxxa: 0000:01:00.0\n" X10 X10 X10 X10
				"xxxxxxxxb: 0000:02:00.0\n"),
	WRONG("text behind ']'", GPU "[usb] x\n",
		"f:3: '[usb] x': expected nothing behind ']': put it on a line of its own\n"),
	WRONG("no ']'", GPU "[usb\n", "f:3: '[usb': expected ']' at the end\n"),
	WRONG("']' behind a comment", GPU "[usb # ]\n", "f:3: '[usb': expected ']' at the end\n"),
	GOOD("CRLF", "[gpu]\r\ndevice = 01:00.0\r\n\r\nallow = usb\r\n", GPU_DUMP "; allow usb\n"),
	GOOD("BOM", "\xef\xbb\xbf[gpu]\n" DEV, GPU_DUMP "\n"),
	GOOD("BOM and CRLF", "\xef\xbb\xbf[gpu]\r\ndevice = 01:00.0\r\n", GPU_DUMP "\n"),
	GOOD("BOM alone", "\xef\xbb\xbf", ""),
	WRONG("BOM in the middle", GPU "\xef\xbb\xbf[b]\ndevice = 2:0.0\n",
		"f:3: '\xef\xbb\xbf[b]': expected KEY = VALUE or [TARGET]\n"),
	GOOD("no newline at the end", "[gpu]\ndevice = 01:00.0", GPU_DUMP "\n"),
	WRONG("no newline behind a wrong line", GPU "x",
		"f:3: 'x': expected KEY = VALUE or [TARGET]\n"),

	/* all errors in one run */
	WRONG("many", "device = 1\n[gpu]\nx = 1\ndevice = y\nisolation = z\n\n[1]\nallow = w\n" DEV,
		"f:1: 'device' stands before the first [section]: expected [NAME] above it\n"
		"f:3: unknown key 'x' in [gpu]" EXPECT_KEYS "\n"
		"f:4: device = 'y'" EXPECT_DEVICE "\n"
		"f:5: isolation = 'z': expected strict, whole-group or none\n"
		"f:7: [1]" EXPECT_NAME "\n"
		"f:8: allow = 'w'" EXPECT_ALLOW "\n"),
};

static void test_rows(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config c = { 0 };

		test_begin(__FILE__, rows[i].line, rows[i].what);
		EXPECT_INT(config_parse(&c, "f", rows[i].text, strlen(rows[i].text)), 0);
		EXPECT_INT(config_finish(&c), 0);
		expect_config(&c, rows[i].config, rows[i].errors);
		config_free(&c);
		test_end();
	}
}

static void test_lines(void)
{
	static const char text[] =
		"\n[a]\n\ndevice = 1:0.0\n# x\n\n  [b]\ndevice = 2:0.0 # y\ndevice = 3:0.0\n";
	struct config c = { 0 };

	TEST_BEGIN("file, line and text as written");
	EXPECT_INT(config_parse(&c, "dir/f", text, strlen(text)), 0);
	EXPECT_INT(c.n_targets, 2);
	if (c.n_targets == 2 && c.targets[1].n_selectors == 2) {
		EXPECT_STR(c.targets[0].file, "dir/f");
		EXPECT_INT(c.targets[0].line, 2);
		EXPECT_INT(c.targets[1].line, 7);
		EXPECT_STR(c.targets[0].selectors[0].file, "dir/f");
		EXPECT_INT(c.targets[0].selectors[0].line, 4);
		EXPECT_INT(c.targets[1].selectors[0].line, 8);
		EXPECT_INT(c.targets[1].selectors[1].line, 9);
		EXPECT_STR(c.targets[1].selectors[0].text, "2:0.0");
	}
	config_free(&c);
	config_free(&c);
	test_end();
}

/* Text that a string literal cannot hold. */
static void test_bytes(void)
{
	static const char utf16[] = "\xff\xfe[\0g\0p\0u\0]\0\n\0";
	static const char nul[] = GPU "allow = usb\0\n";
	static const char message[] =
		"f: holds a NUL byte: expected a text file (UTF-8; an editor may have saved it as UTF-16)\n";
	struct config c = { 0 };

	TEST_BEGIN("UTF-16");
	EXPECT_INT(config_parse(&c, "f", utf16, sizeof(utf16) - 1), 0);
	expect_config(&c, "", message);
	config_free(&c);
	test_end();

	TEST_BEGIN("NUL in the middle");
	EXPECT_INT(config_parse(&c, "f", nul, sizeof(nul) - 1), 0);
	expect_config(&c, "", message);
	config_free(&c);
	test_end();

	/* Without a NUL behind it: a sanitizer sees a read too far. */
	TEST_BEGIN("text that ends where its memory does");
	{
		static const char text[] = "[gpu]\ndevice = 01:00.0";
		size_t len = strlen(text);
		_cleanup_free_ char *exact = malloc(len);

		EXPECT(exact);
		if (exact) {
			memcpy(exact, text, len);
			EXPECT_INT(config_parse(&c, "f", exact, len), 0);
			EXPECT_INT(config_finish(&c), 0);
			expect_config(&c, GPU_DUMP "\n", "");
		}
	}
	config_free(&c);
	test_end();
}

static void test_many(void)
{
	struct config c = { 0 };
	char *text = strdup("");

	TEST_BEGIN("a thousand targets");
	for (int i = 0; i < 1000; i++)
		text = grow(text, "[t%d]\ndevice = %x:%02x:00.0\n", i, i >> 8, i & 0xff);
	EXPECT_INT(config_parse(&c, "f", text, strlen(text)), 0);
	EXPECT_INT(config_finish(&c), 0);
	EXPECT_INT(c.errors.n, 0);
	EXPECT_INT(c.n_targets, 1000);
	if (c.n_targets == 1000)
		EXPECT_STR(PCI_ADDR(c.targets[999].selectors[0].addr), "0003:e7:00.0");
	config_free(&c);
	free(text);
	test_end();
}

/* --- files --- */

static char root[256];

static char *below(const char *path)
{
	return format("%s/%s", root, path);
}

static void put(const char *path, const char *text)
{
	_cleanup_free_ char *full = below(path);
	_cleanup_fclose_ FILE *f = fopen(full, "we");

	EXPECT(f && fwrite(text, 1, strlen(text), f) == strlen(text));
}

static int unlink_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level ? remove(path) : 0;
}

static void begin(int line, const char *what)
{
	static const char *const dirs[] = { "etc", "etc/vfio-early.conf.d" };

	nftw(root, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
	test_begin(__FILE__, line, what);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		_cleanup_free_ char *full = below(dirs[i]);

		EXPECT_INT(mkdir(full, 0755), 0);
	}
}

#define BEGIN(what) begin(__LINE__, (what))

static void remove_below(const char *path)
{
	_cleanup_free_ char *full = below(path);

	EXPECT_INT(remove(full), 0);
}

/* Loads the machine's configuration below root, expects it, and ends the case. */
static void end_load(const char *dumped, const char *errors)
{
	struct config c = { 0 };

	EXPECT_INT(config_load(root, NULL, &c), 0);
	expect_config(&c, dumped, errors);
	config_free(&c);
	test_end();
}

static void test_dropins(void)
{
	BEGIN("neither main file nor drop-ins");
	remove_below("etc/vfio-early.conf.d");
	end_load("", "");

	BEGIN("no drop-ins");
	put("etc/vfio-early.conf", GPU);
	end_load(GPU_DUMP "\n", "");

	BEGIN("drop-ins alone");
	put("etc/vfio-early.conf.d/gpu.conf", GPU);
	end_load(GPU_DUMP "\n", "");

	BEGIN("main file first, then by name in byte order");
	put("etc/vfio-early.conf", "[m]\n" DEV);
	put("etc/vfio-early.conf.d/b.conf", "[b]\ndevice = 3:0.0\n");
	put("etc/vfio-early.conf.d/a.conf", "[a]\ndevice = 2:0.0\n");
	put("etc/vfio-early.conf.d/B.conf", "[B]\ndevice = 4:0.0\n");
	put("etc/vfio-early.conf.d/10-x.conf", "[x]\ndevice = 5:0.0\n");
	put("etc/vfio-early.conf.d/9-y.conf", "[y]\ndevice = 6:0.0\n");
	end_load("m: 0000:01:00.0\nx: 0000:05:00.0\ny: 0000:06:00.0\nB: 0000:04:00.0\n"
		 "a: 0000:02:00.0\nb: 0000:03:00.0\n",
		"");

	BEGIN("what is no drop-in");
	put("etc/vfio-early.conf.d/a.conf", GPU);
	put("etc/vfio-early.conf.d/.hidden.conf", "x");
	put("etc/vfio-early.conf.d/a.conf~", "x");
	put("etc/vfio-early.conf.d/a.conf.dpkg-old", "x");
	put("etc/vfio-early.conf.d/README", "x");
	put("etc/vfio-early.conf.d/.conf", "x");
	put("etc/vfio-early.conf.d/aconf", "x");
	end_load(GPU_DUMP "\n", "");

	BEGIN("a target twice in two files: both lines are named");
	put("etc/vfio-early.conf", "\n" GPU);
	put("etc/vfio-early.conf.d/a.conf", "[b]\ndevice = 2:0.0\n[gpu]\ndevice = 01:00.1\n");
	end_load("",
		"/etc/vfio-early.conf.d/a.conf:3: [gpu] stands already at /etc/vfio-early.conf:2: put its "
		"lines there, or rename one\n");

	BEGIN("[options]: the later file wins");
	put("etc/vfio-early.conf", "[options]\nisolation = none\n" GPU);
	put("etc/vfio-early.conf.d/a.conf", "[options]\nisolation = strict\n");
	put("etc/vfio-early.conf.d/b.conf", "[options]\nisolation = whole-group\n");
	end_load("isolation whole-group\n" GPU_DUMP "; whole-group\n", "");

	BEGIN("[options]: a later file without a word of it leaves it");
	put("etc/vfio-early.conf", "[options]\nisolation = none\n" GPU);
	put("etc/vfio-early.conf.d/a.conf", "[options]\n");
	end_load("isolation none\n" GPU_DUMP "; none\n", "");
}

static void test_dropin_errors(void)
{
	BEGIN("a section does not reach into the next file");
	put("etc/vfio-early.conf", GPU);
	put("etc/vfio-early.conf.d/a.conf", "allow = usb\n");
	end_load("",
		"/etc/vfio-early.conf.d/a.conf:1: 'allow' stands before the first [section]: expected "
		"[NAME] above it\n");

	BEGIN("errors of all files in one run");
	put("etc/vfio-early.conf", GPU "x = 1\n");
	put("etc/vfio-early.conf.d/a.conf", "[b]\ny = 1\n" DEV);
	end_load("",
		"/etc/vfio-early.conf:3: unknown key 'x' in [gpu]" EXPECT_KEYS "\n"
		"/etc/vfio-early.conf.d/a.conf:2: unknown key 'y' in [b]" EXPECT_KEYS "\n");

	BEGIN("the directory of drop-ins is a file");
	put("etc/vfio-early.conf", GPU);
	remove_below("etc/vfio-early.conf.d");
	put("etc/vfio-early.conf.d", "");
	end_load("", "/etc/vfio-early.conf.d: cannot be read: Not a directory\n");

	BEGIN("the directory of drop-ins is a link to nothing");
	put("etc/vfio-early.conf", GPU);
	remove_below("etc/vfio-early.conf.d");
	{
		_cleanup_free_ char *link = below("etc/vfio-early.conf.d");

		EXPECT_INT(symlink("nothing", link), 0);
	}
	end_load("", "/etc/vfio-early.conf.d: cannot be read: No such file or directory\n");

	BEGIN("the files that were read");
	put("etc/vfio-early.conf", GPU);
	put("etc/vfio-early.conf.d/a.conf", "");
	{
		struct config c = { 0 };

		EXPECT_INT(config_load(root, NULL, &c), 0);
		EXPECT_INT(c.n_files, 2);
		EXPECT_STR(c.n_files > 0 ? c.files[0] : "", "/etc/vfio-early.conf");
		EXPECT_STR(c.n_files > 1 ? c.files[1] : "", "/etc/vfio-early.conf.d/a.conf");
		config_free(&c);
	}
	test_end();
}

/* What stands at the file's place instead: by a drop-in, for which it must be read. */
static void test_odd_files(void)
{
	_cleanup_free_ char *dropin = below("etc/vfio-early.conf.d/a.conf");
	_cleanup_free_ char *main_file = below("etc/vfio-early.conf");
	char *big;

	BEGIN("a directory");
	EXPECT_INT(mkdir(dropin, 0755), 0);
	end_load("", "/etc/vfio-early.conf.d/a.conf: cannot be read: Is a directory\n");

	BEGIN("the main file a directory");
	EXPECT_INT(mkdir(main_file, 0755), 0);
	end_load("", "/etc/vfio-early.conf: cannot be read: Is a directory\n");

	/* Were it opened so that it waits for a writer, this test would never end. */
	BEGIN("a FIFO");
	EXPECT_INT(mkfifo(dropin, 0644), 0);
	end_load("", "/etc/vfio-early.conf.d/a.conf: cannot be read: it is not a regular file\n");

	BEGIN("a device");
	EXPECT_INT(symlink("/dev/zero", dropin), 0);
	end_load("", "/etc/vfio-early.conf.d/a.conf: cannot be read: it is not a regular file\n");

	BEGIN("a link to nothing");
	EXPECT_INT(symlink("nothing", dropin), 0);
	end_load("", "/etc/vfio-early.conf.d/a.conf: cannot be read: No such file or directory\n");

	BEGIN("a link to a file");
	put("etc/vfio-early.conf.d/real", GPU);
	EXPECT_INT(symlink("real", dropin), 0);
	end_load(GPU_DUMP "\n", "");

	BEGIN("a link to itself");
	EXPECT_INT(symlink("a.conf", dropin), 0);
	end_load("",
		"/etc/vfio-early.conf.d/a.conf: cannot be read: Too many levels of symbolic links\n");

	BEGIN("1 MiB and one byte");
	put("etc/vfio-early.conf.d/a.conf", "");
	EXPECT_INT(truncate(dropin, (1 << 20) + 1), 0);
	end_load("",
		"/etc/vfio-early.conf.d/a.conf: cannot be read: it is larger than 1 MiB: not a configuration "
		"of this program\n");

	BEGIN("1 MiB");
	big = malloc((1 << 20) + 1);
	EXPECT(big);
	if (big) {
		memset(big, '\n', 1 << 20);
		memcpy(big, GPU, strlen(GPU));
		big[1 << 20] = '\0';
		put("etc/vfio-early.conf.d/a.conf", big);
	}
	free(big);
	end_load(GPU_DUMP "\n", "");

	BEGIN("a huge hole");
	put("etc/vfio-early.conf.d/a.conf", "");
	EXPECT_INT(truncate(dropin, (off_t)1 << 32), 0);
	end_load("",
		"/etc/vfio-early.conf.d/a.conf: cannot be read: it is larger than 1 MiB: not a configuration "
		"of this program\n");

	/* Root may read it all the same, so this is read as another user. */
	BEGIN("a file that may not be read");
	put("etc/vfio-early.conf", GPU);
	EXPECT_INT(chmod(main_file, 0), 0);
	EXPECT_INT(chmod(root, 0755), 0);
	if (geteuid() == 0)
		EXPECT_INT(seteuid(65534), 0);
	end_load("", "/etc/vfio-early.conf: cannot be read: permission denied: try as root\n");
	EXPECT_INT(seteuid(getuid()), 0);
}

/* @times times the line, each with its number for "%u". */
static char *repeated(const char *before, const char *line, unsigned times)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs(before, out);
	for (unsigned i = 0; i < times; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		fprintf(out, line, i);
#pragma GCC diagnostic pop
	}
	fclose(out);
	return text;
}

/* The last error of a text that repeats itself, and how many there are. */
static void expect_bound(
	const char *before, const char *line, unsigned times, size_t n, const char *last)
{
	_cleanup_free_ char *text = repeated(before, line, times);
	struct config c = { 0 };

	EXPECT_INT(config_parse(&c, "F", text, strlen(text)), 0);
	EXPECT_INT(c.errors.n, n);
	EXPECT_STR(c.errors.n ? c.errors.items[c.errors.n - 1].text : "", last);
	config_free(&c);
	test_end();
}

/* What repeats itself takes neither all of the time nor all of the memory. */
static void test_bounds(void)
{
	BEGIN("errors: fifty are enough");
	expect_bound("", "x%u\n", 50, 50, "F:50: 'x49': expected KEY = VALUE or [TARGET]");
	BEGIN("more errors");
	expect_bound("", "x%u\n", 1000, 51, "F:51: more errors are not told: correct these first");
	BEGIN("the same target over and over");
	expect_bound(
		"", "[gpu]\n", 100000, 51, "F:52: more errors are not told: correct these first");
	BEGIN("as many targets as there may be");
	expect_bound("", "[t%u]\n", 1000, 0, "");
	BEGIN("more targets");
	expect_bound(
		"", "[t%u]\n", 100000, 1, "F:1001: the configuration has more than 1000 targets");
	BEGIN("as many devices as there may be");
	expect_bound("[a]\n", "device = %04x:00:00.0\n", 5000, 0, "");
	BEGIN("more devices");
	expect_bound("[a]\n", "device = %04x:00:00.0\n", 5001, 1,
		"F:5002: the configuration has more than 5000 devices");
}

static void test_one_file(void)
{
	_cleanup_free_ char *path = below("my.conf"), *errors = NULL;
	struct config c = { 0 };

	BEGIN("--config FILE: that file alone, under the name that was given");
	put("etc/vfio-early.conf", "[m]\ndevice = 9:0.0\n");
	put("etc/vfio-early.conf.d/a.conf", "[a]\ndevice = 8:0.0\n");
	put("my.conf", GPU);
	EXPECT_INT(config_load(root, path, &c), 0);
	expect_config(&c, GPU_DUMP "\n", "");
	EXPECT_INT(c.n_files, 1);
	EXPECT_STR(c.n_files == 1 ? c.files[0] : "", path);
	config_free(&c);
	test_end();

	BEGIN("--config FILE: it must be there");
	errors = format("%s: cannot be read: No such file or directory\n", path);
	EXPECT_INT(config_load(root, path, &c), 0);
	expect_config(&c, "", errors);
	config_free(&c);
	test_end();
}

static uint64_t digest(void)
{
	struct config c = { 0 };
	uint64_t v;

	EXPECT_INT(config_load(root, NULL, &c), 0);
	v = c.digest;
	config_free(&c);
	return v;
}

static void test_digest(void)
{
	uint64_t first, second;

	BEGIN("the digest: the same files the same, any other byte another");
	put("etc/vfio-early.conf", GPU);
	put("etc/vfio-early.conf.d/a.conf", "[b]\ndevice = 2:0.0\n");
	first = digest();
	EXPECT(first == digest());
	put("etc/vfio-early.conf.d/a.conf", "[b]\ndevice = 2:0.1\n");
	second = digest();
	EXPECT(first != second);
	put("etc/vfio-early.conf.d/a.conf", "[b]\ndevice = 2:0.0\n");
	EXPECT(first == digest());
	put("etc/vfio-early.conf", GPU "\n");
	EXPECT(first != digest());
	test_end();
}

static void test_files(void)
{
	snprintf(root, sizeof(root), "%s/vfio-early-test-XXXXXX", getenv("TMPDIR") ?: "/tmp");
	if (!mkdtemp(root)) {
		perror(root);
		exit(1);
	}
	test_dropins();
	test_dropin_errors();
	test_odd_files();
	test_one_file();
	test_bounds();
	test_digest();
	nftw(root, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
	rmdir(root);
}

/* --- the documents' examples; the tests run in the tree's top directory --- */

static char *read_text(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char *text = f ? calloc(1, 1 << 16) : NULL;

	if (text && fread(text, 1, (1 << 16) - 1, f) == 0)
		text[0] = '\0';
	return text;
}

static void test_design(void)
{
	struct config c = { 0 };

	TEST_BEGIN("DESIGN.md: the common case");
	EXPECT_INT(config_load("", "tests/unit/data/design-common.conf", &c), 0);
	expect_config(&c, "gpu: 0000:01:00.0=10de:2786, 0000:01:00.1=10de:22bc\n", "");
	config_free(&c);
	test_end();

	TEST_BEGIN("DESIGN.md: the rest of the grammar");
	EXPECT_INT(config_load("", "tests/unit/data/design-grammar.conf", &c), 0);
	expect_config(&c,
		"usb: 1b21:1343, 0000:04:00.*=1022:149c, path 00:01.0/00.0; driver auto; "
		"allow storage; allow usb; profile gaming; profile vm\n",
		"");
	config_free(&c);
	test_end();
}

/* "#key = value" and "#[target]" are commented settings; "# Prose" is prose. */
static bool is_setting(const char *line)
{
	return line[0] == '#' && (line[1] == '[' || (line[1] >= 'a' && line[1] <= 'z'));
}

static void test_example(void)
{
	_cleanup_free_ char *text = read_text("conf/vfio-early.conf"), *plain = NULL;
	char *rest = text, *line;
	struct config c = { 0 };
	size_t settings = 0;

	if (!text) {
		TEST_SKIP("no conf/vfio-early.conf here");
		return;
	}
	TEST_BEGIN("conf/vfio-early.conf as installed: does nothing");
	EXPECT_INT(config_load("", "conf/vfio-early.conf", &c), 0);
	expect_config(&c, "", "");
	config_free(&c);
	test_end();

	TEST_BEGIN("conf/vfio-early.conf uncommented");
	plain = strdup("");
	while ((line = strsep(&rest, "\n"))) {
		settings += is_setting(line);
		plain = grow(plain, "%s\n", is_setting(line) ? line + 1 : line);
	}
	EXPECT(settings > 2);
	EXPECT_INT(config_parse(&c, "conf/vfio-early.conf", plain, strlen(plain)), 0);
	EXPECT_INT(config_finish(&c), 0);
	EXPECT(c.n_targets > 0);
	{
		_cleanup_free_ char *errors = dump_errors(&c);

		EXPECT_STR(errors, "");
	}
	config_free(&c);
	test_end();
}

static void test_words(void)
{
	TEST_BEGIN("names of words");
	EXPECT_STR(allow_name(ALLOW_BOOT_DISPLAY), "boot-display");
	EXPECT_STR(allow_name(ALLOW_DISPLAY), "display");
	EXPECT_STR(isolation_name(ISOLATION_WHOLE_GROUP), "whole-group");
	test_end();
}

static void test_selectors(void)
{
	static const struct {
		int line;
		const char *a, *b;
		bool same;
	} pairs[] = {
		ROW("01:00.0", "0000:01:00.0", true),
		ROW("01:00.0", "01:00.0 10de:2786", true),
		ROW("01:00.0", "01:00.1", false),
		ROW("01:00.0", "01:00.*", false),
		ROW("01:00.*", "01:00.*", true),
		ROW("01:00.0", "00:01.0/00.0", false),
		ROW("00:01.0/00.0", "0000:00:01.0/0.0", true),
		ROW("00:01.0/00.0", "00:01.0/00.*", false),
		ROW("10de:2786", "10DE:2786", true),
		ROW("10de:2786", "10de:22bc", false),
		ROW("10de:2786", "01:00.0 10de:2786", false),
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct selector a = { 0 }, b = { 0 };

		test_begin(__FILE__, pairs[i].line, pairs[i].b);
		EXPECT_INT(selector_parse(pairs[i].a, &a), 0);
		EXPECT_INT(selector_parse(pairs[i].b, &b), 0);
		EXPECT_INT(selector_same_place(&a, &b), pairs[i].same);
		EXPECT_INT(selector_same_place(&b, &a), pairs[i].same);
		selector_free(&a);
		selector_free(&b);
		test_end();
	}
}

int main(void)
{
	test_rows();
	test_lines();
	test_bytes();
	test_many();
	test_files();
	test_design();
	test_example();
	test_words();
	test_selectors();
	return test_summary();
}
