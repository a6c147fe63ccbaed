#include "base/units.h"

#include <inttypes.h>

struct unit {
	const char *name;
	int64_t factor;
};

// Longer names first where one starts like another; larger ones first for printing.
static const struct unit times[] = {{"h", 3600000}, {"ms", 1}, {"m", 60000}, {"s", 1000}};
static const struct unit sizes[] = {{"TiB", INT64_C(1) << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20},
	{"KiB", 1 << 10}, {"TB", INT64_C(1000000000000)}, {"GB", 1000000000}, {"MB", 1000000},
	{"KB", 1000}, {"kB", 1000}, {"B", 1}};

static bool take_number(struct text *text, int64_t *number)
{
	size_t digits = 0;
	*number = 0;
	while (text->length && *text->data >= '0' && *text->data <= '9') {
		if (__builtin_mul_overflow(*number, 10, number) ||
			__builtin_add_overflow(*number, *text->data - '0', number)) {
			return false;
		}
		text->data++;
		text->length--;
		digits++;
	}
	return digits > 0;
}

static const struct unit *take_unit(struct text *text, const struct unit *units, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (text_starts(*text, units[i].name)) {
			size_t length = text_of(units[i].name).length;
			text->data += length;
			text->length -= length;
			return &units[i];
		}
	}
	return NULL;
}

bool units_duration(struct text text, int64_t *milliseconds)
{
	int64_t total = 0, number, part, last = INT64_MAX;
	if (!take_number(&text, &number)) {
		return false;
	}
	if (text.length == 0) {
		return !__builtin_mul_overflow(number, 1000, milliseconds);
	}
	while (true) {
		const struct unit *unit = take_unit(&text, times, sizeof(times) / sizeof(times[0]));
		// "1h30m" but not "30m1h".
		if (!unit || unit->factor >= last ||
			__builtin_mul_overflow(number, unit->factor, &part) ||
			__builtin_add_overflow(total, part, &total)) {
			return false;
		}
		last = unit->factor;
		if (text.length == 0) {
			*milliseconds = total;
			return true;
		}
		if (!take_number(&text, &number)) {
			return false;
		}
	}
}

bool units_size(struct text text, int64_t *bytes)
{
	int64_t number;
	if (!take_number(&text, &number)) {
		return false;
	}
	if (text.length == 0) {
		*bytes = number;
		return true;
	}
	text = text_trim(text);
	const struct unit *unit = take_unit(&text, sizes, sizeof(sizes) / sizeof(sizes[0]));
	return unit && text.length == 0 && !__builtin_mul_overflow(number, unit->factor, bytes);
}

void buffer_add_duration(struct buffer *buffer, int64_t milliseconds)
{
	int64_t rest = milliseconds;
	static const struct unit units[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (rest >= units[i].factor) {
			buffer_printf(
				buffer, "%" PRId64 "%s", rest / units[i].factor, units[i].name);
			rest %= units[i].factor;
		}
	}
	if (milliseconds <= 0) {
		buffer_add_string(buffer, "0s");
	}
}

void buffer_add_size(struct buffer *buffer, int64_t bytes)
{
	for (size_t i = 0; i < 8 && bytes > 0; i++) {
		if (bytes % sizes[i].factor == 0) {
			buffer_printf(
				buffer, "%" PRId64 " %s", bytes / sizes[i].factor, sizes[i].name);
			return;
		}
	}
	buffer_printf(buffer, "%" PRId64 " bytes", bytes);
}
