#include "perform/kept.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/path.h"

enum { KEPT_MOST = 4096 };

static const char file_name[] = "snapshot.json";

bool kept_read(
	const char *folder, struct arena *arena, struct kept_snapshot *kept, struct error *error)
{
	struct text text;
	const char *path = path_join(arena, folder, file_name);
	*kept = (struct kept_snapshot){0};
	if (access(path, F_OK) < 0 && errno == ENOENT) {
		return true;
	}
	json_cleanup *tree =
		file_read(arena, path, KEPT_MOST, &text, error) ? json_parse(text, error) : NULL;
	const char *id = tree ? json_string(tree, "id", NULL) : NULL;
	const char *fingerprint = tree ? json_string(tree, "fingerprint", NULL) : NULL;
	if (!id) {
		return error_wrap(error, "what is known of the run's snapshot cannot be read");
	}
	kept->id = arena_string(arena, id);
	kept->commit = arena_string(arena, json_string(tree, "commit", ""));
	kept->fingerprint = fingerprint ? arena_string(arena, fingerprint) : NULL;
	return true;
}

static void add(struct buffer *json, const char *name, const char *value)
{
	buffer_printf(json, "%s\"%s\":", json->length > 1 ? "," : "", name);
	buffer_add_json(json, text_of(value));
}

bool kept_write(const char *folder, const struct kept_snapshot *kept, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup json = {0};
	buffer_add_char(&json, '{');
	add(&json, "id", kept->id);
	add(&json, "commit", kept->commit);
	if (kept->fingerprint) {
		add(&json, "fingerprint", kept->fingerprint);
	}
	buffer_add_char(&json, '}');
	return file_replace(path_join(&arena, folder, file_name), buffer_text(&json), 0600, error);
}
