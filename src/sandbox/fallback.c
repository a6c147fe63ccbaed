#include "sandbox/fallback.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/path.h"

// $(...) cuts line feeds at the end, which names may have: hence the dots.
const char fallback_functions[] =
	"root=$(pwd -P)\n"
	"what() {\n"
	"	if [ -L \"$p\" ]; then echo 'a link'\n"
	"	elif [ -f \"$p\" ]; then echo 'a file'\n"
	"	elif [ -d \"$p\" ]; then echo 'a folder'\n"
	"	elif [ -p \"$p\" ]; then echo 'a FIFO'\n"
	"	elif [ -S \"$p\" ]; then echo 'a socket'\n"
	"	elif [ -c \"$p\" ]; then echo 'a character device'\n"
	"	elif [ -b \"$p\" ]; then echo 'a block device'\n"
	"	elif [ -e \"$p\" ]; then echo 'a special file'\n"
	"	else echo missing; fi\n"
	"}\n"
	"inside() {\n"
	"	case $1/ in \"$root\"/*) return 0 ;; esac\n"
	"	return 91\n"
	"}\n"
	"follow() {\n"
	"	p=$root/$1\n"
	"	links=0\n"
	"	while :; do\n"
	"		base=${p##*/}\n"
	"		here=$(cd -P -- \"${p%/*}/\" 2>/dev/null && pwd -P && echo .) || {\n"
	"			(cd -P -- \"${p%/*}/\") 2>&1 | grep -q -i loop && return 92\n"
	"			return 90\n"
	"		}\n"
	"		here=${here%??}\n"
	"		inside \"$here\" || return 91\n"
	"		p=$here/$base\n"
	"		[ -L \"$p\" ] || break\n"
	"		links=$((links + 1))\n"
	"		[ $links -le 40 ] || return 92\n"
	"		target=$(ls -ld -- \"$p\" 2>/dev/null && echo .) || return 90\n"
	"		target=${target#*\" $p -> \"}\n"
	"		target=${target%??}\n"
	"		case $target in /*) return 91 ;; esac\n"
	"		p=$here/$target\n"
	"		while :; do case $p in */) p=${p%/} ;; *) break ;; esac; done\n"
	"	done\n"
	"	case $base in '' | . | ..)\n"
	"		p=$(cd -P -- \"$p\" 2>/dev/null && pwd -P && echo .) || return 90\n"
	"		p=${p%??}\n"
	"		inside \"$p\" || return 91 ;;\n"
	"	esac\n"
	"}\n"
	"folder() {\n"
	"	p=$root\n"
	"	rest=$1\n"
	"	made=\n"
	"	while [ -n \"$rest\" ]; do\n"
	"		made=$made${made:+/}${rest%%/*}\n"
	"		case $rest in */*) rest=${rest#*/} ;; *) rest= ;; esac\n"
	"		follow \"$made\" || return $?\n"
	"		[ -d \"$p\" ] && continue\n"
	"		[ -e \"$p\" ] && { what; return 93; }\n"
	"		mkdir -- \"$p\" || [ -d \"$p\" ] || return 94\n"
	"	done\n"
	"}\n"
	// The folder of $1, in $p, and the name in it, in $base.
	"parent() {\n"
	"	case $1 in */*) up=${1%/*} ;; *) up= ;; esac\n"
	"	name=${1##*/}\n"
	"}\n";

bool fallback_run(struct sandbox *sandbox, struct arena *arena, const char *script,
	const char *const *arguments, struct sandbox_command command, struct process_result *result,
	struct error *error)
{
	static const char *const environment[] = {"LC_ALL=C", NULL};
	size_t count = 0;
	while (arguments[count]) {
		count++;
	}
	const char **argv = arena_new_array(arena, count + 5, const char *);
	argv[0] = "sh";
	argv[1] = "-c";
	argv[2] = arena_printf(arena, "%s%s", fallback_functions, script);
	argv[3] = "muster";
	memcpy(&argv[4], arguments, (count + 1) * sizeof(*argv));
	command.argv = argv;
	command.environment = environment;
	if (!sandbox_exec(sandbox, arena, &command, result, error)) {
		return false;
	}
	if (result->timed_out || result->cancelled) {
		return error_set(
			error, ERROR_UNAVAILABLE, "the sandbox did not look at its files in time");
	}
	return true;
}

