#include "base/json.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEW_NAMES = 24 };

// A member name of an object that is still open.
struct name {
	struct text text; // with its escapes taken out
	size_t offset;    // of its opening quote
};

struct scanner {
	struct text text;
	size_t at;
	struct error *error;
	bool duplicates;    // refuse duplicate member names
	bool zero;          // a string with U+0000 was seen,
	size_t zero_at;     // first at this offset
	struct name *names; // of all open objects, the innermost's last
	size_t name_count, name_room;
	struct name first_names[FEW_NAMES]; // `names`, as long as they are few
	struct arena arena;                 // names that had escapes
};

static bool scan_value(struct scanner *scanner, unsigned depth);

static bool fail_at(struct scanner *scanner, size_t offset, const char *what)
{
	unsigned line = 1, column = 1;
	for (size_t i = 0; i < offset; i++) {
		if (scanner->text.data[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)scanner->text.data[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	return error_set(scanner->error, ERROR_FAILED, "%u:%u: %s", line, column, what);
}

static bool fail(struct scanner *scanner, const char *what)
{
	return fail_at(scanner, scanner->at,
		scanner->at < scanner->text.length ? what : "the JSON text ends too early");
}

// The byte at the position, or -1 at the end.
static int peek(const struct scanner *scanner)
{
	return scanner->at < scanner->text.length ? (unsigned char)scanner->text.data[scanner->at]
						  : -1;
}

static bool accept(struct scanner *scanner, char byte)
{
	if (peek(scanner) != byte) {
		return false;
	}
	scanner->at++;
	return true;
}

static void skip_space(struct scanner *scanner)
{
	int byte = peek(scanner);
	while (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r') {
		scanner->at++;
		byte = peek(scanner);
	}
}

static bool skip_digits(struct scanner *scanner)
{
	size_t start = scanner->at;
	while (peek(scanner) >= '0' && peek(scanner) <= '9') {
		scanner->at++;
	}
	return scanner->at > start;
}

static bool scan_number(struct scanner *scanner)
{
	size_t start = scanner->at;
	accept(scanner, '-');
	if (accept(scanner, '0')) {
		if (skip_digits(scanner)) {
			return fail_at(scanner, start, "a number must not start with 0");
		}
	} else if (!skip_digits(scanner)) {
		return fail(scanner, "a digit is missing here");
	}
	if (accept(scanner, '.') && !skip_digits(scanner)) {
		return fail(scanner, "a digit is missing here");
	}
	if (accept(scanner, 'e') || accept(scanner, 'E')) {
		if (!accept(scanner, '+')) {
			accept(scanner, '-');
		}
		if (!skip_digits(scanner)) {
			return fail(scanner, "a digit is missing here");
		}
	}
	return true;
}

// Four hexadecimal digits, or -1.
static int32_t read_hex(const struct scanner *scanner, size_t at)
{
	if (scanner->text.length - at < 4) {
		return -1;
	}
	int32_t value = 0;
	for (size_t i = at; i < at + 4; i++) {
		char byte = scanner->text.data[i];
		int digit = byte >= '0' && byte <= '9' ? byte - '0'
			: byte >= 'a' && byte <= 'f'   ? byte - 'a' + 10
			: byte >= 'A' && byte <= 'F'   ? byte - 'A' + 10
						       : -1;
		if (digit < 0) {
			return -1;
		}
		value = value << 4 | digit;
	}
	return value;
}

// Behind the "\u"; leaves the position behind the escape, both halves of a surrogate pair.
static bool scan_unicode_escape(struct scanner *scanner)
{
	size_t start = scanner->at - 2;
	int32_t unit = read_hex(scanner, scanner->at);
	if (unit < 0) {
		return fail_at(scanner, start, "\\u needs four hexadecimal digits");
	}
	scanner->at += 4;
	if (unit == 0 && !scanner->zero) {
		scanner->zero = true;
		scanner->zero_at = start;
	}
	if (unit < 0xd800 || unit > 0xdfff) {
		return true;
	}
	if (unit < 0xdc00 && accept(scanner, '\\') && accept(scanner, 'u')) {
		int32_t low = read_hex(scanner, scanner->at);
		if (low >= 0xdc00 && low <= 0xdfff) {
			scanner->at += 4;
			return true;
		}
	}
	return fail_at(scanner, start, "half a surrogate pair is no character");
}

static bool scan_string(struct scanner *scanner, bool *escaped)
{
	size_t start = scanner->at;
	*escaped = false;
	if (!accept(scanner, '"')) {
		return fail(scanner, "a string in double quotes is missing here");
	}
	for (;;) {
		scanner->at += text_plain_length((struct text){
			scanner->text.data + scanner->at, scanner->text.length - scanner->at});
		if (accept(scanner, '"')) {
			return true;
		}
		int byte = peek(scanner);
		if (byte < 0) {
			return fail_at(scanner, start, "the string has no closing quote");
		}
		if (byte < 0x20) {
			return fail(scanner, "a control character in a string must be escaped");
		}
		scanner->at++;
		if (byte != '\\') {
			continue;
		}
		*escaped = true;
		int letter = peek(scanner);
		if (letter < 1 || !strchr("\"\\/bfnrtu", letter)) {
			scanner->at--;
			return fail(scanner, "unknown escape in a string");
		}
		scanner->at++;
		if (letter == 'u' && !scan_unicode_escape(scanner)) {
			return false;
		}
	}
}

static void add_point(struct buffer *buffer, uint32_t point)
{
	if (point < 0x80) {
		buffer_add_char(buffer, (char)point);
	} else if (point < 0x800) {
		buffer_add_char(buffer, (char)(0xc0 | point >> 6));
		buffer_add_char(buffer, (char)(0x80 | (point & 0x3f)));
	} else if (point < 0x10000) {
		buffer_add_char(buffer, (char)(0xe0 | point >> 12));
		buffer_add_char(buffer, (char)(0x80 | (point >> 6 & 0x3f)));
		buffer_add_char(buffer, (char)(0x80 | (point & 0x3f)));
	} else {
		buffer_add_char(buffer, (char)(0xf0 | point >> 18));
		buffer_add_char(buffer, (char)(0x80 | (point >> 12 & 0x3f)));
		buffer_add_char(buffer, (char)(0x80 | (point >> 6 & 0x3f)));
		buffer_add_char(buffer, (char)(0x80 | (point & 0x3f)));
	}
}

// The characters of a string that was scanned: from behind its opening quote to the closing one.
static struct text unescape(struct scanner *scanner, size_t start, size_t end)
{
	static const char plain[256] = {['"'] = '"',
		['\\'] = '\\',
		['/'] = '/',
		['b'] = '\b',
		['f'] = '\f',
		['n'] = '\n',
		['r'] = '\r',
		['t'] = '\t'};
	buffer_cleanup buffer = {0};
	for (size_t i = start; i < end; i++) {
		unsigned char byte = (unsigned char)scanner->text.data[i];
		if (byte != '\\') {
			buffer_add_char(&buffer, (char)byte);
			continue;
		}
		byte = (unsigned char)scanner->text.data[++i];
		if (byte != 'u') {
			buffer_add_char(&buffer, plain[byte]);
			continue;
		}
		uint32_t point = (uint32_t)read_hex(scanner, i + 1);
		i += 4;
		if (point >= 0xd800 && point <= 0xdfff) {
			uint32_t low = (uint32_t)read_hex(scanner, i + 3);
			point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
			i += 6;
		}
		add_point(&buffer, point);
	}
	return text_copy(&scanner->arena, buffer_text(&buffer));
}

static void more_names(struct scanner *scanner)
{
	bool few = scanner->names == scanner->first_names;
	struct name *names = few ? NULL : scanner->names;
	scanner->name_room *= 2;
	names = memory_resize(names, scanner->name_room * sizeof(*names));
	if (few) {
		memcpy(names, scanner->first_names, sizeof(scanner->first_names));
	}
	scanner->names = names;
}

static bool scan_name(struct scanner *scanner)
{
	size_t start = scanner->at;
	bool escaped;
	if (!scan_string(scanner, &escaped)) {
		return false;
	}
	if (!scanner->duplicates) {
		return true;
	}
	if (scanner->name_count == scanner->name_room) {
		more_names(scanner);
	}
	size_t end = scanner->at - 1;
	struct text text = escaped ? unescape(scanner, start + 1, end)
				   : (struct text){scanner->text.data + start + 1, end - start - 1};
	scanner->names[scanner->name_count++] = (struct name){text, start};
	return true;
}

static int compare_names(const void *left, const void *right)
{
	const struct name *a = left, *b = right;
	if (a->text.length != b->text.length) {
		return a->text.length < b->text.length ? -1 : 1;
	}
	int order = memcmp(a->text.data, b->text.data, a->text.length);
	return order ? order : (a->offset > b->offset) - (a->offset < b->offset);
}

static bool are_few_and_differ(const struct name *names, size_t count)
{
	if (count > FEW_NAMES) {
		return false;
	}
	for (size_t i = 1; i < count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (names[i].text.length == names[j].text.length &&
				text_equal(names[i].text, names[j].text)) {
				return false;
			}
		}
	}
	return true;
}

// Looks at the names of the object that ends and forgets them. Sorted, so that an object with
// very many members costs n log n.
static bool check_names(struct scanner *scanner, size_t first)
{
	struct name *names = scanner->names + first;
	size_t count = scanner->name_count - first, offset = SIZE_MAX;
	scanner->name_count = first;
	if (are_few_and_differ(names, count)) {
		return true;
	}
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 1; i < count; i++) {
		if (text_equal(names[i - 1].text, names[i].text) && names[i].offset < offset) {
			offset = names[i].offset;
		}
	}
	return offset == SIZE_MAX ||
		fail_at(scanner, offset, "the object has two members of this name");
}

static bool scan_object(struct scanner *scanner, unsigned depth)
{
	size_t first = scanner->name_count;
	skip_space(scanner);
	if (accept(scanner, '}')) {
		return true;
	}
	do {
		skip_space(scanner);
		if (!scan_name(scanner)) {
			return false;
		}
		skip_space(scanner);
		if (!accept(scanner, ':')) {
			return fail(scanner, "a ':' is missing here");
		}
		if (!scan_value(scanner, depth)) {
			return false;
		}
	} while (accept(scanner, ','));
	if (!accept(scanner, '}')) {
		return fail(scanner, "a ',' or '}' is missing here");
	}
	return check_names(scanner, first);
}

static bool scan_array(struct scanner *scanner, unsigned depth)
{
	skip_space(scanner);
	if (accept(scanner, ']')) {
		return true;
	}
	do {
		if (!scan_value(scanner, depth)) {
			return false;
		}
	} while (accept(scanner, ','));
	return accept(scanner, ']') || fail(scanner, "a ',' or ']' is missing here");
}

static bool scan_word(struct scanner *scanner)
{
	static const char *const words[] = {"true", "false", "null"};
	struct text rest = {scanner->text.data + scanner->at, scanner->text.length - scanner->at};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (text_starts(rest, words[i])) {
			scanner->at += strlen(words[i]);
			return true;
		}
	}
	return fail(scanner, "a JSON value is missing here");
}

