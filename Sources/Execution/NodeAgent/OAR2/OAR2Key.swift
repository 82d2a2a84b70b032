// The key of a job of OAR 2, by which `oarsh` and `oarcp` come to its hosts: a file, and a line among the keys
// that OAR's sshd accepts.

import ClusterModel
import Glibc
import Wire

/// A line of OAR's `authorized_keys`, put in and taken out as OAR does it: in place, under the file's lock.
struct OAR2KeyLine {
  /// Milliseconds between tries to get the lock, and how many of them.
  static let lockPause: UInt32 = 10
  static let lockTries = 500

  /// `authorized_keys`.
  let path: String
  let text: String

  /// The line that lets a key in and says which job's it is.
  init(_ key: OAR2Key, cpuset: String?, user: String, of account: Account) {
    path = account.home + "/.ssh/authorized_keys"
    text =
      "environment=\"OAR_CPUSET=\(cpuset ?? "undef")\",environment=\"OAR_JOB_USER=\(user)\" "
      + key.publicKey.trimmed
  }

  init(path: String, text: String) {
    self.path = path
    self.text = text
  }

  /// Nothing that would make it another line, or two.
  var isSound: Bool { text.utf8.allSatisfy { $0 >= 32 && $0 < 127 } && text.utf8.count <= 16384 }

  func add() throws(SystemError) {
    try edit { lines in
      if !lines.contains(text) { lines.append(text) }
    }
  }

  func remove() {
    try? edit { lines in lines.removeAll { $0 == text } }
  }

  private func edit(_ change: (inout [String]) -> Void) throws(SystemError) {
    let file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
    guard file >= 0 else { throw SystemError("cannot open \(path)") }
    defer { close(file) }
    try lock(file)
    let old = try read(file)
    var lines = String(decoding: old, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    change(&lines)
    let new = fileLines(lines)
    guard new != old else { return }
    guard lseek(file, 0, SEEK_SET) == 0 else { throw SystemError("cannot write \(path)") }
    try Descriptors.write(file, new, named: path)
    guard ftruncate(file, off_t(new.count)) == 0 else { throw SystemError("cannot cut \(path)") }
  }

  private func lock(_ file: Int32) throws(SystemError) {
    for _ in 0..<Self.lockTries {
      if flock(file, LOCK_EX | LOCK_NB) == 0 { return }
      usleep(Self.lockPause * 1000)
    }
    throw SystemError("\(path) is locked by somebody", code: EWOULDBLOCK)
  }

  private func read(_ file: Int32) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < Files.sizeLimit {
      let chunk = try Descriptors.read(file, upTo: 64 << 10, named: path)
      if chunk.isEmpty { return bytes }
      bytes += chunk
    }
    throw SystemError("\(path) is too long", code: EFBIG)
  }
}
