// Signals as events: blocked for the thread, read from a descriptor beside the others.

import CLinux
import Glibc

/// Signals that come as readable events while this object lives.
final class SignalQueue {
  /// Readable when a signal has come.
  let descriptor: Int32
  private var previous = sigset_t()

  init(_ signals: [Int32]) {
    var set = sigset_t()
    sigemptyset(&set)
    for number in signals { sigaddset(&set, number) }
    pthread_sigmask(SIG_BLOCK, &set, &previous)
    descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
  }

  deinit {
    close(descriptor)
    pthread_sigmask(SIG_SETMASK, &previous, nil)
  }

  /// The next signal that has come; `nil` if none has.
  func next() -> Int32? {
    var information = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    return read(descriptor, &information, size) == size ? Int32(information.ssi_signo) : nil
  }
}

/// Waits until one of the descriptors can be read (or is closed at the other end), at most so many
/// milliseconds (-1: without end). Descriptors below 0 are left out.
///
/// - Returns: for each descriptor, whether it is ready.
func waitReadable(_ descriptors: [Int32], milliseconds: Int32 = -1) -> [Bool] {
  var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
  let count = poll(&polled, nfds_t(polled.count), milliseconds)
  return polled.map { count > 0 && $0.fd >= 0 && $0.revents != 0 }
}
