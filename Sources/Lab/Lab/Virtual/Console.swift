// What a machine has said on its console, as far as it explains why it does not come up.

enum Console {
  /// Where a kernel that gives up begins to list its registers.
  private static let panic = "Kernel panic"

  /// The last lines of a console's log, oldest first.
  static func tail(_ path: String) -> [String] { tail(of: (try? Files.readText(path)) ?? "") }

  static func tail(of text: String) -> [String] {
    let lines = text.split(whereSeparator: \.isNewline).map(String.init)
    let end = lines.firstIndex { $0.contains(panic) }.map { $0 + 1 } ?? lines.count
    return Array(lines[..<end].suffix(Startup.logLines))
  }
}
