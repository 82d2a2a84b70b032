// How this machine reaches Debian's archive: its sources, and what it says about proxies. They are
// taken as they are; Liburna knows no server by name.

import Glibc

enum AptSettings {
  /// The machine's settings for fetching, as apt's configuration wants them.
  static func ofMachine(deadline: Deadline) -> String {
    guard ToolRun.find("apt-config") != nil,
      let answer = try? ToolRun.run(["apt-config", "dump"], deadline: deadline)
    else { return "" }
    let wanted = ["http", "https", "ftp", "Check-Valid-Until", "Check-Date", "Retries"]
    let lines = answer.output.split(separator: "\n").filter { line in
      wanted.contains { line.hasPrefix("Acquire::\($0)::") || line.hasPrefix("Acquire::\($0) ") }
    }
    var text = (lines + [""]).joined(separator: "\n")
    if Files.exists(certificates) && !text.contains("CaInfo") {
      text += "Acquire::https::CaInfo \"\(Builder.shown)/certificates\";\n"
    }
    return text
  }

  private static let certificates = "/etc/ssl/certs/ca-certificates.crt"

  /// What the settings name, to be shown in the root where apt runs.
  static var binds: [BuildPlan.Bind] {
    Files.exists(certificates) ? [.init(source: certificates, name: "certificates")] : []
  }

  // MARK: - Sources

  /// The machine's sources for a release of Debian, in the format of sources.list(5) that is made of
  /// stanzas; nil if it has none, so that mmdebstrap's own are good.
  static func sources(suite: String) -> String? {
    let release = (try? Files.readText("/etc/os-release")) ?? ""
    func field(_ name: String) -> String? {
      release.split(separator: "\n").first { $0.hasPrefix(name + "=") }
        .map { String($0.dropFirst(name.count + 1)).replacing("\"", with: "") }
    }
    guard field("ID") == "debian", let own = field("VERSION_CODENAME") else { return nil }
    var files = ["/etc/apt/sources.list"]
    files += Files.list("/etc/apt/sources.list.d").map { "/etc/apt/sources.list.d/" + $0 }
    let stanzas = files.flatMap { path -> [[String]] in
      guard let text = try? Files.readText(path) else { return [] }
      if path.hasSuffix(".sources") { return paragraphs(text) }
      return path.hasSuffix(".list") ? text.split(separator: "\n").compactMap(stanza) : []
    }
    let fitting = stanzas.compactMap { fit($0, from: own, to: suite) }
    return fitting.isEmpty ? nil : fitting.joined(separator: "\n")
  }

  /// The paragraphs of a file of stanzas, as lines without comments.
  private static func paragraphs(_ text: String) -> [[String]] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.split { $0.trimmed.isEmpty }.map { lines in
      lines.filter { !$0.hasPrefix("#") }.map(String.init)
    }
  }

  /// A line of the older format as a stanza: `deb [option=value …] URI suite component…`.
  private static func stanza(_ line: Substring) -> [String]? {
    var words = line.prefix { $0 != "#" }.split(separator: " ")
    guard words.first == "deb", words.count >= 4 else { return nil }
    words.removeFirst()
    var lines = ["Types: deb"]
    if words[0].hasPrefix("[") {
      guard let end = words.firstIndex(where: { $0.hasSuffix("]") }) else { return nil }
      for word in words[...end] {
        let option = word.filter { $0 != "[" && $0 != "]" }.split(separator: "=", maxSplits: 1)
        if option.count == 2, let name = options[String(option[0])] {
          lines.append("\(name): \(option[1])")
        }
      }
      words.removeFirst(end + 1)
    }
    guard words.count >= 3 else { return nil }
    lines.append("URIs: \(words[0])")
    lines.append("Suites: \(words[1])")
    lines.append("Components: " + words.dropFirst(2).joined(separator: " "))
    return lines
  }

  private static let options = [
    "signed-by": "Signed-By", "trusted": "Trusted", "arch": "Architectures",
    "check-valid-until": "Check-Valid-Until",
  ]

  /// A stanza of the machine's release for the wanted one, or nil for one that is not Debian's, or
  /// has no part in a root file system.
  private static func fit(_ stanza: [String], from own: String, to suite: String) -> String? {
    func value(_ name: String) -> Substring? {
      stanza.first { $0.lowercased().hasPrefix(name.lowercased() + ":") }?
        .dropFirst(name.utf8.count + 1)
    }
    guard let suites = value("Suites"), let types = value("Types"), value("URIs") != nil,
      value("Enabled")?.trimmed != "no", types.split(separator: " ").contains("deb")
    else { return nil }
    let ours = suites.split(separator: " ").filter { name in
      name == own || ["-updates", "-security", "/updates"].contains { name == own + $0 }
    }
    guard !ours.isEmpty else { return nil }
    let wanted = ours.map { suite + $0.dropFirst(own.count) }.joined(separator: " ")
    let lines = stanza.map { line in
      if line.lowercased().hasPrefix("suites:") { return "Suites: " + wanted }
      return line.lowercased().hasPrefix("types:") ? "Types: deb" : line
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
