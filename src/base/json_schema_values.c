/* Keywords about a value by itself, and when two values are equal. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_schema_evaluation.h"

enum { SHOWN = 60 };

static bool same_number(double a, double b)
{
	return a >= b && a <= b;
}

static bool equal_children(struct evaluation *evaluation, const cJSON *a, const cJSON *b)
{
	const cJSON *left = a->child, *right = b->child;
	if (cJSON_GetArraySize(a) != cJSON_GetArraySize(b)) {
		return false;
	}
	for (; left; left = left->next, right = right ? right->next : NULL) {
		const cJSON *other = right;
		if (cJSON_IsObject(a) && (!right || strcmp(left->string, right->string) != 0)) {
			evaluation_step(evaluation, cJSON_GetArraySize(b));
			other = cJSON_GetObjectItemCaseSensitive(b, left->string);
		}
		if (!other || !json_values_equal(evaluation, left, other)) {
			return false;
		}
	}
	return true;
}

bool json_values_equal(struct evaluation *evaluation, const cJSON *a, const cJSON *b)
{
	if (!evaluation_step(evaluation, 1) || (a->type & 0xff) != (b->type & 0xff)) {
		return false;
	}
	if (cJSON_IsNumber(a)) {
		return same_number(a->valuedouble, b->valuedouble);
	}
	if (cJSON_IsString(a)) {
		return strcmp(a->valuestring, b->valuestring) == 0;
	}
	return (!cJSON_IsArray(a) && !cJSON_IsObject(a)) || equal_children(evaluation, a, b);
}

// Equal values have equal hashes, whatever the order of their members.
static uint64_t hash_value(struct evaluation *evaluation, const cJSON *value)
{
	const uint64_t prime = UINT64_C(1099511628211);
	uint64_t hash = UINT64_C(14695981039346656037) + (uint64_t)(value->type & 0xff);
	const cJSON *child;
	evaluation_step(evaluation, 1);
	if (cJSON_IsNumber(value)) {
		double number = same_number(value->valuedouble, 0) ? 0 : value->valuedouble;
		uint64_t bits;
		memcpy(&bits, &number, sizeof(bits));
		return (hash ^ bits) * prime;
	}
	for (const char *byte = cJSON_IsString(value) ? value->valuestring : ""; *byte; byte++) {
		hash = (hash ^ (unsigned char)*byte) * prime;
	}
	cJSON_ArrayForEach(child, value)
	{
		uint64_t inner = hash_value(evaluation, child);
		for (const char *byte = child->string ? child->string : ""; *byte; byte++) {
			inner = (inner ^ (unsigned char)*byte) * prime;
		}
		hash = cJSON_IsObject(value) ? hash + inner * prime : (hash ^ inner) * prime;
	}
	return hash;
}

struct hashed {
	uint64_t hash;
	const cJSON *value;
};

static int by_hash(const void *left, const void *right)
{
	const struct hashed *a = left, *b = right;
	return (a->hash > b->hash) - (a->hash < b->hash);
}

bool json_values_differ(struct evaluation *evaluation, const cJSON *array)
{
	size_t count = (size_t)cJSON_GetArraySize(array), index = 0;
	struct hashed *items = memory_alloc((count + 1) * sizeof(*items));
	const cJSON *item;
	bool differ = true;
	cJSON_ArrayForEach(item, array)
	{
		items[index++] = (struct hashed){hash_value(evaluation, item), item};
	}
	qsort(items, count, sizeof(*items), by_hash);
	for (size_t i = 0; differ && i < count; i++) {
		for (size_t j = i + 1; differ && j < count && items[j].hash == items[i].hash; j++) {
			differ = !json_values_equal(evaluation, items[i].value, items[j].value);
			differ = differ && !evaluation->costly;
		}
	}
	free(items);
	return differ;
}

// --- What a value is, in words ---

static const char *kind_of(const cJSON *value)
{
	return cJSON_IsNull(value)      ? "null"
		: cJSON_IsBool(value)   ? "a boolean"
		: cJSON_IsNumber(value) ? "a number"
		: cJSON_IsString(value) ? "a string"
		: cJSON_IsArray(value)  ? "an array"
					: "an object";
}

static void add_value(struct buffer *text, const cJSON *value)
{
	buffer_cleanup json = {0};
	if (!cJSON_IsArray(value) && !cJSON_IsObject(value)) {
		json_print(&json, value);
		buffer_add_line(text, buffer_text(&json), SHOWN);
	} else if (cJSON_GetArraySize(value) < 8) {
		json_print(&json, value);
		buffer_add_line(text,
			json.length <= SHOWN ? buffer_text(&json) : text_of(kind_of(value)), SHOWN);
	} else {
		buffer_add_string(text, kind_of(value));
	}
}

static bool fails_with_value(
	struct evaluation *evaluation, const cJSON *document, const struct buffer *wanted)
{
	buffer_cleanup found = {0};
	add_value(&found, document);
	return evaluation_fails(evaluation, found.data, "%s", wanted->data);
}

// --- Keywords ---

static bool has_type(const cJSON *document, const char *type)
{
	static const struct {
		const char *name;
		int types;
	} types[] = {{"null", cJSON_NULL}, {"boolean", cJSON_True | cJSON_False},
		{"object", cJSON_Object}, {"array", cJSON_Array}, {"number", cJSON_Number},
		{"string", cJSON_String}};
	if (strcmp(type, "integer") == 0) {
		return cJSON_IsNumber(document) &&
			same_number(document->valuedouble, floor(document->valuedouble));
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].name, type) == 0) {
			return (document->type & types[i].types) != 0;
		}
	}
	return false;
}

bool check_type(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	const cJSON *type = entry->value;
	buffer_cleanup wanted = {0};
	(void)node;
	(void)marks;
	for (type = cJSON_IsArray(type) ? type->child : type; type; type = type->next) {
		const char *name = type->valuestring;
		if (has_type(document, name)) {
			return true;
		}
		bool vowel = strchr("aio", name[0]) != NULL;
		buffer_printf(&wanted, "%s%s%s", wanted.length ? " or " : "",
			strcmp(name, "null") == 0 ? ""
				: vowel           ? "an "
						  : "a ",
			name);
		if (!cJSON_IsArray(entry->value)) {
			break; // what stands behind it are other keywords
		}
	}
	bool fraction = cJSON_IsNumber(document);
	if (fraction) {
		return fails_with_value(evaluation, document, &wanted);
	}
	return evaluation_fails(evaluation, kind_of(document), "%s", wanted.data);
}

bool check_enum(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	enum { LISTED = 10 };
	const cJSON *item;
	buffer_cleanup wanted = {0};
	int count = 0;
	(void)node;
	(void)marks;
	cJSON_ArrayForEach(item, entry->value)
	{
		if (json_values_equal(evaluation, item, document)) {
			return true;
		}
	}
	buffer_add_string(&wanted, "one of ");
	cJSON_ArrayForEach(item, entry->value)
	{
		if (count++ == LISTED) {
			buffer_add_string(&wanted, ", ...");
			break;
		}
		buffer_add_string(&wanted, count > 1 ? ", " : "");
		add_value(&wanted, item);
	}
	return fails_with_value(evaluation, document, &wanted);
}

bool check_const(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	buffer_cleanup wanted = {0};
	(void)node;
	(void)marks;
	if (json_values_equal(evaluation, entry->value, document)) {
		return true;
	}
	add_value(&wanted, entry->value);
	return fails_with_value(evaluation, document, &wanted);
}

static bool is_multiple(double value, double of)
{
	double quotient = value / of;
	if (!isfinite(quotient)) {
		double rest = fmod(value, of);
		return same_number(rest, 0);
	}
	// Decimal fractions have no exact binary form: 0.0075 is 75 times 0.0001.
	return fabs(quotient - nearbyint(quotient)) <= fabs(quotient) * 1e-14;
}

bool check_multiple_of(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	buffer_cleanup wanted = {0};
	(void)node;
	(void)marks;
	if (!cJSON_IsNumber(document) ||
		is_multiple(document->valuedouble, entry->value->valuedouble)) {
		return true;
	}
	buffer_add_string(&wanted, "a multiple of ");
	add_value(&wanted, entry->value);
	return fails_with_value(evaluation, document, &wanted);
}

bool check_range(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	const char *name = entry->keyword->name;
	double value = document->valuedouble, limit = entry->value->valuedouble;
	bool maximum = strstr(name, "aximum") != NULL, exclusive = name[0] == 'e';
	bool fits = !cJSON_IsNumber(document) ||
		(maximum ? (exclusive ? value < limit : value <= limit)
			 : (exclusive ? value > limit : value >= limit));
	buffer_cleanup wanted = {0};
	(void)node;
	(void)marks;
	if (fits) {
		return true;
	}
	buffer_printf(&wanted, "a number %s ",
		maximum ? (exclusive ? "below" : "of at most")
			: (exclusive ? "above" : "of at least"));
	add_value(&wanted, entry->value);
	return fails_with_value(evaluation, document, &wanted);
}

// "at least 3 characters", for what has `count` of them.
static bool check_count(struct evaluation *evaluation, const struct schema_entry *entry,
	size_t count, const char *thing)
{
	bool most = strncmp(entry->keyword->name, "max", 3) == 0;
	double limit = entry->value->valuedouble;
	if (most ? (double)count <= limit : (double)count >= limit) {
		return true;
	}
	char found[64];
	snprintf(found, sizeof(found), "%zu %s%s", count, thing, count == 1 ? "" : "s");
	return evaluation_fails(evaluation, found, "at %s %.0f %s%s", most ? "most" : "least",
		limit, thing, same_number(limit, 1) ? "" : "s");
}

bool check_text_length(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	enum { CONTINUES = 0x80, CONTINUES_MASK = 0xc0 };
	size_t count = 0;
	(void)node;
	(void)marks;
	for (const char *byte = cJSON_IsString(document) ? document->valuestring : ""; *byte;
		byte++) {
		count += ((unsigned char)*byte & CONTINUES_MASK) != CONTINUES;
	}
	return !cJSON_IsString(document) || check_count(evaluation, entry, count, "character");
}

bool check_text_pattern(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	buffer_cleanup wanted = {0};
	(void)node;
	(void)marks;
	if (!cJSON_IsString(document) ||
		evaluation_matches(
			evaluation, entry->patterns[0], text_of(document->valuestring))) {
		return true;
	}
	buffer_add_string(&wanted, "a match of ");
	buffer_add_line(&wanted, text_of(entry->value->valuestring), SHOWN);
	return fails_with_value(evaluation, document, &wanted);
}

bool check_array_length(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	(void)node;
	(void)marks;
	return !cJSON_IsArray(document) ||
		check_count(evaluation, entry, (size_t)cJSON_GetArraySize(document), "item");
}

bool check_unique_items(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	(void)node;
	(void)marks;
	return !cJSON_IsArray(document) || !cJSON_IsTrue(entry->value) ||
		json_values_differ(evaluation, document) ||
		evaluation_fails(evaluation, "two equal items", "items that all differ");
}

bool check_object_size(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	(void)node;
	(void)marks;
	return !cJSON_IsObject(document) ||
		check_count(evaluation, entry, (size_t)cJSON_GetArraySize(document), "member");
}

static bool has_members(struct evaluation *evaluation, const cJSON *names, const cJSON *document)
{
	const cJSON *name;
	bool has = true;
	cJSON_ArrayForEach(name, names)
	{
		evaluation_step(evaluation, 1);
		if (!cJSON_GetObjectItemCaseSensitive(document, name->valuestring)) {
			buffer_cleanup shown = {0};
			buffer_add_line(&shown, text_of(name->valuestring), SHOWN);
			has = evaluation_fails(
				evaluation, "none", "a member '%s'", shown.data ? shown.data : "");
		}
	}
	return has;
}

bool check_required(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	(void)node;
	(void)marks;
	return !cJSON_IsObject(document) || has_members(evaluation, entry->value, document);
}

bool check_dependent_required(struct evaluation *evaluation, const struct schema_node *node,
	const struct schema_entry *entry, const cJSON *document, bool *marks)
{
	const cJSON *names;
	bool fits = true;
	(void)node;
	(void)marks;
	cJSON_ArrayForEach(names, entry->value)
	{
		if (cJSON_IsObject(document) &&
			cJSON_GetObjectItemCaseSensitive(document, names->string)) {
			fits = has_members(evaluation, names, document) && fits;
		}
	}
	return fits;
}
