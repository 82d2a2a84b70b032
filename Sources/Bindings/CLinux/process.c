// Starting, confining and watching processes: what the node agent needs of the kernel.

#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

// The child's part: only calls that are safe after fork in any process. Identity changes are made with
// the bare system calls, because the library's wrappers look for threads that are not there any more.

static void fail(int report, int step) {
  struct clinux_launch_report text = {step, errno};
  ssize_t ignored = write(report, &text, sizeof text);
  (void)ignored;
  _exit(127);
}

void clinux_reset_signals(void) {
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
}

int clinux_become(uid_t user, gid_t group, const gid_t *groups, size_t count) {
  if (syscall(SYS_setgroups, count, groups) != 0) return errno;
  if (syscall(SYS_setresgid, group, group, group) != 0) return errno;
  if (syscall(SYS_setresuid, user, user, user) != 0) return errno;
  return 0;
}

static void restore_open_files(uint64_t soft) {
  struct rlimit limit;
  if (soft == 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// A descriptor as given, else the file, else /dev/null.
static int stream(int given, const char *path, int flags) {
  if (given >= 0) return given;
  if (path == NULL) return open("/dev/null", flags | O_CLOEXEC);
  return open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC, 0666);
}

static void redirect(const struct clinux_launch *launch, int report) {
  if (launch->terminal >= 0) {
    for (int target = 0; target < 3; target++) {
      if (dup2(launch->terminal, target) < 0) fail(report, CLINUX_STEP_TERMINAL);
    }
    return;
  }
  int input = stream(launch->input, NULL, O_RDONLY);
  if (input < 0 || dup2(input, 0) < 0) fail(report, CLINUX_STEP_EXEC);
  int output = stream(launch->output, launch->output_path, O_WRONLY);
  if (output < 0 || dup2(output, 1) < 0) fail(report, CLINUX_STEP_OUTPUT);
  int error = stream(launch->error, launch->error_path, O_WRONLY);
  if (error < 0 || dup2(error, 2) < 0) fail(report, CLINUX_STEP_ERROR);
}

static void enter_directory(const struct clinux_launch *launch, int report) {
  if (launch->directory == NULL || chdir(launch->directory) == 0) return;
  if (launch->fallback_directory != NULL && chdir(launch->fallback_directory) == 0) return;
  fail(report, CLINUX_STEP_DIRECTORY);
}

__attribute__((noreturn)) static void run(const struct clinux_launch *launch, int report) {
  // Handlers go away by themselves; what is ignored stays so.
  signal(SIGPIPE, SIG_DFL);
  for (size_t index = 0; index < launch->group_file_count; index++) {
    if (write(launch->group_files[index], "0", 1) != 1) fail(report, CLINUX_STEP_CGROUP);
  }
  setsid();
  if (launch->terminal >= 0 && ioctl(launch->terminal, TIOCSCTTY, 0) != 0) {
    fail(report, CLINUX_STEP_TERMINAL);
  }
  umask(022);
  restore_open_files(launch->open_files);
  if (launch->drop) {
    int code = clinux_become(launch->user, launch->group, launch->groups, launch->group_count);
    if (code != 0) {
      errno = code;
      fail(report, CLINUX_STEP_IDENTITY);
    }
  }
  if (launch->hangup_with_parent) prctl(PR_SET_PDEATHSIG, SIGHUP);
  enter_directory(launch, report);
  redirect(launch, report);
  syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execve(launch->program, launch->arguments, launch->environment);
  fail(report, CLINUX_STEP_EXEC);
  _exit(127);
}

static pid_t clone_into(int group_directory) {
  struct clone_args arguments;
  memset(&arguments, 0, sizeof arguments);
  arguments.exit_signal = SIGCHLD;
  if (group_directory >= 0) {
    arguments.flags = CLONE_INTO_CGROUP;
    arguments.cgroup = (uint64_t)group_directory;
  }
  return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
}

pid_t clinux_launch(const struct clinux_launch *launch, int *report) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  sigset_t all, old;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &old);
  pid_t child = clone_into(launch->group_directory);
  if (child == 0) run(launch, ends[1]);
  int code = errno;
  sigprocmask(SIG_SETMASK, &old, NULL);
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    errno = code;
    return -1;
  }
  *report = ends[0];
  return child;
}

pid_t clinux_fork(void) { return fork(); }

void clinux_end_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }

int clinux_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int clinux_pidfd_queue(int pidfd, int signal, int value) {
  siginfo_t info;
  memset(&info, 0, sizeof info);
  info.si_signo = signal;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_int = value;
  return syscall(SYS_pidfd_send_signal, pidfd, signal, &info, 0) == 0 ? 0 : errno;
}

int clinux_pidfd_signal(int pidfd, int signal) {
  return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0 ? 0 : errno;
}

bool clinux_pidfd_ended(int pidfd) {
  struct pollfd one = {pidfd, POLLIN, 0};
  return poll(&one, 1, 0) > 0;
}

