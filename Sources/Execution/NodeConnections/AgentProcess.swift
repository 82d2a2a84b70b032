// The local process whose input and output are the byte stream to an agent: ssh, a namespace entry, a child.

import CLinux
import Glibc
import Wire

/// A started command with its two pipes.
struct AgentProcess {
  let pid: pid_t
  /// What it prints.
  let output: Int32
  /// What it reads.
  let input: Int32

  /// Starts a command found in PATH; its standard error is the server's.
  ///
  /// - Returns: `nil` and a reason when it can't be started.
  static func start(_ words: [String]) -> Result<AgentProcess, LaunchError> {
    var toChild: [Int32] = [0, 0]
    var fromChild: [Int32] = [0, 0]
    guard pipe(&toChild) == 0 else { return .failure(LaunchError()) }
    guard pipe(&fromChild) == 0 else {
      defer { toChild.forEach { close($0) } }
      return .failure(LaunchError())
    }
    for descriptor in toChild + fromChild { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    defer {
      close(toChild[0])
      close(fromChild[1])
    }
    switch spawn(words, input: toChild[0], output: fromChild[1]) {
    case .success(let pid):
      return .success(AgentProcess(pid: pid, output: fromChild[0], input: toChild[1]))
    case .failure(let error):
      close(toChild[1])
      close(fromChild[0])
      return .failure(error)
    }
  }

  /// Starts a command found in PATH with an input and an output.
  static func spawn(
    _ words: [String], input: Int32, output: Int32
  ) -> Result<pid_t, LaunchError> {
    let strings = CStringStore()
    var pid = pid_t()
    let code = withExtendedLifetime(strings) {
      clinux_spawn(strings.list(words), input, output, &pid)
    }
    return code == 0 ? .success(pid) : .failure(LaunchError(code: code))
  }
}
