/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <sys/stat.h>

#include <ini.h>
#include <lzma.h>

#include "config.h"
#include "sysfs.h"

/* A configuration of a few lines; what is larger than this is something else by mistake. */
#define FILE_MAX ((size_t)1 << 20)
/* Behind these, inih cuts without a word (INI_MAX_LINE less "\r\n\0", MAX_SECTION less "\0"). */
#define LINE_MAX_INIH    197
#define SECTION_MAX_INIH 49

/* Ten times what the largest machine needs. Without a bound, a file of 1 MiB that repeats itself
 * takes all the time and memory there is. */
#define TARGETS_MAX 1000
#define DEVICES_MAX 5000
#define ERRORS_MAX  50

#define LIST_SEPARATORS " \t,"

static const char device_expected[] =
	"expected a PCI address (0000:01:00.0, or 01:00.* for all its functions) or a topology path "
	"(00:01.0/00.0), either followed by the ID that must be found there, or an ID alone (10de:2786)";

struct word {
	const char *word;
	unsigned value;
};

static const struct word isolation_words[] = {
	{ "strict", ISOLATION_STRICT },
	{ "whole-group", ISOLATION_WHOLE_GROUP },
	{ "none", ISOLATION_NONE },
};

static const struct word match_words[] = {
	{ "one", MATCH_ONE },
	{ "all", MATCH_ALL },
};

static const struct word driver_words[] = {
	{ "auto", DRIVER_AUTO },
	{ "vfio-pci", DRIVER_VFIO_PCI },
};

static const struct word allow_words[] = {
	{ "boot-display", ALLOW_BOOT_DISPLAY },
	{ "storage", ALLOW_STORAGE },
	{ "last-usb", ALLOW_LAST_USB },
	{ "net-root", ALLOW_NET_ROOT },
	{ "reserved-region", ALLOW_RESERVED_REGION },
	{ "network", ALLOW_NETWORK },
	{ "usb", ALLOW_USB },
	{ "display", ALLOW_DISPLAY },
};

struct parser {
	struct config *config;
	const char *file;
	const char *pos;
	const char *end;
	unsigned line;
	const char *key; /* as it was written */
	bool in_section;
	bool in_options;
	unsigned options_line; /* where this file set isolation in [options] */
	bool stopped;          /* at one of the bounds: the rest is not read */
	int r;                 /* first -ENOMEM */
};

static _printf_(3, 4) void error_at(struct parser *p, unsigned line, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;
	bool last;
	int r;

	if (p->config->errors.n > ERRORS_MAX)
		return;
	last = p->config->errors.n == ERRORS_MAX;
	p->stopped |= last;
	va_start(ap, fmt);
	text = last ? format("more errors are not told: correct these first") : vformat(fmt, ap);
	va_end(ap);
	if (!text) {
		p->r = -ENOMEM;
		return;
	}
	if (line)
		r = finding_add(&p->config->errors, SEVERITY_ERROR, "config-error", NULL, NULL,
			"%s:%u: %s", p->file, line, text);
	else
		r = finding_add(&p->config->errors, SEVERITY_ERROR, "config-error", NULL, NULL,
			"%s: %s", p->file, text);
	if (r < 0)
		p->r = r;
}

static const struct word *word_find(const struct word *words, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (streq(words[i].word, s))
			return &words[i];
	return NULL;
}

/* "strict, whole-group or none", for messages. */
static const char *word_list(const struct word *words, size_t n, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < n && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%s",
			i == 0               ? ""
				: i == n - 1 ? " or "
					     : ", ",
			words[i].word);
	return buf;
}

static bool name_valid(const char *s)
{
	if (!isalpha((unsigned char)*s))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '-' && *s != '_')
			return false;
	return true;
}

/* The next word of a list in *@s, cut out in place; NULL at its end. */
static char *next_word(char **s)
{
	char *w;

	do
		w = strsep(s, LIST_SEPARATORS);
	while (w && !*w);
	return w;
}

