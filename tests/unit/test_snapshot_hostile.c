/* Archives that do their worst: each is refused whole, with nothing outside the workspace touched. What the
 * cases are called says what is in them. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "sandbox/tar_write.h"
#include "snapshot/compress.h"
#include "snapshot/snapshot.h"

static char folder[64];
static struct arena arena;
static struct error error;

static const char *at(const char *name)
{
	return arena_printf(&arena, "%s/%s", folder, name);
}

static int begin(void **state)
{
	(void)state;
	error = (struct error){0};
	strcpy(folder, "/tmp/muster-test-hostile-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	arena_finish(&arena);
	return file_remove_tree(folder, &error) ? 0 : -1;
}

// --- What archives are made of ---

static void entry(struct tar_writer *tar, char type, const char *path, const char *target)
{
	struct tar_entry added = {.path = text_of(path),
		.target = text_of(target),
		.type = type,
		.mode = 0755,
		.size = type == TAR_FILE ? 4 : 0};
	tar_write_entry(tar, &added);
	if (type == TAR_FILE) {
		buffer_add_string(&tar->out, "evil");
		tar_write_end_of_file(tar, 4);
	}
}

// The last header's sum, once something in it was changed.
static void sum_again(struct tar_writer *tar, size_t header)
{
	unsigned char *block = (unsigned char *)tar->out.data + header;
	unsigned sum = 0;
	char digits[16];
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		sum += block[i];
	}
	snprintf(digits, sizeof(digits), "%06o", sum);
	memcpy(block + 148, digits, 7);
}

// A header of another type with some bytes behind it.
static void extra(struct tar_writer *tar, char type, struct text bytes)
{
	size_t header = tar->out.length;
	struct tar_entry added = {
		.path = TEXT("header"), .type = TAR_FILE, .size = (int64_t)bytes.length};
	tar_write_entry(tar, &added);
	tar->out.data[header + 156] = type;
	sum_again(tar, header);
	buffer_add_text(&tar->out, bytes);
	tar_write_end_of_file(tar, (int64_t)bytes.length);
}

static void pax(struct tar_writer *tar, const char *record)
{
	int length = (int)strlen(record) + 4; // two digits, a space, a line's end
	extra(tar, 'x', text_of(arena_printf(&arena, "%d %s\n", length, record)));
}

static const char *repeated(const char *text, int times)
{
	struct buffer all = {0};
	for (int i = 0; i < times; i++) {
		buffer_add_string(&all, text);
	}
	const char *copy = arena_string(&arena, all.data);
	buffer_finish(&all);
	return copy;
}

static void field(struct tar_writer *tar, size_t place, const void *bytes, size_t length)
{
	size_t header = tar->out.length;
	entry(tar, TAR_FILE, "file", "");
	memcpy(tar->out.data + header + place, bytes, length);
	sum_again(tar, header);
}

// --- The cases ---

struct hostile {
	const char *name;
	// Up to three entries "TYPE PATH" or "TYPE PATH|TARGET" ...
	const char *entries[4];
	// ... or what makes the archive.
	void (*make)(struct tar_writer *tar);
};

static void header_with_another_sum(struct tar_writer *tar)
{
	entry(tar, TAR_FILE, "file", "");
	tar->out.data[0] = 'g';
}

static void second_header_with_another_sum(struct tar_writer *tar)
{
	entry(tar, TAR_FILE, "file", "");
	size_t second = tar->out.length;
	entry(tar, TAR_FILE, "more", "");
	tar->out.data[second] = 'g';
}

static void cut_in_a_header(struct tar_writer *tar)
{
	entry(tar, TAR_FILE, "file", "");
	entry(tar, TAR_FILE, "more", "");
	tar->out.length -= 700;
}

static void cut_in_a_file(struct tar_writer *tar)
{
	entry(tar, TAR_FILE, "file", "");
	tar->out.length -= TAR_BLOCK;
}

static void something_behind_the_end(struct tar_writer *tar)
{
	entry(tar, TAR_FILE, "file", "");
	tar_write_end(tar);
	entry(tar, TAR_FILE, "more", "");
}

static void nothing_that_is_an_archive(struct tar_writer *tar)
{
	buffer_add_string(&tar->out, repeated("no archive at all\n", 100));
}

static void pax_path_leads_out(struct tar_writer *tar)
{
	pax(tar, "path=../victim");
	entry(tar, TAR_FILE, "file", "");
}

static void pax_target_leads_out(struct tar_writer *tar)
{
	pax(tar, "linkpath=/etc");
	entry(tar, TAR_LINK, "link", "fine");
}

static void pax_name_with_a_zero_byte(struct tar_writer *tar)
{
	extra(tar, 'x', (struct text){"15 path=go\0od\n\n", 15});
	entry(tar, TAR_FILE, "file", "");
}

static void pax_size_is_too_large(struct tar_writer *tar)
{
	pax(tar, "size=9999999999999");
	entry(tar, TAR_FILE, "file", "");
}

static void pax_size_is_negative(struct tar_writer *tar)
{
	pax(tar, "size=-9999999999999");
	entry(tar, TAR_FILE, "file", "");
}

static void pax_sparse_map(struct tar_writer *tar)
{
	pax(tar, "GNU.sparse.map=0,1");
	entry(tar, TAR_FILE, "file", "");
}

static void pax_record_without_form(struct tar_writer *tar)
{
	extra(tar, 'x', TEXT("99 path=x\n"));
	entry(tar, TAR_FILE, "file", "");
}

static void pax_header_of_two_megabytes(struct tar_writer *tar)
{
	extra(tar, 'x', text_of(repeated("xxxxxxxxxxxxxxxx", 128 * 1024)));
	entry(tar, TAR_FILE, "file", "");
}

static void long_name_without_an_entry(struct tar_writer *tar)
{
	entry(tar, TAR_FILE, "file", "");
	extra(tar, 'L', TEXT("name\0"));
}

static void long_name_leads_out(struct tar_writer *tar)
{
	extra(tar, 'L', text_of("../victim"));
	entry(tar, TAR_FILE, "file", "");
}

static void size_in_bytes_is_negative(struct tar_writer *tar)
{
	field(tar, 124, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", 12);
}

static void size_in_bytes_is_eight_exbibytes(struct tar_writer *tar)
{
	field(tar, 124, "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12);
}

static void sparse_file_of_gnu(struct tar_writer *tar)
{
	field(tar, 156, "S", 1);
}

static void unknown_type(struct tar_writer *tar)
{
	field(tar, 156, "Z", 1);
}

static void path_of_five_thousand_bytes(struct tar_writer *tar)
{
	entry(tar, TAR_FILE, repeated("abcdefghi/", 500), "");
}

static void name_of_300_bytes(struct tar_writer *tar)
{
	entry(tar, TAR_FILE, repeated("abc", 100), "");
}

static void a_thousand_folders_deep(struct tar_writer *tar)
{
	entry(tar, TAR_FOLDER, repeated("a/", 1000), "");
}

static const struct hostile cases[] = {
	{"absolute name", {"0 /tmp/victim"}, NULL},
	{"parent first", {"0 ../victim"}, NULL},
	{"parent in the middle", {"0 a/../../victim"}, NULL},
	{"parent last", {"5 a/.."}, NULL},
	{"parent behind a dot", {"0 ./../victim"}, NULL},
	{"the root as a link", {"2 .|.."}, NULL},
	{"the root as a file", {"0 ."}, NULL},
	{"empty name", {"0 "}, NULL},
	{"link to an absolute path", {"2 link|/etc/passwd"}, NULL},
	{"link out", {"2 link|../outside"}, NULL},
	{"link out by a detour", {"2 a/link|x/../../../outside"}, NULL},
	{"link without a target", {"2 link|"}, NULL},
	{"file through a link", {"2 link|sub", "0 link/file"}, NULL},
	{"file before the link that it goes through", {"0 link/file", "2 link|sub"}, NULL},
	{"link replaced by a file", {"2 link|sub", "0 link"}, NULL},
	{"link replaced by a folder", {"2 link|sub", "5 link"}, NULL},
	{"folder replaced by a link", {"5 link", "2 link|sub"}, NULL},
	{"chain of links that leads out", {"5 d", "2 d/a|..", "2 b|d/a/.."}, NULL},
	{"hard link out", {"1 link|/etc/passwd"}, NULL},
	{"hard link to a later file", {"1 link|file", "0 file"}, NULL},
	{"character device", {"3 device"}, NULL},
	{"block device", {"4 device"}, NULL},
	{"FIFO", {"6 pipe"}, NULL},
	{"file twice", {"0 file", "0 file"}, NULL},
	{"file twice, one with a dot", {"0 file", "0 ./file"}, NULL},
	{"folder, then a file", {"5 it", "0 it"}, NULL},
	{"file, then something in it", {"0 it", "0 it/child"}, NULL},
	{"something in a file, then the file", {"0 it/child", "0 it"}, NULL},
	{"line's end in a name", {"0 a\nb"}, NULL},
	{"escape in a name", {"0 a\033[31mb"}, NULL},
	{"delete in a folder's name", {"5 a\177b"}, NULL},
	{"header with another sum", {0}, header_with_another_sum},
	{"second header with another sum", {0}, second_header_with_another_sum},
	{"cut in a header", {0}, cut_in_a_header},
	{"cut in a file", {0}, cut_in_a_file},
	{"something behind the end", {0}, something_behind_the_end},
	{"no archive", {0}, nothing_that_is_an_archive},
	{"pax path leads out", {0}, pax_path_leads_out},
	{"pax target leads out", {0}, pax_target_leads_out},
	{"pax name with a zero byte", {0}, pax_name_with_a_zero_byte},
	{"pax size is too large", {0}, pax_size_is_too_large},
	{"pax size is negative", {0}, pax_size_is_negative},
	{"pax sparse map", {0}, pax_sparse_map},
	{"pax record without form", {0}, pax_record_without_form},
	{"pax header of two megabytes", {0}, pax_header_of_two_megabytes},
	{"long name without an entry", {0}, long_name_without_an_entry},
	{"long name leads out", {0}, long_name_leads_out},
	{"binary size is negative", {0}, size_in_bytes_is_negative},
	{"binary size is eight exbibytes", {0}, size_in_bytes_is_eight_exbibytes},
	{"sparse file of GNU tar", {0}, sparse_file_of_gnu},
	{"unknown type", {0}, unknown_type},
	{"path of 5,000 bytes", {0}, path_of_five_thousand_bytes},
	{"name of 300 bytes", {0}, name_of_300_bytes},
	{"a thousand folders deep", {0}, a_thousand_folders_deep},
};

static void build(const struct hostile *hostile, struct tar_writer *tar)
{
	if (hostile->make) {
		hostile->make(tar);
	}
	for (size_t i = 0; hostile->entries[i]; i++) {
		const char *path = hostile->entries[i] + 2, *bar = strchr(path, '|');
		entry(tar, hostile->entries[i][0],
			bar ? arena_copy(&arena, path, (size_t)(bar - path)) : path,
			bar ? bar + 1 : "");
	}
	if (hostile->make != something_behind_the_end &&
		hostile->make != nothing_that_is_an_archive && hostile->make != cut_in_a_file &&
		hostile->make != cut_in_a_header) {
		tar_write_end(tar);
	}
}

// An open file with these bytes, compressed or not, read from the start.
static int archive_of(struct text bytes, bool compressed)
{
	int fd = open(at("archive"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	if (compressed) {
		struct compress *compress = compress_begin(fd, &error);
		assert_true(compress && compress_add(compress, bytes, &error) &&
			compress_end(compress, &error));
		compress_free(compress);
	} else {
		assert_int_equal(write(fd, bytes.data, bytes.length), bytes.length);
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static bool restore(int fd, const struct sandbox_driver *driver)
{
	struct sandbox_settings settings = {
		.run = "test", .folder = at("state"), .workspace = at("work")};
	assert_true(file_make_folders(settings.workspace, 0777, &error));
	assert_true(file_make_folders(settings.folder, 0755, &error));
	assert_int_equal(chmod(settings.workspace, 0777), 0);
	struct sandbox *sandbox =
		sandbox_create(sandbox_driver_find("unix-local"), &settings, &error);
	if (!sandbox) {
		fail_msg("%s", error.message);
	}
	struct sandbox_session *session = (struct sandbox_session *)(void *)sandbox;
	const struct sandbox_driver *local = session->driver;
	session->driver = driver ? driver : local;
	error = (struct error){0};
	bool fine = snapshot_restore(sandbox, &(struct snapshot_archive){.fd = fd}, NULL, &error);
	session->driver = local;
	sandbox_detach(sandbox);
	return fine;
}

static void nothing_outside_was_touched(const char *name)
{
	const char *script = arena_printf(&arena,
		"cd %s && test \"$(ls)\" = \"$(printf 'archive\\nstate\\nwork')\" && "
		"test ! -e /tmp/victim && test -z \"$(find work -type l)\" && "
		"test -z \"$(find work -type p -o -type b -o -type c)\"",
		folder);
	if (system(script) != 0) {
		fail_msg("%s: something was made that should not be", name);
	}
}

static void each_case_is_refused_whole(void **state)
{
	(void)state;
	struct sandbox_driver far = *sandbox_driver_find("unix-local");
	far.host_folder = NULL;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct hostile *hostile = &cases[i];
		struct tar_writer tar = {0};
		build(hostile, &tar);
		for (int way = 0; way < 4; way++) {
			int fd = archive_of(buffer_text(&tar.out), way == 1);
			error = (struct error){0};
			bool fine = way < 2
				? snapshot_check(&(struct snapshot_archive){.fd = fd}, NULL, &error)
				: restore(fd, way == 2 ? NULL : &far);
			close(fd);
			if (fine) {
				fail_msg("%s: accepted, way %d", hostile->name, way);
			}
			assert_int_equal(error.kind, ERROR_FAILED);
			if (strpbrk(error.message, "\033\n\177")) {
				fail_msg("%s: the message is not one plain line", hostile->name);
			}
			if (way >= 2) {
				nothing_outside_was_touched(hostile->name);
				assert_true(file_remove_tree(at("work"), &error));
				assert_true(file_remove_tree(at("state"), &error));
			}
		}
		buffer_finish(&tar.out);
	}
}

// --- Compressed streams ---

// A file that a command makes.
static int made_by(const char *command)
{
	if (system(arena_printf(&arena, "cd %s && %s", folder, command)) != 0) {
		fail_msg("%s", command);
	}
	int fd = open(at("archive"), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void refused(int fd, const char *words)
{
	error = (struct error){0};
	assert_false(snapshot_check(&(struct snapshot_archive){.fd = fd}, NULL, &error));
	close(fd);
	if (!strstr(error.message, words)) {
		fail_msg("'%s' is not in: %s", words, error.message);
	}
}

static void a_bomb_is_refused_before_it_is_unpacked(void **state)
{
	(void)state;
	struct tar_writer tar = {0};
	static char zeros[1024 * 1024];
	int fd = open(at("archive"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct compress *compress = compress_begin(fd, &error);
	struct tar_entry large = {
		.path = TEXT("zeros"), .type = TAR_FILE, .size = INT64_C(1) << 30};
	tar_write_entry(&tar, &large);
	assert_true(compress && compress_add(compress, buffer_text(&tar.out), &error));
	for (int i = 0; i < 1024; i++) {
		assert_true(compress_add(compress, (struct text){zeros, sizeof(zeros)}, &error));
	}
	assert_true(compress_end(compress, &error));
	compress_free(compress);
	buffer_finish(&tar.out);
	lseek(fd, 0, SEEK_SET);
	refused(fd, "times its size");
}

static void what_is_compressed_twice_is_refused(void **state)
{
	(void)state;
	refused(made_by("mkdir a && tar cf - a | gzip | gzip >archive"), "more than once");
}

static void damaged_compression_is_refused(void **state)
{
	(void)state;
	refused(made_by("mkdir a && head -c 100000 /dev/urandom >a/b && tar cf - a | gzip >whole "
			"&& "
			"head -c 50000 whole >archive"),
		"cannot read the archive");
}

static void a_million_entries_are_too_many(void **state)
{
	(void)state;
	struct tar_writer tar = {0};
	struct compress *compress;
	int fd = open(at("archive"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_non_null(compress = compress_begin(fd, &error));
	char path[32];
	for (int i = 0; i <= SNAPSHOT_ENTRIES; i++) {
		snprintf(path, sizeof(path), "%d", i);
		tar_write_entry(
			&tar, &(struct tar_entry){.path = text_of(path), .type = TAR_FOLDER});
		if (tar.out.length > 1024 * 1024) {
			assert_true(compress_add(compress, buffer_text(&tar.out), &error));
			buffer_clear(&tar.out);
		}
	}
	assert_true(compress_add(compress, buffer_text(&tar.out), &error));
	assert_true(compress_end(compress, &error));
	compress_free(compress);
	buffer_finish(&tar.out);
	lseek(fd, 0, SEEK_SET);
	refused(fd, "500000 entries");
}

static void what_other_tools_write_is_taken(void **state)
{
	(void)state;
	static const char *const commands[] = {"tar cf archive in", "tar czf archive in",
		"tar cf - in | bzip2 >archive", "tar cf - in | xz >archive",
		"tar --format=pax -cf archive in", "cd in && tar cf ../archive ."};
	made_by("mkdir -p in/sub && n=n; for i in 1 2 3 4 5 6; do n=$n$n; done; "
		"echo x >in/$n$n && ln -s ../$n$n in/sub/link && echo y >in/sub/y && : >archive");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct snapshot found;
		int fd = made_by(commands[i]);
		error = (struct error){0};
		if (!snapshot_check(&(struct snapshot_archive){.fd = fd}, &found, &error)) {
			fail_msg("%s: %s", commands[i], error.message);
		}
		assert_int_equal(found.bytes, 4);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_case_is_refused_whole, begin, end),
		cmocka_unit_test_setup_teardown(
			a_bomb_is_refused_before_it_is_unpacked, begin, end),
		cmocka_unit_test_setup_teardown(what_is_compressed_twice_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(damaged_compression_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(a_million_entries_are_too_many, begin, end),
		cmocka_unit_test_setup_teardown(what_other_tools_write_is_taken, begin, end),
	};
	return cmocka_run_group_tests_name("snapshot_hostile", tests, NULL, NULL);
}
