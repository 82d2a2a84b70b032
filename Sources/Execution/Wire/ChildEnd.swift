// How a child process ended: awaited on the loop or by a thread that has nothing else to do, in a word for logs.

import CLinux
import Glibc

/// What became of a program that was to run as a child.
public enum ChildEnd: Hashable, Sendable, CustomStringConvertible {
  case exited(Int)
  case signalled(Int)
  /// It was killed, with all that it had started, because it took longer than it may.
  case tookTooLong
  /// It did not run, with the reason.
  case notStarted(String)

  /// - Parameter status: as `waitpid` gives it.
  public init(status: Int32) {
    let signal = Int(status & 127)
    self = signal == 0 ? .exited(Int(status >> 8 & 255)) : .signalled(signal)
  }

  /// What is not as it should be; `nil` if it ended with 0.
  public var problem: String? { self == .exited(0) ? nil : description }

  /// The rest of a sentence that begins with the program.
  public var description: String {
    switch self {
    case .exited(let code): "ended with exit code \(code)"
    case .signalled(let signal): "ended by signal \(signal)"
    case .tookTooLong: "did not end in time"
    case .notStarted(let reason): "can't be started: \(reason)"
    }
  }

  /// Waits for the end of a child that leads a process group, so many seconds at most. Blocks.
  public static func of(_ child: pid_t, within seconds: Int) -> ChildEnd {
    let pidfd = clinux_pidfd_open(child)
    guard pidfd >= 0 else { return unwatchable(child) }
    defer { close(pidfd) }
    let deadline = EventLoop.monotonicNanoseconds + UInt64(max(0, seconds)) * 1_000_000_000
    while true {
      let now = EventLoop.monotonicNanoseconds
      let left = now < deadline ? (deadline - now) / 1_000_000 + 1 : 0
      var entry = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
      let count = poll(&entry, 1, Int32(clamping: left))
      if count > 0 { return reap(child) }
      if count < 0, errno == EINTR { continue }
      end(child)
      return .tookTooLong
    }
  }

  /// Kills a child that leads a process group, and all that it started.
  public static func end(_ child: pid_t) {
    kill(-child, SIGKILL)
    reap(child)
  }

  /// What nobody could end in time must not run.
  fileprivate static func unwatchable(_ child: pid_t) -> ChildEnd {
    let reason = String(cString: strerror(errno))
    end(child)
    return .notStarted("it can't be watched: \(reason)")
  }

  /// Waits for the end of a child, however long it takes.
  @discardableResult
  public static func reap(_ child: pid_t) -> ChildEnd {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    return ChildEnd(status: status)
  }
}

extension EventLoop {
  /// Waits for the end of a child that leads a process group; one that takes too long is killed.
  ///
  /// - Parameters:
  ///   - limit: seconds.
  ///   - whenDone: called on the loop, once.
  public func wait(
    for child: pid_t, limit: Double, whenDone: @escaping (ChildEnd) -> Void
  ) {
    let pidfd = clinux_pidfd_open(child)
    guard pidfd >= 0 else { return whenDone(.unwatchable(child)) }
    var isLate = false
    let timer = after(limit) {
      isLate = true
      kill(-child, SIGKILL)
    }
    watch(pidfd, for: .read) { [unowned self] _ in
      var status: Int32 = 0
      guard waitpid(child, &status, WNOHANG) != 0 else { return }
      cancel(timer)
      unwatch(pidfd)
      close(pidfd)
      whenDone(isLate ? .tookTooLong : ChildEnd(status: status))
    }
  }
}
