/* A shell, or another command, in the session of a run that nobody drives. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli/verb.h"
#include "cli/vocabulary.h"
#include "engine/engine.h"

enum { INPUT_MOST = 4096, WAIT = 10 /* milliseconds for output before input is looked at */ };

static volatile sig_atomic_t resized, ended;

static void note_signal(int signal)
{
	if (signal == SIGWINCH) {
		resized = 1;
	} else {
		ended = 1;
	}
}

struct shell {
	struct sandbox *sandbox;
	struct sandbox_process *process;
	bool terminal, input; // input: ours has not ended
	struct termios before;
	struct error *error;
};

static void window(unsigned short *columns, unsigned short *rows)
{
	struct winsize size;
	*columns = *rows = 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
		*columns = size.ws_col;
		*rows = size.ws_row;
	}
}

// Each key goes to the program in the sandbox, which does with it what a terminal does.
static void take_terminal(struct shell *shell)
{
	struct termios raw;
	if (shell->terminal && tcgetattr(STDIN_FILENO, &shell->before) == 0) {
		raw = shell->before;
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	}
}

static void give_terminal_back(const struct shell *shell)
{
	if (shell->terminal) {
		tcsetattr(STDIN_FILENO, TCSADRAIN, &shell->before);
	}
}

static bool pass_input(struct shell *shell)
{
	char bytes[INPUT_MOST];
	struct pollfd polled = {.fd = STDIN_FILENO, .events = POLLIN};
	if (!shell->input || poll(&polled, 1, 0) <= 0) {
		return true;
	}
	ssize_t got = read(STDIN_FILENO, bytes, sizeof(bytes));
	if (got < 0) {
		return errno == EINTR || errno == EAGAIN ||
			error_errno(shell->error, ERROR_FAILED, "cannot read the input");
	}
	shell->input = got > 0;
	return sandbox_process_write(
		shell->process, (struct text){bytes, (size_t)got}, shell->error);
}

static bool pass_output(struct shell *shell, bool *over, int *status)
{
	buffer_cleanup output = {0};
	bool fine = sandbox_process_read(shell->process, WAIT, &output, over, status, shell->error);
	// Bytes as they are: whoever asks for a shell gets what it says.
	return fine &&
		(output.length == 0 ||
			(fwrite(output.data, 1, output.length, stdout) == output.length &&
				fflush(stdout) == 0) ||
			error_errno(shell->error, ERROR_FAILED, "cannot write the output"));
}

static bool talk(struct shell *shell, int *status)
{
	bool over = false;
	while (!over && !ended) {
		if (resized && shell->terminal) {
			unsigned short columns, rows;
			resized = 0;
			window(&columns, &rows);
			sandbox_process_resize(shell->process, columns, rows, shell->error);
		}
		if (!pass_output(shell, &over, status) || (!over && !pass_input(shell))) {
			return false;
		}
	}
	return true;
}

static void watch_signals(void)
{
	static const int signals[] = {SIGWINCH, SIGTERM, SIGHUP, SIGINT};
	struct sigaction action = {.sa_handler = note_signal};
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaction(signals[i], &action, NULL);
	}
}

static int run_in(struct arguments *arguments, struct sandbox *sandbox, struct error *error)
{
	struct shell shell = {.sandbox = sandbox,
		.terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
		.input = true,
		.error = error};
	struct sandbox_process_settings settings = {.terminal = shell.terminal};
	const char **words =
		arena_new_array(&arguments->arena, arguments->operand_count + 1, const char *);
	int status = 0;
	if (arguments->operand_count > 1) {
		memcpy(words, arguments->operands + 1,
			(arguments->operand_count - 1) * sizeof(*words));
		settings.command.argv = words;
	} else {
		settings.command.shell = "command -v bash >/dev/null && exec bash; exec sh";
	}
	window(&settings.columns, &settings.rows);
	shell.process = sandbox_open_process(sandbox, &settings, error);
	if (!shell.process) {
		return EXIT_FAILED;
	}
	watch_signals();
	take_terminal(&shell);
	bool fine = talk(&shell, &status);
	give_terminal_back(&shell);
	sandbox_process_close(shell.process);
	return !fine ? EXIT_FAILED : ended ? 128 + SIGTERM : status;
}

static int run(struct arguments *arguments, struct error *error)
{
	struct store_run found;
	int code = EXIT_USAGE;
	// A folder without runs gets no store from being asked.
	struct store *store = store_open(".", STORE_READ, error);
	store_close(store);
	store = store ? store_open(".", STORE_WRITE, error) : NULL;
	struct engine *engine = store ? engine_create(store, NULL, error) : NULL;
	struct job *held = engine &&
			store_find(store, &arguments->arena, arguments->operands[0], &found, error)
		? engine_hold(engine, found.id, vocabulary(), error)
		: NULL;
	if (held) {
		code = run_in(arguments, job_sandbox(held), error);
	}
	engine_let_go(held);
	engine_destroy(engine);
	store_close(store);
	return code;
}

static const struct option options[] = {OPTION_END};

const struct verb verb_shell = {
	.name = "shell",
	.help = "open a shell in the sandbox of a run, or run a command there",
	.usage = "RUN [-- COMMAND...]",
	.details =
		"RUN is an id, a unique prefix of one, or -1 for the newest; nobody may be driving "
		"it\n"
		"('muster pause' parks it). The shell has the run's walls: its network, limits "
		"and\n"
		"workspace, and none of its secrets. What is changed there is recorded as "
		"the\n"
		"user's when the run goes on. The exit code is that of the command.",
	.examples = (const char *const[]){"muster shell -1", "muster shell web-app-k3 -- npm test",
		"echo 'ls -l' | muster shell -1", NULL},
	.options = options,
	.completion = COMPLETE_RUN,
	.minimum = 1,
	.maximum = 1000,
	.run = run,
};
