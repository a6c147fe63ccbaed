#include "snapshot/compress.h"

#include <stdlib.h>

#include "snapshot/library.h"

static struct archive *archive_of(struct compress *compress)
{
	return (struct archive *)(void *)compress;
}

// Two threads always: how many there are shows in the bytes that come out. Level 1: a snapshot is
// waited for, and half the size of the files is small enough.
struct compress *compress_begin(int fd, struct error *error)
{
	if (!library_load(error)) {
		return NULL;
	}
	struct archive *archive = library.write_new();
	struct archive_entry *entry = library.entry_new();
	if (!archive || !entry) {
		abort(); // out of memory
	}
	library.entry_set_pathname(entry, "data");
	library.entry_set_filetype(entry, AE_IFREG);
	bool fine = library.write_set_format_raw(archive) == ARCHIVE_OK &&
		library.write_add_filter_zstd(archive) == ARCHIVE_OK &&
		library.write_set_filter_option(archive, "zstd", "compression-level", "1") ==
			ARCHIVE_OK &&
		library.write_set_filter_option(archive, "zstd", "threads", "2") == ARCHIVE_OK &&
		library.write_set_bytes_in_last_block(archive, 1) == ARCHIVE_OK &&
		library.write_open_fd(archive, fd) == ARCHIVE_OK &&
		library.write_header(archive, entry) == ARCHIVE_OK;
	library.entry_free(entry);
	if (!fine) {
		library_failed(error, "begin a snapshot", archive);
		library.write_free(archive);
		return NULL;
	}
	return (struct compress *)(void *)archive;
}

bool compress_add(struct compress *compress, struct text bytes, struct error *error)
{
	while (bytes.length) {
		la_ssize_t taken =
			library.write_data(archive_of(compress), bytes.data, bytes.length);
		if (taken <= 0) {
			return library_failed(error, "write the snapshot", archive_of(compress));
		}
		bytes.data += taken;
		bytes.length -= (size_t)taken;
	}
	return true;
}

bool compress_end(struct compress *compress, struct error *error)
{
	return library.write_close(archive_of(compress)) == ARCHIVE_OK ||
		library_failed(error, "write the snapshot", archive_of(compress));
}

void compress_free(struct compress *compress)
{
	if (compress) {
		library.write_free(archive_of(compress));
	}
}
