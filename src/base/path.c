#include "base/path.h"

#include <string.h>

// Takes the next component off *rest; false at the end.
static bool next_component(struct text *rest, struct text *component)
{
	while (rest->length && rest->data[0] == '/') {
		rest->data++;
		rest->length--;
	}
	if (rest->length == 0) {
		return false;
	}
	const char *end = memchr(rest->data, '/', rest->length);
	size_t length = end ? (size_t)(end - rest->data) : rest->length;
	*component = (struct text){rest->data, length};
	rest->data += length;
	rest->length -= length;
	return true;
}

bool path_clean(struct arena *arena, struct text path, struct text *clean, struct error *error)
{
	buffer_cleanup shown = {0};
	buffer_add_line(&shown, path, 200);
	if (path.length > PATH_LIMIT) {
		return error_set(error, ERROR_USAGE, "the path '%s' is longer than %d bytes",
			shown.data, PATH_LIMIT);
	}
	if (path.length && memchr(path.data, '\0', path.length)) {
		return error_set(error, ERROR_USAGE, "the path '%s' holds a zero byte", shown.data);
	}
	static const char root[] = "/workspace";
	if (text_is(path, root) || text_starts(path, "/workspace/")) {
		path.data += sizeof(root) - 1;
		path.length -= sizeof(root) - 1;
	}
	char *result = arena_alloc(arena, path.length + 1);
	size_t length = 0;
	struct text component;
	while (next_component(&path, &component)) {
		if (text_is(component, ".")) {
			continue;
		}
		if (text_is(component, "..")) {
			return error_set(error, ERROR_USAGE,
				"the path '%s' has a '..' that could leave the workspace",
				shown.data);
		}
		if (length) {
			result[length++] = '/';
		}
		memcpy(result + length, component.data, component.length);
		length += component.length;
	}
	*clean = (struct text){result, length};
	return true;
}

bool path_is_glob(struct text path)
{
	for (size_t i = 0; i < path.length; i++) {
		if (memchr("*?[", path.data[i], 3)) {
			return true;
		}
	}
	return false;
}

// Matches one byte against the class at glob[0] == '['; *length is the class's length, or 0 when
// it is not closed (then '[' stands for itself).
static bool class_match(struct text glob, char byte, size_t *length)
{
	size_t i = 1;
	bool negated = i < glob.length && (glob.data[i] == '!' || glob.data[i] == '^');
	bool found = false;
	i += negated;
	for (size_t start = i; i < glob.length && (glob.data[i] != ']' || i == start); i++) {
		if (i + 2 < glob.length && glob.data[i + 1] == '-' && glob.data[i + 2] != ']') {
			found = found || (byte >= glob.data[i] && byte <= glob.data[i + 2]);
			i += 2;
		} else {
			found = found || byte == glob.data[i];
		}
	}
	*length = i < glob.length ? i + 1 : 0;
	return found != negated;
}

// One component against one component; linear but for a single restart point.
static bool component_match(struct text glob, struct text name)
{
	size_t g = 0, n = 0, star = SIZE_MAX, restart = 0;
	while (n < name.length) {
		size_t length = 1;
		bool match = false;
		if (g < glob.length && glob.data[g] == '*') {
			star = g++;
			restart = n;
			continue;
		}
		if (g < glob.length) {
			struct text rest = {glob.data + g, glob.length - g};
			match = rest.data[0] == '?' || rest.data[0] == name.data[n];
			if (rest.data[0] == '[') {
				bool in_class = class_match(rest, name.data[n], &length);
				match = length ? in_class : name.data[n] == '[';
				length = length ? length : 1;
			}
		}
		if (match) {
			g += length;
			n++;
		} else if (star != SIZE_MAX) {
			g = star + 1;
			n = ++restart;
		} else {
			return false;
		}
	}
	while (g < glob.length && glob.data[g] == '*') {
		g++;
	}
	return g == glob.length;
}

bool glob_match(struct text glob, struct text path)
{
	// '**' restarts like '*' does inside a component: only the last one has to be retried.
	struct text star_glob = {0}, star_path = {0};
	bool star = false;
	for (;;) {
		struct text glob_rest = glob, path_rest = path, component, name;
		bool more_glob = next_component(&glob_rest, &component);
		bool more_path = next_component(&path_rest, &name);
		if (more_glob && text_is(component, "**")) {
			star = true;
			star_glob = glob_rest;
			star_path = path;
			glob = glob_rest;
			continue;
		}
		if (!more_glob && !more_path) {
			return true;
		}
		if (more_glob && more_path && component_match(component, name)) {
			glob = glob_rest;
			path = path_rest;
			continue;
		}
		if (!star || !next_component(&star_path, &name)) {
			return false;
		}
		glob = star_glob;
		path = star_path;
	}
}

// Could one name match both component patterns? The fixed text before the first and after the last
// wildcard decides.
static bool component_overlap(struct text a, struct text b)
{
	if (!path_is_glob(a)) {
		return component_match(b, a);
	}
	if (!path_is_glob(b)) {
		return component_match(a, b);
	}
	for (size_t i = 0; i < a.length && i < b.length; i++) {
		if (memchr("*?[", a.data[i], 3) || memchr("*?[", b.data[i], 3)) {
			break;
		}
		if (a.data[i] != b.data[i]) {
			return false;
		}
	}
	for (size_t i = 1; i <= a.length && i <= b.length; i++) {
		char x = a.data[a.length - i], y = b.data[b.length - i];
		if (memchr("*?]", x, 3) || memchr("*?]", y, 3)) {
			break;
		}
		if (x != y) {
			return false;
		}
	}
	return true;
}

bool glob_overlap(struct text a, struct text b)
{
	struct text x, y;
	while (true) {
		bool more_a = next_component(&a, &x), more_b = next_component(&b, &y);
		if ((more_a && text_is(x, "**")) || (more_b && text_is(y, "**"))) {
			return true;
		}
		if (!more_a || !more_b) {
			return more_a == more_b;
		}
		if (!component_overlap(x, y)) {
			return false;
		}
	}
}

char *path_join(struct arena *arena, const char *folder, const char *name)
{
	if (name[0] == '/' || folder[0] == '\0' || strcmp(folder, ".") == 0) {
		return arena_string(arena, name);
	}
	if (name[0] == '\0') {
		return arena_string(arena, folder);
	}
	size_t length = strlen(folder);
	return arena_printf(arena, "%s%s%s", folder, folder[length - 1] == '/' ? "" : "/", name);
}

char *path_folder(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash) {
		return arena_string(arena, ".");
	}
	return arena_copy(arena, path, slash == path ? 1 : (size_t)(slash - path));
}
