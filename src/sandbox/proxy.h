/*
 * A proxy (HTTP, and CONNECT for everything in TLS) that lets a sandbox without a network reach
 * chosen hosts. It runs in the harness and takes connections from a socket that listens on the
 * sandbox's loopback; there is no other way out.
 *
 * Hosts: "example.org", "*.example.org" (whatever ends with .example.org), an address; with a port
 * ("example.org:8080"), else 80 and 443. Names that lead to addresses of this machine or of a private
 * network are refused, so that nobody's name server can send us there; who wants such a host names
 * its address, or localhost. What is in a TLS connection cannot be looked at: a host that serves
 * others' names, too, can be asked for these.
 *
 * One thread that accepts, one for each connection (at most PROXY_MOST).
 */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/text.h"

enum { PROXY_MOST = 64 };

struct proxy;

// Takes over `listener`; `hosts` ends with NULL and outlives it. NULL on error.
struct proxy *proxy_create(int listener, const char *const *hosts, struct error *error);
void proxy_destroy(struct proxy *proxy); // cuts all connections; NULL is fine

// Is the host (as in a URL, in any case) among the hosts? *named: as an address or localhost.
bool proxy_host_allowed(const char *const *hosts, struct text host, unsigned port, bool *named);
// Is it an address of the public internet?
bool proxy_address_public(const struct sockaddr *address);
