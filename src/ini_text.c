/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ini_text.h"
#include "rules.h"

void ini_put(const char *s, size_t len, FILE *out)
{
	for (size_t i = 0; i < len; i++)
		fputc((unsigned char)s[i] < 0x20 || s[i] == 0x7f ? '?' : s[i], out);
}

bool ini_continues_char(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t columns(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += !ini_continues_char(s[i]);
	return n;
}

void ini_comment(FILE *out, const char *first, const char *rest, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	size_t column, len;
	va_list ap;

	va_start(ap, fmt);
	text = vformat(fmt, ap);
	va_end(ap);
	fputs(first, out);
	column = strlen(first);
	for (const char *s = text ?: "memory is short"; *s; s += len + (s[len] == ' ')) {
		bool begins = s == text;

		len = strcspn(s, " ");
		if (!begins && column + 1 + columns(s, len) > INI_COLUMNS) {
			fprintf(out, "\n%s", rest);
			column = strlen(rest);
		} else if (!begins) {
			fputc(' ', out);
			column++;
		}
		ini_put(s, len, out);
		column += columns(s, len);
	}
	fputc('\n', out);
}

const char *ini_kind(const struct pci_device *d)
{
	if (CLASS_BASE(d->class) == 0x03)
		return "gpu";
	if (CLASS_SUB(d->class) == 0x0108)
		return "nvme";
	if (CLASS_BASE(d->class) == 0x01)
		return "storage";
	if (CLASS_BASE(d->class) == 0x02 || CLASS_SUB(d->class) == 0x0d80)
		return "net";
	if (device_is_usb_host(d))
		return "usb";
	if (CLASS_SUB(d->class) == 0x0401 || CLASS_SUB(d->class) == 0x0403)
		return "audio";
	return "device";
}
