// The program liburna-node: reads its command line, makes itself ready, and serves.

import CLinux
import Glibc
import Wire

public enum NodeProgram {
  /// Runs the program with the words after its name. Returns its exit code: 0 when the server closed the
  /// connection, 1 for a host that can't be served, 2 for a broken connection, 3 for a server of another
  /// version, 64 for a bad command line.
  public static func run(_ words: [String]) -> Int32 {
    do {
      let options = try AgentOptions(words)
      return try serve(options)
    } catch let error as UsageError {
      complain("liburna-node: \(error)\n\(AgentOptions.usage)")
      return 64
    } catch {
      complain("liburna-node: \(error)\n")
      return 1
    }
  }

  private static func serve(_ options: AgentOptions) throws(SystemError) -> Int32 {
    guard getuid() == 0 else {
      throw SystemError("the agent must be started by root", code: EPERM)
    }
    // Jobs inherit what is ignored.
    clinux_reset_signals()
    signal(SIGPIPE, SIG_IGN)
    // Inherited by shepherds, so that no word to them comes too early.
    clinux_block(ShepherdSignal.all, ShepherdSignal.all.count)
    umask(0o022)
    guard chdir("/") == 0 else { throw SystemError("cannot enter /") }
    try openStandardStreams()
    let openFiles = raiseOpenFiles()
    let groups = MountedControlGroups.find(root: options.groupRoot, usesCPUs: options.usesCPUs)
    let agent = try Agent(
      options: options, loop: EventLoop(), groups: groups, openFiles: openFiles)
    return try agent.serve(input: 0, output: 1)
  }

  /// A closed stream would hand its number to the next file that is opened.
  private static func openStandardStreams() throws(SystemError) {
    for number: Int32 in 0...2 where fcntl(number, F_GETFD) < 0 {
      guard open("/dev/null", O_RDWR) == number else { throw SystemError("cannot open /dev/null") }
    }
  }

  /// Every running attempt costs a descriptor. Returns the limit as it was.
  private static func raiseOpenFiles() -> UInt64 {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    let before = limit.rlim_cur
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return UInt64(before)
  }

  private static func complain(_ text: String) {
    Array(text.utf8).withUnsafeBytes { _ = write(2, $0.baseAddress, $0.count) }
  }
}
