/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "finding.h"

/* What a file holds is echoed in messages: it must not steer the terminal that shows them. */
static void tame(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

int finding_vadd(struct findings *f, enum severity severity, const char *id, const char *target,
	const struct pci_addr *addr, const char *fmt, va_list ap)
{
	_cleanup_free_ char *text = vformat(fmt, ap), *name = NULL;
	struct finding *item;

	if (!text || (target && !(name = strdup(target))))
		return -ENOMEM;
	item = array_add(&f->items, &f->n, sizeof(*item));
	if (!item)
		return -ENOMEM;
	tame(text);
	*item = (struct finding){ .severity = severity, .id = id, .target = name, .text = text };
	if (addr) {
		item->has_addr = true;
		item->addr = *addr;
	}
	text = name = NULL;
	return 0;
}

int finding_add(struct findings *f, enum severity severity, const char *id, const char *target,
	const struct pci_addr *addr, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = finding_vadd(f, severity, id, target, addr, fmt, ap);
	va_end(ap);
	return r;
}

int finding_vcure(struct findings *f, const char *fmt, va_list ap)
{
	char *cure = vformat(fmt, ap);

	if (!cure)
		return -ENOMEM;
	tame(cure);
	free(f->items[f->n - 1].cure);
	f->items[f->n - 1].cure = cure;
	return 0;
}

int finding_cure(struct findings *f, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = finding_vcure(f, fmt, ap);
	va_end(ap);
	return r;
}

int findings_worst(const struct findings *f)
{
	int worst = -1;

	for (size_t i = 0; i < f->n; i++)
		if ((int)f->items[i].severity > worst)
			worst = (int)f->items[i].severity;
	return worst;
}

int findings_status(const struct findings *f)
{
	int worst = findings_worst(f);

	return worst < SEVERITY_NOTE ? 0 : worst;
}

const char *severity_name(enum severity severity)
{
	static const char *const names[] = {
		[SEVERITY_NOTE] = "note",
		[SEVERITY_WARNING] = "warning",
		[SEVERITY_ERROR] = "error",
	};

	return names[severity];
}

void findings_free(struct findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->items[i].target);
		free(f->items[i].text);
		free(f->items[i].cure);
	}
	free(f->items);
	*f = (struct findings){ 0 };
}
