// Starting processes in namespaces, and the set-up calls of a host. Between clone and exec only
// system calls are made, through syscall(2) where glibc's wrapper would reach for other threads.
#define _GNU_SOURCE
#include "namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

const uint64_t clinux_ns_mount = CLONE_NEWNS, clinux_ns_hostname = CLONE_NEWUTS,
               clinux_ns_ipc = CLONE_NEWIPC, clinux_ns_pid = CLONE_NEWPID,
               clinux_ns_network = CLONE_NEWNET, clinux_ns_cgroup = CLONE_NEWCGROUP;

// What a host must not have: they reach past its namespaces to the machine itself.
static const int dangerous_capabilities[] = {CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_TIME,
                                             CAP_SYS_BOOT, CAP_MKNOD};

struct failure {
  int error;
  int step;
};

static const char *const steps[] = {
    "clone",       "join a cgroup",          "join the namespaces", "make the namespaces",
    "pass descriptors", "make a session",    "take the terminal",   "give up capabilities",
    "change the user",  "enter the directory", "run the program",   "bind it to the tool"};
enum { CLONE, CGROUP, JOIN, MAKE, PASS, SESSION, TERMINAL, CONFINE, USER, DIRECTORY, RUN, BIND };

static void fail(int report, int step) {
  struct failure failure = {errno, step};
  ssize_t ignored = write(report, &failure, sizeof failure);
  (void)ignored;
  _exit(127);
}

static void enter_cgroups(const int *procs, int count, int report) {
  for (int i = 0; i < count; i++)
    if (write(procs[i], "0", 1) != 1) fail(report, CGROUP);
}

