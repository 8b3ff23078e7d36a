/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configuration files; a line "%%" ends one and begins the next. What is in error says where; what
 * is not is all there, and says the same when it is written differently. */
#include <ctype.h>
#include <sys/mman.h>

#include "fuzz.h"
#include "config.h"

#define SEPARATOR "\n%%\n"
#define LINE_MAX  197
/* With the one that says that there are more. */
#define ERRORS_MAX 51

struct text {
	char *s;
	size_t n;
};

static void parse_text(struct config *c, const char *text, size_t len)
{
	const char *end = text + len, *part = text;
	unsigned n = 0;

	*c = (struct config){ 0 };
	for (;;) {
		const char *next = memmem(part, (size_t)(end - part), SEPARATOR, strlen(SEPARATOR));
		_cleanup_free_ char *name = format("%u.conf", n++);

		EXPECT(name);
		EXPECT(config_parse(c, name, part, (size_t)((next ? next + 1 : end) - part)) == 0);
		if (!next)
			break;
		part = next + strlen(SEPARATOR);
	}
	EXPECT(config_finish(c) == 0);
}

/* --- what is in error --- */

/* "FILE:LINE: TEXT", or "FILE: TEXT" of the whole of it. */
static void check_error(const struct finding *f, size_t lines)
{
	const char *colon = strchr(f->text, ':');
	unsigned file, line;
	int end = 0;

	EXPECT(f->severity == SEVERITY_ERROR && streq(f->id, "config-error"));
	EXPECT(is_tame(f->text) && colon);
	EXPECT(sscanf(f->text, "%u.conf:%n", &file, &end) == 1 && end);
	if (f->text[end] == ' ') {
		EXPECT(skip_prefix(f->text + end, " holds a ") ||
			skip_prefix(f->text + end, " more errors are not told"));
		return;
	}
	EXPECT(sscanf(f->text + end, "%u: %n", &line, &end) == 1 && line > 0 && line <= lines);
}

/* --- what is not --- */

static bool valid_name(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return strspn(s, letters) && strlen(s) < 50 && strcasecmp(s, "options") != 0 &&
		s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")] ==
		'\0';
}

static void check_target(const struct config *c, const struct target *t)
{
	EXPECT(valid_name(t->name) && t->line && t->n_selectors && t->has_device_line);
	EXPECT(t->isolation != ISOLATION_UNSET && !(t->allow & ~0xffU));
	for (const struct target *o = c->targets; o < t; o++)
		EXPECT(!streq(o->name, t->name));
	for (size_t i = 0; i < t->n_profiles; i++)
		EXPECT(*t->profiles[i] && !strpbrk(t->profiles[i], " \t,"));
	for (size_t i = 0; i < t->n_selectors; i++) {
		const struct selector *s = &t->selectors[i];
		struct selector again;

		EXPECT(s->line > t->line && streq(s->file, t->file));
		EXPECT(selector_parse(s->text, &again) == 0 && selector_same_place(s, &again));
		for (size_t j = 0; j < i; j++)
			EXPECT(!selector_same_place(s, &t->selectors[j]));
		selector_free(&again);
	}
}

static bool is_key(const char *line, const char *key)
{
	const char *rest = skip_prefix(line, key);

	return rest && rest[strspn(rest, " \t\v\f\r")] == '=';
}

