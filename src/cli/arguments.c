#include "cli/arguments.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

enum { SHOWN_LIMIT = 120 };

const struct option common_options[] = {
	{"directory", 'C', "DIR", false, COMPLETE_FOLDER,
		"work in this project folder; all paths start there"},
	{"quiet", 'q', NULL, false, COMPLETE_NOTHING, "say only what went wrong"},
	{"help", 'h', NULL, false, COMPLETE_NOTHING, "explain the verb, with examples"},
	{NULL},
};

// What parsing needs at every step.
struct parse {
	struct arguments *arguments;
	const char *verb;
	const struct option *options;
	const char *const *words;
	size_t count, next;
	struct error *error;
};

const char *arguments_shown(struct arena *arena, const char *word)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, text_of(word), SHOWN_LIMIT);
	return arena_string(arena, shown.length ? shown.data : "");
}

// The row that fits a long name of `length` bytes, or a letter (name NULL).
static const struct option *find_in(
	const struct option *options, const char *name, size_t length, char letter)
{
	for (const struct option *option = options; option && option->name; option++) {
		bool fits = name
			? strlen(option->name) == length && memcmp(option->name, name, length) == 0
			: option->letter == letter;
		if (fits) {
			return option;
		}
	}
	return NULL;
}

static const struct option *find(
	const struct parse *parse, const char *name, size_t length, char letter)
{
	const struct option *option = find_in(parse->options, name, length, letter);
	return option ? option : find_in(common_options, name, length, letter);
}

static bool unknown_long(const struct parse *parse, struct text name)
{
	const char *names[64];
	size_t count = 0;
	const struct option *tables[] = {parse->options, common_options};
	for (size_t t = 0; t < 2; t++) {
		for (const struct option *option = tables[t]; option && option->name; option++) {
			if (count < sizeof(names) / sizeof(names[0])) {
				names[count++] = option->name;
			}
		}
	}
	const char *nearest = text_nearest(name, names, count);
	struct arena *arena = &parse->arguments->arena;
	error_set(parse->error, ERROR_USAGE, "'muster %s' has no option '--%s'", parse->verb,
		arguments_shown(arena, text_string(arena, name)));
	if (nearest) {
		return error_hint(parse->error, "did you mean '--%s'?", nearest);
	}
	return error_hint(parse->error, "'muster %s --help' lists them", parse->verb);
}

static bool give(struct parse *parse, const struct option *option, const char *value)
{
	struct arguments *arguments = parse->arguments;
	if (!option->repeats && arguments_has(arguments, option->name) && option->value) {
		error_set(parse->error, ERROR_USAGE, "option '--%s' is given twice", option->name);
		return error_hint(parse->error, "give it once");
	}
	arguments->given[arguments->given_count++] =
		(struct given_option){.option = option, .value = value};
	return true;
}

// The value of an option: what stands in the same word, or the next word.
static bool take_value(struct parse *parse, const struct option *option, const char *attached)
{
	if (attached) {
		return give(parse, option, attached);
	}
	if (parse->next >= parse->count) {
		error_set(parse->error, ERROR_USAGE, "option '--%s' needs a value", option->name);
		return error_hint(parse->error, "write --%s %s", option->name, option->value);
	}
	return give(parse, option, parse->words[parse->next++]);
}

static bool parse_long(struct parse *parse, const char *word)
{
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	const struct option *option = find(parse, word, length, 0);
	if (!option) {
		return unknown_long(parse, (struct text){word, length});
	}
	if (option->value) {
		return take_value(parse, option, equals ? equals + 1 : NULL);
	}
	if (equals) {
		error_set(parse->error, ERROR_USAGE, "option '--%s' takes no value", option->name);
		return error_hint(parse->error, "write --%s alone", option->name);
	}
	return give(parse, option, NULL);
}

static bool parse_short(struct parse *parse, const char *letters)
{
	for (const char *letter = letters; *letter; letter++) {
		const struct option *option = find(parse, NULL, 0, *letter);
		if (!option) {
			struct arena *arena = &parse->arguments->arena;
			size_t length = (unsigned char)*letter < 0x80 ? 1 : strlen(letter);
			const char *shown =
				arguments_shown(arena, arena_copy(arena, letter, length));
			error_set(parse->error, ERROR_USAGE, "'muster %s' has no option '-%s'",
				parse->verb, shown);
			return error_hint(
				parse->error, "'muster %s --help' lists them", parse->verb);
		}
		if (option->value) {
			return take_value(parse, option, letter[1] ? letter + 1 : NULL);
		}
		if (!give(parse, option, NULL)) {
			return false;
		}
	}
	return true;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0' && !isdigit((unsigned char)word[1]);
}

bool arguments_parse(struct arguments *arguments, const char *verb, const struct option *options,
	const char *const *words, size_t word_count, struct error *error)
{
	*arguments = (struct arguments){0};
	// A word gives at most as many options as it has letters.
	size_t most = 0;
	for (size_t i = 0; i < word_count; i++) {
		most += strlen(words[i]) + 1;
	}
	arguments->given = arena_new_array(&arguments->arena, most + 1, struct given_option);
	arguments->operands = arena_new_array(&arguments->arena, word_count + 1, const char *);
	struct parse parse = {arguments, verb, options, words, word_count, 0, error};
	bool options_over = false;
	while (parse.next < parse.count) {
		const char *word = words[parse.next++];
		if (!options_over && strcmp(word, "--") == 0) {
			options_over = true;
		} else if (options_over || !is_option(word)) {
			arguments->operands[arguments->operand_count++] = word;
		} else if (word[1] == '-' ? !parse_long(&parse, word + 2)
					  : !parse_short(&parse, word + 1)) {
			return false;
		}
	}
	return true;
}

void arguments_finish(struct arguments *arguments)
{
	arena_finish(&arguments->arena);
	*arguments = (struct arguments){0};
}

bool arguments_has(const struct arguments *arguments, const char *option)
{
	for (size_t i = 0; i < arguments->given_count; i++) {
		if (strcmp(arguments->given[i].option->name, option) == 0) {
			return true;
		}
	}
	return false;
}

const char *arguments_value(const struct arguments *arguments, const char *option)
{
	for (size_t i = 0; i < arguments->given_count; i++) {
		if (strcmp(arguments->given[i].option->name, option) == 0) {
			return arguments->given[i].value;
		}
	}
	return NULL;
}

const char **arguments_values(struct arguments *arguments, const char *option, size_t *count)
{
	const char **values =
		arena_new_array(&arguments->arena, arguments->given_count + 1, const char *);
	*count = 0;
	for (size_t i = 0; i < arguments->given_count; i++) {
		if (strcmp(arguments->given[i].option->name, option) == 0) {
			values[(*count)++] = arguments->given[i].value;
		}
	}
	return values;
}
