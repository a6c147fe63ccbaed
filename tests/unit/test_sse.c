#include "test.h"

#include <string.h>

#include "net/sse.h"

// What came out: "TYPE|DATA;" for each event.
static bool note(void *data, const struct sse_event *event)
{
	struct buffer *out = data;
	buffer_add_text(out, event->type);
	buffer_add_char(out, '|');
	buffer_add_text(out, event->data);
	buffer_add_char(out, ';');
	return true;
}

static void feed(struct buffer *out, struct text stream, size_t first, size_t then)
{
	struct sse sse = {.event = note, .data = out};
	size_t at = 0, size = first;
	buffer_clear(out);
	while (at < stream.length) {
		size_t length = stream.length - at < size ? stream.length - at : size;
		struct text piece = {stream.data + at, length};
		assert_int_equal(sse_feed(&sse, piece), SSE_MORE);
		at += length;
		size = then;
	}
	sse_finish(&sse);
}

// However a stream is cut into pieces, the same comes out.
static void expect(struct text stream, const char *expected)
{
	buffer_cleanup out = {0};
	for (size_t cut = 1; cut <= stream.length; cut++) {
		feed(&out, stream, cut, stream.length);
		assert_string_equal(out.length ? out.data : "", expected);
	}
	for (size_t size = 1; size <= 7; size++) {
		feed(&out, stream, size, size);
		assert_string_equal(out.length ? out.data : "", expected);
	}
}

static void lines_may_end_in_three_ways(void **state)
{
	(void)state;
	expect(TEXT("data: a\n\ndata: b\n\n"), "|a;|b;");
	expect(TEXT("data: a\r\n\r\ndata: b\r\n\r\n"), "|a;|b;");
	expect(TEXT("data: a\r\rdata: b\r\r"), "|a;|b;");
	expect(TEXT("data: a\r\n\rdata: b\n\r\n"), "|a;|b;");
}

static void fields_are_read_as_the_standard_says(void **state)
{
	(void)state;
	expect(TEXT("\xef\xbb\xbf"
		    "data: a\n\n"),
		"|a;");
	expect(TEXT("data:a\n\ndata:  b\n\ndata\n\n"), "|a;| b;|;");
	expect(TEXT(": comment\n:\nevent: ping\ndata: 1\ndata: 2\nid: 7\nretry: 10\nother: x\n\n"),
		"ping|1\n2;");
	expect(TEXT("event: lost\n\ndata: a\n\n"), "|a;"); // without data nothing is dispatched
	expect(TEXT("event: e\ndata: a\n\ndata: b\n\n"), "e|a;|b;"); // names hold for one event
	expect(TEXT("datax: a\ndat: b\ndata : c\n\n"), "");
	expect(TEXT("data: a: b: c\n\n"), "|a: b: c;");
	expect(TEXT("data: \xc3\xa4\xe2\x82\xac\n\n"), "|\xc3\xa4\xe2\x82\xac;");
}

static void an_event_without_its_end_is_dropped(void **state)
{
	(void)state;
	expect(TEXT("data: a\n\ndata: b\n"), "|a;");
	expect(TEXT("data: a\n\ndata: b"), "|a;");
	expect(TEXT("\xef\xbb"), "");
}

static bool stop(void *data, const struct sse_event *event)
{
	(void)event;
	return ++*(int *)data < 2;
}

static void the_receiver_can_end_it(void **state)
{
	(void)state;
	int events = 0;
	struct sse sse = {.event = stop, .data = &events};
	assert_int_equal(sse_feed(&sse, TEXT("data: 1\n\ndata: 2\n\ndata: 3\n\n")), SSE_ENDED);
	assert_int_equal(events, 2);
	sse_finish(&sse);
}

static void what_is_too_big_is_refused(void **state)
{
	(void)state;
	buffer_cleanup out = {0}, line = {0};
	struct sse sse = {.event = note, .data = &out};
	buffer_add_string(&line, "data: ");
	memset(buffer_reserve(&line, 1 << 20), 'x', 1 << 20);
	line.length += 1 << 20;
	enum sse_result result = SSE_MORE;
	for (size_t i = 0; i < 65 && result == SSE_MORE; i++) {
		result = sse_feed(&sse, buffer_text(&line)); // one line that never ends
	}
	assert_int_equal(result, SSE_TOO_BIG);
	sse_finish(&sse);
	sse = (struct sse){.event = note, .data = &out};
	buffer_add_char(&line, '\n');
	result = SSE_MORE;
	for (size_t i = 0; i < 65 && result == SSE_MORE; i++) {
		result = sse_feed(&sse, buffer_text(&line)); // an event of lines that never ends
	}
	assert_int_equal(result, SSE_TOO_BIG);
	sse_finish(&sse);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_may_end_in_three_ways),
		cmocka_unit_test(fields_are_read_as_the_standard_says),
		cmocka_unit_test(an_event_without_its_end_is_dropped),
		cmocka_unit_test(the_receiver_can_end_it),
		cmocka_unit_test(what_is_too_big_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