// With the white space around it. Recursion ends at JSON_DEPTH.
static bool scan_value(struct scanner *scanner, unsigned depth)
{
	skip_space(scanner);
	int byte = peek(scanner);
	bool container = byte == '{' || byte == '[', escaped, good;
	if (container && depth == JSON_DEPTH) {
		return fail(scanner, "the JSON text is nested too deeply");
	}
	if (container) {
		scanner->at++;
		good = byte == '{' ? scan_object(scanner, depth + 1)
				   : scan_array(scanner, depth + 1);
	} else if (byte == '"') {
		good = scan_string(scanner, &escaped);
	} else if (byte == '-' || (byte >= '0' && byte <= '9')) {
		good = scan_number(scanner);
	} else {
		good = scan_word(scanner);
	}
	if (good) {
		skip_space(scanner);
	}
	return good;
}

static bool scan_text(struct scanner *scanner)
{
	size_t valid = text_utf8_length(scanner->text);
	if (valid < scanner->text.length) {
		return fail_at(scanner, valid, "this byte is not valid UTF-8");
	}
	if (text_starts(scanner->text, "\xef\xbb\xbf")) {
		return fail_at(scanner, 0, "a byte order mark is no JSON");
	}
	if (!scan_value(scanner, 0)) {
		return false;
	}
	return scanner->at == scanner->text.length ||
		fail(scanner, "nothing may follow the JSON value");
}

