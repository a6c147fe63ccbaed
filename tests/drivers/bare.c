/* A driver that has nothing but exec, to prove the fallbacks: unix-local with all else left out. */
#include "drivers.h"
#include "sandbox/drivers.h"

struct bare {
	struct sandbox_session session;
	struct sandbox *inner;
};

static struct sandbox *inner_of(struct sandbox *handle)
{
	return ((struct bare *)(void *)handle)->inner;
}

static struct sandbox *wrap(struct sandbox *inner)
{
	struct bare *bare = inner ? memory_alloc(sizeof(*bare)) : NULL;
	if (bare) {
		*bare = (struct bare){{&bare_driver}, inner};
	}
	return (struct sandbox *)(void *)bare;
}

static struct sandbox *create(const struct sandbox_settings *settings, struct error *problem)
{
	return wrap(sandbox_create(&sandbox_unix_local, settings, problem));
}

static struct sandbox *attach(
	const struct sandbox_settings *settings, struct text state, struct error *problem)
{
	return wrap(sandbox_attach(&sandbox_unix_local, settings, state, problem));
}

static void state(struct sandbox *handle, struct buffer *json)
{
	sandbox_state(inner_of(handle), json);
}

static void detach(struct sandbox *handle)
{
	sandbox_detach(inner_of(handle));
	free(handle);
}

static bool destroy(struct sandbox *handle, struct error *problem)
{
	bool fine = sandbox_destroy(inner_of(handle), problem);
	free(handle);
	return fine;
}

static bool exec(struct sandbox *handle, struct arena *memory,
	const struct sandbox_command *command, struct process_result *how, struct error *problem)
{
	struct sandbox_command plain = *command;
	plain.read_only_folders = NULL;
	return sandbox_exec(inner_of(handle), memory, &plain, how, problem);
}

const struct sandbox_driver bare_driver = {
	.name = "bare",
	.help = "exec and nothing else",
	.flags = SANDBOX_NETWORK_OFF | SANDBOX_READ_ONLY_COMMANDS,
	.create = create,
	.attach = attach,
	.state = state,
	.detach = detach,
	.destroy = destroy,
	.exec = exec,
};
