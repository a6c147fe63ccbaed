/*
 * Broken team files and what the loader says about them, word for word: for each NAME.yaml in the
 * folder given as argument there is a NAME.expected. With MUSTER_GOLDEN_WRITE set the expected
 * files are written instead (look at the difference before you keep it). Speaks TAP.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "team/team.h"
#include "team_words.h"

static int is_team(const struct dirent *entry)
{
	return text_ends(text_of(entry->d_name), ".yaml");
}

static void say(struct buffer *said, const char *path)
{
	struct team_report report;
	struct team *team = team_load(path, team_words(), &report);
	team_report_print(said, &report);
	if ((team == NULL) != (report.mistakes > 0)) {
		buffer_add_string(said, "a team is loaded if and only if there is no mistake\n");
	}
	if (team) {
		buffer_add_string(said, "loaded\n");
	}
	team_destroy(team);
	team_report_finish(&report);
}

static bool look_at(const char *path)
{
	arena_cleanup arena = {0};
	buffer_cleanup said = {0};
	struct text expected = {0};
	struct error error = {0};
	const char *golden = arena_printf(&arena, "%.*s.expected", (int)strlen(path) - 5, path);
	say(&said, path);
	if (getenv("MUSTER_GOLDEN_WRITE")) {
		return file_replace(golden, buffer_text(&said), 0644, &error);
	}
	if (file_read(&arena, golden, 1 << 20, &expected, &error) &&
		text_equal(expected, buffer_text(&said))) {
		return true;
	}
	printf("# %s expects:\n", path);
	struct text line, wanted = expected, found = buffer_text(&said);
	while (text_next_line(&wanted, &line)) {
		printf("#   %.*s\n", (int)line.length, line.data);
	}
	printf("# but the loader says:\n");
	while (text_next_line(&found, &line)) {
		printf("#   %.*s\n", (int)line.length, line.data);
	}
	return false;
}

int main(int argc, char **argv)
{
	struct dirent **entries = NULL;
	if (argc != 2 || chdir(argv[1]) != 0) {
		printf("Bail out! give the folder of the team files\n");
		return 1;
	}
	int count = scandir(".", &entries, is_team, alphasort), failed = count < 1;
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		bool good = look_at(entries[i]->d_name);
		failed |= !good;
		printf("%sok %d - %s\n", good ? "" : "not ", i + 1, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return failed;
}