int selector_parse(const char *text, struct selector *ret)
{
	_cleanup_free_ char *copy = strdup(text);
	struct selector s = { 0 };
	char *rest = copy, *first, *id, *more;
	int r;

	if (!copy)
		return -ENOMEM;
	first = next_word(&rest);
	id = next_word(&rest);
	more = next_word(&rest);
	if (!first || more)
		return -EINVAL;

	if (strchr(first, '/')) {
		s.kind = SELECT_PATH;
		r = pci_path_parse(first, &s.path, &s.all_functions);
	} else if (strchr(first, '.')) {
		s.kind = SELECT_ADDRESS;
		r = pci_addr_parse(first, &s.addr, &s.all_functions);
	} else if (!id) {
		s.kind = SELECT_ID;
		id = first;
		r = 0;
	} else {
		r = -EINVAL;
	}
	if (r < 0)
		return -EINVAL;
	if (id) {
		s.has_id = true;
		if (pci_id_parse(id, &s.id) < 0)
			return -EINVAL;
	}
	s.text = strdup(text);
	if (!s.text)
		return -ENOMEM;
	*ret = s;
	return 0;
}

void selector_free(struct selector *s)
{
	free(s->text);
	free(s->file);
}

bool selector_same_place(const struct selector *a, const struct selector *b)
{
	if (a->kind != b->kind || a->all_functions != b->all_functions)
		return false;
	switch (a->kind) {
	case SELECT_ADDRESS:
		return pci_addr_cmp(a->addr, b->addr) == 0;
	case SELECT_PATH:
		return pci_path_equal(&a->path, &b->path, false);
	case SELECT_ID:
		return pci_id_equal(a->id, b->id);
	}
	return false;
}

static void set_device(struct parser *p, struct target *t, const char *value)
{
	struct selector s, *place;
	int r;

	t->has_device_line = true;
	if (++p->config->n_device_lines > DEVICES_MAX) {
		error_at(p, p->line, "the configuration has more than %d devices", DEVICES_MAX);
		p->stopped = true;
		return;
	}
	r = selector_parse(value, &s);
	if (r == -EINVAL) {
		error_at(p, p->line, "device = '%s': %s", value, device_expected);
		return;
	}
	if (r < 0) {
		p->r = r;
		return;
	}
	s.line = p->line;
	s.file = strdup(p->file);
	for (size_t i = 0; i < t->n_selectors; i++) {
		const struct selector *other = &t->selectors[i];

		if (!selector_same_place(other, &s))
			continue;
		if (s.has_id != other->has_id || (s.has_id && !pci_id_equal(s.id, other->id)))
			error_at(p, p->line,
				"device = '%s' contradicts line %u, '%s': keep the one that is right",
				value, other->line, other->text);
		else
			error_at(p, p->line,
				"device = '%s' stands already in line %u: delete one of the two",
				value, other->line);
	}
	place = array_add(&t->selectors, &t->n_selectors, sizeof(s));
	if (!place || !s.file) {
		if (place)
			t->n_selectors--;
		selector_free(&s);
		p->r = -ENOMEM;
		return;
	}
	*place = s;
}

static void set_word(struct parser *p, const char *key, const char *value, const struct word *words,
	size_t n, unsigned *ret)
{
	const struct word *w = word_find(words, n, value);
	char list[160];

	if (!w)
		error_at(p, p->line, "%s = '%s': expected %s", key, value,
			word_list(words, n, list, sizeof(list)));
	else if (*ret)
		error_at(p, p->line,
			"%s is set a second time in this section: delete one of the two", key);
	else
		*ret = w->value;
}

static void set_allow(struct parser *p, struct target *t, char *value)
{
	char list[160], *w;

	if (strspn(value, LIST_SEPARATORS) == strlen(value))
		error_at(p, p->line, "allow has no value");
	while ((w = next_word(&value))) {
		const struct word *known = word_find(allow_words, ARRAY_SIZE(allow_words), w);

		if (known)
			t->allow |= known->value;
		else
			error_at(p, p->line, "allow = '%s': expected %s", w,
				word_list(
					allow_words, ARRAY_SIZE(allow_words), list, sizeof(list)));
	}
}

static void set_profile(struct parser *p, struct target *t, char *value)
{
	char *w;

	/* An empty list would mean every boot. */
	if (strspn(value, LIST_SEPARATORS) == strlen(value))
		error_at(p, p->line, "profile has no value");
	while ((w = next_word(&value))) {
		char *copy, **place;

		if (!name_valid(w)) {
			error_at(p, p->line,
				"profile = '%s': expected a letter, then letters, digits, '-' or '_'",
				w);
			continue;
		}
		copy = strdup(w);
		place = copy ? array_add(&t->profiles, &t->n_profiles, sizeof(*place)) : NULL;
		if (!place) {
			free(copy);
			p->r = -ENOMEM;
			return;
		}
		*place = copy;
	}
}

