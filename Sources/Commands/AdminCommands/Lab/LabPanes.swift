// The hosts of a lab in the panes of tmux: a server of tmux for each lab, whose panes log in and end
// with their hosts; or windows of the tmux that the user is in.

import CommandLine
import Glibc
import Lab

struct LabPanes {
  private let lab: Lab
  private let hosts: [String]
  private let roles: [String: String]
  /// Further words of each pane's `connect`.
  private let words: [String]
  private let context: CommandContext
  private let program: String

  /// The most panes of a window; more are too small to work in.
  static let perWindow = 8
  static let session = "lab"
  /// The option of a pane that remembers its host.
  private static let hostOption = "@liburna_host"
  /// tmux's names of colours 1 to 6.
  private static let colours = ["red", "green", "yellow", "blue", "magenta", "cyan"]

  init(_ lab: Lab, hosts: [String], words: [String], in context: CommandContext) throws {
    guard let program = LocalCommand.find("tmux") else {
      throw CommandFailure(
        1, "[ERROR] tmux is missing, which shows many hosts; apt-get install tmux",
        "`liburna lab connect HOST` logs in to one host without it.")
    }
    self.program = program
    self.lab = lab
    self.hosts = hosts
    roles = LabColour.roles(try lab.hosts())
    self.words = words
    self.context = context
  }

  /// Shows the hosts, and returns when the user leaves them.
  func show(isSynchronous: Bool) throws -> Int32 {
    if !(context.variable("TMUX") ?? "").isEmpty {
      for group in groups(hosts) {
        try makeWindow(group, isSynchronous, by: [program, "new-window", "-n", lab.name])
      }
      return 0
    }
    let own = [program, "-L", lab.terminalName, "-f", "/dev/null"]
    let shown = try LocalCommand.output(
      own + ["list-panes", "-s", "-t", "=\(Self.session)", "-F", "#{\(Self.hostOption)}"])
    var isRunning = shown.code == 0
    let present = isRunning ? shown.text.split(separator: "\n").map(String.init) : []
    for group in groups(hosts.filter { !present.contains($0) }) {
      let size = terminalSize
      try makeWindow(
        group, isSynchronous, server: own,
        by: own
          + (isRunning
            ? ["new-window", "-d", "-t", "=\(Self.session):", "-n", lab.name]
            : ["new-session", "-d", "-s", Self.session, "-n", lab.name]
              + ["-x", "\(size.columns)", "-y", "\(size.rows)"]))
      isRunning = true
    }
    let socket = try LocalCommand.output(own + ["display-message", "-p", "#{socket_path}"])
    let code = try LocalCommand.run(own + ["attach-session", "-t", "=\(Self.session)"])
    // tmux leaves its socket behind when its server ends.
    if socket.code == 0, try LocalCommand.output(own + ["list-sessions"]).code != 0 {
      unlink(String(socket.text.prefix { $0 != "\n" }))
    }
    return code
  }

  private func groups(_ hosts: [String]) -> [ArraySlice<String>] {
    stride(from: 0, to: hosts.count, by: Self.perWindow).map {
      hosts[$0..<min($0 + Self.perWindow, hosts.count)]
    }
  }

  /// Makes a window by a command of tmux, which gets its first pane's; then the other panes.
  private func makeWindow(
    _ hosts: ArraySlice<String>, _ isSynchronous: Bool, server: [String]? = nil, by make: [String]
  ) throws {
    guard let first = hosts.first else { return }
    let made = try run(make + ["-P", "-F", "#{window_id}"] + environment + login(first))
    guard let window = made.split(separator: "\n").last.map(String.init) else { return }
    let steps = Self.steps(
      window: window, hosts: hosts.map { LabHost(name: $0, role: roles[$0] ?? $0) },
      isSynchronous: isSynchronous,
      login: { environment + login($0) })
    var words = server ?? [program]
    for (place, step) in steps.enumerated() { words += (place == 0 ? [] : [";"]) + step }
    _ = try run(words)
  }

  /// The commands of tmux that make the rest of a window of which the first pane is there.
  static func steps(
    window: String, hosts: [LabHost], isSynchronous: Bool, login: (String) -> [String]
  ) -> [[String]] {
    let border = "#[fg=#{@liburna_colour},bold] #{\(hostOption)} #[default]"
    var steps = [
      ["set-option", "-w", "-t", window, "pane-border-status", "top"],
      ["set-option", "-w", "-t", window, "pane-border-format", border],
      ["set-option", "-w", "-t", window, "allow-rename", "off"],
      ["set-option", "-w", "-t", window, "automatic-rename", "off"],
    ]
    for (place, host) in hosts.enumerated() {
      if place > 0 {
        steps.append(["split-window", "-t", window] + login(host.name))
        steps.append(["select-layout", "-t", window, "tiled"])
      }
      let colour = colours[LabColour.number(ofRole: host.role) - 1]
      steps += [
        ["set-option", "-p", "-t", window, hostOption, host.name],
        ["set-option", "-p", "-t", window, "@liburna_colour", colour],
        ["select-pane", "-t", window, "-T", host.name],
      ]
    }
    if isSynchronous {
      steps.append(["set-option", "-w", "-t", window, "synchronize-panes", "on"])
    }
    // The focus goes to the first: that is where one begins.
    steps.append(["select-pane", "-t", "\(window).{top-left}"])
    return steps
  }

  private var environment: [String] {
    ["-e", "LIBURNA_LAB_DIR=\(Lab.place)"]
  }

  private func login(_ host: String) -> [String] {
    [Lab.ownProgram, "lab", "connect", "--name=\(lab.name)"] + words + ["--", host]
  }

  private func run(_ words: [String]) throws -> String {
    let (code, text) = try LocalCommand.output(words)
    guard code == 0 else {
      throw CommandFailure(1, "[ERROR] tmux could not show the hosts: \(shortened(text))")
    }
    return text
  }

  private var terminalSize: (columns: Int, rows: Int) {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
    else { return (80, 24) }
    return (Int(size.ws_col), Int(size.ws_row))
  }
}
