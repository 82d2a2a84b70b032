// `--doctor`: the entry of the programs that can look at an OAR 2 site, for `liburna doctor`.

import Glibc

/// Says whether this OAR 2 site can take kamelot, kao and the server.
public enum SiteDoctor {
  /// The first word of a call.
  public static let word = "--doctor"

  /// Whether the words of a program (its name left out) are for the doctor.
  public static func isCall(_ words: some Collection<String>) -> Bool { words.first == word }

  /// Looks, tells, and ends with 0 if everything that was asked for can be taken, else with 1.
  ///
  /// - Parameter words: `--doctor [--json] [--colour] [PART …]`, as `liburna doctor` writes them.
  public static func main(_ words: some Collection<String>) -> Never {
    signal(SIGPIPE, SIG_IGN)
    let (text, code) = answer(Array(words.dropFirst()), .live())
    let isWritten = write(text)
    exit(isWritten ? code : 1)
  }

  /// What is told, and the exit code.
  static func answer(
    _ words: [String], _ readings: @autoclosure () -> SiteReadings
  ) -> (text: String, code: Int32) {
    let options = words.filter { $0.hasPrefix("--") }
    let parts = words.compactMap { SitePart(rawValue: $0) }
    guard parts.count + options.count == words.count,
      Set(options).isSubset(of: ["--json", "--colour"])
    else {
      let known = SitePart.allCases.map(\.rawValue).joined(separator: ", ")
      return ("liburna doctor: unknown words; there are --json and the parts \(known)\n", 1)
    }
    let wanted = SitePart.allCases.filter { parts.isEmpty || parts.contains($0) }
    let report = Judge.report(readings()).restricted(to: wanted)
    let text =
      options.contains("--json")
      ? report.document.text + "\n" : report.text(isColoured: options.contains("--colour"))
    return (text, report.isPossible ? 0 : 1)
  }

  private static func write(_ text: String) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
      if count < 0 {
        guard errno == EINTR else { return false }
        continue
      }
      rest = rest.dropFirst(count)
    }
    return true
  }
}
