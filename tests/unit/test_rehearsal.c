#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "model/model.h"

// A script as a file that is gone after the test.
struct script_file {
	char path[64];
};

static struct script_file write_script(const char *text)
{
	struct script_file file = {"/tmp/muster-rehearsal-XXXXXX"};
	int fd = mkstemp(file.path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return file;
}

static struct model_client *open_script(const char *text, struct error *error)
{
	struct script_file file = write_script(text);
	struct model_client *client = rehearsal_open(file.path, error);
	unlink(file.path);
	return client;
}

static struct model_client *opened(const char *text)
{
	struct error error = {0};
	struct model_client *client = open_script(text, &error);
	if (!client) {
		fail_msg("%s", error.message);
	}
	return client;
}

// The message without "PATH:" for a script that must not be opened.
static void refuses(const char *text, const char *expected)
{
	struct error error = {0};
	struct model_client *client = open_script(text, &error);
	model_client_destroy(client);
	assert_null(client);
	assert_int_equal(error.kind, ERROR_USAGE);
	const char *message = strchr(error.message, ':');
	assert_non_null(message);
	assert_string_equal(message + 1, expected);
}

struct reply {
	struct model_answer *answer;
	struct error error;
	int count;
};

static void take_reply(void *data, struct model_answer *answer, const struct error *error)
{
	struct reply *reply = data;
	reply->answer = answer;
	reply->count++;
	if (!answer) {
		reply->error = *error;
	}
}

static struct reply ask_items(
	struct model_client *client, const char *agent, const char *const *items, size_t count)
{
	struct reply reply = {0};
	struct text texts[16];
	for (size_t i = 0; i < count; i++) {
		texts[i] = text_of(items[i]);
	}
	struct model_request request = {.agent = agent,
		.instructions = TEXT("12345678"),
		.items = texts,
		.item_count = count,
		.tools = TEXT("[]")};
	model_ask(client, &request, take_reply, &reply);
	assert_int_equal(reply.count, 1);
	return reply;
}

static struct reply ask(struct model_client *client, const char *agent, const char *last)
{
	char item[512];
	snprintf(item, sizeof(item),
		"{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"%s\"}", last);
	const char *items[] = {item};
	return ask_items(client, agent, items, 1);
}

static void expect_text(struct model_client *client, const char *last, const char *text)
{
	struct reply reply = ask(client, "a", last);
	if (!reply.answer) {
		fail_msg("%s", reply.error.message);
	}
	assert_text(reply.answer->text, text);
	model_answer_destroy(reply.answer);
}

static void expect_miss(struct model_client *client, const char *last, const char *expected)
{
	struct reply reply = ask(client, "a", last);
	assert_null(reply.answer);
	assert_int_equal(reply.error.kind, ERROR_FAILED);
	assert_string_equal(strchr(reply.error.message, ':') + 1, expected);
}

static void answers_come_in_order_each_once(void **state)
{
	(void)state;
	struct model_client *client = opened("version: 1\n"
					     "agents:\n"
					     "  a:\n"
					     "    - say: one\n"
					     "    - say: two\n"
					     "  b: []\n");
	expect_text(client, "x", "one");
	expect_text(client, "x", "two");
	expect_miss(client, "x", "3:3: no answer for 'a' to \"x\"; all 2 of its answers are used");
	struct reply reply = ask(client, "nobody", "x");
	assert_null(reply.answer);
	assert_non_null(strstr(reply.error.message, "the script has nothing for this agent"));
	model_client_destroy(client);
}

static void an_answer_becomes_items_of_the_responses_api(void **state)
{
	(void)state;
	struct model_client *client = opened(
		"version: 1\n"
		"agents:\n"
		"  a:\n"
		"    - say: \"I \\\"plan\\\" \\u00e4\"\n"
		"      calls:\n"
		"        - write_file: {path: x.md, content: \"a\\nb\", deep: [1, true, null]}\n"
		"        - check_outputs:\n"
		"      usage: {input: 10, cached: 4, output: 5, reasoning: 2}\n");
	struct reply reply = ask(client, "a", "go");
	struct model_answer *answer = reply.answer;
	assert_non_null(answer);
	assert_int_equal(answer->finish, MODEL_CALLS);
	assert_int_equal(answer->source, 1);
	assert_text(answer->text, "I \"plan\" \xc3\xa4");
	assert_int_equal(answer->item_count, 3);
	assert_text(answer->items[0],
		"{\"type\":\"message\",\"role\":\"assistant\",\"content\":"
		"[{\"type\":\"output_text\",\"text\":"
		"\"I \\\"plan\\\" \xc3\xa4\"}]}");
	assert_int_equal(answer->call_count, 2);
	assert_text(answer->calls[0].id, "call_a_1_1");
	assert_text(answer->calls[0].name, "write_file");
	assert_text(answer->calls[0].arguments,
		"{\"path\":\"x.md\",\"content\":\"a\\nb\",\"deep\":[1,true,null]}");
	assert_text(answer->calls[1].arguments, "{}");
	assert_text(answer->items[2],
		"{\"type\":\"function_call\",\"call_id\":\"call_a_1_2\","
		"\"name\":\"check_outputs\",\"arguments\":\"{}\"}");
	for (size_t i = 0; i < answer->item_count; i++) {
		struct error error;
		assert_true(json_check(answer->items[i], &error));
	}
	assert_int_equal(answer->usage.input, 10);
	assert_int_equal(answer->usage.cached, 4);
	assert_int_equal(answer->usage.output, 5);
	assert_int_equal(answer->usage.reasoning, 2);
	model_answer_destroy(answer);
	model_client_destroy(client);
}

static void usage_is_estimated_from_sizes_when_the_script_is_silent(void **state)
{
	(void)state;
	struct model_client *client = opened("version: 1\nagents: {a: [{say: hello}]}\n");
	const char *items[] = {"{\"role\":\"user\",\"content\":\"hi\"}"};
	struct reply reply = ask_items(client, "a", items, 1);
	size_t input = 8 + 2 + strlen(items[0]);
	assert_int_equal(reply.answer->usage.input, (input + 3) / 4);
	assert_int_equal(reply.answer->usage.output, (reply.answer->items[0].length + 3) / 4);
	model_answer_destroy(reply.answer);
	model_client_destroy(client);
}

static void the_first_entry_whose_conditions_hold_answers(void **state)
{
	(void)state;
	struct model_client *client = opened("version: 1\n"
					     "agents:\n"
					     "  a:\n"
					     "    - when: {last: 'red|blue', not: 'dark'}\n"
					     "      say: colour\n"
					     "    - when: {last: 'dark'}\n"
					     "      say: dark\n"
					     "    - say: anything\n");
	expect_text(client, "dark red", "dark");
	expect_text(client, "red", "colour");
	expect_text(client, "red", "anything");
	model_client_destroy(client);
}

static void a_repeated_entry_stays_and_its_calls_keep_unique_ids(void **state)
{
	(void)state;
	struct model_client *client = opened("version: 1\n"
					     "agents:\n"
					     "  a:\n"
					     "    - calls: [{check_outputs: {}}]\n"
					     "      repeat: true\n");
	const char *ids[] = {"call_a_1_1", "call_a_1_1-2", "call_a_1_1-3"};
	for (int i = 0; i < 3; i++) {
		struct reply reply = ask(client, "a", "x");
		assert_text(reply.answer->calls[0].id, ids[i]);
		model_answer_destroy(reply.answer);
	}
	model_client_destroy(client);
}

static void conditions_read_every_kind_of_item(void **state)
{
	(void)state;
	const char *items[] = {
		"{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\","
		"\"text\":\"build a boat\"}]}",
		"{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":"
		"\"output_text\",\"text\":\"first\"}]}",
		"{\"type\":\"function_call\",\"call_id\":\"1\",\"name\":\"read_file\","
		"\"arguments\":\"{\\\"path\\\":\\\"sails.md\\\"}\"}",
		"{\"type\":\"function_call_output\",\"call_id\":\"1\",\"output\":[{\"type\":"
		"\"input_text\",\"text\":\"white\"},{\"type\":\"input_text\",\"text\":"
		"\"cloth\"}]}",
		"{\"role\":\"user\",\"content\":\"newest\"}",
	};
	struct model_client *client =
		opened("version: 1\n"
		       "agents:\n"
		       "  a:\n"
		       "    - {when: {last: boat}, say: no}\n"
		       "    - {when: {turn: 1}, say: no}\n"
		       "    - {when: {items: {max: 4}}, say: no}\n"
		       "    - {when: {any: absent}, say: no}\n"
		       "    - {when: {any: boat}, say: user}\n"
		       "    - {when: {any: 'read_file .*sails'}, say: call}\n"
		       "    - {when: {any: 'white\\ncloth'}, say: output}\n"
		       "    - {when: {last: '^newest$'}, say: last}\n"
		       "    - {when: {turn: 2}, say: turn}\n"
		       "    - {when: {items: 5}, say: items}\n"
		       "    - {when: {items: {min: 2, max: 5}}, say: range}\n");
	const char *expected[] = {"user", "call", "output", "last", "turn", "items", "range"};
	for (size_t i = 0; i < 7; i++) {
		struct reply reply = ask_items(client, "a", items, 5);
		if (!reply.answer) {
			fail_msg("%s", reply.error.message);
		}
		assert_text(reply.answer->text, expected[i]);
		model_answer_destroy(reply.answer);
	}
	model_client_destroy(client);
}

static void a_miss_names_the_nearest_entry_and_what_differs(void **state)
{
	(void)state;
	struct model_client *client = opened("version: 1\n"
					     "agents:\n"
					     "  a:\n"
					     "    - when: {last: green, any: blue}\n"
					     "      say: x\n"
					     "    - when: {items: 1, last: 'gr[ae]y'}\n"
					     "      say: y\n");
	expect_miss(client, "blu\xc3\xa4",
		"6:30: no answer for 'a' to \"blu\xc3\xa4\"; nearest is entry 2: its 'when.last' "
		"/gr[ae]y/ does not match");
	model_client_destroy(client);
	client =
		opened("version: 1\n"
		       "agents: {a: [{when: {last: one}, say: y}, {when: {last: two}, say: z}]}\n");
	expect_miss(client, "x",
		"2:28: no answer for 'a' to \"x\"; nearest is entry 1: its 'when.last' /one/ does "
		"not match");
	model_client_destroy(client);
	client = opened("version: 1\nagents: {a: [{when: {not: x}, say: y}]}\n");
	expect_miss(client, "x",
		"2:27: no answer for 'a' to \"x\"; nearest is entry 1: its 'when.not' /x/ matches");
	model_client_destroy(client);
	client = opened("version: 1\nagents: {a: [{when: {turn: 3}, say: y}]}\n");
	expect_miss(client, "x",
		"2:28: no answer for 'a' to \"x\"; nearest is entry 1: its 'when.turn' does not "
		"hold: it is 1 here");
	model_client_destroy(client);
}

static void a_miss_shows_hostile_text_cut_and_escaped(void **state)
{
	(void)state;
	struct model_client *client =
		opened("version: 1\nagents: {a: [{when: {last: x}, say: y}]}\n");
	char long_text[401];
	memset(long_text, 'b', 400);
	memcpy(long_text, "\\u001b[2J", 9);
	long_text[400] = '\0';
	struct reply reply = ask(client, "a", long_text);
	assert_null(reply.answer);
	assert_non_null(strstr(reply.error.message, "\\x1b[2Jbbb"));
	assert_non_null(strstr(reply.error.message, "bbb...\"; nearest"));
	assert_null(strchr(reply.error.message, '\x1b'));
	model_client_destroy(client);
}

static void a_pattern_that_explodes_is_a_miss(void **state)
{
	(void)state;
	struct model_client *client =
		opened("version: 1\nagents: {a: [{when: {last: '^(a+)+$'}, say: y}, {when: {not: "
		       "'^(a+)+$'}, say: z}]}\n");
	char text[301];
	memset(text, 'a', 300);
	strcpy(text + 299, "b");
	struct reply reply = ask(client, "a", text);
	if (reply.answer) { // PCRE2 may see through it
		assert_text(reply.answer->text, "z");
		model_answer_destroy(reply.answer);
	} else {
		assert_non_null(strstr(reply.error.message, "takes too many steps"));
	}
	model_client_destroy(client);
}

static void malformed_arguments_can_be_rehearsed(void **state)
{
	(void)state;
	struct model_client *client =
		opened("version: 1\n"
		       "agents:\n"
		       "  a:\n"
		       "    - calls: [{tool: write_file, raw_arguments: '{\"path\": '}]\n");
	struct reply reply = ask(client, "a", "x");
	assert_text(reply.answer->calls[0].name, "write_file");
	assert_text(reply.answer->calls[0].arguments, "{\"path\": ");
	struct error error;
	assert_true(json_check(reply.answer->items[0], &error));
	model_answer_destroy(reply.answer);
	model_client_destroy(client);
}

static void faults_can_be_rehearsed(void **state)
{
	(void)state;
	struct model_client *client = opened("version: 1\n"
					     "agents:\n"
					     "  a:\n"
					     "    - {finish: empty}\n"
					     "    - {finish: cut, say: I was about to}\n"
					     "    - {finish: refused, say: I will not}\n"
					     "    - {finish: cut}\n");
	struct reply reply = ask(client, "a", "x");
	assert_int_equal(reply.answer->finish, MODEL_EMPTY);
	assert_int_equal(reply.answer->item_count, 0);
	model_answer_destroy(reply.answer);
	reply = ask(client, "a", "x");
	assert_int_equal(reply.answer->finish, MODEL_CUT);
	assert_text(reply.answer->text, "I was about to");
	model_answer_destroy(reply.answer);
	reply = ask(client, "a", "x");
	assert_int_equal(reply.answer->finish, MODEL_REFUSED);
	assert_text(reply.answer->items[0],
		"{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"refusal\","
		"\"refusal\":\"I will not\"}]}");
	model_answer_destroy(reply.answer);
	reply = ask(client, "a", "x");
	assert_int_equal(reply.answer->finish, MODEL_CUT);
	assert_int_equal(reply.answer->item_count, 0);
	model_answer_destroy(reply.answer);
	model_client_destroy(client);
}

static void entries_used_before_a_resume_stay_used(void **state)
{
	(void)state;
	struct model_client *client =
		opened("version: 1\n"
		       "agents:\n"
		       "  a:\n"
		       "    - say: one\n"
		       "    - say: two\n"
		       "    - {calls: [{check_outputs: {}}], repeat: true}\n");
	rehearsal_mark_used(client, "a", 1);
	rehearsal_mark_used(client, "a", 3);
	rehearsal_mark_used(client, "a", 99);
	rehearsal_mark_used(client, "a", 0);
	rehearsal_mark_used(client, "nobody", 1);
	expect_text(client, "x", "two");
	struct reply reply = ask(client, "a", "x");
	assert_text(reply.answer->calls[0].id, "call_a_3_1-2");
	model_answer_destroy(reply.answer);
	model_client_destroy(client);
}

#define SCRIPT(entry) "version: 1\nagents:\n  a:\n    - " entry "\n"

static void every_mistake_is_found_when_the_script_is_opened(void **state)
{
	(void)state;
	refuses("version: 2\nagents: {}\n", "1:10: 'version' has to be 1");
	refuses("agents: {}\n", "1:1: a rehearsal needs 'version'");
	refuses("version: 1\n", "1:1: a rehearsal needs 'agents'");
	refuses("[]\n", "1:1: a rehearsal has to be a map, not a list");
	refuses("version: 1\nagent: {}\n",
		"2:1: a rehearsal has no key 'agent'; did you mean 'agents'?");
	refuses("version: 1\nagents: {a: {}}\n",
		"2:13: an agent's answers has to be a list, not a map");
	refuses(SCRIPT("sya: x"), "4:7: an answer has no key 'sya'; did you mean 'say'?");
	refuses(SCRIPT("response: x"),
		"4:7: an answer has no key 'response'; possible are when, "
		"say, calls, usage, finish, repeat");
	refuses(SCRIPT("say: 42"), "4:12: 'say' has to be a string, not an integer");
	refuses(SCRIPT("{}"),
		"4:7: an answer needs 'say', 'calls' or 'finish' (finish: empty says "
		"nothing)");
	refuses(SCRIPT("{when: {last: '('}, say: x}"),
		"4:21: 'when.last': the pattern does not compile: missing closing parenthesis (at "
		"offset 1)");
	refuses(SCRIPT("{when: {lats: x}, say: x}"),
		"4:15: 'when' has no key 'lats'; did you mean 'last'?");
	refuses(SCRIPT("{when: {turn: -1}, say: x}"),
		"4:21: 'when.turn' has to be a whole number from 0");
	refuses(SCRIPT("{when: {items: {mix: 1}}, say: x}"),
		"4:23: 'when.items' has no key 'mix'; did you mean 'min'?");
	refuses(SCRIPT("calls: {write_file: {}}"), "4:14: 'calls' has to be a list, not a map");
	refuses(SCRIPT("calls: [{a: {}, b: {}}]"),
		"4:15: a call has one key, the tool's name with its arguments, not 2");
	refuses(SCRIPT("calls: [{a: text}]"),
		"4:19: a call's arguments has to be a map, not a string");
	refuses(SCRIPT("calls: [{raw_arguments: text}]"),
		"4:15: a call with 'raw_arguments' needs 'tool'");
	refuses(SCRIPT("{say: x, usage: {input: -1}}"),
		"4:31: input has to be a whole number from 0");
	refuses(SCRIPT("{say: x, usage: {input: 1, cached: 2}}"),
		"4:23: 'cached' is a part of 'input' and 'reasoning' a part of 'output'; they "
		"cannot be larger");
	refuses(SCRIPT("finish: crash"), "4:15: 'finish' has to be cut, refused or empty");
	refuses(SCRIPT("{finish: cut, calls: [{a: {}}]}"),
		"4:7: an answer with 'finish' has no 'calls'");
	refuses(SCRIPT("{finish: empty, say: x}"),
		"4:7: an answer with 'finish: empty' has no 'say'");
	refuses(SCRIPT("{say: x, repeat: maybe}"),
		"4:24: 'repeat' has to be a boolean, not a string");
}

static void a_missing_script_is_named(void **state)
{
	(void)state;
	struct error error = {0};
	assert_null(rehearsal_open("/nonexistent/rehearsal.yaml", &error));
	assert_non_null(strstr(error.message, "/nonexistent/rehearsal.yaml"));
}

enum { THREADS = 4, ENTRIES = 200 };

struct asker {
	struct model_client *client;
	bool *seen;
	pthread_mutex_t *lock;
};

static void *ask_many(void *data)
{
	struct asker *asker = data;
	for (int i = 0; i < ENTRIES / THREADS; i++) {
		struct reply reply = ask(asker->client, "a", "x");
		pthread_mutex_lock(asker->lock);
		if (reply.answer && !asker->seen[reply.answer->source]) {
			asker->seen[reply.answer->source] = true;
		}
		pthread_mutex_unlock(asker->lock);
		model_answer_destroy(reply.answer);
	}
	return NULL;
}

static void several_threads_never_get_the_same_entry(void **state)
{
	(void)state;
	buffer_cleanup script = {0};
	buffer_add_string(&script, "version: 1\nagents:\n  a:\n");
	for (int i = 0; i < ENTRIES; i++) {
		buffer_printf(&script, "    - say: '%d'\n", i);
	}
	bool seen[ENTRIES + 1] = {false};
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct asker asker = {opened(script.data), seen, &lock};
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, ask_many, &asker), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	for (int i = 1; i <= ENTRIES; i++) {
		assert_true(seen[i]);
	}
	model_client_destroy(asker.client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_come_in_order_each_once),
		cmocka_unit_test(an_answer_becomes_items_of_the_responses_api),
		cmocka_unit_test(usage_is_estimated_from_sizes_when_the_script_is_silent),
		cmocka_unit_test(the_first_entry_whose_conditions_hold_answers),
		cmocka_unit_test(a_repeated_entry_stays_and_its_calls_keep_unique_ids),
		cmocka_unit_test(conditions_read_every_kind_of_item),
		cmocka_unit_test(a_miss_names_the_nearest_entry_and_what_differs),
		cmocka_unit_test(a_miss_shows_hostile_text_cut_and_escaped),
		cmocka_unit_test(a_pattern_that_explodes_is_a_miss),
		cmocka_unit_test(malformed_arguments_can_be_rehearsed),
		cmocka_unit_test(faults_can_be_rehearsed),
		cmocka_unit_test(entries_used_before_a_resume_stay_used),
		cmocka_unit_test(every_mistake_is_found_when_the_script_is_opened),
		cmocka_unit_test(a_missing_script_is_named),
		cmocka_unit_test(several_threads_never_get_the_same_entry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
