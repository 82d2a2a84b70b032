// Ending labs that have no cgroups: a host is its pid namespace, which ends with its first process.

import CLinux
import Glibc

enum FirstProcesses {
  /// How long killed processes may take to be gone, in seconds: memory is freed meanwhile.
  private static let deathDeadline = 20

  /// The holder and the first processes of hosts that show themselves as a lab's by their words: also
  /// those that nobody has come to remember.
  static func find(of lab: String) -> [KnownProcess] {
    Files.list("/proc").compactMap { name in
      guard let pid = pid_t(name), pid != getpid(), isOwn(pid),
        let text = Files.value("/proc/\(pid)/cmdline")
      else { return nil }
      let words = text.split(separator: "\0", omittingEmptySubsequences: false)
      guard words.count > 3, words[1] == "lab", words[3] == lab,
        words[2] == Lab.holderCommand || words[2] == Lab.hostCommand
      else { return nil }
      return KnownProcess(pid: pid)
    }
  }

  private static func isOwn(_ pid: pid_t) -> Bool {
    var status = stat()
    return stat("/proc/\(pid)", &status) == 0 && status.st_uid == geteuid()
  }

  /// Kills processes and waits until they are gone. The first process of a pid namespace is gone only when
  /// all others there are.
  static func end(_ processes: [KnownProcess]) throws {
    let held = processes.compactMap { process -> (process: KnownProcess, descriptor: Int32)? in
      let descriptor = clinux_ns_pidfd(process.pid)
      guard descriptor >= 0 else { return nil }
      // Opened first, then checked: the pid can't become another's while we hold it.
      guard process.isAlive else {
        close(descriptor)
        return nil
      }
      return (process, descriptor)
    }
    defer { for (_, descriptor) in held { close(descriptor) } }
    for (_, descriptor) in held { _ = clinux_pidfd_signal(descriptor, SIGKILL) }
    let deadline = Deadline(seconds: deathDeadline)
    for (process, descriptor) in held {
      var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      while poll(&wait, 1, deadline.remaining) != 1 {
        guard !deadline.isOver else {
          throw LabError("process \(process.pid) does not die; look at /proc/\(process.pid)/stack")
        }
      }
    }
  }

  /// Stops all processes in the pid namespace of a first process, or lets them go on.
  static func stop(_ first: KnownProcess, _ isStopped: Bool) throws {
    guard let namespace = space(of: first.pid), first.isAlive else {
      throw LabError("it has just died")
    }
    // The first one goes first and last: it must not see the others stop.
    for name in [String(first.pid)] + Files.list("/proc") {
      guard let pid = pid_t(name), space(of: pid) == namespace else { continue }
      Glibc.kill(pid, isStopped ? SIGSTOP : SIGCONT)
    }
  }

  private static func space(of pid: pid_t) -> ino_t? {
    var status = stat()
    return stat("/proc/\(pid)/ns/pid", &status) == 0 ? status.st_ino : nil
  }
}