static void set_target_key(struct parser *p, struct target *t, const char *key, char *value)
{
	if (streq(key, "device"))
		set_device(p, t, value);
	else if (streq(key, "isolation"))
		set_word(
			p, key, value, isolation_words, ARRAY_SIZE(isolation_words), &t->isolation);
	else if (streq(key, "match"))
		set_word(p, key, value, match_words, ARRAY_SIZE(match_words), &t->match);
	else if (streq(key, "driver"))
		set_word(p, key, value, driver_words, ARRAY_SIZE(driver_words), &t->driver);
	else if (streq(key, "allow"))
		set_allow(p, t, value);
	else if (streq(key, "profile"))
		set_profile(p, t, value);
	else
		error_at(p, p->line,
			"unknown key '%s' in [%s]: expected device, isolation, match, profile, allow or driver",
			p->key, t->name);
}

/* In [options] the later file wins, but within one file a second line is a slip. */
static void set_option(struct parser *p, const char *key, const char *value)
{
	unsigned isolation = ISOLATION_UNSET;

	if (!streq(key, "isolation")) {
		error_at(p, p->line, "unknown key '%s' in [options]: expected isolation", p->key);
		return;
	}
	if (p->options_line)
		error_at(p, p->line, "isolation is set already in line %u: delete one of the two",
			p->options_line);
	p->options_line = p->line;
	set_word(p, key, value, isolation_words, ARRAY_SIZE(isolation_words), &isolation);
	p->config->isolation = isolation;
}

/* inih calls this for each key; which section it is in, our reader has seen already. */
static int on_key(void *user, const char *section, const char *name, const char *value)
{
	struct parser *p = user;
	_cleanup_free_ char *key = strdup(name), *val = strdup(value);

	(void)section;
	if (!key || !val) {
		p->r = -ENOMEM;
		return 0;
	}
	for (char *c = key; *c; c++)
		if (*c == '_')
			*c = '-';
	p->key = name;
	if (!p->in_section)
		error_at(p, p->line,
			"'%s' stands before the first [section]: expected [NAME] above it", name);
	else if (!*val)
		error_at(p, p->line, "%s has no value", name);
	else if (p->in_options)
		set_option(p, key, val);
	else
		set_target_key(p, &p->config->targets[p->config->n_targets - 1], key, val);
	return 1;
}

static void check_name(struct parser *p, const char *name)
{
	const struct config *c = p->config;

	if (strcasecmp(name, "options") == 0)
		error_at(p, p->line,
			"[%s]: expected [options], in lower case, or another name for a target",
			name);
	else if (!name_valid(name))
		error_at(p, p->line,
			"[%s]: expected a target's name: a letter, then letters, digits, '-' or '_'",
			name);
	else if (strlen(name) > SECTION_MAX_INIH)
		error_at(p, p->line, "[%s]: a target's name has at most %d characters", name,
			SECTION_MAX_INIH);
	for (size_t i = 0; i < c->n_targets; i++) {
		if (!streq(c->targets[i].name, name))
			continue;
		error_at(p, p->line,
			"[%s] stands already at %s:%u: put its lines there, or rename one", name,
			c->targets[i].file, c->targets[i].line);
		return;
	}
}

/* A section with a bad name is read on, so that its own errors are told in the same run. */
static void open_section(struct parser *p, const char *name, bool check)
{
	struct config *c = p->config;
	struct target *t;

	p->in_section = true;
	p->in_options = streq(name, "options");
	if (p->in_options)
		return;
	if (check)
		check_name(p, name);
	if (c->n_targets == TARGETS_MAX) {
		error_at(p, p->line, "the configuration has more than %d targets", TARGETS_MAX);
		p->stopped = true;
		p->in_section = false;
		return;
	}
	t = array_add(&c->targets, &c->n_targets, sizeof(*t));
	if (!t) {
		p->r = -ENOMEM;
		p->in_section = false;
		return;
	}
	t->name = strdup(name);
	t->file = strdup(p->file);
	t->line = p->line;
	if (!t->name || !t->file) {
		free(t->name);
		free(t->file);
		c->n_targets--;
		p->r = -ENOMEM;
		p->in_section = false;
	}
}

