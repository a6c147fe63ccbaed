#include "cli/verb.h"

#include <string.h>

static const char *const completion_words[] = {[COMPLETE_NOTHING] = "nothing",
	[COMPLETE_FILE] = "file",
	[COMPLETE_FOLDER] = "folder",
	[COMPLETE_TEAM] = "team",
	[COMPLETE_RUN] = "run",
	[COMPLETE_TOPIC] = "topic",
	[COMPLETE_SANDBOX] = "sandbox",
	[COMPLETE_FORMAT] = "format",
	[COMPLETE_SHELL] = "shell"};

// Commands of muster itself that list names, so that the scripts need nothing else.
#define LIST_TEAMS "muster new --names 2>/dev/null"
#define LIST_TOPICS "muster help --names 2>/dev/null"
#define LIST_RUNS "muster list --names 2>/dev/null"
#define LIST_SANDBOXES "muster providers --names 2>/dev/null"

static void add_verbs(struct buffer *output)
{
	for (size_t i = 0; verbs[i]; i++) {
		buffer_printf(output, "%s%s", i ? " " : "", verbs[i]->name);
	}
}

static void add_option_names(struct buffer *output, const struct option *options)
{
	for (const struct option *option = options; option && option->name; option++) {
		if (option->letter) {
			buffer_printf(output, "-%c ", option->letter);
		}
		buffer_printf(output, "--%s ", option->name);
	}
}

static void add_bash_values(struct buffer *output, const struct option *options)
{
	for (const struct option *option = options; option && option->name; option++) {
		if (!option->value) {
			continue;
		}
		buffer_add_string(output, "\t\t");
		if (option->letter) {
			buffer_printf(output, "-%c|", option->letter);
		}
		buffer_printf(output, "--%s) kind=%s ;;\n", option->name,
			completion_words[option->completion]);
	}
}

static void print_bash(struct buffer *output)
{
	buffer_add_string(output,
		"# bash completion for muster; made by 'muster completion bash'\n"
		"_muster_words() {\n"
		"\tcase $1 in\n"
		"\tfile) compopt -o filenames; COMPREPLY=($(compgen -f -- \"$2\")) ;;\n"
		"\tfolder) compopt -o filenames; COMPREPLY=($(compgen -d -- \"$2\")) ;;\n"
		"\tteam) compopt -o filenames\n"
		"\t\tCOMPREPLY=($(compgen -f -X '!*.yaml' -- \"$2\") $(compgen -d -- \"$2\") "
		"$(compgen -W \"$(" LIST_TEAMS ")\" -- \"$2\")) ;;\n"
		"\trun) COMPREPLY=($(compgen -W \"$(" LIST_RUNS ")\" -- \"$2\")) ;;\n"
		"\tsandbox) COMPREPLY=($(compgen -W \"$(" LIST_SANDBOXES ")\" -- \"$2\")) ;;\n"
		"\tformat) COMPREPLY=($(compgen -W 'mermaid dot' -- \"$2\")) ;;\n"
		"\tshell) COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$2\")) ;;\n"
		"\ttopic) COMPREPLY=($(compgen -W \"$(" LIST_TOPICS ")\" -- \"$2\")) ;;\n"
		"\tverb) COMPREPLY=($(compgen -W '");
	add_verbs(output);
	buffer_add_string(output,
		"' -- \"$2\")) ;;\n\tesac\n}\n\n"
		"_muster() {\n"
		"\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
		"\tlocal verb= kind= options= i\n"
		"\tCOMPREPLY=()\n"
		"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		"\t\tcase ${COMP_WORDS[i]} in\n"
		"\t\t-C|--directory) ((i++)) ;;\n"
		"\t\t-*) ;;\n"
		"\t\t*) verb=${COMP_WORDS[i]}; break ;;\n"
		"\t\tesac\n"
		"\tdone\n"
		"\tcase $verb in\n"
		"\t'') kind=verb; options='");
	add_option_names(output, common_options);
	buffer_add_string(output, "'\n\t\tcase $before in\n");
	add_bash_values(output, common_options);
	buffer_add_string(output, "\t\tesac ;;\n");
	for (size_t i = 0; verbs[i]; i++) {
		buffer_printf(output, "\t%s) kind=%s; options='", verbs[i]->name,
			completion_words[verbs[i]->completion]);
		add_option_names(output, verbs[i]->options);
		add_option_names(output, common_options);
		buffer_add_string(output, "'\n\t\tcase $before in\n");
		add_bash_values(output, verbs[i]->options);
		add_bash_values(output, common_options);
		buffer_add_string(output, "\t\tesac ;;\n");
	}
	buffer_add_string(output,
		"\tesac\n"
		"\tif [[ $word == -* ]]; then\n"
		"\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
		"\telse\n"
		"\t\t_muster_words \"$kind\" \"$word\"\n"
		"\tfi\n"
		"}\n\n"
		"complete -F _muster muster\n");
}

