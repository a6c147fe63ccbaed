#include <string.h>

#include "base/json_schema.h"
#include "test.h"

static struct arena arena;
static struct error error;

static int end(void **state)
{
	(void)state;
	arena_finish(&arena);
	return 0;
}

static struct json_schema *compile(const char *source)
{
	struct json_schema *schema = json_schema_compile(text_of(source), &error);
	if (!schema) {
		fail_msg("%s: %s", source, error.message);
	}
	return schema;
}

// The failures, one a line: "POINTER: WANTED, FOUND".
static const char *check(const char *source, const char *document)
{
	struct json_schema *schema = compile(source);
	json_cleanup *tree = json_parse(text_of(document), &error);
	struct json_schema_failure *failures;
	size_t count;
	buffer_cleanup lines = {0};
	assert_non_null(tree);
	enum json_schema_result result = json_schema_check(schema, tree, &arena, &failures, &count);
	for (size_t i = 0; i < count; i++) {
		buffer_printf(&lines, "%s: %s, %s\n", failures[i].pointer, failures[i].wanted,
			failures[i].found);
	}
	assert_int_equal(result == JSON_SCHEMA_UNFIT, count > 0);
	buffer_add_string(&lines, result == JSON_SCHEMA_TOO_COSTLY ? "too costly\n" : "");
	json_schema_destroy(schema);
	return arena_string(&arena, lines.data);
}

#define TELLS(schema, document, lines) assert_string_equal(check(schema, document), lines)

static void what_does_not_fit_is_told_with_its_place(void **state)
{
	(void)state;
	TELLS("{\"type\":\"object\"}", "{}", "");
	TELLS("{\"type\":\"object\"}", "[]", ": an object, an array\n");
	TELLS("{\"properties\":{\"a/b\":{\"items\":{\"type\":[\"integer\",\"null\"]}}}}",
		"{\"a/b\":[1,null,1.5,\"x\"]}",
		"/a~1b/2: an integer or null, 1.5\n/a~1b/3: an integer or null, a string\n");
	TELLS("{\"required\":[\"a\",\"b\"],\"additionalProperties\":false}", "{\"c\":1}",
		": a member 'a', none\n: a member 'b', none\n/c: no member of this name, one\n");
	TELLS("{\"enum\":[1,\"x\",null]}", "\"y\"", ": one of 1, \"x\", null, \"y\"\n");
	TELLS("{\"minLength\":2}", "\"\\u00e4\"", ": at least 2 characters, 1 character\n");
	TELLS("{\"maxItems\":1}", "[1,2]", ": at most 1 item, 2 items\n");
	TELLS("{\"exclusiveMaximum\":3}", "3", ": a number below 3, 3\n");
	TELLS("{\"pattern\":\"^a+$\"}", "\"ab\"", ": a match of ^a+$, \"ab\"\n");
	TELLS("{\"uniqueItems\":true}", "[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1.0}]",
		": items that all differ, two equal items\n");
	TELLS("{\"oneOf\":[{\"type\":\"number\"},{\"type\":\"integer\"}]}", "1",
		": a value that fits exactly one of 2 alternatives, a value that fits several\n");
	TELLS("{\"contains\":{\"const\":1},\"minContains\":2}", "[1]",
		": at least 2 items that fit a schema, 1 that does\n");
	TELLS("{\"propertyNames\":{\"pattern\":\"^[a-z]\"}}", "{\"A\":1}",
		"/A: a name that fits the schema of names, another one\n");
}

static void no_more_than_some_failures_are_told(void **state)
{
	(void)state;
	buffer_cleanup document = {0};
	for (int i = 0; i < 50; i++) {
		buffer_add_string(&document, i ? ",1" : "[1");
	}
	buffer_add_char(&document, ']');
	struct json_schema *schema = compile("{\"items\":{\"type\":\"string\"}}");
	json_cleanup *tree = json_parse(buffer_text(&document), &error);
	struct json_schema_failure *failures;
	size_t count;
	assert_int_equal(
		json_schema_check(schema, tree, &arena, &failures, &count), JSON_SCHEMA_UNFIT);
	assert_int_equal(count, JSON_SCHEMA_FAILURES);
	json_schema_destroy(schema);
}

