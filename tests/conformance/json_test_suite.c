/*
 * JSONTestSuite (nst/JSONTestSuite) through our scan: y_ files must be accepted, n_ files refused,
 * i_ files may be either. Two y_ files hold duplicate member names, which RFC 8259 allows and
 * json_check() refuses on purpose; so the grammar is measured with json_check_grammar().
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "corpus.h"

struct tally {
	const char *name;
	unsigned passed, total;
};

static void print(const struct tally *tally)
{
	printf("%s: %u/%u (skipped: none)\n", tally->name, tally->passed, tally->total);
}

// True if cJSON takes what our scan takes, so that no valid text is lost behind it.
static bool tree_agrees(struct text text, const char *name)
{
	struct error error = {0};
	json_cleanup *tree = json_parse(text, &error);
	if (tree || strstr(error.message, "two members") || strstr(error.message, "\\u0000")) {
		return true;
	}
	printf("  %s: %s\n", name, error.message);
	return false;
}

int main(void)
{
	corpus_enter("json-test-suite");
	arena_cleanup arena = {0};
	struct tally good = {.name = "json-test-suite, valid accepted"};
	struct tally bad = {.name = "json-test-suite, invalid refused"};
	struct tally either = {.name = "json-test-suite, left open, read without a crash"};
	unsigned duplicates = 0;
	char **names = NULL;
	size_t count = corpus_list(&arena, "test_parsing", &names);
	for (size_t i = 0; i < count; i++) {
		struct text text;
		struct error error = {0}, strict = {0};
		if (!corpus_read(
			    &arena, arena_printf(&arena, "test_parsing/%s", names[i]), &text)) {
			printf("  %s: cannot be read\n", names[i]);
			return 1;
		}
		bool accepted = json_check_grammar(text, &error);
		bool checked = json_check(text, &strict);
		duplicates += accepted && !checked;
		if (names[i][0] == 'y') {
			good.total++;
			good.passed += accepted && tree_agrees(text, names[i]);
		} else if (names[i][0] == 'n') {
			bad.total++;
			bad.passed += !accepted && !checked;
		} else {
			either.total++;
			either.passed += !accepted || tree_agrees(text, names[i]);
		}
		if (accepted != (names[i][0] == 'y') && names[i][0] != 'i') {
			printf("  %s: %s\n", names[i], accepted ? "accepted" : error.message);
		}
	}
	print(&good);
	print(&bad);
	print(&either);
	printf("json-test-suite, refused only for duplicate member names: %u\n", duplicates);
	return good.total == 0 || good.passed != good.total || bad.passed != bad.total ||
		either.passed != either.total;
}
