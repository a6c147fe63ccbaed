#include "manifest/grants.h"

bool grants_check(const struct manifest_place *place, struct error *error)
{
	const struct yaml_node *grants = yaml_get(place->team->manifest.node, "extra_path_grants");
	if (!grants || grants->kind != YAML_LIST || grants->count == 0) {
		return true;
	}
	error_set(error, ERROR_UNAVAILABLE, "%s:%u:%u: sandbox '%s' cannot carry out path grants",
		grants->position.file, grants->position.line, grants->position.column,
		place->driver->name);
	return error_hint(error, "copy what is needed with 'local_dir'");
}
