#include "cli/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/content.h"
#include "cli/starter.h"
#include "cli/vocabulary.h"
#include "view/words.h"

enum { NAME_LIMIT = 64 };

static bool check_name(struct arguments *arguments, const char *name, struct error *error)
{
	size_t good = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
	if (name[0] >= 'a' && name[0] <= 'z' && !name[good] && good <= NAME_LIMIT) {
		return true;
	}
	error_set(error, ERROR_USAGE, "'%s' is no name for a team",
		arguments_shown(&arguments->arena, name));
	return error_hint(error, "use small letters, digits and '-', a letter first");
}

static const char *path_of(struct arena *arena, const struct starter_file *file, const char *name)
{
	return arena_printf(arena, "%s%s", name, file->path);
}

// Creates a file that is not there yet; whatever is there stays untouched.
static bool create_file(const char *path, struct text content, struct error *error)
{
	file_cleanup fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0) {
		return error_errno(error, errno == EEXIST ? ERROR_USAGE : ERROR_FAILED,
			"cannot create '%s'", path);
	}
	size_t done = 0;
	while (done < content.length) {
		ssize_t written = write(fd, content.data + done, content.length - done);
		if (written < 0 && errno != EINTR) {
			error_errno(error, ERROR_FAILED, "cannot write '%s'", path);
			unlink(path);
			return false;
		}
		done += written > 0 ? (size_t)written : 0;
	}
	return true;
}

static bool write_files(struct arena *arena, const char *name, struct error *error)
{
	for (const struct starter_file *file = starter_files; file->path; file++) {
		struct stat status;
		const char *path = path_of(arena, file, name);
		if (lstat(path, &status) == 0) {
			error_set(error, ERROR_USAGE, "'%s' is there already", path);
			return error_hint(error, "choose another name; nothing was written");
		}
	}
	if (mkdir(name, 0777) != 0 && errno != EEXIST) {
		return error_errno(error, ERROR_FAILED, "cannot make folder '%s'", name);
	}
	for (const struct starter_file *file = starter_files; file->path; file++) {
		buffer_cleanup content = {0};
		starter_add(&content, file->content, name);
		if (!create_file(path_of(arena, file, name), buffer_text(&content), error)) {
			return false;
		}
	}
	return true;
}

static void describe_team(struct buffer *output, const struct content_team *canned, size_t width)
{
	struct team_report report = {0};
	struct team *team = team_load(canned->path, vocabulary(), &report);
	words_add_padded(output, canned->name, width);
	if (team && team->description && team->description[0]) {
		buffer_add_string(output, "  ");
		buffer_add_line(output, text_of(team->description), 200);
	}
	buffer_add_char(output, '\n');
	team_destroy(team);
	team_report_finish(&report);
}

static int list_teams(struct arguments *arguments, struct error *error)
{
	struct content_teams teams;
	buffer_cleanup output = {0};
	content_teams(&arguments->arena, &teams);
	size_t width = 0;
	for (size_t i = 0; i < teams.count; i++) {
		size_t length = strlen(teams.teams[i].name);
		width = length > width ? length : width;
	}
	for (size_t i = 0; i < teams.count; i++) {
		if (arguments_has(arguments, "names")) {
			buffer_add_line(&output, text_of(teams.teams[i].name), 256);
			buffer_add_char(&output, '\n');
		} else {
			describe_team(&output, &teams.teams[i], width);
		}
	}
	if (teams.count == 0 && !arguments_has(arguments, "names")) {
		error_set(error, ERROR_FAILED, "no canned teams are installed");
		error_hint(error, "set MUSTER_DATADIR to the folder that holds teams/");
	}
	output_write(&output, error);
	return EXIT_OK;
}

static int run(struct arguments *arguments, struct error *error)
{
	if (arguments_has(arguments, "list") || arguments_has(arguments, "names")) {
		return list_teams(arguments, error);
	}
	if (arguments->operand_count == 0) {
		error_set(error, ERROR_USAGE, "no name given");
		error_hint(error, "usage: muster new NAME, or muster new --list");
		return EXIT_USAGE;
	}
	const char *name = arguments->operands[0];
	if (!check_name(arguments, name, error) || !write_files(&arguments->arena, name, error)) {
		return EXIT_USAGE;
	}
	if (!arguments_has(arguments, "quiet")) {
		buffer_cleanup output = {0};
		for (const struct starter_file *file = starter_files; file->path; file++) {
			buffer_printf(
				&output, "wrote %s\n", path_of(&arguments->arena, file, name));
		}
		buffer_printf(&output,
			"next: muster plan %s.yaml\n"
			"      muster run %s.yaml --rehearse %s/rehearsal.yaml\n",
			name, name, name);
		output_write(&output, error);
	}
	return EXIT_OK;
}

static const struct option options[] = {
	{"list", 'l', NULL, false, COMPLETE_NOTHING,
		"list the canned teams that can be run by name"},
	OPTION_NAMES,
	OPTION_END,
};

const struct verb verb_new = {
	.name = "new",
	.help = "write a team to start from, or list the canned teams",
	.usage = "NAME | --list",
	.details = "Writes NAME.yaml, and prompts and a rehearsal into the folder NAME. What is "
		   "there\n"
		   "already is never overwritten.",
	.examples = (const char *const[]){"muster new my-team", "muster new --list", NULL},
	.options = options,
	.maximum = 1,
	.run = run,
};
