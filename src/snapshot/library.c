#include "snapshot/library.h"

#include <dlfcn.h>
#include <pthread.h>

#include "base/text.h"

struct archive_library library;

static const char library_name[] = "libarchive.so.13";
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool loaded;

static bool find(void *handle, const char *name, void *function)
{
	// POSIX has it that a function's address fits; C does not let us say so without this.
	*(void **)function = dlsym(handle, name);
	return *(void **)function != NULL;
}

static void load(void)
{
	void *handle = dlopen(library_name, RTLD_LAZY | RTLD_LOCAL);
	loaded = handle != NULL;
#define ARCHIVE_FIND(name) loaded = loaded && find(handle, "archive_" #name, &library.name);
	ARCHIVE_FUNCTIONS(ARCHIVE_FIND)
#undef ARCHIVE_FIND
}

bool library_load(struct error *error)
{
	pthread_once(&once, load);
	return loaded ||
		error_set(error, ERROR_UNAVAILABLE, "cannot load %s, which compresses snapshots",
			library_name) ||
		error_hint(error, "install it: apt-get install libarchive13");
}

// What the library says may hold anything from outside.
bool library_failed(struct error *error, const char *what, struct archive *archive)
{
	buffer_cleanup reason = {0};
	const char *said = library.error_string(archive);
	buffer_add_line(&reason, text_of(said ? said : "no reason given"), 200);
	return error_set(error, ERROR_FAILED, "cannot %s: %s", what, reason.data);
}
