/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>

#include "record.h"
#include "sysfs.h"

/* More than any machine's record; what is longer is none. */
#define RECORD_MAX (1024 * 1024)

/* The next word of the line, cut out; "" at its end. */
static char *next_word(char **line)
{
	char *word = strsep(line, " ");

	return word ?: (char *)"";
}

static int copy_word(char **line, char **ret)
{
	*ret = strdup(next_word(line));
	return *ret ? 0 : -ENOMEM;
}

static int copy_rest(const char *line, char **ret)
{
	free(*ret);
	*ret = strdup(line ?: "");
	return *ret ? 0 : -ENOMEM;
}

static int parse_target(struct record *r, char *line)
{
	struct record_target *t = array_add(&r->targets, &r->n_targets, sizeof(*t));

	return !t ? -ENOMEM : copy_word(&line, &t->name) ?: copy_word(&line, &t->state);
}

static int parse_device(struct record *r, char *line)
{
	struct record_device *d = array_add(&r->devices, &r->n_devices, sizeof(*d));
	int error;

	if (!d)
		return -ENOMEM;
	error = copy_word(&line, &d->target);
	if (error == 0)
		error = pci_addr_parse(next_word(&line), &d->addr, NULL);
	if (error == 0)
		error = pci_id_parse(next_word(&line), &d->id);
	if (error == 0)
		error = copy_word(&line, &d->driver) ?: copy_word(&line, &d->state);
	return error == -ERANGE ? -EINVAL : error;
}

static int parse_finding(struct record *r, char *line)
{
	struct record_finding *f = array_add(&r->findings, &r->n_findings, sizeof(*f));
	int error;

	if (!f)
		return -ENOMEM;
	error = copy_word(&line, &f->severity) ?: copy_word(&line, &f->id)
		?: copy_word(&line, &f->target);
	next_word(&line); /* the address, which the text has, too */
	return error ?: copy_rest(line, &f->text);
}

static int parse_line(struct record *r, char *line)
{
	char *word = next_word(&line);

	if (streq(word, "version"))
		return copy_rest(line, &r->version);
	if (streq(word, "kernel"))
		return copy_rest(line, &r->kernel);
	if (streq(word, "digest"))
		return line && sscanf(line, "%16" SCNx64, &r->digest) == 1 ? 0 : -EINVAL;
	if (streq(word, "target"))
		return parse_target(r, line);
	if (streq(word, "device"))
		return parse_device(r, line);
	if (streq(word, "finding"))
		return parse_finding(r, line);
	if (streq(word, "cure"))
		return r->n_findings ? copy_rest(line, &r->findings[r->n_findings - 1].cure)
				     : -EINVAL;
	return 0;
}

int record_parse(const char *text, struct record *ret)
{
	_cleanup_(record_free) struct record record = { 0 };
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *line;
	bool first = true, ended = false;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	/* It goes to a terminal, whoever wrote it. */
	for (char *c = copy; *c; c++)
		if (*c != '\n' && ((unsigned char)*c < 0x20 || *c == 0x7f))
			*c = '?';
	while (r == 0 && !ended && (line = strsep(&rest, "\n"))) {
		if (first && !streq(line, "record 1"))
			return -EINVAL;
		first = false;
		ended = streq(line, "end");
		r = parse_line(&record, line);
	}
	if (r < 0)
		return r;
	if (!ended)
		return -EINVAL;
	*ret = record;
	record = (struct record){ 0 };
	return 0;
}

int record_read(const char *path, struct record *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	ssize_t n;

	if (fd < 0)
		return -errno;
	text = malloc(RECORD_MAX);
	if (!text)
		return -ENOMEM;
	n = read_full(fd, text, RECORD_MAX);
	if (n < 0)
		return (int)n;
	if (n == RECORD_MAX)
		return -EINVAL;
	text[n] = '\0';
	return record_parse(text, ret);
}

const struct record_device *record_find(const struct record *r, struct pci_addr addr)
{
	for (size_t i = 0; i < r->n_devices; i++)
		if (pci_addr_cmp(r->devices[i].addr, addr) == 0)
			return &r->devices[i];
	return NULL;
}

void record_free(struct record *r)
{
	for (size_t i = 0; i < r->n_targets; i++) {
		free(r->targets[i].name);
		free(r->targets[i].state);
	}
	for (size_t i = 0; i < r->n_devices; i++) {
		free(r->devices[i].target);
		free(r->devices[i].driver);
		free(r->devices[i].state);
	}
	for (size_t i = 0; i < r->n_findings; i++) {
		struct record_finding *f = &r->findings[i];

		free(f->severity);
		free(f->id);
		free(f->target);
		free(f->text);
		free(f->cure);
	}
	free(r->version);
	free(r->kernel);
	free(r->targets);
	free(r->devices);
	free(r->findings);
	*r = (struct record){ 0 };
}
