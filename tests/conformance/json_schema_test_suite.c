/*
 * JSON-Schema-Test-Suite, draft 2020-12, without its optional part. Schemas that refer to other
 * documents are refused (nothing is ever fetched), and so are those of another dialect: their
 * cases are counted as refused, with the reason, and every refusal has to have one of these reasons.
 * A zero byte in a string, which our reader refuses, is read as another control character.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_schema.h"
#include "corpus.h"

static struct {
	const char *said; // part of the message
	const char *reason;
	unsigned cases;
} refusals[] = {
	{"leads to no schema in this file", "schemas that refer to other documents"},
	{"https://json-schema.org/draft/2020-12/schema", "schemas in another dialect"},
	{"the pattern does not compile", "patterns with names of properties that PCRE2 has not"},
};
enum { REFUSALS = sizeof(refusals) / sizeof(refusals[0]) };

struct tally {
	unsigned passed, total, refused;
	bool broken;
};

static void run_group(const cJSON *group, const char *file, struct tally *tally)
{
	struct error error = {0};
	buffer_cleanup source = {0};
	const cJSON *test, *tests = cJSON_GetObjectItemCaseSensitive(group, "tests");
	json_print(&source, cJSON_GetObjectItemCaseSensitive(group, "schema"));
	struct json_schema *schema = json_schema_compile(buffer_text(&source), &error);
	if (!schema) {
		size_t i = 0;
		while (i < REFUSALS && !strstr(error.message, refusals[i].said)) {
			i++;
		}
		unsigned cases = (unsigned)cJSON_GetArraySize(tests);
		tally->refused += cases;
		tally->broken = tally->broken || i == REFUSALS;
		if (i < REFUSALS) {
			refusals[i].cases += cases;
		}
		if (i == REFUSALS || getenv("VERBOSE")) {
			printf("  %s: %s: refused: %s\n", file,
				json_string(group, "description", ""), error.message);
		}
		return;
	}
	cJSON_ArrayForEach(test, tests)
	{
		arena_cleanup arena = {0};
		struct json_schema_failure *failures;
		size_t count;
		bool valid = json_boolean(test, "valid", false);
		enum json_schema_result result = json_schema_check(schema,
			cJSON_GetObjectItemCaseSensitive(test, "data"), &arena, &failures, &count);
		bool right = result == (valid ? JSON_SCHEMA_FITS : JSON_SCHEMA_UNFIT) &&
			(count > 0) == !valid;
		tally->total++;
		tally->passed += right;
		if (!right) {
			printf("  %s: %s: %s: result %d, %zu failures\n", file,
				json_string(group, "description", ""),
				json_string(test, "description", ""), result, count);
		}
	}
	json_schema_destroy(schema);
}

static bool run_file(struct arena *arena, const char *name, struct tally *tally)
{
	struct text text;
	struct error error = {0};
	const cJSON *group;
	if (!corpus_read(arena, arena_printf(arena, "tests/draft2020-12/%s", name), &text)) {
		printf("  %s: cannot be read\n", name);
		return false;
	}
	char *copy = text_string(arena, text);
	for (char *zero = strstr(copy, "\\u0000"); zero; zero = strstr(zero, "\\u0000")) {
		zero[5] = '1';
	}
	json_cleanup *groups = json_parse((struct text){copy, text.length}, &error);
	if (!groups) {
		printf("  %s: %s\n", name, error.message);
		return false;
	}
	cJSON_ArrayForEach(group, groups)
	{
		run_group(group, name, tally);
	}
	return true;
}

int main(void)
{
	corpus_enter("json-schema-test-suite");
	arena_cleanup arena = {0};
	struct tally tally = {0};
	char **names = NULL;
	bool read = true;
	size_t count = corpus_list(&arena, "tests/draft2020-12", &names);
	for (size_t i = 0; i < count; i++) {
		if (text_ends(text_of(names[i]), ".json")) {
			read = run_file(&arena, names[i], &tally) && read;
		}
	}
	printf("json-schema-test-suite, draft 2020-12: %u/%u (refused: %u)\n", tally.passed,
		tally.total, tally.refused);
	for (size_t i = 0; i < REFUSALS; i++) {
		printf("json-schema-test-suite, refused: %s: %u\n", refusals[i].reason,
			refusals[i].cases);
	}
	return !read || tally.broken || tally.total == 0 || tally.passed != tally.total;
}
