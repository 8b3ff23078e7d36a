/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What we write of other people's text: a comment stays a comment, a JSON string one string. */
#include <inttypes.h>

#include "fuzz.h"
#include "config.h"
#include "ini_text.h"
#include "json.h"

/* --- comments --- */

/* Words and what stands between, but for where a line ends. */
static void check_words(const char *comment, const char *text)
{
	for (const char *s = comment + 1; *text; text++) {
		char expected = (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text;

		if (*text == ' ' && s[0] == '\n')
			s += strlen("\n#   ");
		else if (*text == ' ')
			EXPECT(*s++ == ' ');
		else
			EXPECT(*s++ == expected);
	}
}

static void check_comment(const char *text)
{
	char *comment = NULL;
	size_t size;
	FILE *out = open_memstream(&comment, &size);
	struct config c = { 0 };

	EXPECT(out);
	ini_comment(out, "#", "#   ", "%s", text);
	EXPECT(fclose(out) == 0);
	for (char *s = comment, *line; (line = strsep(&s, "\n"));) {
		size_t columns = 0;

		EXPECT(is_tame(line) && (*line == '#' || (!s && !*line)));
		for (char *p = line; *p; p++)
			columns += !ini_continues_char(*p);
		/* One word may be longer. */
		EXPECT(columns <= INI_COLUMNS || !strchr(line + strspn(line, "# "), ' '));
		if (s)
			s[-1] = '\n';
	}
	check_words(comment, text);
	EXPECT(config_parse(&c, "comment", comment, size) == 0 && config_finish(&c) == 0);
	EXPECT(c.errors.n == 0 && c.n_targets == 0);
	config_free(&c);
	free(comment);
}

/* --- JSON --- */

/* One character of a JSON string (RFC 8259, section 7) as our own writer has it. */
static uint32_t read_char(const char **s)
{
	uint32_t c = (unsigned char)*(*s)++;
	unsigned n = 0;

	EXPECT(c >= 0x20 && c != '"');
	if (c == '\\') {
		c = (unsigned char)*(*s)++;
		if (c == '"' || c == '\\')
			return c;
		EXPECT(c == 'u' && strspn(*s, "0123456789abcdef") >= 4);
		EXPECT(sscanf(*s, "%4" SCNx32, &c) == 1);
		*s += 4;
		return c;
	}
	if (c < 0x80)
		return c;
	n = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
	EXPECT(c >= 0xc0 && c < 0xf8);
	c &= 0x3fU >> n;
	for (unsigned i = 0; i < n; i++) {
		EXPECT(((unsigned char)**s & 0xc0) == 0x80);
		c = c << 6 | ((unsigned char)*(*s)++ & 0x3f);
	}
	EXPECT(c >= (n == 3 ? 0x10000U : n == 2 ? 0x800U : 0x80U));
	EXPECT(c <= 0x10ffff && (c < 0xd800 || c > 0xdfff));
	return c;
}

/* How many bytes of @text the character stands for: its own, or for U+FFFD one that is no UTF-8. */
static size_t stands_for(uint32_t c, const char *text)
{
	char utf8[5] = { 0 };

	if (c < 0x80)
		utf8[0] = (char)c;
	else if (c < 0x800)
		snprintf(utf8, sizeof(utf8), "%c%c", 0xc0 | c >> 6, 0x80 | (c & 0x3f));
	else if (c < 0x10000)
		snprintf(utf8, sizeof(utf8), "%c%c%c", 0xe0 | c >> 12, 0x80 | (c >> 6 & 0x3f),
			0x80 | (c & 0x3f));
	else
		snprintf(utf8, sizeof(utf8), "%c%c%c%c", 0xf0 | c >> 18, 0x80 | (c >> 12 & 0x3f),
			0x80 | (c >> 6 & 0x3f), 0x80 | (c & 0x3f));
	if (skip_prefix(text, utf8))
		return strlen(utf8);
	EXPECT(c == 0xfffd && (unsigned char)*text >= 0x80);
	return 1;
}

/* It is one string, and says what the text does. */
static void check_json(const char *text)
{
	char *json = NULL;
	size_t size;
	FILE *out = open_memstream(&json, &size);
	const char *s;

	EXPECT(out);
	json_string(out, text);
	EXPECT(fclose(out) == 0);
	EXPECT(json[0] == '"');
	for (s = json + 1; *s != '"';)
		text += stands_for(read_char(&s), text);
	EXPECT(s[1] == '\0' && *text == '\0');
	free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_free_ char *text = fuzz_string(data, len);

	check_comment(text);
	check_json(text);
	return 0;
}
