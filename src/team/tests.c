#include "team/tests.h"

#include <string.h>

#include "base/path.h"
#include "team/loader.h"

static const struct key test_gate_keys[] = {
	{"passed", KEY_INTEGER, "How often it has to have held.", .maximum = TESTS_LIMIT},
	{"refused", KEY_INTEGER, "How often it has to have failed.", .maximum = TESTS_LIMIT},
	{0},
};

static const struct key expect_keys[] = {
	{"exit_code", KEY_INTEGER, "What the run has to end with; 0 if not given.", .maximum = 255},
	{"handoffs", KEY_STRINGS, "All handoffs in order: manager -> writer."},
	{"gates", KEY_TABLE_MAP, "How often gates held and failed.", .keys = test_gate_keys},
	{"artifacts", KEY_STRING_MAP, "Files that have to be there, and who wrote them last."},
	{"answer", KEY_PATTERN, "A pattern that the run's answer has to match."},
	{"reason", KEY_PATTERN, "A pattern that the reason has to match, if the run is not done."},
	{0},
};

static const struct key variant_keys[] = {
	{"name", KEY_STRING, "What is wrong with it."},
	{"gate", KEY_STRING, "The gate that looks.", .required = true},
	{"write", KEY_STRING_MAP, "Files that are written before."},
	{"replace", KEY_ANY, "Texts in files that are replaced before: {PATH: {OLD: NEW}}."},
	{"remove", KEY_STRINGS, "Files that are removed before."},
	{"finds", KEY_PATTERN,
		"The gate fails with a sentence that matches; it holds if not given."},
	{0},
};

static const struct key test_keys[] = {
	{"name", KEY_STRING, "What is shown: a sentence.", .required = true},
	{"rehearsal", KEY_FILE, "The answers of the models.", .required = true},
	{"inputs", KEY_STRING_MAP, "The team's inputs; of files and folders their paths."},
	{"timeout", KEY_DURATION, "How long it may take; 60s if not given.", .minimum = 1},
	{"expect", KEY_TABLE, "What the run has to come to.", .keys = expect_keys},
	{"variants", KEY_TABLES, "Gates on the workspace that the run leaves.",
		.keys = variant_keys},
	{0},
};

static const struct key file_keys[] = {
	{"version", KEY_INTEGER, "The version of the format: 1.", .required = true, .minimum = 1,
		.maximum = 1},
	{"tests", KEY_TABLES, "The tests.", .required = true, .keys = test_keys},
	{0},
};

// The file that is read, and the team that it is about.
struct reader {
	struct loader loader;
	const struct team *team;
};

static struct pattern *pattern_at(const struct yaml_node *node, const char *key)
{
	const struct yaml_node *value = yaml_get(node, key);
	struct error said = {0}; // a pattern that does not compile is a mistake already
	return value && value->kind == YAML_STRING ? pattern_compile(value->text, &said) : NULL;
}

static size_t count_at(const struct yaml_node *node, const char *key, enum yaml_kind kind)
{
	const struct yaml_node *value = yaml_get(node, key);
	return value && value->kind == kind ? value->count : 0;
}

static int gate_of(const struct reader *reader, struct text name, struct yaml_position position)
{
	const struct loader *loader = &reader->loader;
	int gate = team_gate_index(reader->team, text_string(loader->arena, name));
	if (gate == TEAM_NONE) {
		const char **names =
			arena_new_array(loader->arena, reader->team->gate_count + 1, const char *);
		size_t count = 0;
		for (size_t i = 0; i < reader->team->gate_count; i++) {
			if (!reader->team->gates[i].anonymous) {
				names[count++] = reader->team->gates[i].name;
			}
		}
		const char *remedy = nearest(loader, name, names, count);
		mistake(loader, position, remedy ? remedy : one_of(loader, names, count),
			"team '%s' has no gate '%s'", reader->team->name, shown(loader, name));
	}
	return gate;
}

