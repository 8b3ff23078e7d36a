/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's tables in /proc, and our own of which devices shared a group. */
#include <sys/mman.h>

#include "fuzz.h"
#include "history.h"
#include "proc.h"

static FILE *as_stream(const char *text)
{
	FILE *f = fmemopen((void *)(*text ? text : "\n"), *text ? strlen(text) : 1, "r");

	EXPECT(f);
	return f;
}

/* --- mounts --- */

/* As the kernel does it (fs/seq_file.c), and what a line could not have. */
static void write_escaped(const char *s, FILE *out)
{
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == '\\')
			fprintf(out, "\\%03o", (unsigned char)*s);
		else
			fputc(*s, out);
}

static void write_mounts(const struct mounts *m, FILE *out)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct mount *mount = &m->items[i];
		const char *const words[] = { mount->point, " rw master:1 - ", mount->type, " ",
			mount->source, " ", mount->options, "\n" };

		fprintf(out, "36 35 %u:%u / ", mount->major, mount->minor);
		for (size_t j = 0; j < ARRAY_SIZE(words); j++)
			if (j % 2)
				fputs(words[j], out);
			else
				write_escaped(words[j], out);
	}
}

static void expect_same_mounts(const struct mounts *a, const struct mounts *b)
{
	EXPECT(a->n == b->n);
	for (size_t i = 0; i < a->n; i++) {
		const struct mount *m = &a->items[i], *n = &b->items[i];

		EXPECT(m->major == n->major && m->minor == n->minor);
		EXPECT(streq(m->point, n->point) && streq(m->type, n->type));
		EXPECT(streq(m->source, n->source) && streq(m->options, n->options));
	}
}

static void check_holding(const struct mounts *m)
{
	for (size_t i = 0; i < m->n; i++) {
		_cleanup_free_ char *below = format("%s/x", m->items[i].point);
		const struct mount *at = mount_holding(m, m->items[i].point),
				   *over = below ? mount_holding(m, below) : NULL;

		EXPECT(at && streq(at->point, m->items[i].point));
		EXPECT(over && strlen(over->point) >= strlen(at->point));
		EXPECT(skip_prefix(below, over->point));
	}
}

static void check_mounts(const char *text)
{
	_cleanup_free_ char *written = NULL;
	struct mounts m = { 0 }, again = { 0 };
	FILE *in = as_stream(text), *out;
	size_t size;

	EXPECT(proc_mounts(in, &m) == 0);
	fclose(in);
	out = open_memstream(&written, &size);
	EXPECT(out);
	write_mounts(&m, out);
	EXPECT(fclose(out) == 0);
	in = as_stream(written);
	EXPECT(proc_mounts(in, &again) == 0);
	fclose(in);
	expect_same_mounts(&m, &again);
	check_holding(&m);
	mounts_free(&m);
	mounts_free(&again);
}

/* --- the others --- */

static void check_swaps(const char *text)
{
	struct swaps s = { 0 };
	FILE *in = as_stream(text);

	EXPECT(proc_swaps(in, &s) == 0);
	fclose(in);
	for (size_t i = 0; i < s.n; i++)
		EXPECT(s.items[i].path[0] == '/');
	swaps_free(&s);
}

static void check_routes(const char *text, int (*read)(FILE *f, struct interfaces *ret))
{
	struct interfaces list = { 0 };
	FILE *in = as_stream(text);

	EXPECT(read(in, &list) == 0);
	fclose(in);
	for (size_t i = 0; i < list.n; i++) {
		EXPECT(*list.names[i] && !strpbrk(list.names[i], " \t\n"));
		for (size_t j = 0; j < i; j++)
			EXPECT(!streq(list.names[i], list.names[j]));
	}
	interfaces_free(&list);
}

static void read_history(const char *text, struct history *ret)
{
	int fd = memfd_create("history", MFD_CLOEXEC);
	_cleanup_free_ char *path = format("/proc/self/fd/%d", fd);

	*ret = (struct history){ 0 };
	EXPECT(fd >= 0 && path && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	EXPECT(history_read(path, ret) == 0);
	close(fd);
}

static void check_history(const char *text)
{
	struct history h, again;
	char *written = NULL;
	size_t size;
	FILE *out = open_memstream(&written, &size);

	EXPECT(out);
	read_history(text, &h);
	for (size_t i = 0; i < h.n; i++) {
		const struct past_group *p = &h.items[i];
		struct pci_device d = { .addr = p->addr, .id = p->id };

		EXPECT(history_find(&h, &d));
		fprintf(out, "group %s %s %s %s\n", PCI_ADDR(p->addr), PCI_ID(p->id), p->kernel,
			p->members);
	}
	EXPECT(fclose(out) == 0);
	read_history(written, &again);
	EXPECT(h.n == again.n);
	for (size_t i = 0; i < h.n; i++)
		EXPECT(streq(h.items[i].kernel, again.items[i].kernel) &&
			streq(h.items[i].members, again.items[i].members));
	history_free(&h);
	history_free(&again);
	free(written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_free_ char *text = fuzz_string(data, len);

	check_mounts(text);
	check_swaps(text);
	check_routes(text, proc_routes);
	check_routes(text, proc_routes6);
	check_history(text);
	return 0;
}
