# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of vfio-early(8) for fish.

complete -c vfio-early -f
complete -c vfio-early -l list -d 'List the IOMMU groups and their devices'
complete -c vfio-early -l suggest -d 'Print the configuration that these devices need'
complete -c vfio-early -l import -d 'Print what other ways of binding do, as configuration'
complete -c vfio-early -l check -d 'Say what is wrong on this machine and with the last boot'
complete -c vfio-early -l dry-run -d 'Say what the next boot would bind'
complete -c vfio-early -l bind -d 'Bind the configured devices (in an initramfs)'
complete -c vfio-early -l check-config -d 'Check the syntax of a configuration file'
complete -c vfio-early -l modules -d 'List the modules that an image needs'
complete -c vfio-early -l image-mark -d 'Print the name of the file that marks an image'
complete -c vfio-early -l config -r -F -d 'Read this file alone'
complete -c vfio-early -l cmdline -x -d 'Take this for the kernel command line'
complete -c vfio-early -l no-image -d 'Do not look into the initramfs images'
complete -c vfio-early -l json -d 'Print JSON'
complete -c vfio-early -l verbose -d 'Print notes as well'
complete -c vfio-early -s h -l help -d 'Print the help'
complete -c vfio-early -s V -l version -d 'Print the version'

complete -c vfio-early -n '__fish_contains_opt check-config' -F
complete -c vfio-early -n '__fish_contains_opt list; or __fish_contains_opt suggest' \
	-a '(path basename /sys/bus/pci/devices/*)' -d 'PCI address'
complete -c vfio-early -n '__fish_contains_opt modules' \
	-a '(path basename /lib/modules/*)' -d 'Kernel release'
