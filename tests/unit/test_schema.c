#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/vocabulary.h"
#include "team/team.h"
#include "team_words.h"

static cJSON *schema_of(void (*write)(struct buffer *, const struct vocabulary *))
{
	buffer_cleanup json = {0};
	struct error error = {0};
	write(&json, team_words());
	cJSON *tree = json_parse(buffer_text(&json), &error);
	assert_string_equal(error.message, "");
	return tree;
}

static const char *type_at(const cJSON *schema, const char *pointer)
{
	return json_string(json_at(schema, text_of(pointer)), "type", "nothing");
}

static void the_schemas_describe_every_key_of_the_tables(void **state)
{
	(void)state;
	json_cleanup *team = schema_of(team_schema);
	assert_string_equal(type_at(team, "/properties/name"), "string");
	assert_string_equal(type_at(team, "/properties/limits/properties/max_turns"), "integer");
	assert_float_equal(
		json_at(team, TEXT("/properties/limits/properties/max_turns/minimum"))->valuedouble,
		1, 0);
	assert_string_equal(
		type_at(team, "/properties/agents/additionalProperties/properties/run_as"),
		"string");
	assert_string_equal(
		json_at(team, TEXT("/$defs/provider/enum/0"))->valuestring, "unix-local");
	assert_string_equal(
		json_at(team, TEXT("/$defs/check/anyOf/0/required/0"))->valuestring, "file");
	assert_string_equal(
		json_at(team, TEXT("/$defs/entry/anyOf/1/properties/type/const"))->valuestring,
		"dir");
	json_cleanup *gate = schema_of(gate_schema);
	assert_string_equal(type_at(gate, "/properties/name"), "string");
	assert_non_null(json_at(gate, TEXT("/$defs/check/anyOf/6")));
}

static void an_editor_is_not_offered_what_is_not_available(void **state)
{
	(void)state;
	json_cleanup *team = schema_of(team_schema);
	static const char *const missing[] = {"/properties/mcp_servers", "/properties/hooks",
		"/properties/agents/additionalProperties/properties/skills", "/$defs/check/anyOf/7",
		"/$defs/provider/enum/1", "/$defs/entry/anyOf/11"};
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		assert_null(json_at(team, text_of(missing[i])));
	}
	assert_non_null(json_at(team, TEXT("/$defs/entry/anyOf/3")));
}

// With MUSTER_GOLDEN_WRITE set the files are written instead.
static void is_kept(void (*write)(struct buffer *, const struct vocabulary *), const char *name)
{
	arena_cleanup arena = {0};
	buffer_cleanup made = {0};
	struct text kept = {0};
	struct error error = {0};
	const char *source = getenv("MUSTER_SOURCE");
	if (!source) {
		print_message("# MUSTER_SOURCE does not name the source folder\n");
		skip();
	}
	const char *path = arena_printf(&arena, "%s/docs/schema/%s.schema.json", source, name);
	write(&made, vocabulary());
	if (getenv("MUSTER_GOLDEN_WRITE")) {
		assert_true(file_make_folders(
			arena_printf(&arena, "%s/docs/schema", source), 0755, &error));
		assert_true(file_replace(path, buffer_text(&made), 0644, &error));
		return;
	}
	assert_true(file_read(&arena, path, 1 << 20, &kept, &error));
	if (!text_equal(kept, buffer_text(&made))) {
		fail_msg("%s is old; write it anew with: muster validate --schema %s", path, name);
	}
}

static void the_schemas_in_docs_are_those_of_the_tables(void **state)
{
	(void)state;
	is_kept(team_schema, "team");
	is_kept(gate_schema, "gate");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_schemas_describe_every_key_of_the_tables),
		cmocka_unit_test(an_editor_is_not_offered_what_is_not_available),
		cmocka_unit_test(the_schemas_in_docs_are_those_of_the_tables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