// Puts the descriptors at 0, 1, 2 ... and marks everything above for closing. Returns where the
// report pipe and the program now are.
static void pass_descriptors(const struct clinux_ns_launch *launch, int *report, int *program) {
  int moved[CLINUX_NS_MAX_DESCRIPTORS];
  int free_from = CLINUX_NS_MAX_DESCRIPTORS;
  *report = fcntl(*report, F_DUPFD_CLOEXEC, free_from);
  if (*program >= 0) *program = fcntl(*program, F_DUPFD_CLOEXEC, free_from);
  for (int i = 0; i < launch->descriptor_count; i++) {
    moved[i] = fcntl(launch->descriptors[i], F_DUPFD_CLOEXEC, free_from);
    if (moved[i] < 0) fail(*report, PASS);
  }
  for (int i = 0; i < launch->descriptor_count; i++)
    if (dup2(moved[i], i) < 0) fail(*report, PASS);
  if (syscall(SYS_close_range, launch->descriptor_count, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
    fail(*report, PASS);
}

static void reset_signals(void) {
  struct sigaction standard;
  memset(&standard, 0, sizeof standard);
  standard.sa_handler = SIG_DFL;
  for (int i = 1; i < _NSIG; i++) sigaction(i, &standard, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static void change_user(const struct clinux_ns_launch *launch, int report) {
  if (syscall(SYS_setgroups, (size_t)launch->group_count, launch->groups) != 0 ||
      syscall(SYS_setresgid, launch->group, launch->group, launch->group) != 0 ||
      syscall(SYS_setresuid, launch->user, launch->user, launch->user) != 0)
    fail(report, USER);
}

static void confine(const struct clinux_ns_launch *launch, int report) {
  size_t count = sizeof dangerous_capabilities / sizeof *dangerous_capabilities;
  for (size_t i = 0; i < count; i++) {
    if (dangerous_capabilities[i] == CAP_MKNOD && launch->makes_devices) continue;
    if (prctl(PR_CAPBSET_DROP, dangerous_capabilities[i], 0, 0, 0) != 0) fail(report, CONFINE);
  }
}

// Tries each path in turn, as a shell searches PATH; a file that may not be run is remembered.
static void run_first(const struct clinux_ns_launch *launch) {
  int error = ENOENT;
  for (char *const *path = launch->paths; *path; path++) {
    execve(*path, launch->arguments, launch->environment);
    if (errno != ENOENT && errno != ENOTDIR) error = errno;
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) break;
  }
  errno = error;
}

// The kernel kills us when the thread that started us ends. It may have ended already: then nobody can
// read what we report.
static void live_and_die_with_parent(const int ends[2]) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail(ends[1], BIND);
  close(ends[0]);
  struct pollfd reader = {ends[1], 0, 0};
  if (poll(&reader, 1, 0) > 0) _exit(127);
}

static void become(const struct clinux_ns_launch *launch, const int ends[2]) {
  int program = launch->program;
  int report = ends[1];
  if (launch->bound) live_and_die_with_parent(ends);
  enter_cgroups(launch->memberships, launch->membership_count, report);
  if (launch->join >= 0) {
    uint64_t kinds = launch->join_kinds & ~(uint64_t)CLONE_NEWPID;
    if (kinds && setns(launch->join, (int)kinds) != 0) fail(report, JOIN);
  }
  uint64_t make = launch->make_kinds & ~(uint64_t)CLONE_NEWPID;
  if (make && unshare((int)make) != 0) fail(report, MAKE);
  enter_cgroups(launch->leaves, launch->leaf_count, report);
  pass_descriptors(launch, &report, &program);
  if (launch->new_session && setsid() < 0) fail(report, SESSION);
  if (launch->controlling_terminal && ioctl(0, TIOCSCTTY, 0) != 0) fail(report, TERMINAL);
  if (launch->confine) confine(launch, report);
  if (launch->change_user) change_user(launch, report);
  if (launch->directory && chdir(launch->directory) != 0) fail(report, DIRECTORY);
  reset_signals();
  if (program >= 0)
    syscall(
        SYS_execveat, program, "", launch->arguments, launch->environment, AT_EMPTY_PATH);
  else
    run_first(launch);
  fail(report, RUN);
}

static pid_t clone_child(const struct clinux_ns_launch *launch, int *pidfd, bool for_parent) {
  struct clone_args arguments;
  memset(&arguments, 0, sizeof arguments);
  arguments.flags = CLONE_PIDFD | (launch->make_kinds & CLONE_NEWPID);
  arguments.pidfd = (uint64_t)(uintptr_t)pidfd;
  if (for_parent)
    arguments.flags |= CLONE_PARENT;
  else
    arguments.exit_signal = SIGCHLD;
  if (launch->birth_cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = (uint64_t)launch->birth_cgroup;
  }
  return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
}

// Reads what the child reports: nothing once it runs its program.
static int read_report(int report, pid_t child, const char **step) {
  struct failure failure = {0, 0};
  ssize_t got;
  do {
    got = read(report, &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return 0;
  while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
  }
  *step = steps[failure.step];
  return failure.error ? failure.error : EIO;
}

// Runs `work` in a process of its own that shares our memory and descriptors, while we stand still. Its
// namespaces are its own: a thread that leaves its namespaces may lack the right to come back. All signals
// must be blocked. Returns 0, or errno.
static int run_aside(int (*work)(void *), void *argument) {
  enum { STACK = 256 << 10 };
  char *stack =
      mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return errno;
  int flags = CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD;
  pid_t aside = clone(work, stack + STACK, flags, argument);
  int error = aside < 0 ? errno : 0;
  while (aside > 0 && waitpid(aside, NULL, 0) < 0 && errno == EINTR) {
  }
  munmap(stack, STACK);
  return error;
}

struct birth {
  const struct clinux_ns_launch *launch;
  const int *ends;
  pid_t *pid;
  int *pidfd;
  int error;
  int step;
};

// A child of ours that is born in the joined process's pid namespace.
static int bear_inside(void *argument) {
  struct birth *birth = argument;
  if (setns(birth->launch->join, CLONE_NEWPID) != 0) {
    birth->error = errno;
    birth->step = JOIN;
    return 0;
  }
  *birth->pid = clone_child(birth->launch, birth->pidfd, true);
  if (*birth->pid == 0) become(birth->launch, birth->ends);
  if (*birth->pid < 0) birth->error = errno;
  return 0;
}

static int bear(struct birth *birth) {
  const struct clinux_ns_launch *launch = birth->launch;
  if (launch->join >= 0 && (launch->join_kinds & CLONE_NEWPID)) {
    int error = run_aside(bear_inside, birth);
    return error ? error : birth->error;
  }
  *birth->pid = clone_child(launch, birth->pidfd, false);
  if (*birth->pid == 0) become(launch, birth->ends);
  return *birth->pid < 0 ? errno : 0;
}

int clinux_ns_start(
    const struct clinux_ns_launch *launch, pid_t *pid, int *pidfd, const char **step) {
  *step = steps[CLONE];
  if (launch->descriptor_count > CLINUX_NS_MAX_DESCRIPTORS) return EINVAL;
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) return errno;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  struct birth birth = {launch, report, pid, pidfd, 0, CLONE};
  int error = bear(&birth);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  *step = steps[birth.step];
  close(report[1]);
  if (!error) {
    error = read_report(report[0], *pid, step);
    if (error) close(*pidfd);
  }
  close(report[0]);
  return error;
}

void clinux_ns_outlive(void) { prctl(PR_SET_PDEATHSIG, 0); }

int clinux_ns_pidfd(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

struct wanted_socket {
  int network, family, type, protocol, made, error;
};

static int make_socket(void *argument) {
  struct wanted_socket *wanted = argument;
  if (wanted->network < 0 || setns(wanted->network, CLONE_NEWNET) == 0)
    wanted->made = socket(wanted->family, wanted->type | SOCK_CLOEXEC, wanted->protocol);
  wanted->error = errno;
  return 0;
}

// A socket belongs to the namespace of the thread that made it, whoever uses it later.
static int socket_in(int network, int family, int type, int protocol) {
  struct wanted_socket wanted = {network, family, type, protocol, -1, 0};
  if (network < 0) {
    make_socket(&wanted);
  } else {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = run_aside(make_socket, &wanted);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) wanted.error = error;
  }
  errno = wanted.error;
  return wanted.made;
}

int clinux_ns_route_socket(int network) {
  return socket_in(network, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

int clinux_ns_stream_socket(int network) {
  return socket_in(network, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
}

int clinux_ns_enter_root(const char *new_root) {
  // Stacking the old root on the new one and detaching it needs no directory for the old one.
  if (chdir(new_root) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 ||
      umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
    return errno;
  return 0;
}

int clinux_ns_terminal_peer(int master) {
  return ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

int clinux_ns_terminal_unlock(int master) {
  int locked = 0;
  return ioctl(master, TIOCSPTLCK, &locked) == 0 ? 0 : errno;
}
