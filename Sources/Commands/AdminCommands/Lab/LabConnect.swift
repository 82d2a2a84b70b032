// `liburna lab connect`: logs in to one host, or to many in the panes of tmux.

import CommandLine
import Glibc
import Lab

/// The command `lab connect`.
enum LabConnect: LabVerb {
  static let standardHost = "frontend"
  static let standardUser = "user1"

  static let shell = Key<String?>.text(
    "-s", "--shell", value: "SHELL", help: "A shell of the hosts [the user's own]")
  static let sync = Key<Bool>.flag("--sync", help: "What is typed goes to all panes of a window")

  static let words = 0...Int.max

  static let definition = CommandDefinition(
    "liburna lab connect", "Log in to hosts, as user1 unless said otherwise",
    synopsis: ["[OPTIONS] [HOSTS]..."], operands: .hosts,
    options: [LabOption.user, LabOption.workDirectory, shell, sync, LabOption.name],
    details: [
      "One host takes the terminal as it is. Several, or all of the lab if none is named, are "
        + "shown in the panes of tmux, \(LabPanes.perWindow) to a window at most; inside of tmux, "
        + "in new windows of it. Without a terminal, no name means the frontend. "
        + "The panes end with the lab; control-b d leaves them, and connect comes back to them.",
      "HOSTS are names as server, node[1-4,7], @node for all of a role, or all.",
    ],
    examples: [
      ("liburna lab connect", "all hosts in tmux"),
      ("liburna lab connect -l root server", "the server, as root"),
      ("liburna lab connect --sync @node", "type once for all nodes"),
    ],
    exitCodes: [(0, "those of the shell"), (1, "there is no such host, or no tmux")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let lab = try LabOption.lab(arguments)
    let isTerminal = isatty(context.input) == 1 && isatty(STDOUT_FILENO) == 1
    var hosts = try LabOption.hosts(arguments.operands, of: lab)
    if hosts.isEmpty { hosts = isTerminal ? try lab.hosts().map(\.name) : [standardHost] }
    context.output.flush()
    context.errors.flush()
    if hosts.count == 1, let host = hosts.first {
      return try lab.exec(
        try login(arguments), on: host, terminal: isatty(context.input) == 1)
    }
    guard isTerminal else {
      throw CommandFailure(
        1, "[ERROR] \(HostSet.fold(hosts)): several hosts need a terminal; name one host")
    }
    return try LabPanes(lab, hosts: hosts, words: paneWords(arguments), in: context)
      .show(isSynchronous: arguments[sync])
  }

  private static func login(_ arguments: ParsedArguments) throws -> HostCommand {
    let user = arguments[LabOption.user] ?? standardUser
    let directory = arguments[LabOption.workDirectory]
    guard directory != nil || arguments[shell] != nil else {
      return HostCommand([], user: user, login: true)
    }
    let words = [arguments[shell] ?? "/bin/bash", "-l"]
    return HostCommand(
      try LabOption.command(words, directory: directory, variables: []), user: user)
  }

  /// The options that a pane's own `connect` is called with.
  private static func paneWords(_ arguments: ParsedArguments) -> [String] {
    [LabOption.user, LabOption.workDirectory, shell].compactMap { key in
      arguments[key].map { "--\(key.definition.name)=\($0)" }
    }
  }
}
