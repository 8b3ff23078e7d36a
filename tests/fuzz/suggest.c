/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A machine with a configuration, what its host uses, and devices that somebody asks for: what is
 * suggested is a configuration that does what its status says, and takes nothing from the host. */
#include "fuzz.h"
#include "law.h"
#include "plan.h"
#include "randomcase.h"
#include "suggest.h"

#define ASKED 2

/* The first bytes of the input; the case is made of the rest. */
struct choices {
	uint8_t targets; /* how many of the case's are configured already */
	uint8_t asked[ASKED];
	uint8_t other_keyboard;
	uint8_t uses[16]; /* for each device what it is used for */
};

struct asking {
	struct config config;    /* what is there */
	struct config both;      /* and what is suggested behind it */
	struct bootwords words;  /* without what bypasses or skips */
	struct plan before, now; /* of each */
	struct uses uses;
	size_t asked[ASKED];
	char *text;
	int status;
};

static struct random_case the_case;
static const struct snapshot *const snapshot = &the_case.machine.snapshot;

static void suggest_law(const struct asking *a, bool kept, const char *what)
{
	static struct text told;

	if (kept)
		return;
	told.n = 0;
	case_tell(&the_case, &told);
	law(false, what, "of %zu configured, status %d:\n%s%s", a->config.n_targets, a->status,
		told.s, a->text);
	abort();
}

static void make_uses(struct asking *a, const struct choices *c)
{
	a->uses.other_keyboard = c->other_keyboard & 1;
	for (size_t i = 0; i < snapshot->n_devices && i < sizeof(c->uses); i++) {
		struct use *u;

		if (c->uses[i] % 16 > USE_KEYBOARD || snapshot->devices[i].is_bridge)
			continue;
		u = array_add(&a->uses.items, &a->uses.n, sizeof(*u));
		EXPECT(u);
		*u = (struct use){ (enum use_kind)(c->uses[i] % 16), i, strdup("/x"),
			strdup("/x\n[y]\n ← z # ;") };
		EXPECT(u->what && u->chain);
	}
}

/* What is asked for, twice: the same is answered. */
static void ask(struct asking *a)
{
	_cleanup_free_ char *again = NULL;
	struct suggest in = { .snapshot = snapshot,
		.module = &the_case.machine.module,
		.words = &a->words,
		.config = &a->config,
		.uses = &a->uses,
		.rebuild = "update-initramfs -u",
		.root = true };
	int status;

	EXPECT(suggest_make(&in, a->asked, ASKED, &a->text, &a->status) == 0);
	EXPECT(suggest_make(&in, a->asked, ASKED, &again, &status) == 0);
	suggest_law(a, streq(a->text, again) && status == a->status, "not the same twice");
	suggest_law(a, a->status >= 0 && a->status <= 2, "no such status");
}

static bool binds(const struct plan *p, size_t device)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == STEP_OVERRIDE && p->steps[i].device == device)
			return true;
	return false;
}

/* The suggested target, or NULL. */
static const struct plan_target *suggested(const struct asking *a)
{
	return a->both.n_targets > a->config.n_targets ? &a->now.targets[a->config.n_targets]
						       : NULL;
}

static void check_host(const struct asking *a, const struct plan_target *t)
{
	for (size_t i = 0; i < t->n_devices && t->verdict == VERDICT_BIND; i++)
		for (size_t j = 0; j < a->uses.n; j++)
			suggest_law(a,
				a->uses.items[j].device != t->devices[i].device ||
					a->uses.items[j].kind == USE_KEYBOARD,
				"takes what the host uses");
}

static void check_ready(const struct asking *a, const struct plan_target *t)
{
	suggest_law(a, t->verdict == VERDICT_BIND, "ready, and not bound");
	for (size_t i = 0; i < ASKED; i++)
		suggest_law(a,
			binds(&a->now, a->asked[i]) ||
				plan_wants(&a->config, &snapshot->devices[a->asked[i]]),
			"ready without what was asked for");
	for (size_t i = 0; i < a->config.n_targets; i++)
		suggest_law(a,
			a->before.targets[i].verdict != VERDICT_BIND ||
				a->now.targets[i].verdict == VERDICT_BIND,
			"ready, and another target falls");
	for (size_t i = 0; i < a->now.findings.n; i++) {
		const struct finding *f = &a->now.findings.items[i];

		suggest_law(a,
			a->status > 0 || f->severity < SEVERITY_WARNING || !f->target ||
				!streq(f->target, t->target->name),
			"ready, with a warning that is not told");
	}
}

static void check_text(const struct asking *a)
{
	size_t column = 0;

	for (const char *s = a->text; *s; s++) {
		suggest_law(
			a, *s == '\n' || (unsigned char)*s >= 0x20, "a control character in it");
		column = *s == '\n' ? 0 : column + (((unsigned char)*s & 0xc0) != 0x80);
		suggest_law(a, column <= 100, "a long line");
	}
}

static void check(struct asking *a, const struct text *config)
{
	_cleanup_free_ char *both = NULL;
	const struct plan_target *t;

	check_text(a);
	both = format("%s%s", config->s, a->text);
	EXPECT(both && config_parse(&a->both, "both", both, strlen(both)) == 0);
	EXPECT(config_finish(&a->both) == 0);
	suggest_law(a, a->both.errors.n == 0, "does not parse");
	suggest_law(a, a->both.n_targets <= a->config.n_targets + 1, "more than one target");
	EXPECT(plan_make(&a->config, &a->words, snapshot, &the_case.machine.module, &a->before) ==
		0);
	EXPECT(plan_make(&a->both, &a->words, snapshot, &the_case.machine.module, &a->now) == 0);
	t = suggested(a);
	suggest_law(a, t || a->status > 0, "nothing to add, and all is well");
	if (!t)
		return;
	check_host(a, t);
	if (a->status < 2)
		check_ready(a, t);
}

static void make_config(struct asking *a, unsigned targets, struct text *ret)
{
	ret->n = 0;
	put(ret, "%s", the_case.options.s);
	for (unsigned i = 0; i < targets; i++)
		put(ret, "%s", the_case.targets[i].s);
	EXPECT(config_parse(&a->config, "conf", ret->s, ret->n) == 0);
	EXPECT(config_finish(&a->config) == 0);
}

/* The words that neither bypass nor skip. */
static void make_words(struct asking *a)
{
	struct text words = { 0 };

	put(&words, "%s", "");
	for (unsigned i = 0; i < CASE_WORDS; i++)
		if (!strstr(the_case.words[i], ".skip="))
			put(&words, "%s ", the_case.words[i]);
	EXPECT(bootwords_parse(words.s, &a->words) == 0);
	bootwords_drop_bypass(&a->words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct text config;
	struct asking a = { .status = -1 };
	struct choices c = { 0 };
	size_t n = len < sizeof(c) ? len : sizeof(c);

	memcpy(&c, data, n);
	case_make(&the_case, data + n, len - n);
	make_config(&a, c.targets % (CASE_TARGETS + 1), &config);
	make_words(&a);
	for (size_t i = 0; i < ASKED; i++)
		a.asked[i] = c.asked[i] % snapshot->n_devices;
	make_uses(&a, &c);
	/* What is in error already gets no suggestion, and with a word that is not understood
	 * nothing is bound. */
	if (a.config.errors.n == 0 && !a.words.bypass) {
		ask(&a);
		check(&a, &config);
	}
	free(a.text);
	plan_free(&a.before);
	plan_free(&a.now);
	uses_free(&a.uses);
	bootwords_free(&a.words);
	config_free(&a.both);
	config_free(&a.config);
	case_clear(&the_case);
	return 0;
}
