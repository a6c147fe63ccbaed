#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "team/loader.h"

enum { FREEZE_FORMAT = 1 };

void team_freeze(struct buffer *json, const struct team *team)
{
	buffer_printf(json, "{\"format\":%d,\"path\":", FREEZE_FORMAT);
	buffer_add_json(json, text_of(team->path));
	buffer_add_string(json, ",\"team\":");
	yaml_print_json(json, team->document);
	if (team->choices.defaults) {
		buffer_add_string(json, ",\"defaults\":");
		buffer_add_json(json, text_of(team->choices.defaults));
	}
	buffer_add_string(json, ",\"models\":[");
	for (size_t i = 0; i < team->choices.model_count; i++) {
		buffer_add_string(json, i ? "," : "");
		buffer_add_json(json, text_of(team->choices.models[i]));
	}
	buffer_add_string(json, "],\"files\":[");
	for (size_t i = 0; i < team->file_count; i++) {
		const struct team_file *file = &team->files[i];
		buffer_add_string(json, i ? ",{\"path\":" : "{\"path\":");
		buffer_add_json(json, text_of(file->path));
		buffer_printf(json, ",\"sha256\":\"%s\",\"content\":", file->sha256);
		buffer_add_json(json, file->content);
		buffer_add_char(json, '}');
	}
	buffer_add_string(json, "]}");
}

// One file of a frozen team; its content must be what its digest says.
static bool thaw_file(struct arena *arena, const cJSON *item, struct team_file *file)
{
	const char *path = json_string(item, "path", NULL);
	const char *content = json_string(item, "content", NULL);
	const char *sha256 = json_string(item, "sha256", NULL);
	if (!path || !content || !sha256) {
		return false;
	}
	file->path = arena_string(arena, path);
	file->content = text_of(arena_string(arena, content));
	file->sha256 = arena_string(arena, sha256);
	return strcmp(hash_text(file->content).hex, sha256) == 0;
}

static bool thaw_files(struct loader *loader, const cJSON *files)
{
	int count = cJSON_IsArray(files) ? cJSON_GetArraySize(files) : 0;
	struct team_file *kept =
		arena_new_array(loader->arena, (size_t)count + 1, struct team_file);
	const cJSON *item;
	size_t index = 0;
	cJSON_ArrayForEach(item, files)
	{
		if (!thaw_file(loader->arena, item, &kept[index++])) {
			return false;
		}
	}
	loader->kept = kept;
	loader->kept_count = index;
	return index > 0;
}

// A run that was kept before there were choices has none.
static void thaw_choices(struct loader *loader, const cJSON *tree)
{
	const cJSON *models = cJSON_GetObjectItemCaseSensitive(tree, "models"), *item;
	int count = cJSON_IsArray(models) ? cJSON_GetArraySize(models) : 0;
	const char **list = arena_new_array(loader->arena, (size_t)count + 1, const char *);
	struct team_choices choices = {
		.models = list, .defaults = json_string(tree, "defaults", NULL)};
	cJSON_ArrayForEach(item, models)
	{
		if (cJSON_IsString(item)) {
			list[choices.model_count++] = item->valuestring;
		}
	}
	keep_choices(loader->team, &choices);
}

static bool thaw(struct loader *loader, struct text json)
{
	struct error error = {0};
	struct yaml_position position = {"the frozen team", 1, 1};
	json_cleanup *tree = json_parse(json, &error);
	const char *path = json_string(tree, "path", NULL);
	if (!tree) {
		mistake(loader, position, NULL, "%s", error.message);
		return false;
	}
	if (json_number(tree, "format", 0) != FREEZE_FORMAT) {
		mistake(loader, position, "use the version of muster that started the run",
			"the team was kept by another version of muster");
		return false;
	}
	if (!path || !thaw_files(loader, cJSON_GetObjectItemCaseSensitive(tree, "files"))) {
		mistake(loader, position, NULL, "the team that the run kept is damaged");
		return false;
	}
	thaw_choices(loader, tree);
	return load_document(loader, path);
}

struct team *team_thaw(
	struct text json, const struct vocabulary *vocabulary, struct team_report *report)
{
	struct team *team = memory_alloc(sizeof(*team));
	struct loader loader = {.team = team,
		.arena = &team->arena,
		.vocabulary = vocabulary,
		.report = report,
		.frozen = true};
	*report = (struct team_report){0};
	bool good = thaw(&loader, json);
	report_sort(report, team->path ? team->path : "");
	if (!good) {
		team_destroy(team);
		return NULL;
	}
	return team;
}
