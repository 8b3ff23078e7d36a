/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "finding.h"
#include "test.h"

static _printf_(2, 3) int cure(struct findings *f, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = finding_vcure(f, fmt, ap);
	va_end(ap);
	return r;
}

int main(void)
{
	struct findings f = { 0 };
	struct pci_addr addr = { 0, 1, 0, 1 };

	TEST_BEGIN("empty");
	EXPECT_INT(findings_worst(&f), -1);
	findings_free(&f);
	test_end();

	TEST_BEGIN("add, with and without target and address");
	EXPECT_INT(finding_add(&f, SEVERITY_NOTE, "skipped", NULL, NULL, "%s", "one"), 0);
	EXPECT_INT(findings_worst(&f), SEVERITY_NOTE);
	EXPECT_INT(finding_add(&f, SEVERITY_ERROR, "absent", "gpu", &addr, "two %d", 2), 0);
	EXPECT_INT(findings_worst(&f), SEVERITY_ERROR);
	EXPECT_INT(finding_add(&f, SEVERITY_WARNING, "siblings", "gpu", NULL, "100%%"), 0);
	EXPECT_INT(findings_worst(&f), SEVERITY_ERROR);
	EXPECT_INT(f.n, 3);
	EXPECT_STR(f.items[0].text, "one");
	EXPECT_STR(f.items[0].target, NULL);
	EXPECT(!f.items[0].has_addr);
	EXPECT_STR(f.items[0].cure, NULL);
	EXPECT_STR(f.items[1].id, "absent");
	EXPECT_STR(f.items[1].target, "gpu");
	EXPECT(f.items[1].has_addr);
	EXPECT_STR(PCI_ADDR(f.items[1].addr), "0000:01:00.1");
	EXPECT_STR(f.items[1].text, "two 2");
	EXPECT_STR(f.items[2].text, "100%");
	EXPECT(!f.items[2].has_addr);
	test_end();

	TEST_BEGIN("a cure belongs to the last finding; the second replaces the first");
	EXPECT_INT(cure(&f, "write %s", "this"), 0);
	EXPECT_STR(f.items[2].cure, "write this");
	EXPECT_INT(cure(&f, "or that"), 0);
	EXPECT_STR(f.items[2].cure, "or that");
	EXPECT_STR(f.items[1].cure, NULL);
	test_end();

	TEST_BEGIN("names of severities");
	EXPECT_STR(severity_name(SEVERITY_NOTE), "note");
	EXPECT_STR(severity_name(SEVERITY_WARNING), "warning");
	EXPECT_STR(severity_name(SEVERITY_ERROR), "error");
	test_end();

	TEST_BEGIN("freed twice");
	findings_free(&f);
	EXPECT_INT(f.n, 0);
	EXPECT(!f.items);
	findings_free(&f);
	test_end();
	return test_summary();
}
