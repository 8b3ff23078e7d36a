/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boot records. What is read is whole, fit for a terminal, and the same when it is written and read
 * again; what is not read leaves its place untouched. */
#include <inttypes.h>

#include "fuzz.h"
#include "record.h"

static void write_record(const struct record *r, FILE *out)
{
	fprintf(out, "record 1\n");
	if (r->version)
		fprintf(out, "version %s\n", r->version);
	if (r->kernel)
		fprintf(out, "kernel %s\n", r->kernel);
	fprintf(out, "digest %016" PRIx64 "\n", r->digest);
	for (size_t i = 0; i < r->n_targets; i++)
		fprintf(out, "target %s %s\n", r->targets[i].name, r->targets[i].state);
	for (size_t i = 0; i < r->n_devices; i++) {
		const struct record_device *d = &r->devices[i];

		fprintf(out, "device %s %s %s %s %s\n", d->target, PCI_ADDR(d->addr), PCI_ID(d->id),
			d->driver, d->state);
	}
	for (size_t i = 0; i < r->n_findings; i++) {
		const struct record_finding *f = &r->findings[i];

		fprintf(out, "finding %s %s %s - %s\n", f->severity, f->id, f->target, f->text);
		if (f->cure)
			fprintf(out, "cure %s\n", f->cure);
	}
	fprintf(out, "end\n");
}

static void expect_same(const struct record *a, const struct record *b)
{
	EXPECT(same_text(a->version, b->version) && same_text(a->kernel, b->kernel));
	EXPECT(a->digest == b->digest && a->n_targets == b->n_targets);
	EXPECT(a->n_devices == b->n_devices && a->n_findings == b->n_findings);
	for (size_t i = 0; i < a->n_targets; i++)
		EXPECT(streq(a->targets[i].name, b->targets[i].name) &&
			streq(a->targets[i].state, b->targets[i].state));
	for (size_t i = 0; i < a->n_devices; i++) {
		const struct record_device *d = &a->devices[i], *e = &b->devices[i];

		EXPECT(streq(d->target, e->target) && pci_addr_cmp(d->addr, e->addr) == 0);
		EXPECT(pci_id_equal(d->id, e->id) && streq(d->driver, e->driver));
		EXPECT(streq(d->state, e->state));
	}
	for (size_t i = 0; i < a->n_findings; i++) {
		const struct record_finding *f = &a->findings[i], *g = &b->findings[i];

		EXPECT(streq(f->severity, g->severity) && streq(f->id, g->id));
		EXPECT(streq(f->target, g->target) && streq(f->text, g->text));
		EXPECT(same_text(f->cure, g->cure));
	}
}

static void check_tame(const struct record *r)
{
	EXPECT(!r->version || is_tame(r->version));
	EXPECT(!r->kernel || is_tame(r->kernel));
	for (size_t i = 0; i < r->n_targets; i++)
		EXPECT(is_tame(r->targets[i].name) && is_tame(r->targets[i].state));
	for (size_t i = 0; i < r->n_devices; i++) {
		EXPECT(is_tame(r->devices[i].driver) && is_tame(r->devices[i].state));
		EXPECT(record_find(r, r->devices[i].addr));
	}
	for (size_t i = 0; i < r->n_findings; i++)
		EXPECT(is_tame(r->findings[i].text) &&
			(!r->findings[i].cure || is_tame(r->findings[i].cure)));
}

static void check_written(const struct record *r)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct record again;

	EXPECT(out);
	write_record(r, out);
	EXPECT(fclose(out) == 0);
	EXPECT(record_parse(text, &again) == 0);
	expect_same(r, &again);
	record_free(&again);
	free(text);
}

/* Half a record is none: its last line is missing. */
static void check_cut(const char *text)
{
	_cleanup_free_ char *half = strndup(text, strlen(text) / 2);
	struct record r;
	int error;

	EXPECT(half);
	error = record_parse(half, &r);
	if (strstr(half, "\nend")) {
		if (error == 0)
			record_free(&r);
		return;
	}
	EXPECT(error == -EINVAL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_free_ char *text = fuzz_string(data, len);
	struct record r, untouched;
	int error;

	memset(&r, 0xa5, sizeof(r));
	untouched = r;
	error = record_parse(text, &r);
	if (error < 0) {
		EXPECT(error == -EINVAL && memcmp(&r, &untouched, sizeof(r)) == 0);
		return 0;
	}
	EXPECT(skip_prefix(text, "record 1\n") && strstr(text, "\nend"));
	check_tame(&r);
	check_written(&r);
	check_cut(text);
	record_free(&r);
	return 0;
}
