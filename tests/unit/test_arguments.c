#include "test.h"

#include <string.h>

#include "cli/verb.h"

static const struct option options[] = {
	{"input", 'i', "NAME=VALUE", true, COMPLETE_NOTHING, "an input"},
	{"rehearse", 'r', "FILE", false, COMPLETE_FILE, "a rehearsal"},
	{"json", 0, NULL, false, COMPLETE_NOTHING, "JSON"},
	{"all", 'a', NULL, false, COMPLETE_NOTHING, "all"},
	{NULL},
};

#define PARSE(arguments, error, ...)                                                               \
	arguments_parse(arguments, "run", options, (const char *const[]){__VA_ARGS__},             \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), error)

static void refuses(const char *word, const char *next, const char *message, const char *hint)
{
	struct arguments arguments;
	struct error error = {0};
	const char *const words[] = {word, next};
	assert_false(arguments_parse(&arguments, "run", options, words, next ? 2 : 1, &error));
	assert_int_equal(error.kind, ERROR_USAGE);
	assert_string_equal(error.message, message);
	assert_string_equal(error.hint, hint);
	arguments_finish(&arguments);
}

static void options_and_operands_may_be_mixed(void **state)
{
	(void)state;
	struct arguments arguments;
	struct error error = {0};
	size_t count;
	assert_true(PARSE(&arguments, &error, "team.yaml", "-i", "a=1", "--rehearse=r.yaml", "-qC",
		"/somewhere", "--input", "b=2", "more"));
	assert_int_equal(arguments.operand_count, 2);
	assert_string_equal(arguments.operands[0], "team.yaml");
	assert_string_equal(arguments.operands[1], "more");
	const char **inputs = arguments_values(&arguments, "input", &count);
	assert_int_equal(count, 2);
	assert_string_equal(inputs[0], "a=1");
	assert_string_equal(inputs[1], "b=2");
	assert_string_equal(arguments_value(&arguments, "rehearse"), "r.yaml");
	assert_string_equal(arguments_value(&arguments, "directory"), "/somewhere");
	assert_true(arguments_has(&arguments, "quiet"));
	assert_false(arguments_has(&arguments, "json"));
	assert_null(arguments_value(&arguments, "json"));
	arguments_finish(&arguments);
}

static void short_options_take_their_value_from_the_same_word(void **state)
{
	(void)state;
	struct arguments arguments;
	struct error error = {0};
	assert_true(PARSE(&arguments, &error, "-air=x", "-rfile"));
	assert_true(arguments_has(&arguments, "all"));
	assert_string_equal(arguments_value(&arguments, "input"), "r=x");
	assert_string_equal(arguments_value(&arguments, "rehearse"), "file");
	arguments_finish(&arguments);
}

static void a_number_with_a_minus_names_a_run(void **state)
{
	(void)state;
	struct arguments arguments;
	struct error error = {0};
	assert_true(PARSE(&arguments, &error, "-1", "-12/designer", "-"));
	assert_int_equal(arguments.operand_count, 3);
	assert_string_equal(arguments.operands[0], "-1");
	arguments_finish(&arguments);
}

static void two_dashes_end_the_options(void **state)
{
	(void)state;
	struct arguments arguments;
	struct error error = {0};
	assert_true(PARSE(&arguments, &error, "--json", "--", "--json", "--"));
	assert_int_equal(arguments.operand_count, 2);
	assert_string_equal(arguments.operands[0], "--json");
	arguments_finish(&arguments);
}

static void a_mistyped_option_gets_the_nearest_name(void **state)
{
	(void)state;
	refuses("--rehears", NULL, "'muster run' has no option '--rehears'",
		"did you mean '--rehearse'?");
	refuses("--quite", NULL, "'muster run' has no option '--quite'", "did you mean '--quiet'?");
	refuses("--zzzzzz", NULL, "'muster run' has no option '--zzzzzz'",
		"'muster run --help' lists them");
	refuses("-x", NULL, "'muster run' has no option '-x'", "'muster run --help' lists them");
}

static void values_are_asked_for_and_refused(void **state)
{
	(void)state;
	refuses("--rehearse", NULL, "option '--rehearse' needs a value", "write --rehearse FILE");
	refuses("-r", NULL, "option '--rehearse' needs a value", "write --rehearse FILE");
	refuses("--json=yes", NULL, "option '--json' takes no value", "write --json alone");
	refuses("-ra", "--rehearse=b", "option '--rehearse' is given twice", "give it once");
}

static void control_characters_of_a_word_do_not_reach_the_terminal(void **state)
{
	(void)state;
	refuses("--\033[2J\n", NULL, "'muster run' has no option '--\\x1b[2J\\n'",
		"'muster run --help' lists them");
}

static void every_verb_has_help_examples_and_unique_options(void **state)
{
	(void)state;
	for (size_t i = 0; verbs[i]; i++) {
		buffer_cleanup help = {0};
		const struct verb *verb = verbs[i];
		assert_ptr_equal(verb_find(verb->name), verb);
		assert_non_null(verb->examples[0]);
		assert_true(verb->maximum >= verb->minimum);
		verb_help(&help, verb);
		assert_non_null(strstr(help.data, verb->examples[0]));
		for (const struct option *option = verb->options; option && option->name;
			option++) {
			assert_non_null(strstr(help.data, option->help));
			for (const struct option *other = option + 1; other->name; other++) {
				assert_string_not_equal(option->name, other->name);
				assert_true(!option->letter || option->letter != other->letter);
			}
			for (const struct option *other = common_options; other->name; other++) {
				assert_string_not_equal(option->name, other->name);
				assert_true(!option->letter || option->letter != other->letter);
			}
		}
	}
}

static void a_mistyped_verb_gets_the_nearest_name(void **state)
{
	(void)state;
	struct error error = {0};
	assert_false(verb_unknown("versoin", &error));
	assert_string_equal(error.message, "there is no verb 'versoin'");
	assert_string_equal(error.hint, "did you mean 'version'?");
	assert_false(verb_unknown("xxxxxxxx", &error));
	assert_string_equal(error.hint, "'muster help' lists the verbs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_operands_may_be_mixed),
		cmocka_unit_test(short_options_take_their_value_from_the_same_word),
		cmocka_unit_test(a_number_with_a_minus_names_a_run),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(a_mistyped_option_gets_the_nearest_name),
		cmocka_unit_test(values_are_asked_for_and_refused),
		cmocka_unit_test(control_characters_of_a_word_do_not_reach_the_terminal),
		cmocka_unit_test(every_verb_has_help_examples_and_unique_options),
		cmocka_unit_test(a_mistyped_verb_gets_the_nearest_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
