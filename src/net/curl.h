/* The functions of libcurl that are used, from the library that is loaded on demand. */
#pragma once

#include <curl/curl.h>

#include "base/error.h"

// X(result, name, parameters)
#define CURL_FUNCTIONS(X)                                                                          \
	X(CURLcode, global_init, (long))                                                           \
	X(CURL *, easy_init, (void))                                                               \
	X(void, easy_cleanup, (CURL *))                                                            \
	X(void, easy_reset, (CURL *))                                                              \
	X(CURLcode, easy_perform, (CURL *))                                                        \
	X(CURLcode, easy_setopt, (CURL *, CURLoption, ...))                                        \
	X(CURLcode, easy_getinfo, (CURL *, CURLINFO, ...))                                         \
	X(const char *, easy_strerror, (CURLcode))                                                 \
	X(struct curl_slist *, slist_append, (struct curl_slist *, const char *))                  \
	X(void, slist_free_all, (struct curl_slist *))                                             \
	X(CURLM *, multi_init, (void))                                                             \
	X(CURLMcode, multi_setopt, (CURLM *, CURLMoption, ...))                                    \
	X(CURLMcode, multi_add_handle, (CURLM *, CURL *))                                          \
	X(CURLMcode, multi_remove_handle, (CURLM *, CURL *))                                       \
	X(CURLMcode, multi_perform, (CURLM *, int *))                                              \
	X(CURLMcode, multi_poll, (CURLM *, struct curl_waitfd *, unsigned, int, int *))            \
	X(CURLMcode, multi_wakeup, (CURLM *))                                                      \
	X(CURLMsg *, multi_info_read, (CURLM *, int *))                                            \
	X(time_t, getdate, (const char *, const time_t *))

struct curl_library {
#define CURL_MEMBER(result, name, parameters) result(*name) parameters;
	CURL_FUNCTIONS(CURL_MEMBER)
#undef CURL_MEMBER
};

// Loaded once per process; NULL with the reason (ERROR_UNAVAILABLE). Thread-safe.
const struct curl_library *curl_library(struct error *error);