/* Cuts a comment ('#' or ';' at the start or after white space) and white space at both ends. */
static char *strip(char *s)
{
	char *end;

	for (char *c = s; *c; c++)
		if ((*c == '#' || *c == ';') && (c == s || isspace((unsigned char)c[-1]))) {
			*c = '\0';
			break;
		}
	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return s;
}

/* A "[NAME]" line. One that is in error opens its section nevertheless, so that the lines below it
 * are not taken for another's. */
static void read_section(struct parser *p, char *s)
{
	char *name = s + 1, *close = strchr(s, ']');

	if (!close)
		error_at(p, p->line, "'%s': expected ']' at the end", s);
	else if (close[1])
		error_at(p, p->line,
			"'%s': expected nothing behind ']': put it on a line of its own", s);
	if (close)
		*close = '\0';
	open_section(p, name, close != NULL);
	/* What was meant for a device, or for [options]: one message is enough. */
	if (p->in_section && !p->in_options &&
		(!close || close[1] || strcasecmp(name, "options") == 0))
		p->config->targets[p->config->n_targets - 1].has_device_line = true;
}

/* Judges what inih would read wrongly without a word. Whether the line may go on to inih. */
static bool line_acceptable(struct parser *p, char *s)
{
	char *equals, *colon;

	if (strlen(s) > LINE_MAX_INIH) {
		error_at(p, p->line,
			"the line has %zu characters: expected at most %d, comment not counted",
			strlen(s), LINE_MAX_INIH);
		return false;
	}
	if (*s == '[') {
		read_section(p, s);
		return false;
	}
	equals = strchr(s, '=');
	colon = strchr(s, ':');
	if (*s && (!equals || (colon && colon < equals))) {
		error_at(p, p->line, "'%s': expected KEY = VALUE or [TARGET]", s);
		return false;
	}
	return *s != '\0';
}

/* inih's reader: hands out line by line what is fit for it, an empty line for the rest. Lines that
 * inih would take as a continuation lose their indentation, so that each stands for itself. */
static char *next_line(char *buf, int size, void *user)
{
	struct parser *p = user;
	_cleanup_free_ char *line = NULL;
	const char *eol;
	char *s;

	if (p->pos == p->end || p->stopped || p->r < 0)
		return NULL;
	eol = memchr(p->pos, '\n', (size_t)(p->end - p->pos));
	line = strndup(p->pos, (size_t)((eol ? eol : p->end) - p->pos));
	p->pos = eol ? eol + 1 : p->end;
	p->line++;
	if (!line) {
		p->r = -ENOMEM;
		return NULL;
	}
	s = strip(line);
	if (!line_acceptable(p, s)) {
		/* It may have been meant for a device: one message is enough. */
		if (*s && *s != '[' && p->in_section && !p->in_options)
			p->config->targets[p->config->n_targets - 1].has_device_line = true;
		s = (char *)"";
	}
	snprintf(buf, (size_t)size, "%s\n", s);
	return buf;
}

/* A file whose lines end in CR alone would be one line, and a comment all of it. */
static bool has_lone_return(const char *text, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++)
		if (text[i] == '\r' && text[i + 1] != '\n')
			return true;
	return false;
}

int config_parse(struct config *c, const char *name, const char *text, size_t len)
{
	struct parser p = { .config = c, .file = name, .pos = text, .end = text + len };
	size_t n_errors = c->errors.n;
	int r;

	if (memchr(text, '\0', len)) {
		error_at(&p, 0,
			"holds a NUL byte: expected a text file (UTF-8; an editor may have saved it as UTF-16)");
		return p.r;
	}
	if (has_lone_return(text, len)) {
		error_at(&p, 0,
			"holds a carriage return within a line: expected lines that end in LF, or in CR LF");
		return p.r;
	}
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		p.pos += 3; /* the byte order mark that some editors put first */
	c->digest = lzma_crc64((const uint8_t *)text, len, c->digest);
	r = ini_parse_stream(next_line, &p, on_key, &p);
	if (p.r < 0)
		return p.r;
	if (r < -1)
		return -ENOMEM;
	if (r != 0 && c->errors.n == n_errors)
		error_at(&p, r > 0 ? (unsigned)r : 0, "the INI parser rejects this line");
	return p.r;
}

