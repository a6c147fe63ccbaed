#include <fcntl.h>
#include <string.h>

#include "base/json.h"
#include "cli/batch.h"
#include "cli/config.h"
#include "cli/driving.h"
#include "cli/recorded.h"
#include "cli/taking.h"
#include "cli/verb.h"
#include "cli/vocabulary.h"
#include "net/http.h"

// Standard output has the result of the run; the files are told beside it.
static int take(struct arguments *arguments, const char *to, const char *id, struct error *error)
{
	struct project_run opened;
	struct taking taking = {
		.to = to, .quiet = arguments_has(arguments, "quiet"), .aside = true};
	if (!project_run_open(&opened, id, error)) {
		return EXIT_FAILED;
	}
	if (!take_out(&opened, &taking, error)) {
		error_hint(error, "'muster apply %s --to DIR' tries again", id);
	}
	project_run_close(&opened);
	return error->kind == ERROR_NONE ? EXIT_OK : EXIT_FAILED;
}

// One run for each line of a file. Closes the store and frees the team.
static int run_each(
	struct arguments *arguments, struct store *store, struct team *team, struct error *error)
{
	const char *options;
	if (!config_sandbox_options(arguments, &options, error)) {
		store_close(store);
		team_destroy(team);
		return EXIT_USAGE;
	}
	struct batch batch = {.path = arguments_value(arguments, "each"),
		.concurrency = arguments_value(arguments, "concurrency"),
		.team = team,
		.rehearsal = arguments_value(arguments, "rehearse"),
		.sandbox = config_sandbox(arguments),
		.sandbox_options = options,
		.out = arguments_value(arguments, "out")};
	batch.given = arguments_values(arguments, "input", &batch.given_count);
	int code = batch_drive(arguments, store, &batch, error);
	store_close(store);
	team_destroy(team);
	return code;
}

// Where the workspace comes from, and what becomes of it.
struct origin {
	const char *seed, *session_state, *provider, *snapshot;
};

static bool is_one_of(const char *const *words, const char *word)
{
	while (*words && strcmp(*words, word) != 0) {
		words++;
	}
	return *words != NULL;
}

// An id of the shelf, or an archive that is put there.
static const char *find_seed(
	struct arguments *arguments, struct store *store, const char *given, struct error *error)
{
	const char *shelf = store_snapshot_folder(store, &arguments->arena);
	struct snapshot_archive archive = {.fd = open(given, O_RDONLY | O_CLOEXEC)};
	struct snapshot found;
	if (archive.fd < 0) {
		return snapshot_find(shelf, &arguments->arena, given, error);
	}
	bool fine = snapshot_import(shelf, &archive, &found, error);
	file_close(&archive.fd);
	return fine ? arena_string(&arguments->arena, found.id) : NULL;
}

static bool read_session_state(
	struct arguments *arguments, struct origin *origin, const char *path, struct error *error)
{
	enum { STATE_MOST = 1024 * 1024 };
	struct text text;
	json_cleanup *tree = file_read(&arguments->arena, path, STATE_MOST, &text, error)
		? json_parse(text, error)
		: NULL;
	const char *provider = tree ? json_string(tree, "provider", NULL) : NULL;
	const char *wanted = config_sandbox(arguments);
	if (!provider) {
		error_set(error, ERROR_USAGE, "'%s' is no state of a session",
			arguments_shown(&arguments->arena, path));
		return error_hint(error, "it is the file sandbox.json in a run's folder");
	}
	if (wanted && strcmp(wanted, provider) != 0) {
		error_set(error, ERROR_USAGE, "the session is one of '%s', not of '%s'",
			arguments_shown(&arguments->arena, provider), wanted);
		return error_hint(error, "leave out --sandbox");
	}
	origin->provider = arena_string(&arguments->arena, provider);
	origin->session_state = text_string(&arguments->arena, text);
	return true;
}

static bool read_origin(struct arguments *arguments, struct store *store, struct origin *origin,
	struct error *error)
{
	const char *keep = arguments_value(arguments, "keep");
	const char *given = arguments_value(arguments, "snapshot");
	const char *state = arguments_value(arguments, "session-state");
	*origin = (struct origin){0};
	if (keep && !is_one_of(team_keeps, keep)) {
		error_set(error, ERROR_USAGE, "--keep cannot be '%s'",
			arguments_shown(&arguments->arena, keep));
		return error_hint(error, "it is never, failed or always");
	}
	if (given && is_one_of(team_snapshots, given)) {
		origin->snapshot = given;
	} else if (given && state) {
		return error_set(error, ERROR_USAGE,
			"a workspace begins with --snapshot or with --session-state, not both");
	} else if (given) {
		origin->seed = find_seed(arguments, store, given, error);
		return origin->seed != NULL;
	}
	return !state || read_session_state(arguments, origin, state, error);
}

static bool check_usage(struct arguments *arguments, struct error *error)
{
	const char *to = arguments_value(arguments, "out");
	if (arguments_has(arguments, "concurrency") && !arguments_has(arguments, "each")) {
		error_set(error, ERROR_USAGE, "--concurrency belongs to --each");
		return error_hint(error, "give the inputs of the runs with --each FILE");
	}
	const char *saved = arguments_value(arguments, "save-rehearsal");
	static const char *const single[] = {"snapshot", "session-state", "keep"};
	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
		if (arguments_has(arguments, "each") && arguments_has(arguments, single[i])) {
			return error_set(error, ERROR_USAGE, "--%s is for one run, not for --each",
				single[i]);
		}
	}
	if (saved && arguments_has(arguments, "each")) {
		error_set(error, ERROR_USAGE, "--save-rehearsal is for one run, not for --each");
		return error_hint(error, "'muster rehearsal RUN' writes that of each run later");
	}
	return (!to || taking_check(to, error)) && (!saved || recording_check(saved, error));
}

