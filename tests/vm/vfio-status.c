// What the kernel itself says of an IOMMU group, asked as a virtual machine monitor asks.
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

int main(int argc, char *argv[])
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[64];
	int fd;

	if (argc != 2)
		return 2;
	snprintf(path, sizeof(path), "/dev/vfio/%s", argv[1]);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		puts(errno == ENOENT ? "-" : strerror(errno));
		return 0;
	}
	if (ioctl(fd, VFIO_GROUP_GET_STATUS, &status) < 0)
		puts(strerror(errno));
	else
		puts(status.flags & VFIO_GROUP_FLAGS_VIABLE ? "yes" : "no");
	return 0;
}
