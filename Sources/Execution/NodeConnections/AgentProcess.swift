// The local process whose input and output are the byte stream to an agent: ssh, a namespace entry, a child.

import Glibc

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
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // A group of its own: a signal to the server's terminal is not for the agents.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    posix_spawnattr_setflags(&attributes, Int16(flags))
    var arguments = words.map { strdup($0) }
    defer { arguments.forEach { free($0) } }
    arguments.append(nil)
    var pid = pid_t()
    let code = posix_spawnp(&pid, words[0], &actions, &attributes, arguments, environ)
    return code == 0 ? .success(pid) : .failure(LaunchError(code: code))
  }
}

/// Why a command could not be started.
struct LaunchError: Error, CustomStringConvertible {
  var code = errno
  var description: String { String(cString: strerror(code)) }
}