int config_finish(struct config *c)
{
	if (c->isolation == ISOLATION_UNSET)
		c->isolation = ISOLATION_STRICT;
	for (size_t i = 0; i < c->n_targets; i++) {
		struct target *t = &c->targets[i];
		struct parser p = { .config = c, .file = t->file };

		if (!t->has_device_line)
			error_at(&p, t->line,
				"[%s] has no device: expected at least one line 'device = ...'",
				t->name);
		if (p.r < 0)
			return p.r;
		if (t->isolation == ISOLATION_UNSET)
			t->isolation = c->isolation;
	}
	return 0;
}

static const char *load_error(int r)
{
	switch (r) {
	case -EACCES:
		return "permission denied: try as root";
	case -EFBIG:
		return "it is larger than 1 MiB: not a configuration of this program";
	default:
		return read_error(r);
	}
}

static int load_one(struct config *c, const char *path, const char *name, bool required)
{
	struct parser p = { .config = c, .file = name };
	_cleanup_free_ char *text = NULL;
	struct stat st;
	char **place;
	size_t len = 0;
	int r;

	r = file_read(path, FILE_MAX, &text, &len);
	if (r == -ENOMEM)
		return r;
	/* A link that leads nowhere is there, and meant to lead somewhere. */
	if (r == -ENOENT && !required && lstat(path, &st) < 0)
		return 0;
	place = array_add(&c->files, &c->n_files, sizeof(*place));
	if (!place || !(*place = strdup(name))) {
		c->n_files -= place != NULL;
		return -ENOMEM;
	}
	if (r < 0) {
		error_at(&p, 0, "cannot be read: %s", load_error(r));
		return p.r;
	}
	return config_parse(c, name, text, len);
}

static int is_dropin(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 && streq(d->d_name + n - 5, ".conf");
}

/* Not alphasort(), which goes by the locale: the order must be the same in the image. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_dropins(struct config *c, const char *root)
{
	_cleanup_free_ char *dir = format("%s" CONFIG_DROPINS, root);
	struct dirent **entries = NULL;
	struct stat st;
	int n, r = 0;

	if (!dir)
		return -ENOMEM;
	n = scandir(dir, &entries, is_dropin, by_name);
	if (n < 0) {
		struct parser p = { .config = c, .file = CONFIG_DROPINS };

		r = -errno;
		if (r == -ENOENT && lstat(dir, &st) < 0)
			return 0;
		if (r == -ENOMEM)
			return r;
		error_at(&p, 0, "cannot be read: %s", strerror(-r));
		return p.r;
	}
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *path = format("%s/%s", dir, entries[i]->d_name);
		_cleanup_free_ char *name = format(CONFIG_DROPINS "/%s", entries[i]->d_name);

		if (r == 0)
			r = path && name ? load_one(c, path, name, true) : -ENOMEM;
		free(entries[i]);
	}
	free(entries);
	return r;
}

int config_load(const char *root, const char *file, struct config *ret)
{
	_cleanup_(config_free) struct config c = { 0 };
	_cleanup_free_ char *path = NULL;
	int r;

	if (file) {
		r = load_one(&c, file, file, true);
	} else {
		path = format("%s" CONFIG_FILE, root);
		if (!path)
			return -ENOMEM;
		r = load_one(&c, path, CONFIG_FILE, false);
		if (r == 0)
			r = load_dropins(&c, root);
	}
	if (r == 0)
		r = config_finish(&c);
	if (r < 0)
		return r;
	*ret = c;
	c = (struct config){ 0 };
	return 0;
}

static void target_free(struct target *t)
{
	for (size_t i = 0; i < t->n_selectors; i++)
		selector_free(&t->selectors[i]);
	for (size_t i = 0; i < t->n_profiles; i++)
		free(t->profiles[i]);
	free(t->selectors);
	free(t->profiles);
	free(t->name);
	free(t->file);
}

void config_free(struct config *c)
{
	for (size_t i = 0; i < c->n_targets; i++)
		target_free(&c->targets[i]);
	for (size_t i = 0; i < c->n_files; i++)
		free(c->files[i]);
	free(c->targets);
	free(c->files);
	findings_free(&c->errors);
	*c = (struct config){ 0 };
}

const char *allow_name(enum allow bit)
{
	for (size_t i = 0; i < ARRAY_SIZE(allow_words); i++)
		if (allow_words[i].value == bit)
			return allow_words[i].word;
	return "?";
}

const char *isolation_name(enum isolation isolation)
{
	for (size_t i = 0; i < ARRAY_SIZE(isolation_words); i++)
		if (isolation_words[i].value == isolation)
			return isolation_words[i].word;
	return "?";
}