static bool scan(struct scanner *scanner)
{
	scanner->names = scanner->first_names;
	scanner->name_room = FEW_NAMES;
	bool good = scan_text(scanner);
	if (scanner->names != scanner->first_names) {
		free(scanner->names);
	}
	arena_finish(&scanner->arena);
	return good;
}

bool json_check(struct text text, struct error *error)
{
	struct scanner scanner = {.text = text, .error = error, .duplicates = true};
	return scan(&scanner);
}

bool json_check_grammar(struct text text, struct error *error)
{
	struct scanner scanner = {.text = text, .error = error};
	return scan(&scanner);
}

static void *take_memory(size_t size)
{
	return memory_resize(NULL, size);
}

// Else a tree that memory did not suffice for would look like a text that is wrong.
static void set_memory(void)
{
	cJSON_InitHooks(&(struct cJSON_Hooks){.malloc_fn = take_memory, .free_fn = free});
}

cJSON *json_parse(struct text text, struct error *error)
{
	struct scanner scanner = {.text = text, .error = error, .duplicates = true};
	if (!scan(&scanner)) {
		return NULL;
	}
	if (scanner.zero) {
		// A tree's strings end at their first zero byte, so the rest would be lost.
		fail_at(&scanner, scanner.zero_at, "the character \\u0000 is not supported");
		return NULL;
	}
	static pthread_once_t memory_set = PTHREAD_ONCE_INIT;
	pthread_once(&memory_set, set_memory);
	cJSON *tree = cJSON_ParseWithLength(text.data, text.length);
	if (!tree) {
		error_set(error, ERROR_FAILED, "1:1: the JSON text could not be read");
	}
	return tree;
}

