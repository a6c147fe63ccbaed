#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "gate/gate.h"

static void add_kind(struct buffer *text, const struct key_owner *owner)
{
	buffer_printf(text, "### `%s`\n\n%s", owner->name, owner->help);
	if (owner->later) {
		buffer_add_string(text, " Not available yet.\n\n");
		return;
	}
	buffer_add_string(text, "\n\n| key | meaning |\n|---|---|\n");
	for (const struct key *key = owner->keys; key->name; key++) {
		buffer_printf(text, "| `%s` | %s%s |\n", key->name, key->help,
			key->later ? " Not available yet." : "");
	}
	buffer_add_string(text, "\n");
}

// With MUSTER_WRITE=1 the file is brought up to date instead.
static void the_reference_of_checks_is_what_the_tables_say(void **state)
{
	(void)state;
	static const char begin[] = "<!-- checks -->\n", end[] = "<!-- end of checks -->";
	arena_cleanup arena = {0};
	struct error error = {0};
	struct text text;
	const char *source = getenv("MUSTER_SOURCE");
	const char *path = arena_printf(&arena, "%s/docs/gates.md", source ? source : ".");
	assert_true(file_read(&arena, path, 1 << 20, &text, &error));
	size_t from = text_find(text, text_of(begin)) + sizeof(begin) - 1;
	size_t to = text_find(text, text_of(end));
	assert_true(from <= to);
	buffer_cleanup wanted = {0};
	buffer_add(&wanted, text.data, from);
	buffer_add_string(&wanted, "\n");
	struct owner_list kinds = gate_vocabulary();
	for (size_t i = 0; i < kinds.count; i++) {
		add_kind(&wanted, &kinds.owners[i]);
	}
	buffer_add(&wanted, text.data + to, text.length - to);
	if (getenv("MUSTER_WRITE")) {
		assert_true(file_replace(path, buffer_text(&wanted), 0644, &error));
	} else {
		assert_text(text, wanted.data);
	}
}

// Notes which keys of its kind a check uses.
static void note_keys(const struct owner_list *kinds, const struct yaml_node *check, bool *used)
{
	size_t number = 0;
	for (size_t i = 0; i < kinds->count; i++) {
		const struct key *keys = kinds->owners[i].keys;
		bool same = yaml_get(check, kinds->owners[i].name) != NULL;
		for (size_t j = 0; keys && keys[j].name; j++, number++) {
			used[number] = used[number] || (same && yaml_get(check, keys[j].name));
		}
	}
}

static void the_examples_compile_and_use_every_key(void **state)
{
	(void)state;
	static const char begin[] = "<!-- examples -->\n\n```yaml\n", end[] = "```\n\n<!-- end";
	bool used[256] = {0};
	arena_cleanup arena = {0};
	struct error error = {0};
	struct text text;
	const char *source = getenv("MUSTER_SOURCE");
	const char *path = arena_printf(&arena, "%s/docs/gates.md", source ? source : ".");
	assert_true(file_read(&arena, path, 1 << 20, &text, &error));
	size_t from = text_find(text, text_of(begin)) + sizeof(begin) - 1;
	size_t to = text_find(text, text_of(end));
	assert_true(from < to);
	struct yaml_node *list = yaml_parse(
		&arena, "docs/gates.md", (struct text){text.data + from, to - from}, &error);
	if (!list) {
		fail_msg("%s", error.message);
	}
	struct team_file files[] = {{.path = "items.schema.json", .content = TEXT("true")},
		{.path = "config.schema.json", .content = TEXT("true")}};
	struct team team = {.files = files, .file_count = 2};
	struct team_gate declaration = {.name = "examples", .require = list};
	struct gate *gate = gate_compile(&arena, &team, &declaration, &error);
	if (!gate) {
		fail_msg("%s", error.message);
	}
	gate_finish(gate);
	struct owner_list kinds = gate_vocabulary();
	for (size_t i = 0; i < list->count; i++) {
		note_keys(&kinds, &list->items[i], used);
	}
	size_t number = 0;
	for (size_t i = 0; i < kinds.count; i++) {
		const struct key *keys = kinds.owners[i].keys;
		for (size_t j = 0; keys && keys[j].name; j++, number++) {
			if (!used[number] && !keys[j].later) {
				fail_msg("no example of '%s' in '%s'", keys[j].name,
					kinds.owners[i].name);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_of_checks_is_what_the_tables_say),
		cmocka_unit_test(the_examples_compile_and_use_every_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