bool fallback_judge(const struct process_result *result, const char *what, struct text path,
	struct error *error)
{
	buffer_cleanup shown = {0};
	buffer_cleanup said = {0};
	buffer_add_line(&shown, path.length ? path : TEXT("."), 256);
	switch (result->status) {
	case 0:
		return true;
	case FALLBACK_MISSING:
		return error_set(error, ERROR_FAILED, "'%s' does not exist", shown.data);
	case FALLBACK_OUTSIDE:
		return error_set(error, ERROR_FAILED, "'%s' is a link that leaves the workspace",
			shown.data);
	case FALLBACK_CIRCLE:
		return error_set(
			error, ERROR_FAILED, "'%s' is a link that leads in circles", shown.data);
	case FALLBACK_KIND:
		buffer_add_line(&said, text_trim(result->out), 64);
		return error_set(error, ERROR_FAILED, "cannot %s '%s': it is %s", what, shown.data,
			said.length ? said.data : "something else");
	default:
		buffer_add_line(&said, text_trim(result->err), 300);
		// 126, 127 and signals are no answers of our scripts.
		error_set(error,
			result->status > FALLBACK_FAILED ? ERROR_UNAVAILABLE : ERROR_FAILED,
			"cannot %s '%s': %s", what, shown.data,
			said.length ? said.data : "the sandbox's programs failed");
		return result->status == 127 &&
			error_hint(error, "use an image with sh, the usual utilities and tar");
	}
}

bool fallback_read(struct sandbox *sandbox, struct arena *arena, struct text path, size_t limit,
	struct text *content, struct error *error)
{
	static const char script[] = "follow \"$1\" || exit $?\n"
				     "[ -e \"$p\" ] || exit 90\n"
				     "[ -f \"$p\" ] || { what; exit 93; }\n"
				     "head -c \"$2\" <\"$p\" || exit 94\n";
	enum { MOST = 1024 * 1024 * 1024 };
	arena_cleanup scratch = {0};
	struct process_result result;
	limit = limit < MOST ? limit : MOST;
	const char *const arguments[] = {
		text_string(&scratch, path), arena_printf(&scratch, "%zu", limit + 1), NULL};
	struct sandbox_command command = {.output_limit = limit + 2};
	if (!fallback_run(sandbox, &scratch, script, arguments, command, &result, error) ||
		!fallback_judge(&result, "read", path, error)) {
		return false;
	}
	if ((size_t)result.out_bytes > limit) {
		buffer_cleanup shown = {0};
		buffer_add_line(&shown, path, 256);
		return error_set(
			error, ERROR_USAGE, "'%s' is larger than %zu bytes", shown.data, limit);
	}
	*content = text_copy(arena, result.out);
	return true;
}

bool fallback_write(struct sandbox *sandbox, struct text path, struct text content, mode_t mode,
	struct error *error)
{
	// Half an input must not become the file.
	static const char script[] =
		"umask 022\n"
		"parent \"$1\"\n"
		"folder \"$up\" || exit $?\n"
		"to=$p/$name\n"
		"p=$to\n"
		"if [ -L \"$p\" ] || { [ -e \"$p\" ] && ! [ -f \"$p\" ]; }; then what; exit 93; "
		"fi\n"
		"new=${to%/*}/.muster-$2.tmp\n"
		"cat >\"$new\" && [ $(wc -c <\"$new\") -eq $4 ] && chmod $3 \"$new\" &&\n"
		"	mv -f -- \"$new\" \"$to\" || { rm -f -- \"$new\"; exit 94; }\n";
	arena_cleanup arena = {0};
	uint64_t random = 0;
	struct process_result result;
	getrandom(&random, sizeof(random), 0);
	const char *const arguments[] = {text_string(&arena, path),
		arena_printf(&arena, "%016llx", (unsigned long long)random),
		arena_printf(&arena, "%o", mode & 07777),
		arena_printf(&arena, "%zu", content.length), NULL};
	if (path.length == 0) {
		return error_set(error, ERROR_FAILED, "'.' cannot be a file");
	}
	return fallback_run(sandbox, &arena, script, arguments,
		       (struct sandbox_command){.input = content}, &result, error) &&
		fallback_judge(&result, "write", path, error);
}

static struct folder_stat no_stat(enum folder_kind kind, const char *what)
{
	return (struct folder_stat){.kind = kind, .what = what};
}

// The kind as the script calls it, for messages that outlive it.
static struct folder_stat stat_of_kind(struct text what)
{
	static const char *const special[] = {
		"a FIFO", "a socket", "a character device", "a block device", "a special file"};
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		if (text_is(what, special[i])) {
			return no_stat(FOLDER_SPECIAL, special[i]);
		}
	}
	return text_is(what, "a file")      ? no_stat(FOLDER_FILE, "a file")
		: text_is(what, "a folder") ? no_stat(FOLDER_FOLDER, "a folder")
		: text_is(what, "a link")   ? no_stat(FOLDER_LINK, "not reachable")
					    : no_stat(FOLDER_MISSING, "missing");
}

