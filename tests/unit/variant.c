/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"
#include "variant.h"

/* Lines as depmod writes them, of Linux 6.12. */
static const char aliases[] =
	"# Aliases extracted from modules themselves.\n"
	"alias pci:v000015B3d00001021sv*sd*bc*sc*i* mlx5_core\n"
	"alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\n"
	"alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_vfio_pci\n"
	"alias vfio_pci:v00001AF4d00001041sv*sd*bc*sc*i* virtio_vfio_pci\n"
	"alias vfio_pci:v000010DEd00002342sv*sd*bc*sc*i* nvgrace_gpu_vfio_pci\n"
	"alias vfio_pci:v000010DEd00002342sv000010DEsd*bc*sc*i* closer_vfio_pci\n"
	"alias vfio_pci:v000010DEd00002342sv*sd000016ABbc*sc*i* later_vfio_pci\n"
	"alias vfio_pci:nomodule\n"
	"alias vfio_pci: empty\n"
	"alias platform:vfio_pci:v*d* not_ours\n"
	"alias vfio_pci:v00008086d00004941sv*sd*bc*sc*i* qat_vfio_pci";

static const char builtin[] = "mlx5_core.alias=pci:v000015B3d0000101Esv*sd*bc*sc*i*\0"
			      "mlx5_vfio_pci.license=GPL\0"
			      "mlx5_vfio_pci.alias=vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i*";

static const struct {
	int line;
	const char *modalias;
	bool builtin;
	const char *module;
} rows[] = {
	{ __LINE__, "pci:v000015B3d0000101Esv000015B3sd00000000bc02sc00i00", false,
		"mlx5_vfio_pci" },
	{ __LINE__, "pci:v00001AF4d00001041sv00001AF4sd00001100bc02sc00i00", false,
		"virtio_vfio_pci" },
	/* The last line has no newline. */
	{ __LINE__, "pci:v00008086d00004941sv00000000sd00000000bc0Bsc40i00", false,
		"qat_vfio_pci" },
	{ __LINE__, "pci:v00001234d00001111sv00001AF4sd00001100bc03sc80i00", false, "vfio_pci" },
	/* Fewer wildcards win; of equals the first. */
	{ __LINE__, "pci:v000010DEd00002342sv000010DEsd000016ABbc03sc02i00", false,
		"closer_vfio_pci" },
	{ __LINE__, "pci:v000010DEd00002342sv00001043sd00000001bc03sc02i00", false,
		"nvgrace_gpu_vfio_pci" },
	{ __LINE__, "usb:v000010DEp2342", false, NULL },
	{ __LINE__, "", false, NULL },
	{ __LINE__, "pci:v000015B3d0000101Esv000015B3sd00000000bc02sc00i00", true,
		"mlx5_vfio_pci" },
	{ __LINE__, "pci:v00001234d00001111sv00001AF4sd00001100bc03sc80i00", true, NULL },
};

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct variant v = { 0 };

		test_begin(__FILE__, rows[i].line, rows[i].modalias);
		EXPECT_INT(variant_search(&v, rows[i].builtin ? builtin : aliases,
				   rows[i].builtin ? sizeof(builtin) - 1 : sizeof(aliases) - 1,
				   rows[i].builtin, rows[i].modalias),
			0);
		EXPECT_STR(v.module, rows[i].module);
		free(v.module);
		test_end();
	}
	return test_summary();
}
