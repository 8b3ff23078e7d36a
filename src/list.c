/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json.h"
#include "list.h"
#include "report.h"
#include "rules.h"

static bool shown(const struct list *l, const struct pci_device *d)
{
	return !l->only || l->only == d || (d->group != NO_GROUP && d->group == l->only->group);
}

static int judge_unknown(const struct list *l, struct findings *f)
{
	int r = 0;

	for (size_t i = 0; i < l->uses->n_unknown && r == 0; i++)
		r = finding_add(f, SEVERITY_NOTE, "use-not-followed", NULL, NULL,
			"the PCI devices that this needs could not be found out: %s",
			l->uses->unknown[i]);
	return r;
}

int list_judge(const struct list *l, struct findings *f)
{
	const struct snapshot *s = l->snapshot;
	_cleanup_free_ char *cure = NULL;
	int r;

	if (s->n_devices == 0)
		return finding_add(
			f, SEVERITY_NOTE, "no-pci", NULL, NULL, "this machine has no PCI devices");
	r = judge_unknown(l, f);
	if (r < 0)
		return r;
	if (s->iommu_active || s->n_groups)
		return 0;
	cure = iommu_cure(s, l->words);
	if (!cure)
		return -ENOMEM;
	r = finding_add(f, SEVERITY_WARNING, "no-iommu", NULL, NULL,
		"no IOMMU is active in this kernel: there are no groups, and nothing can be bound");
	return r < 0 ? r : finding_cure(f, "%s", cure);
}

/* --- what is said of a device --- */

/* What joins the parts of a list: nothing, then a separator. */
static void part(FILE *out, bool *first, const char *separator)
{
	if (!*first)
		fputs(separator, out);
	*first = false;
}

static const char *kind_prefix(enum use_kind kind)
{
	static const char *const prefixes[] = {
		[USE_MOUNT] = "",
		[USE_SWAP] = "swap ",
		[USE_ROUTE] = "default route ",
		[USE_KEYBOARD] = "keyboard ",
	};

	return prefixes[kind];
}

/* "in use: /, swap /dev/dm-1" */
static void text_uses(const struct list *l, size_t device, FILE *out, bool *first)
{
	bool none = true;

	for (size_t i = 0; i < l->uses->n; i++) {
		const struct use *u = &l->uses->items[i];

		if (u->device != device)
			continue;
		if (none)
			part(out, first, "; ");
		fprintf(out, "%s%s%s", none ? "in use: " : ", ", kind_prefix(u->kind), u->what);
		none = false;
	}
}

static bool is_blocker(const struct list *l, const struct pci_device *d)
{
	const struct iommu_group *g;

	if (!device_is_support(d) || device_is_passive(d))
		return false;
	g = snapshot_group(l->snapshot, d->group);
	return g && group_judge(l->snapshot, g) == GROUP_BLOCKED;
}

/* All but address, ID and name, parts separated by "; ". */
static void text_details(const struct list *l, size_t device, FILE *out)
{
	const struct pci_device *d = &l->snapshot->devices[device];
	const char *driver = device_driver_now(d);
	bool first = true;

	part(out, &first, "; ");
	fprintf(out, "%s%s", driver ? "held by " : "no driver", driver ?: "");
	if (d->override) {
		part(out, &first, "; ");
		fprintf(out, "driver_override %s", d->override);
	}
	if (device_is_boot_display(l->snapshot, d)) {
		part(out, &first, "; ");
		fputs("boot display", out);
	}
	text_uses(l, device, out, &first);
	if (d->behind_vmd) {
		part(out, &first, "; ");
		fputs("behind VMD: cannot be passed on its own", out);
	} else if (d->appears_late) {
		part(out, &first, "; ");
		fputs("appears only after vfio-early has run", out);
	}
	if (is_blocker(l, d)) {
		part(out, &first, "; ");
		fputs("keeps the group from being isolated: nobody binds such a device", out);
	}
	if (device_is_passive(d) && d->group != NO_GROUP) {
		part(out, &first, "; ");
		fputs("may stay with the host", out);
	}
}

