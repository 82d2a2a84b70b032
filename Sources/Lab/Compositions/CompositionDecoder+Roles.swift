// Reading the roles of a lab, and the files of their hosts.

import Documents

extension CompositionDecoder {
  static let roleKeys = [
    "count", "controls", "packages", "files", "prepare", "services", "containers", "memory",
    "processors",
  ]
  /// What hosts can't be called: this host, all hosts, the lab's own process.
  private static let takenNames: Set<String> = ["localhost", "all", "holder"]
  /// Hosts of a role in a file. What a machine bears is another matter.
  static let mostHosts = 10_000
  /// MiB of a virtual machine.
  static let memoryRange = 64...1_048_576
  static let processorRange = 1...256

  /// The roles in their order; those that every host has files and scripts of, with these.
  func roles(_ fields: Fields) -> [Role] {
    let files = self.files(fields["files"])
    let prepare = scripts(fields["prepare"])
    guard let field = fields.required("roles", "a lab has at least one, such as server: {}") else {
      return []
    }
    var roles: [Role] = []
    var owners: [String: String] = [:]
    let values = field.values(problems)
    for (name, field) in values {
      guard NameRule.role.accepts(name) else {
        complain(name, .role, field)
        continue
      }
      guard !Self.takenNames.contains(name) else {
        problems.add(
          "\(quoted(name)) is no name of a role: it means something else already", line: field.line)
        continue
      }
      var role = self.role(name, field)
      role.files =
        files.filter { file in !role.files.contains { $0.path == file.path } } + role.files
      role.prepare = prepare + role.prepare
      for host in role.hosts {
        if let other = owners.updateValue(name, forKey: host) {
          problems.add("host \(host) is in role \(other) already", at: field)
          break
        }
      }
      roles.append(role)
    }
    if values.isEmpty, case .map = field.node.content {
      problems.add("there is no role; a lab has at least one, such as server: {}", at: field)
    }
    return roles
  }

  private func role(_ name: String, _ field: Field) -> Role {
    let fields = Fields(
      field, keys: Self.roleKeys, elsewhere: (Self.keys, "at the top of the file"), problems)
    var role = Role(name: name, hosts: [name])
    if fields["count"] != nil {
      role.scales = true
      role.scale(to: fields.integer("count", "number of hosts", in: 0...Self.mostHosts) ?? 1)
    }
    role.controls = fields.flag("controls") ?? false
    role.packages = packages(fields)
    role.files = files(fields["files"])
    role.prepare = scripts(fields["prepare"])
    role.services = services(fields["services"])
    role.containers = fields.flag("containers") ?? false
    role.memory = memory(fields)
    role.processors = fields.integer("processors", "number of processors", in: Self.processorRange)
    return role
  }

  /// MiB, or with a letter: 512M, 2G.
  private func memory(_ fields: Fields) -> Int? {
    guard let field = fields["memory"], let text = field.text(problems) else { return nil }
    let factor = text.hasSuffix("G") ? 1024 : 1
    let digits = text.hasSuffix("G") || text.hasSuffix("M") ? text.dropLast() : text[...]
    guard let number = Int(digits), number <= Self.memoryRange.upperBound,
      Self.memoryRange.contains(number * factor), number > 0
    else {
      problems.add(
        "\(quoted(text)) is no memory: MiB from \(Self.memoryRange.lowerBound) to "
          + "\(Self.memoryRange.upperBound), or with a letter: 512M, 2G", at: field)
      return nil
    }
    return number * factor
  }

  private static let fileKeys = ["content", "source", "mode", "owner"]

  func files(_ field: Field?) -> [HostFile] {
    (field?.values(problems) ?? []).compactMap { path, field in
      guard NameRule.path.accepts(path) else {
        complain(path, .path, field)
        return nil
      }
      return file(path, field)
    }
  }

  /// A text, or a map of content or source, mode and owner.
  private func file(_ path: String, _ field: Field) -> HostFile? {
    guard case .map = field.node.content else {
      if field.node.isNothing { return HostFile(path: path, content: "") }
      return field.text(problems).map { HostFile(path: path, content: $0) }
    }
    let fields = Fields(field, keys: Self.fileKeys, problems)
    var file = HostFile(path: path, content: "")
    if let mode = self.mode(fields["mode"]) { file.mode = mode }
    if let owner = fields.text("owner", .anyAccount) { file.owner = owner }
    switch (fields["content"], fields["source"]) {
    case (let content?, nil): file.content = content.text(problems) ?? ""
    case (nil, let source?): file.content = text(from: source) ?? ""
    case (.some, let source?): problems.add("there is content already; say one of them", at: source)
    case (nil, nil):
      // `content: ""` is a file with nothing in it, and so is a file without a value.
      problems.add("content or source is missing: what is in the file, or where it is", at: field)
    }
    return file
  }

  private func mode(_ field: Field?) -> UInt32? {
    guard let field, let text = field.text(problems) else { return nil }
    guard (3...4).contains(text.utf8.count), let mode = UInt32(text, radix: 8) else {
      problems.add(
        "\(quoted(text)) is no mode: three or four octal digits, such as \"0644\"", at: field)
      return nil
    }
    return mode
  }

  /// The text of a file that the composition names.
  func text(from field: Field) -> String? {
    guard let path = field.text(problems) else { return nil }
    switch surroundings.resolve(path).flatMap(sources.text) {
    case .success(let text): return text
    case .failure(let complaint):
      problems.add(complaint.message, at: field)
      return nil
    }
  }
}
