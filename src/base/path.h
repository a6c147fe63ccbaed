/*
 * Names of files in a workspace: relative, '/' between components, no "." or "..", no empty
 * component, at most PATH_LIMIT bytes. And globs over them: '*' and '?' stay inside one component,
 * '[abc]' and '[!a-z]' are classes, '**' as a whole component stands for any number of components.
 */
#pragma once

#include "base/error.h"
#include "base/text.h"

enum { PATH_LIMIT = 4096 };

// The clean form of a path that a person or a model wrote: a leading "/" or "/workspace/" means the
// workspace root, "./" and "//" go away. The root itself is "". Fails for "..", a zero byte, and
// a path that is too long; the message speaks of the path.
bool path_clean(struct arena *arena, struct text path, struct text *clean, struct error *error);
bool path_is_glob(struct text path);
bool glob_match(struct text glob, struct text path);
// True if some path could match both (exact for the usual forms; errs on the side of true).
bool glob_overlap(struct text a, struct text b);
// "a/b" for "a" and "b"; "b" for an empty or "." folder; b itself when it is absolute.
char *path_join(struct arena *arena, const char *folder, const char *name);
// The folder that holds the path: "." when there is none.
char *path_folder(struct arena *arena, const char *path);
