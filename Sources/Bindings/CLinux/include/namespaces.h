// What the lab needs to make hosts out of kernel namespaces: starting a process in new or existing
// namespaces and cgroups, and the calls that set such a host up.
#pragma once
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// Kinds of namespaces, to be combined: the kernel's CLONE_NEW* flags, which Swift can't see.
extern const uint64_t clinux_ns_mount, clinux_ns_hostname, clinux_ns_ipc, clinux_ns_pid,
    clinux_ns_network, clinux_ns_cgroup;

// The most descriptors a started process may be handed.
#define CLINUX_NS_MAX_DESCRIPTORS 16

// How to start one process. The child runs only system calls between clone and exec.
struct clinux_ns_launch {
  int program;             // descriptor of the executable, or -1 to use `paths`
  char *const *paths;      // NULL-terminated; the first that exists, as the child sees it, is run
  char *const *arguments;  // NULL-terminated
  char *const *environment;
  const int *descriptors;  // the i-th becomes the child's descriptor i; all others are closed
  int descriptor_count;
  int birth_cgroup;        // descriptor of a v2 cgroup directory to be born in, or -1
  const int *memberships;  // cgroup.procs files to enter before namespaces are made
  int membership_count;
  int join;                // pidfd of a process whose namespaces are joined first, or -1
  uint64_t join_kinds;
  uint64_t make_kinds;     // namespaces made anew for the child
  const int *leaves;       // cgroup.procs files to enter after namespaces are made
  int leaf_count;
  const char *directory;   // NULL: keep
  bool change_user;
  uid_t user;
  gid_t group;
  const gid_t *groups;
  int group_count;
  bool new_session;
  bool controlling_terminal;  // descriptor 0 becomes the terminal of the new session
  bool confine;               // give up the capabilities that could harm the machine
  bool makes_devices;         // … but not the one to make device nodes, as containers need them
  bool bound;                 // die with the thread that starts it, until it calls `clinux_ns_outlive`
};

// Starts the process. Returns 0 and its pid (as the caller sees it) and pidfd, or errno with
// `*step` naming what failed.
int clinux_ns_start(
    const struct clinux_ns_launch *launch, pid_t *pid, int *pidfd, const char **step);

// From now on the calling process may outlive the one that started it.
void clinux_ns_outlive(void);

// A descriptor for the process, or -1 with errno.
int clinux_ns_pidfd(pid_t pid);

// A route netlink socket in the network namespace that `network` (a /proc/PID/ns/net descriptor)
// names, or in the caller's own if it is -1. Returns the descriptor, or -1 with errno.
int clinux_ns_route_socket(int network);

// A stream socket made in that network namespace. Returns the descriptor, or -1 with errno.
int clinux_ns_stream_socket(int network);

// Makes `new_root` the root of the caller's mount namespace and lets the old one go. 0, or errno.
int clinux_ns_enter_root(const char *new_root);

// The user's end of the pseudo-terminal whose master is given. A descriptor, or -1 with errno.
int clinux_ns_terminal_peer(int master);

// Unlocks a pseudo-terminal's master. Returns 0, or errno.
int clinux_ns_terminal_unlock(int master);

// A new user namespace for the calling process, which must have one thread: there it is root, with the other
// ids that `user_map` and `group_map` give it. Both are the words (ending with NULL) of newuidmap and
// newgidmap, which are run outside; what they complain about goes to the descriptor `complaints`. Returns 0,
// or errno with `*step` naming what failed.
int clinux_ns_become_root(
    char *const *user_map, char *const *group_map, int complaints, const char **step);

// Makes a directory hide what lower layers have in its place, in overlays made in user namespaces. 0, or errno.
int clinux_ns_make_opaque(const char *directory);

// Joins the user namespace of a /proc/PID/ns/user descriptor; the calling process must have one thread.
// Returns 0, or errno.
int clinux_ns_join_user(int user_namespace);
