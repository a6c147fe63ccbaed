/* The functions of libarchive that are used, from the library that is loaded on demand. Private to
 * src/snapshot/. */
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include "base/error.h"

// X(name), as in archive_name
#define ARCHIVE_FUNCTIONS(X)                                                                       \
	X(entry_free)                                                                              \
	X(entry_new)                                                                               \
	X(entry_set_filetype)                                                                      \
	X(entry_set_pathname)                                                                      \
	X(error_string)                                                                            \
	X(filter_bytes)                                                                            \
	X(filter_count)                                                                            \
	X(read_data_block)                                                                         \
	X(read_free)                                                                               \
	X(read_new)                                                                                \
	X(read_next_header)                                                                        \
	X(read_open_fd)                                                                            \
	X(read_support_filter_bzip2)                                                               \
	X(read_support_filter_gzip)                                                                \
	X(read_support_filter_xz)                                                                  \
	X(read_support_filter_zstd)                                                                \
	X(read_support_format_raw)                                                                 \
	X(write_add_filter_zstd)                                                                   \
	X(write_close)                                                                             \
	X(write_data)                                                                              \
	X(write_free)                                                                              \
	X(write_header)                                                                            \
	X(write_new)                                                                               \
	X(write_open_fd)                                                                           \
	X(write_set_bytes_in_last_block)                                                           \
	X(write_set_filter_option)                                                                 \
	X(write_set_format_raw)

struct archive_library {
#define ARCHIVE_MEMBER(name) __typeof__(archive_##name) *name;
	ARCHIVE_FUNCTIONS(ARCHIVE_MEMBER)
#undef ARCHIVE_MEMBER
};

extern struct archive_library library;

// Loads it, once per process. Thread-safe. False with ERROR_UNAVAILABLE.
bool library_load(struct error *error);
// With what the library says of it.
bool library_failed(struct error *error, const char *what, struct archive *archive);
