#include "base/yaml_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t skip_digits(struct text text, size_t at)
{
	while (at < text.length && text.data[at] >= '0' && text.data[at] <= '9') {
		at++;
	}
	return at;
}

static bool one_of(struct text text, const char *const *words)
{
	for (; *words; words++) {
		if (text_is(text, *words)) {
			return true;
		}
	}
	return false;
}

// Digits of a base behind "0o" or "0x".
static bool is_based(struct text text, char letter, const char *digits)
{
	if (text.length < 3 || text.data[0] != '0' || text.data[1] != letter) {
		return false;
	}
	for (size_t i = 2; i < text.length; i++) {
		if (text.data[i] == '\0' || !strchr(digits, text.data[i])) {
			return false;
		}
	}
	return true;
}

static bool is_integer(struct text text)
{
	size_t start = text.length && (text.data[0] == '-' || text.data[0] == '+');
	return start < text.length && skip_digits(text, start) == text.length;
}

static bool is_float(struct text text)
{
	size_t start = text.length && (text.data[0] == '-' || text.data[0] == '+');
	size_t at = skip_digits(text, start), digits = at - start;
	if (at < text.length && text.data[at] == '.') {
		size_t behind = skip_digits(text, at + 1);
		digits += behind - at - 1;
		at = behind;
	}
	if (digits == 0) {
		return false;
	}
	if (at < text.length && (text.data[at] == 'e' || text.data[at] == 'E')) {
		at++;
		at += at < text.length && (text.data[at] == '-' || text.data[at] == '+');
		size_t behind = skip_digits(text, at);
		if (behind == at) {
			return false;
		}
		at = behind;
	}
	return at == text.length;
}

static void set_integer(struct yaml_node *node, int base)
{
	const char *digits = node->text.data + (base == 10 ? 0 : 2);
	errno = 0;
	long long value = strtoll(digits, NULL, base);
	if (errno == ERANGE) {
		node->kind = YAML_NUMBER;
		node->number = base == 10 ? strtod(digits, NULL)
			: base == 16      ? strtod(node->text.data, NULL)
					  : HUGE_VAL;
		return;
	}
	node->kind = YAML_INTEGER;
	node->integer = value;
	node->number = (double)value;
}

void yaml_resolve(struct yaml_node *node)
{
	static const char *const nothing[] = {"", "~", "null", "Null", "NULL", NULL};
	static const char *const yes[] = {"true", "True", "TRUE", NULL};
	static const char *const no[] = {"false", "False", "FALSE", NULL};
	static const char *const infinite[] = {
		".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", NULL};
	static const char *const negative[] = {"-.inf", "-.Inf", "-.INF", NULL};
	static const char *const no_number[] = {".nan", ".NaN", ".NAN", NULL};
	struct text text = node->text;
	node->kind = YAML_STRING;
	if (one_of(text, nothing)) {
		node->kind = YAML_NULL;
	} else if (one_of(text, yes) || one_of(text, no)) {
		node->kind = YAML_BOOLEAN;
		node->boolean = one_of(text, yes);
	} else if (is_integer(text)) {
		set_integer(node, 10);
	} else if (is_based(text, 'o', "01234567")) {
		set_integer(node, 8);
	} else if (is_based(text, 'x', "0123456789abcdefABCDEF")) {
		set_integer(node, 16);
	} else if (is_float(text)) {
		node->kind = YAML_NUMBER;
		node->number = strtod(text.data, NULL);
	} else if (one_of(text, infinite) || one_of(text, negative)) {
		node->kind = YAML_NUMBER;
		node->number = one_of(text, infinite) ? HUGE_VAL : -HUGE_VAL;
	} else if (one_of(text, no_number)) {
		node->kind = YAML_NUMBER;
		node->number = NAN;
	}
}
