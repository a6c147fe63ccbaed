#include "engine/secrets.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "test.h"

static char folder[] = "/tmp/muster-secrets-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	struct error error = {0};
	return chdir("/") == 0 && file_remove_tree(folder, &error) ? 0 : -1;
}

static void put(const char *path, const char *content)
{
	struct error error = {0};
	assert_true(file_replace(path, text_of(content), 0600, &error));
}

static struct team_secret command(const char **words, size_t count)
{
	return (struct team_secret){.command = {words, count}};
}

// Reads the secret, which must not be there, and gives what is said about it.
static const char *refusal(struct secrets *secrets, const struct team_secret *secret)
{
	static struct error error;
	error = (struct error){0};
	assert_null(secrets_read(secrets, secret, "model 'big'", &error));
	assert_int_equal(error.kind, ERROR_UNAVAILABLE);
	assert_true(text_starts(text_of(error.message), "model 'big' needs a key"));
	return error.message;
}

static void a_secret_comes_from_where_the_team_says(void **state)
{
	(void)state;
	struct secrets *secrets = secrets_create(NULL);
	struct error error = {0};
	setenv("TEST_SECRET", "from-env", 1);
	put("key.txt", "from-file\r\n\n");
	const char *words[] = {"/bin/sh", "-c", "echo from-command; echo said >&2"};
	struct team_secret variable = {.env = "TEST_SECRET"}, file = {.file = "key.txt"},
			   printed = command(words, 3);
	assert_string_equal(secrets_read(secrets, &variable, "it", &error), "from-env");
	assert_string_equal(secrets_read(secrets, &file, "it", &error), "from-file");
	assert_string_equal(secrets_read(secrets, &printed, "it", &error), "from-command");
	secrets_destroy(secrets);
}

static void a_command_runs_once_for_all_who_need_it(void **state)
{
	(void)state;
	struct secrets *secrets = secrets_create(NULL);
	struct error error = {0};
	const char *words[] = {"/bin/sh", "-c", "echo x >>ran; echo value"};
	struct team_secret one = command(words, 3), other = command(words, 3);
	const char *first = secrets_read(secrets, &one, "it", &error);
	assert_ptr_equal(secrets_read(secrets, &other, "it", &error), first);
	struct stat status;
	assert_int_equal(stat("ran", &status), 0);
	assert_int_equal(status.st_size, 2);
	secrets_destroy(secrets);
}

static void what_is_not_there_is_told(void **state)
{
	(void)state;
	struct secrets *secrets = secrets_create(NULL);
	unsetenv("TEST_SECRET");
	put("empty.txt", "\n");
	assert_int_equal(mkfifo("pipe", 0600), 0);
	const char *gone[] = {"no-such-program-here"};
	const char *fails[] = {"/bin/sh", "-c", "echo hidden; echo 'locked\033[1m' >&2; exit 3"};
	struct team_secret variable = {.env = "TEST_SECRET"}, missing = {.file = "gone.txt"},
			   empty = {.file = "empty.txt"}, pipe = {.file = "pipe"},
			   program = command(gone, 1), failing = command(fails, 3);
	assert_non_null(strstr(refusal(secrets, &variable), "TEST_SECRET is not set"));
	assert_non_null(strstr(refusal(secrets, &missing), "'gone.txt'"));
	assert_non_null(strstr(refusal(secrets, &empty), "its file gives is empty"));
	assert_non_null(strstr(refusal(secrets, &pipe), "which is no file"));
	assert_non_null(strstr(refusal(secrets, &program), "from a command"));
	const char *said = refusal(secrets, &failing);
	assert_non_null(strstr(said, "ended with exit code 3: locked"));
	assert_null(strchr(said, '\033'));
	assert_null(strstr(strstr(said, "exit code"), "hidden"));
	secrets_destroy(secrets);
}

static void a_value_has_a_largest_size(void **state)
{
	(void)state;
	struct secrets *secrets = secrets_create(NULL);
	put("large.txt", "");
	assert_int_equal(truncate("large.txt", SECRET_LIMIT + 1), 0);
	const char *words[] = {"head", "-c", "100000", "/dev/zero"};
	struct team_secret file = {.file = "large.txt"}, printed = command(words, 4);
	assert_non_null(strstr(refusal(secrets, &file), "larger than"));
	assert_non_null(strstr(refusal(secrets, &printed), "printed more than"));
	secrets_destroy(secrets);
}

static void who_waits_for_a_command_can_be_interrupted(void **state)
{
	(void)state;
	atomic_bool cancel = true;
	struct secrets *secrets = secrets_create(&cancel);
	struct error error = {0};
	const char *words[] = {"sleep", "1000"};
	struct team_secret slow = command(words, 2);
	assert_null(secrets_read(secrets, &slow, "it", &error));
	assert_int_equal(error.kind, ERROR_INTERRUPTED);
	secrets_destroy(secrets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_comes_from_where_the_team_says),
		cmocka_unit_test(a_command_runs_once_for_all_who_need_it),
		cmocka_unit_test(what_is_not_there_is_told),
		cmocka_unit_test(a_value_has_a_largest_size),
		cmocka_unit_test(who_waits_for_a_command_can_be_interrupted),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