static void check_agent(
	const struct reader *reader, struct text name, struct yaml_position position)
{
	const struct loader *loader = &reader->loader;
	const struct team *team = reader->team;
	static const char *const others[] = {"manifest", "user", "several"};
	enum { OTHERS = sizeof(others) / sizeof(others[0]) };
	const char **names =
		arena_new_array(loader->arena, team->agent_count + OTHERS, const char *);
	for (size_t i = 0; i < team->agent_count + OTHERS; i++) {
		names[i] = i < team->agent_count ? team->agents[i].name
						 : others[i - team->agent_count];
		if (text_is(name, names[i])) {
			return;
		}
	}
	mistake(loader, position, nearest(loader, name, names, team->agent_count),
		"team '%s' has no agent '%s'", team->name, shown(loader, name));
}

static const struct team_input *input_of(
	const struct reader *reader, struct text name, struct yaml_position position)
{
	const struct loader *loader = &reader->loader;
	const struct team *team = reader->team;
	const char **names = arena_new_array(loader->arena, team->input_count + 1, const char *);
	for (size_t i = 0; i < team->input_count; i++) {
		names[i] = team->inputs[i].name;
		if (text_is(name, names[i])) {
			return &team->inputs[i];
		}
	}
	mistake(loader, position, nearest(loader, name, names, team->input_count),
		"team '%s' has no input '%s'", team->name, shown(loader, name));
	return NULL;
}

// A text is taken as it is: what -i would take for a file's name gets a doubled '@'.
static void read_inputs(
	const struct reader *reader, struct test *test, const struct yaml_node *inputs)
{
	struct arena *arena = reader->loader.arena;
	size_t count = inputs && inputs->kind == YAML_MAP ? inputs->count : 0;
	test->inputs.items = arena_new_array(arena, count + 1, const char *);
	for (size_t i = 0; i < count; i++) {
		const struct yaml_pair *pair = &inputs->pairs[i];
		const struct team_input *input = input_of(reader, pair->key, pair->position);
		const char *value = text_string(arena, pair->value.text);
		if (!input) {
			continue;
		}
		bool path = input->type == INPUT_FILE || input->type == INPUT_FOLDER;
		const char *mark = !path && value[0] == '@' ? "@" : "";
		test->inputs.items[test->inputs.count++] =
			arena_printf(arena, "%s=%s%s", input->name, mark,
				path ? path_join(arena, reader->loader.folder, value) : value);
	}
}

// "AGENT -> AGENT", with " (refused)" behind it or not.
static void check_handoff(
	const struct reader *reader, struct text handoff, struct yaml_position position)
{
	struct text arrow = TEXT(" -> "), refused = TEXT(" (refused)");
	size_t at = text_find(handoff, arrow);
	if (at == handoff.length) {
		mistake(&reader->loader, position,
			"write AGENT -> AGENT, or AGENT -> AGENT (refused)", "'%s' is no handoff",
			shown(&reader->loader, handoff));
		return;
	}
	struct text from = {handoff.data, at};
	struct text to = {handoff.data + at + arrow.length, handoff.length - at - arrow.length};
	if (text_ends(to, refused.data)) {
		to.length -= refused.length;
	}
	check_agent(reader, from, position);
	check_agent(reader, to, position);
}

static void read_handoffs(
	const struct reader *reader, struct test *test, const struct yaml_node *expect)
{
	const struct yaml_node *node = yaml_get(expect, "handoffs");
	test->handoffs_given = node != NULL;
	test->handoffs = strings_at(&reader->loader, expect, "handoffs");
	for (size_t i = 0; i < test->handoffs.count; i++) {
		check_handoff(reader, text_of(test->handoffs.items[i]),
			node->kind == YAML_LIST ? node->items[i].position : node->position);
	}
}