int clinux_memory_file(const void *bytes, size_t size) {
  int file = memfd_create("bytes", MFD_CLOEXEC);
  if (file < 0) return -1;
  if (write(file, bytes, size) == (ssize_t)size && lseek(file, 0, SEEK_SET) == 0) return file;
  int code = errno;
  close(file);
  errno = code;
  return -1;
}

void clinux_adopt_orphans(const char *name) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_NAME, name);
}

void clinux_close_from(int first) { syscall(SYS_close_range, (unsigned)first, ~0U, 0); }

static sigset_t set_of(const int *signals, size_t count) {
  sigset_t set;
  sigemptyset(&set);
  for (size_t index = 0; index < count; index++) sigaddset(&set, signals[index]);
  return set;
}

void clinux_block(const int *signals, size_t count) {
  sigset_t set = set_of(signals, count);
  sigprocmask(SIG_SETMASK, &set, NULL);
}

int clinux_signal_descriptor(const int *signals, size_t count) {
  sigset_t set = set_of(signals, count);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static struct flock whole_file(void) {
  struct flock lock;
  memset(&lock, 0, sizeof lock);
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

int clinux_lock(int file) {
  struct flock lock = whole_file();
  if (fcntl(file, F_SETLK, &lock) == 0) return 0;
  return errno == EACCES ? EAGAIN : errno;
}

pid_t clinux_lock_holder(int file) {
  struct flock lock = whole_file();
  if (fcntl(file, F_GETLK, &lock) != 0) return -1;
  return lock.l_type == F_UNLCK ? 0 : lock.l_pid;
}

int clinux_pipe(int ends[2], int flags) { return pipe2(ends, flags | O_CLOEXEC) == 0 ? 0 : errno; }

int clinux_resize_terminal(int terminal, uint16_t rows, uint16_t columns) {
  struct winsize size = {rows, columns, 0, 0};
  return ioctl(terminal, TIOCSWINSZ, &size) == 0 ? 0 : errno;
}

int clinux_open_terminal(uid_t owner, uint16_t rows, uint16_t columns, int *master, int *slave) {
  *master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (*master < 0) return errno;
  *slave = -1;
  int code = 0;
  if (unlockpt(*master) != 0) {
    code = errno;
  } else {
    // By the master itself: its path may lead elsewhere in another mount namespace.
    *slave = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*slave < 0 || fchown(*slave, owner, (gid_t)-1) != 0) code = errno;
  }
  if (code == 0) code = clinux_resize_terminal(*master, rows, columns);
  if (code != 0) {
    if (*slave >= 0) close(*slave);
    close(*master);
  }
  return code;
}

ssize_t clinux_send_descriptor(int socket, int descriptor, const void *bytes, size_t count) {
  char control[CMSG_SPACE(sizeof(int))];
  memset(control, 0, sizeof control);
  struct iovec part = {(void *)bytes, count};
  struct msghdr message = {0};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  return sendmsg(socket, &message, MSG_NOSIGNAL);
}

ssize_t clinux_receive_descriptor(int socket, int *descriptor, void *bytes, size_t count) {
  char control[CMSG_SPACE(sizeof(int))];
  struct iovec part = {bytes, count};
  struct msghdr message = {0};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  *descriptor = -1;
  ssize_t size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (size < 0) return size;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    memcpy(descriptor, CMSG_DATA(header), sizeof(int));
  }
  return size;
}

static int unix_socket(const char *path, struct sockaddr_un *address) {
  if (strlen(path) >= sizeof address->sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  strcpy(address->sun_path, path);
  return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static int give_up(int socket) {
  int code = errno;
  close(socket);
  errno = code;
  return -1;
}

int clinux_unix_listen(const char *path) {
  struct sockaddr_un address;
  int made = unix_socket(path, &address);
  if (made < 0) return -1;
  unlink(path);
  mode_t old = umask(0177);
  int bound = bind(made, (struct sockaddr *)&address, sizeof address);
  umask(old);
  return bound == 0 && listen(made, 16) == 0 ? made : give_up(made);
}

int clinux_unix_connect(const char *path) {
  struct sockaddr_un address;
  int made = unix_socket(path, &address);
  if (made < 0) return -1;
  return connect(made, (struct sockaddr *)&address, sizeof address) == 0 ? made : give_up(made);
}

// Commands of our own.

int clinux_spawn(char *const *words, int input, int output, pid_t *pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int code = posix_spawn_file_actions_init(&actions);
  if (code != 0) return code;
  code = posix_spawnattr_init(&attributes);
  if (code != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return code;
  }
  code = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  if (code == 0) code = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  if (code == 0) code = posix_spawnp(pid, words[0], &actions, &attributes, words, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return code;
}

void clinux_keep_memory(void) {
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_THRESHOLD, 1 << 25);
}
