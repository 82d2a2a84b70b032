// OAR's four data formats, the options that choose one, and how a map is written in each.

/// A format that programs read.
public enum DataFormat: Sendable, CaseIterable {
  case json
  case yaml
  case xml
  case dumper

  /// The map as a document that ends with a newline.
  ///
  /// The entries may be lazy: each is written and forgotten, so a long list needs little memory.
  public func document(_ entries: some Sequence<OutputEntry>) -> [UInt8] {
    var bytes: [UInt8] = []
    switch self {
    case .json:
      JSONWriter.oar.write(map: entries, depth: 0, to: &bytes)
      bytes.append(contentsOf: "\n".utf8)
    case .yaml: YAMLWriter.writeDocument(entries, to: &bytes)
    case .xml: XMLWriter.writeDocument(entries, to: &bytes)
    case .dumper:
      DumperWriter(isIndented: true).write(map: entries, depth: 0, to: &bytes)
      bytes.append(contentsOf: "\n".utf8)
    }
    return bytes
  }
}

/// The options `-D`, `-X`, `-Y` and `-J`, the same in all commands.
public enum DataFormatOption {
  public static let dumper = Key<Bool>.flag(
    "-D", "--dumper", help: "Print the result as a Perl dump")
  public static let xml = Key<Bool>.flag("-X", "--xml", help: "Print the result as XML")
  public static let yaml = Key<Bool>.flag("-Y", "--yaml", help: "Print the result as YAML")
  public static let json = Key<Bool>.flag(
    "-J", help: "Print the result as JSON, as OAR 2 does")

  public static let all: [any OptionKey] = [dumper, xml, yaml, json]

  /// The format that was asked for; the first of OAR's order if several were.
  public static func chosen(in arguments: ParsedArguments) -> DataFormat? {
    if arguments[dumper] { return .dumper }
    if arguments[xml] { return .xml }
    if arguments[yaml] { return .yaml }
    if arguments[json] { return .json }
    return nil
  }
}

/// Liburna's own JSON: all data under names that stay (Docs/JSON.md).
///
/// `-J` is OAR's form; in OAR `--json` is only its long name.
public enum DocumentOption {
  public static let json = Key<Bool>.flag(
    "--json", help: "Print all data as JSON under Liburna's own, stable names")

  /// An object as a document that ends with a newline, `format` first.
  public static func document(_ entries: some Sequence<OutputEntry>) -> [UInt8] {
    var bytes: [UInt8] = []
    let format = OutputEntry("format", .integer(version))
    JSONWriter.own.write(map: [format] + entries, depth: 0, to: &bytes)
    bytes.append(contentsOf: "\n".utf8)
    return bytes
  }

  /// An object with one list, each of whose values may be made, written and forgotten in turn.
  public static func document(_ name: String, list: some Sequence<OutputValue>) -> [UInt8] {
    var bytes = Array("{\n  \"format\": \(version),\n  ".utf8)
    JSONWriter.quote(name, to: &bytes)
    bytes.append(text: ": ")
    JSONWriter.own.write(list: list, depth: 1, to: &bytes)
    bytes.append(text: "\n}\n")
    return bytes
  }

  /// The number of the form; it changes when a name goes or changes its meaning.
  public static let version = 1
}