static void read_expect(
	const struct reader *reader, struct test *test, const struct yaml_node *expect)
{
	struct arena *arena = reader->loader.arena;
	const struct yaml_node *gates = yaml_get(expect, "gates");
	const struct yaml_node *artifacts = yaml_get(expect, "artifacts");
	test->exit_code = integer_at(expect, "exit_code", 0);
	test->answer = pattern_at(expect, "answer");
	test->reason = pattern_at(expect, "reason");
	read_handoffs(reader, test, expect);
	size_t count = count_at(expect, "gates", YAML_MAP);
	test->gates = arena_new_array(arena, count + 1, struct test_gate);
	for (size_t i = 0; i < count; i++) {
		const struct yaml_pair *pair = &gates->pairs[i];
		int gate = gate_of(reader, pair->key, pair->position);
		if (gate != TEAM_NONE) {
			test->gates[test->gate_count++] = (struct test_gate){.gate = gate,
				.passed = integer_at(&pair->value, "passed", -1),
				.refused = integer_at(&pair->value, "refused", -1)};
		}
	}
	count = count_at(expect, "artifacts", YAML_MAP);
	test->artifacts = arena_new_array(arena, count + 1, struct test_artifact);
	for (size_t i = 0; i < count; i++) {
		const struct yaml_pair *pair = &artifacts->pairs[i];
		check_agent(reader, pair->value.text, pair->value.position);
		test->artifacts[test->artifact_count++] = (struct test_artifact){
			text_string(arena, pair->key), text_string(arena, pair->value.text)};
	}
}

// Paths in the workspace: clean, as nothing else is ever written to.
static void add_edit(const struct reader *reader, struct test_variant *variant, struct text path,
	struct yaml_position position, const struct test_edit *edit)
{
	struct arena *arena = reader->loader.arena;
	struct text clean;
	struct error error = {0};
	if (!path_clean(arena, path, &clean, &error) || clean.length == 0) {
		mistake(&reader->loader, position, "write a path from the root of the workspace",
			"%s", clean.length || error.message[0] ? error.message : "this is no file");
		return;
	}
	variant->edits = grown(arena, variant->edits, variant->edit_count, sizeof(*edit));
	variant->edits[variant->edit_count] = *edit;
	variant->edits[variant->edit_count].position = position;
	variant->edits[variant->edit_count++].path = text_string(arena, clean);
}

static void read_replacements(
	const struct reader *reader, struct test_variant *variant, const struct yaml_node *files)
{
	struct arena *arena = reader->loader.arena;
	if (!files || !expect_kind(&reader->loader, files, YAML_MAP, "replace")) {
		return;
	}
	for (size_t i = 0; i < files->count; i++) {
		const struct yaml_pair *file = &files->pairs[i];
		if (!expect_kind(&reader->loader, &file->value, YAML_MAP, "a file of replace")) {
			continue;
		}
		for (size_t j = 0; j < file->value.count; j++) {
			const struct yaml_pair *pair = &file->value.pairs[j];
			struct test_edit edit = {.old = text_string(arena, pair->key),
				.text = text_string(arena, pair->value.text)};
			if (pair->key.length == 0 || pair->value.kind != YAML_STRING) {
				mistake(&reader->loader, pair->position, "write \"old\": \"new\"",
					"a replacement is a text for a text");
				continue;
			}
			add_edit(reader, variant, file->key, file->position, &edit);
		}
	}
}

