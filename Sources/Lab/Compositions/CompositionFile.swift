// A composition file: read and checked as a whole, then made into a composition with the set-ups, the
// backend and the counts that somebody chose.

import Documents
import Glibc

public struct CompositionFile: Sendable {
  /// A set-up, chosen by its name.
  public struct Setup: Equatable, Sendable {
    public var name: String
    /// What the set-up says about itself, or nothing.
    public var about: String
  }

  /// As errors name it: the path that the user gave, or the name of a shipped composition.
  public let name: String
  /// What the composition is called.
  public var title: String { base.name }
  public var about: String { base.about }
  /// In the order of the file.
  public var setups: [Setup] {
    overlays.map { Setup(name: $0.name, about: Self.about($0.overlay)) }
  }
  /// The composition without a set-up and without what a backend changes.
  public let base: Composition

  private let document: DocumentNode
  private let surroundings: Surroundings
  private let overlays: [(name: String, overlay: Field)]
  private let backends: [BackendKind: Field]

  /// Reads a file and checks it with each of its set-ups and backends.
  ///
  /// - Parameters:
  ///   - name: What errors call it.
  ///   - directory: The absolute directory that relative paths in it begin at, or nil to refuse them.
  ///   - home: What `~` stands for.
  /// - Throws: ``CompositionError`` with all that is wrong.
  public init(
    reading bytes: [UInt8], name: String, directory: String? = nil,
    home: String? = CompositionFile.home
  ) throws(CompositionError) {
    let problems = Problems(file: name)
    let document = Extension(problems: problems).resolve(
      try DocumentReader.read(bytes, problems: problems))
    let surroundings = Surroundings(directory: directory, home: home)
    let decoder = CompositionDecoder(
      problems: problems, surroundings: surroundings, sources: SourceFiles())
    self.name = name
    self.surroundings = surroundings
    self.document = document
    base = decoder.composition(document)
    overlays = Self.setups(document, problems)
    backends = Self.backends(document, problems)
    for overlay in overlays.map(\.overlay) + BackendKind.allCases.compactMap({ backends[$0] }) {
      _ = decoder.composition(Overlay(problems: problems).merge(overlay, over: document))
    }
    try problems.check()
  }

  /// Reads a text, for tests and such.
  public init(
    reading text: String, name: String, directory: String? = nil,
    home: String? = CompositionFile.home
  ) throws(CompositionError) {
    try self.init(reading: Array(text.utf8), name: name, directory: directory, home: home)
  }

  /// Reads the file at a path.
  public init(path: String) throws(CompositionError) {
    let bytes: [UInt8]
    switch SourceFiles.read(path, limit: DocumentReader.largestFile) {
    case .success(let content): bytes = content
    case .failure(let complaint):
      throw CompositionError([
        CompositionProblem(file: "composition", message: complaint.message)
      ])
    }
    try self.init(reading: bytes, name: path, directory: Self.directory(of: path))
  }

  /// A volume as somebody writes it for one lab: MACHINE:LAB or MACHINE:LAB:MODE.
  ///
  /// - Parameter directory: The absolute directory that relative paths begin at.
  /// - Throws: ``CompositionError`` if it is none.
  public static func volume(
    _ text: String, directory: String, home: String? = CompositionFile.home
  ) throws(CompositionError) -> Volume {
    switch Volume.read(text, Surroundings(directory: directory, home: home)) {
    case .success(let volume): return volume
    case .failure(let complaint): throw CompositionError(file: "volume", complaint.message)
    }
  }

  /// The home of who runs this.
  public static var home: String? { getenv("HOME").map { String(cString: $0) } }

