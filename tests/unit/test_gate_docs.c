#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "gate/gate.h"

static void add_kind(struct buffer *text, const struct key_owner *owner)
{
	buffer_printf(text, "### `%s`\n\n%s", owner->name, owner->help);
	if (owner->later) {
		buffer_add_string(text, " Not available yet.\n\n");
		return;
	}
	buffer_add_string(text, "\n\n| key | meaning |\n|---|---|\n");
	for (const struct key *key = owner->keys; key->name; key++) {
		buffer_printf(text, "| `%s` | %s%s |\n", key->name, key->help,
			key->later ? " Not available yet." : "");
	}
	buffer_add_string(text, "\n");
}

// With MUSTER_WRITE=1 the file is brought up to date instead.
static void the_reference_of_checks_is_what_the_tables_say(void **state)
{
	(void)state;
	static const char begin[] = "<!-- checks -->\n", end[] = "<!-- end of checks -->";
	arena_cleanup arena = {0};
	struct error error = {0};
	struct text text;
	const char *source = getenv("MUSTER_SOURCE");
	const char *path = arena_printf(&arena, "%s/docs/gates.md", source ? source : ".");
	assert_true(file_read(&arena, path, 1 << 20, &text, &error));
	size_t from = text_find(text, text_of(begin)) + sizeof(begin) - 1;
	size_t to = text_find(text, text_of(end));
	assert_true(from <= to);
	buffer_cleanup wanted = {0};
	buffer_add(&wanted, text.data, from);
	buffer_add_string(&wanted, "\n");
	struct owner_list kinds = gate_vocabulary();
	for (size_t i = 0; i < kinds.count; i++) {
		add_kind(&wanted, &kinds.owners[i]);
	}
	buffer_add(&wanted, text.data + to, text.length - to);
	if (getenv("MUSTER_WRITE")) {
		assert_true(file_replace(path, buffer_text(&wanted), 0644, &error));
	} else {
		assert_text(text, wanted.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_of_checks_is_what_the_tables_say),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
