// The people of a lab: its accounts, and the account files of a host made from the machine's.

import Glibc

/// An account as /etc/passwd has it.
public struct Account: Equatable, Codable, Sendable {
  public var name: String
  public var uid: uid_t
  public var gid: gid_t
  public var home: String
  public var shell: String = "/bin/bash"

  static let root = Account(name: "root", uid: 0, gid: 0, home: "/root")
}

/// The account files of a machine or a host.
struct Accounts: Equatable {
  /// The lines of passwd and group, each cut at its colons.
  var passwd: [[String]]
  var group: [[String]]

  /// The first uid that is tried for an account of the lab; the next free one is taken.
  static let firstUID: uid_t = 1101

  init(passwd: String, group: String) {
    self.passwd = Self.lines(passwd, fields: 7)
    self.group = Self.lines(group, fields: 4)
  }

  /// Reads the files below a root directory, "" for the machine's own.
  init(root: String) throws { try self.init(layers: [root]) }

  /// Reads the files of a root file system that consists of layers, topmost first.
  init(layers: [String]) throws {
    func read(_ path: String) throws -> String {
      guard let layer = layers.first(where: { Files.exists($0 + path) }) else {
        throw LabError("\(layers.joined(separator: ", ")): there is no \(path) in this image")
      }
      return try Files.readText(layer + path)
    }
    self.init(passwd: try read("/etc/passwd"), group: try read("/etc/group"))
  }

  private static func lines(_ text: String, fields: Int) -> [[String]] {
    text.split(separator: "\n")
      .map { $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init) }
      .filter { $0.count == fields }
  }

  subscript(name: String) -> Account? {
    guard let line = passwd.first(where: { $0[0] == name }), let uid = uid_t(line[2]),
      let gid = gid_t(line[3])
    else { return nil }
    return Account(name: name, uid: uid, gid: gid, home: line[5], shell: line[6])
  }

  /// Adds an account with a group of its own name, or moves the home of the one that is there.
  mutating func add(_ name: String, home: String) -> Account {
    if let place = passwd.firstIndex(where: { $0[0] == name }), let existing = self[name] {
      passwd[place][5] = home
      passwd[place][6] = "/bin/bash"
      return Account(name: name, uid: existing.uid, gid: existing.gid, home: home)
    }
    let used = Set(passwd.compactMap { uid_t($0[2]) } + group.compactMap { gid_t($0[2]) })
    var id = Self.firstUID
    while used.contains(id) { id += 1 }
    passwd.append([name, "x", String(id), String(id), "", home, "/bin/bash"])
    group.removeAll { $0[0] == name }
    group.append([name, "x", String(id), ""])
    return Account(name: name, uid: id, gid: id, home: home)
  }

  /// Puts an account into groups, which are made if they are missing.
  mutating func join(_ name: String, _ groups: [String]) {
    for wanted in groups {
      guard let place = group.firstIndex(where: { $0[0] == wanted }) else {
        let used = Set(group.compactMap { gid_t($0[2]) })
        var id = Self.firstUID
        while used.contains(id) { id += 1 }
        group.append([wanted, "x", String(id), name])
        continue
      }
      var members = group[place][3].split(separator: ",").map(String.init)
      if !members.contains(name) { members.append(name) }
      group[place][3] = members.joined(separator: ",")
    }
  }

  /// Every group that an account is in, its own first.
  func groups(of account: Account) -> [gid_t] {
    let others = group.filter { $0[3].split(separator: ",").contains { $0 == account.name } }
      .compactMap { gid_t($0[2]) }
    return [account.gid] + others.filter { $0 != account.gid }
  }

  var passwdText: String { Self.text(passwd) }
  var groupText: String { Self.text(group) }
  /// No password opens any account, yet none is locked: keys do. The machine's own passwords stay
  /// with the machine.
  var shadowText: String {
    Self.text(passwd.map { [$0[0], "*", "19000", "0", "99999", "7", "", "", ""] })
  }

  private static func text(_ lines: [[String]]) -> String {
    lines.map { $0.joined(separator: ":") + "\n" }.joined()
  }
}
