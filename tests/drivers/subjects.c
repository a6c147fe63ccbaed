#include "drivers.h"

#include <unistd.h>

#include "sandbox/drivers.h"

// Busybox instead of GNU, and no stat: other utilities, the same answers.
static bool prepare_busybox(struct subject *row, struct buffer *reason)
{
	(void)row;
	if (access("/usr/bin/busybox", X_OK) == 0 || access("/bin/busybox", X_OK) == 0) {
		return true;
	}
	buffer_add_string(reason, "busybox is not installed");
	return false;
}

static void open_busybox(void)
{
	says("mkdir .busybox && /usr/bin/busybox --install -s .busybox && cd .busybox && rm stat "
	     "&& "
	     "printf '#!/bin/sh\\nexit 1\\n' >stat && chmod 755 stat",
		"");
	run("stat -c %f ."); // a scan does without it
	assert_int_equal(result.status, 1);
	says("tar --help 2>&1 | head -n 1 | cut -c 1-7", "BusyBox\n");
}

struct subject subjects[] = {
	{.name = "unix-local", .driver = &sandbox_unix_local, .options = "{\"session\": \"warm\"}"},
	{.name = "per-command",
		.driver = &sandbox_unix_local,
		.options = "{\"session\": \"per-command\"}"},
	{.name = "bare", .driver = &bare_driver},
	{.name = "bare-busybox",
		.driver = &bare_driver,
		.prepare = prepare_busybox,
		.path = "PATH=/workspace/.busybox:/usr/bin:/bin",
		.opened = open_busybox},
	{.name = "docker",
		.driver = &sandbox_docker,
		.options = "{\"image\": \"muster-test:latest\", \"pull\": \"never\"}"},
	{NULL},
};
