#include "cli/verb.h"

#include <string.h>

const struct verb *const verbs[] = {
	&verb_new,
	&verb_validate,
	&verb_plan,
	&verb_graph,
	&verb_manifest,
	&verb_run,
	&verb_resume,
	&verb_fork,
	&verb_snapshot,
	&verb_shell,
	&verb_approve,
	&verb_reject,
	&verb_answer,
	&verb_tell,
	&verb_pause,
	&verb_stop,
	&verb_list,
	&verb_show,
	&verb_log,
	&verb_report,
	&verb_rehearsal,
	&verb_artifacts,
	&verb_diff,
	&verb_blame,
	&verb_apply,
	&verb_delete,
	&verb_prune,
	&verb_fsck,
	&verb_gate,
	&verb_test,
	&verb_providers,
	&verb_doctor,
	&verb_completion,
	&verb_version,
	&verb_help_verb,
	NULL,
};

const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; verbs[i]; i++) {
		if (strcmp(verbs[i]->name, name) == 0) {
			return verbs[i];
		}
	}
	return NULL;
}

bool verb_unknown(const char *name, struct error *error)
{
	const char *names[sizeof(verbs) / sizeof(verbs[0])];
	size_t count = 0;
	for (size_t i = 0; verbs[i]; i++) {
		names[count++] = verbs[i]->name;
	}
	arena_cleanup arena = {0};
	const char *nearest = text_nearest(text_of(name), names, count);
	error_set(error, ERROR_USAGE, "there is no verb '%s'", arguments_shown(&arena, name));
	if (nearest) {
		return error_hint(error, "did you mean '%s'?", nearest);
	}
	return error_hint(error, "'muster help' lists the verbs");
}
