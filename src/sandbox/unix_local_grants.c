#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "base/path.h"
#include "sandbox/unix_local.h"

// As whom commands become: root of the machine reaches every folder, they do not.
static bool reaches(const struct unix_local *local, const char *path)
{
	char inside[PATH_LIMIT + 3]; // to look into a folder takes more than to name it
	bool root = geteuid() == 0;
	snprintf(inside, sizeof(inside), "%s/.", path);
	if (root) {
		setfsgid((gid_t)local->user);
		setfsuid(local->user);
	}
	int fd = open(inside, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int number = errno;
	if (root) {
		setfsuid(0);
		setfsgid(0);
	}
	bool reached = fd >= 0;
	file_close(&fd);
	errno = number;
	return reached;
}

static bool lies_in(const char *path, const char *folder)
{
	size_t length = strlen(folder);
	return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static bool check(const struct unix_local *local, const struct sandbox_settings *settings,
	const struct sandbox_grant *grant, struct error *error)
{
	char *own = realpath(settings->folder, NULL);
	bool safe = own && (grant->read_only || !lies_in(own, grant->source));
	free(own);
	if (!safe) {
		error_set(error, ERROR_USAGE,
			"the folder '%s' holds what muster keeps of the run, so commands cannot "
			"write to it",
			grant->source);
		return error_hint(error, "grant a folder inside it, or 'read_only: true'");
	}
	if (!reaches(local, grant->source)) {
		error_errno(error, ERROR_UNAVAILABLE,
			"commands of the sandbox cannot reach the folder '%s'", grant->source);
		return error_hint(error, "give others the right to it and the folders around it");
	}
	return true;
}

bool unix_local_take_grants(
	struct unix_local *local, const struct sandbox_settings *settings, struct error *error)
{
	size_t count = 0;
	while (settings->grants && settings->grants[count].path) {
		if (!check(local, settings, &settings->grants[count++], error)) {
			return false;
		}
	}
	if (count) {
		local->grants = memory_alloc((count + 1) * sizeof(*local->grants));
	}
	for (size_t i = 0; i < count; i++) {
		const struct sandbox_grant *grant = &settings->grants[i];
		local->grants[i] = (struct sandbox_grant){
			memory_string(grant->path), memory_string(grant->source), grant->read_only};
	}
	return true;
}

void unix_local_free_grants(struct sandbox_grant *grants)
{
	for (size_t i = 0; grants && grants[i].path; i++) {
		free((char *)(uintptr_t)grants[i].path);
		free((char *)(uintptr_t)grants[i].source);
	}
	free(grants);
}