static void a_pattern_ends_at_the_very_end(void **state)
{
	(void)state;
	TELLS("{\"pattern\":\"^a$\"}", "\"a\\n\"", ": a match of ^a$, \"a\\n\"\n");
	TELLS("{\"pattern\":\"^\\\\u0061$\"}", "\"a\"", "");
}

static void a_schema_that_is_none_is_refused_with_the_place(void **state)
{
	(void)state;
	static const struct {
		const char *source, *message;
	} cases[] = {{"[]", "a schema is an object, true or false"},
		{"{\"type\":\"text\"}", "/type: it has to be null, boolean, object"},
		{"{\"properties\":{\"a\":{\"minLength\":-1}}}",
			"/properties/a/minLength: it has to be an integer from 0"},
		{"{\"properties\":{\"a\":3}}", "/properties: it has to be an object of schemas"},
		{"{\"allOf\":[]}", "/allOf: it has to be an array of schemas, at least one"},
		{"{\"pattern\":\"(\"}", "/pattern: the pattern does not compile"},
		{"{\"requried\":[]}", "'requried' is no keyword of JSON Schema 2020-12"},
		{"{\"items\":[{}]}", "/items: an array of schemas is called 'prefixItems'"},
		{"{\"dependencies\":{}}", "'dependencies' is not supported"},
		{"{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}",
			"/$schema: it has to be https://json-schema.org/draft/2020-12/schema"},
		{"{\"$ref\":\"#/$defs/none\"}", "'#/$defs/none' leads to no schema in this file"},
		{"{\"$ref\":\"https://example.com/a.json\"}",
			"'https://example.com/a.json' leads to no schema in this file"},
		{"{\"$id\":\"a#b\"}", "an '$id' has no fragment"}, {"{", "1:2"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(json_schema_compile(text_of(cases[i].source), &error));
		if (!strstr(error.message, cases[i].message)) {
			fail_msg("%s: %s", cases[i].source, error.message);
		}
	}
	assert_null(json_schema_compile(TEXT("{\"requried\":[]}"), &error));
	assert_string_equal(error.hint, "did you mean 'required'?");
	json_schema_destroy(compile("{\"x-note\":1,\"$comment\":\"fine\"}"));
}

static void what_costs_too_much_ends(void **state)
{
	(void)state;
	// Endless references, exponentially many alternatives, a pattern that backtracks for ever.
	TELLS("{\"$ref\":\"#\"}", "1", "too costly\n");
	TELLS("{\"$defs\":{\"a\":{\"anyOf\":[{\"$ref\":\"#/$defs/a\"},{\"$ref\":\"#/$defs/a\"}]}},"
	      "\"$ref\":\"#/$defs/a\"}",
		"1", "too costly\n");
	TELLS("{\"items\":{\"$ref\":\"#\"},\"allOf\":[{\"items\":{\"$ref\":\"#\"}},{\"items\":{"
	      "\"$ref\":\"#\"}},{\"items\":{\"$ref\":\"#\"}}]}",
		"[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]", "too costly\n");
	TELLS("{\"pattern\":\"^(a+)+$\"}", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"",
		"too costly\n");
}

static void many_equal_looking_items_are_compared_quickly(void **state)
{
	(void)state;
	buffer_cleanup document = {0};
	for (int i = 0; i < 100000; i++) {
		buffer_printf(&document, "%s{\"id\":%d}", i ? "," : "[", i);
	}
	buffer_add_char(&document, ']');
	TELLS("{\"uniqueItems\":true}", document.data, "");
}

#define TEST(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_does_not_fit_is_told_with_its_place),
		TEST(no_more_than_some_failures_are_told),
		TEST(a_pattern_ends_at_the_very_end),
		TEST(a_schema_that_is_none_is_refused_with_the_place),
		TEST(what_costs_too_much_ends),
		TEST(many_equal_looking_items_are_compared_quickly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