static int run_team(struct arguments *arguments, struct error *error)
{
	const char *to = arguments_value(arguments, "out");
	if (!check_usage(arguments, error)) {
		return EXIT_USAGE;
	}
	bool rehearsal = arguments_has(arguments, "rehearse");
	bool quiet = arguments_has(arguments, "quiet");
	struct config config;
	if (!config_read(&arguments->arena, &config, error)) {
		return EXIT_USAGE;
	}
	struct team_choices choices = config_choices(arguments, &config);
	struct team *team = team_open(arguments->operands[0], &choices, rehearsal, quiet, error);
	if (!team) {
		return EXIT_USAGE;
	}
	struct store *store = store_open(".", STORE_WRITE, error);
	if (!store) {
		team_destroy(team);
		return EXIT_FAILED;
	}
	if (arguments_has(arguments, "each")) {
		return run_each(arguments, store, team, error);
	}
	size_t input_count;
	const char *sandbox_options;
	if (!config_sandbox_options(arguments, &sandbox_options, error)) {
		store_close(store);
		team_destroy(team);
		return EXIT_USAGE;
	}
	const char **inputs = arguments_values(arguments, "input", &input_count);
	struct origin origin;
	if (!read_origin(arguments, store, &origin, error)) {
		store_close(store);
		team_destroy(team);
		return EXIT_USAGE;
	}
	struct engine_start start = {.team = team,
		.seed = origin.seed,
		.session_state = origin.session_state,
		.keep = arguments_value(arguments, "keep"),
		.snapshot = origin.snapshot,
		.inputs = inputs,
		.input_count = input_count,
		.rehearsal = arguments_value(arguments, "rehearse"),
		.sandbox = origin.provider ? origin.provider : config_sandbox(arguments),
		.sandbox_options = sandbox_options};
	struct driven driven = {.start = &start,
		.config = &config,
		.recording = arguments_value(arguments, "save-rehearsal")};
	int code = drive(arguments, store, &driven, error);
	store_close(store);
	return code == EXIT_OK && to ? take(arguments, to, driven.run, error) : code;
}

static int run(struct arguments *arguments, struct error *error)
{
	if (!arguments_has(arguments, "rehearse")) {
		http_prepare(); // a real model will be asked, as soon as the team is read
	}
	int code = run_team(arguments, error);
	http_prepared();
	return code;
}

static const struct option options[] = {
	{"input", 'i', "NAME=VALUE", true, COMPLETE_FILE,
		"an input of the team; NAME=@FILE takes it from a file"},
	{"rehearse", 'r', "FILE", false, COMPLETE_FILE,
		"play recorded model answers (docs/rehearsal.md)"},
	{"save-rehearsal", 0, "FILE", false, COMPLETE_FILE,
		"write what the models answered, to be played with --rehearse"},
	OPTION_MODEL,
	OPTIONS_SANDBOX("run commands there, not where the team file says"),
	{"snapshot", 0, "none|local|ID|FILE", false, COMPLETE_FILE,
		"whether the workspace becomes a snapshot at the end; or the one, or the archive, "
		"that it begins with"},
	{"session-state", 0, "FILE", false, COMPLETE_FILE,
		"take over the session that this file describes (docs/snapshots.md)"},
	{"keep", 0, "never|failed|always", false, COMPLETE_NOTHING,
		"whether the session stays after the run"},
	{"out", 'o', "DIR", false, COMPLETE_FOLDER,
		"when it is done, take its work out into this folder"},
	{"each", 0, "FILE", false, COMPLETE_FILE,
		"a run for every line of this file, each a JSON object with inputs"},
	{"concurrency", 0, "N", false, COMPLETE_NOTHING, "with --each: so many runs at once (4)"},
	OPTION_VERBOSE,
	OPTION_JSON,
	OPTION_END,
};

const struct verb verb_run = {
	.name = "run",
	.help = "run a team",
	.usage = "TEAM [-i NAME=VALUE]... [--model [AGENT=]NAME]... [--rehearse FILE]\n"
		 "                  [--save-rehearsal FILE] [--sandbox PROVIDER] [--out DIR] "
		 "[--json]\n"
		 "       muster run TEAM --each FILE [--concurrency N] [options]",
	.details = "TEAM is a file or the name of a canned team. Progress goes to standard error, "
		   "the\n"
		   "result to standard output. The exit code says how the run ended\n"
		   "(docs/exit-codes.md). Ctrl-C parks the run; a second Ctrl-C ends it at once.\n"
		   "A parked run goes on with 'muster resume'.\n"
		   "\n"
		   "With --each the inputs of each run are a line of FILE, such as {\"topic\": "
		   "\"tides\"};\n"
		   "-i gives what the lines leave out. The work of line N goes to DIR/N. The exit "
		   "code\n"
		   "is 0 only if all runs are done.",
	.examples = (const char *const[]){"muster run team.yaml -i topic=tides",
		"muster run web-app -i brief=@brief.md --out site",
		"muster run web-app -i brief=@brief.md --model tester=ollama/qwen3",
		"muster run hello --save-rehearsal hello.yaml",
		"muster run hello --rehearse samples/hello/rehearsal.yaml",
		"muster run web-app -i brief=@brief.md --quiet --json > result.json",
		"muster run team.yaml --each topics.jsonl --concurrency 8 --out results", NULL},
	.options = options,
	.completion = COMPLETE_TEAM,
	.minimum = 1,
	.maximum = 1,
	.run = run,
};
