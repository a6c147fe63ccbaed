/* Files, by a guest that looks after them as root: one for the session, asked in turn. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/docker.h"

enum {
	ANSWER_TIME = 120000, // milliseconds
	PIECE = GUEST_PART,
};

// What is asked, and what comes back.
struct question {
	enum guest_type type;
	struct text path;
	uint64_t limit;
	mode_t mode;
	struct text content;   // of a write
	struct buffer *pieces; // GUEST_BYTES go here
	struct buffer last;    // the bytes of GUEST_DONE
};

static struct docker *docker_of(struct sandbox *sandbox)
{
	return (struct docker *)(void *)sandbox;
}

static bool open_files(struct docker *docker, struct error *error)
{
	const char *const mode[] = {"files", docker->user, NULL};
	return docker->files.fd >= 0 ||
		docker_stream_open(docker, docker->container, "0:0", mode, &docker->files, error);
}

static bool send_question(struct docker *docker, const struct question *question)
{
	const struct guest_file head = {.limit = question->limit, .mode = question->mode};
	buffer_cleanup body = {0};
	struct text rest = question->content;
	buffer_add(&body, &head, sizeof(head));
	buffer_add_text(&body, question->path);
	if (!docker_stream_send(&docker->files, question->type, buffer_text(&body), ANSWER_TIME)) {
		return false;
	}
	if (question->type != GUEST_WRITE) {
		return true;
	}
	while (rest.length) {
		struct text piece = {rest.data, rest.length < PIECE ? rest.length : PIECE};
		if (!docker_stream_send(&docker->files, GUEST_BYTES, piece, ANSWER_TIME)) {
			return false;
		}
		rest.data += piece.length;
		rest.length -= piece.length;
	}
	return docker_stream_send(&docker->files, GUEST_BYTES_END, TEXT(""), ANSWER_TIME);
}

enum outcome {
	DONE,
	REFUSED, // the answer is no
	LOST,    // there is none
};

static enum outcome take_refusal(struct text bytes, struct error *error)
{
	uint32_t kind = ERROR_UNAVAILABLE;
	buffer_cleanup shown = {0};
	if (bytes.length >= sizeof(kind)) {
		memcpy(&kind, bytes.data, sizeof(kind));
		bytes.data += sizeof(kind);
		bytes.length -= sizeof(kind);
	}
	buffer_add_line(&shown, bytes, sizeof(error->message) - 1);
	bool known = kind == ERROR_FAILED || kind == ERROR_USAGE;
	error_set(error, known ? (enum error_kind)kind : ERROR_UNAVAILABLE, "%s",
		shown.length ? shown.data : "the sandbox refused it");
	return REFUSED;
}

static enum outcome ask_once(struct docker *docker, struct question *question, struct error *error)
{
	struct guest_frame frame;
	struct text bytes;
	if (!open_files(docker, error)) {
		return LOST;
	}
	if (question->pieces) {
		buffer_clear(question->pieces);
	}
	if (!send_question(docker, question)) {
		error_set(error, ERROR_UNAVAILABLE, "the container does not take what is written");
		return LOST;
	}
	for (;;) {
		enum docker_next next =
			docker_stream_next(&docker->files, ANSWER_TIME, &frame, &bytes, error);
		if (next != DOCKER_FRAME) {
			error_set(error, ERROR_UNAVAILABLE,
				"the container's files cannot be reached");
			return LOST;
		}
		if (frame.type == GUEST_BYTES && question->pieces) {
			buffer_add_text(question->pieces, bytes);
		} else if (frame.type == GUEST_DONE) {
			buffer_add_text(&question->last, bytes);
			return DONE;
		} else {
			return take_refusal(frame.type == GUEST_REFUSED ? bytes : TEXT(""), error);
		}
	}
}

// Asks again where the guest went away: all that is asked may be done twice.
static bool ask(struct docker *docker, struct question *question, struct error *error)
{
	pthread_mutex_lock(&docker->lock);
	bool fresh = docker->files.fd < 0;
	enum outcome outcome = ask_once(docker, question, error);
	if (outcome == LOST) {
		docker_stream_close(&docker->files);
	}
	if (outcome == LOST && !fresh) {
		*error = (struct error){0};
		outcome = ask_once(docker, question, error);
		if (outcome == LOST) {
			docker_stream_close(&docker->files);
		}
	}
	pthread_mutex_unlock(&docker->lock);
	return outcome == DONE;
}

bool docker_files_check(struct docker *docker, struct error *error)
{
	struct question question = {.type = GUEST_STAT};
	bool fine = ask(docker, &question, error);
	buffer_finish(&question.last);
	return fine;
}

bool docker_read(struct sandbox *sandbox, struct arena *arena, struct text path, size_t limit,
	struct text *content, struct error *error)
{
	buffer_cleanup pieces = {0};
	struct question question = {
		.type = GUEST_READ, .path = path, .limit = limit, .pieces = &pieces};
	bool fine = ask(docker_of(sandbox), &question, error);
	if (fine) {
		*content = text_copy(arena, buffer_text(&pieces));
	}
	buffer_finish(&question.last);
	return fine;
}

bool docker_write(struct sandbox *sandbox, struct text path, struct text content, mode_t mode,
	struct error *error)
{
	struct question question = {
		.type = GUEST_WRITE, .path = path, .content = content, .mode = mode};
	bool fine = ask(docker_of(sandbox), &question, error);
	buffer_finish(&question.last);
	return fine;
}

// The same words as in base/folder.c, for messages that outlive the answer.
static const char *word_of(enum folder_kind kind, struct text what)
{
	static const char *const words[] = {"a link that leaves the workspace",
		"a link that leads in circles", "a link that leads nowhere", "a FIFO", "a socket",
		"a character device", "a block device"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (text_is(what, words[i])) {
			return words[i];
		}
	}
	return kind == FOLDER_FILE       ? "a file"
		: kind == FOLDER_FOLDER  ? "a folder"
		: kind == FOLDER_MISSING ? "missing"
		: kind == FOLDER_SPECIAL ? "a special file"
					 : "not reachable";
}

struct folder_stat docker_stat(struct sandbox *sandbox, struct text path)
{
	struct error ignored = {0};
	struct guest_stat found = {.kind = FOLDER_LINK, .unknown = true};
	struct question question = {.type = GUEST_STAT, .path = path};
	struct text what = {0};
	if (ask(docker_of(sandbox), &question, &ignored) && question.last.length >= sizeof(found)) {
		memcpy(&found, question.last.data, sizeof(found));
		what = (struct text){
			question.last.data + sizeof(found), question.last.length - sizeof(found)};
	}
	enum folder_kind kind =
		found.kind <= FOLDER_SPECIAL ? (enum folder_kind)found.kind : FOLDER_SPECIAL;
	struct folder_stat stat = {.kind = kind,
		.mode = found.mode & 07777,
		.size = found.size,
		.modified = found.modified,
		.what = word_of(kind, what),
		.unknown = found.unknown};
	buffer_finish(&question.last);
	return stat;
}

static bool take_list(
	struct arena *arena, struct text bytes, size_t limit, struct folder_list *list)
{
	struct guest_list head;
	struct guest_entry entry;
	if (bytes.length < sizeof(head)) {
		return false;
	}
	memcpy(&head, bytes.data, sizeof(head));
	bytes.data += sizeof(head);
	bytes.length -= sizeof(head);
	if (head.count > limit || head.count > bytes.length / sizeof(entry)) {
		return false;
	}
	list->entries = arena_new_array(arena, head.count + 1, struct folder_entry);
	for (list->count = 0; list->count < head.count; list->count++) {
		if (bytes.length < sizeof(entry)) {
			return false;
		}
		memcpy(&entry, bytes.data, sizeof(entry));
		bytes.data += sizeof(entry);
		bytes.length -= sizeof(entry);
		if (entry.path > bytes.length || entry.kind > FOLDER_SPECIAL) {
			return false;
		}
		list->entries[list->count] = (struct folder_entry){
			.path = text_copy(arena, (struct text){bytes.data, entry.path}),
			.kind = (enum folder_kind)entry.kind,
			.mode = entry.mode & 07777,
			.size = entry.size,
			.modified = entry.modified,
			.changed = entry.changed,
			.inode = entry.inode};
		bytes.data += entry.path;
		bytes.length -= entry.path;
	}
	list->cut = head.cut;
	return true;
}

bool docker_scan(struct sandbox *sandbox, struct arena *arena, struct text path, size_t limit,
	struct folder_list *list, struct error *error)
{
	buffer_cleanup pieces = {0};
	struct question question = {
		.type = GUEST_SCAN, .path = path, .limit = limit, .pieces = &pieces};
	*list = (struct folder_list){0};
	bool fine = ask(docker_of(sandbox), &question, error);
	if (fine && !take_list(arena, buffer_text(&pieces), limit, list)) {
		fine = error_set(error, ERROR_UNAVAILABLE,
			"the container's list of its files makes no sense");
	}
	buffer_finish(&question.last);
	return fine;
}

bool docker_make_folder(struct sandbox *sandbox, struct text path, struct error *error)
{
	struct question question = {.type = GUEST_MAKE_FOLDER, .path = path};
	bool fine = ask(docker_of(sandbox), &question, error);
	buffer_finish(&question.last);
	return fine;
}

bool docker_remove(struct sandbox *sandbox, struct text path, bool recursive, struct error *error)
{
	struct question question = {
		.type = recursive ? GUEST_REMOVE_TREE : GUEST_REMOVE, .path = path};
	bool fine = ask(docker_of(sandbox), &question, error);
	buffer_finish(&question.last);
	return fine;
}