/* --- what is said of a group --- */

static void text_verdict(const struct iommu_group *g, enum group_verdict verdict, FILE *out)
{
	static const char *const verdicts[] = {
		[GROUP_ISOLATED] = "isolated",
		[GROUP_SHARED] = "shared: its devices are bound together, or not at all",
		[GROUP_BLOCKED] = "cannot be isolated",
		[GROUP_PASSIVE] = "nothing to bind",
		[GROUP_UNUSABLE] = "could not be read whole",
	};

	if (g->noiommu)
		fputs("no IOMMU guards it (VFIO's unsafe no-IOMMU mode)", out);
	else
		fputs(verdicts[verdict], out);
	if (g->foreign_member)
		fprintf(out, ": '%s', which is no PCI device, is in it", g->foreign_member);
	if (g->direct_region)
		fputs("; a direct reserved region: VFIO will refuse it", out);
}

struct style {
	bool tree;
	bool colour;
};

#define BOLD   "\033[1m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define RED    "\033[31m"
#define PLAIN  "\033[0m"

static const char *paint(const struct style *style, const char *code)
{
	return style->colour ? code : "";
}

static const char *verdict_colour(enum group_verdict verdict)
{
	static const char *const colours[] = {
		[GROUP_ISOLATED] = GREEN,
		[GROUP_SHARED] = YELLOW,
		[GROUP_BLOCKED] = RED,
		[GROUP_PASSIVE] = "",
		[GROUP_UNUSABLE] = RED,
	};

	return colours[verdict];
}

static void text_group_head(
	const struct list *l, const struct iommu_group *g, const struct style *style, FILE *out)
{
	enum group_verdict verdict = group_judge(l->snapshot, g);

	fprintf(out, "%s%s %d%s%s  ", paint(style, BOLD), style->tree ? "IOMMU group" : "group",
		g->number, style->tree ? ":" : "", paint(style, PLAIN));
	fputs(paint(style, verdict_colour(verdict)), out);
	text_verdict(g, verdict, out);
	fprintf(out, "%s\n", paint(style, PLAIN));
}

static void text_device(
	const struct list *l, size_t device, bool last, const struct style *style, FILE *out)
{
	const struct pci_device *d = &l->snapshot->devices[device];

	if (style->tree)
		fputs(last ? "└─ " : "├─ ", out);
	else if (d->group == NO_GROUP)
		fputs("group -  ", out);
	else
		fprintf(out, "group %d  ", d->group);
	fprintf(out, "%s%s%s  %s  %s%s%s%s", paint(style, BOLD), PCI_ADDR(d->addr),
		paint(style, PLAIN), PCI_ID(d->id), class_name(d->class), d->name ? ": " : "",
		d->name ?: "", style->tree ? "" : "; ");
	if (style->tree)
		fputs(last ? "\n       " : "\n│      ", out);
	text_details(l, device, out);
	fputc('\n', out);
}

/* The devices in no group. */
static const struct iommu_group no_group = { .number = NO_GROUP };

static size_t count_members(const struct list *l, const struct iommu_group *g)
{
	size_t n = 0;

	for_each_member(i, l->snapshot, g)
		n += shown(l, &l->snapshot->devices[i]);
	return n;
}

static void text_members(
	const struct list *l, const struct iommu_group *g, const struct style *style, FILE *out)
{
	size_t left = count_members(l, g);

	for_each_member(i, l->snapshot, g)
		if (shown(l, &l->snapshot->devices[i]))
			text_device(l, i, --left == 0, style, out);
}

