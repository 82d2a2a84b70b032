// What the event loop and the sockets need and Swift can't see.

#define _GNU_SOURCE
#include "loop.h"

#include <errno.h>
#include <sys/socket.h>

int clinux_peer_credentials(int socket, pid_t *pid, uid_t *uid, gid_t *gid) {
  struct ucred who;
  socklen_t size = sizeof who;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return errno;
  *pid = who.pid;
  *uid = who.uid;
  *gid = who.gid;
  return 0;
}

int clinux_accept(int socket) {
  return accept4(socket, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK);
}
