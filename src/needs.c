/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "needs.h"
#include "rules.h"

/* Without these the host does not come up, or not as itself. */
static bool is_vital(const struct use *u)
{
	static const char *const points[] = { "/", "/boot", "/boot/efi", "/efi", "/home", "/usr",
		"/var" };

	for (size_t i = 0; i < ARRAY_SIZE(points) && u->kind == USE_MOUNT; i++)
		if (streq(u->what, points[i]))
			return true;
	return u->kind == USE_SWAP || u->kind == USE_ROUTE;
}

static void check_use(struct checker *c, const struct use *u)
{
	const struct plan_target *t = taker(c, u->device, true);
	const struct pci_device *d = &c->s->snapshot.devices[u->device];
	static const char *const kinds[] = {
		[USE_MOUNT] = "a file system",
		[USE_SWAP] = "swap",
		[USE_ROUTE] = "the default route",
	};

	if (!t || u->kind == USE_KEYBOARD)
		return;
	if (is_vital(u))
		say(c, SEVERITY_ERROR, "needed-by-host", t->target->name, d,
			"%s (%s) is wanted, and the host needs it for %s: %s", PCI_ADDR(d->addr),
			class_name(d->class), kinds[u->kind], u->chain);
	else
		say(c, SEVERITY_WARNING, "used-by-host", t->target->name, d,
			"%s (%s) is wanted, and the host uses it for %s: %s", PCI_ADDR(d->addr),
			class_name(d->class), kinds[u->kind], u->chain);
	cure(c, "take it out of [%s], or %s; what else uses it: vfio-early --list %s",
		t->target->name,
		u->kind == USE_ROUTE ? "give the host another way to the network"
				     : "move it to a disk elsewhere",
		PCI_ADDR(d->addr));
}

/* A keyboard is lost only where no other one is left. */
static void check_keyboards(struct checker *c)
{
	const struct uses *uses = &c->s->uses;
	const struct use *lost = NULL;

	for (size_t i = 0; i < uses->n; i++) {
		if (uses->items[i].kind != USE_KEYBOARD)
			continue;
		if (!taker(c, uses->items[i].device, false))
			return;
		lost = lost ?: &uses->items[i];
	}
	if (!lost || uses->other_keyboard)
		return;
	say(c, SEVERITY_ERROR, "last-keyboard", taker(c, lost->device, false)->target->name,
		&c->s->snapshot.devices[lost->device],
		"%s would be bound, and no other controller has a keyboard: %s",
		PCI_ADDR(c->s->snapshot.devices[lost->device].addr), lost->chain);
	cure(c, "plug the keyboard into a port of another controller (vfio-early --list shows which one that is), or see that you can log in over the network");
}

/* Consented to, or it would be refused. */
static void check_display(struct checker *c)
{
	const struct snapshot *s = &c->s->snapshot;
	const struct plan_target *t = NULL;

	for (size_t i = 0; i < s->n_devices; i++) {
		if (!device_is_display(&s->devices[i]) || s->devices[i].appears_late)
			continue;
		t = taker(c, i, false);
		if (!t)
			return;
	}
	if (!t)
		return;
	say(c, SEVERITY_NOTE, "no-display-left", t->target->name, NULL,
		"the host keeps no display device: its console is dark from then on, as 'allow' consents to");
	cure(c, "see beforehand that you can log in over the network");
}

/* What could not be followed may end at a disk that is to be bound. */
static void check_unknown(struct checker *c)
{
	const struct uses *uses = &c->s->uses;
	bool storage = false;

	for (size_t i = 0; i < c->s->snapshot.n_devices; i++)
		storage |=
			CLASS_BASE(c->s->snapshot.devices[i].class) == 0x01 && taker(c, i, false);
	for (size_t i = 0; i < uses->n_unknown && storage; i++)
		say(c, SEVERITY_NOTE, "use-not-followed", NULL, NULL,
			"%s: it is not known which PCI device this stands on, and a storage controller is to be bound",
			uses->unknown[i]);
}

void check_needs(struct checker *c)
{
	for (size_t i = 0; i < c->s->uses.n; i++)
		check_use(c, &c->s->uses.items[i]);
	check_keyboards(c);
	check_display(c);
	check_unknown(c);
}
