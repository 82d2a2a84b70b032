// Who is asking, as the socket or MUNGE said, and what that allows.

import ClusterModel
import Glibc
import Wire

/// The user behind a request.
struct Asker: Hashable, Sendable {
  let uid: UInt32
  let name: String

  /// Root, the user `oar`, and the user that the server runs as.
  var isAdministrator: Bool { uid == 0 || name == "oar" || uid == geteuid() }

  /// Whether the asker may touch a job of `user`.
  func mayTouch(jobOf user: String) -> Bool { isAdministrator || name == user }

  /// - Throws: a refusal that names the command's need.
  func requireAdministrator(_ what: String) throws(Refusal) {
    guard isAdministrator else {
      throw Refusal(.notAdministrator, "only root and oar may \(what); you are \(name)")
    }
  }
}

/// Names of users by uid, remembered for a while: the account database may be slow.
struct UserNames {
  private static let lifetime: UInt64 = 60_000_000_000
  private var known: [UInt32: (name: String, until: UInt64)] = [:]

  /// The name of a user of this host; `nil` if there is none.
  mutating func name(of uid: UInt32) -> String? {
    let now = EventLoop.monotonicNanoseconds
    if let entry = known[uid], entry.until > now { return entry.name }
    if known.count > 10_000 { known = [:] }
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 16 << 10)
    guard getpwuid_r(uid, &entry, &buffer, buffer.count, &found) == 0, found != nil else {
      return nil
    }
    let name = String(cString: entry.pw_name)
    known[uid] = (name, now + Self.lifetime)
    return name
  }
}

extension Asker {
  /// Whether the user is in a group of this host, by the group's member list or as its primary group.
  func isMember(of group: String) -> Bool {
    guard let entry = getgrnam(group), let account = getpwnam(name) else { return false }
    if account.pointee.pw_gid == entry.pointee.gr_gid { return true }
    var member = entry.pointee.gr_mem
    while let text = member?.pointee {
      if String(cString: text) == name { return true }
      member = member?.advanced(by: 1)
    }
    return false
  }
}
