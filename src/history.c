/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/stat.h>
#include <sys/utsname.h>

#include "history.h"
#include "sysfs.h"

#define FILE_MAX (1024 * 1024)

static struct past_group *find(const struct history *h, const struct pci_device *d)
{
	for (size_t i = 0; i < h->n; i++) {
		struct past_group *p = &h->items[i];

		if (pci_addr_cmp(p->addr, d->addr) == 0 && p->id.vendor == d->id.vendor &&
			p->id.device == d->id.device)
			return p;
	}
	return NULL;
}

const struct past_group *history_find(const struct history *h, const struct pci_device *d)
{
	return find(h, d);
}

/* Appends one, which takes @kernel and @members; they are freed where it cannot. */
static int add(struct history *h, const struct past_group *p)
{
	struct past_group *place =
		p->kernel && p->members ? array_add(&h->items, &h->n, sizeof(*place)) : NULL;

	if (place) {
		*place = *p;
		return 0;
	}
	free(p->kernel);
	free(p->members);
	return -ENOMEM;
}

/* What is not understood is passed over. */
static int parse_line(struct history *h, char *line)
{
	char *word = strsep(&line, " "), *addr = strsep(&line, " "), *id = strsep(&line, " "),
	     *kernel = strsep(&line, " ");
	struct past_group p = { 0 };

	if (!line || !streq(word, "group") || pci_addr_parse(addr, &p.addr, NULL) < 0 ||
		pci_id_parse(id, &p.id) < 0)
		return 0;
	p.kernel = strdup(kernel);
	p.members = strdup(line);
	return add(h, &p);
}

int history_read(const char *path, struct history *ret)
{
	_cleanup_free_ char *text = NULL;
	char *rest, *line;
	size_t len;
	int r = file_read(path, FILE_MAX, &text, &len);

	rest = text;
	while (r == 0 && (line = strsep(&rest, "\n")))
		r = parse_line(ret, line);
	return r == -ENOMEM ? r : 0;
}

char *history_members(const struct snapshot *s, int group)
{
	char *members = NULL;
	size_t size;
	FILE *out = open_memstream(&members, &size);
	const char *space = "";

	if (!out)
		return NULL;
	for (size_t i = 0; i < s->n_devices; i++) {
		if (s->devices[i].group != group || s->devices[i].appears_late)
			continue;
		fprintf(out, "%s%s", space, PCI_ADDR(s->devices[i].addr));
		space = " ";
	}
	return fclose(out) == 0 ? members : NULL;
}

void history_put(struct history *h, const struct snapshot *s, const struct pci_device *d)
{
	struct past_group *old = find(h, d), new = { .addr = d->addr, .id = d->id };
	struct utsname uts;

	new.members = history_members(s, d->group);
	new.kernel = uname(&uts) == 0 ? strdup(uts.release) : NULL;
	if (!old) {
		h->changed |= add(h, &new) == 0;
		return;
	}
	if (!new.members || !new.kernel || streq(old->members, new.members)) {
		free(new.members);
		free(new.kernel);
		return;
	}
	free(old->members);
	free(old->kernel);
	*old = new;
	h->changed = true;
}

int history_write(const struct history *h, const char *dir)
{
	_cleanup_free_ char *path = format("%s/groups", dir), *temp = format("%s/groups.new", dir);
	FILE *out;
	int r;

	if (!path || !temp)
		return -ENOMEM;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	unlink(temp);
	out = fopen(temp, "wxe");
	if (!out)
		return -errno;
	fprintf(out, "groups 1\n");
	for (size_t i = 0; i < h->n; i++)
		fprintf(out, "group %s %s %s %s\n", PCI_ADDR(h->items[i].addr),
			PCI_ID(h->items[i].id), h->items[i].kernel, h->items[i].members);
	r = ferror(out) ? -EIO : 0;
	if (fclose(out) != 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(temp, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(temp);
	return r;
}

void history_free(struct history *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->items[i].kernel);
		free(h->items[i].members);
	}
	free(h->items);
	*h = (struct history){ 0 };
}
