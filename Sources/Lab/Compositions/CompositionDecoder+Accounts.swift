// Reading the people of a lab: `users` and `accounts`.

import Documents

extension CompositionDecoder {
  private static let userKeys = ["name", "groups"]
  private static let accountKeys = ["home", "groups"]

  /// Ordinary users first, then the accounts of services.
  func people(_ fields: Fields) -> [LabAccount] {
    let named = fields["users"]
    var people = named == nil ? LabAccount.people : []
    for field in named?.items(problems) ?? [] {
      guard let user = user(field) else { continue }
      add(user, to: &people, field)
    }
    for (name, field) in fields["accounts"]?.values(problems) ?? [] {
      guard let account = account(name, field) else { continue }
      add(account, to: &people, field)
    }
    return people
  }

  private func add(_ account: LabAccount, to people: inout [LabAccount], _ field: Field) {
    if account.name == "root" {
      problems.add("root is on every host already", at: field)
    } else if people.contains(where: { $0.name == account.name }) {
      problems.add("there are two accounts \(quoted(account.name))", at: field)
    } else {
      people.append(account)
    }
  }

  /// A name, or a map of name and groups.
  private func user(_ field: Field) -> LabAccount? {
    guard case .map = field.node.content else {
      return field.text(.account, problems).map { LabAccount(name: $0, home: "/home/\($0)") }
    }
    let fields = Fields(field, keys: Self.userKeys, problems)
    let groups = fields.texts("groups", .anyAccount)
    return fields.required("name", "who it is")?.text(.account, problems)
      .map { LabAccount(name: $0, home: "/home/\($0)", groups: groups) }
  }

  /// A home, or a map of home and groups.
  private func account(_ name: String, _ field: Field) -> LabAccount? {
    guard NameRule.account.accepts(name) else {
      complain(name, .account, field)
      return nil
    }
    guard case .map = field.node.content else {
      return field.text(.path, problems).map { LabAccount(name: name, home: $0) }
    }
    let fields = Fields(field, keys: Self.accountKeys, problems)
    let groups = fields.texts("groups", .anyAccount)
    return fields.required("home", "the directory of the account")?.text(.path, problems)
      .map { LabAccount(name: name, home: $0, groups: groups) }
  }
}