void json_cleanup_tree(cJSON **tree)
{
	cJSON_Delete(*tree);
}

bool json_pointer_check(struct text pointer, struct error *error)
{
	if (pointer.length && pointer.data[0] != '/') {
		error_set(error, ERROR_USAGE, "a JSON pointer is empty or starts with '/'");
		return error_hint(error, "write '/name' for the member 'name'");
	}
	for (size_t i = 0; i < pointer.length; i++) {
		char next = i + 1 < pointer.length ? pointer.data[i + 1] : '\0';
		if (pointer.data[i] == '~' && next != '0' && next != '1') {
			error_set(error, ERROR_USAGE, "'~' alone has no meaning in a JSON pointer");
			return error_hint(error, "write '~0' for '~' and '~1' for '/'");
		}
	}
	return true;
}

// Does the pointer's token, with its escapes, name this member?
static bool token_is(struct text token, const char *name)
{
	for (size_t i = 0; i < token.length; i++, name++) {
		char byte = token.data[i];
		if (byte == '~' && i + 1 < token.length) {
			byte = token.data[++i] == '1' ? '/' : '~';
		}
		if (byte != *name || byte == '\0') {
			return false;
		}
	}
	return *name == '\0';
}

static const cJSON *array_item(const cJSON *array, struct text token)
{
	int index = 0;
	if (token.length == 0 || token.length > 9 || (token.length > 1 && token.data[0] == '0')) {
		return NULL;
	}
	for (size_t i = 0; i < token.length; i++) {
		if (token.data[i] < '0' || token.data[i] > '9') {
			return NULL;
		}
		index = index * 10 + (token.data[i] - '0');
	}
	return cJSON_GetArrayItem(array, index);
}

