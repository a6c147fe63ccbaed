#include "base/base64.h"

#include <string.h>

#include "test.h"

// RFC 4648, section 10.
static const char *const known[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
	{"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xff\xfb", "//s="}};

static void bytes_and_digits_stand_for_each_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		arena_cleanup arena = {0};
		buffer_cleanup digits = {0};
		struct text bytes;
		buffer_add_base64(&digits, text_of(known[i][0]));
		assert_string_equal(digits.data ? digits.data : "", known[i][1]);
		assert_true(base64_decode(&arena, text_of(known[i][1]), &bytes));
		assert_text(bytes, known[i][0]);
	}
}

static void lines_may_be_broken(void **state)
{
	(void)state;
	arena_cleanup arena = {0};
	struct text bytes;
	assert_true(base64_decode(&arena, TEXT(" Zm9v\r\n\tYmFy\n"), &bytes));
	assert_text(bytes, "foobar");
}

static void what_is_no_base64_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"Z", "Zg", "Zg=", "Zg===", "====", "=g==", "Zg=x", "Zh==", "Zm9=", "Zm9v!", "Z-_v"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		arena_cleanup arena = {0};
		struct text bytes;
		if (base64_decode(&arena, text_of(wrong[i]), &bytes)) {
			fail_msg("'%s' is taken", wrong[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_and_digits_stand_for_each_other),
		cmocka_unit_test(lines_may_be_broken),
		cmocka_unit_test(what_is_no_base64_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
