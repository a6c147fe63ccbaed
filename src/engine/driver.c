/* Who drives a run: noted in its journal, so that the next process knows whether the machine was started
 * anew since (a power loss may have taken what was not on disk yet). */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "engine/job.h"

// The number that each start of the machine has; "" where it has none.
static const char *boot_id(struct arena *arena)
{
	struct text id;
	struct error ignored = {0}; // without /proc every process is taken for one of this start
	return file_read(arena, "/proc/sys/kernel/random/boot_id", 64, &id, &ignored)
		? text_string(arena, text_trim(id))
		: "";
}

bool job_drives(struct job *job, bool *restarted, struct error *error)
{
	struct store *store = engine_store(job->engine);
	arena_cleanup arena = {0};
	buffer_cleanup json = {0};
	struct text before;
	struct error damaged = {0}; // then it is told anew
	const char *boot = boot_id(&arena);
	*restarted = false;
	if (store_text(store, &arena, job->id, "driver", &before, error)) {
		json_cleanup *tree = json_parse(before, &damaged);
		const char *last = tree ? json_string(tree, "boot", "") : "";
		*restarted = last[0] && boot[0] && strcmp(last, boot) != 0;
	} else if (error->kind != ERROR_NONE) {
		return false;
	}
	buffer_add_string(&json, "{\"boot\":");
	buffer_add_json(&json, text_of(boot));
	buffer_printf(&json, ",\"process\":%d}", (int)getpid());
	return store_put_text(store, job->id, "driver", 0, buffer_text(&json), error);
}
