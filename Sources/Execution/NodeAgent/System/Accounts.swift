// Users of this host. They are asked of `getent` and `id`, because a static program can't load the
// libraries of LDAP and its like; never through a shell.

import Glibc
import Wire

/// What starting a process as a user needs.
struct Account {
  let name: String
  let uid: uid_t
  let gid: gid_t
  /// Every group, the first one included.
  let groups: [gid_t]
  let home: String
  let shell: String

  /// The account in a line of `getent passwd` and the numbers of `id -G`; `nil` if they are about
  /// somebody else or make no sense.
  init?(name: String, passwd: String, groups: String) {
    let fields = passwd.trimmed.split(separator: ":", omittingEmptySubsequences: false)
    guard fields.count == 7, fields[0] == name, let uid = uid_t(fields[2]),
      let gid = gid_t(fields[3])
    else { return nil }
    let numbers = groups.trimmed.split(separator: " ")
    let parsed = numbers.compactMap { gid_t($0) }
    guard parsed.count == numbers.count, !parsed.isEmpty else { return nil }
    self.name = name
    self.uid = uid
    self.gid = gid
    self.groups = parsed
    home = fields[5].isEmpty ? "/" : String(fields[5])
    shell = fields[6].isEmpty ? "/bin/sh" : String(fields[6])
  }
}

/// Looks users up, and remembers them for a while.
final class Accounts {
  /// Seconds for which an answer is believed.
  static let lifetime = 300.0
  /// The most users that are remembered.
  static let countLimit = 4096
  /// Seconds after which a directory service that does not answer counts as down.
  static let patience = 20.0

  typealias Answer = Result<Account, LaunchProblem>

  private struct Known {
    let account: Account
    let expiry: UInt64
  }

  private let loop: EventLoop
  private var known: [String: Known] = [:]
  private var waiting: [String: [(Answer) -> Void]] = [:]

  init(loop: EventLoop) { self.loop = loop }

  /// Calls `use` with the account: at once if it is remembered, else when the programs have answered.
  func find(_ name: String, _ use: @escaping (Answer) -> Void) {
    if let entry = known[name], entry.expiry > EventLoop.monotonicNanoseconds {
      return use(.success(entry.account))
    }
    guard Self.isName(name) else {
      return use(.failure(LaunchProblem(.user, "\"\(name)\" can't be a user's name")))
    }
    if waiting[name] != nil {
      waiting[name]?.append(use)
    } else {
      waiting[name] = [use]
      ask(name)
    }
  }

  private func ask(_ name: String) {
    HelperProgram.run("getent", ["passwd", name], loop: loop, patience: Self.patience) { passwd in
      guard case .success(let line) = passwd, line.status == 0 else {
        return self.answer(name, .failure(Self.problem(name, passwd)))
      }
      HelperProgram.run("id", ["-G", name], loop: self.loop, patience: Self.patience) { groups in
        guard case .success(let numbers) = groups,
          let account = Account(name: name, passwd: line.output, groups: numbers.output)
        else { return self.answer(name, .failure(Self.problem(name, groups))) }
        self.answer(name, .success(account))
      }
    }
  }

  private func answer(_ name: String, _ answer: Answer) {
    if case .success(let account) = answer {
      if known.count >= Self.countLimit { known = [:] }
      let expiry = EventLoop.monotonicNanoseconds + UInt64(Self.lifetime * 1e9)
      known[name] = Known(account: account, expiry: expiry)
    }
    for use in waiting.removeValue(forKey: name) ?? [] { use(answer) }
  }

  private static func problem(
    _ name: String, _ result: Result<HelperProgram.Output, SystemError>
  ) -> LaunchProblem {
    switch result {
    case .failure(let error):
      LaunchProblem(.host, "cannot look up the user \(name): \(error)")
    case .success(let output) where output.status == 0 || output.status == 2 << 8:
      LaunchProblem(.user, "this host knows no user \(name)")
    case .success(let output):
      LaunchProblem(.host, "cannot look up the user \(name): wait status \(output.status)")
    }
  }

  /// What `useradd` and directory services allow, widely; nothing that looks like an option.
  private static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, first != UInt8(ascii: "-"), name.utf8.count <= 256 else {
      return false
    }
    return name.utf8.allSatisfy {
      $0 > 32 && $0 != 127 && $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "/")
    }
  }
}
