/* Looking at the workspace: collects findings, and notices when it changes meanwhile. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/path.h"
#include "gate/kind.h"

enum { SHOWN_LIMIT = 160 };

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// Who reads files: we, the provider by its interface, or programs in the sandbox.
static const char *reader_of(struct sandbox *sandbox)
{
	const struct sandbox_driver *driver =
		((const struct sandbox_session *)(const void *)sandbox)->driver;
	return driver->flags & SANDBOX_HOST_FOLDER ? "harness"
		: driver->read                     ? "provider"
						   : "sandbox";
}

struct gate_finding *gate_find(struct gate_look *look, const struct gate_check *check,
	const char *subject, enum gate_status status)
{
	if (look->count == look->capacity) {
		look->capacity = look->capacity * 2 + 8;
		look->findings =
			memory_resize(look->findings, look->capacity * sizeof(*look->findings));
	}
	struct gate_finding *finding = &look->findings[look->count++];
	*finding = (struct gate_finding){.check = check->kind->owner.name,
		.subject = subject,
		.status = status,
		.expected = "",
		.found = "",
		.sentence = "",
		.size = -1,
		.reader = look->reader};
	return finding;
}

struct gate_finding *gate_fails(struct gate_look *look, const struct gate_check *check,
	const char *subject, const char *expected, const char *found, const char *format, ...)
{
	va_list arguments;
	struct gate_finding *finding = gate_find(look, check, subject, GATE_FAILS);
	va_start(arguments, format);
	finding->sentence = arena_vprintf(look->arena, format, arguments);
	va_end(arguments);
	finding->expected = expected;
	finding->found = found;
	return finding;
}

void gate_not_checked(struct gate_look *look, const struct gate_check *check, const char *subject,
	const char *reason)
{
	struct gate_finding *finding = gate_find(look, check, subject, GATE_NOT_CHECKED);
	finding->found = arena_string(look->arena, reason);
	finding->sentence =
		arena_printf(look->arena, "'%s' could not be checked: %s.", subject, reason);
}

bool gate_goes_on(struct gate_look *look, const struct gate_check *check, const char *subject)
{
	if (look->cancel && atomic_load(look->cancel)) {
		gate_not_checked(look, check, subject, "cancelled");
		return false;
	}
	if (look->bytes_read > GATE_READ_TOTAL) {
		gate_fails(look, check, subject, "at most 256 MiB to be read", "more",
			"The files of this gate are too large together to be checked; make them "
			"smaller.")
			->unclear = true;
		return false;
	}
	if (now() > look->deadline) {
		gate_fails(look, check, subject, "an end within a minute", "none",
			"Checking the files of this gate takes too long; make them fewer, smaller "
			"or simpler.")
			->unclear = true;
		return false;
	}
	return true;
}

const char *gate_shown(struct gate_look *look, struct text text)
{
	buffer_cleanup line = {0};
	buffer_add_line(&line, text, SHOWN_LIMIT);
	return arena_string(look->arena, line.data ? line.data : "");
}

const char *gate_amount(struct gate_look *look, int64_t count, const char *thing)
{
	return arena_printf(
		look->arena, "%lld %s%s", (long long)count, thing, count == 1 ? "" : "s");
}

void gate_place(struct gate_finding *finding, struct text content, size_t offset)
{
	enum { CONTINUES = 0x80, CONTINUES_MASK = 0xc0 };
	finding->line = 1;
	finding->column = 1;
	for (size_t i = 0; i < offset && i < content.length; i++) {
		if (content.data[i] == '\n') {
			finding->line++;
			finding->column = 1;
		} else if (i + 1 >= content.length ||
			((unsigned char)content.data[i + 1] & CONTINUES_MASK) != CONTINUES) {
			finding->column++;
		}
	}
}

void gate_run_checks(const struct gate_check *checks, size_t count, struct gate_look *look)
{
	for (size_t i = 0; i < count; i++) {
		checks[i].kind->check(&checks[i], look);
	}
}

enum gate_status gate_worst(const struct gate_look *look, size_t from)
{
	// A check that could not be made says nothing about the others: they decide if one fails.
	static const int order[] = {[GATE_HOLDS] = 0,
		[GATE_NEEDS_PERSON] = 1,
		[GATE_NOT_CHECKED] = 2,
		[GATE_FAILS] = 3};
	enum gate_status worst = GATE_HOLDS;
	for (size_t i = from; i < look->count; i++) {
		if (order[look->findings[i].status] > order[worst]) {
			worst = look->findings[i].status;
		}
	}
	return worst;
}

bool gate_unclear(const struct gate_look *look, size_t from)
{
	bool unclear = false;
	for (size_t i = from; i < look->count; i++) {
		const struct gate_finding *finding = &look->findings[i];
		if (finding->status == GATE_FAILS) {
			if (!finding->unclear) {
				return false;
			}
			unclear = true;
		}
	}
	return unclear;
}

static struct gate_finding *copy_findings(
	struct arena *arena, const struct gate_finding *findings, size_t count)
{
	struct gate_finding *copy = arena_new_array(arena, count, struct gate_finding);
	if (count) {
		memcpy(copy, findings, count * sizeof(*findings));
	}
	return copy;
}

void gate_nest(struct gate_look *look, size_t parent)
{
	struct gate_finding *finding = &look->findings[parent];
	finding->nested_count = look->count - parent - 1;
	finding->nested = copy_findings(look->arena, finding + 1, finding->nested_count);
	look->count = parent + 1;
}

// What the paths of a gate hold, so that a file that changes while commands look at it is seen.
struct fingerprint {
	struct hash_stream *stream;
	struct gate_look *look;
	int64_t bytes;
};

static void add_text(struct fingerprint *print, struct text text)
{
	hash_add(print->stream, &text.length, sizeof(text.length));
	hash_add(print->stream, text.data ? text.data : "", text.length);
}

static void add_path(struct fingerprint *print, struct text path)
{
	arena_cleanup arena = {0};
	struct error ignored = {0}; // what cannot be read has its size and times
	struct text content = {0};
	struct folder_stat stat = sandbox_stat(print->look->sandbox, path);
	add_text(print, path);
	hash_add(print->stream, &stat.kind, sizeof(stat.kind));
	hash_add(print->stream, &stat.mode, sizeof(stat.mode));
	hash_add(print->stream, &stat.size, sizeof(stat.size));
	if (stat.kind == FOLDER_FILE && stat.size <= GATE_READ_LIMIT &&
		print->bytes + stat.size <= GATE_READ_TOTAL &&
		sandbox_read(
			print->look->sandbox, &arena, path, GATE_READ_LIMIT, &content, &ignored)) {
		print->bytes += (int64_t)content.length;
		add_text(print, content);
	} else {
		hash_add(print->stream, &stat.modified, sizeof(stat.modified));
	}
}

static void add_file(struct gate_walk *walk, const struct folder_entry *entry)
{
	add_path(walk->data, entry->path);
}

static void add_hidden(struct gate_walk *walk, struct text path, const char *what)
{
	add_text(walk->data, path);
	add_text(walk->data, text_of(what));
}

static struct hash fingerprint(const struct gate *gate, struct gate_look *look)
{
	struct fingerprint print = {.stream = hash_begin(), .look = look};
	for (size_t i = 0; i < gate->path_count; i++) {
		struct error ignored = {0}; // the check itself says that it cannot look there
		struct gate_walk walk = {.look = look,
			.glob = gate->paths[i],
			.file = add_file,
			.hidden = add_hidden,
			.data = &print};
		if (path_is_glob(gate->paths[i])) {
			gate_walk(&walk, &ignored);
		} else {
			add_path(&print, gate->paths[i]);
		}
	}
	return hash_end(print.stream);
}

static void look_until_still(const struct gate *gate, struct gate_look *look)
{
	enum { TRIES = 3 };
	for (int i = 0; i < TRIES; i++) {
		struct hash before = {0};
		look->count = 0;
		look->bytes_read = 0;
		look->deadline = now() + GATE_TIME;
		if (gate->runs) {
			before = fingerprint(gate, look);
		}
		gate_run_checks(gate->checks, gate->count, look);
		if (!gate->runs || (look->cancel && atomic_load(look->cancel)) ||
			strcmp(before.hex, fingerprint(gate, look).hex) == 0) {
			return;
		}
	}
	gate_fails(look, &gate->checks[0], gate->declaration->name, "files that stay as they are",
		"changing files",
		"The files of gate '%s' are changing while it is checked; let "
		"what writes them end first.",
		gate->declaration->name)
		->unclear = true;
}

void gate_check(const struct gate *gate, const struct gate_place *place, struct arena *arena,
	struct gate_verdict *verdict)
{
	struct gate_look look = {.gate = gate,
		.place = place,
		.sandbox = place->sandbox,
		.arena = arena,
		.environment = place->environment,
		.cancel = place->cancel,
		.reader = reader_of(place->sandbox)};
	look_until_still(gate, &look);
	verdict->status = gate_worst(&look, 0);
	verdict->count = look.count;
	verdict->findings = copy_findings(arena, look.findings, look.count);
	free(look.findings);
}
