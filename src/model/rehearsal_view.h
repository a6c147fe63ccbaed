/* A request as a rehearsal's conditions see it: its items as plain texts, read when asked for. */
#pragma once

#include "model/rehearsal_script.h"

struct rehearsal_view {
	struct arena arena;
	const struct model_request *request;
	struct text *texts; // of the items; NULL data: not read yet
	int64_t turn;       // the number of the answer that is asked for; 0: not counted yet
};

void rehearsal_view_start(struct rehearsal_view *view, const struct model_request *request);
void rehearsal_view_finish(struct rehearsal_view *view);
struct text rehearsal_view_last(struct rehearsal_view *view); // the newest item's text

bool condition_holds(const struct script_condition *condition, struct rehearsal_view *view);
// Why it does not: "its 'when.last' /x/ does not match".
void condition_explain(
	struct buffer *text, const struct script_condition *condition, struct rehearsal_view *view);
