/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* floor WHAT...: the least that binds devices, for make bench: no C library, raw system calls.
 * WHAT is an ID, "10de:2786", or an address with the ID that is expected there,
 * "0000:01:00.0=10de:2786".
 *
 * It does what cannot be left out: for IDs it reads each device's uevent, once; for addresses those
 * devices' alone. Of each device that it binds it lists the IOMMU group; it writes all overrides;
 * then it reads each device's driver link, writes to drivers/vfio-pci/bind where there is none, and
 * puts down a line each in /run/record.
 *
 * It knows no configuration and no command line, judges neither groups nor twins nor what the host
 * needs, loads no module, reads nothing back, undoes nothing, says nothing, and hangs where a
 * driver does. */

#include <asm/unistd.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEVICES     "/sys/bus/pci/devices"
#define MAX_BOUND   64
#define ADDRESS_MAX 20

struct entry {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
};

static int devices;
static char bound[MAX_BOUND][ADDRESS_MAX];
static int n_bound;

static long call(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return r;
}

static int open_at(int dir, const char *path, int flags)
{
	return (int)call(__NR_openat, dir, (long)path, flags | O_CLOEXEC, 0600);
}

static _Noreturn void leave(int status)
{
	for (;;)
		call(__NR_exit_group, status, 0, 0, 0);
}

static bool starts(const char *s, const char *prefix)
{
	while (*prefix && *s == *prefix)
		s++, prefix++;
	return *prefix == '\0';
}

/* "ADDRESS/NAME" */
static void path_of(const char *addr, const char *name, char *buf)
{
	while (*addr)
		*buf++ = *addr++;
	*buf++ = '/';
	while ((*buf++ = *name++))
		;
}

/* Whether the ID in the device's uevent is @id, whose digits are in lower case. */
static bool has_id(const char *addr, const char *const *ids, int n)
{
	char path[64], text[4096], *c = text;
	long len;
	int fd;

	path_of(addr, "uevent", path);
	fd = open_at(devices, path, O_RDONLY);
	if (fd < 0)
		return false;
	len = call(__NR_read, fd, (long)text, sizeof(text) - 1, 0);
	call(__NR_close, fd, 0, 0, 0);
	text[len > 0 ? len : 0] = '\0';
	while (*c && !starts(c, "PCI_ID=")) {
		while (*c && *c != '\n')
			c++;
		c += *c == '\n';
	}
	if (!*c)
		return false;
	c += 7;
	for (int i = 0; i < 9; i++)
		c[i] |= c[i] >= 'A' && c[i] <= 'F' ? 0x20 : 0;
	for (int i = 0; i < n; i++)
		if (starts(c, ids[i]))
			return true;
	return false;
}

static void take(const char *addr)
{
	char *to = bound[n_bound];

	if (n_bound == MAX_BOUND)
		leave(1);
	n_bound++;
	while ((*to++ = *addr++))
		;
}

static void find_ids(const char *const *ids, int n)
{
	static char entries[32768];
	long len;

	while ((len = call(__NR_getdents64, devices, (long)entries, sizeof(entries), 0)) > 0)
		for (long i = 0; i < len;) {
			struct entry *e = (struct entry *)(entries + i);

			if (e->name[0] != '.' && has_id(e->name, ids, n))
				take(e->name);
			i += e->len;
		}
}

static void list_group(const char *addr)
{
	static char entries[4096];
	char path[64];
	int dir;

	path_of(addr, "iommu_group/devices", path);
	dir = open_at(devices, path, O_RDONLY | O_DIRECTORY);
	if (dir < 0)
		leave(1);
	while (call(__NR_getdents64, dir, (long)entries, sizeof(entries), 0) > 0)
		;
	call(__NR_close, dir, 0, 0, 0);
}

static void write_to(int dir, const char *path, const char *text)
{
	int fd = open_at(dir, path, O_WRONLY);
	size_t len = 0;

	while (text[len])
		len++;
	if (fd < 0 || call(__NR_write, fd, (long)text, (long)len, 0) != (long)len)
		leave(1);
	call(__NR_close, fd, 0, 0, 0);
}

static void bind(const char *addr)
{
	char path[64], link[256];

	path_of(addr, "driver", path);
	if (call(__NR_readlinkat, devices, (long)path, (long)link, sizeof(link)) < 0)
		write_to(AT_FDCWD, "/sys/bus/pci/drivers/vfio-pci/bind", addr);
}

static void put_record(void)
{
	int fd = open_at(AT_FDCWD, "/run/record", O_WRONLY | O_CREAT | O_TRUNC);
	char text[MAX_BOUND * ADDRESS_MAX], *c = text;

	for (int i = 0; i < n_bound; i++) {
		for (const char *a = bound[i]; *a; a++)
			*c++ = *a;
		*c++ = '\n';
	}
	if (fd < 0 || call(__NR_write, fd, (long)text, c - text, 0) != c - text)
		leave(1);
	call(__NR_close, fd, 0, 0, 0);
}

/* From the kernel's stack: the number of arguments, then they. */
__attribute__((used)) _Noreturn void begin(long *stack)
{
	int argc = (int)stack[0], n_ids = 0;
	const char *const *argv = (const char *const *)(stack + 1);
	const char *ids[MAX_BOUND];
	char path[64];

	devices = open_at(AT_FDCWD, DEVICES, O_RDONLY | O_DIRECTORY);
	if (devices < 0 || argc > MAX_BOUND)
		leave(1);
	for (int i = 1; i < argc; i++) {
		char addr[ADDRESS_MAX] = "";
		const char *id = argv[i];

		for (size_t k = 0; *id && *id != '=' && k < sizeof(addr) - 1; k++)
			addr[k] = *id++;
		if (*id != '=')
			ids[n_ids++] = argv[i];
		else if (has_id(addr, (const char *const[]){ id + 1 }, 1))
			take(addr);
	}
	if (n_ids)
		find_ids(ids, n_ids);
	for (int i = 0; i < n_bound; i++)
		list_group(bound[i]);
	for (int i = 0; i < n_bound; i++) {
		path_of(bound[i], "driver_override", path);
		write_to(devices, path, "vfio-pci");
	}
	for (int i = 0; i < n_bound; i++)
		bind(bound[i]);
	put_record();
	leave(0);
}

__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin\n");
