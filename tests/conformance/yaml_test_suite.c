/*
 * yaml-test-suite through libfyaml as we set it up (every case accepted or refused as the suite
 * says), and through our own reader: what it accepts must have the value in in.json. The reader
 * takes one document, core tags and keys that are texts; cases beyond that are counted as skipped.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/yaml.h"
#include "corpus.h"

struct figures {
	unsigned accepted, valid, refused, invalid; // libfyaml
	unsigned same, compared, beyond;            // our reader
};

// Messages that say: this is YAML, but not for a team file.
static const char *const beyond[] = {
	"more than one document", "unknown tag", "a key must be a text", "is there twice"};

static bool is_beyond(const char *message)
{
	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
		if (strstr(message, beyond[i])) {
			return true;
		}
	}
	return false;
}

static bool same_value(const struct yaml_node *node, struct text expected)
{
	struct error error = {0};
	buffer_cleanup printed = {0};
	yaml_print_json(&printed, node);
	json_cleanup *ours = json_parse(buffer_text(&printed), &error);
	json_cleanup *theirs = json_parse(expected, &error);
	return ours && theirs && cJSON_Compare(ours, theirs, true);
}

static void compare_value(
	struct arena *arena, const char *name, struct text source, struct figures *figures)
{
	struct text expected;
	struct error error = {0};
	if (!corpus_read(arena, "in.json", &expected) || text_trim(expected).length == 0) {
		return; // no value is given
	}
	const struct yaml_node *node = yaml_parse(arena, name, source, &error);
	if (!node && is_beyond(error.message)) {
		figures->beyond++;
		return;
	}
	figures->compared++;
	if (node && same_value(node, expected)) {
		figures->same++;
	} else {
		buffer_cleanup printed = {0};
		if (node) {
			yaml_print_json(&printed, node);
		}
		printf("  %s: %s\n", name, node ? printed.data : error.message);
	}
}

static void run_case(struct arena *arena, const char *name, struct figures *figures)
{
	struct text source;
	struct stat status;
	struct error error = {0};
	if (!corpus_read(arena, "in.yaml", &source)) {
		return;
	}
	bool valid = stat("error", &status) != 0;
	bool accepted = yaml_check_syntax(name, source, &error);
	figures->valid += valid;
	figures->invalid += !valid;
	figures->accepted += valid && accepted;
	figures->refused += !valid && !accepted;
	if (valid != accepted) {
		printf("  %s: %s\n", name, accepted ? "accepted" : error.message);
	}
	if (valid) {
		compare_value(arena, name, source, figures);
	} else if (yaml_parse(arena, name, source, &error)) {
		printf("  %s: accepted by our reader\n", name);
		figures->refused--;
	}
}

// A case lies in a folder of its own, or several lie in numbered folders of one.
static void walk(struct arena *arena, const char *name, struct figures *figures)
{
	char **names = NULL;
	if (chdir(name) != 0) {
		return;
	}
	run_case(arena, name, figures);
	size_t count = corpus_list(arena, ".", &names);
	for (size_t i = 0; i < count; i++) {
		if (strspn(names[i], "0123456789") == strlen(names[i]) && chdir(names[i]) == 0) {
			run_case(arena, arena_printf(arena, "%s/%s", name, names[i]), figures);
			if (chdir("..") != 0) {
				return;
			}
		}
	}
	if (chdir("..") != 0) {
		printf("  %s: no way back\n", name);
	}
}

int main(void)
{
	corpus_enter("yaml-test-suite");
	arena_cleanup arena = {0};
	struct figures figures = {0};
	char **names = NULL;
	size_t count = corpus_list(&arena, ".", &names);
	for (size_t i = 0; i < count; i++) {
		walk(&arena, names[i], &figures);
	}
	printf("yaml-test-suite, valid accepted: %u/%u (skipped: none)\n", figures.accepted,
		figures.valid);
	printf("yaml-test-suite, invalid refused: %u/%u (skipped: none)\n", figures.refused,
		figures.invalid);
	printf("yaml-test-suite, same value as in.json: %u/%u (skipped: %u hold several documents, "
	       "other tags, keys that are no texts, or a key twice)\n",
		figures.same, figures.compared, figures.beyond);
	return figures.valid == 0 || figures.accepted != figures.valid ||
		figures.refused != figures.invalid || figures.same != figures.compared;
}
