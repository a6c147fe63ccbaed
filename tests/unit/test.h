/* What every unit test needs: cmocka with its prelude, and a few shorthands. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"

#define assert_text(text_value, string)                                                            \
	do {                                                                                       \
		struct text assert_text_value = (text_value);                                      \
		assert_int_equal(assert_text_value.length, strlen(string));                        \
		assert_memory_equal(assert_text_value.data ? assert_text_value.data : "", string,  \
			assert_text_value.length);                                                 \
	} while (0)
