#include "base/json_raw.h"

struct reader {
	const char *at, *end;
};

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static void skip_space(struct reader *reader)
{
	while (reader->at < reader->end && is_space(*reader->at)) {
		reader->at++;
	}
}

static bool skip_string(struct reader *reader)
{
	reader->at++;
	while (reader->at < reader->end && *reader->at != '"') {
		reader->at += *reader->at == '\\' ? 2 : 1;
	}
	if (reader->at >= reader->end) {
		reader->at = reader->end;
		return false;
	}
	reader->at++;
	return true;
}

static bool ends_scalar(char byte)
{
	return byte == ',' || byte == '}' || byte == ']' || byte == ':' || is_space(byte);
}

// The text is known to be valid: brackets and strings are all that has to be told apart.
static struct text take_value(struct reader *reader)
{
	skip_space(reader);
	const char *start = reader->at;
	size_t depth = 0;
	while (reader->at < reader->end) {
		char byte = *reader->at;
		if (byte == '"') {
			skip_string(reader);
		} else if (byte == '{' || byte == '[') {
			depth++;
			reader->at++;
		} else if (depth > 0 && (byte == '}' || byte == ']')) {
			depth--;
			reader->at++;
		} else if (depth == 0 && ends_scalar(byte)) {
			break;
		} else {
			reader->at++;
			continue;
		}
		if (depth == 0) {
			break;
		}
	}
	return (struct text){start, (size_t)(reader->at - start)};
}

static bool accept(struct reader *reader, char byte)
{
	skip_space(reader);
	if (reader->at < reader->end && *reader->at == byte) {
		reader->at++;
		return true;
	}
	return false;
}

bool json_raw_next_member(struct text *rest, struct text *name, struct text *value)
{
	struct reader reader = {rest->data, rest->data + rest->length};
	if (!rest->length || !(accept(&reader, '{') || accept(&reader, ','))) {
		return false;
	}
	*name = take_value(&reader);
	if (name->length < 2 || !accept(&reader, ':')) {
		return false;
	}
	*name = (struct text){name->data + 1, name->length - 2};
	*value = take_value(&reader);
	*rest = (struct text){reader.at, (size_t)(reader.end - reader.at)};
	return value->length > 0;
}

bool json_raw_member(struct text object, const char *name, struct text *value)
{
	struct text found;
	while (json_raw_next_member(&object, &found, value)) {
		if (text_is(found, name)) {
			return true;
		}
	}
	return false;
}

bool json_raw_next(struct text *rest, struct text *element)
{
	struct reader reader = {rest->data, rest->data + rest->length};
	if (!rest->length || !(accept(&reader, '[') || accept(&reader, ','))) {
		return false;
	}
	*element = take_value(&reader);
	*rest = (struct text){reader.at, (size_t)(reader.end - reader.at)};
	return element->length > 0;
}
