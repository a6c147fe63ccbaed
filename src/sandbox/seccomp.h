/*
 * The system calls that commands in the Unix-local sandbox are denied: what reaches other processes'
 * memory, namespaces and mounts, the kernel's keyrings and modules, unusual sockets, terminal input
 * injection, and making files that run as their owner. They fail with EPERM; everything else is allowed, so ordinary programs notice
 * nothing.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"

// A descriptor to hand to bubblewrap (--seccomp FD), positioned at the start; -1 on error.
// Without network only AF_UNIX, AF_INET and AF_INET6 sockets can be made (the network namespace has
// nothing but loopback).
int seccomp_filter(struct error *error);