/* No line is lost, nor taken for another's: inih is known to do both. */
static void check_lines(const struct config *c, const char *text, size_t len)
{
	size_t sections = 0, devices = 0, found = 0;

	for (const char *s = text, *end = text + len, *eol; s < end; s = eol + 1) {
		eol = memchr(s, '\n', (size_t)(end - s)) ?: end;
		if (s == text && len >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
			s += 3;
		while (s < eol && isspace((unsigned char)*s))
			s++;
		_cleanup_free_ char *line = strndup(s, (size_t)(eol - s));

		EXPECT(line);
		sections += *line == '[' && strncmp(line, "[options]", 9) != 0;
		devices += is_key(line, "device");
	}
	for (size_t i = 0; i < c->n_targets; i++)
		found += c->targets[i].n_selectors;
	EXPECT(sections == c->n_targets && devices == found);
}

static bool too_long(const char *text, size_t len)
{
	for (const char *s = text, *end = text + len, *eol; s < end; s = eol + 1) {
		eol = memchr(s, '\n', (size_t)(end - s)) ?: end;
		if (eol - s > LINE_MAX && !memchr(s, '#', (size_t)(eol - s)) &&
			!memchr(s, ';', (size_t)(eol - s)) && !isspace((unsigned char)*s) &&
			!isspace((unsigned char)eol[-1]))
			return true;
	}
	return false;
}

/* --- the same, written differently --- */

static void expect_same(const struct config *a, const struct config *b)
{
	EXPECT(a->n_targets == b->n_targets && a->errors.n == b->errors.n);
	EXPECT(a->isolation == b->isolation);
	for (size_t i = 0; i < a->n_targets; i++) {
		const struct target *t = &a->targets[i], *u = &b->targets[i];

		EXPECT(streq(t->name, u->name) && t->isolation == u->isolation);
		EXPECT(t->match == u->match && t->driver == u->driver && t->allow == u->allow);
		EXPECT(t->n_profiles == u->n_profiles && t->n_selectors == u->n_selectors);
		for (size_t j = 0; j < t->n_profiles; j++)
			EXPECT(streq(t->profiles[j], u->profiles[j]));
		for (size_t j = 0; j < t->n_selectors; j++) {
			EXPECT(selector_same_place(&t->selectors[j], &u->selectors[j]));
			EXPECT(t->selectors[j].has_id == u->selectors[j].has_id);
			EXPECT(!t->selectors[j].has_id ||
				pci_id_equal(t->selectors[j].id, u->selectors[j].id));
		}
	}
}

static void write_selector(const struct selector *s, FILE *out)
{
	char buf[PCI_PATH_LEN] = "";

	if (s->kind == SELECT_ADDRESS)
		pci_addr_format(s->addr, buf);
	else if (s->kind == SELECT_PATH)
		pci_path_format(&s->path, buf);
	if (s->all_functions)
		buf[strlen(buf) - 1] = '*';
	fprintf(out, "device = %s%s%s\n", buf, *buf && s->has_id ? " " : "",
		s->has_id ? PCI_ID(s->id) : "");
}

static void write_config(const struct config *c, FILE *out)
{
	fprintf(out, "[options]\nisolation = %s\n", isolation_name(c->isolation));
	for (size_t i = 0; i < c->n_targets; i++) {
		const struct target *t = &c->targets[i];

		fprintf(out, "[%s]\nisolation = %s\n", t->name, isolation_name(t->isolation));
		if (t->match)
			fprintf(out, "match = %s\n", t->match == MATCH_ALL ? "all" : "one");
		if (t->driver)
			fprintf(out, "driver = %s\n",
				t->driver == DRIVER_AUTO ? "auto" : "vfio-pci");
		for (unsigned bit = 1; bit <= ALLOW_DISPLAY; bit <<= 1)
			if (t->allow & bit)
				fprintf(out, "allow = %s\n", allow_name((enum allow)bit));
		for (size_t j = 0; j < t->n_profiles; j++)
			fprintf(out, "profile = %s\n", t->profiles[j]);
		for (size_t j = 0; j < t->n_selectors; j++)
			write_selector(&t->selectors[j], out);
	}
}

static void check_written(const struct config *c)
{
	struct config again;
	struct text text;
	FILE *out = open_memstream(&text.s, &text.n);

	EXPECT(out);
	write_config(c, out);
	EXPECT(fclose(out) == 0);
	parse_text(&again, text.s, text.n);
	expect_same(c, &again);
	config_free(&again);
	free(text.s);
}

/* With @before each line and @behind it, but for the lines that end a file. */
static void check_decorated(const struct config *c, const char *data, size_t len,
	const char *before, const char *behind)
{
	const char *end = data + len;
	struct config again;
	struct text text;
	FILE *out = open_memstream(&text.s, &text.n);

	EXPECT(out);
	for (const char *s = data, *eol; s < end; s = eol + 1) {
		eol = memchr(s, '\n', (size_t)(end - s)) ?: end;
		if (eol - s == 2 && memcmp(s, "%%", 2) == 0)
			fprintf(out, "%%%%\n");
		else
			fprintf(out, "%s%.*s%s\n", before, (int)(eol - s), s, behind);
	}
	EXPECT(fclose(out) == 0);
	parse_text(&again, text.s, text.n);
	expect_same(c, &again);
	config_free(&again);
	free(text.s);
}

/* From a file, by its name. */
static void check_loaded(const struct config *c, const char *text, size_t len)
{
	int fd = memfd_create("config", MFD_CLOEXEC);
	_cleanup_free_ char *path = format("/proc/self/fd/%d", fd);
	struct config loaded;

	EXPECT(fd >= 0 && path && write(fd, text, len) == (ssize_t)len);
	EXPECT(config_load("", path, &loaded) == 0);
	expect_same(c, &loaded);
	EXPECT(loaded.digest == c->digest && loaded.n_files == 1);
	config_free(&loaded);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_free_ char *text = malloc(len + 1);
	bool bom = memmem(data, len, "\xef\xbb\xbf", 3);
	size_t lines = 1;
	struct config c;

	EXPECT(text);
	memcpy(text, data, len);
	text[len] = '\0';
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	parse_text(&c, text, len);
	for (size_t i = 0; i < c.errors.n; i++)
		check_error(&c.errors.items[i], lines);
	EXPECT(c.errors.n <= ERRORS_MAX && (c.errors.n || !too_long(text, len)));
	if (!memmem(text, len, SEPARATOR, strlen(SEPARATOR)))
		check_loaded(&c, text, len);
	if (c.errors.n == 0) {
		for (size_t i = 0; i < c.n_targets; i++)
			check_target(&c, &c.targets[i]);
		check_lines(&c, text, len);
		check_written(&c);
		if (!bom)
			check_decorated(&c, text, len, " \t", "");
		if (!memchr(text, '\r', len)) {
			check_decorated(&c, text, len, "", " # [x] = ;");
			check_decorated(&c, text, len, "", "\r");
		}
	}
	config_free(&c);
	return 0;
}
