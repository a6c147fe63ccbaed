#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/verb.h"

// The place of the verb among the words: behind options that all verbs have. `count` if none.
static size_t verb_place(const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i], "-C") == 0 || strcmp(words[i], "--directory") == 0) {
			i++;
		} else if (words[i][0] != '-') {
			return i;
		}
	}
	return count;
}

static bool check_operands(
	const struct verb *verb, const struct arguments *arguments, struct error *error)
{
	struct arena arena = {0};
	if (arguments->operand_count > verb->maximum) {
		const char *word = arguments->operands[verb->maximum];
		error_set(error, ERROR_USAGE, "'muster %s' does not know what to do with '%s'",
			verb->name, arguments_shown(&arena, word));
	} else if (arguments->operand_count < verb->minimum) {
		error_set(error, ERROR_USAGE, "'muster %s' needs more words", verb->name);
	} else {
		return true;
	}
	arena_finish(&arena);
	return error_hint(error, "usage: muster %s %s", verb->name, verb->usage);
}

static int show_help(const struct verb *verb, struct error *error)
{
	buffer_cleanup help = {0};
	verb_help(&help, verb);
	output_write(&help, error);
	return EXIT_OK;
}

static int run_verb(const struct verb *verb, struct arguments *arguments, struct error *error)
{
	if (arguments_has(arguments, "help")) {
		return show_help(verb, error);
	}
	const char *folder = arguments_value(arguments, "directory");
	if (folder && chdir(folder) != 0) {
		error_errno(error, ERROR_USAGE, "cannot work in folder '%s'",
			arguments_shown(&arguments->arena, folder));
		return EXIT_USAGE;
	}
	if (!check_operands(verb, arguments, error)) {
		return EXIT_USAGE;
	}
	return verb->run(arguments, error);
}

// Nothing but options: `muster --version`, `muster --help`, or a mistake.
static const char *verb_without_word(const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i], "--version") == 0 || strcmp(words[i], "-V") == 0) {
			return "version";
		}
		if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0) {
			return "help";
		}
	}
	return NULL;
}

static int run_words(const char **words, size_t count, struct error *error)
{
	size_t place = verb_place(words, count);
	const char *name = place < count ? words[place] : verb_without_word(words, count);
	if (!name) {
		error_set(error, ERROR_USAGE, "no verb given");
		error_hint(error, "usage: muster VERB [options]; 'muster help' lists the verbs");
		return EXIT_USAGE;
	}
	const struct verb *verb = verb_find(name);
	if (!verb) {
		verb_unknown(name, error);
		return EXIT_USAGE;
	}
	if (place == count) {
		return verb->run(&(struct arguments){0}, error);
	}
	memmove(words + place, words + place + 1, (count - place - 1) * sizeof(*words));
	struct arguments arguments;
	int code = EXIT_USAGE;
	if (arguments_parse(&arguments, verb->name, verb->options, words, count - 1, error)) {
		code = run_verb(verb, &arguments, error);
	}
	arguments_finish(&arguments);
	return code;
}

// A standard stream that is closed is filled with one that cannot be used the wrong way round: else the
// next file that is opened, which may be the store's, gets its number and what is printed there.
static bool fill_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags) != fd) {
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	struct error error = {0};
	signal(SIGPIPE, SIG_IGN); // a reader that goes away must not end a run
	signal(SIGXFSZ, SIG_IGN); // nor must a limit of the size of files, which is told instead
	if (!fill_standard_streams()) {
		return EXIT_FAILED;
	}
	int code = run_words((const char **)argv + 1, argc > 0 ? (size_t)argc - 1 : 0, &error);
	if (error.kind != ERROR_NONE) {
		output_error(&error);
		code = error_exit_code(&error);
	}
	return code;
}
