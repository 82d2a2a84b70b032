// The files of the package as the tests of its architecture read them.

import FoundationEssentials

struct Repository {
  struct Target: Hashable {
    var layer: String
    var name: String
  }

  struct File {
    /// From the repository's own directory.
    var path: String
    var target: Target
    var lines: [Substring]

    /// The modules that the file imports.
    var imports: Set<String> {
      let statement =
        #/^\s*(?:@\w+\s+|public\s+|package\s+|internal\s+|private\s+|fileprivate\s+)*import\s+(?:(?:struct|class|enum|func|var|let|protocol|typealias)\s+)?(\w+)/#
      return Set(lines.compactMap { line in line.firstMatch(of: statement).map { String($0.1) } })
    }
  }

  var targets: Set<Target> = []
  var sources: [File] = []
  var tests: [File] = []
  /// The text of Docs/Design.md.
  var map: String

  init(of file: String = #filePath) throws {
    let root = file.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
    map = try Self.text(root + "/Docs/Design.md")
    for path in try Self.files(below: root + "/Sources") {
      let parts = path.dropFirst(root.count + 1).split(separator: "/").map(String.init)
      guard parts.count >= 4 else { continue }
      let target = Target(layer: parts[1], name: parts[2])
      targets.insert(target)
      sources.append(try Self.file(path, root, target))
    }
    for path in try Self.files(below: root + "/Tests") {
      let name = path.dropFirst(root.count + 1).split(separator: "/")[1]
      tests.append(try Self.file(path, root, Target(layer: "Tests", name: String(name))))
    }
  }

  private static func file(_ path: String, _ root: String, _ target: Target) throws -> File {
    var lines = try text(path).split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last == "" { lines.removeLast() }
    return File(path: String(path.dropFirst(root.count + 1)), target: target, lines: lines)
  }

  private static func text(_ path: String) throws -> String {
    try String(decoding: Data(contentsOf: URL(filePath: path)), as: UTF8.self)
  }

  private static let endings = [".swift", ".c", ".h", ".modulemap"]

  private static func files(below directory: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: directory).sorted()
      .filter { path in endings.contains { path.hasSuffix($0) } }
      .map { directory + "/" + $0 }
  }
}
