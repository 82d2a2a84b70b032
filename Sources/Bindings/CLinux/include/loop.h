// What an event loop and its sockets need: epoll, eventfd, timers, peer credentials.
#pragma once
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/types.h>

// Who is at the other end of a unix socket. Returns 0, or errno.
int clinux_peer_credentials(int socket, pid_t *pid, uid_t *uid, gid_t *gid);

// accept4 with SOCK_CLOEXEC | SOCK_NONBLOCK. Returns the descriptor, or -1 with errno set.
int clinux_accept(int socket);
