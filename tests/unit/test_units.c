#include "test.h"

#include <string.h>

#include "base/units.h"

static int64_t duration(const char *text)
{
	int64_t value = -1;
	return units_duration(text_of(text), &value) ? value : -1;
}

static int64_t size(const char *text)
{
	int64_t value = -1;
	return units_size(text_of(text), &value) ? value : -1;
}

static void lengths_of_time_are_read_as_people_write_them(void **state)
{
	(void)state;
	assert_int_equal(duration("90s"), 90000);
	assert_int_equal(duration("60m"), 3600000);
	assert_int_equal(duration("2h"), 7200000);
	assert_int_equal(duration("500ms"), 500);
	assert_int_equal(duration("1h30m5s1ms"), 5405001);
	assert_int_equal(duration("45"), 45000);
	assert_int_equal(duration("0"), 0);
}

static void what_is_no_length_of_time_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "s", "1.5h", "-1s", "30m1h", "1h1h", "1m30", "5 s",
		"1d", "99999999999999999999", "9999999999999999h", "1s "};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(duration(bad[i]), -1);
	}
}

static void sizes_count_by_1000_or_1024_as_their_unit_says(void **state)
{
	(void)state;
	assert_int_equal(size("64KB"), 64000);
	assert_int_equal(size("64kB"), 64000);
	assert_int_equal(size("10 MiB"), 10 * 1024 * 1024);
	assert_int_equal(size("2GiB"), INT64_C(2) << 30);
	assert_int_equal(size("1TB"), INT64_C(1000000000000));
	assert_int_equal(size("12"), 12);
	assert_int_equal(size("12B"), 12);
	static const char *const bad[] = {
		"", "KB", "1.5MB", "-1", "10 potatoes", "2G", "1 Mi B", "99999999999TiB"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(size(bad[i]), -1);
	}
}

static void both_are_shown_in_their_largest_exact_unit(void **state)
{
	(void)state;
	buffer_cleanup text = {0};
	buffer_add_duration(&text, 5405001);
	buffer_add_char(&text, ' ');
	buffer_add_duration(&text, 0);
	buffer_add_char(&text, ' ');
	buffer_add_size(&text, INT64_C(3) << 30);
	buffer_add_char(&text, ' ');
	buffer_add_size(&text, 64000);
	buffer_add_char(&text, ' ');
	buffer_add_size(&text, 401);
	assert_string_equal(text.data, "1h30m5s1ms 0s 3 GiB 64 KB 401 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_of_time_are_read_as_people_write_them),
		cmocka_unit_test(what_is_no_length_of_time_is_refused),
		cmocka_unit_test(sizes_count_by_1000_or_1024_as_their_unit_says),
		cmocka_unit_test(both_are_shown_in_their_largest_exact_unit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
