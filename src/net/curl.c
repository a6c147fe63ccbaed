#include "net/curl.h"

#include <dlfcn.h>
#include <pthread.h>

static const char library_name[] = "libcurl.so.4";

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct curl_library library;
static struct error problem;

static bool find(void *handle, const char *name, void *function)
{
	// POSIX has it that a function's address fits; C does not let us say so without this.
	*(void **)function = dlsym(handle, name);
	return *(void **)function != NULL;
}

static void load(void)
{
	void *handle = dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
	bool fine = handle != NULL;
#define CURL_FIND(result, name, parameters)                                                        \
	fine = fine && find(handle, "curl_" #name, &library.name);
	CURL_FUNCTIONS(CURL_FIND)
#undef CURL_FIND
	if (!fine) {
		error_set(&problem, ERROR_UNAVAILABLE, "cannot load %s, which speaks HTTP",
			library_name);
		error_hint(&problem, "install it: apt-get install libcurl4");
	} else if (library.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		error_set(&problem, ERROR_UNAVAILABLE, "libcurl cannot be started");
	}
}

const struct curl_library *curl_library(struct error *error)
{
	pthread_once(&once, load);
	if (problem.kind != ERROR_NONE) {
		*error = problem;
		return NULL;
	}
	return &library;
}
