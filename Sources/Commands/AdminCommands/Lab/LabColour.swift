// Colours of hosts by what they are for, as oar-docker's users know them, where a terminal shows them.

import CommandLine
import Lab

/// How a text is shown.
enum LabColour {
  /// Colour numbers of terminals, 1 to 6; tmux has names for the same.
  static func number(ofRole role: String) -> Int {
    switch role {
    case "server": 1
    case "frontend": 4
    case "node": 3
    default: [2, 5, 6][role.utf8.reduce(0) { $0 + Int($1) } % 3]
    }
  }

  /// The role of each host by name.
  static func roles(_ hosts: [LabHost]) -> [String: String] {
    hosts.reduce(into: [:]) { $0[$1.name] = $1.role }
  }

  static func paint(_ text: String, role: String, if isShown: Bool) -> String {
    isShown ? "\u{1b}[3\(number(ofRole: role))m\(text)\u{1b}[0m" : text
  }

  /// Whether colours are wanted on a stream. NO_COLOR, set to anything, turns them off.
  static func isShown(on stream: TextStream, in context: CommandContext) -> Bool {
    stream.isTerminal && (context.variable("NO_COLOR") ?? "").isEmpty
      && context.variable("TERM") != "dumb"
  }
}
