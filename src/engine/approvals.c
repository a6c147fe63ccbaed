/*
 * A person's answers to `approve` checks. A yes is kept with the hash of what the gate's paths held
 * when the question was put, so that it holds for exactly that, wherever the gate stands; a no
 * becomes the reason that the agent is told.
 */
#include <stdio.h>
#include <string.h>

#include "engine/job.h"

const struct run_check *approval_check(const struct job *job, const struct run_question *question)
{
	const struct run_branch *branch = &job->state.branches[question->branch];
	const struct run_checklist *list = question->call == RUN_NONE
		? &branch->checklist
		: &branch->calls[question->call].checklist;
	for (uint32_t i = 0; i < list->count; i++) {
		if (list->checks[i].gate == question->gate) {
			return &list->checks[i];
		}
	}
	return NULL;
}

struct approval approval_before(const struct job *job, const struct run_event *event)
{
	struct approval approval = {0};
	if (event->kind != PERSON_ANSWERED) {
		return approval;
	}
	for (uint32_t i = 0; i < job->state.question_count; i++) {
		const struct run_question *question = &job->state.questions[i];
		if (question->number != event->question || question->kind != QUESTION_GATE) {
			continue;
		}
		const struct run_check *check = approval_check(job, question);
		if (check) {
			approval = (struct approval){.given = true,
				.yes = event->code == CHOICE_YES,
				.question = question->number,
				.gate = check->gate,
				.branch = check->branch,
				.command = check->command};
		}
	}
	return approval;
}

static void name_list(char *key, size_t size, uint32_t gate)
{
	snprintf(key, size, "approved.%u", gate);
}

// The texts that there may not be: then they are empty.
static bool read_text(struct job *job, struct arena *arena, const char *key, struct text *text,
	struct error *error)
{
	*text = (struct text){0};
	return store_text(engine_store(job->engine), arena, job->id, key, text, error) ||
		error->kind == ERROR_NONE;
}

static bool keep_yes(struct job *job, const struct approval *approval, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup list = {0};
	struct text content, known;
	char key[64];
	snprintf(key, sizeof(key), "%u.%u.content", approval->branch, approval->command);
	if (!read_text(job, &arena, key, &content, error)) {
		return false;
	}
	name_list(key, sizeof(key), approval->gate);
	if (!read_text(job, &arena, key, &known, error)) {
		return false;
	}
	buffer_add_text(&list, known);
	buffer_add_text(&list, content);
	buffer_add_char(&list, '\n');
	return store_put_text(
		engine_store(job->engine), job->id, key, job->sequence, buffer_text(&list), error);
}

static bool tell_no(struct job *job, const struct approval *approval, struct error *error)
{
	arena_cleanup arena = {0};
	buffer_cleanup told = {0};
	char key[64];
	struct text lines = text_of(
		arena_string(&arena, job_verdict(job, approval->branch, approval->command)));
	struct text line;
	while (text_next_line(&lines, &line)) {
		if (text_starts(line, "- ")) {
			buffer_add_string(&told, "- A person said no: ");
			line = (struct text){line.data + 2, line.length - 2};
		}
		buffer_add_text(&told, line);
		buffer_add_char(&told, '\n');
	}
	buffer_cleanup said = {0};
	job_answer_text(job, approval->question, &said);
	struct text rest = buffer_text(&said);
	for (bool first = true; text_next_line(&rest, &line); first = false) {
		buffer_add_string(&told, first ? "  They said: " : "  ");
		buffer_add_text(&told, line);
		buffer_add_char(&told, '\n');
	}
	snprintf(key, sizeof(key), "%u.%u.lines", approval->branch, approval->command);
	return store_put_text(
		engine_store(job->engine), job->id, key, job->sequence, buffer_text(&told), error);
}

bool approval_after(struct job *job, const struct approval *approval, struct error *error)
{
	return !approval->given ||
		(approval->yes ? keep_yes(job, approval, error) : tell_no(job, approval, error));
}

const char *const *approvals_of(struct job *job, struct arena *arena, uint32_t gate)
{
	struct error ignored = {0}; // then the question is put again
	struct text list, line;
	char key[64];
	size_t count = 0;
	name_list(key, sizeof(key), gate);
	if (!read_text(job, arena, key, &list, &ignored)) {
		list = (struct text){0};
	}
	const char **approved = arena_new_array(arena, list.length / 64 + 2, const char *);
	while (text_next_line(&list, &line)) {
		if (line.length == 64) {
			approved[count++] = text_string(arena, line);
		}
	}
	return approved;
}