  /// The absolute directory that a file is in.
  private static func directory(of path: String) -> String? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    let directory = parts.joined(separator: "/")
    if path.hasPrefix("/") { return directory }
    guard let current = getcwd(nil, 0) else { return nil }
    defer { free(current) }
    let here = String(cString: current)
    return directory.isEmpty ? here : "\(here)/\(directory)"
  }

  private static func about(_ overlay: Field) -> String {
    guard case .scalar(let text, _) = overlay.node["about"]?.value.content else { return "" }
    return text
  }

  private static func setups(
    _ document: DocumentNode, _ problems: Problems
  ) -> [(name: String, overlay: Field)] {
    Self.overlays("setups", document, problems).filter { name, field in
      if NameRule.setup.accepts(name) { return true }
      problems.add(
        "\(quoted(name)) is no \(NameRule.setup.what): \(NameRule.setup.allowed)", line: field.line)
      return false
    }
  }

  private static func backends(
    _ document: DocumentNode, _ problems: Problems
  ) -> [BackendKind: Field] {
    let names = BackendKind.allCases.map(\.rawValue)
    var backends: [BackendKind: Field] = [:]
    for (name, field) in Self.overlays("backends", document, problems) {
      if let kind = BackendKind(rawValue: name) {
        backends[kind] = field
      } else {
        problems.add(
          "there is no backend \(quoted(name)); there are \(names.joined(separator: ", "))"
            + hint(for: name, of: names), line: field.line)
      }
    }
    return backends
  }

  /// The overlays under a key of the document, each with the place it has in the file.
  private static func overlays(
    _ key: String, _ document: DocumentNode, _ problems: Problems
  ) -> [(name: String, overlay: Field)] {
    guard let entry = document[key], !entry.value.isNothing else { return [] }
    let all = Field("", line: document.line, document).inner(entry).values(problems)
    return all.compactMap { name, field in
      if field.node.isNothing { return (name, Field(field.path, line: field.line, empty(field))) }
      guard case .map = field.node.content else {
        problems.add("a map is wanted here, not \(field.node.kind)", at: field)
        return nil
      }
      for inner in ["setups", "backends"] {
        guard let entry = field.node[inner] else { continue }
        problems.add("there are no \(inner) within this", at: field.inner(entry))
      }
      return (name, field)
    }
  }

  private static func empty(_ field: Field) -> DocumentNode {
    DocumentNode(.map([]), line: field.line)
  }
}

extension CompositionFile {
  /// The composition with what somebody chose. The backend's changes come first, then the set-ups in
  /// the order given, then counts, variables and volumes.
  ///
  /// - Parameters:
  ///   - counts: Hosts of roles that scale, by the role's name.
  ///   - nodes: Hosts of the role `node`.
  /// - Throws: ``CompositionError`` for what there is not, and for set-ups that don't go together.
  public func composition(
    setups: [String] = [], backend: BackendKind = .namespaces, counts: [String: Int] = [:],
    nodes: Int? = nil, variables: [Variable] = [], volumes: [Volume] = []
  ) throws(CompositionError) -> Composition {
    let problems = Problems(file: name)
    var chosen = document
    let overlay = Overlay(problems: problems)
    if let field = backends[backend] { chosen = overlay.merge(field, over: chosen) }
    for setup in setups { chosen = overlay.merge(try self.overlay(of: setup), over: chosen) }
    let decoder = CompositionDecoder(
      problems: problems, surroundings: surroundings, sources: SourceFiles())
    var composition = decoder.composition(chosen)
    try problems.check()
    var counts = counts
    if let nodes { counts["node"] = nodes }
    for (role, count) in counts.sorted(by: { $0.key < $1.key }) {
      try scale(&composition, role, to: count)
    }
    try checkHosts(composition)
    composition.variables.removeAll { old in variables.contains { $0.name == old.name } }
    composition.variables += variables
    composition.volumes.removeAll { old in volumes.contains { $0.target == old.target } }
    composition.volumes += volumes
    return composition
  }

  private func overlay(of setup: String) throws(CompositionError) -> Field {
    if let found = overlays.first(where: { $0.name == setup }) { return found.overlay }
    let names = overlays.map(\.name)
    let there = names.isEmpty ? "it has none" : "there are \(names.joined(separator: ", "))"
    throw CompositionError(
      file: name, "there is no set-up \(quoted(setup)); \(there)" + hint(for: setup, of: names))
  }

  private func scale(
    _ composition: inout Composition, _ role: String, to count: Int
  ) throws(CompositionError) {
    let scaling = composition.roles.filter(\.scales).map(\.name)
    let words = scaling.isEmpty ? "none does" : "those that do: \(scaling.joined(separator: ", "))"
    guard let place = composition.roles.firstIndex(where: { $0.name == role }) else {
      let names = composition.roles.map(\.name)
      throw CompositionError(
        file: name,
        "there is no role \(quoted(role)); there are \(names.joined(separator: ", "))"
          + hint(for: role, of: names))
    }
    guard composition.roles[place].scales else {
      throw CompositionError(
        file: name, "role \(role) has one host and does not scale (it has no count); \(words)")
    }
    let most = CompositionDecoder.mostHosts
    guard (0...most).contains(count) else {
      throw CompositionError(file: name, "\(count) is no number of hosts for \(role): 0 to \(most)")
    }
    composition.roles[place].scale(to: count)
  }

  /// A role that grew may take the name of another one's host.
  private func checkHosts(_ composition: Composition) throws(CompositionError) {
    var owners: [String: String] = [:]
    for role in composition.roles {
      for host in role.hosts {
        guard let other = owners.updateValue(role.name, forKey: host) else { continue }
        throw CompositionError(
          file: name, "role \(role.name) and role \(other) would both have a host \(host)")
      }
    }
    if composition.hosts.isEmpty {
      throw CompositionError(file: name, "the lab would have no host")
    }
  }
}
