# soak.awk -v seed=NUMBER -v out=DIRECTORY -v generators="NAME...": makes up one boot
# for soak-boot, a case as tests/vm/case takes them: a machine, a configuration for it,
# words for the kernel command line, and which generator makes the image. The same seed
# makes the same, with any awk.

# 0 to n - 1: Lehmer's generator, whose products a double holds.
function any(n)
{
	x = x * 16807 % 2147483647
	return int(x / 2147483647 * n)
}

function chance(percent)
{
	return any(100) < percent
}

function one_of(list,  item, n)
{
	n = split(list, item, " ")
	return item[any(n) + 1]
}

function device(a, p, i, f)
{
	address[++n_devices] = a
	path[n_devices] = p
	id[n_devices] = i
	function_0[n_devices] = f
}

function with(arguments)
{
	print "with " arguments >machine
}

function without(text)
{
	print "without " text >machine
}

# Behind a root port in this slot: the buses are numbered in the order of the slots.
function behind(slot, rest, i)
{
	device(sprintf("0000:%02x:%s", bus, rest), "00:" slot ".0/" rest, i, rest ~ /00\.0/)
}

# The second display, whose driver's coming the judge looks for, and what the host lives
# on always stay; so do the ends of lines that others name.
function make_machine(  slot, amd)
{
	if (chance(5)) {
		without("intel-iommu")
	} else if (chance(10)) {
		without("intel-iommu")
		with("-device amd-iommu,intremap=on")
		amd = 1 # it takes the first free address, which is 3
	}
	device("0000:00:01.0", "00:01.0", "1013:00b8", 0)
	if (chance(30) && !amd) {
		with("-device pcie-root-port,id=added,addr=3,chassis=9")
		bus++
	}
	if (chance(20)) {
		without("twin1")
	} else {
		bus++
		behind("04", "00.0", "1234:1111")
	}
	bus++
	behind("05", "00.0", "1234:1111")
	if (chance(20))
		without("intel-hda,addr=6")
	else
		device("0000:00:06.0", "00:06.0", "8086:2668", 0)
	if (chance(20))
		without("e1000e")
	else
		device("0000:00:07.0", "00:07.0", "8086:10d3", 0)
	if (chance(20))
		without("spare")
	else
		device("0000:00:08.0", "00:08.0", "1b36:0010", 0)
	if (chance(20)) {
		without("card")
	} else {
		bus++
		behind("09", "00.0", "1033:0194")
		behind("09", "00.1", "8086:293e")
	}
	if (chance(20)) {
		without("old")
	} else {
		bus++
		behind("0a", "01.0", "8086:100e")
		behind("0a", "02.0", "1274:5000")
	}
	device("0000:00:0b.0", "00:0b.0", "1b36:000d", 0)
	# More of a kind, and one that no driver knows.
	for (slot = 16; slot < 20; slot++) {
		if (chance(75))
			continue
		if (chance(50)) {
			with(sprintf("-device e1000e,addr=%x,romfile=", slot))
			device(sprintf("0000:00:%02x.0", slot), sprintf("00:%02x.0", slot), "8086:10d3", 0)
		} else {
			with(sprintf("-device edu,addr=%x", slot))
			device(sprintf("0000:00:%02x.0", slot), sprintf("00:%02x.0", slot), "1234:11e8", 0)
		}
	}
}

# One that is in no target yet, mostly.
function choose(  d, n)
{
	for (n = 0; n < 20; n++) {
		d = any(n_devices) + 1
		if (!(d in chosen) || chance(5))
			break
	}
	chosen[d] = 1
	return d
}

function selector(d,  how)
{
	how = any(100)
	if (how < 40)
		return address[d] " " id[d]
	if (how < 60)
		return path[d] " " id[d]
	if (how < 70)
		return address[d]
	if (how < 78)
		return id[d]
	if (how < 86 && function_0[d])
		return substr(address[d], 1, 11) "* " id[d]
	if (how < 89)
		return address[d] " 10de:2786"
	if (how < 91)
		return "0000:77:00.0 " id[d]
	return address[d] " " id[d]
}

function make_target(name,  n, words)
{
	words = ""
	print "\n[" name "]" >config
	for (n = 1 + chance(40) + chance(15); n > 0; n--)
		print "device = " selector(choose()) >config
	for (n = any(6); n > 0; n--)
		words = words " " one_of("storage usb network display boot-display last-usb")
	if (words)
		print "allow =" words >config
	if (chance(35))
		print "isolation = " one_of("strict whole-group none") >config
	if (chance(25)) {
		print "profile = " one_of("gaming vm studio") >config
		profiles = 1
	}
	if (chance(10))
		print "driver = vfio-pci" >config
}

function make_config(  n)
{
	print "# Seed " seed "." >config
	if (chance(30))
		print "[options]\nisolation = " one_of("strict whole-group none") >config
	n_targets = 1 + any(4)
	for (n = 1; n <= n_targets; n++)
		make_target(substr("abcd", n, 1))
	if (chance(4))
		print one_of("devcie=00:06.0 device=6 [a") >config
}

function skip()
{
	return one_of("a b c d a,b 00:06.0 " address[any(n_devices) + 1] " " id[any(n_devices) + 1] " nothing")
}

function make_words(  words)
{
	if (profiles && chance(60))
		words = words " rd.vfio-early.profile=" one_of("gaming vm gaming,vm studio,nonsense")
	if (chance(20))
		words = words " " one_of("rd.vfio-early.skip= vfio-early.skip= rd.vfio_early.skip=") skip()
	if (chance(5))
		words = words " rd.vfio-early=" one_of("0 off no 1 yes")
	if (chance(4))
		words = words " " one_of("single S recovery")
	if (chance(4))
		words = words " rd.vfio-early.nonsense=1"
	if (chance(10))
		words = words " rd.vfio-early.verbose"
	return words
}

BEGIN {
	x = seed % 2147483646 + 1
	for (i = 0; i < 9; i++)
		any(2)
	machine = out "/machine"
	config = out "/config"
	print one_of(generators) >(out "/generator")
	# No load here must make time run out there (see case).
	with("-icount shift=4,sleep=off")
	make_machine()
	make_config()
	print make_words() >(out "/cmdline")
}
