#include "model/wire.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

enum { EXPLAIN_LIMIT = 400 /* bytes of a service's own words */ };

const struct wire *const wires[] = {&wire_responses, &wire_chat, NULL};

const struct wire *wire_find(const char *name)
{
	for (size_t i = 0; wires[i]; i++) {
		if (strcmp(wires[i]->name, name) == 0) {
			return wires[i];
		}
	}
	return NULL;
}

bool wire_fail(struct wire_reading *reading, bool again, const char *format, ...)
{
	char message[512];
	va_list values;
	va_start(values, format);
	vsnprintf(message, sizeof(message), format, values);
	va_end(values);
	reading->again = again;
	return error_set(&reading->error, ERROR_UNAVAILABLE, "%s", message);
}

void wire_explain(struct buffer *text, struct text body, char *code, size_t size)
{
	struct error ignored = {0}; // then the body speaks for itself
	json_cleanup *tree = json_parse(body, &ignored);
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(tree, "error");
	error = cJSON_IsObject(error) ? error : tree;
	const char *message = json_string(error, "message", NULL);
	message = message ? message : json_string(tree, "error", NULL);
	message = message ? message : json_string(tree, "detail", NULL);
	const char *name = json_string(error, "code", NULL);
	name = name ? name : json_string(error, "type", "");
	snprintf(code, size, "%s", name);
	buffer_add_line(text, message ? text_of(message) : body, EXPLAIN_LIMIT);
	if (name[0]) {
		buffer_add_string(text, " (");
		buffer_add_line(text, text_of(name), 64);
		buffer_add_char(text, ')');
	}
}