mode_t fallback_mode(const char *letters)
{
	static const char usual[] = "rwxrwxrwx";
	mode_t mode = 0;
	for (size_t i = 0; i < 9 && letters[i]; i++) {
		if (letters[i] == usual[i] || letters[i] == 's' || letters[i] == 't') {
			mode |= (mode_t)0400 >> i;
		}
		if (i % 3 == 2 && strchr("sStT", letters[i])) {
			mode |= (mode_t)04000 >> (i / 3);
		}
	}
	return mode;
}

// "-rwxr-sr-t 1 0 0 SIZE ..." as POSIX has it.
static void take_long_line(const char *line, struct folder_stat *stat)
{
	char mode[16];
	long long size;
	if (sscanf(line, "%15s %*s %*s %*s %lld", mode, &size) == 2 && strlen(mode) >= 10) {
		stat->mode = fallback_mode(mode + 1);
		stat->size = size;
	}
}

int64_t fallback_time(const char *digits, char **rest)
{
	int64_t time = strtoll(digits, rest, 10) * 1000000000, unit = 100000000;
	if (**rest == '.') {
		for ((*rest)++; **rest >= '0' && **rest <= '9'; (*rest)++, unit /= 10) {
			time += (**rest - '0') * unit;
		}
	}
	return time;
}

struct folder_stat fallback_stat(struct sandbox *sandbox, struct text path)
{
	static const char script[] = "follow \"$1\" || exit $?\n"
				     "what\n"
				     "[ -e \"$p\" ] || exit 0\n"
				     "stat -c %.9Y \"$p\" 2>/dev/null || echo 0\n"
				     "ls -ldn -- \"$p\" || exit 94\n";
	arena_cleanup arena = {0};
	struct process_result result;
	struct error ignored = {0};
	const char *const arguments[] = {text_string(&arena, path), NULL};
	if (!fallback_run(sandbox, &arena, script, arguments, (struct sandbox_command){0}, &result,
		    &ignored)) {
		struct folder_stat unknown = no_stat(FOLDER_LINK, "not reachable");
		unknown.unknown = true;
		return unknown;
	}
	if (result.status == FALLBACK_OUTSIDE) {
		return no_stat(FOLDER_LINK, "a link that leaves the workspace");
	}
	if (result.status == FALLBACK_CIRCLE) {
		return no_stat(FOLDER_LINK, "a link that leads in circles");
	}
	if (result.status == FALLBACK_MISSING) {
		return no_stat(FOLDER_MISSING, "missing");
	}
	struct text rest = result.out, what = {0}, time = {0}, line = {0};
	text_next_line(&rest, &what);
	struct folder_stat stat = stat_of_kind(what);
	if (result.status != 0) {
		stat = no_stat(FOLDER_LINK, "not reachable");
		stat.unknown = true;
	} else if (text_next_line(&rest, &time) && text_next_line(&rest, &line)) {
		char *end;
		stat.modified = fallback_time(text_string(&arena, time), &end);
		take_long_line(text_string(&arena, line), &stat);
	}
	return stat;
}

bool fallback_make_folder(struct sandbox *sandbox, struct text path, struct error *error)
{
	arena_cleanup arena = {0};
	struct process_result result;
	const char *const arguments[] = {text_string(&arena, path), NULL};
	return fallback_run(sandbox, &arena, "umask 022\nfolder \"$1\"\n", arguments,
		       (struct sandbox_command){0}, &result, error) &&
		fallback_judge(&result, "make the folder", path, error);
}

bool fallback_remove(struct sandbox *sandbox, struct text path, bool recursive, struct error *error)
{
	static const char script[] =
		"parent \"$1\"\n"
		"follow \"$up\" || exit $?\n"
		"p=$p/$name\n"
		"[ -e \"$p\" ] || [ -L \"$p\" ] || { [ $2 = yes ] && exit 0; exit 90; }\n"
		"[ $2 = yes ] && { rm -rf -- \"$p\" && exit 0; exit 94; }\n"
		"[ -d \"$p\" ] && ! [ -L \"$p\" ] && { what; exit 93; }\n"
		"rm -f -- \"$p\" || exit 94\n";
	arena_cleanup arena = {0};
	struct process_result result;
	const char *const arguments[] = {text_string(&arena, path), recursive ? "yes" : "no", NULL};
	if (path.length == 0) {
		return error_set(error, ERROR_FAILED, "'.' cannot be removed");
	}
	return fallback_run(sandbox, &arena, script, arguments, (struct sandbox_command){0},
		       &result, error) &&
		fallback_judge(&result, "remove", path, error);
}
