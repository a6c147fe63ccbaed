#include "cli/testing_variant.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "gate/gate.h"

enum { COPY_ENTRIES = 20000, COPY_FILE = 256 * 1024 * 1024 /* bytes */ };

// --- The copy ---

static bool copy_entry(int from, int to, const struct folder_entry *entry, struct error *error)
{
	arena_cleanup arena = {0};
	struct text content;
	if (entry->kind == FOLDER_FOLDER) {
		return folder_make(to, entry->path, error);
	}
	if (entry->kind == FOLDER_LINK) {
		return !folder_read_link(&arena, from, entry->path, &content) ||
			folder_link(to, entry->path, content, error);
	}
	if (entry->kind != FOLDER_FILE) {
		return true; // nothing that a gate would open
	}
	return folder_read(&arena, from, entry->path, COPY_FILE, &content, error) &&
		folder_write(to, entry->path, content, entry->mode & 0777, error);
}

static bool copy_workspace(const char *workspace, const char *copy, struct error *error)
{
	arena_cleanup arena = {0};
	struct folder_list list;
	file_cleanup from = folder_open(workspace, error);
	if (from < 0 || !file_make_folders(copy, 0755, error)) {
		return false;
	}
	file_cleanup to = folder_open(copy, error);
	if (to < 0 ||
		!folder_scan(&arena, from, TEXT(""), COPY_ENTRIES, NULL, NULL, &list, error)) {
		return false;
	}
	for (size_t i = 0; i < list.count; i++) {
		if (!copy_entry(from, to, &list.entries[i], error)) {
			return false;
		}
	}
	return !list.cut ||
		error_set(
			error, ERROR_FAILED, "the workspace has more than %d files", COPY_ENTRIES);
}

static void replace_all(
	struct buffer *result, struct text content, struct text old, const char *text)
{
	size_t at;
	while ((at = text_find(content, old)) < content.length) {
		buffer_add(result, content.data, at);
		buffer_add_string(result, text);
		content.data += at + old.length;
		content.length -= at + old.length;
	}
	buffer_add_text(result, content);
}

static bool edit_file(int folder, const struct test_edit *edit, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup result = {0};
	struct text path = text_of(edit->path), content;
	if (!edit->text) {
		return folder_remove(folder, path, error);
	}
	if (!edit->old) {
		return folder_write(folder, path, text_of(edit->text), 0644, error);
	}
	if (!folder_read(&arena, folder, path, COPY_FILE, &content, error)) {
		return false;
	}
	struct text old = text_of(edit->old);
	if (text_find(content, old) == content.length) {
		return error_set(error, ERROR_FAILED,
			"%s:%u: '%s' does not hold the text that is to be replaced",
			edit->position.file, edit->position.line, edit->path);
	}
	mode_t mode = folder_stat(folder, path).mode & 0777;
	replace_all(&result, content, old, edit->text);
	return folder_write(folder, path, buffer_text(&result), mode, error);
}

static bool spoil(const struct test_variant *variant, const char *copy, struct error *error)
{
	file_cleanup folder = folder_open(copy, error);
	for (size_t i = 0; folder >= 0 && i < variant->edit_count; i++) {
		if (!edit_file(folder, &variant->edits[i], error)) {
			return false;
		}
	}
	return folder >= 0;
}

// --- The gate ---

static struct sandbox *open_copy(
	struct testing *testing, const char *scratch, const char *copy, struct error *error)
{
	struct sandbox_settings settings = {.run = "test", .folder = scratch, .workspace = copy};
	for (size_t i = 0; sandbox_drivers[i]; i++) {
		if (sandbox_drivers[i]->flags & SANDBOX_HOST_FOLDER) {
			return sandbox_create(sandbox_drivers[i], &settings, error);
		}
	}
	(void)testing;
	error_set(
		error, ERROR_UNAVAILABLE, "no sandbox provider works on a folder of this machine");
	return NULL;
}

// What was changed in an assignment is not known here: checks that compare give no verdict.
static bool not_known(const struct gate_finding *finding)
{
	static const char *const comparing[] = {"changed", "unchanged", "fresh", "approve"};
	for (size_t i = 0; i < sizeof(comparing) / sizeof(comparing[0]); i++) {
		if (strcmp(finding->check, comparing[i]) == 0) {
			return finding->status != GATE_FAILS;
		}
	}
	return false;
}

static const char *compare(struct testing *testing, const struct test_variant *variant,
	const struct gate_verdict *verdict)
{
	const char *gate = testing->team->gates[variant->gate].name;
	buffer_cleanup sentences = {0};
	bool fails = false, found = false;
	for (size_t i = 0; i < verdict->count; i++) {
		const struct gate_finding *finding = &verdict->findings[i];
		if (finding->status == GATE_HOLDS || not_known(finding)) {
			continue;
		}
		fails = true;
		struct text sentence = text_of(finding->sentence);
		found = found ||
			(variant->finds && finding->status == GATE_FAILS &&
				pattern_search(variant->finds, sentence, NULL, NULL) ==
					PATTERN_MATCH);
		buffer_add_string(&sentences, sentences.length ? " | " : "");
		buffer_add_line(&sentences, sentence, 1000);
	}
	if (!variant->finds && fails) {
		return arena_printf(&testing->arena, "gate '%s' has to hold, but says: %s", gate,
			sentences.data);
	}
	if (variant->finds && !fails) {
		return arena_printf(&testing->arena, "gate '%s' has to fail, but holds", gate);
	}
	if (variant->finds && !found) {
		return arena_printf(&testing->arena,
			"gate '%s' has to say something that matches /%s/, but says: %s", gate,
			variant->finds_source, sentences.data);
	}
	return NULL;
}

bool testing_variant(struct testing *testing, const struct test_variant *variant,
	const char *workspace, const char **problem, struct error *error)
{
	arena_cleanup arena = {0};
	char *scratch = path_join(&arena, testing->folder, "copy-XXXXXX");
	if (!mkdtemp(scratch)) {
		return error_errno(error, ERROR_FAILED, "cannot make folder '%s'", scratch);
	}
	// Commands of a gate may become another user: the copy is theirs to read.
	const char *copy = path_join(&arena, scratch, "workspace");
	const struct team_gate *declaration = &testing->team->gates[variant->gate];
	struct gate *gate = NULL;
	struct sandbox *sandbox = NULL;
	if (copy_workspace(workspace, copy, error) && spoil(variant, copy, error) &&
		(gate = gate_compile(&arena, testing->team, declaration, error)) &&
		(sandbox = open_copy(testing, scratch, copy, error))) {
		struct gate_verdict verdict;
		struct gate_place place = {.sandbox = sandbox};
		gate_check(gate, &place, &arena, &verdict);
		*problem = compare(testing, variant, &verdict);
		sandbox_detach(sandbox);
	}
	gate_finish(gate);
	struct error ignored = {0}; // the folder around it is removed at the end
	file_remove_tree(scratch, &ignored);
	return sandbox != NULL;
}
