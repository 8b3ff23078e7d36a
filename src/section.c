/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ini_text.h"
#include "rules.h"
#include "suggester.h"

#define COMMENT(out, ...) ini_comment((out), "# ", "# ", __VA_ARGS__)

static void write_told(const struct findings *told, FILE *out)
{
	for (size_t i = 0; i < told->n; i++) {
		const struct finding *f = &told->items[i];

		ini_comment(out, "# ", "#   ", "%s: %s [%s]", severity_name(f->severity), f->text,
			f->id);
		if (f->cure)
			ini_comment(out, "#   -> ", "#      ", "%s", f->cure);
	}
}

/* A line that is commented out for the host's sake. */
static bool is_kept(const struct line *l)
{
	return l->state == LINE_KEPT && l->why;
}

static bool any_kept(const struct suggester *m)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (is_kept(&m->lines[i]))
			return true;
	return false;
}

/* "device = ...  # NAME, CLASS", in one line that fits. */
static void write_device(struct suggester *m, const struct line *l, FILE *out)
{
	const struct pci_device *d = device_at(m, l->device);
	_cleanup_free_ char *line = plan_line(m->in->snapshot, d, NULL), *text = NULL;
	bool by_path;
	size_t len = 0;

	if (d->is_bridge)
		return;
	if (l->why)
		COMMENT(out, "%s", l->why);
	by_path = line && strchr(line, '/');
	text = format("%s%s  # %s%s%s%s%s", l->state == LINE_ON ? "" : "# ", line ?: "",
		by_path ? PCI_ADDR(d->addr) : "", by_path ? ", " : "", d->name ?: "",
		d->name ? ", " : "", class_name(d->class));
	if (!line || !text) {
		m->r = -ENOMEM;
		return;
	}
	for (size_t n = 0; text[len] && (ini_continues_char(text[len]) || n < INI_COLUMNS); len++)
		n += !ini_continues_char(text[len]);
	ini_put(text, len, out);
	fputc('\n', out);
}

static bool is_by_path(struct suggester *m, const struct line *l)
{
	_cleanup_free_ char *line = plan_line(m->in->snapshot, device_at(m, l->device), NULL);

	return line && strchr(line, '/');
}

static void write_devices(struct suggester *m, FILE *out)
{
	bool headed = false, paths = false;

	for (size_t i = 0; i < m->n_lines; i++) {
		const struct line *l = &m->lines[i];

		if (l->role == ROLE_GROUP && !headed) {
			COMMENT(out,
				"These share an IOMMU group with what is above: all of it is bound together, or nothing.");
			if (takes_chipset(m))
				COMMENT(out,
					"Some are the chipset's own: see that the host can do without them.");
		}
		headed |= l->role == ROLE_GROUP;
		if (!paths && is_by_path(m, l)) {
			paths = true;
			COMMENT(out,
				"By its topology path, since another device has the same ID: with that an address would prove nothing.");
		}
		write_device(m, l, out);
	}
}

static void write_section(struct suggester *m, FILE *out)
{
	bool on = has_line(m, LINE_ON);
	const char *mark = on ? "" : "# ";

	fprintf(out, "%s[%s]\n", mark, m->name);
	/* What is in the group is named below; nothing else is to come in, or to be left out. */
	if (m->in->config->isolation > ISOLATION_STRICT)
		fprintf(out, "%sisolation = strict\n", mark);
	write_devices(m, out);
	for (size_t i = 0; i < m->n_allow; i++) {
		const struct word *w = &m->allow[i];

		COMMENT(out, "%s", w->why ?: "");
		fprintf(out, "%sallow = %s\n", on && w->on ? "" : "# ", allow_name(w->bit));
	}
	if (!on || any_kept(m))
		return;
	COMMENT(out,
		"For a careful first boot delete the '# ' of the next line: then it is bound only where the kernel command line has rd.vfio-early.profile=try; --check says how to have it judged before.");
	fputs("# profile = try\n", out);
}

/* Whether something is in the way that is not what was asked for. */
static bool others_in_the_way(const struct suggester *m)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].role != ROLE_ASKED && is_kept(&m->lines[i]))
			return true;
	return m->blocked;
}

