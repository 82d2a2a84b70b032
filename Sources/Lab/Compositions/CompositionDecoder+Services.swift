// Reading the services of a role, and the steps of a lab.

import Documents

extension CompositionDecoder {
  private static let serviceKeys = ["command", "user", "ready", "restarts"]
  private static let readinessKeys = ["port", "socket", "file"]
  /// What the lab itself runs on every host.
  private static let ownServices = ["sshd", "munged"]

  func services(_ field: Field?) -> [Service] {
    // Who listens on a port: of two, one would seem ready because the other answers.
    var listeners: [UInt16: String] = [22: "sshd"]
    return (field?.values(problems) ?? []).compactMap { name, field in
      guard NameRule.service.accepts(name) else {
        complain(name, .service, field)
        return nil
      }
      if Self.ownServices.contains(name) {
        problems.add("every host runs \(name) already; the lab sees to it", at: field)
      }
      let service = service(name, field)
      if case .port(let port) = service?.ready {
        if let other = listeners[port] {
          problems.add("port \(port) is \(other)'s already; choose another", at: field)
        }
        listeners[port] = name
      }
      return service
    }
  }

  private func service(_ name: String, _ field: Field) -> Service? {
    let fields = Fields(field, keys: Self.serviceKeys, problems)
    let command = fields.required("command", "the program and its arguments").map(self.command)
    return Service(
      name, command ?? [], user: fields.text("user", .anyAccount) ?? "root",
      ready: readiness(fields["ready"]), restarts: fields.flag("restarts") ?? false)
  }

  /// What a shell would not take for a letter.
  private static let shellSigns = Set(#"'"\$`|&;<>(){}*?"#)

  /// A list of words, or a text that is cut at its blanks.
  private func command(_ field: Field) -> [String] {
    var words: [String]
    if case .list = field.node.content {
      words = field.items(problems).compactMap { $0.text(problems) }
      if field.node.size == 1 { problems.add("the command is empty", at: field) }
    } else {
      guard let text = field.text(problems) else { return [] }
      if let sign = text.first(where: Self.shellSigns.contains) {
        problems.add(
          "no shell reads this, so \(sign) would not do what it does there: write the words as a "
            + "list, or [/bin/sh, -c, \"…\"]", at: field)
      }
      words = text.split(whereSeparator: \.isWhitespace).map(String.init)
      if words.isEmpty { problems.add("the command is empty", at: field) }
    }
    guard let program = words.first else { return [] }
    if program.isEmpty || (program.contains("/") && !program.hasPrefix("/")) {
      problems.add(
        "\(quoted(program)) is no program: its path from / on, or a name that is looked for in "
          + "the usual places", at: field)
    }
    return words
  }

  private func readiness(_ field: Field?) -> Readiness {
    guard let field else { return .none }
    let fields = Fields(field, keys: Self.readinessKeys, problems)
    guard case .map(let entries) = field.node.content else { return .none }
    guard entries.count == 1 else {
      problems.add("say one of {port: N}, {socket: PATH} and {file: PATH}", at: field)
      return .none
    }
    if fields["port"] != nil {
      return fields.integer("port", "port", in: 1...65_535).map { .port(UInt16($0)) } ?? .none
    }
    if fields["socket"] != nil {
      return fields.text("socket", .socket).map { .socket($0) } ?? .none
    }
    if fields["file"] != nil { return fields.text("file", .path).map { .file($0) } ?? .none }
    if let key = entries.first?.key, Self.readinessKeys.contains(key) {
      problems.add("\(key) has no value", at: field)
    }
    return .none
  }

  private static let stepKeys = ["on", "again", "user", "run"]

  /// The steps: a map of titles, or a list of such maps.
  func steps(_ fields: Fields, _ composition: Composition) -> [Step] {
    guard let field = fields["steps"] else { return [] }
    var named: [(key: String, field: Field)]
    if case .list = field.node.content {
      named = field.items(problems).flatMap { $0.values(problems) }
    } else {
      named = field.values(problems)
    }
    var lines: [String: Int] = [:]
    return named.compactMap { title, field in
      guard NameRule.title.accepts(title) else {
        complain(title, .title, field)
        return nil
      }
      if let line = lines.updateValue(field.line, forKey: title) {
        problems.add("there is a step of this title already, on line \(line)", at: field)
      }
      return step(title, field, composition)
    }
  }

  private func step(_ title: String, _ field: Field, _ composition: Composition) -> Step? {
    let fields = Fields(field, keys: Self.stepKeys, problems)
    let place = fields.required("on", "a role, or {each: ROLE}").flatMap {
      self.place($0, composition)
    }
    let script = self.script(fields.required("run", "the script of the step"))
    return Step(
      title, on: place ?? .first(""), user: fields.text("user", .anyAccount) ?? "root",
      repetition: fields.choice("again", Step.Repetition.self) ?? .once, script: script ?? "")
  }

  private func place(_ field: Field, _ composition: Composition) -> Step.Place? {
    guard case .map = field.node.content else {
      return role(field, composition).map { .first($0) }
    }
    let fields = Fields(field, keys: ["each"], problems)
    return fields.required("each", "the role on each of whose hosts it is run")
      .flatMap { role($0, composition) }.map { .each($0) }
  }

  private func role(_ field: Field, _ composition: Composition) -> String? {
    guard let name = field.text(problems) else { return nil }
    let roles = composition.roles.map(\.name)
    // That there are none was told already.
    guard !roles.isEmpty else { return nil }
    guard roles.contains(name) else {
      problems.add(
        "there is no role \(quoted(name)); there are \(roles.joined(separator: ", "))"
          + hint(for: name, of: roles), at: field)
      return nil
    }
    return name
  }
}
