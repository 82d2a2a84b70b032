// What virtual machines need of Linux.
#define _GNU_SOURCE
#include "machines.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/random.h>
#include <net/if.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// A kernel starts its first process without /proc, and Swift's runtime, which looks itself up there,
// gives up before any code of ours could mount it.
__attribute__((constructor(101))) static void mount_proc(void) {
  if (getpid() == 1 && access("/proc/self/exe", F_OK) != 0) {
    mkdir("/proc", 0555);
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  }
}

int clinux_vm_tap(const char *name) {
  int tap = open("/dev/net/tun", O_RDWR);
  if (tap < 0) return -1;
  struct ifreq request;
  memset(&request, 0, sizeof request);
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
  if (ioctl(tap, TUNSETIFF, &request) == 0) return tap;
  int error = errno;
  close(tap);
  errno = error;
  return -1;
}

bool clinux_vm_die_with(int parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return false;
  return getppid() == parent;
}

int clinux_vm_load_module(int file, bool compressed) {
  const int compressed_file = 4;  // MODULE_INIT_COMPRESSED_FILE
  if (syscall(SYS_finit_module, file, "", compressed ? compressed_file : 0) == 0) return 0;
  return errno == EEXIST ? 0 : errno;
}

int clinux_vm_reseed(const uint8_t *bytes, size_t count) {
  int device = open("/dev/urandom", O_RDWR | O_CLOEXEC);
  if (device < 0) return errno;
  struct {
    struct rand_pool_info head;
    uint8_t bytes[256];
  } pool;
  memset(&pool, 0, sizeof pool);
  if (count > sizeof pool.bytes) count = sizeof pool.bytes;
  memcpy(pool.bytes, bytes, count);
  pool.head.entropy_count = (int)count * 8;
  pool.head.buf_size = (int)count;
  int error = ioctl(device, RNDADDENTROPY, &pool) == 0 && ioctl(device, RNDRESEEDCRNG) == 0 ? 0 : errno;
  close(device);
  return error;
}

int clinux_vm_copy_sparse(int from, int to) {
  struct stat status;
  if (fstat(from, &status) != 0 || ftruncate(to, status.st_size) != 0) return errno;
  off_t place = 0;
  while ((place = lseek(from, place, SEEK_DATA)) >= 0) {
    off_t end = lseek(from, place, SEEK_HOLE);
    if (end < 0) return errno;
    char chunk[65536];
    while (place < end) {
      size_t wanted = end - place < (off_t)sizeof chunk ? (size_t)(end - place) : sizeof chunk;
      ssize_t got = pread(from, chunk, wanted, place);
      if (got <= 0) return got < 0 ? errno : EIO;
      if (pwrite(to, chunk, (size_t)got, place) != got) return errno ? errno : EIO;
      place += got;
    }
  }
  return errno == ENXIO ? 0 : errno;
}
