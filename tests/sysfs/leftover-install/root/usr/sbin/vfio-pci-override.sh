#!/bin/sh
# writes driver_override
for i in /sys/bus/pci/devices/*/boot_vga; do
	[ "$(cat "$i")" -eq 1 ] || echo vfio-pci >"${i%/boot_vga}/driver_override"
done
modprobe -i vfio-pci
