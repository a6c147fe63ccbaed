#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "manifest/kind.h"

// An open file of this machine that can be copied, or -1.
static int open_source(const char *source, struct stat *status, struct error *error)
{
	file_cleanup fd = open(source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ELOOP) {
		error_set(error, ERROR_USAGE, "'%s' is a link", source);
		error_hint(error, "name the file that it leads to");
		return -1;
	}
	if (fd < 0 || fstat(fd, status) < 0) {
		error_errno(error, ERROR_USAGE, "cannot read '%s'", source);
		return -1;
	}
	if (!S_ISREG(status->st_mode)) {
		error_set(error, ERROR_USAGE, "'%s' is %s, not a regular file", source,
			S_ISDIR(status->st_mode) ? "a folder" : "a special file");
		error_hint(error, "copy folders with 'type: local_dir'");
		return -1;
	}
	if (status->st_size > MANIFEST_FILE_LIMIT) {
		error_set(error, ERROR_USAGE, "'%s' is larger than 16 GiB", source);
		return -1;
	}
	int stolen = fd;
	fd = -1;
	return stolen;
}

static bool check(
	const struct manifest_place *place, const struct manifest_entry *entry, struct error *error)
{
	struct stat status;
	const char *source = entry_source(place, entry, error);
	file_cleanup fd = source ? open_source(source, &status, error) : -1;
	return fd >= 0;
}

static bool put(const struct manifest_place *place, const struct manifest_entry *entry,
	struct sink *sink, const char *name, struct error *error)
{
	struct stat status;
	const char *source = entry_source(place, entry, error);
	file_cleanup fd = source ? open_source(source, &status, error) : -1;
	struct sink_file file = {.fd = fd};
	if (fd < 0) {
		return false;
	}
	file.size = status.st_size;
	file.mode = entry->has_mode ? entry->mode : status.st_mode & 0777;
	return sink_file(sink, name, &file, error);
}

static const struct key keys[] = {
	{"src", KEY_FILE, "The file on this machine, relative to the team file.", .required = true},
	{0},
};

const struct entry_kind entry_local_file = {
	.owner = {.name = "local_file", .help = "A copy of a file of this machine.", .keys = keys},
	.check = check,
	.put = put,
};
