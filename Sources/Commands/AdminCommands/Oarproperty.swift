// oarproperty: the site's own columns of the table of resources.

import ClusterModel
import CommandLine
import Wire

/// The options of `oarproperty`.
enum OarpropertyOption {
  static let list = Key<Bool>.flag("-l", "--list", help: "List the properties")
  static let types = Key<Bool>.flag("-t", "--types", help: "List the properties with their types")
  static let add = Key<[String]>.texts("-a", "--add", value: "NAME", help: "Add a property")
  static let text = Key<Bool>.flag(
    "-c", "--varchar", help: "The new property holds text; without it, whole numbers")
  static let delete = Key<[String]>.texts(
    "-d", "--delete", value: "NAME", help: "Delete a property and its values")
  static let rename = Key<[String]>.texts(
    "-r", "--rename", value: "OLD,NEW", help: "Rename a property")
  static let quiet = Key<Bool>.flag("-q", "--quiet", help: "Say nothing but errors")
}

/// Manages the properties of resources.
public enum Oarproperty: Command {
  public static let definition = CommandDefinition(
    "oarproperty", "Manage the properties of resources",
    synopsis: ["-l|-t", "[-q] -a NAME [-c]", "[-q] -d NAME", "[-q] -r OLD,NEW"],
    options: [
      OarpropertyOption.list, OarpropertyOption.types, OarpropertyOption.add,
      OarpropertyOption.text, OarpropertyOption.delete, OarpropertyOption.rename,
      OarpropertyOption.quiet,
    ],
    exitCodes: [
      (0, "done"), (1, "no option, or a property of OAR itself"), (2, "no server"),
      (255, "an impossible name, or refused"),
    ],
    helpExitCode: 1)

  /// Columns of OAR's own that are listed among the site's properties.
  private static let listedStandard = ["cpuset", "drain", "last_available_upto"]

  public static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let changes = try self.changes(arguments)
    let lists = arguments[OarpropertyOption.list] || arguments[OarpropertyOption.types]
    guard lists || !changes.isEmpty else { throw CommandFailure(1, showsUsage: true) }
    for (action, text) in changes {
      guard case .done = try context.ask(.properties(action)) else {
        throw UnexpectedReply(question: "a property")
      }
      if !arguments[OarpropertyOption.quiet] { context.output.line(text) }
    }
    if lists { try list(withTypes: arguments[OarpropertyOption.types], context) }
    return 0
  }

  public static func failure(for error: any Error) -> CommandFailure? {
    guard let refusal = error as? Refusal else { return nil }
    return CommandFailure(255, "Error: \(refusal.message)")
  }

  private static func list(withTypes: Bool, _ context: CommandContext) throws {
    guard case .properties(let own) = try context.ask(.properties(.list)) else {
      throw UnexpectedReply(question: "properties")
    }
    let standard = listedStandard.map {
      PropertyDefinition(name: $0, kind: $0 == "last_available_upto" ? .integer : .text)
    }
    for property in standard + own {
      context.output.line(
        withTypes ? "\(property.name) : \(property.kind.rawValue)" : property.name)
    }
  }

  /// What is asked for, checked, with the line that reports each.
  private static func changes(
    _ arguments: ParsedArguments
  ) throws -> [(action: PropertyAction, text: String)] {
    let kind: PropertyKind = arguments[OarpropertyOption.text] ? .text : .integer
    var changes: [(PropertyAction, String)] = []
    for name in arguments[OarpropertyOption.add] {
      try check(name)
      changes.append((.add(PropertyDefinition(name: name, kind: kind)), "Added property: \(name)"))
    }
    for name in arguments[OarpropertyOption.delete] {
      try check(name)
      changes.append((.remove(name), "Removed property: \(name)"))
    }
    for pair in arguments[OarpropertyOption.rename] {
      let names = pair.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      guard names.count == 2 else {
        throw CommandFailure(
          1, "Error: '\(shortened(pair))' is not OLD,NEW: give two names with a comma between")
      }
      try names.forEach(check)
      changes.append(
        (.rename(names[0], to: names[1]), "Rename property \(names[0]) into \(names[1])"))
    }
    return changes
  }

  private static func check(_ name: String) throws {
    let isName =
      name.utf8.first.map { !isDigit($0) } ?? false
      && name.utf8.count <= 63
      && name.utf8.allSatisfy { isDigit($0) || isLetter($0) || $0 == UInt8(ascii: "_") }
    guard isName else {
      throw CommandFailure(
        255,
        "Error: '\(shortened(name))' is not a valid property name: up to 63 letters, digits "
          + "and underscores, no digit first")
    }
    guard !standardResourceColumns.contains(name.lowercased()) else {
      throw CommandFailure(1, "Error: '\(name)' is a OAR system property and may not be altered")
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }
}
