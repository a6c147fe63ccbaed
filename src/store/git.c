#include "store/git.h"

#include <dlfcn.h>
#include <pthread.h>

#include "store/history_parts.h"

struct git_library git;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct error problem;

static bool find(void *library, const char *name, void *function)
{
	// POSIX has it that a function's address fits; C does not let us say so without this.
	*(void **)function = dlsym(library, name);
	return *(void **)function != NULL;
}

// The user's and the machine's git configuration must not change what is recorded.
static void start(void)
{
	static const int levels[] = {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM,
		GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL};
	history_set_memory();
	git.libgit2_init();
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		git.libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
	}
	git.libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
}

static void load(void)
{
	void *library = dlopen(GIT_LIBRARY, RTLD_LAZY | RTLD_LOCAL);
	bool fine = library != NULL;
#define GIT_FIND(name) fine = fine && find(library, "git_" #name, &git.name);
	GIT_FUNCTIONS(GIT_FIND)
#undef GIT_FIND
	if (fine) {
		start();
		return;
	}
	error_set(&problem, ERROR_UNAVAILABLE,
		"cannot load %s, which keeps the history of workspaces", GIT_LIBRARY);
	error_hint(&problem, "install libgit2 in the version that muster was built with");
}

bool git_load(struct error *error)
{
	pthread_once(&once, load);
	if (problem.kind != ERROR_NONE) {
		*error = problem;
		return false;
	}
	return true;
}
