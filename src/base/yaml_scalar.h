/*
 * What a scalar without quotes means: the core schema of YAML 1.2 (chapter 10.3). For yaml.c only.
 */
#pragma once

#include "base/yaml.h"

// Sets kind and value from node->text, which has a zero byte behind it.
void yaml_resolve(struct yaml_node *node);