static void read_variant(
	const struct reader *reader, struct test_variant *variant, const struct yaml_node *node)
{
	struct arena *arena = reader->loader.arena;
	const struct yaml_node *gate = yaml_get(node, "gate"), *write = yaml_get(node, "write");
	const struct yaml_node *finds = yaml_get(node, "finds");
	*variant = (struct test_variant){.name = string_at(&reader->loader, node, "name"),
		.gate = TEAM_NONE,
		.finds = pattern_at(node, "finds"),
		.finds_source = finds ? text_string(arena, finds->text) : NULL,
		.position = node->position};
	if (gate && gate->kind == YAML_STRING) {
		variant->gate = gate_of(reader, gate->text, gate->position);
	}
	for (size_t i = 0; write && write->kind == YAML_MAP && i < write->count; i++) {
		const struct yaml_pair *pair = &write->pairs[i];
		struct test_edit edit = {.text = text_string(arena, pair->value.text)};
		add_edit(reader, variant, pair->key, pair->position, &edit);
	}
	read_replacements(reader, variant, yaml_get(node, "replace"));
	struct team_strings removed = strings_at(&reader->loader, node, "remove");
	for (size_t i = 0; i < removed.count; i++) {
		struct test_edit edit = {0};
		add_edit(reader, variant, text_of(removed.items[i]),
			yaml_get(node, "remove")->position, &edit);
	}
}

static void read_test(const struct reader *reader, struct test *test, const struct yaml_node *node)
{
	struct arena *arena = reader->loader.arena;
	const char *name = string_at(&reader->loader, node, "name");
	const char *rehearsal = string_at(&reader->loader, node, "rehearsal");
	const struct yaml_node *variants = yaml_get(node, "variants");
	*test = (struct test){.name = name ? name : "",
		.rehearsal = rehearsal ? path_join(arena, reader->loader.folder, rehearsal) : NULL,
		.timeout = duration_at(node, "timeout", TESTS_TIMEOUT),
		.position = node->position};
	read_inputs(reader, test, yaml_get(node, "inputs"));
	read_expect(reader, test, yaml_get(node, "expect"));
	size_t count = count_at(node, "variants", YAML_LIST);
	test->variants = arena_new_array(arena, count + 1, struct test_variant);
	for (size_t i = 0; i < count; i++) {
		read_variant(reader, &test->variants[test->variant_count++], &variants->items[i]);
	}
}

static bool read_file(struct tests *tests, struct reader *reader, const char *path)
{
	struct loader *loader = &reader->loader;
	struct yaml_position start = {path, 1, 1};
	struct text source;
	struct error error = {0};
	if (!pull_file(loader, start, path, &source)) {
		return false;
	}
	const struct yaml_node *document = yaml_parse(loader->arena, path, source, &error);
	if (!document) {
		mistake_from_yaml(loader, path, &error);
		return false;
	}
	struct place place = {"", loader->folder, false};
	if (!expect_kind(loader, document, YAML_MAP, "a file of tests")) {
		return false;
	}
	check_table(loader, document, file_keys, &place);
	const struct yaml_node *list = yaml_get(document, "tests");
	size_t count = count_at(document, "tests", YAML_LIST);
	for (size_t i = 0; i < count && tests->count < TESTS_LIMIT; i++) {
		tests->tests =
			grown(loader->arena, tests->tests, tests->count, sizeof(*tests->tests));
		read_test(reader, &tests->tests[tests->count++], &list->items[i]);
	}
	return loader->report->mistakes == 0;
}

bool tests_load(
	struct tests *tests, const struct team *team, const char *path, struct team_report *report)
{
	// A team of its own takes the files that are read here: they are no part of what is tested.
	struct team *own = arena_new(&tests->arena, struct team);
	static const struct vocabulary none; // nothing of other rooms stands in these files
	struct reader reader = {.team = team};
	reader.loader = (struct loader){
		.team = own, .arena = &tests->arena, .vocabulary = &none, .report = report};
	path = arena_string(&tests->arena, path);
	reader.loader.folder = path_folder(&tests->arena, path);
	*report = (struct team_report){0};
	bool good = read_file(tests, &reader, path);
	report_sort(report, path);
	return good;
}

void tests_finish(struct tests *tests)
{
	for (size_t i = 0; i < tests->count; i++) {
		struct test *test = &tests->tests[i];
		pattern_destroy(test->answer);
		pattern_destroy(test->reason);
		for (size_t j = 0; j < test->variant_count; j++) {
			pattern_destroy(test->variants[j].finds);
		}
	}
	arena_finish(&tests->arena);
}
