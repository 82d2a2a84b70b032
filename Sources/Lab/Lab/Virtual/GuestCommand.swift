// A command in a virtual machine, as it arrives over ssh: run for its user with the host's environment,
// its end told by the exit code alone.

import Glibc

enum GuestCommand {
  /// The words behind `liburna-host run`: the user, and whether its shell is a login's.
  static func words(_ command: HostCommand) -> [String] {
    ["run", command.user, command.login ? "login" : "plain"] + command.arguments
  }

  /// What `liburna-host run USER login|plain WORDS…` does.
  static func run(_ words: [String]) -> Int32 {
    guard words.count >= 2 else { return 2 }
    do {
      let plan = try Kept.read(HostPlan.self, from: GuestService.plan)
      let accounts = try Accounts(root: "")
      guard let account = accounts[words[0]] else {
        throw LabError("there is no user \(words[0])")
      }
      let command = HostCommand(
        Array(words.dropFirst(2)), user: words[0], login: words[1] == "login")
      var launch = command.launch(
        as: account, groups: accounts.groups(of: account), environment: plan.environment,
        terminalKind: getenv("TERM").map { String(cString: $0) }, below: "")
      launch.confined = false
      launch.descriptors = [0, 1, 2]
      return follow(try launch.start())
    } catch let error as StartError {
      _ = tell("\(error)")
      return error.code == ENOENT ? Lab.notFound : Lab.cannotRun
    } catch {
      return tell("\(error)")
    }
  }

  /// Waits for the end of the command. When nobody is left to read what it writes, it is told to end.
  private static func follow(_ child: Child) -> Int32 {
    let signals = SignalRelay.open([SIGTERM, SIGHUP, SIGINT, SIGQUIT])
    var output = STDOUT_FILENO
    while true {
      var waits = [
        pollfd(fd: child.descriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
        pollfd(fd: output, events: 0, revents: 0),
      ]
      _ = poll(&waits, 3, -1)
      if waits[0].revents != 0 { return child.wait() }
      if let signal = SignalRelay.next(signals), signal == SIGTERM || signal == SIGHUP {
        kill(child.pid, signal)
      }
      if waits[2].revents != 0 {
        output = -1
        kill(child.pid, SIGHUP)
      }
    }
  }

  private static func tell(_ text: String) -> Int32 {
    StandardError.say("liburna lab: \(text)")
  }
}
