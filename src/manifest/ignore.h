/*
 * .gitignore files (gitignore(5)): which paths of a folder they leave out. Only those in the folder
 * count, not what git has elsewhere. A rule is for what lies in the folder that its file is in.
 */
#pragma once

#include "base/text.h"

enum { IGNORE_FILE_LIMIT = 256 * 1024, IGNORE_RULES = 10000 }; // of one file

struct ignore;

// The rules of one file, for paths below `folder` ("": the root). `outer` (may be NULL) are those of the
// folders around it and must outlive it.
struct ignore *ignore_create(const struct ignore *outer, struct text folder, struct text content);
void ignore_destroy(struct ignore *ignore); // NULL is fine; leaves `outer` alone
// `path` counts from the root. What lies in a folder that is left out is not asked for.
bool ignore_matches(const struct ignore *ignore, struct text path, bool folder);
