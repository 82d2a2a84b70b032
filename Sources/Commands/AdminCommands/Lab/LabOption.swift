// What the commands of the lab share: options, the lab and the hosts that are meant.

import CommandLine
import Glibc
import Lab

enum LabOption {
  static let name = Key<String?>.text("--name", value: "NAME", help: "Which lab, of several [lab]")
  static let user = Key<String?>.text("-l", "--user", value: "USER", help: "As whom")
  static let json = Key<Bool>.flag("--json", help: "As JSON")
  static let workDirectory = Key<String?>.text(
    "-w", "--workdir", value: "DIRECTORY", help: "Where in the host [the user's home]")

  /// Those that may stand before the first command.
  static let common: [Key<String?>] = [
    name, CompositionOption.composition, CompositionOption.backend,
  ]

  /// The common options of a call, as words for a command that knows them.
  static func words(of common: ParsedArguments, for definition: CommandDefinition) -> [String] {
    let known = Set(definition.options.map(\.definition.name))
    return Self.common.compactMap { key in
      guard known.contains(key.definition.name), let value = common[key] else { return nil }
      return "--\(key.definition.name)=\(value)"
    }
  }

  /// The lab that a call is about.
  static func lab(_ arguments: ParsedArguments) throws -> Lab {
    try Lab(name: arguments[name] ?? Lab.standardName)
  }

  /// The hosts that words mean, in the lab's order; none for no words.
  static func hosts(_ words: [String], of lab: Lab) throws -> [String] {
    guard !words.isEmpty else { return [] }
    let all = try lab.hosts()
    do throws(UsageError) {
      return try HostSet.resolve(words.joined(separator: ","), among: all)
    } catch {
      throw CommandFailure(1, error.messages.map { "[ERROR] \($0)" }.joined(separator: "\n"))
    }
  }

  /// The command with what `-w` and `-e` ask for, which env(1) does in the host.
  static func command(
    _ words: [String], directory: String?, variables: [String]
  ) throws(UsageError) -> [String] {
    for variable in variables
    where variable.firstIndex(of: "=") ?? variable.startIndex
      == variable.startIndex
    {
      throw UsageError(["-e takes NAME=VALUE, not \"\(shortened(variable))\""])
    }
    guard directory != nil || !variables.isEmpty else { return words }
    return ["env"] + (directory.map { ["--chdir=\($0)", "PWD=\($0)"] } ?? []) + variables + words
  }

  static func number(
    _ arguments: ParsedArguments, _ key: Key<Int?>, _ limits: ClosedRange<Int>
  ) throws(UsageError) -> Int? {
    guard let number = arguments[key] else { return nil }
    guard limits.contains(number) else {
      throw UsageError([
        "--\(key.definition.name) takes a number from \(limits.lowerBound) to "
          + "\(limits.upperBound), not \(number)"
      ])
    }
    return number
  }

  /// The path without symbolic links; the path itself if it leads nowhere, so that messages name it.
  static func resolved(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  static func directory(of path: String) -> String {
    String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
  }

  static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The text as a column of a table.
  static func column(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