// zsh runs functions for bash after bashcompinit.
static void print_zsh(struct buffer *output)
{
	buffer_add_string(output,
		"#compdef muster\n"
		"autoload -U +X bashcompinit && bashcompinit\n"
		"compopt() { :; }\n\n");
	print_bash(output);
}

static void add_fish_action(struct buffer *output, enum completion completion)
{
	static const char *const actions[] = {[COMPLETE_NOTHING] = "-x",
		[COMPLETE_FILE] = "-r -F",
		[COMPLETE_FOLDER] = "-x -a '(__fish_complete_directories)'",
		[COMPLETE_TEAM] = "-F -a '(" LIST_TEAMS ")'",
		[COMPLETE_RUN] = "-x -a '(" LIST_RUNS ")'",
		[COMPLETE_TOPIC] = "-x -a '(" LIST_TOPICS ")'",
		[COMPLETE_SANDBOX] = "-x -a '(" LIST_SANDBOXES ")'",
		[COMPLETE_FORMAT] = "-x -a 'mermaid dot'",
		[COMPLETE_SHELL] = "-x -a 'bash zsh fish'"};
	buffer_add_string(output, actions[completion]);
}

static void add_fish_options(
	struct buffer *output, const char *condition, const struct option *options)
{
	for (const struct option *option = options; option && option->name; option++) {
		buffer_printf(output, "complete -c muster%s -l %s", condition, option->name);
		if (option->letter) {
			buffer_printf(output, " -s %c", option->letter);
		}
		buffer_add_string(output, " -d ");
		buffer_add_shell(output, text_of(option->help));
		if (option->value) {
			buffer_add_char(output, ' ');
			add_fish_action(output, option->completion);
		}
		buffer_add_char(output, '\n');
	}
}

static void print_fish(struct buffer *output)
{
	buffer_add_string(output,
		"# fish completion for muster; made by 'muster completion fish'\n"
		"complete -c muster -f\n");
	add_fish_options(output, "", common_options);
	for (size_t i = 0; verbs[i]; i++) {
		buffer_cleanup condition = {0};
		buffer_printf(&condition, " -n '__fish_seen_subcommand_from %s'", verbs[i]->name);
		buffer_printf(output, "complete -c muster -n __fish_use_subcommand -x -a %s -d ",
			verbs[i]->name);
		buffer_add_shell(output, text_of(verbs[i]->help));
		buffer_add_char(output, '\n');
		if (verbs[i]->completion != COMPLETE_NOTHING) {
			buffer_printf(output, "complete -c muster%s ", condition.data);
			add_fish_action(output, verbs[i]->completion);
			buffer_add_char(output, '\n');
		}
		add_fish_options(output, condition.data, verbs[i]->options);
	}
}

static const struct shell {
	const char *name;
	void (*print)(struct buffer *output);
} shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

static int run(struct arguments *arguments, struct error *error)
{
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(shells[i].name, arguments->operands[0]) == 0) {
			buffer_cleanup output = {0};
			shells[i].print(&output);
			output_write(&output, error);
			return EXIT_OK;
		}
	}
	error_set(error, ERROR_USAGE, "there is no completion for shell '%s'",
		arguments_shown(&arguments->arena, arguments->operands[0]));
	error_hint(error, "there are bash, zsh and fish");
	return EXIT_USAGE;
}

const struct verb verb_completion = {
	.name = "completion",
	.help = "print the completion script of a shell",
	.usage = "bash|zsh|fish",
	.examples = (const char *const[]){"source <(muster completion bash)",
		"muster completion fish > ~/.config/fish/completions/muster.fish", NULL},
	.completion = COMPLETE_SHELL,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
