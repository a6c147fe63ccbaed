#include "base/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void buffer_add_base64(struct buffer *buffer, struct text bytes)
{
	for (size_t i = 0; i < bytes.length; i += 3) {
		size_t count = bytes.length - i < 3 ? bytes.length - i : 3;
		uint32_t group = 0;
		char digits[4] = {'=', '=', '=', '='};
		for (size_t k = 0; k < 3; k++) {
			group = group << 8 | (k < count ? (unsigned char)bytes.data[i + k] : 0);
		}
		for (size_t k = 0; k <= count; k++) {
			digits[k] = alphabet[group >> (18 - 6 * k) & 63];
		}
		buffer_add(buffer, digits, 4);
	}
}

bool base64_decode(struct arena *arena, struct text digits, struct text *bytes)
{
	char *result = arena_alloc(arena, digits.length / 4 * 3 + 4);
	size_t length = 0, count = 0, padding = 0;
	uint32_t group = 0;
	for (size_t i = 0; i < digits.length; i++) {
		char byte = digits.data[i];
		const char *digit = byte ? strchr(alphabet, byte) : NULL;
		if (byte && strchr(" \t\r\n", byte)) {
			continue;
		}
		padding += byte == '=';
		if ((!digit && byte != '=') || (digit && padding)) {
			return false;
		}
		group = group << 6 | (digit ? (uint32_t)(digit - alphabet) : 0);
		if (++count % 4 == 0) {
			for (size_t k = 0; k < 3; k++) {
				result[length++] = (char)(group >> (16 - 8 * k) & 255);
			}
			group = 0;
		}
	}
	if (count % 4 || padding > 2 || padding > length) {
		return false;
	}
	// Bits behind the last byte would make two spellings of the same bytes.
	for (size_t i = length - padding; i < length; i++) {
		if (result[i]) {
			return false;
		}
	}
	*bytes = (struct text){result, length - padding};
	return true;
}
