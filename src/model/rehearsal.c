#include <pthread.h>
#include <stdlib.h>

#include "model/answer.h"
#include "model/rehearsal_view.h"

enum { SAID_LIMIT = 160 /* bytes of the newest item in a message */ };

struct rehearsal {
	struct model_client client;
	pthread_mutex_t lock; // which entries are used
	struct script script;
};

static struct script_agent *find_agent(struct script *script, const char *name)
{
	for (size_t i = 0; i < script->agent_count; i++) {
		if (text_is(script->agents[i].name, name)) {
			return &script->agents[i];
		}
	}
	return NULL;
}

static bool is_open(const struct script_entry *entry)
{
	return entry->repeat || entry->uses == 0;
}

// How many of an entry's conditions hold; the first that does not.
static size_t count_holding(const struct script_entry *entry, struct rehearsal_view *view,
	const struct script_condition **failing)
{
	size_t holding = 0;
	*failing = NULL;
	for (size_t i = 0; i < entry->condition_count; i++) {
		if (condition_holds(&entry->conditions[i], view)) {
			holding++;
		} else if (!*failing) {
			*failing = &entry->conditions[i];
		}
	}
	return holding;
}

static void miss_start(struct buffer *text, struct yaml_position position,
	const struct model_request *request, struct rehearsal_view *view)
{
	buffer_printf(text, "%s:%u:%u: no answer for '%s' to \"", position.file, position.line,
		position.column, request->agent);
	buffer_add_line(text, rehearsal_view_last(view), SAID_LIMIT);
	buffer_add_string(text, "\"; ");
}

static void miss(const struct script *script, const struct script_agent *agent,
	struct rehearsal_view *view, struct error *error)
{
	const struct model_request *request = view->request;
	const struct script_condition *differs = NULL, *failing;
	size_t nearest = 0, best = 0;
	for (size_t i = 0; agent && i < agent->entry_count; i++) {
		if (is_open(&agent->entries[i])) {
			size_t holding = count_holding(&agent->entries[i], view, &failing);
			if (!differs || holding > best) {
				differs = failing;
				best = holding;
				nearest = i + 1;
			}
		}
	}
	buffer_cleanup text = {0};
	if (!agent) {
		miss_start(&text, script->agents_position, request, view);
		buffer_add_string(&text, "the script has nothing for this agent");
	} else if (!differs) {
		miss_start(&text, agent->position, request, view);
		buffer_printf(&text, "%s %zu of its answers are used",
			agent->entry_count == 1 ? "the" : "all", agent->entry_count);
	} else {
		miss_start(&text, differs->position, request, view);
		buffer_printf(&text, "nearest is entry %zu: ", nearest);
		condition_explain(&text, differs, view);
	}
	error_set(error, ERROR_FAILED, "%s", text.data);
	error_hint(error, "add an answer under agents.%s%s", request->agent,
		differs ? ", or change the 'when' that differs" : "");
}

static int64_t tokens_of(size_t bytes)
{
	return (int64_t)(bytes + 3) / 4;
}

// Ids are the same in every run of a script: agent, entry and call; a repeated entry's use, too.
static void add_call(struct model_answer *answer, const struct model_request *request,
	const struct script_call *made, unsigned use)
{
	size_t number = answer->call_count + 1;
	const char *id = arena_printf(
		&answer->arena, "call_%s_%u_%zu", request->agent, (unsigned)answer->source, number);
	if (use > 1) {
		id = arena_printf(&answer->arena, "%s-%u", id, use);
	}
	answer_add_call(answer, text_of(id), made->tool, made->arguments);
}

// Four bytes are a token, for a script that does not say.
static void estimate_usage(struct model_answer *answer, const struct model_request *request)
{
	size_t input = request->instructions.length + request->tools.length, output = 0;
	for (size_t i = 0; i < request->item_count; i++) {
		input += request->items[i].length;
	}
	for (size_t i = 0; i < answer->item_count; i++) {
		output += answer->items[i].length;
	}
	answer->usage.input = tokens_of(input);
	answer->usage.output = tokens_of(output);
}

static struct model_answer *make_answer(const struct script_entry *entry, uint32_t number,
	unsigned use, const struct model_request *request)
{
	struct model_answer *answer = memory_alloc(sizeof(*answer));
	answer->finish = entry->finish;
	answer->source = number;
	if (entry->say.length) {
		bool refusal = entry->finish == MODEL_REFUSED;
		answer_add_message(answer, refusal ? "refusal" : "output_text", entry->say);
		answer->text = text_copy(&answer->arena, entry->say);
	}
	for (size_t i = 0; i < entry->call_count; i++) {
		add_call(answer, request, &entry->calls[i], use);
	}
	answer->usage = entry->usage;
	if (!entry->usage_given) {
		estimate_usage(answer, request);
	}
	return answer;
}

// Takes the first open entry whose conditions hold. NULL: none, with the error.
static const struct script_entry *take(struct rehearsal *rehearsal, struct rehearsal_view *view,
	uint32_t *number, unsigned *use, struct error *error)
{
	struct script_agent *agent = find_agent(&rehearsal->script, view->request->agent);
	for (size_t i = 0; agent && i < agent->entry_count; i++) {
		struct script_entry *entry = &agent->entries[i];
		const struct script_condition *failing;
		if (is_open(entry) &&
			count_holding(entry, view, &failing) == entry->condition_count) {
			*number = (uint32_t)i + 1;
			*use = ++entry->uses;
			return entry;
		}
	}
	miss(&rehearsal->script, agent, view, error);
	return NULL;
}

static void ask(struct model_client *client, const struct model_request *request, model_done *done,
	void *data)
{
	struct rehearsal *rehearsal = (struct rehearsal *)client;
	struct rehearsal_view view;
	struct error error = {0};
	uint32_t number = 0;
	unsigned use = 0;
	rehearsal_view_start(&view, request);
	pthread_mutex_lock(&rehearsal->lock);
	const struct script_entry *entry = take(rehearsal, &view, &number, &use, &error);
	pthread_mutex_unlock(&rehearsal->lock);
	rehearsal_view_finish(&view);
	if (entry) {
		done(data, make_answer(entry, number, use, request), NULL);
	} else {
		done(data, NULL, &error);
	}
}

static void destroy(struct model_client *client)
{
	struct rehearsal *rehearsal = (struct rehearsal *)client;
	pthread_mutex_destroy(&rehearsal->lock);
	script_finish(&rehearsal->script);
	free(rehearsal);
}

static const struct model_kind rehearsal_kind = {"rehearsal", ask, NULL, destroy};

struct model_client *rehearsal_open(const char *path, struct error *error)
{
	struct rehearsal *rehearsal = memory_alloc(sizeof(*rehearsal));
	rehearsal->client.kind = &rehearsal_kind;
	pthread_mutex_init(&rehearsal->lock, NULL);
	if (!script_load(&rehearsal->script, path, error)) {
		destroy(&rehearsal->client);
		return NULL;
	}
	return &rehearsal->client;
}

void rehearsal_mark_used(struct model_client *client, const char *agent, uint32_t source)
{
	struct rehearsal *rehearsal = (struct rehearsal *)client;
	if (client->kind != &rehearsal_kind) {
		return;
	}
	pthread_mutex_lock(&rehearsal->lock);
	struct script_agent *found = find_agent(&rehearsal->script, agent);
	if (found && source >= 1 && source <= found->entry_count) {
		found->entries[source - 1].uses++;
	}
	pthread_mutex_unlock(&rehearsal->lock);
}
