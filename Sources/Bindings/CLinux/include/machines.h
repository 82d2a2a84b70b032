// What virtual machines need of Linux: network ends for QEMU, and the calls of a guest's first steps.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Makes the tap interface `name` (at most 15 bytes) in the caller's network namespace. Returns its
// descriptor, which is passed on to programs that the caller becomes, or -1 with errno. The interface
// is gone when the last copy of the descriptor is closed.
int clinux_vm_tap(const char *name);

// The caller dies with the process that started it. False if that one is gone already.
bool clinux_vm_die_with(int parent);

// Loads an open kernel module, compressed or not. 0 (also if it is there already), or errno.
int clinux_vm_load_module(int file, bool compressed);

// Gives the kernel's generator of random numbers something new and makes it use it. 0, or errno.
int clinux_vm_reseed(const uint8_t *bytes, size_t count);

// Copies a file that consists of holes mostly, without filling them. 0, or errno.
int clinux_vm_copy_sparse(int from, int to);
