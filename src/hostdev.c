/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/sysmacros.h>

#include <libudev.h>

#include "hostdev.h"

static void udev_freep(struct udev **u)
{
	udev_unref(*u);
}

static void hwdb_freep(struct udev_hwdb **h)
{
	udev_hwdb_unref(*h);
}

static void device_freep(struct udev_device **d)
{
	udev_device_unref(*d);
}

static void enumerate_freep(struct udev_enumerate **e)
{
	udev_enumerate_unref(*e);
}

static const char *hwdb_property(struct udev_hwdb *hwdb, const char *modalias, const char *key)
{
	struct udev_list_entry *e = udev_hwdb_get_properties_list_entry(hwdb, modalias, 0);

	e = udev_list_entry_get_by_name(e, key);
	return e ? udev_list_entry_get_value(e) : NULL;
}

static int set_name(struct udev_hwdb *hwdb, struct pci_device *d)
{
	_cleanup_free_ char *vendor = NULL;
	const char *model, *v;
	char modalias[64];

	snprintf(modalias, sizeof(modalias), "pci:v%08Xd%08X", d->id.vendor, d->id.device);
	v = hwdb_property(hwdb, modalias, "ID_VENDOR_FROM_DATABASE");
	/* The second query frees what the first one returned. */
	vendor = v ? strdup(v) : NULL;
	model = hwdb_property(hwdb, modalias, "ID_MODEL_FROM_DATABASE");
	if (!vendor && !model)
		return 0;
	d->name = format("%s%s%s", vendor ?: "", vendor && model ? " " : "", model ?: "");
	return d->name ? 0 : -ENOMEM;
}

static int by_id(const void *a, const void *b)
{
	const struct pci_device *x = *(struct pci_device *const *)a;
	const struct pci_device *y = *(struct pci_device *const *)b;

	return x->id.vendor != y->id.vendor ? x->id.vendor - y->id.vendor
					    : x->id.device - y->id.device;
}

int hostdev_names(struct snapshot *s)
{
	_cleanup_(udev_freep) struct udev *udev = udev_new();
	_cleanup_(hwdb_freep) struct udev_hwdb *hwdb = udev ? udev_hwdb_new(udev) : NULL;
	_cleanup_free_ struct pci_device **order = calloc(s->n_devices + 1, sizeof(*order));
	int r = order ? 0 : -ENOMEM;

	/* A machine without the database has numbers alone. */
	if (r < 0 || !hwdb || s->n_devices == 0)
		return r;
	/* A search takes its time, and big machines have many devices of few kinds. */
	for (size_t i = 0; i < s->n_devices; i++)
		order[i] = &s->devices[i];
	qsort(order, s->n_devices, sizeof(struct pci_device *), by_id);
	for (size_t i = 0; i < s->n_devices && r == 0; i++) {
		const struct pci_device *before = i ? order[i - 1] : NULL;

		if (before && before->name && pci_id_equal(before->id, order[i]->id))
			r = (order[i]->name = strdup(before->name)) ? 0 : -ENOMEM;
		else
			r = set_name(hwdb, order[i]);
	}
	return r;
}

/* --- what a device hangs on --- */

/* The name of the nearest device above that is of this kind. */
static int name_above(struct udev_device *d, const char *subsystem, const char *devtype, char **ret)
{
	d = udev_device_get_parent_with_subsystem_devtype(d, subsystem, devtype);
	if (!d)
		return 0;
	*ret = strdup(udev_device_get_sysname(d));
	return *ret ? 0 : -ENOMEM;
}

static int pci_above(struct udev_device *d, struct hostdev *h)
{
	while ((d = udev_device_get_parent_with_subsystem_devtype(d, "pci", NULL))) {
		struct pci_addr addr, *place;

		if (pci_addr_parse(udev_device_get_sysname(d), &addr, NULL) < 0)
			continue;
		place = array_add(&h->pci, &h->n_pci, sizeof(*place));
		if (!place)
			return -ENOMEM;
		*place = addr;
	}
	return 0;
}

static int look_above(struct udev_device *d, struct hostdev *h)
{
	const char *path = udev_device_get_syspath(d);
	int r;

	/* A session of iSCSI is a platform device's child (drivers/scsi/libiscsi.c). */
	h->is_virtual = strstr(path, "/devices/virtual/") || strstr(path, "/session");
	r = name_above(d, "block", "disk", &h->disk);
	if (r == 0)
		r = name_above(d, "nvme-subsystem", NULL, &h->nvme_subsystem);
	if (r == 0)
		r = name_above(d, "usb", "usb_device", &h->usb);
	return r < 0 ? r : pci_above(d, h);
}

int hostdev_find(const char *subsystem, const char *name, struct hostdev *ret)
{
	_cleanup_(udev_freep) struct udev *udev = udev_new();
	_cleanup_(device_freep) struct udev_device *d = NULL;
	_cleanup_(hostdev_free) struct hostdev h = { 0 };
	int r;

	if (!udev)
		return -ENOMEM;
	d = udev_device_new_from_subsystem_sysname(udev, subsystem, name);
	if (!d)
		return errno == ENOMEM ? -ENOMEM : -ENOENT;
	r = look_above(d, &h);
	if (r < 0)
		return r;
	*ret = h;
	h = (struct hostdev){ 0 };
	return 0;
}

int hostdev_block_name(unsigned major, unsigned minor, char **ret)
{
	_cleanup_(udev_freep) struct udev *udev = udev_new();
	_cleanup_(device_freep) struct udev_device *d = NULL;
	char *name;

	if (!udev)
		return -ENOMEM;
	d = udev_device_new_from_devnum(udev, 'b', makedev(major, minor));
	if (!d)
		return errno == ENOMEM ? -ENOMEM : -ENOENT;
	name = strdup(udev_device_get_sysname(d));
	if (!name)
		return -ENOMEM;
	*ret = name;
	return 0;
}

int hostdev_members(
	const char *type, const char *label, int (*found)(void *arg, const char *name), void *arg)
{
	_cleanup_(udev_freep) struct udev *udev = udev_new();
	_cleanup_(enumerate_freep) struct udev_enumerate *list =
		udev ? udev_enumerate_new(udev) : NULL;
	struct udev_list_entry *e;
	int r = 0;

	if (!list || udev_enumerate_add_match_subsystem(list, "block") < 0 ||
		udev_enumerate_add_match_property(list, "ID_FS_TYPE", type) < 0)
		return -ENOMEM;
	if (udev_enumerate_scan_devices(list) < 0)
		return 0;
	for (e = udev_enumerate_get_list_entry(list); e && r == 0;
		e = udev_list_entry_get_next(e)) {
		const char *path = udev_list_entry_get_name(e), *value;
		_cleanup_(device_freep) struct udev_device *d =
			udev_device_new_from_syspath(udev, path);

		value = d ? udev_device_get_property_value(d, "ID_FS_LABEL") : NULL;
		if (value && streq(value, label))
			r = found(arg, udev_device_get_sysname(d));
	}
	return r;
}

void hostdev_free(struct hostdev *d)
{
	free(d->disk);
	free(d->nvme_subsystem);
	free(d->usb);
	free(d->pci);
	*d = (struct hostdev){ 0 };
}
