/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/route.h>

#include "proc.h"

/* "\040" for a space and its like (fs/seq_file.c, mangle_path()); in place. */
static char *unescape(char *s)
{
	char *to = s;

	for (const char *from = s; *from; to++) {
		unsigned c;

		if (from[0] == '\\' && sscanf(from + 1, "%3o", &c) == 1 && c &&
			strspn(from + 1, "01234567") >= 3) {
			*to = (char)c;
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
	return s;
}

/* A copy of the next word of *@s, unescaped; -EINVAL where there is none. */
static int next_word(char **s, char **ret)
{
	char *word = strsep(s, " ");

	if (!word)
		return -EINVAL;
	*ret = strdup(unescape(word));
	return *ret ? 0 : -ENOMEM;
}

static void mount_free(struct mount *m)
{
	free(m->point);
	free(m->type);
	free(m->source);
	free(m->options);
	*m = (struct mount){ 0 };
}

/* "36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue" */
static int parse_mount(char *line, struct mount *ret)
{
	_cleanup_(mount_free) struct mount m = { 0 };
	int at = -1, r;
	char *word;

	if (sscanf(line, "%*u %*u %u:%u %*s %n", &m.major, &m.minor, &at) < 2 || at < 0)
		return -EINVAL;
	line += at;
	r = next_word(&line, &m.point);
	while (r == 0 && (word = strsep(&line, " ")) && !streq(word, "-"))
		;
	if (r == 0)
		r = next_word(&line, &m.type);
	if (r == 0)
		r = next_word(&line, &m.source);
	if (r == 0)
		r = next_word(&line, &m.options);
	if (r < 0)
		return r;
	*ret = m;
	m = (struct mount){ 0 };
	return 0;
}

/* The next line without its end; false when there is none. */
static bool next_line(FILE *f, char **line, size_t *size)
{
	ssize_t n = getline(line, size, f);

	if (n > 0 && (*line)[n - 1] == '\n')
		(*line)[n - 1] = '\0';
	return n >= 0;
}

int proc_mounts(FILE *f, struct mounts *ret)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	while (next_line(f, &line, &size)) {
		struct mount m, *place;
		int r = parse_mount(line, &m);

		if (r == -ENOMEM)
			return r;
		if (r < 0)
			continue;
		place = array_add(&ret->items, &ret->n, sizeof(*place));
		if (!place) {
			mount_free(&m);
			return -ENOMEM;
		}
		*place = m;
	}
	return 0;
}

const struct mount *mount_holding(const struct mounts *m, const char *path)
{
	const struct mount *best = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < m->n; i++) {
		const char *point = m->items[i].point, *rest = skip_prefix(path, point);
		size_t len = strlen(point);

		if (!rest || (*rest && *rest != '/' && !streq(point, "/")) || len < longest)
			continue;
		best = &m->items[i];
		longest = len;
	}
	return best;
}

void mounts_free(struct mounts *m)
{
	for (size_t i = 0; i < m->n; i++)
		mount_free(&m->items[i]);
	free(m->items);
	*m = (struct mounts){ 0 };
}

/* "/dev/sda2  partition  8388604  0  -2", behind a line of titles. */
int proc_swaps(FILE *f, struct swaps *ret)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	while (next_line(f, &line, &size)) {
		char type[16], *rest = line, *path = strsep(&rest, " \t");
		struct swap *s;

		if (path[0] != '/' || !rest || sscanf(rest, "%15s", type) != 1)
			continue;
		s = array_add(&ret->items, &ret->n, sizeof(*s));
		if (!s)
			return -ENOMEM;
		s->is_file = streq(type, "file");
		s->path = strdup(unescape(path));
		if (!s->path)
			return -ENOMEM;
	}
	return 0;
}

void swaps_free(struct swaps *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->items[i].path);
	free(s->items);
	*s = (struct swaps){ 0 };
}

static int add_interface(struct interfaces *list, const char *name)
{
	char **place;

	for (size_t i = 0; i < list->n; i++)
		if (streq(list->names[i], name))
			return 0;
	place = array_add(&list->names, &list->n, sizeof(*place));
	if (!place)
		return -ENOMEM;
	*place = strdup(name);
	return *place ? 0 : -ENOMEM;
}

/* A route that leads somewhere: not "unreachable" and its like. */
static bool is_usable(unsigned flags)
{
	return (flags & RTF_UP) && !(flags & RTF_REJECT);
}

/* "eth0 00000000 010200C0 0003 0 0 0 00000000 0 0 0": interface, destination, gateway, flags, three
 * numbers, mask (net/ipv4/fib_trie.c, fib_route_seq_show()). */
int proc_routes(FILE *f, struct interfaces *ret)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	int r = 0;

	while (r == 0 && next_line(f, &line, &size)) {
		unsigned destination, flags, mask;
		char name[64];

		if (sscanf(line, "%63s %x %*x %x %*d %*d %*d %x", name, &destination, &flags,
			    &mask) == 4 &&
			!destination && !mask && is_usable(flags))
			r = add_interface(ret, name);
	}
	return r;
}

/* Destination and its prefix length, source and its prefix length, gateway, metric, two counts,
 * flags, interface (net/ipv6/route.c, rt6_info_route()). */
int proc_routes6(FILE *f, struct interfaces *ret)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	int r = 0;

	while (r == 0 && next_line(f, &line, &size)) {
		char destination[33], name[64];
		unsigned len, flags;

		if (sscanf(line, "%32s %x %*s %*x %*s %*x %*x %*x %x %63s", destination, &len,
			    &flags, name) == 4 &&
			strspn(destination, "0") == 32 && len == 0 && is_usable(flags) &&
			!streq(name, "lo"))
			r = add_interface(ret, name);
	}
	return r;
}

void interfaces_free(struct interfaces *i)
{
	for (size_t k = 0; k < i->n; k++)
		free(i->names[k]);
	free(i->names);
	*i = (struct interfaces){ 0 };
}