static bool any_in_slot(const struct suggester *m)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].role == ROLE_ASKED &&
			!device_at(m, m->lines[i].device)->on_root_bus)
			return true;
	return false;
}

static void write_alternatives(const struct suggester *m, const char *asked, FILE *out)
{
	bool others = others_in_the_way(m);

	if (!others && !any_kept(m))
		return;
	fputs("#\n# What can be done:\n", out);
	if (others && any_in_slot(m))
		ini_comment(out, "# - ", "#   ",
			"if it is a card, put it into another slot, and ask again: its group is another one there");
	if (others)
		ini_comment(out, "# - ", "#   ",
			"look for ACS in the firmware's settings, switch it on, and ask again: groups are smaller with it");
	if (any_kept(m))
		ini_comment(out, "# - ", "#   ",
			"have the host use something else instead of what it uses above, and ask again");
	ini_comment(out, "# - ", "#   ", "do without: leave %s to the host", asked);
}

static void write_steps(const struct suggester *m, const char *asked, FILE *out)
{
	const char *file = m->in->file ?: CONFIG_FILE;
	const char *option = m->in->file ? " --config " : "", *value = m->in->file ?: "";

	fprintf(out, "#\n# %s:\n",
		suggestion_status(m) < 2 ? "The next steps"
					 : "When that is settled, the next steps");
	ini_comment(out, "# 1. ", "#    ", "append this, as root: vfio-early --suggest %s%s%s >>%s",
		asked, option, value, file);
	ini_comment(out, "# 2. ", "#    ",
		"see what the next boot will do: vfio-early --dry-run%s%s", option, value);
	ini_comment(out, "# 3. ", "#    ", "build the initramfs image anew: %s", m->in->rebuild);
	ini_comment(
		out, "# 4. ", "#    ", "reboot; the way back is rd.vfio-early=0 in the boot menu");
	ini_comment(out, "# 5. ", "#    ", "see what came of it: vfio-early --check");
}

/* Nobody ever binds a bridge. */
static bool any_printable(const struct suggester *m)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (!device_at(m, m->lines[i].device)->is_bridge)
			return true;
	return false;
}

static void write_text(struct suggester *m, const char *asked, FILE *out)
{
	static const char *const verdicts[] = { "ready", "ready, with a warning",
		"not ready, for the reasons given" };
	int status = suggestion_status(m);

	/* The file that it is appended to may lack its last newline. */
	fputc('\n', out);
	COMMENT(out, "vfio-early --suggest %s: %s", asked,
		status < 2 && !has_line(m, LINE_ON) ? "nothing to add" : verdicts[status]);
	if (!m->in->root)
		COMMENT(out,
			"Not run as root: where the firmware draws, only root can read. Run it again as root, if a display is in this.");
	write_told(&m->told, out);
	if (was_told(m, "no-iommu") || was_told(m, "noiommu-group"))
		COMMENT(out,
			"When the IOMMU is on, ask again: what shares the group is not known until then. It begins like this:");
	if (any_printable(m))
		write_section(m, out);
	write_alternatives(m, asked, out);
	if (has_line(m, LINE_ON) && !any_kept(m))
		write_steps(m, asked, out);
}

char *section_make(struct suggester *m, const size_t *devices, size_t n)
{
	_cleanup_free_ char *asked = NULL;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		m->r = -ENOMEM;
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		add_text(m, &asked, " ", "%s", PCI_ADDR(device_at(m, devices[i])->addr));
	write_text(m, asked ?: "", out);
	if (fclose(out) != 0)
		m->r = -ENOMEM;
	return text;
}

int suggest_config_errors(const struct findings *errors, char **ret_text)
{
	size_t size;
	FILE *out = open_memstream(ret_text, &size);

	if (!out)
		return -ENOMEM;
	fputc('\n', out);
	COMMENT(out,
		"vfio-early --suggest: the configuration is in error, so nothing at all would be bound. Correct it, and ask again:");
	write_told(errors, out);
	return fclose(out) == 0 ? 0 : -ENOMEM;
}
