/*
 * The functions of libgit2 that are used, from the library that is loaded on demand: with what it
 * brings along it would be most of the start-up of every verb, and most verbs do without.
 */
#pragma once

#include <git2.h>
#include <git2/sys/stream.h>

#include "base/error.h"

// X(name), as in git_name
#define GIT_FUNCTIONS(X)                                                                           \
	X(blob_create_from_buffer)                                                                 \
	X(commit_author)                                                                           \
	X(commit_create)                                                                           \
	X(commit_free)                                                                             \
	X(commit_id)                                                                               \
	X(commit_lookup)                                                                           \
	X(commit_message)                                                                          \
	X(commit_parent_id)                                                                        \
	X(commit_parentcount)                                                                      \
	X(commit_tree)                                                                             \
	X(commit_tree_id)                                                                          \
	X(credential_userpass_plaintext_new)                                                       \
	X(diff_buffers)                                                                            \
	X(diff_free)                                                                               \
	X(diff_get_delta)                                                                          \
	X(diff_num_deltas)                                                                         \
	X(diff_tree_to_tree)                                                                       \
	X(error_last)                                                                              \
	X(error_set_str)                                                                           \
	X(index_add)                                                                               \
	X(index_free)                                                                              \
	X(index_get_bypath)                                                                        \
	X(index_new)                                                                               \
	X(index_open)                                                                              \
	X(index_read_tree)                                                                         \
	X(index_remove)                                                                            \
	X(index_write)                                                                             \
	X(index_write_tree_to)                                                                     \
	X(libgit2_init)                                                                            \
	X(libgit2_opts)                                                                            \
	X(object_free)                                                                             \
	X(object_id)                                                                               \
	X(object_lookup)                                                                           \
	X(object_peel)                                                                             \
	X(odb_exists)                                                                              \
	X(odb_exists_prefix)                                                                       \
	X(odb_free)                                                                                \
	X(odb_hash)                                                                                \
	X(odb_object_data)                                                                         \
	X(odb_object_free)                                                                         \
	X(odb_object_size)                                                                         \
	X(odb_object_type)                                                                         \
	X(odb_open_wstream)                                                                        \
	X(odb_read)                                                                                \
	X(odb_read_header)                                                                         \
	X(odb_stream_finalize_write)                                                               \
	X(odb_stream_free)                                                                         \
	X(odb_stream_write)                                                                        \
	X(odb_write)                                                                               \
	X(odb_write_pack)                                                                          \
	X(oid_equal)                                                                               \
	X(oid_fromraw)                                                                             \
	X(oid_fromstr)                                                                             \
	X(oid_fromstrn)                                                                            \
	X(oid_is_zero)                                                                             \
	X(oid_tostr)                                                                               \
	X(packbuilder_free)                                                                        \
	X(packbuilder_insert_commit)                                                               \
	X(packbuilder_new)                                                                         \
	X(packbuilder_write)                                                                       \
	X(patch_free)                                                                              \
	X(patch_from_buffers)                                                                      \
	X(patch_get_hunk)                                                                          \
	X(patch_get_line_in_hunk)                                                                  \
	X(patch_num_hunks)                                                                         \
	X(reference_create)                                                                        \
	X(reference_free)                                                                          \
	X(reference_name_is_valid)                                                                 \
	X(reference_name_to_id)                                                                    \
	X(remote_connect_ext)                                                                      \
	X(remote_create_with_opts)                                                                 \
	X(remote_download)                                                                         \
	X(remote_free)                                                                             \
	X(remote_ls)                                                                               \
	X(repository_free)                                                                         \
	X(repository_init_ext)                                                                     \
	X(repository_odb)                                                                          \
	X(repository_open_bare)                                                                    \
	X(repository_open_ext)                                                                     \
	X(repository_workdir)                                                                      \
	X(signature_free)                                                                          \
	X(signature_new)                                                                           \
	X(signature_now)                                                                           \
	X(stream_register)                                                                         \
	X(tree_entry_byindex)                                                                      \
	X(tree_entry_bypath)                                                                       \
	X(tree_entry_filemode)                                                                     \
	X(tree_entry_free)                                                                         \
	X(tree_entry_id)                                                                           \
	X(tree_entry_name)                                                                         \
	X(tree_entry_type)                                                                         \
	X(tree_entrycount)                                                                         \
	X(tree_free)                                                                               \
	X(tree_id)                                                                                 \
	X(tree_lookup)

struct git_library {
#define GIT_MEMBER(name) __typeof__(git_##name) *name;
	GIT_FUNCTIONS(GIT_MEMBER)
#undef GIT_MEMBER
};

// Filled in by git_load().
extern struct git_library git;

// Loads the library and starts it, once per process. Whoever opens a history calls it first; what
// has a history, or an object, need not. Thread-safe. False with ERROR_UNAVAILABLE.
bool git_load(struct error *error);