void list_text(const struct list *l, FILE *out, bool tree, bool colour)
{
	const struct style style = { .tree = tree, .colour = colour };
	const struct snapshot *s = l->snapshot;

	for (size_t i = 0; i < s->n_groups; i++) {
		if (count_members(l, &s->groups[i]) == 0)
			continue;
		text_group_head(l, &s->groups[i], &style, out);
		text_members(l, &s->groups[i], &style, out);
	}
	if (tree && count_members(l, &no_group))
		fprintf(out, "%sIn no IOMMU group:%s\n", paint(&style, BOLD), paint(&style, PLAIN));
	text_members(l, &no_group, &style, out);
	for (size_t i = 0; i < l->findings->n; i++)
		finding_text(&l->findings->items[i], "", out);
	if (tree && s->n_devices)
		fputs("What to write to have one of them bound: vfio-early --suggest ADDRESS\n",
			out);
}

/* --- JSON --- */

static void json_uses(const struct list *l, size_t device, FILE *out)
{
	static const char *const kinds[] = {
		[USE_MOUNT] = "mount",
		[USE_SWAP] = "swap",
		[USE_ROUTE] = "default-route",
		[USE_KEYBOARD] = "keyboard",
	};
	bool first = true;

	fputs("\"in_use\": [", out);
	for (size_t i = 0; i < l->uses->n; i++) {
		const struct use *u = &l->uses->items[i];

		if (u->device != device)
			continue;
		part(out, &first, ", ");
		fputc('{', out);
		json_key(out, "kind", kinds[u->kind]);
		fputs(", ", out);
		json_key(out, "what", u->what);
		fputs(", ", out);
		json_key(out, "chain", u->chain);
		fputc('}', out);
	}
	fputc(']', out);
}

static void json_device(const struct list *l, size_t device, FILE *out)
{
	const struct pci_device *d = &l->snapshot->devices[device];

	fputc('{', out);
	device_json(d, out);
	fputs(", ", out);
	json_key(out, "class_name", class_name(d->class));
	fputs(", ", out);
	json_key(out, "driver", device_driver_now(d));
	fputs(", ", out);
	json_key(out, "driver_override", d->override);
	fprintf(out, ", \"boot_display\": %s, \"may_stay\": %s, \"appears_late\": %s, ",
		device_is_boot_display(l->snapshot, d) ? "true" : "false",
		device_is_passive(d) ? "true" : "false", d->appears_late ? "true" : "false");
	json_uses(l, device, out);
	fputc('}', out);
}

static void json_members(const struct list *l, const struct iommu_group *g, FILE *out)
{
	bool first = true;

	fputs("\"devices\": [", out);
	for_each_member(i, l->snapshot, g) {
		if (!shown(l, &l->snapshot->devices[i]))
			continue;
		fputs(first ? "\n      " : ",\n      ", out);
		first = false;
		json_device(l, i, out);
	}
	fputs("]}", out);
}

static void json_groups(const struct list *l, FILE *out)
{
	const struct snapshot *s = l->snapshot;
	bool first = true;

	fputs("\"groups\": [", out);
	for (size_t i = 0; i < s->n_groups; i++) {
		const struct iommu_group *g = &s->groups[i];

		if (count_members(l, g) == 0)
			continue;
		fputs(first ? "\n    {" : ",\n    {", out);
		first = false;
		fprintf(out, "\"number\": %d, ", g->number);
		json_key(out, "verdict", group_verdict_name(group_judge(s, g)));
		fputs(", ", out);
		json_key(out, "foreign_member", g->foreign_member);
		fprintf(out, ", \"direct_region\": %s, ", g->direct_region ? "true" : "false");
		json_members(l, g, out);
	}
	if (count_members(l, &no_group)) {
		fputs(first ? "\n    {" : ",\n    {", out);
		fputs("\"number\": null, \"verdict\": null, ", out);
		json_members(l, &no_group, out);
	}
	fputs("],\n  ", out);
}

void list_json(const struct list *l, FILE *out)
{
	json_begin("list", findings_status(l->findings), out);
	json_groups(l, out);
	findings_json(l->findings, out);
	fputs("}\n", out);
}
