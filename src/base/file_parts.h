/*
 * What the two families of base/file.h share. Nobody else includes this; failures are in errno.
 */
#pragma once

#include "base/file.h"

// What an errno says: the file is not as it should be (ERROR_FAILED), or the disk fails or there is no
// memory or descriptor left, which says nothing about the file (ERROR_UNAVAILABLE).
enum error_kind folder_error_kind(int number);
// Reads to the end, at most `limit` bytes; `shown` is what messages call it.
bool file_read_all(struct arena *arena, int fd, const char *shown, size_t limit,
	struct text *content, struct error *error);
// Writes a temporary file beneath `folder` (AT_FDCWD: anywhere) and renames it into place. Durable:
// the content is on disk before it takes the old one's place.
bool file_replace_at(int folder, const char *path, struct text content, mode_t mode, bool durable);
// Removes a file or link, or a folder with all in it. What is missing is fine.
bool file_remove_at(int folder, const char *name);
// Opens beneath the folder: neither "..", links nor a race lead outside. "" is the folder itself.
int folder_open_beneath(int folder, const char *path, int flags);
// A path from outside as a C string; false when it cannot be one.
bool folder_path(struct arena *arena, struct text path, char **string);
int64_t folder_nanoseconds(const struct timespec *time); // since 1970
