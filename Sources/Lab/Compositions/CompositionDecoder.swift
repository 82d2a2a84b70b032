// From a document to a composition: the keys of the whole file. What is wrong is gathered, and the
// reading goes on.

import Documents

struct CompositionDecoder {
  let problems: Problems
  let surroundings: Surroundings
  let sources: SourceFiles

  static let keys = [
    "name", "about", "root", "packages", "init", "users", "accounts", "shared", "volumes",
    "variables", "software", "build", "files", "prepare", "roles", "steps", "test", "setups",
    "backends",
  ]
  /// Keys that begin so are for anchors and mean nothing themselves.
  static let ignoredPrefix = "x-"

  /// The composition that a document says, as far as it fits.
  func composition(_ document: DocumentNode) -> Composition {
    let whole = Field("", line: document.line, document)
    let ignored = document.entries.map(\.key).filter { $0.hasPrefix(Self.ignoredPrefix) }
    let fields = Fields(
      whole, keys: Self.keys + ignored, elsewhere: (Self.roleKeys, "in a role"), problems)
    let name = fields.required("name", "what the composition is called")?
      .text(.composition, problems)
    var composition = Composition(name: name ?? "", roles: roles(fields))
    composition.about = fields.text("about", .about) ?? ""
    composition.root = root(fields["root"]) ?? .host
    composition.packages = packages(fields)
    composition.firstProcess = fields.choice("init", FirstProcess.self) ?? .tiny
    composition.accounts = people(fields)
    composition.shared = shared(fields)
    composition.volumes = volumes(fields)
    composition.variables = variables(fields)
    composition.software = fields.choice("software", Software.self)
    composition.builds = builds(fields)
    composition.steps = steps(fields, composition)
    // Scripts one after the other are a script.
    composition.test = fields["test"].map { scripts($0).joined(separator: "\n") }
    return composition
  }

  private static let archiveEndings = [
    ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.zst", ".tar.bz2",
  ]

  /// host, debian:SUITE, image:NAME, or a path of a directory or a tar file.
  private func root(_ field: Field?) -> RootSource? {
    guard let field, let text = field.text(problems) else { return nil }
    if text == "host" { return .host }
    for (prefix, rule) in [("debian:", NameRule.suite), ("image:", .image)]
    where text.hasPrefix(prefix) {
      let name = String(text.dropFirst(prefix.count))
      guard rule.accepts(name) else {
        problems.add("\(quoted(text)) is no \(rule.what): \(rule.allowed)", at: field)
        return nil
      }
      return prefix == "debian:" ? .debian(name) : .image(name)
    }
    guard ["/", "./", "../", "~/"].contains(where: text.hasPrefix) else {
      problems.add(
        "\(quoted(text)) is no root file system: host, debian:SUITE, image:NAME, or the path of "
          + "a directory or a tar file, which begins with /, ./, ../ or ~/", at: field)
      return nil
    }
    switch surroundings.resolve(text) {
    case .success(let path):
      return Self.archiveEndings.contains(where: path.hasSuffix) ? .archive(path) : .directory(path)
    case .failure(let complaint):
      problems.add("\(quoted(text)): \(complaint.message)", at: field)
      return nil
    }
  }

  func packages(_ fields: Fields) -> [String] {
    var seen: Set<String> = []
    return fields.texts("packages", .package).filter { seen.insert($0).inserted }
  }

  private func shared(_ fields: Fields) -> [String] {
    var paths: [String] = []
    for field in fields["shared"]?.items(problems) ?? [] {
      guard let path = field.text(.path, problems) else { continue }
      if path == "/home" || path.hasPrefix("/home/") {
        problems.add("\(quoted(path)) is shared already: all hosts share /home", at: field)
      } else if paths.contains(path) {
        problems.add("\(quoted(path)) is there twice", at: field)
      } else {
        paths.append(path)
      }
    }
    return paths
  }

  private func volumes(_ fields: Fields) -> [Volume] {
    var volumes: [Volume] = []
    for field in fields["volumes"]?.items(problems) ?? [] {
      guard let text = field.text(problems) else { continue }
      switch Volume.read(text, surroundings) {
      case .failure(let complaint): problems.add(complaint.message, at: field)
      case .success(let volume):
        if volumes.contains(where: { $0.target == volume.target }) {
          problems.add("two volumes are seen at \(quoted(volume.target))", at: field)
        }
        volumes.append(volume)
      }
    }
    return volumes
  }

  /// What is built for the hosts: where they see it, and a script or the file that has it.
  private func builds(_ fields: Fields) -> [Build] {
    (fields["build"]?.values(problems) ?? []).compactMap { target, field -> Build? in
      guard NameRule.path.accepts(target) else {
        complain(target, .path, field)
        return nil
      }
      guard case .map = field.node.content else {
        return script(field).map { Build(target: target, script: $0) }
      }
      let fields = Fields(field, keys: ["source"], problems)
      guard let source = fields.required("source", "the file with the script") else { return nil }
      return text(from: source).map { Build(target: target, script: $0) }
    }
  }

  private func variables(_ fields: Fields) -> [Variable] {
    (fields["variables"]?.values(problems) ?? []).compactMap { name, field in
      if let problem = Variable.problem(name: name) {
        problems.add(problem, at: field)
        return nil
      }
      // Nothing is a value here: an empty one.
      if field.node.isNothing { return Variable(name, "") }
      return field.text(problems).map { Variable(name, $0) }
    }
  }

  /// A key that is no name of the kind that is wanted.
  func complain(_ key: String, _ rule: NameRule, _ field: Field) {
    problems.add("\(quoted(key)) is no \(rule.what): \(rule.allowed)", line: field.line)
  }

  /// A script of /bin/sh.
  func script(_ field: Field?) -> String? {
    guard let field, let text = field.text(problems) else { return nil }
    if text.allSatisfy(\.isWhitespace) {
      problems.add("the script is empty", at: field)
      return nil
    }
    return text
  }

  /// A script or a list of them.
  func scripts(_ field: Field?) -> [String] {
    guard let field else { return [] }
    guard case .list = field.node.content else { return script(field).map { [$0] } ?? [] }
    return field.items(problems).compactMap(script)
  }
}

extension Volume {
  /// A volume as text: HOST:LAB or HOST:LAB:MODE.
  static func read(_ text: String, _ surroundings: Surroundings) -> Result<Volume, Complaint> {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard (2...3).contains(parts.count), !parts[0].isEmpty else {
      return .failure(
        Complaint(
          "\(quoted(text)) is no volume: HOST:LAB or HOST:LAB:MODE, such as ./src:/src:ro"))
    }
    if let problem = Volume.problem(target: parts[1]) { return .failure(Complaint(problem)) }
    var mode = Mode.rw
    if parts.count == 3 {
      let words = Mode.allCases.map(\.rawValue)
      guard let known = Mode(rawValue: parts[2]) else {
        return .failure(
          Complaint("\(quoted(parts[2])) is no mode of a volume: \(alternatives(words))"))
      }
      mode = known
    }
    return surroundings.resolve(parts[0]).map { Volume(source: $0, target: parts[1], mode: mode) }
  }
}
