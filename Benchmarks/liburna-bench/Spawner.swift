// Processes of the commands that are measured, started without a shell between.

import Glibc

/// A command that runs.
struct Spawned {
  let pid: pid_t
  let began: Double
}

enum Spawner {
  /// Starts a command with its output going to /dev/null; errors are shown.
  static func start(_ words: [String]) throws -> Spawned {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    var copies: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    copies.append(nil)
    defer { for copy in copies { free(copy) } }
    var pid = pid_t()
    let began = Clock.milliseconds
    let code = posix_spawnp(&pid, words[0], &actions, nil, copies, environ)
    guard code == 0 else {
      throw BenchmarkError("cannot start \(words[0]): \(String(cString: strerror(code)))")
    }
    return Spawned(pid: pid, began: began)
  }

  /// Waits for one of the started commands; it must have succeeded.
  static func awaitAny() throws {
    var status: Int32 = 0
    while waitpid(-1, &status, 0) < 0 {
      guard errno == EINTR else { throw BenchmarkError("there is no process to wait for") }
    }
    guard status == 0 else {
      throw BenchmarkError("a command ended with the wait status \(status)")
    }
  }

  /// Runs a command to its end and gives its wall time in milliseconds.
  static func time(_ words: [String]) throws -> Double {
    let spawned = try start(words)
    try awaitAny()
    return Clock.milliseconds - spawned.began
  }

  /// Runs a command so many times, `parallel` at a time, and gives the rate per second.
  static func rate(_ words: [String], count: Int, parallel: Int) throws -> Double {
    let began = Clock.milliseconds
    var started = 0
    var ended = 0
    while ended < count {
      while started < count, started - ended < parallel {
        _ = try start(words)
        started += 1
      }
      try awaitAny()
      ended += 1
    }
    return Double(count) / (Clock.milliseconds - began) * 1000
  }
}
