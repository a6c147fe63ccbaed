#include <string.h>

#include "cli/completing.h"
#include "cli/verb.h"

// The scripts know nothing: they ask `muster completion --of`. What it answers is never expanded.
static const char bash_script[] =
	"# bash completion for muster; made by 'muster completion bash'\n"
	"_muster() {\n"
	"\tlocal line=${COMP_LINE:0:COMP_POINT} current also= value rest prefix at=\n"
	"\tlocal -a files=()\n"
	"\tCOMPREPLY=()\n"
	"\tcurrent=${line##*[[:space:]]}\n"
	"\t# What bash takes for the word begins behind a '=' or ':'.\n"
	"\tprefix=${current%\"${current##*[=:]}\"}\n"
	"\t{\n"
	"\t\tread -r also\n"
	"\t\twhile IFS=$'\\t' read -r value rest; do\n"
	"\t\t\tCOMPREPLY+=(\"${value#\"$prefix\"}\")\n"
	"\t\tdone\n"
	"\t} < <(\"${COMP_WORDS[0]}\" completion --of \"$line\" 2>/dev/null)\n"
	"\tcurrent=${current#\"$prefix\"}\n"
	"\t[[ $current == @* ]] && at=@ current=${current#@}\n"
	"\tcase $also in\n"
	"\tfiles) mapfile -t files < <(compgen -f -P \"$at\" -- \"$current\") ;;\n"
	"\tfolders) mapfile -t files < <(compgen -d -- \"$current\") ;;\n"
	"\tyaml) mapfile -t files < <(compgen -f -X '!*.yaml' -- \"$current\"; compgen -d -- "
	"\"$current\") ;;\n"
	"\tesac\n"
	"\tCOMPREPLY+=(\"${files[@]}\")\n"
	"\t((${#files[@]})) && compopt -o filenames 2>/dev/null\n"
	"\treturn 0\n"
	"}\n"
	"complete -F _muster muster\n";

static const char zsh_script[] =
	"#compdef muster\n"
	"# zsh completion for muster; made by 'muster completion zsh'\n"
	"_muster() {\n"
	"\tlocal -a lines found\n"
	"\tlocal also line value description\n"
	"\tlines=(\"${(@f)$($words[1] completion --of-words -- \"${(@)words[2,CURRENT]}\" "
	"2>/dev/null)}\")\n"
	"\talso=$lines[1]\n"
	"\tcompset -P '--*='\n"
	"\tfor line in \"${(@)lines[2,-1]}\"; do\n"
	"\t\tvalue=${line%%$'\\t'*} description=\n"
	"\t\t[[ $line == *$'\\t'* ]] && description=${line#*$'\\t'}\n"
	"\t\tvalue=${value#$IPREFIX}\n"
	"\t\tfound+=(\"${${value//\\\\/\\\\\\\\}//:/\\\\:}:$description\")\n"
	"\tdone\n"
	"\t(( $#found )) && _describe -V muster found\n"
	"\tcase $also in\n"
	"\tfiles) compset -P '*=@'; compset -P '@'; _files ;;\n"
	"\tfolders) _files -/ ;;\n"
	"\tyaml) _files -g '*.yaml(-.)' ;;\n"
	"\tesac\n"
	"}\n"
	"if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _muster \"$@\"; else compdef _muster "
	"muster; fi\n";

static const char fish_script[] =
	"# fish completion for muster; made by 'muster completion fish'\n"
	"function __muster_offer\n"
	"\tset -l words (commandline -opc) (commandline -ct)\n"
	"\tset -l lines ($words[1] completion --of-words -- $words[2..] 2>/dev/null)\n"
	"\tfor line in $lines[2..]\n"
	"\t\tprintf '%s\\n' $line\n"
	"\tend\n"
	"\tset -l token (commandline -ct)\n"
	"\tswitch \"$lines[1]\"\n"
	"\tcase files\n"
	"\t\t__fish_complete_path (string replace -r '^--[^=]*=@?|^@' '' -- $token) | string "
	"replace "
	"-r '^' -- (string match -r '^--[^=]*=@?|^@|^' -- $token)[1]\n"
	"\tcase folders\n"
	"\t\t__fish_complete_directories $token\n"
	"\tcase yaml\n"
	"\t\t__fish_complete_suffix .yaml\n"
	"\tend\n"
	"end\n"
	"complete -c muster -f -k -a '(__muster_offer)'\n";

static const struct shell {
	const char *name, *script;
} shells[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};

static bool print_script(struct buffer *output, struct arguments *arguments, struct error *error)
{
	const char *name = arguments->operand_count ? arguments->operands[0] : "";
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(shells[i].name, name) == 0) {
			buffer_add_string(output, shells[i].script);
			return true;
		}
	}
	error_set(error, ERROR_USAGE, "there is no completion for shell '%s'",
		arguments_shown(&arguments->arena, name));
	return error_hint(error, "there are bash, zsh and fish");
}

static int run(struct arguments *arguments, struct error *error)
{
	const char *line = arguments_value(arguments, "of");
	buffer_cleanup output = {0};
	if (line) {
		completing_line(&output, line);
	} else if (arguments_has(arguments, "of-words")) {
		completing_words(&output, arguments->operands, arguments->operand_count);
	} else if (arguments->operand_count > 1) {
		return error_set(error, ERROR_USAGE, "give one shell") ? EXIT_OK : EXIT_USAGE;
	} else if (!print_script(&output, arguments, error)) {
		return EXIT_USAGE;
	}
	output_write(&output, error);
	return EXIT_OK;
}

static const struct option options[] = {
	{"of", 0, "LINE", false, COMPLETE_NOTHING,
		"say what could stand at the end of this command line"},
	{"of-words", 0, NULL, false, COMPLETE_NOTHING,
		"the same for words, of which the last is completed"},
	OPTION_END,
};

const struct verb verb_completion = {
	.name = "completion",
	.help = "print the completion script of a shell",
	.usage = "bash|zsh|fish",
	.details =
		"The script completes verbs, options and their values, teams, runs, RUN/AGENT, "
		"help\n"
		"topics and files. It asks 'muster completion --of LINE', which answers with "
		"what else\n"
		"the shell may offer (none, files, folders, yaml) and a line for each candidate, "
		"its\n"
		"description behind a tab.",
	.examples = (const char *const[]){"source <(muster completion bash)",
		"source <(muster completion zsh)",
		"muster completion fish > ~/.config/fish/completions/muster.fish", NULL},
	.options = options,
	.completion = COMPLETE_SHELL,
	.maximum = 1000,
	.run = run,
};
