// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A PCI driver that misbehaves, on the devices that its parameters name by address. It takes no
 * others, and no alias makes udev load it.
 */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/wait.h>

#define DEVICES_MAX 8

#define DEVICE_LIST(name, what) \
	static char *name[DEVICES_MAX]; \
	static int n_##name; \
	module_param_array(name, charp, &n_##name, 0444); \
	MODULE_PARM_DESC(name, what)

DEVICE_LIST(probe_fails, "the probe fails with EIO");
DEVICE_LIST(probe_hangs, "a probe hangs from the time that the module is loaded");
DEVICE_LIST(reprobe_hangs, "the first probe fails with EIO, the next one hangs");
DEVICE_LIST(remove_hangs, "the driver takes the device, and never lets it go");
DEVICE_LIST(regrabs, "the driver takes the device, and again when it had to let it go");

static bool killable;
module_param(killable, bool, 0444);
MODULE_PARM_DESC(killable, "what hangs ends when its process is killed");

static unsigned int hang_seconds;
module_param(hang_seconds, uint, 0444);
MODULE_PARM_DESC(hang_seconds, "how long it hangs; 0, the default: for ever");

static bool registered;
static DECLARE_WAIT_QUEUE_HEAD(never);
static DECLARE_COMPLETION(hanging);

static bool is_in(struct pci_dev *pdev, char **list, int n)
{
	return match_string((const char *const *)list, n, pci_name(pdev)) >= 0;
}
#define IS_IN(pdev, name) is_in(pdev, name, n_##name)

/* With the device lock held, as all that the driver core calls. */
static int hang(struct pci_dev *pdev, const char *what)
{
	long timeout = hang_seconds ? hang_seconds * HZ : MAX_SCHEDULE_TIMEOUT;

	pci_info(pdev, "%s hangs\n", what);
	complete(&hanging);
	if (killable)
		timeout = wait_event_killable_timeout(never, false, timeout);
	else
		timeout = wait_event_timeout(never, false, timeout);
	pci_info(pdev, "%s hangs no longer: %ld\n", what, timeout);
	return -EIO;
}

static int bad_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	if (IS_IN(pdev, probe_fails))
		return -EIO;
	if (IS_IN(pdev, probe_hangs))
		return registered ? hang(pdev, "probe") : -ENODEV;
	if (IS_IN(pdev, reprobe_hangs))
		return registered ? hang(pdev, "probe") : -EIO;
	return IS_IN(pdev, remove_hangs) || IS_IN(pdev, regrabs) ? 0 : -ENODEV;
}

static void bad_remove(struct pci_dev *pdev)
{
	if (IS_IN(pdev, remove_hangs))
		hang(pdev, "remove");
}

static const struct pci_device_id any[] = { { PCI_DEVICE(PCI_ANY_ID, PCI_ANY_ID) }, {} };

static struct pci_driver bad_driver = {
	.name = KBUILD_MODNAME,
	.id_table = any,
	.probe = bad_probe,
	.remove = bad_remove,
};

/* The device lock is held still, so no other driver can come between; and nobody asks what the
 * driver_override says. */
static int take_again(struct notifier_block *block, unsigned long action, void *data)
{
	struct pci_dev *pdev = to_pci_dev(data);

	if (action != BUS_NOTIFY_UNBOUND_DRIVER || !IS_IN(pdev, regrabs))
		return NOTIFY_DONE;
	pdev->driver = &bad_driver;
	pdev->dev.driver = &bad_driver.driver;
	pci_info(pdev, "is taken again: %d\n", device_bind_driver(&pdev->dev));
	return NOTIFY_OK;
}

static struct notifier_block on_pci_bus = { .notifier_call = take_again };

static int attach(void *dev)
{
	return device_attach(dev);
}

/* A thread for each: a hung probe must not keep the module from being loaded. */
static int __init bad_init(void)
{
	int r = pci_register_driver(&bad_driver);

	if (!r)
		r = bus_register_notifier(&pci_bus_type, &on_pci_bus);
	if (r)
		return r;
	registered = true;
	for (int i = 0; i < n_probe_hangs; i++) {
		struct device *dev = bus_find_device_by_name(&pci_bus_type, NULL, probe_hangs[i]);

		if (!dev || IS_ERR(kthread_run(attach, dev, "badpci/%d", i)))
			pr_err("there is no %s to hang on\n", probe_hangs[i]);
		else
			wait_for_completion(&hanging);
	}
	return 0;
}
module_init(bad_init);

MODULE_DESCRIPTION("A PCI driver that misbehaves, for the tests of vfio-early");
MODULE_LICENSE("GPL");