static const cJSON *object_member(const cJSON *object, struct text token)
{
	const cJSON *member;
	cJSON_ArrayForEach(member, object)
	{
		if (member->string && token_is(token, member->string)) {
			return member;
		}
	}
	return NULL;
}

const cJSON *json_at(const cJSON *tree, struct text pointer)
{
	struct error error;
	if (!json_pointer_check(pointer, &error)) {
		return NULL;
	}
	while (tree && pointer.length) {
		struct text rest = {pointer.data + 1, pointer.length - 1};
		const char *slash = rest.length ? memchr(rest.data, '/', rest.length) : NULL;
		size_t length = slash ? (size_t)(slash - rest.data) : rest.length;
		struct text token = {rest.data, length};
		pointer = (struct text){rest.data + length, rest.length - length};
		tree = cJSON_IsArray(tree)     ? array_item(tree, token)
			: cJSON_IsObject(tree) ? object_member(tree, token)
					       : NULL;
	}
	return tree;
}

const char *json_string(const cJSON *object, const char *name, const char *otherwise)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
	return cJSON_IsString(member) ? member->valuestring : otherwise;
}

double json_number(const cJSON *object, const char *name, double otherwise)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
	return cJSON_IsNumber(member) ? member->valuedouble : otherwise;
}

bool json_boolean(const cJSON *object, const char *name, bool otherwise)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
	return cJSON_IsBool(member) ? cJSON_IsTrue(member) : otherwise;
}

void buffer_add_json_number(struct buffer *buffer, double number)
{
	if (!isfinite(number)) {
		buffer_add_string(buffer, "null");
		return;
	}
	if (number == floor(number) && fabs(number) < 9007199254740992.0) {
		buffer_printf(buffer, "%.0f", number);
		return;
	}
	char digits[32];
	for (int precision = 15; precision <= 17; precision++) {
		snprintf(digits, sizeof(digits), "%.*g", precision, number);
		if (strtod(digits, NULL) == number) {
			break;
		}
	}
	buffer_add_string(buffer, digits);
}

static void print_children(struct buffer *buffer, const cJSON *tree)
{
	const cJSON *child;
	bool object = cJSON_IsObject(tree), first = true;
	buffer_add_char(buffer, object ? '{' : '[');
	cJSON_ArrayForEach(child, tree)
	{
		if (!first) {
			buffer_add_char(buffer, ',');
		}
		first = false;
		if (object) {
			buffer_add_json(buffer, text_of(child->string));
			buffer_add_char(buffer, ':');
		}
		json_print(buffer, child);
	}
	buffer_add_char(buffer, object ? '}' : ']');
}

void json_print(struct buffer *buffer, const cJSON *tree)
{
	if (cJSON_IsObject(tree) || cJSON_IsArray(tree)) {
		print_children(buffer, tree);
	} else if (cJSON_IsString(tree)) {
		buffer_add_json(buffer, text_of(tree->valuestring));
	} else if (cJSON_IsNumber(tree)) {
		buffer_add_json_number(buffer, tree->valuedouble);
	} else if (cJSON_IsRaw(tree)) {
		buffer_add_string(buffer, tree->valuestring);
	} else {
		buffer_add_string(buffer,
			cJSON_IsTrue(tree)            ? "true"
				: cJSON_IsFalse(tree) ? "false"
						      : "null");
	}
}
