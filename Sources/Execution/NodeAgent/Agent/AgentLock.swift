// One agent a state directory: a new one takes over from the old, which a lost connection may have left.

import CLinux
import Glibc

enum AgentLock {
  /// Milliseconds for which an old agent may take to end after SIGTERM; then it is killed.
  static let patience: Int32 = 2000

  /// Takes the lock for as long as this process lives; ends whoever holds it.
  static func take(in state: String) throws(SystemError) {
    let path = state + "/agent.lock"
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw SystemError("cannot open \(path)") }
    while true {
      let code = clinux_lock(file)
      if code == 0 { return }
      guard code == EAGAIN else { throw SystemError("cannot lock \(path)", code: code) }
      endHolder(of: file)
    }
  }

  /// The process is named by the lock before and after its descriptor was opened: so it is the holder.
  private static func endHolder(of file: Int32) {
    let holder = clinux_lock_holder(file)
    guard holder > 0 else { return }
    let pidfd = clinux_pidfd_open(holder)
    guard pidfd >= 0 else { return }
    defer { close(pidfd) }
    guard clinux_lock_holder(file) == holder else { return }
    for signal in [SIGTERM, SIGKILL] {
      _ = clinux_pidfd_signal(pidfd, signal)
      var event = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
      if poll(&event, 1, patience) > 0 { return }
    }
  }
}
