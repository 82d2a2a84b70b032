// What is needed to start and hold processes: most of it by the node agent.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// How a program is to be started. Strings and arrays are only read during the call.
struct clinux_launch {
  // The file to run, its words and its environment (both end with NULL).
  const char *program;
  char *const *arguments;
  char *const *environment;
  // Entered as the user; NULL to stay. If it can't be entered: the fallback, where there is one.
  const char *directory;
  const char *fallback_directory;
  // Descriptors for 0, 1 and 2; -1 for the path below, and /dev/null without a path.
  int input, output, error;
  // Opened as the user, from the directory, made if missing and appended to.
  const char *output_path, *error_path;
  // A terminal that becomes the controlling one and 0, 1 and 2; -1 for none.
  int terminal;
  // cgroup v1: open `tasks` files to join; v2: an open directory to be born in, or -1.
  const int *group_files;
  size_t group_file_count;
  int group_directory;
  // Who runs it; only looked at with `drop`.
  bool drop;
  uid_t user;
  gid_t group;
  const gid_t *groups;
  size_t group_count;
  // SIGHUP when the thread that started it ends.
  bool hangup_with_parent;
  // The soft limit of open files to go back to; 0 to leave it.
  uint64_t open_files;
};

// Where a start failed.
enum clinux_step {
  CLINUX_STEP_NONE = 0,
  CLINUX_STEP_FORK,
  CLINUX_STEP_CGROUP,
  CLINUX_STEP_TERMINAL,
  CLINUX_STEP_IDENTITY,
  CLINUX_STEP_DIRECTORY,
  CLINUX_STEP_OUTPUT,
  CLINUX_STEP_ERROR,
  CLINUX_STEP_EXEC,
};

// What the child writes to the report pipe when it fails; the pipe just ends when it succeeds.
struct clinux_launch_report {
  int32_t step;
  int32_t code;
};

// Starts a program in a session of its own, with no signal blocked, SIGPIPE not ignored, umask 022 and no
// other descriptors. Returns its pid, with the read end of the report pipe; or -1 with errno set.
pid_t clinux_launch(const struct clinux_launch *launch, int *report);

// Starts a command found in PATH in a process group of its own, so that a signal to this process's terminal
// is not for it, and it can be ended with all that it starts. No signal is blocked or ignored there. `words`
// ends with NULL and has one before; `input` and `output` become its 0 and 1, and the rest is this process's.
// Returns 0, or an error number.
int clinux_spawn(char *const *words, int input, int output, pid_t *pid);

// Becomes the user for good: groups, group, user. Returns 0, or errno. For single-threaded processes.
int clinux_become(uid_t user, gid_t group, const gid_t *groups, size_t count);

// fork, for single-threaded processes only.
pid_t clinux_fork(void);

// Lets this process be killed when the thread that forked it ends.
void clinux_end_with_parent(void);

// A descriptor that becomes readable when the process ends, or -1 with errno set.
int clinux_pidfd_open(pid_t pid);

// Queues a signal with a value. Returns 0, or errno.
int clinux_pidfd_queue(int pidfd, int signal, int value);

// Sends a plain signal. Returns 0, or errno.
int clinux_pidfd_signal(int pidfd, int signal);

// Whether the process of the descriptor has ended.
bool clinux_pidfd_ended(int pidfd);

// A file in memory that holds these bytes, read from its beginning and closed by exec; or -1 with errno set.
int clinux_memory_file(const void *bytes, size_t size);

// Makes orphaned descendants children of this process, and names it in process lists.
void clinux_adopt_orphans(const char *name);

// Closes every descriptor from `first` on.
void clinux_close_from(int first);

// Gives every signal its default meaning, whatever this process was started with.
void clinux_reset_signals(void);

// Blocks exactly these signals in the calling thread.
void clinux_block(const int *signals, size_t count);

// A non-blocking descriptor from which the (blocked) signals are read.
int clinux_signal_descriptor(const int *signals, size_t count);

// A lock on a file that the kernel drops when the process ends; children don't inherit it, and closing
// any descriptor of the file drops it. Returns 0, or errno (EAGAIN: somebody holds it).
int clinux_lock(int file);

// The process that holds the lock; 0 for nobody, -1 with errno set.
pid_t clinux_lock_holder(int file);

// pipe2 with O_CLOEXEC and further flags. Returns 0, or errno.
int clinux_pipe(int ends[2], int flags);

// A new pseudo-terminal whose user side belongs to `owner`. Returns 0, or errno.
int clinux_open_terminal(uid_t owner, uint16_t rows, uint16_t columns, int *master, int *slave);

// Returns 0, or errno.
int clinux_resize_terminal(int terminal, uint16_t rows, uint16_t columns);

// Sends a descriptor with `count` (at least 1) bytes over a unix socket. Returns the number of bytes sent, or -1.
ssize_t clinux_send_descriptor(int socket, int descriptor, const void *bytes, size_t count);

// Receives bytes and, if one came, a descriptor (else -1). Returns as read does.
ssize_t clinux_receive_descriptor(int socket, int *descriptor, void *bytes, size_t count);

// A unix stream socket, non-blocking, that listens on, or is connected to, a path. -1 with errno set.
int clinux_unix_listen(const char *path);
int clinux_unix_connect(const char *path);

// Lets the process keep what it frees, up to 1 GiB, instead of giving it back to the system each time.
void clinux_keep_memory(void);
