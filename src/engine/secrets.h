/*
 * The values of secrets, read from where a team says they come from: once per process, however many
 * runs need them. They stay in memory; a caller hands them to nothing but the service they are for.
 * Private to src/engine/.
 */
#pragma once

#include <stdatomic.h>

#include "team/team.h"

enum {
	SECRET_LIMIT = 16 * 1024, // bytes of a value
	SECRET_TIMEOUT = 60000,   // milliseconds of a command
};

struct secrets;

// `cancel` (may be NULL) ends a command that is waited for.
struct secrets *secrets_create(const atomic_bool *cancel);
void secrets_destroy(struct secrets *secrets); // NULL is fine
// The value, which lives as long as `secrets`; NULL with a remedy if there is none. `whose` begins the
// message: "model 'big'". Line breaks at the end are not part of it.
const char *secrets_read(struct secrets *secrets, const struct team_secret *secret,
	const char *whose, struct error *error);
